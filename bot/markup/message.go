package markup

import (
	"bytes"
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

// Lenient is a string of Slack's JSON that may also come as a number; anything
// else is the empty string.
type Lenient string

// UnmarshalJSON never fails.
func (l *Lenient) UnmarshalJSON(b []byte) error {
	*l = ""
	switch {
	case b[0] == '"':
		if plain := b[1 : len(b)-1]; bytes.IndexByte(plain, '\\') < 0 && utf8.Valid(plain) {
			*l = Lenient(plain) // most are ids, which need no decoding
			break
		}
		return json.Unmarshal(b, (*string)(l))
	case b[0] == '-' || b[0] >= '0' && b[0] <= '9':
		*l = Lenient(b)
	}
	return nil
}

// Closed is a Lenient that tells an unreadable value from an absent one.
type Closed string

// Unreadable is what could not be read. It is on no list.
const Unreadable Closed = "\uFFFD"

// UnmarshalJSON never fails.
func (c *Closed) UnmarshalJSON(b []byte) error {
	err := (*Lenient)(c).UnmarshalJSON(b)
	if *c == "" && string(b) != "null" && string(b) != `""` {
		*c = Unreadable
	}
	return err
}

// Present reports whether a field has a value other than null and false.
func Present(raw json.RawMessage) bool {
	return len(raw) > 0 && string(raw) != "null" && string(raw) != "false"
}

// Shorten keeps the first characters of s.
func Shorten(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}
