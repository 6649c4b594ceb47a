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
)

const (
	socketOpenWithin      = 10 * time.Second // apps.connections.open
	socketHandshakeWithin = 10 * time.Second // dial, TLS, proxy and upgrade together
	socketHelloWithin     = 10 * time.Second

	// socketBurst and socketEvery bound the calls of apps.connections.open for
	// the whole process. Slack allows 50 a minute and app.
	socketBurst = 5
	socketEvery = 2 * time.Second
	// socketSlowest is the longest wait between two tries of one connection.
	socketSlowest = 30 * time.Second
	// socketLongestHold caps a Retry-After, so that a wrong one does not mute the bot.
	socketLongestHold = 10 * time.Minute
)

var (
	errNoHello   = errors.New("no hello within 10 s")
	errNotSocket = errors.New("apps.connections.open gave no websocket URL")
	errProxy     = errors.New("the proxy setting cannot be read")
)

// open brings one socket up to its hello. A doubted one counts as open only when it has lasted.
func (s *Pool) open(ctx, handling context.Context, doubted bool) (*socket, error) {
	if err := s.budget.wait(ctx); err != nil {
		return nil, err
	}
	number := s.count(&s.opens)
	asking, cancel := context.WithTimeout(ctx, socketOpenWithin)
	defer cancel()
	ticket, err := s.Open(asking)
	if err != nil {
		return nil, fmt.Errorf("apps.connections.open: %w", err)
	}
	conn, err := s.dial(ctx, ticket)
	if err != nil {
		return nil, err
	}

	k := newSocket(s, conn)
	k.log = s.Log.With().Int64("socket", number).Logger()
	k.doubted.Store(doubted)
	s.mu.Lock()
	s.held[k] = struct{}{}
	s.mu.Unlock()
	s.running.Go(func() {
		k.run(ctx, handling)
		s.mu.Lock()
		delete(s.held, k)
		s.mu.Unlock()
	})

	late := time.NewTimer(socketHelloWithin)
	defer late.Stop()
	select {
	case <-k.helloed:
		return k, nil
	case <-late.C:
		k.fail(errNoHello)
	case <-k.lost:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return nil, fmt.Errorf("before hello: %w", k.gone())
}

// dial connects to the URL, which is a secret and stays out of every error.
func (s *Pool) dial(ctx context.Context, ticket string) (*websocket.Conn, error) {
	if u, err := url.Parse(ticket); err != nil || (u.Scheme != "wss" && u.Scheme != "ws") || u.Host == "" {
		return nil, errNotSocket
	}
	shaking, cancel := context.WithTimeout(ctx, socketHandshakeWithin)
	defer cancel()

	// The websocket library heeds the deadline of a context, but not its end.
	unhook := func() bool { return true }
	dialer := websocket.Dialer{
		NetDialContext: func(dialing context.Context, network, addr string) (net.Conn, error) {
			dial := s.Dial
			if dial == nil {
				dial = (&net.Dialer{}).DialContext
			}
			conn, err := dial(dialing, network, addr)
			if err == nil {
				unhook = context.AfterFunc(shaking, func() { conn.Close() })
			}
			return conn, err
		},
		TLSClientConfig: s.TLS,
	}
	if s.Proxy != nil {
		dialer.Proxy = func(req *http.Request) (*url.URL, error) {
			proxy, err := s.Proxy(req)
			if err != nil {
				return nil, errProxy
			}
			return proxy, nil
		}
	}
	conn, answer, err := dialer.DialContext(shaking, ticket, nil)
	switch {
	case err == nil && unhook():
		return conn, nil
	case shaking.Err() != nil:
		return nil, fmt.Errorf("websocket handshake: %w", shaking.Err())
	case answer != nil:
		return nil, fmt.Errorf("websocket handshake: HTTP %d", answer.StatusCode)
	default:
		return nil, fmt.Errorf("websocket handshake: %w", err)
	}
}

// backoff grows with the failures in a row, and differs each time.
func (s *Pool) backoff(streak int) time.Duration {
	if streak == 0 {
		return s.jitter(250 * time.Millisecond)
	}
	most := min(time.Second<<min(streak-1, 10), socketSlowest)
	return most/2 + s.jitter(most/2)
}

// socketBudget bounds how often the process opens sockets, whatever happens to them.
type socketBudget struct {
	limit *rate.Limiter

	mu    sync.Mutex
	until time.Time // Slack asked for quiet
}

func newSocketBudget() *socketBudget {
	return &socketBudget{limit: rate.NewLimiter(rate.Every(socketEvery), socketBurst)}
}

func (b *socketBudget) wait(ctx context.Context) error {
	for quiet := b.quiet(); quiet > 0; quiet = b.quiet() {
		if !pause(ctx, quiet) {
			return ctx.Err()
		}
	}
	return b.limit.Wait(ctx)
}

func (b *socketBudget) quiet() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Until(b.until)
}

func (b *socketBudget) hold(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if until := time.Now().Add(d); until.After(b.until) {
		b.until = until
	}
}
