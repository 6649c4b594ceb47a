package deploy

import (
	"strconv"
	"strings"
	"time"
)

// Key names a mention, and with it its record: one message of one channel. An edit
// and a redelivery have the same key, unlike an event id.
type Key struct {
	Team    string `json:"team"`    // the workspace the bot is installed in, T...
	Channel string `json:"channel"` // C..., or G... for old private channels
	TS      string `json:"ts"`      // the message's timestamp, "1700000000.000100"
}

func (k Key) String() string { return k.Team + ":" + k.Channel + ":" + k.TS }

// Time is when the message was posted, by Slack's clock; zero if the ts cannot be read.
func (k Key) Time() time.Time {
	sec, frac, _ := strings.Cut(k.TS, ".")
	s, err := strconv.ParseInt(sec, 10, 64)
	if err != nil || s <= 0 {
		return time.Time{}
	}
	us, _ := strconv.ParseInt((frac + "000000")[:6], 10, 64)
	return time.Unix(s, us*int64(time.Microsecond)).UTC()
}

// Mention is a message by a person that names the bot.
type Mention struct {
	Key
	ID       string `json:"id"`                 // PSYCHER_ID: a UUIDv5 of the key; a name, never a secret
	Thread   string `json:"thread,omitempty"`   // the thread that it is in; empty at top level
	User     string `json:"user"`               // who wrote it, U... or W...
	External bool   `json:"external,omitempty"` // not shown to be of the bot's workspace or organisation: never deploys
	Edited   bool   `json:"edited,omitempty"`   // an edit fired it
	Unnamed  bool   `json:"unnamed,omitempty"`  // only with Edited: the bot is no longer named, and nothing is asked for
	Cut      bool   `json:"cut,omitempty"`      // the message could not be read to its end: never deploys
	Text     string `json:"text"`               // Slack's text of it: quotes, preformatted and struck-through words taken out
}

// ReplyThread is the thread that replies go to.
func (m Mention) ReplyThread() string {
	if m.Thread != "" {
		return m.Thread
	}
	return m.TS
}

// Intent is what a mention asks for, once its words are understood.
type Intent struct {
	// Answer is the message that the words call for; empty means: deploy Target.
	Answer MessageID
	// Target is the channel's target that the mention is about; empty where none
	// or more than one is meant.
	Target string
	// Word is what decided, as the person wrote it ("待って", "tomorrow", "v1.2.3"):
	// for the reply and for the log.
	Word string
}

// Deploys reports whether the mention asks for a deploy that nothing holds back.
func (i Intent) Deploys() bool { return i.Answer == "" }
