// Package fakeslack stands in for Slack: Socket Mode and the part of the Web API
// that a bot needs, in one process, with people who say things, press buttons, and
// faults on command. It opens no listener and needs no real time, so that it serves
// the sandbox, end-to-end tests and a simulation alike. What it does not have: views,
// slash commands, response URLs, files, search, and more than one installed app.
package fakeslack

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config says what Slack this is. Zero fields take the defaults.
type Config struct {
	URL       string          // its address, "http://127.0.0.1:1234"; default: the host that was asked
	Team      string          // the workspace, T0TEAM
	Org       string          // the organisation it is part of, E0ORG say; default: none
	App       string          // the app, A0APP
	Bot       string          // the bot's user, U0BOT
	BotID     string          // the bot's other id, B0BOT
	AppToken  string          // xapp-test
	BotToken  string          // xoxb-test
	AckWithin time.Duration   // 3 s
	Retries   []time.Duration // after each failure: 0, 1 min, 5 min
	Ping      time.Duration   // 10 s
	Life      time.Duration   // of a socket: 5 h 1 min
	MaxConns  int             // 10
	Seed      uint64          // of the ids
}

// Slack is the stand-in. Make it with [New], serve it as a handler, end it with
// [Slack.Close].
type Slack struct {
	cfg     Config
	methods map[string]method
	wake    chan struct{} // there is an earlier task
	done    chan struct{} // closed by Close
	running sync.WaitGroup

	mu      sync.Mutex // held to read and to change, never across a wait
	rand    *rand.Rand
	closed  bool
	changed chan struct{}
	tasks   []task
	offset  time.Duration
	last    int64 // microseconds of the newest ts
	used    map[string]bool

	rooms map[string]*room
	users map[string]string // user to workspace
	teams map[string]group  // user groups, by their ids

	traffic
	faults
	calls []Call
}

// New makes a Slack with an empty workspace.
func New(cfg Config) *Slack {
	cfg.Team = cmp.Or(cfg.Team, "T0TEAM")
	cfg.App = cmp.Or(cfg.App, "A0APP")
	cfg.Bot = cmp.Or(cfg.Bot, "U0BOT")
	cfg.BotID = cmp.Or(cfg.BotID, "B0BOT")
	cfg.AppToken = cmp.Or(cfg.AppToken, "xapp-test")
	cfg.BotToken = cmp.Or(cfg.BotToken, "xoxb-test")
	cfg.AckWithin = cmp.Or(cfg.AckWithin, 3*time.Second)
	cfg.Ping = cmp.Or(cfg.Ping, 10*time.Second)
	cfg.Life = cmp.Or(cfg.Life, 18060*time.Second)
	cfg.MaxConns = cmp.Or(cfg.MaxConns, 10)
	if cfg.Retries == nil {
		cfg.Retries = []time.Duration{0, time.Minute, 5 * time.Minute}
	}
	s := &Slack{
		cfg:     cfg,
		methods: methods(),
		wake:    make(chan struct{}, 1),
		done:    make(chan struct{}),
		rand:    rand.New(rand.NewPCG(cfg.Seed, 0)),
		changed: make(chan struct{}),
		used:    make(map[string]bool),
		rooms:   make(map[string]*room),
		users:   map[string]string{cfg.Bot: cfg.Team},
		teams:   map[string]group{},
	}
	s.tickets, s.queue = make(map[string]bool), 1024
	s.envelopes = make(map[string]*attempt)
	s.faults = newFaults()
	s.running.Go(s.keepTime)
	return s
}

// ServeHTTP answers /api/METHOD, and /link for web sockets.
func (s *Slack) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	s.mu.Unlock()
	if name, ok := strings.CutPrefix(r.URL.Path, "/api/"); ok {
		s.serveMethod(w, r, name)
		return
	}
	if r.URL.Path == "/link" {
		s.serveLink(w, r)
		return
	}
	http.NotFound(w, r)
}

// Close cuts every socket, ends what hangs, and waits for all goroutines.
func (s *Slack) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
		for _, k := range s.sockets {
			k.cut()
		}
	}
	s.mu.Unlock()
	s.running.Wait()
}

// SetClock makes Slack's clock differ from time.Now, in the Date header and in
// every ts from now on.
func (s *Slack) SetClock(offset time.Duration) { s.set(func() { s.offset, s.last = offset, 0 }) }

// Changed is closed at the next change of anything that can be seen here:
// messages, reactions, calls, deliveries, acks, connections.
func (s *Slack) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Until waits for a condition, which it checks after each change.
func (s *Slack) Until(ctx context.Context, condition func() bool) error {
	for {
		changed := s.Changed()
		if condition() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for Slack to show it: %w", ctx.Err())
		}
	}
}

// set changes something with the mutex held.
func (s *Slack) set(how func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how()
}

// get reads something with the mutex held.
func get[T any](s *Slack, what func() T) T {
	s.mu.Lock()
	defer s.mu.Unlock()
	return what()
}

// Everything below, and everything unexported in the other files, is called with
// the mutex held, unless its comment says that it takes the mutex itself.

func (s *Slack) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Slack) now() time.Time { return time.Now().Add(s.offset) }

// stamp makes a ts: the time in microseconds, unique and increasing.
func (s *Slack) stamp() string {
	us := max(s.now().UnixMicro(), s.last+1)
	for s.used[stampOf(us)] {
		us++
	}
	s.last = us
	s.used[stampOf(us)] = true
	return stampOf(us)
}

func stampOf(us int64) string { return fmt.Sprintf("%d.%06d", us/1e6, us%1e6) }

// id makes an id such as "Ev0A1B2C3D4E".
func (s *Slack) id(prefix string) string { return fmt.Sprintf("%s%011X", prefix, s.rand.Uint64()>>20) }

func (s *Slack) uuid() string {
	a, b := s.rand.Uint64(), s.rand.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>52, b&0xffffffffffff)
}

// task is something to be done later.
type task struct {
	at time.Time
	do func()
}

// after calls do later, with the mutex held; calls that are due at the same instant
// are made in the order in which they were scheduled.
func (s *Slack) after(d time.Duration, do func()) {
	at := time.Now().Add(d)
	i, _ := slices.BinarySearchFunc(s.tasks, at, func(t task, at time.Time) int {
		if t.at.After(at) {
			return 1
		}
		return -1
	})
	s.tasks = slices.Insert(s.tasks, i, task{at, do})
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// keepTime is the one goroutine that runs due tasks. It takes the mutex itself.
func (s *Slack) keepTime() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-s.wake:
		case <-s.done:
			return
		}
		s.mu.Lock()
		for len(s.tasks) > 0 && !s.tasks[0].at.After(time.Now()) {
			do := s.tasks[0].do
			s.tasks = s.tasks[1:]
			do()
		}
		if len(s.tasks) > 0 {
			timer.Reset(time.Until(s.tasks[0].at))
		}
		s.mu.Unlock()
	}
}
