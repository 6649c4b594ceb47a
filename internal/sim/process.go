package sim

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/getto-systems/psycher/cmd"
	"github.com/getto-systems/psycher/cmd/settings"
)

// Process is one bot: the real program with its ordinary settings. It can be
// stopped as by a signal, or killed: from then on nothing that it does reaches
// the world.
type Process struct {
	World *World
	Name  string

	environMu *sync.Mutex
	environ   map[string]string
	hangup    chan os.Signal

	stop context.CancelFunc
	done chan struct{}
	err  error

	mu               sync.Mutex
	dead             bool
	conns            map[*opConn]bool
	listeners        []net.Listener
	counts           map[string]int
	log              []Op
	fault            *Fault
	partitionedUntil time.Time // before that it cannot reach Redis
	suspendedUntil   time.Time // before that nothing that it does reaches the world
}

// Start starts a bot under a name without waiting until it is ready.
func (w *World) Start(name string, changes ...string) *Process {
	w.T.Helper()
	env := maps.Clone(w.settings)
	for _, s := range append([]string{"NOTIFY_ADDR=" + name + ".test:8080", "ADMIN_ADDR=" + name + ".test:9090"}, changes...) {
		k, v, _ := strings.Cut(s, "=")
		env[k] = v
	}
	var environ sync.Mutex
	loader := &settings.Loader{Environ: func() []string {
		environ.Lock()
		defer environ.Unlock()
		return lines(env)
	}}
	s, _, err := loader.Load()
	if err != nil {
		w.T.Fatal(err)
	}
	ctx, stop := context.WithCancel(w.ctx)
	p := &Process{World: w, Name: name, environ: env, environMu: &environ, hangup: make(chan os.Signal), stop: stop, done: make(chan struct{}), conns: map[*opConn]bool{}, counts: map[string]int{}}
	log := w.logger(name)
	w.running.Go(func() {
		defer close(p.done)
		p.err = cmd.Run(ctx, s, cmd.Net{Dial: p.dial, Listen: p.listen, Rand: w.chance}, log, &cmd.Reload{Settings: loader, Hangup: p.hangup})
	})
	return p
}

func lines(env map[string]string) (environ []string) {
	for k, v := range env {
		environ = append(environ, k+"="+v)
	}
	return environ
}

// Reload changes settings of a running bot, and has it read them again.
func (p *Process) Reload(changes ...string) {
	p.environMu.Lock()
	for _, s := range changes {
		k, v, _ := strings.Cut(s, "=")
		p.environ[k] = v
	}
	p.environMu.Unlock()
	p.hangup <- syscall.SIGHUP
	time.Sleep(time.Millisecond) // it reads no file, so this is ample
}

// StartReady starts a bot and waits until it is ready.
func (w *World) StartReady(name string, changes ...string) *Process {
	w.T.Helper()
	p := w.Start(name, changes...)
	var status int
	var why string
	for end := time.Now().Add(time.Minute); status != http.StatusOK; time.Sleep(20 * time.Millisecond) {
		if status, why = w.Get("http://" + name + ".test:9090/readyz"); time.Now().After(end) {
			w.T.Fatalf("%s is not ready: %s", name, why)
		}
	}
	return p
}

// Stop ends the bot as SIGTERM does, and returns its error.
func (p *Process) Stop() error {
	p.stop()
	<-p.done
	return p.err
}

// Kill ends the bot as SIGKILL does: its connections are cut, and it can open no
// other.
func (p *Process) Kill() {
	p.mu.Lock()
	p.dead = true
	conns, listeners := p.conns, p.listeners
	p.conns, p.listeners = map[*opConn]bool{}, nil
	p.mu.Unlock()
	for c := range conns {
		c.Conn.Close()
	}
	for _, l := range listeners {
		l.Close()
	}
	p.World.Net.CutAll(p.Name)
	p.stop()
}

// Dead reports whether it was killed.
func (p *Process) Dead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

func (p *Process) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if p.Dead() {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ENETUNREACH}
	}
	p.mu.Lock()
	partitioned := strings.HasPrefix(addr, "redis.") && time.Now().Before(p.partitionedUntil)
	p.mu.Unlock()
	if partitioned {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ENETUNREACH}
	}
	c, err := p.World.Net.Dialer(p.Name)(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return p.track(c, addr), nil
}

func (p *Process) listen(_, addr string) (net.Listener, error) {
	l, err := p.World.Net.Listen(addr)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		l.Close()
		return nil, errors.New("dead")
	}
	p.listeners = append(p.listeners, l)
	return &opListener{l, p, addr}, nil
}

// track wraps a connection of the process, so that its operations have names.
func (p *Process) track(c net.Conn, addr string) net.Conn {
	o := &opConn{Conn: c, p: p, addr: addr}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		c.Close()
	} else {
		p.conns[o] = true
	}
	return o
}

type opListener struct {
	net.Listener
	p    *Process
	addr string
}

func (l *opListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.p.track(c, l.addr), nil
}

// Suspend cuts the process off from the world for a while. It does not wait.
func (p *Process) Suspend(d time.Duration) {
	p.mu.Lock()
	p.suspendedUntil = time.Now().Add(d)
	p.mu.Unlock()
}
