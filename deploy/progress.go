package deploy

import (
	"slices"
	"strings"
	"time"
)

// Progress is what is known of a deployment besides its state: what goes out, and
// how far it is. Records and messages share it: it is copied before it is changed.
// Titles, names and authors are foreign text.
type Progress struct {
	Commit  Commit   `json:"commit,omitzero"`   // what is deployed
	Before  *Success `json:"before,omitempty"`  // the target's last success before it; nil: none is known
	Commits *Commits `json:"commits,omitempty"` // what goes out since then; nil: not known
	Usual   int64    `json:"usual,omitempty"`   // how long it usually takes, in seconds; 0: not known
	Took    []int64  `json:"took,omitempty"`    // how long the last ones took, in seconds, the newest last
	Stages  []Stage  `json:"stages,omitempty"`  // of the pipeline, in their order
	Failed  *Job     `json:"failed,omitempty"`  // the job that failed
	Job     *Job     `json:"job,omitempty"`     // the one job that deploys, once it has begun, by its number and name
	Elapsed int64    `json:"elapsed,omitempty"` // seconds since the trigger, when GitLab was asked last
	Unseen  int64    `json:"unseen,omitempty"`  // since when GitLab cannot be asked, in Unix seconds
	Alone   bool     `json:"alone,omitempty"`   // the pipeline has no bridges
	Steers  bool     `json:"steers,omitempty"`  // the bot's token may cancel the pipeline and run its jobs again
}

// Commit is one commit.
type Commit struct {
	SHA    string `json:"sha,omitempty"` // whole
	Title  string `json:"title,omitempty"`
	Author string `json:"author,omitempty"`
	URL    string `json:"url,omitempty"`
}

// Commits are those between two deployments.
type Commits struct {
	Count   int      `json:"count"`
	More    bool     `json:"more,omitempty"`    // there are more than Count
	First   []Commit `json:"first,omitempty"`   // the newest, at most three, without their pages
	Back    bool     `json:"back,omitempty"`    // there are none, as it goes back to an older commit
	Compare string   `json:"compare,omitempty"` // the page that compares them
}

// Stage is one stage of a pipeline.
type Stage struct {
	Name   string `json:"name"`
	Status string `json:"status"` // as GitLab calls a job's: created, pending, running, success, failed, canceled, skipped, manual
}

// Success is a deployment of a target that succeeded.
type Success struct {
	Key      Key    `json:"record"`
	Commit   Commit `json:"commit,omitzero"`
	Pipeline int64  `json:"pipeline,omitempty"`
	Job      *Job   `json:"job,omitempty"` // the job that deployed, where that is known
	By       string `json:"by,omitempty"`
	At       int64  `json:"at"` // when it ended, in Unix seconds
}

// Success is what is known of a record that succeeded.
func (r Record) Success() Success {
	d, g := r.Deployment, r.Deployment.known()
	s := Success{
		Key: r.Request.Key, Commit: g.Commit, Pipeline: d.Pipeline, Job: g.Job,
		By: r.Asked().By.User, At: seconds(d.Ended),
	}
	if d.Rollback != nil {
		s.Key = d.Rollback.Key // GitLab's jobs know that one
	}
	return s
}

// WithPast takes in the target's last success: what went out before, and how long
// it usually takes.
func (r Record) WithPast(last *Record) Record {
	if last == nil || last.State != Succeeded {
		return r
	}
	before, g := last.Success(), r.Deployment.progress()
	if last.Deployment.Job != r.Deployment.Job {
		before.Job = nil // it is not what this target deploys
	}
	g.Before = &before
	g.Took = last.Deployment.known().Took
	if took := int64(last.Deployment.Ended.Sub(last.Deployment.Triggered) / time.Second); last.Deployment.Rollback == nil && took > 0 {
		g.Took = withNewest(g.Took, took, tookKept)
	}
	if n := len(g.Took); n > 0 {
		g.Usual = slices.Sorted(slices.Values(g.Took))[n/2]
	}
	return r
}

// tookKept is how many deployments say how long one usually takes.
const tookKept = 3

// GoBack makes the record's deployment a rollback of a commit, where that is known.
func (r Record) GoBack(to Success, undone *Commit) Record {
	r.Deployment.Rollback, r.Deployment.Undone = &to, undone
	g := r.Deployment.progress()
	g.Commit, g.Commits = to.Commit, &Commits{Back: true}
	return r
}

// brief is what a line of the thread tells of it; steers: the status message has a
// button to go on with.
func (p Progress) brief(steers bool) *Progress {
	if p.Commit.SHA == "" && p.Failed == nil && !steers {
		return nil
	}
	return &Progress{Commit: Commit{SHA: p.Commit.SHA, URL: p.Commit.URL}, Failed: p.Failed, Steers: steers}
}

// TargetID names a target for all channels that deploy it: what they deploy is the
// same if project, ref and key are, as the map writes them.
type TargetID struct{ Team, Project, Ref, Key string }

// TargetID is the target of the record's deployment.
func (r Record) TargetID() TargetID {
	d := &r.Deployment
	return Target{Team: r.Request.Team, Project: d.Project, Ref: d.Ref, Key: d.Key}.ID()
}

// ID names the target.
func (t Target) ID() TargetID {
	return TargetID{t.Team, t.Project, strings.TrimPrefix(t.Ref, "refs/heads/"), t.Key}
}

// named is what is kept of a job that is to be found again.
func (j *Job) named() *Job { return &Job{ID: j.ID, Name: j.Name} }

// progress is the deployment's own copy of its progress, to be changed.
func (d *Deployment) progress() *Progress {
	p := d.known()
	d.Progress = &p
	return &p
}

// known is the deployment's progress; zero where nothing is known of it.
func (d *Deployment) known() Progress {
	if d.Progress == nil {
		return Progress{}
	}
	return *d.Progress
}
