//docgen:messages settings
package settings

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/dedupe"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/targets"
)

const quoted = "is wrapped in quotes: remove them (docker's --env-file keeps them)"

// guessable says what a NOTIFY_TOKEN must be: then it is also no name of a field of the
// call, where it may stand for one.
const guessable = "is shorter than 16 characters, or has others than letters, digits, . _ ~ and -: openssl rand -hex 24 makes a good one. " +
	"If every project has psycher's notify.sh, unset it: the calls then prove themselves"

func anything(text string) (string, error) { return text, nil }

// settingOf is where a token belongs, by what it begins with.
var settingOf = map[string]string{
	"xapp": "SLACK_APP_TOKEN", "xoxb": "SLACK_BOT_TOKEN", "glptt": "GITLAB_TRIGGER_TOKENS", "glpat": "GITLAB_API_TOKEN",
}

// token takes tokens that begin with prefix; if others is set, also those of a
// form that is not known, as old ones of GitLab have no prefix.
func token(prefix string, others bool, fix string) func(string) (string, error) {
	return func(text string) (string, error) {
		kind, isRight := targets.TokenKind(text), strings.HasPrefix(text, prefix)
		begins, _, _ := strings.Cut(text, "-")
		if setting := settingOf[begins]; kind != "" && setting != "" {
			kind += ", which belongs in " + setting
		}
		switch {
		case text[0] == '"' || text[0] == '\'':
			return "", errors.New(quoted)
		case targets.IsPlaceholder(text):
			return "", errors.New(targets.Placeholder)
		case !isRight && kind != "":
			return "", fmt.Errorf("this is %s; %s", kind, fix)
		case !others && (!isRight || text == prefix):
			return "", fmt.Errorf("is not a valid token: %s", fix)
		case strings.ContainsFunc(text, notVisible):
			return "", errors.New("has a space or another character that no token has: copy it again")
		}
		return text, nil
	}
}

func gitlabURL(text string) (string, error) {
	base, err := baseURL(text)
	if strings.HasSuffix(base, "/api/v4") {
		err = errors.New("must be without /api/v4: psycher adds it")
	}
	return base, err
}

// baseURL returns the URL without a slash at the end.
func baseURL(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !validPort(u.Port()):
		return "", errors.New("must be a URL that begins with https:// or http:// and names a host")
	case u.User != nil || strings.ContainsAny(text, "@?#"): // a password may have signs in it that end it too early
		return "", errors.New("must be a URL without user, password, query (?) and fragment (#)")
	}
	return strings.TrimRight(text, "/"), nil
}

// notifyURL checks what GitLab CI is told to call. GitLab expands a dollar sign
// in a variable's value.
func notifyURL(text string) (string, error) {
	_, err := baseURL(text)
	u, _ := url.Parse(text)
	switch {
	case err != nil:
		return "", err
	case u.Hostname() == "HOST":
		return "", errors.New("still names HOST, a placeholder: write this machine's name or address, as GitLab's runners reach it")
	case !strings.HasSuffix(text, "/notify") || strings.Count(text, "/") < 3:
		return "", errors.New("must end in /notify: http://HOST:8080/notify, as GitLab's runners reach the port of NOTIFY_ADDR")
	case strings.ContainsFunc(text, notVisible) || strings.ContainsAny(text, `$"\`):
		return "", errors.New("has a space or another character that no such address has")
	}
	return text, nil
}

const aDuration = "must be a duration with its unit, such as 90s, 2m or 1h"

// within takes what parse takes, from least to most. The errors of parse quote
// the text: a text without its form has the problem noForm.
//
//docgen:passed settings
func within[T cmp.Ordered](parse func(string) (T, error), noForm string, least, most T, problem string) func(string) (T, error) {
	return func(text string) (T, error) {
		value, err := parse(text)
		switch {
		case err != nil:
			err = errors.New(noForm)
		case value < least || value > most:
			err = errors.New(problem)
		}
		return value, err
	}
}

// matching takes what a regular expression matches.
//
//docgen:passed settings
func matching(form, problem string) func(string) (string, error) {
	return func(text string) (string, error) {
		if !regexp.MustCompile(form).MatchString(text) {
			return "", errors.New(problem)
		}
		return text, nil
	}
}

func redisURL(text string) (string, error) { return text, dedupe.CheckURL(deploy.Secret(text)) }

func addr(text string) (string, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil || port == "" || !validPort(port) || strings.ContainsFunc(host, notVisible) || strings.ContainsAny(host, "/@") {
		return "", errors.New("must be host:port, such as 127.0.0.1:8080, or :8080 for every address; the port is a number up to 65535")
	}
	return text, nil
}

func oneOf(values ...string) func(string) (string, error) {
	return matching("^("+strings.Join(values, "|")+")$", "must be one of "+strings.Join(values, ", "))
}

func zone(text string) (string, error) {
	if _, err := time.LoadLocation(text); err != nil || text == "Local" {
		return "", errors.New("must be a time zone, such as Asia/Tokyo, Europe/Berlin or UTC")
	}
	return text, nil
}

func logLevel(text string) (zerolog.Level, error) {
	if _, err := oneOf("trace", "debug", "info", "warn", "error", "fatal", "panic", "disabled")(text); err != nil {
		return 0, err
	}
	return zerolog.ParseLevel(text)
}

// proxyURL returns a proxy's URL; host:port alone means http. The error does not
// quote it, since it may hold a password.
func proxyURL(text string) (string, error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	// A sign that ends a password too early makes a host and a path of its pieces.
	if err != nil || u.Hostname() == "" || !validPort(u.Port()) || strings.Trim(u.Path, "/") != "" || strings.ContainsAny(text, "?#") {
		return "", errors.New("must be a proxy's URL, such as http://proxy.example.com:3128, with special characters in a password as %XX")
	}
	if u.Scheme != "http" && u.Scheme != "socks5" {
		return "", errors.New("must begin with http:// or socks5://: websockets use no other proxy")
	}
	return text, nil
}

// certFile checks the file here because crypto/x509 skips one that it cannot read.
func certFile(text string) (string, error) {
	content, err := readFile(text)
	switch {
	case err != nil:
		return "", fmt.Errorf("the file cannot be read: %w", errors.Unwrap(err))
	case !x509.NewCertPool().AppendCertsFromPEM(content):
		return "", errors.New("the file holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
	}
	return text, nil
}

func certDir(text string) (string, error) {
	for _, dir := range filepath.SplitList(text) {
		if _, err := os.ReadDir(dir); err != nil {
			return "", fmt.Errorf("one of its directories cannot be read: %w", errors.Unwrap(err))
		}
	}
	return text, nil
}

func validPort(port string) bool {
	_, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil
}

// notVisible reports characters that are in no token and no host name.
func notVisible(r rune) bool { return r <= ' ' || r > '~' }
