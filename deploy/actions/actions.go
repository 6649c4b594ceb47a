package actions

import (
	"slices"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/rules"
)

// Request is what a person asks for, and where.
type Request struct {
	Intent deploy.Intent
	Here   []deploy.Target // the channel's targets
	Rules  rules.Context   // without a target
}

// Decision is what comes of a request: a deploy, or else an answer, which is a
// question if it has buttons.
type Decision struct {
	Deploy  *deploy.Target
	Answer  deploy.Message
	Buttons []deploy.Button
	Stop    bool // what waits is withdrawn
}

// Decide returns what comes of a request.
func Decide(r Request) Decision {
	switch {
	case r.Intent.Deploys():
		return r.deploy()
	case r.Intent.Doubt == deploy.MsgPlainly:
		return Decision{Answer: r.message(deploy.MsgPlainly, r.target())}
	case r.Intent.Doubt != "":
		return r.ask(r.Intent.Doubt)
	case r.Intent.Kind == deploy.KindUnknown:
		return r.ask(deploy.MsgUnknown)
	case r.Intent.Kind == deploy.KindCancel:
		return r.stop()
	}
	return r.answer()
}

// target is the target that the request names, if the channel has it.
func (r Request) target() *deploy.Target {
	i := slices.IndexFunc(r.Here, func(t deploy.Target) bool { return t.Name == r.Intent.Target })
	if i < 0 {
		return nil
	}
	return &r.Here[i]
}

// message is an answer about a target; nil: about none.
func (r Request) message(id deploy.MessageID, t *deploy.Target) deploy.Message {
	m := deploy.Message{ID: id, Word: r.Intent.Word}
	for _, here := range r.Here {
		m.Targets = append(m.Targets, here.Name)
	}
	if t != nil {
		m.Target, m.Project, m.Ref = t.Name, t.Project, t.Ref
	}
	return m
}
