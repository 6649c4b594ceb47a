package actions

import (
	"cmp"

	"github.com/getto-systems/psycher/deploy"
)

// answer answers words that deploy nothing.
func (r Request) answer() Decision {
	id := cmp.Or(r.Intent.Answer, deploy.MsgUnknown)
	return Decision{Answer: r.message(id, r.target()), ShowLast: id == deploy.MsgPast || id == deploy.MsgStop}
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
