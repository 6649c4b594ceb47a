package sim_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy/engine"
	"github.com/getto-systems/psycher/deploy/targets"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sim"
)

// manyTargets is a target map with that many channels, of three projects.
func manyTargets(channels int) string {
	var all []string
	for i := range channels {
		all = append(all, fmt.Sprintf(`%q: {"app": {"project_id": %q, "token": %q, "parallel": true}}`,
			channelOf(i), []string{"group/app", "group/api", "group/web"}[i%3], sim.TriggerToken))
	}
	return fmt.Sprintf(`{%q: {%s}}`, sim.Team, strings.Join(all, ","))
}

func channelOf(i int) string { return fmt.Sprintf("C%06d", i) }

type floodMention struct{ channel, ts string }

// flood has n mentions delivered at the same moment.
func flood(w *sim.World, n int, channel func(i int) string) (all []floodMention) {
	w.Redis.ClockTTL(false) // the expiry check at each command grows with the records
	w.Slack.Queue(2 * n)
	w.Slack.PauseDeliveries(true)
	for i := range n {
		c := channel(i)
		all = append(all, floodMention{c, w.Slack.Say(sim.User, c, sim.Bot+" release")})
	}
	w.Slack.PauseDeliveries(false)
	return all
}

// settled counts the mentions that got one pipeline, and those that got none and
// whose person was told. It fails if a mention is neither.
func settled(t *testing.T, w *sim.World, all []floodMention) (made, told int) {
	t.Helper()
	pipelines, acks := map[floodMention]int{}, map[floodMention]bool{}
	for _, p := range w.GitLab.Pipelines() {
		pipelines[floodMention{p.Variables["channel"], p.Variables["timestamp"]}]++
	}
	for _, d := range w.Slack.Deliveries() {
		m := floodMention{d.Channel, d.TS}
		acks[m] = acks[m] || !d.AckedAt.IsZero()
	}
	for _, m := range all {
		switch {
		case !acks[m]:
			t.Fatalf("%v was never acked", m)
		case pipelines[m] == 1:
			made++
		case pipelines[m] == 0 && len(w.Texts(m.channel, m.ts)) == 1:
			told++
		default:
			t.Fatalf("%v: %d pipelines, and the thread says %q", m, pipelines[m], w.Texts(m.channel, m.ts))
		}
	}
	return made, told
}

func TestFlood(t *testing.T) {
	t.Parallel()
	row(t, "thousands at once: all are acked, and each gets one pipeline", func(t *testing.T) {
		n, channels := few(1500), few(500)
		w := sim.New(t, "GITLAB_TRIGGER_TOKENS="+manyTargets(channels), "GITLAB_API_TOKEN=")
		w.StartReady("a")
		all := flood(w, n, func(i int) string { return channelOf(i % channels) })
		time.Sleep(2 * time.Minute) // Slack delivers what was acked late twice more
		if made, _ := settled(t, w, all); made != n {
			t.Errorf("of %d %d were made", n, made)
		}
	})
	row(t, "more than GitLab can take before they are too old: the others are asked about", func(t *testing.T) {
		n, channels, seconds := few(600), few(200), few(60)
		w := sim.New(t, "GITLAB_TRIGGER_TOKENS="+manyTargets(channels), "GITLAB_API_TOKEN=", fmt.Sprintf("MENTION_MAX_AGE=%ds", seconds))
		w.GitLab.Answer(-1, fakegitlab.Fault{Status: 201, Make: 1, Delay: 5 * time.Second})
		w.StartReady("a")
		all := flood(w, n, func(i int) string { return channelOf(i % channels) })
		time.Sleep(5 * time.Minute)
		made, told := settled(t, w, all)
		// Three projects take eight at a time.
		if made < 3*8*seconds/5*3/4 || told == 0 || made+told != n {
			t.Errorf("of %d %d were made, %d told", n, made, told)
		}
	})
	row(t, "thousands are due at once, and GitLab is fast: nobody waits long", func(t *testing.T) {
		n := few(1500)
		h := newStoppedHarness(t, false)
		e := h.newEngine()
		setTargets(e, parseTargets(t, manyTargets(n)))
		runEngine(t, e)
		var accepting sync.WaitGroup
		for i := range n {
			accepting.Go(func() {
				m := h.newRequest(i, "release")
				m.Team, m.Channel = sim.Team, channelOf(i)
				accept(context.Background(), e, m, 0)
			})
		}
		accepting.Wait()
		time.Sleep(3 * time.Second)
		if got := h.gitlab.countPosts(); got != n {
			t.Errorf("of %d only %d were triggered", n, got)
		}
	})
}

func TestAFloodHoldsUpNobodyElse(t *testing.T) {
	for name, c := range map[string]struct {
		channel func(i int) string
		slow    time.Duration
	}{
		"a channel is flooded": {func(int) string { return channelOf(0) }, 0},
		"a project is flooded, and its GitLab takes 30 s for each":     {func(i int) string { return channelOf(3 * (i % 300)) }, 30 * time.Second},
		"a channel is flooded, and its GitLab takes 30 s for each":     {func(int) string { return channelOf(0) }, 30 * time.Second},
		"a project is flooded, and no answer of its GitLab ever comes": {func(i int) string { return channelOf(3 * (i % 300)) }, time.Hour},
	} {
		row(t, name, func(t *testing.T) {
			w := sim.New(t, "GITLAB_TRIGGER_TOKENS="+manyTargets(900), "GITLAB_API_TOKEN=")
			w.GitLab.AnswerIn("group/app", -1, fakegitlab.Fault{Status: 201, Make: 1, Delay: c.slow})
			w.StartReady("a")
			flood(w, few(1000), c.channel)
			time.Sleep(5 * time.Second)
			for i := range 10 {
				time.Sleep(7 * time.Second)
				channel := channelOf(3*i + 1)
				ts := w.Slack.Say(sim.User, channel, sim.Bot+" release")
				time.Sleep(time.Second)
				if w.GitLab.PostsFor(channel, ts) != 1 || len(w.Texts(channel, ts)) != 1 {
					t.Errorf("after 1 s: %d triggers, the thread says %q", w.GitLab.PostsFor(channel, ts), w.Texts(channel, ts))
				}
			}
		})
	}
}

func setTargets(e *engine.Engine, m *targets.Map) {
	conf := e.Config()
	conf.Targets, conf.Teams = m, m.Teams()
	e.Config = func() engine.Config { return conf }
}

func parseTargets(t *testing.T, raw string) *targets.Map {
	t.Helper()
	all, err := targets.Parse([]byte(raw), "master", time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
