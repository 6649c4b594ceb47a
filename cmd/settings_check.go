package cmd

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/getto-systems/psycher/dedupe"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/targets"
)

// bad reports a problem of a setting. It must not hold the value: what stands
// in a variable may be a secret that belongs into another.
//
//docgen:passed settings
func (c *checker) bad(name, format string, args ...any) {
	c.problems[name] = append(c.problems[name], fmt.Sprintf(format, args...))
}

func checkNothing(*checker, string, string) {}

func checkAppToken(c *checker, name, value string) {
	checkPrefix(c, name, value, "xapp-", "the app-level token begins with xapp- (Basic Information > App-Level Tokens)")
}

func checkBotToken(c *checker, name, value string) {
	checkPrefix(c, name, value, "xoxb-", "the bot token begins with xoxb- (OAuth & Permissions > Bot User OAuth Token)")
}

func checkPrefix(c *checker, name, value, prefix, mend string) {
	switch {
	case quoted(value):
		c.bad(name, "is wrapped in quotes: take them off (docker's --env-file keeps them)")
	case !strings.HasPrefix(value, prefix) && kindOf(value) != "":
		c.bad(name, "this is %s; %s", kindOf(value), mend)
	case !strings.HasPrefix(value, prefix) || value == prefix:
		c.bad(name, "is not a valid token: %s", mend)
	case strings.ContainsFunc(value, notVisible):
		c.bad(name, "has a blank or another character that no token has: copy it anew")
	}
}

// kindOf tells what a token is by its beginning.
func kindOf(value string) string {
	for _, kind := range [...]struct{ prefix, name string }{
		{"xapp-", "the app-level token (it belongs in SLACK_APP_TOKEN)"},
		{"xoxb-", "the bot token (it belongs in SLACK_BOT_TOKEN)"},
		{"xoxp-", "a user token"},
		{"xoxe", "a refresh or configuration token: token rotation must be off"},
		{"https://hooks.slack.com/", "the URL of an incoming webhook"},
		{"glptt-", "a trigger token of GitLab (it belongs in GITLAB_TRIGGER_TOKENS)"},
		{"glpat-", "an access token of GitLab (it belongs in GITLAB_API_TOKEN)"},
		{"gldt-", "a deploy token of GitLab"},
		{"glrt-", "a runner's token of GitLab"},
	} {
		if strings.HasPrefix(value, kind.prefix) {
			return kind.name
		}
	}
	return ""
}

func checkAPIToken(c *checker, name, value string) {
	switch {
	case quoted(value):
		c.bad(name, "is wrapped in quotes: take them off (docker's --env-file keeps them)")
	case kindOf(value) != "" && !strings.HasPrefix(value, "glpat-"):
		c.bad(name, "this is %s; it takes a personal, project or group access token with the scope read_api", kindOf(value))
	case strings.ContainsFunc(value, notVisible):
		c.bad(name, "has a blank or another character that no token has: copy it anew")
	}
}

func checkSlackURL(c *checker, name, value string) {
	c.s.SlackAPIURL = checkURL(c, name, value) + "/"
}

func checkGitLabURL(c *checker, name, value string) {
	c.s.GitLabURL = checkURL(c, name, value)
	if strings.HasSuffix(c.s.GitLabURL, "/api/v4") {
		c.bad(name, "must be without /api/v4: that is added")
	}
}

func checkURL(c *checker, name, value string) string {
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !portOK(u.Port()):
		c.bad(name, "must be a URL that begins with https:// or http:// and names a host")
	case u.User != nil || strings.ContainsAny(value, "@?#"): // a password may have signs in it that end it too early
		c.bad(name, "must be a URL without user, password, query (?) and fragment (#)")
	}
	return strings.TrimRight(value, "/")
}

func checkConnections(c *checker, name, _ string) {
	if n := c.s.SlackConnections; n < 1 || n > 5 {
		c.bad(name, "must be from 1 to 5: Slack allows an app 10 in all")
	}
}

func checkTargets(c *checker, name, value string) {
	parsed, err := targets.Parse([]byte(value), c.s.GitLabRef, c.s.DeployTimeout)
	var wrong *targets.Error
	switch {
	case errors.As(err, &wrong):
		for _, problem := range wrong.Problems {
			c.bad(name, "%s", problem)
		}
		if value[0] == '\'' {
			c.bad(name, "is wrapped in quotes: take them off (docker's --env-file keeps them)")
		}
	case err != nil:
		c.bad(name, "cannot be read")
	}
	c.s.Targets = parsed
}

func checkRequestTimeout(c *checker, name, _ string) {
	if d := c.s.GitLabRequestTimeout; d < time.Second || d > 10*time.Minute {
		c.bad(name, "must be from 1s to 10m")
	}
}

func checkPositive(c *checker, name, value string) {
	if d, err := time.ParseDuration(value); err != nil || d <= 0 {
		c.bad(name, "must be over zero, such as 90s, 2m or 1h")
	}
}

func checkRef(c *checker, name, value string) {
	if strings.ContainsFunc(value, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		c.bad(name, "must be the name of a branch or tag, without blanks")
	}
}

func checkRedisURL(c *checker, name, value string) {
	if err := dedupe.CheckURL(deploy.Secret(value)); err != nil {
		c.bad(name, "%v", err)
	}
}

func checkRedisPrefix(c *checker, name, value string) {
	if !regexp.MustCompile(`^[A-Za-z0-9_.-]+$`).MatchString(value) {
		c.bad(name, "must be letters, digits, _ . and -")
	}
}

func checkAddr(c *checker, name, value string) {
	host, port, err := net.SplitHostPort(value)
	if err != nil || port == "" || !portOK(port) || strings.ContainsFunc(host, notVisible) || strings.ContainsAny(host, "/@") {
		c.bad(name, "must be host:port, such as 127.0.0.1:8080, or :8080 for every address; the port is a number up to 65535")
	}
}

func checkAdminAddr(c *checker, name, value string) {
	checkAddr(c, name, value)
	if value == c.s.NotifyAddr && !strings.HasSuffix(value, ":0") {
		c.bad(name, "must not be that of NOTIFY_ADDR: health and metrics are for another network")
	}
}

// notifyFields are the fields of a call to the notify port: since the secret may
// be the name of a parameter, it cannot be one of them.
var notifyFields = [...]string{"source", "type", "result", "channel", "timestamp", "id", "pipeline", "job", "job_name", "job_stage", "sha", "token"}

func checkNotifyToken(c *checker, name, value string) {
	legal := func(r rune) bool {
		return r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._~-", r))
	}
	for i, r := range []rune(value) {
		if !legal(r) {
			c.bad(name, "character %d is not one of letters, digits, . _ ~ and -", i+1)
			return
		}
	}
	if slices.Contains(notifyFields[:], strings.ToLower(value)) {
		c.bad(name, "must not be the name of a field of the call (%s): choose a long random one", strings.Join(notifyFields[:], ", "))
		return
	}
	if len(value) < 16 {
		c.bad(name, "is shorter than 16 characters and may be guessed: openssl rand -hex 24 makes a good one. If every project has psycher's notify.sh, unset it: the calls then prove themselves")
	}
}

// checkNotifyURL looks at what GitLab CI is told to call. GitLab expands a
// dollar sign in a variable's value.
func checkNotifyURL(c *checker, name, value string) {
	checkURL(c, name, value)
	u, err := url.Parse(value)
	switch {
	case err != nil: // said already
	case !strings.HasSuffix(u.EscapedPath(), "/notify"):
		c.bad(name, "must end in /notify: http://HOST:8080/notify, as GitLab's runners reach the port of NOTIFY_ADDR")
	case strings.ContainsFunc(value, notVisible) || strings.ContainsAny(value, `$"\`):
		c.bad(name, "has a blank or another character that no such address has")
	}
}

func checkOneOf(values ...string) func(*checker, string, string) {
	return func(c *checker, name, value string) {
		if !slices.Contains(values, value) {
			c.bad(name, "must be one of %s", strings.Join(values, ", "))
		}
	}
}

func checkProxy(c *checker, name, value string) {
	if _, err := parseProxy(value); err != nil {
		c.bad(name, "%v", err)
	}
}

func checkCertFile(c *checker, name, value string) {
	if err := appendPEM(x509.NewCertPool(), value); err != nil {
		c.bad(name, "%v", err)
	}
}

func checkCertDir(c *checker, name, value string) {
	for _, dir := range filepath.SplitList(value) {
		switch info, err := os.Stat(dir); {
		case errors.Is(err, fs.ErrNotExist):
			c.bad(name, "one of its directories does not exist")
		case err != nil:
			c.bad(name, "one of its directories cannot be read")
		case !info.IsDir():
			c.bad(name, "must name directories: a file belongs in SSL_CERT_FILE")
		}
	}
}

func portOK(port string) bool {
	_, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil
}

func quoted(value string) bool { return value[0] == '"' || value[0] == '\'' }

// notVisible tells what no token and no host name has.
func notVisible(r rune) bool { return r <= ' ' || r > '~' }
