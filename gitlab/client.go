package gitlab

import (
	"cmp"
	"errors"
	"fmt"
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
	readTimeout = 30 * time.Second // of one read
	idleTimeout = 15 * time.Second // shorter than any server's: a POST on a connection that the server has closed has an unknown outcome
	idleConns   = 16
)

// Config configures a [Client].
type Config struct {
	URL            string          // GITLAB_URL; empty: gitlab.com
	APIToken       deploy.Secret   // GITLAB_API_TOKEN; empty: pipelines cannot be read
	NotifyURL      string          // NOTIFY_URL, sent with each trigger; empty: not sent
	RequestTimeout time.Duration   // GITLAB_REQUEST_TIMEOUT, how long GitLab may work on a request; 0: a minute
	Transport      *http.Transport // dialer, proxy and certificates; a copy is used, with HTTP/1.1 only. nil: Go's default
}

// Client is the engine's GitLab. It is safe for concurrent use.
type Client struct {
	base      *url.URL // of the web pages, without a slash at its end
	token     deploy.Secret
	notify    string // NOTIFY_URL
	timeout   time.Duration
	transport *http.Transport
	library   *api.Client // builds requests, and sends the POSTs

	mu    sync.Mutex
	rest  time.Time                    // no reads before: GitLab's rate limit is used up
	known map[pipelineKey]deploymentID // of pipelines whose variables were read
	clock *time.Duration               // how far GitLab's is ahead of ours; nil: not known
}

var _ engine.GitLab = (*Client)(nil)

// New makes a client. It does not connect.
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
		known:     map[pipelineKey]deploymentID{},
	}
	onlyHTTP1(c.transport)
	c.transport.WriteBufferSize = 16 << 10
	c.transport.MaxIdleConnsPerHost = max(c.transport.MaxIdleConnsPerHost, idleConns)
	if t := c.transport.IdleConnTimeout; t == 0 || t > idleTimeout {
		c.transport.IdleConnTimeout = idleTimeout
	}
	c.transport.OnProxyConnectResponse = proxyLogin
	return c, c.connect()
}

// connect makes the library's client. It has no API token: read.go adds it.
func (c *Client) connect() (err error) {
	c.library, err = api.NewClient("",
		api.WithBaseURL(c.base.String()),
		api.WithHTTPClient(&http.Client{Transport: poster{c.transport}, CheckRedirect: followNone}), // each POST has its own deadline
		api.WithoutRetries(), // it would repeat POSTs
		api.WithCustomLimiter(rate.NewLimiter(rate.Inf, 0)), // its own would delay them
	)
	if err != nil {
		return fmt.Errorf("set up the GitLab client: %w", err)
	}
	c.library.UserAgent = "psycher"
	return nil
}

// onlyHTTP1 disables HTTP/2: the gate of a trigger (gate.go) relies on how
// HTTP/1.1 is written. A copy of a transport still offers HTTP/2 in its TLS
// configuration, so that is reset too.
func onlyHTTP1(t *http.Transport) {
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.ForceAttemptHTTP2 = false
	t.TLSNextProto = nil
	if t.TLSClientConfig != nil {
		t.TLSClientConfig.NextProtos = []string{"http/1.1"}
	}
}

//docgen:messages start
func parseBase(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, errors.New("GITLAB_URL is not a URL") // the error would quote it, with any secret in it
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("GITLAB_URL must not have a user, a query or a fragment")
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "":
		return nil, errors.New("GITLAB_URL must look like https://gitlab.example.com")
	}
	u.Path = strings.TrimRight(strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/api/v4"), "/")
	u.RawPath = ""
	return u, nil
}

// Close closes the idle connections. Calls in flight continue.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// CanPoll implements [engine.GitLab].
func (c *Client) CanPoll() bool { return c.token != "" }

// PipelinesURL implements [engine.GitLab]. For a project that is known by its
// number alone it is the project's own page.
func (c *Client) PipelinesURL(project string) string {
	if _, err := strconv.ParseInt(project, 10, 64); err == nil {
		return c.base.JoinPath("projects", project).String()
	}
	return c.base.JoinPath(project, "-/pipelines").String()
}
