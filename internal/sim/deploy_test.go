package sim_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sim"
)

// bubble runs a test in fake time.
func bubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

func TestMentionDeploysAndTheResultComesBack(t *testing.T) {
	bubble(t, "success", func(t *testing.T) {
		w := sim.New(t)
		p := w.StartReady("a")
		w.Pipeline = func(p fakegitlab.Pipeline) {
			time.Sleep(20 * time.Second)
			if status, body := w.Notify("a", "success", p.Variables["channel"], p.Variables["timestamp"]); status != 200 {
				t.Errorf("the notify port answered %d %s", status, body)
			}
		}
		ts := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
		if n := w.GitLab.PostsFor(sim.Channel, ts); n != 1 {
			t.Errorf("%d triggers, want 1", n)
		}
		w.Eventually("two messages", time.Minute, func() bool { return len(w.Texts(sim.Channel, ts)) == 2 })
		v := w.GitLab.Pipelines()[0]
		if v.Ref != "master" || v.Variables["RELEASE"] != "true" || v.Variables["channel"] != sim.Channel || v.Variables["timestamp"] != ts {
			t.Errorf("the pipeline got %s %v", v.Ref, v.Variables)
		}
		if texts := w.Texts(sim.Channel, ts); !strings.Contains(texts[0], "http://gitlab.test/group/app/-/pipelines/") {
			t.Errorf("the status message does not link the pipeline: %q", texts)
		}
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
}
