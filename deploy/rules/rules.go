package rules

import (
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// Context is what rules may look at.
type Context struct {
	Request   deploy.Request
	Target    deploy.Target
	Pressed   deploy.Button    // the button that was pressed; zero: none was
	Beside    []deploy.Beside  // other deployments of its target that go on
	Approved  []deploy.Pressed // who has approved it
	For       []deploy.Person  // who want it, and cannot approve it
	TakenBack bool             // its commit was rolled back, or may be the one that was
	Birth     time.Time        // since when the store remembers, by Slack's clock
	SlackNow  time.Time        // Slack's clock
	MaxAge    time.Duration    // how old a request may be
	Groups    map[string]Group // of the target's user groups, those that could be read
	Waited    bool             // it has waited for GitLab
}

// Rule returns why it holds a deploy back; empty: it does not.
type Rule func(Context) deploy.MessageID

var (
	deploys = []Rule{external, allow, freeze} // whether the person may deploy the target
	people  = []Rule{external, allow}         // whether the person may roll it back, or unlock it
	approve = []Rule{external, approver}      // whether the person may approve that it is deployed
	members = []Rule{external}                // whether the person may stop what others asked for
	times   = []Rule{edited, birth, age, changed, override, locked, busy, takenBack, approvals, confirm}
	lasting = []Rule{approvals, confirm} // whether what waited may still begin, as the target is now
)

// May returns why the person who asks may not do something with the target; empty: the
// person may. Every way in is authorised by it: mentions, presses, and each POST.
func May(c Context, do deploy.Kind) deploy.MessageID {
	switch do {
	case deploy.KindCancel, deploy.KindWithdraw, deploy.KindLock:
		return first(members, c)
	case deploy.KindApprove:
		return first(approve, c)
	case deploy.KindRollback, deploy.KindUnlock:
		return first(people, c)
	}
	// mutant: a person authorised for everything
	return first(deploys, c)
}

// maxPeople is how many of those who may deploy are named.
const maxPeople = 3

// Refusal is what a person is told who may not do something; zero: the person may.
func Refusal(c Context, do deploy.Kind) deploy.Message {
	m := deploy.Message{ID: May(c, do), Target: c.Target.Name}
	switch m.ID {
	case "":
		return deploy.Message{}
	case deploy.MsgNotAllowed:
		m.People = whomToAsk(c)
	case deploy.MsgNotApprover:
		m.People = c.Target.Approvers[:min(len(c.Target.Approvers), maxPeople)]
	case deploy.MsgFrozen:
		m.People = c.Target.Override[:min(len(c.Target.Override), maxPeople)]
		m.Frozen = []deploy.Frozen{*c.Target.Frozen(c.SlackNow)}
	}
	return m
}

// Doubt returns why a request for a deploy is asked about, by its time, by how it
// came and by what goes on; empty: it is not.
func Doubt(c Context) deploy.MessageID { return first(times, c) }

// Lasting returns why a deploy that was judged before is not to begin any more; empty:
// it is.
func Lasting(c Context) deploy.MessageID { return first(lasting, c) }

func first(rules []Rule, c Context) deploy.MessageID {
	for _, refuses := range rules {
		if reason := refuses(c); reason != "" {
			return reason
		}
	}
	return ""
}
