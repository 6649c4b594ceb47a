package engine

import (
	"cmp"
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
	conf := e.Config()
	here := conf.Targets.In(m.Team, m.Channel)
	m.Intent = e.inThread(m, here)
	var err error
	if m.Intent.Kind == deploy.KindUnlock && m.Intent.Target == "" && !m.Intent.Several {
		// mutant: an unlock answered although it is not known what is locked
		if m.Intent.Target, err = e.onlyLocked(here); err != nil { // when the lease ends, it is taken up again
			return stepResult{Stored: s}
		}
	}
	if t, ok := conf.Targets.Find(m.Team, m.Channel, m.Intent.Target); ok && (m.Intent.Kind == deploy.KindDeploy || actions.Looks(m.Intent.Kind) || actions.Locks(m.Intent.Kind)) {
		// mutant: a lock that is not found to be ended, as its target was made parallel
		t.Parallel = t.Parallel && !actions.Locks(m.Intent.Kind)
		// mutant: a request judged although it is not known what goes on
		if s, err = e.withActive(s, t); err != nil { // when the lease ends, it is taken up again
			return stepResult{Stored: s}
		}
	}
	asked := actions.Request{Intent: m.Intent, Here: here, Rules: e.rulesContext(s, here...)}
	// mutant: a request judged although the past is not known
	if asked.Past, err = e.past(s, m, here); err != nil { // when the lease ends, it is taken up again
		return stepResult{Stored: s}
	}
	d := actions.Decide(asked)
	if d.Deploy != nil {
		if d.Back != nil {
			switch s, err = e.goBack(s, *d.Deploy, *d.Back, d.Undone); {
			// mutant: a rollback that is tried in vain and in silence
			case errors.Is(err, ErrNotAllowed):
				no := deploy.Message{ID: deploy.MsgRefusedRetry, Target: d.Deploy.Name, Project: d.Deploy.Project, Ref: d.Deploy.Ref}
				return e.reply(s, m, actions.Decision{Answer: no}, here)
			case err != nil: // when the lease ends, it is taken up again
				return stepResult{Stored: s}
			}
		}
		return e.trigger(s, *d.Deploy, began, free)
	}
	switch {
	case d.Queue != nil:
		return e.queue(s, *d.Queue)
	case d.Lock != nil:
		zone := cmp.Or(conf.Zone, d.Lock.Zone(), time.Local)
		// mutant: a lock until tomorrow that was to end today
		if m.Intent.IsOver(m.At.In(zone)) {
			asked.Intent.Word = time.Time{}.Add(m.Intent.Until).Format("15:04")
			return e.reply(s, m, asked.Plainly(), here)
		}
		return e.update(s, func(r deploy.Record) deploy.Record {
			if !sameRequest(r, *s.Record) { // an edit was faster
				return r
			}
			return r.Lock(*d.Lock, m.Intent, zone, e.now())
		})
	}
	for _, name := range d.Unlock {
		k, _ := deploy.ParseKey(name)
		// mutant: a lock that is said to be ended, and is not
		if _, err := e.change(e.work, k, func(r deploy.Record) deploy.Record { return r.Unlock(m.By) }); err != nil { // when the lease ends, it is taken up again
			return stepResult{Stored: s}
		}
	}
	return e.reply(s, m, d, here)
}

// reply answers a request that deploys nothing, or asks.
func (e *Engine) reply(s Stored, m deploy.Request, d actions.Decision, here []deploy.Target) stepResult {
	var err error
	var cancels []deploy.Button
	if d.Stop {
		d.Answer.Withdrawn, err = e.withdrawAll(m, d.Answer.Target)
	}
	if err == nil && !d.Answer.ID.IsRefusal() {
		cancels, err = e.known(m, &d.Answer, here)
	}
	switch asks := len(d.Buttons); {
	case d.Stop && !m.Intent.Hold:
		d.Answer.Buttons = cancels
	case asks > 0: // the last one is No
		d.Buttons = slices.Insert(d.Buttons, asks-1, cancels...)
	}
	// mutant: a stop answered although nothing is known
	if mustKnow := d.Stop || d.Answer.ID == deploy.MsgStatus || d.Answer.ID == deploy.MsgHistory; err != nil && mustKnow { // when the lease ends, it is taken up again
		return stepResult{Stored: s}
	}
	if d.Answer.Project != "" {
		d.Answer.URL = e.GitLab.PipelinesURL(d.Answer.Project)
	}
	if id := d.Answer.ID; id == deploy.MsgPending || id == deploy.MsgPendingOnly || id == deploy.MsgApprovals || d.Answer.Names(deploy.MsgConfirm) {
		e.pending(&d, m, here)
	}
	return e.update(s, func(r deploy.Record) deploy.Record {
		switch {
		case !sameRequest(r, *s.Record): // an edit was faster
			return r
		case len(d.Buttons) > 0:
			return r.AskPeople(d.Answer, d.Buttons, e.now()).ToApprove(d.Needs, d.Approved, e.now())
		}
		return r.Answer(d.Answer)
	})
}

// sameRequest reports whether a record still asks for what it asked for.
func sameRequest(r, was deploy.Record) bool {
	now, then := r.Asked(), was.Asked()
	// mutant: an answer to what was edited meanwhile
	return r.State == was.State && now.Intent == then.Intent && now.Edited == then.Edited && now.By == then.By
}

// rulesContext is what rules look at of a request for one of the targets.
func (e *Engine) rulesContext(s Stored, of ...deploy.Target) rules.Context {
	asked, approved := s.Record.Asked(), s.Record.Approved()
	people := []deploy.Person{asked.By}
	// mutant: an approval by a group that nobody has looked at
	for _, p := range approved {
		people = append(people, p.By)
	}
	return rules.Context{
		Request: asked, Groups: e.groupsOf(e.work, people, of...), Pressed: s.Record.Chosen(), Beside: s.beside(),
		Approved: approved, For: s.Record.For(),
		Birth: s.Birth, SlackNow: e.Slack.Now(), MaxAge: e.Config().Timing.MaxAge,
	}
}
