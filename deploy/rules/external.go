package rules

import "github.com/getto-systems/psycher/deploy"

// external refuses people of other organisations.
func external(c Context) deploy.MessageID {
	if c.Mention.By.External {
		return deploy.MsgGuest
	}
	return ""
}
