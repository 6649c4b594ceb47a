package socket

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

	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/deploy/engine"
)

func TestReadyWithHelloOnly(t *testing.T) {
	bubble(t, func(t *testing.T, fake *socketFake) {
		say := make(chan struct{})
		fake.script = func(far *farSocket) {
			<-say
			far.hello(4)
		}
		s := &Pool{}
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
		if got := s.Status(); !got.Ready() || got.Open != 1 || got.Others != 3 {
			t.Errorf("after hello: %+v", got)
		}
		stop()
		if s.Status().Ready() {
			t.Error("ready after the end")
		}
	})
}

func TestSocketsAreOpenedOneAfterTheOther(t *testing.T) {
	bubble(t, func(t *testing.T, fake *socketFake) {
		fake.script = func(far *farSocket) { far.hello(far.n) }
		s := &Pool{Count: 3}
		stop := fake.start(t, s)
		time.Sleep(time.Minute)
		opens := fake.opened()
		for i := 1; i < 3; i++ {
			if got := opens[i].Sub(opens[i-1]); got != time.Second {
				t.Errorf("open %d came %s after the one before, want 1 s", i+1, got)
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
					s := &Pool{}
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

func TestRefreshesInQuickSuccessionLeaveNoMomentWithoutASocket(t *testing.T) {
	for _, count := range []int{1, 2, 5} {
		t.Run(fmt.Sprintf("%d sockets, each asked to leave 2.5 s after its hello and cut 10 s later", count), func(t *testing.T) {
			bubble(t, func(t *testing.T, fake *socketFake) {
				fake.script = func(far *farSocket) {
					time.Sleep(100 * time.Millisecond)
					far.hello(1)
					far.asksToLeave("refresh_requested", 2500*time.Millisecond)
				}
				var log socketLog
				s := &Pool{Count: count, Log: log.logger()}
				stop := fake.start(t, s)
				time.Sleep(200 * time.Millisecond)
				missed := 0
				for range 800 {
					if s.Status().Open == 0 {
						missed++
					}
					time.Sleep(250 * time.Millisecond)
				}
				if missed > 0 {
					t.Errorf("%d of 800 times there was no open socket", missed)
				}
				if got := s.Status(); !got.Ready() || got.Refusal != "" {
					t.Errorf("status: %+v", got)
				}
				if strings.Contains(log.String(), `"level":"warn"`) {
					t.Errorf("a refresh is told as a failure: %s", log.String())
				}
				stop()
			})
		})
	}
}

func TestRefreshCostsNoWait(t *testing.T) {
	for name, age := range map[string]time.Duration{"a young socket": 2 * time.Second, "an old socket": time.Hour} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, fake *socketFake) {
				stop := fake.start(t, &Pool{})
				for n := 1; n <= 5; n++ {
					far := fake.socket(t, n)
					time.Sleep(age)
					asked := time.Now()
					far.disconnect("warning")
					synctest.Wait()
					if opens := fake.opened(); len(opens) != n+1 || !opens[n].Equal(asked) {
						t.Fatalf("after refresh %d: %d opens, want one more at once", n, len(opens))
					}
				}
				stop()
			})
		})
	}
}

func TestOldSocketIsReadWhileNoNewOneOpens(t *testing.T) {
	bubble(t, func(t *testing.T, fake *socketFake) {
		fake.ask = func(try int) error {
			if try > 1 {
				return errors.New("no route")
			}
			return nil
		}
		s := &Pool{}
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

func TestDeadSocketDisturbsNoOther(t *testing.T) {
	bubble(t, func(t *testing.T, fake *socketFake) {
		s := &Pool{Count: 2}
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
		var log socketLog
		stop := fake.start(t, &Pool{Count: 2, Log: log.logger(), Handle: func(ctx context.Context, _ string, _ json.RawMessage, _ int) (bool, func()) {
			return engine.Pause(ctx, 2*time.Second), nil
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
		if strings.Contains(log.String(), `"level":"warn"`) {
			t.Errorf("the stop is told as a failure: %s", log.String())
		}
	})
}

func TestStopWaitsForNoHandlerLongerThanDrain(t *testing.T) {
	bubble(t, func(t *testing.T, fake *socketFake) {
		stop := fake.start(t, &Pool{Drain: 4 * time.Second, Handle: func(ctx context.Context, _ string, _ json.RawMessage, _ int) (bool, func()) {
			<-ctx.Done()
			return false, nil
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
		"open hangs":         func(f *socketFake) { f.hang = func(ctx context.Context) { <-ctx.Done() } },
		"handshake hangs":    func(f *socketFake) { f.status = -1 },
		"no hello":           func(f *socketFake) { f.script = func(*farSocket) {} },
		"no answer to close": func(f *socketFake) { f.script = func(far *farSocket) { far.stay = true; far.hello(1) } },
		"backing off":        func(f *socketFake) { f.ask = func(int) error { return errors.New("no route") } },
		"refused by an auth error": func(f *socketFake) {
			f.ask = func(int) error { return &web.SlackError{Method: "apps.connections.open", Code: "invalid_auth"} }
		},
		"a wire that carries nothing": func(f *socketFake) {
			f.script = func(far *farSocket) { far.hello(1); time.Sleep(time.Second); far.wire.hold() }
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, fake *socketFake) {
				make(fake)
				stop := fake.start(t, &Pool{})
				time.Sleep(8 * time.Second)
				if took := stop(); took > time.Second {
					t.Errorf("the stop took %s", took)
				}
			})
		})
	}
}

func TestOtherConnectionsAreCountedAgain(t *testing.T) {
	bubble(t, func(t *testing.T, fake *socketFake) {
		fake.script = func(far *farSocket) { far.hello(2) } // the first time another's; then one's own old socket
		s := &Pool{Recount: time.Minute}
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

func TestNoErrorContainsTheTicket(t *testing.T) {
	for _, ticket := range []string{
		"wss://slack/link/?ticket=secret\x7f", "https://slack/?ticket=secret", "wss://u:p@slack/?ticket=secret", "?ticket=secret", "",
		"ws://slack/?ticket=secret",
	} {
		bubble(t, func(t *testing.T, fake *socketFake) {
			s := &Pool{
				Dial:  fake.listener.dial,
				Proxy: func(r *http.Request) (*url.URL, error) { return nil, fmt.Errorf("no proxy for %s", r.URL) },
			}
			if _, err := s.dial(t.Context(), ticket); err == nil || strings.Contains(err.Error(), "secret") {
				t.Errorf("%q: %v", ticket, err)
			}
		})
	}
}
