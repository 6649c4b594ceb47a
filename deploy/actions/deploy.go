package actions

import (
	"slices"
	"strings"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/rules"
)

// deploy deploys the target that is named, unless a rule holds it back.
func (r Request) deploy() Decision {
	t := r.target()
	if t == nil {
		return r.ask(deploy.MsgWhichTarget)
	}
	r.Rules.Target = *t
	if no := rules.Refusal(r.Rules, deploy.KindDeploy); no.ID != "" {
		return Decision{Answer: no}
	}
	r.Rules.TakenBack = r.Past.TakenBack != nil
	doubt := rules.Doubt(r.Rules)
	isBusy := doubt == deploy.MsgBusy || doubt == deploy.MsgBusyWaiting
	switch {
	case doubt == "":
		return Decision{Deploy: t}
	// mutant: what is to be confirmed deployed in its turn, unconfirmed
	case isBusy && !t.Confirm:
		return Decision{Queue: t}
	}
	var known []deploy.Known
	r.Rules.Pressed.Over, known = r.over(doubt)
	// mutant: what was confirmed of a freeze forgotten at the next question
	r.Rules.Pressed.Freeze = r.Rules.Pressed.Freeze || doubt == deploy.MsgFreeze
	d := r.ask(doubt)
	d.Answer.Known = known
	switch doubt {
	case deploy.MsgLocked:
		tell := deploy.Button{Do: deploy.KindTell, Target: t.Name, Ref: t.Ref, Project: t.Project, Key: t.Key}
		d.Buttons = slices.Insert(d.Buttons, len(d.Buttons)-1, tell)
	case deploy.MsgFreeze:
		d.Answer.Frozen = r.frozen()
	case deploy.MsgApprovals:
		d.Needs, d.Approved, d.approved = t.Approvals, rules.Approved(r.Rules), r.Rules.Pressed.SHA
		if d.Answer.People = r.others(t.Approvers); t.Approvers == nil {
			d.Answer.People = r.others(t.Allow)
		}
	}
	if past := r.Past.TakenBack; doubt == deploy.MsgTakenBack && past.At != 0 {
		d.Answer.Progress = &deploy.Progress{Before: past}
	}
	return d
}

// others are the people of a list who do not want the deploy themselves.
func (r Request) others(list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(user string) bool {
		return deploy.IsGroup(user) || slices.ContainsFunc(r.Rules.For, func(who deploy.Person) bool { return who.User == user })
	})
}

// over is what a button confirms to deploy beside, and what is known of that where
// the doubt is about it.
func (r Request) over(doubt deploy.MessageID) (over string, known []deploy.Known) {
	switch doubt {
	case deploy.MsgTakenBack:
		// mutant: a commit that was taken back asked about for ever
		return strings.TrimSpace(r.Rules.Pressed.Over + " " + r.Past.TakenBack.Confirmation()), nil
	case deploy.MsgLocked:
		names, known := r.locks()
		return strings.TrimSpace(r.Rules.Pressed.Over + " " + strings.Join(names, " ")), known
	case deploy.MsgBusy, deploy.MsgBusyWaiting:
	default:
		return r.Rules.Pressed.Over, nil
	}
	for _, b := range r.Rules.Beside {
		over += " " + b.Confirmation()
		b.Known.Target = r.Rules.Target.Name // another channel may call it otherwise
		known = append(known, b.Known)
	}
	return strings.TrimSpace(over), known
}
