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

func TestASocketIsAlwaysOpen(t *testing.T) {
	for name, happens := range map[string]func(w *sim.World){
		"refreshes (warning, refresh_requested)": func(w *sim.World) { w.Slack.Refresh() },
		"is cut":                                 func(w *sim.World) { w.Slack.Drop(w.Slack.Sockets()[0]) },
	} {
		row(t, "a socket "+name, func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			w.Eventually("two sockets", time.Minute, func() bool { return w.Slack.Connections() == 2 })
			var said []string
			for range 4 {
				happens(w)
				for i := range 60 {
					time.Sleep(500 * time.Millisecond)
					if w.Slack.Connections() == 0 {
						t.Fatal("there is none")
					}
					if i%15 == 0 {
						said = append(said, w.Ask("release"))
					}
				}
			}
			time.Sleep(2 * time.Minute)
			for _, ts := range said {
				wantPosts(t, w, ts, 1)
			}
			if n := w.Slack.Connections(); n != 2 {
				t.Errorf("%d sockets in the end", n)
			}
		})
	}
	row(t, "Slack asks for a new socket every 2.5 s: every mention is delivered at once", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.Eventually("two sockets", time.Minute, func() bool { return w.Slack.Connections() == 2 })
		said := few(800)
		for i := range said {
			if i%10 == 0 {
				w.Slack.Refresh()
			}
			w.Slack.Say(sim.User, sim.Two, sim.Bot+" hello")
			time.Sleep(250 * time.Millisecond)
		}
		late := 0
		for _, d := range w.Slack.Deliveries() {
			if at := (deploy.Key{TS: d.TS}).Time(); d.Attempt > 0 || d.At.Sub(at) > 100*time.Millisecond {
				late++
			}
		}
		if n := len(w.Slack.Deliveries()); late > 0 || n != said {
			t.Errorf("%d of %d mentions met no open socket, %d deliveries", late, said, n)
		}
	})
	row(t, "a socket dies silently: it is closed, and what Slack sent on it is delivered again", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.Eventually("two sockets", time.Minute, func() bool { return w.Slack.Connections() == 2 })
		dead := w.Slack.Sockets()[0]
		w.Slack.Mute(dead)
		one, two := w.Ask("release"), w.Ask("release")
		w.WaitReactions(sim.Channel, one, "thumbsup")
		w.WaitReactions(sim.Channel, two, "thumbsup")
		w.Eventually("it is closed", 2*time.Minute, func() bool { return !slices.Contains(w.Slack.Sockets(), dead) && w.Slack.Connections() == 2 })
		wantPosts(t, w, one, 1)
		wantPosts(t, w, two, 1)
	})
}

func TestSlackRefusesSockets(t *testing.T) {
	for _, reason := range []string{"link_disabled", "too_many_websockets", "drops after hello"} {
		row(t, reason+": few attempts, a log line, not ready, and a fix needs no restart", func(t *testing.T) {
			w := sim.New(t)
			_, log := w.StartLogged("a")
			refuse := func(on bool) {
				switch {
				case reason == "drops after hello":
					w.Slack.DropAfterHello(on)
				case on:
					w.Slack.DisconnectAfterHello(reason)
				default:
					w.Slack.DisconnectAfterHello("")
				}
			}
			refuse(true)
			w.Slack.Disconnect(strings.ReplaceAll(reason, "drops after hello", "warning"))
			time.Sleep(15 * time.Second)
			for _, n := range w.Slack.Sockets() {
				w.Slack.Drop(n)
			}
			before := w.Slack.Calls("apps.connections.open")
			time.Sleep(2 * time.Minute)
			if n := w.Slack.Calls("apps.connections.open") - before; n > 65 || n < 5 {
				t.Errorf("%d attempts in 2 minutes: at most a burst of 5 and one in 2 s, and at least a few", n)
			}
			if status, _ := w.Get("http://a.test:9090/readyz"); status != http.StatusServiceUnavailable {
				t.Errorf("readyz says %d", status)
			}
			if reason != "drops after hello" && !strings.Contains(log.String(), reason) {
				t.Error("the log does not name the cause")
			}
			ts := w.Ask("release")
			refuse(false)
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			wantPosts(t, w, ts, 1)
		})
	}
}

func TestSlackRefusesTheAppTokenLater(t *testing.T) {
	for code, fix := range map[string]string{"missing_scope": "connections:write", "not_allowed_token_type": "SLACK_APP_TOKEN"} {
		row(t, code+": not ready though a socket is open, the log names the fix, and a fix needs no restart", func(t *testing.T) {
			w := sim.New(t)
			_, log := w.StartLogged("a")
			w.Eventually("two sockets", time.Minute, func() bool { return w.Slack.Connections() == 2 })
			w.Slack.Fail("apps.connections.open", -1, fakeslack.Fails(code))
			w.Slack.Drop(w.Slack.Sockets()[0])
			time.Sleep(5 * time.Second)
			if status, why := w.Get("http://a.test:9090/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(why, fix) {
				t.Errorf("readyz says %d %s", status, why)
			} else if n := strings.Count(why, "SLACK_APP_TOKEN"); n != 1 || strings.Contains(why, "no open Slack socket") {
				t.Errorf("readyz names the token %d times, and a socket is open: %s", n, why)
			}
			if !strings.Contains(log.String(), code) || !strings.Contains(log.String(), fix) {
				t.Error("the log does not name the cause and the fix")
			}
			ts := w.Ask("release") // on the socket that is still open
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			before := w.Slack.Calls("apps.connections.open")
			time.Sleep(10 * time.Minute)
			if n := w.Slack.Calls("apps.connections.open") - before; n > 60 || n < 10 {
				t.Errorf("%d attempts in 10 minutes", n)
			}
			w.Slack.Heal("apps.connections.open")
			w.Eventually("it is ready", time.Minute, func() bool {
				status, _ := w.Get("http://a.test:9090/readyz")
				return status == http.StatusOK && w.Slack.Connections() == 2
			})
		})
	}
}

func TestSigterm(t *testing.T) {
	for _, embedded := range []bool{false, true} {
		row(t, fmt.Sprintf("a POST takes 7 s: it is finished, and the exit comes within 10 s; embedded %v", embedded), func(t *testing.T) {
			w := sim.New(t)
			if embedded {
				w = sim.New(t, "REDIS_URL=")
			}
			a := w.StartReady("a")
			time.Sleep(2 * time.Second)
			w.GitLab.Answer(1, fakegitlab.Fault{Make: 1, Delay: 7 * time.Second, Status: http.StatusCreated})
			ts := w.Ask("release")
			w.Eventually("the POST", time.Second, func() bool { return w.GitLab.PostsFor(sim.Channel, ts) == 1 })
			stop(t, a)
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			want := []deploy.MessageID{deploy.MsgStatusRunning}
			if embedded {
				want = append(want, deploy.MsgStopping)
			}
			w.WaitMessages(sim.Channel, ts, want...)
			for _, e := range w.Slack.Endings() {
				if e.Code == 1006 {
					t.Errorf("socket %d ended without a close frame", e.Socket)
				}
			}
			wantPosts(t, w, ts, 1)
		})
	}
	row(t, "a POST takes 30 s: the exit comes within 10 s, and another process takes it over", func(t *testing.T) {
		w := sim.New(t)
		a := w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "slow"))
		ts := w.Ask("release")
		w.Eventually("the POST", time.Second, func() bool { return w.GitLab.PostsFor(sim.Channel, ts) == 1 })
		stop(t, a)
		w.StartReady("b")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		time.Sleep(time.Minute)
		wantPosts(t, w, ts, 1)
	})
	row(t, "embedded store: everyone whose deploy has not ended is told before the exit, nobody else", func(t *testing.T) {
		w := sim.New(t, "REDIS_URL=")
		a := w.StartReady("a")
		ended := w.Ask("release")
		w.WaitReactions(sim.Channel, ended, "thumbsup")
		w.Notify("a", "success", sim.Channel, ended)
		w.WaitReactions(sim.Channel, ended, "white_check_mark")
		greeted := w.Ask("よろしく")
		w.WaitMessages(sim.Channel, greeted, deploy.MsgGreet)
		w.GitLab.Answer(1, fault(t, "rate limit of a proxy"))
		waiting := w.Ask("release")
		w.WaitReactions(sim.Channel, waiting, "hourglass_flowing_sand")
		w.GitLab.Answer(1, fault(t, "502"))
		unsure := w.Ask("release")
		w.WaitReactions(sim.Channel, unsure, "question")
		running := w.Ask("release")
		w.WaitReactions(sim.Channel, running, "thumbsup")
		time.Sleep(5 * time.Second)
		stop(t, a)
		w.WaitMessages(sim.Channel, ended, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
		w.WaitMessages(sim.Channel, greeted, deploy.MsgGreet)
		w.WaitMessages(sim.Channel, waiting, deploy.MsgWaitRate, deploy.MsgStopping)
		w.WaitMessages(sim.Channel, unsure, deploy.MsgStatusUnsure, deploy.MsgStopping)
		w.WaitMessages(sim.Channel, running, deploy.MsgStatusRunning, deploy.MsgStopping)
		for _, ts := range []string{waiting, unsure, running} {
			if text := w.Texts(sim.Channel, ts)[1]; !strings.Contains(text, "<http://gitlab.test/group/app/-/pipelines") {
				t.Errorf("no link: %q", text)
			}
		}
	})
}

func TestTwoEmbeddedStores(t *testing.T) {
	row(t, "embedded store and another process with sockets of this app: not ready, and it says why", func(t *testing.T) {
		w := sim.New(t, "REDIS_URL=")
		a := w.StartReady("a")
		w.Start("b")
		w.Eventually("b says why it is not ready", time.Minute, func() bool {
			_, why := w.Get("http://b.test:9090/readyz")
			return strings.Contains(why, "other connections to this Slack app")
		})
		time.Sleep(10 * time.Minute)
		if status, why := w.Get("http://b.test:9090/readyz"); status != http.StatusServiceUnavailable {
			t.Errorf("readyz says %d %s while the other is still there", status, why)
		}
		stop(t, a)
		w.Eventually("b is ready", 3*time.Minute, func() bool {
			status, _ := w.Get("http://b.test:9090/readyz")
			return status == http.StatusOK
		})
	})
}

func stop(t *testing.T, p *sim.Process) {
	t.Helper()
	asked := time.Now()
	if err := p.Stop(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if d := time.Since(asked); d > 10*time.Second {
		t.Errorf("it took %s to end", d)
	}
}

func TestPipelineEndsWithoutACallback(t *testing.T) {
	job := func(name, stage, status string) fakegitlab.Job {
		return fakegitlab.Job{Name: name, Stage: stage, Status: status}
	}
	for _, end := range []struct {
		name, status, mark string
		say                deploy.MessageID
		jobs               []fakegitlab.Job
	}{
		{"success", "success", "white_check_mark", deploy.MsgSucceeded, nil},
		{"failed", "failed", "x", deploy.MsgFailed, []fakegitlab.Job{job("build", "build", "success"), job("ship", "deploy", "failed"), job("notify_failure", "notify", "success")}},
		{"canceled", "canceled", "no_entry_sign", deploy.MsgCanceled, nil},
		{"skipped", "skipped", "no_entry_sign", deploy.MsgNothing, nil},
		{"failed only by a notify job", "failed", "white_check_mark", deploy.MsgSucceeded, []fakegitlab.Job{job("ship", "deploy", "success"), job("notify_success", "notify", "failed")}},
	} {
		for _, after := range []time.Duration{10 * time.Second, 3 * time.Minute, 15 * time.Minute} {
			row(t, fmt.Sprintf("with an API token: %s after %s, shown within 15 s", end.name, after), func(t *testing.T) {
				w := sim.New(t)
				w.StartReady("a")
				ts := w.Ask("release")
				w.WaitReactions(sim.Channel, ts, "thumbsup")
				time.Sleep(after)
				id := w.GitLab.Pipelines()[0].ID
				if end.jobs != nil {
					w.GitLab.SetJobs(id, end.jobs...)
				}
				w.GitLab.Finish(id, end.status)
				w.Eventually(end.mark, 15*time.Second, func() bool { return strings.Contains(strings.Join(w.Slack.Reactions(sim.Channel, ts), " "), end.mark) })
				w.WaitReactions(sim.Channel, ts, end.mark)
				w.Eventually("the line", 5*time.Second, func() bool { s := w.Messages(sim.Channel, ts); return len(s) == 2 && s[1] == end.say })
				text := w.Texts(sim.Channel, ts)[1]
				if named := strings.Contains(text, "<@"+sim.User+">"); named != (end.mark != "white_check_mark") {
					t.Errorf("an unsuccessful end names the person, success does not: %q", text)
				}
				if end.status == "failed" && end.mark == "x" && !strings.Contains(text, "`ship`") {
					t.Errorf("it does not say which job failed: %q", text)
				}
				wantPosts(t, w, ts, 1)
			})
		}
	}
	for result, mark := range map[string]string{"success": "white_check_mark", "failure": "x", "canceled": "no_entry_sign"} {
		row(t, "without an API token: silent at DEPLOY_TIMEOUT, with the link and the person's name; a late "+result+" still settles it", func(t *testing.T) {
			w := sim.New(t, "GITLAB_API_TOKEN=", "DEPLOY_TIMEOUT=10m")
			w.StartReady("a")
			ts := w.Ask("release")
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			w.GitLab.Finish(w.GitLab.Pipelines()[0].ID, "success")
			time.Sleep(9*time.Minute + 55*time.Second)
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			waitReaction(w, ts, 7*time.Second, "zzz")
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSilent, deploy.MsgSilent)
			text := w.Texts(sim.Channel, ts)[1]
			if !strings.Contains(text, "<http://gitlab.test/group/app/-/pipelines/1001|") || !strings.Contains(text, "<@"+sim.User+">") {
				t.Errorf("no link or no name: %q", text)
			}
			time.Sleep(20 * time.Minute)
			if status, body := w.Notify("a", result, sim.Channel, ts); status != http.StatusOK {
				t.Errorf("the late callback got %d %s", status, body)
			}
			w.WaitReactions(sim.Channel, ts, mark)
			wantPosts(t, w, ts, 1)
		})
	}
	row(t, "a target's own timeout", func(t *testing.T) {
		w := sim.New(t, "GITLAB_API_TOKEN=", fmt.Sprintf(
			`GITLAB_TRIGGER_TOKENS={%q: {%q: {"app": {"project_id": "group/app", "token": %q, "timeout": "3m"}}}}`, sim.Team, sim.Channel, sim.TriggerToken))
		w.StartReady("a")
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		time.Sleep(2*time.Minute + 50*time.Second)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		waitReaction(w, ts, 15*time.Second, "zzz")
	})
}
