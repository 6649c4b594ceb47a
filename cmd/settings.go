package cmd

import (
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/targets"
)

// Settings are all settings of psycher, read and checked. The tags are where
// names, defaults and what is required stand; a field of type [deploy.Secret]
// can also be given as a file. What each means, and what is checked, stands in
// the same order in the function table.
type Settings struct {
	SlackAppToken    deploy.Secret `env:"SLACK_APP_TOKEN,required"`
	SlackBotToken    deploy.Secret `env:"SLACK_BOT_TOKEN,required"`
	SlackAPIURL      string        `env:"SLACK_API_URL" envDefault:"https://slack.com/api/"` // ends with a slash
	SlackConnections int           `env:"SLACK_CONNECTIONS" envDefault:"2"`

	GitLabURL            string        `env:"GITLAB_URL" envDefault:"https://gitlab.com"` // without a slash at the end
	GitLabTriggerTokens  deploy.Secret `env:"GITLAB_TRIGGER_TOKENS,required"`
	Targets              *targets.Map  `env:"-" json:"-"` // what GITLAB_TRIGGER_TOKENS holds
	GitLabAPIToken       deploy.Secret `env:"GITLAB_API_TOKEN"`
	GitLabRequestTimeout time.Duration `env:"GITLAB_REQUEST_TIMEOUT" envDefault:"60s"`
	GitLabRef            string        `env:"GITLAB_REF" envDefault:"master"`

	RedisURL    deploy.Secret `env:"REDIS_URL"` // empty: embedded
	RedisPrefix string        `env:"REDIS_PREFIX" envDefault:"psycher"`

	NotifyAddr  string        `env:"NOTIFY_ADDR" envDefault:":8080"`
	NotifyToken deploy.Secret `env:"NOTIFY_TOKEN"` // empty: only what proves itself counts
	NotifyURL   string        `env:"NOTIFY_URL"`   // empty: not sent

	MentionMaxAge time.Duration `env:"MENTION_MAX_AGE" envDefault:"2m"`
	DeployTimeout time.Duration `env:"DEPLOY_TIMEOUT" envDefault:"1h"`
	AdminAddr     string        `env:"ADMIN_ADDR" envDefault:"127.0.0.1:9090"`
	Lang          string        `env:"PSYCHER_LANG" envDefault:"ja"`
	LogLevel      zerolog.Level `env:"LOG_LEVEL" envDefault:"info"`
	LogFormat     string        `env:"LOG_FORMAT" envDefault:"json"`

	HTTPSProxy  deploy.Secret `env:"HTTPS_PROXY"` // may hold a password; see [Settings.Proxy]
	HTTPProxy   deploy.Secret `env:"HTTP_PROXY"`
	NoProxy     string        `env:"NO_PROXY"`
	SSLCertFile string        `env:"SSL_CERT_FILE"` // see [Settings.RootCAs]
	SSLCertDir  string        `env:"SSL_CERT_DIR"`
}

// SettingsError is all that is wrong with the settings, one line each, in the
// order of the table. Each line begins with the variable and says the mend.
// None holds a value.
type SettingsError struct{ Problems []string }

func (e *SettingsError) Error() string { return strings.Join(e.Problems, "\n") }

// LoadSettings reads the settings from an environment ("NAME=value" each, as
// [os.Environ] gives it) and, for what that does not have, from the file dotenv.
// No file is read where dotenv is empty, and it need not exist. The process's own
// environment is neither read nor changed. The warnings are lines for the log,
// also where there is an error, which is a [*SettingsError].
func LoadSettings(environ []string, dotenv string) (Settings, []string, error) {
	vars := readVars(environ, dotenv)
	s := Settings{}
	c := checker{s: &s, problems: vars.problems, warnings: vars.warnings}
	c.parse(vars.values)
	for _, row := range table() {
		f := fieldOf(row.name)
		value := vars.values[row.name]
		if value == "" {
			value = f.fallback
		}
		if value != "" && len(c.problems[row.name]) == 0 {
			row.check(&c, row.name, value)
		}
	}
	return s, c.warnings, c.err()
}

// checker gathers what is wrong with the settings s, by variable.
type checker struct {
	s        *Settings
	problems map[string][]string
	warnings []string
}

// parse fills the settings. The library's errors quote values, so only their
// kind is kept.
func (c *checker) parse(values map[string]string) {
	err := env.ParseWithOptions(c.s, env.Options{Environment: values})
	if err == nil {
		return
	}
	var all env.AggregateError
	if !errors.As(err, &all) {
		c.bad("", "the settings cannot be read")
		return
	}
	for _, err := range all.Errors {
		var unset env.VarIsNotSetError
		var parse env.ParseError
		switch {
		case errors.As(err, &unset):
			// A .env file that cannot be read may well hold it.
			if len(c.problems[unset.Key]) == 0 && len(c.problems[""]) == 0 {
				c.bad(unset.Key, "is required and not set: %s", meaningOf(unset.Key))
			}
		case errors.As(err, &parse):
			c.bad(nameOf(parse.Name), "must be %s", form(parse.Type))
		default:
			c.bad("", "a setting cannot be read")
		}
	}
}

func (c *checker) err() error {
	var e SettingsError
	for _, name := range append([]string{""}, names()...) {
		for _, problem := range c.problems[name] {
			if name != "" {
				problem = name + ": " + problem
			}
			e.Problems = append(e.Problems, problem)
		}
	}
	if len(e.Problems) == 0 {
		return nil
	}
	return &e
}

// form says how a value of a type is written.
func form(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "a duration with its unit, such as 90s, 2m or 1h"
	case reflect.TypeFor[int]():
		return "a whole number"
	case reflect.TypeFor[zerolog.Level]():
		return "one of " + logLevels
	}
	return "another value"
}
