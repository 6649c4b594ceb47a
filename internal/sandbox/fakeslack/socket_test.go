package fakeslack_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

func TestPings(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		began := time.Now()
		c := w.connect()
		var at []time.Duration
		c.SetPingHandler(func(data string) error {
			if data != "Ping from applink-1" {
				t.Errorf("ping %q", data)
			}
			at = append(at, time.Since(began))
			return nil
		})
		pongs := 0
		c.SetPongHandler(func(data string) error {
			if data != "mine" {
				t.Errorf("pong %q", data)
			}
			pongs++
			return nil
		})
		if err := c.WriteControl(websocket.PingMessage, []byte("mine"), time.Time{}); err != nil {
			t.Fatal(err)
		}
		c.quiet(30 * time.Second)
		if len(at) != 3 || at[0] != 3500*time.Millisecond || at[2] != 23500*time.Millisecond || pongs != 1 {
			t.Errorf("pings at %v, %d pongs", at, pongs)
		}
	})
}

func TestAMutedSocketIsSilentAndStillGetsEnvelopes(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		c := w.connect()
		w.Mute(1)
		w.Say("U1", "C1", "<@U0BOT> release")
		if err := c.WriteControl(websocket.PingMessage, nil, time.Time{}); err != nil {
			t.Fatal(err)
		}
		c.SetPingHandler(func(string) error { t.Error("a ping"); return nil })
		c.SetPongHandler(func(string) error { t.Error("a pong"); return nil })
		if !c.quiet(10 * time.Minute) {
			t.Error("something came")
		}
		if got := len(w.Deliveries()); got != 4 || w.Connections() != 1 {
			t.Errorf("%d deliveries, %d connections", got, w.Connections())
		}
		_ = c.NetConn().Close()
		synctest.Wait()
		if got := w.Connections(); got != 0 {
			t.Errorf("%d connections after the cut", got)
		}
	})
}

func TestARefreshWarnsAndCarriesOnForTenSeconds(t *testing.T) {
	inBubble(t, fakeslack.Config{Life: time.Hour}, func(t *testing.T, w *world) {
		began := time.Now()
		c := w.connect()
		for _, at := range []time.Duration{0, time.Hour - 10*time.Second} { // on command, and by itself
			time.Sleep(at - time.Since(began))
			if at == 0 {
				if got := w.Refresh(); got != 1 {
					t.Errorf("refreshes socket %d", got)
				}
			} else {
				began, c = time.Now(), w.connect()
			}
			e := c.next()
			if e.Type != "disconnect" || e.Reason != "warning" {
				t.Fatalf("not warned but %+v", e)
			}
			warned := time.Now()
			time.Sleep(9 * time.Second)
			w.Say("U1", "C1", "<@U0BOT> release")
			c.ack(c.next().ID)
			_, _, err := c.ReadMessage()
			if !websocket.IsCloseError(err, websocket.CloseNormalClosure) || time.Since(warned) != 10*time.Second {
				t.Errorf("ended with %v after %v", err, time.Since(warned))
			}
			synctest.Wait()
		}
		for _, d := range w.Deliveries() {
			if d.AckedAt.IsZero() {
				t.Errorf("not acked: %+v", d)
			}
		}
	})
}

func TestTheEleventhSocketIsRefused(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		for i := range 10 {
			c, _, err := w.dial()
			if err != nil {
				t.Fatal(err)
			}
			if e := c.next(); e.Type != "hello" || e.Connections != i+1 {
				t.Errorf("socket %d: %+v", i+1, e)
			}
		}
		c, _, err := w.dial()
		if err != nil {
			t.Fatal(err)
		}
		if e := c.next(); e.Type != "disconnect" || e.Reason != "too_many_websockets" {
			t.Errorf("got %+v", e)
		}
		if _, _, err := c.ReadMessage(); err == nil || w.Connections() != 10 || w.Opens() != 11 {
			t.Errorf("%v, %d connections, %d opens", err, w.Connections(), w.Opens())
		}
	})
}

func TestAfterACloseFrameTheConnectionStays(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		c := w.connect()
		_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1001, "bye"), time.Time{})
		if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, 1001) {
			t.Errorf("answered with %v", err)
		}
		synctest.Wait()
		if e := w.Endings(); len(e) != 1 || e[0].Code != 1001 || e[0].Socket != 1 || w.Connections() != 0 {
			t.Errorf("endings %+v", e)
		}
		_ = c.NetConn().SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := io.ReadAll(c.NetConn()); err == nil {
			t.Error("the connection was closed")
		}
	})
}

func TestSocketFaults(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		w.RefuseHandshakes(1, http.StatusServiceUnavailable)
		if _, resp, err := w.dial(); err == nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("handshake: %v, %v", resp, err)
		}
		w.NoHello(true)
		silent, _, err := w.dial()
		if err != nil || !silent.quiet(time.Hour) {
			t.Errorf("without hello: %v", err)
		}
		w.NoHello(false)
		w.DropAfterHello(true)
		if _, _, err := w.connect().ReadMessage(); !websocket.IsCloseError(err, websocket.CloseAbnormalClosure) {
			t.Errorf("drop after hello: %v", err)
		}
		w.DropAfterHello(false)
		w.DisconnectAfterHello("link_disabled")
		if e := w.connect().next(); e.Reason != "link_disabled" {
			t.Errorf("disconnect after hello: %+v", e)
		}
		w.DisconnectAfterHello("")
		c := w.connect()
		w.SendText(w.Sockets()[len(w.Sockets())-1], `{"type":"odd"}`)
		if e := c.next(); e.Type != "odd" {
			t.Errorf("own frame: %+v", e)
		}
		if err := c.WriteMessage(websocket.TextMessage, bytes.Repeat([]byte(" "), 20<<10)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := w.Ignored(); got != 1 {
			t.Errorf("%d frames were ignored", got)
		}
	})
}

func TestATicketIsGoodForOneSocket(t *testing.T) {
	inBubble(t, fakeslack.Config{URL: "http://slack.test:80"}, func(t *testing.T, w *world) {
		link, _ := w.call("apps.connections.open", nil)["url"].(string)
		d := &websocket.Dialer{NetDialContext: w.net.Dial}
		if _, _, err := d.DialContext(t.Context(), link, nil); err != nil {
			t.Fatal(err)
		}
		if _, resp, err := d.DialContext(t.Context(), link, nil); err == nil || resp.StatusCode != http.StatusBadRequest {
			t.Errorf("used twice: %v", err)
		}
	})
}
