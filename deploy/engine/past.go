package engine

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/actions"
)

// history reads a target's last deployments, newest first.
func (e *Engine) history(t deploy.TargetID, succeeded bool, n int) ([]deploy.Record, error) {
	return read(e.work, e, func(ctx context.Context) ([]deploy.Record, error) { return e.Store.History(ctx, t, succeeded, 0, n) })
}

// withActive reads which deployments of a target go on, unless that is known, or does
// not matter.
func (e *Engine) withActive(s Stored, t deploy.Target) (Stored, error) {
	if s.ActiveKnown || t.Parallel {
		return s, nil
	}
	var err error
	s.Active, err = read(e.work, e, func(ctx context.Context) ([]Active, error) { return e.Store.Active(ctx, t.ID()) })
	s.ActiveKnown = err == nil
	return s, err
}

// beside are the other deployments of the target that go on, the newest first.
func (s Stored) beside() (all []deploy.Beside) {
	for _, a := range slices.Backward(s.Active) {
		switch {
		case a.Record == nil:
			all = append(all, deploy.Beside{Name: a.Name})
		case a.Record.IsActive() && a.Record.Request.Key != s.Record.Request.Key:
			all = append(all, a.Record.Beside())
		}
	}
	return all
}

// past reads what a request looks at of its target's past.
func (e *Engine) past(s Stored, m deploy.Request, here []deploy.Target) (p actions.Past, err error) {
	i := slices.IndexFunc(here, func(t deploy.Target) bool { return t.Name == m.Intent.Target })
	mayUndo := m.Intent.Kind == deploy.KindDeploy && s.RolledBack // a rollback is confirmed anyway
	if i < 0 || !mayUndo && !actions.Looks(m.Intent.Kind) {
		return p, nil
	}
	t := here[i]
	newest, err := e.history(t.ID(), false, 1)
	if err != nil || len(newest) == 0 {
		return p, err
	}
	p.Newest = &newest[0]
	if m.Intent.Kind == deploy.KindRetry {
		// mutant: two words at once that both retry
		if other, err := e.underWay(m, t.Name); err != nil || other != nil {
			return actions.Past{Newest: other}, err
		}
	}
	if mayUndo {
		p.TakenBack = e.takenBack(s, t, newest[0])
		return p, nil
	}
	p.Successes, err = e.history(t.ID(), true, maxKnown)
	return p, err
}

// underWay is another deployment of a target in the channel which is not in its past
// yet: that is being triggered or waits, or was asked for before. nil: there is none.
func (e *Engine) underWay(m deploy.Request, target string) (*deploy.Record, error) {
	open, err := e.open(m)
	for _, r := range open {
		of, asked := r.Known().Target, r.State == deploy.Accepted && r.Request.Time().Before(m.At)
		if (of == target || of == "") && (asked || r.State == deploy.Triggering || r.State == deploy.Waiting || r.State == deploy.Queued) {
			return &r, err
		}
	}
	return nil, err
}

// takenBack is the commit that a rollback took back, or is taking back, if it is the
// target's newest deployment and that commit is still the newest of its branch; or,
// for an hour, if this cannot be known: then it has no time. nil: it is another.
func (e *Engine) takenBack(s Stored, t deploy.Target, newest deploy.Record) *deploy.Success {
	d := newest.Deployment
	if d.Rollback == nil {
		return nil
	}
	at, undone := cmp.Or(d.Ended, d.Triggered), cmp.Or(d.Undone, &deploy.Commit{})
	ctx, cancel := context.WithTimeout(e.work, headWithin)
	defer cancel()
	_, head, err := e.GitLab.Outgoing(ctx, t.Project, "", t.Ref)
	if err != nil {
		e.log(Event{Name: "commits-unread", Record: s.Record, Err: err})
	}
	switch isKnown := err == nil && undone.SHA != ""; {
	// mutant: a commit that was rolled back deployed again unasked
	case isKnown && head.SHA == undone.SHA:
		return &deploy.Success{Key: newest.Request.Key, Commit: *undone, By: newest.Asked().By.User, At: at.Unix()}
	case !isKnown && e.now().Sub(at) < time.Hour:
		return &deploy.Success{Key: newest.Request.Key}
	}
	return nil
}

// headWithin is how long GitLab may take to say what the newest commit is.
const headWithin = 2 * time.Second

// goBack notes what a deployment goes back to, with the newest try of its job: that
// is the one which GitLab runs again, and whatever is made after it is ours.
func (e *Engine) goBack(s Stored, t deploy.Target, to deploy.Success, undone *deploy.Commit) (Stored, error) {
	ctx, cancel := context.WithTimeout(e.work, Lease/2)
	defer cancel()
	for {
		newer, ok, err := e.GitLab.FindRetried(ctx, t.Project, to.Pipeline, to.Job.ID)
		if err != nil {
			e.log(Event{Name: "poll-failed", Record: s.Record, Err: err})
			return s, err
		}
		if !ok {
			next := s.Record.GoBack(to, undone)
			s.Record = &next
			return s, nil
		}
		to.Job = &newer
	}
}

// commitsSince are the commits since one, as they were read; nil: they are not known.
func commitsSince(since string, c deploy.Commits, head deploy.Commit) *deploy.Commits {
	if since == "" || c.Count == 0 && !c.Back && head.SHA != since {
		return nil
	}
	return &c
}

// pending fills in what would go out. Where that is to be confirmed, it is what the
// buttons deploy.
func (e *Engine) pending(d *actions.Decision, asked deploy.Request, here []deploy.Target) {
	m := &d.Answer
	i := slices.IndexFunc(here, func(t deploy.Target) bool { return t.Name == m.Target })
	if i < 0 {
		return
	}
	g, since := &deploy.Progress{}, ""
	if last, err := e.history(here[i].ID(), true, 1); err == nil && len(last) > 0 {
		before := last[0].Success()
		g.Before, since = &before, before.Commit.SHA
	}
	ctx, cancel := context.WithTimeout(e.work, Lease/2)
	defer cancel()
	commits, head, err := e.GitLab.Outgoing(ctx, m.Project, since, m.Ref)
	if err != nil {
		e.log(Event{Name: "commits-unread", Record: &deploy.Record{Request: asked}, Err: err})
	} else {
		g.Commit, g.Commits = head, commitsSince(since, commits, head)
	}
	m.Progress = g
	if here[i].Confirm {
		d.Of(g.Commit.SHA)
	}
}
