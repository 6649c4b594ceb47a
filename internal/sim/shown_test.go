package sim_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sim"
)

func TestOneDeployFromStartToEnd(t *testing.T) {
	row(t, "nothing that GitLab or Slack's Web API does delays an ack", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.GitLab.Answer(-1, fault(t, "hang"))
		for _, method := range []string{"reactions.add", "chat.postMessage", "chat.update"} {
			w.Slack.Fail(method, -1, fakeslack.Hang())
		}
		var said []string
		for range 50 {
			said = append(said, w.Ask("release"), w.Ask("よろしく"))
			time.Sleep(500 * time.Millisecond)
		}
		time.Sleep(3 * time.Second)
		for _, d := range w.Slack.Deliveries() {
			// A claim and an ack take a few milliseconds each.
			if d.AckedAt.IsZero() || d.AckedAt.Sub(d.At) > 50*time.Millisecond || d.Attempt > 0 {
				t.Errorf("acked after %s, attempt %d", d.AckedAt.Sub(d.At), d.Attempt)
			}
		}
		if n := len(w.Slack.Deliveries()); n != len(said) {
			t.Errorf("%d deliveries of %d mentions", n, len(said))
		}
	})
	row(t, "one status message from start to end, then one line; the reaction is replaced", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		ts := w.Ask("release")
		w.Eventually("the reaction", 2*time.Second, func() bool { return slices.Equal(w.Slack.Reactions(sim.Channel, ts), []string{"thumbsup"}) })
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
		status := w.Slack.Thread(sim.Channel, ts)[0]
		if !strings.Contains(status.Shown(), "<http://gitlab.test/group/app/-/pipelines/1001|") {
			t.Errorf("no link: %q", status.Shown())
		}
		time.Sleep(20 * time.Second)
		w.Notify("a", "failure", sim.Channel, ts)
		w.WaitReactions(sim.Channel, ts, "x")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusFailed, deploy.MsgFailed)
		thread := w.Slack.Thread(sim.Channel, ts)
		if thread[0].TS != status.TS || thread[0].Edits == 0 {
			t.Error("the status message was not edited into its final form")
		}
		if !strings.Contains(thread[1].Text, "<@"+sim.User+">") || strings.Contains(thread[1].Text, "何も始めていません") {
			t.Errorf("a failure names who asked, and never says that nothing was started: %q", thread[1].Text)
		}
	})
	row(t, "where Slack refuses blocks, the same is said in plain text", func(t *testing.T) {
		w := sim.New(t)
		w.Slack.RefuseBlocks("invalid_blocks")
		w.StartReady("a")
		ts, doubt := w.Ask("release"), w.Ask("明日リリースして")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.WaitReactions(sim.Channel, doubt, "thinking_face")
		time.Sleep(2 * time.Second)
		asked := w.Texts(sim.Channel, doubt)
		if len(asked) != 1 || !strings.Contains(asked[0], "「明日」がわかりませんでした") && !strings.Contains(asked[0], "「明日」のところで迷いました") {
			t.Errorf("asked %q", asked)
		}
		if said := w.Texts(sim.Channel, ts); len(said) != 1 || !strings.HasPrefix(said[0], "🚀 *リリース中* `app` (`master`)") || !strings.Contains(said[0], "/-/pipelines/1001|") {
			t.Errorf("said %q", said)
		}
		w.Slack.RefuseBlocks("invalid_blocks_format")
		w.Notify("a", "success", sim.Channel, ts)
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
		w.Eventually("the closing line", time.Minute, func() bool { return len(w.Texts(sim.Channel, ts)) == 2 })
		if said := w.Texts(sim.Channel, ts); !strings.HasPrefix(said[0], "✅ *リリースしました* `app`") {
			t.Errorf("said %q", said)
		}
		wantPosts(t, w, ts, 1)
	})
	row(t, "the variables of the trigger", func(t *testing.T) {
		w, ts, p := startRunning(t)
		v := p.Variables
		if len(v) != 5 || !deploy.TokenForm.MatchString(v["PSYCHER_TOKEN"]) || v["RELEASE"] != "true" || v["channel"] != sim.Channel || v["timestamp"] != ts || len(v["PSYCHER_ID"]) != 36 || p.Ref != "master" {
			t.Errorf("ref %s, variables %v", p.Ref, v)
		}
		wantPosts(t, w, ts, 1)
	})
	row(t, "a target's own ref and release_key, and GITLAB_REF for the others", func(t *testing.T) {
		w := sim.New(t, "GITLAB_REF=main", fmt.Sprintf(`GITLAB_TRIGGER_TOKENS={%q: {%q: {"app": {"project_id": "group/app", "token": %q, "ref": "master", "release_key": "SHIP"}}, %q: {"api": {"project_id": 2, "token": %q}}}}`,
			sim.Team, sim.Channel, sim.TriggerToken, sim.Two, sim.TriggerToken))
		w.StartReady("a")
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		if p := w.GitLab.Pipelines()[0]; p.Ref != "master" || p.Variables["SHIP"] != "true" || p.Variables["RELEASE"] != "" {
			t.Errorf("ref %s, variables %v", p.Ref, p.Variables)
		}
		other := w.Slack.Say(sim.User, sim.Two, sim.Bot+" release")
		w.WaitReactions(sim.Two, other, "x") // that project has no main
		w.WaitMessages(sim.Two, other, deploy.MsgRefusedRef)
	})
	row(t, "shown by any replica, nothing twice: fifty deploys on two", func(t *testing.T) {
		w := sim.New(t)
		reportEach(w, "success")
		w.StartReady("a")
		w.StartReady("b")
		var said []string
		for range 50 {
			said = append(said, w.Ask("release"))
			time.Sleep(200 * time.Millisecond)
		}
		for _, ts := range said {
			// Slack takes 50 reactions a minute, and these are 100, and 50 to remove.
			waitReaction(w, ts, 4*time.Minute, "white_check_mark")
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
			wantPosts(t, w, ts, 1)
		}
	})
}

func TestCallbacksInAnyOrder(t *testing.T) {
	row(t, "failed becomes succeeded: somebody retried the job", func(t *testing.T) {
		for _, first := range []string{"failure", "canceled"} {
			w, ts, _ := startRunning(t)
			w.Notify("a", first, sim.Channel, ts)
			time.Sleep(30 * time.Second)
			w.Notify("a", "success", sim.Channel, ts)
			w.WaitReactions(sim.Channel, ts, "white_check_mark")
			said := w.Messages(sim.Channel, ts)
			if len(said) != 3 || said[0] != deploy.MsgStatusSucceeded || said[2] != deploy.MsgRecovered {
				w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, said[1], deploy.MsgRecovered)
			}
		}
	})
	row(t, "a failure after a success leaves the reaction and gets one line that names the person", func(t *testing.T) {
		w, ts, _ := startRunning(t)
		w.Notify("a", "success", sim.Channel, ts)
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
		for range 3 {
			time.Sleep(10 * time.Second)
			w.Notify("a", "failure", sim.Channel, ts)
		}
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded, deploy.MsgFailedAfter)
		if text := w.Texts(sim.Channel, ts)[2]; !strings.Contains(text, "<@"+sim.User+">") {
			t.Errorf("no name: %q", text)
		}
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
	})
	row(t, "any other contradicting callback changes nothing: canceled after success or failure, failure after canceled", func(t *testing.T) {
		for _, words := range [][2]string{{"success", "canceled"}, {"failure", "canceled"}, {"canceled", "failure"}} {
			w, ts, _ := startRunning(t)
			w.Notify("a", words[0], sim.Channel, ts)
			time.Sleep(10 * time.Second)
			marks, said := w.Slack.Reactions(sim.Channel, ts), w.Messages(sim.Channel, ts)
			if status, body := w.Notify("a", words[1], sim.Channel, ts); status != http.StatusOK {
				t.Errorf("it got %d %s", status, body)
			}
			wantQuiet(t, w)
			if !slices.Equal(marks, w.Slack.Reactions(sim.Channel, ts)) || !slices.Equal(said, w.Messages(sim.Channel, ts)) || len(said) != 2 {
				t.Errorf("%s after %s: %q, then %q", words[1], words[0], said, w.Messages(sim.Channel, ts))
			}
		}
	})
	row(t, "a callback before the trigger's answer moves the record, and the late answer only fills in the link", func(t *testing.T) {
		for result, mark := range map[string]string{"start": "thumbsup", "success": "white_check_mark", "failure": "x"} {
			w := sim.New(t, "GITLAB_API_TOKEN=")
			w.StartReady("a")
			w.GitLab.Answer(1, fakegitlab.Fault{Make: 1, Delay: 30 * time.Second, Status: http.StatusCreated})
			w.Pipeline = func(p fakegitlab.Pipeline) {
				time.Sleep(3 * time.Second)
				w.Report(p, result)
			}
			ts := w.Ask("release")
			time.Sleep(10 * time.Second)
			w.WaitReactions(sim.Channel, ts, mark)
			before := len(w.Texts(sim.Channel, ts))
			time.Sleep(40 * time.Second)
			w.WaitReactions(sim.Channel, ts, mark)
			texts := w.Texts(sim.Channel, ts)
			if len(texts) != before || !strings.Contains(texts[0], "/-/pipelines/1001|") {
				t.Errorf("%s: the link is not filled in, or something was posted again: %q", result, texts)
			}
			wantPosts(t, w, ts, 1)
		}
	})
	row(t, "a callback while it waits moves the record: nothing more is sent", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "rate limit of a proxy"))
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
		if status, body := w.Notify("a", "success", sim.Channel, ts); status != http.StatusOK {
			t.Errorf("it got %d %s", status, body)
		}
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
		time.Sleep(2 * time.Minute)
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
		wantPosts(t, w, ts, 1)
	})
	row(t, "refused is final", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "forbidden"))
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "x")
		if status, body := w.Notify("a", "success", sim.Channel, ts); status != http.StatusOK {
			t.Errorf("it got %d %s", status, body)
		}
		wantQuiet(t, w)
		w.WaitReactions(sim.Channel, ts, "x")
	})
}
