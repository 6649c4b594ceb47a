package engine

import (
	"context"
	"sync"
	"time"
)

// takeDue takes what is due and starts work on it. It returns in how long to do
// so again.
func (e *Engine) takeDue(ctx context.Context) time.Duration {
	n := e.capacity()
	if n == 0 {
		return pollEvery / 10
	}
	takeCtx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	due, next, err := e.Store.Take(takeCtx, n, Lease)
	clock := time.Time{}
	if len(due) > 0 {
		clock = due[0].Now
	}
	e.health.answered(takeCtx, false, err, clock)
	switch {
	case ctx.Err() != nil:
		return 0
	case err != nil:
		return pollEvery
	}
	late := time.Duration(0)
	for _, s := range due {
		late = max(late, s.Now.Sub(s.Due))
		e.taken <- struct{}{} // there is room, as nobody else takes
		e.dispatch(s, e.capacityFreed)
	}
	e.health.took(late)
	e.more.Store(next == 0)
	switch {
	case next == 0 && e.capacity() >= maxTaken/2:
		return 0
	case next == 0:
		return pollEvery / 10 // or when there is capacity
	case next > 0:
		return min(pollEvery, max(next, pollEvery/40)) // several of a backlog at a time
	}
	return pollEvery
}

func (e *Engine) capacity() int { return cap(e.taken) - len(e.taken) }

// capacityFreed ends the work on a record that was taken. What there was no
// capacity for is taken at once when there is capacity for many: one at a time
// would be as many round trips.
func (e *Engine) capacityFreed() {
	<-e.taken
	if e.more.Load() && e.capacity() >= maxTaken/2 {
		e.alarm.set(0)
	}
}

// alarm wakes the loop at the earliest of the times that it was set to.
type alarm struct {
	timer *time.Timer
	mu    sync.Mutex
	at    time.Time // zero: not set
}

// set wakes the loop in d at the latest; negative: never.
func (a *alarm) set(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at := time.Now().Add(d); d >= 0 && (a.at.IsZero() || at.Before(a.at)) {
		a.at = at
		a.timer.Reset(d)
	}
}

// clear forgets the time that has come.
func (a *alarm) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at = time.Time{}
}
