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
	"slices"
	"strings"
	"time"

	api "github.com/xanzy/go-gitlab"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// statusError is an answer that is not what was asked for.
type statusError struct {
	*answer
	said string
}

func (e *statusError) Error() string {
	return strings.TrimRight(fmt.Sprintf("%s answered %d: %s", e.origin(), e.status, e.said), ": ")
}

// hidden tells whether a read failed because the token may not see the thing.
func hidden(err error) bool { return refusedWith(err, http.StatusForbidden, http.StatusNotFound) }

// notAllowed tells whether a call failed because the token may not do it.
func notAllowed(err error) bool {
	return refusedWith(err, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound)
}

// refusedWith tells whether GitLab itself answered with one of these statuses.
func refusedWith(err error, statuses ...int) bool {
	e, ok := errors.AsType[*statusError](err)
	return ok && e.origin() == fromGitLab && slices.Contains(statuses, e.status)
}

const versionPath = "version" // answers without a token too

// get reads a list or an object of a project from GitLab's API.
func get[T any](ctx context.Context, c *Client, project, path string, query any) (read T, a *answer, err error) {
	a, err = c.call(ctx, http.MethodGet, project, path, query)
	if err == nil {
		err = json.Unmarshal(a.body, &read)
	}
	if err == nil && string(bytes.TrimSpace(a.body)) == "null" {
		err = errors.New("GitLab answered null")
	}
	if err != nil {
		err = fmt.Errorf("get %s of %s: %w", cmp.Or(path, "all"), cmp.Or(project, "GitLab"), err)
	}
	return read, a, err
}

// call makes a request with the API token, and returns an answer that has what was
// asked for. A GET follows redirects to another path of the same API, where GitLab
// has a project since it was renamed.
func (c *Client) call(ctx context.Context, method, project, path string, query any) (*answer, error) {
	if !c.CanPoll() && path != versionPath {
		return nil, errors.New("there is no GITLAB_API_TOKEN to read pipelines with")
	}
	c.mu.Lock()
	err := c.resting()
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	req, _, err := c.request(ctx, method, project, path, query, c.apiToken())
	if err != nil {
		return nil, err
	}
	for followed := 0; ; followed++ {
		a, err := c.send(req)
		switch {
		case err != nil:
			return nil, errors.New(c.clean(err.Error()))
		case a.err != nil:
			return nil, fmt.Errorf("read GitLab's answer: %w", a.err)
		}
		// mutant: a read that is redirected to another host
		if a.status/100 != 3 || followed == redirectLimit || !c.isOurs(a.location) || method != http.MethodGet {
			return a, c.check(a)
		}
		req = req.Clone(ctx)
		req.URL, req.Host = a.location, a.location.Host
	}
}

// resting says until when GitLab's rate limit allows no read. It is called with the
// lock held.
func (c *Client) resting() error {
	if wait := time.Until(c.rest); wait > 0 {
		return &engine.LaterError{After: wait, Err: errors.New("GitLab's rate limit is used up")}
	}
	return nil
}

// request builds a request about a project (empty: about none), and its body. path
// is escaped; options are the query of a GET, and the JSON of a POST. key is the API
// token; empty: it takes none.
func (c *Client) request(ctx context.Context, method, project, path string, options any, key deploy.Secret) (*http.Request, []byte, error) {
	if project != "" {
		path = strings.TrimSuffix("projects/"+api.PathEscape(project)+"/"+path, "/")
	}
	req, err := c.library.NewRequest(method, path, options, nil)
	if err != nil {
		return nil, nil, err
	}
	if key != "" {
		req.Header.Set("Private-Token", key.Reveal())
	}
	body, err := req.BodyBytes()
	return req.Request.WithContext(ctx), body, err
}

// send sends a request once, and reads the answer whole and bounded, so that
// nothing waits for the rest of it later. The library would repeat POSTs, delay
// them, carry tokens to wherever a redirect leads, and drop parts of answers.
func (c *Client) send(req *http.Request) (a *answer, err error) {
	defer func() {
		unwanted := a == nil && errors.Is(req.Context().Err(), context.Canceled) // nobody waits for it any more
		if c.conf.Answered != nil && !unwanted {
			c.conf.Answered(req.Method, a.kind())
		}
	}()
	resp, err := c.way.RoundTrip(req)
	switch {
	case errors.Is(err, errProxyLogin): // in answer to the request for a tunnel
		return &answer{status: http.StatusProxyAuthRequired}, nil
	case err != nil:
		return nil, err
	}
	defer resp.Body.Close()
	a = &answer{status: resp.StatusCode, header: resp.Header}
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
	wait := retryAfter(a.header, time.Now())
	if a.status == http.StatusTooManyRequests || a.header.Get("RateLimit-Remaining") == "0" && a.header.Get("RateLimit-Reset") != "" {
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
	err := &statusError{a, c.clean(said)}
	if a.status == http.StatusTooManyRequests {
		return &engine.LaterError{After: wait, Err: err}
	}
	return err
}

const redirectLimit = 3 // followed by a read

var defaultPorts = map[string]string{"http": "80", "https": "443"}

// leavesPath matches what may be read as a way up, or out of the path.
var leavesPath = regexp.MustCompile(`[\\%]|(^|/)\.\.?(/|$)`)

// isOurs tells whether a URL belongs to this GitLab's API: the same scheme, host
// and port, below the same path, however that is spelled. A read goes nowhere else,
// since it carries the API token.
func (c *Client) isOurs(u *url.URL) bool {
	return u != nil && u.User == nil && u.Opaque == "" && u.Scheme == c.base.Scheme &&
		strings.EqualFold(u.Hostname(), c.base.Hostname()) &&
		cmp.Or(u.Port(), defaultPorts[u.Scheme]) == cmp.Or(c.base.Port(), defaultPorts[u.Scheme]) &&
		strings.HasPrefix(u.EscapedPath(), c.base.EscapedPath()+"/api/v4/") && !leavesPath.MatchString(u.Path)
}
