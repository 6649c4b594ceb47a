package notify

import (
	"net"
	"sync"
	"time"
)

// Bounds on what a stranger can use up. Each connection takes a file
// descriptor, and a process may have as few as 256.
const (
	// mutant: connections without a bound
	maxConnections = 128
	maxNames       = 20 // per call: each may be a guess at the secret
	guessBurst     = 10 // log lines about calls that prove nothing, so that guesses do not fill the disk, and then
	guessInterval  = time.Second
)

// LimitListener bounds how many connections of the notify port are open at a
// time. The others wait in the kernel, not for long: a silent connection is
// closed after a few seconds, and that of a call that proves nothing with the
// answer.
func LimitListener(l net.Listener) net.Listener {
	return &limitListener{Listener: l, open: make(chan struct{}, maxConnections), closed: make(chan struct{})}
}

type limitListener struct {
	net.Listener
	open   chan struct{} // holds one for each open connection
	once   sync.Once
	closed chan struct{}
}

func (l *limitListener) Accept() (net.Conn, error) {
	select {
	case l.open <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.open
		return nil, err
	}
	return &limitConn{Conn: c, release: sync.OnceFunc(func() { <-l.open })}, nil
}

func (l *limitListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type limitConn struct {
	net.Conn
	release func()
}

func (c *limitConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
