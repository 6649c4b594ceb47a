package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/deploy/engine"
)

// When to try again what failed for the time being: on the way or at Slack; by a
// limit whose end is not said; by something that people must mend.
const (
	laterAfter = 5 * time.Second
	limitAfter = 10 * time.Second
	mendAfter  = time.Minute
	limitMost  = time.Hour
)

// wholeAnswer is the key of a context under which a call leaves a place for the
// answer as it came.
type wholeAnswer struct{}

// answerMost is how much of an answer is read: the largest, 200 messages of a
// thread, is far below.
const answerMost = 16 << 20

// SlackError is Slack's own no: {"ok": false, "error": Code}.
type SlackError struct {
	Method string
	Code   string
	Needed string // the missing scope, where it is one
}

func (e *SlackError) Error() string { return e.Method + ": Slack says " + e.Code }

// Unwrap gives slack-go's own error, for those who go by that.
func (e *SlackError) Unwrap() error { return slack.SlackErrorResponse{Err: e.Code, Needed: e.Needed} }

// Is tells a reaction on a message that was deleted.
func (e *SlackError) Is(target error) bool {
	return target == engine.ErrMentionGone && e.Code == "message_not_found" && strings.HasPrefix(e.Method, "reactions.")
}

// limitError is Slack's 429, in any of its shapes.
type limitError struct {
	method string
	after  time.Duration
}

func (e *limitError) Error() string {
	return fmt.Sprintf("%s: Slack's rate limit, for %s", e.method, e.after)
}

func (e *limitError) Unwrap() error { return &slack.RateLimitedError{RetryAfter: e.after} }

// wayError is a call that got no answer of Slack's methods: the way to Slack, a
// proxy, or Slack's front failed.
type wayError struct {
	method  string
	after   time.Duration
	notDone bool // it certainly did not reach the method
	err     error
}

func (e *wayError) Error() string { return e.method + ": " + e.err.Error() }
func (e *wayError) Unwrap() error { return e.err }

// caller is slack-go's HTTP client. It reads each answer whole and hands on only
// those that say ok, cut down to what the bot needs: slack-go takes {"ok": false}
// without an error for success and fails on a Retry-After of 1.5, and one odd
// block that somebody wrote into a thread would make all of it unreadable.
type caller struct {
	http  *http.Client
	clock *clock
}

// Do makes one call.
func (c *caller) Do(req *http.Request) (*http.Response, error) {
	method := path.Base(req.URL.Path)
	var asked, connected atomic.Bool // without a connection, nothing was sent
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GetConn: func(string) { asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	resp, err := c.http.Do(req.WithContext(ctx))
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, &wayError{method, laterAfter, asked.Load() && !connected.Load(), err}
	}
	defer resp.Body.Close()
	c.clock.learn(resp.Header)
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerMost))
	after, said := retryAfter(resp.Header)
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		return nil, &limitError{method, after}
	case resp.StatusCode != http.StatusOK:
		return nil, statusError(method, resp.StatusCode, after, said)
	case err != nil:
		return nil, &wayError{method, laterAfter, false, fmt.Errorf("read the answer: %w", err)}
	}
	if whole, ok := req.Context().Value(wholeAnswer{}).(*[]byte); ok {
		*whole = body
	}
	a, err := readAnswer(body)
	switch {
	case err != nil:
		return nil, &wayError{method, laterAfter, false, err}
	case a.OK:
	case a.Error == "ratelimited", a.Error == "rate_limited":
		return nil, &limitError{method, after}
	case a.Error == "":
		return nil, &wayError{method, laterAfter, false, errors.New("the answer is not ok, and does not say why")}
	default:
		return nil, &SlackError{method, markup.Shorten(string(a.Error), 80), markup.Shorten(string(a.Needed), 200)}
	}
	lean, err := json.Marshal(a)
	if err != nil {
		return nil, &wayError{method, laterAfter, false, fmt.Errorf("write the answer down: %w", err)}
	}
	resp.Body = io.NopCloser(bytes.NewReader(lean))
	return resp, nil
}

// statusError judges an HTTP status that none of Slack's methods gives: a 3xx
// or 4xx is of somebody who did not hand the call on.
func statusError(method string, status int, after time.Duration, said bool) error {
	e := &wayError{method: method, after: laterAfter, err: fmt.Errorf("HTTP status %d", status)}
	if status < 500 && status != http.StatusRequestTimeout {
		e.after, e.notDone = mendAfter, true
	}
	if said {
		e.after = after
	}
	return e
}

// retryAfter reads the header: seconds, now and then with a fraction.
func retryAfter(h http.Header) (after time.Duration, said bool) {
	s, err := strconv.ParseFloat(h.Get("Retry-After"), 64)
	if err != nil || !(s >= 0) {
		return limitAfter, false
	}
	s = math.Ceil(min(max(s, 1), limitMost.Seconds()))
	return time.Duration(s) * time.Second, true
}

// answer is what the bot needs of all the answers.
type answer struct {
	OK       bool            `json:"ok"`
	Error    markup.Lenient  `json:"error,omitempty"`
	Needed   markup.Lenient  `json:"needed,omitempty"`
	TS       markup.Lenient  `json:"ts,omitempty"`
	URL      markup.Lenient  `json:"url,omitempty"`
	TeamID   markup.Lenient  `json:"team_id,omitempty"`
	Org      markup.Lenient  `json:"enterprise_id,omitempty"`
	UserID   markup.Lenient  `json:"user_id,omitempty"`
	BotID    markup.Lenient  `json:"bot_id,omitempty"`
	Messages []answerMessage `json:"messages,omitempty"`
	HasMore  bool            `json:"has_more,omitempty"`
	Next     struct {
		Cursor markup.Lenient `json:"next_cursor,omitempty"`
	} `json:"response_metadata"`
}

type answerMessage struct {
	TS       markup.Lenient `json:"ts,omitempty"`
	User     markup.Lenient `json:"user,omitempty"`
	BotID    markup.Lenient `json:"bot_id,omitempty"`
	Metadata struct {
		Type    markup.Lenient `json:"event_type,omitempty"`
		Payload struct {
			ID   markup.Lenient `json:"id,omitempty"`
			Slot markup.Lenient `json:"slot,omitempty"`
		} `json:"event_payload"`
	} `json:"metadata"`
}

func readAnswer(body []byte) (a answer, err error) {
	err = json.Unmarshal(body, &a)
	var odd *json.UnmarshalTypeError // in one field: the others are read
	if errors.As(err, &odd) && len(bytes.TrimSpace(body)) > 0 && bytes.TrimSpace(body)[0] == '{' {
		err = nil
	}
	if err != nil {
		return answer{}, errors.New("the answer is not Slack's JSON")
	}
	return a, nil
}
