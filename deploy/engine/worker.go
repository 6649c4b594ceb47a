package engine

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/actions"
	"github.com/getto-systems/psycher/deploy/rules"
)

// dispatch works on a record in a goroutine of its own: one step for its own
// sake, then its delivery. free releases the place that it has among those in
// work.
func (e *Engine) dispatch(s Stored, free func()) {
	free = sync.OnceFunc(free)
	mine := e.inFlight.acquire(s)
	if mine == nil {
		free()
		return
	}
	e.workers.Go(func() {
		for again := &s; again != nil; again = e.inFlight.release(s.Record.Request.Key, mine) {
			result := e.step(*again, free)
			free()
			e.deliverIfRoom(result)
		}
	})
}

// step does the one thing that a record is due for. It calls free before it calls
// GitLab: such a call has a place of its own, and keeps no answer waiting.
func (e *Engine) step(s Stored, free func()) (result stepResult) {
	defer func() {
		if p := recover(); p != nil {
			e.logPanic(s.Record, p)
			result = e.update(s, func(r deploy.Record) deploy.Record { return r.AfterPanic(e.now(), e.Timing) })
		}
	}()
	r := s.Record
	if r.Next.After(e.now()) && r.State != deploy.Accepted {
		return e.leave(s, r.Next) // it is due for Slack alone
	}
	switch r.State {
	case deploy.Accepted:
		return e.begin(s, free)
	case deploy.Waiting:
		return e.triggerAgain(s, free)
	case deploy.Triggering: // whoever made the POST is gone, or cannot save
		attempt := r.Deployment.Attempt
		return e.update(s, func(r deploy.Record) deploy.Record {
			if !r.IsTriggering(attempt) {
				return r
			}
			// mutant: a second POST by the worker that takes over
			return r.MarkUnsure(e.now(), e.Timing)
		})
	case deploy.Unsure, deploy.Running, deploy.Silent:
		return e.pollGitLab(s, free)
	case deploy.Failed, deploy.Canceled:
		if r.Deployment.Ending != "" {
			return e.pollGitLab(s, free)
		}
	}
	return e.leave(s, r.Next)
}

func (e *Engine) logPanic(r deploy.Record, p any) {
	e.log(Event{Name: "worker-panic", Record: r, Err: fmt.Errorf("panic: %v", p), Detail: string(debug.Stack())})
}

// leave has a record delivered that is due for that, or else puts its due time
// back to where it belongs. next is when it is due for its own sake.
func (e *Engine) leave(s Stored, next time.Time) stepResult {
	r, now := s.Record, e.now()
	r.Next = next
	// mutant: a queued deploy not shown
	due := r.Due(now)
	if due == 0 && len(r.PendingCalls()) > 0 {
		return stepResult{s, true}
	}
	// mutant: a due time that is not put back
	e.delay(s, due)
	return stepResult{Stored: s}
}

// begin takes up a mention: it is answered, or it starts a deployment.
func (e *Engine) begin(s Stored, free func()) stepResult {
	m, began := s.Record.Request, time.Now()
	here := e.Targets.In(m.Team, m.Channel)
	d := actions.Decide(actions.Request{Intent: m.Intent, Here: here, Rules: e.rulesContext(s)})
	if d.Deploy != nil {
		return e.trigger(s, *d.Deploy, began, free)
	}
	if d.ShowLast {
		d.Answer = actions.WithLast(d.Answer, e.last(m, d.Answer.Target, here))
	}
	e.log(Event{Name: "answered", Record: s.Record, Detail: string(d.Answer.ID)})
	return e.update(s, func(r deploy.Record) deploy.Record {
		if r.State != deploy.Accepted {
			return r
		}
		return r.Answer(d.Answer)
	})
}

func (e *Engine) rulesContext(s Stored) rules.Context {
	return rules.Context{Request: s.Record.Request, Birth: s.Birth, SlackNow: e.Slack.Now(), MaxAge: e.Timing.MaxAge}
}

// last is the last deployment of a target, or with an empty name the newest of
// the channel; zero: none is known.
func (e *Engine) last(m deploy.Request, target string, here []deploy.Target) (last deploy.Record) {
	for _, t := range here {
		if target != "" && t.Name != target {
			continue
		}
		ctx, cancel := context.WithTimeout(e.work, storeTimeout)
		r, ok, err := e.Store.Last(ctx, m.Team, m.Channel, t.Name)
		cancel()
		if err == nil && ok && r.Deployment.Triggered.After(last.Deployment.Triggered) {
			last = r
		}
	}
	return last
}
