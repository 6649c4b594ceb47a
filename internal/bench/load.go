package main

import (
	"context"
	"fmt"
	"time"
)

const (
	asker = "U0ASKER"
	words = "<@U0BOT> release"
)

// mention is a mention that was made.
type mention struct{ channel, ts string }

// say makes a mention in the next channel.
func (w *world) say(i int) mention {
	c := channelName(i % w.channels)
	return mention{c, w.slack.Say(asker, c, words)}
}

// steady makes mentions at an even rate.
func (w *world) steady(ctx context.Context, perSecond int, d time.Duration) []mention {
	var said []mention
	began := time.Now()
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for ; time.Since(began) < d && ctx.Err() == nil; <-tick.C {
		for due := int(time.Since(began).Seconds() * float64(perSecond)); len(said) <= due; {
			said = append(said, w.say(len(said)))
		}
	}
	return said
}

// burst makes n mentions at once.
func (w *world) burst(n int) (said []mention, began time.Time) {
	w.slack.PauseDeliveries(true)
	for i := range n {
		said = append(said, w.say(i))
	}
	began = time.Now()
	w.slack.PauseDeliveries(false)
	return said, began
}

// triggered waits until each mention has been triggered, and returns their times.
func (w *world) triggered(ctx context.Context, said []mention, within time.Duration) (t times, err error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(within); ; <-tick.C {
		// Counting takes the stand-ins' time, so it starts only when all may be triggered.
		if w.gitlab.Posts()-w.posts >= len(said) {
			if t = w.times(said); len(t.trigger) == len(said) && t.unacked == 0 {
				w.posts = w.gitlab.Posts()
				return t, nil
			}
		}
		if ctx.Err() != nil || time.Now().After(end) {
			t = w.times(said)
			return t, fmt.Errorf("of %d mentions %d are acked and %d triggered after %v", len(said), len(t.ack), len(t.trigger), within)
		}
	}
}

// times are the latencies of mentions, from the moment Slack sent the envelope.
type times struct {
	ack, trigger []time.Duration
	last         time.Time // trigger
	unacked      int
	redelivered  int
	doubled      int // triggers beyond the first
}

func (w *world) times(said []mention) times {
	asked := map[mention]time.Time{}
	for _, m := range said {
		asked[m] = time.Time{}
	}
	acked := map[mention]bool{}
	var t times
	for _, d := range w.slack.Deliveries() {
		m := mention{d.Channel, d.TS}
		if _, ours := asked[m]; !ours {
			continue
		}
		if d.Attempt == 0 {
			asked[m] = d.At
		} else {
			t.redelivered++
		}
		if !d.AckedAt.IsZero() && !acked[m] {
			acked[m] = true
			t.ack = append(t.ack, d.AckedAt.Sub(asked[m]))
		}
	}
	t.unacked = len(said) - len(acked)
	made := map[mention]bool{}
	for _, p := range w.gitlab.Pipelines() {
		m := mention{p.Variables["channel"], p.Variables["timestamp"]}
		at, ours := asked[m]
		switch {
		case ours && made[m]:
			t.doubled++
		case ours:
			made[m] = true
			t.trigger = append(t.trigger, p.Created.Sub(at))
			if p.Created.After(t.last) {
				t.last = p.Created
			}
		}
	}
	return t
}
