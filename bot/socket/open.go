package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"github.com/getto-systems/psycher/deploy/engine"
)

const (
	openWithin      = 10 * time.Second // apps.connections.open
	handshakeWithin = 10 * time.Second // dial, TLS, proxy and upgrade together
	helloWithin     = 10 * time.Second

	// openBurst and openEvery bound the calls of apps.connections.open for the
	// whole process. Slack allows 50 a minute per app.
	openBurst = 5
	openEvery = 2 * time.Second
	// longestWait is the longest wait between two tries of one connection.
	longestWait = 30 * time.Second
	// longestHold caps a Retry-After, so that a wrong one does not silence the bot.
	longestHold = 10 * time.Minute
)

var (
	errNoHello   = errors.New("no hello within 10 s")
	errNotSocket = errors.New("apps.connections.open gave no websocket URL")
	errProxy     = errors.New("the proxy setting cannot be read")
)

// open opens one connection, up to its hello. On probation it counts as open only
// once it has lasted.
func (p *Pool) open(ctx, handling context.Context, probation bool) (*conn, error) {
	if err := p.opening.wait(ctx); err != nil {
		return nil, err
	}
	number := p.opens.Add(1)
	asking, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	ticket, err := p.Open(asking)
	if err != nil {
		return nil, fmt.Errorf("apps.connections.open: %w", err)
	}
	ws, err := p.dial(ctx, ticket)
	if err != nil {
		return nil, err
	}

	k := newConn(p, ws)
	k.log = p.Log.With().Int64("socket", number).Logger()
	k.probation.Store(probation)
	p.mu.Lock()
	p.held[k] = struct{}{}
	p.mu.Unlock()
	p.running.Go(func() {
		k.run(ctx, handling)
		p.mu.Lock()
		delete(p.held, k)
		p.mu.Unlock()
	})

	late := time.NewTimer(helloWithin)
	defer late.Stop()
	select {
	case <-k.hello:
		return k, nil
	case <-late.C:
		k.fail(errNoHello)
	case <-k.lost:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return nil, fmt.Errorf("before hello: %w", k.err())
}

// dial connects to the URL, which is a secret and stays out of every error.
func (p *Pool) dial(ctx context.Context, ticket string) (*websocket.Conn, error) {
	if u, err := url.Parse(ticket); err != nil || (u.Scheme != "wss" && u.Scheme != "ws") || u.Host == "" {
		return nil, errNotSocket
	}
	shaking, cancel := context.WithTimeout(ctx, handshakeWithin)
	defer cancel()

	// The websocket library obeys the deadline of a context, but not its cancellation.
	unhook := func() bool { return true }
	dialer := websocket.Dialer{
		NetDialContext: func(dialing context.Context, network, addr string) (net.Conn, error) {
			dial := p.Dial
			if dial == nil {
				dial = (&net.Dialer{}).DialContext
			}
			conn, err := dial(dialing, network, addr)
			if err == nil {
				unhook = context.AfterFunc(shaking, func() { conn.Close() })
			}
			return conn, err
		},
		TLSClientConfig: p.TLS,
	}
	if p.Proxy != nil {
		dialer.Proxy = func(req *http.Request) (*url.URL, error) {
			proxy, err := p.Proxy(req)
			if err != nil {
				return nil, errProxy
			}
			return proxy, nil
		}
	}
	ws, answer, err := dialer.DialContext(shaking, ticket, nil)
	switch {
	case err == nil && unhook():
		return ws, nil
	case shaking.Err() != nil:
		return nil, fmt.Errorf("websocket handshake: %w", shaking.Err())
	case answer != nil:
		return nil, fmt.Errorf("websocket handshake: HTTP %d", answer.StatusCode)
	default:
		return nil, fmt.Errorf("websocket handshake: %w", err)
	}
}

// backoff grows with the failures in a row, and differs each time.
func (p *Pool) backoff(streak int) time.Duration {
	if streak == 0 {
		return p.jitter(250 * time.Millisecond)
	}
	most := engine.Backoff(time.Second, longestWait, streak-1)
	return most/2 + p.jitter(most/2)
}

// budget bounds how often the process opens connections, whatever happens to them.
type budget struct {
	limit *rate.Limiter

	mu    sync.Mutex
	until time.Time // of Slack's Retry-After
}

func newBudget() *budget {
	return &budget{limit: rate.NewLimiter(rate.Every(openEvery), openBurst)}
}

func (b *budget) wait(ctx context.Context) error {
	for quiet := b.quiet(); quiet > 0; quiet = b.quiet() {
		if !engine.Pause(ctx, quiet) {
			return ctx.Err()
		}
	}
	return b.limit.Wait(ctx)
}

func (b *budget) quiet() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Until(b.until)
}

func (b *budget) hold(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if until := time.Now().Add(d); until.After(b.until) {
		b.until = until
	}
}
