package sim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sim"
)

// showingMethods are the methods that show a record.
var showingMethods = []string{"reactions.add", "reactions.remove", "chat.postMessage", "chat.update"}

func failShowing(w *sim.World, times int, f fakeslack.Fault) {
	for _, method := range showingMethods {
		w.Slack.Fail(method, times, f)
	}
}

func healShowing(w *sim.World) {
	for _, method := range showingMethods {
		w.Slack.Heal(method)
	}
}

// countShowing counts the calls that show something.
func countShowing(w *sim.World) (n int) {
	for _, method := range showingMethods {
		n += w.Slack.Calls(method)
	}
	return n
}

func TestPendingDeliveriesSurviveARestart(t *testing.T) {
	for name, f := range map[string]fakeslack.Fault{
		"429": fakeslack.RateLimited(20 * time.Second), "429 with a fraction": fakeslack.RateLimitedFraction(),
		"200 with ratelimited": fakeslack.RateLimitedOK(), "503": fakeslack.Unavailable(),
		"with a cut": fakeslack.Cut(), "not at all": fakeslack.Hang(), "a lost answer": fakeslack.LoseAnswer(),
	} {
		for when, after := range map[string]time.Duration{"before its start is shown": 3 * time.Second, "before its end is shown": 30 * time.Second} {
			row(t, "Slack answers "+name+", and the process dies "+when+": the next one shows everything, once", func(t *testing.T) {
				w := sim.New(t)
				reportEach(w, "failure")
				a := w.StartReady("a")
				failShowing(w, -1, f)
				ts := w.Ask("release")
				time.Sleep(after)
				a.Kill()
				time.Sleep(2 * time.Second)
				w.StartReady("b")
				time.Sleep(time.Minute)
				healShowing(w)
				w.WaitReactions(sim.Channel, ts, "x")
				w.WaitMessages(sim.Channel, ts, deploy.MsgStatusFailed, deploy.MsgFailed)
				time.Sleep(2 * time.Minute)
				w.WaitReactions(sim.Channel, ts, "x")
				w.WaitMessages(sim.Channel, ts, deploy.MsgStatusFailed, deploy.MsgFailed)
				for name, n := range w.ReactionsAdded(ts) {
					if n > 1 {
						t.Errorf("%d times :%s:", n, name)
					}
				}
				wantPosts(t, w, ts, 1)
			})
		}
	}
}

func TestOneChannelsRateLimitDelaysNoOther(t *testing.T) {
	row(t, "the messages of one channel must wait for a minute: another's come at once", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.Slack.Fail("chat.postMessage", 1, fakeslack.RateLimited(time.Minute))
		limited := w.Ask("よろしく")
		time.Sleep(time.Second)
		other := w.Slack.Say(sim.User, sim.Two, sim.Bot+" よろしく")
		w.Eventually("the reply in the other channel", 2*time.Second, func() bool { return len(w.Messages(sim.Two, other)) == 1 })
		if n := len(w.Messages(sim.Channel, limited)); n != 0 {
			t.Error("the limit was not kept")
		}
		w.WaitMessages(sim.Channel, limited, deploy.MsgGreet)
	})
	row(t, "one channel asks for sixty deploys at Slack's rates: another's single one is shown meanwhile", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.Slack.Limits(true)
		var flood []string
		for range 60 {
			flood = append(flood, w.Ask("release"))
			time.Sleep(50 * time.Millisecond)
		}
		other := w.Slack.Say(sim.User, sim.Two, sim.Bot+" release api")
		w.Eventually("its mark and its status", 10*time.Second, func() bool {
			return strings.Join(w.Slack.Reactions(sim.Two, other), " ") == "thumbsup" && len(w.Messages(sim.Two, other)) == 1
		})
		if n := len(w.Messages(sim.Channel, flood[59])); n != 0 {
			t.Error("the flood was shown first: nothing was in the way")
		}
		w.WaitMessages(sim.Channel, flood[59], deploy.MsgStatusRunning)
	})
}

func TestLostPostIsLookedUpBeforeItIsPostedAgain(t *testing.T) {
	for name, f := range map[string]fakeslack.Fault{"it was posted": fakeslack.LoseAnswer(), "it was not posted": fakeslack.Cut()} {
		row(t, name+": one message, after a look-up", func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			w.Slack.Fail("chat.postMessage", 1, f)
			ts := w.Ask("よろしく")
			time.Sleep(time.Minute)
			w.WaitMessages(sim.Channel, ts, deploy.MsgGreet)
			var calls []string
			for _, c := range w.Slack.CallLog("") {
				if c.Method == "chat.postMessage" || c.Method == "conversations.replies" {
					calls = append(calls, c.Method)
				}
			}
			want := "chat.postMessage conversations.replies"
			if name == "it was not posted" {
				want += " chat.postMessage"
			}
			if got := strings.Join(calls, " "); got != want {
				t.Errorf("it called %s, want %s", got, want)
			}
		})
		row(t, name+", and the scopes to look it up are missing: it is posted again, and the bot stays ready", func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			w.Slack.Revoke("channels:history")
			w.Slack.Fail("chat.postMessage", 1, f)
			ts := w.Ask("よろしく")
			time.Sleep(time.Minute)
			want := []deploy.MessageID{deploy.MsgGreet}
			if name == "it was posted" {
				want = append(want, deploy.MsgGreet) // better twice than not at all
			}
			w.WaitMessages(sim.Channel, ts, want...)
			if status, why := w.Get("http://a.test:9090/readyz"); status != http.StatusOK {
				t.Errorf("readyz says %d %s", status, why)
			}
			time.Sleep(10 * time.Minute)
			w.WaitMessages(sim.Channel, ts, want...)
		})
	}
}

func TestExistingReactionIsNoFailure(t *testing.T) {
	row(t, "already_reacted and no_reaction, after lost answers", func(t *testing.T) {
		w := sim.New(t)
		reportEach(w, "success")
		_, log := w.StartLogged("a")
		for _, method := range []string{"reactions.add", "reactions.remove"} {
			w.Slack.Fail(method, 1, fakeslack.LoseAnswer())
		}
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
		time.Sleep(time.Minute)
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
		for method, answer := range map[string]string{"reactions.add": "already_reacted", "reactions.remove": "no_reaction"} {
			answers := ""
			for _, c := range w.Slack.CallLog(method) {
				answers += c.Answer + " "
			}
			if strings.Count(answers, answer) != 1 {
				t.Errorf("%s was answered %s: want one %s", method, answers, answer)
			}
		}
		if strings.Contains(log.String(), "slack-refused") {
			t.Error("it is logged as refused")
		}
	})
}

func TestPermanentSlackErrorEndsDelivery(t *testing.T) {
	for _, code := range []string{"is_archived", "is_inactive", "invalid_arguments", "unknown_method"} {
		row(t, code+": tried once each, logged and counted; the deploy and other channels go on", func(t *testing.T) {
			w := sim.New(t)
			reportEach(w, "failure")
			_, log := w.StartLogged("a")
			failShowing(w, -1, fakeslack.Fails(code))
			ts := w.Ask("release")
			time.Sleep(2 * time.Minute)
			before := countShowing(w)
			time.Sleep(10 * time.Minute)
			if n := countShowing(w) - before; n != 0 {
				t.Errorf("%d more calls in the next 10 minutes", n)
			}
			if due, _ := w.Redis.ZMembers("{psycher}:due"); len(due) != 0 {
				t.Errorf("it is still due: %q", due)
			}
			lines := 0
			for line := range strings.Lines(log.String()) {
				if strings.Contains(line, `"message":"slack-refused"`) && strings.Contains(line, code) && strings.Contains(line, `"ts":"`+ts+`"`) {
					lines++
				}
			}
			if lines == 0 || lines != before {
				t.Errorf("%d log lines name it, of %d calls", lines, before)
			}
			_, counted := w.Get("http://a.test:9090/metrics")
			if want := fmt.Sprintf(`psycher_events_total{event="slack-refused"} %d`, before); !strings.Contains(counted, want+"\n") {
				t.Errorf("want %s in\n%s", want, counted)
			}
			if state := recordOf(w, ts).State; state != deploy.Failed {
				t.Errorf("the deployment is %s", state)
			}
			if status, why := w.Get("http://a.test:9090/readyz"); status != http.StatusOK {
				t.Errorf("readyz says %d %s", status, why)
			}
			wantPosts(t, w, ts, 1)
			healShowing(w)
			other := w.Slack.Say(sim.User, sim.Two, sim.Bot+" release api")
			w.WaitReactions(sim.Two, other, "thumbsup")
		})
	}
	row(t, "somebody deleted the status message: the end is still posted", func(t *testing.T) {
		w, ts, _ := startRunning(t)
		w.Slack.Delete(sim.Channel, w.Slack.Thread(sim.Channel, ts)[0].TS)
		w.Notify("a", "failure", sim.Channel, ts)
		w.WaitReactions(sim.Channel, ts, "x")
		w.WaitMessages(sim.Channel, ts, deploy.MsgFailed)
		wantQuiet(t, w)
	})
	for name, gone := range map[string]struct {
		how    func(w *sim.World)
		within time.Duration
	}{
		"archived":        {func(w *sim.World) { w.Slack.Archive(sim.Channel) }, time.Minute},
		"left by the bot": {func(w *sim.World) { w.Slack.Leave(sim.Channel) }, 2*time.Hour + 5*time.Minute}, // an hour for the new reaction, then one for the old one
	} {
		row(t, "the channel was "+name+" in the middle: nothing is tried forever", func(t *testing.T) {
			w, ts, _ := startRunning(t)
			gone.how(w)
			w.Notify("a", "failure", sim.Channel, ts)
			time.Sleep(gone.within)
			wantQuiet(t, w)
			if due, _ := w.Redis.ZMembers("{psycher}:due"); len(due) != 0 {
				t.Errorf("it is still due: %q", due)
			}
			if state := recordOf(w, ts).State; state != deploy.Failed {
				t.Errorf("the deployment is %s", state)
			}
		})
	}
}

// recordOf reads the record of a mention in the channel with one target.
func recordOf(w *sim.World, ts string) (r deploy.Record) {
	w.T.Helper()
	raw, err := w.Redis.Get("{psycher}:record:" + sim.Team + ":" + sim.Channel + ":" + ts)
	if err == nil {
		err = json.Unmarshal([]byte(raw), &r)
	}
	if err != nil {
		w.T.Fatal(err)
	}
	return r
}
