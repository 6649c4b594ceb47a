package bot

import (
	"flag"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/getto-systems/psycher/bot/words"
	"github.com/getto-systems/psycher/deploy"
)

// piece is a part of a message in one style, in both of Slack's forms.
type piece struct {
	word   string // "" is a mention of the bot
	styles []string
	order  []string // how the marks stand round it
}

func (p piece) element() obj {
	e := text(p.word)
	if p.word == "" {
		e = obj{"type": "user", "user_id": "UBOT"}
	}
	style := obj{}
	for _, s := range p.styles {
		style[s] = true
	}
	if len(style) > 0 {
		e["style"] = style
	}
	return e
}

func (p piece) mrkdwn() string {
	s := p.word
	if s == "" {
		s = "<@UBOT>"
	}
	if slices.Contains(p.styles, "code") {
		s = "`" + s + "`"
	}
	for _, o := range p.order {
		if slices.Contains(p.styles, o) {
			mark := map[string]string{"bold": "*", "italic": "_", "strike": "~"}[o]
			s = mark + s + mark
		}
	}
	return s
}

// carried reads a message in both forms: what each asks for.
func carried(pieces []piece) (fromBlocks, fromText string) {
	var elements []any
	var parts []string
	for i, p := range pieces {
		if i > 0 {
			elements = append(elements, text(" "))
		}
		elements = append(elements, p.element())
		parts = append(parts, p.mrkdwn())
	}
	read := func(changes obj) string {
		_, said, ok, _ := ReadMention(event(changes), bot)
		if !ok {
			return "not a mention"
		}
		in := words.Understand(said.Segments, []deploy.Target{{Name: "app"}, {Name: "web"}}, nil)
		if !said.Whole {
			in.Doubt = deploy.MsgTooLong
		}
		return asked(in) + ", target " + in.Target
	}
	return read(obj{"event.text": "-", "event.blocks": rich(section(elements...))}), read(obj{"event.text": strings.Join(parts, " ")})
}

func TestBothFormsOfAMessageAskForTheSame(t *testing.T) {
	styles := []string{"bold", "italic", "strike", "code"}
	words := []string{
		"", "release", "リリース", "deploy", "リリースして", "please", "お願いします", "app", "web", "app を", "staging", "v1.2",
		"stop", "don't", "待って", "しないで", "明日", "tomorrow", "よろ", "relase", "?", "。", "re", "lease", "a & b", "- x",
	}
	for name, value := range map[string]string{"rapid.checks": "2000", "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		pieces := []piece{{}}
		for range rapid.IntRange(1, 6).Draw(t, "pieces") {
			p := piece{word: rapid.SampledFrom(words).Draw(t, "word"), order: rapid.Permutation(styles[:3]).Draw(t, "order")}
			for _, s := range styles {
				if rapid.IntRange(0, 3).Draw(t, s) == 0 {
					p.styles = append(p.styles, s)
				}
			}
			pieces = append(pieces, p)
		}
		if rapid.Bool().Draw(t, "styled mention") {
			pieces[0].styles, pieces[0].order = styles[rapid.IntRange(0, 3).Draw(t, "first"):], styles[:3]
		}
		fromBlocks, fromText := carried(pieces)
		if fromBlocks != fromText {
			t.Fatalf("blocks: %s; text: %s", fromBlocks, fromText)
		}
	})
}

func TestStruckThroughWordsAskForNothing(t *testing.T) {
	strike := func(word string, more ...string) piece {
		return piece{word: word, styles: append(more, "strike"), order: []string{"bold", "italic", "strike"}}
	}
	for _, c := range []struct {
		name   string
		pieces []piece
		want   string
	}{
		{"the request", []piece{{}, strike("release")}, "unknown, target "},
		{"the request, in bold", []piece{{}, strike("release", "bold", "italic"), {word: "app"}}, "unknown, target app"},
		{"code", []piece{{}, strike("release app", "code")}, "unknown, target "},
		{"the mention", []piece{strike(""), {word: "release app"}}, "not a mention"},
		{"one of two mentions", []piece{strike(""), {}, {word: "release app"}}, "deploy, target app"},
		{"what was in doubt", []piece{{}, {word: "release app"}, strike("tomorrow")}, "deploy, target app"},
		{"the target", []piece{{}, {word: "release"}, strike("app")}, "which-target, target "},
		{"the other target", []piece{{}, {word: "release"}, strike("app"), {word: "web"}}, "deploy, target web"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fromBlocks, fromText := carried(c.pieces)
			if fromBlocks != c.want || fromText != c.want {
				t.Errorf("blocks: %s; text: %s; want %s", fromBlocks, fromText, c.want)
			}
		})
	}
	for name, elements := range map[string][]any{
		"over two lines":             {obj{"type": "text", "text": "release\napp", "style": obj{"strike": true}}},
		"inside of a word's letters": {text("re"), obj{"type": "text", "text": "x", "style": obj{"strike": true}}, text("lease")},
		"a link":                     {obj{"type": "link", "url": "http://x.example", "text": "release", "style": obj{"strike": true}}},
		"in an unknown form":         {obj{"type": "text", "text": "release", "style": obj{"strike": 1}}},
		"code over two lines":        {obj{"type": "text", "text": "x\nrelease", "style": obj{"code": true}}},
		"a link in code":             {obj{"type": "link", "url": "http://x.example", "text": "release", "style": obj{"code": true}}},
		"a style that is a number":   {obj{"type": "text", "text": "release", "style": 5}},
	} {
		t.Run(name, func(t *testing.T) {
			_, said, ok, reason := ReadMention(event(obj{"event.text": "<@UBOT>", "event.blocks": rich(section(append([]any{botElement, text(" ")}, elements...)...))}), bot)
			if in := words.Understand(said.Segments, []deploy.Target{{Name: "app"}}, nil); !ok || in.Deploys() {
				t.Errorf("%q is read as %+v (%s)", written(said), in, reason)
			}
		})
	}
	for name, words := range map[string]string{
		"a range of hours":      "<@UBOT> リリース 9~10時の予定を ~なし~で11~12時",
		"in code":               "<@UBOT> `~` release app `~`",
		"a lone one":            "<@UBOT> release app~ please",
		"with spaces inside":    "<@UBOT> ~ release app ~",
		"inside of other words": "<@UBOT> いい感じに~release~app",
	} {
		t.Run("not struck through: "+name, func(t *testing.T) {
			_, said, _, _ := ReadMention(event(obj{"event.text": words}), bot)
			if written(said) != words {
				t.Errorf("it is read as %q", written(said))
			}
		})
	}
}
