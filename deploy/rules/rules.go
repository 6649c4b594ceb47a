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
