package notify

import (
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// NewServer returns a server for the notify port that slow or silent callers
// cannot block. Its own errors, which are about connections, go to stderr, one
// line each.
func NewServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10*time.Second + 2*recordTimeout,
		IdleTimeout:       5 * time.Second,
		MaxHeaderBytes:    4 * maxCall, // so that a query that is too long gets an answer that says so
		ErrorLog:          log.New(firstLine{os.Stderr}, "notify port: ", 0),
	}
}

// firstLine passes on the first line of what is written: the stack of a panic is
// of no use to an operator who reads about connections.
type firstLine struct{ to io.Writer }

func (f firstLine) Write(p []byte) (int, error) {
	line, _, _ := strings.Cut(deploy.ScrubTokens(string(p)), "\n")
	_, err := io.WriteString(f.to, line+"\n")
	return len(p), err
}

// maxConnections bounds the connections that are open at a time. Each takes a file
// descriptor, and a process may have as few as 256.
// mutant: connections without a limit
const maxConnections = 128

// LimitListener bounds how many connections of the notify port are open at a
// time. The others wait in the kernel, not for long: a silent connection is
// closed after a few seconds, and that of a call that proves nothing with the
// answer. An Accept that waits for room ends when there is some.
func LimitListener(l net.Listener) net.Listener {
	return limitListener{l, make(chan struct{}, maxConnections)}
}

type limitListener struct {
	net.Listener
	open chan struct{} // holds one for each open connection
}

func (l limitListener) Accept() (net.Conn, error) {
	l.open <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.open
		return nil, err
	}
	return &limitConn{Conn: c, release: sync.OnceFunc(func() { <-l.open })}, nil
}

type limitConn struct {
	net.Conn
	release func()
}

func (c *limitConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
