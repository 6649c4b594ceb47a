package settings

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

const fakeMap = `{"T1": {"C1": {"app": {"project_id": 1, "token": "glptt-test"}}}}`

// environ is the least that loads, with changes; an empty value takes one away.
func environ(changes ...string) []string {
	vars := map[string]string{
		"SLACK_APP_TOKEN":       "xapp-test",
		"SLACK_BOT_TOKEN":       "xoxb-test",
		"GITLAB_TRIGGER_TOKENS": fakeMap,
		"NOTIFY_TOKEN":          "notify-test-0123456789",
	}
	maps.Copy(vars, split(changes))
	var lines []string
	for name, value := range vars {
		lines = append(lines, name+"="+value)
	}
	return lines
}

func write(t *testing.T, content string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// problemsOf loads settings that must not load.
func problemsOf(t *testing.T, environ []string, dotenv string) []string {
	t.Helper()
	_, _, err := Load(environ, dotenv)
	var wrong *Error
	if !errors.As(err, &wrong) {
		t.Fatalf("loaded, or another error: %v", err)
	}
	return wrong.Problems
}

func TestDefaultsHoldWhereNothingIsSet(t *testing.T) {
	s, warnings, err := Load(environ(), "")
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if s.SlackAppToken.Reveal() != "xapp-test" || s.SlackBotToken.Reveal() != "xoxb-test" ||
		s.NotifyToken.Reveal() != "notify-test-0123456789" || s.GitLabTriggerTokens.Reveal() != fakeMap {
		t.Error("a secret was not read as it is")
	}
	app, ok := s.Targets.Find("T1", "C1", "app")
	if !ok || app.Ref != "master" || app.Timeout != time.Hour || app.Token.Reveal() != "glptt-test" {
		t.Errorf("target %+v", app)
	}
	s.SlackAppToken, s.SlackBotToken, s.NotifyToken, s.GitLabTriggerTokens, s.Targets = "", "", "", "", nil
	want := Settings{
		SlackAPIURL: "https://slack.com/api", SlackConnections: 2,
		GitLabURL: "https://gitlab.com", GitLabRequestTimeout: time.Minute, GitLabRef: "master",
		RedisPrefix: "psycher", Keep: 365 * 24 * time.Hour, NotifyAddr: ":8080", MentionMaxAge: 2 * time.Minute, DeployTimeout: time.Hour,
		AdminAddr: "127.0.0.1:9090", Lang: "ja", LogLevel: zerolog.InfoLevel, LogFormat: "json",
	}
	if s != want {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
}

// settingRows has for each setting values that are taken and values that are
// not, each with what the problem says.
var settingRows = []struct {
	name string
	good []string
	bad  map[string]string
}{
	{"PSYCHER_SECRET", nil, map[string]string{
		"aws-sm://ap-northeast-1": "must be aws-sm://REGION/NAME", "aws-sm:///psycher": "must be aws-sm://REGION/NAME", "aws-sm://ap-northeast-1/": "must be aws-sm://REGION/NAME",
		"aws-sm://psycher": "must be aws-sm://REGION/NAME", "vault://a/b": "must be aws-sm://REGION/NAME", "aws-sm://AP/a b": "must be aws-sm://REGION/NAME",
	}},
	{"SLACK_APP_TOKEN", []string{"xapp-1-A01-2-0a"}, map[string]string{
		"":            "is required and not set: the app-level token, xapp-...",
		"xoxb-test":   "this is a Slack bot token (xoxb-), which belongs in SLACK_BOT_TOKEN; the app-level token begins with xapp-",
		"xoxp-test":   "this is a Slack user token",
		"test":        "is not a valid token: the app-level token begins with xapp-",
		"xapp-":       "is not a valid token",
		"xapp-a b":    "has a space",
		"xapp-...":    "is the placeholder of the documents",
		`"xapp-test"`: "is wrapped in quotes",
	}},
	{"SLACK_BOT_TOKEN", []string{"xoxb-1-2-a"}, map[string]string{
		"":           "is required and not set: the bot token, xoxb-...",
		"xapp-test":  "this is a Slack app-level token (xapp-), which belongs in SLACK_APP_TOKEN; the bot token begins with xoxb-",
		"xoxp-test":  "this is a Slack user token",
		"xoxe.xoxb-": "this is a Slack refresh or configuration token",
		"https://hooks.slack.com/services/T1/B1/test": "this is the URL of a Slack webhook",
		" xoxb-test":   "is not a valid token",
		"xoxb-test\n":  "has a space",
		"xoxb-...":     "is the placeholder of the documents",
		"glptt-test":   "this is a GitLab trigger token",
		"'xoxb-test'":  "is wrapped in quotes",
		"xoxb-testあ":   "has a space or another character",
		"XOXB-test":    "is not a valid token",
		"Bearer xoxb-": "is not a valid token",
	}},
	{"SLACK_API_URL", []string{"http://127.0.0.1:9999/api", "https://slack.example.com/api/"}, map[string]string{
		"slack.com/api":                "must be a URL that begins with https://",
		"wss://slack.com":              "must be a URL that begins with https://",
		"https://":                     "must be a URL that begins with https://",
		"https://slack.com:port/":      "must be a URL that begins with https://",
		"https://slack.com:99999/":     "must be a URL that begins with https://",
		"https://user:pw@slack.com/":   "must be a URL without user",
		"https://slack.com/api?":       "must be a URL without user, password, query",
		"https://slack.com/api?x=1":    "must be a URL without user, password, query",
		"https://slack.com/api#x":      "must be a URL without user, password, query",
		"https://slack.com/\x7f":       "must be a URL that begins with https://",
		"https://slack.com:443:443/ a": "must be a URL that begins with https://",
	}},
	{"SLACK_CONNECTIONS", []string{"1", "5"}, map[string]string{
		"0": "must be from 1 to 5", "6": "must be from 1 to 5", "-1": "must be from 1 to 5",
		"two": "must be a whole number", "1.5": "must be a whole number", "99999999999": "must be from 1 to 5",
	}},
	{"GITLAB_URL", []string{"http://gitlab.internal:8080", "https://example.com/gitlab/"}, map[string]string{
		"gitlab.example.com":           "must be a URL that begins with https://",
		"ssh://git@gitlab.example.com": "must be a URL that begins with https://",
		"https://u@gitlab.example.com": "must be a URL without user",
		"https://u:12/34@gitlab.test":  "must be a URL without user",
		"https://gitlab.com/api/v4/":   "must be without /api/v4",
	}},
	{"TARGETS_FILE", nil, map[string]string{"targets.json": "is set beside GITLAB_TRIGGER_TOKENS: there is one target map"}},
	{"GITLAB_TRIGGER_TOKENS", []string{fakeMap, `"{\"T1\": {\"C1\": {\"app\": {\"project_id\": 1, \"token\": \"glptt-test\"}}}}"`}, map[string]string{
		"":                  "is required and not set: the target map",
		"{}":                "holds no target",
		"{":                 "is not JSON: look at line 1",
		"'" + fakeMap + "'": "is wrapped in quotes",
		`{"T1": {"C1": {"app": {"project_id": 1, "token": "glpat-test-test"}}}}`:             "T1.C1.app.token: is a GitLab access token (glpat-)",
		`{"T1": {"C1": {"app": {"project_id": 1, "token": "glptt-test", "confirm": true}}}}`: "T1.C1.app.confirm: needs GITLAB_API_TOKEN, a token with the scope api",
	}},
	{"GITLAB_API_TOKEN", []string{"glpat-test", "0123456789abcdefghij"}, map[string]string{
		"glptt-test":    "this is a GitLab trigger token",
		"xoxb-test":     "this is a Slack bot token",
		"glpat-a b":     "has a space",
		"glpat-example": "is the placeholder of the documents",
		`"glpat-test"`:  "is wrapped in quotes",
	}},
	{"GITLAB_REQUEST_TIMEOUT", []string{"1s", "10m", "1m30s"}, map[string]string{
		"0s": "must be from 1s to 10m", "999ms": "must be from 1s to 10m", "10m1s": "must be from 1s to 10m",
		"-60s": "must be from 1s to 10m", "60": "must be a duration with its unit", "soon": "must be a duration with its unit",
	}},
	{"GITLAB_REF", []string{"main", "release/2", "v1.0"}, map[string]string{
		" ": "must be the name of a branch or tag", "a b": "must be the name of a branch or tag", "a\n": "must be the name of a branch or tag",
	}},
	{"REDIS_URL", []string{
		"redis://localhost", "rediss://user:pw@redis.example.com:6380/1", "unix:///run/redis.sock",
		"redis://h:26379?master_name=main&addr=h2:26379", "redis://h:6379?addr=h2:6379", "redis://[::1]:6379",
	}, map[string]string{
		"localhost:6379":           "must begin with redis://",
		"http://localhost:6379":    "must begin with redis://",
		"redis://":                 "as in redis://user:p%2Fw@host:6379/0",
		"redis://:6379":            "as in redis://user:p%2Fw@host:6379/0",
		"redis://:p%zz@host":       "write special characters in a password as %XX",
		"redis://user:p#w@h:638":   "write special characters in a password as %XX",
		"redis://user:p/w@h:638":   "write special characters in a password as %XX",
		"redis://user:1?w@h:638":   "write special characters in a password as %XX",
		"redis://h?w=1":            "no parameters but go-redis's",
		"rediss://h?skip_verify=1": "must be without skip_verify",
	}},
	{"REDIS_PREFIX", []string{"psycher-2", "a.b_c"}, map[string]string{
		"{a}": "must be letters, digits", "a:b": "must be letters, digits", "a b": "must be letters, digits", "あ": "must be letters, digits",
	}},
	{"KEEP", []string{"720h", "87600h"}, map[string]string{"719h59m": "must be at least 720h", "0": "must be at least 720h", "365d": "must be a duration", "-720h": "must be at least 720h"}},
	{"NOTIFY_ADDR", []string{":0", "0.0.0.0:80", "[::1]:8080", "localhost:65535"}, map[string]string{
		"8080": "must be host:port", "localhost": "must be host:port", "localhost:": "must be host:port", ":http": "must be host:port",
		":65536": "must be host:port", "http://localhost:80": "must be host:port", "::1:80": "must be host:port", "a b:80": "must be host:port",
	}},
	{"NOTIFY_TOKEN", []string{"abcXYZ019._~-abc"}, map[string]string{
		"0123456789abcde":   "is shorter than 16 characters",
		"0123456789 abcdef": "or has others than letters",
		"0123456789&bcdef":  "or has others than letters",
		"あ0123456789abcdef": "or has others than letters",
		"source":            "is shorter than 16 characters",
	}},
	{"NOTIFY_URL", []string{"http://bot:8080/notify", "https://ci.example.com/psycher/notify", "http://[::1]:8080/notify"}, map[string]string{
		"bot:8080/notify": "must be a URL", "ftp://bot/notify": "must be a URL", "http:///notify": "must be a URL", "http://bot:99999/notify": "must be a URL",
		"http://bot:8080": "must end in /notify", "http://notify": "must end in /notify", "http://bot/notify/": "must end in /notify", "http://bot/notify?a=b": "without user, password, query",
		"http://me:pw@bot/notify": "without user, password", "http://bot/notify#x": "without user", "http://bot/$HOME/notify": "has a space or another character",
		"http://HOST:8080/notify": "still names HOST, a placeholder", "http://bot/a b/notify": "has a space or another character",
	}},
	{"MENTION_MAX_AGE", []string{"30s", "24h"}, map[string]string{"0s": "must be over zero", "-1m": "must be over zero", "2": "must be a duration"}},
	{"DEPLOY_TIMEOUT", []string{"30m"}, map[string]string{"0": "must be over zero", "-1h": "must be over zero", "1 hour": "must be a duration"}},
	{"ADMIN_ADDR", []string{":9090", "127.0.0.1:0"}, map[string]string{
		"9090": "must be host:port", ":x": "must be host:port", ":8080": "must differ from NOTIFY_ADDR",
	}},
	{"PSYCHER_LANG", []string{"ja", "en"}, map[string]string{"de": "must be one of ja, en", "EN": "must be one of ja, en"}},
	{"PSYCHER_ZONE", []string{"Asia/Tokyo", "UTC"}, map[string]string{"JST": "must be a time zone", "Local": "must be a time zone", "../x": "must be a time zone"}},
	{"LOG_LEVEL", []string{"trace", "debug", "info", "warn", "error", "fatal", "panic", "disabled"}, map[string]string{
		"verbose": "must be one of trace, debug", "1": "must be one of trace, debug", "99999": "must be one of trace, debug",
	}},
	{"LOG_FORMAT", []string{"json", "console"}, map[string]string{"text": "must be one of json, console"}},
	{"HTTPS_PROXY", []string{"http://proxy:3128", "proxy.example.com:3128", "socks5://u:p%40@proxy"}, map[string]string{
		"https://proxy:3128": "must begin with http:// or socks5://",
		"http://":            "must be a proxy's URL",
		"http://u:p%zz@h":    "must be a proxy's URL",
		"proxy:port":         "must be a proxy's URL",
		"http://u:12/34@h":   "must be a proxy's URL",
		"http://u:12?34@h":   "must be a proxy's URL",
		"http://u:12#34@h":   "must be a proxy's URL",
		"http://h/path":      "must be a proxy's URL",
	}},
	{"HTTP_PROXY", []string{"http://proxy:3128"}, map[string]string{"ftp://proxy": "must begin with http:// or socks5://"}},
	{"NO_PROXY", []string{"*", "a.example.com, .b.example.com,10.0.0.0/8"}, nil},
	{"SSL_CERT_FILE", nil, map[string]string{
		"testdata/there-is-none.pem": "the file cannot be read: no such file", "settings.go": "the file holds no certificate", ".": "the file cannot be read",
	}},
	{"SSL_CERT_DIR", []string{".", ".:.."}, map[string]string{
		"testdata/there-is-none": "one of its directories cannot be read: no such file", ".:settings.go": "one of its directories cannot be read: not a directory",
	}},
}

func settingNames() []string {
	var all []string
	for _, row := range Table() {
		all = append(all, row.Name)
	}
	return all
}

func TestEachSettingIsChecked(t *testing.T) {
	var tested []string
	for _, row := range settingRows {
		tested = append(tested, row.name)
		for _, value := range row.good {
			if _, warnings, err := Load(environ(row.name+"="+value), ""); err != nil || len(warnings) > 0 {
				t.Errorf("%s=%s: %v %q", row.name, value, err, warnings)
			}
		}
		for value, want := range row.bad {
			got := problemsOf(t, environ(row.name+"="+value), "")
			if !slices.ContainsFunc(got, func(p string) bool { return strings.HasPrefix(p, row.name+": ") && strings.Contains(p, want) }) {
				t.Errorf("%s=%s: got %q, want %q", row.name, value, got, want)
			}
			for _, p := range got {
				if !strings.HasPrefix(p, row.name+": ") || strings.Contains(p, "\n") {
					t.Errorf("%s=%s: stray problem %q", row.name, value, p)
				}
			}
		}
	}
	if diff := cmp.Diff(settingNames(), tested); diff != "" {
		t.Error("settings without a row:", diff)
	}
}

func TestURLsAreTakenWithAndWithoutASlashAtTheEnd(t *testing.T) {
	for _, slash := range []string{"", "/", "//"} {
		s, _, err := Load(environ("SLACK_API_URL=https://slack.com/api"+slash, "GITLAB_URL=https://example.com/gitlab"+slash), "")
		if err != nil || s.SlackAPIURL != "https://slack.com/api" || s.GitLabURL != "https://example.com/gitlab" {
			t.Errorf("%q: %s %s %v", slash, s.SlackAPIURL, s.GitLabURL, err)
		}
	}
}

func TestTargetsTakeTheirDefaultsFromTheSettings(t *testing.T) {
	s, _, err := Load(environ("GITLAB_REF=main", "DEPLOY_TIMEOUT=5m"), "")
	if err != nil {
		t.Fatal(err)
	}
	if app, _ := s.Targets.Find("T1", "C1", "app"); app.Ref != "main" || app.Timeout != 5*time.Minute {
		t.Errorf("target %+v", app)
	}
}

func TestTheTargetMapCanBeAFileThatHoldsNoSecret(t *testing.T) {
	dir := t.TempDir()
	file, token := dir+"/targets.json", write(t, "glptt-file\n")
	load := func(targets string, more ...string) ([]string, *Settings) {
		if err := os.WriteFile(file, []byte(targets), 0o600); err != nil {
			t.Fatal(err)
		}
		s, _, err := Load(environ(append(more, "GITLAB_TRIGGER_TOKENS=", "GITLAB_REF=main", "TARGETS_FILE="+file)...), write(t, "TOKEN_OF_WEB=glptt-dotenv\nTOKEN_OF_APP=glptt-dotenv"))
		if err != nil {
			return strings.Split(err.Error(), "\n"), &s
		}
		return nil, &s
	}
	wrong, s := load(`{"T1": {"C1": {"app": {"project_id": 1, "token_env": "TOKEN_OF_APP"}, "web": {"project_id": 2, "token_env": "TOKEN_OF_WEB"},
		"api": {"project_id": 3, "token_file": "`+token+`", "ref": "live"}}}}`, "TOKEN_OF_APP=glptt-env")
	if wrong != nil {
		t.Fatal(wrong)
	}
	var got []string
	for _, target := range s.Targets.In("T1", "C1") {
		got = append(got, target.Name+" "+target.Ref+" "+target.Token.Reveal())
	}
	if diff := cmp.Diff([]string{"api live glptt-file", "app main glptt-env", "web main glptt-dotenv"}, got); diff != "" {
		t.Error(diff)
	}

	for target, want := range map[string]string{
		`"token_env": "TOKEN_OF_MARKER"`: "TARGETS_FILE: T1.C1.app.token_env: the variable that it names is not set: set it in the environment or in .env",
		`"token_env": "NOTIFY_TOKEN"`:    "TARGETS_FILE: T1.C1.app.token_env: the variable that it names is a setting of psycher's own",
		`"token_file": "/no/marker"`:     "TARGETS_FILE: T1.C1.app.token_file: the file that it names cannot be read: no such file or directory",
		`"token": "glptt-marker"`:        "TARGETS_FILE: T1.C1.app.token: is a secret, which does not belong in this file",
	} {
		if wrong, _ := load(`{"T1": {"C1": {"app": {"project_id": 1, ` + target + `}}}}`); len(wrong) != 1 || !strings.HasPrefix(wrong[0], want) || strings.Contains(strings.ToLower(wrong[0]), "marker") {
			t.Errorf("%s: %q", target, wrong)
		}
	}
	if wrong, _ := load("\n"); !slices.Equal(wrong, []string{"TARGETS_FILE: the file that it names is empty"}) {
		t.Errorf("%q", wrong)
	}
	for _, both := range []string{"GITLAB_TRIGGER_TOKENS=" + fakeMap, "GITLAB_TRIGGER_TOKENS_FILE=" + write(t, fakeMap)} {
		if got := problemsOf(t, environ("GITLAB_TRIGGER_TOKENS=", "TARGETS_FILE="+file, both), ""); len(got) != 1 || !strings.HasPrefix(got[0], "TARGETS_FILE: is set beside") {
			t.Errorf("%q", got)
		}
	}
	want := "GITLAB_TRIGGER_TOKENS: is required and not set: the target map: JSON that says what can be deployed from which channel; or set TARGETS_FILE"
	if got := problemsOf(t, environ("GITLAB_TRIGGER_TOKENS="), ""); !slices.Equal(got, []string{want}) {
		t.Errorf("%q", got)
	}
	if got := problemsOf(t, environ("GITLAB_TRIGGER_TOKENS=", "TARGETS_FILE=/no/marker"), ""); !slices.Equal(got, []string{"TARGETS_FILE: the file that it names cannot be read: no such file or directory"}) {
		t.Errorf("%q", got)
	}
}

func TestAllThatIsWrongIsSaidAtOnceInTheOrderOfTheTable(t *testing.T) {
	got := problemsOf(t, []string{
		"LOG_FORMAT=xml", "SLACK_BOT_TOKEN=xapp-test", "NOTIFY_TOKEN=a b", "DEPLOY_TIMEOUT=never", "SLACK_CONNECTIONS=many",
		`GITLAB_TRIGGER_TOKENS={"T1": {"C1": {"app": {"project_id": 0}}}}`, "SSL_CERT_DIR=/there/is/none",
	}, "")
	var named []string
	for _, p := range got {
		name, _, _ := strings.Cut(p, ": ")
		named = append(named, name)
	}
	want := []string{
		"SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "SLACK_CONNECTIONS", "GITLAB_TRIGGER_TOKENS", "GITLAB_TRIGGER_TOKENS",
		"NOTIFY_TOKEN", "DEPLOY_TIMEOUT", "LOG_FORMAT", "SSL_CERT_DIR",
	}
	if diff := cmp.Diff(want, named); diff != "" {
		t.Error(diff)
	}
}

// A project then needs no secret of the bot's, and nobody can show a wrong one.
func TestAddressesThatCannotBeReadAreNotCompared(t *testing.T) {
	got := problemsOf(t, environ("NOTIFY_ADDR=here", "ADMIN_ADDR=there"), "")
	if len(got) != 2 {
		t.Errorf("want one problem for each address:\n%s", strings.Join(got, "\n"))
	}
}

func TestTheNotifyTokenNeedNotBeSet(t *testing.T) {
	s, warnings, err := Load(environ("NOTIFY_TOKEN="), "")
	if err != nil || len(warnings) > 0 || s.NotifyToken.Reveal() != "" {
		t.Error(err, warnings)
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	s, _, err := Load([]string{
		"SLACK_APP_TOKEN=xapp-marker", "SLACK_BOT_TOKEN=xoxb-marker", "NOTIFY_TOKEN=marker-marker-marker",
		`GITLAB_TRIGGER_TOKENS={"T1": {"C1": {"app": {"project_id": 1, "token": "glptt-marker"}}}}`,
		"GITLAB_API_TOKEN=glpat-marker", "REDIS_URL=redis://:marker@localhost", "HTTPS_PROXY=http://u:marker@proxy", "HTTP_PROXY=http://u:marker@proxy",
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	logger := zerolog.New(&log)
	logger.Info().Any("settings", s).Any("pointer", &s).Send()
	for _, shown := range []string{fmt.Sprintf("%v %+v %#v %v %+v %#v", s, s, s, &s, &s, &s), string(asJSON), log.String()} {
		if strings.Contains(shown, "marker") || !strings.Contains(shown, "[redacted]") {
			t.Error(shown)
		}
	}
}

func TestNoProblemShowsAValue(t *testing.T) {
	for _, name := range settingNames() {
		if name == "NO_PROXY" {
			continue // takes anything
		}
		for _, value := range []string{"marker marker\x01", "glptt-marker%zz://marker:marker", "xoxp-marker", "'marker"} {
			for _, form := range []string{name + "=" + value, name + "_FILE=" + value} {
				_, warnings, err := Load(environ(form), write(t, "X=1"))
				if shown := fmt.Sprint(err, warnings); strings.Contains(shown, "marker") {
					t.Errorf("%s: %s", form, shown)
				}
			}
		}
	}
	for _, dotenv := range []string{"SLACK_BOT_TOKEN=\"marker", "A=1\nmarker marker", "A=1\nmarker-x=marker", "marker"} {
		if got := fmt.Sprint(problemsOf(t, environ(), write(t, dotenv))); strings.Contains(got, "marker") {
			t.Errorf("%q: %s", dotenv, got)
		}
	}
}

// certificateFile holds the authority of a test server.
func certificateFile(t *testing.T) (path string) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	t.Cleanup(server.Close)
	return write(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
}

func TestCertificateFileIsTaken(t *testing.T) {
	path := certificateFile(t)
	s, warnings, err := Load(environ("SSL_CERT_FILE="+path), "")
	if err != nil || len(warnings) > 0 || s.SSLCertFile != path {
		t.Error(s.SSLCertFile, warnings, err)
	}
}

// A field that no row fills would never have a value.
func TestTableFillsEveryField(t *testing.T) {
	var all []string
	for _, row := range settingRows {
		if len(row.good) > 0 {
			all = append(all, row.name+"="+row.good[0])
		}
	}
	s, _, err := Load(environ(append(all, "SSL_CERT_FILE="+certificateFile(t))...), "")
	if err != nil {
		t.Fatal(err)
	}
	s.TargetsFile, s.PsycherSecret = "targets.json", "aws-sm://region/name" // in place of the tokens
	s.LogLevel = zerolog.ErrorLevel                                         // the lowest is zero
	for i, fields := 0, reflect.ValueOf(s); i < fields.NumField(); i++ {
		if fields.Field(i).IsZero() {
			t.Errorf("nothing sets %s", fields.Type().Field(i).Name)
		}
	}
	if fields, rows := reflect.TypeFor[Settings]().NumField(), len(Table()); fields != rows+1 { // and Targets
		t.Errorf("%d fields, %d rows", fields, rows)
	}
}

// Whatever a password is, no piece of it comes out of a start that ends for it.
func TestNoPieceOfAPasswordInAURLIsShown(t *testing.T) {
	const piece = "Xq7Zw9"
	for _, form := range []string{
		"REDIS_URL=redis://user:%s@redis.test:6379/0", "REDIS_URL=rediss://:%s@redis.test?addr=redis2.test:1",
		"REDIS_URL=redis://redis.test?master_name=main&password=%s", "GITLAB_URL=https://user:%s@gitlab.test",
		"SLACK_API_URL=https://user:%s@slack.test/api/", "HTTPS_PROXY=http://user:%s@proxy.test:3128", "HTTP_PROXY=socks5://user:%s@proxy.test",
	} {
		for _, sign := range []string{"/", "?", "#", "%", ":", "@", " ", "//", "12/", "12?", "12#", "%zz", "\\", "[", "あ"} {
			for _, password := range []string{piece + sign, sign + piece, piece + sign + piece} {
				set := fmt.Sprintf(form, password)
				s, warnings, err := Load(environ(set), "")
				said := fmt.Sprint(warnings, err)
				if err == nil { // it is understood as a password, and goes nowhere else
					said = fmt.Sprint(warnings, s.GitLabURL, s.SlackAPIURL)
					if proxy, err := url.Parse(s.HTTPSProxy.Reveal() + s.HTTPProxy.Reveal()); err == nil {
						said += proxy.Host + proxy.Path + proxy.RawQuery + proxy.Fragment
					}
				} else if wrong := (*Error)(nil); !errors.As(err, &wrong) {
					t.Errorf("%q: %T", set, err)
				}
				if strings.Contains(said, piece[:3]) || strings.Contains(said, piece[3:]) {
					t.Errorf("%q shows a piece: %s", set, said)
				}
			}
		}
	}
}
