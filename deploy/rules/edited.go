package rules

import "github.com/getto-systems/psycher/deploy"

// edited refuses what an edit asks for: the person is asked to write it anew.
func edited(c Context) deploy.MessageID {
	if c.Request.Edited {
		return deploy.MsgEditedIn
	}
	return ""
}
