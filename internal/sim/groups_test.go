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

const (
	devs     = "S01DEVS"
	byDevs   = `, "allow": ["` + devs + `"]`
	readDevs = "usergroups.users.list"
)

// grouped is a world with a target that those in a user group may deploy.
func grouped(t *testing.T, members ...string) *sim.World {
	w := sim.New(t, oneTarget(byDevs))
	w.Slack.Group(devs, "devs", members...)
	return w
}

// forget has the bot read its user groups anew.
func forget() { time.Sleep(4 * time.Minute) }

func TestUserGroups(t *testing.T) {
	row(t, "who is in the group may deploy, and others are told whom to ask, without calling them", func(t *testing.T) {
		w := grouped(t, sim.User)
		w.StartReady("a")
		w.WaitReactions(sim.Channel, w.Ask("release"), "thumbsup")
		time.Sleep(time.Minute)
		ts := w.Slack.Say(second, sim.Channel, sim.Bot+" release")
		w.WaitMessages(sim.Channel, ts, deploy.MsgNotAllowed)
		w.WaitReactions(sim.Channel, ts, "no_entry")
		if text := shown(w.Slack.Thread(sim.Channel, ts)[0]); !strings.Contains(text, "`@devs`") || strings.Contains(text, "<!subteam") {
			t.Errorf("told is %s", text)
		}
		wantPipelines(w, 1)
		wantAcked(w)
	})
	row(t, "presses too", func(t *testing.T) {
		w := grouped(t, sim.User)
		w.StartReady("a")
		ts, q := ask(w, sim.Channel, "release tomorrow", deploy.MsgUnclear)
		press(w, second, sim.Channel, q, 0)
		wantWhispers(w, sim.Channel, second, deploy.MsgPressNotYours)
		wantPipelines(w, 0)
		w.Slack.Group(devs, "devs", sim.User, second)
		forget()
		press(w, second, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantAcked(w)
	})
	row(t, "who has left the group may no longer", func(t *testing.T) {
		w := grouped(t, sim.User)
		w.StartReady("a")
		w.WaitMessages(sim.Channel, w.Ask("release tomorrow"), deploy.MsgUnclear)
		w.Slack.Group(devs, "devs", second)
		forget()
		w.WaitMessages(sim.Channel, w.Ask("release"), deploy.MsgNotAllowed)
		wantPipelines(w, 0)
	})
	row(t, "a group that is read is shared, and kept for a while", func(t *testing.T) {
		w := grouped(t, sim.User)
		w.StartReady("a")
		forget()
		before := w.Slack.Calls(readDevs)
		w.Slack.Fail(readDevs, 1, fakeslack.Delayed(time.Second))
		for range 10 {
			w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release tomorrow")
		}
		time.Sleep(time.Minute)
		w.WaitMessages(sim.Channel, w.Ask("release tomorrow"), deploy.MsgUnclear)
		if n := w.Slack.Calls(readDevs) - before; n != 1 {
			t.Errorf("it was read %d times", n)
		}
	})
	row(t, "people beside a group need no answer of Slack's", func(t *testing.T) {
		w := sim.New(t, oneTarget(`, "allow": ["`+devs+`", "`+sim.User+`"]`))
		w.StartReady("a")
		w.Slack.Fail(readDevs, -1, fakeslack.Hang())
		w.WaitReactions(sim.Channel, w.Ask("release"), "thumbsup")
	})
	row(t, "a group of nobody, as one that is disabled, lets nobody in", func(t *testing.T) {
		w := grouped(t)
		w.StartReady("a")
		w.WaitMessages(sim.Channel, w.Ask("release"), deploy.MsgNotAllowed)
	})
	row(t, "somebody external who is in the group stays out", func(t *testing.T) {
		w := grouped(t, sim.User)
		w.StartReady("a")
		ts := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release", fakeslack.FromTeam("T0OTHER"))
		w.WaitMessages(sim.Channel, ts, deploy.MsgGuest)
		wantPipelines(w, 0)
	})
}

func TestUserGroupsThatCannotBeRead(t *testing.T) {
	for name, how := range map[string]fakeslack.Fault{
		"Slack hangs":                    fakeslack.Hang(),
		"Slack is down":                  fakeslack.Unavailable(),
		"the plan has no groups":         fakeslack.Fails("plan_upgrade_required"),
		"the plan has none, as it says":  fakeslack.Fails("paid_teams_only"),
		"the group is not there":         fakeslack.Fails("no_such_subteam"),
		"the scope is missing":           fakeslack.Fails("missing_scope"),
		"Slack asks to wait":             fakeslack.RateLimited(time.Second),
		"the answer names nobody at all": {Status: http.StatusOK, Body: `{"ok": true}`},
		"the answer names odd people":    {Status: http.StatusOK, Body: `{"ok": true, "users": "all"}`},
	} {
		row(t, name+": nobody gets in, and is not told that they may not; later they do", func(t *testing.T) {
			w := grouped(t, sim.User)
			w.StartReady("a")
			_, q := ask(w, sim.Channel, "release tomorrow", deploy.MsgUnclear)
			forget()
			w.Slack.Fail(readDevs, -1, how)
			ts := w.Ask("release")
			w.WaitMessages(sim.Channel, ts, deploy.MsgGroupUnread)
			w.WaitReactions(sim.Channel, ts, "no_entry")
			press(w, sim.User, sim.Channel, q, 0)
			wantWhispers(w, sim.Channel, sim.User, deploy.MsgPressUnread)
			wantPipelines(w, 0)
			w.Slack.Heal(readDevs)
			time.Sleep(10 * time.Second)
			press(w, sim.User, sim.Channel, q, 0)
			wantPipelines(w, 1)
			wantAcked(w)
		})
	}
	row(t, "the log says at the start what is wrong", func(t *testing.T) {
		w := grouped(t, sim.User)
		w.Slack.Fail(readDevs, -1, fakeslack.Fails("plan_upgrade_required"))
		_, log := w.StartLogged("a")
		time.Sleep(time.Minute)
		if n := strings.Count(log.String(), "plan_upgrade_required"); n != 1 {
			t.Errorf("the log says so %d times: %s", n, log)
		}
	})
	for said, change := range map[deploy.MessageID]func(w *sim.World){
		deploy.MsgNotAllowed:  func(w *sim.World) { w.Slack.Group(devs, "devs", second) },
		deploy.MsgGroupUnread: func(w *sim.World) { w.Slack.Fail(readDevs, -1, fakeslack.Broken()) },
	} {
		row(t, "it is read again before what waited is sent: "+string(said), func(t *testing.T) {
			w := grouped(t, sim.User)
			w.StartReady("a")
			w.GitLab.Answer(1, fakegitlab.Fault{Status: 429, Body: "Retry later\n", Header: map[string]string{"Retry-After": "200"}})
			ts := w.Ask("release")
			w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
			change(w)
			waitLong(w, sim.Channel, ts, "no_entry")
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusAnswered, said)
			wantPipelines(w, 0)
		})
	}
}
