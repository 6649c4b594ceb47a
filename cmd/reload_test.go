package cmd_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
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
