package rules

import (
	"slices"

	"github.com/getto-systems/psycher/deploy"
)

// allow refuses people who are not on the target's list, where it has one.
func allow(c Context) deploy.MessageID {
	if c.Target.Allow != nil && !slices.Contains(c.Target.Allow, c.Request.By.User) {
		return deploy.MsgNotAllowed
	}
	return ""
}
