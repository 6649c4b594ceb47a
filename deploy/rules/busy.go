package rules

import "github.com/getto-systems/psycher/deploy"

// busy holds back what would run beside another deployment of its target, unless
// somebody has confirmed just that.
func busy(c Context) deploy.MessageID {
	h := c.Holder
	if c.Target.Parallel || h == nil || !h.IsActive() || h.Request.Key == c.Request.Key {
		return ""
	}
	// mutant: a deploy confirmed beside one deployment made beside another
	if c.Pressed.Over == h.Request.Key.String() {
		return ""
	}
	if h.State == deploy.Waiting {
		return deploy.MsgBusyWaiting
	}
	// mutant: two deployments of one target at a time
	return deploy.MsgBusy
}
