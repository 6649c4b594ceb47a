package cmd

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// level returns the level of events that are more, or less, than information.
//
//docgen:messages log
func level(event string) zerolog.Level {
	switch event {
	case "worker-panic":
		return zerolog.ErrorLevel
	case "store-down", "not-recorded", "slack-refused", "slack-retry", "look-failed":
		return zerolog.WarnLevel
	case "known", "slack-later", "answer-not-needed":
		return zerolog.DebugLevel
	}
	return zerolog.InfoLevel
}

// event counts and logs what the loop reports.
//
//docgen:messages log
func (a *app) event(e engine.Event) {
	a.counters.GetOrCreateCounter(`psycher_events_total{event="` + e.Name + `"}`).Inc()
	r, lvl := e.Record, level(e.Name)
	state, moved := "state", e.Name == "moved"
	if moved {
		a.counters.GetOrCreateCounter(`psycher_moves_total{to="` + string(r.State) + `"}`).Inc()
		state = "to"
		if r.State == deploy.Failed {
			lvl = zerolog.WarnLevel
		}
	}
	if lvl < a.log.GetLevel() || lvl < zerolog.GlobalLevel() {
		return
	}
	line := a.log.WithLevel(lvl)
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
	add(state, string(r.State))
	if r.Deployment.Pipeline != 0 {
		line = line.Int64("pipeline", r.Deployment.Pipeline)
	}
	if e.Took > 0 {
		line = line.Str("took", e.Took.Round(time.Millisecond).String())
	}
	add("detail", strings.TrimSpace(e.Detail))
	line.Err(e.Err).Msg(e.Name)
}

// logStart logs the one line that says what runs, and with what.
func (a *app) logStart(me web.Identity) {
	s, store := a.settings, "redis"
	if a.embedded() {
		store = "embedded"
	}
	channels, targets := s.Targets.Len()
	a.log.Info().Str("version", version()).Str("team", me.Team).Str("bot", me.User).Str("lang", s.Lang).Str("store", store).
		Str("gitlab", s.GitLabURL).Bool("gitlab_api_token", a.gitlab.CanPoll()).
		Int("channels", channels).Int("targets", targets).Msg("started")
}

// writeMetrics writes the counters and, as they are now, the gauges.
func (a *app) writeMetrics(w io.Writer) {
	a.counters.WritePrometheus(w)
	ready := 0
	if a.notReady() == "" {
		ready = 1
	}
	fmt.Fprintf(w, "psycher_ready %d\n", ready)
	if sockets := a.sockets.Load(); sockets != nil {
		st := sockets.Status()
		fmt.Fprintf(w, "psycher_slack_sockets %d\npsycher_slack_socket_opens_total %d\npsycher_slack_envelopes_total %d\npsycher_slack_lost_acks_total %d\n",
			st.Open, st.Opens, st.Envelopes, st.LostAcks)
	}
}
