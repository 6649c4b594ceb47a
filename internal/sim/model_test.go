package sim_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sim"
)

// brokenPromises compares the world with the model of what may be seen from outside.
func (r *storyRun) brokenPromises() (broken []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	broken = append(slices.Clone(r.problems), r.w.WrongPast()...)
	broken = append(broken, r.brokenSteering()...)
	broken = append(broken, r.brokenStarts()...)
	broken = append(broken, r.leftOver()...)
	lost := r.w.Slack.Lost()
	for _, m := range r.mentions {
		gone := m.at.Before(r.flushed) || slices.ContainsFunc(lost, func(l string) bool { return strings.Contains(l, m.ts) })
		for _, b := range r.brokenPromisesOf(m, gone) {
			broken = append(broken, fmt.Sprintf("%q at %s: %s", m.text, m.ts, b))
		}
	}
	return broken
}

// brokenSteering returns what is wrong with the pipelines and jobs that buttons led
// to: each is made once, and for a press.
func (r *storyRun) brokenSteering() (broken []string) {
	retries, reruns := map[string]int{}, 0
	for _, p := range r.w.GitLab.Pipelines() {
		ts := p.Variables["timestamp"]
		if !slices.ContainsFunc(r.mentions, func(m mention) bool { return m.ts == ts }) {
			if was, known := retries[ts]; known && was != p.Post {
				broken = append(broken, "a retry was triggered twice")
			}
			retries[ts] = p.Post
		}
		reruns += len(p.Jobs) - len(slices.CompactFunc(slices.Clone(p.Jobs), func(a, b fakegitlab.Job) bool { return a.Name == b.Name }))
	}
	if len(retries) > r.steered["retry"] {
		broken = append(broken, fmt.Sprintf("%d retries for %d presses", len(retries), r.steered["retry"]))
	}
	asked := 0
	for _, m := range r.mentions {
		if m.text == "ロールバック" && r.pressed[m.ts] {
			asked++
		}
	}
	// A rollback whose commit is not the one on the button any more asks once more.
	if most := 2*r.steered["rollback"] + asked; reruns > most {
		broken = append(broken, fmt.Sprintf("%d jobs ran again, for %d presses", reruns, most))
	}
	return broken
}

// brokenPromisesOf returns what is wrong with one mention. For one that Redis
// lost, or that Slack gave up delivering, only what must not happen is known.
func (r *storyRun) brokenPromisesOf(m mention, gone bool) (broken []string) {
	bad := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	var made []fakegitlab.Pipeline
	for _, p := range r.w.GitLab.Pipelines() {
		if p.Variables["timestamp"] == m.ts {
			made = append(made, p)
		}
	}
	asks := r.pressed[m.ts] || strings.Contains(m.text, "deploy") || strings.HasPrefix(m.text, "リリースお") || m.text == "release"
	switch {
	case len(made) > 0 && !asks:
		bad("it deployed")
	case len(made) > 0 && made[0].Post != made[len(made)-1].Post && !r.again[m.ts]:
		bad("it was triggered twice")
	case r.w.StartsGranted(m.ts) > 1:
		bad("%d pipelines deploy", r.w.StartsGranted(m.ts))
	}
	said, slots := r.w.Messages(m.channel, m.ts), map[string]int{}
	for i, reply := range r.w.Slack.Thread(m.channel, m.ts) {
		if said[i] == deploy.MsgNotRecorded || said[i] == deploy.MsgNotStopped || said[i] == deploy.MsgDontKnow {
			continue // while Redis is down, no replica knows what another said
		}
		if slots[string(reply.Metadata)]++; slots[string(reply.Metadata)] == 2 && !gone {
			bad("posted twice: %s", reply.Text)
		}
	}
	if gone {
		return broken
	}
	marks := strings.Join(r.w.Slack.Reactions(m.channel, m.ts), " ")
	if want := r.wantReactions(m, made, said); !slices.Contains(want, marks) {
		bad("reactions %q, want one of %q", marks, want)
	}
	if len(made) == 0 && len(said) == 0 && !m.unaddressed {
		bad("no pipeline, and nobody was told")
	}
	for _, id := range said {
		final := id == deploy.MsgDeclined || id == deploy.MsgLapsed || isAsk(id)
		withdrawn := id == deploy.MsgWithdrawn || id == deploy.MsgEditedOut // before a question that an edit led to
		steered := r.steered["retry"]+r.steered["rollback"] > 0             // their questions are in the same thread
		if len(made) > 0 && !steered && (final || withdrawn && !r.pressed[m.ts]) {
			bad("there is a pipeline, and it says %s", id)
		}
	}
	broken = append(broken, r.brokenRide(m, made, said)...)
	broken = append(broken, r.brokenLock(m)...)
	if n := r.unanswered(m); n > 0 {
		bad("%d presses without an answer", n)
	}
	return broken
}

// unanswered counts the presses in a mention's thread after which nothing was to be
// seen: Slack took them for done, nobody was told anything alone, and of each
// question one press alone can have been the one that changed the message.
func (r *storyRun) unanswered(m mention) int {
	there, users, questions, n := map[string]bool{}, map[string]bool{}, map[string]bool{}, 0
	for _, reply := range r.w.Slack.Thread(m.channel, m.ts) {
		there[reply.TS] = true
	}
	for _, p := range r.w.Slack.Presses() {
		if p.Channel != m.channel || !there[p.TS] {
			continue
		}
		users[p.User] = true
		if !p.Warned {
			n++
			b, _ := deploy.ParseButton(p.Value)
			question := fmt.Sprint(p.TS, b.Step, b.Do)
			switch b.Do {
			case deploy.KindExtend, deploy.KindDeploy: // it may be there again
				question += p.At.String()
			case deploy.KindCancel: // its person may press it again, and sees that it is being canceled
				question += p.User
				if questions[question] {
					n--
				}
			}
			questions[question] = true
		}
	}
	for user := range users {
		for _, told := range r.w.Slack.Ephemerals(m.channel, user) {
			if told.Thread == m.ts {
				n--
			}
		}
	}
	return n - len(questions)
}

// isAsk reports whether a message is a question with buttons.
func isAsk(id deploy.MessageID) bool { return slices.Contains(answerReaction(id), "thinking_face") }

// wantReactions are the reactions that a mention may end with.
func (r *storyRun) wantReactions(m mention, made []fakegitlab.Pipeline, said []deploy.MessageID) []string {
	c := r.plans[m.ts]
	switch {
	case len(made) == 0 && slices.ContainsFunc(said, isAsk):
		return []string{"thinking_face"}
	case len(made) == 0 && m.text == "ロールバック" && r.pressed[m.ts]:
		return []string{"", "x", "question", "zzz", "white_check_mark", "no_entry_sign"}
	case len(made) == 0 && slices.Contains(said, deploy.MsgRode):
		return []string{"white_check_mark"}
	case len(made) == 0:
		return []string{"", "x", "question", "zzz"} // whichever is true; the person was told
	case !slices.ContainsFunc(made, func(p fakegitlab.Pipeline) bool { return len(c.ends) > 0 }):
		return []string{"x"} // it was created as a failed one
	case !r.deployed[m.ts]:
		return []string{"x", "question", "zzz"} // its start was refused, since the person was told that nothing runs
	case !r.token && c.untold != "":
		return []string{c.untold}
	case r.token && slices.Equal(c.ends, []string{"success", "failed"}) && !slices.Contains(said, deploy.MsgSucceeded) && !slices.Contains(said, deploy.MsgUnseen):
		return []string{"x"} // it failed before its jobs could show that it was done
	}
	if r.steered["cancel"] > 0 {
		return []string{c.reaction, "no_entry_sign", c.untold}
	}
	return []string{c.reaction}
}

// run runs the story with two replicas, then heals everything, and returns what
// was broken in the end.
func (s story) run(t *testing.T) (r *storyRun, broken []string) {
	synctest.Test(t, func(t *testing.T) {
		settings := []string{"DEPLOY_TIMEOUT=3m"}
		if !s.Token {
			settings = append(settings, "GITLAB_API_TOKEN=")
		}
		w := sim.New(t, append([]string{storyTargets(s.Shared)}, settings...)...)
		r = &storyRun{
			w: w, token: s.Token, shared: s.Shared, alive: map[string]*sim.Process{}, nextPlan: plans()["succeeds"],
			plans: map[string]plan{}, deployed: map[string]bool{}, pressed: map[string]bool{}, again: map[string]bool{}, steered: map[string]int{}, succeeded: map[int64]bool{},
		}
		w.Pipeline, w.Rerun, w.OldScripts = r.pipeline, r.rerun, s.Old
		r.start("a")
		r.start("b")
		time.Sleep(5 * time.Second)
		all := events()
		for _, d := range s.Events {
			time.Sleep(d.After)
			all[d.Do](r, d)
		}
		w.GitLab.Heal()
		time.Sleep(10 * time.Second)
		r.start("a")
		r.start("b")
		time.Sleep(max(time.Minute, time.Until(r.awakeAt))) // until GitLab has finished what was cut off, and no process is suspended
		r.settle()
		for end := time.Now().Add(12 * time.Minute); time.Now().Before(end); {
			if time.Sleep(2 * time.Second); r.settled() {
				time.Sleep(15 * time.Second) // for what should not come
				if r.settled() {
					break
				}
			}
		}
		broken, r.met = r.brokenPromises(), r.metOfTargets()
	})
	return r, broken
}

// few returns a quarter of n with -short, as under the race detector.
func few(n int) int {
	if testing.Short() {
		return n / 4
	}
	return n
}

func (r *storyRun) settled() bool {
	r.mu.Lock()
	under := r.unfinished
	r.mu.Unlock()
	return under == 0 && r.allDelivered() && len(r.brokenPromises()) == 0
}

// allDelivered reports whether Slack has nothing left to deliver.
func (r *storyRun) allDelivered() bool {
	done, lost := map[string]bool{}, r.w.Slack.Lost()
	for _, d := range r.w.Slack.Deliveries() {
		isPress := d.Event == ""
		done[d.Event] = done[d.Event] || isPress || !d.AckedAt.IsZero() || slices.Contains(lost, d.TS)
	}
	return !slices.Contains(slices.Collect(maps.Values(done)), false)
}

// TestStories runs random stories with two replicas, the same ones each time.
// STORIES=n runs n of them; RAPID_SEED=n others.
func TestStories(t *testing.T) {
	t.Parallel()
	n := few(40)
	if s, err := strconv.Atoi(os.Getenv("STORIES")); err == nil {
		n = s
	}
	for name, value := range map[string]string{"rapid.checks": strconv.Itoa(n), "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getenv("RAPID_SEED") == "" {
		if err := flag.Set("rapid.seed", "1"); err != nil {
			t.Fatal(err)
		}
	}
	all, met := stories(), tally{}
	rapid.Check(t, func(r *rapid.T) {
		s := all.Draw(r, "story")
		run, broken := s.run(t)
		met.meet(run)
		if len(broken) > 0 {
			r.Fatalf("%s\nafter %+v", strings.Join(broken, "\n"), s)
		}
	})
	t.Log(met.ofTargets())
	if met["stories"] >= 200 && len(met) < 5 {
		t.Error("they do not meet all that they are to check")
	}
}
