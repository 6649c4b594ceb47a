package web

import (
	"cmp"
	"maps"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

func perMinute(n float64, burst int) *rate.Limiter { return rate.NewLimiter(rate.Limit(n/60), burst) }

// newTokens returns the tokens of a Web API method for the whole workspace and for
// one channel. Slack allows about one message a second and channel, 50 calls a
// minute of tier 3 (reactions.add, chat.update, the look-ups of posts) and 20 of
// tier 2 (reactions.remove, user groups). One channel gets at most four fifths, so that
// thousands of calls in one do not block another.
func newTokens(method string) (all, channel *rate.Limiter) {
	switch method {
	case postMethod:
		return rate.NewLimiter(rate.Inf, 1), perMinute(60, 4)
	case "reactions.add", "chat.update", "conversations.replies", "conversations.history":
		return perMinute(50, 10), perMinute(40, 8)
	case "reactions.remove", groupMethod, "usergroups.list":
		return perMinute(20, 5), perMinute(16, 4)
	}
	return rate.NewLimiter(rate.Inf, 1), rate.NewLimiter(rate.Inf, 1)
}

// limits keeps the bot within Slack's rate limits. It never waits: it returns when
// a call may come back, and each call has a place in line, so that refused calls
// do not all come back at the same time.
type limits struct {
	mu      sync.Mutex
	buckets map[string]*bucket // by method, and by method and channel
	swept   time.Time
}

func newLimits() *limits { return &limits{buckets: map[string]*bucket{}} }

// bucket is the tokens of a method, or of one channel of a method.
type bucket struct {
	tokens  *rate.Limiter
	blocked time.Time            // Slack answered 429: not before this
	places  map[string]time.Time // by call: when its token is available
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
	if _, pastOne := all.places[call]; !pastOne {
		if wait := one.enter(call, now); wait > 0 {
			return wait
		}
	}
	return all.enter(call, now)
}

func (b *bucket) enter(call string, now time.Time) time.Duration {
	at, inLine := b.places[call]
	if !inLine || !at.After(now) && b.blocked.After(now) {
		from := now
		if b.blocked.After(now) {
			from = b.blocked
		}
		at = from.Add(b.tokens.ReserveN(from, 1).DelayFrom(from))
	}
	if at.After(now) {
		b.places[call] = at
		return at.Sub(now)
	}
	delete(b.places, call)
	return 0
}

// block records a 429. Slack limits messages per channel, other calls per method.
func (l *limits) block(method, channel string, wait time.Duration) {
	until := time.Now().Add(wait)
	l.mu.Lock()
	defer l.mu.Unlock()
	b, one := l.pair(method, channel)
	if method == postMethod {
		b = one
	}
	if until.After(b.blocked) {
		b.blocked = until
	}
}

// pair are the buckets that a call needs a token of.
func (l *limits) pair(method, channel string) (all, one *bucket) {
	name := method + " " + channel
	if all, one = l.buckets[method], l.buckets[name]; all == nil || one == nil {
		ofAll, ofOne := newTokens(method)
		all = cmp.Or(all, &bucket{tokens: ofAll, places: map[string]time.Time{}})
		one = cmp.Or(one, &bucket{tokens: ofOne, places: map[string]time.Time{}})
		l.buckets[method], l.buckets[name] = all, one
	}
	return all, one
}

// sweepEvery is how often idle buckets are dropped, and how long a place is kept
// for a call that does not come back.
const sweepEvery = time.Minute

func (l *limits) sweep(now time.Time) {
	if now.Sub(l.swept) < sweepEvery {
		return
	}
	l.swept = now
	for name, b := range l.buckets {
		maps.DeleteFunc(b.places, func(_ string, at time.Time) bool { return now.Sub(at) > sweepEvery })
		if now.After(b.blocked) && len(b.places) == 0 && b.tokens.TokensAt(now) >= float64(b.tokens.Burst()) {
			delete(l.buckets, name)
		}
	}
}
