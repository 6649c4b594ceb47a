package actions

import (
	"cmp"

	"github.com/getto-systems/psycher/deploy"
)

// answers are what is said to a request that deploys nothing; what it asks for
// otherwise cannot be done yet.
var answers = map[deploy.Kind]deploy.MessageID{
	"":                 deploy.MsgUnknown,
	deploy.KindUnknown: deploy.MsgUnknown,
	deploy.KindGreet:   deploy.MsgGreet,
	deploy.KindThanks:  deploy.MsgThanks,
	deploy.KindHelp:    deploy.MsgHelp,
	deploy.KindStatus:  deploy.MsgStatus,
	deploy.KindCancel:  deploy.MsgStop,
}

// answer answers words that deploy nothing.
func (r Request) answer() Decision {
	id := cmp.Or(r.Intent.Doubt, answers[r.Intent.Kind], deploy.MsgNotYet)
	return Decision{Answer: r.message(id, r.target()), ShowLast: id == deploy.MsgStatus || id == deploy.MsgStop}
}

// WithLast adds to an answer the last deployment of the target that is meant, or
// the newest of the channel; a zero one adds nothing.
func WithLast(answer deploy.Message, last deploy.Record) deploy.Message {
	if last.State != "" {
		answer.Target, answer.Ref = last.Deployment.Target, last.Deployment.Ref
		answer.Last, answer.URL = string(last.State), last.Deployment.Link()
	}
	return answer
}
