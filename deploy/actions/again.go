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
	if isHere && (newest.State == deploy.Failed || newest.State == deploy.Canceled) {
		return r.deploy()
	}
	return r.ask(deploy.MsgAgain)
}

// rollback goes back to the last other success, once somebody has confirmed that by
// a button that names it.
func (r Request) rollback() Decision {
	t := r.target()
	if t == nil {
		return r.ask(deploy.MsgNoTarget)
	}
	if no := rules.Refusal(r.Rules.Request.By, deploy.KindRollback, *t); no.ID != "" {
		return Decision{Answer: no}
	}
	to := r.Past.goBack()
	switch {
	case r.Past.Newest != nil && !r.Past.steers():
		return Decision{Answer: r.message(deploy.MsgCannotSteer, t)}
	case to == nil:
		return Decision{Answer: r.message(deploy.MsgNothingBefore, t)}
	}
	r.Rules.Target = *t
	m := r.message(deploy.MsgRollback, t)
	// mutant: a rollback to another commit than the button said
	if r.Rules.SHA == to.Commit.SHA && rules.Doubt(r.Rules) == "" {
		return Decision{Deploy: t, Back: to, Undone: r.Past.undone()}
	}
	m.Progress = &deploy.Progress{Before: to}
	again := deploy.Button{Do: deploy.KindRollback, Target: t.Name, Ref: t.Ref, SHA: to.Commit.SHA}
	return Decision{Answer: m, Buttons: []deploy.Button{again, {}}}
}

// steers reports whether the bot's token may run jobs again, as far as is known.
func (p Past) steers() bool {
	all := p.Successes
	if p.Newest != nil {
		all = append([]deploy.Record{*p.Newest}, all...)
	}
	return slices.ContainsFunc(all, func(r deploy.Record) bool {
		g := r.Deployment.Progress
		return g != nil && g.Steers
	})
}

// undone is the commit of the newest deployment; nil: it is not known.
func (p Past) undone() *deploy.Commit {
	if p.Newest == nil || p.Newest.Deployment.Progress == nil {
		return nil
	}
	c := p.Newest.Deployment.Progress.Commit
	return &c
}

// goBack is the last success of another pipeline and commit than the newest
// deployment's, whose job is known; nil: there is none.
func (p Past) goBack() *deploy.Success {
	var now deploy.Success
	if p.Newest != nil {
		now = p.Newest.Success()
	}
	for _, r := range p.Successes {
		s := r.Success()
		if s.Job != nil && s.Commit.SHA != "" && s.Pipeline != now.Pipeline && s.Commit.SHA != now.Commit.SHA {
			return &s
		}
	}
	return nil
}
