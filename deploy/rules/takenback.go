package rules

import "github.com/getto-systems/psycher/deploy"

// takenBack holds back a commit that was rolled back, and that is still the newest.
func takenBack(c Context) deploy.MessageID {
	if c.TakenBack {
		return deploy.MsgTakenBack
	}
	return ""
}
