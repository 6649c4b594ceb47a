package gitlab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	api "github.com/xanzy/go-gitlab"

	"github.com/getto-systems/psycher/deploy/engine"
)

// statusError is an answer that is not what was asked for.
type statusError struct {
	*answer
	said string
}

func (e *statusError) Error() string {
	return strings.TrimRight(fmt.Sprintf("%s answered %d: %s", e.speaker(), e.status, e.said), ": ")
}

// hidden tells whether a read failed because the token may not see the thing.
func hidden(err error) bool {
	var e *statusError
	return errors.As(err, &e) && e.origin() == fromGitLab && (e.status == http.StatusForbidden || e.status == http.StatusNotFound)
}

// noRoute tells whether GitLab's API has no such path.
func noRoute(err error) bool {
	var e *statusError
	return errors.As(err, &e) && e.origin() == fromNoRoute
}

// get reads a list or an object from GitLab's API.
func (c *Client) get(ctx context.Context, path string, query, into any) (*answer, error) {
	a, err := c.send(ctx, path, query)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", path, err)
	}
	wait := c.learn(a)
	if a.status != http.StatusOK || !a.isJSON() {
		err := fmt.Errorf("get %s: %w", path, c.refused(a))
		if a.status == http.StatusTooManyRequests {
			return nil, &engine.LaterError{After: wait, Err: err}
		}
		return nil, err
	}
	if err := a.readInto(into); err != nil {
		return nil, fmt.Errorf("get %s: GitLab's answer cannot be read: %w", path, err)
	}
	return a, nil
}

var errNoToken = errors.New("there is no GITLAB_API_TOKEN to read pipelines with")

// send makes the request. An error means that no whole answer came.
func (c *Client) send(ctx context.Context, path string, query any) (*answer, error) {
	if !c.CanPoll() {
		return nil, errNoToken
	}
	c.mu.Lock()
	wait := time.Until(c.rest)
	c.mu.Unlock()
	if wait > 0 {
		return nil, &engine.LaterError{After: wait, Err: errors.New("GitLab's rate limit is used up")}
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	first, err := c.library.NewRequest(http.MethodGet, path, query, []api.RequestOptionFunc{api.WithContext(ctx)})
	if err != nil {
		return nil, err
	}
	first.Header.Set("Private-Token", c.token.Reveal())
	req := first.Request
	for followed := 0; ; followed++ {
		resp, err := c.transport.RoundTrip(req)
		if errors.Is(err, errProxyLogin) {
			return nil, &statusError{answer: &answer{status: http.StatusProxyAuthRequired}}
		}
		if err != nil {
			return nil, errors.New(cut(scrub(err.Error(), c.token)))
		}
		a := newAnswer(resp)
		if a.err != nil {
			return nil, fmt.Errorf("read GitLab's answer: %w", a.err)
		}
		to, ok := c.redirect(a, followed)
		if !ok {
			return a, nil
		}
		req = req.Clone(ctx)
		req.URL, req.Host = to, to.Host
	}
}

// newAnswer reads an answer whole and bounded, so that nothing waits for the rest
// of it later.
func newAnswer(resp *http.Response) *answer {
	defer resp.Body.Close()
	a := &answer{status: resp.StatusCode, header: resp.Header, asked: resp.Request.URL}
	if resp.StatusCode < 200 {
		a.err = errors.New("not an HTTP response") // 101: what follows is another protocol
		return a
	}
	a.body, a.err = io.ReadAll(io.LimitReader(resp.Body, answerLimit+1))
	if a.err == nil && len(a.body) > answerLimit {
		a.body, a.err = a.body[:answerLimit], errors.New("it is too long")
	}
	return a
}

func (c *Client) refused(a *answer) *statusError {
	said := words(a.body)
	if a.status == http.StatusOK {
		said = a.title() // its body may be a list of variables, with a wrong content type
	}
	if to := a.redirectsTo(); to != "" && a.status/100 == 3 {
		said = "it redirects to " + to
	}
	return &statusError{a, cut(scrub(said, c.token))}
}

// learn remembers what an answer says about GitLab's clock, and until when its rate
// limit allows no reads. It returns how long that is.
func (c *Client) learn(a *answer) (wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if date := a.date(); !date.IsZero() && a.status == http.StatusOK && a.isJSON() {
		ahead := time.Until(date)
		c.clock = &ahead
	}
	if a.status == http.StatusTooManyRequests || a.header.Get("RateLimit-Remaining") == "0" && a.header.Get("RateLimit-Reset") != "" {
		wait = retryAfter(a.header, time.Now())
		c.rest = time.Now().Add(wait)
	}
	return wait
}
