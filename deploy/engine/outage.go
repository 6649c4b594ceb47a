package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/getto-systems/psycher/deploy"
)

// outageMost bounds how many mentions are remembered during an outage.
const outageMost = 10_000

// outage remembers, while the store is down, what people were told of mentions
// that could not be recorded.
type outage struct {
	up chan struct{} // the store works: what was not started can be claimed

	mu         sync.Mutex
	notStarted map[deploy.Key]deploy.Record // told that nothing was started: to be claimed, so that nothing ever is
	unknown    map[deploy.Key]bool          // told that it is not known
	telling    map[deploy.Key]bool          // being told one of these two
	refusedAt  map[deploy.Key]int           // the last delivery, where the store certainly refused each
}

func newOutage() *outage {
	return &outage{
		up: make(chan struct{}, 1), notStarted: map[deploy.Key]deploy.Record{},
		unknown: map[deploy.Key]bool{}, telling: map[deploy.Key]bool{}, refusedAt: map[deploy.Key]int{},
	}
}

// end has the mentions claimed that were not recorded.
func (o *outage) end() {
	select {
	case o.up <- struct{}{}:
	default:
	}
}

// wasTold returns the record of a mention whose person was told that nothing was
// started.
func (o *outage) wasTold(k deploy.Key) (deploy.Record, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r, told := o.notStarted[k]
	return r, told
}

func (o *outage) all() []deploy.Record {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Collect(maps.Values(o.notStarted))
}

func (o *outage) claimed(k deploy.Key) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.notStarted, k)
}

// startTelling returns what a person is told of a delivery that could not be
// recorded, and whether to tell it now. Nothing was started, if the store
// certainly refused this delivery and all before it; else that is not known,
// which is told once, from the second delivery on. attempt counts the deliveries
// before this one.
func (o *outage) startTelling(k deploy.Key, attempt int, refused bool) (id deploy.MessageID, tell bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.unknown)+len(o.refusedAt) > outageMost {
		clear(o.unknown)
		clear(o.refusedAt)
	}
	id = deploy.MsgDontKnow
	before, seen := o.refusedAt[k]
	// mutant: nothing was started, said where that is not known
	if refused && (attempt == 0 || seen && before >= attempt-1) {
		id, o.refusedAt[k] = deploy.MsgNotRecorded, attempt
	} else {
		delete(o.refusedAt, k)
	}
	// mutant: two deliveries at once, both told
	skip := o.telling[k] || id == deploy.MsgDontKnow && (attempt == 0 || o.unknown[k])
	if id == deploy.MsgNotRecorded && len(o.notStarted)+len(o.telling) >= outageMost {
		skip = true // what is told must be remembered until it is claimed: Slack delivers it again
	}
	if !skip {
		o.telling[k] = true // another delivery of it may be here at the same time
	}
	return id, !skip
}

// told notes what a person was told. r is the record of a mention whose person
// was told, or may have been, that nothing was started; nil: the person was not.
func (o *outage) told(k deploy.Key, id deploy.MessageID, posted bool, r *deploy.Record) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.telling, k)
	switch {
	case id == deploy.MsgDontKnow:
		o.unknown[k] = posted
	case r != nil:
		o.notStarted[k] = *r
	}
}

// tellNotRecorded tells a person whose mention could not be recorded what that
// means. It may be acked once the person knows that nothing was started.
func (e *Engine) tellNotRecorded(ctx context.Context, m deploy.Request, attempt int, err error) (ack bool) {
	if m.Edited {
		return false // the message has its record, or will be asked about: Slack delivers it again
	}
	id, tell := e.outage.startTelling(m.Key, attempt, errors.Is(err, ErrRefused))
	e.log(Event{Name: "not-recorded", Record: deploy.Record{Request: m}, Err: err, Detail: string(id)})
	if !tell {
		return false
	}
	at := Place{Request: m, Slot: string(id)}
	if id == deploy.MsgNotRecorded {
		at.Slot = deploy.SlotLine(0) // it becomes the first line of the record
	}
	posted, lost := e.postNow(ctx, &at, deploy.Message{ID: id, User: m.By.User})
	var r *deploy.Record
	if posted || lost {
		r = notStarted(at, lost)
	}
	e.outage.told(m.Key, id, posted, r)
	return posted && id == deploy.MsgNotRecorded
}

// notStarted is the record of a mention whose person was told that nothing was
// started. Where the answer to that post was lost, the post is looked up once
// the record is claimed, and made if it is not there.
func notStarted(at Place, lost bool) *deploy.Record {
	m := at.Request
	lines := []deploy.Message{{ID: deploy.MsgNotRecorded, User: m.By.User}}
	// mutant: an answer told and then deployed
	r := deploy.Record{Request: m, State: deploy.Answered, Lines: lines, Shown: deploy.Shown{Posts: map[string]deploy.Posted{deploy.SlotLine(0): {}}, InChannel: at.InChannel}}
	if lost {
		r.Shown = deploy.Shown{Posting: deploy.SlotLine(0), InChannel: at.InChannel}
	}
	return &r
}

// claimAfterOutages claims the mentions whose people were told that nothing was
// started, whenever the store works again, so that no later delivery or edit
// starts anything. It runs beside the loop, as they may be many and the store
// slow, and once more at the end.
func (e *Engine) claimAfterOutages(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-e.outage.up:
		case <-ctx.Done():
		}
		for _, r := range e.outage.all() {
			if !e.claimNotStarted(e.work, r) {
				break
			}
		}
	}
}

func (e *Engine) claimNotStarted(ctx context.Context, r deploy.Record) (ok bool) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	due := r.Due(e.now())
	if _, _, err := e.store.Claim(ctx, fresh(r), due, e.Slack.Now()); err != nil {
		return false
	}
	e.alarm.set(due)
	e.outage.claimed(r.Request.Key)
	return true
}
