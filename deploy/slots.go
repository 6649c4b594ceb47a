package deploy

import (
	"sync"
	"time"
)

// slots bounds how much is in hand: in all, and under one name. Nobody waits
// for a slot: what finds none is due later.
type slots struct {
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
	if s.used >= s.all || s.names[name] >= s.each {
		return false
	}
	s.used++
	s.names[name]++
	return true
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

// lines gives a place in a line to what found no slot: how long to wait, so
// that the thousands of one name come back one after the other, not at once,
// and do not stand before the only one of another.
type lines struct {
	mu    sync.Mutex
	apart time.Duration // how far apart places are where nothing is known
	of    map[string]line
}

type line struct {
	end   time.Time     // the place of the last who stands in it
	apart time.Duration // how far apart the places are; 0: not known
	moved time.Time     // when what it waits for began or ended last; zero: not known
}

func newLines(apart time.Duration) *lines {
	return &lines{apart: apart, of: map[string]line{}}
}

// A line moves as fast as what it waits for, within bounds: each who comes back
// too early costs the store a round trip.
const (
	leastApart = time.Millisecond
	mostApart  = 250 * time.Millisecond
)

// begins notes that something began that a line of this name may wait for. It
// may take far longer than the one before.
func (l *lines) begins(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.of[name]
	at.moved = time.Now()
	l.of[name] = at
}

// ends notes that it ended, and what it took; so many run side by side.
func (l *lines) ends(name string, took time.Duration, side int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.of[name]
	at.moved, at.apart = time.Now(), max(took/time.Duration(side), leastApart)
	l.of[name] = at
}

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
	apart := at.apart
	if apart == 0 {
		apart = l.apart
	}
	if !at.moved.IsZero() { // who waited long may wait on
		apart = max(apart, now.Sub(at.moved)/perProject)
	}
	at.end = later(at.end, now).Add(min(apart, mostApart))
	l.of[name] = at
	return at.end.Sub(now)
}
