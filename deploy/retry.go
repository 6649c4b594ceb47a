package deploy

import (
	"errors"
	"maps"
	"time"
)

// What Slack refuses in a way that may pass is asked for again: soon at first,
// for an hour in all. A post that may stand, and cannot be looked up, is made
// three times at most.
const (
	retryFor   = time.Hour
	retryFirst = 5 * time.Second
	retryMost  = 5 * time.Minute
	postsMost  = 3
)

// Retry is a kind of call to Slack that is to be made again.
type Retry struct {
	What  string    `json:"what,omitempty"` // what it is to show: something newer has an hour of its own
	Since time.Time `json:"since,omitzero"` // of the first refusal, by the store's clock
	Tries int       `json:"tries,omitempty"`
	Next  time.Time `json:"next,omitzero"` // not before
}

func (r Retry) equal(o Retry) bool {
	return r.What == o.What && r.Since.Equal(o.Since) && r.Tries == o.Tries && r.Next.Equal(o.Next)
}

// retry sets, or with a zero r forgets, when a kind of call is made again. The
// copy keeps records apart that share retries.
func (s *Shown) retry(do showDo, r Retry) {
	all := maps.Clone(s.Retries)
	if r == (Retry{}) {
		delete(all, do)
	} else {
		if all == nil {
			all = map[showDo]Retry{}
		}
		all[do] = r
	}
	s.Retries = all
}

// judge turns a refusal that may pass into a [*LaterError], with growing waits,
// until that has gone on for too long: then it is given as it is, and is final.
func (s *Shown) judge(step showStep, err error, now time.Time) error {
	do, what := step.do, step.what()
	var passing *PassingError
	var later *LaterError
	switch {
	case errors.As(err, &passing):
	case errors.As(err, &later):
		return err
	default: // done, or never: the next of its kind has its own hour
		s.retry(do, Retry{})
		return err
	}
	r := s.Retries[do]
	// mutant: a passing refusal tried for ever
	// mutant: an end that has only the rest of the start's hour
	if r.Tries == 0 || r.What != what {
		r = Retry{What: what, Since: now}
	}
	left := r.Since.Add(retryFor).Sub(now)
	// mutant: a passing refusal taken for final
	if left <= 0 {
		s.retry(do, Retry{})
		return err
	}
	after := min(retryFirst<<min(r.Tries, 10), retryMost, left)
	r.Tries, r.Next = r.Tries+1, now.Add(after)
	s.retry(do, r)
	return &LaterError{After: after, Err: err}
}

// lost notes that a post may have been made, and tells in how long that is
// looked up. Where it cannot be, the post is made again then.
func (s *Shown) lost(slot string, now time.Time) (after time.Duration) {
	s.Posting = slot
	r := s.Retries[doFind]
	if after = Lease; r.Tries == 1 { // the second may be lost in the same outage as the first: the third should not be
		after = retryMost
	}
	r.Next = now.Add(after)
	s.retry(doFind, r)
	return after
}

// untold notes that it cannot be told whether a post was made, and tells
// whether it may be made again: better twice than not at all.
func (s *Shown) untold() (again bool) {
	r := s.Retries[doFind]
	// mutant: a post that is made again for ever
	if r.Tries++; r.Tries >= postsMost {
		s.retry(doFind, Retry{})
		return false
	}
	s.retry(doFind, Retry{Tries: r.Tries})
	return true
}
