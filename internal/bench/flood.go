package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

const (
	floodChannels = 5000
	floodSettle   = 10 * time.Minute
)

// flood makes n mentions at once, and counts the results.
func flood(ctx context.Context, out io.Writer, s subject, dir, redis string, n int) error {
	w, err := newWorld(dir, redis, floodChannels)
	if err != nil {
		return err
	}
	return s.in(ctx, w, func(p *process) error { return floodIn(ctx, out, w, p, n) })
}

func floodIn(ctx context.Context, out io.Writer, w *world, p *process, n int) error {
	rest(ctx, time.Second)
	idle := p.memory("VmRSS")

	said, began := w.burst(n)
	var c counts
	err := until(ctx, floodSettle, "each to be made or asked about", func() bool {
		rest(ctx, 2*time.Second)
		if w.gitlab.Posts() < n*9/10 && time.Since(began) < 2*time.Minute {
			return false // counting costs time
		}
		c = w.count(said)
		return c.made+c.asked+c.doubled == n && c.unacked == 0
	})
	c = w.count(said)
	fmt.Fprintf(out, "%d mentions at once, in %d channels of %d projects\n\n", n, floodChannels, projects)
	fmt.Fprintf(out, "| | |\n|---|---|\n")
	fmt.Fprintf(out, "| acked | %d, in %.1f s |\n", n-c.unacked, c.ackedAfter(began))
	fmt.Fprintf(out, "| delivered again meanwhile (Slack waits 3 s) | %d |\n", c.redelivered)
	fmt.Fprintf(out, "| one pipeline was made | %d, in %.1f s |\n", c.made, c.last.Sub(began).Seconds())
	fmt.Fprintf(out, "| asked about, as it became too old | %d |\n", c.asked)
	fmt.Fprintf(out, "| neither | %d |\n", n-c.made-c.asked-c.doubled)
	fmt.Fprintf(out, "| made twice | %d |\n", c.doubled)
	fmt.Fprintf(out, "| resident memory: idle, peak | %.1f MB, %.1f MB |\n", idle, p.memory("VmHWM"))
	fmt.Fprintf(out, "| processor time a mention, until then | %.2f ms |\n", ms(p.cpu())/float64(n))
	return err
}

// counts are the results of mentions.
type counts struct {
	times
	made, asked, doubled int
	acks                 time.Time // the last first ack
}

func (c counts) ackedAfter(began time.Time) float64 { return c.acks.Sub(began).Seconds() }

func (w *world) count(said []mention) counts {
	c := counts{times: w.times(said)}
	pipelines := map[mention]int{}
	for _, p := range w.gitlab.Pipelines() {
		pipelines[mention{p.Variables["channel"], p.Variables["timestamp"]}]++
	}
	acked := map[mention]bool{}
	for _, d := range w.slack.Deliveries() {
		m := mention{d.Channel, d.TS}
		if !d.AckedAt.IsZero() && !acked[m] {
			acked[m] = true
			if d.AckedAt.After(c.acks) {
				c.acks = d.AckedAt
			}
		}
	}
	for _, m := range said {
		switch n := pipelines[m]; {
		case n > 1:
			c.doubled++
		case n == 1:
			c.made++
		case len(w.slack.Thread(m.channel, m.ts)) > 0:
			c.asked++
		}
	}
	return c
}
