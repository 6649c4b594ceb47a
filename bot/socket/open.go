package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/websocket"

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

// open opens one connection, up to its hello.
func (p *Pool) open(ctx, handling context.Context) (*conn, error) {
	if err := p.mayOpen(ctx); err != nil {
		return nil, err
	}
	number := p.opens.Add(1)
	asking, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	ticket, err := p.Open(asking)
	if err != nil {
		return nil, err
	}
	ws, err := p.dial(ctx, ticket)
	if err != nil {
		return nil, err
	}

	k := newConn(p, ws)
	k.log = p.Log.With().Int64("socket", number).Logger()
	p.held.Store(k, nil)
	p.running.Go(func() {
		k.run(ctx, handling)
		p.held.Delete(k)
	})

	select {
	case <-k.hello:
		return k, nil
	case <-time.After(helloWithin):
		k.fail(errNoHello)
	case <-k.life.Done():
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
			conn, err := p.Dial(dialing, network, addr)
			if err == nil {
				unhook = context.AfterFunc(shaking, func() { conn.Close() })
			}
			return conn, err
		},
	}
	if p.Proxy != nil {
		dialer.Proxy = func(req *http.Request) (*url.URL, error) {
			proxy, err := p.Proxy(req)
			if err != nil {
				err = errProxy
			}
			return proxy, err
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

// mayOpen waits until the budget of the process, and Slack's Retry-After, allow
// another connection.
func (p *Pool) mayOpen(ctx context.Context) error {
	for {
		p.mu.Lock()
		quiet := time.Until(p.quietUntil)
		p.mu.Unlock()
		switch {
		case quiet <= 0:
			return p.budget.Wait(ctx)
		case !engine.Pause(ctx, quiet):
			return ctx.Err()
		}
	}
}
