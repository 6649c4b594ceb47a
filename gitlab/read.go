package gitlab

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
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
	e, ok := errors.AsType[*statusError](err)
	return ok && e.origin() == fromGitLab && (e.status == http.StatusForbidden || e.status == http.StatusNotFound)
}

// get reads a list or an object of a project from GitLab's API.
func (c *Client) get(ctx context.Context, project, path string, query, into any) (*answer, error) {
	a, err := c.read(ctx, project, path, query)
	if err != nil {
		return nil, fmt.Errorf("get %s of %s: %w", path, project, err)
	}
	err = json.Unmarshal(a.body, into)
	if string(bytes.TrimSpace(a.body)) == "null" {
		err = errors.New("it is null")
	}
	if err != nil {
		return nil, fmt.Errorf("get %s of %s: GitLab's answer cannot be read: %w", path, project, err)
	}
	return a, nil
}

var errNoToken = errors.New("there is no GITLAB_API_TOKEN to read pipelines with")

// read makes a GET request and returns an answer that has what was asked for. It
// follows redirects to another path of the same API, where GitLab has a project
// since it was renamed.
func (c *Client) read(ctx context.Context, project, path string, query any) (*answer, error) {
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
	req, _, err := c.request(ctx, http.MethodGet, project, path, query)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Private-Token", c.token.Reveal())
	for followed := 0; ; followed++ {
		a, err := c.send(req)
		switch {
		case errors.Is(err, errProxyLogin):
			return nil, &statusError{answer: &answer{status: http.StatusProxyAuthRequired}}
		case err != nil:
			return nil, errors.New(clean(err.Error(), c.token))
		case a.err != nil:
			return nil, fmt.Errorf("read GitLab's answer: %w", a.err)
		}
		// mutant: a read that is led to another host
		if a.status/100 != 3 || followed == redirectLimit || !c.isOurs(a.location) {
			return a, c.check(a)
		}
		req = req.Clone(ctx)
		req.URL, req.Host = a.location, a.location.Host
	}
}

// request builds a request about a project, and its body. path is escaped; options
// are the query of a GET, and the JSON of a POST.
func (c *Client) request(ctx context.Context, method, project, path string, options any) (*http.Request, []byte, error) {
	req, err := c.library.NewRequest(method, "projects/"+api.PathEscape(project)+"/"+path, options, []api.RequestOptionFunc{api.WithContext(ctx)})
	if err != nil {
		return nil, nil, err
	}
	body, err := req.BodyBytes()
	return req.Request, body, err
}

// send sends a request once, and reads the answer whole and bounded, so that
// nothing waits for the rest of it later. The library would repeat POSTs, delay
// them, carry tokens to wherever a redirect leads, and drop parts of answers.
func (c *Client) send(req *http.Request) (*answer, error) {
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	a := &answer{status: resp.StatusCode, header: resp.Header}
	if resp.StatusCode < 200 {
		a.err = errors.New("not an HTTP response") // 101: what follows is another protocol
		return a, nil
	}
	a.location, _ = resp.Location() // nil: it does not say, or not well
	a.body, a.err = io.ReadAll(io.LimitReader(resp.Body, answerLimit+1))
	if a.err == nil && len(a.body) > answerLimit {
		a.body, a.err = a.body[:answerLimit], errors.New("it is too long")
	}
	return a, nil
}

// check returns what is wrong with the answer to a read, and remembers until when
// GitLab's rate limit allows no other.
func (c *Client) check(a *answer) error {
	var wait time.Duration
	if a.status == http.StatusTooManyRequests || a.header.Get("RateLimit-Remaining") == "0" && a.header.Get("RateLimit-Reset") != "" {
		wait = retryAfter(a.header, time.Now())
		c.mu.Lock()
		c.rest = time.Now().Add(wait)
		c.mu.Unlock()
	}
	if a.status == http.StatusOK && a.isJSON() {
		return nil
	}
	said := words(a.body)
	if a.status == http.StatusOK {
		said = a.title() // its body may be a list of variables, with a wrong content type
	}
	if to := a.redirectsTo(); to != "" && a.status/100 == 3 {
		said = "it redirects to " + to
	}
	err := &statusError{a, clean(said, c.token)}
	if a.status == http.StatusTooManyRequests {
		return &engine.LaterError{After: wait, Err: err}
	}
	return err
}

const redirectLimit = 3 // followed by a read

// leavesPath matches what may be read as a way up, or out of the path.
var leavesPath = regexp.MustCompile(`[\\%]|(^|/)\.\.?(/|$)`)

// isOurs tells whether a URL belongs to this GitLab's API: the same scheme, host
// and port, below the same path, however that is spelled. A read goes nowhere else,
// since it carries the API token.
func (c *Client) isOurs(u *url.URL) bool {
	return u != nil && u.User == nil && u.Opaque == "" && u.Scheme == c.base.Scheme &&
		strings.EqualFold(u.Hostname(), c.base.Hostname()) && port(u) == port(c.base) &&
		strings.HasPrefix(u.EscapedPath(), c.base.EscapedPath()+"/api/v4/") && !leavesPath.MatchString(u.Path)
}

func port(u *url.URL) string {
	return cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
}
