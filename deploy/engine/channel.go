package engine

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/getto-systems/psycher/deploy"
)

// inThread returns what is asked for: in the thread of a deployment, or of a
// question about one, a target that is not named is that deployment's.
func (e *Engine) inThread(m deploy.Request, here []deploy.Target) deploy.Intent {
	in := m.Intent
	if m.Thread == "" || in.Target != "" || in.Several || len(here) < 2 {
		return in
	}
	above, ok, err := e.load(e.work, deploy.Key{Team: m.Team, Channel: m.Channel, TS: m.Thread})
	if err != nil || !ok {
		return in
	}
	named := above.Record.Known().Target
	if !slices.ContainsFunc(here, func(t deploy.Target) bool { return t.Name == named }) {
		return in
	}
	if in.Target = named; in.Doubt == deploy.MsgWhichTarget {
		in.Doubt = ""
	}
	return in
}

// withdrawAll withdraws what waits in the channel and was asked for before the
// stop: all of it, or only that of a target. In the thread of a question that is
// about no one target it is that question. It can be done again.
func (e *Engine) withdrawAll(m deploy.Request, target string) (n int, err error) {
	open, err := e.open(m)
	above := func(r deploy.Record) bool { return r.Request.TS == m.Thread }
	inQuestion := target == "" && slices.ContainsFunc(open, above)
	for before := -1; before < n && err == nil; open, err = e.open(m) { // which reads no more than a hundred
		before = n
		for _, r := range open {
			outside := inQuestion && !above(r)
			// mutant: a stop that misses a press whose record is not made yet
			if r.AgainDue() {
				r = r.Again.Record(e.now())
				// mutant: a stop that passes over a press it cannot claim
				if _, _, err = e.claim(e.work, &r, 0); err != nil {
					return n, err
				}
			}
			of := r.Known().Target
			if target != "" && of != "" && target != of || outside || r.Request.Time().After(m.At) {
				continue
			}
			withdrawn := false
			if _, err = e.change(e.work, r.Request.Key, func(was deploy.Record) (next deploy.Record) {
				next, withdrawn = was.Withdraw(m.By)
				return next
			}); err != nil {
				// mutant: a stop that swallows an error
				return n, err
			}
			if withdrawn {
				n++
			}
		}
	}
	return n, err
}

// How many deployments a message tells of, and how many of them it offers to
// cancel.
const (
	maxKnown   = 10
	maxCancels = 3
)

// unfinished are the messages that tell only of what has no end yet.
var unfinished = []deploy.MessageID{deploy.MsgStop, deploy.MsgGreet, deploy.MsgThanks, deploy.MsgHelp}

// known fills in the deployments that a message tells of: what is going on, with
// the buttons to cancel it, and for the targets where nothing is, what ran last.
func (e *Engine) known(m deploy.Request, answer *deploy.Message, here []deploy.Target) (cancels []deploy.Button, err error) {
	isHistory, isStatus := answer.ID == deploy.MsgHistory, answer.ID == deploy.MsgStatus
	open, err := e.open(m)
	told := map[string]bool{}
	var queued []deploy.Known // may be many
	for _, r := range slices.Backward(open) {
		// mutant: who waits to be told that a lock is over shown in the queue
		shown := r.State.Open() && r.State != deploy.Asking && (r.State != deploy.Locked || isStatus) && !r.WaitsToBeTold()
		if k := r.Known(); !isHistory && shown && (answer.Target == "" || answer.Target == k.Target) {
			// mutant: what runs told twice where it is locked
			told[k.Target] = told[k.Target] || r.State != deploy.Locked
			switch {
			case answer.NamesBeside(): // it has what it is about
			// mutant: what runs left out for the many that are queued
			case r.State == deploy.Queued:
				queued = append(queued, k)
			default:
				answer.Known = append(answer.Known, k)
			}
			if b := r.Button(deploy.KindCancel); b.Do != "" && len(cancels) < maxCancels {
				cancels = append(cancels, b)
			}
		}
	}
	if answer.NamesBeside() || len(here) > maxKnown && answer.Target == "" {
		here = nil
	}
	var last []deploy.Known
	for _, t := range here {
		if isStatus && (answer.Target == "" || answer.Target == t.Name) { // locks of other channels
			s, errActive := e.withActive(Stored{Record: &deploy.Record{}}, t)
			err = errors.Join(err, errActive)
			for _, lock := range deploy.LocksOf(s.beside()) {
				if lock.Known.Target = t.Name; lock.Record.Request.Channel != m.Channel {
					answer.Known = append(answer.Known, lock.Known)
				}
			}
		}
		if told[t.Name] || answer.Target != "" && answer.Target != t.Name {
			continue
		}
		n := 1
		if isHistory {
			n = maxKnown
		}
		past, errPast := e.history(t.ID(), false, n)
		if isStatus && len(past) > 0 && past[0].State != deploy.Succeeded {
			successes, errSuccess := e.history(t.ID(), true, 1)
			past, errPast = append(past, successes...), errors.Join(errPast, errSuccess)
		}
		err = errors.Join(err, errPast)
		for _, r := range past {
			if k := r.Known(); !slices.Contains(unfinished, answer.ID) || !r.State.Ended() {
				k.Target = t.Name // another channel may call it otherwise
				last = append(last, k)
			}
		}
		if len(past) == 0 && isStatus && len(here) > 1 {
			last = append(last, deploy.Known{Target: t.Name})
		}
	}
	slices.SortStableFunc(last, func(a, b deploy.Known) int { return cmp.Compare(b.Since, a.Since) })
	answer.Known = slices.Concat(answer.Known, queued, last)
	answer.Known = answer.Known[:min(len(answer.Known), maxKnown)]
	return cancels, err
}

// onlyLocked is the one target of a channel that is locked; empty: none is, or several are.
func (e *Engine) onlyLocked(here []deploy.Target) (name string, err error) {
	if len(here) > maxKnown {
		return "", nil
	}
	seen := map[deploy.TargetID]bool{}
	for _, t := range here {
		if seen[t.ID()] { // another name of it
			continue
		}
		seen[t.ID()], t.Parallel = true, false // it may be locked since before
		s, err := e.withActive(Stored{Record: &deploy.Record{}}, t)
		switch {
		case err != nil:
			return "", err
		case len(deploy.LocksOf(s.beside())) == 0:
		// mutant: one of several locks ended that nobody has named
		case name != "":
			return "", nil
		default:
			name = t.Name
		}
	}
	return name, nil
}

// open reads the records of a channel in which something is going on or asked,
// oldest first, without the request's own.
func (e *Engine) open(m deploy.Request) (records []deploy.Record, err error) {
	stored, err := read(e.work, e, func(ctx context.Context) ([]Stored, error) { return e.Store.Open(ctx, m.Team, m.Channel) })
	for _, s := range stored {
		if s.Record.Request.Key != m.Key {
			records = append(records, *s.Record)
		}
	}
	return records, err
}
