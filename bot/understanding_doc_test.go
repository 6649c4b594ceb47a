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
			if got.Say != holds[i].say {
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

Nothing counts that stands in code, in quotes (「」 『』 "" and quoted lines), in a
link's address, in an emoji's name, in a longer word (` + "`released`, `pre-release`" + `)
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
	where := map[place]string{
		own:        "In the clause of the deploy word: Japanese after the deploy word, English anywhere.",
		clauseWide: "In the clause of the deploy word, before or after it.",
		anyClause:  "Anywhere in the mention.",
	}
	for i, h := range holds {
		fmt.Fprintf(&b, "### %d. %s\n\nAnswer: `%s`. %s", i+1, h.name, h.say, where[h.where])
		if h.near {
			b.WriteString(" Also in a few words right beside it: 「リリース、…」.")
		}
		if h.unless != "" {
			fmt.Fprintf(&b, " Not if %s.", h.unless)
		}
		b.WriteString("\n\n")
		if len(h.ja) > 0 {
			fmt.Fprintf(&b, "- Japanese: %s\n", codes(h.ja))
		}
		if len(h.en) > 0 {
			fmt.Fprintf(&b, "- English: %s\n", codes(h.en))
		}
		if h.shapes != "" {
			fmt.Fprintf(&b, "- By its form: %s\n", h.shapes)
		}
		if len(h.such) > 0 {
			fmt.Fprintf(&b, "- For example: 「%s」\n", strings.Join(h.such, "」「"))
		}
		b.WriteString("\n")
	}
	b.WriteString("In these lists `%` is a deploy word right beside, `#` a number, a final `?` the end of a question.\n\n")
	b.WriteString("## What only looks so\n\nThese hold nothing back, though a word in them would. Of what has a `|` only the part before it is passed over.\n\n")
	fmt.Fprintf(&b, "- Japanese, at the start of a clause: %s\n", codes(lookalikes.start))
	fmt.Fprintf(&b, "- Japanese, after the deploy word: %s\n", codes(lookalikes.follows))
	fmt.Fprintf(&b, "- Japanese, anywhere: %s\n", codes(lookalikes.anywhere))
	fmt.Fprintf(&b, "- Japanese, in a clause without a deploy word: %s\n", codes(lookalikes.beside))
	fmt.Fprintf(&b, "- English: %s\n", codes(lookalikes.en))
	b.WriteString("\n## What asks for something\n\nWhere a doubt gives way to a request, these make one:\n\n")
	fmt.Fprintf(&b, "- Japanese, after the deploy word: %s, and a clause that ends in `して`\n", codes(requests.ja))
	fmt.Fprintf(&b, "- English: %s\n", codes(requests.en))
	b.WriteString("\n## Near misses\n\nWithout a deploy word, these get \"did you mean ...?\":\n\n")
	b.WriteString(codes(nearMisses) + "\n")
	return b.String()
}

func codes(words []string) string {
	return "`" + strings.Join(words, "`, `") + "`"
}
