package web

import (
	"net/http"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// How far the host's clock may be from Slack's: complained of beyond the first,
// settled again below the second.
const (
	clockOff     = 30 * time.Second
	clockSettled = 20 * time.Second
)

// clock is Slack's clock, learned from the Date header of its answers. The age
// of a mention is judged by it: the host's own may be wrong.
type clock struct {
	log zerolog.Logger

	mu   sync.Mutex
	date time.Time // what Slack said last
	at   time.Time // the host's clock when it said so, monotonic; zero: never
	wall time.Time // the same, by the wall clock
	off  bool      // the host was complained of
}

// Now is the last date and the time that has passed since. Where the machine was
// suspended, its monotonic clock stood still and the wall clock did not; where
// the wall clock was set back, it is the other way round: the larger is believed,
// since a mention taken for too old is only asked about.
func (c *clock) Now() time.Time {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at.IsZero() {
		return now.UTC()
	}
	return c.date.Add(max(now.Sub(c.at), now.Round(0).Sub(c.wall)))
}

// learn takes the Date of an answer that has just come.
func (c *clock) learn(h http.Header) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.date, c.at, c.wall = date.UTC(), now, now.Round(0)
	switch by := now.Round(0).Sub(date).Abs(); {
	case by > clockOff && !c.off:
		c.off = true
		c.log.Warn().Time("host", now.UTC()).Time("slack", c.date).
			Msg("this host's clock is not Slack's: mentions are judged by Slack's, but set the host's right (NTP)")
	case by < clockSettled:
		c.off = false
	}
}
