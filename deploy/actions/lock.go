package actions

import (
	"strings"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/rules"
)

// locks are the locks of the target, as a message tells of them.
func (r Request) locks() (names []string, known []deploy.Known) {
	for _, b := range deploy.LocksOf(r.Rules.Beside) {
		names = append(names, b.Confirmation())
		b.Known.Target = r.Intent.Target // another channel may call it otherwise
		known = append(known, b.Known)
	}
	return names, known
}

// lock locks the target, unless it is.
func (r Request) lock() Decision {
	t := r.target()
	if no := rules.Refusal(r.Rules, deploy.KindLock); no.ID != "" {
		return Decision{Answer: no}
	}
	if t.Parallel { // it is not known what goes on of it
		return Decision{Answer: r.message(deploy.MsgCannotLock, t)}
	}
	if _, known := r.locks(); len(known) > 0 {
		m := r.message(deploy.MsgIsLocked, t)
		m.Known = known
		return Decision{Answer: m}
	}
	return Decision{Lock: t}
}

// unlock ends the locks of the target: those of others, once that is confirmed.
func (r Request) unlock() Decision {
	t := r.target()
	names, known := r.locks()
	m := r.message(deploy.MsgNotLocked, t)
	if m.Known = known; len(known) == 0 {
		return Decision{Answer: m}
	}
	own := true
	for _, k := range known {
		own = own && k.By == r.Rules.Request.By.User
	}
	if r.Rules.Target = *t; !own {
		if no := rules.Refusal(r.Rules, deploy.KindUnlock); no.ID != "" {
			return Decision{Answer: no}
		}
	}
	over := strings.Join(names, " ")
	// mutant: a lock of somebody else that is ended unasked
	if m.ID = deploy.MsgUnlock; !own && r.Rules.Pressed.Over != over {
		b := deploy.Button{Do: deploy.KindUnlock, Target: t.Name, Ref: t.Ref, Project: t.Project, Key: t.Key, Over: over}
		return Decision{Answer: m, Buttons: []deploy.Button{b, {}}}
	}
	m.ID = deploy.MsgUnlocking
	if f := t.Frozen(r.Rules.SlackNow); f != nil {
		m.Frozen = []deploy.Frozen{*f}
	}
	return Decision{Answer: m, Unlock: names}
}

// tell has the person told once the target is free, and asked whether to deploy then.
func (r Request) tell() Decision {
	t := r.target()
	if t == nil {
		return r.ask(deploy.MsgWhichTarget)
	}
	r.Rules.Target = *t
	if no := rules.Refusal(r.Rules, deploy.KindDeploy); no.ID != "" {
		return r.refused(no)
	}
	if len(r.Rules.Beside) == 0 {
		return r.ask(deploy.MsgTurn)
	}
	return Decision{Queue: t}
}
