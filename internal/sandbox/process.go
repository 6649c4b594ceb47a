package sandbox

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Program is the bot: it runs until ctx ends, and reaches the outside only
// through its World.
type Program func(ctx context.Context, lang string, w World) error

// World is what a program can reach.
type World struct {
	Dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	Listen func(network, addr string) (net.Listener, error)
	Log    io.Writer
}

// Process runs the bot within this process, one instance at a time. The bot can be
// stopped as by a signal, killed as by SIGKILL, and cut off from a server.
type Process struct {
	program Program
	ctx     context.Context
	log     io.Writer
	running sync.WaitGroup

	mu          sync.Mutex
	now         *instance
	lang        string
	kills       int
	unreachable map[string]bool // by address
	changed     chan struct{}
}

// NewProcess returns a process that does not run yet. The end of ctx stops what
// runs; [Process.Wait] waits for that.
func NewProcess(ctx context.Context, log io.Writer, program Program) *Process {
	return &Process{program: program, ctx: ctx, log: log, unreachable: map[string]bool{}, changed: make(chan struct{})}
}

// Start starts the bot in a language, unless it runs. Its error comes on the
// channel.
func (p *Process) Start(lang string) <-chan error {
	p.mu.Lock()
	defer p.mu.Unlock()
	ended := make(chan error, 1)
	if p.now != nil {
		return ended
	}
	ctx, stop := context.WithCancel(p.ctx)
	l := &instance{of: p, stop: stop, done: make(chan struct{}), wires: map[*trackedConn]bool{}}
	p.now, p.lang = l, lang
	p.tell()
	p.running.Go(func() {
		ended <- p.program(ctx, lang, World{l.dial, l.listen, l})
		stop()
		close(l.done)
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.now == l {
			p.now = nil
			p.tell()
		}
	})
	return ended
}

// Restart ends the bot as SIGTERM does, waits for that, and starts it in a
// language. If it does not run, it uses the language at the next start.
func (p *Process) Restart(lang string) {
	p.mu.Lock()
	l := p.now
	p.lang = lang
	p.tell()
	p.mu.Unlock()
	if l == nil {
		return
	}
	l.stop()
	<-l.done
	p.mu.Lock()
	killed := p.now != nil && p.now != l || l.dead
	if p.now == l {
		p.now = nil
	}
	p.mu.Unlock()
	if !killed {
		p.Start(lang)
	}
}

// Kill ends the bot as SIGKILL does: from now on nothing that it does reaches
// the outside.
func (p *Process) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.now
	if l == nil {
		return
	}
	l.dead = true
	for w := range l.wires {
		w.Conn.Close()
	}
	for _, d := range l.doors {
		d.Close()
	}
	l.stop()
	p.now = nil
	p.kills++
	p.tell()
}

// Kills counts how often a running bot was killed.
func (p *Process) Kills() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.kills
}

// SetUnreachable cuts the bot off from a server, or connects it again. A bot that
// is started meanwhile cannot reach the server either.
func (p *Process) SetUnreachable(addr string, on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	addr = strings.TrimPrefix(addr, "http://")
	p.unreachable[addr] = on
	if p.now != nil && on {
		for w := range p.now.wires {
			if w.addr == addr {
				w.Conn.Close()
			}
		}
	}
	p.tell()
}

// Unreachable reports whether the bot is cut off from a server.
func (p *Process) Unreachable(addr string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.unreachable[strings.TrimPrefix(addr, "http://")]
}

// Runs returns the bot's language, and whether it runs.
func (p *Process) Runs() (lang string, runs bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lang, p.now != nil
}

// Changed is closed at the next change of the process.
func (p *Process) Changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

// Wait waits until everything that ran has ended.
func (p *Process) Wait() { p.running.Wait() }

func (p *Process) tell() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// instance is one run of the program. The process's lock guards it.
type instance struct {
	of    *Process
	stop  context.CancelFunc
	done  chan struct{}
	dead  bool
	wires map[*trackedConn]bool
	doors []net.Listener
}

// Write writes to the log, while the instance is alive.
func (l *instance) Write(line []byte) (int, error) {
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	if l.dead {
		return len(line), nil
	}
	return l.of.log.Write(line)
}

func (l *instance) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	refused := &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	if l.isCut(addr) {
		return nil, refused
	}
	c, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	w := l.track(c, addr)
	if l.isCut(addr) {
		w.Close()
		return nil, refused
	}
	return w, nil
}

// isCut reports whether the instance is cut off from an address.
func (l *instance) isCut(addr string) bool {
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	return l.dead || l.of.unreachable[addr]
}

func (l *instance) track(c net.Conn, addr string) *trackedConn {
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	w := &trackedConn{c, l, addr}
	l.wires[w] = true
	return w
}

func (l *instance) listen(network, addr string) (net.Listener, error) {
	listener, err := net.Listen(network, addr)
	if err != nil {
		return nil, err
	}
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	if l.dead {
		listener.Close()
		return nil, net.ErrClosed
	}
	l.doors = append(l.doors, listener)
	return &trackedListener{listener, l}, nil
}

// trackedConn is a connection of an instance.
type trackedConn struct {
	net.Conn
	l    *instance
	addr string
}

func (w *trackedConn) Close() error {
	w.l.of.mu.Lock()
	delete(w.l.wires, w)
	w.l.of.mu.Unlock()
	return w.Conn.Close()
}

// SyscallConn lets a connection pool check that the connection is alive before it
// is used, as with one that is not wrapped.
func (w *trackedConn) SyscallConn() (syscall.RawConn, error) {
	c, ok := w.Conn.(syscall.Conn)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	return c.SyscallConn()
}

// trackedListener is a listener of an instance.
type trackedListener struct {
	net.Listener
	l *instance
}

func (d *trackedListener) Accept() (net.Conn, error) {
	c, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	w := d.l.track(c, "")
	if d.l.isCut("") {
		w.Close()
	}
	return w, nil
}
