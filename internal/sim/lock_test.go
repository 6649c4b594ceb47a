package sim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sim"
)

// locked is a target that its owner has locked for two hours.
func locked(t *testing.T, more string) (w *sim.World, p *sim.Process, ts string) {
	w = sim.New(t, oneTarget(more))
	p = w.StartReady("a")
	ts = w.Ask("app を2時間ロック: DB 移行中")
	w.WaitMessages(sim.Channel, ts, deploy.MsgStatusLocked)
	w.WaitReactions(sim.Channel, ts, "lock")
	return w, p, ts
}

// release asks for a deployment as somebody else.
func release(w *sim.World, channel string) (ts string) {
	w.T.Helper()
	return w.Slack.Say(second, channel, sim.Bot+" release")
}

func TestLocks(t *testing.T) {
	row(t, "who deploys a locked target is asked, told why, and starts by a press; the owner is told", func(t *testing.T) {
		w, _, ts := locked(t, "")
		asks := release(w, sim.Channel)
		w.WaitMessages(sim.Channel, asks, deploy.MsgLocked)
		q := statusOf(w, sim.Channel, asks, 0)
		if text := shown(q); !strings.Contains(text, "DB 移行中") || !strings.Contains(text, "<@"+sim.User+">") {
			t.Errorf("the question is %s", text)
		}
		wantPipelines(w, 0)
		press(w, second, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, asks, "thumbsup")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusLocked, deploy.MsgLockPassed)
		wantPipelines(w, 1)
		wantAcked(w)
	})
	row(t, "its owner is asked too, and told that it is their own; it stays", func(t *testing.T) {
		w := sim.New(t, oneTarget(""), "PSYCHER_LANG=en")
		w.StartReady("a")
		ts := w.Ask("lock app 2h: DB migration")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusLocked)
		asks := w.Ask("release")
		w.WaitMessages(sim.Channel, asks, deploy.MsgLocked)
		q := statusOf(w, sim.Channel, asks, 0)
		if !strings.Contains(q.Text, "your own lock") {
			t.Errorf("the question is %s", q.Text)
		}
		press(w, sim.User, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, asks, "thumbsup")
		w.WaitReactions(sim.Channel, ts, "lock")
		wantPipelines(w, 1)
		w.GitLab.Finish(1001, "success")
		waitLong(w, sim.Channel, asks, "white_check_mark")
		w.GitLab.Push(sim.Project, "master", "Change it", "yamada")
		theirs := release(w, sim.Channel)
		w.WaitMessages(sim.Channel, theirs, deploy.MsgLocked)
		q = statusOf(w, sim.Channel, theirs, 0)
		if strings.Contains(q.Text, "your own lock") {
			t.Errorf("somebody else is asked %s", q.Text)
		}
		press(w, second, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, theirs, "thumbsup")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusLocked, deploy.MsgLockPassed)
	})
	row(t, "its owner is not told of what they have pressed themselves, whoever asked", func(t *testing.T) {
		w, _, ts := locked(t, "")
		theirs := release(w, sim.Channel)
		w.WaitMessages(sim.Channel, theirs, deploy.MsgLocked)
		press(w, sim.User, sim.Channel, statusOf(w, sim.Channel, theirs, 0), 0)
		w.WaitReactions(sim.Channel, theirs, "thumbsup")
		time.Sleep(time.Minute)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusLocked)
		wantPipelines(w, 1)
	})
	row(t, "status shows nobody in line who only waits to be told that it is free", func(t *testing.T) {
		w, _, _ := locked(t, "")
		asks := release(w, sim.Channel)
		w.WaitMessages(sim.Channel, asks, deploy.MsgLocked)
		press(w, second, sim.Channel, statusOf(w, sim.Channel, asks, 0), 1)
		w.WaitMessages(sim.Channel, asks, deploy.MsgStatusTold)
		status := w.Ask("status")
		w.Eventually("an answer", time.Minute, func() bool { return len(w.Slack.Thread(sim.Channel, status)) == 1 })
		if text := shown(w.Slack.Thread(sim.Channel, status)[0]); !strings.Contains(text, "DB 移行中") || strings.Contains(text, second) || strings.Contains(text, "順番待ち") {
			t.Errorf("status is %s", text)
		}
	})
	row(t, "who wants to be told is asked once it is free, from whatever channel", func(t *testing.T) {
		for _, channel := range []string{sim.Channel, sim.Two} {
			w, _, ts := locked(t, "")
			asks := release(w, channel)
			w.WaitMessages(channel, asks, deploy.MsgLocked)
			press(w, second, channel, statusOf(w, channel, asks, 0), 1)
			w.WaitMessages(channel, asks, deploy.MsgStatusTold)
			time.Sleep(20 * time.Minute)
			w.WaitMessages(channel, asks, deploy.MsgStatusTold)
			pressOn(w, sim.User, sim.Channel, statusOf(w, sim.Channel, ts, 0), "unlock")
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusUnlocked, deploy.MsgUnlocked)
			w.WaitReactions(sim.Channel, ts)
			w.WaitMessages(channel, asks, deploy.MsgTurn)
			wantPipelines(w, 0)
			press(w, second, channel, statusOf(w, channel, asks, 0), 0)
			w.WaitReactions(channel, asks, "thumbsup")
			wantPipelines(w, 1)
		}
	})
	row(t, "who waits for the end of a lock holds nobody back who has passed it", func(t *testing.T) {
		w, _, _ := locked(t, "")
		asked := func(n int, want deploy.MessageID) (ts string) {
			w.GitLab.Push("group/app", "master", "Change it", "yamada")
			ts = release(w, sim.Channel)
			w.WaitMessages(sim.Channel, ts, deploy.MsgLocked)
			press(w, second, sim.Channel, statusOf(w, sim.Channel, ts, 0), n)
			w.WaitMessages(sim.Channel, ts, want)
			return ts
		}
		asked(0, deploy.MsgStatusRunning)
		asked(1, deploy.MsgStatusTold)
		next := asked(0, deploy.MsgStatusQueued)
		w.GitLab.Finish(1001, "success")
		w.WaitReactions(sim.Channel, next, "thumbsup")
		wantPipelines(w, 2)
	})
	row(t, "each of those who wait for the end of a lock is asked", func(t *testing.T) {
		w, _, ts := locked(t, "")
		var waiting []string
		for _, user := range []string{second, "U0THIRD"} {
			asks := w.Slack.Say(user, sim.Channel, sim.Bot+" release")
			w.WaitMessages(sim.Channel, asks, deploy.MsgLocked)
			press(w, user, sim.Channel, statusOf(w, sim.Channel, asks, 0), 1)
			w.WaitMessages(sim.Channel, asks, deploy.MsgStatusTold)
			waiting = append(waiting, asks)
		}
		pressOn(w, sim.User, sim.Channel, statusOf(w, sim.Channel, ts, 0), "unlock")
		for _, asks := range waiting {
			w.WaitMessages(sim.Channel, asks, deploy.MsgTurn)
		}
		wantPipelines(w, 0)
	})
	row(t, "it ends by itself at its time, a while after its owner was told; a press makes it longer", func(t *testing.T) {
		w, _, ts := locked(t, "")
		time.Sleep(105*time.Minute + 10*time.Second)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusLocked, deploy.MsgLockEnds)
		pressOn(w, sim.User, sim.Channel, statusOf(w, sim.Channel, ts, 0), "extend")
		time.Sleep(50 * time.Minute)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusLocked, deploy.MsgLockEnds)
		time.Sleep(26 * time.Minute)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusUnlocked, deploy.MsgLockEnds, deploy.MsgLockEnds, deploy.MsgLockOver)
		w.WaitReactions(sim.Channel, release(w, sim.Channel), "thumbsup")
	})
	row(t, "its process dies: it holds, and ends at its time", func(t *testing.T) {
		w, p, ts := locked(t, "")
		p.Kill()
		w.StartReady("b")
		w.WaitMessages(sim.Channel, release(w, sim.Channel), deploy.MsgLocked)
		time.Sleep(2*time.Hour + 10*time.Second)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusUnlocked, deploy.MsgLockEnds, deploy.MsgLockOver)
		wantPipelines(w, 0)
	})
	row(t, "the owner ends it by a word at once, somebody else once that is confirmed", func(t *testing.T) {
		w, _, ts := locked(t, "")
		other := w.Slack.Say(second, sim.Two, sim.Bot+" アンロック")
		w.WaitMessages(sim.Two, other, deploy.MsgUnlock)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusLocked)
		press(w, second, sim.Two, statusOf(w, sim.Two, other, 0), 0)
		w.WaitMessages(sim.Two, other, deploy.MsgUnlocking)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusUnlocked, deploy.MsgUnlocked)
		if text := shown(statusOf(w, sim.Channel, ts, 1)); !strings.Contains(text, "<@"+sim.User+">") || !strings.Contains(text, "<@"+second+">") {
			t.Errorf("the owner is told %s", text)
		}
		own := w.Ask("lock app 30m")
		w.WaitMessages(sim.Channel, own, deploy.MsgStatusLocked)
		w.WaitMessages(sim.Channel, w.Ask("unlock"), deploy.MsgUnlocking)
		w.WaitMessages(sim.Channel, own, deploy.MsgStatusUnlocked, deploy.MsgUnlocked)
		w.WaitMessages(sim.Channel, w.Ask("unlock"), deploy.MsgNotLocked)
	})
	row(t, "who may not deploy may lock, and ends no lock but their own", func(t *testing.T) {
		w, _, ts := locked(t, `, "allow": ["U0BOSS"]`)
		pressOn(w, second, sim.Channel, statusOf(w, sim.Channel, ts, 0), "unlock")
		wantWhispers(w, sim.Channel, second, deploy.MsgPressNotYours)
		w.WaitMessages(sim.Channel, w.Slack.Say(second, sim.Channel, sim.Bot+" unlock"), deploy.MsgNotAllowed)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusLocked)
		pressOn(w, sim.User, sim.Channel, statusOf(w, sim.Channel, ts, 0), "unlock")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusUnlocked, deploy.MsgUnlocked)
	})
	row(t, "somebody external locks nothing", func(t *testing.T) {
		w := sim.New(t, oneTarget(""))
		w.StartReady("a")
		w.WaitMessages(sim.Channel, w.Slack.Say(sim.User, sim.Channel, sim.Bot+" lock", fakeslack.FromTeam("T0OTHER")), deploy.MsgGuest)
	})
	row(t, "a second lock of a target is told of the first", func(t *testing.T) {
		w, _, _ := locked(t, "")
		ts := w.Slack.Say(second, sim.Two, sim.Bot+" ロック")
		w.WaitMessages(sim.Two, ts, deploy.MsgIsLocked)
		if text := shown(statusOf(w, sim.Two, ts, 0)); !strings.Contains(text, "DB 移行中") || !strings.Contains(text, "shop") {
			t.Errorf("it is told %s", text)
		}
	})
	row(t, "status tells of it in each channel, and stop leaves it alone", func(t *testing.T) {
		w, _, ts := locked(t, "")
		for _, channel := range []string{sim.Channel, sim.Two} {
			asks := w.Slack.Say(second, channel, sim.Bot+" status")
			w.WaitMessages(channel, asks, deploy.MsgStatus)
			if text := shown(statusOf(w, channel, asks, 0)); strings.Count(text, "DB 移行中") == 0 {
				t.Errorf("it says %s", text)
			}
		}
		w.WaitMessages(sim.Channel, w.Ask("stop"), deploy.MsgStop)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusLocked)
	})
	row(t, "two locks at once: whoever deploys all the same confirms both, and reads of both", func(t *testing.T) {
		w := sim.New(t, oneTarget(""))
		w.StartReady("a")
		for _, reason := range []string{"DB 移行中", "障害対応"} {
			w.Slack.Say(sim.User, sim.Channel, sim.Bot+" app を2時間ロック: "+reason)
		}
		time.Sleep(5 * time.Second)
		asks := release(w, sim.Channel)
		w.WaitMessages(sim.Channel, asks, deploy.MsgLocked)
		q := statusOf(w, sim.Channel, asks, 0)
		if text := q.Shown(); strings.Count(text, "DB 移行中") != 1 || strings.Count(text, "障害対応") != 1 {
			t.Errorf("the question is %s", text)
		}
		press(w, second, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, asks, "thumbsup")
	})
	row(t, "status tells once of what runs beside a lock", func(t *testing.T) {
		w, _, _ := locked(t, "")
		asks := release(w, sim.Channel)
		w.WaitMessages(sim.Channel, asks, deploy.MsgLocked)
		press(w, second, sim.Channel, statusOf(w, sim.Channel, asks, 0), 0)
		w.WaitMessages(sim.Channel, asks, deploy.MsgStatusRunning)
		time.Sleep(2 * time.Minute)
		ts := w.Ask("status")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatus)
		if text := statusOf(w, sim.Channel, ts, 0).Text; strings.Count(text, "pipelines/1001") != 1 {
			t.Errorf("it says %s", text)
		}
	})
	row(t, "what waited for GitLab does not start once it is locked", func(t *testing.T) {
		w := sim.New(t, oneTarget(""))
		w.StartReady("a")
		w.GitLab.Answer(-1, limited)
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
		w.WaitMessages(sim.Channel, w.Slack.Say(second, sim.Channel, sim.Bot+" lock"), deploy.MsgStatusLocked)
		w.GitLab.ForgetFaults()
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusAnswered, deploy.MsgLockedSince)
		wantPipelines(w, 0)
	})
	row(t, "who is queued is asked once the lock is over that came after", func(t *testing.T) {
		w, _ := underWay(t)
		ts := queued(w, sim.Channel, deploy.MsgStatusQueued)
		lock := w.Ask("lock app 1h")
		w.WaitMessages(sim.Channel, lock, deploy.MsgStatusLocked)
		w.GitLab.Finish(1001, "success")
		time.Sleep(5 * time.Minute)
		wantPipelines(w, 1)
		w.Ask("unlock")
		w.WaitMessages(sim.Channel, ts, deploy.MsgTurn)
		wantPipelines(w, 1)
	})
	row(t, "a rollback of a locked target is asked about too", func(t *testing.T) {
		w := sim.New(t, oneTarget(""))
		stages(w)
		w.StartReady("a")
		deployedTimes(w, 2)
		w.WaitMessages(sim.Channel, w.Slack.Say(second, sim.Channel, sim.Bot+" lock"), deploy.MsgStatusLocked)
		ts, q := ask(w, sim.Channel, "ロールバック", deploy.MsgRollback)
		wantNamed(w, ts, "🔒", "<@"+second+">")
		if n := reruns(w, 0); n != 0 {
			t.Errorf("%d jobs ran again", n)
		}
		press(w, second, sim.Channel, q, 0)
		w.Eventually("the rollback", time.Minute, func() bool { return reruns(w, 0) == 1 })
	})
	row(t, "what may run side by side is not locked", func(t *testing.T) {
		w := sim.New(t, oneTarget(`, "parallel": true`))
		w.StartReady("a")
		w.WaitMessages(sim.Channel, w.Ask("lock"), deploy.MsgCannotLock)
	})
	row(t, "a lock of what may run side by side since is ended by a word", func(t *testing.T) {
		w, p, ts := locked(t, "")
		p.Reload(oneTarget(`, "parallel": true`))
		w.WaitMessages(sim.Channel, w.Ask("unlock"), deploy.MsgUnlocking)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusUnlocked, deploy.MsgUnlocked)
	})
	row(t, "a lock and a deploy at the same moment, at two processes: the deploy comes first, or is asked about", func(t *testing.T) {
		for range 5 {
			w := sim.New(t, oneTarget(""))
			w.StartReady("a")
			w.StartReady("b")
			lock, ts := w.Ask("lock"), release(w, sim.Channel)
			w.WaitMessages(sim.Channel, lock, deploy.MsgStatusLocked)
			w.Eventually("an answer", time.Minute, func() bool { return len(w.Messages(sim.Channel, ts)) > 0 })
			if said := w.Messages(sim.Channel, ts); !slices.Equal(said, []deploy.MessageID{deploy.MsgLocked}) && !slices.Equal(said, []deploy.MessageID{deploy.MsgStatusRunning}) {
				t.Errorf("it says %q", said)
			}
		}
	})
	row(t, "nothing ends a lock while Redis does not take it", func(t *testing.T) {
		w, _, ts := locked(t, "")
		heal := w.RedisRefusesAbout("redis:save", "unlocked")
		asks := w.Ask("unlock")
		time.Sleep(8 * time.Second)
		if said := w.Messages(sim.Channel, asks); len(said) > 0 {
			t.Errorf("it says %q", said)
		}
		heal()
		w.WaitMessages(sim.Channel, asks, deploy.MsgUnlocking)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusUnlocked, deploy.MsgUnlocked)
	})
}

// The worlds begin at 9:00 in Tokyo.
func TestLocksUntilATimeOfDay(t *testing.T) {
	tokyo := "PSYCHER_ZONE=Asia/Tokyo"
	freeze := `, "freeze": [{"cron": "0 18 * * 5", "for": "1h", "zone": "ZONE"}]`
	for zone, settings := range map[string][]string{
		"the setting":                   {oneTarget(""), tokyo},
		"the setting and not a freeze":  {oneTarget(strings.Replace(freeze, "ZONE", "Europe/Berlin", 1)), tokyo},
		"the target's freeze otherwise": {oneTarget(strings.Replace(freeze, "ZONE", "Asia/Tokyo", 1))},
	} {
		row(t, "it is in the zone of "+zone+", told in each reader's own, and ends by itself", func(t *testing.T) {
			w := sim.New(t, settings...)
			w.StartReady("a")
			ts := w.Ask("appを11時半までロック: DB 移行中")
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusLocked)
			end := time.Date(2000, 1, 1, 2, 30, 0, 0, time.UTC)
			if text := shown(statusOf(w, sim.Channel, ts, 0)); !strings.Contains(text, fmt.Sprintf("<!date^%d^", end.Unix())) || !strings.Contains(text, "DB 移行中") {
				t.Errorf("it says %s", text)
			}
			w.WaitMessages(sim.Channel, release(w, sim.Channel), deploy.MsgLocked)
			time.Sleep(time.Until(end) - 10*time.Second)
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusLocked, deploy.MsgLockEnds)
			time.Sleep(20 * time.Second)
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusUnlocked, deploy.MsgLockEnds, deploy.MsgLockOver)
			wantPipelines(w, 0)
		})
	}
	row(t, "a time that is over means the next day's, unless psycher hears of it late", func(t *testing.T) {
		w := sim.New(t, oneTarget(""), tokyo)
		p := w.StartReady("a")
		ts := w.Ask("lock app until 8:30am")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusLocked)
		time.Sleep(23 * time.Hour)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusLocked)
		time.Sleep(40 * time.Minute)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusUnlocked, deploy.MsgLockEnds, deploy.MsgLockOver)
		p.Arm(&sim.Fault{At: sim.Op{Kind: "redis:save", N: 1}, Kind: sim.DieBefore})
		late := w.Ask("lock app until 8:50")
		time.Sleep(20 * time.Minute)
		w.StartReady("b")
		w.WaitMessages(sim.Channel, late, deploy.MsgStatusUnlocked, deploy.MsgLockOver)
	})
	row(t, "a time of today that is over, or is just now, locks nothing", func(t *testing.T) {
		w := sim.New(t, oneTarget(""), tokyo)
		w.StartReady("a")
		for _, text := range []string{"appを今日の8時半までロック: DB移行", "lock app until today 8:30", "lock app until " + time.Now().In(time.FixedZone("", 9*3600)).Format("15:04")} {
			ts := w.Ask(text)
			w.WaitMessages(sim.Channel, ts, deploy.MsgPlainly)
			if said := w.Texts(sim.Channel, ts); !strings.Contains(said[0], ":") || strings.Contains(said[0], "DB") {
				t.Errorf("%s: it does not say which time: %s", text, said)
			}
		}
		w.WaitReactions(sim.Channel, release(w, sim.Channel), "thumbsup")
	})
	row(t, "what is not understood of a time locks nothing", func(t *testing.T) {
		w := sim.New(t, oneTarget(""), tokyo)
		w.StartReady("a")
		for _, text := range []string{"lock app until 5pm Friday", "appを金曜14:30までロック", "lock app: DB migration until 14:30"} {
			w.WaitMessages(sim.Channel, w.Ask(text), deploy.MsgPlainly)
		}
		w.WaitReactions(sim.Channel, release(w, sim.Channel), "thumbsup")
	})
}

// threeTargets is a channel with these targets: app, api and a second name of app.
func threeTargets() string {
	const each = `%q: {"project_id": "group/%s", "token": %q}`
	one := func(name, project string) string { return fmt.Sprintf(each, name, project, sim.TriggerToken) }
	return fmt.Sprintf(`GITLAB_TRIGGER_TOKENS={%q: {%q: {%s, %s, %s}, %q: {%s}}}`,
		sim.Team, sim.Channel, one("app", "app"), one("api", "api"), one("web", "app"), sim.Two, one("other", "other"))
}

func TestUnlockWithoutAName(t *testing.T) {
	world := func(t *testing.T, locks ...string) (w *sim.World, ts []string) {
		w = sim.New(t, threeTargets())
		w.StartReady("a")
		for _, name := range locks {
			lock := w.Ask("lock " + name)
			w.WaitMessages(sim.Channel, lock, deploy.MsgStatusLocked)
			ts = append(ts, lock)
		}
		return w, ts
	}
	row(t, "the one lock of the channel ends", func(t *testing.T) {
		w, ts := world(t, "app")
		w.WaitMessages(sim.Channel, w.Ask("unlock"), deploy.MsgUnlocking)
		w.WaitMessages(sim.Channel, ts[0], deploy.MsgStatusUnlocked, deploy.MsgUnlocked)
	})
	row(t, "somebody else's ends once that is confirmed, as with its name", func(t *testing.T) {
		w, ts := world(t, "api")
		asks := w.Slack.Say(second, sim.Channel, sim.Bot+" ロック解除")
		w.WaitMessages(sim.Channel, asks, deploy.MsgUnlock)
		w.WaitMessages(sim.Channel, ts[0], deploy.MsgStatusLocked)
		q := statusOf(w, sim.Channel, asks, 0)
		if !strings.Contains(q.Text, "`api`") {
			t.Errorf("it does not say which: %s", q.Text)
		}
		press(w, second, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts[0], deploy.MsgStatusUnlocked, deploy.MsgUnlocked)
	})
	row(t, "of several none ends, and where none is, one is to be named too", func(t *testing.T) {
		w, ts := world(t, "app", "api")
		w.WaitMessages(sim.Channel, w.Ask("unlock"), deploy.MsgNameOne)
		for _, lock := range ts {
			w.WaitMessages(sim.Channel, lock, deploy.MsgStatusLocked)
		}
		w.WaitMessages(sim.Channel, w.Ask("unlock app"), deploy.MsgUnlocking)
		w.WaitMessages(sim.Channel, w.Ask("unlock"), deploy.MsgUnlocking)
		w.WaitMessages(sim.Channel, w.Ask("unlock"), deploy.MsgNameOne)
	})
	row(t, "none ends while Redis does not tell which there are", func(t *testing.T) {
		w, ts := world(t, "api")
		heal := w.RedisRefuses("redis:active")
		asks := w.Ask("unlock")
		time.Sleep(8 * time.Second)
		if said := w.Messages(sim.Channel, asks); len(said) > 0 {
			t.Errorf("it says %q", said)
		}
		heal()
		w.WaitMessages(sim.Channel, asks, deploy.MsgUnlocking)
		w.WaitMessages(sim.Channel, ts[0], deploy.MsgStatusUnlocked, deploy.MsgUnlocked)
	})
}
