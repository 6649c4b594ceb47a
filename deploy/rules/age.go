package rules

import "github.com/getto-systems/psycher/deploy"

// age holds back what was asked for too long ago. Both times are by Slack's clock.
func age(c Context) deploy.MessageID {
	// mutant: age not judged
	if c.SlackNow.Sub(c.Request.At) > c.MaxAge {
		return deploy.MsgTooLate
	}
	return ""
}
