package deploy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Result is what a pipeline reports.
type Result string

// The results that the notify port takes.
const (
	ResultStart    Result = "start" // asks whether it may deploy, before it does
	ResultSuccess  Result = "success"
	ResultFailure  Result = "failure"
	ResultCanceled Result = "canceled"
)

// Callback is a call of GitLab CI at the notify port, once it is known to be well
// formed and to show something that may count.
type Callback struct {
	Channel  string
	TS       string
	ID       string // PSYCHER_ID; empty from old scripts
	Result   Result
	Pipeline int64  // 0: not said
	Job      int64  // 0: not said
	JobName  string // CI_JOB_NAME; empty: not said
	JobStage string // CI_JOB_STAGE; empty: not said
	SHA      string // CI_COMMIT_SHA; empty: not said
	Token    Secret // the PSYCHER_TOKEN that the call showed; empty: none
	Shared   bool   // the call showed NOTIFY_TOKEN
}

// CallbackResult is what became of a callback.
type CallbackResult string

// The results of a callback.
const (
	CallbackTaken    CallbackResult = "taken"     // recorded, or recorded before
	CallbackNoEffect CallbackResult = "no-effect" // late, contrary, or of another pipeline: logged, nothing changes
	CallbackUnknown  CallbackResult = "unknown"   // no deployment of this bot has that channel, timestamp and id
	CallbackStop     CallbackResult = "stop"      // a start of a pipeline that must not deploy
	CallbackUnproven CallbackResult = "unproven"  // nothing that it shows proves the deployment, or that there is one
)

// Hear takes in a callback: it returns the record after it, and what the pipeline
// is answered. The same callback again changes nothing and has the same answer.
func (r Record) Hear(c Callback, now time.Time, timing Timing) (Record, CallbackResult) {
	d := r.Deployment
	other := c.Pipeline != 0 && d.Pipeline != 0 && c.Pipeline != d.Pipeline
	start := c.Result == ResultStart
	switch {
	// mutant: an id that is not checked
	case c.ID != "" && c.ID != r.Request.ID:
		return r, CallbackUnknown
	// mutant: a rollback that whoever has the shared secret reports on
	case d.Rollback != nil: // its job reports to the record of its pipeline
		return r, CallbackUnknown
	// mutant: a start call granted twice
	// mutant: a start call granted for a deployment that does not run
	case start && (r.toldNothingRuns() || other):
		return r, CallbackStop
	// mutant: a job that deploys while its pipeline is being canceled
	case start && r.IsCanceling():
		return r, CallbackStop
	// mutant: a job that deploys over what was started in its place
	case start && d.SetAside != "":
		return r, CallbackStop
	// mutant: a job granted that is of another commit than was confirmed
	case start && r.Confirmed() != "" && c.SHA != r.Confirmed():
		// mutant: a pipeline canceled for the commit of a child in another project
		if c.SHA != "" && d.known().Commit.SHA != r.Confirmed() {
			r, _ = r.Adopt(Pipeline{ID: c.Pipeline, SHA: c.SHA}, now, timing)
		}
		return r, CallbackStop
	// mutant: a rollback's word shown by the deployment it goes back to
	case d.PassTo != nil && !other:
		return r, CallbackTaken
	case (r.State == Answered || r.State == Asking || r.State == Queued || r.State == Locked) && d.Triggered.IsZero():
		return r, CallbackUnknown
	case r.State == Answered, r.State == Refused, other:
		return r, CallbackNoEffect
	}
	if d.Pipeline == 0 && c.Pipeline != 0 {
		r.Deployment.Pipeline = c.Pipeline
		if r.State == Running || r.State == Silent { // now it can be followed
			r.Next = r.nextPoll(now, timing)
		}
	}
	if d.Triggered.IsZero() { // it was faster than the save of the trigger
		r.Deployment.Triggered, r.Deployment.Timeout = now, timing.Timeout
	}
	if start {
		switch r.State {
		case Accepted, Triggering, Waiting, Unsure:
			r = r.run(Pipeline{ID: c.Pipeline}, now, timing)
		case Running: // it moves
			r.Deployment.Waits, r.Deployment.Pending = "", time.Time{}
		}
		return r, CallbackTaken
	}
	how := map[Result]State{ResultSuccess: Succeeded, ResultFailure: Failed, ResultCanceled: Canceled}[c.Result]
	if how == Failed && r.State != Succeeded {
		r = r.blame(c)
	}
	switch {
	case r.State == how:
		return r, CallbackTaken
	case r.State == Succeeded && how == Failed:
		return r.addLineOnce(r.Message(MsgFailedAfter)), CallbackTaken
	case how == Succeeded:
		return r.hearSuccess(c, now, timing)
	case !slices.Contains(Moves()[r.State], how), r.State == Canceled && !d.Nothing:
		return r, CallbackNoEffect
	}
	end := Pipeline{End: how}
	if how == Failed && c.isOfOneJob() {
		end.Detail, end.Failed = c.JobName, &Job{ID: c.Job, Name: c.JobName}
		if c.Job > 0 {
			end.Failed.URL = d.page(fmt.Sprint("jobs/", c.Job))
		}
	}
	r = r.end(end, now)
	if timing.CanPoll && r.Deployment.Pipeline != 0 && d.Project != "" { // why it failed, which no callback says
		r.Deployment.Unlooked, r.Next = true, now.Add(lookAfter)
	}
	return r, CallbackTaken
}

// page is a page of the deployment's project; empty where that is not known.
func (d *Deployment) page(of string) string {
	project, _, found := strings.Cut(d.URL, "/-/pipelines/")
	if !found {
		return ""
	}
	return project + "/-/" + of
}

// hearSuccess takes in a callback of success. A job that reports on the others
// speaks for the pipeline, and so does a script that does not name its job. Any
// other job proves only itself: where GitLab can be asked, its jobs decide, at
// once. Elsewhere the job is believed, unless another one failed.
func (r Record) hearSuccess(c Callback, now time.Time, timing Timing) (Record, CallbackResult) {
	d := &r.Deployment
	believed := true
	if c.isOfOneJob() {
		blamed := len(d.FailedBy) > 0
		isBlamed := slices.Contains(d.FailedBy, c.JobName)
		d.FailedBy = without(d.FailedBy, c.JobName)
		// mutant: a failure cleared by another job
		believed = strings.HasPrefix(c.JobName, d.Job) && (!blamed || isBlamed && len(d.FailedBy) == 0)
	}
	isEnded := r.State == Failed || r.State == Canceled
	canAsk := timing.CanPoll && d.Pipeline != 0 && d.Project != ""
	// mutant: a job's call believed for all jobs
	if c.JobName == "" || !canAsk && believed {
		return r.end(Pipeline{End: Succeeded}, now), CallbackTaken
	}
	result := CallbackNoEffect
	if r.State != Running && r.State != Silent && !isEnded { // whichever job it is, its pipeline runs
		r, result = r.run(Pipeline{ID: d.Pipeline}, now, timing), CallbackTaken
	}
	if !canAsk || !believed && !isEnded {
		return r, result
	}
	if c.isOfOneJob() && !slices.Contains(d.Proved, c.JobName) && len(d.Proved) < jobsKept {
		d.Proved = append(slices.Clone(d.Proved), c.JobName)
		r.Next = now
	}
	switch {
	case believed && d.Ending != Succeeded:
		d.Ending, d.EndingAt, r.Next = Succeeded, now, now
	case d.Ending == "": // it stays as it is, unless GitLab shows a success
		d.Ending, d.EndingAt, r.Next = r.State, now, now
	}
	return r, CallbackTaken
}

// isOfOneJob reports whether the callback is that of a job that does more than
// report on others.
func (c Callback) isOfOneJob() bool {
	return c.JobName != "" && !speaksForPipeline(c.JobName, c.JobStage)
}

// blame notes which job failed: an earlier success of it no longer counts.
func (r Record) blame(c Callback) Record {
	d := &r.Deployment
	if c.isOfOneJob() {
		d.Proved = without(d.Proved, c.JobName)
		d.FailedBy = withNewest(without(d.FailedBy, c.JobName), c.JobName, jobsKept)
	}
	if d.Ending != "" {
		d.Ending = r.State
	}
	return r
}

// jobsKept bounds how many names a record keeps.
const jobsKept = 50

// without returns a new list, as several records may share names.
func without(names []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
}

// toldNothingRuns reports whether the person was told that nothing runs, or asked
// whether to start it: a pipeline that starts now must not deploy.
func (r Record) toldNothingRuns() bool {
	return r.State == Answered || r.State == Asking || r.State == Refused || (r.Deployment.NoneSeen && r.Deployment.Pipeline == 0)
}
