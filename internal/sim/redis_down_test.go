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

// redisFailures are the ways in which Redis certainly does nothing.
func redisFailures() map[string]func(w *sim.World, routes *sim.Routes) (heal func()) {
	says := func(err string) func(w *sim.World, routes *sim.Routes) func() {
		return func(w *sim.World, _ *sim.Routes) func() {
			w.Redis.SetError(err)
			return func() { w.Redis.SetError("") }
		}
	}
	return map[string]func(w *sim.World, routes *sim.Routes) (heal func()){
		"no connection": func(_ *sim.World, routes *sim.Routes) func() {
			routes.Block("redis.test:6379", 0)
			time.Sleep(5 * time.Second) // a cut connection is noticed when it is used
			return func() { routes.Unblock("redis.test:6379") }
		},
		"READONLY":      says("READONLY You can't write against a read only replica."),
		"LOADING":       says("LOADING Redis is loading the dataset in memory"),
		"out of memory": says("OOM command not allowed when used memory > 'maxmemory'."),
	}
}

func TestRedisIsDown(t *testing.T) {
	for name, fail := range redisFailures() {
		row(t, name+": the person is told at once that nothing was started, and it is acked within 3 s", func(t *testing.T) {
			w := sim.New(t)
			routes := w.Routes()
			w.StartReady("a")
			heal := fail(w, routes)
			ts := w.Ask("release")
			w.Eventually("the ack", 3*time.Second, func() bool { return acked(w, ts) })
			w.WaitMessages(sim.Channel, ts, deploy.MsgNotRecorded)
			if d := w.Slack.Deliveries(); len(d) != 1 || d[0].Late {
				t.Errorf("it took more than the first delivery: %v", d)
			}
			time.Sleep(20 * time.Second)
			w.Slack.Redeliver(sim.Channel, ts)
			time.Sleep(10 * time.Second)
			heal()
			w.Eventually("it is back", 10*time.Second, func() bool {
				status, _ := w.Get("http://a.test:9090/readyz")
				return status == http.StatusOK
			})
			w.Slack.Redeliver(sim.Channel, ts) // claimed as answered meanwhile
			time.Sleep(time.Minute)
			w.WaitMessages(sim.Channel, ts, deploy.MsgNotRecorded)
			wantPosts(t, w, ts, 0)
		})
		row(t, name+": the mention is claimed as answered, also for a process that starts later", func(t *testing.T) {
			w := sim.New(t)
			routes := w.Routes()
			a := w.StartReady("a")
			heal := fail(w, routes)
			ts := w.Ask("release")
			w.WaitMessages(sim.Channel, ts, deploy.MsgNotRecorded)
			heal()
			time.Sleep(5 * time.Second)
			a.Kill()
			w.StartReady("b")
			w.Slack.Redeliver(sim.Channel, ts)
			time.Sleep(time.Minute)
			w.WaitMessages(sim.Channel, ts, deploy.MsgNotRecorded)
			wantPosts(t, w, ts, 0)
		})
		row(t, name+": callbacks get 503 with Retry-After, readiness fails, and all recovers by itself", func(t *testing.T) {
			w := sim.New(t, "GITLAB_API_TOKEN=")
			routes := w.Routes()
			w.StartReady("a")
			ts := w.Ask("release")
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			heal := fail(w, routes)
			time.Sleep(3 * time.Second)
			status, header, body := w.Call(http.MethodGet, "a", firstVersionQuery("success", sim.Channel, ts), "", "")
			if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
				t.Errorf("the callback got %d, Retry-After %q, %s", status, header.Get("Retry-After"), body)
			}
			if status, _ := w.Get("http://a.test:9090/readyz"); status != http.StatusServiceUnavailable {
				t.Errorf("readyz says %d", status)
			}
			time.Sleep(time.Minute)
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			heal()
			time.Sleep(10 * time.Second)
			if status, body := w.Notify("a", "success", sim.Channel, ts); status != http.StatusOK {
				t.Errorf("the callback got %d %s when Redis was back", status, body)
			}
			w.WaitReactions(sim.Channel, ts, "white_check_mark")
			again := w.Ask("release")
			w.WaitReactions(sim.Channel, again, "thumbsup")
			wantPosts(t, w, again, 1)
		})
	}
	row(t, "no answer: no ack, and from the second delivery on the person is told, once, that the state is not known", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		heal := w.HangRedis()
		ts := w.Ask("release")
		time.Sleep(2900 * time.Millisecond)
		w.WaitMessages(sim.Channel, ts)
		w.WaitMessages(sim.Channel, ts, deploy.MsgDontKnow)
		if n := len(w.Slack.Deliveries()); n != 2 {
			t.Errorf("told at delivery %d, want the second", n)
		}
		time.Sleep(70 * time.Second) // a third delivery
		w.WaitMessages(sim.Channel, ts, deploy.MsgDontKnow)
		if d := w.Slack.Deliveries(); len(d) != 3 || acked(w, ts) {
			t.Errorf("want 3 deliveries and no ack: %+v", d)
		}
		wantPosts(t, w, ts, 0)
		heal()
		time.Sleep(7 * time.Minute) // and a fourth: recorded, but too old by now
		if !acked(w, ts) {
			t.Error("it is never acked")
		}
		w.WaitMessages(sim.Channel, ts, deploy.MsgDontKnow, deploy.MsgTooLate)
		wantPosts(t, w, ts, 0)
	})
	row(t, "no answer, then it is back in time: the third delivery deploys, once", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		heal := w.HangRedis()
		ts := w.Ask("release")
		w.WaitMessages(sim.Channel, ts, deploy.MsgDontKnow)
		heal()
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.WaitMessages(sim.Channel, ts, deploy.MsgDontKnow, deploy.MsgStatusRunning)
		time.Sleep(time.Minute)
		wantPosts(t, w, ts, 1)
	})
	row(t, "no answer: callbacks get 503 with Retry-After", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		heal := w.HangRedis()
		status, header, body := w.Call(http.MethodGet, "a", firstVersionQuery("success", sim.Channel, ts), "", "")
		if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
			t.Errorf("the callback got %d, Retry-After %q, %s", status, header.Get("Retry-After"), body)
		}
		heal()
	})
	row(t, "down when GitLab's answer comes: saving the answer is retried until it succeeds", func(t *testing.T) {
		w := sim.New(t, "GITLAB_API_TOKEN=")
		routes := w.Routes()
		w.StartReady("a")
		w.GitLab.Answer(1, fakegitlab.Fault{Make: 1, Delay: 5 * time.Second, Status: http.StatusCreated})
		ts := w.Ask("release")
		time.Sleep(2 * time.Second)
		routes.Block("redis.test:6379", 0)
		time.Sleep(40 * time.Second)
		wantPosts(t, w, ts, 1)
		routes.Unblock("redis.test:6379")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
		wantPosts(t, w, ts, 1)
	})
}

func TestRedisLosesItsData(t *testing.T) {
	for name, again := range map[string]func(w *sim.World, ts string){
		"delivered again": func(w *sim.World, ts string) { w.Slack.Redeliver(sim.Channel, ts) },
		"edited":          func(w *sim.World, ts string) { w.Slack.Edit(sim.Channel, ts, sim.Bot+" release!") },
	} {
		row(t, "FLUSHALL: a mention that was deployed before and is "+name+" is asked about, never deployed", func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			ts := w.Ask("release")
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			w.Redis.FlushAll()
			again(w, ts)
			time.Sleep(time.Minute)
			wantPosts(t, w, ts, 1)
			said := w.Messages(sim.Channel, ts)
			if last := said[len(said)-1]; last != deploy.MsgForgotten && last != deploy.MsgEditedIn {
				t.Errorf("nobody asked: %q", said)
			}
			later := w.Ask("release")
			w.WaitReactions(sim.Channel, later, "thumbsup")
		})
	}
	row(t, "FLUSHALL: a mention that is delivered after it is asked about", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.Slack.PauseDeliveries(true)
		ts := w.Ask("release")
		w.Redis.FlushAll()
		time.Sleep(time.Second)
		w.Slack.PauseDeliveries(false)
		w.WaitMessages(sim.Channel, ts, deploy.MsgForgotten)
		wantPosts(t, w, ts, 0)
	})
	row(t, "FLUSHALL while a trigger is in flight: the save writes the record again, and its end is shown", func(t *testing.T) {
		w := sim.New(t)
		reportEach(w, "success")
		w.StartReady("a")
		w.GitLab.Answer(1, fakegitlab.Fault{Make: 1, Delay: 10 * time.Second, Status: http.StatusCreated})
		ts := w.Ask("release")
		time.Sleep(5 * time.Second)
		w.Redis.FlushAll()
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
		wantPosts(t, w, ts, 1)
	})
	row(t, "embedded and restarted: a mention from before is asked about", func(t *testing.T) {
		w := sim.New(t, "REDIS_URL=")
		a := w.StartReady("a")
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		a.Kill()
		w.StartReady("b")
		w.Slack.Redeliver(sim.Channel, ts)
		w.Eventually("the question", time.Minute, func() bool { return slices.Contains(w.Messages(sim.Channel, ts), deploy.MsgForgotten) })
		wantPosts(t, w, ts, 1)
		later := w.Ask("release")
		w.WaitReactions(sim.Channel, later, "thumbsup")
	})
}
