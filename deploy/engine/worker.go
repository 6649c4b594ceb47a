package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// step does the one thing that a record is due for, and tells whether Slack is
// to be shown something now, by whom holds the record: us. free gives the slot
// in hand back: a call to GitLab has one of its own, and keeps no answer back.
func (l *Engine) step(h Stored, free func()) (next Stored, show bool) {
	defer func() {
		if p := recover(); p != nil {
			l.log(Event{Name: "worker-broke", Record: h.Record, Err: fmt.Errorf("panic: %v", p), Detail: string(debug.Stack())})
			next, show = l.put(h, func(r deploy.Record) deploy.Record { return r.AfterPanic(l.now(), l.Timing) })
		}
	}()
	r := h.Record
	if now := l.now(); r.Next.After(now) && r.State != deploy.Accepted {
		return h, l.owes(h, now) // due for what Slack is owed
	}
	switch r.State {
	case deploy.Accepted:
		return l.begin(h, free)
	case deploy.Waiting:
		return l.tryAgain(h, free)
	case deploy.Triggering: // whoever made the POST is gone, or does not come through
		attempt := r.Deployment.Attempt
		return l.put(h, func(r deploy.Record) deploy.Record {
			if !r.IsTriggering(attempt) {
				return r
			}
			// mutant: a second POST by who takes over
			return r.MarkUnsure(l.now(), l.Timing)
		})
	case deploy.Unsure, deploy.Running, deploy.Silent:
		return l.look(h, free)
	case deploy.Failed, deploy.Canceled:
		if r.Deployment.Ending != "" {
			return l.look(h, free)
		}
	}
	return h, l.owes(h, l.now())
}

// owes tells whether Slack is to be shown something of a record that was due.
// If not, its due time is put back to where it belongs.
func (l *Engine) owes(h Stored, now time.Time) bool {
	due := h.Record.Due(now)
	if due != 0 || len(h.Record.PendingCalls()) == 0 {
		// mutant: a due time that is not put back
		l.delay(h, due)
		return false
	}
	return true
}

// begin takes up a mention: it is answered, or it starts a deployment.
func (l *Engine) begin(h Stored, free func()) (Stored, bool) {
	m, began := h.Record.Mention, time.Now()
	here := l.Targets.In(m.Team, m.Channel)
	in := l.Reader.Read(m, here)
	i := slices.IndexFunc(here, func(t deploy.Target) bool { return t.Name == in.Target })
	answer := deploy.Message{ID: in.Answer, Word: in.Word}
	for _, t := range here {
		answer.Targets = append(answer.Targets, t.Name)
	}
	if i >= 0 {
		answer.Target, answer.Project, answer.Ref = in.Target, here[i].Project, here[i].Ref
	}
	if in.Deploys() && i >= 0 {
		if answer.ID = l.refuses(h, here[i]); answer.ID == "" {
			return l.trigger(h, here[i], began, free)
		}
	}
	switch {
	case in.Deploys() && i < 0:
		answer.ID = deploy.MsgWhichTarget
	case in.Answer == deploy.MsgPast || in.Answer == deploy.MsgStop:
		l.addLast(&answer, m, here)
	}
	l.log(Event{Name: "answered", Record: h.Record, Detail: string(answer.ID)})
	return l.put(h, func(r deploy.Record) deploy.Record {
		if r.State != deploy.Accepted {
			return r
		}
		return r.Answer(answer)
	})
}

// refuses tells which rule keeps a mention that asks for a deploy from it;
// empty: none. Age is judged here and only here, once, before the trigger.
func (l *Engine) refuses(h Stored, t deploy.Target) deploy.MessageID {
	m := h.Record.Mention
	switch {
	case m.External:
		return deploy.MsgGuest
	case t.Allow != nil && !slices.Contains(t.Allow, m.User):
		return deploy.MsgNotAllowed
	case m.Edited:
		return deploy.MsgEditedIn
	// mutant: birth not judged
	case m.Time().Before(h.Birth):
		return deploy.MsgForgotten
	// mutant: age not judged
	case l.Slack.Now().Sub(m.Time()) > l.Timing.MaxAge:
		return deploy.MsgTooLate
	}
	return ""
}

// addLast tells of the last deployment of the target that is meant, or of the
// newest one of the channel.
func (l *Engine) addLast(answer *deploy.Message, m deploy.Mention, here []deploy.Target) {
	var last deploy.Record
	for _, t := range here {
		if answer.Target != "" && t.Name != answer.Target {
			continue
		}
		ctx, cancel := context.WithTimeout(l.work, storeTimeout)
		r, ok, err := l.Store.Last(ctx, m.Team, m.Channel, t.Name)
		cancel()
		if err == nil && ok && r.Deployment.Triggered.After(last.Deployment.Triggered) {
			last = r
		}
	}
	if last.State != "" {
		answer.Target, answer.Ref = last.Deployment.Target, last.Deployment.Ref
		answer.Last, answer.URL = string(last.State), last.Deployment.Link()
	}
}

// trigger makes the one POST, if the mention of what waited still stands when it
// is its turn: first the save that allows it, then the POST,
// then the save of what came of it, until that is through. judged is when it
// was judged to be in time: a process that slept since then writes no POST.
func (l *Engine) trigger(h Stored, t deploy.Target, judged time.Time, free func()) (Stored, bool) {
	leave, wait := l.calls.enter(t.Project)
	if leave == nil {
		return l.standInLine(h, wait)
	}
	defer leave()
	// mutant: a trigger that keeps a place in the loop
	free()
	if h.Record.State == deploy.Waiting {
		// mutant: a deleted request tried again
		if withdraw, name := l.withdrawn(h.Record); withdraw != nil {
			l.log(Event{Name: name, Record: h.Record})
			return l.put(h, func(r deploy.Record) deploy.Record {
				if r.State != deploy.Waiting {
					return r
				}
				return withdraw(r)
			})
		}
	}
	token := deploy.NewToken()
	allowed := h.Record.Start(t, l.GitLab.PipelinesURL(t.Project), deploy.TokenSum(token), l.now(), l.Timing)
	ctx, cancel := context.WithTimeout(l.work, deploy.WriteWithin)
	defer cancel()
	h, err := l.save(ctx, h, allowed, allowed.Next.Sub(l.now()))
	if err != nil {
		// mutant: a POST although its save was lost
		return h, false // not ours any more, or not known to be saved: nothing is sent
	}
	attempt := h.Record.Deployment.Attempt
	// mutant: a POST that keeps what is heard from being shown
	l.lend(h.Record.Mention.Key)
	answered := l.showIfSlow(h)
	out := l.GitLab.Trigger(l.work, t, h.Record.Mention, token, judged.Add(deploy.WriteWithin))
	h = answered()
	l.log(Event{Name: "triggered", Record: h.Record, Err: out.Err, Detail: string(out.Status) + " " + string(out.Reason)})
	return l.put(h, func(r deploy.Record) deploy.Record {
		next, applied := r.Settle(attempt, out, l.now(), l.Timing)
		if !applied {
			l.log(Event{Name: "answer-not-needed", Record: r, Detail: string(out.Status)})
		}
		return next
	})
}

// standInLine has a record that found no lane come again, and meanwhile tells
// whether Slack is to be shown something of it now.
func (l *Engine) standInLine(h Stored, wait time.Duration) (Stored, bool) {
	now, r := l.now(), h.Record
	r.Next = now.Add(wait)
	// mutant: what waits for its turn not shown
	due := r.Due(now)
	if due == 0 && len(r.PendingCalls()) > 0 {
		return h, true
	}
	l.delay(h, due)
	return h, false
}

// slowAfter is how long GitLab may take to answer before that is shown.
const slowAfter = 2 * time.Second

// showIfSlow shows that the attempt in flight takes its time, unless answered
// is called before. answered returns the record as it was saved last, and waits
// for nothing. That save is a courtesy: it is given up where the store fails or
// the record was changed.
func (l *Engine) showIfSlow(h Stored) (answered func() Stored) {
	var mu sync.Mutex
	newest := h
	l.hands.Add(1)
	timer := time.AfterFunc(slowAfter, func() {
		defer l.hands.Done()
		next, due, show := l.toSave(h.Record.Slow())
		ctx, cancel := context.WithTimeout(l.work, storeTimeout)
		defer cancel()
		saved, err := l.save(ctx, h, next, due)
		if err != nil {
			return
		}
		mu.Lock()
		newest = saved
		mu.Unlock()
		l.present(saved, show)
	})
	return func() Stored {
		if timer.Stop() {
			l.hands.Done()
		}
		mu.Lock()
		defer mu.Unlock()
		return newest
	}
}

// tryAgain makes another POST for what waited, or gives up.
func (l *Engine) tryAgain(h Stored, free func()) (Stored, bool) {
	d := h.Record.Deployment
	if d.Pipeline != 0 { // a record of layout 1 may wait and have one
		return l.put(h, func(r deploy.Record) deploy.Record {
			if r.State == deploy.Waiting {
				r, _ = r.Adopt(deploy.Pipeline{ID: d.Pipeline}, l.now(), l.Timing)
			}
			return r
		})
	}
	began := time.Now()
	t, ok := l.Targets.Find(h.Record.Mention.Team, h.Record.Mention.Channel, d.Target)
	giveUp := deploy.Record.GiveUpWaiting
	switch {
	case !ok || t.Project != d.Project:
		giveUp = func(r deploy.Record) deploy.Record { return r.Refuse(deploy.MsgRefusedGone, "") }
	case l.now().After(d.WaitEnd), // and by Slack's clock too: the store's may have been set back
		l.Slack.Now().Sub(h.Record.Mention.Time()) > l.Timing.MaxAge+deploy.WaitAtMost:
	default:
		t.Ref, t.Key, t.Job, t.Timeout = d.Ref, d.Key, d.Job, d.Timeout
		return l.trigger(h, t, began, free)
	}
	return l.put(h, func(r deploy.Record) deploy.Record {
		if r.State != deploy.Waiting || r.Deployment.Attempt != d.Attempt {
			return r
		}
		return giveUp(r)
	})
}

// look asks GitLab about a deployment that has no end yet, or lets its
// deadline pass.
func (l *Engine) look(h Stored, free func()) (Stored, bool) {
	d, began := h.Record.Deployment, l.now()
	var p deploy.Pipeline
	var complete bool
	var err error
	if h.Record.ShouldPoll(l.Timing) {
		leave, wait := l.looks.enter(d.Project)
		if leave == nil {
			return l.standInLine(h, wait)
		}
		defer leave()
		free()
		ctx, cancel := context.WithTimeout(l.work, Lease-2*time.Second)
		defer cancel()
		done := l.interruptible(h.Record.Mention.Key, cancel)
		if d.Pipeline != 0 {
			p, err = l.GitLab.Poll(ctx, d.Project, d.Pipeline, h.Record.Counting())
		} else {
			p, complete, err = l.find(ctx, h.Record, began)
		}
		done()
		if err != nil {
			complete = false
			if !errors.Is(ctx.Err(), context.Canceled) { // else a word was faster
				l.log(Event{Name: "look-failed", Record: h.Record, Err: err})
			}
		}
	}
	var wait *LaterError
	errors.As(err, &wait)
	return l.put(h, func(r deploy.Record) deploy.Record {
		now := l.now()
		r = r.Polled(p, complete, began, now, l.Timing)
		if wait != nil {
			r = r.Postpone(now, now.Add(wait.After))
		}
		return r
	})
}

// find looks for a pipeline whose trigger was not answered, and at once how it is.
func (l *Engine) find(ctx context.Context, r deploy.Record, now time.Time) (p deploy.Pipeline, complete bool, err error) {
	d := r.Deployment
	p, complete, err = l.GitLab.Find(ctx, d.Project, r.Mention.ID, l.ageAtMost(r, now))
	if asked := r.Mention.Time(); l.Slack.Now().Before(l.Timing.PostEnd(asked)) {
		// mutant: a listing that decides by the store's clock alone
		complete = false // the store's clock was set ahead: the POST may still be under way
	}
	if p.ID == 0 || err != nil {
		return deploy.Pipeline{}, complete, err
	}
	seen, err := l.GitLab.Poll(ctx, d.Project, p.ID, r.Counting())
	if seen.ID != 0 {
		p = seen
	}
	return p, complete, err
}

// ageAtMost is how old a deployment's pipeline can be: as old as the save that
// allowed the POST, by the store's clock, or as the mention, by Slack's. The
// longer counts, so that no clock that is set back hides the pipeline.
func (l *Engine) ageAtMost(r deploy.Record, now time.Time) time.Duration {
	age := now.Sub(r.Deployment.Triggered)
	if asked := r.Mention.Time(); !asked.IsZero() {
		// mutant: a pipeline's age by the store's clock alone
		age = max(age, l.Slack.Now().Sub(asked))
	}
	return age
}

// put saves what f makes of the record, on top of what others saved meanwhile,
// until it is through. It tells whether Slack is to be shown something now.
func (l *Engine) put(h Stored, f func(deploy.Record) deploy.Record) (Stored, bool) {
	for {
		next, due, show := l.toSave(f(h.Record))
		saved, err := l.save(l.work, h, next, due)
		if err == nil {
			return saved, show
		}
		if !errors.Is(err, ErrChanged) {
			return h, false
		}
		if h, err = l.reload(h); err != nil {
			return h, false
		}
	}
}

// toSave makes a record ready to be saved: when it is due, and whether Slack is
// to be shown something now. Then it is ours, to show it.
func (l *Engine) toSave(next deploy.Record) (_ deploy.Record, due time.Duration, show bool) {
	now := l.now()
	if len(next.PendingCalls()) > 0 && !next.Shown.Next.After(now) && !next.Shown.Until.After(now) {
		next.Shown.Until = now.Add(Lease)
		return next, Lease, true
	}
	return next, next.Due(now), false
}

// reload reads a record that others changed, until it is read. One that a newer
// version wrote is theirs now: it is let go.
func (l *Engine) reload(h Stored) (Stored, error) {
	for try := 0; ; try++ {
		ctx, cancel := context.WithTimeout(l.work, storeTimeout)
		now, ok, err := l.Store.Load(ctx, h.Record.Mention.Key)
		cancel()
		if err == nil && ok {
			now.Birth = h.Birth
			l.syncClock(now)
			return now, nil
		}
		if err == nil {
			return h, nil // gone since: the save writes it anew
		}
		// mutant: a record of a newer layout that is not let go
		if errors.Is(err, ErrUnreadable) || !pause(l.work, backoff(try)) {
			return h, err
		}
	}
}
