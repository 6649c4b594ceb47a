// Package gitlab talks with GitLab: it starts pipelines, looks after them, and
// takes what their jobs tell at the notify port. It alone knows the GitLab
// client library. What becomes of a deployment is decided in package deploy.
package gitlab

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	api "github.com/xanzy/go-gitlab"
	"golang.org/x/time/rate"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

const (
	answerLimit = 1 << 20          // bytes read of any answer
	lookTimeout = 30 * time.Second // for one look-up
	idleTimeout = 15 * time.Second // shorter than any server's: a connection that it has closed is a POST of unknown fate
	idleConns   = 16
)

// Config is what a client needs to know.
type Config struct {
	URL            string          // GITLAB_URL; empty: gitlab.com
	APIToken       deploy.Secret   // GITLAB_API_TOKEN; empty: pipelines cannot be looked up
	NotifyURL      string          // NOTIFY_URL, sent with each trigger; empty: not sent
	RequestTimeout time.Duration   // GITLAB_REQUEST_TIMEOUT, how long GitLab may work on a request; 0: a minute
	Transport      *http.Transport // dialer, proxy and certificates; a copy is used, with HTTP/1.1 only. nil: Go's default
}

// Client is deploy's GitLab. It may be used by many goroutines.
type Client struct {
	base      *url.URL // of the web pages, without a slash at its end
	token     deploy.Secret
	notify    string // NOTIFY_URL
	timeout   time.Duration
	transport *http.Transport
	triggers  *api.Client // has no API token
	looks     *api.Client

	mu    sync.Mutex
	rest  time.Time        // GitLab wants no look-up before
	known map[asked]theirs // of pipelines that were asked for their PSYCHER_ID
	clock *time.Duration   // how far GitLab's is ahead of ours; nil: it is not known
}

var _ engine.GitLab = (*Client)(nil)

// New makes a client. It connects to nothing.
func New(conf Config) (*Client, error) {
	base, err := parseBase(cmp.Or(conf.URL, "https://gitlab.com"))
	if err != nil {
		return nil, err
	}
	c := &Client{
		base:      base,
		token:     conf.APIToken,
		notify:    conf.NotifyURL,
		timeout:   cmp.Or(conf.RequestTimeout, time.Minute),
		transport: cmp.Or(conf.Transport, http.DefaultTransport.(*http.Transport)).Clone(),
		known:     map[asked]theirs{},
	}
	onlyHTTP1(c.transport)
	c.transport.WriteBufferSize = 16 << 10
	c.transport.MaxIdleConnsPerHost = max(c.transport.MaxIdleConnsPerHost, idleConns)
	if t := c.transport.IdleConnTimeout; t == 0 || t > idleTimeout {
		c.transport.IdleConnTimeout = idleTimeout
	}

	c.transport.OnProxyConnectResponse = proxyLogin
	if c.triggers, err = c.dial("", poster{c.transport}, 0, followNone); err != nil { // each POST brings its own deadline
		return nil, err
	}
	c.looks, err = c.dial(c.token, reader{c.transport}, lookTimeout, c.follow)
	return c, err
}

// onlyHTTP1 keeps HTTP/2 out: the gate of a trigger (see gate.go) relies on how
// HTTP/1.1 is written. A copy of a transport still offers what the original
// does, so the offer is taken back too: it would be taken at its word.
func onlyHTTP1(t *http.Transport) {
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.ForceAttemptHTTP2 = false
	t.TLSNextProto = nil
	if t.TLSClientConfig != nil {
		t.TLSClientConfig.NextProtos = []string{"http/1.1"}
	}
}

// dial sets up the library: no retries (it would repeat POSTs), no limiter of
// its own (it would delay them), no redirects but those that follow allows.
func (c *Client) dial(token deploy.Secret, rt http.RoundTripper, timeout time.Duration, follow redirects) (*api.Client, error) {
	client, err := api.NewClient(token.Reveal(),
		api.WithBaseURL(c.base.String()),
		api.WithHTTPClient(&http.Client{
			Transport:     rt,
			Timeout:       timeout,
			CheckRedirect: follow,
		}),
		api.WithoutRetries(),
		api.WithCustomLimiter(rate.NewLimiter(rate.Inf, 0)),
	)
	if err != nil {
		return nil, fmt.Errorf("set up the GitLab client: %w", err)
	}
	client.UserAgent = "psycher"
	return client, nil
}

//docgen:messages start
func parseBase(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, errors.New("GITLAB_URL is no URL") // the error would repeat it, and what secret it holds
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("GITLAB_URL must not hold a user, a query or a fragment")
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "":
		return nil, errors.New("GITLAB_URL must look like https://gitlab.example.com")
	}
	u.Path = strings.TrimRight(strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/api/v4"), "/")
	u.RawPath = ""
	return u, nil
}

// Close ends the idle connections. Calls that are under way go on.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// CanPoll tells whether there is an API token.
func (c *Client) CanPoll() bool { return c.token != "" }

// PipelinesURL is the page with a project's pipelines; for a project that is
// known by number only, the project's own page.
func (c *Client) PipelinesURL(project string) string {
	if _, err := strconv.ParseInt(project, 10, 64); err == nil {
		return c.base.JoinPath("projects", project).String()
	}
	return c.base.JoinPath(project, "-/pipelines").String()
}

var errNoToken = errors.New("there is no GITLAB_API_TOKEN to look pipelines up with")

// statusError is an answer to a look-up that is no answer.
type statusError struct {
	status int
	from   origin
	by     string // who answered, for the log
	words  string
}

func (e *statusError) Error() string {
	return strings.TrimRight(fmt.Sprintf("%s answered %d: %s", e.by, e.status, e.words), ": ")
}

// answered tells whether GitLab itself gave this answer.
func answered(err error, status int) bool {
	var se *statusError
	return errors.As(err, &se) && se.status == status && se.from == fromGitLab
}

// hidden tells whether a look-up failed because the token may not see the thing.
func hidden(err error) bool {
	return answered(err, http.StatusForbidden) || answered(err, http.StatusNotFound)
}

// noRoute tells whether GitLab's API knows no such path.
func noRoute(err error) bool {
	var se *statusError
	return errors.As(err, &se) && se.from == fromNoRoute
}

// get asks GitLab's API. The page that follows is 0 where there is none.
func (c *Client) get(ctx context.Context, path string, query, into any) (next int, err error) {
	a, err := c.read(ctx, path, query, into)
	if err != nil {
		return 0, err
	}
	return a.next(), nil
}

// read is [Client.get] for who wants to know more of the answer.
func (c *Client) read(ctx context.Context, path string, query, into any) (*answer, error) {
	if !c.CanPoll() {
		return nil, errNoToken
	}
	if wait := c.resting(); wait > 0 {
		return nil, &engine.LaterError{After: wait, Err: fmt.Errorf("get %s: GitLab's rate limit is used up", path)}
	}
	a := new(answer)
	ctx = context.WithValue(ctx, answerKey{}, a)
	req, err := c.looks.NewRequest(http.MethodGet, path, query, []api.RequestOptionFunc{api.WithContext(ctx)})
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", path, err)
	}
	switch _, err = c.looks.Do(req, nil); {
	case errors.Is(err, errProxyLogin):
		return nil, fmt.Errorf("get %s: %w", path, &statusError{status: http.StatusProxyAuthRequired, from: fromProxy, by: "the proxy"})
	case a.status == 0: // no answer came
		return nil, errors.New(cut(scrub(fmt.Sprintf("get %s: %v", path, err), c.token)))
	}
	wait := c.heed(a.status, a.header)
	switch {
	case a.status == http.StatusTooManyRequests:
		return nil, &engine.LaterError{After: wait, Err: fmt.Errorf("get %s: %w", path, c.notOK(a))}
	case a.status != http.StatusOK, !a.isJSON():
		return nil, fmt.Errorf("get %s: %w", path, c.notOK(a))
	}
	if err := a.readInto(into); err != nil {
		return nil, fmt.Errorf("get %s: GitLab's answer cannot be read: %w", path, err)
	}
	c.learnClock(a.date())
	return a, nil
}

func (c *Client) notOK(a *answer) *statusError {
	said := words(a.body)
	if a.status == http.StatusOK {
		said = a.title() // its body may be a list of variables, under a wrong content type
	}
	if goal := a.goal(); goal != "" && a.status/100 == 3 {
		said = "it leads to " + goal
	}
	return &statusError{status: a.status, from: a.origin(), by: a.speaker(), words: cut(scrub(said, c.token))}
}

// heed remembers until when GitLab wants to be left alone.
func (c *Client) heed(status int, h http.Header) time.Duration {
	if status != http.StatusTooManyRequests && (h.Get("RateLimit-Remaining") != "0" || h.Get("RateLimit-Reset") == "") {
		return 0
	}
	wait := retryAfter(h, time.Now())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rest = time.Now().Add(wait)
	return wait
}

func (c *Client) resting() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Until(c.rest)
}

// reader reads each answer whole and bounded, so that nothing waits for the
// rest of one later, and keeps it: the library does not give all of it.
type reader struct{ next http.RoundTripper }

type answerKey struct{}

func (r reader) RoundTrip(req *http.Request) (*http.Response, error) {
	a := req.Context().Value(answerKey{}).(*answer)
	*a = answer{} // of what led here
	resp, err := r.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := readAnswer(resp)
	if err != nil {
		return nil, fmt.Errorf("read GitLab's answer: %w", err)
	}
	*a = answer{status: resp.StatusCode, header: resp.Header, body: body, asked: req.URL}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func readAnswer(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	if resp.StatusCode < 200 {
		return nil, errors.New("it is none") // 101: what follows is not HTTP
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit+1))
	if err == nil && len(body) > answerLimit {
		return body[:answerLimit], errors.New("it is too long")
	}
	return body, err
}
