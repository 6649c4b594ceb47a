package engine

import (
	"context"
	"errors"
	"maps"
	"sync"

	"github.com/getto-systems/psycher/deploy"
)

// maxOutage bounds how many mentions are remembered during an outage.
const maxOutage = 10_000

// outage remembers, while the store is down, the mentions that could not be
// recorded.
type outage struct {
	mu       sync.Mutex
	mentions map[deploy.Key]unrecorded
}

// unrecorded is a mention that could not be recorded, and what its person was told.
type unrecorded struct {
	refused    int            // how many deliveries the store certainly refused, from the first on
	telling    bool           // the person is being told: another delivery may be here at the same time
	unknown    bool           // told that it is not known whether it starts
	notStarted *deploy.Record // told that nothing was started: to be claimed, so that nothing ever is
}

// wasTold returns the record of a mention whose person was told that nothing was
// started; nil: the person was not.
func (o *outage) wasTold(k deploy.Key) *deploy.Record {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mentions[k].notStarted
}

// toClaim returns the records of the mentions that are to be claimed.
func (o *outage) toClaim() (all []deploy.Record) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, u := range o.mentions {
		if u.notStarted != nil {
			all = append(all, *u.notStarted)
		}
	}
	return all
}

func (o *outage) claimed(k deploy.Key) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.mentions, k)
}

// beginTelling returns what a person is told of a delivery that could not be
// recorded, and whether to tell it now. Nothing was started, if the store
// certainly refused this delivery and all before it; else that is not known,
// which is told once, from the second delivery on. attempt counts the deliveries
// before this one. Whoever cannot be remembered is not told: Slack delivers again.
func (o *outage) beginTelling(k deploy.Key, attempt int, refused bool) (id deploy.MessageID, tell bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	u, known := o.mentions[k]
	if len(o.mentions) >= maxOutage {
		maps.DeleteFunc(o.mentions, func(_ deploy.Key, u unrecorded) bool { return !u.telling && u.notStarted == nil })
	}
	room := known || len(o.mentions) < maxOutage
	id = deploy.MsgDontKnow
	// mutant: a person told that nothing was started when that is not certain
	if refused && u.refused >= attempt {
		id, u.refused = deploy.MsgNotRecorded, attempt+1
	} else {
		u.refused = 0
	}
	// mutant: a person told twice by two deliveries at once
	tell = !u.telling && room && u.notStarted == nil && (id == deploy.MsgNotRecorded || attempt > 0 && !u.unknown)
	u.telling = u.telling || tell
	if room {
		o.mentions[k] = u
	}
	return id, tell
}

// told notes what a person was told, or may have been.
func (o *outage) told(k deploy.Key, unknown bool, notStarted *deploy.Record) {
	o.mu.Lock()
	defer o.mu.Unlock()
	u := o.mentions[k]
	u.telling, u.unknown, u.notStarted = false, u.unknown || unknown, notStarted
	o.mentions[k] = u
}

// tellNotRecorded tells a person whose mention could not be recorded what that
// means. It may be acked once the person knows that nothing was started.
func (e *Engine) tellNotRecorded(ctx context.Context, m deploy.Request, attempt int, err error) (ack bool) {
	if m.Edited {
		return false // the message has its record, or will be asked about: Slack delivers it again
	}
	id, tell := e.outage.beginTelling(m.Key, attempt, errors.Is(err, ErrRefused))
	e.log(Event{Name: "not-recorded", Record: &deploy.Record{Request: m}, Err: err, Detail: string(id)})
	if !tell {
		return false
	}
	say := deploy.Message{ID: id, User: m.By.User, Target: m.Intent.Target}
	// mutant: who could not stop it told that nothing was started
	if m.Intent.Kind == deploy.KindCancel {
		say.ID = deploy.MsgNotStopped
	}
	if id == deploy.MsgDontKnow {
		_, posted := e.postNow(ctx, deploy.Record{Request: m}, string(id), say)
		e.outage.told(m.Key, posted, nil)
		return false
	}
	// mutant: a person told that nothing was started, and then a deploy
	r := &deploy.Record{Request: m, State: deploy.Answered, Lines: []deploy.Message{say}}
	shown, posted := e.postNow(ctx, *r, deploy.SlotLine(0), say)
	if r.Shown = shown; !posted && shown.Posting == "" {
		r = nil // not told
	}
	e.outage.told(m.Key, false, r)
	return posted
}

// claimAfterOutages claims the mentions whose people were told that nothing was
// started, once the store works again, so that no later delivery or edit starts
// anything. It runs beside the loop, as they may be many and the store slow, and
// once more at the end.
func (e *Engine) claimAfterOutages(ctx context.Context) {
	for live := true; live; {
		live = Pause(ctx, pollEvery)
		for _, r := range e.outage.toClaim() {
			if !e.claimNotStarted(e.work, r) {
				break
			}
		}
	}
}

func (e *Engine) claimNotStarted(ctx context.Context, r deploy.Record) (ok bool) {
	if _, _, err := e.claim(ctx, &r, r.Due(e.now())); err != nil {
		return false
	}
	e.outage.claimed(r.Request.Key)
	return true
}
