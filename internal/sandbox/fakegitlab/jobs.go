package fakegitlab

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Job is a job of a pipeline.
type Job struct {
	ID           int64
	Name         string
	Stage        string
	Status       string
	Reason       string // why it failed; empty: script_failure
	AllowFailure bool
	Bridge       bool // starts another pipeline
	Retried      bool // another took its place
	Log          string
	Started      time.Time
	Finished     time.Time
}

// MoveJob moves a job of a pipeline to a status.
func (g *GitLab) MoveJob(pipeline, job int64, status string) bool {
	return g.editJob(pipeline, job, func(j *Job) { j.move(status, g.now()) })
}

// FailJob lets a job of a pipeline fail for a reason, such as runner_system_failure.
// A job that does not run has then never begun.
func (g *GitLab) FailJob(pipeline, job int64, reason string) bool {
	return g.editJob(pipeline, job, func(j *Job) {
		began := j.Started
		j.move("failed", g.now())
		j.Reason, j.Started = reason, began
	})
}

// Log appends to the output of a job.
func (g *GitLab) Log(pipeline, job int64, text string) bool {
	return g.editJob(pipeline, job, func(j *Job) { j.Log += text })
}

// Step moves a pipeline one step on: the first stage that is not over begins, or,
// if it has begun, succeeds. The pipeline ends with its last stage, or with one
// that has failed. It reports whether there is another step.
func (g *GitLab) Step(id int64) (more bool) {
	g.edit(id, func(p *Pipeline) {
		if ended(p.Status) {
			return
		}
		next := func(j Job) bool { return !j.Retried && j.Status != "manual" && !ended(j.Status) }
		failed := slices.ContainsFunc(p.Jobs, func(j Job) bool { return !j.Retried && j.Status == "failed" && !j.AllowFailure })
		i := slices.IndexFunc(p.Jobs, func(first Job) bool { // a job that was retried is behind the stages after it
			return slices.ContainsFunc(p.Jobs, func(j Job) bool { return next(j) && j.Stage == first.Stage })
		})
		if i >= 0 && !failed {
			stage, status := p.Jobs[i].Stage, "success"
			if slices.ContainsFunc(p.Jobs, func(j Job) bool { return next(j) && j.Stage == stage && j.Status != "running" }) {
				status = "running"
			}
			p.moveAll(func(j Job) bool { return next(j) && j.Stage == stage }, status, g.now())
		}
		switch {
		case failed:
			p.moveAll(next, "skipped", g.now())
			p.Status = "failed"
		case slices.ContainsFunc(p.Jobs, next):
			p.Status, more = "running", true
		default:
			p.Status = "success"
		}
	})
	return more
}

// RetryJob runs a job that is over again: another takes its place, and what was
// skipped after it waits again. It is the zero Job if GitLab would refuse that.
func (g *GitLab) RetryJob(job int64) (another Job) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, i := g.job(job)
	if p == nil || p.Jobs[i].Retried || !ended(p.Jobs[i].Status) {
		return Job{}
	}
	old := &p.Jobs[i]
	old.Retried = true
	another = Job{Name: old.Name, Stage: old.Stage, Status: "pending", AllowFailure: old.AllowFailure, Bridge: old.Bridge}
	for _, p := range g.pipelines {
		for _, j := range p.Jobs {
			another.ID = max(another.ID, j.ID+1)
		}
	}
	p.moveAll(func(j Job) bool { return j.Status == "skipped" }, "created", g.now())
	p.Jobs, p.Status, p.Updated = append(p.Jobs, another), "running", g.now()
	g.tell()
	if again, of := g.conf.OnJobRetry, p.clone(); again != nil && !g.closed {
		g.run.Go(func() { again(of, another) })
	}
	return another
}

// job is called with the lock held.
func (g *GitLab) job(id int64) (p *Pipeline, i int) {
	for _, p := range g.pipelines {
		if i := slices.IndexFunc(p.Jobs, func(j Job) bool { return j.ID == id }); i >= 0 {
			return p, i
		}
	}
	return nil, 0
}

func (g *GitLab) editJob(pipeline, job int64, change func(*Job)) bool {
	found := false
	g.edit(pipeline, func(p *Pipeline) {
		for i := range p.Jobs {
			if p.Jobs[i].ID == job {
				change(&p.Jobs[i])
				found = true
			}
		}
	})
	return found
}

// moveAll moves some jobs of a pipeline to a status.
func (p *Pipeline) moveAll(which func(Job) bool, status string, now time.Time) {
	for i, j := range p.Jobs {
		if which(j) {
			p.Jobs[i].move(status, now)
		}
	}
}

func (j *Job) move(status string, now time.Time) {
	ran := status == "running" || (status == "success" || status == "failed") && j.Started.IsZero()
	j.Status, j.Finished = status, time.Time{}
	switch {
	case ran:
		j.Started = now
	case !ended(status):
		j.Started = time.Time{}
	}
	if ended(status) {
		j.Finished = now
	}
}

func numbered(pipeline int64, jobs []Job, now time.Time) []Job {
	jobs = slices.Clone(jobs)
	for i := range jobs {
		jobs[i].move(jobs[i].Status, now)
		if jobs[i].ID == 0 {
			jobs[i].ID = pipeline*100 + int64(i)
		}
		if jobs[i].Status == "" {
			jobs[i].Status = "created"
		}
	}
	return jobs
}

func (g *GitLab) listJobs(w http.ResponseWriter, r *http.Request, p Pipeline, bridges bool) {
	var jobs []Job
	for _, j := range slices.Backward(p.Jobs) { // GitLab returns the newest first
		if j.Bridge == bridges && (!j.Retried || r.URL.Query().Get("include_retried") == "true") {
			jobs = append(jobs, j)
		}
	}
	out := []map[string]any{}
	for _, j := range paged(w, r, jobs) {
		out = append(out, g.jobShape(p, j))
	}
	answer(w, 200, encode(out))
}

// ofJob calls next with a job of the project that the path names.
func (g *GitLab) ofJob(next func(w http.ResponseWriter, p Pipeline, j Job)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.ParseInt(r.PathValue("job"), 10, 64)
		g.mu.Lock()
		p, i := g.job(id)
		known := p != nil && p.ProjectID == g.project(r.PathValue("project")).ID
		var of Pipeline
		if known {
			of = p.clone()
		}
		g.mu.Unlock()
		if !known {
			answer(w, 404, message("404 Not found"))
			return
		}
		next(w, of, of.Jobs[i])
	}
}

func (g *GitLab) retryJob(w http.ResponseWriter, p Pipeline, j Job) {
	another := g.RetryJob(j.ID)
	if another.ID == 0 {
		answer(w, 403, message("403 Forbidden - Job is not retryable"))
		return
	}
	answer(w, 201, encode(g.jobShape(p, another)))
}

func (g *GitLab) jobShape(p Pipeline, j Job) map[string]any {
	shape := map[string]any{
		"id": j.ID, "name": j.Name, "stage": j.Stage, "status": j.Status, "allow_failure": j.AllowFailure, "ref": p.Ref,
		"created_at": stamp(p.Created), "started_at": stampOrNull(j.Started), "finished_at": stampOrNull(j.Finished),
		"web_url": fmt.Sprintf("%s/%s/-/jobs/%d", g.conf.URL, p.Project, j.ID), "pipeline": g.short(&p),
	}
	if j.Status == "failed" {
		shape["failure_reason"] = j.Reason
		if j.Reason == "" {
			shape["failure_reason"] = "script_failure"
		}
	}
	return shape
}

func stampOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}
