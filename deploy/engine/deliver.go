package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// callTimeout bounds one call to Slack, so that a lease has time for two.
const callTimeout = 4 * time.Second

// deliverIfRoom delivers a record that is to be delivered, now or as soon as
// there is room.
func (e *Engine) deliverIfRoom(r stepResult) {
	if !r.deliver {
		return
	}
	select {
	case e.deliveries <- struct{}{}:
		e.deliverSafely(r.Stored)
		<-e.deliveries
	default: // whoever has room then may deliver, even if that is before the lease would have ended
		shown := r.Record.Shown
		// mutant: a claim on showing that is kept where there is no room to show
		shown.Until, shown.Next = time.Time{}, e.now().Add(2*time.Second+e.fresh.nextDelay(""))
		e.saveShown(r.Stored, shown, -1)
	}
}

// deliverSafely delivers a record. After three panics it counts as delivered.
func (e *Engine) deliverSafely(s Stored) {
	defer func() {
		if p := recover(); p != nil {
			e.logPanic(s.Record, p)
			e.update(s, func(r deploy.Record) deploy.Record {
				if r.Panics++; r.Panics >= 3 {
					r = r.GiveUpDelivery()
				}
				r.Shown.Until = e.now().Add(Lease)
				return r
			})
		}
	}()
	e.deliver(s)
}

// deliver brings Slack up to date with a record whose lease is held. Reactions
// and edits may be made twice with the same result; a post is preceded by a save
// that announces it, and whoever finds that save looks whether the message is
// there before posting it. A call that Slack does not take now (because of the
// rate limit of one method, say) does not hold up the others.
func (e *Engine) deliver(s Stored) {
	shown, gone := s.Record.Shown, false
	blocked := e.blockedCalls(s.Record)
	renewed := shown.Until.Add(-Lease) // the save that led here may have announced it
	for {
		call, ok := nextCall(s.Record.WithShown(shown), blocked)
		if !ok || gone && s.Record.Gone().State != s.Record.State {
			break
		}
		if call.Kind == deploy.CallPost || e.now().Sub(renewed) > Lease/3 {
			announced, began := shown, time.Now()
			if call.Kind == deploy.CallPost {
				// mutant: a post that is not announced
				announced.Posting = call.Slot
			}
			if s, ok = e.saveShown(s, announced, Lease); !ok {
				return
			}
			renewed = e.now()
			// The record may have changed meanwhile: what is posted is the newest. And a
			// worker that was suspended may have lost the lease: the next save tells.
			now, _ := nextCall(s.Record.WithShown(shown), blocked)
			// mutant: a post by who slept over its announcement
			if now.Kind != call.Kind || now.Slot != call.Slot || passed(began) > Lease/3 {
				continue
			}
			call = now
		}
		err := e.call(s.Record.Request, call, &shown)
		if e.work.Err() != nil {
			return // canceled
		}
		var wait *LaterError
		if errors.As(err, &wait) {
			blocked[call.Kind] = wait.After
		}
		gone = gone || errors.Is(err, ErrMentionGone)
		e.logCall(s.Record, call, err, shown)
	}
	shown.Until, shown.Next = time.Time{}, time.Time{}
	for _, after := range blocked {
		if at := e.now().Add(max(after, storeBackoff(0))); shown.Next.IsZero() || at.Before(shown.Next) {
			shown.Next = at
		}
	}
	if _, ok := e.saveShown(s, shown, -1); ok && gone {
		// If this cannot be saved, the mention is looked for before the next POST.
		_, _ = e.change(e.work, s.Record.Request.Key, deploy.Record.Gone)
	}
}

// blockedCalls are the kinds of calls that Slack does not take for now, and for
// how long.
func (e *Engine) blockedCalls(r deploy.Record) map[deploy.CallKind]time.Duration {
	blocked := map[deploy.CallKind]time.Duration{}
	for kind, retry := range r.Shown.Retries {
		if left := retry.Next.Sub(e.now()); left > 0 {
			blocked[kind] = left
		}
	}
	if e.shutdown.wasNotified(r) {
		blocked[deploy.CallPost] = 0 // the person was told that no more will be posted
	}
	return blocked
}

// nextCall is the first pending call that is not blocked. Looking a post up and
// posting are one kind here: either holds up the messages after it, for their
// order.
func nextCall(r deploy.Record, blocked map[deploy.CallKind]time.Duration) (next deploy.Call, ok bool) {
	_, noFind := blocked[deploy.CallFind]
	_, noPost := blocked[deploy.CallPost]
	for _, c := range r.PendingCalls() {
		_, no := blocked[c.Kind]
		if !no && (c.Kind != deploy.CallPost || !noFind) && (c.Kind != deploy.CallFind || !noPost) {
			return c, true
		}
	}
	return deploy.Call{}, false
}

// passed is how much time has passed by either clock: the monotonic one stops
// while the machine sleeps, the other can be set.
func passed(since time.Time) time.Duration {
	return max(time.Since(since), time.Since(since.Round(0)))
}

// call makes one call and notes in shown what is in Slack after it. The error of
// a call that Slack will never take is returned too, but the call counts as made:
// delivery goes on without it.
func (e *Engine) call(m deploy.Request, c deploy.Call, shown *deploy.Shown) (err error) {
	ctx, cancel := context.WithTimeout(e.work, callTimeout)
	defer cancel()
	ts := ""
	switch c.Kind {
	case deploy.CallFind:
		return e.findPost(ctx, m, c, shown)
	case deploy.CallReact:
		err = e.Slack.React(ctx, m.Key, c.Reaction)
	case deploy.CallUnreact:
		err = e.Slack.Unreact(ctx, m.Key, c.Reaction)
	case deploy.CallUpdate:
		err = e.Slack.Update(ctx, m.Key, shown.Posts[c.Slot].TS, c.Message)
	case deploy.CallPost:
		ts, err = e.Slack.Post(ctx, Place{m, c.Slot, shown.InChannel}, c.Message)
		var lost *LostError
		var closed *ThreadError
		switch {
		case errors.As(err, &lost): // it is looked up before it is posted again
			return &LaterError{After: shown.Lost(c.Slot, e.now()), Err: err}
		case errors.As(err, &closed) && !shown.InChannel: // the channel is tried at once
			shown.InChannel = true
			shown.ClearRetry(deploy.CallPost)
			return err
		case errors.As(err, &closed):
			err = &PassingError{closed.Err} // the channel takes nothing either
		}
	}
	var passing *PassingError
	var wait *LaterError
	switch {
	case errors.As(err, &passing):
		if after := shown.Refused(c, e.now()); after > 0 {
			return &LaterError{After: after, Err: err}
		}
	case errors.As(err, &wait):
		return err
	default: // made, or never
		shown.ClearRetry(c.Kind)
	}
	shown.Done(c, ts)
	return err
}

// findPost looks whether a post that was announced is there.
func (e *Engine) findPost(ctx context.Context, m deploy.Request, c deploy.Call, shown *deploy.Shown) error {
	ts, ok, err := e.Slack.Find(ctx, Place{m, c.Slot, shown.InChannel})
	var wait *LaterError
	if errors.As(err, &wait) {
		return err
	}
	shown.Posting = ""
	switch {
	case ok:
		shown.ClearRetry(deploy.CallFind)
		shown.Done(c, ts)
	case err == nil:
		shown.ClearRetry(deploy.CallFind)
	case !shown.LookUpFailed():
		shown.Done(c, "")
		err = fmt.Errorf("posted %d times without an answer, and not again, as it cannot be looked up: %w", deploy.PostsMost, err)
	}
	return err
}

func (e *Engine) logCall(r deploy.Record, c deploy.Call, err error, shown deploy.Shown) {
	var wait *LaterError
	var passing *PassingError
	var closed *ThreadError
	name, detail := "slack-refused", string(c.Kind)
	switch {
	case err == nil:
		return
	case errors.As(err, &wait) && errors.As(err, &passing) && shown.Retries[c.Kind].Tries == 1:
		name = "slack-retry"
	case errors.As(err, &wait):
		name = "slack-later"
	case errors.As(err, &closed) && c.Kind == deploy.CallPost:
		name, detail = "slack-thread-closed", c.Slot
	}
	e.log(Event{Name: name, Record: r, Err: err, Detail: detail})
}

// postNow posts what no record keeps, and waits its turn until ctx ends. lost: it
// may have been posted. Where the thread takes no replies, at becomes the channel.
func (e *Engine) postNow(ctx context.Context, at *Place, m deploy.Message) (posted, lost bool) {
	r := deploy.Record{Request: at.Request}
	for {
		r.Shown.InChannel = at.InChannel
		_, err := e.Slack.Post(ctx, *at, r.Worded(m, at.Slot))
		var wait *LaterError
		var unknown *LostError
		var closed *ThreadError
		switch {
		case err == nil:
			return true, false
		case errors.As(err, &wait) && Pause(ctx, wait.After):
			continue
		case errors.As(err, &closed) && !at.InChannel:
			e.log(Event{Name: "slack-thread-closed", Record: r, Err: err, Detail: string(m.ID)})
			at.InChannel = true
			continue
		}
		e.log(Event{Name: "slack-refused", Record: r, Err: err, Detail: string(m.ID)})
		return false, errors.As(err, &unknown)
	}
}
