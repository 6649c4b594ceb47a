package gitlab

import (
	"fmt"
	"time"

	"golang.org/x/time/rate"

	"github.com/getto-systems/psycher/deploy/engine"
)

// Where many deployments are followed, reads wait for their turn: GitLab has limits,
// and other people need it too.
const (
	projectReads = 5  // a second, and at once, of one project
	allReads     = 20 // the same of all
	urgentReads  = 30 // at once, where somebody waits: for an end that was reported, or a pipeline that was lost

	longestWait = time.Minute      // told at once
	missedTurn  = 30 * time.Second // who is this late does not come any more
)

// pace is what reads have room in: a project's, or that of all ("").
type pace struct {
	project string
	urgent  bool
}

// turn is when there is room for a read: first in its project, then in all.
type turn struct {
	at     time.Time
	passed int // of the two
}

// reserve allows n reads about something of a project, or says when to try again.
// Its room is kept until then.
func (c *Client) reserve(project, what string, n int, urgent bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.resting(); err != nil {
		return err
	}
	now := time.Now()
	room := []*rate.Limiter{c.room(pace{project, urgent}), c.room(pace{"", urgent})}
	for other, t := range c.turns {
		if now.Sub(t.at) > missedTurn {
			delete(c.turns, other)
		}
	}
	what = fmt.Sprint(project, " ", what, urgent)
	mine := c.turns[what]
	for mine.passed < len(room) && !mine.at.After(now) {
		mine.at = now.Add(room[mine.passed].ReserveN(now, n).DelayFrom(now))
		mine.passed++
	}
	// mutant: reads without a bound
	if after := mine.at.Sub(now); after > 0 {
		c.turns[what] = mine
		return &engine.LaterError{After: min(after, longestWait), Err: engine.ErrPaced}
	}
	delete(c.turns, what)
	if urgent { // others wait the longer
		c.take(project, n)
	}
	return nil
}

// spend counts reads that are made in any case.
func (c *Client) spend(project string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.take(project, n)
}

// take and room are called with the lock held.

func (c *Client) take(project string, n int) {
	c.room(pace{}).ReserveN(time.Now(), n)
	if project != "" {
		c.room(pace{project: project}).ReserveN(time.Now(), n)
	}
}

func (c *Client) room(in pace) *rate.Limiter {
	if c.rooms[in] == nil {
		each := projectReads
		if in.project == "" {
			each = allReads
		}
		burst := each
		if in.urgent {
			burst = urgentReads
		}
		c.rooms[in] = rate.NewLimiter(rate.Limit(each), burst)
	}
	return c.rooms[in]
}
