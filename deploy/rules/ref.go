package rules

import "github.com/getto-systems/psycher/deploy"

// ref holds back a target that has another ref by now than the button said.
func ref(c Context) deploy.MessageID {
	// mutant: another branch deployed than the button says
	if c.Ref != "" && c.Ref != c.Target.Ref {
		return deploy.MsgTooLate
	}
	return ""
}
