package pipenet

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// window is how much a direction holds before a writer waits for the reader.
const window = 256 << 10

// conn is one end of a link.
type conn struct {
	link          *link
	in, out       *stream
	local, remote address
	once          sync.Once
}

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.in.read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = opError("read", "tcp", c.remote, err)
	}
	return n, err
}

func (c *conn) Write(b []byte) (int, error) {
	n, err := c.out.write(b)
	if err != nil {
		err = opError("write", "tcp", c.remote, err)
	}
	return n, err
}

// Close lets the peer read what was written, then an end.
func (c *conn) Close() error {
	err := opError("close", "tcp", c.remote, net.ErrClosed)
	c.once.Do(func() {
		err = nil
		c.in.change(func(s *stream) { s.readerGone, s.held = true, nil })
		c.out.change(func(s *stream) { s.writerGone = true })
		if c.in.closed() && c.out.closed() {
			c.link.network.forget(c.link)
		}
	})
	return err
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

func (c *conn) SetDeadline(t time.Time) error {
	_ = c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.change(func(s *stream) { s.readBy = t })
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.out.change(func(s *stream) { s.writeBy = t })
	return nil
}

// link is a connection: two ends, two directions.
type link struct {
	network     *Network
	owner, addr string
	up, down    *stream // from the dialer, to the dialer
}

func newLink(n *Network, owner, addr string) *link {
	return &link{network: n, owner: owner, addr: addr, up: &stream{}, down: &stream{}}
}

func (l *link) reset() {
	for _, s := range []*stream{l.up, l.down} {
		s.change(func(s *stream) { s.broken, s.held = true, nil })
	}
	l.network.forget(l)
}

// stream is one direction. Its mutex is held only to read and to change; a waiting
// goroutine blocks on a channel, so that the bubble's time goes on.
type stream struct {
	mu         sync.Mutex
	held       []byte
	writerGone bool // the writer has closed: an end follows what is held
	readerGone bool // the reader has closed
	broken     bool // reset
	readBy     time.Time
	writeBy    time.Time
	wake       chan struct{} // closed at the next change, if anyone waits
}

func (s *stream) read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.readerGone:
			return 0, net.ErrClosed
		case passed(s.readBy):
			return 0, os.ErrDeadlineExceeded
		case s.broken:
			return 0, os.NewSyscallError("read", syscall.ECONNRESET)
		case len(b) == 0:
			return 0, nil
		case len(s.held) > 0:
			n := copy(b, s.held)
			s.held = s.held[n:]
			s.notify()
			return n, nil
		case s.writerGone:
			return 0, io.EOF
		}
		s.wait(s.readBy)
	}
}

func (s *stream) write(b []byte) (done int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.writerGone:
			return done, net.ErrClosed
		case passed(s.writeBy):
			return done, os.ErrDeadlineExceeded
		case s.broken:
			return done, os.NewSyscallError("write", syscall.EPIPE)
		case s.readerGone:
			// As with TCP, the first write after the peer has closed seems to work; the
			// reset that it causes fails the next.
			s.broken = true
			return done + len(b), nil
		}
		n := min(len(b), window-len(s.held))
		s.held = append(s.held, b[:n]...)
		b, done = b[n:], done+n
		if n > 0 {
			s.notify()
		}
		if len(b) == 0 {
			return done, nil
		}
		s.wait(s.writeBy)
	}
}

func (s *stream) change(how func(*stream)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how(s)
	s.notify()
}

func (s *stream) closed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.readerGone && s.writerGone
}

func (s *stream) notify() {
	if s.wake != nil {
		close(s.wake)
		s.wake = nil
	}
}

// wait releases the mutex until something changes or the deadline comes.
func (s *stream) wait(by time.Time) {
	if s.wake == nil {
		s.wake = make(chan struct{})
	}
	wake := s.wake
	s.mu.Unlock()
	defer s.mu.Lock()
	if by.IsZero() {
		<-wake
		return
	}
	t := time.NewTimer(time.Until(by))
	defer t.Stop()
	select {
	case <-wake:
	case <-t.C:
	}
}

func passed(by time.Time) bool { return !by.IsZero() && !time.Now().Before(by) }
