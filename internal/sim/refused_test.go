package sim_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sim"
)

// repliesTried counts the calls that post into threads.
func repliesTried(w *sim.World) (n int) {
	for _, c := range w.Slack.CallLog("chat.postMessage") {
		if c.Form.Get("thread_ts") != "" {
			n++
		}
	}
	return n
}

// wantInChannel checks the bot's messages in the channel with one target, outside
// of threads: each begins with the person's name.
func wantInChannel(t *testing.T, w *sim.World, want ...deploy.MessageID) {
	t.Helper()
	w.Eventually("it is said in the channel", 2*time.Minute, func() bool { return slices.Equal(w.ChannelMessages(sim.Channel), want) })
	for _, m := range w.Slack.Channel(sim.Channel) {
		for _, text := range []string{m.Text, m.Shown()} {
			if m.Bot != "" && !strings.HasPrefix(text, "<@"+sim.User+">") {
				t.Errorf("it does not begin with the person: %q", text)
			}
			if strings.Count(text, "<@"+sim.User+">") > 1 && m.Bot != "" {
				t.Errorf("it names the person twice: %q", text)
			}
		}
	}
}

func TestClosedThreadIsLeftForTheChannel(t *testing.T) {
	for _, code := range []string{
		"cannot_reply_to_message", "restricted_action_thread_locked", "restricted_action_non_threadable_channel",
		"restricted_action", "thread_locked", "thread_not_found", "message_not_found", "restricted_action_of_tomorrow",
	} {
		for _, lang := range []string{"ja", "en"} {
			row(t, code+", "+lang+": the status and the line are posted in the channel, and the thread is tried once", func(t *testing.T) {
				w := sim.New(t, "PSYCHER_LANG="+lang)
				reportEach(w, "failure")
				w.StartReady("a")
				w.Slack.CloseThreads(code)
				ts := w.Ask("release")
				w.WaitReactions(sim.Channel, ts, "x")
				wantInChannel(t, w, deploy.MsgStatusFailed, deploy.MsgFailed)
				w.WaitMessages(sim.Channel, ts)
				if n := repliesTried(w); n != 1 {
					t.Errorf("%d posts in the thread, want 1", n)
				}
				wantQuiet(t, w)
			})
		}
	}
	row(t, "another replica, which shows the end, does not try the thread again", func(t *testing.T) {
		w := sim.New(t)
		a := w.StartReady("a")
		w.Slack.CloseThreads("thread_locked")
		ts := w.Ask("release")
		wantInChannel(t, w, deploy.MsgStatusRunning)
		a.Kill()
		w.StartReady("b")
		w.Notify("b", "failure", sim.Channel, ts)
		wantInChannel(t, w, deploy.MsgStatusFailed, deploy.MsgFailed)
		if n := repliesTried(w); n != 1 {
			t.Errorf("%d posts in the thread, want 1", n)
		}
	})
	row(t, "an answer", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.Slack.CloseThreads("cannot_reply_to_message")
		w.Ask("よろしく")
		wantInChannel(t, w, deploy.MsgGreet)
	})
	row(t, "the thread is closed in the middle: the line goes to the channel, the status is edited in the thread", func(t *testing.T) {
		w, ts, _ := startRunning(t)
		w.Slack.CloseThreads("restricted_action_thread_locked")
		w.Notify("a", "failure", sim.Channel, ts)
		wantInChannel(t, w, deploy.MsgFailed)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusFailed)
	})
	row(t, "the answer to the post in the channel is lost: it is looked up there, and not posted again", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		time.Sleep(time.Minute) // the checks at the start look into the channels too
		before := w.Slack.Calls("conversations.history")
		w.Slack.CloseThreads("thread_locked")
		w.Slack.Fail("chat.postMessage", 1, fakeslack.Fails("thread_locked"))
		w.Slack.Fail("chat.postMessage", 1, fakeslack.LoseAnswer())
		w.Ask("よろしく")
		time.Sleep(time.Minute)
		wantInChannel(t, w, deploy.MsgGreet)
		if n := w.Slack.Calls("conversations.history") - before; n != 1 {
			t.Errorf("%d look-ups in the channel, want 1", n)
		}
	})
	row(t, "neither the thread nor the channel takes it: it is retried for an hour, then it ends", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.Slack.Fail("chat.postMessage", -1, fakeslack.Fails("restricted_action_read_only_channel"))
		w.Ask("よろしく")
		time.Sleep(59 * time.Minute)
		if n := w.Slack.Calls("chat.postMessage"); n < 10 || n > 40 {
			t.Errorf("%d attempts in an hour", n)
		}
		time.Sleep(3 * time.Minute)
		wantQuiet(t, w)
		if due, _ := w.Redis.ZMembers("{psycher}:due"); len(due) != 0 {
			t.Errorf("it is still due: %q", due)
		}
	})
	row(t, "Redis is down: what is posted then goes to the channel too, once", func(t *testing.T) {
		w := sim.New(t)
		routes := w.Routes()
		w.StartReady("a")
		w.Slack.CloseThreads("cannot_reply_to_message")
		heal := redisFailures()["READONLY"](w, routes)
		ts := w.Ask("release")
		wantInChannel(t, w, deploy.MsgNotRecorded)
		heal()
		time.Sleep(10 * time.Second)
		w.Slack.Redeliver(sim.Channel, ts)
		time.Sleep(time.Minute)
		wantInChannel(t, w, deploy.MsgNotRecorded)
		wantPosts(t, w, ts, 0)
	})
}

func TestTemporaryRefusalIsRetriedForAnHour(t *testing.T) {
	for _, code := range []string{
		"team_added_to_org", "accesslimited", "org_login_required", "ekm_access_denied", "external_channel_migrating",
		"channel_not_found", "not_in_channel", "a_word_of_tomorrow",
	} {
		row(t, code+" for 40 minutes: everything is shown in the end, once, in few attempts", func(t *testing.T) {
			w := sim.New(t)
			reportEach(w, "failure")
			_, log := w.StartLogged("a")
			failShowing(w, -1, fakeslack.Fails(code))
			ts := w.Ask("release")
			time.Sleep(40 * time.Minute)
			for _, method := range []string{"reactions.add", "chat.postMessage"} {
				if n := w.Slack.Calls(method); n < 8 || n > 25 {
					t.Errorf("%s: %d attempts in 40 minutes", method, n)
				}
			}
			if !strings.Contains(log.String(), `"level":"warn"`) || !strings.Contains(log.String(), code) {
				t.Error("no warning names the cause")
			}
			healShowing(w)
			time.Sleep(6 * time.Minute)
			w.WaitReactions(sim.Channel, ts, "x")
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusFailed, deploy.MsgFailed)
			wantPosts(t, w, ts, 1)
			wantQuiet(t, w)
		})
	}
	row(t, "the deploy ends 55 minutes later: its end is retried for an hour of its own", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		failShowing(w, -1, fakeslack.Fails("not_in_channel"))
		ts := w.Ask("release")
		time.Sleep(55 * time.Minute)
		w.Notify("a", "success", sim.Channel, ts)
		time.Sleep(50 * time.Minute)
		healShowing(w)
		time.Sleep(6 * time.Minute)
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
		wantQuiet(t, w)
	})
	row(t, "the waits between the attempts grow", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.Slack.Fail("chat.postMessage", -1, fakeslack.Fails("a_word_of_tomorrow"))
		w.Ask("よろしく")
		time.Sleep(50 * time.Minute)
		calls := w.Slack.CallLog("chat.postMessage")
		for i := 2; i < len(calls); i++ {
			before, wait := calls[i-1].At.Sub(calls[i-2].At), calls[i].At.Sub(calls[i-1].At)
			if wait < before-3*time.Second || wait > 6*time.Minute {
				t.Errorf("attempt %d came after %s, the one before after %s", i+1, wait, before)
			}
		}
	})
	row(t, "forever: it ends after an hour, also if the process dies in the middle, and the next record has its own hour", func(t *testing.T) {
		w := sim.New(t)
		a := w.StartReady("a")
		failShowing(w, -1, fakeslack.Fails("not_in_channel"))
		w.Ask("よろしく")
		time.Sleep(30 * time.Minute)
		a.Kill()
		w.StartReady("b")
		time.Sleep(25 * time.Minute)
		before := w.Slack.Calls("chat.postMessage")
		time.Sleep(6 * time.Minute)
		if n := w.Slack.Calls("chat.postMessage") - before; n == 0 {
			t.Error("it ended before the hour")
		}
		before = w.Slack.Calls("chat.postMessage")
		time.Sleep(30 * time.Minute)
		if n := w.Slack.Calls("chat.postMessage") - before; n != 0 {
			t.Errorf("%d attempts after the hour: a restart began the hour again", n)
		}
		if due, _ := w.Redis.ZMembers("{psycher}:due"); len(due) != 0 {
			t.Errorf("it is still due: %q", due)
		}
		late := w.Ask("よろしく")
		time.Sleep(20 * time.Minute)
		healShowing(w)
		time.Sleep(6 * time.Minute)
		w.WaitMessages(sim.Channel, late, deploy.MsgGreet)
	})
	row(t, "somebody removed the bot and invites it again: pending messages are posted", func(t *testing.T) {
		w, ts, _ := startRunning(t)
		w.Slack.Leave(sim.Channel)
		w.Notify("a", "failure", sim.Channel, ts)
		time.Sleep(20 * time.Minute)
		w.Slack.Join(sim.Channel)
		time.Sleep(6 * time.Minute)
		w.WaitReactions(sim.Channel, ts, "x")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusFailed, deploy.MsgFailed)
	})
	row(t, "a reaction is refused: the messages do not wait for it", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.Slack.Fail("reactions.add", -1, fakeslack.Fails("a_word_of_tomorrow"))
		ts := w.Ask("release")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
		w.Notify("a", "failure", sim.Channel, ts)
		w.Eventually("the end", 5*time.Second, func() bool { return len(w.Messages(sim.Channel, ts)) == 2 })
		if status, why := w.Get("http://a.test:9090/readyz"); status != http.StatusOK {
			t.Errorf("readyz says %d %s", status, why)
		}
	})
}

func TestPostWithoutLookUpIsMadeThreeTimesAtMost(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fakeslack.Fault{
		"every answer is lost": fakeslack.LoseAnswer(), "every post is cut": fakeslack.Cut(), "internal_error": fakeslack.Fails("internal_error"),
	} {
		row(t, name+", and the scope to look it up is missing: three posts of each message, with growing waits", func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			w.Slack.Revoke("channels:history")
			w.Slack.Fail("chat.postMessage", -1, f)
			ts := w.Ask("release")
			time.Sleep(time.Hour)
			calls := w.Slack.CallLog("chat.postMessage")
			if len(calls) != 3 {
				t.Fatalf("%d posts of the status message, want 3", len(calls))
			}
			if a, b := calls[1].At.Sub(calls[0].At), calls[2].At.Sub(calls[1].At); b < 2*a {
				t.Errorf("the waits are %s and %s: they do not grow", a, b)
			}
			w.Notify("a", "failure", sim.Channel, ts)
			time.Sleep(time.Hour)
			if n := w.Slack.Calls("chat.postMessage"); n != 6 {
				t.Errorf("%d posts of the status message and the line, want 6", n)
			}
			if due, _ := w.Redis.ZMembers("{psycher}:due"); len(due) != 0 {
				t.Errorf("it is still due: %q", due)
			}
			w.WaitReactions(sim.Channel, ts, "x")
		})
	}
	row(t, "the processes die between the posts: three posts in total", func(t *testing.T) {
		w := sim.New(t)
		w.Slack.Revoke("channels:history")
		w.Slack.Fail("chat.postMessage", -1, fakeslack.LoseAnswer())
		p := w.StartReady("a")
		w.Ask("よろしく")
		for _, name := range []string{"b", "a", "b"} {
			time.Sleep(2 * time.Minute)
			p.Kill()
			p = w.StartReady(name)
		}
		time.Sleep(time.Hour)
		if n := w.Slack.Calls("chat.postMessage"); n != 3 {
			t.Errorf("%d posts, want 3", n)
		}
	})
	row(t, "it can be looked up: posting is retried for as long as it takes", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.Slack.Fail("chat.postMessage", -1, fakeslack.Cut())
		ts := w.Ask("よろしく")
		time.Sleep(20 * time.Minute)
		w.Slack.Heal("chat.postMessage")
		w.WaitMessages(sim.Channel, ts, deploy.MsgGreet)
	})
}
