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
	TakenBack *deploy.Success  // what was rolled back, if that is, or may be, its commit
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

	times   = []Rule{edited, birth, age, changed}                           // whether the request is still what is wanted
	holding = []Rule{override, locked, busy, takenBack, approvals, confirm} // whether the target can be deployed now; the most severe first
	lasting = []Rule{approvals, confirm}                                    // whether what waited may still begin, as the target is now
)

// May returns why the person who asks may not do something with the target; empty: the
// person may. Every way in is authorised by it: mentions, presses, and each POST.
func May(c Context, do deploy.Kind) deploy.MessageID { return first(about(do), c) }

// about are the rules about who may do something.
func about(do deploy.Kind) []Rule {
	switch do {
	case deploy.KindCancel, deploy.KindWithdraw, deploy.KindLock:
		return members
	case deploy.KindApprove:
		return approve
	case deploy.KindRollback, deploy.KindUnlock:
		return people
	}
	// mutant: a person authorised for everything
	return deploys
}

// maxPeople is how many of those who may deploy are named.
const maxPeople = 3

// Refusal is what a person is told who may not do something: all that refuses it, but to
// those of other workspaces; zero: the person may.
func Refusal(c Context, do deploy.Kind) deploy.Message {
	reasons := all(about(do), c)
	if len(reasons) == 0 {
		return deploy.Message{}
	}
	// mutant: a guest told who may deploy, and until when it is frozen
	if reasons[0] == deploy.MsgGuest {
		reasons = reasons[:1]
	}
	m := deploy.Message{ID: reasons[0], Also: reasons[1:], Target: c.Target.Name}
	for _, reason := range reasons {
		switch reason {
		case deploy.MsgNotAllowed:
			m.People = whomToAsk(c, c.Target.Allow)
		case deploy.MsgNotApprover:
			m.People = c.Target.Approvers[:min(len(c.Target.Approvers), maxPeople)]
		case deploy.MsgFrozen: // whom the list alone names is refused too
			m.People = whomToAsk(c, c.Target.Override)
			m.Frozen = []deploy.Frozen{*c.Target.Frozen(c.SlackNow)}
		}
	}
	return m
}

// Doubts returns why a request for a deploy is asked about: by its time or by how it
// came, and by all that holds its target; none: it is not.
func Doubts(c Context) []deploy.MessageID {
	if doubt := first(times, c); doubt != "" {
		return append([]deploy.MessageID{doubt}, all(holding, c)...)
	}
	return all(holding, c)
}

// Holding returns all that holds a target, whatever was pressed; do is what is asked for.
func Holding(c Context, do deploy.Kind) []deploy.MessageID {
	// mutant: a button that confirms what its question does not name
	c.Pressed, c.Approved = deploy.Button{Do: do}, nil
	return all(holding, c)
}

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

func all(rules []Rule, c Context) (reasons []deploy.MessageID) {
	for _, refuses := range rules {
		if reason := refuses(c); reason != "" {
			reasons = append(reasons, reason)
		}
	}
	return reasons
}
