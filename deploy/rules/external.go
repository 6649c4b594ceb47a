package rules

import "github.com/getto-systems/psycher/deploy"

// external refuses people of other organisations.
func external(c Context) deploy.MessageID {
	if c.Request.By.External {
		return deploy.MsgGuest
	}
	return ""
}
