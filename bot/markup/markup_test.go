package markup

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMrkdwnIsReadIntoSegments(t *testing.T) {
	for _, c := range []struct {
		text string
		want []Segment
	}{
		{"", nil},
		{"<@U1> release", []Segment{{User, "U1"}, {Plain, " release"}}},
		{"<@U1|taro> <#C1|ops> <!here> <!subteam^S1>", []Segment{
			{User, "U1"}, {Plain, " "}, {Channel, "C1"}, {Plain, " "}, {Group, "here"}, {Plain, " "}, {Group, "subteam^S1"},
		}},
		{"a &amp; b &lt;@U1&gt;", []Segment{{Plain, "a & b <@U1>"}}},
		{"<http://x.example|the app> http://y.example/z, <http://x.example>", []Segment{
			{Link, "the app"}, {Plain, " "}, {Link, ""}, {Plain, " "}, {Link, ""},
		}},
		{"`<@U1>` and `a`", []Segment{{Code, "U1"}, {Plain, " and "}, {Code, "a"}}},
		{"it`s\n`", []Segment{{Plain, "it`s\n`"}}},
		{"~release~ 9~10 ~ no ~", []Segment{{Strike, "release"}, {Plain, " 9~10 ~ no ~"}}},
		{"&gt; quoted\nsaid\n> quoted\n", []Segment{{Quote, "> quoted"}, {Plain, "\nsaid\n"}, {Quote, "> quoted"}, {Plain, "\n"}}},
		{"said ```\ncode\n``` said\n&gt;&gt;&gt; all\nof it", []Segment{{Plain, "said "}, {Quote, "\ncode\n"}, {Plain, " said\n"}, {Quote, ">>> all\nof it"}}},
		{":tada: at 18:00:00", []Segment{{Emoji, "tada"}, {Plain, " at 18:00:00"}}},
		{"\"a\" “b” 「c\nd」『e』", []Segment{{Code, "a"}, {Plain, " "}, {Code, "b"}, {Plain, " "}, {Code, "c\nd"}, {Code, "e"}}},
		{"don't 'stop' it's", []Segment{{Plain, "don't "}, {Code, "stop"}, {Plain, " it's"}}},
		{"「<@U1> release」 \"a\nb", []Segment{{Plain, "「"}, {User, "U1"}, {Plain, " release」 \"a\nb"}}},
		{"a < b \uFFFC", []Segment{{Plain, "a < b  "}}},
	} {
		if diff := cmp.Diff(c.want, Parse(c.text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.text, diff)
		}
	}
}
