package deploy

import (
	"maps"
	"time"
)

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
func (s *Shown) PutOff(kind CallKind, until time.Time) {
	r := s.Retries[kind]
	if r.Next = until; r.Tries == 0 {
		r.What = ""
	}
	s.Retries = with(s.Retries, kind, r)
}

// WaitForRoom has an edit not made before a time, as others come first. It does not
// hold for what the message is to say instead: that may come before others itself.
func (s *Shown) WaitForRoom(c Call, until time.Time) {
	if s.PutOff(c.Kind, until); s.Retries[c.Kind].Tries == 0 {
		s.Retries[c.Kind] = Retry{What: c.shows(), Next: until}
	}
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
