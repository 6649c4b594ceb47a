package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"
)

// showOrBreak shows a record. What breaks it three times is held for shown.
func (l *Loop) showOrBreak(h Stored) {
	defer func() {
		if p := recover(); p != nil {
			l.log(Event{Name: "worker-broke", Record: h.Record, Err: fmt.Errorf("panic: %v", p), Detail: string(debug.Stack())})
			l.put(h, func(r Record) Record {
				if r.Panics++; r.Panics >= 3 {
					r = r.giveUpDelivery()
				}
				r.Shown.Until = l.now().Add(Lease)
				return r
			})
		}
	}()
	l.show(h)
}

// showTimeout bounds one call to Slack, so that a lease holds two of them.
const showTimeout = 4 * time.Second

// show brings Slack from what it shows to what it should show of a record that
// is held. Reactions and edits may be made twice and be the same; a post is
// preceded by a save that says so, and whoever finds that save looks whether
// the message stands before posting it. What Slack does not take now (a rate
// limit of one method, say) does not keep the rest back.
func (l *Loop) show(h Stored) {
	s, blocked, gone := h.Record.Shown, map[showDo]time.Duration{}, false
	for do, r := range s.Retries {
		if left := r.Next.Sub(l.now()); left > 0 {
			blocked[do] = left
		}
	}
	held := s.Until.Add(-Lease) // the save that led here may have announced it
	if l.hasParted(h.Record) {
		blocked[doPost] = 0 // its person was told so, in that place
	}
	for {
		step, ok := firstOf(h.Record.with(s).owed(), blocked)
		if !ok || gone && h.Record.Gone().State != h.Record.State {
			break
		}
		if step.do == doPost || l.now().Sub(held) > Lease/3 {
			announced, began := s, time.Now()
			if step.do == doPost {
				// mutant: a post that is not announced
				announced.Posting = step.slot
			}
			if h, ok = l.keep(h, announced, Lease); !ok {
				return
			}
			held = l.now()
			// A word may have come meanwhile: what is posted is the newest. And who
			// slept over the answer may have lost the lease: the next save tells.
			now, _ := firstOf(h.Record.with(s).owed(), blocked)
			// mutant: a post by who slept over its announcement
			if now.do != step.do || now.slot != step.slot || passed(began) > Lease/3 {
				continue
			}
			step = now
		}
		err := l.do(h.Record.Mention, step, &s)
		var wait *LaterError
		var passing *PassingError
		var closed *ThreadError
		switch {
		case l.work.Err() != nil:
			return // let go
		case errors.As(err, &wait):
			blocked[step.do] = wait.After
			if errors.As(err, &passing) && s.Retries[step.do].Tries == 1 {
				l.log(Event{Name: "slack-retry", Record: h.Record, Err: err, Detail: string(step.do)})
				continue
			}
			l.log(Event{Name: "slack-later", Record: h.Record, Err: err, Detail: string(step.do)})
		case errors.As(err, &closed) && step.do == doPost: // the channel is tried at once
			l.log(Event{Name: "slack-thread-closed", Record: h.Record, Err: err, Detail: step.slot})
		case err != nil:
			gone = gone || errors.Is(err, ErrMentionGone)
			l.log(Event{Name: "slack-refused", Record: h.Record, Err: err, Detail: string(step.do)})
		}
	}
	s.Until, s.Next = time.Time{}, time.Time{}
	for _, after := range blocked {
		if at := l.now().Add(max(after, backoff(0))); s.Next.IsZero() || at.Before(s.Next) {
			s.Next = at
		}
	}
	if _, ok := l.keep(h, s, -1); ok && gone {
		// Where it cannot be saved, the mention is looked for before the next POST.
		_, _ = l.change(l.work, h.Record.Mention.Key, Record.Gone)
	}
}

// showLater gives the claim on showing a record up: whoever has room after d
// may show it, also if that is before the claim would have ended.
func (l *Loop) showLater(h Stored, d time.Duration) {
	s := h.Record.Shown
	// mutant: a claim on showing that is kept where there is no room to show
	s.Until, s.Next = time.Time{}, l.now().Add(d)
	l.keep(h, s, -1)
}

// passed is how much time has passed by either clock: one stands still while
// the machine sleeps, the other can be set.
func passed(since time.Time) time.Duration {
	return max(time.Since(since), time.Since(since.Round(0)))
}

// firstOf gives the first step that is not blocked. A look-up is a kind of
// post: one that waits keeps the messages after it back, for their order.
func firstOf(steps []showStep, blocked map[showDo]time.Duration) (showStep, bool) {
	_, noFind := blocked[doFind]
	_, noPost := blocked[doPost]
	for _, s := range steps {
		if _, no := blocked[s.do]; no || s.do == doPost && noFind || s.do == doFind && noPost {
			continue
		}
		return s, true
	}
	return showStep{}, false
}

func (r Record) with(s Shown) Record {
	r.Shown = s
	return r
}

// do makes one call and notes in s what stands in Slack after it. The error of
// something that Slack will never take is given too, but s then holds it for
// done: showing goes on without it.
func (l *Loop) do(m Mention, step showStep, s *Shown) error {
	ctx, cancel := context.WithTimeout(l.work, showTimeout)
	defer cancel()
	var wait *LaterError
	switch step.do {
	case doReact:
		err := s.judge(step, l.Slack.React(ctx, m.Key, step.reaction), l.now())
		if !errors.As(err, &wait) {
			s.Reaction = step.reaction
			s.Off = slices.DeleteFunc(slices.Clone(s.Off), func(n string) bool { return n == step.reaction })
		}
		return err
	case doUnreact:
		err := s.judge(step, l.Slack.Unreact(ctx, m.Key, step.reaction), l.now())
		if !errors.As(err, &wait) {
			s.Off = append(slices.Clone(s.Off), step.reaction)
		}
		return err
	case doUpdate:
		err := s.judge(step, l.Slack.Update(ctx, m.Key, s.Status, step.say), l.now())
		if !errors.As(err, &wait) {
			s.Form = step.say.form()
		}
		return err
	case doPost:
		return l.makePost(ctx, m, step, s)
	default:
		return l.findPost(ctx, m, step, s)
	}
}

func (l *Loop) makePost(ctx context.Context, m Mention, step showStep, s *Shown) error {
	ts, err := l.Slack.Post(ctx, Place{m, step.slot, s.InChannel}, step.say)
	var wait *LaterError
	var lost *LostError
	var closed *ThreadError
	switch {
	case errors.As(err, &lost): // it is looked up before it is posted again
		return &LaterError{After: s.lost(step.slot, l.now()), Err: err}
	case errors.As(err, &closed) && !s.InChannel:
		s.InChannel = true
		s.retry(doPost, Retry{})
		return err
	case errors.As(err, &closed):
		err = &PassingError{closed.Err} // of a channel that takes nothing either
	}
	if err = s.judge(step, err, l.now()); !errors.As(err, &wait) {
		s.posted(step, ts)
	}
	return err
}

func (l *Loop) findPost(ctx context.Context, m Mention, step showStep, s *Shown) error {
	ts, ok, err := l.Slack.Find(ctx, Place{m, step.slot, s.InChannel})
	var wait *LaterError
	if errors.As(err, &wait) {
		return err
	}
	s.Posting = ""
	switch {
	case ok:
		s.retry(doFind, Retry{})
		s.posted(step, ts)
	case err == nil:
		s.retry(doFind, Retry{})
	case !s.untold():
		s.posted(step, "")
		err = fmt.Errorf("posted %d times without an answer, and not again, as it cannot be looked up: %w", postsMost, err)
	}
	return err
}

// posted notes that the message of a slot stands.
func (s *Shown) posted(step showStep, ts string) {
	if step.slot != slotStatus {
		s.Said++
		return
	}
	s.Status, s.Form = ts, step.say.form()
	if ts == "" {
		s.Status = never
	}
	if step.do == doFind {
		s.Form = "" // which form was posted is not known: it is edited
	}
}

// keep saves what is shown; due negative: as the record says. Words from
// outside may have changed the rest of the record: then it is saved on top of
// that. If what is shown was changed, somebody else shows this record now.
func (l *Loop) keep(h Stored, s Shown, due time.Duration) (Stored, bool) {
	for {
		next, d := h.Record.with(s), due
		if d < 0 {
			d = next.Due(l.now())
		} else {
			next.Shown.Until = l.now().Add(d)
		}
		saved, err := l.save(l.work, h, next, d)
		if err == nil {
			return saved, true
		}
		if !errors.Is(err, ErrChanged) {
			return h, false
		}
		was := h.Record.Shown
		if h, err = l.reload(h); err != nil || !was.equal(h.Record.Shown) {
			return h, false
		}
	}
}

func (s Shown) equal(o Shown) bool {
	return s.Reaction == o.Reaction && slices.Equal(s.Off, o.Off) && s.Status == o.Status && s.Form == o.Form && s.Said == o.Said &&
		s.Posting == o.Posting && s.Until.Equal(o.Until) && s.InChannel == o.InChannel && maps.EqualFunc(s.Retries, o.Retries, Retry.equal)
}
