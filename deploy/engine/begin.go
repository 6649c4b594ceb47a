package engine

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/actions"
	"github.com/getto-systems/psycher/deploy/rules"
)

// begin takes up what a mention or a press asks for: it is answered, asked about,
// or it starts a deployment.
func (e *Engine) begin(s Stored, free func()) stepResult {
	m, began := s.Record.Asked(), time.Now()
	here := e.Targets.In(m.Team, m.Channel)
	m.Intent = e.inThread(m, here)
	d := actions.Decide(actions.Request{Intent: m.Intent, Here: here, Rules: e.rulesContext(s)})
	if d.Deploy != nil {
		return e.trigger(s, *d.Deploy, began, free)
	}
	return e.reply(s, m, d, here)
}

// reply answers a request that deploys nothing, or asks.
func (e *Engine) reply(s Stored, m deploy.Request, d actions.Decision, here []deploy.Target) stepResult {
	var err error
	switch {
	case d.Stop:
		err = e.withdrawAll(m, &d.Answer)
	case d.Answer.ID == deploy.MsgStatus:
		d.Answer.Known, err = e.known(m, d.Answer, here)
	case !d.Answer.ID.IsRefusal():
		d.Answer.Known, _ = e.known(m, d.Answer, here)
	}
	if err != nil { // when the lease ends, it is taken up again
		return stepResult{Stored: s}
	}
	if d.Answer.Project != "" {
		d.Answer.URL = e.GitLab.PipelinesURL(d.Answer.Project)
	}
	name := "answered"
	if len(d.Buttons) > 0 {
		name = "asked"
	}
	e.log(Event{Name: name, Record: s.Record, Detail: string(d.Answer.ID)})
	return e.update(s, func(r deploy.Record) deploy.Record {
		switch {
		case !sameRequest(r, s.Record): // an edit was faster
			return r
		case len(d.Buttons) > 0:
			return r.AskPeople(d.Answer, d.Buttons, e.now())
		}
		return r.Answer(d.Answer)
	})
}

// sameRequest reports whether a record still asks for what it asked for.
func sameRequest(r, was deploy.Record) bool {
	now, then := r.Asked(), was.Asked()
	return r.State == was.State && now.Intent == then.Intent && now.Edited == then.Edited && now.By == then.By
}

func (e *Engine) rulesContext(s Stored) rules.Context {
	return rules.Context{
		Request: s.Record.Asked(), Ref: s.Record.Chosen().Ref,
		Birth: s.Birth, SlackNow: e.Slack.Now(), MaxAge: e.Timing.MaxAge,
	}
}

// inThread returns what is asked for: in the thread of a deployment, a target that
// is not named is that deployment's.
func (e *Engine) inThread(m deploy.Request, here []deploy.Target) deploy.Intent {
	in := m.Intent
	if m.Thread == "" || in.Target != "" || in.Several || len(here) < 2 {
		return in
	}
	ctx, cancel := context.WithTimeout(e.work, storeTimeout)
	defer cancel()
	above, ok, err := e.Store.Load(ctx, deploy.Key{Team: m.Team, Channel: m.Channel, TS: m.Thread})
	e.health.answered(ctx, true, err, above.Now)
	named := above.Record.Deployment.Target
	if err != nil || !ok || !slices.ContainsFunc(here, func(t deploy.Target) bool { return t.Name == named }) {
		return in
	}
	if in.Target = named; in.Doubt == deploy.MsgWhichTarget {
		in.Doubt = ""
	}
	return in
}

// withdrawAll withdraws what waits in the channel, or only of the target that is
// meant, and has the answer name what runs. It can be done again.
func (e *Engine) withdrawAll(m deploy.Request, answer *deploy.Message) error {
	open, err := e.open(m)
	for _, r := range open {
		target := r.Known().Target
		if answer.Target != "" && target != "" && answer.Target != target {
			continue
		}
		if r.State == deploy.Accepted && r.Request.Time().After(m.At) {
			continue // it was asked for after the stop
		}
		withdrawn := false
		if _, err = e.change(e.work, r.Request.Key, func(was deploy.Record) deploy.Record {
			r, withdrawn = was.Withdraw(m.By)
			return r
		}); err != nil {
			return err
		}
		switch {
		case withdrawn:
			answer.Withdrawn++
		case r.State.Open():
			answer.Known = append(answer.Known, r.Known())
		}
	}
	return err
}

// maxKnown is how many deployments a message tells of.
const maxKnown = 10

// known returns the deployments that a message tells of: what is going on, and
// for the targets where nothing is, what ran last. A greeting tells only of the
// former.
func (e *Engine) known(m deploy.Request, answer deploy.Message, here []deploy.Target) (all []deploy.Known, err error) {
	open, err := e.open(m)
	told := map[string]bool{}
	for _, r := range open {
		if k := r.Known(); r.State.Open() && r.State != deploy.Asking && (answer.Target == "" || answer.Target == k.Target) {
			told[k.Target] = true
			all = append(all, k)
		}
	}
	slices.Reverse(all) // the newest first
	if len(here) > maxKnown && answer.Target == "" || answer.ID == deploy.MsgGreet || answer.ID == deploy.MsgThanks || answer.ID == deploy.MsgHelp {
		here = nil
	}
	var ended []deploy.Known
	for _, t := range here {
		if told[t.Name] || answer.Target != "" && answer.Target != t.Name {
			continue
		}
		ctx, cancel := context.WithTimeout(e.work, storeTimeout)
		r, ok, errLast := e.Store.Last(ctx, m.Team, m.Channel, t.Name)
		e.health.answered(ctx, true, errLast, time.Time{})
		cancel()
		if err = errors.Join(err, errLast); ok {
			ended = append(ended, r.Known())
		}
	}
	slices.SortStableFunc(ended, func(a, b deploy.Known) int { return cmp.Compare(b.Since, a.Since) })
	all = append(all, ended...)
	return all[:min(len(all), maxKnown)], err
}

// open reads the records of a channel in which something is going on or asked,
// oldest first.
func (e *Engine) open(m deploy.Request) (records []deploy.Record, err error) {
	ctx, cancel := context.WithTimeout(e.work, storeTimeout)
	defer cancel()
	stored, err := e.Store.Open(ctx, m.Team, m.Channel)
	e.health.answered(ctx, true, err, time.Time{})
	for _, s := range stored {
		if s.Record.Request.Key != m.Key {
			records = append(records, s.Record)
		}
	}
	return records, err
}
