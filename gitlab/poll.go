package gitlab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	api "github.com/xanzy/go-gitlab"

	"github.com/getto-systems/psycher/deploy"
)

const (
	stagesShown = 50
	nameLimit   = 60              // runes of a stage's or job's name
	scopesAgain = 5 * time.Minute // before the token's scopes are asked for again, if they could not be read
	scopesTime  = 2 * time.Second // for that read: no poll waits long for it
)

// waits are the statuses that do not move.
var waits = map[string]deploy.Waits{"manual": deploy.WaitsPerson, "pending": deploy.WaitsRunner}

// Poll implements [engine.GitLab].
func (c *Client) Poll(ctx context.Context, project string, id int64, count deploy.Counting) (deploy.Pipeline, error) {
	reads := 3 // the pipeline, its jobs, its bridges
	if count.Alone {
		reads = 2
	}
	if err := c.reserve(project, strconv.FormatInt(id, 10), reads, count.Early); err != nil {
		return deploy.Pipeline{}, err
	}
	p, _, err := get[pipeline](ctx, c, project, fmt.Sprintf("pipelines/%d", id), nil)
	switch {
	case err != nil:
		return deploy.Pipeline{}, err
	case p.ID != id:
		return deploy.Pipeline{}, fmt.Errorf("get pipelines/%d of %s: GitLab answered about pipeline %d", id, project, p.ID)
	}
	read := c.found(project, p)
	read.Steers = c.steers(ctx)
	read.Waits = waits[p.Status]
	count.Early = count.Early || read.Waits == deploy.WaitsPerson // it may be a job after the deploy that waits
	end, over := deploy.EndOf(p.Status)
	tries, bridges, err := c.allJobs(ctx, project, id, count.Alone)
	// mutant: jobs that cannot be read taken for successful ones
	seen := err == nil && len(tries) > 0
	if seen {
		// mutant: an earlier run of a job that counts
		judged := count.Judge(p.Status, deploy.LastTries(tries))
		read.End, read.Nothing, read.Detail = judged.End, judged.Nothing, c.clean(plain(judged.Detail))
		read.Bridges = bridges
		shown := count.Progress(tries)
		read.Failed, read.Job = c.cleanJob(shown.Failed), c.cleanJob(shown.Job)
		read.Stages = shown.Stages[:min(len(shown.Stages), stagesShown)]
		for i, s := range read.Stages {
			read.Stages[i].Name = c.name(s.Name, nameLimit)
		}
	}
	read.Judged = over || count.Early || read.End != ""
	read.GoesOn = !over && read.End == deploy.Failed && read.Waits != deploy.WaitsPerson // somebody may run the job again
	switch {
	case seen || !read.Judged:
		return read, nil
	case err == nil, hidden(err): // every pipeline has jobs: this token may not see them
		read.End, read.Unseen, read.Nothing = end, true, p.Status == "skipped"
		return read, nil
	}
	read.End, read.Unseen, read.Retry = end, true, true
	return read, err
}

// allJobs lists all tries of the jobs of a pipeline, also of those that start other
// pipelines (bridges), which GitLab lists apart.
func (c *Client) allJobs(ctx context.Context, project string, id int64, alone bool) (all []deploy.Job, bridges bool, err error) {
	for _, kind := range []string{"jobs", "bridges"} {
		if kind == "bridges" && alone {
			break
		}
		query := &api.ListJobsOptions{ListOptions: api.ListOptions{Page: 1, PerPage: 100}, IncludeRetried: api.Ptr(true)}
		for query.Page != 0 {
			if query.Page > listPages {
				// mutant: a list of jobs that is cut off judged as a whole
				return nil, true, errors.New("GitLab lists too many jobs")
			}
			if query.Page > 1 {
				c.spend(project, 1)
			}
			page, a, err := get[[]job](ctx, c, project, fmt.Sprintf("pipelines/%d/%s", id, kind), query)
			if e, ok := errors.AsType[*statusError](err); ok && e.origin() == fromNoRoute && kind == "bridges" {
				break // an old GitLab
			}
			if err != nil {
				return nil, true, err
			}
			for _, j := range page {
				j.Bridge = kind == "bridges"
				all = append(all, j.read())
			}
			bridges = bridges || kind == "bridges" && len(page) > 0
			query.Page = a.next()
		}
	}
	return all, bridges, nil
}

// job is a job as GitLab's API shows it.
type job struct {
	deploy.Job
	StartedAt any `json:"started_at"`
	Pipeline  struct {
		ID     int64
		SHA    string
		WebURL string `json:"web_url"`
	}
}

func (j job) read() deploy.Job {
	j.Started = j.StartedAt != nil
	return j.Job
}

func (c *Client) cleanJob(j *deploy.Job) *deploy.Job {
	if j == nil {
		return nil
	}
	clean := *j
	clean.Name, clean.Stage = c.name(j.Name, nameLimit), c.name(j.Stage, nameLimit)
	clean.Status, clean.Reason = c.name(j.Status, nameLimit), c.name(j.Reason, nameLimit)
	if !isPage(j.URL) {
		clean.URL = ""
	}
	return &clean
}

// steers tells whether the API token may do more than read, as far as that is known.
// Its scopes are read once.
func (c *Client) steers(ctx context.Context) bool {
	c.mu.Lock()
	token, known, asks := c.token.Load(), c.maySteer, !time.Now().Before(c.askScopes)
	if asks {
		c.askScopes = time.Now().Add(scopesAgain)
	}
	c.mu.Unlock()
	if !asks {
		return known
	}
	ctx, cancel := context.WithTimeout(ctx, scopesTime)
	defer cancel()
	c.spend("", 1)
	self, err := c.Self(ctx)
	if err != nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token.Load() == token { // else these are the scopes of the one before
		c.maySteer, c.askScopes = slices.Contains(self.Scopes, "api"), time.Now().AddDate(100, 0, 0)
	}
	return c.maySteer
}
