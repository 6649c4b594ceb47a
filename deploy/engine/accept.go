package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// How long a mention may take to be recorded before its person is told that it
// was not. Slack delivers again what is not acked within 3 s.
const (
	claimWithin = 1500 * time.Millisecond // so many tries as are refused, and none begun later
	claimTry    = 800 * time.Millisecond
	ackWithin   = 2800 * time.Millisecond // in all, telling included
	tellAtMost  = 10_000                  // how many are remembered while the store is away
)

// Accept takes in a mention that Slack delivered, and tells whether it may be
// acked: it is recorded, or its person has been told that it is not. Everything
// else comes after the ack. attempt is Slack's count of deliveries before this.
func (l *Engine) Accept(ctx context.Context, m deploy.Mention, attempt int) (ack bool) {
	l.prepare()
	ctx, cancel := context.WithTimeout(ctx, ackWithin)
	defer cancel()
	if r, told := l.wasTold(m.Key); told {
		l.claimTold(ctx, r)
		return true
	}
	if m.Unnamed {
		return l.takeBack(ctx, m)
	}
	name := m.Channel
	lease, slot := Lease, l.fresh.take(name)
	if !slot {
		lease = l.channel.next(name)
	}
	h, made, err := l.claim(ctx, deploy.Record{State: deploy.Accepted, Mention: m}, lease)
	switch {
	case err == nil && made && slot:
		l.log(Event{Name: "claimed", Record: h.Record})
		l.hand(h, l.fresh, name)
		return true
	case slot:
		l.fresh.give(name)
	}
	switch {
	case err == nil && made:
		l.log(Event{Name: "claimed", Record: h.Record, Detail: "in line"})
		l.lookIn(lease)
		return true
	case err == nil && m.Edited:
		return l.edit(ctx, m)
	case err == nil:
		l.log(Event{Name: "known", Record: h.Record})
		return true
	}
	return l.tell(ctx, m, attempt, err)
}

func (l *Engine) wasTold(k deploy.Key) (deploy.Record, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, told := l.told[k]
	return r, told
}

// claim makes the record, in one round trip when all is well. A try that was
// refused is made again for a while; one without an answer is not, as nobody
// knows what became of it: Slack delivers again.
func (l *Engine) claim(ctx context.Context, r deploy.Record, lease time.Duration) (Stored, bool, error) {
	r.Layout, r.Revision = deploy.Layout, rand.Text()
	end := time.Now().Add(claimWithin)
	for try := 0; ; try++ {
		tryCtx, cancel := context.WithTimeout(ctx, claimTry)
		h, made, err := l.Store.Claim(tryCtx, r, lease, l.Slack.Now())
		cancel()
		if ctx.Err() == nil {
			l.storeAnswered(err)
		}
		if err == nil {
			l.syncClock(h)
		}
		if !errors.Is(err, ErrRefused) || time.Now().Add(backoff(try)).After(end) || !pause(ctx, backoff(try)) {
			return h, made, err
		}
	}
}

// tell says to a person whose mention could not be recorded what that means:
// when the store certainly did nothing, at this delivery and at all before it,
// that nothing was started, and then it may be acked; when it is not known,
// from the second delivery on and once, that.
func (l *Engine) tell(ctx context.Context, m deploy.Mention, attempt int, err error) (ack bool) {
	k, say := m.Key, deploy.MsgDontKnow
	if m.Edited {
		return false // the message has its record, or will be asked about: Slack delivers it again
	}
	l.mu.Lock()
	if len(l.warned)+len(l.refused) > tellAtMost {
		clear(l.warned)
		clear(l.refused)
	}
	before, seen := l.refused[k]
	// mutant: nothing was started, said where that is not known
	if errors.Is(err, ErrRefused) && (attempt == 0 || seen && before >= attempt-1) {
		say, l.refused[k] = deploy.MsgNotRecorded, attempt
	} else {
		delete(l.refused, k)
	}
	// mutant: two deliveries at once, both told
	pass := l.telling[k] || say == deploy.MsgDontKnow && (attempt == 0 || l.warned[k])
	if say == deploy.MsgNotRecorded && len(l.told)+len(l.telling) >= tellAtMost {
		pass = true // what is told must be remembered until it is claimed: Slack delivers it again
	}
	if !pass {
		l.telling[k] = true // another delivery of it may be here at the same time
	}
	l.mu.Unlock()
	l.log(Event{Name: "not-recorded", Record: deploy.Record{Mention: m}, Err: err, Detail: string(say)})
	if pass {
		return false
	}
	slot := string(say)
	if say == deploy.MsgNotRecorded {
		slot = deploy.SlotLine(0) // it becomes the first line of the record
	}
	at := Place{Mention: m, Slot: slot}
	posted, lost := l.postNow(ctx, &at, deploy.Message{ID: say, User: m.User})
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.telling, k)
	switch {
	case say == deploy.MsgDontKnow:
		l.warned[k] = posted
		return false
	case posted || lost:
		l.told[k] = toldNothing(at, lost)
	}
	return posted
}

// toldNothing is the record of a mention whose person was told that nothing was
// started: it is claimed when the store is back. Where the post's answer was
// lost the loop looks whether it stands, and posts it if not.
func toldNothing(at Place, lost bool) deploy.Record {
	m := at.Mention
	m.Text = "" // it may be many, and asks for nothing any more
	// mutant: an answer told and then deployed
	r := deploy.Record{Mention: m, State: deploy.Answered, Lines: []deploy.Message{{ID: deploy.MsgNotRecorded, User: m.User}}, Shown: deploy.Shown{Said: 1, InChannel: at.InChannel}}
	if lost {
		r.Shown = deploy.Shown{Posting: deploy.SlotLine(0), InChannel: at.InChannel}
	}
	return r
}

// postNow posts what no record keeps, and waits its turn as long as ctx. lost:
// it may have been posted. Where the thread takes no replies, at becomes the
// channel.
func (l *Engine) postNow(ctx context.Context, at *Place, say deploy.Message) (posted, lost bool) {
	r := deploy.Record{Mention: at.Mention}
	for {
		r.Shown.InChannel = at.InChannel
		_, err := l.Slack.Post(ctx, *at, r.Worded(say, 0))
		var wait *LaterError
		var unknown *LostError
		var closed *ThreadError
		switch {
		case err == nil:
			return true, false
		case errors.As(err, &wait) && pause(ctx, wait.After):
			continue
		case errors.As(err, &closed) && !at.InChannel:
			l.log(Event{Name: "slack-thread-closed", Record: r, Err: err, Detail: string(say.ID)})
			at.InChannel = true
			continue
		}
		l.log(Event{Name: "slack-refused", Record: r, Err: err, Detail: string(say.ID)})
		return false, errors.As(err, &unknown)
	}
}

// claimWhenBack claims what people were told is not started, once the store is
// back, so that no later delivery or edit of it starts anything. It may be many,
// and the store slow: the loop goes on meanwhile. At the end it tries once more.
func (l *Engine) claimWhenBack(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-l.back:
		case <-ctx.Done():
		}
		l.claimAllTold()
	}
}

func (l *Engine) claimAllTold() {
	l.mu.Lock()
	told := slices.Collect(maps.Values(l.told))
	l.mu.Unlock()
	for _, r := range told {
		if !l.claimTold(l.work, r) {
			return
		}
	}
}

func (l *Engine) claimTold(ctx context.Context, r deploy.Record) (ok bool) {
	r.Layout, r.Revision = deploy.Layout, rand.Text()
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if _, _, err := l.Store.Claim(ctx, r, r.Due(l.now()), l.Slack.Now()); err != nil {
		return false
	}
	l.lookIn(r.Due(l.now()))
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.told, r.Mention.Key)
	return true
}

// takeBack takes an edit after which the message no longer speaks to the bot.
// Where the message has no record yet, one that asks for nothing is made: Slack
// may still deliver the message as it was.
func (l *Engine) takeBack(ctx context.Context, m deploy.Mention) (ack bool) {
	_, made, err := l.claim(ctx, deploy.Record{State: deploy.Answered, Mention: m}, -1)
	if err != nil {
		return false // Slack delivers it again
	}
	return made || l.edit(ctx, m)
}

// change saves what f makes of a record that is not held: the record becomes
// due at once, for who holds it or takes it to show. An unchanged record is not
// saved. ok is false where there is none.
func (l *Engine) change(ctx context.Context, k deploy.Key, f func(deploy.Record) deploy.Record) (ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 4*storeTimeout)
	defer cancel()
	for range 5 {
		h, ok, err := l.Store.Load(ctx, k)
		if err != nil && !errors.Is(err, ErrUnreadable) {
			l.storeAnswered(err) // that it can be read says nothing of writing
		}
		if err != nil || !ok {
			return false, err
		}
		l.syncClock(h)
		next := f(h.Record)
		if reflect.DeepEqual(next, h.Record) {
			return true, nil
		}
		due := max(0, next.Shown.Until.Sub(l.now())) // who shows it just now will find this
		// mutant: a callback that is not tried again over a change
		if _, err = l.save(ctx, h, next, due); !errors.Is(err, ErrChanged) {
			return true, err
		}
	}
	return true, ErrChanged
}

// errStopping: the store ends with this process, and nobody would show it.
var errStopping = errors.New("the bot is stopping, and its store with it")

// Callback takes in what a pipeline says. It is answered once it is recorded; an
// error means that it is not, and the pipeline should say it again.
func (l *Engine) Callback(ctx context.Context, w deploy.Callback) (deploy.CallbackResult, error) {
	l.prepare()
	// mutant: a word heard while the embedded store ends
	if l.closed.Load() {
		return "", errStopping
	}
	// The record knows its team, the word does not. The map may have changed
	// since, so teams that do not have the channel now are asked as well.
	teams := l.Targets.Teams(w.Channel)
	for _, t := range l.Targets.AllTeams() {
		if !slices.Contains(teams, t) {
			teams = append(teams, t)
		}
	}
	// Who proved nothing does not learn which deployments there are.
	// mutant: who proved nothing learns which deployments there are
	none := deploy.CallbackUnproven
	if w.Shared {
		none = deploy.CallbackUnknown
	}
	for _, team := range teams {
		verdict := deploy.CallbackUnknown
		var notJudged error
		ok, err := l.change(ctx, deploy.Key{Team: team, Channel: w.Channel, TS: w.TS}, func(r deploy.Record) (next deploy.Record) {
			next, verdict, notJudged = l.hear(ctx, r, w)
			return next
		})
		switch {
		case err != nil:
			// mutant: a callback whose error is swallowed
			return "", err
		case notJudged != nil:
			return "", notJudged
		case ok && verdict == deploy.CallbackUnproven, ok && verdict == deploy.CallbackUnknown:
			none = verdict
		case ok:
			return verdict, nil
		}
	}
	return none, nil
}
