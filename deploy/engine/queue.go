package engine

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/actions"
)

// queue puts a request into the queue of a target of which a deployment goes on.
func (e *Engine) queue(s Stored, t deploy.Target) stepResult {
	a, err := e.ahead(s, t)
	if err != nil { // when the lease ends, it is taken up again
		return stepResult{Stored: s}
	}
	with, now := e.onItsWay(s, t), e.now()
	return e.update(s, func(r deploy.Record) deploy.Record {
		if !sameRequest(r, *s.Record) { // an edit was faster
			return r
		}
		if with != nil {
			a.With = with
		}
		r, _ = r.Queue(t, now).Look(a, now)
		return r
	})
}

// takeTurn looks whether it is the turn of a queued record, and deploys then.
func (e *Engine) takeTurn(s Stored, free func()) stepResult {
	m, began, conf := s.Record.Asked(), time.Now(), e.Config()
	t, ok := conf.Targets.Find(m.Team, m.Channel, s.Record.Deployment.Target)
	// mutant: what was queued for one project deployed in another
	if !ok || t.ID() != s.Record.TargetID() {
		return e.updateWaiting(s, func(r deploy.Record) deploy.Record { return r.Refuse(deploy.MsgRefusedGone, "") })
	}
	var err error
	// mutant: a turn that is taken although it is not known what goes on
	if s, err = e.withActive(s, t); err != nil { // when the lease ends, it is taken up again
		return stepResult{Stored: s}
	}
	a, err := e.ahead(s, t)
	if err != nil {
		return stepResult{Stored: s}
	}
	now := e.now()
	_, look := s.Record.Look(a, now)
	if look == deploy.LookAsk || look == deploy.LookStart {
		m.Intent = deploy.Intent{Kind: deploy.KindDeploy, Target: t.Name, Doubt: deploy.MsgTurn}
		here := []deploy.Target{t}
		past, err := e.past(s, m, here)
		if err != nil {
			return stepResult{Stored: s}
		}
		// mutant: a commit that was rolled back meanwhile deployed in its turn, unasked
		if look == deploy.LookAsk || past.TakenBack != nil && !s.Record.Chosen().ConfirmsUndone(*past.TakenBack) {
			return e.reply(s, m, actions.Decide(actions.Request{Intent: m.Intent, Here: here, Rules: e.rulesContext(s, t), Past: past}), here)
		}
		if no := e.mayNoLonger(s, t); no.ID != "" {
			return e.updateWaiting(s, func(r deploy.Record) deploy.Record { return r.Answer(no) })
		}
		return e.trigger(s, t, began, free)
	}
	return e.updateWaiting(s, func(r deploy.Record) deploy.Record {
		r, _ = r.Look(a, now)
		return r
	})
}

// ahead reads what a record finds ahead of it in the queue of a target.
func (e *Engine) ahead(s Stored, t deploy.Target) (a deploy.Ahead, err error) {
	a.Active = slices.DeleteFunc(s.beside(), s.Record.Chosen().Confirms)
	queued, err := read(e.work, e, func(ctx context.Context) ([]deploy.Record, error) { return e.Store.Queued(ctx, t.ID()) })
	// mutant: who asks told to be next, as the queue cannot be read
	if err != nil {
		return a, err
	}
	// mutant: a newer commit taken for that of who goes along with what runs
	if i := slices.IndexFunc(queued, deploy.Record.Leads); i >= 0 {
		a.First = &queued[i]
	}
	turn := s.Record.Turn
	for with, n := turn.With, 0; with != "" && n < maxKnown; n++ {
		// mutant: who goes along deployed too, as it is not known what became of that
		if a.With, err = e.loadNamed(with); err != nil {
			return a, err
		}
		if a.With == nil {
			break
		}
		// mutant: a commit told to be out that came after what is out
		if at := a.With.Deployment.Triggered; n > 0 && !at.IsZero() && !at.After(turn.Since) {
			a.With = nil // who it goes along with has found another one, which does not have its commit
			break
		}
		with = a.With.Turn.With
	}
	for _, name := range turn.Behind {
		switch r, err := e.loadNamed(name); {
		case err != nil:
			return a, err
		case r != nil:
			a.Behind = append(a.Behind, *r)
		}
	}
	return a, nil
}

// loadNamed reads a record by its name; nil: it is gone.
func (e *Engine) loadNamed(name string) (*deploy.Record, error) {
	k, _ := deploy.ParseKey(name)
	s, ok, err := e.load(e.work, k)
	if err != nil || !ok {
		return nil, err
	}
	return s.Record, nil
}

// onItsWay is a deployment that goes on and has what a request asks for: its commit is
// the newest of the branch, or where GitLab cannot be asked that, the same person has
// just asked for it. nil: there is none.
func (e *Engine) onItsWay(s Stored, t deploy.Target) *deploy.Record {
	ctx, cancel := context.WithTimeout(e.work, headWithin)
	defer cancel()
	_, head, err := e.GitLab.Outgoing(ctx, t.Project, "", t.Ref)
	for _, b := range s.beside() {
		// mutant: somebody told to go along with what is being stopped
		if b.Record == nil || b.Record.Deployment.Rollback != nil || b.Record.IsToStop() {
			continue
		}
		d := b.Record.Deployment
		sha := cmp.Or(d.Progress, &deploy.Progress{}).Commit.SHA
		// mutant: a second deployment by who has asked twice
		justAsked := b.Known.By == s.Record.Asked().By.User && e.now().Sub(d.Triggered) < time.Minute
		// mutant: what may lack a commit taken for what has it
		if err == nil && sha == head.SHA || !e.Config().Timing.CanPoll && justAsked {
			return b.Record
		}
	}
	return nil
}
