package gitlab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	api "github.com/xanzy/go-gitlab"

	"github.com/getto-systems/psycher/deploy"
)

const (
	triggerPath = "trigger/pipeline"

	unreachableWait = 10 * time.Second // before GitLab is tried again
	pauseSlack      = 2 * time.Second  // if it is this late, the process was paused
)

// Trigger makes the one POST that starts a deployment's pipeline. Writing it
// begins before until or never, and GitLab's request timeout counts from then.
// It is never repeated. sha is the one commit that it may be of; empty: the newest.
func (c *Client) Trigger(ctx context.Context, t deploy.Target, m deploy.Request, sha string, token deploy.Secret, until time.Time) deploy.TriggerResult {
	o := c.attempt(ctx, t.Project, triggerPath, &api.RunPipelineTriggerOptions{
		Ref:       api.Ptr(t.Ref),
		Token:     api.Ptr(t.Token.Reveal()),
		Variables: c.variables(t, m, sha, token),
	}, "", until, aPipeline)
	if o.Pipeline.ID > 0 {
		c.remember(o.Pipeline.ID, deploymentID{id: m.ID})
	}
	return c.finish(o, t.Project, triggerPath, t.Token, token)
}

// attempt makes a POST that is never repeated. options are its body, which is not
// empty: the gate needs one. key is the API token, where the request takes it.
func (c *Client) attempt(ctx context.Context, project, path string, options any, key deploy.Secret, until time.Time, of made) deploy.TriggerResult {
	g := newGate(until)
	if g.left <= 0 {
		return deploy.TriggerResult{Status: deploy.TriggerNotSent, Err: errors.New("it was too late to begin")}
	}
	sending, cancel := context.WithTimeout(ctx, g.left+c.conf.RequestTimeout)
	defer cancel()
	// A dial that hangs ends when it is too late to send, not when it is too late to answer.
	defer time.AfterFunc(g.left, func() {
		if g.shut() {
			cancel()
		}
	}).Stop()

	var a *answer
	req, payload, err := c.request(sending, http.MethodPost, project, path, options, key)
	if err == nil {
		// mutant: a retry of a job that is sent again
		a, err = c.send(g.behind(req, payload))
	}
	return g.outcome(ctx, until, a, err, of)
}

func (c *Client) variables(t deploy.Target, m deploy.Request, sha string, token deploy.Secret) map[string]string {
	v := map[string]string{}
	if sha != "" {
		v["PSYCHER_SHA"] = sha
	}
	if c.conf.NotifyURL != "" {
		v["NOTIFY_URL"] = c.conf.NotifyURL // it overrides a variable of the project
	}
	if t.Key != "" {
		v[t.Key] = "true"
	}
	v["channel"], v["timestamp"], v[idVariable], v["PSYCHER_TOKEN"] = m.Channel, m.TS, m.ID, token.Reveal()
	return v
}

// finish fills in the link if GitLab gave none, and removes the tokens from every
// text that came from outside.
func (c *Client) finish(o deploy.TriggerResult, project, path string, tokens ...deploy.Secret) deploy.TriggerResult {
	if o.Status == deploy.TriggerStarted || o.Status == deploy.TriggerFailed {
		o.Pipeline.URL = c.link(o.Pipeline.URL, project, o.Pipeline.ID)
	}
	o.Detail, o.Pipeline.Detail = c.clean(o.Detail, tokens...), c.clean(o.Pipeline.Detail, tokens...)
	o.Pipeline.Job = c.cleanJob(o.Pipeline.Job)
	if o.Err != nil {
		o.Err = errors.New(c.clean(fmt.Sprintf("post %s of %s: %v", path, project, o.Err), tokens...))
	}
	return o
}

// link is the page of a pipeline: what GitLab says, if that is a link.
func (c *Client) link(said, project string, id int64) string {
	if isPage(said) {
		return said
	}
	page := c.PipelinesURL(project)
	if id != 0 && strings.HasSuffix(page, "/-/pipelines") {
		page += "/" + strconv.FormatInt(id, 10)
	}
	return page
}

// isPage tells whether a text is the address of a web page.
func isPage(said string) bool {
	u, err := url.Parse(said)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

// outcome is what became of a POST behind the gate. ctx is the caller's; a is nil
// if no answer arrived, and err says why.
func (g *gate) outcome(ctx context.Context, until time.Time, a *answer, err error, of made) deploy.TriggerResult {
	if g.shut() && (a == nil || a.origin() != fromProxy) {
		switch late := time.Now().Round(0).Sub(until.Round(0)); {
		case ctx.Err() != nil:
			return deploy.TriggerResult{Status: deploy.TriggerNotSent, Err: fmt.Errorf("canceled before it was sent: %w", ctx.Err())}
		case g.late.Load(), late > pauseSlack:
			return deploy.TriggerResult{Status: deploy.TriggerNotSent, Err: errors.New("it was too late to send")}
		}
		return deploy.TriggerResult{
			Status: deploy.TriggerWait, Reason: deploy.MsgWaitUnreachable, After: unreachableWait,
			Err: fmt.Errorf("nothing was sent: %w", cmp.Or(err, context.DeadlineExceeded)),
		}
	}
	if a == nil {
		return deploy.TriggerResult{Status: deploy.TriggerUnsure, Err: fmt.Errorf("no answer: %w", err)}
	}
	return a.outcome(time.Now(), of)
}
