// Package engine moves records on: one loop takes what is due, does one step for
// each record, and saves what came of it with a compare-and-set; only whoever's
// save was accepted may act on it.
//
// A crash, a rate limit, a lost answer, a deadline, a message that Slack did not
// take: all are the same here, a record that becomes due.
//
// How Slack, GitLab and Redis are spoken to is not decided here. They are the
// interfaces [Slack], [GitLab] and [Store].
package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/targets"
)

// How much is in hand at a time, and how long. What does not fit is due later.
const (
	Lease        = 10 * time.Second // who was handed a record has it this long
	pollEvery    = time.Second      // how often an idle process asks what is due
	freshAtMost  = 64               // claimed records in hand, and of one channel:
	freshChannel = 16
	takenAtMost  = 32  // due records in hand
	showAtMost   = 32  // records being shown
	callsAtMost  = 128 // triggers on their way, and in one GitLab project:
	perProject   = 8
	looksAtMost  = 64 // look-ups on their way, and in one project:
	looksProject = 4
	storeTimeout = time.Second
	overdue      = 30 * time.Second // then the bot is not ready
)

// Loop moves records on: those that this process claims, at once, and those
// that are due, whoever claimed them. Its fields are set before Run and stay.
type Engine struct {
	Store     Store
	GitLab    GitLab
	Slack     Slack
	Reader    Reader
	Targets   *targets.Map
	Timing    deploy.Timing
	Ephemeral bool        // the store ends with the process: who still waits is told
	Log       func(Event) // called for each thing an operator would look for; may be nil

	once    sync.Once
	work    context.Context // ends when what is in hand must be let go
	letGo   context.CancelFunc
	hands   sync.WaitGroup
	fresh   *slots
	taken   *slots
	shows   *slots
	channel *lines
	calls   lanes // triggers
	looks   lanes // look-ups: they keep no trigger back
	wake    chan struct{}
	back    chan struct{} // the store works: who was told that nothing was started can be claimed

	mu      sync.Mutex
	inHand  map[deploy.Key]*hold
	lent    map[deploy.Key]int           // POSTs under way, and so many settle them yet
	told    map[deploy.Key]deploy.Record // who was told that nothing was started, while the store was away
	warned  map[deploy.Key]bool          // who was told that it is not known
	telling map[deploy.Key]bool          // who is being told one of these two
	refused map[deploy.Key]int           // the last delivery of what the store certainly refused each time
	closed  atomic.Bool                  // nothing is heard any more
	parted  map[deploy.Key]bool          // who was told that no more will be shown
	soon    time.Time                    // when to look again, if before the next poll
	more    bool                         // more is due than there was room for
	storeT  time.Time                    // the store's clock at storeL
	storeL  time.Time
	store   error     // how the store answered last
	okAt    time.Time // when a take went through last and nothing of it was overdue
}

// Event is one thing that happened, for the log and the counters.
type Event struct {
	Name   string        // "claimed", "triggered", "moved", "store-away", ...: the log's message
	Record deploy.Record // zero where it is about no record
	Err    error         // what went wrong
	Detail string        // the rest, in words
}

func (l *Engine) log(e Event) {
	if l.Log != nil {
		l.Log(e)
	}
}

func (l *Engine) prepare() {
	l.once.Do(func() {
		l.work, l.letGo = context.WithCancel(context.Background())
		l.fresh, l.taken = newSlots(freshAtMost, freshChannel), newSlots(takenAtMost, takenAtMost)
		l.shows, l.channel = newSlots(showAtMost, showAtMost), newLines()
		l.calls, l.looks = newLanes(callsAtMost, perProject), newLanes(looksAtMost, looksProject)
		l.wake, l.back = make(chan struct{}, 1), make(chan struct{}, 1)
		l.inHand, l.told, l.warned, l.refused = map[deploy.Key]*hold{}, map[deploy.Key]deploy.Record{}, map[deploy.Key]bool{}, map[deploy.Key]int{}
		l.parted, l.telling, l.lent = map[deploy.Key]bool{}, map[deploy.Key]bool{}, map[deploy.Key]int{}
	})
}

// Run takes what is due until ctx ends, and returns when nothing of what is in
// hand runs any more: see [Loop.Shutdown]. What was not finished is due again for
// whoever comes next.
func (l *Engine) Run(ctx context.Context) {
	l.prepare()
	l.hands.Go(func() { l.claimWhenBack(ctx) })
	at := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			l.drain()
			return
		case <-timer.C:
			at = time.Now().Add(l.poll(ctx))
		case <-l.wake:
			l.mu.Lock()
			if !l.soon.IsZero() && l.soon.Before(at) {
				at = l.soon
			}
			l.mu.Unlock()
		}
		timer.Reset(time.Until(at))
	}
}

// poll takes what is due once and tells when to do so again.
func (l *Engine) poll(ctx context.Context) time.Duration {
	l.mu.Lock()
	l.soon = time.Time{}
	l.mu.Unlock()
	n := l.taken.free()
	if n == 0 {
		return pollEvery / 10
	}
	takeCtx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	due, next, err := l.Store.Take(takeCtx, n, Lease)
	if ctx.Err() != nil {
		return 0
	}
	l.storeAnswered(err)
	if err != nil {
		return pollEvery
	}
	select {
	case l.back <- struct{}{}:
	default:
	}
	late := time.Duration(0)
	for _, h := range due {
		l.syncClock(h)
		late = max(late, h.Now.Sub(h.Due))
		if l.taken.take("") {
			l.hand(h, l.taken, "")
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if late < overdue {
		l.okAt = time.Now()
	}
	if l.more = next == 0; l.more {
		if l.hasRoom() {
			return 0
		}
		return pollEvery / 10 // or when there is room
	}
	wait := pollEvery
	if next > 0 {
		wait = min(wait, max(next, pollEvery/40)) // several of a line at a time
	}
	if !l.soon.IsZero() {
		wait = min(wait, time.Until(l.soon))
	}
	return max(0, wait)
}

// hand works on a record in a goroutine of its own, whose slot is taken: one
// step for its own sake, then showing what came of it.
func (l *Engine) hand(h Stored, from *slots, name string) {
	k := h.Record.Mention.Key
	give := sync.OnceFunc(func() {
		from.give(name)
		if from == l.taken {
			l.room()
		}
	})
	mine := l.grip(h)
	if mine == nil {
		give()
		return
	}
	l.hands.Go(func() {
		l.handle(h, give)
		for again := l.release(k, mine); again != nil; again = l.release(k, mine) {
			l.handle(*again, func() {})
		}
	})
}

func (l *Engine) handle(h Stored, stepped func()) {
	h, show := l.step(h, stepped)
	stepped()
	l.present(h, show)
}

// present shows a record that is to be shown, if there is room.
func (l *Engine) present(h Stored, show bool) {
	switch {
	case show && l.shows.take(""):
		l.showOrBreak(h)
		l.shows.give("")
	case show:
		l.showLater(h, 2*time.Second+l.channel.next(""))
	}
}

// hold is what this process does with a record that it has in hand.
type hold struct {
	again     *Stored // the record came up again meanwhile
	interrupt func()  // ends a look-up that waits for GitLab; nil: there is none
}

// grip takes a record in hand. One that is in hand already came up again, by a
// word from outside: it is looked at once more before it is let go, which is at
// once where GitLab was only being asked about it. Then mine is nil.
func (l *Engine) grip(h Stored) (mine *hold) {
	k := h.Record.Mention.Key
	l.mu.Lock()
	defer l.mu.Unlock()
	if was := l.inHand[k]; was != nil {
		was.again = &h
		if was.interrupt != nil {
			// mutant: a look-up that goes on over a word
			was.interrupt()
		}
		return nil
	}
	mine = &hold{}
	l.inHand[k] = mine
	return mine
}

// lend lets a record in hand go while its POST is under way, which may take more
// than a minute: what is heard of it meanwhile is another's to handle, in this
// process as in any other.
func (l *Engine) lend(k deploy.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.inHand, k)
	l.lent[k]++
}

// isBusy tells whether something of a record is under way. l.mu is held.
func (l *Engine) isBusy(k deploy.Key) bool { return l.inHand[k] != nil || l.lent[k] > 0 }

// interruptible has a look-up end when its record comes up again.
func (l *Engine) interruptible(k deploy.Key, interrupt func()) (done func()) {
	set := func(f func()) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if in := l.inHand[k]; in != nil {
			if in.interrupt = f; f != nil && in.again != nil {
				f()
			}
		}
	}
	set(interrupt)
	return func() { set(nil) }
}

// release lets a record go, unless it came up again.
func (l *Engine) release(k deploy.Key, mine *hold) (again *Stored) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inHand[k] != mine { // it was lent
		if l.lent[k]--; l.lent[k] == 0 {
			delete(l.lent, k)
		}
		return nil
	}
	if again = mine.again; again != nil {
		mine.again = nil
		return again
	}
	delete(l.inHand, k)
	return nil
}

// save writes next over h. A save whose answer was lost is made again, with
// the same bytes, until it is known: at most as long as ctx.
func (l *Engine) save(ctx context.Context, h Stored, next deploy.Record, due time.Duration) (Stored, error) {
	// mutant: a save without a fresh mark
	next.Layout, next.Revision = deploy.Layout, rand.Text()
	for try := 0; ; try++ {
		tryCtx, cancel := context.WithTimeout(ctx, storeTimeout)
		saved, err := l.Store.Save(tryCtx, h, next, due)
		cancel()
		if !errors.Is(err, ErrChanged) && ctx.Err() == nil {
			l.storeAnswered(err)
		}
		if err == nil {
			l.syncClock(saved)
			if due >= 0 {
				l.lookIn(due)
			}
			if next.State != h.Record.State {
				l.log(Event{Name: "moved", Record: next, Detail: string(h.Record.State)})
			}
			return saved, nil
		}
		if errors.Is(err, ErrChanged) {
			return h, err
		}
		if !pause(ctx, backoff(try)) {
			return h, err
		}
	}
}

func (l *Engine) delay(h Stored, d time.Duration) {
	ctx, cancel := context.WithTimeout(l.work, storeTimeout)
	defer cancel()
	if err := l.Store.Delay(ctx, h, d); err == nil && d >= 0 {
		l.lookIn(d)
	} // else its lease passes, and it is due then
}

// lookIn has the loop look again in d, if it would not by itself.
func (l *Engine) lookIn(d time.Duration) {
	if d < 0 || d >= pollEvery {
		return
	}
	at := time.Now().Add(d)
	l.mu.Lock()
	if l.soon.IsZero() || at.Before(l.soon) {
		l.soon = at
	}
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// room has the loop look at once for what it had no room for, when there is
// room for many: one at a time would be as many round trips.
func (l *Engine) room() {
	l.mu.Lock()
	more := l.more
	l.mu.Unlock()
	if more && l.hasRoom() {
		l.lookIn(0)
	}
}

func (l *Engine) hasRoom() bool { return l.taken.free() >= takenAtMost/2 }

// storeAnswered keeps how the store is, and says so once when it changes.
func (l *Engine) storeAnswered(err error) {
	l.mu.Lock()
	was := l.store
	l.store = err
	l.mu.Unlock()
	switch {
	case was == nil && err != nil:
		l.log(Event{Name: "store-away", Err: err})
	case was != nil && err == nil:
		l.log(Event{Name: "store-back"})
		l.lookIn(0) // who was told that nothing was started is claimed at once
	}
}

// syncClock keeps the store's clock.
func (l *Engine) syncClock(h Stored) {
	l.mu.Lock()
	l.storeT, l.storeL = h.Now, time.Now()
	l.mu.Unlock()
}

// now is the store's clock: hosts' clocks differ, this one is everybody's.
func (l *Engine) now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.storeL.IsZero() {
		return time.Now()
	}
	return l.storeT.Add(time.Since(l.storeL))
}

// Ready tells what keeps the loop from its work; nil: nothing.
//
//docgen:messages ready
func (l *Engine) Ready() error {
	l.prepare()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.store != nil:
		return fmt.Errorf("the store is away: %w", l.store)
	case l.okAt.IsZero():
		return errors.New("the store was not asked yet")
	case time.Since(l.okAt) > overdue:
		return errors.New("work is overdue by more than 30 s")
	}
	return nil
}

// pause waits, and tells whether ctx went on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// backoff grows from 0.1 s to 5 s.
func backoff(try int) time.Duration {
	return min(100*time.Millisecond<<min(try, 6), 5*time.Second)
}
