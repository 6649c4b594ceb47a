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
	row(t, "who asks after that goes along with the next one, and hears how it ends", func(t *testing.T) {
		for _, end := range []string{"success", "failed"} {
			w, _ := underWay(t)
			ts := queued(w, sim.Channel, deploy.MsgStatusQueued)
			all := []string{queued(w, sim.Channel, deploy.MsgStatusRiding), queued(w, sim.Channel, deploy.MsgStatusRiding)}
			w.GitLab.Finish(1001, "success")
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			w.GitLab.Finish(1002, end)
			said, reaction := deploy.MsgRode, "white_check_mark"
			if end == "failed" {
				said, reaction = deploy.MsgRodeFailed, "x"
			}
			for _, along := range all {
				waitLong(w, sim.Channel, along, reaction)
				w.WaitMessages(sim.Channel, along, deploy.MsgStatusRiding, said)
				if text := shown(statusOf(w, sim.Channel, along, 1)); !strings.Contains(text, "pipelines/1002") {
					t.Errorf("it is told %s", text)
				}
			}
			wantPipelines(w, 2)
		}
	})
	for name, leave := range map[string]func(w *sim.World, ts string){
		"withdrawn by a press": func(w *sim.World, ts string) {
			pressOn(w, second, sim.Channel, statusOf(w, sim.Channel, ts, 0), "withdraw")
		},
		"edited":                          func(w *sim.World, ts string) { w.Slack.Edit(sim.Channel, ts, sim.Bot+" hello") },
		"edited, so that it names nobody": func(w *sim.World, ts string) { w.Slack.Edit(sim.Channel, ts, "hello") },
		"deleted":                         func(w *sim.World, ts string) { w.Slack.Delete(sim.Channel, ts) },
	} {
		row(t, "the next one is "+name+": who went along is next, and nothing is lost", func(t *testing.T) {
			w, _ := underWay(t)
			ts, along := queued(w, sim.Channel, deploy.MsgStatusQueued), queued(w, sim.Channel, deploy.MsgStatusRiding)
			leave(w, ts)
			time.Sleep(90 * time.Second)
			w.GitLab.Finish(1001, "success")
			w.WaitReactions(sim.Channel, along, "thumbsup")
			wantPipelines(w, 2)
			if got := w.Slack.Reactions(sim.Channel, ts); len(got) > 0 {
				t.Errorf("it shows %q", got)
			}
		})
	}
	row(t, "who goes along withdraws while it is noted how that ended: that counts, and is told once", func(t *testing.T) {
		w, _ := underWay(t)
		time.Sleep(20 * time.Second)
		ts := w.Slack.Say(second, sim.Two, sim.Bot+" release")
		w.WaitMessages(sim.Two, ts, deploy.MsgStatusRiding)
		heal := w.RedisRefusesAbout("redis:save", `"`+string(deploy.MsgRode)+`"`)
		w.GitLab.Finish(1001, "success")
		time.Sleep(time.Minute)
		pressOn(w, second, sim.Two, statusOf(w, sim.Two, ts, 0), "withdraw")
		heal()
		time.Sleep(5 * time.Minute)
		w.WaitMessages(sim.Two, ts, deploy.MsgStatusAnswered, deploy.MsgWithdrawn)
		if got := w.Slack.Reactions(sim.Two, ts); len(got) > 0 {
			t.Errorf("it shows %q", got)
		}
		wantAcked(w)
	})
	for _, op := range []string{"redis:active", "redis:queued", "redis:load"} {
		row(t, "when it is their turn, Redis fails at "+op+": they look again", func(t *testing.T) {
			w, _ := underWay(t)
			ts, along := queued(w, sim.Channel, deploy.MsgStatusQueued), queued(w, sim.Channel, deploy.MsgStatusRiding)
			heal := w.RedisRefuses(op)
			w.GitLab.Finish(1001, "success")
			time.Sleep(3 * time.Minute)
			wantPipelines(w, 1)
			heal()
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			w.WaitMessages(sim.Channel, along, deploy.MsgStatusRiding)
			w.GitLab.Finish(1002, "success")
			waitLong(w, sim.Channel, along, "white_check_mark")
			wantPipelines(w, 2)
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
	row(t, "the next one is refused: who went along is next", func(t *testing.T) {
		w, _ := underWay(t)
		ts, along := queued(w, sim.Channel, deploy.MsgStatusQueued), queued(w, sim.Channel, deploy.MsgStatusRiding)
		w.GitLab.Answer(1, fault(t, "reference not found"))
		w.GitLab.Finish(1001, "success")
		w.WaitReactions(sim.Channel, ts, "x")
		w.WaitReactions(sim.Channel, along, "thumbsup")
		wantPipelines(w, 2)
	})
	row(t, "what is on its way already is not deployed again, and who asks hears of it", func(t *testing.T) {
		w, _ := underWay(t)
		time.Sleep(20 * time.Second)
		ts := w.Slack.Say(second, sim.Two, sim.Bot+" release")
		w.WaitMessages(sim.Two, ts, deploy.MsgStatusRiding)
		w.GitLab.Finish(1001, "success")
		waitLong(w, sim.Two, ts, "white_check_mark")
		w.WaitMessages(sim.Two, ts, deploy.MsgStatusRiding, deploy.MsgRode)
		wantPipelines(w, 1)
	})
	row(t, "without an API token, who has just asked is not asking twice", func(t *testing.T) {
		w := sim.New(t, oneTarget(""), "GITLAB_API_TOKEN=")
		w.StartReady("a")
		w.WaitReactions(sim.Channel, w.Ask("release"), "thumbsup")
		w.WaitMessages(sim.Channel, w.Ask("release"), deploy.MsgStatusRiding)
		queued(w, sim.Channel, deploy.MsgStatusQueued)
		wantPipelines(w, 1)
	})
	row(t, "nobody goes along with what is being stopped", func(t *testing.T) {
		w, first := underWay(t)
		time.Sleep(20 * time.Second)
		w.GitLab.FailLookUps(-1, "/cancel", fakegitlab.Fault{Status: 502, Body: "<html></html>"})
		pressOn(w, sim.User, sim.Channel, statusOf(w, sim.Channel, first, 0), "cancel")
		w.WaitMessages(sim.Channel, first, deploy.MsgStatusCanceling)
		w.WaitMessages(sim.Two, w.Slack.Say(second, sim.Two, sim.Bot+" release"), deploy.MsgStatusQueued)
		wantPipelines(w, 1)
	})
	row(t, "while GitLab does not tell its newest commit, nobody goes along", func(t *testing.T) {
		w, _ := underWay(t)
		time.Sleep(20 * time.Second)
		w.GitLab.Push("group/app", "master", "Change it", "yamada")
		w.GitLab.FailLookUps(-1, "/repository/commits", fakegitlab.Fault{Status: 502, Body: "<html></html>"})
		w.WaitMessages(sim.Channel, w.Ask("release"), deploy.MsgStatusQueued)
		wantPipelines(w, 1)
	})
	row(t, "without an API token, who has just taken back what is being triggered does not go along with it", func(t *testing.T) {
		w := sim.New(t, oneTarget(""), "GITLAB_API_TOKEN=")
		w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "slow"))
		ts := w.Ask("release")
		time.Sleep(5 * time.Second)
		w.Slack.Edit(sim.Channel, ts, sim.Bot+" hello")
		time.Sleep(time.Second)
		w.WaitMessages(sim.Channel, w.Ask("release"), deploy.MsgStatusQueued)
		wantPipelines(w, 1)
	})
	row(t, "who goes along goes on to, although Redis cannot tell for a while with what", func(t *testing.T) {
		w, _ := underWay(t)
		time.Sleep(20 * time.Second)
		ts := w.Slack.Say(second, sim.Two, sim.Bot+" release")
		w.WaitMessages(sim.Two, ts, deploy.MsgStatusRiding)
		heal := w.RedisRefuses("redis:load")
		time.Sleep(2 * time.Minute)
		heal()
		w.GitLab.Finish(1001, "success")
		waitLong(w, sim.Two, ts, "white_check_mark")
		w.WaitMessages(sim.Two, ts, deploy.MsgStatusRiding, deploy.MsgRode)
		wantPipelines(w, 1)
	})
	row(t, "who asks while Redis cannot tell who is next is told once it can", func(t *testing.T) {
		w, _ := underWay(t)
		queued(w, sim.Channel, deploy.MsgStatusQueued)
		heal := w.RedisRefuses("redis:queued")
		ts := w.Ask("release")
		time.Sleep(time.Minute)
		if said := w.Texts(sim.Channel, ts); len(said) > 0 {
			t.Errorf("it says %q", said)
		}
		heal()
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRiding)
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
	row(t, "who is next goes along with what was started meanwhile: who asked after that does not", func(t *testing.T) {
		w := sim.New(t, oneTarget(""))
		p := w.StartReady("a")
		w.WaitReactions(sim.Channel, w.Ask("release"), "thumbsup")
		queued(w, sim.Channel, deploy.MsgStatusQueued)
		p.Reload(oneTarget(`, "parallel": true`))
		w.WaitReactions(sim.Channel, w.Ask("release"), "thumbsup")
		p.Reload(oneTarget(""))
		ts := queued(w, sim.Channel, deploy.MsgStatusRiding)
		time.Sleep(2 * time.Minute)
		w.GitLab.Finish(1002, "success")
		time.Sleep(2 * time.Minute)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusQueued)
		w.GitLab.Finish(1001, "success")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 3)
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
