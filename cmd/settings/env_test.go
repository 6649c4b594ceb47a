package settings

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEnvironmentWinsOverDotenv(t *testing.T) {
	dotenv := write(t, `
# a comment
GITLAB_REF=from-file
export REDIS_PREFIX="quoted" # with a comment
SLACK_APP_TOKEN=xapp-file
PSYCHER_LANG=
LOG_FORMAT=console
NOTIFY_TOKEN_FILE=/there/is/none
GITLAB_TRIGGER_TOKENS='{
  "T1": {"C9": {"app": {"project_id": 1, "token": "glptt-test"}}}
}'
`)
	s, _, err := Load(environ("GITLAB_REF=from-environment", "LOG_FORMAT=", "GITLAB_TRIGGER_TOKENS="), dotenv)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{s.GitLabRef, s.RedisPrefix, s.SlackAppToken.Reveal(), s.Lang, s.LogFormat}
	if diff := cmp.Diff([]string{"from-environment", "quoted", "xapp-test", "ja", "console"}, got); diff != "" {
		t.Error(diff)
	}
	if _, ok := s.Targets.Find("T1", "C9", "app"); !ok {
		t.Error("the map of several lines is not read")
	}
	if os.Getenv("REDIS_PREFIX") != "" {
		t.Error("the environment was changed")
	}
}

func TestDotenvNeedNotExist(t *testing.T) {
	if _, _, err := Load(environ(), t.TempDir()+"/.env"); err != nil {
		t.Error(err)
	}
}

func TestDotenvThatCannotBeReadIsTheOnlyProblem(t *testing.T) {
	for content, want := range map[string]string{
		"A=1\n\n# x\nB 2\nC=3":              "the .env file: line 4 cannot be read",
		"A=1\nGITLAB_TRIGGER_TOKENS={\n\"T": "the .env file: line 3 cannot be read",
		"A='1\n2\n3":                        "the .env file: line 1 cannot be read",
		"A=1\nalone":                        "the .env file: line 2 cannot be read",
	} {
		got := problemsOf(t, nil, write(t, content))
		if len(got) != 1 || !strings.HasPrefix(got[0], want) {
			t.Errorf("%q: %q", content, got)
		}
	}
	if got := problemsOf(t, nil, t.TempDir()); !strings.HasPrefix(got[0], "the .env file cannot be read") {
		t.Errorf("a directory: %q", got)
	}
}

func TestSecretCanBeAFile(t *testing.T) {
	s, warnings, err := Load(environ(
		"SLACK_BOT_TOKEN=", "SLACK_BOT_TOKEN_FILE="+write(t, "xoxb-file\r\n"),
		"GITLAB_TRIGGER_TOKENS=", "GITLAB_TRIGGER_TOKENS_FILE="+write(t, fakeMap+"\n"),
		"REDIS_URL_FILE="+write(t, "redis://localhost"),
	), write(t, "SLACK_BOT_TOKEN=xoxb-dotenv"))
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if s.SlackBotToken.Reveal() != "xoxb-file" || s.RedisURL.Reveal() != "redis://localhost" || s.Targets == nil {
		t.Error("a file was not read as it is")
	}
}

func TestEverySecretCanBeAFile(t *testing.T) {
	for _, f := range Table() {
		if !f.Secret {
			continue
		}
		got := problemsOf(t, environ(f.Name+"=", f.Name+"_FILE=/there/is/none"), "")
		want := f.Name + ": the file that " + f.Name + "_FILE names cannot be read: no such file or directory"
		if diff := cmp.Diff([]string{want}, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestSecretFileThatIsNoGoodIsAProblem(t *testing.T) {
	for _, row := range []struct {
		environ []string
		want    string
	}{
		{environ("SLACK_BOT_TOKEN_FILE=" + write(t, "xoxb-file")), "SLACK_BOT_TOKEN: is given twice: unset it or SLACK_BOT_TOKEN_FILE"},
		{environ("SLACK_BOT_TOKEN=", "SLACK_BOT_TOKEN_FILE="+write(t, "\n")), "SLACK_BOT_TOKEN: the file that SLACK_BOT_TOKEN_FILE names is empty"},
		{environ("SLACK_BOT_TOKEN=", "SLACK_BOT_TOKEN_FILE="+write(t, "xapp-file")), "SLACK_BOT_TOKEN: this is a Slack app-level token"},
	} {
		if got := problemsOf(t, row.environ, ""); len(got) != 1 || !strings.HasPrefix(got[0], row.want) {
			t.Errorf("got %q, want %q", got, row.want)
		}
	}
}

func TestNameThatIsNearlyOneOfOursIsWarnedOf(t *testing.T) {
	for name, want := range map[string]string{
		"GITLAB_API_TOKN":        "GITLAB_API_TOKN is not a setting: is GITLAB_API_TOKEN meant?",
		"PSYCHER_LANGUAGE":       "", // four letters away
		"PSYCHR_LANG":            "PSYCHR_LANG is not a setting: is PSYCHER_LANG meant?",
		"gitlab_ref":             "gitlab_ref is not a setting: is GITLAB_REF meant?",
		"LOGLEVEL":               "LOGLEVEL is not a setting: is LOG_LEVEL meant?",
		"REDIS_URL_FIL":          "REDIS_URL_FIL is not a setting: is REDIS_URL_FILE meant?",
		"GITLAB_URL_FILE":        "GITLAB_URL_FILE is not read: GITLAB_URL is no secret and is given as it is",
		"SLACK_BOT_TOKENS":       "", // SLACK_BOT_TOKEN is set: this is another program's
		"NOTIFY_URI":             "NOTIFY_URI is not a setting: is NOTIFY_URL meant?",
		"GITLAB_CI":              "",
		"GITLAB_USER_ID":         "",
		"GITLAB_FEATURES":        "",
		"SLACK_SIGNING_SECRET":   "",
		"REDIS_HOST":             "",
		"REDIS_PORT":             "",
		"FTP_PROXY":              "",
		"https_proxy":            "",
		"ALL_PROXY":              "",
		"SSL_CERT_PATH":          "",
		"PATH":                   "",
		"SLACK_CONNECTIONS":      "",
		"GITLAB_REQUEST_TIMEOTU": "GITLAB_REQUEST_TIMEOTU is not a setting: is GITLAB_REQUEST_TIMEOUT meant?",
	} {
		value := "3"
		if name == "https_proxy" {
			value = "proxy:3"
		}
		for _, fromFile := range []bool{false, true} {
			vars, dotenv := environ(name+"="+value), ""
			if fromFile {
				vars, dotenv = environ(), write(t, name+"="+value)
			}
			_, warnings, err := Load(vars, dotenv)
			if err != nil || strings.Join(warnings, "\n") != want {
				t.Errorf("%s: %q %v, want %q", name, warnings, err, want)
			}
		}
	}
}

func TestExampleNamesEverySettingAndLoads(t *testing.T) {
	content, err := os.ReadFile("../../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	example := string(content)
	for _, f := range Table() {
		line := regexp.MustCompile(`(?m)^(#?)` + f.Name + `=(.*)$`).FindStringSubmatch(example)
		switch {
		case line == nil:
			t.Errorf("%s is missing", f.Name)
		case f.Required() && (line[1] != "" || line[2] != ""):
			t.Errorf("%s is required and should stand there empty", f.Name)
		case !f.Required() && line[1] == "":
			t.Errorf("%s is not required and should stand behind a #", f.Name)
		case !f.Required() && f.Default != "" && line[2] != f.Default:
			t.Errorf("%s: the example says %q, the default is %q", f.Name, line[2], f.Default)
		}
	}

	if got := problemsOf(t, nil, "../../.env.example"); len(got) != 3 {
		t.Errorf("as it is, three settings are to be filled in; got %q", got)
	}
	filled := example
	for _, fake := range environ() {
		name, _, _ := strings.Cut(fake, "=")
		filled = strings.Replace(filled, "\n"+name+"=\n", "\n"+fake+"\n", 1)
	}
	// Without the certificates, the map in a file and the secret: those are the reader's.
	whole := regexp.MustCompile(`(?m)^#([A-Z]+(_[A-Z]+)*=)`).ReplaceAllString(filled, "$1")
	whole = regexp.MustCompile(`(?m)^(SSL_|TARGETS_FILE|PSYCHER_SECRET).*$`).ReplaceAllString(whole, "")
	whole = strings.Replace(whole, "glpat-example", "glpat-test", 1)
	for name, content := range map[string]string{"filled in": filled, "with all of it": whole} {
		if _, warnings, err := Load(nil, write(t, content)); err != nil || len(warnings) > 0 {
			t.Errorf("%s: %v %q", name, err, warnings)
		}
	}
}

// A file of another kind in place of .env, as a log, is refused at once.
func TestALongFileThatIsNotDotenvIsRefused(t *testing.T) {
	long := strings.Repeat("NAME=value\n", 20_000)
	for dotenv, line := range map[string]string{
		long + "not a line\n" + long:             "line 20001 ",
		strings.Repeat("{not a line}\n", 20_000): "line 1 ",
		long + "MAP='{\n\n\n}'\nnot a line\n":    "line 20005 ",
		long + "MAP='{\n" + long:                 "line 20001 ",
	} {
		if got := fmt.Sprint(problemsOf(t, environ(), write(t, dotenv))); !strings.Contains(got, line) {
			t.Error(got, "want", line)
		}
	}
}
