package sim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sim"
)

func TestOneAtATimeWhileItWaits(t *testing.T) {
	row(t, "what waits holds its target, and has what is asked for meanwhile", func(t *testing.T) {
		w := sim.New(t, oneTarget(""))
		w.StartReady("a")
		w.GitLab.Answer(-1, limited)
		first := w.Ask("release")
		w.WaitReactions(sim.Channel, first, "hourglass_flowing_sand")
		ts := queued(w, sim.Channel, deploy.MsgStatusQueued)
		w.GitLab.ForgetFaults()
		w.WaitReactions(sim.Channel, first, "thumbsup")
		w.GitLab.Finish(1001, "success")
		waitLong(w, sim.Channel, ts, "white_check_mark")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRiding, deploy.MsgRode)
		wantPipelines(w, 1)
	})
	row(t, "what waits is given up: who asked meanwhile is asked", func(t *testing.T) {
		w := sim.New(t, oneTarget(""))
		w.StartReady("a")
		w.GitLab.Answer(-1, limited)
		first := w.Ask("release")
		w.WaitReactions(sim.Channel, first, "hourglass_flowing_sand")
		ts := queued(w, sim.Channel, deploy.MsgStatusQueued)
		waitLong(w, sim.Channel, first, "x")
		w.WaitMessages(sim.Channel, ts, deploy.MsgTurn)
		wantPipelines(w, 0)
	})
}

// waitsForGitLab is a deployment that waits, after two that have succeeded, and a
// rollback that is asked about.
func waitsForGitLab(t *testing.T) (w *sim.World, p *sim.Process, first, back string) {
	w = sim.New(t, oneTarget(""))
	stages(w)
	p = w.StartReady("a")
	deployedTimes(w, 2)
	w.GitLab.Answer(-1, limited)
	first = w.Ask("release")
	w.WaitReactions(sim.Channel, first, "hourglass_flowing_sand")
	back, _ = ask(w, sim.Channel, "ロールバック", deploy.MsgRollback)
	wantNamed(w, back, "<@"+sim.User+">")
	return w, p, first, back
}

func TestAPlaceThatCannotBeTaken(t *testing.T) {
	for _, dies := range []bool{false, true} {
		row(t, fmt.Sprintf("what is rolled back all the same takes the place of what waits, for good; the process dies: %t", dies), func(t *testing.T) {
			w, p, first, back := waitsForGitLab(t)
			if dies {
				p.Arm(&sim.Fault{At: sim.Op{Kind: "gitlab:retry", N: 1}, Kind: sim.DieAfter})
				w.StartReady("b")
			}
			w.GitLab.ForgetFaults()
			press(w, second, sim.Channel, w.Slack.Thread(sim.Channel, back)[0], 0)
			w.WaitMessages(sim.Channel, first, deploy.MsgStatusAnswered, deploy.MsgWithdrawn)
			w.Eventually("the rollback", 5*time.Minute, func() bool { return reruns(w, 0) == 1 })
			time.Sleep(10 * time.Minute)
			wantPipelines(w, 2)
		})
	}
	row(t, "what waits is withdrawn before anything is sent in its place", func(t *testing.T) {
		w, _, first, back := waitsForGitLab(t)
		heal := w.RedisRefusesAbout("redis:save", `"state":"answered"`)
		press(w, second, sim.Channel, w.Slack.Thread(sim.Channel, back)[0], 0)
		time.Sleep(4 * time.Second)
		if n := reruns(w, 0); n != 0 {
			t.Errorf("%d jobs ran again", n)
		}
		w.GitLab.ForgetFaults()
		heal()
		w.WaitMessages(sim.Channel, first, deploy.MsgStatusAnswered, deploy.MsgWithdrawn)
		w.Eventually("the rollback", 5*time.Minute, func() bool { return reruns(w, 0) == 1 })
		wantPipelines(w, 2)
	})
	row(t, "what waits does not start beside one of a newer version", func(t *testing.T) {
		w := sim.New(t, oneTarget(""))
		w.StartReady("a")
		w.GitLab.Answer(1, limited)
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
		name := sim.Team + ":" + sim.Channel + ":1.000001"
		_ = w.Redis.Set("{psycher}:record:"+name, `{"v":99}`)
		_, _ = w.Redis.ZAdd("{psycher}:active:"+sim.Team+":group/app:master:RELEASE", 1, name)
		time.Sleep(2 * time.Minute)
		wantPipelines(w, 0)
		w.Redis.Del("{psycher}:record:" + name)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 1)
	})
}

func TestWhatGoesOnCannotBeRead(t *testing.T) {
	row(t, "a record that is gone holds nobody back", func(t *testing.T) {
		w, first := underWay(t)
		w.Redis.Del("{psycher}:record:" + sim.Team + ":" + sim.Channel + ":" + first)
		w.WaitReactions(sim.Channel, w.Ask("release"), "thumbsup")
		wantPipelines(w, 2)
	})
	row(t, "beside one of a newer version, nothing starts unasked", func(t *testing.T) {
		w, first := underWay(t)
		name := "{psycher}:record:" + sim.Team + ":" + sim.Channel + ":" + first
		record, _ := w.Redis.Get(name)
		newer := strings.Replace(record, fmt.Sprintf(`"v":%d`, deploy.Layout), `"v":99`, 1)
		if newer == record || w.Redis.Set(name, newer) != nil {
			t.Fatal("the record is not changed")
		}
		ts := queued(w, sim.Channel, deploy.MsgStatusQueued)
		wantPipelines(w, 1)
		pressOn(w, second, sim.Channel, statusOf(w, sim.Channel, ts, 0), "deploy")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 2)
	})
	row(t, "nothing starts while Redis does not tell", func(t *testing.T) {
		w, _ := underWay(t)
		ts, q := ask(w, sim.Channel, "release tomorrow", deploy.MsgUnclear)
		heal := w.RedisRefuses("redis:active")
		press(w, second, sim.Channel, q, 0)
		wantPipelines(w, 1)
		heal()
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRiding)
		wantPipelines(w, 1)
	})
}
