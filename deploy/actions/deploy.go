package actions

import (
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/rules"
)

// deploy deploys the target that is named, unless a rule refuses.
func (r Request) deploy() Decision {
	t := r.target()
	if t == nil {
		return Decision{Answer: r.message(deploy.MsgWhichTarget, nil)}
	}
	r.Rules.Target = *t
	if reason := rules.Judge(r.Rules); reason != "" {
		return Decision{Answer: r.message(reason, t)}
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
	r.Rules.Target = *t
	if reason := rules.JudgeAgain(r.Rules); reason != "" {
		return Decision{Answer: r.message(reason, t)}
	}
	return Decision{Deploy: t}
}
