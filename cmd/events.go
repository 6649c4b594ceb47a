package cmd

import (
	"fmt"
	"io"
	"strings"

	"github.com/VictoriaMetrics/metrics"
	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy/engine"
)

// levels are the events that are more, or less, than information.
//
//docgen:messages log
func level(name string) zerolog.Level {
	switch name {
	case "worker-panic":
		return zerolog.ErrorLevel
	case "store-down", "not-recorded", "slack-refused", "slack-retry", "look-failed":
		return zerolog.WarnLevel
	case "known", "slack-later", "answer-not-needed":
		return zerolog.DebugLevel
	}
	return zerolog.InfoLevel
}

// event logs and counts what the loop tells.
//
//docgen:messages log
func (p *parts) event(e engine.Event) {
	p.counts.count(e)
	line := p.log.WithLevel(level(e.Name))
	if lvl := p.log.GetLevel(); level(e.Name) < lvl || level(e.Name) < zerolog.GlobalLevel() {
		return
	}
	r := e.Record
	add := func(name, value string) {
		if value != "" {
			line = line.Str(name, value)
		}
	}
	add("team", r.Request.Team)
	add("channel", r.Request.Channel)
	add("ts", r.Request.TS)
	add("user", r.Request.By.User)
	add("deployment", r.Request.ID)
	add("target", r.Deployment.Target)
	add("from", string(e.From))
	add("state", string(r.State))
	if r.Deployment.Pipeline != 0 {
		line = line.Int64("pipeline", r.Deployment.Pipeline)
	}
	add("detail", strings.TrimSpace(e.Detail))
	line.Err(e.Err).Msg(e.Name)
}

// counters are what /metrics shows.
type counters struct{ set *metrics.Set }

func newCounters() *counters { return &counters{set: metrics.NewSet()} }

func (c *counters) count(e engine.Event) {
	c.set.GetOrCreateCounter(`psycher_events_total{event="` + e.Name + `"}`).Inc()
	if e.Name == "moved" {
		c.set.GetOrCreateCounter(`psycher_moves_total{to="` + string(e.Record.State) + `"}`).Inc()
	}
}

// write prints the counters and, as they are now, the gauges.
func (c *counters) write(w io.Writer, p *parts) {
	c.set.WritePrometheus(w)
	ready := 0
	if p.ready() == "" {
		ready = 1
	}
	fmt.Fprintf(w, "psycher_ready %d\n", ready)
	if socks := p.socks.Load(); socks != nil {
		st := socks.Status()
		fmt.Fprintf(w, "psycher_slack_sockets %d\npsycher_slack_socket_opens_total %d\npsycher_slack_envelopes_total %d\npsycher_slack_lost_acks_total %d\n",
			st.Open, st.Opens, st.Envelopes, st.LostAcks)
	}
}
