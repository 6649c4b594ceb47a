package engine

import (
	"context"
	"sync"
	"time"
)

// takeDue takes what is due and starts work on it. It returns in how long to do
// so again.
func (e *Engine) takeDue(ctx context.Context) time.Duration {
	e.alarm.clear()
	n := e.taken.available()
	if n == 0 {
		return pollEvery / 10
	}
	takeCtx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	due, next, err := e.store.Take(takeCtx, n, Lease)
	switch {
	case ctx.Err() != nil:
		return 0
	case err != nil:
		return pollEvery
	}
	e.outage.end()
	late := time.Duration(0)
	for _, s := range due {
		late = max(late, s.Now.Sub(s.Due))
		if e.taken.tryAcquire("") {
			e.dispatch(s, func() { e.taken.release(""); e.capacityFreed() })
		}
	}
	e.health.took(late)
	wait := pollEvery
	e.more.Store(next == 0)
	switch {
	case next == 0 && e.hasCapacity():
		return 0
	case next == 0:
		return pollEvery / 10 // or when there is capacity
	case next > 0:
		wait = min(wait, max(next, pollEvery/40)) // several of a backlog at a time
	}
	if soon := e.alarm.time(); !soon.IsZero() {
		wait = min(wait, time.Until(soon))
	}
	return max(0, wait)
}

// capacityFreed takes at once what there was no capacity for, when there is
// capacity for many: one at a time would be as many round trips.
func (e *Engine) capacityFreed() {
	if e.more.Load() && e.hasCapacity() {
		e.alarm.set(0)
	}
}

func (e *Engine) hasCapacity() bool { return e.taken.available() >= takenMost/2 }

// alarm wakes the loop before its next poll.
type alarm struct {
	ring chan struct{}
	mu   sync.Mutex
	at   time.Time // zero: not set
}

// set wakes the loop in d, if it would not ask by itself by then.
func (a *alarm) set(d time.Duration) {
	if d < 0 || d >= pollEvery {
		return
	}
	at := time.Now().Add(d)
	a.mu.Lock()
	if a.at.IsZero() || at.Before(a.at) {
		a.at = at
	}
	a.mu.Unlock()
	signal(a.ring)
}

func (a *alarm) time() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.at
}

func (a *alarm) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at = time.Time{}
}

// signal wakes who waits for c, or will.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
