package deploy

import "slices"

// Edit takes in that the mention was edited, and asks for a deploy (for this one,
// where the record is about one) or not.
func (r Record) Edit(deploys bool) Record {
	asked := slices.ContainsFunc(r.Lines, func(m Message) bool { return m.ID == MsgEditedIn })
	switch {
	case deploys && (r.State == Answered || r.State == Refused) && !asked:
		return r.addLine(Message{ID: MsgEditedIn})
	case !deploys && (r.State == Accepted || r.State == Waiting):
		return r.Answer(Message{ID: MsgEditedOut, Target: r.Deployment.Target})
	case r.State == Triggering: // if GitLab takes it, it runs
		r.Deployment.TakenBack = !deploys
	}
	return r
}

// Gone takes in that the mention was deleted. What waits starts nothing any
// more; there is nobody's message left to answer.
func (r Record) Gone() Record {
	switch r.State {
	case Accepted, Waiting:
		r = r.move(Answered)
		r.Reactions = nil // nothing stands any more
	case Triggering:
		r.Deployment.TakenBack, r.Deployment.Deleted = true, true
	}
	return r
}
