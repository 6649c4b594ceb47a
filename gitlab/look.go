package gitlab

import (
	"context"
	"fmt"
	"slices"
	"strings"

	api "github.com/xanzy/go-gitlab"

	"github.com/getto-systems/psycher/deploy"
)

// Look reads how a pipeline is.
func (c *Client) Look(ctx context.Context, project string, id int64) (deploy.Pipeline, error) {
	var p pipeline
	if _, err := c.get(ctx, pipelinePath(project, id), nil, &p); err != nil {
		return deploy.Pipeline{}, fmt.Errorf("look at pipeline %d of %s: %w", id, project, err)
	}
	if p.ID != id {
		return deploy.Pipeline{}, fmt.Errorf("look at pipeline %d of %s: GitLab answered about pipeline %d", id, project, p.ID)
	}
	looked, err := c.ended(ctx, project, p)
	if err != nil {
		return deploy.Pipeline{}, fmt.Errorf("look at the jobs of pipeline %d of %s: %w", id, project, err)
	}
	return looked, nil
}

// Rights tells what the API token may not do in a project, in words for the
// log; empty where it may do all, or where that cannot be told because no
// pipeline was triggered yet.
func (c *Client) Rights(ctx context.Context, project string) (lacks string, err error) {
	query := &api.ListProjectPipelinesOptions{ListOptions: api.ListOptions{PerPage: 1}, Source: api.Ptr("trigger")}
	var list []pipeline
	_, err = c.get(ctx, pipelinesPath(project), query, &list)
	switch {
	case answered(err, 401):
		return "GITLAB_API_TOKEN is not valid: GitLab answers 401", nil
	case hidden(err):
		return "GITLAB_API_TOKEN cannot list pipelines: it takes the scope read_api and the role Reporter", nil
	case err != nil:
		return "", fmt.Errorf("try the API token on %s: %w", project, err)
	case len(list) == 0 || uuid.MatchString(list[0].Name):
		return "", nil
	}
	_, err = c.askID(ctx, project, list[0].ID)
	if hidden(err) {
		return "GITLAB_API_TOKEN cannot read the variables of pipelines: it takes the role Maintainer or the user who owns the trigger token," +
			" or a workflow:name in .gitlab-ci.yml that holds $" + idVariable, nil
	}
	if err != nil {
		return "", fmt.Errorf("try the API token on %s: %w", project, err)
	}
	return "", nil
}

func pipelinesPath(project string) string {
	return "projects/" + api.PathEscape(project) + "/pipelines"
}

func pipelinePath(project string, id int64) string {
	return fmt.Sprintf("%s/%d", pipelinesPath(project), id)
}

// ended tells what GitLab's status means for the deployment.
func (c *Client) ended(ctx context.Context, project string, p pipeline) (deploy.Pipeline, error) {
	looked := deploy.Pipeline{ID: p.ID, URL: c.link(p.WebURL, project, p.ID)}
	switch p.Status {
	case "success":
		looked.End = deploy.Succeeded
	case "canceled", "skipped":
		looked.End = deploy.Canceled
	case "failed":
		end, why, err := c.failure(ctx, project, p.ID)
		if err != nil {
			return deploy.Pipeline{}, err
		}
		looked.End, looked.Detail = end, cut(scrub(plain(why), c.token))
	}
	return looked, nil
}

// failure tells whether a failed pipeline is a failed deployment, and which job
// failed first. It is none if only jobs failed that tell the bot of the end:
// their failure makes the whole pipeline one. All others must then have
// succeeded: one that was skipped may be the deploy itself.
func (c *Client) failure(ctx context.Context, project string, id int64) (end deploy.State, why string, err error) {
	jobs, complete, err := c.jobs(ctx, project, id, "jobs")
	if hidden(err) {
		return deploy.Failed, "", nil
	}
	if err != nil {
		return "", "", err
	}
	if why = firstFailed(jobs, false); why != "" {
		return deploy.Failed, why, nil
	}
	why = firstFailed(jobs, true)
	if why == "" || !complete || !othersSucceeded(jobs) {
		return deploy.Failed, why, nil
	}
	bridges, complete, err := c.jobs(ctx, project, id, "bridges") // jobs that start other pipelines
	if err != nil {
		return "", "", err
	}
	if failed := firstFailed(bridges, false); failed != "" {
		return deploy.Failed, failed, nil
	}
	if !complete || slices.ContainsFunc(bridges, func(j job) bool { return !j.succeeded() }) {
		return deploy.Failed, why, nil
	}
	return deploy.Succeeded, "", nil
}

// job is what is read of GitLab's jobs.
type job struct {
	ID           int64  `json:"id"`
	Name         string `json:"name"`
	Stage        string `json:"stage"`
	Status       string `json:"status"`
	AllowFailure bool   `json:"allow_failure"`
}

func (j job) notifies() bool {
	return strings.HasPrefix(j.Name, "notify") || strings.HasPrefix(j.Stage, "notify")
}

func (j job) failed() bool { return j.Status == "failed" && !j.AllowFailure }

func (j job) succeeded() bool { return j.Status == "success" || j.AllowFailure }

func firstFailed(jobs []job, notifies bool) string {
	first := job{}
	for _, j := range jobs {
		if j.failed() && j.notifies() == notifies && (first.ID == 0 || j.ID < first.ID) {
			first = j
		}
	}
	return first.Name
}

func othersSucceeded(jobs []job) bool {
	some := false
	for _, j := range jobs {
		if j.notifies() {
			continue
		}
		if !j.succeeded() {
			return false
		}
		some = some || j.Status == "success"
	}
	return some
}

func (c *Client) jobs(ctx context.Context, project string, id int64, kind string) (list []job, complete bool, err error) {
	query := &api.ListJobsOptions{ListOptions: api.ListOptions{Page: 1, PerPage: 50}, IncludeRetried: api.Ptr(false)}
	for range listPages {
		var page []job
		next, err := c.get(ctx, pipelinePath(project, id)+"/"+kind, query, &page)
		if err != nil {
			return nil, false, err
		}
		list = append(list, page...)
		if next == 0 {
			return list, true, nil
		}
		query.Page = next
	}
	return list, false, nil
}
