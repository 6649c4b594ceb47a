package engine

import (
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// dispatch works on a record in a goroutine of its own.
func (e *Engine) dispatch(s Stored, free func()) {
	e.workers.Go(e.workOn(s, free))
}

// workOn returns the work on a record, which is to be called: one step for its own
// sake, then its delivery. free releases the place that it has among those in work.
func (e *Engine) workOn(s Stored, free func()) (work func()) {
	free = sync.OnceFunc(free)
	mine := e.inFlight.acquire(s)
	if mine == nil {
		free()
		return func() {}
	}
	e.workers.Add(1)
	return func() {
		defer e.workers.Done()
		for again := &s; again != nil; again = e.inFlight.release(s.Record.Request.Key, mine) {
			result := e.step(*again, free)
			free()
			e.deliverIfRoom(result)
		}
	}
}

// step does the one thing that a record is due for. It calls free before it calls
// GitLab: such a call has a place of its own, and keeps no answer waiting.
func (e *Engine) step(s Stored, free func()) (result stepResult) {
	defer func() {
		if p := recover(); p != nil {
			e.logPanic(s.Record, p)
			result = e.update(s, func(r deploy.Record) deploy.Record { return r.AfterPanic(e.now(), e.Config().Timing) })
		}
	}()
	r := s.Record
	// mutant: a queued one that does not look when its turn may have come
	if r.Next.After(e.now()) && r.State != deploy.Accepted && r.State != deploy.Queued {
		if r.IsSlow(e.now()) {
			return e.update(s, func(r deploy.Record) deploy.Record { return r.Slow(e.now()) })
		}
		return e.leave(s, r.Next) // it is due for Slack alone
	}
	if r.AgainDue() {
		return e.again(s)
	}
	switch r.State {
	case deploy.Accepted:
		return e.begin(s, free)
	case deploy.Asking:
		if r.IsPressed() {
			return e.begin(s, free)
		}
		return e.update(s, func(r deploy.Record) deploy.Record { return r.Lapse(e.now()) })
	case deploy.Locked:
		return e.update(s, func(r deploy.Record) deploy.Record { return r.LockDue(e.now()) })
	case deploy.Queued:
		return e.takeTurn(s, free)
	case deploy.Waiting:
		return e.triggerAgain(s, free)
	case deploy.Triggering: // whoever made the POST is gone, or cannot save
		attempt := r.Deployment.Attempt
		return e.update(s, func(r deploy.Record) deploy.Record {
			if !r.IsTriggering(attempt) {
				return r
			}
			// mutant: a second POST by the worker that takes over
			return r.MarkUnsure(e.now(), e.Config().Timing)
		})
	case deploy.Unsure, deploy.Running, deploy.Silent:
		return e.pollGitLab(s, free)
	case deploy.Failed, deploy.Canceled:
		if r.ShouldPoll(e.Config().Timing) {
			return e.pollGitLab(s, free)
		}
	case deploy.Succeeded:
		if !r.Next.IsZero() {
			return e.update(s, deploy.Record.Rest)
		}
	}
	return e.leave(s, r.Next)
}

func (e *Engine) logPanic(r *deploy.Record, p any) {
	e.log(Event{Name: "worker-panic", Record: r, Err: fmt.Errorf("panic: %v", p), Detail: string(debug.Stack())})
}

// leave has a record delivered that is due for that, or else puts its due time
// back to where it belongs. next is when it is due for its own sake.
func (e *Engine) leave(s Stored, next time.Time) stepResult {
	r, now := *s.Record, e.now()
	r.Next = next
	// mutant: a queued deploy not shown
	due := r.Due(now)
	if _, pending := r.DeliveryDue(); due == 0 && pending {
		return stepResult{Stored: s, deliver: true}
	}
	// mutant: a due time that is not put back
	e.delay(s, due)
	return stepResult{Stored: s}
}
