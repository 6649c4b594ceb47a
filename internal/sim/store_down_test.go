package sim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sim"
)

// allRedisFailures are redisFailures, and a Redis that does not answer.
func allRedisFailures() map[string]func(w *sim.World, routes *sim.Routes) (heal func()) {
	all := redisFailures()
	all["no answer"] = func(w *sim.World, _ *sim.Routes) func() { return w.HangRedis() }
	return all
}

func TestStoreIsDownAtTheStartInAnyWay(t *testing.T) {
	for name, fail := range allRedisFailures() {
		row(t, name+": it waits, is not ready, and says so in the log and at /readyz; it starts when the store is back", func(t *testing.T) {
			w := sim.New(t)
			routes := w.Routes()
			heal := fail(w, routes)
			a, log := w.StartUnready("a")
			time.Sleep(2 * time.Second)
			if status, why := w.Get("http://a.test:9090/readyz"); status != http.StatusServiceUnavailable || why == "" {
				t.Errorf("readyz says %d %q", status, why)
			}
			if !strings.Contains(log.String(), "waiting for the store") {
				t.Errorf("the log does not say what it waits for:\n%s", log)
			}
			time.Sleep(10 * time.Second)
			status, why := w.Get("http://a.test:9090/readyz")
			if status != http.StatusServiceUnavailable || !strings.Contains(why, "store") {
				t.Errorf("readyz says %d %q, and not that it is the store", status, why)
			}
			a.Arm(nil)
			dials := routes.Dials("redis.test:6379")
			time.Sleep(10 * time.Minute)
			if n := len(redisOps(a)); n > 10*60*2 {
				t.Errorf("%d commands in ten minutes", n)
			}
			if n := routes.Dials("redis.test:6379") - dials; n > 10*60*3 {
				t.Errorf("%d dials in ten minutes", n)
			}
			heal()
			w.Eventually("it is ready", 15*time.Second, func() bool {
				status, _ := w.Get("http://a.test:9090/readyz")
				return status == http.StatusOK
			})
			ts := w.Ask("release")
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			wantPosts(t, w, ts, 1)
		})
	}
}

func redisOps(p *sim.Process) (ops []sim.Op) {
	for _, op := range p.Ops() {
		if strings.HasPrefix(op.Kind, "redis:") && op.Kind != "redis:hello" { // a dial's
			ops = append(ops, op)
		}
	}
	return ops
}

func TestStoreThatIsDownIsNotAskedInABusyLoop(t *testing.T) {
	for name, fail := range allRedisFailures() {
		row(t, name+": few commands and few dials a second, however much there is to do", func(t *testing.T) {
			w := sim.New(t)
			routes := w.Routes()
			a := w.StartReady("a")
			for range 10 {
				ts := w.Ask("release")
				w.WaitReactions(sim.Channel, ts, "thumbsup")
			}
			w.GitLab.Answer(5, fakegitlab.Fault{Make: 1, Delay: 10 * time.Second, Status: http.StatusCreated})
			for range 5 {
				w.Ask("release") // in progress: saving their outcome is retried until it succeeds
			}
			time.Sleep(2 * time.Second)
			heal := fail(w, routes)
			time.Sleep(10 * time.Second)
			a.Arm(nil)
			dials := routes.Dials("redis.test:6379")
			time.Sleep(2 * time.Minute)
			commands, dialled := len(redisOps(a)), routes.Dials("redis.test:6379")-dials
			t.Logf("%d commands and %d dials in 2 minutes", commands, dialled)
			if commands > 2*60*3 || dialled > 2*60*3 {
				t.Errorf("%d commands and %d dials in 2 minutes", commands, dialled)
			}
			heal()
			w.Eventually("all run", time.Minute, func() bool {
				n := 0
				for _, m := range w.Slack.Channel(sim.Channel) {
					if strings.Join(m.Reactions, " ") == "thumbsup" {
						n++
					}
				}
				return n == 15
			})
		})
	}
}

func TestStoreIsSlow(t *testing.T) {
	for _, each := range []time.Duration{200 * time.Millisecond, 600 * time.Millisecond} {
		row(t, each.String()+" for each command: acked in time, deployed once, and its end is shown", func(t *testing.T) {
			w := sim.New(t)
			reportEach(w, "success")
			w.StartReady("a")
			w.StartReady("b")
			first := w.Ask("release")
			w.WaitReactions(sim.Channel, first, "white_check_mark") // Redis knows the scripts
			heal := w.SlowRedis(each)
			defer heal()
			var all []string
			for range 10 {
				all = append(all, w.Ask("release"))
				time.Sleep(3 * time.Second)
			}
			for _, ts := range all {
				w.WaitReactions(sim.Channel, ts, "white_check_mark")
				w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
				wantPosts(t, w, ts, 1)
			}
			for _, d := range w.Slack.Deliveries() {
				if d.AckedAt.IsZero() || d.Attempt > 0 {
					t.Errorf("delivery %d was not acked in time", d.Attempt)
				}
			}
		})
	}
	row(t, "slower than every timeout, and then healthy again: one deploy", func(t *testing.T) {
		w := sim.New(t)
		reportEach(w, "success")
		w.StartReady("a")
		w.StartReady("b")
		heal := w.SlowRedis(1500 * time.Millisecond)
		ts := w.Ask("release")
		time.Sleep(30 * time.Second)
		heal()
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
		w.Eventually("it is acked", 2*time.Minute, func() bool { return acked(w, ts) })
		time.Sleep(time.Minute)
		w.WaitMessages(sim.Channel, ts, deploy.MsgDontKnow, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
		wantPosts(t, w, ts, 1)
	})
}

func TestStoreRestartsOrFailsOver(t *testing.T) {
	for name, happens := range map[string]func(w *sim.World, routes *sim.Routes){
		"it restarts with its data": func(w *sim.World, routes *sim.Routes) {
			routes.Block("redis.test:6379", 0)
			time.Sleep(5 * time.Second)
			routes.Unblock("redis.test:6379")
		},
		"another takes over, and the old one can only be read": func(w *sim.World, _ *sim.Routes) { w.FailOver() },
	} {
		for when, after := range map[string]time.Duration{
			"while the POST is in flight": 2 * time.Second, "while it runs": 12 * time.Second, "while its end is reported": 30*time.Second + 500*time.Millisecond,
		} {
			row(t, name+" "+when+": one deploy, its end is shown once, and the next one works", func(t *testing.T) {
				w := sim.New(t)
				reportEach(w, "success")
				routes := w.Routes()
				w.StartReady("a")
				w.StartReady("b")
				w.GitLab.Answer(1, fakegitlab.Fault{Make: 1, Delay: 10 * time.Second, Status: http.StatusCreated})
				ts := w.Ask("release")
				time.Sleep(after)
				happens(w, routes)
				w.WaitReactions(sim.Channel, ts, "white_check_mark")
				w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
				time.Sleep(2 * time.Minute)
				w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
				wantPosts(t, w, ts, 1)
				again := w.Ask("release")
				w.WaitReactions(sim.Channel, again, "white_check_mark")
				wantPosts(t, w, again, 1)
			})
		}
	}
	row(t, "one error of each kind: no refusal of Redis is taken for success", func(t *testing.T) {
		for _, says := range []string{"MASTERDOWN Link with MASTER is down", "CLUSTERDOWN The cluster is down", "NOREPLICAS Not enough good replicas to write.", "MISCONF Redis is configured to save RDB snapshots"} {
			w := sim.New(t)
			w.StartReady("a")
			w.Redis.SetError(says)
			ts := w.Ask("release")
			w.WaitMessages(sim.Channel, ts, deploy.MsgNotRecorded)
			w.Redis.SetError("")
			time.Sleep(10 * time.Second)
			wantPosts(t, w, ts, 0)
		}
	})
}
