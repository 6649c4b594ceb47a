package rules

import "github.com/getto-systems/psycher/deploy"

// takenBack holds back a commit that was rolled back, and that is still the newest,
// unless just that is confirmed.
func takenBack(c Context) deploy.MessageID {
	// mutant: a commit that was taken back asked about for ever
	if c.TakenBack != nil && !c.Pressed.ConfirmsUndone(*c.TakenBack) {
		return deploy.MsgTakenBack
	}
	return ""
}
