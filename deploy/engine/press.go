package engine

import (
	"context"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/rules"
)

// pressWithin is how long a press may take to be recorded before its person is
// told that it was not. Slack shows a press that is not acked within 3 s as failed.
const pressWithin = 2500 * time.Millisecond

// Press takes in a press that Slack delivered, and reports whether it may be acked:
// it is recorded, or its person was told why not. Slack does not deliver it again,
// but shows the person that it failed, who can press again.
func (e *Engine) Press(ctx context.Context, p deploy.Press) (ack bool) {
	e.prepare()
	p.At = e.Slack.Now()
	ctx, cancel := context.WithTimeout(ctx, ackWithin)
	defer cancel()
	pressing, pressed := context.WithTimeout(ctx, pressWithin)
	defer pressed()
	r, say := e.press(pressing, p)
	if r.Request.Key = p.Key; say.ID == "" {
		return true
	}
	e.log(Event{Name: "press-refused", Record: &r, Decision: deploy.Decision{By: p.By.User, Reason: say.ID}})
	telling, told := context.WithTimeout(e.work, callTimeout) // also if it takes too long for the ack
	defer told()
	err := e.Slack.Whisper(telling, p.Channel, p.Thread, p.By.User, say)
	if err != nil {
		e.log(Event{Name: "whisper-failed", Record: &r, Err: err})
	}
	// mutant: a refused press acked although its person is not told
	return err == nil && ctx.Err() == nil
}

// press records a press, if its person may do what the button says, and returns
// the record and what the person is told; a zero message: what was pressed is done.
func (e *Engine) press(ctx context.Context, p deploy.Press) (r deploy.Record, say deploy.Message) {
	switch {
	// mutant: a button of another channel
	case p.Step == 0 && p.Do == "", p.Channel != p.Key.Channel:
		return r, deploy.Message{ID: deploy.MsgPressOld}
	case e.closed.Load():
		return r, deploy.Message{ID: deploy.MsgPressLost}
	}
	ok, err := e.change(ctx, p.Key, func(was deploy.Record) deploy.Record {
		// Who asked is known to be of the bot's own: in a large organisation a press
		// may name another workspace than a mention does.
		if by := was.Request.By; by.User == p.By.User && !by.External {
			p.By = by
		}
		var b deploy.Button
		if r, b, say = e.pressed(was, p); say.ID != "" {
			return was
		}
		// mutant: a press by anybody
		if say = e.mayPress(ctx, was, p, b); say.ID != "" {
			r = was
		}
		return r
	})
	switch {
	// mutant: a press that was not saved taken for done
	case err != nil:
		return r, deploy.Message{ID: deploy.MsgPressLost}
	case !ok:
		return r, deploy.Message{ID: deploy.MsgPressClosed}
	}
	return r, say
}

// pressed is what a press makes of a record, and which button was pressed; say is
// what its person is told whose press changes nothing.
func (e *Engine) pressed(was deploy.Record, p deploy.Press) (next deploy.Record, b deploy.Button, say deploy.Message) {
	if p.Do == "" {
		next, taken := was.Press(p, e.now())
		if !taken {
			return was, b, was.PressedLate(p)
		}
		return next, next.Ask.Buttons[p.Button], say
	}
	next, b, say = was.PressStatus(p, e.now())
	if say.ID != "" || p.Do != deploy.KindRetry && p.Do != deploy.KindRollback || was.Again != nil {
		return next, b, say // the others are not about what was deployed last
	}
	newest, err := e.history(was.TargetID(), false, 1)
	other, errOther := e.underWay(was.Request, b.Target)
	switch {
	// mutant: a press that starts something although others are not known
	// mutant: a press that starts something although the past is lost
	case err != nil, errOther != nil, len(newest) == 0:
		say = deploy.Message{ID: deploy.MsgPressLost}
	// mutant: a retry of what others have deployed over
	case newest[0].Request.Key != was.Request.Key:
		say = deploy.Message{ID: deploy.MsgPressOver, Target: b.Target, Known: []deploy.Known{newest[0].Known()}}
	// mutant: a retry of what others are about to deploy over
	case other != nil:
		say = deploy.Message{ID: deploy.MsgPressOver, Target: b.Target, Known: []deploy.Known{other.Known()}}
	}
	return next, b, say
}

// again makes the record of a deployment that was pressed for. It can be done
// again.
func (e *Engine) again(s Stored) stepResult {
	made := s.Record.Again.Record(e.now())
	// mutant: a press whose record is never claimed
	if _, _, err := e.claim(e.work, &made, 0); err != nil {
		return stepResult{Stored: s} // when the lease ends, it is taken up again
	}
	return e.update(s, deploy.Record.AgainMade)
}

// mayPress returns what the person is told who may not press a button; zero: the
// person may.
func (e *Engine) mayPress(ctx context.Context, r deploy.Record, p deploy.Press, b deploy.Button) deploy.Message {
	t, do := deploy.Target{}, deploy.KindCancel
	if b.Do != "" && b.Do != deploy.KindCancel && b.Do != deploy.KindWithdraw {
		do = b.Do
		var known bool
		switch t, known = e.Config().Targets.Find(p.Key.Team, p.Key.Channel, b.Target); {
		case !known:
			// mutant: a press for a target that is not there any more
			return deploy.Message{ID: deploy.MsgRefusedGone, Target: b.Target}
		// mutant: a press of a button that says another branch
		case !b.Means(t), p.Do != "" && t.ID() != r.TargetID():
			return deploy.Message{ID: deploy.MsgPressOld, Target: b.Target}
		}
	}
	if do == deploy.KindExtend {
		do = deploy.KindUnlock
	}
	// mutant: a lock that everybody may end
	if do == deploy.KindUnlock && p.Do != "" && p.By.User == r.Request.By.User {
		do = deploy.KindLock // it is their own
	}
	no := rules.Refusal(rules.Context{Request: deploy.Request{By: p.By}, Target: t, Groups: e.groupsOf(ctx, []deploy.Person{p.By}, t), SlackNow: p.At}, do)
	switch no.ID {
	case deploy.MsgGuest:
		no.ID = deploy.MsgPressGuest
	case deploy.MsgNotAllowed:
		no.ID = deploy.MsgPressNotYours
	case deploy.MsgGroupUnread:
		no.ID = deploy.MsgPressUnread
	case deploy.MsgFrozen:
		no.ID = deploy.MsgPressFrozen
	}
	return no
}
