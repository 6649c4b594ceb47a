package engine

import (
	"context"
	"errors"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// How long a mention may take to be recorded before its person is told that it
// was not. Slack delivers again what is not acked within 3 s.
const (
	claimWithin = 1500 * time.Millisecond // a refused claim is retried for this long
	claimTry    = 800 * time.Millisecond
	ackWithin   = 2800 * time.Millisecond // in all, including telling the person
)

// Accept takes in a mention that Slack delivered, and reports whether it may be
// acked: it is recorded, or its person was told that it is not. Everything else
// is then's, which is to be called after the ack, if it is not nil. attempt counts
// Slack's deliveries before this one.
func (e *Engine) Accept(ctx context.Context, m deploy.Request, attempt int) (ack bool, then func()) {
	e.prepare()
	came := time.Now()
	ctx, cancel := context.WithTimeout(ctx, ackWithin)
	defer cancel()
	if r := e.outage.wasTold(m.Key); r != nil {
		claimed := e.claimNotStarted(ctx, *r)
		switch {
		// mutant: an edit ignored after an outage
		case !m.Edited:
			return true, nil
		case !claimed:
			return false, nil // Slack delivers it again
		}
	}
	r, lease := &deploy.Record{State: deploy.Accepted, Request: m}, time.Duration(-1)
	var release func()
	if m.Intent.Kind == "" {
		// An edit took the bot's name out. A message without a record gets one that
		// asks for nothing, as Slack may still deliver the message as it was.
		r.State = deploy.Answered
	} else if release, lease = e.fresh.acquire(m.Channel); release != nil {
		lease = Lease
	}
	s, made, err := e.claim(ctx, r, lease)
	// mutant: a repeated delivery that keeps its place
	if release != nil && !made {
		release()
	}
	switch {
	case err != nil:
		return e.tellNotRecorded(ctx, m, attempt, err), nil
	case !made && m.Edited: // it is acked only once what it changes is saved
		_, err := e.change(ctx, m.Key, func(r deploy.Record) deploy.Record { return r.Edit(m.Intent) })
		// mutant: an edit acked although it is not saved
		return err == nil, nil
	case !made:
		e.log(Event{Name: "known", Record: s.Record})
	case release != nil:
		s.Came = came
		work := e.workOn(s, release)
		return true, func() {
			e.log(Event{Name: "claimed", Record: s.Record})
			work()
		}
	case lease >= 0:
		e.log(Event{Name: "claimed", Record: s.Record, Detail: "in line"})
	}
	return true, nil
}

// claim makes the record, in one round trip when all is well. A try that the
// store refused is made again for a while. One without an answer is not, as its
// outcome is not known: Slack delivers again.
func (e *Engine) claim(ctx context.Context, r *deploy.Record, lease time.Duration) (s Stored, made bool, err error) {
	fresh(r)
	var of deploy.TargetID // what goes on of it is to be known
	if m := r.Request; m.Intent.Deploys() {
		if t, ok := e.Config().Targets.Find(m.Team, m.Channel, m.Intent.Target); ok && !t.Parallel {
			of = t.ID()
		}
	}
	end := time.Now().Add(claimWithin)
	for try := 0; ; try++ {
		tryCtx, cancel := context.WithTimeout(ctx, claimTry)
		s, made, err = e.Store.Claim(tryCtx, r, lease, e.Slack.Now(), of)
		e.health.answered(tryCtx, false, err, s.Now)
		cancel()
		wait := storeBackoff(try)
		if err == nil {
			e.alarm.set(lease)
		}
		if !errors.Is(err, ErrRefused) || time.Now().Add(wait).After(end) || !Pause(ctx, wait) {
			return s, made && err == nil, err
		}
	}
}
