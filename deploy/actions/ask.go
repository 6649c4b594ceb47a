package actions

import (
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/rules"
)

// maxChoices is how many targets can be offered: Slack's menus have no more room.
const maxChoices = 100

// ask asks, for a reason, whether to deploy the target that is meant, or else
// which one of the channel. Who may deploy none of them is not asked.
func (r Request) ask(reason deploy.MessageID) Decision {
	meant := r.Here
	if t := r.target(); t != nil {
		meant = []deploy.Target{*t}
	}
	var (
		refused deploy.Message
		buttons []deploy.Button
		only    *deploy.Target // the one that may be deployed, if it is one
	)
	for i, t := range meant {
		r.Rules.Target = t
		if no := rules.Refusal(r.Rules, deploy.KindDeploy); no.ID != "" {
			refused = no
			continue
		}
		only = &meant[i]
		buttons = append(buttons, deploy.Button{Do: deploy.KindDeploy, Target: t.Name, Ref: t.Ref, Project: t.Project, Key: t.Key})
	}
	switch {
	case reason == deploy.MsgUnknown && (len(buttons) == 0 || len(buttons) > maxChoices):
		return Decision{Answer: r.message(reason, nil)}
	case len(meant) == 0:
		m := r.message(deploy.MsgNoTarget, nil)
		m.Team, m.Channel = r.Rules.Request.Key.Team, r.Rules.Request.Key.Channel
		return Decision{Answer: m}
	case len(buttons) == 0:
		return r.refused(refused)
	case len(buttons) > maxChoices:
		return Decision{Answer: r.message(deploy.MsgWhichTarget, nil)}
	case len(buttons) > 1:
		return Decision{Answer: r.message(reason, nil), Buttons: append(buttons, deploy.Button{})}
	}
	d := Decision{Answer: r.message(reason, only), Buttons: append(buttons, deploy.Button{})}
	if reason == deploy.MsgUnknown { // nothing is asked for yet
		return d
	}
	return r.holding(d, *only)
}
