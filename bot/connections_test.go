package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"
)

func TestReadyWithHelloOnly(t *testing.T) {
	bubble(t, func(t *testing.T, fake *socketFake) {
		say := make(chan struct{})
		fake.script = func(far *farSocket) {
			<-say
			far.hello(4)
		}
		changes := 0
		s := &Sockets{Changed: func() { changes++ }}
		if s.Status().Ready() {
			t.Error("ready before it runs")
		}
		stop := fake.start(t, s)
		time.Sleep(9 * time.Second)
		if s.Status().Ready() {
			t.Error("ready before hello")
		}
		close(say)
		synctest.Wait()
		if got := s.Status(); !got.Ready() || got.Open != 1 || got.Others != 3 || got.AppID != "A1" || changes == 0 {
			t.Errorf("after hello: %+v, %d changes", got, changes)
		}
		stop()
		if s.Status().Ready() {
			t.Error("ready after the end")
		}
	})
}

func TestSocketsAreOpenedOneAfterTheOther(t *testing.T) {
	bubble(t, func(t *testing.T, fake *socketFake) {
		fake.script = func(far *farSocket) {
			time.Sleep(2 * time.Second)
			far.hello(far.n)
		}
		s := &Sockets{Count: 3}
		stop := fake.start(t, s)
		time.Sleep(time.Minute)
		opens := fake.opened()
		for i := 1; i < 3; i++ {
			if got := opens[i].Sub(opens[i-1]); got != 3*time.Second {
				t.Errorf("open %d came %s after the one before, want 1 s after its hello", i+1, got)
			}
		}
		if got := s.Status(); got.Open != 3 || got.Others != 0 {
			t.Errorf("status: %+v", got)
		}
		stop()
	})
}

func TestRefreshLeavesNoMomentWithoutASocket(t *testing.T) {
	for _, reason := range []string{"warning", "refresh_requested", "a reason of tomorrow"} {
		for _, cut := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, cut %t", reason, cut), func(t *testing.T) {
				bubble(t, func(t *testing.T, fake *socketFake) {
					fake.script = func(far *farSocket) {
						time.Sleep(300 * time.Millisecond)
						far.hello(1)
					}
					s := &Sockets{}
					stop := fake.start(t, s)
					old := fake.socket(t, 1)
					time.Sleep(time.Hour)

					old.disconnect(reason)
					for i := range 90 { // 9 s
						if s.Status().Open == 0 {
							t.Fatal("a moment without a socket")
						}
						old.event(fmt.Sprint("late", i))
						time.Sleep(100 * time.Millisecond)
					}
					if got := old.got(); len(got) != 90 {
						t.Errorf("the old socket acked %d of 90", len(got))
					}
					fake.socket(t, 2).event("new")
					if got := fake.socket(t, 2).got(); !slices.Equal(got, []string{ackOf("new")}) {
						t.Errorf("the new socket sent %v", got)
					}
					if cut {
						old.wire.cut()
						synctest.Wait()
					}
					time.Sleep(30 * time.Second)
					if s.Status().Open != 1 {
						t.Errorf("%d sockets open in the end", s.Status().Open)
					}
					if got := old.got(); !cut && got[len(got)-1] != "close 1000" {
						t.Errorf("the old socket was left with %q, want a close frame", got[len(got)-1])
					}
					if opens, _ := fake.counts(); opens != 2 {
						t.Errorf("%d opens, want 2", opens)
					}
					stop()
				})
			})
		}
	}
}

func TestOldSocketIsReadWhileNoNewOneCanBeHad(t *testing.T) {
	bubble(t, func(t *testing.T, fake *socketFake) {
		fake.ask = func(try int) error {
			if try > 1 {
				return errors.New("no route")
			}
			return nil
		}
		s := &Sockets{}
		stop := fake.start(t, s)
		old := fake.socket(t, 1)
		time.Sleep(time.Hour)
		old.disconnect("warning")
		time.Sleep(5 * time.Minute)
		old.event("late")
		if got := old.got(); !slices.Equal(got, []string{ackOf("late")}) || !s.Status().Ready() {
			t.Errorf("the old socket sent %v, status %+v", got, s.Status())
		}
		stop()
	})
}

func TestSocketsRefreshedTogetherChangeOneByOne(t *testing.T) {
	bubble(t, func(t *testing.T, fake *socketFake) {
		fake.script = func(far *farSocket) {
			time.Sleep(time.Second)
			far.hello(far.n)
		}
		stop := fake.start(t, &Sockets{Count: 2})
		fake.socket(t, 2)
		time.Sleep(time.Hour)
		fake.socket(t, 1).disconnect("warning")
		fake.socket(t, 2).disconnect("warning")
		time.Sleep(10 * time.Second)
		opens := fake.opened()
		if len(opens) != 4 {
			t.Fatalf("%d opens, want 4", len(opens))
		}
		if gap := opens[3].Sub(opens[2]); gap < time.Second {
			t.Errorf("the second was opened %s after the first, want after its hello", gap)
		}
		stop()
	})
}

func TestDeadSocketDisturbsNoOther(t *testing.T) {
	bubble(t, func(t *testing.T, fake *socketFake) {
		s := &Sockets{Count: 2}
		stop := fake.start(t, s)
		dead, other := fake.socket(t, 1), fake.socket(t, 2)
		fake.mu.Lock()
		fake.hang = func(ctx context.Context) { <-ctx.Done() }
		fake.mu.Unlock()
		release := dead.wire.hold()
		for i := range 600 {
			other.event(fmt.Sprint("e", i))
			if got := other.got(); len(got) != i+1 {
				t.Fatalf("event %d is not acked at once", i)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if got := s.Status(); got.Open != 1 || !got.Ready() || got.Refusal == "" {
			t.Errorf("status: %+v", got)
		}
		release()
		stop()
	})
}

func TestStopWritesAcksThenTheCloseFrame(t *testing.T) {
	bubble(t, func(t *testing.T, fake *socketFake) {
		stop := fake.start(t, &Sockets{Count: 2, Handle: func(ctx context.Context, _ json.RawMessage, _ int) bool {
			return pause(ctx, 2*time.Second)
		}})
		first, second := fake.socket(t, 1), fake.socket(t, 2)
		first.event("in flight")
		time.AfterFunc(time.Second, func() { go first.send(`{"type":"events_api","envelope_id":"new","payload":{}}`) })
		if took := stop(); took != 2*time.Second {
			t.Errorf("the stop took %s, want as long as the handler", took)
		}
		if got := first.got(); !slices.Equal(got, []string{ackOf("in flight"), "close 1000"}) {
			t.Errorf("first: %v", got)
		}
		if got := second.got(); !slices.Equal(got, []string{"close 1000"}) {
			t.Errorf("second: %v", got)
		}
	})
}

func TestStopWaitsForNoHandlerLongerThanDrain(t *testing.T) {
	bubble(t, func(t *testing.T, fake *socketFake) {
		stop := fake.start(t, &Sockets{Drain: 4 * time.Second, Handle: func(ctx context.Context, _ json.RawMessage, _ int) bool {
			<-ctx.Done()
			return false
		}})
		far := fake.socket(t, 1)
		far.event("e1")
		if took := stop(); took != 4*time.Second {
			t.Errorf("the stop took %s, want 4 s", took)
		}
		if got := far.got(); !slices.Equal(got, []string{"close 1000"}) {
			t.Errorf("sent %v", got)
		}
	})
}

func TestStopNeverWaitsForSlack(t *testing.T) {
	for name, make := range map[string]func(*socketFake){
		"open hangs":               func(f *socketFake) { f.hang = func(ctx context.Context) { <-ctx.Done() } },
		"handshake hangs":          func(f *socketFake) { f.status = -1 },
		"no hello":                 func(f *socketFake) { f.script = func(*farSocket) {} },
		"no answer to close":       func(f *socketFake) { f.script = func(far *farSocket) { far.stay = true; far.hello(1) } },
		"backing off":              func(f *socketFake) { f.ask = func(int) error { return errors.New("no route") } },
		"refused by an auth error": func(f *socketFake) { f.ask = func(int) error { return slack.SlackErrorResponse{Err: "invalid_auth"} } },
		"a wire that carries nothing": func(f *socketFake) {
			f.script = func(far *farSocket) { far.hello(1); time.Sleep(time.Second); far.wire.hold() }
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, fake *socketFake) {
				make(fake)
				stop := fake.start(t, &Sockets{})
				time.Sleep(8 * time.Second)
				if took := stop(); took > time.Second {
					t.Errorf("the stop took %s", took)
				}
			})
		})
	}
}

func TestOpensAreBoundedWhateverSlackDoes(t *testing.T) {
	says := func(text string) func(int) error {
		return func(int) error { return slack.SlackErrorResponse{Err: text} }
	}
	disconnects := func(reason string, hello bool) func(*farSocket) {
		return func(far *farSocket) {
			if hello {
				far.hello(1)
			}
			far.disconnect(reason)
		}
	}
	for _, row := range []struct {
		name    string
		make    func(*socketFake)
		ready   bool
		refusal string
		lasting bool // until a person mends it
	}{
		{"drops after hello", func(f *socketFake) { f.script = func(far *farSocket) { far.hello(1); far.conn.Close() } }, false, "shortly after their hello", false},
		{"drops 5 s after hello", func(f *socketFake) {
			f.script = func(far *farSocket) { far.hello(1); time.Sleep(5 * time.Second); far.conn.Close() }
		}, false, "shortly after their hello", false},
		{"drops before hello", func(f *socketFake) { f.script = func(far *farSocket) { far.conn.Close() } }, false, "could not be opened", false},
		{"never says hello", func(f *socketFake) { f.script = func(*farSocket) {} }, false, "says no hello", false},
		{"warns after hello", func(f *socketFake) { f.script = disconnects("warning", true) }, true, "", false},
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
				s := &Sockets{Count: 5, Log: log.logger()}
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
					t.Errorf("%d opens in an hour: a mend would be found late", len(opens))
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

				// Mended, it comes back by itself.
				fake.heal()
				time.Sleep(time.Minute)
				if got := s.Status(); got.Open != 5 || !got.Ready() || got.Refusal != "" {
					t.Errorf("a minute after the mend: %+v", got)
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
		stop := fake.start(t, &Sockets{Count: 2})
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
				return slack.SlackErrorResponse{Err: "token_revoked"}
			}
			return nil
		}
		s := &Sockets{Count: 2}
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

func TestConnectionsOfOthersAreCountedAnew(t *testing.T) {
	bubble(t, func(t *testing.T, fake *socketFake) {
		fake.script = func(far *farSocket) { far.hello(2) } // the first time another's; then one's own old socket
		s := &Sockets{Recount: time.Minute}
		stop := fake.start(t, s)
		if got := s.Status().Others; got != 1 {
			t.Errorf("%d others, want 1", got)
		}
		time.Sleep(2 * time.Hour)
		if got := s.Status(); got.Others != 0 || got.Open != 1 || got.Opens != 2 {
			t.Errorf("later: %+v", got)
		}
		stop()
	})
}

func TestNoErrorHoldsTheTicket(t *testing.T) {
	for _, ticket := range []string{
		"wss://slack/link/?ticket=secret\x7f", "https://slack/?ticket=secret", "wss://u:p@slack/?ticket=secret", "?ticket=secret", "",
		"ws://slack/?ticket=secret",
	} {
		bubble(t, func(t *testing.T, fake *socketFake) {
			s := &Sockets{
				Dial:  fake.listener.dial,
				Proxy: func(r *http.Request) (*url.URL, error) { return nil, fmt.Errorf("no proxy for %s", r.URL) },
			}
			if _, err := s.dial(t.Context(), ticket); err == nil || strings.Contains(err.Error(), "secret") {
				t.Errorf("%q: %v", ticket, err)
			}
		})
	}
}
