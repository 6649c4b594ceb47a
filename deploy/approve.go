package deploy

import (
	"slices"
	"time"
)

// This file is about deployments that several people approve.

// For are the people who want what the record asks for, and who cannot approve it
// themselves: who asked, and whoever has pressed a button for it. The last one deploys.
func (r Record) For() []Person {
	all := []Person{r.Request.By}
	if r.Ask != nil && len(r.Ask.For) > 0 {
		all = r.Ask.For
	}
	if r.Chosen().Do == KindPending { // who has only looked
		return all
	}
	by := r.Asked().By
	return append(slices.DeleteFunc(slices.Clone(all), by.is), by)
}

// wants is who deploys once it is approved.
func (r Record) wants() Person {
	if n := len(r.Ask.For); n > 0 {
		return r.Ask.For[n-1]
	}
	return r.Request.By
}

func (p Person) is(other Person) bool { return p.User == other.User }

// ToApprove has a question answered by several people; some of them may have done so.
func (r Record) ToApprove(needs int, approved []Pressed, now time.Time) Record {
	if needs > 0 {
		r.Ask.Needs, r.Ask.Approved = needs, approved
		r.Next = now.Add(ApproveFor)
	}
	return r
}

// approve takes in an approval. The last one that is needed decides.
func (r Record) approve(p Pressed, now time.Time) (next Record, taken bool) {
	ask := *r.Ask
	// mutant: an approval that counts twice
	if i := slices.IndexFunc(ask.Approved, func(was Pressed) bool { return was.By.is(p.By) }); i >= 0 {
		return r, ask.Approved[i].TS == p.TS // an earlier try of this one
	}
	// mutant: an approval by who wants it
	if slices.ContainsFunc(r.For(), p.By.is) {
		return r, false
	}
	ask.Approved = append(slices.Clone(ask.Approved), p)
	if r.Ask = &ask; len(ask.Approved) >= ask.Needs {
		ask.Pressed, r.Next = &p, now
	}
	return r.decided(ask.Buttons[p.Button].ofPress(p.By, ask.Message)...), true
}

// noApproval is what a person is told whose approval does not count.
func (r Record) noApproval(by Person) Message {
	m := r.Ask.approvals(r.about(MsgApprovedBefore))
	if slices.ContainsFunc(r.For(), by.is) {
		m.ID = MsgApproveOwn
	}
	return m
}

// Approved are the approvals of what was pressed; none are needed where there are none.
func (r Record) Approved() []Pressed {
	if r.Chosen().Do != KindApprove {
		return nil
	}
	return r.Ask.Approved
}

// mostNamed is how many people are named of those who may approve.
const mostNamed = 5

// approvals fills in who has approved, and whom that leaves.
func (a *Ask) approvals(m Message) Message {
	if a.Needs == 0 {
		return m
	}
	m.Missing = a.Needs - len(a.Approved)
	for _, p := range a.Approved {
		m.Approved = append(m.Approved, p.By.User)
	}
	m.People = slices.DeleteFunc(slices.Clone(a.Message.People), func(user string) bool { return slices.Contains(m.Approved, user) })
	m.People = m.People[:min(len(m.People), mostNamed)]
	return m
}
