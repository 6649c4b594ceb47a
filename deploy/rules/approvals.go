package rules

import (
	"slices"

	"github.com/getto-systems/psycher/deploy"
)

// approvals holds back what too few people have approved. A rollback is not approved.
func approvals(c Context) deploy.MessageID {
	if c.Pressed.Do != deploy.KindRollback && len(Approved(c)) < c.Target.Approvals {
		return deploy.MsgApprovals
	}
	return ""
}

// Approved are the approvals that count: of people who may still approve, and who do not
// want the deploy themselves. Waiting makes none too old.
func Approved(c Context) (count []deploy.Pressed) {
	for _, p := range c.Approved {
		by := c
		by.Request.By = p.By
		isOld := !c.Waited && c.SlackNow.Sub(p.At) > deploy.ApproveFor
		wants := slices.ContainsFunc(c.For, func(who deploy.Person) bool { return who.User == p.By.User })
		// mutant: an approval of somebody who may not approve any more
		if !isOld && !wants && May(by, deploy.KindApprove) == "" {
			count = append(count, p)
		}
	}
	return count
}

// approver refuses people who are not on the target's list of those who approve, or else
// those who may not deploy.
func approver(c Context) deploy.MessageID {
	if c.Target.Approvers == nil {
		return allow(c)
	}
	if !slices.Contains(c.Target.Approvers, c.Request.By.User) {
		return deploy.MsgNotApprover
	}
	return ""
}
