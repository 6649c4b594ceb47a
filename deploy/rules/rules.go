// Package rules decides who may deploy what, and when. A rule is a pure function
// of a [Context], in a file of its own, and returns its reason for refusing.
//
// All rules are judged once, when a request is taken up. Those in the second
// table are judged again before every later POST, as what they look at may have
// changed while the deployment waited: a person who was taken off a target's
// list is refused then. Whether a request is too old, or came as an edit, is
// judged only once: waiting makes nobody's request too old.
//
// To add a rule: a file with its function, a row in the tables below, and the
// message that it returns.
package rules

import (
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// Context is what rules may look at.
type Context struct {
	Request  deploy.Request
	Target   deploy.Target
	Birth    time.Time     // since when the store remembers, by Slack's clock
	SlackNow time.Time     // Slack's clock
	MaxAge   time.Duration // how old a request may be
}

// Rule returns why it refuses a deploy; empty: it does not.
type Rule func(Context) deploy.MessageID

var (
	once         = []Rule{external, allow, edited, birth, age}
	everyTrigger = []Rule{external, allow}
)

// Judge returns why a new request is refused; empty: it is not.
func Judge(c Context) deploy.MessageID { return first(once, c) }

// JudgeAgain returns why a deployment that waited is refused; empty: it is not.
func JudgeAgain(c Context) deploy.MessageID { return first(everyTrigger, c) }

func first(rules []Rule, c Context) deploy.MessageID {
	for _, refuses := range rules {
		if reason := refuses(c); reason != "" {
			return reason
		}
	}
	return ""
}
