package deploy

import "time"

// This file is about the commit that somebody has confirmed: it is deployed, and no
// other one.

// Confirmed is the commit that was confirmed; empty: none was to be.
func (r Record) Confirmed() string {
	if b := r.Chosen(); b.Do == KindDeploy || b.Do == KindApprove {
		return b.SHA
	}
	return ""
}

// named notes which pipeline it is. One of another commit than was confirmed is to be
// canceled.
func (r Record) named(p Pipeline, now time.Time) Record {
	d, sha := &r.Deployment, r.Confirmed()
	d.name(p)
	// mutant: another commit deployed than was confirmed
	if sha != "" && p.SHA != "" && p.SHA != sha && !d.MovedOn {
		d.MovedOn, d.Cancel = true, &Cancel{At: now}
		r = r.decided(Decision{What: DidCancel, Reason: MsgOtherCommit})
	}
	return r
}

// endOfCommit is what the end of its pipeline means for the deployment: a job that was
// not allowed to deploy another commit fails, whether it was canceled before or not.
func (r Record) endOfCommit(end State) State {
	// mutant: a job that was stopped told as a failure
	if r.Deployment.MovedOn && end == Failed {
		return Canceled
	}
	return end
}

// again is what the button does that tries once more. After another commit than the
// one that was confirmed it shows what goes out now.
func (r Record) again() Kind {
	if r.Deployment.MovedOn {
		return KindPending
	}
	return KindRetry
}
