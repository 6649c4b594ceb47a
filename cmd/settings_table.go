package cmd

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/getto-systems/psycher/deploy"
)

// row says what a setting means, in Markdown, and checks its value, which is
// never empty. A check reports to the checker, without the value.
type row struct {
	name    string
	meaning string
	check   func(c *checker, name, value string)
}

// table has a row for each setting, in the order of the fields of [Settings].
func table() []row {
	return []row{
		{"SLACK_APP_TOKEN", "the app-level token, `xapp-...`, with the scope `connections:write`", checkAppToken},
		{"SLACK_BOT_TOKEN", "the bot token, `xoxb-...`", checkBotToken},
		{"SLACK_API_URL", "base URL of Slack's Web API; another one is for tests and the sandbox", checkSlackURL},
		{"SLACK_CONNECTIONS", "websockets that this process holds, 1 to 5", checkConnections},
		{"GITLAB_URL", "base URL of GitLab; it may have a path", checkGitLabURL},
		{"GITLAB_TRIGGER_TOKENS", "the target map: JSON that says what can be deployed from which channel", checkTargets},
		{"GITLAB_API_TOKEN", "a token with the scope `read_api`: lost answers and ends of pipelines are found by asking GitLab", checkAPIToken},
		{"GITLAB_REQUEST_TIMEOUT", "GitLab's own request timeout, `1s` to `10m`; a trigger is given 5 s more", checkRequestTimeout},
		{"GITLAB_REF", "the branch or tag that a target deploys unless it names its own; a mention can never choose another", checkRef},
		{"REDIS_URL", "`redis://`, or `rediss://` for TLS, also in the sentinel and cluster forms; special characters in a password as `%XX`. Unset: an embedded Redis for one process, forgotten when it ends", checkRedisURL},
		{"REDIS_PREFIX", "keys are `{psycher}:...`; two bots on one Redis take two prefixes", checkRedisPrefix},
		{"NOTIFY_ADDR", "`host:port` of the notify port, which GitLab CI calls; an empty host means every address", checkAddr},
		{"NOTIFY_TOKEN", "a lasting secret for calls of GitLab CI that show no `PSYCHER_TOKEN`, as those of old scripts: letters, digits, `.`, `_`, `~`, `-`; 16 characters or more. Unset: only calls that prove their deployment count", checkNotifyToken},
		{"NOTIFY_URL", "the notify port as GitLab's runners reach it, `http://HOST:8080/notify`: it is sent with the trigger, and a project needs no CI variable of its own", checkNotifyURL},
		{"MENTION_MAX_AGE", "a mention that is older when its turn comes is not deployed: psycher asks first", checkPositive},
		{"DEPLOY_TIMEOUT", "how long to wait for word of a pipeline; a target can have its own `timeout`", checkPositive},
		{"ADMIN_ADDR", "`host:port` of health, readiness and metrics", checkAdminAddr},
		{"PSYCHER_LANG", "the language of the replies: `ja` or `en`", checkOneOf("ja", "en")},
		{"LOG_LEVEL", "the least level that is logged: `trace`, `debug`, `info`, `warn`, `error`, `fatal`, `panic` or `disabled`", checkOneOf(strings.Split(logLevels, ", ")...)},
		{"LOG_FORMAT", "`json`, or `console` for people", checkOneOf("json", "console")},
		{"HTTPS_PROXY", "proxy for `https` and `wss`, `http://` or `socks5://`: for Slack's API, its websockets and GitLab", checkProxy},
		{"HTTP_PROXY", "the same for plain `http`", checkProxy},
		{"NO_PROXY", "what is reached without a proxy, with commas between: hosts (with all below them), `.example.com`, addresses, CIDR ranges, each with a `:port` or not, or `*`", checkNothing},
		{"SSL_CERT_FILE", "PEM file of certificate authorities to trust for Slack, GitLab and Redis beside the system's; together with `SSL_CERT_DIR`, in place of the system's", checkCertFile},
		{"SSL_CERT_DIR", "directories of such files, with `:` between", checkCertDir},
	}
}

const logLevels = "trace, debug, info, warn, error, fatal, panic, disabled"

// SettingsTable prints the settings as a Markdown table, for the documents.
func SettingsTable() string {
	var b strings.Builder
	b.WriteString("| variable | default | meaning |\n|---|---|---|\n")
	for _, row := range table() {
		f := fieldOf(row.name)
		fallback := "none"
		switch {
		case f.required:
			fallback = "required"
		case f.fallback != "":
			fallback = "`" + f.fallback + "`"
		}
		name := "`" + row.name + "`"
		if f.secret {
			name += " (secret)"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, fallback, row.meaning)
	}
	return b.String()
}

// field is what the tags of a field of [Settings] say.
type field struct {
	goName   string
	name     string
	fallback string
	required bool
	secret   bool
}

func settingFields() []field {
	t := reflect.TypeFor[Settings]()
	var fields []field
	for i := range t.NumField() {
		name, option, _ := strings.Cut(t.Field(i).Tag.Get("env"), ",")
		if name == "" || name == "-" {
			continue
		}
		fields = append(fields, field{
			goName:   t.Field(i).Name,
			name:     name,
			fallback: t.Field(i).Tag.Get("envDefault"),
			required: option == "required",
			secret:   t.Field(i).Type == reflect.TypeFor[deploy.Secret](),
		})
	}
	return fields
}

// fieldOf gives the field of a variable; one without a name where there is none.
func fieldOf(name string) field {
	for _, f := range settingFields() {
		if f.name == name {
			return f
		}
	}
	return field{}
}

func nameOf(goName string) string {
	for _, f := range settingFields() {
		if f.goName == goName {
			return f.name
		}
	}
	return ""
}

func meaningOf(name string) string {
	for _, row := range table() {
		if row.name == name {
			return strings.ReplaceAll(row.meaning, "`", "")
		}
	}
	return ""
}

func names() []string {
	var names []string
	for _, row := range table() {
		names = append(names, row.name)
	}
	return names
}
