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
	l.files = map[string]string{}
	defer func() { l.seen = l.look() }()
	var s Settings
	var unset []Row
	rows, found := table(&s), map[string]error{}
	file, unread := l.dotenv()
	l.sources = []map[string]string{split(l.Environ()), file}
	kept, err := l.remote()
	if errors.As(err, new(passingError)) {
		return s, nil, fmt.Errorf("PSYCHER_SECRET: %w", err)
	}
	l.sources = append(l.sources, kept)
	found[""], found["PSYCHER_SECRET"] = unread, err
	for _, row := range rows {
		text, err := l.find(row)
		if text == "" && err == nil {
			unset = append(unset, row)
			switch {
			case !row.Required():
				text = row.Default
			case row.Name == "GITLAB_TRIGGER_TOKENS" && s.TargetsFile != "":
			case found[""] == nil && found["PSYCHER_SECRET"] == nil: // else it may be in there
				err = fmt.Errorf("is required and not set: %s", strings.ReplaceAll(row.Meaning, "`", ""))
			}
		}
		if text != "" {
			err = row.set(text)
		}
		found[row.Name] = errors.Join(found[row.Name], err)
	}
	name, err := l.readMap(&s)
	found[name] = errors.Join(found[name], err)
	if s.AdminAddr != "" && s.AdminAddr == s.NotifyAddr && !strings.HasSuffix(s.AdminAddr, ":0") {
		found["ADMIN_ADDR"] = errors.New("must differ from NOTIFY_ADDR: health and metrics are for another network")
	}

	warnings := misspelt(rows, unset, l.sources)
	wrong := Error{warnings}                         // a misspelt name is why another is missing
	for _, row := range append([]Row{{}}, rows...) { // what is wrong with .env itself has no name
		if err := found[row.Name]; err != nil {
			for problem := range strings.SplitSeq(err.Error(), "\n") {
				wrong.Problems = append(wrong.Problems, strings.TrimPrefix(row.Name+": "+problem, ": "))
			}
		}
	}
	if len(wrong.Problems) > len(warnings) {
		return s, warnings, &wrong
	}
	return s, warnings, nil
}

// readMap reads the target map, and returns the setting that has it.
func (l *Loader) readMap(s *Settings) (name string, err error) {
	text, name, token := s.GitLabTriggerTokens.Reveal(), "GITLAB_TRIGGER_TOKENS", (func(key, name string) (string, error))(nil)
	if s.TargetsFile != "" {
		if name, token = "TARGETS_FILE", l.token; text != "" {
			return name, errors.New("is set beside GITLAB_TRIGGER_TOKENS: there is one target map, so unset one of them")
		}
		text, err = l.secret("it", s.TargetsFile)
	}
	if text != "" {
		s.Targets, err = targets.Parse([]byte(text), s.GitLabRef, s.DeployTimeout, token)
	}
	return name, err
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
