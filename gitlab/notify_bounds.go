package gitlab

import (
	"net"
	"sync"
	"time"
)

// What the notify port gives a stranger. A file descriptor is spent for each
// connection, and a process may have as few as 256.
const (
	// mutant: connections without a bound
	maxConnections = 128
	maxNames       = 20 // of one call, each of which may be the secret
	logBurst       = 10 // lines about calls that do not count, and then
	logEvery       = time.Second
)

// NotifyListener bounds how many connections of the notify port are open at a
// time. Those above it wait for their turn in the kernel, which is soon: a
// connection that says nothing is cut off after a few seconds, and one whose call
// does not count with the answer.
func NotifyListener(l net.Listener) net.Listener {
	return &boundListener{Listener: l, room: make(chan struct{}, maxConnections), closed: make(chan struct{})}
}

type boundListener struct {
	net.Listener
	room   chan struct{} // holds one for each open connection
	once   sync.Once
	closed chan struct{}
}

func (l *boundListener) Accept() (net.Conn, error) {
	select {
	case l.room <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.room
		return nil, err
	}
	return &boundConn{Conn: c, leave: sync.OnceFunc(func() { <-l.room })}, nil
}

func (l *boundListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type boundConn struct {
	net.Conn
	leave func()
}

func (c *boundConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// strangers bounds the lines that are logged of calls which do not count, so
// that nobody fills the disk with guesses: a burst, then one a second, with the
// number of those that were left out since the last.
type strangers struct {
	mu   sync.Mutex
	last time.Time // when there was room for one line more
	used int
	left int
}

func (s *strangers) take(now time.Time) (log bool, left int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if passed := int(now.Sub(s.last) / logEvery); passed > 0 {
		s.used, s.last = max(0, s.used-passed), now
	}
	if s.used >= logBurst {
		s.left++
		return false, 0
	}
	s.used++
	left, s.left = s.left, 0
	return true, left
}
