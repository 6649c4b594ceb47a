package bot

import (
	"encoding/json"
	"strings"
)

// words is the event's text without preformatted text and quotes, and whether
// the bot is named in it. Rich text blocks are believed where there are some and
// they can be read: there a mention that was typed as code is no mention. Inline
// code stays, between backticks: no word in it asks for a deploy, but a name in
// it may hold one back.
func (e mentionEvent) words(me string) (text string, named bool) {
	if r := (richText{me: me}); r.read(e.Blocks) {
		return strings.TrimSpace(r.out.String()), r.named
	}
	text = strings.TrimSpace(withoutQuotes(withoutPairs(string(e.Text), "```")))
	plain := withoutInlineCode(text)
	return text, strings.Contains(plain, "<@"+me+">") || strings.Contains(plain, "<@"+me+"|")
}

// richText turns rich text blocks back into what the message's text would be:
// with Slack's escapes, links as <url|label>, users as <@U>.
type richText struct {
	me     string
	named  bool
	broken bool // something in it could not be read
	out    strings.Builder
}

// richElement is any node of a rich text block: a block, a section, a word.
type richElement struct {
	Type     lenient         `json:"type"`
	Elements json.RawMessage `json:"elements"`
	Text     lenient         `json:"text"`
	URL      lenient         `json:"url"`
	Name     lenient         `json:"name"`
	UserID   lenient         `json:"user_id"`
	Channel  lenient         `json:"channel_id"`
	Group    lenient         `json:"usergroup_id"`
	Range    lenient         `json:"range"`
	Fallback lenient         `json:"fallback"`
	Value    lenient         `json:"value"`
	Style    richStyle       `json:"style"`
}

type richStyle struct{ code bool }

// UnmarshalJSON never fails: a list, for one, has a string as its style.
func (s *richStyle) UnmarshalJSON(b []byte) error {
	var style struct {
		Code json.RawMessage `json:"code"`
	}
	*s = richStyle{code: json.Unmarshal(b, &style) == nil && string(style.Code) == "true"}
	return nil
}

// richDepth is how deep elements may be nested; Slack's own go four deep.
const richDepth = 8

// read tells whether there was rich text that could be read.
func (r *richText) read(raw json.RawMessage) bool {
	found := false
	blocks, _ := elements(raw)
	for _, block := range blocks {
		if block.Type == "rich_text" {
			found = true
			r.inside(block, richDepth)
		}
	}
	return found && !r.broken
}

func (r *richText) inside(parent richElement, depth int) {
	children, ok := elements(parent.Elements)
	if !ok || depth == 0 {
		r.broken = true
		return
	}
	for _, e := range children {
		switch {
		case e.Type == "rich_text_quote", e.Type == "rich_text_preformatted":
			r.out.WriteByte('\n')
		case len(e.Elements) > 0:
			r.inside(e, depth-1)
			r.out.WriteByte('\n')
		case e.Style.code:
			r.write("`", lenient(strings.ReplaceAll(string(e.Text), "`", "'")), "`")
		default:
			r.word(e)
		}
	}
}

func (r *richText) word(e richElement) {
	switch e.Type {
	case "user":
		r.named = r.named || e.UserID != "" && string(e.UserID) == r.me
		r.broken = r.broken || e.UserID == ""
		r.write("<@", e.UserID, ">")
	case "channel":
		r.write("<#", e.Channel, ">")
	case "usergroup":
		r.write("<!subteam^", e.Group, ">")
	case "broadcast":
		r.write("<!", e.Range, ">")
	case "emoji":
		r.write(":", e.Name, ":")
	case "link":
		if e.Text == "" || e.Text == e.URL {
			r.write("<", e.URL, ">")
		} else {
			r.write("<", e.URL+"|"+e.Text, ">")
		}
	default: // text, a date, a colour, and what Slack has not thought of yet
		for _, t := range []lenient{e.Text, e.Fallback, e.Value} {
			if t != "" {
				r.write("", t, "")
				break
			}
		}
	}
}

// write escapes what stands between the marks as Slack does in a message's text.
func (r *richText) write(before string, s lenient, after string) {
	if s == "" {
		return
	}
	r.out.WriteString(before)
	for _, c := range string(s) {
		switch c {
		case '&':
			r.out.WriteString("&amp;")
		case '<':
			r.out.WriteString("&lt;")
		case '>':
			r.out.WriteString("&gt;")
		default:
			r.out.WriteRune(c)
		}
	}
	r.out.WriteString(after)
}

// elements reads a list of elements; ok is false where it, or one of it, is none.
func elements(raw json.RawMessage) (list []richElement, ok bool) {
	var each []json.RawMessage
	if json.Unmarshal(raw, &each) != nil {
		return nil, false
	}
	ok = true
	for _, one := range each {
		var e richElement
		if json.Unmarshal(one, &e) != nil {
			ok = false
			continue
		}
		list = append(list, e)
	}
	return list, ok
}

// withoutInlineCode takes `code` out of a text: it does not span lines.
func withoutInlineCode(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = withoutPairs(line, "`")
	}
	return strings.Join(lines, "\n")
}

// withoutPairs takes out what stands between two marks, leaving a space. A mark
// without its second is none.
func withoutPairs(s, mark string) string {
	var out strings.Builder
	for {
		before, rest, opened := strings.Cut(s, mark)
		_, after, closed := strings.Cut(rest, mark)
		if !opened || !closed {
			out.WriteString(s)
			return out.String()
		}
		out.WriteString(before)
		out.WriteByte(' ')
		s = after
	}
}

// withoutQuotes takes the quoted lines out of a message's plain text: those that
// begin with >, and all that follows >>>.
func withoutQuotes(s string) string {
	var kept []string
	for line := range strings.SplitSeq(s, "\n") {
		start := strings.ReplaceAll(strings.TrimSpace(line), "&gt;", ">")
		if strings.HasPrefix(start, ">>>") {
			break
		}
		if !strings.HasPrefix(start, ">") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}
