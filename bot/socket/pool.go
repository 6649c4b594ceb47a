package socket

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/bot/web"
)

const (
	// socketStagger keeps sockets from being opened, and so from being refreshed, together.
	socketStagger = time.Second
	// socketSettled is how long a socket must last to end a streak of failures.
	socketSettled = 10 * time.Second
	// socketTurn bounds how long one refresh waits for another: Slack cuts about 10 s after its warning.
	socketTurn = 3 * time.Second
	// socketDrain is the default of Pool.Drain.
	socketDrain = 3 * time.Second
)

var errDroppedEarly = errors.New("Slack closed the socket shortly after its hello")

// Pool holds the bot's connections to Slack's Socket Mode. Each is replaced
// before it is left wherever Slack gives notice, and at once where it does not.
// They share the budget for opening and nothing else.
type Pool struct {
	// Open asks Slack for a websocket's URL (apps.connections.open). It must return when its context ends.
	Open func(ctx context.Context) (url string, err error)
	// Handle takes an envelope by its type (events_api, interactive, ...) and
	// reports whether to ack it; Slack delivers again what is not acked. It is
	// called by many goroutines, and must return when its context ends.
	Handle func(ctx context.Context, envelope string, payload json.RawMessage, attempt int) (ack bool)
	// Count is the number of connections to hold, at least 1.
	Count int
	// Drain bounds the wait for handlers in flight when a socket is left; 3 s if 0.
	Drain time.Duration
	// Recount, if not 0, is how soon a socket is opened anew after a hello that
	// counted connections of others, to see whether they are still there: for a
	// while Slack also counts sockets that died in silence.
	Recount time.Duration

	Dial  func(ctx context.Context, network, addr string) (net.Conn, error) // net.Dialer's if nil
	Proxy func(*http.Request) (*url.URL, error)                             // none if nil
	TLS   *tls.Config

	Rand func() float64 // in [0,1), for jitter; math/rand's if nil
	Log  zerolog.Logger

	running sync.WaitGroup // one for each connection to hold, one for each socket
	budget  *socketBudget
	refresh chan struct{} // held by the one that refreshes

	mu        sync.Mutex // never held while waiting
	held      map[*socket]struct{}
	others    int
	refusal   refusal
	refusedAt time.Time
	opens     int64
	envelopes int64
	lostAcks  int64
}

// Status is what can be said of the sockets at one moment.
type Status struct {
	Open      int    // sockets with a hello and fresh traffic
	Others    int    // connections to this app that are not of this process, by the last hello
	Refusal   string // why the last try brought no socket, with the mend; empty once one did
	Permanent bool   // only a person can mend what Refusal says
	Opens     int64  // calls of Open
	Envelopes int64  // envelopes received
	LostAcks  int64  // acks that could not be written
}

// Ready tells whether Slack's events arrive.
func (s Status) Ready() bool { return s.Open > 0 && !s.Permanent }

// Run holds the connections until ctx ends. Then it takes nothing new, waits
// for the handlers in flight (their context ends after Drain), has their acks
// written, closes, and returns when all its goroutines have ended.
func (s *Pool) Run(ctx context.Context) error {
	handling, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	if s.Drain == 0 {
		s.Drain = socketDrain
	}
	s.budget = newSocketBudget()
	s.refresh = make(chan struct{}, 1)
	s.mu.Lock()
	s.held = make(map[*socket]struct{})
	s.mu.Unlock()

	var last chan struct{}
	for range max(1, s.Count) {
		after, greeted := last, make(chan struct{})
		s.running.Go(func() {
			if after == nil || (waitFor(ctx, after) && pause(ctx, socketStagger)) {
				s.keep(ctx, handling, greeted)
			}
		})
		last = greeted
	}

	<-ctx.Done()
	bound := time.AfterFunc(s.Drain, cancel)
	defer bound.Stop()
	s.running.Wait()
	return nil
}

// Status is for readiness and metrics.
func (s *Pool) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := Status{
		Others:  s.others,
		Refusal: s.refusal.words, Permanent: s.refusal.permanent,
		Opens: s.opens, Envelopes: s.envelopes, LostAcks: s.lostAcks,
	}
	for k := range s.held {
		if k.open() {
			status.Open++
		}
	}
	return status
}

// keep holds one connection open. It closes greeted at the first hello.
//
// Only what broke counts as a failure: a socket that Slack asks to leave is
// replaced at once, however young it is, and the budget for opening bounds that.
func (s *Pool) keep(ctx, handling context.Context, greeted chan struct{}) {
	var (
		old    *socket // was asked to be left, and is read until its successor stands
		young  bool    // it had not lasted when it was asked
		streak int     // failures and sockets that broke young, in a row
		early  int     // sockets that broke young among them
		wait   time.Duration
	)
	for pause(ctx, wait) {
		k, err := s.replace(ctx, handling, old, early > 1)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			streak++
			wait = s.refused(err, streak)
			continue
		}
		switch {
		case old == nil:
		case young && old.cutShort():
			streak, early = streak+1, early+1
			s.refused(errDroppedEarly, streak)
		default:
			streak, early = 0, 0
			s.trust(k)
			old.leave()
		}
		if greeted != nil {
			close(greeted)
			greeted = nil
		}

		settled := s.watch(ctx, k)
		if ctx.Err() != nil {
			return
		}
		if settled {
			streak, early = 0, 0
		}
		wait, old, young = 0, k, !settled
		if early > 0 {
			wait = s.backoff(streak)
		}
		// mutant: a graceful refresh that counts as a failure
		if cause := k.gone(); cause != nil {
			old = nil
			if !settled {
				streak++
			}
			switch no := (*web.SlackError)(nil); {
			case errors.As(cause, &no):
				wait = s.refused(no, max(1, streak))
			case !settled:
				early++
				wait = s.refused(errDroppedEarly, streak)
			default:
				wait = s.backoff(0)
			}
		}
	}
}

// trust ends the doubt whether a socket lasts.
func (s *Pool) trust(k *socket) {
	if k.doubted.Swap(false) {
		s.accepted()
	}
}

// replace opens a socket. One that takes another's place while that is still
// read waits its turn, so that sockets which Slack refreshes together do not
// change together.
func (s *Pool) replace(ctx, handling context.Context, old *socket, doubted bool) (*socket, error) {
	if old != nil && old.gone() == nil {
		turn := time.NewTimer(socketTurn)
		defer turn.Stop()
		select {
		case s.refresh <- struct{}{}:
			defer func() { <-s.refresh }()
		case <-old.lost:
		case <-turn.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return s.open(ctx, handling, doubted)
}

// watch returns when the socket must be replaced, and tells whether it had
// lasted long enough to be no sign of trouble.
func (s *Pool) watch(ctx context.Context, k *socket) (settled bool) {
	settle := time.NewTimer(socketSettled)
	defer settle.Stop()
	var recount <-chan time.Time
	if s.Recount > 0 && s.Status().Others > 0 {
		timer := time.NewTimer(s.Recount)
		defer timer.Stop()
		recount = timer.C
	}
	for {
		select {
		case <-settle.C:
			settled = true
			s.trust(k)
			continue
		case <-recount:
		case <-k.leaving:
		case <-k.lost:
		case <-ctx.Done():
		}
		return settled
	}
}

// greeted notes a socket's hello.
func (s *Pool) greeted(k *socket, hello socketFrame) {
	s.mu.Lock()
	own := 0
	for held := range s.held {
		if held == k || held.met() {
			own++
		}
	}
	s.others = max(0, hello.NumConnections-own)
	others := s.others
	s.mu.Unlock()
	if !k.doubted.Load() {
		s.accepted()
	}
	k.log.Info().Str("host", hello.DebugInfo.Host).Int("others", others).Msg("Slack socket is open")
}

// accepted notes that Slack gives sockets again.
func (s *Pool) accepted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = refusal{}
}

// refused notes and logs why there is no socket, and returns how long to wait before the next try.
//
//docgen:messages log
func (s *Pool) refused(err error, streak int) time.Duration {
	r := refusalOf(err)
	s.mu.Lock()
	told := s.refusal.words == r.words && time.Since(s.refusedAt) < refusalRepeat
	s.refusal = r
	if !told {
		s.refusedAt = time.Now()
	}
	s.mu.Unlock()

	level := zerolog.WarnLevel
	switch {
	case told:
		level = zerolog.DebugLevel
	case r.permanent:
		level = zerolog.ErrorLevel
	}
	s.Log.WithLevel(level).Err(err).Int("streak", streak).Msg(r.words)

	if r.after > 0 {
		s.budget.hold(min(r.after, socketLongestHold) + s.jitter(time.Second))
	}
	if r.slow {
		return socketSlowest/2 + s.jitter(socketSlowest/2)
	}
	return s.backoff(streak)
}

func (s *Pool) count(n *int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	*n++
	return *n
}

func (s *Pool) jitter(most time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Rand == nil {
		return time.Duration(rand.Float64() * float64(most))
	}
	return time.Duration(s.Rand() * float64(most))
}

// pause waits and tells whether ctx still holds.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

func waitFor(ctx context.Context, c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	case <-ctx.Done():
		return false
	}
}
