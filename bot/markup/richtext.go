package markup

import (
	"cmp"
	"encoding/json"
	"strings"
)

// richText turns rich text blocks back into what the message's text would be:
// with Slack's escapes, links as <url|label>, users as <@U>.
type richText struct {
	me     string
	named  bool
	broken bool // something in it could not be read
	odd    bool // something beside it is no block
	out    strings.Builder
}

// richElement is any node of a rich text block: a block, a section, a word.
type richElement struct {
	Type     Lenient         `json:"type"`
	Elements json.RawMessage `json:"elements"`
	Text     richWords       `json:"text"`
	URL      Lenient         `json:"url"`
	Name     Lenient         `json:"name"`
	UserID   Lenient         `json:"user_id"`
	Channel  Lenient         `json:"channel_id"`
	Group    Lenient         `json:"usergroup_id"`
	Range    Lenient         `json:"range"`
	Fallback Lenient         `json:"fallback"`
	Value    Lenient         `json:"value"`
	Style    richStyle       `json:"style"`
	Border   json.RawMessage `json:"border"` // 1: drawn as a quote, which is how a list in a quote comes
}

// richWords are words that tell whether they could not be read.
type richWords struct {
	Lenient
	odd bool
}

func (w *richWords) UnmarshalJSON(b []byte) error {
	err := w.Lenient.UnmarshalJSON(b)
	w.odd = w.Lenient == "" && string(b) != `""` && string(b) != "null"
	return err
}

// richStyle is how words look. What cannot be read as a style may be any.
type richStyle struct{ code, strike, odd bool }

// UnmarshalJSON never fails: a list, for one, has a string as its style.
func (s *richStyle) UnmarshalJSON(b []byte) error {
	var style struct {
		Code   json.RawMessage `json:"code"`
		Strike json.RawMessage `json:"strike"`
	}
	err := json.Unmarshal(b, &style)
	*s = richStyle{code: Present(style.Code), strike: Present(style.Strike), odd: err != nil}
	return nil
}

// richDepth is how deep elements may be nested; Slack's own go four deep.
const richDepth = 8

// read tells whether there was rich text that could be read.
func (r *richText) read(raw json.RawMessage) bool {
	found := false
	blocks, ok := elements(raw)
	r.odd = Present(raw) && !ok
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
		case e.Type == "rich_text_quote", e.Type == "rich_text_preformatted", Present(e.Border) && string(e.Border) != "0":
			r.out.WriteByte('\n')
		case len(e.Elements) > 0:
			r.inside(e, depth-1)
			r.out.WriteByte('\n')
		// mutant: struck-through words heard
		case e.Style.strike:
			r.out.WriteByte(' ') // taken back: no word, no name, no mention
		case e.Style.odd:
			r.broken = true
		case e.Style.code:
			r.broken = r.broken || e.Text.odd
			r.write("`", cmp.Or(Lenient(inCode.Replace(string(e.Text.Lenient))), " "), "`")
		default:
			if had := r.out.Len(); !r.word(e) && r.out.Len() == had {
				r.broken = true
			}
		}
	}
}

// inCode keeps code between its backticks, and on one line.
var inCode = strings.NewReplacer("`", "'", "\n", " ", "\r", " ")

// word writes an element. Nothing may be written only where empty is true: else
// there is something that is not understood.
func (r *richText) word(e richElement) (empty bool) {
	switch e.Type {
	case "user":
		r.named = r.named || e.UserID != "" && string(e.UserID) == r.me
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
		if label := e.Text.Lenient; label == "" || label == e.URL {
			r.write("<", e.URL, ">")
		} else {
			r.write("<", e.URL+"|"+label, ">")
		}
	default: // text, a date, a colour, and what Slack has not thought of yet
		r.write("", cmp.Or(e.Text.Lenient, e.Fallback, e.Value), "")
		return e.Type == "text" && !e.Text.odd
	}
	return false
}

// write escapes what stands between the marks as Slack does in a message's text.
func (r *richText) write(before string, s Lenient, after string) {
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
