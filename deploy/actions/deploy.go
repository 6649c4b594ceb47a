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
	if doubt := rules.Doubt(r.Rules); doubt != "" {
		return r.ask(doubt)
	}
	return Decision{Deploy: t}
}

// DeployAgain decides whether a deployment that waited is still to be made, of
// the target that its request names.
func DeployAgain(r Request) Decision {
	t := r.target()
	if t == nil {
		return Decision{Answer: r.message(deploy.MsgRefusedGone, nil)}
	}
	if no := rules.Refusal(r.Rules.Request.By, deploy.KindDeploy, *t); no.ID != "" {
		return Decision{Answer: no}
	}
	return Decision{Deploy: t}
}
