package deploy

import "time"

// TriggerStatus is what became of a trigger POST.
type TriggerStatus string

// Everything that is not surely one of the others is TriggerUnsure.
const (
	TriggerStarted TriggerStatus = "started"  // GitLab has a pipeline
	TriggerFailed  TriggerStatus = "failed"   // GitLab has a pipeline, and it has failed already (422, or 201 with status failed)
	TriggerRefused TriggerStatus = "refused"  // GitLab said no; nothing runs
	TriggerWait    TriggerStatus = "wait"     // it did not run, and may be tried again after After
	TriggerNotSent TriggerStatus = "not-sent" // it was too late to write the POST; nothing was sent
	TriggerUnsure  TriggerStatus = "unsure"   // it may run
)

// TriggerResult is what became of a trigger POST, with what is known of it.
type TriggerResult struct {
	Status   TriggerStatus
	Pipeline Pipeline      // TriggerStarted, TriggerFailed
	Reason   MessageID     // TriggerRefused, TriggerWait: why
	Detail   string        // GitLab's own words, short, without secrets and markup; for the reply
	After    time.Duration // TriggerWait: when to try again
	Err      error         // for the log; without secrets
}

// Pipeline is what GitLab shows of a pipeline.
type Pipeline struct {
	ID  int64
	URL string
	// End is how it ended for the deployment: Succeeded, Failed or Canceled; empty
	// while it may go on (also manual, waiting_for_resource, canceling).
	End State
	// Detail names the job that failed, or waits, where that is known.
	Detail string
	Waits  Waits // what it waits for, where it is known not to move
	// Nothing: it is over, and no job that deploys has run. Without an End, one of
	// them still waits for a person to start it.
	Nothing bool
	SHA     string   // of its commit; empty: not known
	Stages  []Stage  // in their order, as far as its jobs were asked for
	Failed  *Job     // the job that failed first, of those that are counted if one of them did
	Job     *Job     // the one job that deploys, once it has begun; nil where several do
	Commit  Commit   // its commit, once that was asked for
	Commits *Commits // those that go out with it; nil: not known
	Bridges bool     // it has jobs that start other pipelines, or this was not asked
	Steers  bool     // the token may cancel it and run its jobs again
	Unread  bool     // GitLab could not be asked about it
	Judged  bool     // the jobs were asked for
	GoesOn  bool     // it has an End, and its other jobs go on
	Unseen  bool     // but could not be read: End is the status of the whole pipeline
	Retry   bool     // Unseen: another poll may show them
}

// Waits is what a pipeline waits for that does not move.
type Waits string

// What a pipeline may wait for.
const (
	WaitsPerson Waits = "person" // somebody has to start a job in GitLab
	WaitsRunner Waits = "runner" // no runner has taken its first job
)
