package fakeslack_test

import (
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

func TestAMentionIsDeliveredUntilItIsAcked(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		c := w.connect()
		began := time.Now()
		ts := w.Say("U1", "C1", "<@U0BOT> release")
		var seen []time.Duration
		var first envelope
		ids := map[string]bool{}
		for attempt := range 4 {
			e := c.next()
			if attempt == 0 {
				first = e
			}
			seen = append(seen, time.Since(began))
			if e.Type != "events_api" || e.Attempt != attempt || (e.RetryReason == "timeout") != (attempt > 0) || e.Accepts == nil || *e.Accepts {
				t.Errorf("attempt %d: %+v", attempt, e)
			}
			if e.Payload.EventID != first.Payload.EventID || ids[e.ID] {
				t.Errorf("attempt %d is event %s in envelope %s", attempt, e.Payload.EventID, e.ID)
			}
			ids[e.ID] = true
		}
		want := []time.Duration{0, 3 * time.Second, 66 * time.Second, 369 * time.Second}
		for i := range want {
			if seen[i] != want[i] {
				t.Errorf("delivered after %v, not %v", seen, want)
				break
			}
		}
		p := first.Payload
		if p.Type != "event_callback" || p.TeamID != "T0TEAM" || p.ContextTeam != "T0TEAM" || p.AppID != "A0APP" || p.IsExtShared {
			t.Errorf("payload %+v", p)
		}
		for field, want := range map[string]any{"type": "app_mention", "user": "U1", "ts": ts, "event_ts": ts, "channel": "C1", "team": "T0TEAM", "text": "<@U0BOT> release"} {
			if p.Event[field] != want {
				t.Errorf("event has %s %v, not %v", field, p.Event[field], want)
			}
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if lost := w.Lost(); len(lost) != 1 || lost[0] != ts {
			t.Errorf("lost %v", lost)
		}
	})
}

func TestAckEndsTheDelivery(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		c := w.connect()
		w.Say("U1", "C1", "<@U0BOT> release")
		time.Sleep(time.Second)
		c.ack(c.next().ID)
		if !c.quiet(time.Hour) {
			t.Error("it is delivered again")
		}
		d := w.Deliveries()
		if len(d) != 1 || d[0].AckedAt.Sub(d[0].At) != time.Second || d[0].Late || d[0].Socket != 1 {
			t.Errorf("deliveries %+v", d)
		}
		if lost := w.Lost(); lost != nil {
			t.Errorf("lost %v", lost)
		}
	})
}

func TestALateAckDoesNotStopTheRetry(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		c := w.connect()
		w.Say("U1", "C1", "<@U0BOT> release")
		e := c.next()
		time.Sleep(4 * time.Second)
		c.ack(e.ID)
		c.ack(c.next().ID)
		synctest.Wait()
		d := w.Deliveries()
		if len(d) != 2 || !d[0].Late || d[0].AckedAt.IsZero() || d[1].Late || d[1].AckedAt.IsZero() {
			t.Errorf("deliveries %+v", d)
		}
	})
}

func TestSocketsTakeTurnsAndOnlyTheirOwnAcksCount(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		a, b := w.connect(), w.connect()
		for range 4 {
			w.Say("U1", "C1", "<@U0BOT> release")
		}
		for i, d := range w.Deliveries() {
			if want := i%2 + 1; d.Socket != want {
				t.Errorf("delivery %d is on socket %d", i, d.Socket)
			}
		}
		id := a.next().ID
		b.ack(id)
		b.ack("no-such-envelope")
		synctest.Wait()
		if got := w.StrayAcks(); got != 2 {
			t.Errorf("%d stray acks", got)
		}
		if !w.Deliveries()[0].AckedAt.IsZero() {
			t.Error("an ack on another socket counts")
		}
	})
}

func TestALostSocketMeansARetryOnAnother(t *testing.T) {
	for name, lose := range map[string]func(w *world, c *client){
		"dropped by Slack": func(w *world, _ *client) { w.Drop(1) },
		"closed by the client": func(_ *world, c *client) {
			_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Time{})
		},
		"cut by the client":       func(_ *world, c *client) { _ = c.NetConn().Close() },
		"dismissed with a reason": func(w *world, _ *client) { w.Disconnect("refresh_requested") },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
				a := w.connect()
				w.Say("U1", "C1", "<@U0BOT> release")
				a.next()
				lose(w, a)
				synctest.Wait()
				if got := w.Connections(); got != 0 {
					t.Errorf("%d connections", got)
				}
				time.Sleep(2 * time.Second)
				if e := w.connect().next(); e.Attempt != 1 {
					t.Errorf("attempt %d", e.Attempt)
				}
			})
		})
	}
}

func TestWithoutASocketEventsWaitForTheirNextTry(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		w.Say("U1", "C1", "<@U0BOT> release")
		time.Sleep(2 * time.Second)
		c := w.connect()
		if e := c.next(); e.Attempt != 0 {
			t.Errorf("attempt %d within the time of an ack", e.Attempt)
		}
		_ = c.NetConn().Close()
		time.Sleep(30 * time.Second)
		c = w.connect()
		began := time.Now()
		if e := c.next(); e.Attempt != 2 || time.Since(began) != 33*time.Second {
			t.Errorf("attempt %d after %v", e.Attempt, time.Since(began))
		}
	})
}

func TestDeliveriesCanBePausedRepeatedAndBroadcast(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		a, b := w.connect(), w.connect()
		w.PauseDeliveries(true)
		ts := w.Say("U1", "C1", "<@U0BOT> release")
		time.Sleep(time.Hour)
		if got := w.Deliveries(); len(got) != 0 {
			t.Fatalf("delivered %+v", got)
		}
		w.PauseDeliveries(false)
		first := a.next()
		a.ack(first.ID)
		if !w.Redeliver("C1", ts) {
			t.Fatal("no event to repeat")
		}
		again := b.next()
		if again.Payload.EventID != first.Payload.EventID || again.ID == first.ID || again.Attempt != 1 {
			t.Errorf("repeated as %+v", again)
		}
		b.ack(again.ID)
		w.Broadcast(true)
		w.Say("U1", "C1", "<@U0BOT> deploy")
		if x, y := a.next(), b.next(); x.ID != y.ID {
			t.Errorf("broadcast as %s and %s", x.ID, y.ID)
		}
	})
}

func TestEditsAndOtherBotsFireEventsOwnPostsDoNot(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		c := w.connect()
		ts := w.Say("U1", "C1", "nothing")
		w.call("chat.postMessage", url.Values{"channel": {"C1"}, "text": {"<@U0BOT> release"}})
		w.Edit("C1", ts, "<@U0BOT> release")
		e := c.next()
		edited, _ := e.Payload.Event["edited"].(map[string]any)
		if e.Payload.Event["ts"] != ts || edited["user"] != "U1" || edited["ts"] == "" {
			t.Errorf("edit: %v", e.Payload.Event)
		}
		w.Edit("C1", ts, "<@U0BOT> deploy")
		if again := c.next(); again.Payload.EventID == e.Payload.EventID || again.Payload.Event["text"] != "<@U0BOT> deploy" {
			t.Errorf("second edit: %+v", again)
		}
		w.Say("U2", "C1", "<@U0BOT> release", fakeslack.AsBot("B2"))
		if b := c.next().Payload.Event; b["bot_id"] != "B2" || b["user"] != "U2" || b["bot_profile"] == nil || b["client_msg_id"] != nil {
			t.Errorf("bot: %v", b)
		}
		w.Say("U3", "C1", "<@U0BOT> release", fakeslack.FromTeam("T9"), fakeslack.InThread(ts))
		guest := c.next().Payload
		if g := guest.Event; g["user_team"] != "T9" || g["thread_ts"] != ts || g["parent_user_id"] != "U1" || !guest.IsExtShared || guest.ContextTeam != "T0TEAM" {
			t.Errorf("guest: %+v", guest)
		}
		w.Say("U1", "C1", "<@U0BOT>", fakeslack.WithFile("a.txt"), fakeslack.At("1700000000.000100"), fakeslack.With("action_token", "x"))
		if f := c.next().Payload.Event; f["subtype"] != "file_share" || f["files"] == nil || f["ts"] != "1700000000.000100" || f["action_token"] != "x" {
			t.Errorf("file: %v", f)
		}
		w.Say("U1", "C1", "<@U0BOT>", fakeslack.WithOuter("context_team_id", nil), fakeslack.WithOuter("is_ext_shared_channel", true))
		if o := c.next().Payload; o.ContextTeam != "" || !o.IsExtShared {
			t.Errorf("outer: %+v", o)
		}
		w.Leave("C1")
		w.Say("U1", "C1", "<@U0BOT> release")
		if got := len(w.Deliveries()); got != 6 {
			t.Errorf("%d deliveries", got)
		}
	})
}
