package deploy

import (
	"fmt"
	"time"
)

// This file is about the buttons of a status message. What may be pressed is what
// the message shows now: a press of anything else came too late.

// cancelFor is how long GitLab is asked to cancel a pipeline that goes on all the
// same, and cancelEvery how often.
const (
	cancelFor   = time.Minute
	cancelEvery = 5 * time.Second
)

// restAfter is how long a success can be rolled back by a button.
const restAfter = time.Hour

// Cancel is somebody's wish that a running pipeline is canceled. It may be carried
// out several times: that GitLab accepts it proves nothing.
type Cancel struct {
	By   string    `json:"by"`
	At   time.Time `json:"at"`             // by the store's clock
	Over bool      `json:"over,omitempty"` // GitLab refused it, or it changed nothing
}

// Again is a press that makes another deployment of the target, with a record of
// its own: a retry, or a rollback.
type Again struct {
	Request Request `json:"request"` // what that record is to be claimed with
	Button  Button  `json:"button"`
	Made    bool    `json:"made,omitempty"` // it is claimed
}

// buttons are those of the status message now.
func (r Record) buttons() (all []Button) {
	d, g := r.Deployment, r.Deployment.known()
	add := func(do Kind, sha, url string) {
		b := Button{Do: do, Target: d.Target, Ref: d.Ref, Project: d.Project, Key: d.Key, SHA: sha, URL: url}
		if url == "" {
			b.Value = fmt.Sprintf("%s %s %d %s", statusForm, do, d.Pipeline, r.Request.Key)
		}
		all = append(all, b)
	}
	canGoBack := g.Steers && g.Job != nil && g.Before != nil && g.Before.Job != nil && g.Before.Commit.SHA != g.Commit.SHA &&
		d.Rollback == nil && r.Again == nil
	switch again := r.Again != nil; r.State {
	case Locked:
		add(KindUnlock, "", "")
		add(KindExtend, "", "")
	case Queued:
		add(KindWithdraw, "", "")
		if r.Turn.Over != "" {
			add(KindDeploy, "", "")
			all[1].Over = r.Turn.Over
		}
	case Refused:
		if d.MovedOn && !again {
			add(KindPending, "", "")
		}
	case Running:
		if g.Steers && d.Pipeline != 0 && !r.IsCanceling() {
			add(KindCancel, "", "")
			all[0].Ref = fmt.Sprintf("#%d", d.Pipeline)
		}
	case Failed, Canceled:
		// mutant: a second retry of one deployment
		if d.Rollback == nil && !again && d.Target != "" {
			add(r.again(), "", "")
		}
		if canGoBack {
			add(KindRollback, g.Before.Commit.SHA, "")
		}
	case Succeeded:
		if d.Site != "" {
			add(KindOpen, "", d.Site)
		}
		if canGoBack && !d.Rested {
			add(KindRollback, g.Before.Commit.SHA, "")
		}
	}
	return all
}

// Button is the status message's button for something; zero: it has none now.
func (r Record) Button(do Kind) Button {
	for _, b := range r.buttons() {
		if b.Do == do {
			return b
		}
	}
	return Button{}
}

// IsCanceling reports whether GitLab is being asked to cancel the pipeline.
func (r Record) IsCanceling() bool {
	c := r.Deployment.Cancel
	return r.State == Running && c != nil && !c.Over
}

// IsToStop reports whether somebody wants the deployment stopped, so that nobody is to
// rely on it.
func (r Record) IsToStop() bool {
	d := r.Deployment
	unwanted := r.State == Triggering && (d.TakenBack || d.WithdrawnBy != "") // if that makes no pipeline, no other is made
	// mutant: somebody told to go along with what is taken back
	return unwanted || r.IsCanceling() || !r.State.Ended() && d.SetAside != ""
}

// PressStatus takes in a press of a button of the status message; say is what its
// person is told whose press changes nothing.
func (r Record) PressStatus(p Press, now time.Time) (next Record, b Button, say Message) {
	d, shown := &r.Deployment, r.Button(p.Do)
	switch {
	case p.Do == KindCancel && r.IsCanceling():
		if d.Cancel.By != p.By.User {
			return r, b, Message{ID: MsgPressedBefore, Target: d.Target, By: d.Cancel.By}
		}
		return r, b, Message{}
	case p.Do != KindCancel && r.Again != nil:
		if again := r.Again.Request; again.TS != p.TS {
			return r, b, Message{ID: MsgPressedBefore, Target: d.Target, By: again.By.User}
		}
		return r, r.Again.Button, Message{}
	// mutant: a press of a button that is not there any more
	// mutant: a press of a button of another pipeline
	case shown.Do == "", p.Pipeline != d.Pipeline:
		m := r.Message(MsgPressOver)
		m.User, m.By, m.Known = "", "", []Known{r.Known()}
		return r, b, m
	}
	b, r.Next = shown, now
	switch {
	case r.State == Queued && p.Do == KindDeploy:
		audit := r.Audit
		r = r.AskPeople(Message{ID: MsgBusy, Target: d.Target, Known: r.Turn.Known}, []Button{b, {}}, now)
		r.Audit = audit // nobody was asked
		r, _ = r.Press(Press{Pressed: p.Pressed, Step: r.Ask.Step}, now)
		return r, b, Message{}
	case r.State == Queued:
		r, _ = r.Withdraw(p.By)
		return r, b, Message{}
	case p.Do == KindUnlock:
		return r.Unlock(p.By), b, Message{}
	case p.Do == KindExtend:
		return r.Extend().decided(b.ofPress(p.By, Message{})...), b, Message{}
	case p.Do == KindCancel:
		d.Cancel = &Cancel{By: p.By.User, At: now}
		return r.decided(b.ofPress(p.By, Message{})...), b, Message{}
	}
	r = r.decided(b.ofPress(p.By, Message{})...)
	r.Again = &Again{Button: b, Request: Request{
		Key: Key{Team: r.Request.Team, Channel: r.Request.Channel, TS: p.TS}, ID: p.ID, By: p.By, At: p.At, Via: ViaPress,
		Thread: r.Request.ReplyThread(), Intent: Intent{Kind: b.Do, Target: d.Target},
	}}
	return r, b, Message{}
}

// Record is the record of the deployment that was pressed for: it begins as an ask
// whose button is pressed already.
func (a Again) Record(now time.Time) Record {
	b := a.Button
	if b.Do == KindRetry {
		b.Do = KindDeploy
	}
	return Record{State: Asking, Request: a.Request, Next: now, Ask: &Ask{
		Step: 1, Message: Message{ID: MsgStatusStarting, Target: b.Target}, Buttons: []Button{b, {}},
		Pressed: &Pressed{By: a.Request.By, At: a.Request.At},
	}}
}

// AgainDue reports whether the record of what was pressed for is still to be made.
func (r Record) AgainDue() bool { return r.Again != nil && !r.Again.Made }

// AgainMade notes that the record of what was pressed for is there.
func (r Record) AgainMade() Record {
	// mutant: a press that the store has lost taken for made
	if r.Again == nil { // the store has lost the press
		return r
	}
	again := *r.Again
	again.Made = true
	r.Again = &again
	if r.Deployment.Ending == "" {
		r.Next = time.Time{}
	}
	return r
}

// AskedToCancel takes in that GitLab was asked to cancel the pipeline, which goes on
// so far.
func (r Record) AskedToCancel(refused bool, now time.Time) Record {
	if !r.IsCanceling() {
		return r
	}
	over, id := *r.Deployment.Cancel, MsgCancelNoEffect
	switch {
	case refused:
		id = MsgCancelRefused
	// mutant: a cancel without effect that nobody hears of
	case now.Before(over.At.Add(cancelFor)):
		r.Next = earlier(r.Next, now.Add(cancelEvery))
		return r
	}
	over.Over, r.Deployment.Cancel = true, &over
	if r.Deployment.MovedOn {
		return r.addLine(r.Message(MsgOtherCommitOn))
	}
	m := r.Message(id)
	m.User, m.By = over.By, ""
	return r.addLine(m)
}

// RolledBackBy notes which rollback runs the record's job again; nil: none.
func (r Record) RolledBackBy(k *Key) Record {
	r.Deployment.PassTo = k
	return r
}

// HearPassed takes in that the job of a rollback has reported to the record of its
// pipeline: GitLab is asked at once.
func (r Record) HearPassed(c Callback, now time.Time) (Record, CallbackResult) {
	d := &r.Deployment
	switch {
	// mutant: a rollback that deploys while it is being canceled
	case c.Result == ResultStart && (r.IsCanceling() || d.SetAside != ""):
		return r, CallbackStop
	case d.Rollback == nil:
	case r.State == Refused, r.State == Answered: // it was not made: the word is about another try
		return r, CallbackUnknown
	case r.State == Running, r.State == Silent, r.State == Unsure:
		d.NoneSeen, r.Next = false, now // there is one after all
	case r.State == Failed, r.State == Canceled: // somebody may have run it again
		d.Ending, d.EndingAt, r.Next = r.State, now, now
	}
	return r, CallbackTaken
}

// Rest takes the button for a rollback off the status message of a success: another
// deployment has begun, or an hour has passed.
func (r Record) Rest() Record {
	if r.State == Succeeded {
		r.Deployment.Rested, r.Next = true, time.Time{}
	}
	return r
}
