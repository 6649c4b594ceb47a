package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// showOrBreak shows a record. What breaks it three times is held for shown.
func (l *Engine) showOrBreak(h Stored) {
	defer func() {
		if p := recover(); p != nil {
			l.log(Event{Name: "worker-broke", Record: h.Record, Err: fmt.Errorf("panic: %v", p), Detail: string(debug.Stack())})
			l.put(h, func(r deploy.Record) deploy.Record {
				if r.Panics++; r.Panics >= 3 {
					r = r.GiveUpDelivery()
				}
				r.Shown.Until = l.now().Add(Lease)
				return r
			})
		}
	}()
	l.show(h)
}

// showTimeout bounds one call to Slack, so that a lease holds two of them.
const showTimeout = 4 * time.Second

// show brings Slack from what it shows to what it should show of a record that
// is held. Reactions and edits may be made twice and be the same; a post is
// preceded by a save that says so, and whoever finds that save looks whether
// the message stands before posting it. What Slack does not take now (a rate
// limit of one method, say) does not keep the rest back.
func (l *Engine) show(h Stored) {
	s, blocked, gone := h.Record.Shown, map[deploy.CallKind]time.Duration{}, false
	for do, r := range s.Retries {
		if left := r.Next.Sub(l.now()); left > 0 {
			blocked[do] = left
		}
	}
	held := s.Until.Add(-Lease) // the save that led here may have announced it
	if l.hasParted(h.Record) {
		blocked[deploy.CallPost] = 0 // its person was told so, in that place
	}
	for {
		step, ok := firstOf(h.Record.WithShown(s).PendingCalls(), blocked)
		if !ok || gone && h.Record.Gone().State != h.Record.State {
			break
		}
		if step.Kind == deploy.CallPost || l.now().Sub(held) > Lease/3 {
			announced, began := s, time.Now()
			if step.Kind == deploy.CallPost {
				// mutant: a post that is not announced
				announced.Posting = step.Slot
			}
			if h, ok = l.keep(h, announced, Lease); !ok {
				return
			}
			held = l.now()
			// A word may have come meanwhile: what is posted is the newest. And who
			// slept over the answer may have lost the lease: the next save tells.
			now, _ := firstOf(h.Record.WithShown(s).PendingCalls(), blocked)
			// mutant: a post by who slept over its announcement
			if now.Kind != step.Kind || now.Slot != step.Slot || passed(began) > Lease/3 {
				continue
			}
			step = now
		}
		err := l.do(h.Record.Mention, step, &s)
		var wait *LaterError
		var passing *PassingError
		var closed *ThreadError
		switch {
		case l.work.Err() != nil:
			return // let go
		case errors.As(err, &wait):
			blocked[step.Kind] = wait.After
			if errors.As(err, &passing) && s.Retries[step.Kind].Tries == 1 {
				l.log(Event{Name: "slack-retry", Record: h.Record, Err: err, Detail: string(step.Kind)})
				continue
			}
			l.log(Event{Name: "slack-later", Record: h.Record, Err: err, Detail: string(step.Kind)})
		case errors.As(err, &closed) && step.Kind == deploy.CallPost: // the channel is tried at once
			l.log(Event{Name: "slack-thread-closed", Record: h.Record, Err: err, Detail: step.Slot})
		case err != nil:
			gone = gone || errors.Is(err, ErrMentionGone)
			l.log(Event{Name: "slack-refused", Record: h.Record, Err: err, Detail: string(step.Kind)})
		}
	}
	s.Until, s.Next = time.Time{}, time.Time{}
	for _, after := range blocked {
		if at := l.now().Add(max(after, backoff(0))); s.Next.IsZero() || at.Before(s.Next) {
			s.Next = at
		}
	}
	if _, ok := l.keep(h, s, -1); ok && gone {
		// Where it cannot be saved, the mention is looked for before the next POST.
		_, _ = l.change(l.work, h.Record.Mention.Key, deploy.Record.Gone)
	}
}

// showLater gives the claim on showing a record up: whoever has room after d
// may show it, also if that is before the claim would have ended.
func (l *Engine) showLater(h Stored, d time.Duration) {
	s := h.Record.Shown
	// mutant: a claim on showing that is kept where there is no room to show
	s.Until, s.Next = time.Time{}, l.now().Add(d)
	l.keep(h, s, -1)
}

// passed is how much time has passed by either clock: one stands still while
// the machine sleeps, the other can be set.
func passed(since time.Time) time.Duration {
	return max(time.Since(since), time.Since(since.Round(0)))
}

// firstOf gives the first step that is not blocked. A look-up is a kind of
// post: one that waits keeps the messages after it back, for their order.
func firstOf(steps []deploy.Call, blocked map[deploy.CallKind]time.Duration) (deploy.Call, bool) {
	_, noFind := blocked[deploy.CallFind]
	_, noPost := blocked[deploy.CallPost]
	for _, s := range steps {
		if _, no := blocked[s.Kind]; no || s.Kind == deploy.CallPost && noFind || s.Kind == deploy.CallFind && noPost {
			continue
		}
		return s, true
	}
	return deploy.Call{}, false
}

// do makes one call and notes in s what stands in Slack after it. The error of
// a call that Slack will never take is returned too, but s then counts it as
// made: showing goes on without it.
func (l *Engine) do(m deploy.Mention, call deploy.Call, s *deploy.Shown) (err error) {
	ctx, cancel := context.WithTimeout(l.work, showTimeout)
	defer cancel()
	ts := ""
	switch call.Kind {
	case deploy.CallReact:
		err = l.Slack.React(ctx, m.Key, call.Reaction)
	case deploy.CallUnreact:
		err = l.Slack.Unreact(ctx, m.Key, call.Reaction)
	case deploy.CallUpdate:
		err = l.Slack.Update(ctx, m.Key, s.Status, call.Message)
	case deploy.CallFind:
		return l.findPost(ctx, m, call, s)
	default:
		ts, err = l.Slack.Post(ctx, Place{m, call.Slot, s.InChannel}, call.Message)
	}
	var wait *LaterError
	var lost *LostError
	var closed *ThreadError
	var passing *PassingError
	if call.Kind == deploy.CallPost && errors.As(err, &closed) {
		if !s.InChannel {
			s.InChannel = true
			s.ClearRetry(deploy.CallPost)
			return err
		}
		err = &PassingError{closed.Err} // the channel takes nothing either
	}
	switch {
	case call.Kind == deploy.CallPost && errors.As(err, &lost): // it is looked up before it is posted again
		return &LaterError{After: s.Lost(call.Slot, l.now()), Err: err}
	case errors.As(err, &passing):
		if after := s.Refused(call, l.now()); after > 0 {
			return &LaterError{After: after, Err: err}
		}
	case errors.As(err, &wait):
		return err
	default: // made, or never: the next of its kind has its own hour
		s.ClearRetry(call.Kind)
	}
	s.Done(call, ts)
	return err
}

// findPost looks whether a post that was begun stands.
func (l *Engine) findPost(ctx context.Context, m deploy.Mention, call deploy.Call, s *deploy.Shown) error {
	ts, ok, err := l.Slack.Find(ctx, Place{m, call.Slot, s.InChannel})
	var wait *LaterError
	if errors.As(err, &wait) {
		return err
	}
	s.Posting = ""
	switch {
	case ok:
		s.ClearRetry(deploy.CallFind)
		s.Done(call, ts)
	case err == nil:
		s.ClearRetry(deploy.CallFind)
	case !s.LookUpFailed():
		s.Done(call, "")
		err = fmt.Errorf("posted %d times without an answer, and not again, as it cannot be looked up: %w", deploy.PostsMost, err)
	}
	return err
}

// keep saves what is shown; due negative: as the record says. Words from
// outside may have changed the rest of the record: then it is saved on top of
// that. If what is shown was changed, somebody else shows this record now.
func (l *Engine) keep(h Stored, s deploy.Shown, due time.Duration) (Stored, bool) {
	for {
		next, d := h.Record.WithShown(s), due
		if d < 0 {
			d = next.Due(l.now())
		} else {
			next.Shown.Until = l.now().Add(d)
		}
		saved, err := l.save(l.work, h, next, d)
		if err == nil {
			return saved, true
		}
		if !errors.Is(err, ErrChanged) {
			return h, false
		}
		was := h.Record.Shown
		if h, err = l.reload(h); err != nil || !was.Equal(h.Record.Shown) {
			return h, false
		}
	}
}
