package actions

import (
	"slices"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/rules"
)

// Request is what a person asks for, and where.
type Request struct {
	Intent deploy.Intent
	Here   []deploy.Target // the channel's targets
	Rules  rules.Context   // without a target
	Past   Past            // of the target that is named, where it is looked at: see [Looks]
}

// Past is what is known of a target's deployments.
type Past struct {
	Newest    *deploy.Record
	TakenBack *deploy.Success // what the newest one took back, if that is, or may be, still what would be deployed
	Successes []deploy.Record // newest first
}

// Looks reports whether what comes of a request depends on the target's past.
func Looks(k deploy.Kind) bool {
	return k == deploy.KindRetry || k == deploy.KindRollback || k == deploy.KindPending
}

// Locks reports whether a request is about the locks of its target.
func Locks(k deploy.Kind) bool {
	return k == deploy.KindLock || k == deploy.KindUnlock || k == deploy.KindTell
}

// Decision is what comes of a request: a deploy, or else an answer, which is a
// question if it has buttons.
type Decision struct {
	Deploy  *deploy.Target
	Lock    *deploy.Target  // it is to be locked
	Unlock  []string        // the records whose locks are to end
	Queue   *deploy.Target  // it is to be deployed once what goes on of it is over
	Back    *deploy.Success // the deploy goes back to it,
	Undone  *deploy.Commit  // from this one, where that is known
	Answer  deploy.Message
	Buttons []deploy.Button
	Stop    bool // what waits is withdrawn

	Needs    int              // how many people are to approve what is asked
	Approved []deploy.Pressed // who has
	approved string           // the commit that they have approved
}

// Of makes a question one about a commit, which alone its buttons deploy. Where that is not
// known, they look again.
func (d *Decision) Of(sha string) {
	for i := range d.Buttons {
		switch b := &d.Buttons[i]; {
		case b.Do != deploy.KindDeploy:
		case sha == "" && d.Answer.Names(deploy.MsgConfirm) && d.Answer.ID != deploy.MsgConfirm:
			// What it asks about otherwise can be answered; the commit is asked about next.
			// mutant: a commit named as what would go out that nobody has seen
			d.Answer.Also = slices.DeleteFunc(d.Answer.Also, func(id deploy.MessageID) bool { return id == deploy.MsgConfirm })
		case sha == "":
			// mutant: a commit that nobody has seen offered to be confirmed
			d.Answer.ID, b.Do, d.Needs = deploy.MsgConfirmUnseen, deploy.KindPending, 0
		case d.Needs > 0:
			b.Do, b.SHA = deploy.KindApprove, sha
			// mutant: an approval of another commit that counts
			if sha != d.approved {
				d.Approved = nil
			}
		default:
			b.SHA = sha
		}
	}
}

// Decide returns what comes of a request.
func Decide(r Request) Decision {
	switch {
	case r.Intent.Deploys():
		return r.deploy()
	case r.Intent.Doubt == deploy.MsgPlainly:
		return r.Plainly()
	case r.Intent.Doubt != "":
		return r.ask(r.Intent.Doubt)
	case r.Intent.Kind == deploy.KindUnknown:
		return r.ask(deploy.MsgUnknown)
	case r.Intent.Kind == deploy.KindCancel:
		return r.stop()
	case (Looks(r.Intent.Kind) || Locks(r.Intent.Kind)) && r.target() == nil && len(r.Here) > 0:
		return Decision{Answer: r.message(deploy.MsgNameOne, nil)}
	case Locks(r.Intent.Kind) && r.target() == nil:
		return r.ask(deploy.MsgNoTarget)
	case r.Intent.Kind == deploy.KindLock:
		return r.lock()
	case r.Intent.Kind == deploy.KindUnlock:
		return r.unlock()
	case r.Intent.Kind == deploy.KindTell:
		return r.tell()
	case r.Intent.Kind == deploy.KindRetry:
		return r.retry()
	case r.Intent.Kind == deploy.KindRollback:
		return r.rollback()
	case r.Intent.Kind == deploy.KindPending:
		return r.pending()
	}
	return r.answer()
}

// Plainly answers what is not understood, and is about another action than a deploy.
func (r Request) Plainly() Decision {
	return Decision{Answer: r.message(deploy.MsgPlainly, r.target())}
}

// target is the target that the request names, if the channel has it.
func (r Request) target() *deploy.Target {
	i := slices.IndexFunc(r.Here, func(t deploy.Target) bool { return t.Name == r.Intent.Target })
	if i < 0 {
		return nil
	}
	return &r.Here[i]
}

// message is an answer about a target; nil: about none.
func (r Request) message(id deploy.MessageID, t *deploy.Target) deploy.Message {
	m := deploy.Message{ID: id, Word: r.Intent.Word}
	for _, here := range r.Here {
		m.Targets = append(m.Targets, here.Name)
	}
	if t != nil {
		m.Target, m.Project, m.Ref = t.Name, t.Project, t.Ref
	}
	return m
}
