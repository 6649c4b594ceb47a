package rules

import "github.com/getto-systems/psycher/deploy"

// busy holds back what would run beside other deployments of its target, unless
// somebody has confirmed just that.
func busy(c Context) (reason deploy.MessageID) {
	for _, b := range c.Beside {
		switch {
		case c.Target.Parallel, c.Pressed.Confirms(b), b.Known.State == deploy.Locked:
		case b.Known.State != deploy.Waiting:
			// mutant: two deployments of one target at a time
			return deploy.MsgBusy
		default:
			reason = deploy.MsgBusyWaiting
		}
	}
	return reason
}
