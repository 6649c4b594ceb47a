package cmd

import (
	"strings"
	"time"

	"github.com/getto-systems/psycher/bot/socket"
	"github.com/getto-systems/psycher/cmd/metrics"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// newMetrics joins what is measured to what is asked for at each scrape.
func (a *app) newMetrics() *metrics.Metrics {
	number, goVersion, _ := strings.Cut(version(), " ")
	m := metrics.New(number, goVersion)
	for name, holds := range map[string]func() bool{
		"psycher_ready":               func() bool { return len(a.notReady()) == 0 },
		"psycher_settings_current":    func() bool { return a.notReloaded.Load() == nil },
		"psycher_store_up":            func() bool { return a.engine.Status().StoreUp },
		"psycher_slack_token_refused": func() bool { return a.slack.Refused() != "" },
	} {
		m.Gauge(name, func() float64 {
			if holds() {
				return 1
			}
			return 0
		})
	}
	m.Gauge("psycher_warnings", func() float64 { return float64(len(a.readiness().Warnings)) })
	m.Gauge("psycher_records_in_work", func() float64 { return float64(a.engine.Status().InWork) })
	m.Gauge("psycher_work_overdue_seconds", func() float64 { return a.engine.Status().Overdue.Seconds() })
	m.Gauge("psycher_slack_sockets", func() float64 { return float64(a.socketStatus().Open) })
	m.Gauge("psycher_slack_other_sockets", func() float64 { return float64(a.socketStatus().Others) })
	m.Gauge("psycher_slack_socket_opens_total", func() float64 { return float64(a.socketStatus().Opens) })
	m.Gauge("psycher_slack_envelopes_total", func() float64 { return float64(a.socketStatus().Envelopes) })
	m.Gauge("psycher_slack_lost_acks_total", func() float64 { return float64(a.socketStatus().LostAcks) })
	return m
}

// socketStatus is zero until the sockets are opened.
func (a *app) socketStatus() (none socket.Status) {
	if sockets := a.sockets.Load(); sockets != nil {
		return sockets.Status()
	}
	return none
}

// acked measures the envelopes that mentions come in.
func (a *app) acked(envelope string, took time.Duration) {
	if envelope == "events_api" {
		a.metrics.Observe("psycher_ack_duration_seconds", took)
	}
}

func (a *app) storeCalled(script string, took time.Duration, err error) {
	a.metrics.Observe("psycher_store_call_duration_seconds", took, script)
	if err != nil {
		a.metrics.Count("psycher_store_errors_total", script)
	}
}

// measure measures what the loop reports.
func (a *app) measure(e engine.Event) {
	a.metrics.Count("psycher_events_total", e.Name)
	d := e.Record.Deployment
	switch e.Name {
	case "asked":
		a.metrics.Count("psycher_asks_total", string(e.Decision.Reason))
	case "triggered":
		if d.Attempt == 1 && e.Record.Asked().Via != deploy.ViaPress {
			a.metrics.Observe("psycher_trigger_delay_seconds", e.Took)
		}
	case "moved":
		if d.Target != "" {
			a.metrics.Count("psycher_deployments_total", d.Target, string(e.Record.State))
		}
		if e.Took > 0 && e.Record.State.Ran() && !e.From.Ended() { // not again after a retry in GitLab
			a.metrics.Observe("psycher_deployment_duration_seconds", e.Took, d.Target)
		}
	}
}
