package sim_test

import (
	"flag"
	"fmt"
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

// broken holds the world to what may be seen from outside: the model.
func (y *play) broken() (broken []string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	broken = slices.Clone(y.trouble)
	lost := y.w.Slack.Lost()
	for _, m := range y.said {
		gone := m.at.Before(y.forgot) || slices.ContainsFunc(lost, func(l string) bool { return strings.Contains(l, m.ts) })
		for _, b := range y.brokenOf(m, gone) {
			broken = append(broken, fmt.Sprintf("%q at %s: %s", m.text, m.ts, b))
		}
	}
	return broken
}

// brokenOf is what is wrong with one mention. Of one that Redis forgot, or that
// Slack gave up to deliver, only what it must not come to is known.
func (y *play) brokenOf(m mention, gone bool) (broken []string) {
	bad := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	var made []fakegitlab.Pipeline
	for _, p := range y.w.GitLab.Pipelines() {
		if p.Variables["timestamp"] == m.ts {
			made = append(made, p)
		}
	}
	asks := strings.Contains(m.text, "deploy") || strings.HasPrefix(m.text, "リリース") || m.text == "release"
	switch {
	case len(made) > 0 && !asks:
		bad("it deployed")
	case len(made) > 0 && made[0].Post != made[len(made)-1].Post:
		bad("it was triggered twice")
	case y.w.Granted(m.ts) > 1:
		bad("%d pipelines deploy", y.w.Granted(m.ts))
	}
	said, slots := y.w.Said(m.channel, m.ts), map[string]int{}
	for i, reply := range y.w.Slack.Thread(m.channel, m.ts) {
		if said[i] == deploy.MsgNotRecorded || said[i] == deploy.MsgDontKnow {
			continue // while Redis is away, no replica knows what another said
		}
		if slots[string(reply.Metadata)]++; slots[string(reply.Metadata)] == 2 && !gone {
			bad("posted twice: %s", reply.Text)
		}
	}
	if gone {
		return broken
	}
	marks := strings.Join(y.w.Slack.Reactions(m.channel, m.ts), " ")
	if want := y.marks(m, made, said); !slices.Contains(want, marks) {
		bad("marks %q, want one of %q", marks, want)
	}
	if len(made) == 0 && len(said) == 0 && !m.away {
		bad("no pipeline, and nobody was told")
	}
	return broken
}

// marks are those that a mention may end with.
func (y *play) marks(m mention, made []fakegitlab.Pipeline, said []deploy.MessageID) []string {
	c := y.course[m.ts]
	switch {
	case len(made) == 0:
		return []string{"", "x", "question", "zzz"} // whatever is true; the person was told
	case !slices.ContainsFunc(made, func(p fakegitlab.Pipeline) bool { return len(c.ends) > 0 }):
		return []string{"x"} // it was made as a failed one
	case !y.began[m.ts]:
		return []string{"x", "question", "zzz"} // its start was refused, since nothing was said to run
	case !y.token && c.silent != "":
		return []string{c.silent}
	case y.token && slices.Equal(c.ends, []string{"success", "failed"}) && !slices.Contains(said, deploy.MsgSucceeded) && !slices.Contains(said, deploy.MsgUnseen):
		return []string{"x"} // it failed before its jobs could show that it was done
	}
	return []string{c.mark}
}

// run plays the story with two replicas, then heals everything, and tells what
// was broken in the end.
func (s story) run(t *testing.T) (y *play, broken []string) {
	synctest.Test(t, func(t *testing.T) {
		settings := []string{"DEPLOY_TIMEOUT=3m"}
		if !s.Token {
			settings = append(settings, "GITLAB_API_TOKEN=")
		}
		w := sim.New(t, settings...)
		y = &play{
			w: w, token: s.Token, alive: map[string]*sim.Process{}, next: courses()["succeeds"],
			course: map[string]course{}, began: map[string]bool{},
		}
		w.Pipeline, w.OldScripts = y.pipeline, s.Old
		y.start("a")
		y.start("b")
		time.Sleep(5 * time.Second)
		all := deeds()
		for _, d := range s.Deeds {
			time.Sleep(d.After)
			all[d.Do](y, d)
		}
		w.GitLab.Heal()
		time.Sleep(10 * time.Second)
		y.start("a")
		y.start("b")
		time.Sleep(max(time.Minute, time.Until(y.awake))) // until GitLab is through with what was cut, and the last sleeper is up
		for end := time.Now().Add(12 * time.Minute); time.Now().Before(end) && !y.settled(); {
			time.Sleep(2 * time.Second)
		}
		time.Sleep(15 * time.Second) // for what should not come
		broken = y.broken()
	})
	return y, broken
}

// few is a quarter with -short, as under the race detector.
func few(n int) int {
	if testing.Short() {
		return n / 4
	}
	return n
}

func (y *play) settled() bool {
	y.mu.Lock()
	under := y.under
	y.mu.Unlock()
	return under == 0 && len(y.broken()) == 0
}

// TestStories throws stories at two replicas, the same ones each time.
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
	all, ran := stories(), 0
	rapid.Check(t, func(r *rapid.T) {
		s := all.Draw(r, "story")
		ran++
		if _, broken := s.run(t); len(broken) > 0 {
			r.Fatalf("%s\nafter %+v", strings.Join(broken, "\n"), s)
		}
	})
	t.Logf("%d stories", ran)
}
