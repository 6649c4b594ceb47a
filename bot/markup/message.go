package markup

import (
	"encoding/json"
	"strings"
)

// MaxLength is how many characters of a message are read. People write a line;
// anything longer was pasted.
const MaxLength = 8000

// Message is the part of a Slack message that its author wrote. Attachments and
// files are never read: they quote other messages.
type Message struct {
	Edited json.RawMessage `json:"edited"`
	Text   Lenient         `json:"text"`
	Blocks json.RawMessage `json:"blocks"`
}

// Words are what the author of a message wrote.
type Words struct {
	Text  string // without quotes, preformatted text and struck-through words
	Named bool   // the bot is named in it
	Whole bool   // it was read to its end, and all of it could be read
}

// Words returns what the message says to the user me; no text where it does not
// name that user.
func (msg Message) Words(me string) Words {
	text, named, whole := msg.words(me)
	if !named {
		return Words{}
	}
	kept := Shorten(text, MaxLength)
	return Words{Text: kept, Named: true, Whole: whole && len(kept) == len(text)}
}

// words returns the text without preformatted text, quotes and struck-through
// words, whether the bot is named in it, and whether all of it could be read.
// Rich text blocks take precedence where they can be read: only they tell a
// mention from one that was typed as code. Inline code stays, between backticks:
// no word in it asks for a deploy, but a name in it may hold one back.
func (msg Message) words(me string) (text string, named, whole bool) {
	r := richText{me: me}
	if r.read(msg.Blocks) {
		return strings.TrimSpace(r.out.String()), r.named, !r.broken && !r.odd
	}
	text = strings.TrimSpace(withoutStruck(withoutQuotes(withoutPairs(string(msg.Text), "```"))))
	plain := withoutInlineCode(text)
	return text, strings.Contains(plain, "<@"+me+">") || strings.Contains(plain, "<@"+me+"|"), !r.broken && !r.odd
}
