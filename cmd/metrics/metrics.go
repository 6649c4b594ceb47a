package metrics

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	vm "github.com/VictoriaMetrics/metrics"
)

// maxTargets is how many targets have series of their own.
const maxTargets = 200

// series is a series by its metric and the values of its labels.
type series struct {
	metric string
	labels [2]string
}

// Metrics holds every metric of the program. Its methods may be called by many
// goroutines, and allocate nothing.
type Metrics struct {
	rows []Row
	sets map[string]*vm.Set // by the name of a row

	mu      sync.RWMutex
	counted map[series]any  // a counter or a histogram
	targets map[string]bool // that have series of their own
}

// New registers all series that can be named without the target map.
func New(version, goVersion string) *Metrics {
	m := &Metrics{rows: Table(), sets: map[string]*vm.Set{}, counted: map[series]any{}, targets: map[string]bool{other: true}}
	for _, row := range m.rows {
		m.sets[row.Name] = vm.NewSet()
		for _, first := range row.values(0) {
			m.add(row, first)
		}
	}
	m.Gauge(fmt.Sprintf("psycher_build_info{version=%q,goversion=%q}", version, goVersion), func() float64 { return 1 })
	return m
}

// add registers the series of a row that have this value of the first label.
func (m *Metrics) add(row Row, first string) {
	for _, second := range row.values(1) {
		name, key := row.series(first, second), series{row.Name, [2]string{first, second}}
		switch {
		case row.buckets != nil:
			m.counted[key] = m.sets[row.Name].NewPrometheusHistogramExt(name, row.buckets)
		case row.Type == counter && row.Labels != nil:
			m.counted[key] = m.sets[row.Name].NewCounter(name)
		}
	}
}

// AddTargets gives targets series of their own, if there is room. It is called again
// when the map has changed: those that have left it keep theirs.
func (m *Metrics) AddTargets(names []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range names {
		if m.targets[name] || len(m.targets) > maxTargets {
			continue
		}
		m.targets[name] = true
		for _, row := range m.rows {
			if row.Labels != nil && row.Labels[0].Name == "target" {
				m.add(row, name)
			}
		}
	}
}

// at returns a series: that of [other] for what has none. A second label has no values
// but those of the table.
func (m *Metrics) at(metric string, labels []string) any {
	key := series{metric: metric}
	copy(key.labels[:], labels)
	m.mu.RLock()
	defer m.mu.RUnlock()
	if found := m.counted[key]; found != nil {
		return found
	}
	key.labels[0] = other
	return m.counted[key]
}

// Count counts one.
func (m *Metrics) Count(metric string, labels ...string) {
	if c, known := m.at(metric, labels).(*vm.Counter); known {
		c.Inc()
	}
}

// Observe notes how long something took.
func (m *Metrics) Observe(metric string, took time.Duration, labels ...string) {
	if h, known := m.at(metric, labels).(*vm.PrometheusHistogram); known {
		h.Update(took.Seconds())
	}
}

// Gauge has a series be what value returns when it is scraped.
func (m *Metrics) Gauge(name string, value func() float64) {
	metric, _, _ := strings.Cut(name, "{")
	m.sets[metric].NewGauge(name, value)
}

// Write writes all metrics as they are now, in Prometheus' text format. It
// writes HELP and TYPE itself, as the library has no texts for HELP.
func (m *Metrics) Write(w io.Writer) {
	var out, own bytes.Buffer
	vm.WriteGoMetrics(&own)
	vm.WriteProcMetrics(&own)
	vm.WriteFDMetrics(&own)
	for _, row := range m.rows {
		fmt.Fprintf(&out, "# HELP %s %s\n# TYPE %s %s\n", row.Name, row.Help, row.Name, row.Type)
		m.sets[row.Name].WritePrometheus(&out)
		out.Write(bytes.Join(regexp.MustCompile("(?m)^"+row.Name+"(_sum|_count)?[ {].*\n").FindAll(own.Bytes(), -1), nil))
	}
	_, _ = out.WriteTo(w) // who scrapes has gone
}

// values are those of a label; an empty one where there is no label.
func (r Row) values(label int) []string {
	if label < len(r.Labels) {
		return r.Labels[label].Values
	}
	return []string{""}
}

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// series is the name of a series with the values of its labels.
func (r Row) series(values ...string) string {
	var labels []string
	for i, l := range r.Labels {
		labels = append(labels, l.Name+`="`+escape.Replace(values[i])+`"`)
	}
	if labels == nil {
		return r.Name
	}
	return r.Name + "{" + strings.Join(labels, ",") + "}"
}
