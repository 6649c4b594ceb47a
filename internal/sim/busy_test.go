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

// queued asks for a deployment while another one goes on, with a commit that that one
// has not.
func queued(w *sim.World, channel string, want deploy.MessageID) (ts string) {
	w.T.Helper()
	w.GitLab.Push("group/app", "master", "Change it", "yamada")
	ts = w.Slack.Say(second, channel, sim.Bot+" release")
	w.WaitMessages(channel, ts, want)
	w.WaitReactions(channel, ts, "hourglass_flowing_sand")
	return ts
}

func TestOneDeploymentAtATime(t *testing.T) {
	t.Parallel()
	row(t, "who asks meanwhile is next, is told what goes on, and starts by itself after a success", func(t *testing.T) {
		w, first := underWay(t)
		ts := queued(w, sim.Channel, deploy.MsgStatusQueued)
		if text := shown(statusOf(w, sim.Channel, ts, 0)); !strings.Contains(text, "<@"+sim.User+">") || !strings.Contains(text, "pipelines/1001") {
			t.Errorf("it is told %s", text)
		}
		w.GitLab.Finish(1001, "success")
		time.Sleep(20 * time.Second) // it is told, and need not look
		if got := w.Slack.Reactions(sim.Channel, ts); !slices.Equal(got, []string{"thumbsup"}) {
			t.Errorf("it shows %q", got)
		}
		wantPipelines(w, 2)
		w.GitLab.Finish(1002, "success")
		waitLong(w, sim.Channel, ts, "white_check_mark")
		w.WaitReactions(sim.Channel, first, "white_check_mark")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
	})
	for _, end := range []string{"failed", "canceled"} {
		row(t, "after "+end+" it is asked, once, and starts by a press", func(t *testing.T) {
			w, _ := underWay(t)
			ts, along := queued(w, sim.Channel, deploy.MsgStatusQueued), queued(w, sim.Channel, deploy.MsgStatusRiding)
			w.GitLab.Finish(1001, end)
			w.Eventually("the question", 2*time.Minute, func() bool { return slices.Equal(w.Messages(sim.Channel, ts), []deploy.MessageID{deploy.MsgTurn}) })
			time.Sleep(3 * time.Minute)
			w.WaitMessages(sim.Channel, along, deploy.MsgStatusRiding)
			wantPipelines(w, 1)
			press(w, second, sim.Channel, statusOf(w, sim.Channel, ts, 0), 0)
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			w.GitLab.Finish(1002, "success")
			waitLong(w, sim.Channel, along, "white_check_mark")
			w.WaitMessages(sim.Channel, along, deploy.MsgStatusRiding, deploy.MsgRode)
			wantPipelines(w, 2)
			wantAcked(w)
		})
	}
	row(t, "stop withdraws what is queued", func(t *testing.T) {
		w, _ := underWay(t)
		ts := queued(w, sim.Channel, deploy.MsgStatusQueued)
		w.Ask("stop")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusAnswered, deploy.MsgWithdrawn)
		w.GitLab.Finish(1001, "success")
		time.Sleep(2 * time.Minute)
		wantPipelines(w, 1)
	})
	row(t, "stop withdraws all that is queued, however many", func(t *testing.T) {
		w, _ := underWay(t)
		w.Redis.ClockTTL(false)
		w.GitLab.Push("group/app", "master", "Change it", "yamada")
		n := few(110)
		for range n {
			w.Ask("release")
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		ts := w.Ask("stop")
		w.Eventually("the answer", 10*time.Minute, func() bool { return len(w.Messages(sim.Channel, ts)) > 0 })
		if text := shown(statusOf(w, sim.Channel, ts, 0)); !strings.Contains(text, fmt.Sprintf("%d 件", n)) {
			t.Errorf("it says %s", text)
		}
		w.GitLab.Finish(1001, "success")
		time.Sleep(2 * time.Minute)
		wantPipelines(w, 1)
	})
	row(t, "what takes far too long is left behind by a press, and told to stop", func(t *testing.T) {
		w, first := underWay(t)
		ts := queued(w, sim.Channel, deploy.MsgStatusQueued)
		if action, _ := button(statusOf(w, sim.Channel, ts, 0), "deploy"); action != "" {
			t.Error("it can be left behind at once")
		}
		time.Sleep(12 * time.Minute)
		pressOn(w, second, sim.Channel, statusOf(w, sim.Channel, ts, 0), "deploy")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 2)
		if said := w.Messages(sim.Channel, first); !slices.Contains(said, deploy.MsgSetAside) {
			t.Errorf("who was left behind is told %q", said)
		}
		if w.Report(w.GitLab.Pipelines()[0], "start") {
			t.Error("what was left behind may deploy")
		}
		if !w.Report(w.GitLab.Pipelines()[1], "start") {
			t.Error("what goes first may not deploy")
		}
		for n, of := range []string{first, ts} {
			w.GitLab.Finish(w.GitLab.Pipelines()[n].ID, "success")
			waitLong(w, sim.Channel, of, "white_check_mark")
		}
		wantAcked(w)
	})
	row(t, "queued for over half an hour, it is asked", func(t *testing.T) {
		w, _ := underWay(t)
		ts := queued(w, sim.Channel, deploy.MsgStatusQueued)
		time.Sleep(31 * time.Minute)
		w.GitLab.Finish(1001, "success")
		w.Eventually("the question", 2*time.Minute, func() bool { return slices.Equal(w.Messages(sim.Channel, ts), []deploy.MessageID{deploy.MsgTurn}) })
		wantPipelines(w, 1)
	})
	row(t, "what goes on is forgotten: who is queued is asked", func(t *testing.T) {
		w, first := underWay(t)
		ts := queued(w, sim.Channel, deploy.MsgStatusQueued)
		w.Redis.Del("{psycher}:record:" + sim.Team + ":" + sim.Channel + ":" + first)
		w.Eventually("the question", 2*time.Minute, func() bool { return slices.Equal(w.Messages(sim.Channel, ts), []deploy.MessageID{deploy.MsgTurn}) })
		wantPipelines(w, 1)
	})
	for what, settings := range map[string]string{
		"its person may no longer deploy": oneTarget(`, "allow": ["U0BOSS"]`),
		"its target has left the map":     strings.Replace(oneTarget(""), `"app"`, `"web"`, 1),
		"its target is another project":   strings.Replace(oneTarget(""), "group/app", "group/web", 1),
	} {
		row(t, "while it is queued, "+what, func(t *testing.T) {
			w := sim.New(t, oneTarget(""))
			p := w.StartReady("a")
			w.WaitReactions(sim.Channel, w.Ask("release"), "thumbsup")
			ts := queued(w, sim.Channel, deploy.MsgStatusQueued)
			p.Reload(settings)
			w.GitLab.Finish(1001, "success")
			w.Eventually("it to be refused", 2*time.Minute, func() bool {
				got := w.Slack.Reactions(sim.Channel, ts)
				return slices.Equal(got, []string{"no_entry"}) || slices.Equal(got, []string{"x"})
			})
			wantPipelines(w, 1)
		})
	}
	row(t, "a target of two channels is one", func(t *testing.T) {
		w, _ := underWay(t)
		ts := queued(w, sim.Two, deploy.MsgStatusQueued)
		if text := shown(statusOf(w, sim.Two, ts, 0)); !strings.Contains(text, "pipelines/1001") || !strings.Contains(text, "shop") || strings.Contains(text, "`app`") {
			t.Errorf("it is told %s", text)
		}
		wantPipelines(w, 1)
	})
	row(t, "status names what is queued", func(t *testing.T) {
		w, _ := underWay(t)
		queued(w, sim.Channel, deploy.MsgStatusQueued)
		ts := w.Ask("status")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatus)
		if text := shown(w.Slack.Thread(sim.Channel, ts)[0]); !strings.Contains(text, "<@"+second+">") || !strings.Contains(text, "pipelines/1001") {
			t.Errorf("it says %s", text)
		}
	})
	row(t, "status and stop name what runs before the many that are queued", func(t *testing.T) {
		w, _ := underWay(t)
		for range 15 {
			queuedAt := w.Slack.Say(second, sim.Channel, sim.Bot+" release")
			w.WaitMessages(sim.Channel, queuedAt, deploy.MsgStatusRiding)
		}
		time.Sleep(3 * time.Minute)
		for _, word := range []string{"status", "stop"} {
			ts := w.Ask(word)
			w.Eventually("an answer", 2*time.Minute, func() bool { return len(w.Messages(sim.Channel, ts)) > 0 })
			if text := shown(w.Slack.Thread(sim.Channel, ts)[0]); !strings.Contains(text, "pipelines/1001") {
				t.Errorf("%s says %s", word, text)
			}
		}
	})
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
			if !slices.Equal(said, []deploy.MessageID{deploy.MsgStatusQueued, deploy.MsgStatusRunning}) && !slices.Equal(said, []deploy.MessageID{deploy.MsgStatusRiding, deploy.MsgStatusRunning}) {
				t.Errorf("they say %q", said)
			}
			wantPipelines(w, 1)
		}
	})
	row(t, "a request in doubt is asked about first, and queued by its press", func(t *testing.T) {
		w, _ := underWay(t)
		w.GitLab.Push("group/app", "master", "Change it", "yamada")
		ts, q := ask(w, sim.Channel, "release tomorrow", deploy.MsgUnclear)
		press(w, second, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusQueued)
		wantPipelines(w, 1)
		w.GitLab.Finish(1001, "success")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
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
		wantNamed(w, ts, "pipelines/1003")
		wantPipelines(w, 3)
		if n := reruns(w, 0) + reruns(w, 1); n != 0 {
			t.Errorf("%d jobs ran again", n)
		}
		press(w, second, sim.Channel, w.Slack.Thread(sim.Channel, ts)[0], 0)
		w.Eventually("the rollback", time.Minute, func() bool { return reruns(w, 0)+reruns(w, 1) == 1 })
	})
	row(t, "whoever rolls back beside two deployments confirms both, and reads of both", func(t *testing.T) {
		w := sim.New(t, oneTarget(""))
		stages(w)
		p := w.StartReady("a")
		deployedTimes(w, 2)
		w.Pipeline = nil
		p.Reload(oneTarget(`, "parallel": true`))
		for range 2 {
			w.WaitReactions(sim.Channel, w.Ask("release"), "thumbsup")
		}
		p.Reload(oneTarget(""))
		ts := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" ロールバック")
		w.WaitMessages(sim.Channel, ts, deploy.MsgRollback)
		if text := statusOf(w, sim.Channel, ts, 0).Shown(); strings.Count(text, "pipelines/1003") != 1 || strings.Count(text, "pipelines/1004") != 1 {
			t.Errorf("the question is %s", text)
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
		queued(w, sim.Channel, deploy.MsgStatusQueued)
		wantPipelines(w, 1)
	})
}

// Who asks for one target costs those of others nothing, and everybody is told.
func TestManyAskersOfOneTarget(t *testing.T) {
	t.Parallel()
	row(t, "others deploy at once, and one pipeline is for all", func(t *testing.T) {
		n := few(100)
		w := sim.New(t, fmt.Sprintf(`GITLAB_TRIGGER_TOKENS={%q: {%q: {"app": {"project_id": "group/app", "token": %q}}, %q: {"api": {"project_id": "group/api", "token": %[3]q}}}}`,
			sim.Team, sim.Channel, sim.TriggerToken, sim.Two))
		w.Redis.ClockTTL(false) // the expiry check at each command grows with the records
		w.Slack.Queue(2 * n)
		w.StartReady("a")
		w.WaitReactions(sim.Channel, w.Ask("release"), "thumbsup")
		w.GitLab.Push("group/app", "master", "Change it", "yamada")
		var all []string
		for range n {
			all = append(all, w.Ask("release"))
		}
		time.Sleep(10 * time.Minute) // Slack takes a message a second, and 50 reactions a minute
		other := w.Slack.Say(second, sim.Two, sim.Bot+" release")
		time.Sleep(5 * time.Second)
		if made := w.GitLab.Pipelines(); len(made) != 2 || made[1].Variables["timestamp"] != other {
			t.Errorf("there are %d pipelines", len(made))
		}
		w.GitLab.Finish(1001, "success")
		time.Sleep(time.Minute)
		if made := w.GitLab.Pipelines(); len(made) != 3 {
			t.Fatalf("there are %d pipelines", len(made))
		}
		w.GitLab.Finish(1003, "success")
		w.Eventually("everybody to be told", 3*time.Hour, func() bool {
			told := 0
			for _, ts := range all {
				if said := w.Messages(sim.Channel, ts); slices.Contains(said, deploy.MsgRode) || slices.Contains(said, deploy.MsgSucceeded) {
					told++
				}
			}
			return told == n
		})
		wantPipelines(w, 3)
	})
}

func TestTwoThatWait(t *testing.T) {
	row(t, `"parallel" is switched off: they run one after the other, and none is lost`, func(t *testing.T) {
		w := sim.New(t, oneTarget(`, "parallel": true`))
		p := w.StartReady("a")
		w.GitLab.Answer(-1, limited)
		all := []string{w.Ask("release"), w.Ask("release")}
		for _, ts := range all {
			w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
		}
		p.Reload(oneTarget(""))
		along := queued(w, sim.Channel, deploy.MsgStatusQueued)
		w.GitLab.ForgetFaults()
		for n := range 2 {
			time.Sleep(2 * time.Minute)
			wantPipelines(w, n+1)
			w.GitLab.Finish(int64(1001+n), "success")
		}
		for _, ts := range append(all, along) {
			w.WaitReactions(sim.Channel, ts, "white_check_mark")
		}
		w.WaitMessages(sim.Channel, along, deploy.MsgStatusRiding, deploy.MsgRode)
	})
}

// limited is GitLab's rate limit.
var limited = fakegitlab.Fault{Status: 429, Body: "Retry later\n", Header: map[string]string{"Retry-After": "30"}}
