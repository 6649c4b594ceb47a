package rules

import "github.com/getto-systems/psycher/deploy"

// confirm holds back what nobody has confirmed by a button that names the commit.
func confirm(c Context) deploy.MessageID {
	// mutant: a commit deployed that nobody has confirmed
	if c.Target.Confirm && c.Pressed.SHA == "" {
		return deploy.MsgConfirm
	}
	return ""
}
