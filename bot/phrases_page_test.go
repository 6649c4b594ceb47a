package bot

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/getto-systems/psycher/deploy"
)

var update = flag.Bool("update", false, "rewrite the pages under docs")

const pageHead = `# What psycher says

<!-- Made by: go test ./bot -run TestThePageShowsEveryPhrase -update -->

` + "`PSYCHER_LANG`" + ` chooses the language. Where there are several wordings for one thing, chance
chooses among them, so that the bot does not repeat itself; the same message keeps its wording.

日本語: 返事の言葉は ` + "`PSYCHER_LANG`" + ` で選びます。言い回しがいくつもあるものは、くじ引きです。**言い回しを足すには**、
` + "`bot/phrases_ja.go`" + ` に 1 行書いて、このページのソースの先頭にあるコマンドを動かし、できた行をここで読み返してください。
使える記号は次の表のとおりです。

**To add a wording**, add a string in ` + "`bot/phrases_ja.go` or `bot/phrases_en.go`" + `, run the
command at the top of this page's source, and read the new line here. In a wording

| write | for | example |
|---|---|---|
`

const pageMiddle = `| ` + "`{link:words}`" + ` | a link to the pipeline, or to the project's pipelines | |
| ` + "`[this\\|that]`" + ` | the first of them in which everything is known, else nothing | ` + "`[{user} さん、]`" + ` |
| ` + "`\\n`" + ` | a new line | |

Names and GitLab's words are shown as code; spaces around code are put in where Slack needs them.
Do not write ` + "`&`, `<` or `>`" + ` of your own: Slack reads them as markup.
The tests see to it that a refusal begins with "nothing was started", that no other answer claims so wrongly,
and that a sentence reads well whatever is unknown.
`

var pagePlaceholders = []struct{ name, meaning string }{
	{"what", "the target with its ref"},
	{"target", "the target"},
	{"targets", "all targets of the channel"},
	{"ref", "the ref that is deployed"},
	{"branch", "the ref as a branch, in full"},
	{"tag", "the ref as a tag, in full"},
	{"project", "the project in GitLab"},
	{"key", "the `release_key`"},
	{"user", "the person, who is notified by it"},
	{"word", "the person's own word that decided"},
	{"detail", "GitLab's words, a job's name, an address"},
	{"until", "a time of day"},
	{"last", "how the last deploy stands"},
	{"write", "what to write to deploy"},
	{"example", "what to write to deploy one of several"},
}

// pageParts are the page's headings, each above the first Say of its part.
var pageParts = map[deploy.MessageID]string{
	deploy.MsgGreet:         "Answers that deploy nothing",
	deploy.MsgWaitRate:      "Why a deploy waits",
	deploy.MsgRefusedToken:  "Why GitLab refused",
	deploy.MsgStatusRunning: "The status message, which is edited as things move",
	deploy.MsgSucceeded:     "Lines in the thread of a deploy",
}

func TestThePageShowsEveryPhrase(t *testing.T) {
	const path = "../docs/PHRASES.md"
	want := phrasesPage(t)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/PHRASES.md is not what the code says; rewrite it with -update (-code +page): %s", diff)
	}
}

func phrasesPage(t *testing.T) string {
	all := voices(t)
	ja, en := all["ja"], all["en"]
	var b strings.Builder
	b.WriteString(pageHead)
	sample := pageSamples(deploy.MsgRefusedToken)[0]
	for _, p := range pagePlaceholders {
		value := en.language.values(sample)[p.name]
		if value == "" {
			t.Errorf("the page has no example of {%s}", p.name)
		}
		b.WriteString("| `{" + p.name + "}` | " + p.meaning + " | " + markdown(value) + " |\n")
	}
	b.WriteString(pageMiddle)
	for _, say := range deploy.MessageIDs() {
		if part := pageParts[say]; part != "" {
			b.WriteString("\n## " + part + "\n\n| | 日本語 | English |\n|---|---|---|\n")
		}
		name := "`" + string(say) + "`"
		for _, m := range pageSamples(say) {
			for i := range max(len(ja.language.says[say]), len(en.language.says[say])) {
				b.WriteString("| " + name + " | " + pageCell(ja, m, i) + " | " + pageCell(en, m, i) + " |\n")
				name = ""
			}
		}
	}
	return b.String()
}

func pageCell(p *Phrases, m deploy.Message, wording int) string {
	if wording >= len(p.language.says[m.ID]) {
		return ""
	}
	m.Seed = uint32(wording)
	return markdown(p.Text(m))
}

// pageSamples are messages as the bot may come to say them: two of those that
// differ much by what is known.
func pageSamples(say deploy.MessageID) []deploy.Message {
	m := full(deploy.Message{ID: say})
	words := map[deploy.MessageID]string{
		deploy.MsgStop: "待って", deploy.MsgNegated: "しないで", deploy.MsgPast: "終わった", deploy.MsgHow: "どうやって",
		deploy.MsgLater: "明日", deploy.MsgOther: "staging", deploy.MsgNearMiss: "リリーズ",
	}
	details := map[deploy.MessageID]string{
		deploy.MsgRefusedRedirect: "https://git.example.com/", deploy.MsgRefusedOther: "Something else is wrong",
		deploy.MsgRefusedElsewhere: "Sign in", deploy.MsgRefusedProxy: "Cache Access Denied",
		deploy.MsgRefusedConfig: "Missing CI config file", deploy.MsgRefusedDisabled: "Pipelines are disabled!",
		deploy.MsgOvertime: "1h",
	}
	if words[say] != "" {
		m.Word = words[say]
	}
	if details[say] != "" {
		m.Detail = details[say]
	}
	other := m
	switch say {
	case deploy.MsgStop, deploy.MsgPast:
		other.URL, other.Last = "", ""
	case deploy.MsgNothing:
		other.Detail = ""
	case deploy.MsgOther:
		other.Target, other.Targets = "", []string{"api", "web"}
	case deploy.MsgWhichTarget:
		m.Targets = []string{"api", "web"}
		m.Target = ""
		return []deploy.Message{m}
	default:
		return []deploy.Message{m}
	}
	return []deploy.Message{m, other}
}

// markdown shows Slack's markup as a page of the web does.
func markdown(text string) string {
	for _, rule := range [][2]string{
		{`<!date\^[^|]*\|([0-9:]+) UTC>`, "$1"},
		{`<@` + person + `>`, "@hanako"},
		{`<([^|>]+)\|([^>]+)>`, "[$2]($1)"},
		{`\n`, "<br>"},
		{`\|`, `\|`},
	} {
		text = regexp.MustCompile(rule[0]).ReplaceAllString(text, rule[1])
	}
	return text
}
