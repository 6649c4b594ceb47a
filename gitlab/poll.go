package gitlab

import (
	"context"
	"errors"
	"fmt"
	"slices"

	api "github.com/xanzy/go-gitlab"

	"github.com/getto-systems/psycher/deploy"
)

// Poll implements [engine.GitLab].
func (c *Client) Poll(ctx context.Context, project string, id int64, count deploy.Counting) (deploy.Pipeline, error) {
	p, _, err := get[pipeline](ctx, c, project, fmt.Sprintf("pipelines/%d", id), nil)
	switch {
	case err != nil:
		return deploy.Pipeline{}, err
	case p.ID != id:
		return deploy.Pipeline{}, fmt.Errorf("get pipelines/%d of %s: GitLab answered about pipeline %d", id, project, p.ID)
	}
	read := c.found(project, p)
	switch p.Status {
	case "manual": // it may be a job after the deploy that waits
		read.Waits, count.Early = deploy.WaitsPerson, true
	case "pending":
		read.Waits = deploy.WaitsRunner
	}
	end, over := deploy.EndOf(p.Status)
	if !over && !count.Early {
		return read, nil
	}
	read.Judged = true
	jobs, err := c.allJobs(ctx, project, id)
	switch {
	// mutant: jobs that cannot be read taken for successful ones
	case err == nil && len(jobs) > 0:
		judged := count.Judge(p.Status, jobs)
		read.End, read.Nothing, read.Detail = judged.End, judged.Nothing, c.clean(plain(judged.Detail))
		return read, nil
	case err == nil, hidden(err): // every pipeline has jobs: this token may not see them
		read.End, read.Unseen, read.Nothing = end, true, p.Status == "skipped"
		return read, nil
	}
	read.End, read.Unseen, read.Retry = end, true, true
	return read, err
}

// allJobs lists the jobs of a pipeline, also those that start other pipelines
// (bridges), which GitLab lists apart. Of a job that was retried only the last try
// is returned.
func (c *Client) allJobs(ctx context.Context, project string, id int64) (all []deploy.Job, err error) {
	for _, kind := range []string{"jobs", "bridges"} {
		query := &api.ListOptions{Page: 1, PerPage: 100}
		for query.Page != 0 {
			if query.Page > listPages {
				// mutant: a list of jobs that is cut off judged as a whole
				return nil, errors.New("GitLab lists too many jobs")
			}
			page, a, err := get[[]deploy.Job](ctx, c, project, fmt.Sprintf("pipelines/%d/%s", id, kind), query)
			if e, ok := errors.AsType[*statusError](err); ok && e.origin() == fromNoRoute && kind == "bridges" {
				break // an old GitLab
			}
			if err != nil {
				return nil, err
			}
			all = append(all, page...)
			query.Page = a.next()
		}
	}
	// mutant: an earlier run of a job that counts
	return lastTries(all), nil
}

// lastTries drops the earlier tries of jobs: GitLab before 13.5 lists them in any
// case. A name is one job of a pipeline, also with "parallel".
func lastTries(jobs []deploy.Job) []deploy.Job {
	last := map[string]int64{}
	for _, j := range jobs {
		last[j.Name] = max(last[j.Name], j.ID)
	}
	return slices.DeleteFunc(jobs, func(j deploy.Job) bool { return j.ID < last[j.Name] })
}
