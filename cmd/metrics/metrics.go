package metrics

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	vm "github.com/VictoriaMetrics/metrics"
)

// maxTargets is how many targets have series of their own.
const maxTargets = 200

// Metrics holds every metric of the program. Its methods may be called by many
// goroutines, and allocate nothing.
type Metrics struct {
	rows []Row
	sets map[string]*vm.Set // by the name of a row

	deployments, asks, events, slackCalls, slackWaits, gitlabAnswers, callbacks, storeErrors *vector[*vm.Counter]

	durations, acks, delays, storeCalls *vector[*vm.PrometheusHistogram]
}

// New registers all series that can be named without the target map.
func New(version, goVersion string) *Metrics {
	m := &Metrics{rows: Table(), sets: map[string]*vm.Set{}}
	for _, row := range m.rows {
		m.sets[row.Name] = vm.NewSet()
	}
	m.deployments, m.asks, m.events = m.counters("psycher_deployments_total"), m.counters("psycher_asks_total"), m.counters("psycher_events_total")
	m.slackCalls, m.slackWaits = m.counters("psycher_slack_calls_total"), m.counters("psycher_slack_waits_total")
	m.gitlabAnswers, m.callbacks, m.storeErrors = m.counters("psycher_gitlab_answers_total"), m.counters("psycher_callbacks_total"), m.counters("psycher_store_errors_total")
	m.durations, m.acks = m.histograms("psycher_deployment_duration_seconds"), m.histograms("psycher_ack_duration_seconds")
	m.delays, m.storeCalls = m.histograms("psycher_trigger_delay_seconds"), m.histograms("psycher_store_call_duration_seconds")
	info := m.row("psycher_build_info")
	m.sets[info.Name].NewGauge(info.series([2]string{version, goVersion}), func() float64 { return 1 })
	return m
}

// AddTargets gives targets series of their own. It is called again when the map has
// changed: those that have left it keep theirs.
func (m *Metrics) AddTargets(names []string) {
	for _, name := range names {
		m.deployments.add(name)
		m.durations.add(name)
	}
}

// Event counts what happened to a record.
func (m *Metrics) Event(name string) { m.events.at(name, "").Inc() }

// Asked counts a question.
func (m *Metrics) Asked(reason string) { m.asks.at(reason, "").Inc() }

// Moved counts a deployment that came to a state.
func (m *Metrics) Moved(target, state string) { m.deployments.at(target, state).Inc() }

// Ended notes how long a deployment took.
func (m *Metrics) Ended(target string, took time.Duration) {
	m.durations.at(target, "").Update(took.Seconds())
}

// Acked notes how long an event of Slack took.
func (m *Metrics) Acked(took time.Duration) { m.acks.at("", "").Update(took.Seconds()) }

// Triggered notes how long a mention waited for its trigger.
func (m *Metrics) Triggered(after time.Duration) { m.delays.at("", "").Update(after.Seconds()) }

// SlackCall counts a call of the Web API.
func (m *Metrics) SlackCall(method, result string) { m.slackCalls.at(method, result).Inc() }

// SlackWait counts a call that was put off.
func (m *Metrics) SlackWait(method string) { m.slackWaits.at(method, "").Inc() }

// GitLabAnswer counts an answer of GitLab.
func (m *Metrics) GitLabAnswer(method, kind string) { m.gitlabAnswers.at(method, kind).Inc() }

// Callback counts a call to the notify port.
func (m *Metrics) Callback(result string) { m.callbacks.at(result, "").Inc() }

// StoreCall notes a call of Redis.
func (m *Metrics) StoreCall(script string, took time.Duration, err error) {
	m.storeCalls.at(script, "").Update(took.Seconds())
	if err != nil {
		m.storeErrors.at(script, "").Inc()
	}
}

// Gauge has a metric be what value returns when it is scraped.
func (m *Metrics) Gauge(name string, value func() float64) { m.sets[name].NewGauge(name, value) }

// Counter has a metric be what value returns when it is scraped.
func (m *Metrics) Counter(name string, value func() int64) {
	m.sets[name].RegisterMetricsWriter(func(w io.Writer) { fmt.Fprintf(w, "%s %d\n", name, value()) })
}

// Write writes all metrics as they are now, in Prometheus' text format. It
// writes HELP and TYPE itself, as the library has no texts for HELP.
func (m *Metrics) Write(w io.Writer) {
	var out, own bytes.Buffer
	vm.WriteGoMetrics(&own)
	vm.WriteProcMetrics(&own)
	vm.WriteFDMetrics(&own)
	process := byMetric(own.String())
	for _, row := range m.rows {
		fmt.Fprintf(&out, "# HELP %s %s\n# TYPE %s %s\n", row.Name, row.Help, row.Name, row.Type)
		m.sets[row.Name].WritePrometheus(&out)
		out.WriteString(process[row.Name])
	}
	_, _ = out.WriteTo(w) // who scrapes has gone
}

// byMetric splits lines by the metric that they are about.
func byMetric(lines string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(lines) {
		name := line[:strings.IndexAny(line, "{ ")]
		if strings.HasPrefix(name, "go_gc_duration_seconds") { // _sum and _count of it too
			name = "go_gc_duration_seconds"
		}
		all[name] += line
	}
	return all
}

func (m *Metrics) row(name string) Row {
	return m.rows[slices.IndexFunc(m.rows, func(r Row) bool { return r.Name == name })]
}

func (m *Metrics) counters(name string) *vector[*vm.Counter] {
	return newVector(m.row(name), m.sets[name].NewCounter, new(vm.Counter))
}

func (m *Metrics) histograms(name string) *vector[*vm.PrometheusHistogram] {
	row := m.row(name)
	return newVector(row, func(series string) *vm.PrometheusHistogram {
		return m.sets[name].NewPrometheusHistogramExt(series, row.buckets)
	}, new(vm.PrometheusHistogram))
}

// vector is the series of a metric, by the values of its labels.
type vector[M any] struct {
	row      Row
	register func(series string) M
	none     M // what has no series, and no one sees

	mu     sync.RWMutex
	series map[[2]string]M
	first  map[string]bool // the values of the first label
}

func newVector[M any](row Row, register func(series string) M, none M) *vector[M] {
	v := &vector[M]{row: row, register: register, none: none, series: map[[2]string]M{}, first: map[string]bool{}}
	first := []string{""}
	if len(row.Labels) > 0 {
		first = row.Labels[0].Values
	}
	for _, value := range first {
		v.add(value)
	}
	return v
}

// add registers the series of a value of the first label, if there is room.
func (v *vector[M]) add(value string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.first[value] || len(v.first) > maxTargets {
		return
	}
	v.first[value] = true
	second := []string{""}
	if len(v.row.Labels) > 1 {
		second = v.row.Labels[1].Values
	}
	for _, s := range second {
		values := [2]string{value, s}
		v.series[values] = v.register(v.row.series(values))
	}
}

// at returns a series. A second label has no values but those of the table.
func (v *vector[M]) at(first, second string) M {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if m, ok := v.series[[2]string{first, second}]; ok {
		return m
	}
	if m, ok := v.series[[2]string{other, second}]; ok {
		return m
	}
	return v.none
}

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// series is the name of a series with the values of its labels.
func (r Row) series(values [2]string) string {
	var labels []string
	for i, l := range r.Labels {
		labels = append(labels, l.Name+`="`+escape.Replace(values[i])+`"`)
	}
	if labels == nil {
		return r.Name
	}
	return r.Name + "{" + strings.Join(labels, ",") + "}"
}
