package web

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// pace is how fast calls may go: calls per second, and burst.
type pace struct {
	rate  rate.Limit
	burst int
}

func perMinute(n float64, burst int) pace { return pace{rate.Limit(n / 60), burst} }

// paceOf returns the pace of a Web API method for the whole workspace and for one
// channel. Slack allows about one message a second and channel, 50 calls a
// minute of tier 3 (reactions.add, chat.update, the look-ups of posts) and 20 of
// tier 2 (reactions.remove). One channel gets at most four fifths, so that
// thousands of calls in one do not block another.
func paceOf(method string) (all, channel pace) {
	switch method {
	case "chat.postMessage":
		return pace{rate.Inf, 1}, pace{1, 4}
	case "reactions.add", "chat.update", "conversations.replies", "conversations.history":
		return perMinute(50, 10), perMinute(40, 8)
	case "reactions.remove":
		return perMinute(20, 5), perMinute(16, 4)
	}
	return pace{rate.Inf, 1}, pace{rate.Inf, 1}
}

// limits keeps the bot within Slack's rate limits. It never waits: it returns when
// a call may come back, and each call has a place in line, so that refused calls
// do not all come back at the same time.
type limits struct {
	mu      sync.Mutex
	buckets map[string]*bucket // by method, and by method and channel
	places  map[string]spot    // by call
	swept   time.Time
}

// bucket is the tokens of a method, or of one channel of a method.
type bucket struct {
	tokens  *rate.Limiter
	blocked time.Time // Slack answered 429: not before this
}

// spot is the place of a call in one of its two lines.
type spot struct {
	bucket *bucket
	at     time.Time // when its token is available
}

func newLimits() *limits {
	return &limits{buckets: map[string]*bucket{}, places: map[string]spot{}}
}

// enter returns 0 if a call may go now, or how long until it should ask again. what
// distinguishes the call from others of its channel, and is the same when it comes back.
func (l *limits) enter(method, channel, what string) time.Duration {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	call := method + " " + channel + " " + what
	all, one := l.pair(method, channel)
	held, inLine := l.places[call]
	for _, b := range []*bucket{one, all} {
		if inLine && held.bucket == all && b == one {
			continue // it has passed its channel's line
		}
		at := held.at
		if !inLine || held.bucket != b || !at.After(now) && b.blocked.After(now) {
			at = b.spot(now)
		}
		if at.After(now) {
			l.places[call] = spot{b, at}
			return at.Sub(now)
		}
	}
	delete(l.places, call)
	return 0
}

// block records a 429. Slack limits messages per channel, other calls per method.
func (l *limits) block(method, channel string, wait time.Duration) {
	until := time.Now().Add(wait)
	l.mu.Lock()
	defer l.mu.Unlock()
	all, one := l.pair(method, channel)
	b := all
	if method == "chat.postMessage" {
		b = one
	}
	if until.After(b.blocked) {
		b.blocked = until
	}
}

func (l *limits) pair(method, channel string) (all, one *bucket) {
	allPace, onePace := paceOf(method)
	return l.bucket(method, allPace), l.bucket(method+" "+channel, onePace)
}

func (l *limits) bucket(name string, p pace) *bucket {
	b, ok := l.buckets[name]
	if !ok {
		b = &bucket{tokens: rate.NewLimiter(p.rate, p.burst)}
		l.buckets[name] = b
	}
	return b
}

// spot reserves the next token and returns when it is available.
func (b *bucket) spot(now time.Time) time.Time {
	from := now
	if b.blocked.After(now) {
		from = b.blocked
	}
	return from.Add(b.tokens.ReserveN(from, 1).DelayFrom(from))
}

// sweepEvery is how often idle buckets are dropped, and how long a place is kept
// for a call that does not come back.
const sweepEvery = time.Minute

func (l *limits) sweep(now time.Time) {
	if now.Sub(l.swept) < sweepEvery {
		return
	}
	l.swept = now
	for call, p := range l.places {
		if now.Sub(p.at) > sweepEvery {
			delete(l.places, call)
		}
	}
	for name, b := range l.buckets {
		if now.After(b.blocked) && b.tokens.TokensAt(now) >= float64(b.tokens.Burst()) {
			delete(l.buckets, name)
		}
	}
}
