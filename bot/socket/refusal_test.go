package socket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"

	"github.com/getto-systems/psycher/bot/web"
)

func TestOpensAreBoundedWhateverSlackDoes(t *testing.T) {
	says := func(text string) func(int) error {
		return func(int) error { return &web.SlackError{Method: "apps.connections.open", Code: text} }
	}
	disconnects := func(reason string, hello bool) func(*farSocket) {
		return func(far *farSocket) {
			if hello {
				far.hello(1)
			}
			far.disconnect(reason)
		}
	}
	drop := func(far *farSocket) {
		time.Sleep(time.Millisecond) // what was sent arrives first, as over TCP
		far.conn.Close()
	}
	for _, row := range []struct {
		name    string
		make    func(*socketFake)
		ready   bool
		refusal string
		lasting bool // until an operator fixes it
	}{
		{"drops after hello", func(f *socketFake) { f.script = func(far *farSocket) { far.hello(1); drop(far) } }, false, "shortly after their hello", false},
		{"drops 5 s after hello", func(f *socketFake) {
			f.script = func(far *farSocket) { far.hello(1); time.Sleep(5 * time.Second); far.conn.Close() }
		}, false, "shortly after their hello", false},
		{"drops before hello", func(f *socketFake) { f.script = func(far *farSocket) { far.conn.Close() } }, false, "could not be opened", false},
		{"never says hello", func(f *socketFake) { f.script = func(*farSocket) {} }, false, "says no hello", false},
		{"warns after hello", func(f *socketFake) { f.script = disconnects("warning", true) }, true, "", false},
		{"asks for a new socket 2.5 s after hello, again and again", func(f *socketFake) {
			f.script = func(far *farSocket) {
				far.hello(1)
				far.asksToLeave("refresh_requested", 2500*time.Millisecond)
			}
		}, true, "", false},
		{"asks for a new socket at hello and drops the old one", func(f *socketFake) {
			f.script = func(far *farSocket) { far.hello(1); far.disconnect("warning"); drop(far) }
		}, false, "shortly after their hello", false},
		{"link_disabled", func(f *socketFake) { f.script = disconnects("link_disabled", false) }, false, "https://api.slack.com/apps, Socket Mode", true},
		{"link_disabled after hello", func(f *socketFake) { f.script = disconnects("link_disabled", true) }, false, "https://api.slack.com/apps, Socket Mode", true},
		{"too_many_websockets", func(f *socketFake) { f.script = disconnects("too_many_websockets", false) }, false, "all 10 websockets that Slack allows per app", false},
		{"409 at the handshake", func(f *socketFake) { f.status = http.StatusConflict }, false, "could not be opened", false},
		{"a ticket that is refused", func(f *socketFake) { f.status = http.StatusForbidden }, false, "could not be opened", false},
		{"a handshake that hangs", func(f *socketFake) { f.status = -1 }, false, "does not answer in time", false},
		{"an open that hangs", func(f *socketFake) { f.hang = func(ctx context.Context) { <-ctx.Done() } }, false, "does not answer in time", false},
		{"an open that fails", func(f *socketFake) { f.ask = func(int) error { return errors.New("no route") } }, false, "could not be opened", false},
		{"internal_error", func(f *socketFake) { f.ask = says("internal_error") }, false, "internal_error", false},
		{"missing_scope", func(f *socketFake) { f.ask = says("missing_scope") }, false, "connections:write", true},
		{"not_allowed_token_type", func(f *socketFake) { f.ask = says("not_allowed_token_type") }, false, "SLACK_APP_TOKEN", true},
		{"invalid_auth", func(f *socketFake) { f.ask = says("invalid_auth") }, false, "SLACK_APP_TOKEN", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, fake *socketFake) {
				row.make(fake)
				var log socketLog
				s := &Pool{Count: 5, Log: log.logger()}
				stop := fake.start(t, s)
				time.Sleep(time.Hour)
				synctest.Wait()
				opens := fake.opened()
				for i := range opens {
					for j := i; j < len(opens); j++ {
						span := opens[j].Sub(opens[i])
						if most := 5 + int((span+time.Millisecond)/(2*time.Second)); j-i+1 > most {
							t.Errorf("%d opens within %s, want at most %d", j-i+1, span, most)
							break
						}
					}
				}
				if len(opens) < 60 {
					t.Errorf("%d opens in an hour: a fix would be noticed late", len(opens))
				}
				got := s.Status()
				if got.Ready() != row.ready || got.Permanent != row.lasting {
					t.Errorf("ready %t: %+v", got.Ready(), got)
				}
				if !strings.Contains(got.Refusal, row.refusal) || !strings.Contains(log.String(), row.refusal) {
					t.Errorf("refusal %q, want %q there and in the log", got.Refusal, row.refusal)
				}
				if strings.Contains(log.String(), "secret-ticket") {
					t.Error("the ticket is in the log")
				}
				t.Logf("%d opens in an hour", len(opens))

				// Once fixed, it comes back by itself.
				fake.heal()
				time.Sleep(time.Minute)
				if got := s.Status(); got.Open != 5 || !got.Ready() || got.Refusal != "" {
					t.Errorf("a minute after the fix: %+v", got)
				}
				stop()
			})
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	bubble(t, func(t *testing.T, fake *socketFake) {
		fake.ask = func(try int) error {
			if try == 1 {
				return fmt.Errorf("wrapped: %w", &slack.RateLimitedError{RetryAfter: 40 * time.Second})
			}
			return nil
		}
		stop := fake.start(t, &Pool{Count: 2})
		time.Sleep(2 * time.Minute)
		opens := fake.opened()
		if len(opens) != 3 {
			t.Fatalf("%d opens, want 3", len(opens))
		}
		if gap := opens[1].Sub(opens[0]); gap < 40*time.Second || gap > 45*time.Second {
			t.Errorf("tried again after %s, want 40 s and a little", gap)
		}
		stop()
	})
}

func TestPermanentRefusalTurnsReadinessOffThoughASocketIsOpen(t *testing.T) {
	bubble(t, func(t *testing.T, fake *socketFake) {
		fake.ask = func(try int) error {
			if try > 2 {
				return &web.SlackError{Method: "apps.connections.open", Code: "token_revoked"}
			}
			return nil
		}
		s := &Pool{Count: 2}
		stop := fake.start(t, s)
		fake.socket(t, 2)
		time.Sleep(time.Hour)
		fake.socket(t, 1).wire.cut()
		time.Sleep(time.Second)
		if got := s.Status(); got.Open != 1 || got.Ready() || !got.Permanent {
			t.Errorf("status: %+v", got)
		}
		stop()
	})
}
