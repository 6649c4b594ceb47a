package deploy

import "time"

// Timing holds the times that govern a deployment.
type Timing struct {
	MaxAge         time.Duration // MENTION_MAX_AGE
	RequestTimeout time.Duration // GITLAB_REQUEST_TIMEOUT: how long GitLab may work on a request whose client has gone
	Timeout        time.Duration // DEPLOY_TIMEOUT, where the target is not known
	CanPoll        bool          // GitLab can be asked about pipelines
}

// The fixed times.
const (
	WriteWithin = 5 * time.Second // from the save that allows a POST to its first byte
	MaxWait     = 5 * time.Minute // waiting, in all
	SlowAfter   = 2 * time.Second // a POST without an answer: that is shown
	postGrace   = 5 * time.Second // a POST's deadline is GitLab's own request timeout and this
	listGrace   = 15 * time.Second
	firstFollow = 5 * time.Second
	maxFollow   = 11 * time.Second // 12 s between two polls: what is due waits for the loop
	followLate  = time.Minute      // a silent one is still polled, now and then,
	followUntil = 24 * time.Hour   // this long; and a running one no more often after it
	jobsWithin  = 15 * time.Second // how long to wait for the jobs of an end that was reported
	lookAfter   = 2 * time.Second  // after a reported failure, for its reason
	jobsAgain   = 3 * time.Second  // how often they are asked for
	pendingTold = time.Minute      // "no runner has taken it"
	unseenTold  = time.Minute      // "GitLab has not answered since"

	elapsedEvery = 30 // seconds after which the time alone is shown anew
)

// PostEnd is when a POST allowed at triggered has surely ended.
func (timing Timing) PostEnd(triggered time.Time) time.Time {
	// mutant: a POST taken for finished while it may still run
	return triggered.Add(WriteWithin + timing.RequestTimeout + postGrace)
}

// sureFrom is from when a complete listing without the pipeline means that there
// is none, and that there will be none.
func (timing Timing) sureFrom(triggered time.Time) time.Time {
	return triggered.Add(WriteWithin + timing.RequestTimeout + listGrace)
}
