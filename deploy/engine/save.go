package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"reflect"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// fresh makes a record ready to be stored: as the newest layout, and with a new
// revision.
func fresh(r *deploy.Record) {
	// mutant: a save without a new revision
	r.Layout, r.Revision = deploy.Layout, rand.Text()
}

// read makes a call to the store that only reads.
func read[T any](ctx context.Context, e *Engine, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	answer, err := call(ctx)
	e.health.answered(ctx, true, err, time.Time{})
	return answer, err
}

// load reads a record without taking it; ok is false where there is none.
func (e *Engine) load(ctx context.Context, k deploy.Key) (s Stored, ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	s, ok, err = e.Store.Load(ctx, k)
	e.health.answered(ctx, true, err, s.Now)
	return s, ok, err
}

// save writes next over s. A save whose answer was lost is made again, with the
// same bytes, until its outcome is known or ctx ends.
func (e *Engine) save(ctx context.Context, s Stored, next *deploy.Record, due time.Duration) (saved Stored, err error) {
	fresh(next)
	decided := next.Stamp(e.now())
	for try := 0; ; try++ {
		tryCtx, cancel := context.WithTimeout(ctx, storeTimeout)
		saved, err = e.Store.Save(tryCtx, s, next, due)
		e.health.answered(tryCtx, false, err, saved.Now)
		cancel()
		switch {
		case err == nil:
			e.alarm.set(due)
			// mutant: a decision without its line in the log
			for _, d := range decided {
				e.log(Event{Name: string(d.What), Record: next, Decision: d})
			}
			e.logMove(s.Record, next)
			return saved, nil
		case errors.Is(err, ErrChanged) || !Pause(ctx, storeBackoff(try)):
			return s, err
		}
	}
}

func (e *Engine) logMove(from, to *deploy.Record) {
	if from.State == to.State {
		return
	}
	moved := Event{Name: "moved", Record: to, From: from.State}
	if to.State.Ended() && !to.Deployment.Triggered.IsZero() {
		moved.Took = e.now().Sub(to.Deployment.Triggered)
	}
	e.log(moved)
}

// stepResult is a record after a step.
type stepResult struct {
	Stored
	deliver   bool      // its lease is ours, to bring Slack up to date
	room      bool      // and it has a place among the records being delivered
	announced time.Time // when the save began that announced its next post; zero: none has
}

// saveOver saves what f makes of the record, on top of what others saved
// meanwhile, until that succeeds; ok is false if it does not, or f gives up.
func (e *Engine) saveOver(s Stored, f func(deploy.Record) (next *deploy.Record, due time.Duration, ok bool)) (saved Stored, ok bool) {
	for {
		next, due, ok := f(*s.Record)
		if !ok {
			return s, false
		}
		var err error
		if s, err = e.save(e.work, s, next, due); !errors.Is(err, ErrChanged) {
			return s, err == nil
		}
		if s, err = e.reload(s); err != nil {
			return s, false
		}
	}
}

// update saves what f makes of the record. If that is to be delivered at once, the
// same save announces the first post.
func (e *Engine) update(s Stored, f func(deploy.Record) deploy.Record) (result stepResult) {
	defer func() {
		// mutant: room for deliveries that is not given back
		if result.room && !result.deliver {
			<-e.deliveries
		}
	}()
	deliver := false
	saved, ok := e.saveOver(s, func(r deploy.Record) (_ *deploy.Record, due time.Duration, ok bool) {
		next := f(r)
		result.announced = time.Time{}
		if due, deliver = e.forDelivery(&next); deliver && (result.room || e.takeRoom()) {
			result.room = true
			if c, ok := e.nextCall(&next, deploy.CallFind, deploy.CallPost); ok && c.Kind == deploy.CallPost {
				next.Shown.Posting, result.announced = c.Slot, time.Now()
			}
		}
		return &next, due, true
	})
	result.Stored, result.deliver = saved, ok && deliver
	return result
}

// saveShown saves what is shown, due after lease; negative: as the record says.
// gone: the mention was found to be deleted. If what is shown was changed
// meanwhile, somebody else delivers this record now.
func (e *Engine) saveShown(s Stored, shown deploy.Shown, lease time.Duration, gone bool) (Stored, bool) {
	was := s.Record
	return e.saveOver(s, func(next deploy.Record) (_ *deploy.Record, due time.Duration, ok bool) {
		if next.Revision != was.Revision && !was.Shown.Equal(next.Shown) {
			return nil, 0, false
		}
		if next.Shown = shown; gone {
			next = next.Gone()
		}
		if lease < 0 {
			return &next, next.Due(e.now()), true
		}
		next.Shown.Until = e.now().Add(lease)
		return &next, lease, true
	})
}

// forDelivery returns when a record that is to be saved is due. If Slack is to be
// brought up to date now, the save takes the lease to do so.
func (e *Engine) forDelivery(next *deploy.Record) (due time.Duration, deliver bool) {
	now := e.now()
	if at, pending := next.DeliveryDue(); pending && !at.After(now) {
		next.Shown.Until = now.Add(Lease)
		return Lease, true
	}
	return next.Due(now), false
}

// reload reads a record that others changed, until it is read. One that a newer
// version wrote is let go.
func (e *Engine) reload(s Stored) (Stored, error) {
	for try := 0; ; try++ {
		now, ok, err := e.load(e.work, s.Record.Request.Key)
		if err == nil && ok {
			now.Birth = s.Birth
			return now, nil
		}
		if err == nil {
			return s, nil // gone since: the save writes it anew
		}
		// mutant: a record of a newer layout that is not released
		if errors.Is(err, ErrUnreadable) || !Pause(e.work, storeBackoff(try)) {
			return s, err
		}
	}
}

// change saves what f makes of a record that is not in work. The record is made
// due now, so that its holder, or whoever takes it next, delivers the change. An
// unchanged record is not saved. ok is false if there is no record.
func (e *Engine) change(ctx context.Context, k deploy.Key, f func(deploy.Record) deploy.Record) (ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 4*storeTimeout)
	defer cancel()
	for range 5 {
		s, ok, err := e.load(ctx, k)
		if err != nil || !ok {
			return false, err
		}
		next := f(*s.Record)
		if reflect.DeepEqual(next, *s.Record) {
			return true, nil
		}
		due := max(0, next.Shown.Until.Sub(e.now())) // whoever delivers it just now will find the change
		// mutant: a callback that is not retried after a concurrent change
		if _, err = e.save(ctx, s, &next, due); !errors.Is(err, ErrChanged) {
			return true, err
		}
	}
	return true, ErrChanged
}

// delay moves the due time of a record. If it fails, the record is due when its
// lease passes.
func (e *Engine) delay(s Stored, d time.Duration) {
	ctx, cancel := context.WithTimeout(e.work, storeTimeout)
	defer cancel()
	if e.Store.Delay(ctx, s, d) == nil {
		e.alarm.set(d)
	}
}
