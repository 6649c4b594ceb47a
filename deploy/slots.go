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
	apart time.Duration
	paces map[string]time.Duration // how far apart the places of a name are, where that is known
	end   map[string]time.Time
}

func newLines(apart time.Duration) *lines {
	return &lines{apart: apart, paces: map[string]time.Duration{}, end: map[string]time.Time{}}
}

// A line moves as fast as what it waits for, within bounds: each who comes back
// too early costs the store a round trip.
const (
	leastApart = time.Millisecond
	mostApart  = 250 * time.Millisecond
)

// pace sets how far apart the places of a name are.
func (l *lines) pace(name string, apart time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.paces[name] = min(max(apart, leastApart), mostApart)
}

func (l *lines) next(name string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if len(l.end) > 1000 {
		for n, at := range l.end {
			if at.Before(now) {
				delete(l.end, n)
			}
		}
	}
	apart, ok := l.paces[name]
	if !ok {
		apart = l.apart
	}
	at := later(l.end[name], now).Add(apart)
	l.end[name] = at
	return at.Sub(now)
}
