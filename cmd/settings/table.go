package settings

import (
	"math"
	"reflect"
	"strconv"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// Row is one setting.
type Row struct {
	Name    string
	Default string // empty: none
	Meaning string // in Markdown
	field
}

const required = "required"

// Required reports whether there is no starting without it.
func (r Row) Required() bool { return r.Default == required }

// field is where a setting goes, with the function that reads, checks and
// stores its text, which is never empty. Its error does not hold the text.
type field struct {
	Secret bool // it can also be given as a file
	Live   bool // a change takes effect at once, not at the next start
	set    func(text string) error
	value  reflect.Value
}

func plain[T any](to *T, parse func(text string) (T, error)) field {
	set := func(text string) (err error) {
		*to, err = parse(text)
		return err
	}
	return field{set: set, value: reflect.ValueOf(to).Elem()}
}

// live marks what is read anew wherever it is used: see [Settings.With].
func live(f field) field {
	f.Live = true
	return f
}

func secret(to *deploy.Secret, parse func(text string) (string, error)) field {
	f := plain((*string)(to), parse)
	f.Secret = true
	return f
}

// Table lists all settings, in the order in which the documents print them.
func Table() []Row { return table(&Settings{}) }

func table(s *Settings) []Row {
	return []Row{
		{"PSYCHER_SECRET", "", "`aws-sm://REGION/NAME`: a secret of AWS Secrets Manager that holds the secrets that are set nowhere else", live(plain(&s.PsycherSecret, secretPlace))},
		{"SLACK_APP_TOKEN", required, "the app-level token, `xapp-...`, with the scope `connections:write`", secret(&s.SlackAppToken, token("xapp-", false, "the app-level token begins with xapp- (Basic Information > App-Level Tokens)"))},
		{"SLACK_BOT_TOKEN", required, "the bot token, `xoxb-...`", secret(&s.SlackBotToken, token("xoxb-", false, "the bot token begins with xoxb- (OAuth & Permissions > Bot User OAuth Token)"))},
		{"SLACK_API_URL", "https://slack.com/api/", "base URL of Slack's Web API; another one is for tests and the sandbox", plain(&s.SlackAPIURL, baseURL)},
		{"SLACK_CONNECTIONS", "2", "websockets that this process holds, 1 to 5", plain(&s.SlackConnections, within(strconv.Atoi, "must be a whole number", 1, 5, "must be from 1 to 5: Slack allows an app 10 in all"))},
		{"GITLAB_URL", "https://gitlab.com", "base URL of GitLab; it may have a path", plain(&s.GitLabURL, gitlabURL)},
		{"TARGETS_FILE", "", "a file that holds the target map without its tokens, to be reviewed like code; in place of `GITLAB_TRIGGER_TOKENS`", live(plain(&s.TargetsFile, anything))},
		{"GITLAB_TRIGGER_TOKENS", required, "the target map: JSON that says what can be deployed from which channel; or set `TARGETS_FILE`", live(secret(&s.GitLabTriggerTokens, matching(`^[^']`, quoted)))},
		{"GITLAB_API_TOKEN", "", "a token with the scope `read_api`: stages, commits, lost answers and ends of pipelines are read from GitLab; with the scope `api`, deploys can also be canceled and rolled back by buttons", live(secret(&s.GitLabAPIToken, token("glpat-", true, "use a personal, project or group access token with the scope read_api or api")))},
		{"GITLAB_REQUEST_TIMEOUT", "60s", "GitLab's own request timeout, `1s` to `10m`; a trigger is given 5 s more", plain(&s.GitLabRequestTimeout, within(time.ParseDuration, aDuration, time.Second, 10*time.Minute, "must be from 1s to 10m"))},
		{"GITLAB_REF", "master", "the branch or tag that a target deploys unless it names its own; a mention can never choose another", live(plain(&s.GitLabRef, matching(`^[^\s\p{Z}\p{Cc}]+$`, "must be the name of a branch or tag, without spaces")))},
		{"REDIS_URL", "", "`redis://`, or `rediss://` for TLS, also in the sentinel and cluster forms; special characters in a password as `%XX`. Unset: an embedded Redis for one process, forgotten when it ends", secret(&s.RedisURL, redisURL)},
		{"REDIS_PREFIX", "psycher", "keys are `{psycher}:...`; two bots on one Redis take two prefixes", plain(&s.RedisPrefix, matching(`^[A-Za-z0-9_.-]+$`, "must be letters, digits, _ . and -"))},
		{"KEEP", "8760h", "how long is kept what was asked for and deployed, `720h` (30 days) or more; a change counts for what comes after it", plain(&s.Keep, within(time.ParseDuration, aDuration, 720*time.Hour, math.MaxInt64, "must be at least 720h, which is 30 days"))},
		{"NOTIFY_ADDR", ":8080", "`host:port` of the notify port, which GitLab CI calls; an empty host means every address", plain(&s.NotifyAddr, addr)},
		{"NOTIFY_TOKEN", "", "a lasting secret for calls of GitLab CI that show no `PSYCHER_TOKEN`, as those of old scripts: letters, digits, `.`, `_`, `~`, `-`; 16 characters or more. Unset: only calls that prove their deployment count", live(secret(&s.NotifyToken, matching(`^[A-Za-z0-9._~-]{16,}$`, guessable)))},
		{"NOTIFY_URL", "", "the notify port as GitLab's runners reach it, `http://HOST:8080/notify`: it is sent with the trigger, and a project needs no CI variable of its own", plain(&s.NotifyURL, notifyURL)},
		{"MENTION_MAX_AGE", "2m", "a mention, or a press, that is older when its turn comes deploys nothing: psycher asks, with a button", live(plain(&s.MentionMaxAge, within(time.ParseDuration, aDuration, 1, math.MaxInt64, "must be over zero, such as 90s, 2m or 1h")))},
		{"DEPLOY_TIMEOUT", "1h", "how long to wait for a pipeline's result; a target can have its own `timeout`", live(plain(&s.DeployTimeout, within(time.ParseDuration, aDuration, 1, math.MaxInt64, "must be over zero, such as 90s, 2m or 1h")))},
		{"ADMIN_ADDR", "127.0.0.1:9090", "`host:port` of health, readiness and metrics", plain(&s.AdminAddr, addr)},
		{"PSYCHER_LANG", "ja", "the language of the replies: `ja` or `en`", live(plain(&s.Lang, oneOf("ja", "en")))},
		{"PSYCHER_ZONE", "", "the time zone of people who say a time of day, as in \"lock app until 14:30\", such as `Asia/Tokyo`. Unset: that of the target's `freeze`, else the host's, which in a container is mostly UTC", live(plain(&s.Zone, zone))},
		{"LOG_LEVEL", "info", "the least level that is logged: `trace`, `debug`, `info`, `warn`, `error`, `fatal`, `panic` or `disabled`", live(plain(&s.LogLevel, logLevel))},
		{"LOG_FORMAT", "json", "`json`, or `console` for people", plain(&s.LogFormat, oneOf("json", "console"))},
		{"HTTPS_PROXY", "", "proxy for `https` and `wss`, `http://` or `socks5://`: for Slack's API, its websockets and GitLab", secret(&s.HTTPSProxy, proxyURL)},
		{"HTTP_PROXY", "", "the same for plain `http`", secret(&s.HTTPProxy, proxyURL)},
		{"NO_PROXY", "", "what is reached without a proxy, with commas between: hosts (with all below them), `.example.com`, addresses, CIDR ranges, each with a `:port` or not, or `*`", plain(&s.NoProxy, anything)},
		{"SSL_CERT_FILE", "", "PEM file of certificate authorities to trust for Slack, GitLab and Redis in addition to the system's; together with `SSL_CERT_DIR`, in place of the system's", plain(&s.SSLCertFile, certFile)},
		{"SSL_CERT_DIR", "", "directories of such files, with `:` between", plain(&s.SSLCertDir, certDir)},
	}
}
