package socket

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rs/zerolog"
)

// socketFake is the far end of the sockets: a scripted Slack over pipes.
type socketFake struct {
	script func(*farSocket)          // after each handshake; hello if nil
	ask    func(try int) error       // what apps.connections.open says; yes if nil
	hang   func(ctx context.Context) // before it says so
	status int                       // of the handshake, if not 101

	released chan struct{}
	listener *pipeListener
	server   *http.Server
	serving  sync.WaitGroup

	mu      sync.Mutex
	opens   []time.Time
	sockets []*farSocket
}

// farSocket is Slack's end of one socket.
type farSocket struct {
	n       int // from 1
	conn    *websocket.Conn
	wire    *wire
	sending chan struct{} // held by who writes a message
	ended   chan struct{}
	stay    bool        // after the bot's close frame
	quiet   atomic.Bool // sends no pings
	curt    atomic.Bool // answers no pings
	mu      sync.Mutex
	frames  []string // as received: acks, pings, pongs, the close code
	at      []time.Time
}

// bubble runs a test against a fresh Slack in fake time.
func bubble(t *testing.T, test func(t *testing.T, slack *socketFake)) {
	synctest.Test(t, func(t *testing.T) {
		slack := &socketFake{released: make(chan struct{}), listener: &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}}
		slack.server = &http.Server{Handler: slack}
		slack.serving.Go(func() { _ = slack.server.Serve(slack.listener) })
		t.Cleanup(func() {
			slack.release()
			slack.server.Close()
			slack.serving.Wait()
		})
		test(t, slack)
	})
}

// start runs sockets against slack until the returned stop, which returns how long the end took.
func (f *socketFake) start(t *testing.T, s *Pool) (stop func() time.Duration) {
	t.Helper()
	if s.Handle == nil {
		s.Handle = func(context.Context, string, json.RawMessage, int) (bool, func()) { return true, nil }
	}
	s.Count = max(s.Count, 1)
	s.Drain = cmp.Or(s.Drain, 3*time.Second)
	s.Rand = rand.New(rand.NewPCG(1, 2)).Float64
	s.Open = f.open
	s.Dial = f.listener.dial
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { s.Run(ctx); ended <- nil }()
	synctest.Wait()
	return func() time.Duration {
		begun := time.Now()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		return time.Since(begun)
	}
}

func (f *socketFake) open(ctx context.Context) (string, error) {
	f.mu.Lock()
	f.opens = append(f.opens, time.Now())
	try := len(f.opens)
	hang, ask := f.hang, f.ask
	f.mu.Unlock()
	if hang != nil {
		hang(ctx)
	}
	if ask != nil {
		if err := ask(try); err != nil {
			return "", err
		}
	}
	return "ws://slack/link/?ticket=secret-ticket", ctx.Err()
}

func (f *socketFake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	status, script := f.status, f.script
	f.mu.Unlock()
	switch {
	case status < 0: // never answers
		<-f.released
		return
	case status > 0:
		w.WriteHeader(status)
		return
	}
	upgrader := websocket.Upgrader{}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	far := &farSocket{conn: conn, wire: conn.NetConn().(*wiredConn).wire, ended: make(chan struct{}), sending: make(chan struct{}, 1)}
	f.mu.Lock()
	f.sockets = append(f.sockets, far)
	far.n = len(f.sockets)
	f.mu.Unlock()
	conn.SetPingHandler(func(data string) error {
		far.note("ping")
		if far.curt.Load() {
			return nil
		}
		return conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(time.Minute))
	})
	conn.SetPongHandler(func(data string) error { far.note("pong " + data); return nil })
	conn.SetCloseHandler(func(code int, _ string) error { far.note(fmt.Sprint("close ", code)); return nil })
	var pings sync.WaitGroup
	pings.Go(far.ping)
	if script != nil {
		script(far)
	} else {
		far.hello(1)
	}
	for {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			break
		}
		far.note(strings.TrimSpace(string(frame)))
	}
	if far.stay {
		<-f.released
	}
	close(far.ended)
	conn.Close()
	pings.Wait()
}

// socket gives the nth socket, once it is there.
func (f *socketFake) socket(t *testing.T, n int) *farSocket {
	t.Helper()
	for range 1000 {
		synctest.Wait()
		f.mu.Lock()
		sockets := f.sockets
		f.mu.Unlock()
		if len(sockets) >= n {
			return sockets[n-1]
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("no socket %d", n)
	return nil
}

// heal ends whatever is wrong with Slack.
func (f *socketFake) heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script, f.ask, f.hang, f.status = nil, nil, nil, 0
}

// release ends the handshakes that hang and the wires that stall.
func (f *socketFake) release() {
	close(f.released)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, far := range f.sockets {
		far.wire.release()
		far.wire.cut()
	}
}

func (f *socketFake) opened() []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.opens)
}

func (f *socketFake) counts() (opens, sockets int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.opens), len(f.sockets)
}

func (far *farSocket) ping() {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-far.ended:
			return
		case <-tick.C:
			if !far.quiet.Load() {
				_ = far.conn.WriteControl(websocket.PingMessage, []byte("Ping from applink-1"), time.Now().Add(time.Minute))
			}
		}
	}
}

func (far *farSocket) note(frame string) {
	far.mu.Lock()
	defer far.mu.Unlock()
	far.frames = append(far.frames, frame)
	far.at = append(far.at, time.Now())
}

func (far *farSocket) send(frame string) {
	far.sending <- struct{}{}
	defer func() { <-far.sending }()
	_ = far.conn.WriteMessage(websocket.TextMessage, []byte(frame))
}

func (far *farSocket) hello(connections int) {
	far.send(fmt.Sprintf(
		`{"type":"hello","connection_info":{"app_id":"A1"},"num_connections":%d,"debug_info":{"host":"applink-1"}}`, connections))
}

func (far *farSocket) disconnect(reason string) {
	far.send(fmt.Sprintf(`{"type":"disconnect","reason":%q}`, reason))
}

// asksToLeave asks for a new socket after a while, and cuts this one 10 s later.
func (far *farSocket) asksToLeave(reason string, after time.Duration) {
	time.AfterFunc(after, func() {
		far.disconnect(reason)
		time.AfterFunc(10*time.Second, far.wire.cut)
	})
}

func (far *farSocket) event(id string) {
	far.send(fmt.Sprintf(`{"type":"events_api","envelope_id":%q,"payload":{"id":%q}}`, id, id))
	synctest.Wait()
}

// got tells what the bot has sent so far, without pings.
func (far *farSocket) got() []string {
	synctest.Wait()
	far.mu.Lock()
	defer far.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(far.frames), func(s string) bool {
		return s == "ping" || s == "pong Ping from applink-1"
	})
}

func ackOf(id string) string { return fmt.Sprintf(`{"envelope_id":%q}`, id) }

// pipeListener is a network of its own. Each connection goes over a wire that can stall.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

// wire carries bytes both ways between two pipes, unless it is held or loses them.
type wire struct {
	losing atomic.Bool
	mu     sync.Mutex
	gate   chan struct{}
	cut    func()
}

type wiredConn struct {
	net.Conn
	wire *wire
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, a := net.Pipe()
	b, far := net.Pipe()
	open := make(chan struct{})
	close(open)
	w := &wire{gate: open, cut: func() { a.Close(); b.Close() }}
	select {
	case l.conns <- &wiredConn{far, w}:
		go w.carry(a, b)
		go w.carry(b, a)
		return near, nil
	case <-l.closed:
		return nil, errors.New("refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (w *wire) carry(to, from net.Conn) {
	defer w.cut()
	buf := make([]byte, 1024)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		w.mu.Lock()
		gate := w.gate
		w.mu.Unlock()
		<-gate
		if w.losing.Load() {
			continue
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// hold stalls the wire until the returned function is called.
func (w *wire) hold() (release func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gate = make(chan struct{})
	return w.release
}

func (w *wire) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !isClosed(w.gate) {
		close(w.gate)
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// socketLog is a log that can be read while it is written.
type socketLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *socketLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *socketLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *socketLog) logger() zerolog.Logger { return zerolog.New(l) }
