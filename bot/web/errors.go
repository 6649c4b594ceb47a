package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/getto-systems/psycher/deploy/engine"
)

// When to try a failed call again, where Slack does not say: after a failure in
// between or at Slack, after a rate limit, after what only an operator can fix.
const (
	retryAfterDefault     = 5 * time.Second
	retryAfterLimit       = 10 * time.Second
	retryAfterOperatorFix = time.Minute
)

// SocketMode stands for the method in a refusal that came on a websocket.
const SocketMode = "Socket Mode"

// SlackError is Slack's refusal: {"ok": false, "error": Code}.
type SlackError struct {
	Method string
	Code   string
	Needed string // the missing scope, if that is the reason
}

// Is recognizes a reaction on a deleted message.
func (e *SlackError) Is(target error) bool {
	return target == engine.ErrMentionGone && e.Code == "message_not_found" && strings.HasPrefix(e.Method, "reactions.")
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

// Limited tells whether Slack asked to wait.
func Limited(err error) bool { return errors.As(err, new(*slack.RateLimitedError)) }

// resultOf is what the metrics call the result of a call.
func resultOf(err error) string {
	switch {
	case err == nil:
		return "ok"
	case Limited(err):
		return "limited"
	case errors.As(err, new(*SlackError)):
		return "refused"
	}
	return "failed"
}
