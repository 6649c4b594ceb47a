package fakeslack_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

func TestTextIsWrittenAsSlackDoes(t *testing.T) {
	s := fakeslack.New(fakeslack.Config{})
	defer s.Close()
	for _, tt := range []struct{ typed, text, elements string }{
		{
			"<@U0BOT> release", "<@U0BOT> release",
			`[{"type":"rich_text_section","elements":[{"type":"user","user_id":"U0BOT"},{"type":"text","text":" release"}]}]`,
		},
		{
			"a & b < c > d", "a &amp; b &lt; c &gt; d",
			`[{"type":"rich_text_section","elements":[{"type":"text","text":"a & b < c > d"}]}]`,
		},
		{
			"api.example.comをリリース https://x.example/a?b=1&c=2.", "<http://api.example.com|api.example.com>をリリース <https://x.example/a?b=1&amp;c=2>.",
			`[{"type":"rich_text_section","elements":[{"type":"link","url":"http://api.example.com","text":"api.example.com"},{"type":"text","text":"をリリース "},{"type":"link","url":"https://x.example/a?b=1&c=2"},{"type":"text","text":"."}]}]`,
		},
		{
			"mail a@example.com", "mail <mailto:a@example.com|a@example.com>",
			`[{"type":"rich_text_section","elements":[{"type":"text","text":"mail "},{"type":"link","url":"mailto:a@example.com","text":"a@example.com"}]}]`,
		},
		{
			"at 10:30:40 v1.2.3 :tada:", "at 10:30:40 v1.2.3 :tada:",
			`[{"type":"rich_text_section","elements":[{"type":"text","text":"at 10:30:40 v1.2.3 "},{"type":"emoji","name":"tada"}]}]`,
		},
		{
			"`<@U0BOT> a<b`", "`<@U0BOT> a&lt;b`",
			`[{"type":"rich_text_section","elements":[{"type":"text","text":"<@U0BOT> a<b","style":{"code":true}}]}]`,
		},
		{
			"~<@U0BOT> rel~ease~ no~w~", "~<@U0BOT> rel~ease~ no~w~",
			`[{"type":"rich_text_section","elements":[{"type":"user","user_id":"U0BOT","style":{"strike":true}},{"type":"text","text":" rel","style":{"strike":true}},{"type":"text","text":"ease~ no~w~"}]}]`,
		},
		{
			"<!here> <#C1|general> <!subteam^S1|@ops>", "<!here> <#C1|general> <!subteam^S1|@ops>",
			`[{"type":"rich_text_section","elements":[{"type":"broadcast","range":"here"},{"type":"text","text":" "},{"type":"channel","channel_id":"C1"},{"type":"text","text":" "},{"type":"usergroup","usergroup_id":"S1"}]}]`,
		},
		{
			"> <@U0BOT> release\n> now\nok", "&gt; <@U0BOT> release\n&gt; now\nok",
			`[{"type":"rich_text_quote","elements":[{"type":"user","user_id":"U0BOT"},{"type":"text","text":" release\nnow"}]},{"type":"rich_text_section","elements":[{"type":"text","text":"ok"}]}]`,
		},
		{
			"see ```<@U0BOT> release\nx & y```", "see ```<@U0BOT> release\nx &amp; y```",
			`[{"type":"rich_text_section","elements":[{"type":"text","text":"see "}]},{"type":"rich_text_preformatted","border":0,"elements":[{"type":"text","text":"<@U0BOT> release\nx & y"}]}]`,
		},
		{"```open", "```open", `[{"type":"rich_text_section","elements":[{"type":"text","text":"` + "```" + `open"}]}]`},
	} {
		s.Say("U1", "C1", tt.typed)
		all := s.Channel("C1")
		got := all[len(all)-1]
		if got.Text != tt.text {
			t.Errorf("%q: text %q, not %q", tt.typed, got.Text, tt.text)
		}
		var blocks []struct{ Elements any }
		var want any
		if err := json.Unmarshal(got.Blocks, &blocks); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(tt.elements), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, blocks[0].Elements); diff != "" {
			t.Errorf("%q: %s", tt.typed, diff)
		}
	}
}
