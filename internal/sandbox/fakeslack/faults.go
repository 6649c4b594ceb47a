package fakeslack

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/time/rate"
)

// Fault is how a call goes wrong: it waits for Delay, takes effect if Do is set,
// and is then answered with Status and Body, or cut, or not answered at all. With
// none of these it takes effect and is answered as usual.
type Fault struct {
	Delay  time.Duration
	Do     bool
	Cut    bool // the connection is cut in place of an answer
	Hang   bool // no answer until the client goes
	Status int
	Header http.Header
	Body   string
}

// RateLimited answers 429 with Retry-After.
func RateLimited(after time.Duration) Fault {
	return Fault{Status: http.StatusTooManyRequests, Body: `{"ok":false,"error":"ratelimited"}`, Header: retryAfter(strconv.Itoa(int(math.Ceil(after.Seconds()))))}
}

// RateLimitedFraction answers 429 with "Retry-After: 1.5".
func RateLimitedFraction() Fault {
	f := RateLimited(0)
	f.Header = retryAfter("1.5")
	return f
}

// RateLimitedOK answers 200 with the error "ratelimited", and no header.
func RateLimitedOK() Fault { return Fails("ratelimited") }

// Fails answers 200 with an error code; an empty code leaves the field out.
func Fails(code string) Fault {
	body := map[string]any{"ok": false}
	if code != "" {
		body["error"] = code
	}
	return Fault{Status: http.StatusOK, Body: string(marshal(body))}
}

// Broken answers 500.
func Broken() Fault {
	return Fault{Status: http.StatusInternalServerError, Body: `{"ok":false,"error":"internal_error"}`}
}

// Unavailable answers 503 with a page for people.
func Unavailable() Fault {
	return Fault{Status: http.StatusServiceUnavailable, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<html><body>Slack is down</body></html>"}
}

// Hang does not answer until the client goes.
func Hang() Fault { return Fault{Hang: true} }

// Cut cuts the connection before anything is done.
func Cut() Fault { return Fault{Cut: true} }

// LoseAnswer lets the call take effect and cuts the connection.
func LoseAnswer() Fault { return Fault{Do: true, Cut: true} }

// Delayed lets the call take effect later.
func Delayed(d time.Duration) Fault { return Fault{Do: true, Delay: d} }

func retryAfter(s string) http.Header { return http.Header{"Retry-After": {s}} }

type planned struct {
	times int
	fault Fault
}

// faults is what goes wrong, on command.
type faults struct {
	plan     map[string][]planned // by method
	revoked  map[string]bool      // scopes
	noReply  string               // the error for replies in threads; empty: they are accepted
	noBlocks string               // the error for messages with blocks; empty: they are accepted
	limited  bool
	limiters map[string]*rate.Limiter

	refusals             []int
	noHello              bool
	dropAfterHello       bool
	disconnectAfterHello string
}

func newFaults() faults {
	return faults{plan: make(map[string][]planned), revoked: make(map[string]bool), limiters: make(map[string]*rate.Limiter)}
}

// Fail makes the next calls of a method go wrong, after faults that were ordered
// before; a negative number of times means until [Slack.Heal].
func (s *Slack) Fail(method string, times int, f Fault) {
	s.set(func() { s.plan[method] = append(s.plan[method], planned{times, f}) })
}

// Heal removes the faults that [Slack.Fail] ordered for a method.
func (s *Slack) Heal(method string) { s.set(func() { delete(s.plan, method) }) }

// Revoke takes a scope from the bot: methods that need it answer missing_scope.
func (s *Slack) Revoke(scope string) { s.set(func() { s.revoked[scope] = true }) }

// CloseThreads refuses every reply in a thread with a code, such as
// "restricted_action_thread_locked"; an empty one accepts them again. Messages in
// the channel itself are always accepted.
func (s *Slack) CloseThreads(code string) { s.set(func() { s.noReply = code }) }

// RefuseBlocks refuses every message with blocks with a code, such as
// "invalid_blocks"; an empty one accepts them again.
func (s *Slack) RefuseBlocks(code string) { s.set(func() { s.noBlocks = code }) }

// Limits holds calls to Slack's rates.
func (s *Slack) Limits(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limited = on
	clear(s.limiters)
}

// RefuseHandshakes answers the next dials of a web socket with an HTTP status.
func (s *Slack) RefuseHandshakes(times, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range times {
		s.refusals = append(s.refusals, status)
	}
}

// NoHello lets new sockets wait for their hello forever.
func (s *Slack) NoHello(on bool) { s.set(func() { s.noHello = on }) }

// DropAfterHello cuts new sockets after their hello.
func (s *Slack) DropAfterHello(on bool) { s.set(func() { s.dropAfterHello = on }) }

// DisconnectAfterHello disconnects new sockets after their hello, for a reason
// such as "link_disabled"; an empty one turns it off.
func (s *Slack) DisconnectAfterHello(reason string) {
	s.set(func() { s.disconnectAfterHello = reason })
}

// fault returns the fault that is ordered for this call.
func (s *Slack) fault(method string) (f Fault, ok bool) {
	plan := s.plan[method]
	for len(plan) > 0 && plan[0].times == 0 {
		plan = plan[1:]
	}
	s.plan[method] = plan
	if len(plan) == 0 {
		return Fault{}, false
	}
	plan[0].times--
	return plan[0].fault, true
}

// limit is how long a call must wait by Slack's rates. perMinute is the method's
// tier; a channel has a rate of its own, of one message a second.
func (s *Slack) limit(method, channel string, perMinute int) time.Duration {
	if !s.limited {
		return 0
	}
	wait := s.reserve(method, rate.Limit(float64(perMinute)/60), perMinute)
	if wait == 0 && method == "chat.postMessage" {
		wait = s.reserve(method+" "+channel, 1, 5)
	}
	return wait
}

func (s *Slack) reserve(name string, limit rate.Limit, burst int) time.Duration {
	if s.limiters[name] == nil {
		s.limiters[name] = rate.NewLimiter(limit, burst)
	}
	now := time.Now()
	r := s.limiters[name].ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}
