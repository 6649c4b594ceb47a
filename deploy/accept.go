package deploy

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"time"
)

// How long a mention may take to be recorded before its person is told that it
// was not. Slack delivers again what is not acked within 3 s.
const (
	claimWithin = 1500 * time.Millisecond // so many tries as are refused, and none begun later
	claimTry    = 800 * time.Millisecond
	tellWithin  = 1200 * time.Millisecond
)

// Accept takes in a mention that Slack delivered, and tells whether it may be
// acked: it is recorded, or its person has been told that it is not. Everything
// else comes after the ack. attempt is Slack's count of deliveries before this.
func (l *Loop) Accept(ctx context.Context, m Mention, attempt int) (ack bool) {
	l.prepare()
	name := m.Channel
	lease, slot := Lease, l.fresh.take(name)
	if !slot {
		lease = l.channel.next(name)
	}
	h, made, err := l.claim(ctx, Record{State: Accepted, Mention: m}, lease)
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

// claim makes the record, in one round trip when all is well. A try that was
// refused is made again for a while; one without an answer is not, as nobody
// knows what became of it: Slack delivers again.
func (l *Loop) claim(ctx context.Context, r Record, lease time.Duration) (Held, bool, error) {
	r.Layout, r.Mark = Layout, rand.Text()
	end := time.Now().Add(claimWithin)
	for try := 0; ; try++ {
		tryCtx, cancel := context.WithTimeout(ctx, claimTry)
		h, made, err := l.Store.Claim(tryCtx, r, lease, l.Slack.Now())
		cancel()
		if ctx.Err() == nil {
			l.heard(err)
		}
		if err == nil {
			l.seen(h)
		}
		if !errors.Is(err, ErrRefused) || time.Now().Add(backoff(try)).After(end) || !pause(ctx, backoff(try)) {
			return h, made, err
		}
	}
}

// tell says to a person whose mention could not be recorded what that means:
// at the first delivery, when the store certainly did nothing, that nothing was
// started; when it is not known, from the second delivery on and once, that.
func (l *Loop) tell(ctx context.Context, m Mention, attempt int, err error) (ack bool) {
	k, say := m.Key, SayDontKnow
	if errors.Is(err, ErrRefused) && attempt == 0 {
		say = SayNotRecorded
	}
	l.mu.Lock()
	_, told := l.told[k]
	warned := l.warned[k]
	l.mu.Unlock()
	l.log(Event{Name: "not-recorded", Record: Record{Mention: m}, Err: err, Detail: string(say)})
	switch {
	case told:
		return true
	case say == SayDontKnow && (attempt == 0 || warned):
		return false
	}
	tellCtx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	if _, err := l.Slack.Post(tellCtx, m, string(say), Record{Mention: m}.seeded(Message{Say: say, User: m.User}, 0)); err != nil {
		l.log(Event{Name: "slack-refused", Record: Record{Mention: m}, Err: err, Detail: "tell"})
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if say == SayNotRecorded {
		m.Text = "" // it may be many, and asks for nothing any more
		l.told[k] = m
		return true
	}
	l.warned[k] = true
	return false
}

// claimTold claims what people were told is not started, now that the store is
// back, so that no later delivery or edit of it starts anything.
func (l *Loop) claimTold(ctx context.Context) {
	l.mu.Lock()
	told := maps.Clone(l.told)
	clear(l.warned)
	l.mu.Unlock()
	for k, m := range told {
		r := Record{Layout: Layout, Mark: rand.Text(), Mention: m, State: Answered, Lines: []Message{{Say: SayNotRecorded}}, Shown: Shown{Said: 1}}
		tryCtx, cancel := context.WithTimeout(ctx, storeTimeout)
		_, _, err := l.Store.Claim(tryCtx, r, -1, l.Slack.Now())
		cancel()
		if err != nil {
			return
		}
		l.mu.Lock()
		delete(l.told, k)
		l.mu.Unlock()
	}
}

// edit takes an edit of a mention that has its record. It is not acked before
// what it changes is saved.
func (l *Loop) edit(ctx context.Context, m Mention) (ack bool) {
	deploys := l.Reader.Read(m, l.Targets.In(m.Team, m.Channel)).Deploys()
	_, err := l.change(ctx, m.Key, func(r Record) Record { return r.Edit(deploys) })
	return err == nil
}

// change saves what f makes of a record that is not held: the record becomes
// due at once, for who holds it or takes it to show. An unchanged record is not
// saved. ok is false where there is none.
func (l *Loop) change(ctx context.Context, k Key, f func(Record) Record) (ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 4*storeTimeout)
	defer cancel()
	for range 5 {
		h, ok, err := l.Store.Load(ctx, k)
		l.heard(err)
		if err != nil || !ok {
			return false, err
		}
		l.seen(h)
		next := f(h.Record)
		if next.State == h.Record.State && len(next.Lines) == len(h.Record.Lines) && next.Deployment == h.Record.Deployment {
			return true, nil
		}
		due := time.Duration(0)
		if next.Shown.Posting != "" {
			due = Lease // somebody may be posting just now, and will find this
		}
		if _, err = l.save(ctx, h, next, due); !errors.Is(err, ErrChanged) {
			return true, err
		}
	}
	return true, ErrChanged
}

// Hear takes in what a pipeline says. It is answered once it is recorded; an
// error means that it is not, and the pipeline should say it again.
func (l *Loop) Hear(ctx context.Context, w Word) (Verdict, error) {
	l.prepare()
	for _, team := range l.Targets.Teams(w.Channel) {
		verdict := VerdictUnknown
		ok, err := l.change(ctx, Key{team, w.Channel, w.TS}, func(r Record) Record {
			var next Record
			next, verdict = r.Hear(w, l.now(), l.Rules)
			return next
		})
		if err != nil {
			return "", err
		}
		if ok && verdict != VerdictUnknown {
			return verdict, nil
		}
	}
	return VerdictUnknown, nil
}

// tellTheWaiting tells everyone whose deployment has no end yet that this
// process will not show it: its store ends with it.
func (l *Loop) tellTheWaiting() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.work), tellWithin)
	defer cancel()
	open, err := l.Store.Pending(ctx, 1000)
	if err != nil {
		l.log(Event{Name: "store-away", Err: err})
	}
	for _, h := range open {
		r := h.Record
		if r.State.Ended() {
			continue
		}
		m := r.line(SayStopping)
		m.User = r.Mention.User
		if _, err := l.Slack.Post(ctx, r.Mention, string(SayStopping), r.seeded(m, 0)); err != nil {
			l.log(Event{Name: "slack-refused", Record: r, Err: err, Detail: "stopping"})
		}
	}
}
