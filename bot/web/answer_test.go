package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// Every kind of answer, and what the loop is told: for a call that can be
// repeated, and for a post, which must not be doubled.
func TestEveryKindOfAnswer(t *testing.T) {
	seconds := func(s string) http.Header { return http.Header{"Retry-After": {s}} }
	for _, c := range []struct {
		name   string
		answer fakeAnswer
		react  string // nothing is success
		post   string
	}{
		{"success", says(`{"ok":true,"ts":"1700000001.000000"}`), "", ""},
		{"429 with seconds", fakeAnswer{status: 429, header: seconds("30")}, "later 30s", "later 30s"},
		{"429 with a fraction", fakeAnswer{status: 429, header: seconds("1.5")}, "later 2s", "later 2s"},
		{"429 without a header", fakeAnswer{status: 429, body: "slow down"}, "later 10s", "later 10s"},
		{"429 with an odd header", fakeAnswer{status: 429, header: seconds("NaN")}, "later 10s", "later 10s"},
		{"429 forever", fakeAnswer{status: 429, header: seconds("1e300")}, "later 1h0m0s", "later 1h0m0s"},
		{"200 ratelimited", says(`{"ok":false,"error":"ratelimited"}`), "later 10s", "later 10s"},
		{"200 rate_limited", says(`{"ok":false,"error":"rate_limited"}`), "later 10s", "later 10s"},
		{"500", fakeAnswer{status: 500, body: "<html>"}, "later 5s", "lost"},
		{"503 with a time", fakeAnswer{status: 503, header: seconds("7")}, "later 7s", "lost"},
		{"408", fakeAnswer{status: 408}, "later 5s", "lost"},
		{"403 of a proxy", fakeAnswer{status: 403}, "later 1m0s", "later 1m0s"},
		{"redirect to a login page", fakeAnswer{status: 302, header: http.Header{"Location": {"http://login.example/"}}}, "later 1m0s", "later 1m0s"},
		{"internal_error", says(`{"ok":false,"error":"internal_error"}`), "later 5s", "lost"},
		{"fatal_error", says(`{"ok":false,"error":"fatal_error"}`), "later 5s", "lost"},
		{"service_unavailable", says(`{"ok":false,"error":"service_unavailable"}`), "later 5s", "lost"},
		{"request_timeout", says(`{"ok":false,"error":"request_timeout"}`), "passing", "passing"},
		{"reset", fakeAnswer{err: errors.New("connection reset by peer")}, "later 5s", "lost"},
		{"cut in the answer", says(`{"ok":trueCUT`), "later 5s", "lost"},
		{"not JSON", says(`<html>hotel wifi</html>`), "later 5s", "lost"},
		{"JSON, but no answer", says(`[]`), "later 5s", "lost"},
		{"not ok without a reason", says(`{"ok":false}`), "later 5s", "lost"},
		{"ok without a message", says(`{"ok":true}`), "", "lost"},
		{"ok among odd fields", says(`{"ok":true,"ts":"1700000001.000000","warning":5,"message":{"blocks":"x"},"response_metadata":[]}`), "", ""},
		{"already_reacted", says(`{"ok":false,"error":"already_reacted"}`), "", "lost"},
		{"no_reaction", says(`{"ok":false,"error":"no_reaction"}`), "", "lost"},
		{"invalid_auth", says(`{"ok":false,"error":"invalid_auth"}`), "later 1m0s", "later 1m0s"},
		{"token_revoked", says(`{"ok":false,"error":"token_revoked"}`), "later 1m0s", "later 1m0s"},
		{"account_inactive", says(`{"ok":false,"error":"account_inactive"}`), "later 1m0s", "later 1m0s"},
		{"missing_scope", says(`{"ok":false,"error":"missing_scope","needed":"x"}`), "later 1m0s", "later 1m0s"},
		{"channel_not_found", says(`{"ok":false,"error":"channel_not_found"}`), "passing", "passing"},
		{"not_in_channel", says(`{"ok":false,"error":"not_in_channel"}`), "passing", "passing"},
		{"team_added_to_org", says(`{"ok":false,"error":"team_added_to_org"}`), "passing", "passing"},
		{"accesslimited", says(`{"ok":false,"error":"accesslimited"}`), "passing", "passing"},
		{"a_word_of_tomorrow", says(`{"ok":false,"error":"a_word_of_tomorrow"}`), "passing", "passing"},
		{"is_archived", says(`{"ok":false,"error":"is_archived"}`), "is_archived", "is_archived"},
		{"msg_too_long", says(`{"ok":false,"error":"msg_too_long"}`), "msg_too_long", "msg_too_long"},
		{"no_text", says(`{"ok":false,"error":"no_text"}`), "no_text", "no_text"},
		{"invalid_name", says(`{"ok":false,"error":"invalid_name"}`), "invalid_name", "invalid_name"},
		{"message_not_found", says(`{"ok":false,"error":"message_not_found"}`), "message_not_found", "thread"},
		{"thread_not_found", says(`{"ok":false,"error":"thread_not_found"}`), "thread_not_found", "thread"},
		{"thread_locked", says(`{"ok":false,"error":"thread_locked"}`), "thread_locked", "thread"},
		{"cannot_reply_to_message", says(`{"ok":false,"error":"cannot_reply_to_message"}`), "cannot_reply_to_message", "thread"},
		{"restricted_action_thread_locked", says(`{"ok":false,"error":"restricted_action_thread_locked"}`), "restricted_action_thread_locked", "thread"},
		{"restricted_action_of_tomorrow", says(`{"ok":false,"error":"restricted_action_of_tomorrow"}`), "restricted_action_of_tomorrow", "thread"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := t.Context()
			for _, call := range []struct {
				name string
				do   func(*Client) error
				want string
			}{
				{"React", func(a *Client) error { return a.React(ctx, key, "x") }, c.react},
				{"Unreact", func(a *Client) error { return a.Unreact(ctx, key, "x") }, c.react},
				{"Update", func(a *Client) error {
					return a.Update(ctx, key, "1700000001.000000", deploy.Message{ID: deploy.MsgGreet})
				}, c.react},
				{"Post", func(a *Client) error {
					_, err := a.Post(ctx, engine.Place{Request: mention, Slot: "s"}, deploy.Message{ID: deploy.MsgGreet})
					return err
				}, c.post},
			} {
				fake := &slackFake{answers: []fakeAnswer{c.answer}}
				err := call.do(apiOver(fake))
				if got := kind(err); got != call.want {
					t.Errorf("%s: %q (%v), want %q", call.name, got, err, call.want)
				}
				if err != nil && strings.Contains(err.Error(), testBotToken) {
					t.Errorf("%s: a token in %q", call.name, err)
				}
				if len(fake.calls) != 1 {
					t.Errorf("%s: %d calls, one is one try", call.name, len(fake.calls))
				}
			}
		})
	}
}

func kind(err error) string {
	var later *engine.LaterError
	var lost *engine.LostError
	var passing *engine.PassingError
	var closed *engine.ThreadError
	var no *SlackError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &later):
		return "later " + later.After.String()
	case errors.As(err, &lost):
		return "lost"
	case errors.As(err, &passing):
		return "passing"
	case errors.As(err, &closed):
		return "thread"
	case errors.As(err, &no):
		return no.Code
	}
	return "other"
}

func post(a *Client) error {
	_, err := a.Post(context.Background(), engine.Place{Request: mention, Slot: "s"}, deploy.Message{ID: deploy.MsgGreet})
	return err
}

func TestAPostWithoutAConnectionWasNotMade(t *testing.T) {
	for name, dial := range map[string]func(context.Context, string, string) (net.Conn, error){
		"refused": func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
		},
		"no name": func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.DNSError{Err: "no such host", Name: "slack.com"}
		},
		"no TLS": func(context.Context, string, string) (net.Conn, error) {
			c, s := net.Pipe()
			return c, s.Close()
		},
		"hangs": func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := &http.Transport{DialContext: dial}
				defer rt.CloseIdleConnections()
				start := time.Now()
				if got := kind(post(apiOver(rt))); got != "later 5s" {
					t.Errorf("%q", got)
				}
				if took := time.Since(start); took > apiTimeout {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

func TestAnInterruptedPostMayHaveBeenMade(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("http2 %v", h2), func(t *testing.T) {
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if h2 != (r.ProtoMajor == 2) {
					t.Errorf("protocol %s", r.Proto)
				}
				panic(http.ErrAbortHandler)
			}))
			s.EnableHTTP2 = h2
			s.StartTLS()
			defer s.Close()
			a := New(Config{BotToken: testBotToken, URL: s.URL + "/api", Transport: s.Client().Transport, Voice: plainWords})
			if err := post(a); kind(err) != "lost" {
				t.Errorf("%q (%v)", kind(err), err)
			}
		})
	}
}

func TestACallToAHangingSlackTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := post(apiOver(hang{}))
		if kind(err) != "lost" || time.Since(start) != apiTimeout {
			t.Errorf("%q after %s", kind(err), time.Since(start))
		}
	})
}

type hang struct{}

func (hang) RoundTrip(r *http.Request) (*http.Response, error) {
	httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestNothingIsCalledOnceTheContextIsOver(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	fake := &slackFake{answers: []fakeAnswer{says(`{"ok":true,"ts":"1.1"}`)}}
	if _, err := apiOver(fake).Post(ctx, engine.Place{Request: mention, Slot: "s"}, deploy.Message{ID: deploy.MsgGreet}); kind(err) != "later 5s" || len(fake.calls) != 0 {
		t.Errorf("%v, %d calls", err, len(fake.calls))
	}
}
