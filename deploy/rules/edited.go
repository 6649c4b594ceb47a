package rules

import "github.com/getto-systems/psycher/deploy"

// edited holds back what an edit asks for.
func edited(c Context) deploy.MessageID {
	if c.Request.Edited {
		return deploy.MsgEditedIn
	}
	return ""
}
