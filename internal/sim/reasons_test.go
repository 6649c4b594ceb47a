package sim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sim"
)

// wantNamed checks what the bot's last message in a thread shows.
func wantNamed(w *sim.World, ts string, all ...string) {
	w.T.Helper()
	text := questionOf(w, ts).Shown()
	for _, want := range all {
		if strings.Count(text, want) == 0 {
			w.T.Errorf("no %s in %s", want, text)
		}
	}
}

// held is a world in which a target is deployed, locked by somebody else, and frozen.
func held(t *testing.T, more string) (w *sim.World, lock string) {
	w = sim.New(t, oneTarget(frozenLater+bySecond+more))
	w.StartReady("a")
	ts := w.Ask("release")
	if more != "" { // what goes out is confirmed
		w.WaitMessages(sim.Channel, ts, deploy.MsgConfirm)
		press(w, sim.User, sim.Channel, questionOf(w, ts), 0)
	}
	w.WaitReactions(sim.Channel, ts, "thumbsup")
	lock = w.Ask("app を2時間ロック: DB 移行中")
	w.WaitMessages(sim.Channel, lock, deploy.MsgStatusLocked)
	intoTheFreeze()
	w.GitLab.Push(sim.Project, "master", "Copy fixes", "sato")
	return w, lock
}

func TestAllTheReasonsAtOnce(t *testing.T) {
	row(t, "a freeze, a lock and a deployment that goes on: one question, and its press queues", func(t *testing.T) {
		w, lock := held(t, "")
		ts := release(w, sim.Channel)
		w.WaitMessages(sim.Channel, ts, deploy.MsgFreeze)
		wantNamed(w, ts, "1月1日（土）10:03", "DB 移行中", "pipelines/1001", "押すと、それが成功したあとに始めます")
		wantLabels(w, sim.Channel, ts, "それでも app (master) をリリース", "#1001 を中止…", "やめる")
		wantPipelines(w, 1)
		press(w, second, sim.Channel, questionOf(w, ts), 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusQueued)
		wantPipelines(w, 1)
		w.GitLab.Finish(1001, "success")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.WaitMessages(sim.Channel, lock, deploy.MsgStatusLocked, deploy.MsgLockPassed)
		wantPipelines(w, 2)
		wantAcked(w)
	})
	row(t, "the same of a target that is to be confirmed: one question, and its press deploys the commit", func(t *testing.T) {
		w, lock := held(t, `, "confirm": true`)
		sha := w.GitLab.Push(sim.Project, "master", "Fix the login page", "yamada").SHA
		ts := release(w, sim.Channel)
		w.WaitMessages(sim.Channel, ts, deploy.MsgFreeze)
		wantNamed(w, ts, "1月1日（土）10:03", "DB 移行中", "pipelines/1001", "押すと、これと並んで始まります", "Fix the login page")
		wantLabels(w, sim.Channel, ts, "それでも app "+sha[:7]+" をリリース", "#1001 を中止…", "やめる")
		press(w, second, sim.Channel, questionOf(w, ts), 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.WaitMessages(sim.Channel, lock, deploy.MsgStatusLocked, deploy.MsgLockPassed)
		wantPipelines(w, 2)
		if p := w.GitLab.Pipelines()[1]; p.Variables["PSYCHER_SHA"] != sha {
			t.Errorf("the pipeline is %+v", p)
		}
		wantAcked(w)
	})
	row(t, "approvals come after: they are told of, and those who approve read of the rest", func(t *testing.T) {
		w := sim.New(t, oneTarget(`, "approvals": 2`+threeApprovers))
		w.StartReady("a")
		lock := w.Ask("app を2時間ロック: DB 移行中")
		w.WaitMessages(sim.Channel, lock, deploy.MsgStatusLocked)
		ts, q := ask(w, sim.Channel, "release", deploy.MsgLocked)
		wantNamed(w, ts, "DB 移行中", "承認（2 人）も必要です", "リリースのボタンを押した人は、承認できません")
		press(w, sim.User, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgApprovals)
		wantNamed(w, ts, "DB 移行中")
		press(w, second, sim.Channel, questionOf(w, ts), 0)
		wantPipelines(w, 0)
		press(w, third, sim.Channel, questionOf(w, ts), 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 1)
	})
	row(t, "what has come up since the question is asked about, with the rest", func(t *testing.T) {
		w, _, _ := locked(t, "")
		ts, q := ask(w, sim.Channel, "release tomorrow", deploy.MsgUnclear)
		wantNamed(w, ts, "DB 移行中")
		w.WaitMessages(sim.Channel, w.Ask("unlock"), deploy.MsgUnlocking)
		w.WaitMessages(sim.Channel, w.Slack.Say(third, sim.Channel, sim.Bot+" lock app 1h: 障害対応"), deploy.MsgStatusLocked)
		press(w, second, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgLocked)
		wantNamed(w, ts, "障害対応")
		wantPipelines(w, 0)
		press(w, second, sim.Channel, questionOf(w, ts), 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 1)
		wantAcked(w)
	})
	row(t, "a freeze that has begun since: it is asked about, and the lock is named again", func(t *testing.T) {
		w := sim.New(t, oneTarget(frozenLater+bySecond))
		w.StartReady("a")
		w.WaitMessages(sim.Channel, w.Ask("app を2時間ロック: DB 移行中"), deploy.MsgStatusLocked)
		ts := release(w, sim.Channel)
		w.WaitMessages(sim.Channel, ts, deploy.MsgLocked)
		intoTheFreeze()
		press(w, second, sim.Channel, questionOf(w, ts), 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgFreeze)
		wantNamed(w, ts, "1月1日（土）10:03", "DB 移行中")
		wantPipelines(w, 0)
		press(w, second, sim.Channel, questionOf(w, ts), 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 1)
	})
	row(t, "a freeze that has begun since another one ended is asked about, as it is another", func(t *testing.T) {
		w := frozen(t, `, "freeze": [{"cron": "30 8 1 1 *", "for": "90m", "zone": "Asia/Tokyo"}, {"cron": "10 10 1 1 *", "for": "1h", "zone": "Asia/Tokyo"}]`+bySecond)
		time.Sleep(50 * time.Minute)
		ts := release(w, sim.Channel)
		w.WaitMessages(sim.Channel, ts, deploy.MsgFreeze)
		wantNamed(w, ts, "1月1日（土）10:00")
		time.Sleep(22 * time.Minute)
		press(w, second, sim.Channel, questionOf(w, ts), 0)
		w.Eventually("the next question", time.Minute, func() bool { return strings.Contains(questionOf(w, ts).Shown(), "1月1日（土）11:10") })
		wantPipelines(w, 0)
		press(w, second, sim.Channel, questionOf(w, ts), 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 1)
	})
	row(t, "a freeze that begins while others approve is not confirmed by their press", func(t *testing.T) {
		w := sim.New(t, oneTarget(frozenLater+bySecond+`, "approvals": 1, "approvers": ["U0THIRD", "U0FOURTH"]`))
		w.StartReady("a")
		ts := release(w, sim.Channel)
		w.WaitMessages(sim.Channel, ts, deploy.MsgApprovals)
		q := questionOf(w, ts)
		intoTheFreeze()
		press(w, third, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgFreeze)
		time.Sleep(time.Minute)
		wantPipelines(w, 0)
	})
	row(t, "whom a freeze refuses is told of the lock and of what runs, too", func(t *testing.T) {
		w, _ := held(t, "")
		ts := w.Slack.Say("U0THIRD", sim.Channel, sim.Bot+" release")
		w.WaitMessages(sim.Channel, ts, deploy.MsgFrozen)
		w.WaitReactions(sim.Channel, ts, "no_entry")
		wantNamed(w, ts, "1月1日（土）10:03", "DB 移行中", "pipelines/1001")
		if text := questionOf(w, ts).Shown(); strings.Contains(text, "始めます") || strings.Contains(text, "始まります") {
			t.Errorf("who may not deploy is told that it starts: %s", text)
		}
		wantPipelines(w, 1)
		wantAcked(w)
	})
	row(t, "who may not is told all that refuses it, by a word and by a press", func(t *testing.T) {
		w := sim.New(t, oneTarget(frozenLater+`, "allow": ["`+second+`", "U0THIRD"], "override": ["U0THIRD", "U0FOURTH"]`))
		w.StartReady("a")
		ts := w.Slack.Say(second, sim.Channel, sim.Bot+" release tomorrow")
		w.WaitMessages(sim.Channel, ts, deploy.MsgUnclear)
		intoTheFreeze()
		press(w, sim.User, sim.Channel, questionOf(w, ts), 0)
		wantWhispers(w, sim.Channel, sim.User, deploy.MsgPressNotYours)
		if told := w.Slack.Ephemerals(sim.Channel, sim.User); len(told) != 1 || !strings.Contains(told[0].Shown(), "1月1日（土）10:03") {
			t.Errorf("who has pressed is told %+v", told)
		}
		ts = w.Ask("release")
		w.WaitMessages(sim.Channel, ts, deploy.MsgNotAllowed)
		w.WaitReactions(sim.Channel, ts, "no_entry")
		wantNamed(w, ts, "1月1日（土）10:03", "<@U0THIRD>")
		if text := questionOf(w, ts).Shown(); strings.Contains(text, second) || strings.Contains(text, "U0FOURTH") {
			t.Errorf("people are to be asked who may not either: %s", text)
		}
		wantPipelines(w, 0)
	})
}
