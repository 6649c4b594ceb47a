package engine

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// shutdownGrace is how long people are told at the very end.
const shutdownGrace = time.Second

// wasNotified reports whether the person was told that no more will be posted
// about an unfinished deploy.
func (e *Engine) wasNotified(r *deploy.Record) bool {
	_, notified := e.notified.Load(r.Request.Key)
	return notified && !r.State.Ended()
}

// Shutdown lets running work finish for a time from now, then cancels it.
func (e *Engine) Shutdown(within time.Duration) {
	e.prepare()
	time.AfterFunc(within, e.cancelWork)
}

// drain waits for running work. With an ephemeral store it is this process that
// delivers what happens until the end, and tells everyone whose deploy is
// unfinished by then: first those whose records are not in work, as Slack takes
// about one message a second and channel.
func (e *Engine) drain() {
	defer e.cancelWork()
	if !e.Ephemeral {
		e.workers.Wait()
		return
	}
	for e.work.Err() == nil {
		e.notifyUnfinished(e.work, false)
		e.takeDue(e.work)
		if e.inFlight.count() == 0 || !Pause(e.work, pollEvery/10) {
			break
		}
	}
	e.closed.Store(true)
	e.workers.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.work), shutdownGrace)
	defer cancel()
	e.notifyUnfinished(ctx, true)
}

// notifyUnfinished tells everyone whose deploy is unfinished, and not in work,
// that this process will not show its end. The last time, no record is in work,
// and what a finished one still has to say is posted as well.
func (e *Engine) notifyUnfinished(ctx context.Context, last bool) {
	open, err := e.Store.Pending(ctx, 1000)
	if err != nil {
		e.log(Event{Name: "store-down", Err: err})
	}
	var all sync.WaitGroup
	for _, s := range open {
		r, k := *s.Record, s.Record.Request.Key
		if !last && (e.inFlight.isBusy(k) || r.State.Ended() || r.State == deploy.Accepted) {
			continue
		}
		if (r.State == deploy.Asking || r.State == deploy.Locked) && !last { // its buttons would do nothing any more
			_, err := e.change(ctx, k, deploy.Record.CloseAsk)
			if err == nil {
				continue
			}
		}
		if _, notified := e.notified.LoadOrStore(k, true); notified {
			continue
		}
		slot, lines := "", []deploy.Message(nil)
		for c := range r.PendingCalls() {
			if c.Kind == deploy.CallPost && c.Slot != deploy.SlotStatus {
				lines = append(lines, c.Message)
			}
		}
		if !r.State.Ended() {
			m := r.Message(deploy.MsgStopping)
			m.User = r.Request.By.User
			lines = []deploy.Message{m}
			if _, posted := r.Shown.Posts[deploy.SlotStatus]; !posted {
				slot = deploy.SlotStatus // in Slack's queue it has the place of the status message
			}
		}
		all.Go(func() {
			for _, m := range lines {
				e.postNow(ctx, r, cmp.Or(slot, string(m.ID)), m)
			}
		})
	}
	all.Wait()
}
