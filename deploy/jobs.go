package deploy

import (
	"cmp"
	"slices"
	"strings"
)

// This file decides by a pipeline's jobs whether the deploy itself succeeded, and how
// far it is. The status of the whole pipeline does not show that: it is success also
// where the job that deploys waits for a person, was skipped, or is allowed to fail.

// Job is a job of a pipeline. A bridge, which starts another pipeline, is one too.
type Job struct {
	ID           int64  `json:"id"` // as GitLab's API spells them
	Name         string `json:"name"`
	Stage        string `json:"stage,omitempty"`
	Status       string `json:"status,omitempty"`
	AllowFailure bool   `json:"allow_failure,omitempty"`
	Reason       string `json:"failure_reason,omitempty"` // why it failed: script_failure, ...
	URL          string `json:"web_url,omitempty"`
	Bridge       bool   `json:"bridge,omitempty"` // it starts another pipeline
	Started      bool   `json:"-"`                // a runner has taken it; not stored
}

// Counting says which jobs of a pipeline are the deploy, and which of them are
// known to have succeeded.
type Counting struct {
	Job    string   // the target's job: a name, or its beginning
	Proved []string // jobs that reported success themselves: for GitLab they may still run their after_script
	Early  bool     // judge the jobs although the pipeline goes on
	Alone  bool     // the pipeline is known to have no bridges: they need not be asked for
	// FailedID is the job that the poll before has shown as failed; 0: none. GitLab
	// runs it again by itself where "retry" says so, which takes it a moment.
	FailedID int64
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

// DeployJobs returns the jobs that are counted, and all that do more than report.
// A target's job that is not in the pipeline did not run: no other job counts in
// its place.
func (c Counting) DeployJobs(jobs []Job) (counted, all []Job) {
	// mutant: a notify job that counts
	all = only(jobs, func(j Job) bool { return !speaksForPipeline(j.Name, j.Stage) })
	if c.Job != "" {
		return only(all, func(j Job) bool { return strings.HasPrefix(j.Name, c.Job) }), all
	}
	if deploys := only(all, func(j Job) bool { return begins(j.Name, "deploy") || begins(j.Stage, "deploy") }); len(deploys) > 0 {
		return deploys, all
	}
	return all, all
}

func only(jobs []Job, keep func(Job) bool) []Job {
	return slices.DeleteFunc(slices.Clone(jobs), func(j Job) bool { return !keep(j) })
}

// byStatus sorts the counted jobs by their status: success, failed, canceled,
// skipped, manual, created, or moving for all that are not known to be over.
func (c Counting) byStatus(counted []Job) map[string][]Job {
	by := map[string][]Job{}
	for _, j := range counted {
		status := j.Status
		switch _, over := EndOf(status); {
		case over:
		case slices.Contains(c.Proved, j.Name): // GitLab lags behind, or runs its after_script
			status = "success"
		case status != "manual" && status != "created": // also what GitLab may add
			status = "moving"
		}
		by[status] = append(by[status], j)
	}
	return by
}

// EndOf is how a pipeline or job of that status ended; over is false while it
// goes on.
func EndOf(status string) (end State, over bool) {
	end, over = map[string]State{"success": Succeeded, "failed": Failed, "canceled": Canceled, "skipped": Canceled}[status]
	return end, over
}

// Judge decides by the last tries of a pipeline's jobs how the deployment ended.
// While the pipeline goes on only a success is reported, and a failure that the poll
// before has shown too, or while it waits for a person. It fills in End, Detail and
// Nothing.
func (c Counting) Judge(status string, jobs []Job) (p Pipeline) {
	counted, all := c.DeployJobs(jobs)
	by := c.byStatus(counted)
	if _, over := EndOf(status); !over {
		settled := len(by["success"]) + len(by["skipped"])
		switch {
		case c.Early && settled == len(counted) && len(by["success"]) > 0:
			p.End = Succeeded
		case status == "manual" && len(by["moving"]) == 0 && len(by["failed"]) > 0:
			p.End, p.Detail = Failed, firstFailed(by["failed"]).Name
		// mutant: a failure told at first sight
		case c.FailedID != 0 && slices.ContainsFunc(by["failed"], func(j Job) bool { return j.ID == c.FailedID }):
			p.End, p.Detail = Failed, firstFailed(by["failed"]).Name
		}
		return p
	}
	// In a pipeline that succeeded, jobs that did not run were not meant to; in
	// another they may not have been reached.
	missed := len(by["skipped"]) + len(by["created"])
	switch {
	case len(by["moving"]) > 0: // it was retried meanwhile
	// mutant: an allowed failure of a deploy job
	case len(by["failed"]) > 0:
		p.End, p.Detail = Failed, firstFailed(by["failed"]).Name
	case len(by["canceled"]) > 0:
		p.End = Canceled
	// mutant: a pipeline's status taken for its deploy job's
	case len(by["success"]) > 0 && (status == "success" || missed == 0):
		p.End = Succeeded
	case status == "failed" && (missed > 0 || firstFailed(all).ID != 0):
		p.End, p.Detail = Failed, cmp.Or(firstFailed(all), firstFailed(jobs)).Name
	case status == "canceled":
		p.End = Canceled
	case len(by["manual"]) > 0: // somebody may still start it
		p.Nothing, p.Detail = true, oldest(by["manual"]).Name
	default:
		p.End, p.Nothing = Canceled, true
	}
	return p
}

// firstFailed is the job that failed first, of those that are not allowed to fail,
// if there are any; zero if none failed.
func firstFailed(jobs []Job) Job {
	failed := only(jobs, func(j Job) bool { return j.Status == "failed" })
	return cmp.Or(oldest(only(failed, func(j Job) bool { return !j.AllowFailure })), oldest(failed))
}

// oldest is the job that was created first.
func oldest(jobs []Job) Job {
	if len(jobs) == 0 {
		return Job{}
	}
	return slices.MinFunc(jobs, func(a, b Job) int { return cmp.Compare(a.ID, b.ID) })
}

// LastTries leaves out the earlier tries of jobs that were run again. A name is one
// job of a pipeline, also with "parallel".
func LastTries(tries []Job) []Job {
	last := map[string]int64{}
	for _, j := range tries {
		last[j.Name] = max(last[j.Name], j.ID)
	}
	return only(tries, func(j Job) bool { return j.ID == last[j.Name] })
}

// Progress is how far a pipeline is, by all tries of its jobs. It fills in Stages,
// Failed and Job. Jobs that only report are left out.
func (c Counting) Progress(tries []Job) (p Pipeline) {
	// mutant: an earlier try counted for its stage
	counted, all := c.DeployJobs(LastTries(tries))
	if failed := cmp.Or(firstFailed(counted), firstFailed(only(all, func(j Job) bool { return !j.AllowFailure }))); failed.ID != 0 {
		p.Failed = &failed
	}
	// Where several jobs deploy, running one of them again would roll back a part.
	// mutant: a rollback of one job of several
	if len(counted) == 1 && counted[0].hasBegun() && !counted[0].Bridge {
		p.Job = &counted[0]
	}
	first, of := map[string]int64{}, map[string][]Job{}
	for _, j := range tries {
		first[j.Stage] = min(cmp.Or(first[j.Stage], j.ID), j.ID) // what is run again has a new number
	}
	for _, j := range all {
		if len(of[j.Stage]) == 0 {
			p.Stages = append(p.Stages, Stage{Name: j.Stage})
		}
		// A job that counts is not allowed to fail, or to be left out, whatever GitLab says.
		j.AllowFailure = j.AllowFailure && !slices.ContainsFunc(counted, func(k Job) bool { return k.ID == j.ID })
		of[j.Stage] = append(of[j.Stage], j)
	}
	slices.SortFunc(p.Stages, func(a, b Stage) int { return cmp.Compare(first[a.Name], first[b.Name]) })
	for i, s := range p.Stages {
		p.Stages[i].Status = statusOf(of[s.Name])
	}
	return p
}

func (j Job) hasBegun() bool {
	_, over := EndOf(j.Status)
	return j.Status == "running" || j.Status == "success" || over && j.Started
}

// GitLab makes one status of those of several jobs: by the first of these rows
// whose statuses are the only ones, or, with any, of which there is one. Else it
// is failed. "warned" and "ignored" are jobs that are allowed to fail.
var composite = []struct {
	of  string
	any bool
	is  string
}{
	{of: "skipped ignored", is: "skipped"},
	{of: "success skipped warned ignored", is: "success"},
	{of: "created warned ignored", is: "created"},
	{of: "canceled success skipped warned ignored", is: "canceled"},
	{of: "pending created skipped warned ignored", is: "pending"},
	{of: "running pending", any: true, is: "running"},
	{of: "waiting", any: true, is: "pending"},
	{of: "manual", any: true, is: "manual"},
	{of: "created", any: true, is: "running"},
}

func statusOf(jobs []Job) string {
	for _, row := range composite {
		n := len(only(jobs, func(j Job) bool { return slices.Contains(strings.Fields(row.of), compositeOf(j)) }))
		if n == len(jobs) || row.any && n > 0 {
			return row.is
		}
	}
	return "failed"
}

// compositeOf is what a job counts as among those of its stage.
func compositeOf(j Job) string {
	switch j.Status {
	case "failed", "canceled", "manual":
		if j.AllowFailure {
			return map[bool]string{true: "ignored", false: "warned"}[j.Status == "manual"]
		}
		return j.Status
	case "success", "skipped", "created", "pending":
		return j.Status
	case "preparing", "waiting_for_resource", "waiting_for_callback", "scheduled":
		return "waiting"
	}
	return "running" // also what GitLab may add
}
