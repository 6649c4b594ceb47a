package rules

import (
	"slices"
	"strings"

	"github.com/getto-systems/psycher/deploy"
)

// busy holds back what would run beside other deployments of its target, unless
// somebody has confirmed just that.
func busy(c Context) (reason deploy.MessageID) {
	confirmed := strings.Fields(c.Pressed.Over)
	for _, b := range c.Beside {
		switch {
		case c.Target.Parallel:
		// mutant: a deploy confirmed beside one deployment made beside another
		case slices.Contains(confirmed, b.Confirmation()):
		case b.Known.State != deploy.Waiting:
			// mutant: two deployments of one target at a time
			return deploy.MsgBusy
		default:
			reason = deploy.MsgBusyWaiting
		}
	}
	return reason
}
