//docgen:messages settings
package settings

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/targets"
)

// Settings are all settings of psycher, read and checked. The order is that of
// the table, where each is explained.
type Settings struct {
	PsycherSecret string // empty: none

	SlackAppToken    deploy.Secret
	SlackBotToken    deploy.Secret
	SlackAPIURL      string // without a slash at the end
	SlackConnections int

	GitLabURL            string // without a slash at the end
	TargetsFile          string // or
	GitLabTriggerTokens  deploy.Secret
	Targets              *targets.Map `json:"-"` // what one of the two holds
	GitLabAPIToken       deploy.Secret
	GitLabRequestTimeout time.Duration
	GitLabRef            string

	RedisURL    deploy.Secret // empty: embedded
	RedisPrefix string
	Keep        time.Duration

	NotifyAddr  string
	NotifyToken deploy.Secret // empty: only calls that prove their deployment count
	NotifyURL   string        // empty: not sent

	MentionMaxAge time.Duration
	DeployTimeout time.Duration
	AdminAddr     string
	Lang          string
	LogLevel      zerolog.Level
	LogFormat     string

	HTTPSProxy  deploy.Secret // may hold a password
	HTTPProxy   deploy.Secret
	NoProxy     string
	SSLCertFile string
	SSLCertDir  string
}

// Error lists everything that is wrong with the settings, one line each, in the
// order of the table. A line begins with the variable and says how to fix it. No
// line holds a value.
type Error struct{ Problems []string }

func (e *Error) Error() string { return strings.Join(e.Problems, "\n") }

// Load reads the settings once, see [Loader].
func Load(environ []string, dotenv string) (Settings, []string, error) {
	return (&Loader{Environ: func() []string { return environ }, Dotenv: dotenv}).Load()
}

// Load reads the settings. The error is an [*Error], but for a failure to reach the
// secret of PSYCHER_SECRET, which may pass; the warnings are lines for the log, and
// the first of the error's.
func (l *Loader) Load() (Settings, []string, error) {
	l.files = map[string]os.FileInfo{}
	defer func() { l.seen = l.look() }()
	s, found, read := Settings{}, problems{}, reader(l.read)
	rows := table(&s)
	var unset []Row
	file, unread := read.dotenv(l.Dotenv)
	found.add("", unread)
	sources := []map[string]string{split(l.Environ()), file}
	kept, err := l.remote(read, sources)
	if is := (passingError{}); errors.As(err, &is) {
		return s, nil, fmt.Errorf("PSYCHER_SECRET: %w", err)
	}
	found.add("PSYCHER_SECRET", err)
	unread = errors.Join(unread, err)
	sources = append(sources, kept)
	for _, row := range rows {
		text, err := row.find(sources, read)
		if text == "" && err == nil {
			unset = append(unset, row)
			switch {
			case !row.Required():
				text = row.Default
			case row.Name == "GITLAB_TRIGGER_TOKENS" && s.TargetsFile != "":
			case unread == nil: // else it may be in there
				err = fmt.Errorf("is required and not set: %s", strings.ReplaceAll(row.Meaning, "`", ""))
			}
		}
		if text != "" {
			err = row.set(text)
		}
		found.add(row.Name, err)
	}
	s.checkTogether(found, read, sources)

	warnings := misspelt(rows, unset, sources)
	wrong := Error{warnings} // a misspelt name is why another is missing
	for _, row := range append([]Row{{}}, rows...) {
		for _, problem := range found[row.Name] {
			wrong.Problems = append(wrong.Problems, strings.TrimPrefix(row.Name+": "+problem, ": "))
		}
	}
	if len(found) > 0 {
		return s, warnings, &wrong
	}
	return s, warnings, nil
}

// problems are what is wrong with each setting, by its name. Problems of the .env
// file itself have no name.
type problems map[string][]string

// add adds an error, one problem a line; nil is none.
func (p problems) add(name string, err error) {
	if err != nil {
		p[name] = append(p[name], strings.Split(err.Error(), "\n")...)
	}
}

// checkTogether checks what depends on more than one setting.
func (s *Settings) checkTogether(found problems, read reader, sources []map[string]string) {
	var err error
	switch text := s.GitLabTriggerTokens.Reveal(); {
	case s.TargetsFile != "" && text != "":
		found.add("TARGETS_FILE", errors.New("is set beside GITLAB_TRIGGER_TOKENS: there is one target map, so unset one of them"))
	case s.TargetsFile != "":
		if text, err = read.secret(s.TargetsFile); err != nil {
			err = fmt.Errorf("the file that it names %w", err)
		} else {
			s.Targets, err = targets.Parse([]byte(text), s.GitLabRef, s.DeployTimeout, read.tokenIn(sources))
		}
		found.add("TARGETS_FILE", err)
	case text != "":
		s.Targets, err = targets.Parse([]byte(text), s.GitLabRef, s.DeployTimeout, nil)
		found.add("GITLAB_TRIGGER_TOKENS", err)
	}
	if s.AdminAddr != "" && s.AdminAddr == s.NotifyAddr && !strings.HasSuffix(s.AdminAddr, ":0") {
		found.add("ADMIN_ADDR", errors.New("must differ from NOTIFY_ADDR: health and metrics are for another network"))
	}
}

// Export puts the proxies and certificate authorities into the environment of
// this process, where [net/http.ProxyFromEnvironment] and crypto/x509 look for
// them, once, at their first use. To them, empty is not set.
func (s Settings) Export() error {
	for name, value := range map[string]string{
		"HTTPS_PROXY": s.HTTPSProxy.Reveal(), "HTTP_PROXY": s.HTTPProxy.Reveal(), "NO_PROXY": s.NoProxy,
		"SSL_CERT_FILE": s.SSLCertFile, "SSL_CERT_DIR": s.SSLCertDir,
	} {
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
