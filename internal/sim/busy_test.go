package sim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sim"
)

// oneTarget is the setting of one target that two channels deploy, by names of their
// own.
func oneTarget(more string) string {
	const each = `{%q: {"project_id": "group/app", "token": %q%s}}`
	return fmt.Sprintf(`GITLAB_TRIGGER_TOKENS={%q: {%q: `+each+`, %q: `+each+`}}`,
		sim.Team, sim.Channel, "app", sim.TriggerToken, more, sim.Two, "shop", sim.TriggerToken, more)
}

// underWay is a deployment of one target that goes on until its pipeline is ended.
func underWay(t *testing.T) (w *sim.World, first string) {
	w = sim.New(t, oneTarget(""))
	w.StartReady("a")
	first = w.Ask("release")
	w.WaitReactions(sim.Channel, first, "thumbsup")
	return w, first
}

func TestOneDeploymentAtATime(t *testing.T) {
	row(t, "who asks meanwhile is asked, and told what goes on; no leaves it at that", func(t *testing.T) {
		w, _ := underWay(t)
		ts, q := ask(w, sim.Channel, "release", deploy.MsgBusy)
		if text := shown(q); !strings.Contains(text, "<@"+sim.User+">") || !strings.Contains(text, "pipelines/1001") {
			t.Errorf("the question is %s", text)
		}
		press(w, second, sim.Channel, q, -1)
		w.WaitMessages(sim.Channel, ts, deploy.MsgDeclined)
		wantPipelines(w, 1)
		wantAcked(w)
	})
	row(t, "confirmed by a press, it runs beside the other", func(t *testing.T) {
		w, first := underWay(t)
		ts, q := ask(w, sim.Channel, "release", deploy.MsgBusy)
		press(w, second, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 2)
		for n, of := range []string{first, ts} {
			w.GitLab.Finish(w.GitLab.Pipelines()[n].ID, "success")
			waitLong(w, sim.Channel, of, "white_check_mark")
		}
		wantAcked(w)
	})
	row(t, "a press confirms the deployment that was shown, and none that has begun since", func(t *testing.T) {
		w, _ := underWay(t)
		ts, q := ask(w, sim.Channel, "release", deploy.MsgBusy)
		w.GitLab.Finish(1001, "success")
		time.Sleep(30 * time.Second)
		w.WaitReactions(sim.Channel, w.Ask("release"), "thumbsup")
		press(w, second, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgBusy)
		wantPipelines(w, 2)
		press(w, second, sim.Channel, w.Slack.Thread(sim.Channel, ts)[0], 0)
		wantPipelines(w, 3)
	})
	for _, end := range []string{"success", "failed", "canceled"} {
		row(t, "free after "+end+": what was asked starts by its press, what is asked for starts at once", func(t *testing.T) {
			w, _ := underWay(t)
			ts, q := ask(w, sim.Channel, "release", deploy.MsgBusy)
			w.GitLab.Finish(1001, end)
			time.Sleep(time.Minute)
			press(w, second, sim.Channel, q, 0)
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			w.GitLab.Finish(1002, end)
			time.Sleep(time.Minute)
			w.WaitReactions(sim.Channel, w.Ask("release"), "thumbsup")
			wantPipelines(w, 3)
		})
	}
	row(t, "a target of two channels is one", func(t *testing.T) {
		w, _ := underWay(t)
		_, q := ask(w, sim.Two, "release", deploy.MsgBusy)
		if text := shown(q); !strings.Contains(text, "pipelines/1001") || !strings.Contains(text, "shop") || strings.Contains(text, "`app`") {
			t.Errorf("the question is %s", text)
		}
		wantPipelines(w, 1)
	})
	for _, end := range []string{"success", "failed", "canceled", "refused"} {
		row(t, "two run side by side, and one ends: the other one still goes on; "+end, func(t *testing.T) {
			w, _ := underWay(t)
			_, q := ask(w, sim.Channel, "release", deploy.MsgBusy)
			if end == "refused" {
				w.GitLab.Answer(1, fault(t, "reference not found"))
			}
			press(w, second, sim.Channel, q, 0)
			time.Sleep(20 * time.Second)
			w.GitLab.Finish(1002, end)
			time.Sleep(time.Minute)
			before := len(w.GitLab.Pipelines())
			_, q = ask(w, sim.Channel, "release", deploy.MsgBusy)
			if text := shown(q); !strings.Contains(text, "pipelines/1001") {
				t.Errorf("the question is %s", text)
			}
			wantPipelines(w, before)
		})
	}
	row(t, "two at the same moment, taken in by two processes", func(t *testing.T) {
		for range 5 {
			w := sim.New(t, oneTarget(""))
			w.StartReady("a")
			w.StartReady("b")
			all := []string{w.Ask("release"), w.Ask("release")}
			time.Sleep(5 * time.Second) // nobody waits for a lease
			var said []deploy.MessageID
			for _, ts := range all {
				said = append(said, w.Messages(sim.Channel, ts)...)
			}
			slices.Sort(said)
			if !slices.Equal(said, []deploy.MessageID{deploy.MsgBusy, deploy.MsgStatusRunning}) {
				t.Errorf("they say %q", said)
			}
			wantPipelines(w, 1)
		}
	})
	row(t, "both are asked about what holds them back for other reasons: a press counts for one reason at a time", func(t *testing.T) {
		w, _ := underWay(t)
		ts, q := ask(w, sim.Channel, "release tomorrow", deploy.MsgUnclear)
		press(w, second, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgBusy)
		wantPipelines(w, 1)
	})
	row(t, "a retry by a press starts beside nothing", func(t *testing.T) {
		w, first := underWay(t)
		w.GitLab.Finish(1001, "failed")
		waitLong(w, sim.Channel, first, "x")
		status := statusOf(w, sim.Channel, first, 0)
		w.WaitReactions(sim.Two, w.Slack.Say(sim.User, sim.Two, sim.Bot+" release"), "thumbsup")
		pressOn(w, second, sim.Channel, status, "retry")
		wantPipelines(w, 2)
	})
	row(t, "a rollback is asked about too", func(t *testing.T) {
		w := sim.New(t, oneTarget(""))
		stages(w)
		w.StartReady("a")
		deployedTimes(w, 2)
		w.Pipeline = nil
		w.WaitReactions(sim.Channel, w.Ask("release"), "thumbsup")
		ts := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" ロールバック")
		w.WaitMessages(sim.Channel, ts, deploy.MsgRollback)
		press(w, second, sim.Channel, w.Slack.Thread(sim.Channel, ts)[0], 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgBusy)
		wantPipelines(w, 3)
		if n := reruns(w, 0) + reruns(w, 1); n != 0 {
			t.Errorf("%d jobs ran again", n)
		}
		press(w, second, sim.Channel, w.Slack.Thread(sim.Channel, ts)[0], 0)
		w.Eventually("the rollback", time.Minute, func() bool { return reruns(w, 0)+reruns(w, 1) == 1 })
	})
	row(t, `"parallel" lets them run side by side`, func(t *testing.T) {
		w := sim.New(t, oneTarget(`, "parallel": true`))
		w.StartReady("a")
		for range 3 {
			w.WaitReactions(sim.Channel, w.Ask("release"), "thumbsup")
		}
		wantPipelines(w, 3)
	})
	row(t, `what runs is known once "parallel" is switched off`, func(t *testing.T) {
		w := sim.New(t, oneTarget(`, "parallel": true`))
		p := w.StartReady("a")
		w.WaitReactions(sim.Channel, w.Ask("release"), "thumbsup")
		p.Reload(oneTarget(""))
		ask(w, sim.Channel, "release", deploy.MsgBusy)
		wantPipelines(w, 1)
	})
}

func TestTwoThatWait(t *testing.T) {
	row(t, `"parallel" is switched off: they run one after the other, and none is lost`, func(t *testing.T) {
		w := sim.New(t, oneTarget(`, "parallel": true`))
		p := w.StartReady("a")
		w.GitLab.Answer(-1, fakegitlab.Fault{Status: 429, Body: "Retry later\n", Header: map[string]string{"Retry-After": "30"}})
		all := []string{w.Ask("release"), w.Ask("release")}
		for _, ts := range all {
			w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
		}
		p.Reload(oneTarget(""))
		_, q := ask(w, sim.Channel, "release", deploy.MsgBusyWaiting)
		press(w, second, sim.Channel, q, -1)
		w.GitLab.ForgetFaults()
		for n := range 2 {
			time.Sleep(2 * time.Minute)
			wantPipelines(w, n+1)
			w.GitLab.Finish(int64(1001+n), "success")
		}
		for _, ts := range all {
			w.WaitReactions(sim.Channel, ts, "white_check_mark")
		}
	})
}

func TestOneAtATimeWhileItWaits(t *testing.T) {
	waits := func(t *testing.T) (w *sim.World, first, ts string, p *sim.Process) {
		w = sim.New(t, oneTarget(""))
		p = w.StartReady("a")
		w.GitLab.Answer(-1, fakegitlab.Fault{Status: 429, Body: "Retry later\n", Header: map[string]string{"Retry-After": "30"}})
		first = w.Ask("release")
		w.WaitReactions(sim.Channel, first, "hourglass_flowing_sand")
		ts, _ = ask(w, sim.Channel, "release", deploy.MsgBusyWaiting)
		return w, first, ts, p
	}
	row(t, "what waits holds its target, and goes on", func(t *testing.T) {
		w, first, _, _ := waits(t)
		w.GitLab.ForgetFaults()
		w.WaitReactions(sim.Channel, first, "thumbsup")
		wantPipelines(w, 1)
	})
	for _, dies := range []bool{false, true} {
		row(t, fmt.Sprintf("what is deployed all the same takes its place, for good; the process dies: %t", dies), func(t *testing.T) {
			w, first, ts, p := waits(t)
			if dies {
				p.Arm(&sim.Fault{At: sim.Op{Kind: "gitlab:trigger", N: 1}, Kind: sim.DieAfter})
				w.StartReady("b")
			}
			w.GitLab.ForgetFaults()
			press(w, second, sim.Channel, w.Slack.Thread(sim.Channel, ts)[0], 0)
			w.WaitMessages(sim.Channel, first, deploy.MsgStatusAnswered, deploy.MsgWithdrawn)
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			wantPipelines(w, 1)
			w.GitLab.Finish(1001, "success")
			time.Sleep(10 * time.Minute)
			wantPipelines(w, 1)
		})
	}
}

func TestAPlaceThatCannotBeTaken(t *testing.T) {
	row(t, "what waits is withdrawn before anything is sent in its place", func(t *testing.T) {
		w := sim.New(t, oneTarget(""))
		w.StartReady("a")
		w.GitLab.Answer(-1, fakegitlab.Fault{Status: 429, Body: "Retry later\n", Header: map[string]string{"Retry-After": "100"}})
		first := w.Ask("release")
		w.WaitReactions(sim.Channel, first, "hourglass_flowing_sand")
		ts, q := ask(w, sim.Channel, "release", deploy.MsgBusyWaiting)
		heal := w.RedisRefusesAbout("redis:save", `"state":"answered"`)
		press(w, second, sim.Channel, q, 0)
		time.Sleep(4 * time.Second)
		wantPosts(t, w, ts, 0)
		w.GitLab.ForgetFaults()
		heal()
		w.WaitMessages(sim.Channel, first, deploy.MsgStatusAnswered, deploy.MsgWithdrawn)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 1)
	})
	row(t, "what waits does not start beside one of a newer version", func(t *testing.T) {
		w := sim.New(t, oneTarget(""))
		w.StartReady("a")
		w.GitLab.Answer(1, fakegitlab.Fault{Status: 429, Body: "Retry later\n", Header: map[string]string{"Retry-After": "30"}})
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
		ts, q := ask(w, sim.Channel, "release", deploy.MsgBusy)
		wantPipelines(w, 1)
		press(w, second, sim.Channel, q, 0)
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
		w.WaitMessages(sim.Channel, ts, deploy.MsgBusy)
		wantPipelines(w, 1)
	})
}
