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
	urgentReads  = 10 // the same where somebody waits: for an end that was reported, or a pipeline that was lost
	urgentBurst  = 30 // of those at once

	longestWait = time.Minute      // told at once
	missedTurn  = 30 * time.Second // who is this late does not come any more
)

// turn is when there is room for a read: first in its project, then in all.
type turn struct {
	at     time.Time
	passed int // of the paces that bound it
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
	paces := []*rate.Limiter{c.pace(project), c.all}
	if urgent {
		paces = []*rate.Limiter{c.urgent}
	}
	for other, t := range c.turns {
		if now.Sub(t.at) > missedTurn {
			delete(c.turns, other)
		}
	}
	what = fmt.Sprint(project, " ", what, urgent)
	mine := c.turns[what]
	for mine.passed < len(paces) && !mine.at.After(now) {
		mine.at = now.Add(paces[mine.passed].ReserveN(now, n).DelayFrom(now))
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

// take and pace are called with the lock held.

func (c *Client) take(project string, n int) {
	c.all.ReserveN(time.Now(), n)
	if project != "" {
		c.pace(project).ReserveN(time.Now(), n)
	}
}

// pace bounds the reads of a project.
func (c *Client) pace(project string) *rate.Limiter {
	if c.paces[project] == nil {
		c.paces[project] = rate.NewLimiter(projectReads, projectReads)
	}
	return c.paces[project]
}
