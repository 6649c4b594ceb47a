package sim_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sim"
)

// row tests one promise in a bubble of its own, in parallel with the others of its
// test. A test with a row that takes seconds is itself parallel: else a core would
// idle meanwhile.
func row(t *testing.T, name string, test func(t *testing.T)) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, test)
	})
}

// firstVersionQuery is the call of the scripts of psycher's first version.
func firstVersionQuery(result, channel, ts string) string {
	return sim.NotifyToken + "=true&source=gitlab&result=" + result + "&channel=" + channel + "&timestamp=" + ts
}

// wantPosts checks how many triggers one mention led to.
func wantPosts(t *testing.T, w *sim.World, ts string, want int) {
	t.Helper()
	if n := w.GitLab.PostsFor(sim.Channel, ts); n != want {
		t.Errorf("%d triggers, want %d; thread: %q", n, want, w.Texts(sim.Channel, ts))
	}
}

// reportEach has each pipeline report this result after 20 s.
func reportEach(w *sim.World, result string) {
	w.Pipeline = func(p fakegitlab.Pipeline) {
		time.Sleep(20 * time.Second)
		w.Report(p, result)
	}
}

// waitReaction waits until the mention has just this reaction.
func waitReaction(w *sim.World, ts string, within time.Duration, mark string) {
	w.T.Helper()
	w.Eventually(":"+mark+":", within, func() bool { return slices.Equal(w.Slack.Reactions(sim.Channel, ts), []string{mark}) })
}

func acked(w *sim.World, ts string) bool {
	for _, d := range w.Slack.Deliveries() {
		if d.TS == ts && !d.AckedAt.IsZero() {
			return true
		}
	}
	return false
}

func TestOneDeploymentForOneMention(t *testing.T) {
	for name, again := range map[string]func(w *sim.World, ts string){
		"delivered twice": func(w *sim.World, ts string) { w.Slack.Redeliver(sim.Channel, ts) },
		"an edit re-fires it with a new event_id and the same ts": func(w *sim.World, ts string) {
			w.Slack.Edit(sim.Channel, ts, sim.Bot+" release, please")
		},
	} {
		for _, pause := range []time.Duration{300 * time.Millisecond, 5 * time.Second, time.Minute} {
			row(t, fmt.Sprintf("%s, %s later", name, pause), func(t *testing.T) {
				w := sim.New(t)
				reportEach(w, "success")
				w.StartReady("a")
				w.StartReady("b")
				ts := w.Ask("release")
				time.Sleep(pause)
				again(w, ts)
				w.WaitReactions(sim.Channel, ts, "white_check_mark")
				w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
				time.Sleep(2 * time.Minute)
				w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
				wantPosts(t, w, ts, 1)
			})
		}
	}
	row(t, "delivered to two sockets of two replicas at once", func(t *testing.T) {
		w := sim.New(t)
		reportEach(w, "success")
		w.StartReady("a")
		w.StartReady("b")
		time.Sleep(3 * time.Second)
		w.Slack.Broadcast(true)
		ts := w.Ask("release")
		time.Sleep(time.Second)
		if n := len(w.Slack.Deliveries()); n != 4 {
			t.Fatalf("%d deliveries, want one on each of 4 sockets", n)
		}
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
		wantPosts(t, w, ts, 1)
	})
}

func TestProcessDies(t *testing.T) {
	for name, at := range map[string]sim.Op{
		"before the claim": {Kind: "redis:claim", N: 1},
		"before the ack":   {Kind: "socket:ack", N: 1},
	} {
		row(t, name+": Slack delivers again, one deployment", func(t *testing.T) {
			w := sim.New(t)
			a := w.StartReady("a")
			a.Arm(&sim.Fault{At: at, Kind: sim.DieBefore})
			ts := w.Ask("release")
			w.Eventually("a is dead", time.Minute, a.Dead)
			w.StartReady("b")
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			w.Eventually("it is acked", 2*time.Minute, func() bool { return acked(w, ts) })
			time.Sleep(time.Minute)
			wantPosts(t, w, ts, 1)
		})
	}
	// killed returns a mention whose process acks it, and dies before it does more.
	killed := func(w *sim.World, meanwhile func()) (ts string) {
		a := w.StartReady("a")
		a.Arm(&sim.Fault{At: sim.Op{Kind: "redis:save", N: 1}, Kind: sim.Stall})
		ts = w.Ask("release")
		w.Eventually("the ack", time.Second, func() bool { return acked(w, ts) })
		meanwhile()
		a.Kill()
		return ts
	}
	row(t, "after the ack, before the trigger: another replica takes it up at most 12 s later", func(t *testing.T) {
		w := sim.New(t)
		ts := killed(w, func() { w.StartReady("b") })
		wantPosts(t, w, ts, 0)
		said := deploy.Key{TS: ts}.Time()
		w.Eventually("the trigger", 12*time.Second-time.Since(said), func() bool { return w.GitLab.PostsFor(sim.Channel, ts) == 1 })
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		time.Sleep(2 * time.Minute)
		wantPosts(t, w, ts, 1)
	})
	row(t, "after the ack, before the trigger: its next start takes it up at most 12 s later", func(t *testing.T) {
		w := sim.New(t)
		ts := killed(w, func() {})
		time.Sleep(time.Minute)
		w.Start("a")
		w.Eventually("the trigger", 12*time.Second, func() bool { return w.GitLab.PostsFor(sim.Channel, ts) == 1 })
		w.WaitReactions(sim.Channel, ts, "thumbsup")
	})
	row(t, "after the ack, before the trigger, and the mention has become older than MENTION_MAX_AGE: asked, not deployed", func(t *testing.T) {
		w := sim.New(t)
		ts := killed(w, func() {})
		time.Sleep(2*time.Minute + time.Second)
		w.StartReady("b")
		w.WaitMessages(sim.Channel, ts, deploy.MsgTooLate)
		time.Sleep(time.Minute)
		wantPosts(t, w, ts, 0)
		w.WaitReactions(sim.Channel, ts, "thinking_face")
	})
}

func TestWorkerIsSlow(t *testing.T) {
	t.Parallel()
	row(t, "GitLab takes 30 s: the other replica leaves it alone", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.StartReady("b")
		w.GitLab.Answer(1, fault(t, "slow"))
		ts := w.Ask("release")
		time.Sleep(29 * time.Second)
		w.WaitReactions(sim.Channel, ts, "eyes")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
		wantPosts(t, w, ts, 1)
	})
	row(t, "its process is paused for an hour before the save that allows the POST: another deploys it, once", func(t *testing.T) {
		w := sim.New(t)
		a := w.StartReady("a")
		a.Arm(&sim.Fault{At: sim.Op{Kind: "redis:save", N: 1}, Kind: sim.Suspend})
		ts := w.Ask("release")
		time.Sleep(2 * time.Second)
		w.Start("b")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		time.Sleep(time.Hour + time.Minute)
		wantPosts(t, w, ts, 1)
	})
	row(t, "the POST cannot begin within 5 s of the save: it is not sent then, and there is one deployment", func(t *testing.T) {
		w := sim.New(t)
		routes := w.Routes()
		w.StartReady("a")
		routes.Block("gitlab.test:80", 20*time.Second)
		ts := w.Ask("release")
		time.Sleep(6 * time.Second)
		routes.Unblock("gitlab.test:80")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPosts(t, w, ts, 1)
	})
}

func fault(t *testing.T, name string) fakegitlab.Fault {
	t.Helper()
	f, ok := fakegitlab.Named(name)
	if !ok {
		t.Fatalf("no fault is named %q", name)
	}
	return f
}

func TestGitLabDoesNotRunIt(t *testing.T) {
	row(t, "no connection before a byte was sent: an hourglass, then it deploys when GitLab is back", func(t *testing.T) {
		w := sim.New(t)
		routes := w.Routes()
		w.StartReady("a")
		routes.Block("gitlab.test:80", 0)
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
		w.WaitMessages(sim.Channel, ts, deploy.MsgWaitUnreachable)
		time.Sleep(2 * time.Minute)
		w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
		routes.Unblock("gitlab.test:80")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
		wantPosts(t, w, ts, 1)
	})
	row(t, "no connection for 5 minutes: refused, GitLab cannot be reached", func(t *testing.T) {
		w := sim.New(t)
		routes := w.Routes()
		w.StartReady("a")
		routes.Block("gitlab.test:80", 0)
		ts := w.Ask("release")
		time.Sleep(4*time.Minute + 45*time.Second)
		w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
		waitReaction(w, ts, 17*time.Second, "x")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRefused, deploy.MsgRefusedUnreachable)
		routes.Unblock("gitlab.test:80")
		time.Sleep(5 * time.Minute)
		wantPosts(t, w, ts, 0)
	})
	for name, least := range map[string]time.Duration{
		"rate limit of a proxy": 30 * time.Second, "rate limit of the application": time.Minute,
		"rate limit without a header": time.Minute, "too many pipelines": time.Minute,
	} {
		row(t, "GitLab: "+name+": it waits, then deploys", func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			w.GitLab.Answer(1, fault(t, name))
			ts := w.Ask("release")
			w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
			w.WaitMessages(sim.Channel, ts, deploy.MsgWaitRate)
			time.Sleep(least - 2*time.Second)
			wantPosts(t, w, ts, 1)
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
			wantPosts(t, w, ts, 2)
			if n := len(w.GitLab.Pipelines()); n != 1 {
				t.Errorf("%d pipelines", n)
			}
		})
	}
	row(t, "GitLab answers 429 for 5 minutes: refused, and nothing is sent past that", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.GitLab.Answer(-1, fault(t, "rate limit of the application"))
		ts := w.Ask("release")
		waitReaction(w, ts, 5*time.Minute+2*time.Second, "x")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRefused, deploy.MsgRefusedRate)
		n := w.GitLab.PostsFor(sim.Channel, ts)
		time.Sleep(10 * time.Minute)
		wantPosts(t, w, ts, n)
	})
	for name, link := range map[string]string{
		"failed pipeline, 422": "http://gitlab.test/group/app/-/pipelines",
		"failed pipeline, 201": "http://gitlab.test/group/app/-/pipelines/1001",
	} {
		row(t, "GitLab: "+name+": failed, with its link", func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			w.GitLab.Answer(1, fault(t, name))
			ts := w.Ask("release")
			w.WaitReactions(sim.Channel, ts, "x")
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusFailed, deploy.MsgFailed)
			for _, text := range w.Texts(sim.Channel, ts) {
				if !strings.Contains(text, "<"+link+"|") || strings.Contains(text, "何も始めていません") {
					t.Errorf("want the link %s, and not that nothing was started: %q", link, text)
				}
			}
			wantPosts(t, w, ts, 1)
		})
	}
}

func TestFullRefFixesAnAmbiguousOne(t *testing.T) {
	row(t, "a branch and a tag of the same name: it says how to write the ref, and written that way it starts", func(t *testing.T) {
		w := sim.New(t)
		p := w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "ref is ambiguous"))
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "x")
		w.WaitMessages(sim.Channel, ts, deploy.MsgRefusedAmbiguous)
		if text := w.Texts(sim.Channel, ts)[0]; !strings.Contains(text, "`refs/heads/master`") {
			t.Errorf("it does not say how: %q", text)
		}
		stop(t, p)
		w.StartReady("b", "GITLAB_REF=refs/heads/master")
		ts = w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPosts(t, w, ts, 1)
	})
}

func TestRefusalsNameTheFixAndNoSecret(t *testing.T) {
	refusals := append(append(fakegitlab.Refusals(), fakegitlab.Strangers()...), fault(t, "redirect, 301"), fault(t, "redirect, 307"), fakegitlab.Fault{
		Name: "its tokens in the answer", Status: 400,
		Body: `{"message":{"base":["token ` + sim.TriggerToken + ` and ` + sim.APIToken + ` are odd"]}}`,
	})
	row(t, "another 4xx or 3xx: nothing was started, and why", func(t *testing.T) {
		w := sim.New(t)
		_, log := w.StartLogged("a", "LOG_LEVEL=trace")
		for _, f := range refusals {
			before := len(w.GitLab.Pipelines())
			w.GitLab.Answer(1, f)
			ts := w.Ask("release")
			w.WaitReactions(sim.Channel, ts, "x")
			w.Eventually(f.Name+": one text", time.Minute, func() bool { return len(w.Texts(sim.Channel, ts)) == 1 })
			texts := w.Texts(sim.Channel, ts)
			if said := w.Messages(sim.Channel, ts)[0]; !strings.HasPrefix(string(said), "refused-") {
				t.Errorf("%s: said %s", f.Name, said)
			}
			if !strings.HasPrefix(texts[0], "何も始めていません") {
				t.Errorf("%s: it does not begin by saying that nothing was started: %q", f.Name, texts)
			}
			wantPosts(t, w, ts, 1)
			if n := len(w.GitLab.Pipelines()); n != before {
				t.Errorf("%s: it made %d pipelines", f.Name, n-before)
			}
		}
		w.Notify("a", "success", sim.Channel, "1.1")
		w.Call(http.MethodGet, "a", "wrong=true&source=gitlab", "", "")
		for _, secret := range []string{sim.TriggerToken, sim.APIToken, sim.NotifyToken, "xoxb-test", "xapp-test", "user:word"} {
			if strings.Contains(log.String(), secret) {
				t.Errorf("the log holds %s", secret)
			}
			for _, c := range w.Slack.CallLog("") {
				if strings.Contains(c.Form.Encode(), secret) {
					t.Errorf("a call to Slack holds %s: %s", secret, c.Form)
				}
			}
		}
		if !strings.Contains(log.String(), "triggered") {
			t.Error("nothing was logged, so nothing was checked")
		}
	})
}

func TestSlacksWebAPIFails(t *testing.T) {
	for name, f := range map[string]fakeslack.Fault{
		"429": fakeslack.RateLimited(3 * time.Second), "429 with a fraction": fakeslack.RateLimitedFraction(),
		"200 with ratelimited": fakeslack.RateLimitedOK(), "500": fakeslack.Broken(), "503": fakeslack.Unavailable(),
		"a cut": fakeslack.Cut(), "not at all": fakeslack.Hang(), "a lost answer": fakeslack.LoseAnswer(),
	} {
		row(t, "Slack's Web API answers "+name+": all is shown in the end, each reaction once", func(t *testing.T) {
			w := sim.New(t)
			reportEach(w, "failure")
			w.StartReady("a")
			for _, method := range []string{"reactions.add", "chat.postMessage", "chat.update", "reactions.remove"} {
				w.Slack.Fail(method, 3, f)
			}
			ts := w.Ask("release")
			w.Eventually("the trigger, which waits for no message", time.Second, func() bool { return w.GitLab.PostsFor(sim.Channel, ts) == 1 })
			w.Eventually("everything is shown", 5*time.Minute, func() bool {
				said := w.Messages(sim.Channel, ts)
				return len(said) == 2 && said[0] == deploy.MsgStatusFailed && said[1] == deploy.MsgFailed &&
					strings.Join(w.Slack.Reactions(sim.Channel, ts), " ") == "x"
			})
			time.Sleep(2 * time.Minute)
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusFailed, deploy.MsgFailed)
			w.WaitReactions(sim.Channel, ts, "x")
			for name, n := range w.ReactionsAdded(ts) {
				if n > 1 {
					t.Errorf("%d times :%s:", n, name)
				}
			}
			wantPosts(t, w, ts, 1)
		})
	}
}
