package sim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/internal/sim"
)

// What is deployed from two channels has one past.
func TestStatusOfATargetInTwoChannels(t *testing.T) {
	row(t, "deployed from one channel, it is told in the other, by the name that it has there", func(t *testing.T) {
		w := sim.New(t, "PSYCHER_LANG=en", `GITLAB_TRIGGER_TOKENS={"T0TEAM": {
			"C0APP": {"app": {"project_id": "group/app", "token": "`+sim.TriggerToken+`"}},
			"C0TWO": {"shop": {"project_id": "group/app", "token": "`+sim.TriggerToken+`", "ref": "refs/heads/master"}, "web": {"project_id": "group/app", "token": "`+sim.TriggerToken+`", "ref": "other"}}}}`)
		reportEach(w, "success")
		w.StartReady("a")
		status := func() string {
			ts := w.Slack.Say(sim.User, sim.Two, sim.Bot+" status")
			time.Sleep(10 * time.Second)
			return strings.Join(w.Texts(sim.Two, ts), "\n")
		}
		if said := status(); strings.Contains(said, "pipelines/1001") {
			t.Errorf("before any deploy it says %q", said)
		}
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
		said := status()
		if !strings.Contains(said, "`shop` "+w.GitLab.Pipelines()[0].SHA[:7]+" succeeded") || !strings.Contains(said, "pipelines/1001") || !strings.Contains(said, "`web` nothing on record") || strings.Contains(said, "`app`") {
			t.Errorf("it says %q", said)
		}
	})
}
