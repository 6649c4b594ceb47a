package web

import (
	"errors"
	"fmt"
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

func (e *SlackError) Error() string { return e.Method + ": Slack says " + e.Code }

// Unwrap returns slack-go's own error.
func (e *SlackError) Unwrap() error { return slack.SlackErrorResponse{Err: e.Code, Needed: e.Needed} }

// Is recognizes a reaction on a deleted message.
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

// transportError is a call without an answer of a Slack method: the network, a
// proxy or Slack's edge failed.
type transportError struct {
	method  string
	after   time.Duration
	notSent bool // it certainly did not reach the method
	err     error
}

func (e *transportError) Error() string { return e.method + ": " + e.err.Error() }
func (e *transportError) Unwrap() error { return e.err }

// classify turns the result of a call into the error that the engine goes by: nil;
// [*engine.LaterError] if it was not done, or repeating it does no harm;
// [*engine.LostError] for a post that may have been made; [*engine.PassingError]
// or [*engine.ThreadError] for a refusal of that kind; else Slack's final refusal.
func classify(method string, err error) error {
	if err == nil {
		return nil
	}
	var limit *limitError
	var transport *transportError
	var no *SlackError
	switch {
	case errors.As(err, &limit):
		return &engine.LaterError{After: limit.after, Err: limit}
	case errors.As(err, &transport):
		return unanswered(method, transport.after, transport.notSent, transport)
	case !errors.As(err, &no): // slack-go itself failed: before the call, or on an answer that said ok
		return unanswered(method, retryAfterDefault, false, fmt.Errorf("%s: %w", method, err))
	}
	switch reasonFor(no.Code).effect {
	case alreadyDone:
		return nil
	case unclear:
		return unanswered(method, retryAfterDefault, false, no)
	case token:
		// The scope that posts are looked up with is optional.
		if no.Code != "missing_scope" || !isLookup(method) {
			return &engine.LaterError{After: retryAfterOperatorFix, Err: &AuthError{no}}
		}
	case threadClosed:
		if method == postMethod {
			return &engine.ThreadError{Err: no}
		}
	case operator, retryable:
		return &engine.PassingError{Err: no}
	}
	return no
}

func isLookup(method string) bool {
	return method == "conversations.replies" || method == "conversations.history"
}

func unanswered(method string, after time.Duration, notSent bool, err error) error {
	if method == postMethod && !notSent {
		return &engine.LostError{Err: err}
	}
	return &engine.LaterError{After: after, Err: err}
}

// unwrapAuth takes a refused token out of the LaterError that the engine needs
// around it.
func unwrapAuth(err error) error {
	var auth *AuthError
	if errors.As(err, &auth) {
		return auth
	}
	return err
}
