package sim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sim"
)

func TestOneDeploymentAtATimeForAll(t *testing.T) {
	t.Parallel()
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
		for _, said := range w.Texts(sim.Two, ts) {
			if !strings.Contains(said, "一緒に出ます") || strings.Contains(said, "始めていません") {
				t.Errorf("who withdraws what goes out with another is told %s", said)
			}
		}
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
