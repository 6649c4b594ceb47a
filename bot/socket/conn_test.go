package socket

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOnlyWhatWasHandledIsAcked(t *testing.T) {
	long := strings.Repeat("x", 20_480)
	for _, row := range []struct {
		name, frame string
		handled     []string // type, payload and attempt as Handle got them
		acks        []string
	}{
		{"an event", `{"type":"events_api","envelope_id":"e1","payload":{"id":"ok"},"retry_attempt":0}`, []string{`events_api {"id":"ok"} 0`}, []string{ackOf("e1")}},
		{"a retry", `{"type":"events_api","envelope_id":"e1","payload":{"id":"ok"},"retry_attempt":2,"retry_reason":"timeout"}`, []string{`events_api {"id":"ok"} 2`}, []string{ackOf("e1")}},
		{"an event that must not be acked", `{"type":"events_api","envelope_id":"e1","payload":{"id":"no"}}`, []string{`events_api {"id":"no"} 0`}, nil},
		{"an event that breaks its handler", `{"type":"events_api","envelope_id":"e1","payload":{"id":"panic"}}`, []string{`events_api {"id":"panic"} 0`}, nil},
		{"odd fields beside a readable payload", `{"type":"events_api","envelope_id":"e1","retry_attempt":"one","reason":{},"payload":{"id":"ok"}}`, []string{`events_api {"id":"ok"} 0`}, []string{ackOf("e1")}},
		{"a payload that is no object", `{"type":"events_api","envelope_id":"e1","payload":7}`, []string{`events_api 7 0`}, []string{ackOf("e1")}},
		{"an event without an envelope id", `{"type":"events_api","payload":{"id":"ok"}}`, []string{`events_api {"id":"ok"} 0`}, nil},
		{"an id that is no string", `{"type":"events_api","envelope_id":5,"payload":{"id":"ok"}}`, []string{`events_api {"id":"ok"} 0`}, nil},
		{"an id too long for one frame", `{"type":"events_api","envelope_id":"` + long + `","payload":{"id":"ok"}}`, []string{`events_api {"id":"ok"} 0`}, nil},
		{"a button", `{"type":"interactive","envelope_id":"e1","accepts_response_payload":true,"payload":{}}`, []string{`interactive {} 0`}, []string{ackOf("e1")}},
		{"a slash command", `{"type":"slash_commands","envelope_id":"e1","payload":{}}`, []string{`slash_commands {} 0`}, []string{ackOf("e1")}},
		{"a type of tomorrow", `{"type":"dreams","envelope_id":"e1"}`, []string{`dreams  0`}, []string{ackOf("e1")}},
		{"a type that is no string", `{"type":5,"envelope_id":"e1"}`, nil, nil},
		{"no type", `{"envelope_id":"e1"}`, nil, nil},
		{"no JSON", `{"type":"events_api","envelope_id":"e1",`, nil, nil},
		{"an array", `[]`, nil, nil},
		{"nothing", ``, nil, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, slack *socketFake) {
				var mu sync.Mutex
				var handled []string
				stop := slack.start(t, &Pool{Handle: func(_ context.Context, envelope string, payload json.RawMessage, attempt int) (bool, func()) {
					mu.Lock()
					handled = append(handled, fmt.Sprint(envelope, " ", string(payload), " ", attempt))
					mu.Unlock()
					if strings.Contains(string(payload), "panic") {
						panic("broken")
					}
					return !strings.Contains(string(payload), "no"), nil
				}})
				far := slack.socket(t, 1)
				far.send(row.frame)
				synctest.Wait()
				far.event("after")
				stop()
				if diff := cmp.Diff(append(row.handled, `events_api {"id":"after"} 0`), handled); diff != "" {
					t.Errorf("handled (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(append(row.acks, ackOf("after"), "close 1000"), far.got()); diff != "" {
					t.Errorf("sent (-want +got):\n%s", diff)
				}
				if _, sockets := slack.counts(); sockets != 1 {
					t.Errorf("%d sockets, want the first to live", sockets)
				}
			})
		})
	}
}

func TestAckGoesOutOnTheSocketThatReceived(t *testing.T) {
	bubble(t, func(t *testing.T, slack *socketFake) {
		stop := slack.start(t, &Pool{Count: 2})
		first, second := slack.socket(t, 1), slack.socket(t, 2)
		for i := range 20 {
			first.event(fmt.Sprint("a", i))
			second.event(fmt.Sprint("b", i))
		}
		stop()
		for prefix, far := range map[string]*farSocket{"a": first, "b": second} {
			var want []string
			for i := range 20 {
				want = append(want, ackOf(fmt.Sprint(prefix, i)))
			}
			if diff := cmp.Diff(append(want, "close 1000"), far.got()); diff != "" {
				t.Errorf("socket %s (-want +got):\n%s", prefix, diff)
			}
		}
	})
}

func TestSlowHandlersDelayNothingBelowTheLimit(t *testing.T) {
	bubble(t, func(t *testing.T, slack *socketFake) {
		free := make(chan struct{})
		stop := slack.start(t, &Pool{Handle: func(_ context.Context, _ string, payload json.RawMessage, _ int) (bool, func()) {
			if strings.Contains(string(payload), "slow") {
				<-free
			}
			return true, nil
		}})
		far := slack.socket(t, 1)
		for i := range maxHandlers - 1 {
			far.event(fmt.Sprint("slow", i))
		}
		far.event("quick")
		if got := far.got(); !slices.Equal(got, []string{ackOf("quick")}) {
			t.Errorf("acked %v, want the quick one only", got)
		}

		far.event("slow-last")
		go far.send(`{"type":"events_api","envelope_id":"beyond","payload":{}}`)
		time.Sleep(10 * time.Second)
		if got := far.got(); len(got) != 1 {
			t.Errorf("acked %v while every handler was busy", got)
		}
		if _, sockets := slack.counts(); sockets != 1 {
			t.Error("a socket was given up because its handlers were busy")
		}
		close(free)
		time.Sleep(time.Second)
		if got := far.got(); len(got) != maxHandlers+2 {
			t.Errorf("%d acks in the end, want %d", len(got), maxHandlers+2)
		}
		stop()
	})
}

func TestPingsAreAnsweredAndSent(t *testing.T) {
	bubble(t, func(t *testing.T, slack *socketFake) {
		stop := slack.start(t, &Pool{})
		far := slack.socket(t, 1)
		time.Sleep(time.Minute + time.Second)
		stop()
		pings, pongs := 0, 0
		for _, frame := range far.frames {
			switch frame {
			case "ping":
				pings++
			case "pong Ping from applink-1":
				pongs++
			}
		}
		if pings != 12 || pongs != 6 {
			t.Errorf("%d pings and %d pongs in a minute, want 12 and 6", pings, pongs)
		}
	})
}

func TestSilentSocketIsReplacedWithin20Seconds(t *testing.T) {
	for name, silence := range map[string]func(*wire){
		"holds everything": func(w *wire) { w.hold() },
		"loses everything": func(w *wire) { w.losing.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, slack *socketFake) {
				s := &Pool{}
				stop := slack.start(t, s)
				far := slack.socket(t, 1)
				time.Sleep(time.Hour)
				silence(far.wire)
				time.Sleep(20 * time.Second)
				if _, sockets := slack.counts(); sockets != 2 || s.Status().Open != 1 {
					t.Errorf("%d sockets 20 s after the first fell silent, status %+v", sockets, s.Status())
				}
				stop()
			})
		})
	}
}

func TestPingsOfEitherSideKeepASocket(t *testing.T) {
	for name, side := range map[string]func(*farSocket){
		"Slack's": func(far *farSocket) { far.curt.Store(true) },
		"our own": func(far *farSocket) { far.quiet.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, slack *socketFake) {
				slack.script = func(far *farSocket) {
					side(far)
					far.hello(1)
				}
				stop := slack.start(t, &Pool{})
				time.Sleep(time.Hour)
				if opens, _ := slack.counts(); opens != 1 {
					t.Errorf("%d sockets opened, want the first to live", opens)
				}
				stop()
			})
		})
	}
}

func TestStallOf10SecondsIsNoAlarm(t *testing.T) {
	bubble(t, func(t *testing.T, slack *socketFake) {
		s := &Pool{}
		stop := slack.start(t, s)
		far := slack.socket(t, 1)
		for i := range 20 {
			time.Sleep(time.Minute + time.Duration(i)*777*time.Millisecond)
			release := far.wire.hold()
			go far.send(`{"type":"events_api","envelope_id":"stalled","payload":{}}`)
			time.Sleep(10 * time.Second)
			release()
		}
		time.Sleep(time.Second)
		if opens, _ := slack.counts(); opens != 1 {
			t.Errorf("%d sockets opened, want the first to live", opens)
		}
		if got := far.got(); len(got) != 20 {
			t.Errorf("%d acks, want 20", len(got))
		}
		if s.Status().Open != 1 {
			t.Errorf("status: %+v", s.Status())
		}
		stop()
	})
}

func TestAPeerThatReadsNothingIsDropped(t *testing.T) {
	bubble(t, func(t *testing.T, slack *socketFake) {
		done := make(chan struct{})
		slack.script = func(far *farSocket) {
			far.hello(1)
			if far.n == 1 { // goes on sending, but reads nothing
				for range 10 {
					time.Sleep(3 * time.Second)
					far.send(`{"type":"interactive","envelope_id":"e"}`)
				}
				close(done)
			}
		}
		s := &Pool{}
		stop := slack.start(t, s)
		<-done
		if _, sockets := slack.counts(); sockets != 2 {
			t.Errorf("%d sockets, want a second in place of one that takes no acks", sockets)
		}
		if s.Status().LostAcks == 0 {
			t.Error("no lost ack is counted")
		}
		stop()
	})
}

func TestAckThatCannotBeWrittenIsCountedAndLogged(t *testing.T) {
	bubble(t, func(t *testing.T, slack *socketFake) {
		var log socketLog
		var then atomic.Bool
		s := &Pool{Log: log.logger(), Handle: func(context.Context, string, json.RawMessage, int) (bool, func()) {
			time.Sleep(100 * time.Millisecond)
			return true, func() { then.Store(true) }
		}}
		stop := slack.start(t, s)
		far := slack.socket(t, 1)
		far.event("e1")
		far.wire.cut()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if status := s.Status(); status.LostAcks != 1 || status.Envelopes != 1 || status.Open != 1 {
			t.Errorf("status: %+v", status)
		}
		if !strings.Contains(log.String(), `"envelope":"e1"`) {
			t.Errorf("log does not name the envelope:\n%s", log.String())
		}
		if !then.Load() {
			t.Error("what was accepted is not gone on with")
		}
		stop()
	})
}

func TestWhatFollowsAnAckHoldsUpNeitherItNorTheStop(t *testing.T) {
	bubble(t, func(t *testing.T, slack *socketFake) {
		free, begun := make(chan struct{}), atomic.Int64{}
		stop := slack.start(t, &Pool{Handle: func(context.Context, string, json.RawMessage, int) (bool, func()) {
			return true, func() { begun.Add(1); <-free }
		}})
		far := slack.socket(t, 1)
		for i := range maxHandlers + 1 {
			far.event(fmt.Sprint(i))
		}
		synctest.Wait()
		if got := far.got(); len(got) != maxHandlers+1 || begun.Load() != maxHandlers+1 {
			t.Errorf("%d acks, and %d that are gone on with, want %d", len(got), begun.Load(), maxHandlers+1)
		}
		if took := stop(); took != 0 {
			t.Errorf("the stop took %s", took)
		}
		close(free)
	})
}

func TestFrameOverTheLimitEndsOnlyItsSocket(t *testing.T) {
	bubble(t, func(t *testing.T, slack *socketFake) {
		s := &Pool{}
		stop := slack.start(t, s)
		far := slack.socket(t, 1)
		go far.send(`{"type":"dreams","envelope_id":"` + strings.Repeat("x", 1<<20) + `"}`)
		time.Sleep(time.Second)
		far.event("e1")
		if got := far.got(); !slices.Equal(got, []string{ackOf("e1")}) {
			t.Errorf("got %v after a frame of 1 MB", got)
		}
		go far.send(strings.Repeat(" ", maxFrame+1))
		time.Sleep(5 * time.Second)
		if _, sockets := slack.counts(); sockets != 2 || s.Status().Open != 1 {
			t.Errorf("%d sockets, status %+v", sockets, s.Status())
		}
		stop()
	})
}
