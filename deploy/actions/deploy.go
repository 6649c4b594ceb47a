package actions

import (
	"slices"
	"strings"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/rules"
)

// deploy deploys the target that is named, unless a rule holds it back.
func (r Request) deploy() Decision {
	t := r.target()
	if t == nil {
		return r.ask(deploy.MsgWhichTarget)
	}
	r.Rules.Target = *t
	if no := rules.Refusal(r.Rules, deploy.KindDeploy); no.ID != "" {
		return r.refused(no)
	}
	r.Rules.TakenBack = r.Past.TakenBack
	doubts := rules.Doubts(r.Rules)
	if len(doubts) == 0 {
		return Decision{Deploy: t}
	}
	doubt := doubts[0]
	// mutant: what is to be confirmed deployed in its turn, unconfirmed
	if isBusy(doubt) && !t.Confirm {
		i := slices.IndexFunc(doubts, func(id deploy.MessageID) bool { return !isBusy(id) })
		// mutant: a commit that was taken back deployed in its turn, unasked
		if i < 0 {
			return Decision{Queue: t}
		}
		doubt = doubts[i]
	}
	return r.ask(doubt)
}

func isBusy(id deploy.MessageID) bool { return id == deploy.MsgBusy || id == deploy.MsgBusyWaiting }

// holding has a question name all that holds its target, so that one press is enough: its
// first button confirms that, and no more.
func (r Request) holding(d Decision, t deploy.Target) Decision {
	r.Rules.Target, r.Rules.TakenBack = t, r.Past.TakenBack
	m, b, locks := &d.Answer, d.Buttons[0], deploy.LocksOf(r.Rules.Beside)
	isDeploy := b.Do == deploy.KindDeploy
	for _, reason := range rules.Holding(r.Rules, b.Do) {
		isNamed := reason == m.ID
		switch reason {
		case deploy.MsgFreeze:
			freeze := *t.Frozen(r.Rules.SlackNow)
			// mutant: what was confirmed of a freeze forgotten at the next question
			b.Freeze, b.Until = true, freeze.Until
			m.Frozen = []deploy.Frozen{freeze}
		case deploy.MsgLocked:
			b.Over = beside(m, b.Over, locks)
		case deploy.MsgBusy, deploy.MsgBusyWaiting:
			others := r.running()
			over := beside(m, b.Over, others)
			isQueued := isDeploy && !t.Confirm && slices.ContainsFunc(others, func(o deploy.Beside) bool { return !r.Rules.Pressed.Confirms(o) })
			// mutant: what is to wait for its turn started beside another
			if isQueued {
				reason, over = deploy.MsgStatusQueued, b.Over
			}
			b.Over, isNamed = over, isBusy(m.ID)
		case deploy.MsgTakenBack:
			b.Over = confirming(b.Over, r.Past.TakenBack.Confirmation())
			m.Undone = r.Past.TakenBack
		case deploy.MsgApprovals:
			if m.Missing = t.Approvals; isNamed {
				d.Needs, d.Approved, d.approved = t.Approvals, rules.Approved(r.Rules), r.Rules.Pressed.SHA
				if m.People = r.others(t.Approvers); t.Approvers == nil {
					m.People = r.others(t.Allow)
				}
			}
			isNamed = isNamed || m.ID == deploy.MsgPending // it tells of them
		case deploy.MsgConfirm: // the commit is shown anyway, or only then
			isNamed = isNamed || !isDeploy || m.ID == deploy.MsgPending || t.Approvals > 0
		}
		if !isNamed {
			m.Also = append(m.Also, reason)
		}
	}
	d.Buttons[0] = b
	isOthers := slices.ContainsFunc(locks, func(l deploy.Beside) bool { return l.Known.By != r.Rules.Request.By.User })
	// mutant: who waits for a lock asked to deploy in the middle of a freeze
	if isDeploy && isOthers && m.Names(deploy.MsgLocked) && !m.Names(deploy.MsgFreeze) {
		tell := deploy.Button{Do: deploy.KindTell, Target: t.Name, Ref: t.Ref, Project: t.Project, Key: t.Key}
		d.Buttons = slices.Insert(d.Buttons, 1, tell)
	}
	return d
}

// refused has a refusal name the locks of its target, and what is being deployed of it,
// too: who comes back when the refusal is over meets those.
func (r Request) refused(no deploy.Message) Decision {
	if no.ID == deploy.MsgGuest {
		return Decision{Answer: no}
	}
	for _, reason := range rules.Holding(r.Rules, deploy.KindDeploy) {
		switch reason {
		case deploy.MsgLocked:
			beside(&no, "", deploy.LocksOf(r.Rules.Beside))
		case deploy.MsgBusy, deploy.MsgBusyWaiting:
			reason = deploy.MsgStatusRunning
			beside(&no, "", r.running())
		default:
			continue
		}
		// mutant: a lock kept from who is refused for a freeze
		no.Also = append(slices.Clone(no.Also), reason)
	}
	return Decision{Answer: no}
}

// running are the other deployments of the target that go on, and no locks.
func (r Request) running() []deploy.Beside {
	return slices.DeleteFunc(slices.Clone(r.Rules.Beside), func(b deploy.Beside) bool { return b.Known.State == deploy.Locked })
}

// beside has a message tell of deployments, and returns what a button confirms then.
func beside(m *deploy.Message, over string, all []deploy.Beside) string {
	for _, b := range all {
		over = confirming(over, b.Confirmation())
		b.Known.Target = m.Target // another channel may call it otherwise
		m.Known = append(m.Known, b.Known)
	}
	return over
}

// confirming is what a button confirms, with one thing more.
func confirming(over, one string) string {
	if slices.Contains(strings.Fields(over), one) {
		return over
	}
	return strings.TrimSpace(over + " " + one)
}

// others are the people of a list who do not want the deploy themselves.
func (r Request) others(list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(user string) bool {
		return deploy.IsGroup(user) || slices.ContainsFunc(r.Rules.For, func(who deploy.Person) bool { return who.User == user })
	})
}
