package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// callTimeout bounds one call to Slack, so that a lease has time for two.
const callTimeout = 4 * time.Second

// deliverIfRoom delivers a record that is to be delivered, now or as soon as
// there is room.
func (e *Engine) deliverIfRoom(r stepResult) {
	switch {
	case !r.deliver:
	case r.room || e.takeRoom():
		e.deliver(r.Stored, r.announced)
		<-e.deliveries
	default: // whoever has room then may deliver
		shown := r.Record.Shown
		// mutant: a claim on a delivery that is kept without room to deliver
		shown.Until = e.now().Add(e.undelivered.next(2*time.Second, firstSpacing))
		e.saveShown(r.Stored, shown, -1, false)
	}
}

// takeRoom takes a place among the records being delivered, if there is one.
func (e *Engine) takeRoom() bool {
	select {
	case e.deliveries <- struct{}{}:
		return true
	default:
		return false
	}
}

// deliver brings Slack up to date with a record whose lease is held. Reactions
// and edits may be made twice with the same result; a post is preceded by a save
// that announces it, and whoever finds that save looks whether the message is
// there before posting it. A call that Slack does not take now (because of the
// rate limit of one method, say) does not hold up the others. After three panics
// all counts as delivered. announced is when the save began that announced the
// record's next post; zero: it did not.
func (e *Engine) deliver(s Stored, announced time.Time) {
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
	shown, gone, put := s.Record.Shown, false, ""
	renewed := shown.Until.Add(-Lease) // the save that led here may have announced it
	slot := ""                         // whose post is announced
	if !announced.IsZero() {
		slot, shown.Posting = shown.Posting, ""
	}
	var now deploy.Record
	for {
		if now = *s.Record; gone {
			now = now.Gone()
		}
		now.Shown = shown
		call, ok := e.nextCall(&now)
		if !ok || now.State != s.Record.State {
			break
		}
		if call.Kind == deploy.CallUpdate {
			if wait := e.editSlot(s.Record); wait > 0 {
				shown.WaitForRoom(call, e.now().Add(wait))
				continue
			}
		}
		isAnnounced := call.Slot == slot && passed(announced) <= Lease/3
		if call.Kind == deploy.CallPost && !isAnnounced || e.now().Sub(renewed) > Lease/3 {
			announcing, began := shown, time.Now()
			if call.Kind == deploy.CallPost {
				// mutant: a post that is not announced
				announcing.Posting = call.Slot
			}
			if s, ok = e.saveShown(s, announcing, Lease, gone); !ok {
				e.takeOff(s, put)
				return
			}
			renewed = e.now()
			// The record may have changed meanwhile: what is posted is the newest. And a
			// worker that was suspended may have lost the lease: the next save tells.
			now = *s.Record
			now.Shown = shown
			newest, _ := e.nextCall(&now)
			// mutant: a post after its announcement has expired
			if newest.Kind != call.Kind || newest.Slot != call.Slot || passed(began) > Lease/3 {
				continue
			}
			call = newest
		}
		if call.Kind == deploy.CallPost {
			slot = ""
		}
		err := e.call(e.work, s.Record.Request, call, &shown)
		if e.work.Err() != nil {
			return // canceled
		}
		if wait, ok := errors.AsType[*LaterError](err); ok {
			shown.PutOff(call.Kind, e.now().Add(max(wait.After, storeBackoff(0))))
		}
		gone = gone || errors.Is(err, ErrMentionGone)
		if call.Kind == deploy.CallReact && err == nil {
			put = call.Reaction
		}
		e.logCall(s.Record, call, err, shown)
	}
	shown.Until = time.Time{}
	if e.wasNotified(s.Record) { // what is not posted now must not keep the shutdown going
		shown.PutOff(deploy.CallPost, e.now().Add(pollEvery))
	}
	// If this cannot be saved, the mention is looked for before the next POST.
	if _, ok := e.saveShown(s, shown, -1, gone); !ok {
		e.takeOff(s, put)
	}
}

// editEvery is how far apart edits are that wait for their turn.
const editEvery = 1600 * time.Millisecond

// editSlot takes one of the edits that all processes share, for a record; the
// result is in how long there may be one. What has an end, or asks, comes before
// what goes on. If the store does not answer, Slack's own limit holds.
func (e *Engine) editSlot(r *deploy.Record) time.Duration {
	urgent := r.State != deploy.Running && r.State != deploy.Unsure && r.State != deploy.Silent
	wait, err := read(e.work, e, func(ctx context.Context) (time.Duration, error) {
		return e.Store.EditSlot(ctx, r.Request.Team, urgent)
	})
	switch {
	case err != nil || wait <= 0:
		return 0
	case urgent:
		return e.urgentEdits.next(wait, editEvery)
	}
	return e.edits.next(wait, editEvery)
}

// takeOff has a reaction taken off that was put too late, by a process that was
// suspended in the middle of the call: somebody else has put another since.
func (e *Engine) takeOff(s Stored, put string) {
	if put == "" {
		return
	}
	_, _ = e.change(e.work, s.Record.Request.Key, func(r deploy.Record) deploy.Record { return r.ReactedLate(put) })
}

// nextCall is the first pending call that may be made now, of these kinds or, without
// any, of all.
func (e *Engine) nextCall(r *deploy.Record, kinds ...deploy.CallKind) (next deploy.Call, ok bool) {
	now, silent := e.now(), e.wasNotified(r)
	for c := range r.PendingCalls() {
		posts := c.Kind == deploy.CallPost || c.Kind == deploy.CallFind
		if (len(kinds) == 0 || slices.Contains(kinds, c.Kind)) && !r.Shown.NotBefore(c).After(now) && !(posts && silent) {
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

// is reports whether an error is of a type.
func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// call makes one call and notes in shown what is in Slack after it. A call that
// Slack will never take counts as made: delivery goes on without it.
func (e *Engine) call(ctx context.Context, m deploy.Request, c deploy.Call, shown *deploy.Shown) (err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
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
		ts, err = e.Slack.Post(ctx, Place{m, c.Slot, shown.IsInChannel(c.Slot)}, c.Message)
		if closed, ok := errors.AsType[*ThreadError](err); ok && shown.IsInChannel(c.Slot) {
			err = &PassingError{closed.Err} // the channel takes nothing either
		}
	}
	switch {
	case is[*LaterError](err):
		return err
	case is[*LostError](err): // it is looked up before it is posted again
		shown.Lost(c.Slot, e.now())
		return err
	case is[*ThreadError](err): // the channel is tried at once
		shown.InChannel = true
		shown.ClearRetry(c.Kind)
		return err
	case is[*PassingError](err) && shown.Refused(c, e.now()):
		return err
	}
	shown.ClearRetry(c.Kind) // it was made, or never will be
	if err != nil && c.Kind == deploy.CallUpdate {
		// mutant: buttons left in a message that takes no edit
		shown.EditRefused(c)
		return err
	}
	shown.Done(c, ts)
	return err
}

// findPost looks whether a post that was announced is there.
func (e *Engine) findPost(ctx context.Context, m deploy.Request, c deploy.Call, shown *deploy.Shown) error {
	ts, ok, err := e.Slack.Find(ctx, Place{m, c.Slot, shown.IsInChannel(c.Slot)})
	if is[*LaterError](err) {
		return err
	}
	shown.Posting = ""
	switch {
	case err == nil || ok:
		shown.ClearRetry(deploy.CallFind)
		if ok {
			shown.Done(c, ts)
		}
	case !shown.LookUpFailed():
		shown.Done(c, "")
		err = fmt.Errorf("posted %d times without an answer, and not again, as it cannot be looked up: %w", deploy.MaxPosts, err)
	}
	return err
}

func (e *Engine) logCall(r *deploy.Record, c deploy.Call, err error, shown deploy.Shown) {
	name, detail, tries := "slack-refused", string(c.Kind), shown.Retries[c.Kind].Tries
	switch {
	case err == nil:
		return
	case is[*PassingError](err) && tries == 1 && c.Kind != deploy.CallFind: // a look-up is not retried for an hour
		name = "slack-retry"
	case is[*LaterError](err), is[*LostError](err), is[*PassingError](err) && tries > 1 && c.Kind != deploy.CallFind:
		name = "slack-later"
	case is[*ThreadError](err):
		name, detail = "slack-thread-closed", c.Slot
	}
	e.log(Event{Name: name, Record: r, Err: err, Detail: detail})
}

// postNow posts for a record that is not stored, and waits its turn until ctx
// ends. It returns what is shown then.
func (e *Engine) postNow(ctx context.Context, r deploy.Record, slot string, m deploy.Message) (shown deploy.Shown, posted bool) {
	for {
		err := e.call(ctx, r.Request, deploy.Call{Kind: deploy.CallPost, Slot: slot, Message: r.Worded(m, slot)}, &r.Shown)
		wait, isLater := errors.AsType[*LaterError](err)
		switch {
		case err == nil:
			return r.Shown, true
		case isLater && Pause(ctx, wait.After):
		case is[*ThreadError](err):
			e.log(Event{Name: "slack-thread-closed", Record: &r, Err: err, Detail: string(m.ID)})
		default:
			e.log(Event{Name: "slack-refused", Record: &r, Err: err, Detail: string(m.ID)})
			return r.Shown, false
		}
	}
}
