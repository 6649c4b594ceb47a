package deploy

import (
	"slices"
	"strings"
)

// This file decides by a pipeline's jobs whether the deploy itself succeeded. The
// status of the whole pipeline does not show that: it is success also where the
// job that deploys waits for a person, was skipped, or is allowed to fail.

// Job is a job of a pipeline. A bridge, which starts another pipeline, is one too.
type Job struct {
	ID           int64
	Name         string
	Stage        string
	Status       string
	AllowFailure bool
}

// Counting says which jobs of a pipeline are the deploy, and which of them are
// known to have succeeded.
type Counting struct {
	Job    string   // the target's job: a name, or its beginning
	Proved []string // jobs that reported success themselves: for GitLab they may still run their after_script
	Early  bool     // judge the jobs although the pipeline goes on
}

// speaksForPipeline reports whether a job only reports on the others: it is never
// counted, and its callback is that of the whole pipeline. The two full names are
// the classic CI file's; one of these jobs is always skipped.
func speaksForPipeline(name, stage string) bool {
	return begins(name, "notify") || begins(stage, "notify") || name == "deploy_success" || name == "deploy_failure"
}

// begins ignores case: people write Deploy too.
func begins(s, with string) bool {
	return len(s) >= len(with) && strings.EqualFold(s[:len(with)], with)
}

// deployJobs returns the jobs that are counted, and all that do more than report.
// A target's job that is not in the pipeline did not run: no other job counts in
// its place.
func (c Counting) deployJobs(jobs []Job) (counted, all []Job) {
	var named, deploys []Job
	for _, j := range jobs {
		// mutant: a notify job that counts
		if speaksForPipeline(j.Name, j.Stage) {
			continue
		}
		all = append(all, j)
		if begins(j.Name, "deploy") || begins(j.Stage, "deploy") {
			deploys = append(deploys, j)
		}
		if strings.HasPrefix(j.Name, c.Job) {
			named = append(named, j)
		}
	}
	switch {
	case c.Job != "":
		return named, all
	case len(deploys) > 0:
		return deploys, all
	}
	return all, all
}

// byStatus is the counted jobs by their status.
type byStatus struct{ succeeded, failed, canceled, skipped, manual, created, moving []Job }

func (c Counting) sort(counted []Job) (by byStatus) {
	for _, j := range counted {
		to := &by.moving // and any status that GitLab may add: not known to be over
		switch {
		case j.Status == "success":
			to = &by.succeeded
		case j.Status == "failed":
			to = &by.failed
		case j.Status == "canceled":
			to = &by.canceled
		case j.Status == "skipped":
			to = &by.skipped
		case slices.Contains(c.Proved, j.Name): // GitLab lags behind, or runs its after_script
			to = &by.succeeded
		case j.Status == "manual":
			to = &by.manual
		case j.Status == "created":
			to = &by.created
		}
		*to = append(*to, j)
	}
	return by
}

// EndOf is how a pipeline of that status ended; over is false while it goes on.
func EndOf(status string) (end State, over bool) {
	switch status {
	case "success":
		return Succeeded, true
	case "failed":
		return Failed, true
	case "canceled", "skipped":
		return Canceled, true
	}
	return "", false
}

// Judge decides by the jobs of a pipeline how the deployment ended. While the
// pipeline goes on only a success is reported, and a failure while it waits for a
// person. It fills in End, Detail and Nothing.
func (c Counting) Judge(status string, jobs []Job) (p Pipeline) {
	counted, all := c.deployJobs(jobs)
	by := c.sort(counted)
	if _, over := EndOf(status); !over {
		open := len(by.failed) + len(by.canceled) + len(by.manual) + len(by.created) + len(by.moving)
		switch {
		case c.Early && open == 0 && len(by.succeeded) > 0:
			p.End = Succeeded
		case status == "manual" && len(by.moving) == 0 && len(by.failed) > 0:
			p.End, p.Detail = Failed, firstFailed(by.failed)
		}
		return p
	}
	// In a pipeline that succeeded, jobs that did not run were not meant to; in
	// another they may not have been reached.
	missed := len(by.skipped) + len(by.created)
	switch {
	case len(by.moving) > 0: // it was retried meanwhile
	// mutant: a failure of a deploy job that is allowed
	case len(by.failed) > 0:
		p.End, p.Detail = Failed, firstFailed(by.failed)
	case len(by.canceled) > 0:
		p.End = Canceled
	// mutant: a pipeline taken for its deploy job
	case len(by.succeeded) > 0 && (status == "success" || missed == 0):
		p.End = Succeeded
	case status == "failed" && (missed > 0 || firstFailed(all) != ""):
		p.End, p.Detail = Failed, firstFailed(all)
		if p.Detail == "" {
			p.Detail = firstFailed(jobs)
		}
	case status == "canceled":
		p.End = Canceled
	case len(by.manual) > 0: // somebody may still start it
		p.Nothing, p.Detail = true, oldest(by.manual)
	default:
		p.End, p.Nothing = Canceled, true
	}
	return p
}

// firstFailed names the job that failed first, of those that are not allowed to
// fail, if there are any.
func firstFailed(jobs []Job) string {
	var failed, fatal []Job
	for _, j := range jobs {
		if j.Status != "failed" {
			continue
		}
		failed = append(failed, j)
		if !j.AllowFailure {
			fatal = append(fatal, j)
		}
	}
	if len(fatal) > 0 {
		return oldest(fatal)
	}
	return oldest(failed)
}

func oldest(jobs []Job) string {
	first := Job{}
	for _, j := range jobs {
		if first.ID == 0 || j.ID < first.ID {
			first = j
		}
	}
	return first.Name
}
