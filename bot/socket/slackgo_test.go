package socket

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// These tests show why the bot reads Slack's sockets itself: what slack-go's
// own loop (socketmode.Client, v0.35.0) loses, against a server on loopback.
// They hold slack-go to its faults, so one that turns red is good news:
// perhaps the loop here is no longer needed. `go test ./bot/... -run TestSlackGo -v`
// prints the counts.

func TestSlackGoLosesAnAckThatIsFollowedByCancel(t *testing.T) {
	const runs = 40
	lost := 0
	for range runs {
		acked := make(chan string, 1)
		slackGo(t, func(conn *websocket.Conn) {
			say(conn, `{"type":"hello"}`)
			say(conn, mentionFrame("e1", ""))
			_, frame, _ := conn.ReadMessage()
			offer(acked, string(frame))
		}, func(client *socketmode.Client, cancel context.CancelFunc, event socketmode.Event) {
			if event.Type == socketmode.EventTypeEventsAPI {
				if err := client.Ack(*event.Request); err != nil {
					t.Errorf("Ack: %v", err)
				}
				cancel()
			}
		})
		select {
		case frame := <-acked:
			if !strings.Contains(frame, "e1") {
				lost++
			}
		default:
			t.Fatal("no event came to the client")
		}
	}
	t.Logf("%d of %d acks were lost, though Ack returned nil", lost, runs)
	if lost == 0 {
		t.Error("no ack was lost")
	}
}

func TestSlackGoSendsNoCloseFrame(t *testing.T) {
	closed := make(chan error, 1)
	slackGo(t, func(conn *websocket.Conn) {
		say(conn, `{"type":"hello"}`)
		_, _, err := conn.ReadMessage()
		offer(closed, err)
	}, func(_ *socketmode.Client, cancel context.CancelFunc, event socketmode.Event) {
		if event.Type == socketmode.EventTypeHello {
			cancel()
		}
	})
	err := <-closed
	t.Logf("at the end the server reads: %v", err)
	if websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway) {
		t.Error("a close frame was sent")
	}
}

func TestSlackGoDropsWhatFollowsAWarning(t *testing.T) {
	const sent = 20
	var conns, handled, disconnects atomic.Int64
	slackGo(t, func(conn *websocket.Conn) {
		say(conn, `{"type":"hello"}`)
		if conns.Add(1) == 1 {
			say(conn, `{"type":"disconnect","reason":"warning"}`)
			for i := range sent {
				say(conn, mentionFrame(fmt.Sprint("late", i), ""))
			}
		} else {
			say(conn, mentionFrame("end", ""))
		}
		readAll(conn)
	}, func(client *socketmode.Client, cancel context.CancelFunc, event socketmode.Event) {
		switch event.Type {
		case socketmode.EventTypeDisconnect:
			disconnects.Add(1)
		case socketmode.EventTypeEventsAPI:
			if event.Request.EnvelopeID == "end" {
				cancel()
				return
			}
			handled.Add(1)
		}
	})
	t.Logf("%d of %d events after disconnect=warning were delivered; the reason was told %d times", handled.Load(), sent, disconnects.Load())
	if handled.Load() == sent {
		t.Error("every event was delivered")
	}
}

func TestSlackGoNeverAcksAnEventWithOneOddBlock(t *testing.T) {
	acked := make(chan string, 2)
	bad := 0
	slackGo(t, func(conn *websocket.Conn) {
		say(conn, `{"type":"hello"}`)
		say(conn, mentionFrame("odd", `,"blocks":[{"type":"section","text":"no object"}]`))
		say(conn, mentionFrame("plain", ""))
		_, frame, _ := conn.ReadMessage()
		offer(acked, string(frame))
		readAll(conn)
	}, func(client *socketmode.Client, cancel context.CancelFunc, event socketmode.Event) {
		switch event.Type {
		case socketmode.EventTypeErrorBadMessage:
			bad++
			if event.Request != nil {
				t.Error("the event has its request, and could be acked")
			}
		case socketmode.EventTypeEventsAPI:
			_ = client.Ack(*event.Request)
			time.AfterFunc(100*time.Millisecond, cancel)
		}
	})
	t.Logf("%d event became an error without a request", bad)
	if frame := <-acked; bad != 1 || strings.Contains(frame, "odd") {
		t.Errorf("%d bad messages, acked %s", bad, frame)
	}
}

func TestSlackGoStormsWhenSlackRefuses(t *testing.T) {
	for _, frame := range []string{"", `{"type":"disconnect","reason":"link_disabled"}`, `{"type":"disconnect","reason":"too_many_websockets"}`} {
		const within = 300 * time.Millisecond
		begun := time.Now()
		opens := slackGo(t, func(conn *websocket.Conn) {
			say(conn, `{"type":"hello"}`)
			if frame != "" {
				say(conn, frame)
			}
		}, func(_ *socketmode.Client, cancel context.CancelFunc, _ socketmode.Event) {
			if time.Since(begun) > within {
				cancel()
			}
		})
		t.Logf("%d opens in %s after hello and %q", opens, within, frame)
		if opens <= openBurst {
			t.Errorf("%d opens are no storm", opens)
		}
	}
}

func TestSlackGoTriesOnWithATokenThatCannotWork(t *testing.T) {
	var tries atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		tries.Add(1)
		fmt.Fprint(w, `{"ok":false,"error":"missing_scope"}`)
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	runSlackGo(ctx, server.URL, func(*socketmode.Client, socketmode.Event) {})
	t.Logf("%d tries in a second with missing_scope", tries.Load())
	if tries.Load() < 2 {
		t.Error("it gave up")
	}
}

// slackGo runs slack-go's loop against a server that serves each socket with
// serve, until consume cancels it, and returns how often it opened one.
func slackGo(t *testing.T, serve func(*websocket.Conn), consume func(*socketmode.Client, context.CancelFunc, socketmode.Event)) (opens int64) {
	t.Helper()
	var (
		count   atomic.Int64
		serving sync.WaitGroup
		server  *httptest.Server
	)
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "apps.connections.open") {
			count.Add(1)
			fmt.Fprintf(w, `{"ok":true,"url":"ws%s/socket"}`, strings.TrimPrefix(server.URL, "http"))
			return
		}
		serving.Add(1)
		defer serving.Done()
		upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		serve(conn)
	}))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	runSlackGo(ctx, server.URL, func(client *socketmode.Client, event socketmode.Event) { consume(client, cancel, event) })
	server.Close()
	serving.Wait()
	return count.Load()
}

func runSlackGo(ctx context.Context, url string, consume func(*socketmode.Client, socketmode.Event)) {
	quiet := log.New(io.Discard, "", 0)
	api := slack.New("xoxb-test", slack.OptionAppLevelToken("xapp-test"), slack.OptionAPIURL(url+"/"), slack.OptionLog(quiet))
	client := socketmode.New(api, socketmode.OptionLog(quiet))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = client.RunContext(ctx)
	}()
	for {
		select {
		case event := <-client.Events:
			consume(client, event)
		case <-ended:
			return
		}
	}
}

// offer hands a value to a test that may have had all that it wants: slack-go
// may connect once more than it should.
func offer[T any](to chan T, value T) {
	select {
	case to <- value:
	default:
	}
}

func mentionFrame(id, more string) string {
	return fmt.Sprintf(`{"type":"events_api","envelope_id":%q,"accepts_response_payload":false,"payload":{"type":"event_callback","team_id":"T1","event":`+
		`{"type":"app_mention","user":"U1","channel":"C1","ts":"1700000000.000100","text":"<@U0> release"%s}}}`, id, more)
}

func say(conn *websocket.Conn, frame string) {
	_ = conn.WriteMessage(websocket.TextMessage, []byte(frame))
}

func readAll(conn *websocket.Conn) {
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			return
		}
	}
}
