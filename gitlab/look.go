package gitlab

import (
	"context"
	"errors"
	"fmt"
	"slices"

	api "github.com/xanzy/go-gitlab"

	"github.com/getto-systems/psycher/deploy"
)

// Poll reads how a pipeline is, and of one that is over how its jobs ended.
func (c *Client) Poll(ctx context.Context, project string, id int64, count deploy.Counting) (deploy.Pipeline, error) {
	var p pipeline
	if _, err := c.get(ctx, pipelinePath(project, id), nil, &p); err != nil {
		return deploy.Pipeline{}, fmt.Errorf("look at pipeline %d of %s: %w", id, project, err)
	}
	if p.ID != id {
		return deploy.Pipeline{}, fmt.Errorf("look at pipeline %d of %s: GitLab answered about pipeline %d", id, project, p.ID)
	}
	looked := c.found(project, p)
	switch p.Status {
	case "manual": // which may be for what comes after the deploy
		looked.Waits, count.Early = deploy.WaitsPerson, true
	case "pending":
		looked.Waits = deploy.WaitsRunner
	}
	end, over := deploy.EndOf(p.Status)
	if !over && !count.Early {
		return looked, nil
	}
	looked.Judged = true
	jobs, err := c.allJobs(ctx, project, id)
	switch {
	// mutant: jobs that cannot be seen taken for good ones
	case err == nil && len(jobs) > 0:
		judged := count.Judge(p.Status, jobs)
		looked.End, looked.Nothing, looked.Detail = judged.End, judged.Nothing, cut(scrub(plain(judged.Detail), c.token))
		return looked, nil
	case err == nil, hidden(err): // no pipeline is without jobs: this token may not see them
		looked.End, looked.Unseen, looked.Nothing = end, true, p.Status == "skipped"
		return looked, nil
	}
	looked.End, looked.Unseen, looked.Retry = end, true, true
	return looked, fmt.Errorf("look at the jobs of pipeline %d of %s: %w", id, project, err)
}

func pipelinesPath(project string) string {
	return "projects/" + api.PathEscape(project) + "/pipelines"
}

func pipelinePath(project string, id int64) string {
	return fmt.Sprintf("%s/%d", pipelinesPath(project), id)
}

// job is what is read of GitLab's jobs.
type job struct {
	ID           int64  `json:"id"`
	Name         string `json:"name"`
	Stage        string `json:"stage"`
	Status       string `json:"status"`
	AllowFailure bool   `json:"allow_failure"`
}

// allJobs lists the jobs of a pipeline, also those that start other pipelines:
// GitLab lists these apart. Of a job that was tried again only the last try is
// given.
func (c *Client) allJobs(ctx context.Context, project string, id int64) (all []deploy.Job, err error) {
	for _, kind := range []string{"jobs", "bridges"} {
		query := &api.ListJobsOptions{ListOptions: api.ListOptions{Page: 1, PerPage: 100}, IncludeRetried: api.Ptr(false)}
		for query.Page != 0 {
			if query.Page > listPages {
				return nil, errors.New("GitLab lists too many jobs")
			}
			var page []job
			next, err := c.get(ctx, pipelinePath(project, id)+"/"+kind, query, &page)
			if kind == "bridges" && noRoute(err) {
				break // a GitLab that has none
			}
			if err != nil {
				return nil, err
			}
			for _, j := range page {
				all = append(all, deploy.Job(j))
			}
			query.Page = next
		}
	}
	// mutant: an earlier try of a job that counts
	return lastTries(all), nil
}

// lastTries leaves out the earlier tries of jobs: GitLab before 13.5 lists them
// too, whatever it is asked. A name is one job of a pipeline, also with "parallel".
func lastTries(jobs []deploy.Job) []deploy.Job {
	last := map[string]int64{}
	for _, j := range jobs {
		last[j.Name] = max(last[j.Name], j.ID)
	}
	return slices.DeleteFunc(jobs, func(j deploy.Job) bool { return j.ID < last[j.Name] })
}
