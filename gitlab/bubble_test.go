package gitlab

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

const (
	testToken    = "glptt-test-0123456789abcdef"
	testAPIToken = "glpat-test-fedcba9876543210"
	testID       = "6ba7b810-9dad-51d1-80b4-00c04fd430c8"
	otherID      = "6ba7b811-9dad-51d1-80b4-00c04fd430c8"
)

func target() deploy.Target {
	return deploy.Target{Team: "T01", Channel: "C01", Name: "app", Project: "group/app", Token: testToken, Ref: "master", Key: "RELEASE"}
}

func mention() deploy.Request {
	return deploy.Request{Key: deploy.Key{Team: "T01", Channel: "C01", TS: "1700000000.000100"}, ID: testID}
}

func soon() time.Time { return time.Now().Add(5 * time.Second) }

// token is the token of the attempt.
const token = deploy.Secret("psy_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")

// network is an in-memory network with one server.
type network struct {
	conns   chan net.Conn
	closed  chan struct{}
	dials   atomic.Int32
	written atomic.Int64 // bytes that clients wrote
	slow    time.Duration
}

func (n *network) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	n.dials.Add(1)
	if n.slow > 0 {
		select {
		case <-time.After(n.slow):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	near, far := net.Pipe()
	select {
	case n.conns <- far:
		return counted{near, n}, nil
	case <-n.closed:
		return nil, errors.New("connection refused")
	}
}

func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error   { return nil }
func (n *network) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

type counted struct {
	net.Conn
	net *network
}

func (c counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.net.written.Add(int64(n))
	return n, err
}

// serve lets a handler answer a client, for the time of a test in a bubble.
func serve(t *testing.T, h http.Handler) (*Client, *network) {
	t.Helper()
	n := &network{conns: make(chan net.Conn), closed: make(chan struct{})}
	srv := &http.Server{Handler: h}
	var run sync.WaitGroup
	run.Go(func() { srv.Serve(n) })
	c, err := New(Config{
		URL: "http://gitlab.test", APIToken: testAPIToken, RequestTimeout: time.Minute,
		Dial: n.Dial,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		close(n.closed)
		srv.Close()
		run.Wait()
	})
	return c, n
}

// moveTo lets a client expect GitLab at another URL.
func moveTo(t *testing.T, c *Client, address string) {
	t.Helper()
	there, err := New(Config{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	c.base, c.library = there.base, there.library
}

// standIn returns a client of a stand-in of GitLab.
func standIn(t *testing.T, edit ...func(*fakegitlab.Config)) (*Client, *fakegitlab.GitLab, *network) {
	t.Helper()
	conf := fakegitlab.Config{
		URL: "http://gitlab.test", APIToken: testAPIToken,
		Projects: []fakegitlab.Project{{ID: 1, Path: "group/app", Token: testToken}, {ID: 2, Path: "group/other", Token: "glptt-test-other"}},
	}
	for _, e := range edit {
		e(&conf)
	}
	g := fakegitlab.New(conf)
	c, n := serve(t, g)
	t.Cleanup(g.Close)
	return c, g, n
}

func named(t *testing.T, name string) fakegitlab.Fault {
	t.Helper()
	f, ok := fakegitlab.Named(name)
	if !ok {
		t.Fatalf("the stand-in has no fault %q", name)
	}
	return f
}
