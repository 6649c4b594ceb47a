package rules

import "github.com/getto-systems/psycher/deploy"

// locked holds back what somebody has locked, unless just that is confirmed.
func locked(c Context) deploy.MessageID {
	for _, lock := range deploy.LocksOf(c.Beside) {
		// mutant: a locked target deployed
		if !c.Pressed.Confirms(lock) {
			return deploy.MsgLocked
		}
	}
	return ""
}
