package bot

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/bot/words"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/targets"
)

var bot = web.Identity{Team: "T1", User: "UBOT", BotID: "B1"}

// event is an events_api payload as Slack sends it, with changes: a dotted name
// sets a field of the inner event, nil takes it out.
func event(changes map[string]any) []byte {
	inner := map[string]any{
		"type": "app_mention", "user": "U1", "text": "<@UBOT> release", "ts": "1700000000.000100",
		"channel": "C1", "event_ts": "1700000000.000100", "team": "T1",
		"client_msg_id": "0e1c6a0e-8a4c-4a36-9d2a-1c9ddcf0a001",
	}
	outer := map[string]any{
		"token": "legacy-test", "team_id": "T1", "context_team_id": "T1", "api_app_id": "A1", "type": "event_callback",
		"event_id": "Ev1", "event_time": 1700000000, "is_ext_shared_channel": false,
		"authorizations": []any{map[string]any{"team_id": "T1", "user_id": "UBOT", "is_bot": true}},
		"event":          inner,
	}
	for name, v := range changes {
		m := outer
		if field, ok := strings.CutPrefix(name, "event."); ok {
			m, name = inner, field
		}
		if v == nil {
			delete(m, name)
		} else {
			m[name] = v
		}
	}
	b, err := json.Marshal(outer)
	if err != nil {
		panic(err)
	}
	return b
}

// ReadMention reads a mention, with the reason why it is not answered.
func ReadMention(payload []byte, me web.Identity) (m deploy.Request, said markup.Words, ok bool, reason string) {
	m, said, ok, d := readMention(payload, me)
	return m, said, ok, d.reason
}

type obj = map[string]any

func raw(s string) json.RawMessage { return json.RawMessage(s) }

func rich(elements ...any) []any { return []any{obj{"type": "rich_text", "elements": elements}} }

func section(elements ...any) obj { return obj{"type": "rich_text_section", "elements": elements} }

func text(s string) obj { return obj{"type": "text", "text": s} }

func codeText(s string) obj { return obj{"type": "text", "text": s, "style": obj{"code": true}} }

var botElement = obj{"type": "user", "user_id": "UBOT"}

func TestMentionIsReadFromTheEvent(t *testing.T) {
	m, said, ok, reason := ReadMention(event(obj{"event.thread_ts": "1699999999.000001"}), bot)
	if !ok {
		t.Fatalf("not a mention: %s", reason)
	}
	want := deploy.Request{
		Key:    deploy.Key{Team: "T1", Channel: "C1", TS: "1700000000.000100"},
		ID:     DeploymentID(deploy.Key{Team: "T1", Channel: "C1", TS: "1700000000.000100"}),
		Thread: "1699999999.000001", By: deploy.Person{User: "U1", Team: "T1"}, Via: deploy.ViaMention,
		At: time.Unix(1700000000, 100_000).UTC(),
	}
	if d := cmp.Diff(want, m); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(markup.Words{Segments: []markup.Segment{{Kind: markup.Self, Text: "UBOT"}, {Kind: markup.Plain, Text: " release"}}, Named: true, Whole: true}, said); d != "" {
		t.Error(d)
	}
}

func TestDeploymentIDNeverChanges(t *testing.T) {
	got := DeploymentID(deploy.Key{Team: "T1", Channel: "C1", TS: "1700000000.000100"})
	if want := "6e35fdeb-346b-58d3-b8ae-2971aa8e3021"; got != want {
		t.Errorf("id is %s, was %s: running deployments would be forgotten", got, want)
	}
	if other := DeploymentID(deploy.Key{Team: "T1", Channel: "C1", TS: "1700000000.000101"}); other == got {
		t.Error("two messages have one id")
	}
}

func TestEventsThatAreNotForTheBot(t *testing.T) {
	for _, c := range []struct {
		name    string
		changes map[string]any
		reason  string
	}{
		{"another event", obj{"event.type": "message"}, "not an app_mention"},
		{"own post", obj{"event.user": "UBOT"}, "own post"},
		{"bot id", obj{"event.bot_id": "B2"}, "a bot"},
		{"app id", obj{"event.app_id": "A2"}, "a bot"},
		{"bot id that cannot be read", obj{"event.bot_id": obj{"id": "B2"}}, "a bot"},
		{"app id that cannot be read", obj{"event.app_id": []any{"A2"}}, "a bot"},
		{"bot profile", obj{"event.bot_profile": obj{"id": "B2"}}, "a bot"},
		{"bot message", obj{"event.subtype": "bot_message"}, "a bot"},
		{"slackbot", obj{"event.user": "USLACKBOT"}, "a bot"},
		{"no user", obj{"event.user": nil}, "user id"},
		{"odd team", obj{"context_team_id": "T:1"}, "another workspace"},
		{"channel topic", obj{"event.subtype": "channel_topic"}, "channel_topic"},
		{"channel name", obj{"event.subtype": "channel_name"}, "channel_name"},
		{"pinned", obj{"event.subtype": "pinned_item"}, "pinned_item"},
		{"a subtype that nobody knows yet", obj{"event.subtype": "brand_new"}, "brand_new"},
		{"a subtype that cannot be read", obj{"event.subtype": obj{}}, "subtype"},
		{"hidden", obj{"event.hidden": true}, "hidden"},
		{"hidden in words", obj{"event.hidden": "true"}, "hidden"},
		{"odd channel", obj{"event.channel": "C1:C2"}, "channel id"},
		{"lower-case channel", obj{"event.channel": "general"}, "channel id"},
		{"no timestamp", obj{"event.ts": nil}, "timestamp"},
		{"timestamp without dot", obj{"event.ts": "1700000000"}, "timestamp"},
		{"odd timestamp", obj{"event.ts": "1700000000.00:1"}, "timestamp"},
		{"no event", obj{"event": nil}, "no event"},
		{"event is a list", obj{"event": []any{}}, "no event"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, ok, reason := ReadMention(event(c.changes), bot)
			if ok || !strings.Contains(reason, c.reason) {
				t.Errorf("ok %v, reason %q; want one with %q", ok, reason, c.reason)
			}
		})
	}
	if _, _, ok, reason := ReadMention([]byte(`{"event":`), bot); ok || reason == "" {
		t.Errorf("broken JSON: ok %v, reason %q", ok, reason)
	}
}

func TestWhoAndWhere(t *testing.T) {
	for _, c := range []struct {
		name    string
		changes map[string]any
		check   func(deploy.Request) bool
	}{
		{"edited", obj{"event.edited": obj{"user": "U1", "ts": "1700000009.000000"}}, func(m deploy.Request) bool { return m.Edited }},
		{"edited is null", obj{"event.edited": json.RawMessage("null")}, func(m deploy.Request) bool { return !m.Edited }},
		{"edited is odd", obj{"event.edited": "yes"}, func(m deploy.Request) bool { return m.Edited }},
		{"thread parent is no reply", obj{"event.thread_ts": "1700000000.000100"}, func(m deploy.Request) bool { return m.Thread == "" }},
		{"odd thread", obj{"event.thread_ts": []any{}}, func(m deploy.Request) bool { return m.Thread == "" }},
		{"not hidden", obj{"event.hidden": false}, func(m deploy.Request) bool { return !m.By.External }},
		{"also sent to the channel", obj{"event.subtype": "thread_broadcast"}, func(m deploy.Request) bool { return !m.By.External }},
		{"with /me", obj{"event.subtype": "me_message"}, func(m deploy.Request) bool { return !m.By.External }},
		{"no subtype", obj{"event.subtype": raw("null")}, func(m deploy.Request) bool { return !m.By.External }},
		{"with a file", obj{"event.subtype": "file_share", "event.files": "x"}, func(m deploy.Request) bool { return m.By.User == "U1" }},
		{"another type for each field that is not needed", obj{
			"event_time": "x", "authorizations": 5, "event.blocks": "x", "event.attachments": obj{}, "event.event_ts": 5,
			"event.user_team": 5.5, "event.team": obj{}, "event.bot_id": json.RawMessage("null"), "event.bot_profile": json.RawMessage("null"),
		}, func(m deploy.Request) bool { return m.By.User == "U1" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, said, ok, reason := ReadMention(event(c.changes), bot)
			if !ok || !c.check(m) || written(said) != "<@UBOT> release" {
				t.Errorf("ok %v (%s), mention %+v, %+v", ok, reason, m, said)
			}
		})
	}
}

// written shows what was read, much as it is in mrkdwn.
// asked is what is understood, in one word.
func asked(in deploy.Intent) string {
	if in.Doubt != "" {
		return string(in.Doubt)
	}
	return string(in.Kind)
}

func written(said markup.Words) string {
	var b strings.Builder
	for _, s := range said.Segments {
		form := map[markup.Kind]string{
			markup.Plain: "%s", markup.Code: "`%s`", markup.Link: "<%s>", markup.User: "<@%s>", markup.Self: "<@%s>", markup.Channel: "<#%s>",
			markup.Group: "<!%s>", markup.Emoji: ":%s:",
		}[s.Kind]
		if form == "" {
			b.WriteByte(' ') // a quote, or taken back
			continue
		}
		fmt.Fprintf(&b, form, s.Text)
	}
	return strings.TrimSpace(b.String())
}

func TestPlainTextCountsOutsideCodeAndQuotes(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "<@UBOT> release", "<@UBOT> release"},
		{"with a name", "<@UBOT|psycher> release", "<@UBOT> release"},
		{"code stays between backticks", "<@UBOT> `release` please", "<@UBOT> `release` please"},
		{"code inside a word", "<@UBOT> re`x`lease", "<@UBOT> re`x`lease"},
		{"fence goes", "<@UBOT>\n```\nrelease\n```\nok", "<@UBOT>\n \nok"},
		{"quote goes", "&gt; release\n<@UBOT> ok\n> deploy", "<@UBOT> ok"},
		{"long quote goes", "<@UBOT> ok\n&gt;&gt;&gt; release\ndeploy", "<@UBOT> ok"},
		{"a lone backtick stays", "<@UBOT> it`s\nrelease `", "<@UBOT> it`s\nrelease `"},
		{"escapes and links stay", "<@UBOT> a &amp; b &lt;c&gt; <http://x.example|x>", "<@UBOT> a & b <c> <>"},
		{"mention in code", "`<@UBOT>` release", ""},
		{"mention in a fence", "```<@UBOT> release```", ""},
		{"mention in a quote", "&gt; <@UBOT> release", ""},
		{"somebody else", "<@UBOT2> release", ""},
		{"escaped", "&lt;@UBOT&gt; release", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, said, ok, _ := ReadMention(event(obj{"event.text": c.in}), bot)
			if got := written(said); got != c.want || ok != (c.want != "") {
				t.Errorf("ok %v, text %q; want %q", ok, got, c.want)
			}
		})
	}
}

func TestRichTextCountsOutsideCodeAndQuotes(t *testing.T) {
	for _, c := range []struct {
		name   string
		blocks any
		want   string
	}{
		{"plain", rich(section(botElement, text(" release"))), "<@UBOT> release"},
		{"code stays between backticks", rich(section(botElement, text(" re"), codeText("x"), text("lease"))), "<@UBOT> re`x`lease"},
		{"quote and preformatted go", rich(
			obj{"type": "rich_text_quote", "elements": []any{text("deploy")}}, section(botElement, text(" ok")),
			obj{"type": "rich_text_preformatted", "elements": []any{text("deploy")}}), "<@UBOT> ok"},
		{"a list stays", rich(section(botElement), obj{"type": "rich_text_list", "style": "bullet", "elements": []any{
			section(text("release")), section(text("app")),
		}}), "<@UBOT>\nrelease\napp"},
		{
			"everything else stays as in the text", rich(section(botElement, text(" a & b <c> "),
				obj{"type": "link", "url": "http://x.example?a=1&b=2", "text": "x"}, obj{"type": "link", "url": "http://y.example"},
				obj{"type": "emoji", "name": "tada"}, obj{"type": "channel", "channel_id": "C2"}, obj{"type": "user", "user_id": "U2"},
				obj{"type": "usergroup", "usergroup_id": "S1"}, obj{"type": "broadcast", "range": "here"},
				obj{"type": "date", "fallback": " tomorrow"}, obj{"type": "color", "value": " #fff"}, obj{"type": "new", "text": " wait"})),
			"<@UBOT> a & b <c> <><>:tada:<#C2><@U2><!S1><!here> tomorrow #fff wait",
		},
		{"mention typed as code", rich(section(codeText("<@UBOT>"), text(" release"))), ""},
		{"mention typed as text", rich(section(text("<@UBOT> release"))), ""},
		{"mention styled as code", rich(section(obj{"type": "user", "user_id": "UBOT", "style": obj{"code": true}}, text(" release"))), ""},
		{"mention in a quote", rich(obj{"type": "rich_text_quote", "elements": []any{botElement, text(" release")}}), ""},
		{"mention in a quote in a list", rich(obj{"type": "rich_text_list", "elements": []any{
			obj{"type": "rich_text_quote", "elements": []any{botElement, text(" release")}},
		}}), ""},
		{"mention in a list that is quoted", rich(obj{"type": "rich_text_list", "style": "bullet", "border": 1, "elements": []any{section(botElement, text(" release"))}}), ""},
		{"list that is quoted goes", rich(
			section(botElement, text(" ok")), obj{"type": "rich_text_list", "style": "ordered", "border": 1, "elements": []any{section(text("deploy"))}}), "<@UBOT> ok"},
		{"list that is not quoted", rich(obj{"type": "rich_text_list", "style": "bullet", "border": 0, "elements": []any{section(botElement, text(" release"))}}), "<@UBOT> release"},
		{"mention in preformatted", rich(obj{"type": "rich_text_preformatted", "elements": []any{botElement}}), ""},
		{"somebody else", rich(section(obj{"type": "user", "user_id": "U2"}, text(" release"))), ""},
		{"no rich text", []any{obj{"type": "section", "text": "x"}}, "<@UBOT> plain"},
		{"no block at all", []any{5, nil, "x"}, "<@UBOT> plain"},
		{"broken elements", rich("x"), "<@UBOT> plain"},
		{"broken section", rich(obj{"type": "rich_text_section", "elements": 5}), "<@UBOT> plain"},
		{"broken user", rich(section(obj{"type": "user", "user_id": obj{}}, text(" x"))), "<@UBOT> plain"},
		{"broken block beside a good one", append([]any{5}, rich(section(botElement, text(" release")))...), "<@UBOT> release"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, said, ok, _ := ReadMention(event(obj{"event.text": "<@UBOT> plain", "event.blocks": c.blocks}), bot)
			if got := written(said); got != c.want || ok != (c.want != "") {
				t.Errorf("ok %v, text %q; want %q", ok, got, c.want)
			}
		})
	}
}

func TestABotThatDoesNotKnowItsNameIsNotMentioned(t *testing.T) {
	if _, _, ok, _ := ReadMention(event(nil), web.Identity{}); ok {
		t.Error("a bot without a name was named")
	}
}

func TestAttachmentsAreNotRead(t *testing.T) {
	_, _, ok, _ := ReadMention(event(obj{
		"event.text":        "look at <https://example.slack.com/archives/C1/p1>",
		"event.attachments": []any{obj{"is_msg_unfurl": true, "text": "<@UBOT> release", "fallback": "<@UBOT> release"}},
	}), bot)
	if ok {
		t.Error("a mention in an unfurled link counted")
	}
}

func TestLongTextIsCut(t *testing.T) {
	_, said, ok, _ := ReadMention(event(obj{"event.text": "<@UBOT> " + strings.Repeat("あ", 20000)}), bot)
	if !ok || !said.Named || said.Whole || said.Segments != nil {
		t.Errorf("ok %v, read %q", ok, written(said))
	}
}

func FuzzReadMention(f *testing.F) {
	for _, changes := range []map[string]any{
		{},
		{"event.blocks": rich(section(botElement, text(" release")))},
		{"event.blocks": rich(obj{"type": "rich_text_quote", "elements": []any{botElement}})},
		{"event.thread_ts": "1699999999.000001", "event.edited": obj{"user": "U1", "ts": "1"}},
		{"event.ts": 1700000000.5, "event.user": 5, "event.blocks": "x"},
		{"event.text": "```<@UBOT>``` `a` &gt; b"},
		{"context_team_id": nil, "team_id": "T2", "event.user_team": "T3"},
		{"is_ext_shared_channel": true, "event.team": nil, "event.hidden": true},
		{"context_team_id": nil, "authorizations": []any{obj{"team_id": "T2"}}, "event.subtype": "me_message"},
		{"event.text": "~<@UBOT>~ release ~`app`~", "event.edited": obj{"ts": "1"}},
		{"event.blocks": rich(section(botElement, obj{"type": "text", "text": "re\nlease", "style": obj{"strike": true}}, 5))},
	} {
		f.Add(event(changes))
	}
	f.Add([]byte(`{"event":{"type":"app_mention"}}`))
	f.Add([]byte(`{"type":"app_rate_limited","team_id":"T1"}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		m, said, ok, reason := ReadMention(payload, bot)
		if !ok {
			if reason == "" {
				t.Error("refused without a reason")
			}
			return
		}
		if strings.Count(m.Key.String(), ":") != 2 {
			t.Errorf("key %q", m.Key)
		}
		if id, err := uuid.Parse(m.ID); err != nil || id.Version() != 5 {
			t.Errorf("id %q: %v", m.ID, err)
		}
		if !said.Named && (!m.Edited || said.Segments != nil) || m.Team != bot.Team {
			t.Errorf("mention %+v", m)
		}
		if m.By.User == "" || m.By.User == bot.User || !utf8.ValidString(written(said)) || utf8.RuneCountInString(written(said)) > 2*markup.MaxLength {
			t.Errorf("mention %+v", m)
		}
	})
}

func TestWordsInCodeAskForNothing(t *testing.T) {
	for text, want := range map[string]string{
		"<@UBOT> `release`":                  "unknown",
		"<@UBOT> re`x`lease":                 "unknown",
		"<@UBOT> deploy `develop`":           "other",
		"<@UBOT> ```\nrelease\n```":          "unknown",
		"<@UBOT> release `app`":              "deploy",
		"<@UBOT> release\n&gt; do not panic": "other",
		"&gt; do not panic\n<@UBOT> release": "deploy",
	} {
		_, said, named, _ := ReadMention(event(obj{"event.text": text}), bot)
		if got := words.Understand(said.Segments, []deploy.Target{{Name: "app"}}, nil); !named || asked(got) != want {
			t.Errorf("%q: named %v, %q; want %q", text, named, asked(got), want)
		}
	}
}

func TestTildesOfRichTextStrikeNothing(t *testing.T) {
	m, err := targets.Parse([]byte(`{"T1": {"C1": {"app": {"project_id": 1, "token": "glptt-test"}}}}`), "master", time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	payload := `{"type": "event_callback", "team_id": "T1", "event": {"type": "app_mention", "channel": "C1", "ts": "1700000000.000100", "user": "U1", "team": "T1",
		"blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "user", "user_id": "UB"}, {"type": "text", "text": " リリース！~待って~"}]}]}]}}`
	q, said, ok, reason := ReadMention([]byte(payload), web.Identity{Team: "T1", User: "UB"})
	if in := (Reader{func() *targets.Map { return m }}).Read(q.Key, said); !ok || in.Deploys() {
		t.Errorf("read %t %q, and it asks for %+v", ok, reason, in)
	}
}
