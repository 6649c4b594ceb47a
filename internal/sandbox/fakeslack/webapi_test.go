package fakeslack_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

// form makes a form of pairs.
func form(pairs ...string) url.Values {
	f := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Set(pairs[i], pairs[i+1])
	}
	return f
}

func TestEveryErrorOfAMethod(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		ts := w.Say("U1", "C1", "hello")
		reply := w.Say("U1", "C1", "a reply", fakeslack.InThread(ts))
		w.Say("U1", "CLEFT", "hello")
		w.Leave("CLEFT")
		w.Say("U1", "CARCHIVED", "hello")
		w.Archive("CARCHIVED")
		private, _ := w.call("chat.postEphemeral", form("channel", "C1", "text", "x", "user", "U1"))["message_ts"].(string)
		own, _ := w.call("chat.postMessage", form("channel", "C1", "text", "own"))["ts"].(string)
		for i := range 23 {
			w.call("reactions.add", form("channel", "C1", "timestamp", reply, "name", fmt.Sprintf("r%d", i)))
		}
		for _, tt := range []struct {
			method string
			form   url.Values
			want   string
		}{
			{"auth.test", nil, ""},
			{"no.method", nil, "unknown_method"},
			{"chat.postMessage", form("channel", "C1", "text", "x"), ""},
			{"chat.postMessage", form("channel", "C1", "text", "x", "blocks", "{"), "invalid_blocks_format"},
			{"chat.postMessage", form("channel", "C1", "text", "x", "metadata", `{"event_type":"x"}`), "invalid_metadata_format"},
			{"chat.postMessage", form("channel", "C1"), "no_text"},
			{"chat.postMessage", form("channel", "C1", "blocks", "[]"), "no_text"},
			{"chat.postMessage", form("channel", "C9", "text", "x"), "channel_not_found"},
			{"chat.postMessage", form("channel", "CLEFT", "text", "x"), "not_in_channel"},
			{"chat.postMessage", form("channel", "CARCHIVED", "text", "x"), "is_archived"},
			{"chat.postMessage", form("channel", "C1", "text", "x", "thread_ts", "1.000001"), "thread_not_found"},
			{"chat.postMessage", form("channel", "C1", "text", "x", "thread_ts", reply), "cannot_reply_to_message"},
			{"chat.postEphemeral", form("channel", "C1", "text", "x", "user", "U1"), ""},
			{"chat.postEphemeral", form("channel", "C1", "text", "x", "user", "U9"), "user_not_in_channel"},
			{"chat.postEphemeral", form("channel", "C1", "text", "x", "user", "U1", "blocks", `[{"type":"x"}]`), "invalid_blocks"},
			{"chat.postMessage", form("channel", "C1", "text", "x", "thread_ts", private), "thread_not_found"},
			{"chat.update", form("channel", "C1", "ts", private, "text", "x"), "message_not_found"},
			{"reactions.add", form("channel", "C1", "timestamp", private, "name", "x"), "message_not_found"},
			{"reactions.get", form("channel", "C1", "timestamp", private), "message_not_found"},
			{"conversations.replies", form("channel", "C1", "ts", private), "thread_not_found"},
			{"chat.update", form("channel", "C1", "ts", own, "text", "x"), ""},
			{"chat.update", form("channel", "C1", "ts", ts, "text", "x"), "cant_update_message"},
			{"chat.update", form("channel", "C1", "ts", "1.000001", "text", "x"), "message_not_found"},
			{"chat.update", form("channel", "C1", "ts", own, "text", strings.Repeat("x", 4001)), "msg_too_long"},
			{"chat.update", form("channel", "C1", "ts", own), "no_text"},
			{"reactions.add", form("channel", "C1", "timestamp", ts, "name", "x"), ""},
			{"reactions.add", form("channel", "C1", "timestamp", ts, "name", "x"), "already_reacted"},
			{"reactions.add", form("channel", "C1", "timestamp", ts, "name", ":x:"), "invalid_name"},
			{"reactions.add", form("channel", "C1", "timestamp", "1700000000.000001", "name", "x"), "message_not_found"},
			{"reactions.add", form("channel", "C1", "timestamp", "yesterday", "name", "x"), "bad_timestamp"},
			{"reactions.add", form("channel", "C1", "name", "x"), "no_item_specified"},
			{"reactions.add", form("channel", "C1", "timestamp", reply, "name", "x"), "too_many_reactions"},
			{"reactions.add", form("channel", "CLEFT", "timestamp", ts, "name", "x"), "not_in_channel"},
			{"reactions.remove", form("channel", "C1", "timestamp", ts, "name", "x"), ""},
			{"reactions.remove", form("channel", "C1", "timestamp", ts, "name", "x"), "no_reaction"},
			{"reactions.get", form("channel", "C1", "timestamp", "1.000001"), "message_not_found"},
			{"conversations.replies", form("channel", "C1", "ts", "1.000001"), "thread_not_found"},
			{"conversations.info", form("channel", "C9"), "channel_not_found"},
			{"conversations.info", form("channel", "CLEFT"), ""},
			{"users.info", form("user", "U9"), "user_not_found"},
			{"users.info", form("user", "U1"), ""},
		} {
			body := w.call(tt.method, tt.form)
			if code, _ := body["error"].(string); code != tt.want || body["ok"] != (tt.want == "") {
				t.Errorf("%s %v: %v, not %q", tt.method, tt.form, body, tt.want)
			}
		}
	})
}

func TestTokensAreChecked(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		w.Revoke("users:read")
		for _, tt := range []struct{ method, header, form, want string }{
			{"auth.test", "", "", "not_authed"},
			{"auth.test", "xoxb-other", "", "invalid_auth"},
			{"auth.test", "xapp-test", "", "not_allowed_token_type"},
			{"auth.test", "", "xoxb-test", ""},
			{"apps.connections.open", "xoxb-test", "", "not_allowed_token_type"},
			{"apps.connections.open", "xapp-test", "", ""},
			{"users.info", "xoxb-test", "", "missing_scope"},
		} {
			resp, err := w.try(tt.method, tt.header, form("token", tt.form))
			if err != nil {
				t.Fatal(err)
			}
			var body struct{ Error, Needed string }
			if err := json.NewDecoder(resp.Body).Decode(&body); err != nil || body.Error != tt.want {
				t.Errorf("%+v: %+v, %v", tt, body, err)
			}
			_ = resp.Body.Close()
			if scopes := resp.Header.Get("X-OAuth-Scopes"); strings.Contains(scopes, "users:read") || strings.Contains(scopes, "chat:write") == (tt.method == "apps.connections.open") {
				t.Errorf("%s has scopes %s", tt.method, scopes)
			}
		}
		for _, c := range w.CallLog("") {
			if c.Form.Has("token") || c.Answer == "" {
				t.Errorf("logged %+v", c)
			}
		}
	})
}

func TestTheBotsMessagesAreKept(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		ts := w.Say("U1", "C1", "hello")
		body := strings.NewReader(`{"channel":"C1","thread_ts":"` + ts + `","text":"` + strings.Repeat("あ", 40_001) + `","blocks":[{"type":"divider"}],"metadata":{"event_type":"m","event_payload":{"slot":"status"}}}`)
		req, err := http.NewRequestWithContext(t.Context(), "POST", "http://slack.test/api/chat.postMessage", body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
		req.Header.Set("Authorization", "Bearer xoxb-test")
		resp, err := w.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		thread := w.Thread("C1", ts)
		if len(thread) != 1 || len([]rune(thread[0].Text)) != 40_000 || !strings.Contains(string(thread[0].Blocks), `"type":"divider"`) || thread[0].Bot != "B0BOT" {
			t.Fatalf("thread %+v", thread)
		}
		w.call("chat.update", form("channel", "C1", "ts", thread[0].TS, "text", "done"))
		w.call("chat.postEphemeral", form("channel", "C1", "user", "U1", "text", "for you", "thread_ts", ts))
		thread = w.Thread("C1", ts)
		if len(thread) != 1 || thread[0].Text != "done" || thread[0].Edits != 1 || thread[0].Blocks != nil || thread[0].Metadata == nil {
			t.Errorf("thread %+v", thread)
		}
		for _, metadata := range []string{"true", ""} {
			got := w.call("conversations.replies", form("channel", "C1", "ts", ts, "include_all_metadata", metadata))
			messages, _ := got["messages"].([]any)
			if len(messages) != 2 {
				t.Fatalf("replies %v", got)
			}
			if m, _ := messages[1].(map[string]any); (m["metadata"] != nil) != (metadata == "true") || m["bot_id"] != "B0BOT" || m["thread_ts"] != ts {
				t.Errorf("reply %v", m)
			}
		}
		page := w.call("conversations.replies", form("channel", "C1", "ts", ts, "limit", "1"))
		meta, _ := page["response_metadata"].(map[string]any)
		next, _ := meta["next_cursor"].(string)
		if page["has_more"] != true || next == "" {
			t.Errorf("page %v", page)
		}
		rest := w.call("conversations.replies", form("channel", "C1", "ts", ts, "limit", "1", "cursor", next))
		if m, _ := rest["messages"].([]any); len(m) != 1 || rest["has_more"] != false {
			t.Errorf("the rest %v", rest)
		}
		for _, name := range []string{"thumbsup", "x"} {
			w.call("reactions.add", form("channel", "C1", "timestamp", ts, "name", name))
		}
		if diff := cmp.Diff([]string{"thumbsup", "x"}, w.Reactions("C1", ts)); diff != "" {
			t.Error(diff)
		}
		got, _ := w.call("reactions.get", form("channel", "C1", "timestamp", ts))["message"].(map[string]any)
		if r, _ := got["reactions"].([]any); len(r) != 2 {
			t.Errorf("reactions.get: %v", got)
		}
		w.Delete("C1", ts)
		if got := w.call("reactions.add", form("channel", "C1", "timestamp", ts, "name", "x"))["error"]; got != "message_not_found" {
			t.Errorf("on a deleted message: %v", got)
		}
	})
}

func TestFaults(t *testing.T) {
	read := func(resp *http.Response) string {
		b, _ := io.ReadAll(resp.Body)
		return string(b)
	}
	for _, tt := range []struct {
		name   string
		fault  fakeslack.Fault
		posted bool
		answer string // in the log
		status int    // 0: cut
		retry  string
		body   string
	}{
		{"429", fakeslack.RateLimited(1500 * time.Millisecond), false, "429", 429, "2", "ratelimited"},
		{"429 with a fraction", fakeslack.RateLimitedFraction(), false, "429", 429, "1.5", "ratelimited"},
		{"ratelimited with 200", fakeslack.RateLimitedOK(), false, "200", 200, "", `"error":"ratelimited"`},
		{"an error", fakeslack.Fails("fatal_error"), false, "200", 200, "", `"error":"fatal_error"`},
		{"no error", fakeslack.Fails(""), false, "200", 200, "", `{"ok":false}`},
		{"500", fakeslack.Broken(), false, "500", 500, "", "internal_error"},
		{"503", fakeslack.Unavailable(), false, "503", 503, "", "<html>"},
		{"cut", fakeslack.Cut(), false, "cut", 0, "", ""},
		{"lost answer", fakeslack.LoseAnswer(), true, "cut", 0, "", ""},
		{"done, then 500", fakeslack.Fault{Do: true, Status: 500}, true, "500", 500, "", ""},
		{"delay", fakeslack.Delayed(time.Minute), true, "ok", 200, "", `"ok":true`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
				w.Join("C1")
				w.Fail("chat.postMessage", 1, tt.fault)
				began := time.Now()
				resp, err := w.try("chat.postMessage", "xoxb-test", form("channel", "C1", "text", "x"))
				if (err != nil) != (tt.status == 0) {
					t.Fatal(err)
				}
				if err == nil {
					if got := read(resp); resp.StatusCode != tt.status || resp.Header.Get("Retry-After") != tt.retry || !strings.Contains(got, tt.body) {
						t.Errorf("%s %v %s", resp.Status, resp.Header, got)
					}
					_ = resp.Body.Close()
				}
				if got := time.Since(began); got != tt.fault.Delay {
					t.Errorf("took %v", got)
				}
				if got := len(w.Channel("C1")) == 1; got != tt.posted {
					t.Errorf("posted: %v", got)
				}
				if c := w.CallLog("chat.postMessage"); len(c) != 1 || c[0].Answer != tt.answer || c[0].Done != tt.posted {
					t.Errorf("log %+v", c)
				}
				if body := w.call("chat.postMessage", form("channel", "C1", "text", "x")); body["ok"] != true {
					t.Errorf("the next: %v", body)
				}
			})
		})
	}
}

func TestAHangingCallEndsWithItsClientOrWithSlack(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		w.Fail("auth.test", -1, fakeslack.Hang())
		w.http.Timeout = time.Minute
		began := time.Now()
		for range 2 {
			if _, err := w.try("auth.test", "xoxb-test", nil); err == nil {
				t.Error("an answer")
			}
		}
		if got := time.Since(began); got != 2*time.Minute {
			t.Errorf("took %v", got)
		}
		w.Heal("auth.test")
		if body := w.call("auth.test", nil); body["ok"] != true {
			t.Errorf("healed: %v", body)
		}
		w.Fail("auth.test", 1, fakeslack.Hang())
		failed := make(chan error)
		go func() {
			_, err := w.try("auth.test", "xoxb-test", nil)
			failed <- err
		}()
		synctest.Wait()
		w.Close()
		if err := <-failed; !errors.Is(err, io.EOF) {
			t.Errorf("after close: %v", err)
		}
	})
}

func TestRatesAreSlacks(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		ts := w.Say("U1", "C1", "hello")
		w.Join("C2")
		w.Limits(true)
		done := func(method string, f url.Values) (n int) {
			for ; n < 1000; n++ {
				resp, err := w.try(method, "xoxb-test", f)
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				if resp.StatusCode == http.StatusTooManyRequests {
					after, err := time.ParseDuration(resp.Header.Get("Retry-After") + "s")
					if err != nil || after <= 0 {
						t.Errorf("Retry-After: %v", resp.Header)
					}
					time.Sleep(after)
					resp, err = w.try(method, "xoxb-test", f)
					if err != nil || resp.StatusCode != http.StatusOK {
						t.Errorf("after the wait: %v", err)
					}
					_ = resp.Body.Close()
					return n
				}
			}
			return n
		}
		post := form("channel", "C1", "text", "x")
		if got := done("chat.postMessage", post); got != 5 {
			t.Errorf("%d posts at once", got)
		}
		if got := w.call("chat.postMessage", form("channel", "C2", "text", "x"))["ok"]; got != true {
			t.Error("another channel has to wait too")
		}
		if got := done("reactions.remove", form("channel", "C1", "timestamp", ts, "name", "x")); got != 20 {
			t.Errorf("%d removals at once", got)
		}
	})
}

func TestSlacksClockCanDiffer(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		w.SetClock(-time.Hour)
		resp, err := w.try("auth.test", "xoxb-test", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		want := time.Now().Add(-time.Hour)
		if got, err := http.ParseTime(resp.Header.Get("Date")); err != nil || !got.Equal(want) {
			t.Errorf("date %v, %v", got, err)
		}
		first, second := w.Say("U1", "C1", "a"), w.Say("U1", "C1", "b")
		if first != fmt.Sprintf("%d.000000", want.Unix()) || second <= first {
			t.Errorf("stamps %s, %s", first, second)
		}
	})
}
