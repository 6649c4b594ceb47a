package fakeslack_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

const ask = `[{"type":"section","text":{"type":"mrkdwn","text":"Deploy now?","verbatim":true}},
	{"type":"actions","block_id":"ask","elements":[
		{"type":"button","action_id":"yes","text":{"type":"plain_text","text":"Deploy app (master)"},"value":"1:deploy","style":"primary"},
		{"type":"static_select","action_id":"which","placeholder":{"type":"plain_text","text":"Which?"},"options":[
			{"text":{"type":"plain_text","text":"app"},"value":"t1"},{"text":{"type":"plain_text","text":"admin"},"value":"t2"}]},
		{"type":"button","action_id":"no","text":{"type":"plain_text","text":"No"},"value":"1:no"}]}]`

// asked posts the ask in a thread.
func (w *world) asked() (mention, ts string) {
	w.t.Helper()
	mention = w.Say("U1", "C1", "release")
	ts, ok := w.call("chat.postMessage", form("channel", "C1", "text", "Deploy now?", "blocks", ask, "thread_ts", mention))["ts"].(string)
	if !ok {
		w.t.Fatal("the ask is refused")
	}
	return mention, ts
}

// press is an envelope of a press.
type press struct {
	Type    string
	ID      string `json:"envelope_id"`
	Accepts bool   `json:"accepts_response_payload"`
	Retry   *int   `json:"retry_attempt"`
	Payload map[string]any
}

func (c *client) nextPress() (p press) {
	c.t.Helper()
	if err := c.ReadJSON(&p); err != nil {
		c.t.Fatalf("read: %v", err)
	}
	return p
}

// at is a value in a payload, by its path.
func at(payload any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			o, _ := payload.(map[string]any)
			payload = o[p]
		case int:
			l, _ := payload.([]any)
			if p >= len(l) {
				return nil
			}
			payload = l[p]
		}
	}
	return payload
}

func TestAPressIsSentOnceAsSlackSendsIt(t *testing.T) {
	inBubble(t, fakeslack.Config{Org: "E0ORG"}, func(t *testing.T, w *world) {
		c := w.connect()
		mention, ts := w.asked()
		if !w.Press("U2", "C1", ts, "yes") {
			t.Fatal("no such button")
		}
		p := c.nextPress()
		if p.Type != "interactive" || !p.Accepts || p.Retry != nil || p.ID == "" {
			t.Errorf("envelope %+v", p)
		}
		for _, tt := range []struct {
			want any
			path []any
		}{
			{"block_actions", []any{"type"}},
			{map[string]any{"id": "U2", "username": "u2", "name": "u2", "team_id": "T0TEAM"}, []any{"user"}},
			{"A0APP", []any{"api_app_id"}},
			{map[string]any{"type": "message", "message_ts": ts, "channel_id": "C1", "is_ephemeral": false, "thread_ts": mention}, []any{"container"}},
			{map[string]any{"id": "T0TEAM", "domain": "example"}, []any{"team"}},
			{map[string]any{"id": "E0ORG", "name": "Example"}, []any{"enterprise"}},
			{false, []any{"is_enterprise_install"}},
			{map[string]any{"id": "C1", "name": "c1"}, []any{"channel"}},
			{"Deploy now?", []any{"message", "text"}},
			{ts, []any{"message", "ts"}},
			{"Deploy now?", []any{"message", "blocks", 0, "text", "text"}},
			{nil, []any{"state", "values", "ask", "which", "selected_option"}},
			{"static_select", []any{"state", "values", "ask", "which", "type"}},
			{"yes", []any{"actions", 0, "action_id"}},
			{"ask", []any{"actions", 0, "block_id"}},
			{"1:deploy", []any{"actions", 0, "value"}},
			{"button", []any{"actions", 0, "type"}},
			{"Deploy app (master)", []any{"actions", 0, "text", "text"}},
		} {
			if diff := cmp.Diff(tt.want, at(p.Payload, tt.path...)); diff != "" {
				t.Errorf("%v: %s", tt.path, diff)
			}
		}
		for _, name := range []string{"trigger_id", "response_url"} {
			if s, _ := p.Payload[name].(string); s == "" {
				t.Errorf("no %s", name)
			}
		}
		if s, _ := at(p.Payload, "actions", 0, "action_ts").(string); s <= ts {
			t.Errorf("pressed at %s, the message is of %s", s, ts)
		}
		if id, _ := at(p.Payload, "message", "blocks", 0, "block_id").(string); id == "" {
			t.Error("a block without a block_id")
		}
		if _, ok := p.Payload["token"]; ok {
			t.Error("a token")
		}
		if !c.quiet(time.Hour) {
			t.Error("it is sent again")
		}
		if lost := w.Lost(); lost != nil {
			t.Errorf("lost %v", lost)
		}
	})
}

func TestAMenusChoiceIsPressed(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		c := w.connect()
		_, ts := w.asked()
		for _, choice := range []string{"admin", "t2"} {
			if !w.Press("U1", "C1", ts, "which", fakeslack.Choosing(choice)) {
				t.Fatalf("no %s", choice)
			}
			p := c.nextPress().Payload
			want := map[string]any{"text": map[string]any{"type": "plain_text", "text": "admin", "emoji": true}, "value": "t2"}
			for _, got := range []any{at(p, "actions", 0, "selected_option"), at(p, "state", "values", "ask", "which", "selected_option")} {
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			}
			if at(p, "actions", 0, "type") != "static_select" || at(p, "actions", 0, "value") != nil || p["enterprise"] != nil {
				t.Errorf("payload %v", p)
			}
		}
		if got := w.Presses(); len(got) != 2 || got[0].Value != "t2" || got[0].Action != "which" {
			t.Errorf("presses %+v", got)
		}
	})
}

func TestOptionsOfAPress(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		c := w.connect()
		_, ts := w.asked()
		w.Say("UGUEST", "C1", "hi", fakeslack.FromTeam("T9"))
		for _, tt := range []struct {
			name   string
			user   string
			action string
			opts   []fakeslack.PressOption
			want   any
			path   []any
		}{
			{"another workspace", "U3", "yes", []fakeslack.PressOption{fakeslack.PressedFrom("T8")}, "T8", []any{"user", "team_id"}},
			{"the installation's team stays", "U3", "yes", []fakeslack.PressOption{fakeslack.PressedFrom("T8")}, "T0TEAM", []any{"team", "id"}},
			{"who speaks from there presses from there", "UGUEST", "yes", nil, "T9", []any{"user", "team_id"}},
			{"an organisation's installation", "U1", "yes", []fakeslack.PressOption{fakeslack.OrgInstall()}, nil, []any{"team"}},
			{"and says so", "U1", "yes", []fakeslack.PressOption{fakeslack.OrgInstall()}, true, []any{"is_enterprise_install"}},
			{"another value", "U1", "yes", []fakeslack.PressOption{fakeslack.WithValue("0:old")}, "0:old", []any{"actions", 0, "value"}},
			{"a button that is gone", "U1", "gone", []fakeslack.PressOption{fakeslack.WithValue("0:old")}, "gone", []any{"actions", 0, "action_id"}},
			{"a field in a list", "U1", "yes", []fakeslack.PressOption{fakeslack.WithField("actions.0.type", "overflow")}, "overflow", []any{"actions", 0, "type"}},
			{"a new field", "U1", "yes", []fakeslack.PressOption{fakeslack.WithField("view.id", "V1")}, "V1", []any{"view", "id"}},
			{"a field left out", "U1", "yes", []fakeslack.PressOption{fakeslack.WithField("container.thread_ts", nil)}, nil, []any{"container", "thread_ts"}},
		} {
			if !w.Press(tt.user, "C1", ts, tt.action, tt.opts...) {
				t.Errorf("%s: not pressed", tt.name)
				continue
			}
			if diff := cmp.Diff(tt.want, at(c.nextPress().Payload, tt.path...)); diff != "" {
				t.Errorf("%s: %s", tt.name, diff)
			}
		}
	})
}

func TestOnlyWhatAPersonSeesCanBePressed(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		w.connect()
		mention, ts := w.asked()
		private, _ := w.call("chat.postEphemeral", form("channel", "C1", "user", "U1", "text", "x", "blocks", ask))["message_ts"].(string)
		for _, tt := range []struct {
			name, user, ts, action string
			opts                   []fakeslack.PressOption
		}{
			{"no such message", "U1", "1.000001", "yes", nil},
			{"a message without buttons", "U1", mention, "yes", nil},
			{"no such button", "U1", ts, "other", nil},
			{"a menu without a choice", "U1", ts, "which", nil},
			{"no such choice", "U1", ts, "which", []fakeslack.PressOption{fakeslack.Choosing("t3")}},
			{"another's ephemeral", "U2", private, "yes", nil},
		} {
			if w.Press(tt.user, "C1", tt.ts, tt.action, tt.opts...) {
				t.Errorf("%s: pressed", tt.name)
			}
		}
		w.call("chat.update", form("channel", "C1", "ts", ts, "text", "done"))
		if w.Press("U1", "C1", ts, "yes") {
			t.Error("pressed after its buttons were gone")
		}
		if got := w.Presses(); got != nil {
			t.Errorf("presses %+v", got)
		}
	})
}

func TestWhoPressesSeesAWarningWithoutAnAck(t *testing.T) {
	for _, tt := range []struct {
		name   string
		do     func(w *world, c *client)
		acked  time.Duration // -1: never
		warned bool
	}{
		{"acked in time", func(_ *world, c *client) { time.Sleep(2900 * time.Millisecond); c.ack(c.nextPress().ID) }, 2900 * time.Millisecond, false},
		{"acked late", func(_ *world, c *client) { time.Sleep(4 * time.Second); c.ack(c.nextPress().ID) }, 4 * time.Second, true},
		{"never acked", func(*world, *client) {}, -1, true},
		{"the socket is cut", func(w *world, _ *client) { w.Drop(1) }, -1, true},
		{"held back too long", func(w *world, c *client) {
			time.Sleep(4 * time.Second)
			w.PauseDeliveries(false)
			c.ack(c.nextPress().ID)
		}, 4 * time.Second, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
				c := w.connect()
				_, ts := w.asked()
				w.PauseDeliveries(tt.name == "held back too long")
				w.Press("U1", "C1", ts, "yes")
				if got := w.Unacked(); got != nil {
					t.Errorf("a warning at once: %+v", got)
				}
				tt.do(w, c)
				time.Sleep(10 * time.Second)
				synctest.Wait()
				p := w.Presses()
				if len(p) != 1 || p[0].Warned != tt.warned || p[0].Socket != 1 || p[0].AckedAt.IsZero() != (tt.acked < 0) {
					t.Fatalf("presses %+v", p)
				}
				if tt.acked >= 0 && p[0].AckedAt.Sub(p[0].At) != tt.acked {
					t.Errorf("acked after %v", p[0].AckedAt.Sub(p[0].At))
				}
				if got := len(w.Unacked()); (got == 1) != tt.warned {
					t.Errorf("%d unacked", got)
				}
			})
		})
	}
}

func TestAPressWithoutASocketIsNotKept(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		_, ts := w.asked()
		w.Press("U1", "C1", ts, "yes")
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if p := w.Unacked(); len(p) != 1 || p[0].Socket != 0 {
			t.Errorf("unacked %+v", p)
		}
		if !w.connect().quiet(time.Hour) {
			t.Error("it is sent later")
		}
	})
}

func TestPressesTakeTurnsOnTheSockets(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		a, b := w.connect(), w.connect()
		_, ts := w.asked()
		w.Press("U1", "C1", ts, "yes")
		w.Press("U2", "C1", ts, "no")
		first, second := a.nextPress(), b.nextPress()
		a.ack(second.ID)
		b.ack(second.ID)
		a.ack(first.ID)
		synctest.Wait()
		p := w.Presses()
		if len(p) != 2 || p[0].Socket != 1 || p[1].Socket != 2 || p[0].User != "U1" || p[1].Value != "1:no" || w.StrayAcks() != 1 {
			t.Errorf("presses %+v, %d stray acks", p, w.StrayAcks())
		}
	})
}

func TestAnEphemeralIsSeenByOnePersonAndReadByNoMethod(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		c := w.connect()
		mention := w.Say("U1", "C1", "hello")
		for _, thread := range []string{"", mention} {
			if got := w.call("chat.postEphemeral", form("channel", "C1", "user", "U1", "text", "only you", "thread_ts", thread, "blocks", ask)); got["message_ts"] == nil {
				t.Fatalf("refused: %v", got)
			}
		}
		mine := w.Ephemerals("C1", "U1")
		if len(mine) != 2 || mine[0].Text != "only you" || mine[1].Thread != mention || len(mine[0].Controls()) != 3 {
			t.Fatalf("seen: %+v", mine)
		}
		if got := w.Ephemerals("C1", "U2"); got != nil {
			t.Errorf("another sees %+v", got)
		}
		if len(w.Channel("C1")) != 1 || w.Thread("C1", mention) != nil {
			t.Error("everybody sees it")
		}
		for method, f := range map[string][]string{"conversations.history": nil, "conversations.replies": {"ts", mention}} {
			got, _ := w.call(method, form(append([]string{"channel", "C1"}, f...)...))["messages"].([]any)
			if len(got) != 1 || at(got[0], "ts") != mention {
				t.Errorf("%s: %v", method, got)
			}
		}
		if !w.Press("U1", "C1", mine[1].TS, "no") {
			t.Fatal("not pressed")
		}
		p := c.nextPress().Payload
		if at(p, "container", "is_ephemeral") != true || at(p, "container", "thread_ts") != mention || p["message"] != nil {
			t.Errorf("payload %v", p)
		}
	})
}

func TestControlsAreWhatAMessageOffers(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		mention, ts := w.asked()
		want := []fakeslack.Control{
			{Action: "yes", Label: "Deploy app (master)", Value: "1:deploy", Style: "primary"},
			{Action: "which", Label: "Which?", Choices: []fakeslack.Choice{{Label: "app", Value: "t1"}, {Label: "admin", Value: "t2"}}},
			{Action: "no", Label: "No", Value: "1:no"},
		}
		if diff := cmp.Diff(want, w.Thread("C1", mention)[0].Controls()); diff != "" {
			t.Error(diff)
		}
		w.call("chat.update", form("channel", "C1", "ts", ts, "text", "done"))
		if got := w.Thread("C1", mention)[0].Controls(); got != nil {
			t.Errorf("after the edit: %+v", got)
		}
	})
}

func TestThePressedMessageIsTheMessageAsItIs(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		c := w.connect()
		_, ts := w.asked()
		w.Press("U1", "C1", ts, "yes")
		w.call("chat.update", form("channel", "C1", "ts", ts, "text", "done"))
		w.Press("U2", "C1", ts, "yes", fakeslack.WithValue("1:deploy"))
		var texts []string
		for range 2 {
			text, _ := at(c.nextPress().Payload, "message", "text").(string)
			texts = append(texts, text)
		}
		if !slices.Equal(texts, []string{"Deploy now?", "done"}) {
			t.Errorf("messages %q", texts)
		}
	})
}
