package sim_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sim"
)

const second = "U0SECOND"

// ask posts a mention that is asked about, and returns its ts and the question.
func ask(w *sim.World, channel, text string, id deploy.MessageID, opts ...fakeslack.Option) (ts string, question fakeslack.Message) {
	w.T.Helper()
	ts = w.Slack.Say(sim.User, channel, sim.Bot+" "+text, opts...)
	w.WaitMessages(channel, ts, id)
	w.WaitReactions(channel, ts, "thinking_face")
	return ts, w.Slack.Thread(channel, ts)[0]
}

// press presses the n-th button of a message; -1 is the last.
func press(w *sim.World, user, channel string, m fakeslack.Message, n int, opts ...fakeslack.PressOption) {
	w.T.Helper()
	buttons := m.Controls()
	b := buttons[(n+len(buttons))%len(buttons)]
	if !w.Slack.Press(user, channel, m.TS, b.Action, append([]fakeslack.PressOption{fakeslack.WithValue(b.Value)}, opts...)...) {
		w.T.Errorf("%s cannot press %q", user, b.Label)
	}
}

// wantWhispers checks what a person was told alone.
func wantWhispers(w *sim.World, channel, user string, want ...deploy.MessageID) {
	w.T.Helper()
	var got []deploy.MessageID
	w.Eventually(fmt.Sprintf("%s to be told %q alone", user, want), 10*time.Second, func() bool {
		got = nil
		for _, m := range w.Slack.Ephemerals(channel, user) {
			got = append(got, w.ReadMessage(m.Text))
		}
		return slices.Equal(got, want)
	})
}

// wantAcked checks that nobody saw a warning sign.
func wantAcked(w *sim.World) {
	w.T.Helper()
	time.Sleep(4 * time.Second)
	for _, p := range w.Slack.Unacked() {
		w.T.Errorf("a press of %s was not acked in time", p.User)
	}
}

func TestPress(t *testing.T) {
	row(t, "a press deploys once, and the question becomes the status message", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		ts, q := ask(w, sim.Channel, "release otama", deploy.MsgUnclear)
		wantPosts(t, w, ts, 0)
		time.Sleep(20 * time.Minute) // longer than a mention may be old
		press(w, second, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
		if now := w.Slack.Thread(sim.Channel, ts)[0]; now.TS != q.TS || len(now.Controls()) > 0 {
			t.Errorf("the question is left as %s", now.Text)
		}
		w.Notify("a", "success", sim.Channel, ts)
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
		wantPosts(t, w, ts, 1)
		wantAcked(w)
	})
	row(t, "one of two targets, in its own project", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		ts, q := ask(w, sim.Two, "リリース", deploy.MsgWhichTarget)
		press(w, sim.User, sim.Two, q, 1)
		w.WaitReactions(sim.Two, ts, "thumbsup")
		if all := w.GitLab.Pipelines(); len(all) != 1 || all[0].Project != "group/web" {
			t.Errorf("the pipelines are %+v", all)
		}
	})
	row(t, "no: nothing starts, and the buttons go", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		ts, q := ask(w, sim.Channel, "release otama", deploy.MsgUnclear)
		press(w, second, sim.Channel, q, -1)
		w.WaitMessages(sim.Channel, ts, deploy.MsgDeclined)
		w.WaitReactions(sim.Channel, ts)
		press(w, sim.User, sim.Channel, q, 0)
		wantWhispers(w, sim.Channel, sim.User, deploy.MsgPressedBefore)
		time.Sleep(time.Minute)
		wantPosts(t, w, ts, 0)
		wantAcked(w)
	})
	row(t, "nobody presses: after half an hour the question closes, and a press is answered", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		ts, q := ask(w, sim.Channel, "release otama", deploy.MsgUnclear)
		time.Sleep(deploy.AskFor + 15*time.Second)
		w.WaitMessages(sim.Channel, ts, deploy.MsgLapsed)
		w.WaitReactions(sim.Channel, ts)
		press(w, second, sim.Channel, q, 0)
		wantWhispers(w, sim.Channel, second, deploy.MsgPressClosed)
		time.Sleep(time.Minute)
		wantPosts(t, w, ts, 0)
		wantAcked(w)
	})
	row(t, "two persons press in the same second: the first decides, the other is told who it was", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.StartReady("b")
		ts, q := ask(w, sim.Channel, "release otama", deploy.MsgUnclear)
		press(w, second, sim.Channel, q, 0)
		press(w, "U0THIRD", sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		time.Sleep(time.Minute)
		wantPosts(t, w, ts, 1)
		told := append(w.Slack.Ephemerals(sim.Channel, second), w.Slack.Ephemerals(sim.Channel, "U0THIRD")...)
		if len(told) != 1 || w.ReadMessage(told[0].Text) != deploy.MsgPressedBefore || !strings.Contains(told[0].Text, "<@U0") {
			t.Errorf("they were told %+v", told)
		}
		wantAcked(w)
	})
	row(t, "a button of an older version, and one of another channel", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		ts, q := ask(w, sim.Channel, "release otama", deploy.MsgUnclear)
		press(w, second, sim.Channel, q, 0, fakeslack.WithValue("0 deploy"))
		wantWhispers(w, sim.Channel, second, deploy.MsgPressOld)
		press(w, "U0THIRD", sim.Channel, q, 0, fakeslack.WithField("channel.id", sim.Two))
		time.Sleep(time.Minute)
		wantPosts(t, w, ts, 0)
	})
	row(t, "who may not deploy is told so alone, and somebody else can press", func(t *testing.T) {
		w := sim.New(t, fmt.Sprintf(
			`GITLAB_TRIGGER_TOKENS={%q: {%q: {"app": {"project_id": "group/app", "token": %q, "allow": [%q, "U0BOSS"]}}}}`, sim.Team, sim.Channel, sim.TriggerToken, sim.User))
		w.StartReady("a")
		ts, q := ask(w, sim.Channel, "release otama", deploy.MsgUnclear)
		press(w, second, sim.Channel, q, 0)
		wantWhispers(w, sim.Channel, second, deploy.MsgPressNotYours)
		press(w, "U0GUEST", sim.Channel, q, 0, fakeslack.PressedFrom("T0OTHER"))
		press(w, "U0GUEST", sim.Channel, q, -1, fakeslack.PressedFrom("T0OTHER"))
		wantWhispers(w, sim.Channel, "U0GUEST", deploy.MsgPressGuest, deploy.MsgPressGuest)
		wantPosts(t, w, ts, 0)
		w.WaitReactions(sim.Channel, ts, "thinking_face")
		press(w, "U0BOSS", sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPosts(t, w, ts, 1)
		wantAcked(w)
	})
	row(t, "Redis is down at the press: the person is told to press again, and it works then", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		ts, q := ask(w, sim.Channel, "release otama", deploy.MsgUnclear)
		w.RedisDown(20 * time.Second)
		press(w, second, sim.Channel, q, 0)
		wantWhispers(w, sim.Channel, second, deploy.MsgPressLost)
		wantAcked(w)
		time.Sleep(time.Minute)
		wantPosts(t, w, ts, 0)
		press(w, second, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPosts(t, w, ts, 1)
	})
	row(t, "GitLab is out of reach after the press: the question says that it waits", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		ts, q := ask(w, sim.Channel, "release otama", deploy.MsgUnclear)
		w.GitLab.Answer(1, fault(t, "rate limit of a proxy"))
		press(w, second, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgWaitRate)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
	})
	row(t, "the process dies after the press was recorded: another one deploys, once", func(t *testing.T) {
		w := sim.New(t)
		a := w.StartReady("a")
		ts, q := ask(w, sim.Channel, "release otama", deploy.MsgUnclear)
		a.Arm(&sim.Fault{At: sim.Op{Kind: "redis:save", N: 1}, Kind: sim.DieAfter})
		press(w, second, sim.Channel, q, 0)
		w.StartReady("b")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
		time.Sleep(time.Minute)
		wantPosts(t, w, ts, 1)
	})
	row(t, "a press and an edit that takes the request back: nothing starts, or it runs", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		ts, q := ask(w, sim.Channel, "release otama", deploy.MsgUnclear)
		w.Slack.Edit(sim.Channel, ts, sim.Bot+" よろしく")
		press(w, second, sim.Channel, q, 0)
		time.Sleep(time.Minute)
		if n := w.GitLab.PostsFor(sim.Channel, ts); n == 0 {
			w.WaitMessages(sim.Channel, ts, deploy.MsgEditedOut)
		} else {
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
		}
	})
}

func TestStopWithdrawsWhatWaits(t *testing.T) {
	row(t, "an ask and a deploy that waits are withdrawn, and what runs is named", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		running := w.Ask("release")
		w.WaitReactions(sim.Channel, running, "thumbsup")
		asking, q := ask(w, sim.Channel, "release otama", deploy.MsgUnclear)
		w.GitLab.Answer(9, fakegitlab.Fault{Status: 429, Header: map[string]string{"Retry-After": "60"}})
		waiting := w.Ask("release")
		w.WaitReactions(sim.Channel, waiting, "hourglass_flowing_sand")
		stop := w.Ask("ストップ")
		w.WaitMessages(sim.Channel, stop, deploy.MsgStop)
		if text := w.Texts(sim.Channel, stop)[0]; !strings.Contains(text, "2 件") || !strings.Contains(text, "/-/pipelines/1001|") {
			t.Errorf("it says %q", text)
		}
		w.WaitMessages(sim.Channel, asking, deploy.MsgWithdrawn)
		w.WaitMessages(sim.Channel, waiting, deploy.MsgStatusAnswered, deploy.MsgWithdrawn)
		w.WaitReactions(sim.Channel, asking)
		w.WaitReactions(sim.Channel, waiting)
		w.WaitReactions(sim.Channel, running, "thumbsup")
		press(w, second, sim.Channel, q, 0)
		wantWhispers(w, sim.Channel, second, deploy.MsgPressClosed)
		w.GitLab.Heal()
		time.Sleep(6 * time.Minute)
		wantPosts(t, w, waiting, 1)
		wantPosts(t, w, asking, 0)
	})
	row(t, "a target that is named: what waits of another goes on", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.GitLab.Answer(9, fakegitlab.Fault{Status: 429, Header: map[string]string{"Retry-After": "60"}})
		api, web := w.Slack.Say(sim.User, sim.Two, sim.Bot+" release api"), w.Slack.Say(sim.User, sim.Two, sim.Bot+" release web")
		w.WaitReactions(sim.Two, api, "hourglass_flowing_sand")
		w.WaitReactions(sim.Two, web, "hourglass_flowing_sand")
		stop := w.Slack.Say(second, sim.Two, sim.Bot+" stop api")
		w.WaitMessages(sim.Two, stop, deploy.MsgStop)
		w.WaitReactions(sim.Two, api)
		w.GitLab.Heal()
		w.WaitReactions(sim.Two, web, "thumbsup")
		if n := w.GitLab.PostsFor(sim.Two, api); n != 1 {
			t.Errorf("%d triggers of what was withdrawn", n)
		}
	})
	row(t, "in the thread of one of two targets, it is that one", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		api := w.Slack.Say(sim.User, sim.Two, sim.Bot+" release api")
		w.WaitReactions(sim.Two, api, "thumbsup")
		again := w.Slack.Say(sim.User, sim.Two, sim.Bot+" もう一度リリース", fakeslack.InThread(api))
		w.WaitReactions(sim.Two, again, "thumbsup")
		if all := w.GitLab.Pipelines(); len(all) != 2 || all[1].Project != "group/api" {
			t.Errorf("the pipelines are %+v", all)
		}
	})
}

func TestAnEditAfterAnOutageIsAskedAbout(t *testing.T) {
	bubble(t, "who was told that nothing was started, and edits the message", func(t *testing.T) {
		h := newHarness(t, false)
		h.store.setFail(func(context.Context, string) error { return engine.ErrRefused })
		m := h.newRequest(1, "release")
		h.Accept(context.Background(), m, 0)
		h.store.setFail(nil)
		m.Edited, m.Intent = true, parseIntent("release")
		if !h.Accept(context.Background(), m, 0) {
			t.Error("the edit is not acked")
		}
		time.Sleep(time.Minute)
		if got := h.slack.messages(m.Key); !slices.Contains(got, deploy.MsgEditedIn) {
			t.Errorf("the edit has no answer: %q", got)
		}
	})
}

// cannotLook is a Slack in which no message can be looked up.
type cannotLook struct{ *fakeSlack }

func (cannotLook) Find(context.Context, engine.Place) (string, bool, error) {
	return "", false, &engine.PassingError{Err: errors.New("Slack says not_in_channel")}
}

func TestARefusedLookUpIsLoggedAsRefused(t *testing.T) {
	bubble(t, "posts whose answers are lost, and no right to look them up", func(t *testing.T) {
		h := newStoppedHarness(t, false)
		h.Engine = h.newEngine()
		h.Engine.Slack = cannotLook{h.slack}
		var mu sync.Mutex
		var names []string
		h.Engine.Log = func(e engine.Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.Detail == "find" {
				names = append(names, e.Name)
			}
		}
		runEngine(t, h.Engine)
		h.slack.on("post", func(c call) error { return &engine.LostError{Err: errors.New("cut")} })
		h.release(1)
		time.Sleep(20 * time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if len(names) == 0 || slices.ContainsFunc(names, func(name string) bool { return name != "slack-refused" }) {
			t.Errorf("logged are %q", names)
		}
	})
}

func TestStopFindsWhatNobodyHasBegun(t *testing.T) {
	// The project answers nothing for a while, and a ninth request of it waits in line.
	inLine := func(w *sim.World, channel, text string) {
		w.GitLab.Answer(8, fakegitlab.Fault{Make: 1, Delay: 40 * time.Second, Status: 201})
		for range 8 {
			w.Slack.Say(sim.User, channel, sim.Bot+" "+text)
		}
		time.Sleep(time.Second)
	}
	row(t, "a request in line is withdrawn by a stop", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		inLine(w, sim.Channel, "release")
		ninth := w.Ask("release")
		time.Sleep(3 * time.Second)
		w.Ask("ストップ")
		time.Sleep(3 * time.Minute)
		w.WaitMessages(sim.Channel, ninth, deploy.MsgWithdrawn)
		wantPosts(t, w, ninth, 0)
	})
	row(t, "a request without a name, in a deployment's thread and in line, is taken back by an edit", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		first := w.Slack.Say(sim.User, sim.Two, sim.Bot+" release api")
		w.WaitReactions(sim.Two, first, "thumbsup")
		inLine(w, sim.Two, "release api")
		ts := w.Slack.Say(sim.User, sim.Two, sim.Bot+" release", fakeslack.InThread(first))
		time.Sleep(2 * time.Second)
		w.Slack.Edit(sim.Two, ts, sim.Bot+" よろしく")
		time.Sleep(3 * time.Minute)
		if n := w.GitLab.PostsFor(sim.Two, ts); n != 0 {
			t.Errorf("%d triggers of what was taken back", n)
		}
	})
	row(t, "in the thread of a question about one target, what waits of the other goes on", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.GitLab.Answer(9, fakegitlab.Fault{Status: 429, Header: map[string]string{"Retry-After": "60"}})
		api := w.Slack.Say(sim.User, sim.Two, sim.Bot+" release api")
		w.WaitReactions(sim.Two, api, "hourglass_flowing_sand")
		web, _ := ask(w, sim.Two, "release web otama", deploy.MsgUnclear)
		either, _ := ask(w, sim.Two, "リリース", deploy.MsgWhichTarget)
		for _, thread := range []string{web, either} {
			w.Slack.Say(second, sim.Two, sim.Bot+" ストップ", fakeslack.InThread(thread))
			w.Eventually("the question to be withdrawn", 10*time.Second, func() bool { return w.Messages(sim.Two, thread)[0] == deploy.MsgWithdrawn })
		}
		w.WaitReactions(sim.Two, api, "hourglass_flowing_sand")
	})
	row(t, "a question that an edit has made is withdrawn", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		ts := w.Ask("よろしく")
		w.WaitMessages(sim.Channel, ts, deploy.MsgGreet)
		w.Slack.Edit(sim.Channel, ts, sim.Bot+" release")
		w.Eventually("the question", 10*time.Second, func() bool { return len(w.Messages(sim.Channel, ts)) == 2 })
		w.Ask("ストップ")
		w.WaitMessages(sim.Channel, ts, deploy.MsgGreet, deploy.MsgWithdrawn)
	})
	row(t, "what was asked after the stop goes on, however late the stop is read", func(t *testing.T) {
		w := sim.New(t)
		w.Slack.PauseDeliveries(true)
		w.Ask("ストップ")
		time.Sleep(20 * time.Second)
		later := w.Ask("release otama")
		w.StartReady("a")
		w.Slack.PauseDeliveries(false)
		time.Sleep(30 * time.Second)
		w.WaitMessages(sim.Channel, later, deploy.MsgUnclear)
	})
}

func TestWhatMayRunIsNamed(t *testing.T) {
	row(t, "a pipeline that did not report back: no joke, and a stop names it", func(t *testing.T) {
		w := sim.New(t, "PSYCHER_LANG=en", "DEPLOY_TIMEOUT=30s", "GITLAB_API_TOKEN=")
		w.StartReady("a")
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "zzz")
		stop, hello := w.Ask("stop"), w.Ask("hello")
		w.WaitMessages(sim.Channel, stop, deploy.MsgStop)
		if text := w.Texts(sim.Channel, stop)[0]; !strings.Contains(text, "/-/pipelines/1001|") {
			t.Errorf("the stop says %q", text)
		}
		w.WaitMessages(sim.Channel, hello, deploy.MsgGreet)
		if text := w.Texts(sim.Channel, hello)[0]; !strings.HasPrefix(text, "Hello!") {
			t.Errorf("it jokes: %q", text)
		}
	})
	row(t, "what was refused or withdrawn hides no earlier end", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.Notify("a", "success", sim.Channel, ts)
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
		w.GitLab.Answer(1, fault(t, "reference not found"))
		refused := w.Ask("release")
		w.WaitReactions(sim.Channel, refused, "x")
		status := w.Ask("状況")
		w.WaitMessages(sim.Channel, status, deploy.MsgStatus)
		if text := w.Texts(sim.Channel, status)[0]; !strings.Contains(text, "成功") {
			t.Errorf("it says %q", text)
		}
	})
	row(t, "a guest who wants to stop is not told to deploy", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.Ask("release")
		ts := w.Slack.Say("U0GUEST", sim.Channel, sim.Bot+" ストップ", fakeslack.FromTeam("T0OTHER"))
		w.WaitMessages(sim.Channel, ts, deploy.MsgStopGuest)
		w.WaitReactions(sim.Channel, ts, "no_entry")
	})
}

func TestAQuestionThatTakesNoEdit(t *testing.T) {
	for _, code := range []string{"cant_update_message", "edit_window_closed", "message_not_found"} {
		row(t, "pressed, and Slack says "+code+": the status message is a new one, once", func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			ts, q := ask(w, sim.Channel, "release otama", deploy.MsgUnclear)
			w.Slack.Fail("chat.update", 1, fakeslack.Fails(code))
			press(w, second, sim.Channel, q, 0)
			w.WaitMessages(sim.Channel, ts, deploy.MsgUnclear, deploy.MsgStatusRunning)
			w.Notify("a", "success", sim.Channel, ts)
			w.WaitMessages(sim.Channel, ts, deploy.MsgUnclear, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
			wantPosts(t, w, ts, 1)
		})
	}
}

func TestTheEmbeddedStoreClosesQuestionsAtItsEnd(t *testing.T) {
	row(t, "its buttons go, and the reaction", func(t *testing.T) {
		w := sim.New(t, "REDIS_URL=")
		p := w.StartReady("a")
		ts, _ := ask(w, sim.Channel, "release otama", deploy.MsgUnclear)
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
		w.WaitMessages(sim.Channel, ts, deploy.MsgAskStopped)
		w.WaitReactions(sim.Channel, ts)
		if m := w.Slack.Thread(sim.Channel, ts)[0]; len(m.Controls()) > 0 {
			t.Error("it has its buttons still")
		}
	})
}
