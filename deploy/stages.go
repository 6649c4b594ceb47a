package deploy

import (
	"cmp"
	"slices"
	"strings"
)

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
