package engine

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// farewell is how long people are told at the very end.
const farewell = time.Second

// Shutdown lets running work finish for a time from now, then cancels it.
func (l *Engine) Shutdown(within time.Duration) {
	l.prepare()
	time.AfterFunc(within, l.letGo)
}

// drain waits for what is in hand. With a store that ends with the process it
// is this process that shows what was heard until the end, and tells everyone
// whose deployment has no end by then: at first those of whom nothing is in
// hand, as Slack takes about one message a second and channel.
func (l *Engine) drain() {
	defer l.letGo()
	if !l.Ephemeral {
		l.hands.Wait()
		return
	}
	for l.work.Err() == nil {
		l.tellTheWaiting(l.work, false)
		l.poll(l.work)
		if l.idle() || !pause(l.work, pollEvery/10) {
			break
		}
	}
	l.closed.Store(true)
	l.hands.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.work), farewell)
	defer cancel()
	l.tellTheWaiting(ctx, true)
}

func (l *Engine) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.inHand) == 0 && len(l.lent) == 0
}

// hasParted: who still waits was told that no more will be shown.
func (l *Engine) hasParted(r deploy.Record) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.parted[r.Mention.Key] && !r.State.Ended()
}

// tellTheWaiting tells everyone whose deployment has no end yet, and is not
// being worked on, that this process will not show it. At the last, nothing is
// worked on any more, and what an ended one still has to say is said as well.
func (l *Engine) tellTheWaiting(ctx context.Context, last bool) {
	open, err := l.Store.Pending(ctx, 1000)
	if err != nil {
		l.log(Event{Name: "store-away", Err: err})
	}
	var all sync.WaitGroup
	for _, h := range open {
		r, k := h.Record, h.Record.Mention.Key
		l.mu.Lock()
		skip := l.parted[k] || !last && (l.isBusy(k) || r.State.Ended() || r.State == deploy.Accepted)
		l.parted[k] = l.parted[k] || !skip
		l.mu.Unlock()
		if skip {
			continue
		}
		slot, say := "", r.Lines[min(r.Shown.Said, len(r.Lines)):]
		if !r.State.Ended() {
			m := r.Message(deploy.MsgStopping)
			m.User = r.Mention.User
			say = []deploy.Message{m}
			if r.Shown.Status == "" {
				slot = deploy.SlotStatus // the place in Slack's line that its status message has
			}
		}
		all.Go(func() {
			for _, m := range say {
				l.postNow(ctx, &Place{r.Mention, cmp.Or(slot, string(m.ID)), r.Shown.InChannel}, m)
			}
		})
	}
	all.Wait()
}
