package deploy

import (
	"cmp"
	"slices"
	"time"
)

// Known is what a message tells of a deployment.
type Known struct {
	Target string `json:"target,omitempty"`
	Ref    string `json:"ref,omitempty"`
	State  State  `json:"state"`
	By     string `json:"by,omitempty"`    // who asked for it
	Since  int64  `json:"since,omitempty"` // when it was triggered, or asked for, in Unix seconds
	Ended  int64  `json:"ended,omitempty"` // when it ended, in Unix seconds; 0: it has not, or this is not known
	URL    string `json:"url,omitempty"`   // the pipeline, or the project's pipelines
	SHA    string `json:"sha,omitempty"`   // of its commit
	Back   bool   `json:"back,omitempty"`  // it is a rollback
	Usual  int64  `json:"usual,omitempty"` // how long it usually takes, in seconds
}

// Known is what is known of the record's deployment.
func (r Record) Known() Known {
	asked, d := r.Asked(), r.Deployment
	k := Known{Target: d.Target, Ref: d.Ref, State: r.State, By: asked.By.User, Since: asked.At.Unix(), URL: d.Link(), Back: d.Rollback != nil}
	if g := d.Progress; g != nil {
		k.SHA, k.Usual = g.Commit.SHA, g.Usual
	}
	if k.Target == "" {
		k.Target = asked.Intent.Target
	}
	if !d.Triggered.IsZero() {
		k.Since = d.Triggered.Unix()
	}
	if !d.Ended.IsZero() && r.State.Ended() {
		k.Ended = d.Ended.Unix()
	}
	return k
}

// Message is a message about the deployment.
func (r Record) Message(id MessageID) Message {
	d := r.Deployment
	m := Message{ID: id, Target: d.Target, Project: d.Project, Ref: d.Ref, Key: d.Key, URL: d.Link(), Detail: d.Detail}
	m.For = r.Request.By.User
	if by := r.Asked().By.User; by != m.For {
		m.By = by
	}
	m.Progress = d.Progress.brief(id == MsgFailed && slices.ContainsFunc(r.buttons(), func(b Button) bool { return b.Do == KindRetry }))
	if !d.Ended.IsZero() && !d.Triggered.IsZero() {
		m.Took = int64(d.Ended.Sub(d.Triggered) / time.Second)
	}
	switch id {
	case MsgStopped:
		if m.User, m.By = r.Request.By.User, d.Cancel.By; m.By == m.User {
			m.By = ""
		}
	case MsgFailed, MsgCanceled, MsgSilent, MsgNoneSeen, MsgBrokenUnsure, MsgFailedAfter, MsgNothing, MsgPerson:
		m.User = r.Request.By.User
	}
	return m
}

// Link is the pipeline's page, or that of the project's pipelines.
func (d Deployment) Link() string { return cmp.Or(d.URL, d.Page) }
