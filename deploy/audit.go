package deploy

import (
	"cmp"
	"slices"
	"time"
)

// This file is about who has decided what: a record keeps it, and each save logs what is new.

// Decision is what somebody, or a rule, has decided about a record.
type Decision struct {
	At     time.Time `json:"at,omitzero"` // when it was saved, by the store's clock; zero: it is to be
	What   What      `json:"what"`
	By     string    `json:"by,omitempty"`     // who did it; of a question, an answer or a refusal: whom it is for
	Reason MessageID `json:"reason,omitempty"` // the rule, the question that is asked or answered, or the answer
	Do     Kind      `json:"do,omitempty"`     // what the button asks for that was pressed
	SHA    string    `json:"sha,omitempty"`    // the commit that the button names
}

// What is a kind of decision; the log's lines have the same names.
type What string

// The kinds of decisions.
const (
	DidRequest  What = "requested"
	DidEdit     What = "edited" // the mention asks for a deploy since
	DidAsk      What = "asked"  // buttons were shown
	DidPress    What = "pressed"
	DidOverride What = "overrode" // the same, of a button that goes against a rule: see overridable
	DidApprove  What = "approved"
	DidDecline  What = "declined"
	DidRefuse   What = "refused" // by a rule
	DidAnswer   What = "answered"
	DidWithdraw What = "withdrawn" // before anything ran
	DidLapse    What = "lapsed"    // nobody has pressed
	DidCancel   What = "canceled"  // GitLab is asked to; without a person: another commit was confirmed
	DidSetAside What = "set-aside" // another deployment goes first
	DidLock     What = "locked"
	DidUnlock   What = "unlocked"
)

// overridable are the questions whose buttons go against a rule.
var overridable = []MessageID{MsgBusy, MsgBusyWaiting, MsgFreeze, MsgLocked, MsgTakenBack}

// maxDecisions bounds how many a record keeps: the newest.
const maxDecisions = 50

// decided adds what was decided to the record.
func (r Record) decided(all ...Decision) Record {
	for _, d := range all {
		r.Audit = withNewest(r.Audit, d, maxDecisions)
	}
	return r
}

// ofPress is what a press decides, of a button of a question or of a status message: of one
// that goes against several rules, each of them.
func (b Button) ofPress(by Person, question Message) (all []Decision) {
	d := Decision{What: DidPress, By: by.User, Reason: question.ID, Do: b.Do, SHA: b.SHA}
	switch b.Do {
	case KindApprove:
		d.What = DidApprove
	case KindCancel:
		d.What = DidCancel
	case KindDeploy, KindRollback:
		for _, reason := range question.Reasons() {
			// mutant: who went against a rule recorded as if there were none
			if slices.Contains(overridable, reason) {
				d.What, d.Reason = DidOverride, reason
				all = append(all, d)
			}
		}
	}
	if len(all) > 0 {
		return all
	}
	return []Decision{d}
}

// ofAnswer is what it means that the record is answered.
func (r Record) ofAnswer(m Message) Decision {
	d := Decision{What: DidAnswer, By: r.Asked().By.User, Reason: m.ID}
	switch {
	case m.ID.IsRefusal(), m.ID == MsgMustConfirm:
		d.What = DidRefuse
	case m.ID == MsgDeclined:
		d.What, d.By = DidDecline, m.By
	case m.ID == MsgWithdrawn:
		// mutant: what somebody else withdrew recorded as withdrawn by who asked
		d.What, d.By = DidWithdraw, m.By
	case m.ID == MsgEditedOut:
		d.What, d.By = DidWithdraw, r.Request.By.User
	case m.ID == MsgUnlocked:
		d.What, d.By = DidUnlock, m.By
	case m.ID == MsgLapsed, m.ID == MsgLockOver:
		d.What, d.By = DidLapse, ""
	}
	return d
}

// Decisions are all that is known to be decided, the oldest first.
func (r Record) Decisions() []Decision {
	all := []Decision{{At: r.Request.At.UTC(), What: DidRequest, By: r.Request.By.User}}
	if b := r.Chosen(); len(r.Audit) == 0 && b.Do != "" { // it is of a version that kept no more
		for _, d := range b.ofPress(r.Ask.Pressed.By, r.Ask.Message) {
			d.At = r.Ask.Pressed.At.UTC()
			all = append(all, d)
		}
	}
	return append(all, r.Audit...)
}

// DeploysNothing reports whether somebody, a rule or GitLab has decided that nothing is
// deployed, as who locks a target does.
func (r Record) DeploysNothing() bool {
	// mutant: what a rule refused forgotten by the history
	return r.State == Refused || r.State == Locked || r.State == Answered && slices.ContainsFunc(r.Audit, func(d Decision) bool { return d.What != DidAnswer })
}

// Begun is when it was triggered, or else asked for.
func (r Record) Begun() time.Time { return cmp.Or(r.Deployment.Triggered, r.Request.At) }

// About is the name of the target that it is about; empty: this is not known.
func (r Record) About() string {
	return cmp.Or(r.Deployment.Target, r.Asked().Intent.Target, r.about("").Target, r.Request.Intent.Target)
}

// Stamp dates what was decided since the last save, and returns that.
func (r *Record) Stamp(now time.Time) (decided []Decision) {
	for i := range r.Audit {
		// mutant: a decision dated anew by each save
		if r.Audit[i].At.IsZero() {
			r.Audit[i].At = now.UTC()
			decided = append(decided, r.Audit[i])
		}
	}
	return decided
}
