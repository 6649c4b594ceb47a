package sim_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sim"
)

func TestClocksJump(t *testing.T) {
	t.Parallel()
	for _, by := range []time.Duration{-time.Hour, -30 * time.Second, 30 * time.Second, time.Hour} {
		for when, after := range map[string]time.Duration{"while the POST is in flight": 3 * time.Second, "while it runs": 15 * time.Second} {
			row(t, "Redis's by "+by.String()+" "+when+": one deploy, and its end is shown; so is the next", func(t *testing.T) {
				w := sim.New(t, "GITLAB_API_TOKEN=")
				reportEach(w, "success")
				w.StartReady("a")
				w.StartReady("b")
				w.GitLab.Answer(1, fakegitlab.Fault{Make: 1, Delay: 10 * time.Second, Status: http.StatusCreated})
				ts := w.Ask("release")
				time.Sleep(after)
				w.RedisClock(by)
				w.WaitReactions(sim.Channel, ts, "white_check_mark")
				again := w.Ask("release")
				w.WaitReactions(sim.Channel, again, "white_check_mark")
				time.Sleep(2 * time.Minute)
				for _, ts := range []string{ts, again} {
					w.WaitReactions(sim.Channel, ts, "white_check_mark")
					wantPosts(t, w, ts, 1)
				}
				w.WaitMessages(sim.Channel, again, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
			})
		}
	}
	row(t, "Redis's by an hour back while it waits: it never starts an hour late", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "rate limit of the application"))
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
		w.RedisClock(-time.Hour)
		time.Sleep(70 * time.Minute)
		wantPosts(t, w, ts, 1)
		w.WaitReactions(sim.Channel, ts, "x")
	})
	for _, by := range []time.Duration{-time.Hour, time.Hour} {
		row(t, "Slack's by "+by.String()+": the next mention is deployed once, or asked about; then everything is as usual", func(t *testing.T) {
			w := sim.New(t)
			reportEach(w, "success")
			w.StartReady("a")
			before := w.Ask("release")
			w.WaitReactions(sim.Channel, before, "thumbsup")
			w.Slack.SetClock(by)
			ts := w.Ask("release")
			time.Sleep(time.Minute)
			said := w.Messages(sim.Channel, ts)
			switch n := w.GitLab.PostsFor(sim.Channel, ts); {
			case n == 1:
				w.WaitReactions(sim.Channel, ts, "white_check_mark")
			case n > 1 || len(said) != 1 || said[0] != deploy.MsgTooLate && said[0] != deploy.MsgForgotten:
				t.Errorf("%d triggers, and it said %q", n, said)
			}
			w.WaitReactions(sim.Channel, before, "white_check_mark")
			time.Sleep(by.Abs())
			again := w.Ask("release")
			w.WaitReactions(sim.Channel, again, "white_check_mark")
			wantPosts(t, w, again, 1)
		})
	}
}

func TestRecordsExpire(t *testing.T) {
	row(t, "after KEEP only the birth and names are kept, nothing is due without a record, and nothing starts again", func(t *testing.T) {
		w := sim.New(t, "KEEP=1000h", "GITLAB_TRIGGER_TOKENS="+sim.Targets(""))
		a := w.StartReady("a")
		ended := w.Ask("release")
		w.WaitReactions(sim.Channel, ended, "thumbsup")
		w.Notify("a", "success", sim.Channel, ended)
		w.WaitReactions(sim.Channel, ended, "white_check_mark")
		running := w.Ask("release")
		w.WaitReactions(sim.Channel, running, "thumbsup")
		time.Sleep(time.Minute)
		stop(t, a)
		time.Sleep(990 * time.Hour)
		if got := len(w.Redis.Keys()); got != 8 { // two records, what is due, what is open, what goes on of the target, its history and successes, the birth
			t.Errorf("%d keys after 990 hours: %q", got, w.Redis.Keys())
		}
		time.Sleep(10 * time.Hour)
		w.StartReady("b")
		time.Sleep(10 * time.Second)
		active, history, successes := "{psycher}:active:T0TEAM:group/app:master:RELEASE", "{psycher}:history:T0TEAM:group/app:master:RELEASE", "{psycher}:successes:T0TEAM:group/app:master:RELEASE"
		if keys := w.Redis.Keys(); !slices.Equal(keys, []string{active, "{psycher}:birth", history, successes}) {
			t.Errorf("it keeps %q", keys)
		}
		for _, ts := range []string{ended, running} {
			if status, body := w.Notify("b", "success", sim.Channel, ts); status != http.StatusNotFound {
				t.Errorf("a callback got %d %s", status, body)
			}
			w.Slack.Redeliver(sim.Channel, ts)
		}
		time.Sleep(time.Minute)
		for _, ts := range []string{ended, running} {
			wantPosts(t, w, ts, 1)
			said := w.Messages(sim.Channel, ts)
			if last := said[len(said)-1]; last != deploy.MsgTooLate {
				t.Errorf("it said %q", said)
			}
		}
		next := w.Ask("release") // its names take the place of the old ones
		w.WaitReactions(sim.Channel, next, "thumbsup")
		w.Notify("b", "success", sim.Channel, next)
		w.WaitReactions(sim.Channel, next, "white_check_mark")
		if w.Redis.Exists(active) {
			t.Error("it keeps the name of what once went on")
		}
		for _, key := range []string{history, successes} {
			if names, err := w.Redis.ZMembers(key); err != nil || !slices.Equal(names, []string{"T0TEAM:C0APP:" + next}) {
				t.Errorf("%s has %q, %v", key, names, err)
			}
		}
	})
}

func TestMachineSleepsForAnHour(t *testing.T) {
	for when, after := range map[string]time.Duration{
		"before the trigger": 0, "while the POST is in flight": 3 * time.Second,
		"while it runs": 15 * time.Second, "when its end is told": 30*time.Second + 20*time.Millisecond, "when its end is shown": 31 * time.Second,
	} {
		for name, token := range tokens {
			row(t, name+": all replicas sleep "+when+": nothing happens twice, and the end is shown", func(t *testing.T) {
				w := sim.New(t, token, "DEPLOY_TIMEOUT=3h")
				w.Pipeline = func(p fakegitlab.Pipeline) {
					time.Sleep(20 * time.Second)
					w.GitLab.Finish(p.ID, "success")
					if after < 30*time.Second { // no process takes the call: somebody runs the job again
						time.Sleep(62 * time.Minute)
					}
					w.Report(p, "success")
				}
				a, b := w.StartReady("a"), w.StartReady("b")
				time.Sleep(3 * time.Second)
				w.GitLab.Answer(1, fakegitlab.Fault{Make: 1, Delay: 10 * time.Second, Status: http.StatusCreated})
				first := &sim.Fault{At: sim.Op{Kind: "redis:save", N: 1}, Kind: sim.Suspend}
				if after == 0 { // whichever of them is at the save that allows the POST
					a.Arm(first)
					b.Arm(first)
				}
				ts := w.Ask("release")
				w.Eventually("the save", time.Second, func() bool { return after > 0 || first.Hit() })
				time.Sleep(after)
				a.Suspend(time.Hour)
				b.Suspend(time.Hour)
				time.Sleep(time.Hour + 2*time.Minute)
				n := len(w.GitLab.Pipelines())
				if n > 1 || n != w.GitLab.PostsFor(sim.Channel, ts) {
					t.Errorf("%d pipelines of %d triggers", n, w.GitLab.PostsFor(sim.Channel, ts))
				}
				time.Sleep(5 * time.Minute)
				if n == 0 {
					w.WaitMessages(sim.Channel, ts, deploy.MsgTooLate)
				} else {
					w.WaitReactions(sim.Channel, ts, "white_check_mark")
					w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
				}
				wantPosts(t, w, ts, n)
			})
		}
	}
	row(t, "with an API token, and nobody calls: the end is found within 15 s of its waking", func(t *testing.T) {
		w := sim.New(t, "DEPLOY_TIMEOUT=3h")
		a, b := w.StartReady("a"), w.StartReady("b")
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		a.Suspend(time.Hour)
		b.Suspend(time.Hour)
		w.GitLab.Finish(w.GitLab.Pipelines()[0].ID, "failed")
		time.Sleep(time.Hour)
		waitReaction(w, ts, 15*time.Second, "x")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusFailed, deploy.MsgFailed)
	})
}
