package cmd_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox"
)

func TestAHangupHasTheSettingsReadAgain(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p := prepare(t, []string{"psycher", "run"}, "PSYCHER_LANG=", "LOG_FORMAT=json", "LOG_LEVEL=")
	put := func(dotenv string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(p.cmd.Dir, ".env"), []byte(dotenv), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("PSYCHER_LANG=en\nKEEP=720h\nLOG_LEVEL=warn")
	p.start(t)
	if err := p.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	put("PSYCHER_LANG=ja\nKEEP=1440h\nLOG_LEVEL=info")
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for speaks := "en"; speaks != "ja"; {
		ts := p.Slack.Say(sandbox.User, sandbox.Channel, sandbox.Bot+" stop")
		if err := p.Slack.Until(ctx, func() bool {
			for _, m := range p.Slack.Thread(sandbox.Channel, ts) {
				if speaks = "en"; strings.Contains(m.Text, "ありません") || strings.ContainsAny(m.Text, "。") {
					speaks = "ja"
				}
			}
			return len(p.Slack.Thread(sandbox.Channel, ts)) > 0
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.ends(t, 0, "the settings were read again", `"changed":["PSYCHER_LANG","LOG_LEVEL"]`)
	if out := p.out.String(); strings.Count(out, "KEEP changed: it takes effect at the next start") != 1 {
		t.Error("it does not say once that KEEP waits for the next start")
	}
}

// What AWS gave out stays in use while it gives nothing.
func TestTheSecretOfAWSIsReadAgain(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var secret atomic.Value
	var down atomic.Bool
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"SecretString": secret.Load()})
	}))
	defer aws.Close()
	admin := freeAddr(t)
	p := prepare(t, []string{"psycher", "run"}, "SLACK_BOT_TOKEN=", "GITLAB_TRIGGER_TOKENS=", "PSYCHER_SECRET=aws-sm://ap-northeast-1/psycher", "ADMIN_ADDR="+admin,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER="+aws.URL, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_MAX_ATTEMPTS=1", "LOG_LEVEL=info")
	values := map[string]string{}
	for _, setting := range p.Environ("en") {
		name, value, _ := strings.Cut(setting, "=")
		values[name] = value
	}
	text, err := json.Marshal(map[string]string{"slack-bot-token": values["SLACK_BOT_TOKEN"], "gitlab-trigger-tokens": values["GITLAB_TRIGGER_TOKENS"]})
	if err != nil {
		t.Fatal(err)
	}
	secret.Store(string(text))
	p.start(t)
	ready := readyz(ctx, t, admin)
	until(ctx, t, ready, `"ready":true`)
	down.Store(true)
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until(ctx, t, ready, `"ready":true`, "PSYCHER_SECRET: AWS answers")
	ts := p.Slack.Say(sandbox.User, sandbox.Channel, sandbox.Bot+" release app")
	if err := p.Slack.Until(ctx, func() bool {
		return slices.Equal(p.Slack.Reactions(sandbox.Channel, ts), []string{"white_check_mark"})
	}); err != nil {
		t.Error("it deploys nothing any more:", err)
	}
	down.Store(false)
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until(ctx, t, func() string {
		if now := ready(); !strings.Contains(now, "PSYCHER_SECRET") {
			return now
		}
		return ""
	}, `"ready":true`)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.ends(t, 0, "stopping")
}
