package bot

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/getto-systems/psycher/deploy"
)

// The page has a row for everything that the bot says, in the code's order:
// its name, what is read (written by -update), and what to do.
func TestTroubleshootingKnowsEverythingThatTheBotSays(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| (.*) \\| ([^|]+) \\|$")
	for lang, path := range map[string]string{"en": "../docs/TROUBLESHOOTING.md", "ja": "../docs/TROUBLESHOOTING.ja.md"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		before, rest, _ := strings.Cut(string(text), "<!-- says -->\n")
		table, after, ok := strings.Cut(rest, "<!-- /says -->")
		if !ok {
			t.Fatalf("%s has no table of what is said", path)
		}
		var got, want []string
		for _, m := range row.FindAllStringSubmatch(table, -1) {
			got = append(got, m[1])
		}
		for _, say := range deploy.MessageIDs() {
			want = append(want, string(say))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: code (-) and rows (+): %s", path, diff)
		}
		fresh := row.ReplaceAllStringFunc(table, func(line string) string {
			m := row.FindStringSubmatch(line)
			return "| `" + m[1] + "` | " + read(t, lang, deploy.MessageID(m[1])) + " | " + m[3] + " |"
		})
		if *update {
			if err := os.WriteFile(path, []byte(before+"<!-- says -->\n"+fresh+"<!-- /says -->"+after), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if diff := cmp.Diff(fresh, table); diff != "" {
			t.Errorf("%s: run with -update: %s", path, diff)
		}
	}
}

// read is what a person may read, to be found by: the first line of each wording.
func read(t *testing.T, lang string, say deploy.MessageID) string {
	voice := voices(t)[lang]
	var lines []string
	for seed := range voice.language.says[say] {
		m := pageSamples(say)[0]
		m.Seed = uint32(seed)
		line, _, more := strings.Cut(voice.Text(m), "\n")
		if line = markdown(line); more {
			line += " …"
		}
		lines = append(lines, regexp.MustCompile(`\[([^\]]+)\]\([^)]+\)`).ReplaceAllString(line, "$1"))
	}
	return strings.Join(lines, "<br>")
}
