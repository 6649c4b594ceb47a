package deploy

import "cmp"

// Edit takes in what the mention asks for now that it was edited. An edit is
// judged by one question: does it still ask for this, or for a deploy where none
// was asked for? An edit deploys nothing: the bot asks.
func (r Record) Edit(asked Intent) Record {
	target := cmp.Or(r.Deployment.Target, r.Request.Intent.Target)
	// mutant: a rollback of a message that asks for a deploy by now
	isDeploy := r.Deployment.Rollback == nil
	asksForThis := asked == r.Request.Intent || isDeploy && asked.Deploys() && (target == "" || asked.Target == target)
	wantsDeploy := asked.Kind == KindDeploy && asked.Doubt != MsgNoTarget
	toldToRepeat := r.State == Answered && (r.answer() == MsgNotRecorded || r.answer() == MsgBroken)
	switch {
	case r.State == Triggering: // if GitLab accepts the POST, it runs
		r.Deployment.TakenBack = !asksForThis
	case r.State == Waiting, r.State == Queued, r.State == Accepted && r.Request.Intent.acts():
		if !asksForThis {
			r.Request.Intent = asked
			return r.Answer(Message{ID: MsgEditedOut, Target: r.Deployment.Target, Known: r.goesWith()})
		}
	case (r.State == Answered || r.State == Refused) && wantsDeploy && !r.Deployment.Triggered.IsZero():
		return r.addLineOnce(Message{ID: MsgEditedLater})
	case asked == r.Request.Intent && !toldToRepeat:
	case wantsDeploy && (r.State == Accepted || r.State == Asking || r.State == Answered):
		return r.reopen(asked)
	// mutant: a question about words that are not there any more
	// mutant: a lock that is not asked for any more
	case r.State == Asking, r.State == Accepted && (r.Request.Intent.Doubt != "" || r.Request.Intent.locks()):
		r.Request.Intent = asked
		return r.Answer(Message{ID: MsgEditedOut})
	}
	return r
}

// reopen has the request judged anew, as an edit: it is asked about. What was
// asked before is no longer open.
func (r Record) reopen(asked Intent) Record {
	if r.State != Accepted {
		r = r.move(Accepted)
	}
	r = r.decided(Decision{What: DidEdit, By: r.Request.By.User, Do: asked.Kind})
	// mutant: an edit that deploys
	r.Request.Intent, r.Request.Edited = asked, true
	if r.Ask != nil {
		r.Ask = &Ask{Step: r.Ask.Step}
	}
	return r
}

// Gone takes in that the mention was deleted. A deployment that waits is
// withdrawn; there is no message left to answer.
func (r Record) Gone() Record {
	_, posted := r.Shown.Posts[SlotStatus]
	switch {
	// mutant: an answer to a message that is not there any more
	case r.State == Asking && posted:
		r = r.Answer(Message{ID: MsgWithdrawn})
		r.Reactions = nil
	case r.State == Asking, r.State == Accepted, r.State == Queued, r.State == Waiting:
		r = r.move(Answered).decided(Decision{What: DidWithdraw, Reason: MsgWithdrawn})
		r.Reactions = nil // they went with the message
	case r.State == Triggering:
		r.Deployment.TakenBack, r.Deployment.Deleted = true, true
	}
	return r
}
