package sim_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sim"
)

// The worlds begin on 1 January 2000 at 0:00 UTC, which is 9:00 in Tokyo.
const (
	frozenNow   = `, "freeze": [{"cron": "30 8 1 1 *", "for": "90m", "zone": "Asia/Tokyo", "reason": "new year"}]`
	frozenLater = `, "freeze": [{"cron": "3 9 1 1 *", "for": "1h", "zone": "Asia/Tokyo"}]`
	bySecond    = `, "override": ["` + second + `"]`
)

// frozen is a world with a target of these keys.
func frozen(t *testing.T, more string) *sim.World {
	w := sim.New(t, oneTarget(more))
	w.StartReady("a")
	return w
}

// intoTheFreeze waits until the freeze has begun that is later.
func intoTheFreeze() {
	time.Sleep(time.Until(time.Date(2000, 1, 1, 0, 3, 10, 0, time.UTC)))
}

// wantLabels checks what the buttons of a question say.
func wantLabels(w *sim.World, channel, ts string, want ...string) {
	w.T.Helper()
	var got []string
	for _, b := range w.Slack.Thread(channel, ts)[0].Controls() {
		got = append(got, b.Label)
	}
	if !slices.Equal(got, want) {
		w.T.Errorf("the buttons are %q, not %q", got, want)
	}
}

func TestAFreeze(t *testing.T) {
	row(t, "who may not override it is told until when, why and whom to ask; afterwards it deploys", func(t *testing.T) {
		w := frozen(t, frozenNow+bySecond)
		ts := w.Ask("release")
		w.WaitMessages(sim.Channel, ts, deploy.MsgFrozen)
		w.WaitReactions(sim.Channel, ts, "no_entry")
		text := shown(w.Slack.Thread(sim.Channel, ts)[0])
		for _, want := range []string{"1月1日（土）08:30", "1月1日（土）10:00", "Asia/Tokyo", "new year", "<@" + second + ">"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %s in %s", want, text)
			}
		}
		wantPipelines(w, 0)
		time.Sleep(time.Hour)
		w.WaitReactions(sim.Channel, w.Ask("release"), "thumbsup")
		wantPipelines(w, 1)
		wantAcked(w)
	})
	row(t, "who may is asked, by a button that says it, and others cannot press it", func(t *testing.T) {
		w := frozen(t, frozenNow+bySecond)
		ts := w.Slack.Say(second, sim.Channel, sim.Bot+" release")
		w.WaitMessages(sim.Channel, ts, deploy.MsgFreeze)
		w.WaitReactions(sim.Channel, ts, "thinking_face")
		wantLabels(w, sim.Channel, ts, "凍結中でも app (master) をリリース", "やめる")
		q := w.Slack.Thread(sim.Channel, ts)[0]
		press(w, sim.User, sim.Channel, q, 0)
		wantWhispers(w, sim.Channel, sim.User, deploy.MsgPressFrozen)
		wantPipelines(w, 0)
		press(w, second, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 1)
		wantAcked(w)
	})
	for _, more := range []string{"", `, "allow": ["` + second + `"]`} {
		row(t, "whom it stops still sees what would go out, and no button deploys it; with"+more, func(t *testing.T) {
			w := frozen(t, frozenLater+bySecond+more)
			w.WaitReactions(sim.Channel, release(w, sim.Channel), "thumbsup")
			w.GitLab.Finish(1001, "success")
			intoTheFreeze()
			w.GitLab.Push(sim.Project, "master", "Fix the login page", "yamada")
			ts := w.Ask("差分は？")
			w.WaitMessages(sim.Channel, ts, deploy.MsgPendingOnly)
			w.WaitReactions(sim.Channel, ts)
			wantNamed(w, ts, "Fix the login page", "1月1日（土）10:03")
			wantLabels(w, sim.Channel, ts)
			ts = w.Slack.Say(second, sim.Channel, sim.Bot+" 差分は？")
			w.WaitMessages(sim.Channel, ts, deploy.MsgPending)
			wantNamed(w, ts, "Fix the login page", "1月1日（土）10:03")
			wantLabels(w, sim.Channel, ts, "凍結中でも app (master) をリリース", "やめる")
			wantPipelines(w, 1)
			wantAcked(w)
		})
	}
	row(t, "without override nobody may deploy", func(t *testing.T) {
		w := frozen(t, frozenNow)
		for _, user := range []string{sim.User, second} {
			w.WaitMessages(sim.Channel, w.Slack.Say(user, sim.Channel, sim.Bot+" release"), deploy.MsgFrozen)
		}
		wantPipelines(w, 0)
	})
	row(t, "override alone does not allow", func(t *testing.T) {
		w := frozen(t, frozenNow+bySecond+`, "allow": ["`+sim.User+`"]`)
		w.WaitMessages(sim.Channel, w.Slack.Say(second, sim.Channel, sim.Bot+" release"), deploy.MsgNotAllowed)
		wantPipelines(w, 0)
	})
	row(t, "a doubt is asked of who may override it, and the freeze with it", func(t *testing.T) {
		w := frozen(t, frozenNow+bySecond)
		w.WaitMessages(sim.Channel, w.Ask("release tomorrow"), deploy.MsgFrozen)
		ts := w.Slack.Say(second, sim.Channel, sim.Bot+" release tomorrow")
		w.WaitMessages(sim.Channel, ts, deploy.MsgUnclear)
		wantNamed(w, ts, "1月1日（土）10:00", "new year")
		wantLabels(w, sim.Channel, ts, "凍結中でも app (master) をリリース", "やめる")
		wantPipelines(w, 0)
		press(w, second, sim.Channel, w.Slack.Thread(sim.Channel, ts)[0], 0)
		wantPipelines(w, 1)
	})
	row(t, "what was confirmed of it is kept while it is queued", func(t *testing.T) {
		w := frozen(t, frozenLater+bySecond)
		w.WaitReactions(sim.Channel, w.Ask("release"), "thumbsup")
		intoTheFreeze()
		w.GitLab.Push(sim.Project, "master", "Change it", "yamada")
		ts := w.Slack.Say(second, sim.Channel, sim.Bot+" release")
		w.WaitMessages(sim.Channel, ts, deploy.MsgFreeze)
		press(w, second, sim.Channel, w.Slack.Thread(sim.Channel, ts)[0], 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusQueued)
		w.GitLab.Finish(1001, "success")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 2)
	})
	row(t, "status and help tell of it", func(t *testing.T) {
		w := frozen(t, frozenNow+bySecond)
		for _, word := range []string{"status", "help"} {
			ts := w.Ask(word)
			w.Eventually("an answer", time.Minute, func() bool { return len(w.Slack.Thread(sim.Channel, ts)) == 1 })
			if text := shown(w.Slack.Thread(sim.Channel, ts)[0]); !strings.Contains(text, "1月1日（土）10:00") || !strings.Contains(text, "new year") {
				t.Errorf("%s is answered with %s", word, text)
			}
		}
	})
}

func TestAFreezeThatBegins(t *testing.T) {
	row(t, "before a press: it counts for who may override it, once that is confirmed", func(t *testing.T) {
		w := frozen(t, frozenLater+bySecond)
		ts, q := ask(w, sim.Channel, "release tomorrow", deploy.MsgUnclear)
		intoTheFreeze()
		press(w, sim.User, sim.Channel, q, 0)
		wantWhispers(w, sim.Channel, sim.User, deploy.MsgPressFrozen)
		press(w, second, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgFreeze)
		wantPipelines(w, 0)
		press(w, second, sim.Channel, w.Slack.Thread(sim.Channel, ts)[0], 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 1)
	})
	row(t, "between a press and the process that takes it up: it holds", func(t *testing.T) {
		w := sim.New(t, oneTarget(frozenLater+bySecond))
		p := w.StartReady("a")
		ts, q := ask(w, sim.Channel, "release tomorrow", deploy.MsgUnclear)
		p.Arm(&sim.Fault{At: sim.Op{Kind: "redis:save", N: 1}, Kind: sim.DieAfter})
		press(w, sim.User, sim.Channel, q, 0)
		intoTheFreeze()
		w.StartReady("b")
		w.WaitMessages(sim.Channel, ts, deploy.MsgFrozen)
		wantPipelines(w, 0)
	})
	for _, user := range []string{sim.User, second} {
		row(t, "while a deploy waits for GitLab: it is held back, and told so; asked for by "+user, func(t *testing.T) {
			w := frozen(t, frozenLater+bySecond)
			time.Sleep(time.Minute)
			w.GitLab.Answer(1, fault(t, "rate limit of a proxy"))
			w.GitLab.Answer(2, fault(t, "rate limit of a proxy"))
			w.GitLab.Answer(3, fault(t, "rate limit of a proxy"))
			ts := w.Slack.Say(user, sim.Channel, sim.Bot+" release")
			w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
			intoTheFreeze()
			waitLong(w, sim.Channel, ts, "no_entry")
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusAnswered, deploy.MsgFrozen)
			wantPipelines(w, 0)
		})
	}
	row(t, "what was confirmed waits for GitLab in it, and is deployed", func(t *testing.T) {
		w := frozen(t, frozenNow+bySecond)
		ts := w.Slack.Say(second, sim.Channel, sim.Bot+" release")
		w.WaitMessages(sim.Channel, ts, deploy.MsgFreeze)
		w.GitLab.Answer(1, fault(t, "rate limit of a proxy"))
		press(w, second, sim.Channel, w.Slack.Thread(sim.Channel, ts)[0], 0)
		w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
		waitLong(w, sim.Channel, ts, "thumbsup")
		wantPipelines(w, 1)
	})
	row(t, "a retry is a deploy: others cannot press it, and who may is asked", func(t *testing.T) {
		w := frozen(t, frozenLater+bySecond)
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.GitLab.Finish(1001, "failed")
		waitLong(w, sim.Channel, ts, "x")
		intoTheFreeze()
		status := statusOf(w, sim.Channel, ts, 0)
		pressOn(w, sim.User, sim.Channel, status, "retry")
		wantWhispers(w, sim.Channel, sim.User, deploy.MsgPressFrozen)
		pressOn(w, second, sim.Channel, status, "retry")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusFailed, deploy.MsgFailed, deploy.MsgFreeze)
		wantPipelines(w, 1)
		press(w, second, sim.Channel, w.Slack.Thread(sim.Channel, ts)[2], 0)
		wantPipelines(w, 2)
	})
	row(t, "a lock that ends in it: who ends it is told of the freeze, not that the target is free", func(t *testing.T) {
		w := frozen(t, frozenNow)
		w.WaitMessages(sim.Channel, w.Ask("lock app"), deploy.MsgStatusLocked)
		ts := w.Ask("unlock app")
		w.WaitMessages(sim.Channel, ts, deploy.MsgUnlocking)
		if said := w.Texts(sim.Channel, ts)[0]; !strings.Contains(said, "new year") || strings.Contains(said, "出せます") {
			t.Errorf("told: %s", said)
		}
	})
	row(t, "a rollback is confirmed as ever, by whoever may deploy", func(t *testing.T) {
		w := sim.New(t, oneTarget(""))
		stages(w)
		p := w.StartReady("a")
		deployedTimes(w, 2)
		p.Reload(oneTarget(`, "freeze": [{"cron": "* * * * *", "for": "1m", "zone": "UTC"}]`))
		w.WaitMessages(sim.Channel, w.Ask("release"), deploy.MsgFrozen)
		ts := w.Ask("ロールバック")
		w.WaitMessages(sim.Channel, ts, deploy.MsgRollback)
		press(w, sim.User, sim.Channel, w.Slack.Thread(sim.Channel, ts)[0], 0)
		w.Eventually("the rollback", time.Minute, func() bool { return reruns(w, 0)+reruns(w, 1) == 1 })
	})
	row(t, "it is taken out of the map: the next one deploys", func(t *testing.T) {
		w := sim.New(t, oneTarget(frozenNow))
		p := w.StartReady("a")
		w.WaitMessages(sim.Channel, w.Ask("release"), deploy.MsgFrozen)
		p.Reload(oneTarget(""))
		w.WaitReactions(sim.Channel, w.Ask("release"), "thumbsup")
	})
}
