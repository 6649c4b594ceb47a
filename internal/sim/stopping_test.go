package sim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sim"
)

func TestSigtermWhileEverythingHangs(t *testing.T) {
	for _, url := range []string{"", "redis://redis.test:6379"} {
		row(t, "the exit comes within 10 s; REDIS_URL="+url, func(t *testing.T) {
			w := sim.New(t, "REDIS_URL="+url, "GITLAB_API_TOKEN=")
			a := w.StartReady("a")
			w.Eventually("two sockets", time.Minute, func() bool { return w.Slack.Connections() == 2 })
			running := w.Ask("release")
			w.WaitReactions(sim.Channel, running, "thumbsup")
			w.GitLab.Answer(-1, fakegitlab.Fault{Hang: true})
			w.Ask("release")
			time.Sleep(2 * time.Second)
			for _, method := range []string{"chat.postMessage", "chat.update", "reactions.add", "reactions.remove", "conversations.replies"} {
				w.Slack.Fail(method, -1, fakeslack.Hang())
			}
			for _, n := range w.Slack.Sockets() {
				w.Slack.Mute(n)
			}
			if url != "" {
				w.HangRedis()
			}
			stop(t, a)
		})
	}
}

func TestSigtermUnderLoad(t *testing.T) {
	for name, others := range map[string]bool{"another replica takes up the rest": true, "its next start takes up the rest": false} {
		row(t, name+": acks and close frames are written, the exit comes within 10 s, and each is deployed once", func(t *testing.T) {
			w := sim.New(t, "SLACK_CONNECTIONS=1")
			reportEach(w, "success")
			a := w.StartReady("a")
			if others {
				w.StartReady("b")
			}
			time.Sleep(3 * time.Second)
			w.GitLab.Answer(20, fakegitlab.Fault{Make: 1, Delay: 4 * time.Second, Status: http.StatusCreated})
			var all []string
			ask := func() {
				all = append(all, w.Ask("release"))
				time.Sleep(50 * time.Millisecond)
			}
			for range 20 {
				ask()
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				stop(t, a)
			}()
			for range 20 {
				ask()
			}
			<-ended
			for _, e := range w.Slack.Endings() {
				if e.Code == 1006 {
					t.Errorf("socket %d ended without a close frame", e.Socket)
				}
			}
			if !others {
				w.Start("a")
			}
			for _, ts := range all {
				w.WaitReactions(sim.Channel, ts, "white_check_mark")
				wantPosts(t, w, ts, 1)
				if !acked(w, ts) {
					t.Error("it was never acked")
				}
			}
			time.Sleep(time.Minute)
			for _, ts := range all {
				w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
			}
		})
	}
}

func TestEmbeddedStoreEndsWithoutALostCallback(t *testing.T) {
	row(t, "a pipeline that is answered 200 during the shutdown is shown", func(t *testing.T) {
		for _, after := range []time.Duration{500 * time.Millisecond, 4 * time.Second, 7500 * time.Millisecond} {
			w := sim.New(t, "REDIS_URL=", "GITLAB_API_TOKEN=")
			a := w.StartReady("a")
			ts := w.Ask("release")
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			w.GitLab.Answer(-1, fakegitlab.Fault{Hang: true})
			hangs := w.Ask("release") // its POST keeps the process running until the deadline
			time.Sleep(2 * time.Second)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				stop(t, a)
			}()
			time.Sleep(after)
			status, body := w.Notify("a", "failure", sim.Channel, ts)
			<-ended
			w.WaitMessages(sim.Channel, hangs, deploy.MsgStatusStarting, deploy.MsgStopping)
			said := w.Messages(sim.Channel, ts)
			switch last := said[len(said)-1]; {
			case status == http.StatusOK && last != deploy.MsgFailed:
				t.Errorf("%s after the signal: the pipeline was answered 200, and the thread says %q", after, said)
			case status != http.StatusOK && last != deploy.MsgStopping:
				t.Errorf("%s after the signal: the pipeline was answered %d %s, and the thread says %q", after, status, body, said)
			}
		}
	})
	row(t, "in a busy channel everyone whose deploy has not ended is told, at Slack's rate", func(t *testing.T) {
		w := sim.New(t, "REDIS_URL=", "GITLAB_API_TOKEN=")
		a := w.StartReady("a")
		w.Slack.Limits(true)
		var all []string
		for range 8 {
			all = append(all, w.Ask("release"))
			time.Sleep(5 * time.Second)
		}
		time.Sleep(30 * time.Second)
		stop(t, a)
		for _, ts := range all {
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning, deploy.MsgStopping)
		}
	})
}

func TestStoreIsDownAtTheStart(t *testing.T) {
	row(t, "people are told, readiness says so, and the bot works when the store is back", func(t *testing.T) {
		w := sim.New(t)
		w.Redis.SetError("LOADING Redis is loading the dataset in memory")
		w.Start("a")
		w.Eventually("two sockets", time.Minute, func() bool { return w.Slack.Connections() == 2 })
		ts := w.Ask("release")
		w.WaitMessages(sim.Channel, ts, deploy.MsgNotRecorded)
		time.Sleep(10 * time.Minute)
		if status, _ := w.Get("http://a.test:9090/readyz"); status != http.StatusServiceUnavailable {
			t.Errorf("readyz says %d", status)
		}
		w.Redis.SetError("")
		w.Eventually("it is ready", 10*time.Second, func() bool {
			status, _ := w.Get("http://a.test:9090/readyz")
			return status == http.StatusOK
		})
		w.Slack.Redeliver(sim.Channel, ts)
		time.Sleep(3 * time.Second) // mentions from before a new store's birth, and 2 s more, are asked about
		again := w.Ask("release")
		w.WaitReactions(sim.Channel, again, "thumbsup")
		w.WaitMessages(sim.Channel, ts, deploy.MsgNotRecorded)
		wantPosts(t, w, ts, 0)
	})
}

func TestCallbackForAChannelNoLongerInTheMap(t *testing.T) {
	row(t, "the next process has another target map", func(t *testing.T) {
		w, ts, p := startRunning(t, "GITLAB_API_TOKEN=")
		other := `{"` + sim.Team + `": {"C0OTHER": {"app": {"project_id": "group/app", "token": "` + sim.TriggerToken + `"}}}}`
		w.StartReady("b", "GITLAB_TRIGGER_TOKENS="+other)
		status, body := w.Notify("b", "success", sim.Channel, ts, "id="+p.Variables["PSYCHER_ID"])
		if status != http.StatusOK || strings.Contains(body, "error") {
			t.Errorf("it got %d %s", status, body)
		}
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
	})
}
