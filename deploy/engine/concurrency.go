package engine

import (
	"cmp"
	"sync"
	"time"
)

// limiter bounds how much runs at a time: in all, and under one name. Nobody
// waits for a place: what finds none is due later, and comes back as fast as work
// drains. The thousands of one name come back one after the other, and are not in
// the way of another's only one.
type limiter struct {
	all   int
	each  int
	fair  bool // the fewer places are left, the fewer one name may have
	mu    sync.Mutex
	total lane
	lanes map[string]*lane
}

// lane is what runs and what is to come back under one name, or in all.
type lane struct {
	queue
	running int
	moved   time.Time     // when work began or ended last
	spacing time.Duration // how far apart work ends; 0: not known
}

// Coming back too early costs a round trip to the store, too late leaves places
// empty.
const (
	firstSpacing = 5 * time.Millisecond // while nothing is known
	minSpacing   = time.Millisecond
	maxSpacing   = 250 * time.Millisecond
)

// maxLanes is how many names are remembered that nothing runs of.
const maxLanes = 1000

func newLimiter(all, each int, fair bool) *limiter {
	return &limiter{all: all, each: each, fair: fair, lanes: map[string]*lane{}}
}

// acquire takes a place until release is called. Without a place release is nil,
// and wait is when to come again.
func (l *limiter) acquire(name string) (release func(), wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	own := l.lanes[name]
	if own == nil {
		own = &lane{}
		l.lanes[name] = own
	}
	switch full := l.total.running >= l.all; {
	case full && l.fair:
		return nil, l.total.nextDelay()
	case full || own.running >= l.share():
		return nil, own.nextDelay()
	}
	began := time.Now()
	own.move(1, 0)
	l.total.move(1, 0)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		took := time.Since(began)
		own.move(-1, took/time.Duration(l.each))
		l.total.move(-1, took/time.Duration(l.all))
		if own.running == 0 && len(l.lanes) > maxLanes {
			delete(l.lanes, name)
		}
	}, 0
}

// share is how many places one name may have now. A fair limiter keeps some for
// names that come later, even if the present ones never release any.
func (l *limiter) share() int {
	switch {
	case !l.fair || l.total.running < l.all/2:
		return l.each
	case l.total.running < l.all*3/4:
		return min(l.each, 2)
	}
	return 1
}

// move notes that work began, or that it ended: at best, that far apart.
func (l *lane) move(more int, spacing time.Duration) {
	l.running += more
	l.moved = time.Now()
	if more < 0 {
		l.spacing = max(spacing, minSpacing)
	}
}

// nextDelay is in how long what found no place is to come back.
func (l *lane) nextDelay() time.Duration {
	spacing := cmp.Or(l.spacing, firstSpacing)
	if l.running > 0 { // the longer nothing moved, the longer it is worth waiting
		spacing = max(spacing, time.Since(l.moved)/time.Duration(l.running))
	}
	spacing = min(spacing, maxSpacing)
	return l.next(spacing, spacing)
}

// queue has what is to come back do so one after the other: thousands must not all
// ask again and again.
type queue struct {
	mu   sync.Mutex
	last time.Time // when the last in the queue comes back
}

// next is in how long the next one is to come back, which is not before wait.
func (q *queue) next(wait, spacing time.Duration) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	// mutant: thousands of edits that all come back at once
	q.last = q.last.Add(spacing)
	if first := now.Add(wait); q.last.Before(first) {
		q.last = first
	}
	return q.last.Sub(now)
}
