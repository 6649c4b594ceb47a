package gitlab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	api "github.com/xanzy/go-gitlab"

	"github.com/getto-systems/psycher/deploy"
)

const (
	unreachableWait = 10 * time.Second // before GitLab is tried again
	pauseSlack      = 2 * time.Second  // if it is this late, the process was paused
)

// Trigger makes the one POST that starts a deployment's pipeline. Writing it
// begins before until or never, and GitLab's request timeout counts from then.
// It is never repeated.
func (c *Client) Trigger(ctx context.Context, t deploy.Target, m deploy.Request, token deploy.Secret, until time.Time) deploy.TriggerResult {
	a := new(attempt)
	a.start(until)
	if a.left <= 0 {
		return notSent(errors.New("it was too late to begin"))
	}
	sending, cancel := context.WithTimeout(ctx, a.left+c.timeout)
	defer cancel()
	// A dial that hangs ends when it is too late to send, not when it is too late to answer.
	fired := make(chan struct{})
	timer := time.AfterFunc(a.left, func() {
		defer close(fired)
		if a.shut() {
			cancel()
		}
	})
	defer func() {
		if !timer.Stop() {
			<-fired
		}
	}()

	_, _, err := c.library.PipelineTriggers.RunPipelineTrigger(t.Project, &api.RunPipelineTriggerOptions{
		Ref:       api.Ptr(t.Ref),
		Token:     api.Ptr(t.Token.Reveal()),
		Variables: c.variables(t, m, token),
	}, api.WithContext(context.WithValue(sending, attemptKey{}, a)))

	o := a.outcome(ctx, until, err)
	if o.Pipeline.ID > 0 {
		c.remember(pipelineKey{t.Project, o.Pipeline.ID}, deploymentID{id: m.ID})
	}
	return c.finish(o, t, token)
}

func (c *Client) variables(t deploy.Target, m deploy.Request, token deploy.Secret) map[string]string {
	v := map[string]string{}
	if c.notify != "" {
		v[urlVariable] = c.notify // it overrides a variable of the project
	}
	if t.Key != "" {
		v[t.Key] = "true"
	}
	v["channel"], v["timestamp"], v[idVariable], v[tokenVariable] = m.Channel, m.TS, m.ID, token.Reveal()
	return v
}

// finish fills in the link if GitLab gave none, and removes the tokens from every
// text that came from outside.
func (c *Client) finish(o deploy.TriggerResult, t deploy.Target, token deploy.Secret) deploy.TriggerResult {
	if o.Status == deploy.TriggerStarted || o.Status == deploy.TriggerFailed {
		o.Pipeline.URL = c.link(o.Pipeline.URL, t.Project, o.Pipeline.ID)
	}
	clean := func(s string) string { return cut(scrub(s, t.Token, c.token, token)) }
	o.Detail, o.Pipeline.Detail = clean(o.Detail), clean(o.Pipeline.Detail)
	if o.Err != nil {
		o.Err = errors.New(clean(fmt.Sprintf("trigger a pipeline of %s: %v", t.Project, o.Err)))
	}
	return o
}

// link is the page of a pipeline: what GitLab says, if that is a link.
func (c *Client) link(said, project string, id int64) string {
	if isLink(said) {
		return said
	}
	page := c.PipelinesURL(project)
	if _, err := strconv.ParseInt(project, 10, 64); err == nil || id == 0 {
		return page
	}
	return page + "/" + strconv.FormatInt(id, 10)
}

// attempt is one POST and what is known about it, which is more than the library
// returns.
type attempt struct {
	gate
	answer *answer // nil: none arrived
}

type attemptKey struct{}

// outcome is the result of the attempt. ctx is the caller's, err the library's.
func (a *attempt) outcome(ctx context.Context, until time.Time, err error) deploy.TriggerResult {
	if a.shut() {
		switch late := time.Now().Round(0).Sub(until.Round(0)); {
		case ctx.Err() != nil:
			return notSent(fmt.Errorf("canceled before it was sent: %w", ctx.Err()))
		case a.late.Load(), late > pauseSlack:
			return notSent(errors.New("it was too late to send"))
		}
		if errors.Is(err, errProxyLogin) {
			return deploy.TriggerResult{Status: deploy.TriggerRefused, Reason: deploy.MsgRefusedProxy, Err: fmt.Errorf("nothing was sent: %w", err)}
		}
		return deploy.TriggerResult{
			Status: deploy.TriggerWait, Reason: deploy.MsgWaitUnreachable, After: unreachableWait,
			Err: fmt.Errorf("nothing was sent: %w", cmp.Or(err, context.DeadlineExceeded)),
		}
	}
	if a.answer == nil {
		return deploy.TriggerResult{Status: deploy.TriggerUnsure, Err: fmt.Errorf("no answer: %w", cmp.Or(err, context.DeadlineExceeded))}
	}
	return a.answer.outcome(time.Now())
}

func notSent(err error) deploy.TriggerResult {
	return deploy.TriggerResult{Status: deploy.TriggerNotSent, Err: err}
}

// poster sends an attempt's POST and keeps the answer, read whole and bounded.
type poster struct{ next http.RoundTripper }

func (p poster) RoundTrip(req *http.Request) (*http.Response, error) {
	a := req.Context().Value(attemptKey{}).(*attempt)
	payload, err := io.ReadAll(req.Body)
	req.Body.Close()
	if err != nil {
		return nil, err
	}
	held := a.behind(req, payload)
	held.Header.Del("Private-Token") // the library sends it even where it is empty
	resp, err := p.next.RoundTrip(held)
	if err != nil {
		return nil, err
	}
	a.answer = newAnswer(resp)
	resp.Body = http.NoBody
	return resp, nil
}
