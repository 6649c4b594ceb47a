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

// stages has each pipeline pass three stages, a minute each, and report its end.
func stages(w *sim.World) {
	w.Pipeline = func(p fakegitlab.Pipeline) {
		w.GitLab.SetJobs(p.ID, fakegitlab.Job{Name: "build", Stage: "build"}, fakegitlab.Job{Name: "test", Stage: "test"}, fakegitlab.Job{Name: "deploy", Stage: "deploy"})
		for w.GitLab.Step(p.ID) {
			time.Sleep(30 * time.Second)
		}
	}
	w.Rerun = func(p fakegitlab.Pipeline, _ fakegitlab.Job) {
		for w.GitLab.Step(p.ID) {
			time.Sleep(30 * time.Second)
		}
	}
}

// deployed posts a mention and waits until its deployment has an end.
func deployed(w *sim.World, channel, text string, reaction string) (ts string) {
	w.T.Helper()
	ts = w.Slack.Say(sim.User, channel, sim.Bot+" "+text)
	waitLong(w, channel, ts, reaction)
	return ts
}

func waitLong(w *sim.World, channel, ts, reaction string) {
	w.T.Helper()
	w.Eventually("the reaction "+reaction, 20*time.Minute, func() bool { return slices.Equal(w.Slack.Reactions(channel, ts), []string{reaction}) })
	time.Sleep(10 * time.Second)
}

// statusOf is the status message of a thread: the n-th message of the bot.
func statusOf(w *sim.World, channel, thread string, n int) fakeslack.Message {
	var own []fakeslack.Message
	for _, m := range w.Slack.Thread(channel, thread) {
		if m.Bot != "" {
			own = append(own, m)
		}
	}
	if n >= len(own) {
		return fakeslack.Message{}
	}
	return own[n]
}

// shown is all that a message shows.
func shown(m fakeslack.Message) string { return m.Text + string(m.Blocks) }

// button is the button of a message that does something; empty: it has none.
func button(m fakeslack.Message, does string) (action, value string) {
	for _, c := range m.Controls() {
		if strings.HasPrefix(c.Value, "2 "+does+" ") {
			return c.Action, c.Value
		}
	}
	return "", ""
}

// pressOn presses the button of a message that does something.
func pressOn(w *sim.World, user, channel string, m fakeslack.Message, does string) {
	w.T.Helper()
	action, value := button(m, does)
	if action == "" {
		w.T.Fatalf("there is no %s among %+v", does, m.Controls())
	}
	w.Slack.Press(user, channel, m.TS, action, fakeslack.WithValue(value))
}

func TestFollowing(t *testing.T) {
	row(t, "the stages pass, in two posts and a few edits", func(t *testing.T) {
		w := sim.New(t)
		stages(w)
		w.StartReady("a")
		ts := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.Eventually("the deploy stage to be shown", 10*time.Minute, func() bool {
			return strings.Contains(shown(statusOf(w, sim.Channel, ts, 0)), "deploy")
		})
		waitLong(w, sim.Channel, ts, "white_check_mark")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
		posts, edits := 0, 0
		for _, c := range w.Slack.CallLog("chat.postMessage") {
			if c.Done {
				posts++
			}
		}
		var last time.Time
		for _, c := range w.Slack.CallLog("chat.update") {
			if c.Done {
				if edits++; c.At.Sub(last) < 5*time.Second {
					t.Errorf("two edits are %s apart", c.At.Sub(last))
				}
				last = c.At
			}
		}
		if posts != 2 || edits < 3 || edits > 12 {
			t.Errorf("%d posts and %d edits", posts, edits)
		}
	})
	row(t, "a failed deploy job is told when it fails, not when its pipeline ends", func(t *testing.T) {
		w := sim.New(t)
		w.Pipeline = func(p fakegitlab.Pipeline) {
			w.GitLab.SetJobs(p.ID, fakegitlab.Job{ID: 1, Name: "deploy", Stage: "deploy"}, fakegitlab.Job{ID: 2, Name: "smoke", Stage: "deploy"})
			w.GitLab.MoveJob(p.ID, 2, "running")
			w.GitLab.FailJob(p.ID, 1, "runner_system_failure")
			w.GitLab.Finish(p.ID, "running")
			time.Sleep(30 * time.Minute)
			w.GitLab.Finish(p.ID, "failed")
		}
		w.StartReady("a")
		ts := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release")
		began := time.Now()
		waitLong(w, sim.Channel, ts, "x")
		if told := time.Since(began); told > time.Minute {
			t.Errorf("it is told after %s", told)
		}
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusFailed, deploy.MsgFailed)
		if text := strings.Join(w.Texts(sim.Channel, ts), " "); !strings.Contains(text, "runner") {
			t.Errorf("the reason is not told: %s", text)
		}
	})
	row(t, "GitLab is down for a while: the message says since when nothing is known", func(t *testing.T) {
		w := sim.New(t)
		r := w.Routes()
		w.StartReady("a")
		ts := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		time.Sleep(20 * time.Second)
		before := shown(statusOf(w, sim.Channel, ts, 0))
		r.Block("gitlab.test:80", 0)
		w.Eventually("the message to say so", 5*time.Minute, func() bool {
			return strings.Contains(shown(statusOf(w, sim.Channel, ts, 0)), "GitLab の応答")
		})
		r.Unblock("gitlab.test:80")
		w.Eventually("the message to be as before", 5*time.Minute, func() bool {
			now := shown(statusOf(w, sim.Channel, ts, 0))
			return now != before && !strings.Contains(now, "GitLab の応答")
		})
	})
}

func TestACancelByPress(t *testing.T) {
	running := func(t *testing.T) (w *sim.World, ts string, status fakeslack.Message) {
		w = sim.New(t, "PSYCHER_LANG=en")
		w.StartReady("a")
		ts = w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.Eventually("the button", time.Minute, func() bool {
			status = statusOf(w, sim.Channel, ts, 0)
			action, _ := button(status, "cancel")
			return action != ""
		})
		return w, ts, status
	}
	row(t, "the pipeline is canceled, and who wanted that is told", func(t *testing.T) {
		w, ts, status := running(t)
		pressOn(w, second, sim.Channel, status, "cancel")
		waitLong(w, sim.Channel, ts, "no_entry_sign")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusCanceled, deploy.MsgStopped)
		if all := w.GitLab.Pipelines(); all[0].Status != "canceled" {
			t.Errorf("the pipeline is %s", all[0].Status)
		}
		pressOn(w, sim.User, sim.Channel, status, "cancel")
		wantWhispers(w, sim.Channel, sim.User, deploy.MsgPressOver)
		wantAcked(w)
	})
	row(t, "GitLab accepts it, and nothing changes: that is told", func(t *testing.T) {
		w, ts, status := running(t)
		w.GitLab.IgnoreCancels(true)
		pressOn(w, second, sim.Channel, status, "cancel")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusCanceling)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning, deploy.MsgCancelNoEffect)
		wantAcked(w)
	})
	row(t, "GitLab fails for a while: it is asked again until it takes it", func(t *testing.T) {
		w, ts, status := running(t)
		w.GitLab.FailLookUps(3, "/cancel", fakegitlab.Fault{Status: 502, Body: "<html><title>502 Bad Gateway</title></html>"})
		pressOn(w, second, sim.Channel, status, "cancel")
		waitLong(w, sim.Channel, ts, "no_entry_sign")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusCanceled, deploy.MsgStopped)
	})
	row(t, "GitLab does not let psycher: that is told, once", func(t *testing.T) {
		w, ts, status := running(t)
		w.GitLab.FailLookUps(-1, "/cancel", fakegitlab.Fault{Status: 403, Body: `{"message":"403 Forbidden"}`})
		pressOn(w, second, sim.Channel, status, "cancel")
		time.Sleep(2 * time.Minute)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning, deploy.MsgCancelRefused)
		wantAcked(w)
	})
	row(t, "a word alone cancels no running pipeline: its answer has the button", func(t *testing.T) {
		w, _, _ := running(t)
		stop := w.Slack.Say(second, sim.Channel, sim.Bot+" 止めて")
		w.WaitMessages(sim.Channel, stop, deploy.MsgStop)
		if all := w.GitLab.Pipelines(); all[0].Status == "canceled" {
			t.Error("a word has canceled it")
		}
		pressOn(w, second, sim.Channel, statusOf(w, sim.Channel, stop, 0), "cancel")
		w.Eventually("the pipeline to be canceled", time.Minute, func() bool { return w.GitLab.Pipelines()[0].Status == "canceled" })
	})
	row(t, "a wait is told what runs, and offers no button", func(t *testing.T) {
		w, _, _ := running(t)
		for _, words := range []string{"待って", "hold on", "wait, don't deploy"} {
			wait := w.Slack.Say(second, sim.Channel, sim.Bot+" "+words)
			w.WaitMessages(sim.Channel, wait, deploy.MsgStop)
			if text := w.Texts(sim.Channel, wait)[0]; !strings.Contains(text, "/-/pipelines/1001|") {
				t.Errorf("%q: it says %q", words, text)
			}
			if action, _ := button(statusOf(w, sim.Channel, wait, 0), "cancel"); action != "" {
				t.Errorf("%q offers to cancel what runs", words)
			}
		}
	})
	row(t, "by a guest: nothing is canceled", func(t *testing.T) {
		w, _, status := running(t)
		action, value := button(status, "cancel")
		w.Slack.Press("U0GUEST", sim.Channel, status.TS, action, fakeslack.WithValue(value), fakeslack.PressedFrom("T0ELSEWHERE"))
		wantWhispers(w, sim.Channel, "U0GUEST", deploy.MsgPressGuest)
		if all := w.GitLab.Pipelines(); all[0].Status == "canceled" {
			t.Error("a guest has canceled it")
		}
	})
}

func TestARetryByPress(t *testing.T) {
	failed := func(t *testing.T) (w *sim.World, ts string, status fakeslack.Message) {
		w = sim.New(t, "PSYCHER_LANG=en")
		w.Pipeline = func(p fakegitlab.Pipeline) { time.Sleep(20 * time.Second); w.GitLab.Finish(p.ID, "failed") }
		w.StartReady("a")
		ts = deployed(w, sim.Channel, "release", "x")
		return w, ts, statusOf(w, sim.Channel, ts, 0)
	}
	row(t, "a new deployment in the same thread, once for two presses", func(t *testing.T) {
		w, ts, status := failed(t)
		w.Pipeline = func(p fakegitlab.Pipeline) { time.Sleep(20 * time.Second); w.GitLab.Finish(p.ID, "success") }
		pressOn(w, second, sim.Channel, status, "retry")
		time.Sleep(time.Second)
		pressOn(w, sim.User, sim.Channel, status, "retry")
		wantWhispers(w, sim.Channel, sim.User, deploy.MsgPressedBefore)
		time.Sleep(time.Minute)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusFailed, deploy.MsgFailed, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
		if n := len(w.GitLab.Pipelines()); n != 2 {
			t.Errorf("%d pipelines", n)
		}
		if got := w.Slack.Reactions(sim.Channel, ts); !slices.Equal(got, []string{"x"}) {
			t.Errorf("the mention of the failed one has %q", got)
		}
		if action, _ := button(statusOf(w, sim.Channel, ts, 0), "retry"); action != "" {
			t.Error("the button is still there")
		}
		wantAcked(w)
	})
	row(t, "what others have deployed over is not retried", func(t *testing.T) {
		w, _, status := failed(t)
		w.Pipeline = nil
		w.Slack.Say(second, sim.Channel, sim.Bot+" release")
		time.Sleep(time.Minute)
		pressOn(w, sim.User, sim.Channel, status, "retry")
		wantWhispers(w, sim.Channel, sim.User, deploy.MsgPressOver)
		if n := len(w.GitLab.Pipelines()); n != 2 {
			t.Errorf("%d pipelines", n)
		}
	})
	row(t, "a word in the thread of the failure does it at once", func(t *testing.T) {
		w, ts, _ := failed(t)
		again := w.Slack.Say(second, sim.Channel, sim.Bot+" もう一度", fakeslack.InThread(ts))
		w.WaitReactions(sim.Channel, again, "thumbsup")
	})
	row(t, "a word elsewhere is asked about", func(t *testing.T) {
		w, _, _ := failed(t)
		ts, q := ask(w, sim.Channel, "もう一度", deploy.MsgAgain)
		press(w, second, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
	})
}

func TestARollback(t *testing.T) {
	// twice deploys two commits, one after the other.
	twice := func(t *testing.T) (w *sim.World, first, ts string) {
		w = sim.New(t)
		stages(w)
		w.StartReady("a")
		first = deployed(w, sim.Channel, "release", "white_check_mark")
		w.GitLab.Push(sim.Project, "master", "Break it", "yamada")
		return w, first, deployed(w, sim.Channel, "release", "white_check_mark")
	}
	// wantBack checks that the first pipeline's job ran once more, and that this is told
	// where it was asked for, and nowhere else.
	wantBack := func(t *testing.T, w *sim.World, first, thread string, want ...deploy.MessageID) {
		t.Helper()
		w.Eventually("the end of the rollback", 10*time.Minute, func() bool {
			return slices.Equal(w.Messages(sim.Channel, thread), want)
		})
		all := w.GitLab.Pipelines()
		reruns := 0
		for _, j := range all[0].Jobs {
			if j.Retried {
				reruns++
			}
		}
		if len(all) != 2 || reruns != 1 {
			t.Errorf("%d pipelines, and %d jobs of the first run again", len(all), reruns)
		}
		if first != thread && !slices.Equal(w.Messages(sim.Channel, first), []deploy.MessageID{deploy.MsgStatusSucceeded, deploy.MsgSucceeded}) {
			t.Errorf("the thread of the first says %q", w.Messages(sim.Channel, first))
		}
	}
	row(t, "by the button of the newest success", func(t *testing.T) {
		w, first, ts := twice(t)
		status := statusOf(w, sim.Channel, ts, 0)
		if action, _ := button(statusOf(w, sim.Channel, first, 0), "rollback"); action != "" {
			t.Error("the one before still has its button")
		}
		pressOn(w, second, sim.Channel, status, "rollback")
		time.Sleep(time.Second)
		pressOn(w, sim.User, sim.Channel, status, "rollback")
		wantBack(t, w, first, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded, deploy.MsgStatusSucceeded, deploy.MsgRolledBack)
		wantAcked(w)
	})
	row(t, "by a word, once it is confirmed", func(t *testing.T) {
		w, first, _ := twice(t)
		ts, q := ask(w, sim.Channel, "ロールバック", deploy.MsgRollback)
		press(w, second, sim.Channel, q, 0)
		wantBack(t, w, first, ts, deploy.MsgStatusSucceeded, deploy.MsgRolledBack)
	})
	row(t, "its answer is lost: the job is found, and none is made twice", func(t *testing.T) {
		w, first, _ := twice(t)
		ts, q := ask(w, sim.Channel, "ロールバック", deploy.MsgRollback)
		w.GitLab.FailLookUps(1, "/retry", fakegitlab.Fault{Make: 1})
		press(w, second, sim.Channel, q, 0)
		wantBack(t, w, first, ts, deploy.MsgStatusSucceeded, deploy.MsgRolledBack)
	})
	row(t, "afterwards the commit that was taken back is asked about, and a new one acts", func(t *testing.T) {
		w, _, _ := twice(t)
		back, q := ask(w, sim.Channel, "ロールバック", deploy.MsgRollback)
		press(w, second, sim.Channel, q, 0)
		waitLong(w, sim.Channel, back, "white_check_mark")
		ts, q := ask(w, sim.Channel, "release", deploy.MsgTakenBack)
		w.GitLab.Push(sim.Project, "master", "Repair it", "yamada")
		acts := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release")
		waitLong(w, sim.Channel, acts, "white_check_mark")
		press(w, second, sim.Channel, q, 0)
		waitLong(w, sim.Channel, ts, "white_check_mark")
	})
	row(t, "an hour later its button is gone", func(t *testing.T) {
		w, _, ts := twice(t)
		time.Sleep(time.Hour + time.Minute)
		if action, _ := button(statusOf(w, sim.Channel, ts, 0), "rollback"); action != "" {
			t.Error("the button is still there")
		}
	})
}

func TestWhatGoesOutAndWhatWentBefore(t *testing.T) {
	row(t, "the commits since the last success are shown, and told by word", func(t *testing.T) {
		w := sim.New(t)
		stages(w)
		w.StartReady("a")
		deployed(w, sim.Channel, "release", "white_check_mark")
		w.GitLab.Push(sim.Project, "master", "Fix the <login> page", "yamada")
		w.GitLab.Push(sim.Project, "master", "Faster CI", "ito")
		ts, q := ask(w, sim.Channel, "何が出る？", deploy.MsgPending)
		if !strings.Contains(shown(q), "Faster CI") || !strings.Contains(shown(q), "2 件") || strings.Contains(shown(q), "<login>") {
			t.Errorf("it says %s", shown(q))
		}
		press(w, second, sim.Channel, q, 0)
		w.Eventually("the commits in the status message", 2*time.Minute, func() bool {
			return strings.Contains(shown(statusOf(w, sim.Channel, ts, 0)), "Faster CI (ito)")
		})
		waitLong(w, sim.Channel, ts, "white_check_mark")
		again := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release")
		w.Eventually("that it is the same commit", 2*time.Minute, func() bool {
			return strings.Contains(shown(statusOf(w, sim.Channel, again, 0)), "同じコミット")
		})
		waitLong(w, sim.Channel, again, "white_check_mark")
		history := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" 履歴")
		w.WaitMessages(sim.Channel, history, deploy.MsgHistory)
		if text := w.Texts(sim.Channel, history)[0]; strings.Count(text, "成功") != 3 {
			t.Errorf("the history is %s", text)
		}
	})
}

// Ten deployments at once stay within Slack's fifty edits a minute, and each end is
// shown soon.
func TestEditsOfTenDeployments(t *testing.T) {
	t.Parallel()
	row(t, "by two processes", func(t *testing.T) {
		w := sim.New(t)
		w.Slack.Limits(true)
		stages(w)
		w.StartReady("a")
		w.StartReady("b")
		var all []string
		for range 10 {
			all = append(all, w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release"))
			time.Sleep(200 * time.Millisecond)
		}
		for _, ts := range all {
			waitLong(w, sim.Channel, ts, "white_check_mark")
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
		}
		var edits []time.Time
		for _, c := range w.Slack.CallLog("chat.update") {
			edits = append(edits, c.At)
		}
		for i := range edits {
			if i >= 50 && edits[i].Sub(edits[i-50]) < time.Minute {
				t.Fatalf("51 edits in %s", edits[i].Sub(edits[i-50]))
			}
		}
		t.Logf("%d edits in all", len(edits))
	})
	row(t, "eighty that end at once wait for their turn, each by itself", func(t *testing.T) {
		w := sim.New(t, "GITLAB_API_TOKEN=")
		end := make(chan struct{})
		w.Pipeline = func(p fakegitlab.Pipeline) { <-end; w.Report(p, "success") }
		w.StartReady("a")
		for range 80 {
			w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release")
			time.Sleep(1500 * time.Millisecond)
		}
		time.Sleep(3 * time.Minute)
		w.CountRedis()
		close(end)
		edited := func() (n int) {
			for _, c := range w.Slack.CallLog("chat.update") {
				if c.Done {
					n++
				}
			}
			return n
		}
		w.Eventually("all to be edited", 10*time.Minute, func() bool { return edited() == 80 })
		// Each takes some twenty calls for its end, its line and its edit, and the process asks
		// what is due each second.
		if n := w.Arrived()["redis"]; n > 80*40 {
			t.Errorf("%d calls to Redis for 80 edits", n)
		}
	})
}

func TestAnnounce(t *testing.T) {
	for name, row1 := range map[string]struct {
		announce, status string
		want             []deploy.MessageID
	}{
		"never, and it failed":     {"never", "failed", nil},
		"failures":                 {"failures", "failed", []deploy.MessageID{deploy.MsgFailed}},
		"failures, and it did not": {"failures", "success", nil},
		"all":                      {"all", "success", []deploy.MessageID{deploy.MsgSucceeded}},
	} {
		row(t, name, func(t *testing.T) {
			w := sim.New(t, fmt.Sprintf(
				`GITLAB_TRIGGER_TOKENS={%q: {%q: {"app": {"project_id": "group/app", "token": %q, "announce": %q, "url": "https://app.example/"}}}}`,
				sim.Team, sim.Channel, sim.TriggerToken, row1.announce))
			w.Pipeline = func(p fakegitlab.Pipeline) { time.Sleep(20 * time.Second); w.GitLab.Finish(p.ID, row1.status) }
			w.StartReady("a")
			ts := deployed(w, sim.Channel, "release", map[string]string{"failed": "x", "success": "white_check_mark"}[row1.status])
			if got := w.ChannelMessages(sim.Channel); !slices.Equal(got, row1.want) {
				t.Errorf("the channel is told %q, want %q", got, row1.want)
			}
			if row1.status == "success" && !strings.Contains(shown(statusOf(w, sim.Channel, ts, 0)), "https://app.example/") {
				t.Error("there is no link to what is deployed")
			}
			if n := len(w.Messages(sim.Channel, ts)); n != 2 {
				t.Errorf("the thread has %d messages", n)
			}
		})
	}
}

func TestWithoutAnAPITokenAsMuchAsIsKnownIsShown(t *testing.T) {
	row(t, "the commit, who asked, and a retry after a failure", func(t *testing.T) {
		w := sim.New(t, "GITLAB_API_TOKEN=", "PSYCHER_LANG=en")
		reportEach(w, "failure")
		w.StartReady("a")
		ts := deployed(w, sim.Channel, "release", "x")
		sha := w.GitLab.Pipelines()[0].SHA
		status := statusOf(w, sim.Channel, ts, 0)
		if text := shown(status); !strings.Contains(text, sha[:7]) || !strings.Contains(text, "/-/commit/"+sha) || !strings.Contains(text, sim.User) {
			t.Errorf("it shows %s", text)
		}
		if cancel, _ := button(status, "cancel"); cancel != "" {
			t.Error("there is a button to cancel what is over")
		}
		reportEach(w, "success")
		pressOn(w, second, sim.Channel, status, "retry")
		w.Eventually("the retry to succeed", 5*time.Minute, func() bool {
			return slices.Equal(w.Messages(sim.Channel, ts), []deploy.MessageID{deploy.MsgStatusFailed, deploy.MsgFailed, deploy.MsgStatusSucceeded, deploy.MsgSucceeded})
		})
		back := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" roll back")
		w.WaitMessages(sim.Channel, back, deploy.MsgCannotSteer)
		pending, q := ask(w, sim.Channel, "what's pending?", deploy.MsgPending)
		press(w, second, sim.Channel, q, -1)
		w.WaitMessages(sim.Channel, pending, deploy.MsgDeclined)
		wantAcked(w)
	})
}

func TestATokenThatMayOnlyRead(t *testing.T) {
	row(t, "stages are shown, and nothing is offered that GitLab would refuse", func(t *testing.T) {
		w := sim.New(t)
		w.GitLab.SetScopes("read_api")
		stages(w)
		w.StartReady("a")
		first := deployed(w, sim.Channel, "release", "white_check_mark")
		w.GitLab.Push(sim.Project, "master", "Break it", "yamada")
		ts := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release")
		w.Eventually("the stages", time.Minute, func() bool { return strings.Contains(shown(statusOf(w, sim.Channel, ts, 0)), "build") })
		stop := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" 止めて")
		w.WaitMessages(sim.Channel, stop, deploy.MsgStop)
		waitLong(w, sim.Channel, ts, "white_check_mark")
		for _, m := range []fakeslack.Message{statusOf(w, sim.Channel, first, 0), statusOf(w, sim.Channel, ts, 0), statusOf(w, sim.Channel, stop, 0)} {
			if all := m.Controls(); len(all) > 0 {
				t.Errorf("%s has %+v", m.Shown(), all)
			}
		}
		back := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" ロールバック")
		w.WaitMessages(sim.Channel, back, deploy.MsgCannotSteer)
	})
}

func TestSlackRefusesBlocks(t *testing.T) {
	row(t, "everything is said in plain text", func(t *testing.T) {
		w := sim.New(t)
		w.Slack.RefuseBlocks("invalid_blocks")
		stages(w)
		w.StartReady("a")
		ts := deployed(w, sim.Channel, "release", "white_check_mark")
		if said := w.Texts(sim.Channel, ts); len(said) != 2 || !strings.Contains(said[0], "リリースしました") {
			t.Errorf("it is said %q", said)
		}
		asked := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release otama")
		w.Eventually("the question", time.Minute, func() bool { return strings.Contains(strings.Join(w.Texts(sim.Channel, asked), ""), "otama") })
	})
}
