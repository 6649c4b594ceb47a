package cmd_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/getto-systems/psycher/cmd/metrics"
)

// scrape reads the metrics of a replica as Prometheus does, by their series.
func (s *site) scrape(r *replica) map[string]float64 {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, "http://"+r.admin+"/metrics", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); kind != "text/plain; version=0.0.4; charset=utf-8" {
		s.t.Errorf("the content type is %q", kind)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	series := map[string]float64{}
	head := regexp.MustCompile(`^# HELP (\S+) [A-Z0-9].+\.\n# TYPE (\S+) (counter|gauge|histogram|summary)\n$`)
	sample := regexp.MustCompile(`^([a-z_]+?)(_bucket|_sum|_count)?((?:\{.*\})?) (\S+)\n$`)
	family, lines := "", slices.Collect(strings.Lines(string(text)))
	for i := 0; i < len(lines); i++ {
		if strings.HasPrefix(lines[i], "#") {
			m := head.FindStringSubmatch(lines[i] + lines[i+1])
			if m == nil || m[1] != m[2] {
				s.t.Fatalf("not a HELP and a TYPE: %s%s", lines[i], lines[i+1])
			}
			family, i = m[1], i+1
			continue
		}
		m := sample.FindStringSubmatch(lines[i])
		if m == nil || m[1] != family && m[1]+m[2] != family {
			s.t.Fatalf("not a sample of %s: %s", family, lines[i])
		}
		name := m[1] + m[2] + m[3]
		if _, twice := series[name]; twice {
			s.t.Errorf("%s is there twice", name)
		}
		if series[name], err = strconv.ParseFloat(m[4], 64); err != nil {
			s.t.Errorf("%s: %v", name, err)
		}
	}
	for _, row := range metrics.Table() {
		if !regexp.MustCompile(`(?m)^` + row.Name + `[_{ ]`).Match(text) {
			s.t.Errorf("%s has no series", row.Name)
		}
	}
	return series
}

func TestWhatPrometheusScrapes(t *testing.T) {
	s := newSite(t, 1)
	r := s.replicas[0]
	for name, value := range s.scrape(r) {
		if strings.HasPrefix(name, "psycher_deployment") && value != 0 {
			t.Errorf("at the start %s is %v", name, value)
		}
	}
	s.settles(s.say("C0APP0"), s.say(channelFails))
	if resp, err := s.get("http://" + r.notify + "/notify?source=gitlab&result=success"); err != nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a call that proves nothing: %v, %v", resp, err)
	}
	s.command("ZCARD {psycher}:due", ":0") // all is shown, and nothing goes on

	got := s.scrape(r)
	for name, want := range map[string]float64{
		"psycher_ready":                                                    1,
		"psycher_store_up":                                                 1,
		"psycher_slack_sockets":                                            2,
		"psycher_slack_token_refused":                                      0,
		"psycher_slack_envelopes_total":                                    2,
		"psycher_ack_duration_seconds_count":                               2,
		"psycher_trigger_delay_seconds_count":                              2,
		"psycher_records_in_work":                                          0,
		`psycher_deployments_total{target="app",state="triggering"}`:       2,
		`psycher_deployments_total{target="app",state="running"}`:          2,
		`psycher_deployments_total{target="app",state="succeeded"}`:        1,
		`psycher_deployments_total{target="app",state="failed"}`:           1,
		`psycher_deployments_total{target="app",state="unsure"}`:           0,
		`psycher_deployments_total{target="other",state="succeeded"}`:      0,
		`psycher_deployment_duration_seconds_count{target="app"}`:          2,
		`psycher_deployment_duration_seconds_bucket{target="app",le="60"}`: 2,
		`psycher_asks_total{reason="unclear"}`:                             0,
		`psycher_events_total{event="claimed"}`:                            2,
		`psycher_slack_calls_total{method="chat.update",result="refused"}`: 0,
		`psycher_gitlab_answers_total{method="POST",kind="ok"}`:            2,
		`psycher_gitlab_answers_total{method="POST",kind="none"}`:          0,
		`psycher_callbacks_total{result="taken"}`:                          4,
		`psycher_callbacks_total{result="unproven"}`:                       1,
		`psycher_store_call_duration_seconds_count{script="claim"}`:        2,
		`psycher_store_errors_total{script="claim"}`:                       0,
	} {
		if value, there := got[name]; !there || value != want {
			t.Errorf("%s is %v, want %v", name, value, want)
		}
	}
	for _, name := range []string{
		`psycher_slack_calls_total{method="auth.test",result="ok"}`,
		`psycher_slack_calls_total{method="chat.postMessage",result="ok"}`,
		`psycher_slack_calls_total{method="reactions.add",result="ok"}`,
		`psycher_gitlab_answers_total{method="GET",kind="ok"}`,
		"psycher_trigger_delay_seconds_sum", "psycher_ack_duration_seconds_sum",
		"process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds", "go_goroutines",
	} {
		if got[name] <= 0 {
			t.Errorf("%s is %v", name, got[name])
		}
	}
	if delay := got["psycher_trigger_delay_seconds_sum"]; delay > got[`psycher_deployment_duration_seconds_sum{target="app"}`] {
		t.Errorf("the triggers took %v s, longer than the deployments", delay)
	}

	s.signal(s.redis, syscall.SIGKILL)
	s.poll("the metrics show that Redis is down", func() error {
		now := s.scrape(r)
		if up, ready, failed := now["psycher_store_up"], now["psycher_ready"], now[`psycher_store_errors_total{script="take"}`]; up != 0 || ready != 0 || failed == 0 {
			return fmt.Errorf("up %v, ready %v, %v failed calls", up, ready, failed)
		}
		return nil
	})
}
