package engine

import (
	"context"
	"sync"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// editEvery is how far apart edits are that wait for their turn.
const editEvery = 1600 * time.Millisecond

// edits gives what finds no edit left a time of its own to come back, so that
// thousands do not all ask again and again.
type edits struct {
	mu   sync.Mutex
	ends map[bool]time.Time // by whether they are urgent
}

// place is in how long an edit is to come back, which is not before wait.
func (l *edits) place(urgent bool, wait time.Duration) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	// mutant: thousands of edits that all come back at once
	at := l.ends[urgent].Add(editEvery)
	if first := now.Add(wait); at.Before(first) {
		at = first
	}
	l.ends[urgent] = at
	return at.Sub(now)
}

// editSlot takes one of the edits that all processes share, for a record; the
// result is in how long there may be one. What has an end, or asks, comes before
// what goes on. If the store does not answer, Slack's own limit holds.
func (e *Engine) editSlot(r *deploy.Record) time.Duration {
	ctx, cancel := context.WithTimeout(e.work, storeTimeout)
	defer cancel()
	urgent := r.State != deploy.Running && r.State != deploy.Unsure && r.State != deploy.Silent
	wait, err := e.Store.EditSlot(ctx, r.Request.Team, urgent)
	e.health.answered(ctx, true, err, time.Time{})
	if err != nil || wait <= 0 {
		return 0
	}
	return e.edits.place(urgent, wait)
}
