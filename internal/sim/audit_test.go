package sim_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/getto-systems/psycher/cmd"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sim"
)

// decision is a line of the audit, in the history or in the log.
type decision struct {
	What, Message, By, Reason, Do, SHA, TS string
	At                                     time.Time
}

func (d decision) String() string {
	return strings.Join(strings.Fields(fmt.Sprintf("%s%s %s %s %s %s", d.What, d.Message, d.By, d.Reason, d.Do, d.SHA)), " ")
}

// history runs the command on what a Redis holds, and returns the decisions of each request.
func history(t *testing.T, redis *miniredis.Miniredis, args ...string) (all [][]decision) {
	t.Helper()
	for k, v := range map[string]string{
		"SLACK_APP_TOKEN": "xapp-fake-0001", "SLACK_BOT_TOKEN": "xoxb-fake-0002", "REDIS_URL": "redis://" + redis.Addr(),
		"GITLAB_TRIGGER_TOKENS": strings.TrimPrefix(oneTarget(""), "GITLAB_TRIGGER_TOKENS="), "GITLAB_REF": "master",
	} {
		t.Setenv(k, v)
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	wasArgs, wasOut := os.Args, os.Stdout
	defer func() { os.Args, os.Stdout = wasArgs, wasOut }()
	os.Args, os.Stdout = append([]string{"psycher", "history", "--json"}, args...), out
	code := cmd.Main()
	text, err := os.ReadFile(out.Name())
	if code != 0 || err != nil {
		t.Fatalf("it exits with %d, %v: %s", code, err, text)
	}
	for line := range strings.Lines(string(text)) {
		var entry struct{ Decisions []decision }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, entry.Decisions)
	}
	return all
}

func TestWhoDecidedWhatIsInTheHistoryAndInTheLog(t *testing.T) {
	redis := miniredis.RunT(t)
	var ts, sha string
	var log *sim.Log
	synctest.Test(t, func(t *testing.T) {
		w := sim.New(t, oneTarget(`, "confirm": true, "approvals": 2`+threeApprovers))
		_, log = w.StartLogged("a")
		sha = w.GitLab.Push(sim.Project, "master", "Copy fixes", "sato").SHA
		var q fakeslack.Message
		ts, q = ask(w, sim.Channel, "release otama", deploy.MsgUnclear)
		press(w, "U0FIFTH", sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgApprovals)
		q = questionOf(w, ts)
		press(w, sim.User, sim.Channel, q, 0)
		wantWhispers(w, sim.Channel, sim.User, deploy.MsgApproveOwn)
		press(w, second, sim.Channel, q, 0)
		time.Sleep(10 * time.Second)
		press(w, third, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		var status fakeslack.Message
		w.Eventually("the button", time.Minute, func() bool {
			status = statusOf(w, sim.Channel, ts, 0)
			action, _ := button(status, "cancel")
			return action != ""
		})
		pressOn(w, "U0FOURTH", sim.Channel, status, "cancel")
		waitLong(w, sim.Channel, ts, "no_entry_sign")
		_, q = ask(w, sim.Channel, "release", deploy.MsgApprovals)
		press(w, second, sim.Channel, q, 0)
		time.Sleep(10 * time.Second)
		press(w, third, sim.Channel, q, -1)
		time.Sleep(10 * time.Second)
		for _, words := range []string{" release", " よろしく"} {
			w.Slack.Say("U0GUEST", sim.Channel, sim.Bot+words, fakeslack.FromTeam("T0OTHER"))
			time.Sleep(10 * time.Second)
		}
		w.Slack.Say(second, sim.Channel, sim.Bot+" lock")
		time.Sleep(10 * time.Second)
		for _, key := range w.Redis.Keys() {
			if w.Redis.Type(key) == "zset" {
				names, err := w.Redis.SortedSet(key)
				for name, score := range names {
					_, err = redis.ZAdd(key, score, name)
				}
				if err != nil {
					t.Error(err)
				}
				continue
			}
			if text, err := w.Redis.Get(key); err != nil || redis.Set(key, text) != nil {
				t.Error(err)
			}
		}
	})
	decided := []string{
		"asked U0ASKER unclear", "pressed U0FIFTH unclear deploy", "asked U0FIFTH approvals",
		"approved U0SECOND approvals approve " + sha, "approved U0THIRD approvals approve " + sha, "canceled U0FOURTH cancel",
	}
	got := history(t, redis)[0]
	for args, want := range map[string]int{"": 1, "--all": 4, "--all --limit 2": 2, "--all --target app": 4, "--all --since 1h": 0} {
		all := history(t, redis, strings.Fields(args)...)
		if len(all) != want {
			t.Errorf("with %q there are %q", args, all)
		}
		if want != 4 {
			continue
		}
		if said := texts(all[0]); !slices.Equal(said, []string{"requested U0SECOND", "locked U0SECOND"}) {
			t.Errorf("of the lock there is %q", said)
		}
		if said := texts(all[1]); !slices.Equal(said, []string{"requested U0GUEST", "refused U0GUEST guest"}) {
			t.Errorf("of what was refused there is %q", said)
		}
		if said := texts(all[2]); said[len(said)-1] != "declined U0THIRD declined" {
			t.Errorf("of what was declined there is %q", said)
		}
	}
	if want := append([]string{"requested U0ASKER"}, decided...); !slices.Equal(texts(got), want) {
		t.Errorf("the history has %q, want %q", texts(got), want)
	}
	if !slices.IsSortedFunc(got, func(a, b decision) int { return a.At.Compare(b.At) }) || got[0].At.IsZero() {
		t.Errorf("they were at %+v", got)
	}
	names := map[string]bool{"press-refused": true}
	for _, d := range got {
		names[d.What] = true
	}
	var logged []decision
	for line := range strings.Lines(log.String()) {
		var d decision
		if err := json.Unmarshal([]byte(line), &d); err == nil && names[d.Message] && d.TS == ts {
			logged = append(logged, d)
		}
	}
	if want := slices.Insert(decided, 3, "press-refused U0ASKER approve-own"); !slices.Equal(texts(logged), want) {
		t.Errorf("the log of %q has %q, want %q", slices.Sorted(maps.Keys(names)), texts(logged), want)
	}
}

func texts(all []decision) (said []string) {
	for _, d := range all {
		said = append(said, d.String())
	}
	return said
}
