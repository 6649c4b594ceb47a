package deploy

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
