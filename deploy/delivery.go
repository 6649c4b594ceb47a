package deploy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"hash/fnv"
	"iter"
	"maps"
	"slices"
	"time"
)

// This file says which calls bring Slack from what it shows to what it should
// show, and what Slack shows of the record after each.

// Call is one call to Slack that is to be made for a record.
type Call struct {
	Kind     CallKind
	Reaction string  // CallReact, CallUnreact
	Slot     string  // CallPost, CallFind, CallUpdate: names the message within the record
	Message  Message // CallPost, CallUpdate
}

// CallKind is what a call does. Slack limits and refuses each kind by itself.
type CallKind string

// The kinds of calls.
const (
	CallFind    CallKind = "find" // looks whether an announced post is there
	CallReact   CallKind = "react"
	CallUpdate  CallKind = "update"
	CallPost    CallKind = "post"
	CallUnreact CallKind = "unreact"
)

// shows tells one thing to be shown from another by the same kind of call.
func (c Call) shows() string { return cmp.Or(c.Reaction, c.Slot+" "+string(c.Message.ID)) }

// PendingCalls returns the calls that bring Slack up to date, in the order in
// which they are best made: the reaction, which is what people look at, then
// the messages in their order, and last the cleaning up.
func (r *Record) PendingCalls() iter.Seq[Call] {
	return func(yield func(Call) bool) {
		shown, reaction := &r.Shown, r.reaction()
		if shown.Posting != "" && !yield(Call{Kind: CallFind, Slot: shown.Posting}) {
			return
		}
		reacted := reaction == "" || reaction == shown.Reaction
		if !reacted && !yield(Call{Kind: CallReact, Reaction: reaction}) {
			return
		}
		for p := range r.posts() {
			posted, done := shown.Posts[p.Slot]
			c := Call{Kind: CallPost, Slot: p.Slot}
			if done {
				c.Kind = CallUpdate
			}
			// mutant: an edit of a message that Slack never accepted
			if edit := p.Slot == SlotStatus && posted.TS != ""; done && !edit {
				continue
			}
			if c.Message = r.Worded(p.Message, p.Slot); done && posted.Hash == c.Message.hash() {
				continue
			}
			if !yield(c) {
				return
			}
		}
		for _, old := range r.Reactions { // once the new one is there, so that there is always one
			// mutant: the old reaction removed before the new one is added
			if reacted && old != reaction && !slices.Contains(shown.Off, old) && r.State != Triggering && // triggering is short: the old one may stay
				!yield(Call{Kind: CallUnreact, Reaction: old}) {
				return
			}
		}
	}
}

// Worded chooses a message's wording: at random over records, the same for one
// message. In the channel itself every message names the person.
func (r Record) Worded(m Message, slot string) Message {
	h := fnv.New32a()
	h.Write([]byte(r.Request.ID + string(m.ID) + slot))
	m.Seed = h.Sum32()
	if r.Shown.IsInChannel(slot) {
		m.InChannel, m.User = true, r.Request.By.User
	}
	return m
}

// DeliveryDue is when Slack is to be brought up to date; pending is false if it is.
func (r *Record) DeliveryDue() (at time.Time, pending bool) {
	for c := range r.PendingCalls() {
		if next := r.Shown.NotBefore(c); !pending || next.Before(at) {
			at, pending = next, true
		}
		if at.IsZero() { // nothing is earlier
			break
		}
	}
	return later(at, r.Shown.Until), pending
}

// Due is in how long the record must be looked at; negative: not at all.
func (r *Record) Due(now time.Time) time.Duration {
	at := r.Next
	if show, pending := r.DeliveryDue(); pending {
		if show = later(show, now); at.IsZero() || show.Before(at) {
			at = show
		}
	}
	if at.IsZero() {
		if r.State == Accepted {
			return 0
		}
		// mutant: a record left due forever
		return -1
	}
	return max(0, at.Sub(now))
}

// Done notes that a call was made, and the ts of what was posted or found. A
// call that Slack will never take counts as made; a post then has no ts. Which
// version of a message was found is not known: it is edited.
func (s *Shown) Done(c Call, ts string) {
	switch c.Kind {
	case CallReact:
		s.Reaction = c.Reaction
		s.Off = without(s.Off, c.Reaction)
	case CallUnreact:
		s.Off = append(slices.Clone(s.Off), c.Reaction)
		// mutant: a reaction that is not put on a second time
		if s.Reaction == c.Reaction {
			s.Reaction = ""
		}
	default:
		posted := Posted{TS: cmp.Or(ts, s.Posts[c.Slot].TS), Buttons: c.Kind == CallFind || len(c.Message.Buttons) > 0}
		if c.Kind != CallFind && c.Slot == SlotStatus {
			posted.Hash = c.Message.hash()
		}
		s.setPosted(c.Slot, posted)
	}
}

// ReactedLate notes that a reaction is on the mention that may not be the present
// one.
func (r Record) ReactedLate(reaction string) Record {
	// mutant: a reaction that comes too late and stays
	if r.View().Reaction != reaction {
		r.Shown.Off = without(r.Shown.Off, reaction)
	}
	return r
}

// EditRefused notes that Slack will never take an edit. Where that would leave
// buttons that do nothing, the message is posted anew.
func (s *Shown) EditRefused(c Call) {
	if was := s.Posts[c.Slot]; !was.Buttons || len(c.Message.Buttons) > 0 {
		s.Done(c, "")
		return
	}
	s.Posts = maps.Clone(s.Posts)
	delete(s.Posts, c.Slot)
}

// setPosted notes what is in a slot.
func (s *Shown) setPosted(slot string, p Posted) { s.Posts = with(s.Posts, slot, p) }

// with sets a value in a copy of a map, which several records may share.
func with[K comparable, V any](m map[K]V, key K, value V) map[K]V {
	m = maps.Clone(m)
	if m == nil {
		m = map[K]V{}
	}
	m[key] = value
	return m
}

// Equal reports whether two records show the same.
func (s Shown) Equal(o Shown) bool {
	a, errA := json.Marshal(s)
	b, errB := json.Marshal(o)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// GiveUpDelivery marks everything pending as delivered, so that a record which
// keeps panicking its worker is not retried forever. Old reactions may still be
// taken off, unless that is what panics.
func (r Record) GiveUpDelivery() Record {
	off := r.Shown.Off
	if r.Panics > 3 {
		off = r.Reactions
	}
	v := r.View()
	r.Shown = Shown{Reaction: v.Reaction, Off: off, Posts: map[string]Posted{SlotStatus: {}}, InChannel: r.Shown.InChannel}
	for _, p := range v.Posts {
		r.Shown.Posts[p.Slot] = Posted{}
	}
	return r
}
