package actions

import (
	"cmp"
	"slices"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/rules"
)

// answers are what is said to a request that deploys nothing; what it asks for
// otherwise cannot be done yet.
var answers = map[deploy.Kind]deploy.MessageID{
	"":                 deploy.MsgUnknown,
	deploy.KindGreet:   deploy.MsgGreet,
	deploy.KindThanks:  deploy.MsgThanks,
	deploy.KindHelp:    deploy.MsgHelp,
	deploy.KindStatus:  deploy.MsgStatus,
	deploy.KindHistory: deploy.MsgHistory,
}

// answer answers words that deploy nothing.
func (r Request) answer() Decision {
	m := r.message(cmp.Or(answers[r.Intent.Kind], deploy.MsgNotYet), r.target())
	m.Restricted = slices.ContainsFunc(r.Here, func(t deploy.Target) bool { return t.Allow != nil })
	if m.ID == deploy.MsgStatus || m.ID == deploy.MsgHelp {
		m.Frozen = r.frozen()
	}
	if m.ID == deploy.MsgStatus {
		m.Rules = r.told()
	}
	return Decision{Answer: m}
}

// frozen are the freezes of the target that is named, or of all.
func (r Request) frozen() (all []deploy.Frozen) {
	named := r.target()
	for _, t := range r.Here {
		if f := t.Frozen(r.Rules.SlackNow); f != nil && (named == nil || named.Name == t.Name) {
			all = append(all, *f)
		}
	}
	return all
}

// told are the rules of the target that is named, or of all.
func (r Request) told() (all []deploy.Rules) {
	named := r.target()
	for _, t := range r.Here {
		r.Rules.Target = t
		if is := rules.Told(r.Rules); is != nil && (named == nil || named.Name == t.Name) {
			all = append(all, *is)
		}
	}
	return all
}

// pending offers to deploy what would go out, and tells what that takes. Who may not
// deploy it may still look.
func (r Request) pending() Decision {
	d := r.ask(deploy.MsgPending)
	switch t, m := r.target(), &d.Answer; {
	case m.ID == deploy.MsgPending:
		m.Rules = r.told()
	// mutant: who only asks what would go out refused as for a deploy
	case t != nil && m.ID.IsRefusal() && m.ID != deploy.MsgGuest:
		m.ID, m.Also, m.Project, m.Ref = deploy.MsgPendingOnly, m.Reasons(), t.Project, t.Ref
	}
	return d
}

// stop withdraws what waits, if the person may.
func (r Request) stop() Decision {
	if no := rules.Refusal(r.Rules, deploy.KindCancel); no.ID != "" {
		no.ID = deploy.MsgStopGuest
		return Decision{Answer: no}
	}
	if r.Intent.Several {
		return Decision{Answer: r.message(deploy.MsgStopWhich, nil)}
	}
	return Decision{Answer: r.message(deploy.MsgStop, r.target()), Stop: true}
}
