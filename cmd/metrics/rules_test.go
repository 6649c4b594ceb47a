package metrics_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getto-systems/psycher/cmd/metrics"
)

// The alerts of examples/ are about metrics, labels and values that there are, and
// each has its test: see make alerts.
func TestTheAlertsAreAboutWhatIsExported(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile("../../examples/prometheus/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	rules, tests := read("psycher.rules.yml"), read("psycher.test.yml")
	rows := map[string]metrics.Row{}
	for _, row := range metrics.Table() {
		rows[row.Name] = row
	}
	selectors := regexp.MustCompile(`(psycher_\w+?)(?:_bucket|_sum|_count)?\b(?:\{([^}]*)\})?`).FindAllStringSubmatch(rules+tests, -1)
	if len(selectors) < 50 {
		t.Fatalf("only %d metrics were found", len(selectors))
	}
	for _, s := range selectors {
		row, known := rows[s[1]]
		if !known {
			t.Errorf("%s is not exported", s[1])
		}
		for _, m := range regexp.MustCompile(`(\w+)(?:=|=~)"([^"]*)"`).FindAllStringSubmatch(s[2], -1) {
			if slices.Contains([]string{"job", "instance", "le", "target"}, m[1]) {
				continue
			}
			i := slices.IndexFunc(row.Labels, func(l metrics.Label) bool { return l.Name == m[1] })
			if i < 0 {
				t.Errorf("%s has no label %s", s[1], m[1])
				continue
			}
			for value := range strings.SplitSeq(m[2], "|") {
				if !slices.Contains(row.Labels[i].Values, value) {
					t.Errorf("%s: %s is never %q", s[1], m[1], value)
				}
			}
		}
	}
	alerts := regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(rules, -1)
	for _, a := range alerts {
		if !strings.Contains(tests, `{alertname="`+a[1]+`"}`) {
			t.Errorf("%s has no test in which it fires", a[1])
		}
	}
	if len(alerts) < 10 {
		t.Errorf("only %d alerts were found", len(alerts))
	}
}
