package deploy

import "slices"

// Edit takes in that the mention was edited, and whether it still asks for this
// deploy, or for any where the record is about none.
func (r Record) Edit(deploys bool) Record {
	asked := slices.ContainsFunc(r.Lines, func(m Message) bool { return m.ID == MsgEditedIn })
	switch {
	case deploys && (r.State == Answered || r.State == Refused) && !asked:
		return r.addLine(Message{ID: MsgEditedIn})
	case !deploys && (r.State == Accepted || r.State == Waiting):
		return r.Answer(Message{ID: MsgEditedOut, Target: r.Deployment.Target})
	case r.State == Triggering: // if GitLab accepts the POST, it runs
		r.Deployment.TakenBack = !deploys
	}
	return r
}

// Gone takes in that the mention was deleted. A deployment that waits is
// withdrawn; there is no message left to answer.
func (r Record) Gone() Record {
	switch r.State {
	case Accepted, Waiting:
		r = r.move(Answered)
		r.Reactions = nil // they went with the message
	case Triggering:
		r.Deployment.TakenBack, r.Deployment.Deleted = true, true
	}
	return r
}
