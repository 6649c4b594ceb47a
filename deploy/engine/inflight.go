package engine

import (
	"sync"

	"github.com/getto-systems/psycher/deploy"
)

// inFlight holds what this process is working on, so that it works on a record
// in one goroutine at a time.
type inFlight struct {
	mu   sync.Mutex
	held map[deploy.Key]*hold
	lent map[deploy.Key]int // records let go for their POSTs, and how many POSTs are under way
}

// hold is the work on one record.
type hold struct {
	again     *Stored // the record came up again meanwhile
	interrupt func()  // ends a poll of GitLab, if one is under way
}

// acquire takes a record in work. If it is in work already, mine is nil: it is
// looked at once more before it is released, which is at once where GitLab was
// only being polled for it.
func (f *inFlight) acquire(s Stored) (mine *hold) {
	k := s.Record.Request.Key
	f.mu.Lock()
	defer f.mu.Unlock()
	if held := f.held[k]; held != nil {
		held.again = &s
		// mutant: a poll that is not canceled by a callback
		held.interrupt()
		return nil
	}
	mine = &hold{interrupt: func() {}}
	f.held[k] = mine
	return mine
}

// release lets a record go, unless it came up again.
func (f *inFlight) release(k deploy.Key, mine *hold) (again *Stored) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held[k] != mine { // it was lent
		if f.lent[k]--; f.lent[k] == 0 {
			delete(f.lent, k)
		}
		return nil
	}
	if again = mine.again; again != nil {
		mine.again = nil
		return again
	}
	delete(f.held, k)
	return nil
}

// lend lets a record go while its POST is under way, which may take more than a
// minute: callbacks that arrive meanwhile are for whoever takes the record, in
// this process as in any other.
func (f *inFlight) lend(k deploy.Key) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.held, k)
	f.lent[k]++
}

// interruptible has a poll of GitLab end when its record comes up again, by a
// function that does nothing once the poll is over.
func (f *inFlight) interruptible(k deploy.Key, interrupt func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if held := f.held[k]; held != nil {
		if held.interrupt = interrupt; held.again != nil {
			interrupt()
		}
	}
}

// isBusy reports whether a record is in work, or its POST under way.
func (f *inFlight) isBusy(k deploy.Key) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.held[k] != nil || f.lent[k] > 0
}

func (f *inFlight) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.held)
	for _, posts := range f.lent {
		n += posts
	}
	return n
}
