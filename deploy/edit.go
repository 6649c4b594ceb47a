package deploy

import "cmp"

// Edit takes in what the mention asks for now that it was edited. An edit is
// judged by one question: does it still ask for this deploy, or for any where
// none was asked for?
func (r Record) Edit(asked Intent) Record {
	target := cmp.Or(r.Deployment.Target, r.Request.Intent.Target)
	asksForThis := asked.Deploys() && (target == "" || asked.Target == target)
	switch {
	case r.State == Triggering: // if GitLab accepts the POST, it runs
		r.Deployment.TakenBack = !asksForThis
	case r.State == Waiting, r.State == Accepted && r.Request.Intent.Deploys():
		if !asksForThis {
			return r.Answer(Message{ID: MsgEditedOut, Target: r.Deployment.Target})
		}
	case r.State == Accepted && asked.Deploys(): // it is not answered yet
		return r.Answer(Message{ID: MsgEditedIn})
	case (r.State == Answered || r.State == Refused) && asked.Deploys():
		return r.addLineOnce(Message{ID: MsgEditedIn})
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
