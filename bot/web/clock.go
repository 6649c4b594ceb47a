package web

import (
	"net/http"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// How far the host's clock may differ from Slack's: a warning is logged beyond the
// first, and again only after it was below the second.
const (
	clockOff     = 30 * time.Second
	clockSettled = 20 * time.Second
)

// clock is Slack's clock, learned from the Date header of its answers. The age of
// a mention is judged by it, since the host's clock may be wrong.
type clock struct {
	log zerolog.Logger

	mu   sync.Mutex
	date time.Time // Slack's latest Date
	at   time.Time // the host's monotonic clock at that moment; zero: none yet
	wall time.Time // the host's wall clock at that moment
	off  bool      // the warning was logged
}

// Now is the latest date plus the time since. While a machine is suspended its
// monotonic clock stands still; a wall clock can be set back. The larger
// difference counts, since a mention that seems too old is only asked about.
func (c *clock) Now() time.Time {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at.IsZero() {
		return now.UTC()
	}
	return c.date.Add(max(now.Sub(c.at), now.Round(0).Sub(c.wall)))
}

// Ahead is by how much the host's clock was ahead of Slack's latest date.
func (c *clock) Ahead() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wall.Sub(c.date)
}

// learn reads the Date of an answer that has just arrived.
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
