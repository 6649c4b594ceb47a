package sim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sim"
)

// failedOnce is a deployment that failed, the next ones succeed, and its status message.
func failedOnce(t *testing.T) (w *sim.World, p *sim.Process, ts string, status fakeslack.Message) {
	w = sim.New(t)
	w.Pipeline = func(p fakegitlab.Pipeline) { w.GitLab.Finish(p.ID, "failed") }
	p = w.StartReady("a")
	ts = deployed(w, sim.Channel, "release", "x")
	w.Pipeline = func(p fakegitlab.Pipeline) { w.GitLab.Finish(p.ID, "success") }
	return w, p, ts, statusOf(w, sim.Channel, ts, 0)
}

func TestAPressWhoseRecordCannotBeClaimed(t *testing.T) {
	row(t, "a retry is made once Redis takes its record", func(t *testing.T) {
		w, _, ts, status := failedOnce(t)
		heal := w.RedisRefuses("redis:claim")
		pressOn(w, second, sim.Channel, status, "retry")
		wantPipelines(w, 1)
		heal()
		wantPipelines(w, 2)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusFailed, deploy.MsgFailed, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
		wantAcked(w)
	})
	row(t, "a rollback too", func(t *testing.T) {
		w := sim.New(t)
		stages(w)
		w.StartReady("a")
		newest := deployedTimes(w, 2)[1]
		heal := w.RedisRefuses("redis:claim")
		pressOn(w, second, sim.Channel, statusOf(w, sim.Channel, newest, 0), "rollback")
		wantPipelines(w, 2)
		heal()
		w.Eventually("the rollback", time.Minute, func() bool { return reruns(w, 0) == 1 })
		wantAcked(w)
	})
}

func TestStopFindsAPressThatNobodyHasTakenUp(t *testing.T) {
	for _, inThread := range []bool{false, true} {
		row(t, fmt.Sprintf("its process died before its record was claimed; in its thread: %t", inThread), func(t *testing.T) {
			w, p, ts, status := failedOnce(t)
			p.Arm(&sim.Fault{At: sim.Op{Kind: "redis:claim", N: 1}, Kind: sim.DieBefore})
			pressOn(w, second, sim.Channel, status, "retry")
			w.StartReady("b")
			var opts []fakeslack.Option
			if inThread {
				opts = append(opts, fakeslack.InThread(ts))
			}
			w.Slack.Say(sim.User, sim.Channel, sim.Bot+" 止めて", opts...)
			wantPipelines(w, 1)
			if said := w.Messages(sim.Channel, ts); !slices.Contains(said, deploy.MsgWithdrawn) {
				t.Errorf("it says %q", said)
			}
		})
	}
}

func TestStopThatCannotClaimAPress(t *testing.T) {
	row(t, "it is answered once it could, and the press withdrawn", func(t *testing.T) {
		w, p, ts, status := failedOnce(t)
		p.Arm(&sim.Fault{At: sim.Op{Kind: "redis:claim", N: 1}, Kind: sim.DieBefore})
		pressOn(w, second, sim.Channel, status, "retry")
		w.StartReady("b")
		heal := w.RedisRefusesAbout("redis:claim", `"via":"press"`)
		w.Slack.Say(sim.User, sim.Channel, sim.Bot+" 止めて", fakeslack.InThread(ts))
		wantPipelines(w, 1)
		if said := w.Messages(sim.Channel, ts); len(said) > 2 {
			t.Errorf("it says %q", said)
		}
		heal()
		w.Eventually("the answer", time.Minute, func() bool { return slices.Contains(w.Messages(sim.Channel, ts), deploy.MsgStop) })
		// The press, which came first, may be taken up first too: then the stop's answer tells of it.
		thread := w.Slack.Thread(sim.Channel, ts)
		answer := thread[slices.IndexFunc(thread, func(m fakeslack.Message) bool { return w.ReadMessage(m.Text) == deploy.MsgStop })].Shown()
		if !strings.Contains(answer, "<@"+second+">") {
			w.Eventually("the press to be withdrawn", time.Minute, func() bool { return slices.Contains(w.Messages(sim.Channel, ts), deploy.MsgWithdrawn) })
			wantPipelines(w, 1)
		}
	})
}

// What was deployed last decides whether a press or a word may act. Where that cannot be
// read, nothing starts.
func TestThePastCannotBeRead(t *testing.T) {
	for _, kind := range []string{"redis:history", "redis:open"} {
		row(t, "Redis fails at "+kind+": who presses is told to press again, and that works, once", func(t *testing.T) {
			w, _, _, status := failedOnce(t)
			heal := w.RedisRefuses(kind)
			pressOn(w, second, sim.Channel, status, "retry")
			wantWhispers(w, sim.Channel, second, deploy.MsgPressLost)
			heal()
			wantPipelines(w, 1)
			pressOn(w, second, sim.Channel, status, "retry")
			wantPipelines(w, 2)
			wantAcked(w)
		})
	}
	row(t, "it is lost: a press starts nothing", func(t *testing.T) {
		w, _, _, status := failedOnce(t)
		for _, key := range w.Redis.Keys() {
			if strings.Contains(key, "}:history:") {
				w.Redis.Del(key)
			}
		}
		pressOn(w, second, sim.Channel, status, "retry")
		wantWhispers(w, sim.Channel, second, deploy.MsgPressLost)
		wantPipelines(w, 1)
		wantAcked(w)
	})
	row(t, "a release of what was rolled back is asked about, once it can be read", func(t *testing.T) {
		w := sim.New(t)
		stages(w)
		w.StartReady("a")
		deployedTimes(w, 2)
		back(w, "white_check_mark")
		heal := w.RedisRefuses("redis:history")
		ts := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release")
		wantPipelines(w, 2)
		heal()
		w.WaitMessages(sim.Channel, ts, deploy.MsgTakenBack)
		wantPipelines(w, 2)
	})
	for n := 1; n <= 3; n++ { // of the newest, the same as a whole script, of the successes
		row(t, fmt.Sprintf("a rollback by word is offered, although answer %d is lost", n), func(t *testing.T) {
			w := sim.New(t)
			stages(w)
			p := w.StartReady("a")
			deployedTimes(w, 2)
			p.Arm(&sim.Fault{At: sim.Op{Kind: "redis:history", N: n}, Kind: sim.LoseAnswer})
			ask(w, sim.Channel, "ロールバック", deploy.MsgRollback)
		})
	}
}
