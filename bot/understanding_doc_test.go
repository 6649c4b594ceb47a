package bot

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var updateUnderstanding = flag.Bool("update-understanding", false, "write docs/UNDERSTANDING.md anew")

// The pages are printed from the tables that decide, so that they say what holds.
func TestThePagesOnUnderstandingSayWhatTheTablesSay(t *testing.T) {
	for path, want := range map[string]string{
		"../docs/UNDERSTANDING.md":    understandingPage(),
		"../docs/UNDERSTANDING.ja.md": japaneseUnderstanding(t),
	} {
		if *updateUnderstanding {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, string(got)); d != "" {
			t.Errorf("write it anew with: go test ./bot -run Understanding -update-understanding\n%s", d)
		}
	}
}

func TestEveryExampleOfTheTableIsHeldBackAsItSays(t *testing.T) {
	for i := range holds {
		for _, s := range holds[i].such {
			got := Understand(s, []string{"app"}, theirs)
			if got.Answer != holds[i].say {
				t.Errorf("%q, an example of %q: got %s (%q), want %s", s, holds[i].name, understood(got), got.Word, holds[i].say)
			}
		}
	}
}

func understandingPage() string {
	var b strings.Builder
	b.WriteString(`# What psycher understands

[日本語](UNDERSTANDING.ja.md)

<!-- Printed from the tables in bot/ by: go test ./bot -run Understanding -update-understanding -->

Mention the bot with a deploy word and it deploys: ` + codes(deployWords) + `.
The Japanese words count anywhere, the English ones as whole words; half width,
full width, upper and lower case are all the same. A mention without one is
answered: a greeting if it has ` + "`よろ`" + `, else "not understood".

Nothing counts that stands in code, in quotes (「」 『』 "" and quoted lines), struck
through, in a link's address, in an emoji's name, in a longer word (` + "`released`, `pre-release`" + `)
or in the name of one of the channel's targets.

## Which target

A channel with one target deploys that one. In a channel with several the
mention must name exactly one, or the bot asks which. A name is not seen within
a longer one: ` + "`app` is not in `app-web` or `webapp`" + `; names in kana or kanji are seen
anywhere. The longest name wins. A name alone in code or quotes is still that name.

## What holds a deploy back

A deploy too many costs production, a question too many costs a line: in doubt
the bot asks. The mention is read clause by clause; clauses end at 、。！？ , . ;
at line ends, after ので and から (where から means "because"), and at "so". Where several
of these fit, the first answers. What was told of an earlier deploy does not
hold back a clear request in a later clause: 「昨日のリリースは失敗でした。もう一度リリースしてください」

`)
	englishTables.writeTo(&b)
	b.WriteString("\n## What asks for something\n\nWhere a doubt gives way to a request, these make one:\n\n")
	fmt.Fprintf(&b, "- Japanese, after the deploy word: %s, and a clause that ends in `して`\n", codes(requests.ja))
	fmt.Fprintf(&b, "- English: %s\n", codes(requests.en))
	b.WriteString("\n## Near misses\n\nWithout a deploy word, these get \"did you mean ...?\":\n\n")
	b.WriteString(codes(nearMisses) + "\n")
	return b.String()
}

// tableWords are what the tables of the page are called in a language.
type tableWords struct {
	answer, near, unless, ja, en, shapes, such string // the first three are formats
	where                                      map[place]string
	marks, lookalikes                          string
	start, follows, anywhere, beside, english  string
	of                                         func(words string) string // what a table says, in the language
}

var englishTables = tableWords{
	answer: "Answer: `%s`. %s", near: " Also in a few words right beside it: 「リリース、…」.", unless: " Not if %s.",
	ja: "Japanese", en: "English", shapes: "By its form", such: "For example",
	where: map[place]string{
		own:        "In the clause of the deploy word: Japanese after the deploy word, English anywhere.",
		clauseWide: "In the clause of the deploy word, before or after it.",
		anyClause:  "Anywhere in the mention.",
	},
	marks:      "In these lists `%` is a deploy word right beside, `#` a number, a final `?` the end of a question.",
	lookalikes: "## What only looks so\n\nThese hold nothing back, though a word in them would. Of what has a `|` only the part before it is passed over.",
	start:      "Japanese, at the start of a clause", follows: "Japanese, after the deploy word", anywhere: "Japanese, anywhere",
	beside: "Japanese, in a clause without a deploy word", english: "English",
	of: func(words string) string { return words },
}

func (w tableWords) writeTo(b *strings.Builder) {
	item := func(name, text string) { fmt.Fprintf(b, "- %s: %s\n", name, text) }
	for i, h := range holds {
		fmt.Fprintf(b, "### %d. %s\n\n"+w.answer, i+1, w.of(h.name), h.say, w.where[h.where])
		if h.near {
			b.WriteString(w.near)
		}
		if h.unless != "" {
			fmt.Fprintf(b, w.unless, w.of(h.unless))
		}
		b.WriteString("\n\n")
		if len(h.ja) > 0 {
			item(w.ja, codes(h.ja))
		}
		if len(h.en) > 0 {
			item(w.en, codes(h.en))
		}
		if h.shapes != "" {
			item(w.shapes, w.of(h.shapes))
		}
		if len(h.such) > 0 {
			item(w.such, "「"+strings.Join(h.such, "」「")+"」")
		}
		b.WriteString("\n")
	}
	b.WriteString(w.marks + "\n\n" + w.lookalikes + "\n\n")
	item(w.start, codes(lookalikes.start))
	item(w.follows, codes(lookalikes.follows))
	item(w.anywhere, codes(lookalikes.anywhere))
	item(w.beside, codes(lookalikes.beside))
	item(w.english, codes(lookalikes.en))
}

func codes(words []string) string {
	return "`" + strings.Join(words, "`, `") + "`"
}
