package deploy

import (
	"slices"
	"strings"
)

// This file tells from a pipeline's jobs whether the deploy itself succeeded.
// GitLab's status of the whole pipeline does not tell: it is success also where
// the job that deploys waits for a person, was skipped, or is allowed to fail.

// Job is what GitLab tells of a job. A bridge, which starts another pipeline,
// is a job too.
type Job struct {
	ID           int64
	Name         string
	Stage        string
	Status       string
	AllowFailure bool
}

// Counting says which jobs of a pipeline are the deploy, and which of them are
// known to be done.
type Counting struct {
	Job    string   // the target's job: a name, or its beginning
	Proved []string // jobs that called success themselves: GitLab may still show their after_script running
	Early  bool     // judge the jobs although the pipeline goes on
}

// speaksForPipeline tells whether a job only reports on the others: it is never
// counted, and what it calls is the pipeline's word. The two full names are the
// classic file's; one of these jobs is always skipped.
func speaksForPipeline(name, stage string) bool {
	return begins(name, "notify") || begins(stage, "notify") || name == "deploy_success" || name == "deploy_failure"
}

// begins ignores case: people write stages as Deploy too.
func begins(s, with string) bool {
	return len(s) >= len(with) && strings.EqualFold(s[:len(with)], with)
}

// deployJobs gives the jobs that are counted, and all that do more than report.
// A target's job that is not in the pipeline did not run: no other stands in
// for it.
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

// byStatus sorts the counted jobs by how they stand.
type byStatus struct{ succeeded, failed, canceled, skipped, manual, created, moving []Job }

func (c Counting) sort(counted []Job) (by byStatus) {
	for _, j := range counted {
		to := &by.moving // and what GitLab may add one day: not known to be done
		switch {
		case j.Status == "success":
			to = &by.succeeded
		case j.Status == "failed":
			to = &by.failed
		case j.Status == "canceled":
			to = &by.canceled
		case j.Status == "skipped":
			to = &by.skipped
		case slices.Contains(c.Proved, j.Name): // GitLab is behind, or runs its after_script
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

// EndOf tells how a pipeline of that status ended, by GitLab's word alone; over
// is false where it goes on.
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

// Judge tells how the deployment ended, by the jobs of its pipeline. Of one that
// goes on, only success is told early; of one that waits for a person, failure
// too. It fills in End, Detail and Nothing.
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
	// In a pipeline that went well, what did not run was not meant to; elsewhere
	// it may be what never came to its turn.
	missed := len(by.skipped) + len(by.created)
	switch {
	case len(by.moving) > 0: // run again meanwhile
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

// firstFailed names the job that failed first; one whose failure GitLab does not
// allow, if there is any.
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
