package deploy

import (
	"cmp"
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

// ParseKey reads a key from its string.
func ParseKey(s string) (k Key, ok bool) {
	field := strings.Split(s, ":")
	if len(field) != 3 {
		return Key{}, false
	}
	return Key{field[0], field[1], field[2]}, IsID(field[0]) && IsID(field[1]) && IsTimestamp(field[2])
}

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

// Request is what a person asks for. It is what is claimed: the words are read
// before, and are not kept.
type Request struct {
	Key
	ID     string    `json:"id"`               // PSYCHER_ID: a UUIDv5 of the key; a name, never a secret
	By     Person    `json:"by"`               // who asks
	At     time.Time `json:"at,omitzero"`      // when, by Slack's clock
	Via    Via       `json:"via,omitempty"`    // how
	Thread string    `json:"thread,omitempty"` // the thread it is in; empty at top level
	Edited bool      `json:"edited,omitempty"` // an edit of the message fired it
	Intent Intent    `json:"intent,omitzero"`  // what is asked for
}

// Person is somebody who asks.
type Person struct {
	User     string `json:"user"`               // U... or W...
	Team     string `json:"team,omitempty"`     // their workspace or organisation, where Slack tells it
	External bool   `json:"external,omitempty"` // not shown to be of the bot's own: never deploys
}

// Via is how a person asks.
type Via string

// The ways of asking.
const (
	ViaMention Via = "mention" // a message that mentions the bot
	ViaPress   Via = "press"   // a button
)

// ReplyThread is the thread that replies go to.
func (r Request) ReplyThread() string { return cmp.Or(r.Thread, r.TS) }

// HasMention reports whether there is a message of a person to react on. A
// deployment that was pressed for has none: its status message is its place.
func (r Record) HasMention() bool { return r.Request.Via != ViaPress }

// Kind is what is asked for.
type Kind string

// The kinds of intents. The zero one asks for nothing: the message does not
// address the bot, or no longer.
const (
	KindDeploy   Kind = "deploy"
	KindCancel   Kind = "cancel"
	KindStatus   Kind = "status"
	KindHistory  Kind = "history"
	KindPending  Kind = "pending"
	KindRetry    Kind = "retry"
	KindRollback Kind = "rollback"
	KindLock     Kind = "lock"
	KindUnlock   Kind = "unlock"
	KindHelp     Kind = "help"
	KindGreet    Kind = "greet"
	KindThanks   Kind = "thanks"
	KindApprove  Kind = "approve"  // a button alone: that others deploy
	KindOpen     Kind = "open"     // a button alone: a link
	KindWithdraw Kind = "withdraw" // a button alone: what is queued is taken back
	KindExtend   Kind = "extend"   // a button alone: a lock lasts longer
	KindTell     Kind = "tell"     // a button alone: who wants to deploy is asked once that is free
	KindUnknown  Kind = "unknown"  // words that the bot does not understand, and of no action
)

// Intent is what a request asks for, once its words are understood.
type Intent struct {
	Kind Kind `json:"kind,omitempty"`
	// Target is the channel's target that is meant; empty where none or more than
	// one is.
	Target string `json:"target,omitempty"`
	// Several: more than one is named.
	Several bool `json:"several,omitempty"`
	// Hold: a cancel that asks to wait; what runs is not to be canceled.
	Hold bool `json:"hold,omitempty"`
	// For is how long a lock is to last; zero: that is not said.
	For time.Duration `json:"for,omitempty"`
	// Until is when a lock is to end, as a clock shows it: counted from the beginning of
	// the day. Where that is over, the next day's is meant. Zero: that is not said.
	Until time.Duration `json:"until,omitempty"`
	// Today: the time of this day alone is meant.
	Today bool `json:"today,omitempty"`
	// Doubt is why the bot asks before it does anything; empty: nothing is in doubt.
	Doubt MessageID `json:"doubt,omitempty"`
	// Word is what is in doubt, as the person wrote it ("明日", "staging", "v1.2.3"), or
	// the reason for a lock: at most [MaxWord] characters of it.
	Word string `json:"word,omitempty"`
}

// MaxWord is how many characters of a person's words are kept at most.
const MaxWord = 80

// Deploys reports whether a deploy is asked for without any doubt.
func (i Intent) Deploys() bool { return i.Kind == KindDeploy && i.Doubt == "" }

// acts reports whether something may start without a question.
func (i Intent) acts() bool { return i.Deploys() || i.Kind == KindRetry && i.Doubt == "" }

// locks reports whether a lock is to begin or to end.
func (i Intent) locks() bool { return i.Kind == KindLock || i.Kind == KindUnlock }

// IsID reports whether s has the form of an id of Slack's: C..., T..., U....
func IsID(s string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// IsGroup reports whether an id of Slack's is that of a user group: S....
func IsGroup(id string) bool { return strings.HasPrefix(id, "S") }

// IsTimestamp reports whether s has the form of a message's ts: 1700000000.000100.
func IsTimestamp(s string) bool {
	sec, frac, _ := strings.Cut(s, ".")
	return isDigits(sec, 12) && isDigits(frac, 9)
}

func isDigits(s string, most int) bool {
	return s != "" && len(s) <= most && strings.Trim(s, "0123456789") == ""
}
