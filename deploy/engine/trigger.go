package engine

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/rules"
)

// trigger makes one POST: first the save that allows it, then the POST, then the
// save of its outcome, until that succeeds. judged is when the request was judged
// to be in time: a process that slept since then writes no POST.
func (e *Engine) trigger(s Stored, t deploy.Target, judged time.Time, free func()) stepResult {
	release, wait := e.triggers.acquire(t.Project)
	if release == nil {
		return e.leave(s, e.now().Add(wait))
	}
	defer release()
	// mutant: a trigger that keeps its place while it hangs
	free()
	if s.Record.State == deploy.Waiting || s.Record.State == deploy.Queued {
		// mutant: a deleted request retried
		if withdraw := e.withdrawn(s.Record); withdraw != nil {
			return e.updateWaiting(s, withdraw)
		}
	}
	came, asked := s.Came, s
	s, token, err := e.allow(s, t)
	if errors.Is(err, ErrChanged) {
		// mutant: a request forgotten for a while because another took its target
		if now, err := e.reload(asked); err == nil && now.Record.Revision == asked.Record.Revision {
			now.Came, now.Active, now.ActiveKnown, now.RolledBack = came, nil, false, asked.RolledBack
			return e.step(now, free) // it is the target that was taken meanwhile
		}
	}
	if err != nil {
		// mutant: a POST although its save was lost
		return stepResult{Stored: s} // not ours any more, or not known to be saved: nothing is sent
	}
	attempt := s.Record.Deployment.Attempt
	// mutant: a POST that delays what is shown
	e.inFlight.lend(s.Record.Request.Key)
	last := s.Success
	if last != nil && !last.Next.IsZero() { // another deployment has begun: its button for a rollback is taken off
		e.workers.Go(func() { _, _ = e.change(e.work, last.Request.Key, deploy.Record.Rest) })
	}
	waited := time.Since(came)
	if came.IsZero() {
		waited = max(0, e.Slack.Now().Sub(s.Record.Asked().At))
	}
	out := deploy.TriggerResult{Status: deploy.TriggerNotSent}
	if out.Err = e.setAside(asked); out.Err == nil {
		out = e.post(s.Record, t, token, judged.Add(deploy.WriteWithin))
	}
	e.log(Event{Name: "triggered", Record: s.Record, Err: out.Err, Detail: string(out.Status) + " " + string(out.Reason), Took: waited})
	return e.update(s, func(r deploy.Record) deploy.Record {
		if r.IsSlow(e.now()) { // it may have been shown, in what the store has lost since
			r = r.Slow(e.now())
			r.Shown.Posting = cmp.Or(r.Shown.Posting, deploy.SlotStatus)
		}
		next, applied := r.Settle(attempt, out, e.now(), e.Config().Timing)
		if !applied {
			ignoring := r // else every record would be moved to the heap
			e.log(Event{Name: "outcome-ignored", Record: &ignoring, Detail: string(out.Status)})
		}
		return next.WithPast(last)
	})
}

// setAside has deployments of the target yield that go on, and whose place is confirmed
// to be taken.
func (e *Engine) setAside(s Stored) error {
	for _, a := range s.Active {
		if a.Record == nil || !s.confirmed(*a.Record) {
			continue
		}
		// mutant: what was set aside deployed later all the same
		_, err := e.change(e.work, a.Record.Request.Key, func(r deploy.Record) deploy.Record { return r.SetAside(s.Record.Asked().By) })
		// mutant: something sent in the place of what could not be withdrawn
		if err != nil {
			return err
		}
	}
	return nil
}

// confirmed reports whether the record was pressed for although another one goes on.
func (s Stored) confirmed(other deploy.Record) bool {
	return s.Record.Chosen().Confirms(other.Beside())
}

// yieldFor is how long what waits for another deployment of its target waits until
// it looks again.
const yieldFor = 15 * time.Second

// allow saves that a POST may be made, with its token.
func (e *Engine) allow(s Stored, t deploy.Target) (_ Stored, token deploy.Secret, err error) {
	token, sum := deploy.NewToken(), ""
	if s.Record.Deployment.Rollback == nil { // a job that runs again has the token of its pipeline
		sum = deploy.TokenSum(token)
	}
	allowed := s.Record.Start(t, e.GitLab.PipelinesURL(t.Project), sum, e.now(), e.Config().Timing)
	ctx, cancel := context.WithTimeout(e.work, deploy.WriteWithin)
	defer cancel()
	s, err = e.save(ctx, s, &allowed, deploy.SlowAfter) // who takes it then shows that GitLab is slow
	return s, token, err
}

// post makes the one POST of an attempt.
func (e *Engine) post(r *deploy.Record, t deploy.Target, token deploy.Secret, until time.Time) deploy.TriggerResult {
	to := r.Deployment.Rollback
	if to == nil {
		return e.filtered(r, e.GitLab.Trigger(e.work, t, r.Request, r.Confirmed(), token, until))
	}
	// Its job reports to the record of the pipeline that it belongs to.
	_, err := e.change(e.work, to.Key, func(was deploy.Record) deploy.Record { return was.RolledBackBy(&r.Request.Key) })
	if err != nil {
		return deploy.TriggerResult{Status: deploy.TriggerNotSent, Err: err}
	}
	return e.GitLab.RetryJob(e.work, t.Project, to.Pipeline, to.Job.ID, until)
}

// filtered is the result of a trigger. That of a commit which was confirmed, and is not
// the newest any more, is filtered out by the rules of psycher's CI files; the newest one
// is by others.
func (e *Engine) filtered(r *deploy.Record, out deploy.TriggerResult) deploy.TriggerResult {
	if out.Reason != deploy.MsgRefusedRules || r.Confirmed() == "" {
		return out
	}
	ctx, cancel := context.WithTimeout(e.work, headWithin)
	defer cancel()
	// mutant: a CI file that lets nothing pass told as a commit that is not the newest
	if _, head, err := e.GitLab.Outgoing(ctx, r.Deployment.Project, "", r.Deployment.Ref); err != nil || head.SHA != r.Confirmed() {
		out.Reason = deploy.MsgRefusedCommit
	}
	return out
}

// triggerAgain makes another POST for a deployment that waited, or gives up.
func (e *Engine) triggerAgain(s Stored, free func()) stepResult {
	m, d, began := s.Record.Asked(), s.Record.Deployment, time.Now()
	conf := e.Config() // once: the map may change meanwhile
	t, ok := conf.Targets.Find(m.Team, m.Channel, d.Target)
	switch {
	// mutant: what waited for one project deployed in another
	case !ok || t.Project != d.Project:
		return e.updateWaiting(s, func(r deploy.Record) deploy.Record { return r.Refuse(deploy.MsgRefusedGone, "") })
	case e.now().After(d.WaitEnd), // and by Slack's clock too: the store's may have been set back
		e.Slack.Now().Sub(m.At) > conf.Timing.MaxAge+deploy.MaxWait:
		return e.updateWaiting(s, deploy.Record.GiveUpWaiting)
	}
	if no := e.mayNoLonger(s, t); no.ID != "" {
		return e.updateWaiting(s, func(r deploy.Record) deploy.Record { return r.Answer(no) })
	}
	t.Ref, t.Key, t.Job, t.Timeout = d.Ref, d.Key, d.Job, d.Timeout
	if d.Rollback != nil { // it was confirmed as it was then
		newest, err := e.history(t.ID(), false, 1)
		switch {
		case err != nil: // when the lease ends, it is taken up again
			return stepResult{Stored: s}
		// mutant: a rollback that waited, of what was deployed since
		case len(newest) > 0 && newest[0].Deployment.Triggered.After(d.WaitEnd.Add(-deploy.MaxWait)):
			over := deploy.Message{ID: deploy.MsgPressOver, Target: d.Target, Known: []deploy.Known{newest[0].Known()}}
			return e.updateWaiting(s, func(r deploy.Record) deploy.Record { return r.Answer(over) })
		}
	}
	s, err := e.withActive(s, t)
	if err != nil { // when the lease ends, it is taken up again
		return stepResult{Stored: s}
	}
	for _, lock := range deploy.LocksOf(s.beside()) {
		// mutant: what waited deployed although it was locked since
		if !s.Record.Chosen().Confirms(lock) {
			no := deploy.Message{ID: deploy.MsgLockedSince, Target: t.Name, Known: []deploy.Known{lock.Known}}
			return e.updateWaiting(s, func(r deploy.Record) deploy.Record { return r.Answer(no) })
		}
	}
	for _, a := range s.Active {
		// mutant: two that wait, and then deploy at once
		if a.Record == nil || a.Record.Request.Key != m.Key && s.Record.YieldsTo(*a.Record) && !s.confirmed(*a.Record) {
			return e.leave(s, e.now().Add(yieldFor))
		}
	}
	return e.trigger(s, t, began, free)
}

// mayNoLonger is what a person is told who may not do any more what has waited; zero: the
// person may.
func (e *Engine) mayNoLonger(s Stored, t deploy.Target) deploy.Message {
	judged, do := e.rulesContext(s, t), deploy.KindDeploy
	// mutant: what waited into a freeze deployed in it
	judged.Target, judged.Waited = t, true
	if s.Record.Deployment.Rollback != nil {
		do = deploy.KindRollback
	}
	no := rules.Refusal(judged, do)
	// mutant: what waited deployed although it is to be confirmed since
	if no.ID == "" && rules.Lasting(judged) != "" {
		no = deploy.Message{ID: deploy.MsgMustConfirm, Target: t.Name}
	}
	return no
}

// updateWaiting saves what f makes of the record, if it still waits.
func (e *Engine) updateWaiting(s Stored, f func(deploy.Record) deploy.Record) stepResult {
	was := s.Record.State
	return e.update(s, func(r deploy.Record) deploy.Record {
		// mutant: what was withdrawn answered once more
		if r.State != was {
			return r
		}
		return f(r)
	})
}

// rereadTimeout bounds how long a POST waits for Slack.
const rereadTimeout = 2 * time.Second

// withdrawn returns what becomes of a waiting record whose message no longer asks
// for it; nil: it still asks, or this is not known.
// Slack sends no event for an edit that takes the bot's name out, nor for a
// deletion: so the message is read again. Where the bot may not read, putting the
// reaction of waiting once more shows whether the message is there, if the record
// has that reaction and so takes it off later.
func (e *Engine) withdrawn(r *deploy.Record) func(deploy.Record) deploy.Record {
	ctx, cancel := context.WithTimeout(e.work, rereadTimeout)
	defer cancel()
	if !r.HasMention() {
		return nil
	}
	m, err := e.Slack.Reread(ctx, r.Request)
	waiting := r.View().Reaction
	if err != nil && !errors.Is(err, ErrMentionGone) && slices.Contains(r.Reactions, waiting) {
		err = e.Slack.React(ctx, r.Request.Key, waiting)
		m = r.Request
	}
	edit := func(r deploy.Record) deploy.Record { return r.Edit(m.Intent) }
	switch {
	case errors.Is(err, ErrMentionGone):
		return deploy.Record.Gone
	// mutant: a message that is not read again before another POST
	case err == nil && m.Edited && edit(*r).State != r.State:
		return edit
	}
	return nil
}
