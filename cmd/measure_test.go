package cmd

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/cmd/metrics"
	"github.com/getto-systems/psycher/cmd/settings"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
	"github.com/getto-systems/psycher/deploy/targets"
	"github.com/getto-systems/psycher/internal/messages"
)

func TestEventsAreCounted(t *testing.T) {
	request := deploy.Request{Via: deploy.ViaMention}
	record := func(state deploy.State, target string) *deploy.Record {
		return &deploy.Record{Request: request, State: state, Deployment: deploy.Deployment{Target: target, Attempt: 1}}
	}
	second, pressed := record(deploy.Triggering, "app"), record(deploy.Triggering, "app")
	second.Deployment.Attempt, pressed.Request.Via = 2, deploy.ViaPress
	channels, err := targets.Parse([]byte(`{"T1": {"C1": {
		"app": {"project_id": 1, "token": "glptt-test"}, "say \"hi\"": {"project_id": 2, "token": "glptt-test"}
	}}}`), "master", time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := settings.Settings{Targets: channels}
	var counted bytes.Buffer
	logged(t, zerolog.InfoLevel, s, func(a *app) {
		a.metrics.Write(&counted)
		if got := rises(counted.String()); len(got) > 0 {
			t.Errorf("at the start there are %q", got)
		}
		for _, e := range []engine.Event{
			{Name: "asked", Decision: deploy.Decision{Reason: "unclear"}},
			{Name: "asked", Decision: deploy.Decision{Reason: "unclear"}},
			{Name: "asked", Decision: deploy.Decision{Reason: "too-late"}},
			{Name: "asked", Decision: deploy.Decision{Reason: "a reason of tomorrow"}},
			{Name: "answered", Decision: deploy.Decision{Reason: "greet"}},
			{Name: "moved", Record: record(deploy.Asking, ""), From: deploy.Accepted},
			{Name: "triggered", Record: record(deploy.Triggering, "app"), Took: 2 * time.Millisecond},
			{Name: "triggered", Record: second, Took: time.Minute},  // it waited for GitLab
			{Name: "triggered", Record: pressed, Took: time.Minute}, // for a person
			{Name: "moved", Record: record(deploy.Running, "app"), From: deploy.Triggering},
			{Name: "moved", Record: record(deploy.Failed, "app"), From: deploy.Running, Took: 40 * time.Second},
			{Name: "moved", Record: record(deploy.Succeeded, "app"), From: deploy.Failed, Took: time.Hour}, // a retry
			{Name: "moved", Record: record(deploy.Refused, `say "hi"`), From: deploy.Triggering, Took: time.Second},
			{Name: "moved", Record: record(deploy.Locked, "app"), From: deploy.Accepted}, // no deployment
			{Name: "moved", Record: record(deploy.Answered, "app"), From: deploy.Waiting, Took: time.Second},
			{Name: "moved", Record: record(deploy.Running, "an earlier map's"), From: deploy.Triggering},
		} {
			a.event(e)
		}
		counted.Reset()
		a.metrics.Write(&counted)
	})
	want := []string{
		`psycher_asks_total{reason="other"} 1`,
		`psycher_asks_total{reason="too-late"} 1`,
		`psycher_asks_total{reason="unclear"} 2`,
		`psycher_deployment_duration_seconds_count{target="app"} 1`,
		`psycher_deployment_duration_seconds_sum{target="app"} 40`,
		`psycher_deployments_total{target="app",state="failed"} 1`,
		`psycher_deployments_total{target="app",state="running"} 1`,
		`psycher_deployments_total{target="app",state="succeeded"} 1`,
		`psycher_deployments_total{target="other",state="running"} 1`,
		`psycher_deployments_total{target="say \"hi\"",state="refused"} 1`,
		`psycher_events_total{event="answered"} 1`,
		`psycher_events_total{event="asked"} 4`,
		`psycher_events_total{event="moved"} 8`,
		`psycher_events_total{event="triggered"} 3`,
		`psycher_trigger_delay_seconds_count 1`,
		`psycher_trigger_delay_seconds_sum 0.002`,
	}
	if diff := cmp.Diff(want, rises(counted.String())); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(counted.String(), "\n"+`psycher_deployment_duration_seconds_bucket{target="app",le="60"} 1`+"\n") {
		t.Error("the deploy is in no bucket")
	}
}

// rises are the counted series that are not zero, without buckets.
func rises(text string) (all []string) {
	for line := range strings.Lines(text) {
		if regexp.MustCompile(`^psycher_\w+(_total|_count|_sum)(\{.*\})? `).MatchString(line) && !strings.HasSuffix(line, " 0\n") {
			all = append(all, strings.TrimSpace(line))
		}
	}
	slices.Sort(all)
	return all
}

// However large the map is, and whatever the program meets, the series are
// bounded.
func TestTheNumberOfSeriesIsBounded(t *testing.T) {
	var names []string
	for n := range 1000 {
		names = append(names, strings.Repeat("x", n))
	}
	m := metrics.New("v1", "go1")
	m.AddTargets(names)
	for _, name := range append(names, "U0SATO", "C0APP") {
		m.Count("psycher_deployments_total", name, "running")
		m.Observe("psycher_deployment_duration_seconds", time.Second, name)
		m.Count("psycher_events_total", name)
		m.Count("psycher_asks_total", name)
		m.Count("psycher_slack_calls_total", name, "ok")
		m.Count("psycher_slack_calls_total", name, name)
		m.Count("psycher_slack_waits_total", name)
		m.Count("psycher_gitlab_answers_total", name, name)
		m.Count("psycher_callbacks_total", name)
		m.Observe("psycher_store_call_duration_seconds", time.Second, name)
	}
	var out bytes.Buffer
	m.Write(&out)
	if n := strings.Count(out.String(), "\n"); n > 6000 || strings.Contains(out.String(), "U0SATO") {
		t.Errorf("there are %d lines, or a person is in them", n)
	}
	if want := `psycher_deployments_total{target="other",state="running"} 802`; !strings.Contains(out.String(), want) {
		t.Error("the targets beyond the bound are not counted")
	}
}

func TestMeasuringAllocatesNothing(t *testing.T) {
	m := metrics.New("v1", "go1")
	m.AddTargets([]string{"app"})
	if n := testing.AllocsPerRun(100, func() {
		m.Count("psycher_events_total", "moved")
		m.Count("psycher_deployments_total", "app", "running")
		m.Count("psycher_deployments_total", "gone", "running")
		m.Observe("psycher_deployment_duration_seconds", time.Minute, "app")
		m.Observe("psycher_ack_duration_seconds", time.Millisecond)
		m.Count("psycher_slack_calls_total", "chat.update", "ok")
		m.Count("psycher_gitlab_answers_total", "POST", "ok")
		m.Observe("psycher_store_call_duration_seconds", time.Millisecond, "claim")
		m.Count("psycher_callbacks_total", "taken")
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// What the code can count has a series from the start.
func TestWhatIsCountedIsInTheTable(t *testing.T) {
	found := func(pattern, files string) (all []string) {
		paths, err := filepath.Glob(files)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
				all = append(all, m[1])
			}
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	var states, scripts, said []string
	for state := range deploy.Moves() {
		if state != deploy.Accepted && state != deploy.Asking && state != deploy.Locked && state != deploy.Answered {
			states = append(states, string(state))
		}
	}
	paths, err := filepath.Glob("../dedupe/scripts/*.lua")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		scripts = append(scripts, strings.TrimSuffix(filepath.Base(path), ".lua"))
	}
	for _, id := range messages.IDs() {
		said = append(said, string(id))
	}
	inTable := map[string][]string{}
	for _, row := range metrics.Table() {
		for _, l := range row.Labels {
			inTable[row.Name+" "+l.Name] = slices.DeleteFunc(slices.Clone(l.Values), func(v string) bool { return v == "other" })
		}
	}
	decisions := slices.DeleteFunc(found(`\bWhat = "([a-z-]+)"`, "../deploy/audit.go"), func(what string) bool { return what == string(deploy.DidRequest) })
	slices.Sort(states)
	slices.Sort(inTable["psycher_deployments_total state"])
	slices.Sort(inTable["psycher_callbacks_total result"])
	for of, want := range map[string][]string{
		"psycher_events_total event":                 slices.Sorted(slices.Values(append(decisions, found(`(?:Name: |\bname(?:, detail)?(?:, tries)? :?= |, )"([a-z]+(?:-[a-z]+)*)"(?:, |\n|\}\)|, Record)`, "../deploy/engine/*.go")...))),
		"psycher_deployments_total state":            states,
		"psycher_store_call_duration_seconds script": scripts,
		"psycher_store_errors_total script":          scripts,
		"psycher_slack_calls_total method":           found(`"([a-z]+\.[a-zA-Z.]+)"`, "../bot/web/*.go"),
		"psycher_slack_waits_total method":           found(`"([a-z]+\.[a-zA-Z.]+)"`, "../bot/web/*.go"),
	} {
		if diff := cmp.Diff(want, inTable[of]); diff != "" {
			t.Errorf("%s: the code has (-), the table (+): %s", of, diff)
		}
	}
	counted := found(`\.(?:Count|Observe|Gauge)\("(psycher_\w+)"`, "*.go")
	counted = append(counted, found(`\t"(psycher_\w+)": +func`, "measure.go")...)
	for _, row := range metrics.Table() {
		if ours := strings.HasPrefix(row.Name, "psycher_"); ours && row.Name != "psycher_build_info" && !slices.Contains(counted, row.Name) {
			t.Errorf("nobody counts %s", row.Name)
		}
		counted = slices.DeleteFunc(counted, func(name string) bool { return name == row.Name })
	}
	if len(counted) > 0 {
		t.Errorf("counted, and not in the table: %q", counted)
	}
	for _, reason := range inTable["psycher_asks_total reason"] {
		if !slices.Contains(said, reason) {
			t.Errorf("nothing is asked for the reason %q", reason)
		}
	}
}
