package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getto-systems/psycher/bot"
	"github.com/getto-systems/psycher/deploy"
)

var readmes = map[string]string{"en": "README.md", "ja": "README.ja.md"}

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// after gives what follows a line of a page that begins so, up to an end.
func after(t *testing.T, text, begin, end string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "\n"+begin)
	_, rest, line := strings.Cut(rest, "\n")
	part, _, closed := strings.Cut(rest, end)
	if !ok || !line || !closed {
		t.Fatalf("the page has no part that begins with %q and ends with %q", begin, end)
	}
	return part
}

// The wordings of a deploy are chosen by chance: each line of the transcript
// must be one that can be.
func TestReadmeShowsTheDemo(t *testing.T) {
	for lang, name := range readmes {
		t.Run(lang, func(t *testing.T) { showsTheDemo(t, lang, page(t, name)) })
	}
}

func showsTheDemo(t *testing.T, lang, readme string) {
	lines := strings.Split(strings.TrimSuffix(after(t, readme, "<!-- demo:", "\n```\n"), "\n"), "\n")
	phrases, err := bot.NewPhrases(lang)
	if err != nil {
		t.Fatal(err)
	}
	story := stories[lang]
	begin := []string{"  yamada: @psycher " + story.release, "      👍 :thumbsup:", "", "      ✅ :white_check_mark:", "", ""}
	want := slices.Concat([]string{"```text", story.works}, begin, []string{"", story.fails}, begin, []string{""})
	want[len(want)-4] = "      ❌ :x:"
	says := map[int]deploy.MessageID{
		4: deploy.MsgStatusRunning, 6: deploy.MsgStatusSucceeded, 7: deploy.MsgSucceeded,
		12: deploy.MsgStatusRunning, 14: deploy.MsgStatusFailed, 15: deploy.MsgFailed,
	}
	if len(lines) != len(want) {
		t.Fatalf("the transcript has %d lines, not %d: %q", len(lines), len(want), lines)
	}
	for i, line := range lines {
		say, spoken := says[i]
		if i == len(lines)-1 {
			continue // the second line of the message before
		}
		if !spoken {
			if line != want[i] {
				t.Errorf("line %d is %q, and should be %q", i, line, want[i])
			}
			continue
		}
		if i == len(lines)-2 {
			line += "\n" + lines[i+1]
		}
		if can := spokenLines(phrases, say, i); !slices.Contains(can, line) {
			t.Errorf("line %d is %q, and should be one of %q", i, line, can)
		}
	}
}

// spokenLines are the lines that the demo can show of something said.
func spokenLines(phrases *bot.Phrases, say deploy.MessageID, line int) []string {
	pipeline := "http://127.0.0.1:38873/example/app/-/pipelines/1001"
	if line > 8 {
		pipeline = strings.TrimSuffix(pipeline, "1") + "2"
	}
	m := deploy.Message{ID: say, Target: "app", Ref: "master", URL: pipeline}
	begin := "    ↳ psycher: "
	switch say {
	case deploy.MsgStatusSucceeded, deploy.MsgStatusFailed:
		begin = "    ↳ psycher ✎ "
	case deploy.MsgFailed:
		m.User = "U0YAMADA"
	}
	var lines []string
	for m.Seed = range uint32(60) {
		text := strings.NewReplacer("<@U0YAMADA>", "@yamada", "\n", "\n      ").Replace(phrases.Text(m))
		lines = append(lines, begin+regexp.MustCompile(`<(http[^|>]+)\|([^>]+)>`).ReplaceAllString(text, "$2 ($1)"))
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

var example = regexp.MustCompile(`「[^」]*」|"[^"]*"`)

func TestReadmeTellsWhatDeploysAndWhatDoesNot(t *testing.T) {
	for lang, begin := range map[string]string{"en": "## What it deploys on", "ja": "## デプロイするとき"} {
		t.Run(lang, func(t *testing.T) { tellsWhatDeploys(t, page(t, readmes[lang]), begin) })
	}
}

func tellsWhatDeploys(t *testing.T, readme, begin string) {
	deploys := example.FindAllString(after(t, readme, begin, "<!-- held back:"), -1)
	table := strings.Split(strings.TrimSpace(after(t, readme, "<!-- held back:", "\n\n")), "\n")[2:]
	answers := []deploy.MessageID{deploy.MsgStop, deploy.MsgNegated, deploy.MsgPast, deploy.MsgHow, deploy.MsgLater, deploy.MsgOther}
	if len(deploys) < 3 || len(table) != len(answers) {
		t.Fatalf("%d examples deploy, %d rows hold back", len(deploys), len(table))
	}
	read := func(quoted string) deploy.MessageID {
		text := strings.Trim(quoted, `「」"`)
		return bot.Understand("<@U0BOT> "+text, []string{"app"}, nil).Answer
	}
	for _, text := range deploys {
		if say := read(text); say != "" {
			t.Errorf("%s does not deploy: %s", text, say)
		}
	}
	for i, row := range table {
		held := example.FindAllString(row, -1)
		if len(held) == 0 {
			t.Errorf("no example: %s", row)
		}
		for _, text := range held {
			if say := read(text); say != answers[i] {
				t.Errorf("%s is answered %q, not %q", text, say, answers[i])
			}
		}
	}
}

func TestReadmeTellsTheExitCodes(t *testing.T) {
	for lang, want := range map[string]string{
		"en": fmt.Sprintf("%d if a setting is wrong or Slack refuses a token at start, where starting again does not help; %d for everything else", exitSettings, exitFailed),
		"ja": fmt.Sprintf("起動時に Slack がトークンを断ったら %d（起動し直しても 直りません）、それ以外は %d です", exitSettings, exitFailed),
	} {
		if !strings.Contains(strings.Join(strings.Fields(page(t, readmes[lang])), " "), want) {
			t.Errorf("%s does not say %q", readmes[lang], want)
		}
	}
}

// Who opens a README sees in three lines what it is, then a picture, then the
// two commands.
func TestReadmeOpensWithThreeLinesAPictureAndTwoCommands(t *testing.T) {
	opening := regexp.MustCompile("^# psycher\n\n(?:\\S.*\n){3}\n!\\[.+\\]\\(docs/images/demo(?:\\.ja)?\\.png\\)\n")
	for _, name := range readmes {
		readme := page(t, name)
		if !opening.MatchString(readme) {
			t.Errorf("%s opens otherwise", name)
		}
		shown := regexp.MustCompile("(?m)^```sh\n((?:.+\n)+)```$").FindAllStringSubmatch(readme, -1)
		if len(shown) != 2 || shown[0][1] != "go run ./cmd/psycher demo\n" || shown[1][1] != "go test ./...\n" {
			t.Errorf("%s shows the commands %q", name, shown)
		}
	}
}
