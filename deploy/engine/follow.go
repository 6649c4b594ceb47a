package engine

import (
	"context"
	"errors"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// pollGitLab asks GitLab about a deployment that has no end yet, or lets its
// deadline pass.
func (e *Engine) pollGitLab(s Stored, free func()) stepResult {
	r, began := *s.Record, e.now()
	var p deploy.Pipeline
	var complete bool
	var asked bool
	var err, canceled error
	if r.ShouldPoll(e.Config().Timing) {
		release, wait := e.polls.acquire(r.Deployment.Project)
		if release == nil {
			return e.leave(s, e.now().Add(wait))
		}
		defer release()
		free()
		ctx, cancel := context.WithTimeout(e.work, Lease-2*time.Second)
		defer cancel()
		e.inFlight.interruptible(r.Request.Key, cancel)
		p, complete, err = e.look(ctx, r, began)
		if since, lacks := r.LacksCommits(); lacks && p.SHA != "" {
			if commits, head, err := e.GitLab.Outgoing(ctx, r.Deployment.Project, since, p.SHA); err == nil && head.SHA == p.SHA {
				p.Commit, p.Commits = head, commitsSince(since, commits, head)
			}
		}
		if later, ok := errors.AsType[*LaterError](err); ok && errors.Is(err, ErrPaced) && p.ID == 0 && !r.IsCanceling() && e.now().Before(r.Deadline()) {
			return e.leave(s, e.now().Add(later.After))
		}
		if asked = r.IsCanceling() && p.End == ""; asked {
			if canceled = e.GitLab.Cancel(ctx, r.Deployment.Project, r.Deployment.Pipeline); canceled != nil {
				e.log(Event{Name: "cancel-failed", Record: s.Record, Err: canceled})
			}
		}
		if err != nil {
			complete, p.Unread = false, !is[*LaterError](err)
			if !errors.Is(ctx.Err(), context.Canceled) { // a callback was faster
				e.log(Event{Name: "poll-failed", Record: s.Record, Err: err})
			}
		}
	}
	return e.update(s, func(r deploy.Record) deploy.Record {
		now := e.now()
		r = r.Polled(p, complete, began, now, e.Config().Timing)
		if asked {
			// mutant: a cancel that failed taken for one that GitLab refuses
			// mutant: a cancel that GitLab refuses told as one without effect
			r = r.AskedToCancel(errors.Is(canceled, ErrNotAllowed), now)
		}
		if wait, ok := errors.AsType[*LaterError](err); ok {
			r = r.Postpone(now, now.Add(wait.After))
		}
		return r
	})
}

// look reads the deployment's pipeline, or job, or looks for it.
func (e *Engine) look(ctx context.Context, r deploy.Record, began time.Time) (p deploy.Pipeline, complete bool, err error) {
	d := r.Deployment
	switch {
	case d.Rollback != nil && d.Pipeline == 0:
		job, ok, err := e.GitLab.FindRetried(ctx, d.Project, d.Rollback.Pipeline, d.Rollback.Job.ID)
		if err != nil || !ok {
			return p, err == nil, err
		}
		p, err = e.GitLab.PollJob(ctx, d.Project, d.Rollback.Pipeline, job.ID, r.Counting())
		return p, false, err
	case d.Rollback != nil:
		p, err = e.GitLab.PollJob(ctx, d.Project, d.Rollback.Pipeline, d.Progress.Job.ID, r.Counting())
	case d.Pipeline != 0:
		p, err = e.GitLab.Poll(ctx, d.Project, d.Pipeline, r.Counting())
	default:
		return e.find(ctx, r, began)
	}
	return p, false, err
}

// find looks for a pipeline whose trigger was not answered, and polls it at once.
func (e *Engine) find(ctx context.Context, r deploy.Record, now time.Time) (p deploy.Pipeline, complete bool, err error) {
	project := r.Deployment.Project
	p, complete, err = e.GitLab.Find(ctx, project, r.Request.ID, e.ageAtMost(r, now))
	if asked := r.Request.At; e.Slack.Now().Before(e.Config().Timing.PostEnd(asked)) {
		// mutant: a listing that decides by the store's clock alone
		complete = false // the store's clock was set ahead: the POST may still be under way
	}
	if p.ID == 0 || err != nil {
		return deploy.Pipeline{}, complete, err
	}
	seen, err := e.GitLab.Poll(ctx, project, p.ID, r.Counting())
	if seen.ID != 0 {
		p = seen
	}
	return p, complete, err
}

// ageAtMost is how old a deployment's pipeline can be: as old as the save that
// allowed the POST, by the store's clock, or as the mention, by Slack's. The
// longer counts, so that no clock that is set back hides the pipeline.
func (e *Engine) ageAtMost(r deploy.Record, now time.Time) time.Duration {
	age := now.Sub(r.Deployment.Triggered)
	if asked := r.Request.At; !asked.IsZero() {
		// mutant: a pipeline's age judged by the store's clock alone
		age = max(age, e.Slack.Now().Sub(asked))
	}
	return age
}
