// Package pipenet is a network in memory: listeners and connections by host
// name, for servers and clients that live together in one testing/synctest
// bubble. Waiting on it is durable, so that fake time goes on. It knows no DNS,
// routes or TLS, and loses nothing unless a connection is cut.
package pipenet

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
)

// backlog is how many connections may wait to be accepted.
const backlog = 128

// Network joins dialers with listeners. Make it with [New], inside the bubble
// that uses it.
type Network struct {
	// OnDial, if set before the first dial, runs before each one and may take its
	// time (latency, an address that never answers) or refuse it.
	OnDial func(ctx context.Context, owner, addr string) error

	mu    sync.Mutex
	hosts map[string]*listener
	links []*link // in the order of dialing
	port  int
}

// New makes a network without hosts.
func New() *Network {
	return &Network{hosts: make(map[string]*listener), port: 40000}
}

// Listen opens an address such as "slack.test:80".
func (n *Network) Listen(addr string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hosts[addr] != nil {
		return nil, opError("listen", "tcp", address(addr), os.NewSyscallError("bind", syscall.EADDRINUSE))
	}
	l := &listener{network: n, addr: address(addr), waiting: make(chan *conn, backlog), done: make(chan struct{})}
	n.hosts[addr] = l
	return l, nil
}

// Dial connects to an open address; the connection belongs to the owner "".
func (n *Network) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return n.dial(ctx, "", network, addr)
}

// Dialer is a Dial whose connections belong to an owner, such as a process that
// a test kills with [Network.CutAll].
func (n *Network) Dialer(owner string) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		return n.dial(ctx, owner, network, addr)
	}
}

// Open counts the connections of an owner that are open at either end.
func (n *Network) Open(owner string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	open := 0
	for _, l := range n.links {
		if l.owner == owner {
			open++
		}
	}
	return open
}

// CutAll resets every connection that the owner has dialed and returns how many.
// What was under way in either direction is lost.
func (n *Network) CutAll(owner string) int {
	return n.cut(func(l *link) bool { return l.owner == owner })
}

// CutHost resets every connection to an address and returns how many.
func (n *Network) CutHost(addr string) int {
	return n.cut(func(l *link) bool { return l.addr == addr })
}

func (n *Network) cut(which func(*link) bool) int {
	n.mu.Lock()
	var cut []*link
	for _, l := range n.links {
		if which(l) {
			cut = append(cut, l)
		}
	}
	n.mu.Unlock()
	for _, l := range cut {
		l.reset()
	}
	return len(cut)
}

func (n *Network) dial(ctx context.Context, owner, network, addr string) (net.Conn, error) {
	if n.OnDial != nil {
		if err := n.OnDial(ctx, owner, addr); err != nil {
			return nil, opError("dial", network, address(addr), err)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, opError("dial", network, address(addr), err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	refused := opError("dial", network, address(addr), os.NewSyscallError("connect", syscall.ECONNREFUSED))
	l := n.hosts[addr]
	if l == nil {
		return nil, refused
	}
	n.port++
	from := address(fmt.Sprintf("%s:%d", cmp.Or(owner, "client"), n.port))
	k := newLink(n, owner, addr)
	select {
	case l.waiting <- &conn{link: k, in: k.up, out: k.down, local: address(addr), remote: from}:
	default:
		return nil, refused
	}
	n.links = append(n.links, k)
	return &conn{link: k, in: k.down, out: k.up, local: from, remote: address(addr)}, nil
}

// forget drops a link that was reset, or whose ends are both closed.
func (n *Network) forget(gone *link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, l := range n.links {
		if l == gone {
			n.links = append(n.links[:i], n.links[i+1:]...)
			return
		}
	}
}

type listener struct {
	network *Network
	addr    address
	waiting chan *conn
	done    chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.waiting:
		return c, nil
	case <-l.done:
		return nil, opError("accept", "tcp", l.addr, net.ErrClosed)
	}
}

// Close refuses further dials, and resets connections that were not accepted.
func (l *listener) Close() error {
	l.network.mu.Lock()
	if l.network.hosts[string(l.addr)] != l {
		l.network.mu.Unlock()
		return opError("close", "tcp", l.addr, net.ErrClosed)
	}
	delete(l.network.hosts, string(l.addr))
	close(l.done)
	l.network.mu.Unlock()
	for {
		select {
		case c := <-l.waiting:
			c.link.reset()
		default:
			return nil
		}
	}
}

func (l *listener) Addr() net.Addr { return l.addr }

type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }

func opError(op, network string, addr net.Addr, err error) error {
	return &net.OpError{Op: op, Net: network, Addr: addr, Err: err}
}
