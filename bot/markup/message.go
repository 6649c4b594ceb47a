package markup

import (
	"encoding/json"
	"unicode/utf8"
)

// MaxLength is how many characters of a message are read. People write a line;
// anything longer was pasted.
const MaxLength = 2000

// Message is the part of a Slack message that its author wrote. Attachments and
// files are never read: they quote other messages.
type Message struct {
	Edited json.RawMessage `json:"edited"`
	Text   Lenient         `json:"text"`
	Blocks json.RawMessage `json:"blocks"`
}

// Words are what the author of a message wrote.
type Words struct {
	Segments []Segment
	Named    bool // the bot is named in it
	Whole    bool // it was read to its end, and all of it could be read
}

// Words returns what the message says to the user me; nothing if it does not name
// that user. Rich text blocks take precedence where they can be read: only they
// tell a mention from one that was typed as code.
func (msg Message) Words(me string) Words {
	var d draft
	rich, whole := d.blocks(msg.Blocks)
	said := d.segments()
	if !rich {
		said = Parse(string(msg.Text))
	}
	named, length := false, 0
	for i, s := range said {
		if s.Kind == User && s.Text == me && me != "" {
			said[i].Kind, named = Self, true
		}
		if s.Kind != Quote {
			length += utf8.RuneCountInString(s.Text)
		}
	}
	switch {
	case !named:
		return Words{}
	case length > MaxLength:
		return Words{Named: true}
	}
	return Words{Segments: said, Named: true, Whole: whole}
}
