package actions

import (
	"slices"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/rules"
)

// retry deploys the target again: at once in the thread of its newest deployment,
// if that went wrong; elsewhere it asks.
func (r Request) retry() Decision {
	newest := r.Past.Newest
	isHere := newest != nil && newest.Request.ReplyThread() == r.Rules.Request.Thread
	switch {
	case !isHere || newest.State != deploy.Failed && newest.State != deploy.Canceled:
		return r.ask(deploy.MsgAgain)
	// mutant: a rollback that is retried by a deploy of what it takes back
	case newest.Deployment.Rollback != nil:
		return r.rollback()
	}
	return r.deploy()
}

// rollback goes back to the last other success, once somebody has confirmed that by
// a button that names it.
func (r Request) rollback() Decision {
	t := r.target()
	if t == nil {
		return r.ask(deploy.MsgNoTarget)
	}
	r.Rules.Target = *t
	if no := rules.Refusal(r.Rules, deploy.KindRollback); no.ID != "" {
		return r.refused(no)
	}
	to := r.Past.goBack(*t)
	switch {
	case r.Past.Newest != nil && !r.Past.steers():
		return Decision{Answer: r.message(deploy.MsgCannotSteer, t)}
	case to == nil:
		return Decision{Answer: r.message(deploy.MsgNothingBefore, t)}
	}
	// mutant: a rollback to another commit than the button said
	if r.Rules.Pressed.SHA == to.Commit.SHA && len(rules.Doubts(r.Rules)) == 0 {
		return Decision{Deploy: t, Back: to, Undone: r.Past.undone()}
	}
	m := r.message(deploy.MsgRollback, t)
	m.Progress = &deploy.Progress{Before: to}
	back := deploy.Button{Do: deploy.KindRollback, Target: t.Name, Ref: t.Ref, Project: t.Project, Key: t.Key, SHA: to.Commit.SHA}
	return r.holding(Decision{Answer: m, Buttons: []deploy.Button{back, {}}}, *t)
}

// steers reports whether the bot's token may run jobs again, as far as is known.
func (p Past) steers() bool {
	steers := func(r deploy.Record) bool { return r.Deployment.Progress != nil && r.Deployment.Progress.Steers }
	return p.Newest != nil && steers(*p.Newest) || slices.ContainsFunc(p.Successes, steers)
}

// undone is the commit that a rollback takes back: that of the newest deployment, or
// after another rollback what that one has taken back, since it is still the newest
// of its branch. nil: it is not known.
func (p Past) undone() *deploy.Commit {
	switch {
	case p.Newest == nil:
		return nil
	// mutant: a second rollback that forgets what the first has taken back
	case p.Newest.Deployment.Rollback != nil:
		return p.Newest.Deployment.Undone
	case p.Newest.Deployment.Progress == nil:
		return nil
	}
	return &p.Newest.Deployment.Progress.Commit
}

// goBack is what a target goes back to: the last success before what is out now, of
// another pipeline and commit, whose job is known. A rollback that went wrong is to
// be made once more. nil: there is none.
func (p Past) goBack(t deploy.Target) *deploy.Success {
	var now deploy.Success
	past := p.Successes
	if p.Newest != nil {
		back := p.Newest.Deployment.Rollback
		if back != nil && p.Newest.State != deploy.Succeeded && p.Newest.Deployment.Job == t.Job {
			return back
		}
		now = p.Newest.Success()
		i := slices.IndexFunc(past, func(r deploy.Record) bool { return r.Request.Key == now.Key })
		if back != nil && i < 0 {
			return nil
		}
		// mutant: a second rollback that goes back to what the first has taken back
		past = past[i+1:]
	}
	for _, r := range past {
		s := r.Success()
		// mutant: a rollback by a job of another target
		if s.Job != nil && r.Deployment.Job == t.Job && s.Commit.SHA != "" && s.Pipeline != now.Pipeline && s.Commit.SHA != now.Commit.SHA {
			return &s
		}
	}
	return nil
}
