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
	"sync/atomic"
	"time"

	"github.com/getto-systems/psycher/bot/markup"
)

// retryAfterMost is the longest wait that is believed.
const retryAfterMost = time.Hour

// wholeAnswer is the context key of a *[]byte that receives the whole answer.
type wholeAnswer struct{}

// answerMost is how much of an answer is read, far above the largest: 200
// messages of a thread.
const answerMost = 16 << 20

// caller is slack-go's HTTP client. It reads each answer whole and passes on only
// those that say ok, reduced to what the bot needs: slack-go takes {"ok": false}
// without an error for success and fails on a Retry-After of 1.5, and one odd
// block in somebody's message would make a whole thread unreadable.
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
		return nil, &transportError{method, retryAfterDefault, asked.Load() && !connected.Load(), err}
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
		return nil, &transportError{method, retryAfterDefault, false, fmt.Errorf("read the answer: %w", err)}
	}
	if whole, ok := req.Context().Value(wholeAnswer{}).(*[]byte); ok {
		*whole = body
	}
	a, err := readAnswer(body)
	switch {
	case err != nil:
		return nil, &transportError{method, retryAfterDefault, false, err}
	case a.OK:
	case a.Error == "ratelimited", a.Error == "rate_limited":
		return nil, &limitError{method, after}
	case a.Error == "":
		return nil, &transportError{method, retryAfterDefault, false, errors.New("the answer is not ok, and does not say why")}
	default:
		return nil, &SlackError{method, markup.Shorten(string(a.Error), 80), markup.Shorten(string(a.Needed), 200)}
	}
	lean, err := json.Marshal(a)
	if err != nil {
		return nil, &transportError{method, retryAfterDefault, false, fmt.Errorf("encode the answer: %w", err)}
	}
	resp.Body = io.NopCloser(bytes.NewReader(lean))
	return resp, nil
}

// statusError classifies a status the Web API never returns: 3xx and 4xx come
// from a proxy that did not forward the call.
func statusError(method string, status int, after time.Duration, said bool) error {
	e := &transportError{method: method, after: retryAfterDefault, err: fmt.Errorf("HTTP status %d", status)}
	if status < 500 && status != http.StatusRequestTimeout {
		e.after, e.notSent = retryAfterOperatorFix, true
	}
	if said {
		e.after = after
	}
	return e
}

// retryAfter reads the header: seconds, sometimes with a fraction.
func retryAfter(h http.Header) (after time.Duration, said bool) {
	s, err := strconv.ParseFloat(h.Get("Retry-After"), 64)
	if err != nil || !(s >= 0) {
		return retryAfterLimit, false
	}
	s = math.Ceil(min(max(s, 1), retryAfterMost.Seconds()))
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
