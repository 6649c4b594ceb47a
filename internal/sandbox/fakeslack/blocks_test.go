package fakeslack_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

func repeated(n int, item string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = strings.ReplaceAll(item, "#", fmt.Sprint(i))
	}
	return "[" + strings.Join(items, ",") + "]"
}

// withButton is an actions block with a button that has these fields too.
func withButton(fields string) string {
	return `[{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"Deploy"}` + fields + `}]}]`
}

func withMenu(fields string) string {
	return `[{"type":"actions","elements":[{"type":"static_select","action_id":"a"` + fields + `}]}]`
}

func withConfirm(fields string) string { return withButton(`,"confirm":{` + fields + `}`) }

// The rows are what Slack documents and what people report of its answers.
func TestBlocksAreCheckedAsSlackDoes(t *testing.T) {
	long := func(n int) string { return strings.Repeat("あ", n) }
	plain := func(s string) string { return `{"type":"plain_text","text":"` + s + `"}` }
	section := func(text string) string { return `[{"type":"section","text":` + text + `}]` }
	option := `{"text":{"type":"plain_text","text":"app"},"value":"v#"}`
	const button = "/blocks/0/elements/0"
	for _, tt := range []struct{ name, blocks, want string }{
		{"a section", section(`{"type":"mrkdwn","text":"` + long(3000) + `","verbatim":true}`), ""},
		{"a plain section", section(`{"type":"plain_text","text":"x","emoji":true}`), ""},
		{"a section that is not folded", `[{"type":"section","expand":true,"text":` + plain("x") + `}]`, ""},
		{"a divider", `[{"type":"divider"}]`, ""},
		{"a context", `[{"type":"context","elements":` + repeated(10, `{"type":"mrkdwn","text":"x"}`) + `}]`, ""},
		{"a button", withButton(`,"action_id":"a","value":"v","style":"primary","url":"https://x","accessibility_label":"Deploy app"`), ""},
		{"25 buttons", `[{"type":"actions","elements":` + repeated(25, `{"type":"button","action_id":"a#","text":{"type":"plain_text","text":"x"}}`) + `}]`, ""},
		{"a menu", withMenu(`,"placeholder":` + plain(long(150)) + `,"options":` + repeated(100, option)), ""},
		{"a confirm", withConfirm(`"title":` + plain(long(100)) + `,"text":` + plain(long(300)) + `,"confirm":` + plain(long(30)) + `,"deny":` + plain("no") + `,"style":"danger"`), ""},
		{"50 blocks", repeated(50, `{"type":"divider","block_id":"b#"}`), ""},
		{"the longest names", withButton(`,"action_id":"` + long(255) + `","value":"` + long(2000) + `"`), ""},

		{"51 blocks", repeated(51, `{"type":"divider"}`), "no more than 50 items allowed [json-pointer:/blocks]"},
		{"no type", `[{"text":"x"}]`, "missing required field: type [json-pointer:/blocks/0]"},
		{"an unknown block", `[{"type":"divider"},{"type":"plan"}]`, "unsupported type: plan [json-pointer:/blocks/1/type]"},
		{"a block_id twice", repeated(2, `{"type":"divider","block_id":"b"}`), "`block_id` \"b\" already exists [json-pointer:/blocks/1/block_id]"},
		{"a long block_id", `[{"type":"divider","block_id":"` + long(256) + `"}]`, "must be less than 256 characters [json-pointer:/blocks/0/block_id]"},
		{"a section without text", `[{"type":"section"}]`, "missing required field: text [json-pointer:/blocks/0]"},
		{"an empty section", section(`{"type":"mrkdwn","text":""}`), "must be more than 0 characters [json-pointer:/blocks/0/text/text]"},
		{"a long section", section(`{"type":"mrkdwn","text":"` + long(3001) + `"}`), "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"},
		{"a text that is a string", section(`"x"`), "must be an object [json-pointer:/blocks/0/text]"},
		{"a text that is a number", section(`{"type":"mrkdwn","text":5}`), "must be a string [json-pointer:/blocks/0/text/text]"},
		{"mrkdwn with emoji", section(`{"type":"mrkdwn","text":"x","emoji":true}`), "invalid additional property: emoji [json-pointer:/blocks/0/text]"},
		{"verbatim that is a string", section(`{"type":"mrkdwn","text":"x","verbatim":"true"}`), "must be a boolean [json-pointer:/blocks/0/text/verbatim]"},
		{"an unknown text", section(`{"type":"markdown","text":"x"}`), "unsupported type: markdown [json-pointer:/blocks/0/text/type]"},
		{"11 in a context", `[{"type":"context","elements":` + repeated(11, `{"type":"mrkdwn","text":"x"}`) + `}]`, "no more than 10 items allowed [json-pointer:/blocks/0/elements]"},
		{"a button in a context", `[{"type":"context","elements":[{"type":"button"}]}]`, "unsupported type: button [json-pointer:" + button + "/type]"},
		{"a long context", `[{"type":"context","elements":[{"type":"mrkdwn","text":"` + long(2001) + `"}]}]`, "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/text]"},
		{"expand that is a string", `[{"type":"section","expand":"true","text":` + plain("x") + `}]`, "must be a boolean [json-pointer:/blocks/0/expand]"},
		{"a button that leads nowhere", withButton(`,"url":"javascript:x"`), "must be a valid url [json-pointer:" + button + "/url]"},
		{"a long accessibility_label", withButton(`,"accessibility_label":"` + long(76) + `"`), "must be less than 76 characters [json-pointer:" + button + "/accessibility_label]"},
		{"a confirm with a long answer", withConfirm(`"title":` + plain("t") + `,"text":` + plain("x") + `,"confirm":` + plain(long(31)) + `,"deny":` + plain("no")), "must be less than 31 characters [json-pointer:" + button + "/confirm/confirm/text]"},
		{"a confirm with a long text", withConfirm(`"title":` + plain("t") + `,"text":` + plain(long(301)) + `,"confirm":` + plain("yes") + `,"deny":` + plain("no")), "must be less than 301 characters [json-pointer:" + button + "/confirm/text/text]"},
		{"no element", `[{"type":"actions","elements":[]}]`, "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]"},
		{"elements that are an object", `[{"type":"actions","elements":{}}]`, "must be an array [json-pointer:/blocks/0/elements]"},
		{"26 buttons", `[{"type":"actions","elements":` + repeated(26, `{"type":"button","action_id":"a#","text":{"type":"plain_text","text":"x"}}`) + `}]`, "no more than 25 items allowed [json-pointer:/blocks/0/elements]"},
		{"an unknown element", `[{"type":"actions","elements":[{"type":"datepicker"}]}]`, "unsupported type: datepicker [json-pointer:" + button + "/type]"},
		{"a disabled button", withButton(`,"disabled":true`), "invalid additional property: disabled [json-pointer:" + button + "]"},
		{"a button without text", `[{"type":"actions","elements":[{"type":"button"}]}]`, "missing required field: text [json-pointer:" + button + "]"},
		{"a button in mrkdwn", `[{"type":"actions","elements":[{"type":"button","text":{"type":"mrkdwn","text":"x"}}]}]`, "unsupported type: mrkdwn [json-pointer:" + button + "/text/type]"},
		{"a long button", `[{"type":"actions","elements":[{"type":"button","text":` + plain(long(76)) + `}]}]`, "must be less than 76 characters [json-pointer:" + button + "/text/text]"},
		{"a long value", withButton(`,"value":"` + long(2001) + `"`), "must be less than 2001 characters [json-pointer:" + button + "/value]"},
		{"a long action_id", withButton(`,"action_id":"` + long(256) + `"`), "must be less than 256 characters [json-pointer:" + button + "/action_id]"},
		{"an unknown style", withButton(`,"style":"warning"`), "must be a valid enum value [json-pointer:" + button + "/style]"},
		{"an action_id twice", `[{"type":"actions","elements":` + repeated(2, `{"type":"button","action_id":"a","text":{"type":"plain_text","text":"x"}}`) + `}]`, "`action_id` \"a\" already exists [json-pointer:/blocks/0/elements/1/action_id]"},
		{"a menu without options", withMenu(``), "missing required field: options [json-pointer:" + button + "]"},
		{"a menu with no options", withMenu(`,"options":[]`), "no fewer than 1 items allowed [json-pointer:" + button + "/options]"},
		{"a menu with 101", withMenu(`,"options":` + repeated(101, option)), "no more than 100 items allowed [json-pointer:" + button + "/options]"},
		{"a long placeholder", withMenu(`,"options":[` + option + `],"placeholder":` + plain(long(151))), "must be less than 151 characters [json-pointer:" + button + "/placeholder/text]"},
		{"a long option", withMenu(`,"options":[{"text":` + plain(long(76)) + `,"value":"v"}]`), "must be less than 76 characters [json-pointer:" + button + "/options/0/text/text]"},
		{"a long option's value", withMenu(`,"options":[{"text":` + plain("x") + `,"value":"` + long(151) + `"}]`), "must be less than 151 characters [json-pointer:" + button + "/options/0/value]"},
		{"an option without a value", withMenu(`,"options":[{"text":` + plain("x") + `}]`), "missing required field: value [json-pointer:" + button + "/options/0]"},
		{"an option with a type", withMenu(`,"options":[{"type":"option","text":` + plain("x") + `,"value":"v"}]`), "invalid additional property: type [json-pointer:" + button + "/options/0]"},
		{"a confirm without deny", withConfirm(`"title":` + plain("t") + `,"text":` + plain("x") + `,"confirm":` + plain("yes")), "missing required field: deny [json-pointer:" + button + "/confirm]"},
		{"a confirm that is long", withConfirm(`"title":` + plain(long(101)) + `,"text":` + plain("x") + `,"confirm":` + plain("yes") + `,"deny":` + plain("no")), "must be less than 101 characters [json-pointer:" + button + "/confirm/title/text]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
				w.Join("C1")
				got := w.call("chat.postMessage", form("channel", "C1", "text", "x", "blocks", tt.blocks))
				if tt.want == "" {
					if got["ok"] != true {
						t.Errorf("refused: %v", got)
					}
					return
				}
				meta, _ := got["response_metadata"].(map[string]any)
				messages, _ := meta["messages"].([]any)
				if got["error"] != "invalid_blocks" || len(messages) != 1 || messages[0] != "[ERROR] "+tt.want {
					t.Errorf("got %v, want %s", got, tt.want)
				}
				if len(w.Channel("C1")) != 0 {
					t.Error("it was posted")
				}
			})
		})
	}
}

func TestWhatIsNoListOfBlocksHasAnErrorOfItsOwn(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		w.Join("C1")
		for _, blocks := range []string{"{", "{}", `"x"`, "[5]", "[null]"} {
			if got := w.call("chat.postMessage", form("channel", "C1", "text", "x", "blocks", blocks))["error"]; got != "invalid_blocks_format" {
				t.Errorf("%s: %v", blocks, got)
			}
		}
	})
}

func TestAnEditReplacesRemovesOrKeepsTheBlocks(t *testing.T) {
	const one = `[{"type":"section","text":{"type":"mrkdwn","text":"<one>"},"block_id":"one"}]`
	const other = `[{"type":"divider","block_id":"other"}]`
	const metadata = `{"event_type":"m","event_payload":{}}`
	for _, tt := range []struct {
		name         string
		edit         []string
		text, blocks string // a part of them; empty: there are none
	}{
		{"both", []string{"text", "new", "blocks", other}, "new", `"other"`},
		{"blocks alone", []string{"blocks", other}, "", `"other"`},
		{"text alone", []string{"text", "new"}, "new", ""},
		{"text and no blocks", []string{"text", "new", "blocks", "[]"}, "new", ""},
		{"neither", []string{"metadata", metadata}, "old", `"<one>"`},
		{"blocks that are refused", []string{"text", "new", "blocks", `[{"type":"x"}]`}, "old", `"<one>"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
				w.Join("C1")
				ts, _ := w.call("chat.postMessage", form("channel", "C1", "text", "old", "blocks", one))["ts"].(string)
				w.call("chat.update", form(append([]string{"channel", "C1", "ts", ts}, tt.edit...)...))
				m := w.Channel("C1")[0]
				if m.Text != tt.text || (m.Blocks == nil) != (tt.blocks == "") || !strings.Contains(string(m.Blocks), tt.blocks) {
					t.Errorf("text %q, blocks %s", m.Text, m.Blocks)
				}
			})
		})
	}
}
