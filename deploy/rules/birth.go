package rules

import "github.com/getto-systems/psycher/deploy"

// birth holds back what is older than the store's memory: it may have been deployed
// before the store forgot it.
func birth(c Context) deploy.MessageID {
	// mutant: birth not judged
	if c.Request.At.Before(c.Birth) {
		return deploy.MsgForgotten
	}
	return ""
}
