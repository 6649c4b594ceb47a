package engine

import (
	"cmp"
	"sync"
	"time"
)

// limiter bounds how much runs at a time: in all, and under one name. Nobody
// waits for it: what finds no place is due later.
type limiter struct {
	fair  bool // the fewer places are left, the fewer one name may have
	all   int
	each  int
	mu    sync.Mutex
	used  int
	names map[string]int
}

func newLimiter(all, each int) *limiter {
	return &limiter{all: all, each: each, names: map[string]int{}}
}

func (l *limiter) tryAcquire(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.used >= l.all || l.names[name] >= l.share() {
		return false
	}
	l.used++
	l.names[name]++
	return true
}

// share is how many places one name may have now. A fair limiter keeps some for
// names that come later, even if the present ones never release any.
func (l *limiter) share() int {
	switch {
	case !l.fair || l.used < l.all/2:
		return l.each
	case l.used < l.all*3/4:
		return min(l.each, 2)
	}
	return 1
}

func (l *limiter) release(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used--
	if l.names[name]--; l.names[name] == 0 {
		delete(l.names, name)
	}
}

func (l *limiter) available() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all - l.used
}

// Retries of a backlog are spaced as fast as work drains, within bounds:
// retrying too early costs a round trip to the store.
const (
	spacingFirst = 5 * time.Millisecond // while nothing is known
	spacingLeast = time.Millisecond
	spacingMost  = 250 * time.Millisecond
)

// backlog spaces what found no place, by name: the thousands of one name come
// back one after the other, and are not in the way of another's only one.
type backlog struct {
	mu    sync.Mutex
	names map[string]queue
}

type queue struct {
	end     time.Time     // when the last in the queue comes back
	spacing time.Duration // 0: not known
	moved   time.Time     // when work began or ended last; zero: not known
	side    int           // how much of it runs side by side
}

func newBacklog() *backlog { return &backlog{names: map[string]queue{}} }

// nextDelay is in how long what found no place is to come back.
func (b *backlog) nextDelay(name string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if len(b.names) > 1000 {
		for n, q := range b.names {
			if q.end.Before(now) {
				delete(b.names, n)
			}
		}
	}
	q := b.names[name]
	spacing := cmp.Or(q.spacing, spacingFirst)
	if !q.moved.IsZero() { // the longer nothing moved, the longer it is worth waiting
		spacing = max(spacing, now.Sub(q.moved)/time.Duration(q.side))
	}
	if q.end.Before(now) {
		q.end = now
	}
	q.end = q.end.Add(min(spacing, spacingMost))
	b.names[name] = q
	return q.end.Sub(now)
}

// observe notes that work began, or that it ended after a time.
func (b *backlog) observe(name string, side int, took time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.names[name]
	q.moved, q.side = time.Now(), side
	if took > 0 {
		q.spacing = max(took/time.Duration(side), spacingLeast)
	}
	b.names[name] = q
}

// concurrency bounds calls to GitLab, in all and in each project, and spaces
// those that find no place.
type concurrency struct {
	limiter *limiter
	backlog *backlog
}

// everybody names the backlog of all projects together.
const everybody = ""

func newConcurrency(all, each int) concurrency {
	l := newLimiter(all, each)
	l.fair = true
	return concurrency{l, newBacklog()}
}

// acquire takes a place until release is called. Without a place release is nil,
// and wait is when to come again.
func (c concurrency) acquire(project string) (release func(), wait time.Duration) {
	if !c.limiter.tryAcquire(project) {
		if c.limiter.available() == 0 {
			project = everybody
		}
		return nil, c.backlog.nextDelay(project)
	}
	began := time.Now()
	observe := func(took time.Duration) {
		c.backlog.observe(project, c.limiter.each, took)
		c.backlog.observe(everybody, c.limiter.all, took)
	}
	observe(0)
	return func() {
		observe(time.Since(began))
		c.limiter.release(project)
	}, 0
}
