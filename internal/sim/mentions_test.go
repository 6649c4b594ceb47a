package sim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sim"
)

// wantAnswer checks that one mention gets this one reply, and no trigger.
func wantAnswer(t *testing.T, w *sim.World, channel, text string, want deploy.MessageID) {
	t.Helper()
	ts := w.Slack.Say(sim.User, channel, text)
	w.WaitMessages(channel, ts, want)
	if n := w.GitLab.PostsFor(channel, ts); n != 0 {
		t.Errorf("%q: %d triggers", text, n)
	}
	w.WaitReactions(channel, ts, answerReaction(want)...)
}

// answerReaction is what a mention gets whose answer is only in words.
func answerReaction(id deploy.MessageID) []string {
	switch id {
	case deploy.MsgGuest, deploy.MsgNotAllowed, deploy.MsgGroupUnread, deploy.MsgFrozen:
		return []string{"no_entry"}
	case deploy.MsgUnclear, deploy.MsgOther, deploy.MsgTooLong, deploy.MsgUnknown, deploy.MsgWhichTarget, deploy.MsgTooLate, deploy.MsgForgotten, deploy.MsgEditedIn,
		deploy.MsgPending, deploy.MsgAgain, deploy.MsgRollback, deploy.MsgBusy, deploy.MsgBusyWaiting, deploy.MsgFreeze, deploy.MsgTakenBack,
		deploy.MsgTurn, deploy.MsgLocked, deploy.MsgUnlock:
		return []string{"thinking_face"}
	}
	return nil
}

func TestMessagesThatDeployNothing(t *testing.T) {
	rows := map[string][]struct {
		text string
		say  deploy.MessageID
	}{
		"ja": {
			{"リリース待って", deploy.MsgStop},
			{"さっきのリリース戻せる？", deploy.MsgNothingBefore},
			{"リリースしないで", deploy.MsgPlainly},
			{"リリースありがとう！", deploy.MsgUnclear},
			{"リリース終わった？", deploy.MsgStatus},
			{"リリース失敗した", deploy.MsgStatus},
			{"どうやってリリースするの？", deploy.MsgHelp},
			{"明日の朝リリースお願い", deploy.MsgUnclear},
			{"テスト通ったらリリースして", deploy.MsgUnclear},
			{"リリースノートお願い", deploy.MsgUnclear},
			{"stagingにデプロイ", deploy.MsgOther},
			{"release api", deploy.MsgUnclear},
			{"リリ一スして", deploy.MsgUnclear},
			{"よろしく", deploy.MsgGreet},
			{"こんにちは", deploy.MsgGreet},
			{"ありがとう", deploy.MsgThanks},
			{"ヘルプ", deploy.MsgHelp},
			{"リリース履歴", deploy.MsgHistory},
			{"お昼どうする", deploy.MsgUnknown},
			{"released", deploy.MsgUnknown},
			{"「リリース」って何", deploy.MsgUnknown},
		},
		"en": {
			{"hold the release", deploy.MsgStop},
			{"don’t release", deploy.MsgPlainly},
			{"we can't release today", deploy.MsgUnclear},
			{"deploy failed", deploy.MsgStatus},
			{"how do I deploy?", deploy.MsgHelp},
			{"release tomorrow", deploy.MsgUnclear},
			{"if tests pass, release", deploy.MsgUnclear},
			{"release v1.2.3", deploy.MsgOther},
			{"relase", deploy.MsgUnclear},
			{"hello there", deploy.MsgGreet},
			{"roll back", deploy.MsgNothingBefore},
			{"lunch anyone", deploy.MsgUnknown},
		},
	}
	for lang, examples := range rows {
		row(t, "PSYCHER_LANG="+lang, func(t *testing.T) {
			w := sim.New(t, "PSYCHER_LANG="+lang)
			w.StartReady("a")
			for _, e := range examples {
				wantAnswer(t, w, sim.Channel, sim.Bot+" "+e.text, e.say)
			}
		})
	}
	row(t, "about the past: the last state of the target, with its link", func(t *testing.T) {
		w := sim.New(t)
		reportEach(w, "failure")
		w.StartReady("a")
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "x")
		asked := w.Ask("リリース終わった？")
		w.WaitMessages(sim.Channel, asked, deploy.MsgStatus)
		if text := w.Texts(sim.Channel, asked)[0]; !strings.Contains(text, "失敗") || !strings.Contains(text, "/-/pipelines/1001|") {
			t.Errorf("it does not tell the last state: %q", text)
		}
	})
}

func TestMessagesThatDeploy(t *testing.T) {
	for lang, texts := range map[string][]string{
		"ja": {"リリース", "ﾘﾘｰｽ", "ｒｅｌｅａｓｅ", "RELEASE", "リリースよろしく", "マージしました。リリースお願いします", "デプロイしてもらえる？", "キャンセル機能をマージしました。リリースして"},
		"en": {"could you release app, please?", "QA has approved, deploy", "ﾘﾘｰｽ"},
	} {
		row(t, "PSYCHER_LANG="+lang, func(t *testing.T) {
			w := sim.New(t, "PSYCHER_LANG="+lang)
			w.StartReady("a")
			for _, text := range texts {
				ts := w.Ask(text)
				w.WaitReactions(sim.Channel, ts, "thumbsup")
				w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
				wantPosts(t, w, ts, 1)
			}
		})
	}
}

func TestTargetsOfAChannel(t *testing.T) {
	row(t, "two targets and none named: the bot asks which, with a button for each", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		for _, text := range []string{"リリース", "release please", "おはよう！リリースお願いします"} {
			ts := w.Slack.Say(sim.User, sim.Two, sim.Bot+" "+text)
			w.WaitMessages(sim.Two, ts, deploy.MsgWhichTarget)
			var labels []string
			for _, c := range w.Slack.Thread(sim.Two, ts)[0].Controls() {
				labels = append(labels, c.Label)
			}
			if diff := cmp.Diff([]string{"api (master) をリリース", "web (master) をリリース", "やめる"}, labels); diff != "" {
				t.Errorf("the buttons (-want +got): %s", diff)
			}
		}
		if n := w.GitLab.Posts(); n != 0 {
			t.Errorf("%d triggers", n)
		}
	})
	row(t, "two targets: the one that is named, in its own project", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		for text, project := range map[string]string{"apiをリリース": "group/api", "release web": "group/web"} {
			ts := w.Slack.Say(sim.User, sim.Two, sim.Bot+" "+text)
			w.WaitReactions(sim.Two, ts, "thumbsup")
			if n := w.GitLab.PostsFor(sim.Two, ts); n != 1 {
				t.Errorf("%d triggers", n)
			}
			all := w.GitLab.Pipelines()
			if p := all[len(all)-1]; p.Project != project || p.Variables["timestamp"] != ts {
				t.Errorf("%q ran in %s", text, p.Project)
			}
		}
	})
	row(t, "a name in a quote still counts", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		ts := w.Slack.Say(sim.User, sim.Two, sim.Bot+" 「api」をリリースして")
		w.WaitReactions(sim.Two, ts, "thumbsup")
		if p := w.GitLab.Pipelines()[0]; p.Project != "group/api" {
			t.Errorf("it ran in %s", p.Project)
		}
	})
	row(t, "no target in the channel: it says so", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		wantAnswer(t, w, sim.Empty, sim.Bot+" リリース", deploy.MsgNoTarget)
	})
}

func TestWhoMayDeploy(t *testing.T) {
	row(t, "a guest of another workspace cannot", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		ts := w.Slack.Say("U0GUEST", sim.Channel, sim.Bot+" release", fakeslack.FromTeam("T0OTHER"))
		w.WaitMessages(sim.Channel, ts, deploy.MsgGuest)
		wantPosts(t, w, ts, 0)
	})
	for name, shape := range map[string][]fakeslack.Option{
		"the event does not name the person's team":   {fakeslack.WithOuter("is_ext_shared_channel", true), fakeslack.With("team", nil)},
		"only the sender's workspace shows it":        {fakeslack.WithOuter("team_id", "T0OTHER")},
		"only the person's organisation shows it":     {fakeslack.WithOuter("is_ext_shared_channel", true), fakeslack.With("user_team", "E0OTHER")},
		"the bot is of an organisation, they are not": {fakeslack.WithOuter("is_ext_shared_channel", true), fakeslack.With("user_team", "T0OTHER")},
	} {
		row(t, "a person of another organisation cannot: "+name, func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			ts := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release", shape...)
			w.WaitMessages(sim.Channel, ts, deploy.MsgGuest)
			wantPosts(t, w, ts, 0)
		})
	}
	row(t, "a person of the bot's workspace can, in a channel of another organisation", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		ts := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release", fakeslack.WithOuter("team_id", "T0OTHER"),
			fakeslack.WithOuter("is_ext_shared_channel", true), fakeslack.With("user_team", sim.Team), fakeslack.With("source_team", "T0OTHER"))
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPosts(t, w, ts, 1)
	})
	row(t, "one message, delivered for two workspaces that have the app: one answer, one deploy", func(t *testing.T) {
		w := sim.New(t)
		_, log := w.StartLogged("a")
		ts := w.Ask("release")
		w.Slack.Deliver(sim.Channel, ts, fakeslack.WithOuter("context_team_id", "T0OTHER"))
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		time.Sleep(30 * time.Second)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
		wantPosts(t, w, ts, 1)
		if !strings.Contains(log.String(), "delivered for another workspace") {
			t.Error("the other delivery is not logged")
		}
	})
	row(t, "a person not in allow cannot deploy, one in it can", func(t *testing.T) {
		w := sim.New(t, fmt.Sprintf(
			`GITLAB_TRIGGER_TOKENS={%q: {%q: {"app": {"project_id": "group/app", "token": %q, "allow": ["U0BOSS"]}}}}`, sim.Team, sim.Channel, sim.TriggerToken))
		w.StartReady("a")
		wantAnswer(t, w, sim.Channel, sim.Bot+" release", deploy.MsgNotAllowed)
		ts := w.Slack.Say("U0BOSS", sim.Channel, sim.Bot+" release")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPosts(t, w, ts, 1)
	})
	row(t, "a person is removed from allow while it waits: the refusal says so, and nothing more is sent", func(t *testing.T) {
		w := sim.New(t)
		p := w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "rate limit of a proxy"))
		ts := w.Ask("release")
		w.WaitMessages(sim.Channel, ts, deploy.MsgWaitRate)
		if err := p.Stop(); err != nil {
			t.Fatal(err)
		}
		w.StartReady("b", fmt.Sprintf(
			`GITLAB_TRIGGER_TOKENS={%q: {%q: {"app": {"project_id": "group/app", "token": %q, "allow": ["U0BOSS"]}}}}`, sim.Team, sim.Channel, sim.TriggerToken))
		w.Eventually("the refusal", 2*time.Minute, func() bool { return len(w.Messages(sim.Channel, ts)) == 2 })
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusAnswered, deploy.MsgNotAllowed)
		w.WaitReactions(sim.Channel, ts, "no_entry")
		time.Sleep(6 * time.Minute)
		wantPosts(t, w, ts, 1)
		if n := len(w.GitLab.Pipelines()); n != 0 {
			t.Errorf("%d pipelines", n)
		}
	})
	for name, say := range map[string]func(w *sim.World) string{
		"another bot's post": func(w *sim.World) string {
			return w.Slack.Say("U0OTHER", sim.Channel, sim.Bot+" release", fakeslack.AsBot("B0OTHER"))
		},
		"another bot's post with no user": func(w *sim.World) string {
			return w.Slack.Say("", sim.Channel, sim.Bot+" release", fakeslack.AsBot("B0OTHER"))
		},
		"its own post": func(w *sim.World) string { return w.Slack.Say("U0BOT", sim.Channel, sim.Bot+" release") },
		"a change of the channel's topic": func(w *sim.World) string {
			return w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release", fakeslack.With("subtype", "channel_topic"))
		},
		"a hidden message": func(w *sim.World) string {
			return w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release", fakeslack.With("hidden", true))
		},
		"a mention that is struck through": func(w *sim.World) string { return w.Slack.Say(sim.User, sim.Channel, "~"+sim.Bot+" release~") },
		"a mention in code":                func(w *sim.World) string { return w.Slack.Say(sim.User, sim.Channel, "`"+sim.Bot+" release`") },
		"a mention in a block of code":     func(w *sim.World) string { return w.Slack.Say(sim.User, sim.Channel, "```\n"+sim.Bot+" release\n```") },
		"a mention in a quote": func(w *sim.World) string {
			return w.Slack.Say(sim.User, sim.Channel, "> "+sim.Bot+" release\nis what I wrote")
		},
	} {
		row(t, name+" is not for the bot: acked and nothing else", func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			ts := say(w)
			w.Eventually("the ack", 3*time.Second, func() bool { return acked(w, ts) })
			time.Sleep(30 * time.Second)
			w.WaitMessages(sim.Channel, ts)
			w.WaitReactions(sim.Channel, ts)
			wantPosts(t, w, ts, 0)
		})
	}
}

func TestTruncatedMessageIsAskedAbout(t *testing.T) {
	for _, lang := range []string{"ja", "en"} {
		row(t, "PSYCHER_LANG="+lang, func(t *testing.T) {
			w := sim.New(t, "PSYCHER_LANG="+lang)
			w.StartReady("a")
			wantAnswer(t, w, sim.Channel, sim.Bot+" release "+strings.Repeat("long ", 2000)+"tomorrow", deploy.MsgTooLong)
		})
	}
}

func TestSlackHoldingEventsBackIsLogged(t *testing.T) {
	row(t, "acked, and one log line with the fix", func(t *testing.T) {
		w := sim.New(t)
		_, log := w.StartLogged("a")
		w.Slack.RateLimit()
		w.Eventually("the warning", 5*time.Second, func() bool { return strings.Contains(log.String(), "holds some back") })
		if n := len(w.Slack.Deliveries()); n != 1 {
			t.Errorf("%d deliveries", n)
		}
	})
}

func TestReplyGoesToTheMentionsThread(t *testing.T) {
	row(t, "in a thread: replies in that thread, reactions on the mention", func(t *testing.T) {
		w := sim.New(t)
		reportEach(w, "success")
		w.StartReady("a")
		top := w.Slack.Say(sim.User, sim.Channel, "what a day")
		ts := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release", fakeslack.InThread(top))
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
		w.WaitMessages(sim.Channel, top, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
		if n := len(w.Slack.Channel(sim.Channel)); n != 1 {
			t.Errorf("%d messages at top level", n)
		}
		w.WaitReactions(sim.Channel, top)
		wantPosts(t, w, ts, 1)
	})
}

func TestEdits(t *testing.T) {
	row(t, "an edit adds a mention that asks for a deploy: the bot asks", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		ts := w.Slack.Say(sim.User, sim.Channel, "release")
		time.Sleep(5 * time.Second)
		w.Slack.Edit(sim.Channel, ts, sim.Bot+" release")
		w.WaitMessages(sim.Channel, ts, deploy.MsgEditedIn)
		w.Slack.Edit(sim.Channel, ts, sim.Bot+" release!")
		time.Sleep(30 * time.Second)
		w.WaitMessages(sim.Channel, ts, deploy.MsgEditedIn)
		wantPosts(t, w, ts, 0)
	})
	row(t, "a greeting is edited into a deploy: the bot asks, once", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		ts := w.Ask("よろしく")
		w.WaitMessages(sim.Channel, ts, deploy.MsgGreet)
		w.Slack.Edit(sim.Channel, ts, sim.Bot+" リリースよろしく")
		w.WaitMessages(sim.Channel, ts, deploy.MsgGreet, deploy.MsgEditedIn)
		w.Slack.Edit(sim.Channel, ts, sim.Bot+" リリース")
		time.Sleep(30 * time.Second)
		w.WaitMessages(sim.Channel, ts, deploy.MsgGreet, deploy.MsgEditedIn)
		wantPosts(t, w, ts, 0)
	})
	bubble(t, "a greeting that no process has handled yet is edited into a deploy: the bot asks", func(t *testing.T) {
		h := newStoppedHarness(t, false)
		m := h.newRequest(1, "hello")
		claimed := deploy.Record{Layout: deploy.Layout, Revision: "of a process that is gone", State: deploy.Accepted, Request: m}
		if _, _, err := h.store.Store.Claim(t.Context(), &claimed, 5*time.Second, time.Now(), deploy.TargetID{}); err != nil {
			t.Fatal(err)
		}
		h.Engine = h.startEngine()
		edit := m
		edit.Edited, edit.Intent = true, parseIntent("release")
		if !h.Accept(t.Context(), edit, 0) {
			t.Error("the edit is not acked")
		}
		time.Sleep(30 * time.Second)
		h.wantShown(m, "thinking_face", deploy.MsgEditedIn)
		if n := h.gitlab.countPosts(); n != 0 {
			t.Errorf("%d POSTs", n)
		}
	})
	row(t, "an edit withdraws it while it waits: answered, and nothing more is sent", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "rate limit of a proxy"))
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
		w.WaitMessages(sim.Channel, ts, deploy.MsgWaitRate)
		w.Slack.Edit(sim.Channel, ts, sim.Bot+" よろしく")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusAnswered, deploy.MsgEditedOut)
		w.WaitReactions(sim.Channel, ts)
		time.Sleep(6 * time.Minute)
		wantPosts(t, w, ts, 1)
		if n := len(w.GitLab.Pipelines()); n != 0 {
			t.Errorf("%d pipelines", n)
		}
	})
	for name, edited := range map[string]string{
		"struck through":             "~" + sim.Bot + " release~",
		"the request struck through": sim.Bot + " ~release~",
		"in code":                    "`" + sim.Bot + " release`",
		"in a quote":                 "> " + sim.Bot + " release",
		"in a block of code":         "```\n" + sim.Bot + " release\n```",
		"without the bot's name":     "release", // Slack sends no event for it
		"beyond what is read":        sim.Bot + " release " + strings.Repeat("long ", 2000),
	} {
		row(t, "an edit withdraws it while it waits: "+name, func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			w.GitLab.Answer(1, fault(t, "rate limit of a proxy"))
			ts := w.Ask("release")
			w.WaitMessages(sim.Channel, ts, deploy.MsgWaitRate)
			w.Slack.Edit(sim.Channel, ts, edited)
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusAnswered, deploy.MsgEditedOut)
			w.WaitReactions(sim.Channel, ts)
			time.Sleep(6 * time.Minute)
			wantPosts(t, w, ts, 1)
		})
	}
	row(t, "an edit asks for a target other than the waiting one: nothing more is sent", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "rate limit of a proxy"))
		ts := w.Slack.Say(sim.User, sim.Two, sim.Bot+" release api")
		w.WaitMessages(sim.Two, ts, deploy.MsgWaitRate)
		w.Slack.Edit(sim.Two, ts, sim.Bot+" release web")
		w.WaitMessages(sim.Two, ts, deploy.MsgStatusAnswered, deploy.MsgEditedOut)
		time.Sleep(6 * time.Minute)
		if n := w.GitLab.PostsFor(sim.Two, ts); n != 1 || len(w.GitLab.Pipelines()) != 0 {
			t.Errorf("%d triggers, %d pipelines", n, len(w.GitLab.Pipelines()))
		}
	})
	row(t, "an edit withdraws it during the POST, and GitLab refuses the POST: no other is made", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		f := fault(t, "rate limit of a proxy")
		f.Delay = 20 * time.Second
		w.GitLab.Answer(1, f)
		ts := w.Ask("release")
		w.Eventually("the POST", 5*time.Second, func() bool { return w.GitLab.PostsFor(sim.Channel, ts) == 1 })
		w.Slack.Edit(sim.Channel, ts, "~"+sim.Bot+" release~")
		w.WaitMessages(sim.Channel, ts, deploy.MsgEditedOut)
		time.Sleep(6 * time.Minute)
		wantPosts(t, w, ts, 1)
	})
	row(t, "the edit that withdraws it is delivered before the mention: nothing starts", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.Slack.PauseDeliveries(true)
		ts := w.Ask("release")
		w.Slack.Edit(sim.Channel, ts, "~"+sim.Bot+" release~")
		w.Slack.DeliverBackwards(time.Second)
		w.Eventually("both deliveries", 5*time.Second, func() bool { return len(w.Slack.Deliveries()) == 2 && acked(w, ts) })
		time.Sleep(30 * time.Second)
		w.WaitMessages(sim.Channel, ts)
		wantPosts(t, w, ts, 0)
	})
	row(t, "an edit of a running deploy changes nothing", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
		w.Slack.Edit(sim.Channel, ts, sim.Bot+" リリースしないで")
		time.Sleep(30 * time.Second)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPosts(t, w, ts, 1)
	})
	row(t, "an edit takes the bot's name out, and the bot may not read the channel: it goes on", func(t *testing.T) {
		w := sim.New(t)
		w.Slack.Revoke("channels:history")
		w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "rate limit of a proxy"))
		ts := w.Ask("release")
		w.WaitMessages(sim.Channel, ts, deploy.MsgWaitRate)
		w.Slack.Edit(sim.Channel, ts, "release")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPosts(t, w, ts, 2)
	})
	row(t, "an edit while it waits still asks for it: it goes on", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "rate limit of a proxy"))
		ts := w.Ask("release")
		w.WaitMessages(sim.Channel, ts, deploy.MsgWaitRate)
		w.Slack.Edit(sim.Channel, ts, sim.Bot+" リリースお願いします")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPosts(t, w, ts, 2)
	})
}

func TestDeletedMentionStartsNothing(t *testing.T) {
	gone := func(t *testing.T, w *sim.World, ts string, said ...deploy.MessageID) {
		t.Helper()
		time.Sleep(6 * time.Minute)
		wantPosts(t, w, ts, 1)
		w.WaitMessages(sim.Channel, ts, said...)
		if n := len(w.GitLab.Pipelines()); n != 0 {
			t.Errorf("%d pipelines", n)
		}
		if due, _ := w.Redis.ZMembers("{psycher}:due"); len(due) != 0 {
			t.Errorf("it is still due: %q", due)
		}
	}
	row(t, "before the wait is shown: nothing is posted in the thread", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		f := fault(t, "rate limit of a proxy")
		f.Delay = time.Second
		w.GitLab.Answer(1, f)
		ts := w.Ask("release")
		w.Eventually("the POST", 5*time.Second, func() bool { return w.GitLab.PostsFor(sim.Channel, ts) == 1 })
		w.Slack.Delete(sim.Channel, ts)
		gone(t, w, ts)
	})
	row(t, "while GitLab is slow to refuse the POST: nothing is posted in the channel either", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		f := fault(t, "rate limit of a proxy")
		f.Delay = 6 * time.Second
		w.GitLab.Answer(1, f)
		ts := w.Ask("release")
		w.Eventually("the POST", 5*time.Second, func() bool { return w.GitLab.PostsFor(sim.Channel, ts) == 1 })
		w.Slack.Delete(sim.Channel, ts)
		gone(t, w, ts)
		if said := w.Slack.Channel(sim.Channel); len(said) != 0 {
			t.Errorf("the channel is told %q", said[0].Text)
		}
	})
	row(t, "while it waits: the status message says that it was withdrawn", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "rate limit of a proxy"))
		ts := w.Ask("release")
		w.WaitMessages(sim.Channel, ts, deploy.MsgWaitRate)
		w.Slack.Delete(sim.Channel, ts)
		gone(t, w, ts, deploy.MsgStatusAnswered)
	})
	row(t, "while it runs: it goes on", func(t *testing.T) {
		w := sim.New(t)
		reportEach(w, "success")
		w.StartReady("a")
		ts := w.Ask("release")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
		w.Slack.Delete(sim.Channel, ts)
		w.Eventually("the end", time.Minute, func() bool {
			return strings.Contains(strings.Join(w.Texts(sim.Channel, ts), " "), ":white_check_mark:") || len(w.Messages(sim.Channel, ts)) > 0 && w.Messages(sim.Channel, ts)[0] == deploy.MsgStatusSucceeded
		})
		wantPosts(t, w, ts, 1)
	})
	row(t, "Slack does not answer whether it still exists: the waiting deploy goes on", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "rate limit of a proxy"))
		ts := w.Ask("release")
		w.WaitMessages(sim.Channel, ts, deploy.MsgWaitRate)
		w.Slack.Fail("reactions.add", 1, fakeslack.Hang())
		w.Eventually("the pipeline", 2*time.Minute, func() bool { return len(w.GitLab.Pipelines()) == 1 })
		wantPosts(t, w, ts, 2)
	})
}

func TestLateMentionsAreAskedAbout(t *testing.T) {
	for name, late := range map[string]time.Duration{"just in time": 110 * time.Second, "too late": 125 * time.Second} {
		row(t, "delivered "+late.String()+" after it was written: "+name, func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			w.Slack.PauseDeliveries(true)
			ts := w.Ask("release")
			time.Sleep(late)
			w.Slack.PauseDeliveries(false)
			if name == "too late" {
				w.WaitMessages(sim.Channel, ts, deploy.MsgTooLate)
				wantPosts(t, w, ts, 0)
				return
			}
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			wantPosts(t, w, ts, 1)
		})
	}
	for _, off := range []time.Duration{-10 * time.Minute, 10 * time.Minute} {
		row(t, "the host's clock is off by "+off.String()+": age is judged by Slack's clock, and a log line has both times", func(t *testing.T) {
			w := sim.New(t)
			w.Slack.SetClock(off)
			_, log := w.StartLogged("a")
			ts := w.Ask("release")
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			wantPosts(t, w, ts, 1)
			if !strings.Contains(log.String(), `"host":`) || !strings.Contains(log.String(), `"slack":`) {
				t.Error("no log line has both times")
			}
		})
	}
}
