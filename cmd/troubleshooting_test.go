package cmd

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whatever an operator may read stands on the page, in its table, with what to
// do about it; and nothing stands there that no code says.
func TestTroubleshootingKnowsEveryMessage(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\|$")
	said := messages(t)
	if len(said["log"]) < 25 || len(said["settings"]) < 50 || len(said["notify"]) < 20 {
		t.Fatalf("too few messages were found in the code: %v", said)
	}
	for _, name := range []string{"docs/TROUBLESHOOTING.md", "docs/TROUBLESHOOTING.ja.md"} {
		text := page(t, name)
		for table, want := range said {
			var got []string
			for _, m := range row.FindAllStringSubmatch(after(t, text, "<!-- messages: "+table+" ", "<!-- /messages -->"), -1) {
				got = append(got, strings.ReplaceAll(m[1], `\|`, "|"))
			}
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %s: code (-) and page (+): %s", name, table, diff)
			}
		}
		if n := strings.Count(text, "<!-- messages: "); n != len(said) {
			t.Errorf("%s has %d tables of messages, the code %d", name, n, len(said))
		}
	}
}
