package sim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sim"
)

// made are lost answers to a POST that worked, notMade to one that did not.
var (
	made    = []string{"500 but made", "made and cut", "201 with a page", "201 with half its JSON", "201 with an empty object", "201 cut", "202 without a word", "made and hang"}
	notMade = []string{"500", "502", "503", "504", "520", "408", "409", "425", "499", "cut", "hang"}
)

func TestUnsure(t *testing.T) {
	for _, name := range append(made, "made after the cut", "made late and hang") {
		row(t, "GitLab: "+name+": unsure, then found by listing", func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			w.GitLab.Answer(1, fault(t, name))
			ts := w.Ask("release")
			w.Eventually("the question mark", 80*time.Second, func() bool { return w.ReactionsAdded(ts)["question"] == 1 })
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
			if text := w.Texts(sim.Channel, ts)[0]; !strings.Contains(text, "/-/pipelines/1001") {
				t.Errorf("the pipeline is not linked: %q", text)
			}
			time.Sleep(3 * time.Minute)
			wantPosts(t, w, ts, 1)
		})
	}
	for _, name := range made {
		for result, mark := range map[string]string{"start": "thumbsup", "success": "white_check_mark"} {
			row(t, "GitLab: "+name+", no API token: unsure, settled by the "+result+" call", func(t *testing.T) {
				w := sim.New(t, "GITLAB_API_TOKEN=")
				w.Pipeline = func(p fakegitlab.Pipeline) {
					time.Sleep(90 * time.Second)
					w.Report(p, result)
				}
				w.StartReady("a")
				w.GitLab.Answer(1, fault(t, name))
				ts := w.Ask("release")
				w.WaitReactions(sim.Channel, ts, "question")
				w.WaitMessages(sim.Channel, ts, deploy.MsgStatusUnsure)
				if text := w.Texts(sim.Channel, ts)[0]; !strings.Contains(text, "<http://gitlab.test/group/app/-/pipelines|") {
					t.Errorf("the project's pipelines are not linked: %q", text)
				}
				w.WaitReactions(sim.Channel, ts, mark)
				wantPosts(t, w, ts, 1)
			})
		}
	}
	for _, name := range notMade {
		row(t, "GitLab: "+name+": unsure, then the person is told that there is none, and a new mention starts one", func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			w.GitLab.Answer(1, fault(t, name))
			ts := w.Ask("release")
			time.Sleep(74 * time.Second)
			for _, say := range w.Messages(sim.Channel, ts) {
				if say == deploy.MsgNoneSeen {
					t.Error("it says that there is none before GitLab has certainly ended the request")
				}
			}
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusUnsure, deploy.MsgNoneSeen)
			if text := w.Texts(sim.Channel, ts)[1]; !strings.Contains(text, "<@"+sim.User+">") {
				t.Errorf("it does not name the person: %q", text)
			}
			w.WaitReactions(sim.Channel, ts, "question")
			status, _ := w.Notify("a", "start", sim.Channel, ts, "pipeline=77")
			if status != http.StatusConflict {
				t.Errorf("a start after that got %d, want 409", status)
			}
			time.Sleep(3 * time.Minute)
			wantPosts(t, w, ts, 1)
			again := w.Ask("release")
			w.WaitReactions(sim.Channel, again, "thumbsup")
		})
	}
	row(t, "found by listing after its end: its jobs show at once how it ended", func(t *testing.T) {
		w := sim.New(t)
		w.Pipeline = func(p fakegitlab.Pipeline) {
			w.GitLab.SetJobs(p.ID, buildAndDeploy("failed")...)
			w.GitLab.Finish(p.ID, "success")
		}
		w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "made and cut"))
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "x")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusFailed, deploy.MsgFailed)
		if n := w.ReactionsAdded(ts)["thumbsup"]; n != 0 {
			t.Errorf("it was shown as running %d times", n)
		}
		wantPosts(t, w, ts, 1)
	})
	row(t, "none was found: it stays unsure until the deadline, then it is silent", func(t *testing.T) {
		w := sim.New(t, "DEPLOY_TIMEOUT=10m")
		w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "cut"))
		ts := w.Ask("release")
		time.Sleep(9*time.Minute + 50*time.Second)
		w.WaitReactions(sim.Channel, ts, "question")
		waitReaction(w, ts, 15*time.Second, "zzz")
		wantPosts(t, w, ts, 1)
	})
	row(t, "a failed look-up proves nothing: nobody is told that there is none", func(t *testing.T) {
		w := sim.New(t, "DEPLOY_TIMEOUT=10m")
		w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "made and cut"))
		w.GitLab.FailLookUps(-1, "/pipelines", fakegitlab.Fault{Status: 500, Body: "{}"})
		ts := w.Ask("release")
		time.Sleep(5 * time.Minute)
		w.WaitReactions(sim.Channel, ts, "question")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusUnsure)
		w.GitLab.Heal()
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPosts(t, w, ts, 1)
	})
	for who, clocks := range map[string]struct{ redis, gitlab time.Duration }{
		"Redis's is ahead":      {150 * time.Second, 0},
		"GitLab's is behind":    {0, -150 * time.Second},
		"Redis's, by an hour":   {time.Hour, 0},
		"GitLab's, by an hour":  {0, -time.Hour},
		"GitLab's is ahead":     {0, time.Hour},
		"Redis's is behind":     {-time.Hour, 0},
		"both are, by far":      {-time.Hour, time.Hour},
		"both are, by far more": {time.Hour, -time.Hour},
	} {
		row(t, "clocks differ, "+who+": a pipeline is found, and nobody is told that there is none", func(t *testing.T) {
			w := sim.New(t)
			w.RedisClock(clocks.redis)
			w.GitLab.SetClock(clocks.gitlab)
			w.StartReady("a")
			w.GitLab.Answer(1, fault(t, "made and cut"))
			ts := w.Ask("release")
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			time.Sleep(3 * time.Minute)
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
			wantPosts(t, w, ts, 1)
		})
		row(t, "clocks differ, "+who+": if there is none, the person is told", func(t *testing.T) {
			w := sim.New(t)
			w.RedisClock(clocks.redis)
			w.GitLab.SetClock(clocks.gitlab)
			w.StartReady("a")
			w.GitLab.Answer(1, fault(t, "cut"))
			ts := w.Ask("release")
			time.Sleep(3 * time.Minute)
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusUnsure, deploy.MsgNoneSeen)
		})
	}
	row(t, "Redis's clock is set back by an hour while the POST is in flight: its pipeline is still found", func(t *testing.T) {
		w := sim.New(t, "DEPLOY_TIMEOUT=3h")
		w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "made and hang"))
		ts := w.Ask("release")
		time.Sleep(3 * time.Second)
		w.RedisClock(-time.Hour)
		time.Sleep(70 * time.Minute)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
		wantPosts(t, w, ts, 1)
	})
	row(t, "a crash leaves the POST in flight, and Redis's clock is set ahead by an hour: nobody is told too early that there is none", func(t *testing.T) {
		w := sim.New(t, "DEPLOY_TIMEOUT=3h")
		w.GitLab.Answer(1, fault(t, "made late and hang"))
		a := w.StartReady("a")
		a.Arm(&sim.Fault{At: sim.Op{Kind: "gitlab:trigger", N: 1}, Kind: sim.DieAfter})
		ts := w.Ask("release")
		w.Eventually("a is dead", time.Minute, a.Dead)
		w.RedisClock(time.Hour)
		w.StartReady("b")
		w.WaitReactions(sim.Channel, ts, "question")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
		wantPosts(t, w, ts, 1)
	})
	row(t, "its name contains another UUID: it is found by its variables", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "made and cut"))
		ts := w.Slack.Say(sim.User, sim.Two, sim.Bot+" release web")
		w.WaitReactions(sim.Two, ts, "thumbsup")
		time.Sleep(3 * time.Minute)
		w.WaitMessages(sim.Two, ts, deploy.MsgStatusRunning)
	})
	row(t, "its name contains another UUID, and variables are hidden: nobody is told that there is none", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "made and cut"))
		w.GitLab.FailLookUps(-1, "/variables", fakegitlab.Fault{Status: http.StatusForbidden, Body: `{"message":"403 Forbidden"}`})
		ts := w.Slack.Say(sim.User, sim.Two, sim.Bot+" release web")
		time.Sleep(5 * time.Minute)
		w.WaitReactions(sim.Two, ts, "question")
		w.WaitMessages(sim.Two, ts, deploy.MsgStatusUnsure)
	})
	row(t, "the project was renamed: the pipeline of a lost answer is found, and so is an end without a callback", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a", fmt.Sprintf(`GITLAB_TRIGGER_TOKENS={%q:{%q:{"app":{"project_id":"group/before","token":%q}}}}`, sim.Team, sim.Channel, sim.TriggerToken))
		w.GitLab.Answer(1, fault(t, "made and cut"))
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.GitLab.Finish(w.GitLab.Pipelines()[0].ID, "canceled")
		waitReaction(w, ts, 15*time.Second, "no_entry_sign")
		wantPosts(t, w, ts, 1)
	})
	row(t, "something else answers the look-ups: nobody is told that there is none, and the log says who answers", func(t *testing.T) {
		w := sim.New(t)
		_, log := w.StartLogged("a")
		w.GitLab.Answer(1, fault(t, "cut"))
		w.GitLab.FailLookUps(-1, "/pipelines", fault(t, "a web server's 404"))
		ts := w.Ask("release")
		time.Sleep(5 * time.Minute)
		w.WaitReactions(sim.Channel, ts, "question")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusUnsure)
		if !strings.Contains(log.String(), "something else than GitLab's API, at GITLAB_URL, answered 404: 404 Not Found") {
			t.Error("the log does not say who answers")
		}
	})
}
