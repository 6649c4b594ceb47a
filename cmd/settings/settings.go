//docgen:messages settings
package settings

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"strings"
	"syscall"
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
	Zone          string // of a time of day that a person says; empty: not set
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

// Loader reads the settings, again and again. It is not for concurrent use.
type Loader struct {
	Environ func() []string // [os.Environ], or what stands in for it
	Dotenv  string          // the file for what the environment does not set; it need not exist; empty: none is read
	Local   bool            // the secret that PSYCHER_SECRET names is not read

	within  time.Duration       // for that secret; 0: [awsWithin]
	sources []map[string]string // the environment, .env and that secret; an empty text counts as not set
	files   map[string]string   // those that were read, by [stat] just before
	seen    map[string]string   // the same files when they were looked at last
}

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
	found[""] = unread
	take := func(row Row) {
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
		found[row.Name] = err
	}
	for _, row := range rows {
		if row.Name == "PSYCHER_SECRET" || row.forNetwork() {
			take(row)
		}
	}
	kept, err := l.remote(s, rows)
	if errors.As(err, new(passingError)) {
		return s, nil, fmt.Errorf("PSYCHER_SECRET: %w", err)
	}
	l.sources = append(l.sources, kept)
	found["PSYCHER_SECRET"] = errors.Join(found["PSYCHER_SECRET"], err)
	for _, row := range rows {
		if row.Name != "PSYCHER_SECRET" && !row.forNetwork() {
			take(row)
		}
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
	if path := s.Targets.Confirming(); path != "" && s.GitLabAPIToken == "" {
		err = fmt.Errorf("%s: needs GITLAB_API_TOKEN, a token with the scope api: the commit is read, and the pipeline of another one is canceled", path)
	}
	return name, err
}

// Export puts the proxies and certificate authorities into the environment of
// this process, where [net/http.ProxyFromEnvironment] and crypto/x509 look for
// them, once, at their first use. To them, empty is not set.
func (s Settings) Export() error {
	for _, row := range table(&s) {
		if !row.forNetwork() {
			continue
		}
		if err := os.Setenv(row.Name, row.value.String()); err != nil {
			return fmt.Errorf("%s: %w", row.Name, err)
		}
	}
	return nil
}

// Watches reports whether there is a file to look at.
func (l *Loader) Watches() bool { return len(l.files) > 0 }

// AsRead reports whether the files are still what was read. It takes a system call
// for each, and reads nothing.
func (l *Loader) AsRead() bool { return maps.Equal(l.look(), l.files) }

// Look reports whether the files are at rest since the last look, as half a file may
// look like a whole one, and whether they have changed since they were read.
func (l *Loader) Look() (rest, changed bool) {
	before := l.seen
	l.seen = l.look()
	// mutant: a file that is still being written
	return maps.Equal(l.seen, before), !maps.Equal(l.seen, l.files)
}

func (l *Loader) look() map[string]string {
	now := map[string]string{}
	for path := range l.files {
		now[path] = stat(path)
	}
	return now
}

// stat tells one version of a file from another; empty: there is none. It looks at a
// symlink's target, as Kubernetes swaps those. A pipe changes whenever it is read.
func stat(path string) string {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	file, _ := info.Sys().(*syscall.Stat_t)
	return fmt.Sprint(file.Dev, file.Ino, info.Size(), info.ModTime().UnixNano())
}

// Changes are the rows whose settings differ, or what is in the map's file.
func Changes(was, is Settings) (changed []Row) {
	now := table(&is)
	for i, row := range table(&was) {
		if !row.value.Equal(now[i].value) || row.Name == "TARGETS_FILE" && is.TargetsFile != "" && !reflect.DeepEqual(was.Targets, is.Targets) {
			changed = append(changed, row)
		}
	}
	return changed
}

// With returns the settings with those of again that take effect at once.
func (s Settings) With(again Settings) Settings {
	from := table(&again)
	for i, row := range table(&s) {
		if row.Live {
			row.value.Set(from[i].value)
		}
	}
	s.Targets = again.Targets
	return s
}
