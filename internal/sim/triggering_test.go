package sim_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sim"
)

// tokens are the two ways to run the bot: GitLab can be polled, or not.
var tokens = map[string]string{"with an API token": "GITLAB_API_TOKEN=" + sim.APIToken, "without an API token": "GITLAB_API_TOKEN="}

// modern has each pipeline do what the modern CI file does: it asks first whether
// it may deploy. It counts the pipelines that deployed.
func modern(w *sim.World, before func(p fakegitlab.Pipeline)) (deployed *atomic.Int64) {
	deployed = new(atomic.Int64)
	w.Pipeline = func(p fakegitlab.Pipeline) {
		before(p)
		if !w.Report(p, "start") {
			w.GitLab.Finish(p.ID, "failed")
			w.Report(p, "failure")
			return
		}
		deployed.Add(1)
		time.Sleep(20 * time.Second)
		w.GitLab.Finish(p.ID, "success")
		w.Report(p, "success")
	}
	return deployed
}

func after(d time.Duration) func(fakegitlab.Pipeline) {
	return func(fakegitlab.Pipeline) { time.Sleep(d) }
}

// crashed returns a mention whose process died at its POST, and starts another.
func crashed(t *testing.T, w *sim.World, how sim.FaultKind) (ts string) {
	t.Helper()
	a := w.StartReady("a")
	a.Arm(&sim.Fault{At: sim.Op{Kind: "gitlab:trigger", N: 1}, Kind: how})
	ts = w.Ask("release")
	w.Eventually("a is dead", time.Minute, a.Dead)
	w.StartReady("b")
	return ts
}

func TestCrashDuringTheTrigger(t *testing.T) {
	for name, token := range tokens {
		for fault, made := range map[string]fakegitlab.Fault{
			"":                   {Make: 1, Status: http.StatusCreated},
			", GitLab late":      fault(t, "made late and hang"),
			", GitLab cuts late": fault(t, "made after the cut"),
		} {
			row(t, name+": it died after its POST"+fault+": unsure, then one deploy", func(t *testing.T) {
				w := sim.New(t, token)
				deployed := modern(w, after(100*time.Second))
				w.GitLab.Answer(1, made)
				ts := crashed(t, w, sim.DieAfter)
				w.Eventually("the question mark", 75*time.Second, func() bool { return w.ReactionsAdded(ts)["question"] == 1 })
				w.WaitReactions(sim.Channel, ts, "thumbsup")
				w.WaitReactions(sim.Channel, ts, "white_check_mark")
				w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
				time.Sleep(3 * time.Minute)
				wantPosts(t, w, ts, 1)
				if n := deployed.Load(); n != 1 {
					t.Errorf("%d deploys", n)
				}
			})
		}
		row(t, name+": it died after its POST, and the pipeline reports its end before another process takes over", func(t *testing.T) {
			w := sim.New(t, token)
			reportEach(w, "success")
			ts := crashed(t, w, sim.DieAfter)
			w.Eventually("the end", 30*time.Second, func() bool { return w.ReactionsAdded(ts)["white_check_mark"] == 1 })
			time.Sleep(3 * time.Minute)
			w.WaitReactions(sim.Channel, ts, "white_check_mark")
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
			wantPosts(t, w, ts, 1)
		})
	}
	row(t, "with an API token: it died before its POST: the person is told that there is no pipeline, and a new mention starts one", func(t *testing.T) {
		w := sim.New(t)
		ts := crashed(t, w, sim.DieBefore)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusUnsure, deploy.MsgNoneSeen)
		if text := w.Texts(sim.Channel, ts)[1]; !strings.Contains(text, "<@"+sim.User+">") {
			t.Errorf("it does not name the person: %q", text)
		}
		w.WaitReactions(sim.Channel, ts, "question")
		wantPosts(t, w, ts, 0)
		again := w.Ask("release")
		w.WaitReactions(sim.Channel, again, "thumbsup")
	})
	row(t, "without an API token: it died before its POST: it says that this is not known, and is silent at its deadline", func(t *testing.T) {
		w := sim.New(t, "GITLAB_API_TOKEN=", "DEPLOY_TIMEOUT=10m")
		ts := crashed(t, w, sim.DieBefore)
		w.WaitReactions(sim.Channel, ts, "question")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusUnsure)
		if text := w.Texts(sim.Channel, ts)[0]; !strings.Contains(text, "<http://gitlab.test/group/app/-/pipelines|") {
			t.Errorf("the project's pipelines are not linked: %q", text)
		}
		time.Sleep(8 * time.Minute)
		waitReaction(w, ts, 2*time.Minute, "zzz")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSilent, deploy.MsgSilent)
		wantPosts(t, w, ts, 0)
	})
}

func TestLatePipelineWithoutAPITokenIsOneDeploy(t *testing.T) {
	for _, name := range []string{"made after the cut", "made late and hang"} {
		row(t, "GitLab: "+name+": unsure, then its start call settles it", func(t *testing.T) {
			w := sim.New(t, "GITLAB_API_TOKEN=")
			deployed := modern(w, after(90*time.Second))
			w.StartReady("a")
			w.GitLab.Answer(1, fault(t, name))
			ts := w.Ask("release")
			w.WaitReactions(sim.Channel, ts, "question")
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusUnsure)
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			w.WaitReactions(sim.Channel, ts, "white_check_mark")
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
			time.Sleep(3 * time.Minute)
			wantPosts(t, w, ts, 1)
			if n := deployed.Load(); n != 1 {
				t.Errorf("%d deploys", n)
			}
		})
	}
}

func TestOneRequestThatMakesTwoPipelinesIsOneDeploy(t *testing.T) {
	for name, token := range tokens {
		for _, made := range []string{"made twice", "made twice and cut"} {
			for _, first := range []int64{1001, 1002} {
				row(t, fmt.Sprintf("%s, %s, %d asks first: the other gets 409 and stops before it deploys", name, made, first), func(t *testing.T) {
					w := sim.New(t, token)
					deployed := modern(w, func(p fakegitlab.Pipeline) {
						if p.ID != first {
							time.Sleep(30 * time.Second)
						}
					})
					w.StartReady("a")
					w.GitLab.Answer(1, fault(t, made))
					ts := w.Ask("release")
					w.WaitReactions(sim.Channel, ts, "white_check_mark")
					w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
					time.Sleep(3 * time.Minute)
					w.WaitReactions(sim.Channel, ts, "white_check_mark")
					w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
					wantPosts(t, w, ts, 1)
					if n := deployed.Load(); n != 1 {
						t.Errorf("%d of the two deployed", n)
					}
					if all := w.GitLab.Pipelines(); len(all) != 2 {
						t.Errorf("%d pipelines, so nothing was tested", len(all))
					}
					for _, p := range w.GitLab.Pipelines() {
						if text := w.Texts(sim.Channel, ts)[0]; p.Status != "success" && strings.Contains(text, fmt.Sprintf("/%d|", p.ID)) {
							t.Errorf("the one that deployed nothing is linked: %q", text)
						}
					}
				})
			}
		}
	}
}

func TestMissingTokenRightsAreNamedAtTheStart(t *testing.T) {
	named := func(log, words string) (lines int) {
		for line := range strings.Lines(log) {
			if strings.Contains(line, `"message":"checked"`) && !strings.Contains(line, `"verdict":"ok"`) && strings.Contains(line, words) {
				lines++
			}
		}
		return lines
	}
	denied := fakegitlab.Fault{Status: http.StatusForbidden, Body: `{"message":"403 Forbidden"}`}
	row(t, "it cannot list: a line for each project", func(t *testing.T) {
		w := sim.New(t)
		w.GitLab.FailLookUps(-1, "/pipelines", denied)
		_, log := w.StartLogged("a")
		time.Sleep(time.Minute)
		for _, project := range []string{"group/app", "2", "group/web"} {
			if n := named(log.String(), `"about":"`+project+`","verdict":"fault"`); n != 1 {
				t.Errorf("%d lines for %s, want 1", n, project)
			}
		}
		if n := named(log.String(), "the role Reporter in "); n != 3 {
			t.Errorf("%d lines name the right and the fix, want 3", n)
		}
	})
	row(t, "it cannot read variables: a line for the one project that needs it", func(t *testing.T) {
		w := sim.New(t)
		for _, project := range []string{"group/app", "2"} { // the first has workflow:name
			w.GitLab.Make(project, "trigger", "master", map[string]string{"PSYCHER_ID": "0f8fad5b-d9cb-469f-a165-70867728950e"})
		}
		w.GitLab.FailLookUps(-1, "/variables", denied)
		_, log := w.StartLogged("a")
		time.Sleep(time.Minute)
		if n := named(log.String(), "GITLAB_API_TOKEN"); n != 1 || named(log.String(), `"about":"2","verdict":"cannot see"`) != 1 {
			t.Errorf("%d lines, want 1, for project 2:\n%s", n, log)
		}
	})
	row(t, "it lacks nothing: no line", func(t *testing.T) {
		w := sim.New(t)
		w.GitLab.Make("2", "trigger", "master", nil)
		_, log := w.StartLogged("a")
		time.Sleep(time.Minute)
		if n := named(log.String(), "GITLAB_API_TOKEN"); n != 0 {
			t.Errorf("%d lines:\n%s", n, log)
		}
	})
}
