package sim

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Op is one operation of a process on the world, named by its kind and its number
// within that kind: "redis:save#2".
type Op struct {
	Kind string
	N    int
}

func (o Op) String() string { return fmt.Sprintf("%s#%d", o.Kind, o.N) }

// Fault is what happens at one operation.
type Fault struct {
	At   Op
	Kind FaultKind

	hit  atomic.Bool
	over atomic.Int64
}

// Over is when a suspension ends.
func (f *Fault) Over() time.Time { return time.Unix(0, f.over.Load()) }

// Hit reports whether the operation was reached.
func (f *Fault) Hit() bool { return f.hit.Load() }

// FaultKind is a kind of fault.
type FaultKind string

// The faults that can happen at any operation.
const (
	DieBefore  FaultKind = "dies just before"
	DieAfter   FaultKind = "dies just after"
	LoseAnswer FaultKind = "loses the answer"
	Stall      FaultKind = "stalls for 30 s"
	Suspend    FaultKind = "is suspended for an hour"
	Partition  FaultKind = "lands, and then Redis is out of reach for 30 s" // only at operations on Redis
)

// FaultKinds are the kinds that can happen at the operation.
func (o Op) FaultKinds() []FaultKind {
	kinds := []FaultKind{DieBefore, DieAfter, LoseAnswer, Stall, Suspend}
	if o.Receiver() == "redis" {
		kinds = append(kinds, Partition)
	}
	return kinds
}

// Arm sets the fault that happens at an operation to come. Operations are counted
// from now on.
func (p *Process) Arm(f *Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault, p.counts, p.log = f, map[string]int{}, nil
}

// Ops are the operations so far, since Arm.
func (p *Process) Ops() []Op {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Op(nil), p.log...)
}

// countOp counts an operation, and returns the fault that is to happen at it.
func (p *Process) countOp(kind string) *Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[kind]++
	op := Op{kind, p.counts[kind]}
	p.log = append(p.log, op)
	if p.fault != nil && p.fault.At == op && p.fault.hit.CompareAndSwap(false, true) {
		return p.fault
	}
	return nil
}

// opConn is a connection of a process. What it writes are operations.
type opConn struct {
	net.Conn
	p       *Process
	addr    string
	upgrade bool        // it is a websocket by now
	deaf    atomic.Bool // its answers no longer arrive
	closed  atomic.Bool // by the process itself
}

// Write carries out one operation: each command, request and frame is written
// at once by the libraries that psycher uses.
func (c *opConn) Write(b []byte) (int, error) {
	c.p.waitUntilAwake()
	kind := c.kind(b)
	if kind == "" {
		return c.Conn.Write(b)
	}
	time.Sleep(c.p.World.latency()) // different each time, so that no two things happen at the same instant
	if c.closed.Load() {
		return 0, net.ErrClosed // the caller gave up before it was sent
	}
	f := c.p.countOp(kind)
	if f == nil {
		return c.Conn.Write(b)
	}
	switch f.Kind {
	case DieBefore:
		c.p.Kill()
		return 0, syscall.EPIPE
	case DieAfter:
		n, err := c.Conn.Write(b)
		time.Sleep(c.p.World.latency()) // it arrives
		c.p.Kill()
		return n, err
	case LoseAnswer:
		c.deaf.Store(true)
		n, err := c.Conn.Write(b)
		c.p.World.running.Go(func() {
			time.Sleep(5 * time.Second)
			c.Conn.Close()
		})
		return n, err
	case Partition:
		n, err := c.Conn.Write(b)
		c.p.Partition(30 * time.Second)
		return n, err
	case Stall:
		c.p.World.wait(30 * time.Second)
	case Suspend:
		f.over.Store(time.Now().Add(time.Hour).UnixNano())
		c.p.Suspend(time.Hour)
		c.p.waitUntilAwake()
	}
	return c.Conn.Write(b)
}

// Partition separates this process from Redis for a while, once what is on its
// way has arrived. Other processes are not affected.
func (p *Process) Partition(d time.Duration) {
	p.mu.Lock()
	p.partitionedUntil = time.Now().Add(d)
	var cut []*opConn
	for c := range p.conns {
		if strings.HasPrefix(c.addr, "redis.") {
			c.deaf.Store(true)
			cut = append(cut, c)
		}
	}
	p.mu.Unlock()
	p.World.later(50*time.Millisecond, func() {
		for _, c := range cut {
			c.Conn.Close()
		}
	})
}

// waitUntilAwake waits while the process is suspended.
func (p *Process) waitUntilAwake() {
	p.mu.Lock()
	until := p.suspendedUntil
	p.mu.Unlock()
	p.World.wait(time.Until(until))
}

func (c *opConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.p.waitUntilAwake()
	for c.deaf.Load() && err == nil {
		n, err = c.Conn.Read(b) // swallowed
	}
	return n, err
}

func (c *opConn) Close() error {
	c.closed.Store(true)
	c.p.mu.Lock()
	delete(c.p.conns, c)
	c.p.mu.Unlock()
	return c.Conn.Close()
}

// kind names what is written; it is empty for what does not count.
func (c *opConn) kind(b []byte) string {
	host, _, _ := strings.Cut(c.addr, ".")
	line, _, _ := strings.Cut(string(b), "\r\n")
	verb, path, _ := strings.Cut(line, " ")
	switch {
	case host == "redis":
		return redisKind(b)
	case c.upgrade:
		return frameKind(b)
	case strings.HasSuffix(c.addr, ":8080") && strings.HasPrefix(verb, "HTTP/"):
		return "notify:answer"
	case verb != http.MethodGet && verb != http.MethodPost:
		return "" // the rest of an earlier write
	case host == "gitlab":
		return "gitlab:" + gitlabKind(verb, path)
	case host == "slack" && strings.HasPrefix(path, "/link"):
		c.upgrade = true
		return "socket:open"
	case host == "slack":
		method, _, _ := strings.Cut(strings.TrimPrefix(path, "/api/"), " ")
		return "slack:" + method
	}
	return ""
}

// gitlabKind names a request by its path.
func gitlabKind(verb, path string) string {
	path, _, _ = strings.Cut(path, " ")
	path, _, list := strings.Cut(path, "?")
	last := path[strings.LastIndex(path, "/")+1:]
	switch {
	case verb == http.MethodPost && last == "pipeline":
		return "trigger"
	case verb == http.MethodPost: // cancel, retry
		return last
	case last == "pipelines" && list:
		return "list"
	case last == "jobs", last == "bridges", last == "self", strings.Contains(path, "/repository/"):
		return "read" // besides the pipeline itself
	}
	return "look"
}

// frameKind names a websocket frame by its opcode.
func frameKind(b []byte) string {
	switch b[0] & 0xf {
	case 1:
		return "socket:ack"
	case 8:
		return "socket:close"
	case 9:
		return "socket:ping"
	case 10:
		return "socket:pong"
	}
	return ""
}

// redisKind names a command.
func redisKind(b []byte) string {
	part := strings.Split(string(b), "\r\n") // *3 $4 EVAL $40 ...
	if len(part) < 3 || !strings.HasPrefix(part[0], "*") {
		return "" // the rest of an earlier write
	}
	var args []string
	for i := 4; i < len(part); i += 2 {
		args = append(args, part[i])
	}
	return commandKind(part[2], args)
}

// commandKind names a command, and a script by the keys that it takes.
func commandKind(command string, args []string) string {
	switch command = strings.ToLower(command); command {
	case "eval", "evalsha":
	case "time", "info":
		return "" // of the checks, which go on beside a deploy
	default:
		return "redis:" + command
	}
	word := func(n int) string { // of the n-th key: {psycher}:WORD:...
		if n += 2; n >= len(args) {
			return ""
		}
		_, key, _ := strings.Cut(args[n], "}:")
		key, _, _ = strings.Cut(key, ":")
		return key
	}
	switch first := word(0); {
	case first == "record" && word(2) == "birth":
		return "redis:claim"
	case first == "record" && word(2) == "history":
		return "redis:save"
	case first == "record" && word(1) == "due":
		return "redis:delay"
	case first == "record":
		return "redis:load"
	case first == "due":
		return "redis:take"
	case first == "history", first == "successes":
		return "redis:history"
	case first == "edits":
		return "redis:edit"
	default: // open, proved, birth
		return "redis:" + first
	}
}
