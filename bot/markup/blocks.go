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
	Text     Closed          `json:"text"`
	URL      Lenient         `json:"url"`
	Name     Lenient         `json:"name"`
	UserID   Lenient         `json:"user_id"`
	Channel  Lenient         `json:"channel_id"`
	Group    Lenient         `json:"usergroup_id"`
	Range    Lenient         `json:"range"`
	Fallback Lenient         `json:"fallback"`
	Value    Lenient         `json:"value"`
	Style    json.RawMessage `json:"style"`
	Border   json.RawMessage `json:"border"` // 1: drawn as a quote; so Slack sends a list in a quote
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
	for _, e := range children {
		switch {
		case e.Type == "rich_text_quote", e.Type == "rich_text_preformatted", Present(e.Border) && string(e.Border) != "0":
			d.segment(Quote, "")
			d.plain("\n")
		case len(e.Elements) > 0:
			if !d.inside(e, depth-1) {
				return false
			}
			d.plain("\n")
		case !d.word(e):
			return false
		}
	}
	return true
}

// oneLine keeps code on one line, as it is in mrkdwn.
var oneLine = strings.NewReplacer("\n", " ", "\r", " ")

// named are the elements that name something.
var named = map[Lenient]Kind{"user": User, "channel": Channel, "usergroup": Group, "broadcast": Group, "emoji": Emoji}

// word reads an element without elements of its own, and reports whether it could:
// an element without words is not understood, but for an empty text. An unreadable
// style may be any.
func (d *draft) word(e element) (ok bool) {
	var style struct {
		Code   json.RawMessage `json:"code"`
		Strike json.RawMessage `json:"strike"`
	}
	if e.Style != nil && json.Unmarshal(e.Style, &style) != nil {
		return false
	}
	text := string(e.Text)
	if e.Text == Unreadable {
		text = ""
	}
	kind, names := named[e.Type]
	switch {
	// mutant: struck-through words read
	case Present(style.Strike):
		d.segment(Strike, text)
		return true
	case Present(style.Code):
		d.segment(Code, cmp.Or(oneLine.Replace(text), " "))
		return e.Text != Unreadable
	case names:
		id := cmp.Or(e.UserID, e.Channel, e.Group, e.Range, e.Name)
		d.segment(kind, string(id))
		return id != ""
	case e.Type == "link":
		d.link(string(e.URL), text)
		return e.URL != "" || text != ""
	default: // text, a date, a color, and types that Slack adds
		said := cmp.Or(text, string(e.Fallback), string(e.Value))
		d.plain(said)
		return said != "" || e.Type == "text" && e.Text != Unreadable
	}
}
