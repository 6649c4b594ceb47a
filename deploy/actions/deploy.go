package actions

import (
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
	if no := rules.Refusal(r.Rules.Request.By, deploy.KindDeploy, *t); no.ID != "" {
		return Decision{Answer: no}
	}
	r.Rules.TakenBack = r.Past.TakenBack != nil
	if doubt := rules.Doubt(r.Rules); doubt != "" {
		var goesOn []deploy.Known
		if doubt == deploy.MsgBusy {
			h := r.Rules.Holder
			r.Rules.Pressed.Over, goesOn = h.Request.Key.String(), []deploy.Known{h.Known()}
		}
		d := r.ask(doubt)
		d.Answer.Known = goesOn
		if past := r.Past.TakenBack; doubt == deploy.MsgTakenBack && past.At != 0 {
			d.Answer.Progress = &deploy.Progress{Before: past}
		}
		return d
	}
	return Decision{Deploy: t}
}
