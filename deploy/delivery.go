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
		for _, p := range r.posts() {
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
	if slow := r.slowAt(); !slow.IsZero() {
		at = earlier(at, slow)
	}
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
// keeps panicking its worker is not retried forever.
func (r Record) GiveUpDelivery() Record {
	v := r.View()
	r.Shown = Shown{Reaction: v.Reaction, Off: r.Reactions, Posts: map[string]Posted{SlotStatus: {}}, InChannel: r.Shown.InChannel}
	for _, p := range v.Posts {
		r.Shown.Posts[p.Slot] = Posted{}
	}
	return r
}

// A call that Slack refuses in a way that may pass is made again: soon at first,
// for an hour in all. A post that may stand, and cannot be looked up, is made
// three times at most.
const (
	retryFor   = time.Hour
	firstRetry = 5 * time.Second
	maxRetry   = 5 * time.Minute
	lookUpIn   = 10 * time.Second // a post whose answer was lost
)

// MaxPosts is how often a post is made whose answer was lost each time.
const MaxPosts = 3

// Retry is a kind of call to Slack that is to be made again.
type Retry struct {
	What  string    `json:"what,omitempty"` // what it is to show: something newer has an hour of its own
	Since time.Time `json:"since,omitzero"` // of the first refusal, by the store's clock
	Tries int       `json:"tries,omitempty"`
	Next  time.Time `json:"next,omitzero"` // not before
}

// ClearRetry forgets the refusals of a kind of call: the next one has an hour of
// its own.
func (s *Shown) ClearRetry(kind CallKind) {
	s.Retries = maps.Clone(s.Retries)
	delete(s.Retries, kind)
}

// PutOff has a kind of call not made before a time.
func (s *Shown) PutOff(kind CallKind, until time.Time) { s.putOff(kind, "", until) }

// WaitForRoom has an edit not made before a time, as others come first. It does not
// hold for what the message is to say instead: that may come before others itself.
func (s *Shown) WaitForRoom(c Call, until time.Time) { s.putOff(c.Kind, c.shows(), until) }

func (s *Shown) putOff(kind CallKind, what string, until time.Time) {
	r := s.Retries[kind]
	if r.Next = until; r.Tries == 0 {
		r.What = what
	}
	s.Retries = with(s.Retries, kind, r)
}

// NotBefore is when a call may be made. Looking a post up and posting are
// one kind here: either holds up the messages after it, for their order.
func (s *Shown) NotBefore(c Call) time.Time {
	r := s.Retries[c.Kind]
	switch {
	case c.Kind == CallFind, c.Kind == CallPost:
		return later(s.Retries[CallFind].Next, s.Retries[CallPost].Next)
	// mutant: an end that waits for the turn of what went on
	case r.Tries == 0 && r.What != "" && r.What != c.shows():
		return time.Time{}
	}
	return r.Next
}

// Refused notes that Slack refused a call in a way that may pass: it is made
// again, with growing waits. It returns false if that went on for too long: the
// refusal is final.
func (s *Shown) Refused(c Call, now time.Time) (again bool) {
	r := s.Retries[c.Kind]
	// mutant: a temporary refusal retried forever
	// mutant: an end that gets only the rest of the start's hour
	if r.Tries == 0 || r.What != c.shows() {
		r = Retry{What: c.shows(), Since: now}
	}
	left := r.Since.Add(retryFor).Sub(now)
	// mutant: a temporary refusal taken for final
	if left <= 0 {
		return false
	}
	r.Next = now.Add(min(firstRetry<<min(r.Tries, 10), maxRetry, left))
	r.Tries++
	s.Retries = with(s.Retries, c.Kind, r)
	return true
}

// Lost notes that a post may have been made, which is looked up a while later.
// Where it cannot be, the post is made again then.
func (s *Shown) Lost(slot string, now time.Time) {
	s.Posting = slot
	after := lookUpIn
	if s.Retries[CallFind].Tries == 1 { // the second may be lost in the same outage as the first: the third should not be
		after = maxRetry
	}
	s.PutOff(CallFind, now.Add(after))
}

// LookUpFailed notes that a post could not be looked up, and reports whether it may be
// made again: better twice than not at all.
func (s *Shown) LookUpFailed() (again bool) {
	r := s.Retries[CallFind]
	// mutant: a post that is made again forever
	if r.Tries++; r.Tries >= MaxPosts {
		s.ClearRetry(CallFind)
		return false
	}
	s.Retries = with(s.Retries, CallFind, Retry{Tries: r.Tries})
	return true
}
