package rules

import (
	"slices"

	"github.com/getto-systems/psycher/deploy"
)

// freeze refuses a deploy while its target is frozen, but to those who may override
// that. What has waited can be confirmed no more.
func freeze(c Context) deploy.MessageID {
	mayOverride := slices.Contains(c.Target.Override, c.Request.By.User) && (!c.Waited || confirmsFreeze(c))
	// mutant: a deploy during a freeze by anybody
	if !mayOverride && c.Target.Frozen(c.SlackNow) != nil {
		return deploy.MsgFrozen
	}
	return ""
}

// override holds back what those ask for who may deploy during a freeze, unless they
// have confirmed just that. A rollback is confirmed anyway.
func override(c Context) deploy.MessageID {
	// mutant: a deploy during a freeze that nobody has confirmed
	if !confirmsFreeze(c) && c.Pressed.Do != deploy.KindRollback && c.Target.Frozen(c.SlackNow) != nil {
		return deploy.MsgFreeze
	}
	return ""
}

// confirmsFreeze reports whether the button was pressed that names the freeze, by its
// end: another one may begin after it, or the settings may have changed it.
func confirmsFreeze(c Context) bool {
	b, now := c.Pressed, c.Target.Frozen(c.SlackNow)
	// mutant: a freeze confirmed that nobody has been shown
	return b.Freeze && (now == nil || b.Until == now.Until)
}
