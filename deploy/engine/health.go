package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// overdue is how late work may be for the engine to be ready.
const overdue = 30 * time.Second

// health is what the store's own answers tell of it: whether it works, how late
// the work is, and the time.
type health struct {
	log func(Event)

	mu       sync.Mutex
	err      error         // how the store answered last
	late     time.Duration // how late the latest record was that was taken last
	caughtUp time.Time     // when a take last succeeded with nothing overdue
	storeNow time.Time     // the store's clock at hostNow
	hostNow  time.Time
}

// answered notes how the store answered a call that was not canceled, and its
// clock. That a record can be read says nothing of writing, so the answer of a
// call that only reads is noted if it is an error. Each caller notes it: a Store
// around the Store would copy records, and so make the stack of a worker twice
// as large.
func (h *health) answered(ctx context.Context, reads bool, err error, clock time.Time) {
	if errors.Is(ctx.Err(), context.Canceled) || errors.Is(err, ErrChanged) || errors.Is(err, ErrUnreadable) {
		return
	}
	h.mu.Lock()
	was, is := h.err, err
	if reads && err == nil {
		is = was
	}
	h.err = is
	if err == nil && !clock.IsZero() {
		h.storeNow, h.hostNow = clock, time.Now()
	}
	h.mu.Unlock()
	switch { // said once
	case was == nil && is != nil:
		h.log(Event{Name: "store-down", Err: is})
	case was != nil && is == nil:
		h.log(Event{Name: "store-up"})
	}
}

// took notes how late the latest of the records was that were taken.
func (h *health) took(late time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.late = late; late < overdue {
		h.caughtUp = time.Now()
	}
}

func (h *health) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hostNow.IsZero() {
		return time.Now()
	}
	return h.storeNow.Add(time.Since(h.hostNow))
}

func (h *health) status() Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Status{StoreUp: h.err == nil && !h.caughtUp.IsZero(), Overdue: h.late}
}

// ErrNotAsked is why an engine is not ready that has just started.
//
//docgen:messages ready
var ErrNotAsked = errors.New("the store was not asked yet")

//docgen:messages ready
func (h *health) ready() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.err != nil:
		return fmt.Errorf("the store is down: %w", h.err)
	case h.caughtUp.IsZero():
		return ErrNotAsked
	case time.Since(h.caughtUp) > overdue:
		return errors.New("work is overdue by more than 30 s")
	}
	return nil
}
