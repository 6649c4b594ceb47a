package rules

import "github.com/getto-systems/psycher/deploy"

// changed holds back a target that is another by now than the button said: another ref,
// another project.
func changed(c Context) deploy.MessageID {
	// mutant: another branch deployed than the button says
	if c.Pressed.Do != "" && !c.Pressed.Means(c.Target) {
		return deploy.MsgTooLate
	}
	return ""
}
