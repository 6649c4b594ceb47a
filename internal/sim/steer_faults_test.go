package sim_test

import (
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sim"
)

// deployedTimes deploys several commits of a channel's target, one after the other.
func deployedTimes(w *sim.World, n int) (threads []string) {
	w.T.Helper()
	for i := range n {
		if i > 0 {
			w.GitLab.Push(sim.Project, "master", "Change it", "yamada")
		}
		threads = append(threads, deployed(w, sim.Channel, "release", "white_check_mark"))
	}
	return threads
}

func TestTheJobOfARollback(t *testing.T) {
	running := func(t *testing.T) (w *sim.World, ts string) {
		w = sim.New(t)
		stages(w)
		w.StartReady("a")
		deployedTimes(w, 2)
		w.Rerun = func(p fakegitlab.Pipeline, j fakegitlab.Job) { w.GitLab.MoveJob(p.ID, j.ID, "running") }
		ts, q := ask(w, sim.Channel, "ロールバック", deploy.MsgRollback)
		press(w, second, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		return w, ts
	}
	row(t, "the secret that all projects share says nothing of it", func(t *testing.T) {
		w, ts := running(t)
		for _, result := range []string{"success", "failure", "start"} {
			if status, _ := w.Notify("a", result, sim.Channel, ts, "pipeline=99"); status == 200 {
				t.Errorf("%s is taken", result)
			}
		}
		time.Sleep(time.Minute)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
	})
	row(t, "asks whether it may deploy while it is being canceled: no", func(t *testing.T) {
		w, ts := running(t)
		w.GitLab.IgnoreCancels(true)
		w.Eventually("the button", time.Minute, func() bool {
			action, _ := button(statusOf(w, sim.Channel, ts, 0), "cancel")
			return action != ""
		})
		if !w.Report(w.GitLab.Pipelines()[0], "start") {
			t.Error("it may not deploy before that")
		}
		pressOn(w, second, sim.Channel, statusOf(w, sim.Channel, ts, 0), "cancel")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusCanceling)
		if w.Report(w.GitLab.Pipelines()[0], "start") {
			t.Error("it may deploy")
		}
	})
}
