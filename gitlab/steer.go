package gitlab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// Cancel cancels a pipeline. GitLab answers 200 also if it cancels nothing, so nil
// proves nothing: the pipeline has to be read again. It may be repeated. Its error
// is [engine.ErrNotAllowed], a [*engine.LaterError], or says that it is no use.
func (c *Client) Cancel(ctx context.Context, project string, pipeline int64) error {
	c.spend(project, 1)
	a, err := c.call(ctx, http.MethodPost, project, fmt.Sprintf("pipelines/%d/cancel", pipeline), nil)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("cancel pipeline %d of %s: %w", pipeline, project, err)
	switch _, later := errors.AsType[*engine.LaterError](err); {
	case !c.CanPoll(), notAllowed(err):
		return fmt.Errorf("%w: %w", engine.ErrNotAllowed, err)
	case !later && (a == nil || a.status >= 500):
		return &engine.LaterError{After: unreachableWait, Err: err}
	}
	return err
}

// RetryJob makes the one POST that runs a job again, under the rules of
// [Client.Trigger]: GitLab makes another job, of the same pipeline. If its answer
// is lost, [Client.FindRetried] finds that.
func (c *Client) RetryJob(ctx context.Context, project string, pipeline, id int64, until time.Time) deploy.TriggerResult {
	if !c.CanPoll() {
		return deploy.TriggerResult{Status: deploy.TriggerRefused, Reason: deploy.MsgRefusedRight, Err: errors.New("there is no GITLAB_API_TOKEN")}
	}
	path := fmt.Sprintf("jobs/%d/retry", id)
	return c.finish(c.attempt(ctx, project, path, struct{}{}, c.apiToken(), until, anotherTry(pipeline, id)), project, path)
}

// anotherTry is what is made of a job that is run again.
func anotherTry(pipeline, id int64) made {
	return made{refused: ofRetries, created: func(a *answer) deploy.TriggerResult {
		var j job
		err := a.err
		if err == nil {
			err = json.Unmarshal(a.body, &j)
		}
		// mutant: a job of another pipeline followed
		// mutant: an old try of a job taken for the new one
		if err != nil || j.ID <= id || j.Pipeline.ID != pipeline {
			return deploy.TriggerResult{Status: deploy.TriggerUnsure, Err: a.error("it is not another job: " + a.title())}
		}
		return deploy.TriggerResult{Status: deploy.TriggerStarted, Pipeline: j.pipeline(j.Pipeline.WebURL)}
	}}
}

// pipeline is that of a job, as far as the job shows it.
func (j job) pipeline(url string) deploy.Pipeline {
	read := j.read()
	return deploy.Pipeline{ID: j.Pipeline.ID, URL: url, SHA: wholeSHA(j.Pipeline.SHA), Job: &read, Bridges: true}
}

// FindRetried looks for the job that [Client.RetryJob] has made, if its answer was
// lost: of the same name, in that pipeline, and newer than the one that was run again.
// Its error is [engine.ErrNotAllowed] where the pipeline does not show that one.
func (c *Client) FindRetried(ctx context.Context, project string, pipeline, after int64) (found deploy.Job, ok bool, err error) {
	c.spend(project, 2)
	tries, _, err := c.allJobs(ctx, project, pipeline, false)
	i := slices.IndexFunc(tries, func(j deploy.Job) bool { return j.ID == after })
	switch {
	case notAllowed(err):
		return found, false, fmt.Errorf("%w: %w", engine.ErrNotAllowed, err)
	case err != nil:
		return found, false, err
	case i < 0:
		return found, false, fmt.Errorf("%w: pipeline %d of %s shows no job %d", engine.ErrNotAllowed, pipeline, project, after)
	}
	for _, j := range tries {
		// mutant: a job of another name taken for another try
		if j.Name == tries[i].Name && j.ID > after && (!ok || j.ID < found.ID) {
			found, ok = *c.cleanJob(&j), true
		}
	}
	return found, ok, nil
}

// PollJob reads a job that is followed alone, since it was run again long after the
// rest of its pipeline. What it returns is its pipeline, with the job's own end and
// page. One that went wrong may be run once more, by GitLab itself too: then that try
// is followed.
func (c *Client) PollJob(ctx context.Context, project string, pipeline, id int64, count deploy.Counting) (deploy.Pipeline, error) {
	if err := c.reserve(project, "job "+strconv.FormatInt(id, 10), 1, false); err != nil {
		return deploy.Pipeline{}, err
	}
	for {
		j, _, err := get[job](ctx, c, project, fmt.Sprintf("jobs/%d", id), nil)
		switch {
		case err != nil:
			return deploy.Pipeline{}, err
		case j.ID != id || j.Pipeline.ID != pipeline:
			return deploy.Pipeline{}, fmt.Errorf("get jobs/%d of %s: GitLab answered about job %d of pipeline %d", id, project, j.ID, j.Pipeline.ID)
		}
		end, _ := deploy.EndOf(j.Status)
		if end == deploy.Failed || end == deploy.Canceled {
			if newer, ok, _ := c.FindRetried(ctx, project, pipeline, id); ok {
				c.spend(project, 1)
				id = newer.ID
				continue
			}
		}
		p := j.pipeline(c.link(j.URL, project, j.Pipeline.ID))
		p.Job, p.Judged, p.Steers, p.Waits, p.End = c.cleanJob(p.Job), true, c.steers(ctx), waits[j.Status], end
		p.Stages = []deploy.Stage{{Name: p.Job.Stage, Status: p.Job.Status}}
		if end == deploy.Failed {
			p.Failed, p.Detail = p.Job, p.Job.Name
			// mutant: a rollback's failure told at first sight
			if count.FailedID != id {
				p.End = ""
			}
		}
		return p, nil
	}
}
