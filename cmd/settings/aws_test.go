package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// aws is a Secrets Manager on this machine, for the real SDK. answer gets the name
// that is asked for.
func aws(t *testing.T, answer func(w http.ResponseWriter, name string)) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			SecretID string `json:"SecretId"`
		}
		body, _ := io.ReadAll(r.Body)
		if json.Unmarshal(body, &asked) != nil || r.Header.Get("X-Amz-Target") != "secretsmanager.GetSecretValue" ||
			!strings.Contains(r.Header.Get("Authorization"), "Credential=AKIDTEST/") || !strings.Contains(r.Header.Get("Authorization"), "/ap-northeast-1/secretsmanager/") {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		answer(w, asked.SecretID)
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": server.URL, "AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": "marker-key", "AWS_SESSION_TOKEN": "",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PROFILE": "", "AWS_REGION": "",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "", "AWS_MAX_ATTEMPTS": "1",
		"HTTPS_PROXY": "", "HTTP_PROXY": "", "NO_PROXY": "", "SSL_CERT_FILE": "", "SSL_CERT_DIR": "", // what Export sets
	} {
		t.Setenv(name, value)
	}
}

// holds answers with the text of a secret.
func holds(text string) func(http.ResponseWriter, string) {
	return func(w http.ResponseWriter, name string) {
		_ = json.NewEncoder(w).Encode(map[string]string{"Name": name, "SecretString": text})
	}
}

// firstSystem is the secret of psycher's first version, to the letter of its form.
const firstSystem = `{"slack-bot-token":"xoxb-aws","gitlab-trigger-tokens":"{\"T1\":{\"C1\":{\"app\":{\"project_id\":\"1\",\"token\":\"glptt-marker\"}}}}"}`

// fromAWS loads with the least that the secret of the first version does not hold.
func fromAWS(changes ...string) (Settings, error) {
	all := append([]string{"SLACK_BOT_TOKEN=", "GITLAB_TRIGGER_TOKENS=", "NOTIFY_TOKEN=", "PSYCHER_SECRET=aws-sm://ap-northeast-1/psycher/first"}, changes...)
	s, _, err := (&Loader{Environ: func() []string { return environ(all...) }, within: 5 * time.Second}).Load()
	return s, err
}

func TestTheSecretOfTheFirstVersionIsTakenAsItIs(t *testing.T) {
	aws(t, func(w http.ResponseWriter, name string) {
		if name != "psycher/first" {
			t.Errorf("asked for %q", name)
		}
		holds(firstSystem)(w, name)
	})
	s, err := fromAWS()
	if err != nil {
		t.Fatal(err)
	}
	if app, known := s.Targets.Find("T1", "C1", "app"); s.SlackBotToken.Reveal() != "xoxb-aws" || !known || app.Token.Reveal() != "glptt-marker" {
		t.Errorf("%+v", s)
	}
}

func TestEverySecretCanBeInAWSAndTheEnvironmentWins(t *testing.T) {
	aws(t, holds(`{"slack-app-token": "xapp-aws", "slack-bot-token": "xoxb-aws", "gitlab-api-token": "glpat-aws", "notify-token": "aws-aws-aws-aws-aws", "redis-url": "redis://aws",
		"https-proxy": "http://marker", "something-else": "marker", "gitlab-trigger-tokens": "{\"T1\":{\"C1\":{\"app\":{\"project_id\":1,\"token\":\"glptt-aws\"}}}}"}`))
	s, err := fromAWS("SLACK_APP_TOKEN=", "SLACK_BOT_TOKEN=xoxb-env", "NOTIFY_TOKEN_FILE="+write(t, "file-file-file-file"))
	if err != nil {
		t.Fatal(err)
	}
	got := []string{s.SlackAppToken.Reveal(), s.SlackBotToken.Reveal(), s.GitLabAPIToken.Reveal(), s.NotifyToken.Reveal(), s.RedisURL.Reveal(), s.HTTPSProxy.Reveal()}
	if strings.Join(got, " ") != "xapp-aws xoxb-env glpat-aws file-file-file-file redis://aws " {
		t.Errorf("%q", got)
	}
	if _, err := fromAWS("TARGETS_FILE=" + write(t, fakeMap)); err == nil || !strings.HasPrefix(err.Error(), "TARGETS_FILE: is set beside GITLAB_TRIGGER_TOKENS") {
		t.Errorf("two maps: %v", err)
	}
}

func TestTheSecretIsReadAgain(t *testing.T) {
	ref, status := "glptt-one", http.StatusOK
	aws(t, func(w http.ResponseWriter, name string) {
		w.WriteHeader(status)
		holds(strings.Replace(firstSystem, "glptt-marker", ref, 1))(w, name)
	})
	l := Loader{Environ: func() []string {
		return environ("GITLAB_TRIGGER_TOKENS=", "PSYCHER_SECRET=aws-sm://ap-northeast-1/psycher")
	}}
	for _, want := range []string{"glptt-one", "glptt-two"} {
		ref = want
		s, _, err := l.Load()
		if err != nil {
			t.Fatal(err)
		}
		if app, _ := s.Targets.Find("T1", "C1", "app"); app.Token.Reveal() != want {
			t.Errorf("%q is not read", want)
		}
	}
	l.Local = true
	if _, _, err := l.Load(); err == nil || !strings.Contains(err.Error(), "GITLAB_TRIGGER_TOKENS: is required") {
		t.Errorf("it is read although it need not be: %v", err)
	}
}

func TestWhatIsWrongWithTheSecretIsSaidWithoutIt(t *testing.T) {
	code := func(status int, code string) func(http.ResponseWriter, string) {
		return func(w http.ResponseWriter, _ string) {
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"__type": %q, "message": "marker marker"}`, code)
		}
	}
	hanging := make(chan struct{})
	for name, row := range map[string]struct {
		answer func(http.ResponseWriter, string)
		env    []string
		want   string
		passes bool
	}{
		"no such secret":        {answer: code(400, "ResourceNotFoundException"), want: "there is no such secret in that region"},
		"no right":              {answer: code(400, "AccessDeniedException"), want: "AWS does not let this identity read the secret: allow secretsmanager:GetSecretValue"},
		"no right to the key":   {answer: code(400, "DecryptionFailure"), want: "AWS cannot decrypt the secret"},
		"deleted":               {answer: code(400, "InvalidRequestException"), want: "AWS does not give the secret out"},
		"old credentials":       {answer: code(400, "ExpiredTokenException"), want: "AWS does not accept the credentials: they are wrong or have expired"},
		"a clock too late":      {answer: code(403, "InvalidSignatureException"), want: "AWS does not accept the credentials"},
		"another failure":       {answer: code(500, "InternalServiceError"), want: "AWS answers InternalServiceError", passes: true},
		"a failure with a tale": {answer: code(400, "marker marker"), want: "AWS answers an error", passes: true},
		"not JSON":              {answer: holds("marker"), want: "the secret is not a JSON object of strings"},
		"not strings":           {answer: holds(`{"slack-bot-token": {"marker": 1}}`), want: "the secret is not a JSON object of strings"},
		"a list":                {answer: holds(`["marker"]`), want: "the secret is not a JSON object of strings"},
		"binary":                {answer: func(w http.ResponseWriter, _ string) { fmt.Fprint(w, `{"SecretBinary": "bWFya2Vy"}`) }, want: "the secret is binary"},
		"a login page":          {answer: func(w http.ResponseWriter, _ string) { fmt.Fprint(w, "<html>marker</html>") }, want: "AWS cannot be reached: something else answers", passes: true},
		"it hangs":              {answer: func(http.ResponseWriter, string) { <-hanging }, want: "AWS cannot be reached: no answer in time", passes: true},
		"nobody listens":        {env: []string{"AWS_ENDPOINT_URL_SECRETS_MANAGER=http://127.0.0.1:1"}, want: "AWS cannot be reached: connect: connection refused", passes: true},
		"no credentials":        {env: []string{"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY="}, want: "no AWS credentials were found", passes: true},
		"no file of settings":   {env: []string{"AWS_PROFILE=marker"}, want: "the AWS SDK cannot read its own settings"},
	} {
		t.Run(name, func(t *testing.T) {
			aws(t, row.answer)
			t.Cleanup(func() {
				if name == "it hangs" {
					close(hanging)
				}
			})
			for _, env := range row.env {
				name, value, _ := strings.Cut(env, "=")
				t.Setenv(name, value)
			}
			l := Loader{Environ: func() []string {
				return environ("SLACK_BOT_TOKEN=", "GITLAB_TRIGGER_TOKENS=", "PSYCHER_SECRET=aws-sm://ap-northeast-1/psycher")
			}}
			if name == "it hangs" {
				l.within = 200 * time.Millisecond
			}
			_, _, err := l.Load()
			if err == nil || !strings.HasPrefix(err.Error(), "PSYCHER_SECRET: "+row.want) || strings.Contains(err.Error(), "marker") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v", err)
			}
			if errors.As(err, new(*Error)) == row.passes {
				t.Errorf("taken for what passes: %v", !row.passes)
			}
		})
	}
}

func TestSettingsOfAWSCanBeInDotenv(t *testing.T) {
	aws(t, holds(firstSystem))
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	dotenv := write(t, "PSYCHER_SECRET=aws-sm://ap-northeast-1/psycher\nAWS_ACCESS_KEY_ID=AKIDTEST\nAWS_SECRET_ACCESS_KEY=marker-key\n")
	if _, _, err := Load(environ("SLACK_BOT_TOKEN=", "GITLAB_TRIGGER_TOKENS="), dotenv); err != nil {
		t.Error(err)
	}
}
