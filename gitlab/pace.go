package gitlab

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/getto-systems/psycher/deploy/engine"
)

// Where many deployments are followed, reads wait for their turn: GitLab has limits,
// and other people need it too.
const (
	projectReads = 5  // a second, and at once, of one project
	allReads     = 20 // the same of all
	urgentReads  = 30 // made in advance, where somebody waits: for an end that was reported, or a pipeline that was lost

	longestWait = time.Minute      // told at once
	missedTurn  = 30 * time.Second // who is this late does not come any more
)

// waiter is what found no room to be read. What is urgent comes first, else what
// waits longest.
type waiter struct {
	project string
	number  int
	urgent  bool
	room    time.Time // when there is room in its project
	back    time.Time // when it was told to come back
}

// reserve allows n reads about something of a project, or says when to try again.
func (c *Client) reserve(project, what string, n int, urgent bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.resting(); err != nil {
		return err
	}
	now := time.Now()
	what = project + " " + what
	me, waits := c.waiting[what]
	if !waits {
		c.waited++
		me = waiter{project: project, number: c.waited}
	}
	me.urgent = urgent
	inProject, inAll := n, n // reads until this one is through
	if urgent {
		inProject, inAll = n-urgentReads, n-urgentReads
	}
	for other, w := range c.waiting {
		switch {
		case now.Sub(w.back) > missedTurn:
			delete(c.waiting, other)
		case w.urgent == urgent && w.number >= me.number, urgent && !w.urgent:
		case w.project == project:
			inProject, inAll = inProject+n, inAll+n
		case !w.room.After(now):
			inAll += n
		}
	}
	own := wait(now, c.pace(project), inProject)
	// mutant: reads without a bound
	if after := max(own, wait(now, c.pace(""), inAll)); after > 0 {
		after = min(after, longestWait)
		me.room, me.back = now.Add(own), now.Add(after)
		c.waiting[what] = me
		return &engine.LaterError{After: after, Err: engine.ErrPaced}
	}
	delete(c.waiting, what)
	c.take(now, project, n)
	return nil
}

// wait is how long it takes until n reads may be made; 0: now.
func wait(now time.Time, pace *rate.Limiter, n int) time.Duration {
	lacks := float64(n) - pace.TokensAt(now)
	if lacks < 0.001 {
		return 0
	}
	return time.Duration(lacks / float64(pace.Limit()) * float64(time.Second))
}

// spend counts reads that are made in any case.
func (c *Client) spend(project string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.take(time.Now(), project, n)
}

// take and pace are called with the lock held.

func (c *Client) take(now time.Time, project string, n int) {
	c.pace("").ReserveN(now, n)
	if project != "" {
		c.pace(project).ReserveN(now, n)
	}
}

// pace bounds the reads of a project; "": all.
func (c *Client) pace(project string) *rate.Limiter {
	if c.paces[project] == nil {
		each := projectReads
		if project == "" {
			each = allReads
		}
		c.paces[project] = rate.NewLimiter(rate.Limit(each), each)
	}
	return c.paces[project]
}
