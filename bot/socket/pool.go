package socket

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/deploy/engine"
)

const (
	// stagger keeps connections from being opened together.
	stagger = time.Second
	// settledAfter is how long a connection must last to end a streak of failures.
	settledAfter = 10 * time.Second
)

var errDroppedEarly = errors.New("Slack closed the socket shortly after its hello")

// Pool holds the bot's connections to Slack's Socket Mode. Each is replaced
// before it is retired if Slack gives notice, and at once if not. They share the
// budget for opening and nothing else.
type Pool struct {
	// Open asks Slack for a websocket's URL (apps.connections.open). It must return when its context ends.
	Open func(ctx context.Context) (url string, err error)
	// Handle takes an envelope by its type (events_api, interactive, ...) and
	// reports whether to ack it; Slack delivers again what is not acked. It is
	// called by many goroutines, and must return when its context ends. then, if not
	// nil, is called once the ack is written, or failed to be; nobody waits for it.
	Handle func(ctx context.Context, envelope string, payload json.RawMessage, attempt int) (ack bool, then func())
	// Acked, if not nil, is told how long each envelope took from its arrival to its ack.
	Acked func(envelope string, took time.Duration)
	// Count is the number of connections to hold, at least 1.
	Count int
	// Drain bounds the wait for running handlers when a connection ends.
	Drain time.Duration
	// Recount, if not 0, is how soon a connection is reopened after a hello that
	// counted connections of others, to see whether they still exist: for a while
	// Slack also counts connections that died without notice.
	Recount time.Duration

	Dial  func(ctx context.Context, network, addr string) (net.Conn, error)
	Proxy func(*http.Request) (*url.URL, error) // none if nil

	Rand func() float64 // in [0,1), for jitter; math/rand's if nil
	Log  zerolog.Logger

	running sync.WaitGroup // one for each slot, connection and handler
	budget  *rate.Limiter  // of opens

	held   sync.Map // its keys are the connections (*conn)
	others atomic.Int64

	mu         sync.Mutex // never held while waiting
	refusal    refusal
	refusedAt  time.Time
	quietUntil time.Time // by Slack's Retry-After

	opens, envelopes, lostAcks atomic.Int64
}

// Status describes the connections at one moment.
type Status struct {
	Open      int    // connections that events arrive on
	Others    int    // connections of other processes to this app, by the last hello
	Refusal   string // why the last try opened nothing, with the fix; empty after a success
	Permanent bool   // only an operator can fix Refusal
	Opens     int64  // calls of Open
	Envelopes int64  // envelopes received
	LostAcks  int64  // acks that could not be written
}

// Ready reports whether Slack's events arrive.
func (s Status) Ready() bool { return s.Open > 0 && !s.Permanent }

// Run holds the connections until ctx ends. Then it accepts nothing new, waits
// for the running handlers (their context ends after Drain), has their acks
// written, closes, and returns when all its goroutines have ended.
func (p *Pool) Run(ctx context.Context) {
	handling, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	p.budget = rate.NewLimiter(rate.Every(openEvery), openBurst)
	for i := range p.Count {
		p.running.Go(func() { p.maintain(ctx, handling, time.Duration(i)*stagger) })
	}
	<-ctx.Done()
	bound := time.AfterFunc(p.Drain, cancel)
	defer bound.Stop()
	p.running.Wait()
}

// Status is for readiness and metrics.
func (p *Pool) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	status := Status{
		Others:  int(p.others.Load()),
		Refusal: p.refusal.words, Permanent: p.refusal.permanent,
		Opens: p.opens.Load(), Envelopes: p.envelopes.Load(), LostAcks: p.lostAcks.Load(),
	}
	for k := range p.held.Range {
		if k := k.(*conn); k.open() && (k.lasted.Load() || !p.refusal.early) {
			status.Open++
		}
	}
	return status
}

// maintain keeps one connection open, from a moment on.
//
// Only a break counts as a failure: a connection that Slack asks to replace is
// replaced at once, however young it is, and the budget for opening bounds that.
func (p *Pool) maintain(ctx, handling context.Context, wait time.Duration) {
	var old *conn // is to be replaced, and is read until then
	streak := 0   // failures since a connection lasted
	for engine.Pause(ctx, wait) {
		k, err := p.open(ctx, handling)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			streak++
			wait = p.refused(err, streak)
			continue
		case old == nil:
		case old.cutOff():
			streak++
			p.refused(errDroppedEarly, streak)
		default:
			streak = 0
			p.accepted(true)
			old.retire()
		}
		p.awaitReplacement(k)
		if ctx.Err() != nil {
			return
		}
		if k.lasted.Load() {
			streak = 0
		}
		old, wait = k, 0
		// mutant: a graceful refresh that counts as a failure
		if cause := k.err(); cause != nil {
			old = nil
			if !k.lasted.Load() {
				streak++
			}
			switch no := (*web.SlackError)(nil); {
			case errors.As(cause, &no):
				wait = p.refused(no, streak)
			case !k.lasted.Load():
				wait = p.refused(errDroppedEarly, streak)
			default:
				wait = p.backoff(0)
			}
		}
	}
}

// awaitReplacement returns when the connection must be replaced.
func (p *Pool) awaitReplacement(k *conn) {
	settle := time.After(settledAfter)
	var recount <-chan time.Time
	if p.Recount > 0 && p.Status().Others > 0 {
		recount = time.After(p.Recount)
	}
	for {
		select {
		case <-settle:
			k.lasted.Store(true)
			p.accepted(true)
			continue
		case <-recount:
		case <-k.leaving:
		case <-k.life.Done():
		}
		return
	}
}

// onHello records a connection's hello.
func (p *Pool) onHello(k *conn) {
	others := k.said.NumConnections
	for held := range p.held.Range {
		if held == k || isClosed(held.(*conn).hello) {
			others--
		}
	}
	p.others.Store(int64(max(0, others)))
	p.accepted(false)
	k.log.Info().Str("host", k.said.DebugInfo.Host).Int64("others", p.others.Load()).Msg("Slack socket is open")
}

func (p *Pool) jitter(most time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Rand == nil {
		return time.Duration(rand.Float64() * float64(most))
	}
	return time.Duration(p.Rand() * float64(most))
}
