package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/deploy/engine"
)

// maxAnswer is how much of an answer is read, far above the largest: 200
// messages of a thread.
const maxAnswer = 16 << 20

// When to try a failed call again, where Slack does not say: after a failure in
// between or at Slack, after a rate limit, after what only an operator can fix.
const (
	retryAfterDefault     = 5 * time.Second
	retryAfterLimit       = 10 * time.Second
	retryAfterOperatorFix = time.Minute
)

// exchange is slack-go's HTTP client for one call. It reads the answer itself and
// only tells slack-go that all is well: slack-go takes {"ok": false} without an
// error for success and fails on a Retry-After of 1.5, and one odd block in
// somebody's message would make a whole thread unreadable.
type exchange struct {
	*Client
	method, channel string
	answer          answer
}

// Do makes the call. Its error is the one that the engine goes by.
func (x *exchange) Do(req *http.Request) (*http.Response, error) {
	x.answer = answer{} // a call may be made once more
	var connected atomic.Bool
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	resp, err := x.http.Do(req.WithContext(ctx))
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err
	}
	switch {
	case err != nil && !connected.Load(): // nothing was sent
		return nil, x.later(retryAfterDefault, err)
	case err != nil:
		return nil, x.unanswered(retryAfterDefault, err)
	}
	defer resp.Body.Close()
	x.clock.learn(resp.Header)
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch status := fmt.Errorf("HTTP status %d", resp.StatusCode); {
	case resp.StatusCode == http.StatusTooManyRequests:
		return nil, x.limited(resp.Header)
	case resp.StatusCode >= 500, resp.StatusCode == http.StatusRequestTimeout:
		return nil, x.unanswered(retryAfter(resp.Header, retryAfterDefault), status)
	case resp.StatusCode != http.StatusOK: // no method answers so: a proxy did not forward the call
		return nil, x.later(retryAfter(resp.Header, retryAfterOperatorFix), status)
	case err != nil:
		return nil, x.unanswered(retryAfterDefault, fmt.Errorf("read the answer: %w", err))
	}
	x.answer.Scopes = strings.FieldsFunc(resp.Header.Get("X-OAuth-Scopes"), func(r rune) bool { return r == ',' || r == ' ' })
	a, odd := &x.answer, (*json.UnmarshalTypeError)(nil) // one field is odd: the others are read
	switch err := json.Unmarshal(body, a); {
	case err != nil && !errors.As(err, &odd):
		return nil, x.unanswered(retryAfterDefault, errors.New("the answer is not Slack's JSON"))
	case a.OK:
	case a.Error == "ratelimited", a.Error == "rate_limited":
		return nil, x.limited(resp.Header)
	case a.Error == "":
		return nil, x.unanswered(retryAfterDefault, errors.New("the answer is not ok, and does not say why"))
	default:
		no := &SlackError{x.method, markup.Shorten(a.Error, 80), markup.Shorten(a.Needed, 200)}
		if err := x.refusal(no); err != nil {
			return nil, err
		}
	}
	resp.Body = io.NopCloser(strings.NewReader(`{"ok": true}`))
	return resp, nil
}

// later is the error of a call that was not done, or that may be done twice.
func (x *exchange) later(after time.Duration, err error) error {
	return &engine.LaterError{After: after, Err: fmt.Errorf("%s: %w", x.method, err)}
}

// limited is the error of Slack's 429, in any of its shapes.
func (x *exchange) limited(h http.Header) error {
	after := retryAfter(h, retryAfterLimit)
	x.limits.block(x.method, x.channel, after)
	return x.later(after, &slack.RateLimitedError{RetryAfter: after})
}

// unanswered is the error of a call without an answer of a Slack method: the
// network, a proxy or Slack's edge failed, and a post may have been made.
func (x *exchange) unanswered(after time.Duration, err error) error {
	if x.method == postMethod {
		return &engine.LostError{Err: fmt.Errorf("%s: %w", x.method, err)}
	}
	return x.later(after, err)
}

// refusal is the error of a call that Slack refused: nil if no further call is
// needed, Slack's own where the refusal is final.
func (x *exchange) refusal(no *SlackError) error {
	err := fmt.Errorf("%s: %w", x.method, no)
	switch reasonFor(no.Code).effect {
	case alreadyDone:
		return nil
	case unclear:
		return x.unanswered(retryAfterDefault, no)
	case token:
		if no.refusesToken() {
			return &engine.LaterError{After: retryAfterOperatorFix, Err: no}
		}
	case threadClosed:
		if x.method == postMethod {
			return &engine.ThreadError{Err: err}
		}
	case operator, retryable:
		return &engine.PassingError{Err: err}
	}
	return err
}

// retryAfter reads the header: seconds, sometimes with a fraction. More than an
// hour is not believed.
func retryAfter(h http.Header, otherwise time.Duration) time.Duration {
	s, err := strconv.ParseFloat(h.Get("Retry-After"), 64)
	if err != nil || !(s >= 0) {
		return otherwise
	}
	return time.Duration(math.Ceil(min(max(s, 1), time.Hour.Seconds()))) * time.Second
}

// answer is what the bot needs of all the answers.
type answer struct {
	OK     bool   `json:"ok"`
	Error  string `json:"error"`
	Needed string `json:"needed"`
	TS     string `json:"ts"`
	URL    string `json:"url"`
	Installation
	Users  []string `json:"users"` // nil: the answer names none
	Groups []struct {
		ID     string `json:"id"`
		Handle string `json:"handle"`
	} `json:"usergroups"`
	Messages []message `json:"messages"`
	HasMore  bool      `json:"has_more"`
	Next     struct {
		Cursor string `json:"next_cursor"`
	} `json:"response_metadata"`
}

// message is a message of a thread or a channel.
type message struct {
	TS       string `json:"ts"`
	Subtype  string `json:"subtype"`
	User     string `json:"user"`
	BotID    string `json:"bot_id"`
	Metadata struct {
		Type    string `json:"event_type"`
		Payload struct {
			ID   string `json:"id"`
			Slot string `json:"slot"`
		} `json:"event_payload"`
	} `json:"metadata"`
	markup.Message
}

// isOf reports whether a message of the bot's own was posted for the place.
func (m message) isOf(at engine.Place) bool {
	is := m.Metadata
	return is.Type == metadataType && is.Payload.ID == at.Request.ID && is.Payload.Slot == at.Slot
}
