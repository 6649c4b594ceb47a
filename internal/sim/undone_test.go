package sim_test

import (
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sim"
)

// rolledBack is a world in which the newest commit of a target was rolled back.
func rolledBack(t *testing.T) (w *sim.World, p *sim.Process) {
	w = sim.New(t, oneTarget(""))
	p = w.StartReady("a")
	stages(w)
	deployedTimes(w, 2)
	back(w, "white_check_mark")
	return w, p
}

// Whoever presses a button that deploys what was rolled back reads that it was, however
// often that was confirmed before.
func TestWhatWasRolledBackIsNamedByEachQuestion(t *testing.T) {
	const undone = "取り消した"
	row(t, "to those who approve", func(t *testing.T) {
		w, p := rolledBack(t)
		p.Reload(oneTarget(`, "approvals": 1` + threeApprovers))
		ts, q := ask(w, sim.Channel, "release", deploy.MsgTakenBack)
		press(w, sim.User, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgApprovals)
		wantNamed(w, ts, undone)
		press(w, second, sim.Channel, questionOf(w, ts), 0)
		wantPipelines(w, 3)
	})
	row(t, "with a lock that came up meanwhile", func(t *testing.T) {
		w, _ := rolledBack(t)
		ts, q := ask(w, sim.Channel, "release", deploy.MsgTakenBack)
		w.WaitMessages(sim.Channel, w.Slack.Say(third, sim.Channel, sim.Bot+" lock app 1h: 障害対応"), deploy.MsgStatusLocked)
		press(w, sim.User, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgLocked)
		wantNamed(w, ts, undone, "障害対応")
		press(w, second, sim.Channel, questionOf(w, ts), 0)
		wantPipelines(w, 3)
	})
	row(t, "when it is its turn", func(t *testing.T) {
		w := sim.New(t, oneTarget(""))
		w.StartReady("a")
		stages(w)
		deployedTimes(w, 2)
		w.WaitMessages(sim.Channel, w.Slack.Say(third, sim.Channel, sim.Bot+" lock app 1h: 障害対応"), deploy.MsgStatusLocked)
		rollback, q := ask(w, sim.Channel, "ロールバック", deploy.MsgRollback)
		press(w, second, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, rollback, "thumbsup")
		ts := release(w, sim.Channel)
		w.WaitMessages(sim.Channel, ts, deploy.MsgLocked)
		wantNamed(w, ts, undone, "障害対応")
		press(w, second, sim.Channel, questionOf(w, ts), 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusQueued)
		waitLong(w, sim.Channel, rollback, "white_check_mark")
		w.WaitMessages(sim.Channel, ts, deploy.MsgTurn)
		wantNamed(w, ts, undone, "障害対応")
		press(w, third, sim.Channel, questionOf(w, ts), 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 3)
	})
}

// What waits for its turn is judged again when that comes.
func TestWhatWasRolledBackIsNotQueuedUnasked(t *testing.T) {
	row(t, "it is asked about, although another one goes on", func(t *testing.T) {
		w, rollsBack := withASlowOne(t)
		rollsBack()
		ts := release(w, sim.Channel)
		w.WaitMessages(sim.Channel, ts, deploy.MsgTakenBack)
		w.GitLab.Finish(1003, "success")
		time.Sleep(2 * time.Minute)
		wantPipelines(w, 3)
		press(w, second, sim.Channel, questionOf(w, ts), 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 4)
	})
	row(t, "it is asked about when its turn comes, if GitLab does not tell then whether it is what was rolled back", func(t *testing.T) {
		w, rollsBack := withASlowOne(t)
		w.GitLab.Push(sim.Project, "master", "Change it once more", "sato")
		ts := release(w, sim.Channel)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusQueued)
		rollsBack()
		w.GitLab.FailLookUps(-1, "/repository/commits", fakegitlab.Fault{Status: 502, Body: "<html></html>"})
		w.GitLab.Finish(1003, "success")
		w.WaitMessages(sim.Channel, ts, deploy.MsgTurn)
		wantPipelines(w, 3)
		press(w, second, sim.Channel, questionOf(w, ts), 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 4)
	})
	row(t, "it deploys in its turn if it is another one", func(t *testing.T) {
		w, rollsBack := withASlowOne(t)
		w.GitLab.Push(sim.Project, "master", "Change it once more", "sato")
		ts := release(w, sim.Channel)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusQueued)
		rollsBack()
		w.GitLab.Finish(1003, "success")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 4)
	})
}

// withASlowOne is a world in which a deploy of the newest commit goes on for long, and
// how somebody rolls it back meanwhile.
func withASlowOne(t *testing.T) (w *sim.World, rollsBack func()) {
	w = sim.New(t, oneTarget(""))
	w.StartReady("a")
	stages(w)
	deployedTimes(w, 2)
	w.Pipeline = nil
	w.WaitReactions(sim.Channel, w.Ask("release"), "thumbsup")
	return w, func() {
		ts, q := ask(w, sim.Channel, "ロールバック", deploy.MsgRollback)
		press(w, second, sim.Channel, q, 0)
		w.Eventually("the end of the rollback", 10*time.Minute, func() bool {
			said := w.Messages(sim.Channel, ts)
			return len(said) == 2 && said[1] == deploy.MsgRolledBack
		})
	}
}
