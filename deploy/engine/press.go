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

// Press takes in a press that Slack delivered. It returns once the press is
// recorded or its person is being told why not: Slack does not deliver it again,
// but the person can press again.
func (e *Engine) Press(ctx context.Context, p deploy.Press) {
	e.prepare()
	p.At = e.Slack.Now()
	ctx, cancel := context.WithTimeout(ctx, pressWithin)
	defer cancel()
	r, say := e.press(ctx, p)
	if r.Request.Key = p.Key; say.ID == "" {
		e.log(Event{Name: "pressed", Record: r, Detail: p.By.User})
		return
	}
	e.log(Event{Name: "press-refused", Record: r, Detail: p.By.User + " " + string(say.ID)})
	e.workers.Go(func() {
		ctx, cancel := context.WithTimeout(e.work, callTimeout)
		defer cancel()
		if err := e.Slack.Whisper(ctx, p.Channel, p.Thread, p.By.User, say); err != nil {
			e.log(Event{Name: "whisper-failed", Record: r, Err: err})
		}
	})
}

// press records a press, if its person may do what the button says, and returns
// the record and what the person is told; a zero message: what was pressed is done.
func (e *Engine) press(ctx context.Context, p deploy.Press) (r deploy.Record, say deploy.Message) {
	switch {
	// mutant: a button of another channel
	case p.Step == 0, p.Channel != p.Key.Channel:
		return r, deploy.Message{ID: deploy.MsgPressOld}
	case e.shutdown.closed.Load():
		return r, deploy.Message{ID: deploy.MsgPressLost}
	}
	ok, err := e.change(ctx, p.Key, func(was deploy.Record) deploy.Record {
		var taken bool
		r, taken = was.Press(p, e.now())
		if say = (deploy.Message{}); !taken {
			say = was.PressedLate()
			return was
		}
		b := r.Ask.Buttons[p.Button]
		// mutant: a press by anybody
		if say = e.mayPress(p, b); say.ID != "" {
			r = was
		}
		return r
	})
	switch {
	case err != nil:
		return r, deploy.Message{ID: deploy.MsgPressLost}
	case !ok:
		return r, deploy.Message{ID: deploy.MsgPressClosed}
	}
	return r, say
}

// mayPress returns what the person is told who may not press a button; zero: the
// person may.
func (e *Engine) mayPress(p deploy.Press, b deploy.Button) deploy.Message {
	t, do := deploy.Target{}, deploy.KindCancel
	if b.Do != "" {
		do = b.Do
		var known bool
		if t, known = e.Targets.Find(p.Key.Team, p.Key.Channel, b.Target); !known {
			return deploy.Message{ID: deploy.MsgRefusedGone, Target: b.Target}
		}
	}
	return rules.Refusal(p.By, do, t)
}
