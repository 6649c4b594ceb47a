package markup

import (
	"cmp"
	"encoding/json"
	"strings"
)

// element is any node of rich text: a block, a section, a word.
type element struct {
	Type     Lenient         `json:"type"`
	Elements json.RawMessage `json:"elements"`
	Text     words           `json:"text"`
	URL      Lenient         `json:"url"`
	Name     Lenient         `json:"name"`
	UserID   Lenient         `json:"user_id"`
	Channel  Lenient         `json:"channel_id"`
	Group    Lenient         `json:"usergroup_id"`
	Range    Lenient         `json:"range"`
	Fallback Lenient         `json:"fallback"`
	Value    Lenient         `json:"value"`
	Style    style           `json:"style"`
	Border   json.RawMessage `json:"border"` // 1: drawn as a quote; so Slack sends a list in a quote
}

// words know whether they could not be read.
type words struct {
	Lenient
	odd bool
}

func (w *words) UnmarshalJSON(b []byte) error {
	err := w.Lenient.UnmarshalJSON(b)
	w.odd = w.Lenient == "" && string(b) != `""` && string(b) != "null"
	return err
}

// style is how words look. An unreadable style may be any.
type style struct{ code, strike, odd bool }

// UnmarshalJSON never fails: a list, for one, has a string as its style.
func (s *style) UnmarshalJSON(b []byte) error {
	var named struct {
		Code   json.RawMessage `json:"code"`
		Strike json.RawMessage `json:"strike"`
	}
	err := json.Unmarshal(b, &named)
	*s = style{code: Present(named.Code), strike: Present(named.Strike), odd: err != nil}
	return nil
}

// maxDepth is how deep elements may be nested; Slack's own go four deep.
const maxDepth = 8

// blocks reads the rich text among a message's blocks. usable is false where there
// is none, or it cannot be read; whole, where anything in blocks cannot be read.
func (d *draft) blocks(raw json.RawMessage) (usable, whole bool) {
	d.rich = true
	var blocks []element
	whole = json.Unmarshal(raw, &blocks) == nil || !Present(raw)
	for _, block := range blocks {
		if block.Type != "rich_text" {
			continue
		}
		if !d.inside(block, maxDepth) {
			return false, false
		}
		usable = true
	}
	return usable, whole
}

// inside reads the elements of an element, and reports whether it could.
func (d *draft) inside(parent element, depth int) (ok bool) {
	var children []element
	if json.Unmarshal(parent.Elements, &children) != nil || depth == 0 {
		return false
	}
	ok = true
	for _, e := range children {
		switch {
		case e.Type == "rich_text_quote", e.Type == "rich_text_preformatted", Present(e.Border) && string(e.Border) != "0":
			d.segment(Quote, "")
			d.plain("\n")
		case len(e.Elements) > 0:
			ok = d.inside(e, depth-1)
			d.plain("\n")
		// mutant: struck-through words read
		case e.Style.strike:
			d.segment(Strike, string(e.Text.Lenient))
		case e.Style.odd:
			ok = false
		case e.Style.code:
			ok = !e.Text.odd
			d.segment(Code, cmp.Or(oneLine.Replace(string(e.Text.Lenient)), " "))
		default:
			ok = d.word(e)
		}
		if !ok {
			return false
		}
	}
	return true
}

// oneLine keeps code on one line, as it is in mrkdwn.
var oneLine = strings.NewReplacer("\n", " ", "\r", " ")

// word reads an element without elements of its own, and reports whether it could:
// an element without words is not understood, but for an empty text.
func (d *draft) word(e element) (ok bool) {
	var id Lenient
	var kind Kind
	switch e.Type {
	case "user":
		id, kind = e.UserID, User
	case "channel":
		id, kind = e.Channel, Channel
	case "usergroup":
		id, kind = e.Group, Group
	case "broadcast":
		id, kind = e.Range, Group
	case "emoji":
		id, kind = e.Name, Emoji
	case "link":
		d.link(string(e.URL), string(e.Text.Lenient))
		return e.URL != "" || e.Text.Lenient != ""
	default: // text, a date, a color, and types that Slack adds
		said := cmp.Or(e.Text.Lenient, e.Fallback, e.Value)
		d.plain(string(said))
		return said != "" || e.Type == "text" && !e.Text.odd
	}
	d.segment(kind, string(id))
	return id != ""
}
