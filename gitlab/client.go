package gitlab

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	api "github.com/xanzy/go-gitlab"
	"golang.org/x/time/rate"

	"github.com/getto-systems/psycher/deploy"
)

const (
	answerLimit = 1 << 20          // bytes read of any answer
	readTimeout = 30 * time.Second // of one read
	idleTimeout = 15 * time.Second // shorter than any server's: a POST on a connection that the server has closed has an unknown outcome
)

// Config configures a [Client].
type Config struct {
	URL            string                    // GITLAB_URL
	APIToken       deploy.Secret             // GITLAB_API_TOKEN; empty: pipelines cannot be read
	NotifyURL      string                    // NOTIFY_URL, sent with each trigger; empty: not sent
	Answered       func(method, kind string) // called for each answer, unless it is nil: see [answer.kind]
	RequestTimeout time.Duration             // GITLAB_REQUEST_TIMEOUT, how long GitLab may work on a request
	Dial           func(ctx context.Context, network, addr string) (net.Conn, error)
	Proxy          func(*http.Request) (*url.URL, error)
	Through        func(network http.RoundTripper) http.RoundTripper // what requests go through on their way; nil: nothing
}

// Client is the engine's GitLab. It is safe for concurrent use.
type Client struct {
	conf      Config
	base      *url.URL // of the web pages, without a slash at its end
	transport *http.Transport
	way       http.RoundTripper             // to the network
	library   *api.Client                   // builds the requests
	token     atomic.Pointer[deploy.Secret] // the API token

	mu    sync.Mutex
	rest  time.Time              // no reads before: GitLab's rate limit is used up
	known map[int64]deploymentID // of pipelines whose variables were read, by their ids

	rooms map[pace]*rate.Limiter
	turns map[string]turn // of what waits to be read

	maySteer  bool      // the API token has the scope api
	askScopes time.Time // whether it has is not asked before
}

// New makes a client. It does not connect.
func New(conf Config) (*Client, error) {
	library, err := api.NewClient("", api.WithBaseURL(conf.URL))
	if err != nil {
		return nil, fmt.Errorf("set up the GitLab client: %w", err)
	}
	library.UserAgent = "psycher"
	base := library.BaseURL()
	base.Path = strings.TrimSuffix(base.Path, "/api/v4/")
	var http1 http.Protocols // the gate of a trigger (gate.go) relies on how HTTP/1.1 is written
	http1.SetHTTP1(true)
	c := &Client{
		conf:    conf,
		base:    base,
		library: library,
		known:   map[int64]deploymentID{},
		rooms:   map[pace]*rate.Limiter{},
		turns:   map[string]turn{},
		transport: &http.Transport{
			DialContext: conf.Dial, Proxy: conf.Proxy, OnProxyConnectResponse: proxyLogin, Protocols: &http1,
			TLSHandshakeTimeout: 10 * time.Second, WriteBufferSize: 16 << 10,
			MaxIdleConnsPerHost: 16, IdleConnTimeout: idleTimeout,
		},
	}
	c.way = c.transport
	if conf.Through != nil {
		c.way = conf.Through(c.transport)
	}
	c.SetAPIToken(conf.APIToken)
	return c, nil
}

// SetAPIToken has the calls that begin from now on made with another API token.
func (c *Client) SetAPIToken(token deploy.Secret) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token.Store(&token)
	c.maySteer, c.askScopes = false, time.Time{}
}

func (c *Client) apiToken() deploy.Secret { return *c.token.Load() }

// Close closes the idle connections. Calls in flight continue.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// CanPoll implements [engine.GitLab].
func (c *Client) CanPoll() bool { return c.apiToken() != "" }

// PipelinesURL implements [engine.GitLab]. For a project that is known by its
// number alone it is the project's own page.
func (c *Client) PipelinesURL(project string) string {
	if _, err := strconv.ParseInt(project, 10, 64); err == nil {
		return c.base.JoinPath("projects", project).String()
	}
	return c.base.JoinPath(project, "-/pipelines").String()
}
