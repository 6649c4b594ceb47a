package engine

import (
	"cmp"
	"sync"
	"time"
)

// slots bounds how much is in hand: in all, and under one name. Nobody waits
// for a slot: what finds none is due later.
type slots struct {
	fair  bool // the fewer are left, the less of them one name may have
	mu    sync.Mutex
	all   int
	each  int
	used  int
	names map[string]int
}

func newSlots(all, each int) *slots {
	return &slots{all: all, each: each, names: map[string]int{}}
}

func (s *slots) take(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used >= s.all || s.names[name] >= s.share() {
		return false
	}
	s.used++
	s.names[name]++
	return true
}

// share is how many slots one name may have now. Where it is fair, names that
// never give any back leave some to each that comes later.
func (s *slots) share() int {
	switch {
	case !s.fair || s.used < s.all/2:
		return s.each
	case s.used < s.all*3/4:
		return min(s.each, 2)
	}
	return 1
}

func (s *slots) give(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used--
	if s.names[name]--; s.names[name] == 0 {
		delete(s.names, name)
	}
}

func (s *slots) free() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all - s.used
}

// A line moves as fast as what it waits for, within bounds: each who comes back
// too early costs the store a round trip.
const (
	firstApart = 5 * time.Millisecond // while nothing is known
	leastApart = time.Millisecond
	mostApart  = 250 * time.Millisecond
)

// lines gives a place in a line to what found no slot: how long to wait, so
// that the thousands of one name come back one after the other, not at once,
// and do not stand before the only one of another.
type lines struct {
	mu sync.Mutex
	of map[string]line
}

type line struct {
	end   time.Time     // the place of the last who stands in it
	apart time.Duration // how far apart the places are; 0: not known
	moved time.Time     // when what it waits for began or ended last; zero: not known
	side  int           // so many of that run side by side
}

func newLines() *lines { return &lines{of: map[string]line{}} }

func (l *lines) next(name string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if len(l.of) > 1000 {
		for n, at := range l.of {
			if at.end.Before(now) {
				delete(l.of, n)
			}
		}
	}
	at := l.of[name]
	apart := cmp.Or(at.apart, firstApart)
	if !at.moved.IsZero() { // who waited long may wait on
		apart = max(apart, now.Sub(at.moved)/time.Duration(at.side))
	}
	if at.end.Before(now) {
		at.end = now
	}
	at.end = at.end.Add(min(apart, mostApart))
	l.of[name] = at
	return at.end.Sub(now)
}

// moves notes that what a line waits for began, or ended after so long: then
// its places are as far apart as that ends.
func (l *lines) moves(name string, side int, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.of[name]
	at.moved, at.side = time.Now(), side
	if took > 0 {
		at.apart = max(took/time.Duration(side), leastApart)
	}
	l.of[name] = at
}

// lanes are the calls to GitLab: so many side by side in all and in each
// project, and a line for those that find no room.
type lanes struct {
	slots *slots
	lines *lines
}

// everybody is the line of those that find no room in all lanes together.
const everybody = ""

func newLanes(all, side int) lanes {
	s := newSlots(all, side)
	s.fair = true
	return lanes{s, newLines()}
}

// enter takes a slot until leave, or tells when to come again; then leave is nil.
func (l lanes) enter(project string) (leave func(), wait time.Duration) {
	if !l.slots.take(project) {
		if l.slots.free() == 0 {
			project = everybody
		}
		return nil, l.lines.next(project)
	}
	began := time.Now()
	moves := func(took time.Duration) {
		l.lines.moves(project, l.slots.each, took)
		l.lines.moves(everybody, l.slots.all, took)
	}
	moves(0)
	return func() {
		moves(time.Since(began))
		l.slots.give(project)
	}, 0
}
