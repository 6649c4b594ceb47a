package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"path"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"github.com/slack-go/slack"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/bot/phrases"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

const (
	testBotToken = "xoxb-test-bot"
	testAppToken = "xapp-test-app"
)

var (
	key     = deploy.Key{Team: "T1", Channel: "C1", TS: "1700000000.000100"}
	mention = deploy.Request{Key: key, ID: "6e35fdeb-346b-58d3-b8ae-2971aa8e3021", By: deploy.Person{User: "U1"}}
)

// slackFake answers each call with the next of its answers, the last one forever.
type slackFake struct {
	answers []fakeAnswer
	calls   []fakeCall
}

type fakeAnswer struct {
	status int // 0 is 200
	header http.Header
	body   string
	err    error
}

type fakeCall struct {
	method, auth string
	form         url.Values
}

func (f *slackFake) RoundTrip(r *http.Request) (*http.Response, error) {
	httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	f.calls = append(f.calls, fakeCall{path.Base(r.URL.Path), r.Header.Get("Authorization"), form})
	a := f.answers[min(len(f.calls), len(f.answers))-1]
	if a.err != nil {
		return nil, a.err
	}
	h := a.header.Clone()
	if h == nil {
		h = http.Header{}
	}
	var b io.Reader = strings.NewReader(a.body)
	if rest, ok := strings.CutSuffix(a.body, "CUT"); ok {
		b = io.MultiReader(strings.NewReader(rest), cut{})
	}
	status := a.status
	if status == 0 {
		status = http.StatusOK
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(b), Request: r}, nil
}

type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func says(body string) fakeAnswer { return fakeAnswer{body: body} }

func apiOver(rt http.RoundTripper) *Client {
	return New(Config{
		BotToken: testBotToken, AppToken: testAppToken, Transport: rt, Log: zerolog.Nop(),
		Voice: plainWords,
	})
}

func TestWhatIsSent(t *testing.T) {
	fake := &slackFake{answers: []fakeAnswer{says(`{"ok":true,"ts":"1700000002.000000"}`)}}
	a := apiOver(fake)
	ctx := t.Context()
	reply := mention
	reply.Thread = "1699999999.000001"
	ts, err := a.Post(ctx, engine.Place{Request: reply, Slot: "line-1"}, deploy.Message{ID: deploy.MsgGreet})
	if err != nil || ts != "1700000002.000000" {
		t.Fatalf("ts %q, %v", ts, err)
	}
	for _, err := range []error{
		post(a), a.React(ctx, key, "thumbsup"), a.Unreact(ctx, key, "zzz"),
		a.Update(ctx, key, "1700000002.000000", deploy.Message{ID: deploy.MsgStatusRunning}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var metadata any
	if err := json.Unmarshal([]byte(fake.calls[0].form.Get("metadata")), &metadata); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"event_type": "psycher", "event_payload": map[string]any{"id": mention.ID, "slot": "line-1"}}
	if d := cmp.Diff(want, metadata); d != "" {
		t.Error(d)
	}
	var got []map[string]string
	for _, c := range fake.calls {
		one := map[string]string{"method": c.method}
		for k := range c.form {
			if k != "token" && k != "metadata" {
				one[k] = c.form.Get(k)
			}
		}
		if c.form.Get("token") != testBotToken {
			t.Errorf("%s: not the bot's token", c.method)
		}
		got = append(got, one)
	}
	if d := cmp.Diff([]map[string]string{
		{
			"method": "chat.postMessage", "channel": "C1", "thread_ts": "1699999999.000001", "text": "words of greet",
			"unfurl_links": "false", "unfurl_media": "false",
		},
		{
			"method": "chat.postMessage", "channel": "C1", "thread_ts": "1700000000.000100", "text": "words of greet",
			"unfurl_links": "false", "unfurl_media": "false",
		},
		{"method": "reactions.add", "channel": "C1", "timestamp": "1700000000.000100", "name": "thumbsup"},
		{"method": "reactions.remove", "channel": "C1", "timestamp": "1700000000.000100", "name": "zzz"},
		{"method": "chat.update", "channel": "C1", "ts": "1700000002.000000", "text": "words of status-running", "parse": "none"},
	}, got); d != "" {
		t.Error(d)
	}
}

func TestAddressMayEndInASlashOrNot(t *testing.T) {
	for base, want := range map[string]string{
		"":                       "https://slack.com/api/auth.test",
		"http://127.0.0.1:9/api": "http://127.0.0.1:9/api/auth.test",
		"http://127.0.0.1:9//":   "http://127.0.0.1:9/auth.test",
	} {
		var got string
		a := New(Config{URL: base, Transport: seen(func(r *http.Request) { got = r.URL.String() })})
		if _, err := a.Identify(t.Context()); err == nil || got != want {
			t.Errorf("%q calls %s (%v), want %s", base, got, err, want)
		}
	}
}

type seen func(*http.Request)

func (f seen) RoundTrip(r *http.Request) (*http.Response, error) {
	f(r)
	return nil, errors.New("no network here")
}

const authTest = `{"ok":true,"url":"https://t.slack.com/","team":"t","user":"psycher","team_id":"T1","user_id":"UBOT","bot_id":"B1"}`

func TestIdentify(t *testing.T) {
	me, err := apiOver(&slackFake{answers: []fakeAnswer{says(authTest)}}).Identify(t.Context())
	if err != nil || me != (Identity{Team: "T1", User: "UBOT", BotID: "B1"}) {
		t.Errorf("%+v, %v", me, err)
	}
	if _, err := apiOver(&slackFake{answers: []fakeAnswer{says(`{"ok":true}`)}}).Identify(t.Context()); err == nil {
		t.Error("an answer without the bot's name was taken")
	}
	_, err = apiOver(&slackFake{answers: []fakeAnswer{{status: 502}}}).Identify(t.Context())
	if TokenRefused(err) || kind(err) != "later 5s" {
		t.Errorf("a passing failure: %v", err)
	}
}

func TestRefusedTokenIsNamedWithItsFix(t *testing.T) {
	fake := &slackFake{answers: []fakeAnswer{says(`{"ok":false,"error":"invalid_auth"}`)}}
	a := apiOver(fake)
	for setting, call := range map[string]func() error{
		"SLACK_BOT_TOKEN": func() error { _, err := a.Identify(t.Context()); return err },
		"SLACK_APP_TOKEN": func() error { _, err := a.OpenConnection(t.Context()); return err },
	} {
		no := &SlackError{}
		if err := call(); !TokenRefused(err) || !errors.As(err, &no) || no.Code != "invalid_auth" || !strings.HasPrefix(err.Error(), setting+": ") {
			t.Errorf("%v", err)
		}
	}
}

func TestOpenConnection(t *testing.T) {
	fake := &slackFake{answers: []fakeAnswer{
		says(`{"ok":true,"url":"wss://wss.example/link/?ticket=1"}`), says(`{"ok":true}`), {status: 429, header: http.Header{"Retry-After": {"3"}}},
	}}
	a := apiOver(fake)
	url, err := a.OpenConnection(t.Context())
	if err != nil || url != "wss://wss.example/link/?ticket=1" {
		t.Errorf("%q, %v", url, err)
	}
	if fake.calls[0].method != "apps.connections.open" || fake.calls[0].auth != "Bearer "+testAppToken {
		t.Errorf("called %+v", fake.calls[0])
	}
	if url, err := a.OpenConnection(t.Context()); err == nil {
		t.Errorf("an answer without a url gave %q", url)
	}
	_, err = a.OpenConnection(t.Context())
	var limited *slack.RateLimitedError
	if kind(err) != "later 3s" || !errors.As(err, &limited) || limited.RetryAfter != 3*time.Second {
		t.Errorf("%v", err)
	}
}

func TestRefusalIsRememberedUntilASuccessDisprovesIt(t *testing.T) {
	ok, scope := says(`{"ok":true,"ts":"1700000002.000000"}`), says(`{"ok":false,"error":"missing_scope","needed":"reactions:write"}`)
	revoked := says(`{"ok":false,"error":"token_revoked"}`)
	fake := &slackFake{}
	a := apiOver(fake)
	ctx := t.Context()
	for i, step := range []struct {
		answer fakeAnswer
		call   func() error
		want   []string
	}{
		{ok, func() error { return post(a) }, nil},
		{revoked, func() error { return post(a) }, []string{"SLACK_BOT_TOKEN", "token_revoked", "install the app"}},
		{scope, func() error { return a.React(ctx, key, "x") }, []string{"token_revoked", "reactions:write"}},
		{says(`{"ok":true,"url":"ws://x"}`), func() error { _, err := a.OpenConnection(ctx); return err }, []string{"token_revoked"}},
		{ok, func() error { return post(a) }, []string{"reactions:write"}}, // a message proves nothing about reactions
		{ok, func() error { return a.React(ctx, key, "x") }, nil},
		{revoked, func() error { _, err := a.OpenConnection(ctx); return err }, nil}, // the sockets' status says this of the app's token
		{says(`{"ok":false,"error":"invalid_auth"}`), func() error { return a.Update(ctx, key, "1700000002.000000", deploy.Message{ID: deploy.MsgGreet}) }, []string{"invalid_auth"}},
		{scope, func() error { return a.React(ctx, key, "x") }, []string{"invalid_auth", "reactions:write"}},
		{says(`{"ok":false,"error":"missing_scope","needed":"chat:write"}`), func() error { return post(a) }, []string{"chat:write", "reactions:write"}},
		{revoked, func() error { return a.Unreact(ctx, key, "x") }, []string{"token_revoked"}},
	} {
		fake.answers, fake.calls = []fakeAnswer{step.answer}, nil
		_ = step.call()
		got := a.Refused()
		if (got == "") != (len(step.want) == 0) || i == 4 && strings.Contains(got, "token_revoked") {
			t.Errorf("step %d: %q", i, got)
		}
		for _, w := range step.want {
			if !strings.Contains(got, w) {
				t.Errorf("step %d: %q does not say %q", i, got, w)
			}
		}
		if n := strings.Count(got, "SLACK_BOT_TOKEN"); n > 1 {
			t.Errorf("step %d: the token is named %d times: %q", i, n, got)
		}
		if strings.Contains(got, testBotToken) || strings.Contains(got, testAppToken) {
			t.Errorf("step %d: a token in %q", i, got)
		}
	}
}

func thread(cursor string, messages ...string) fakeAnswer {
	return says(fmt.Sprintf(`{"ok":true,"messages":[%s],"has_more":%v,"response_metadata":{"next_cursor":%q}}`,
		strings.Join(messages, ","), cursor != "", cursor))
}

func botsOwn(ts, slot string) string {
	return fmt.Sprintf(`{"ts":%q,"bot_id":"B1","user":"UBOT","metadata":{"event_type":"psycher","event_payload":{"id":%q,"slot":%q}}}`, ts, mention.ID, slot)
}

func TestFind(t *testing.T) {
	odd := `{"ts":"1700000001.000000","user":"U2","blocks":[5,{"type":{}}],"attachments":"x","metadata":[]}`
	forged := strings.NewReplacer("B1", "B2", "UBOT", "U2").Replace(botsOwn("1700000003.000000", "status"))
	for _, c := range []struct {
		name    string
		answers []fakeAnswer
		ts      string
		err     string
	}{
		{"there", []fakeAnswer{thread("", odd, botsOwn("1700000002.000000", "line"), botsOwn("1700000003.000000", "status"))}, "1700000003.000000", ""},
		{"not there", []fakeAnswer{thread("", odd, botsOwn("1700000002.000000", "line"))}, "", ""},
		{"somebody else's", []fakeAnswer{thread("", forged)}, "", ""},
		{"of another mention", []fakeAnswer{thread("", strings.ReplaceAll(botsOwn("1700000003.000000", "status"), mention.ID, "other"))}, "", ""},
		{"on the second page", []fakeAnswer{thread("n", odd), thread("", botsOwn("1700000003.000000", "status"))}, "1700000003.000000", ""},
		{"pages without end", []fakeAnswer{thread("n", odd)}, "", "other"},
		{"more without a way to it", []fakeAnswer{says(`{"ok":true,"messages":[],"has_more":true}`)}, "", "other"},
		{"missing scope", []fakeAnswer{says(`{"ok":false,"error":"missing_scope","needed":"channels:history"}`)}, "", "missing_scope"},
		{"rate limit", []fakeAnswer{{status: 429, header: http.Header{"Retry-After": {"3"}}}}, "", "later 3s"},
		{"cut", []fakeAnswer{{err: io.ErrUnexpectedEOF}}, "", "later 5s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := &slackFake{answers: append([]fakeAnswer{says(authTest)}, c.answers...)}
			a := apiOver(fake)
			ts, ok, err := a.Find(t.Context(), engine.Place{Request: mention, Slot: "status"})
			if ts != c.ts || ok != (c.ts != "") || kind(err) != c.err {
				t.Errorf("%q, %v, %v", ts, ok, err)
			}
			if len(fake.calls) > findPages+1 {
				t.Errorf("%d calls", len(fake.calls))
			}
			form := fake.calls[1].form
			if form.Get("ts") != key.TS || form.Get("oldest") != key.TS || form.Get("include_all_metadata") != "1" || form.Get("channel") != "C1" {
				t.Errorf("asked %v", form)
			}
			if a.Refused() != "" {
				t.Errorf("refused %q: the bot can do without looking posts up", a.Refused())
			}
		})
	}
}

func TestFindInTheChannel(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []fakeAnswer
		ts      string
		err     string
	}{
		{"on the second page", []fakeAnswer{thread("n"), thread("", botsOwn("1700000003.000000", "status"))}, "1700000003.000000", ""},
		{"not there", []fakeAnswer{thread("")}, "", ""},
		{"missing scope", []fakeAnswer{says(`{"ok":false,"error":"missing_scope","needed":"channels:history"}`)}, "", "missing_scope"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := &slackFake{answers: append([]fakeAnswer{says(authTest)}, c.answers...)}
			a := apiOver(fake)
			ts, ok, err := a.Find(t.Context(), engine.Place{Request: mention, Slot: "status", InChannel: true})
			if ts != c.ts || ok != (c.ts != "") || kind(err) != c.err {
				t.Errorf("%q, %v, %v", ts, ok, err)
			}
			for _, call := range fake.calls[1:] {
				if form := call.form; call.method != "conversations.history" || form.Get("oldest") != key.TS || form.Get("include_all_metadata") != "1" || form.Get("channel") != "C1" {
					t.Errorf("asked %s %v", call.method, form)
				}
			}
			if a.Refused() != "" {
				t.Errorf("refused %q: the bot can do without looking posts up", a.Refused())
			}
		})
	}
}

func TestRereadReturnsWhatTheMessageSaysNow(t *testing.T) {
	now := func(rest string) string {
		return fmt.Sprintf(`{"type":"message","user":"U1","ts":%q,%s}`, key.TS, rest)
	}
	root := `{"type":"message","user":"U2","ts":"1600000000.000000","text":"<@UBOT> release"}`
	for _, c := range []struct {
		name   string
		answer fakeAnswer
		text   string // what it says
		edited bool
		gone   bool
		known  bool
	}{
		{"as it was", thread("", root, now(`"text":"<@UBOT> release"`)), "UBOT release", false, false, true},
		{"edited", thread("", now(`"text":"<@UBOT> hello","edited":{"user":"U1","ts":"1700000009.0"}`)), "UBOT hello", true, false, true},
		{"the bot's name taken out", thread("", now(`"text":"release","edited":{"user":"U1"}`)), "", true, false, true},
		{"struck through", thread("", now(`"text":"~<@UBOT> release~","edited":{"user":"U1"}`)), "", true, false, true},
		{"deleted, with replies", thread("", now(`"subtype":"tombstone","text":"This message was deleted."`)), "", false, true, false},
		{"not among the messages", thread("", root), "", false, false, false},
		{"not a list of messages", says(`{"ok":true,"messages":"<@UBOT> release"}`), "", false, false, false},
		{"missing scope", says(`{"ok":false,"error":"missing_scope","needed":"channels:history"}`), "", false, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := &slackFake{answers: []fakeAnswer{says(authTest), c.answer}}
			a := apiOver(fake)
			a.config.Read = func(k deploy.Key, said markup.Words) deploy.Intent {
				if k != key || said.Named != (len(said.Segments) > 0) || said.Named && !said.Whole {
					t.Errorf("in %s: %+v", k, said)
				}
				var texts []string
				for _, s := range said.Segments {
					texts = append(texts, s.Text)
				}
				return deploy.Intent{Word: strings.Join(texts, "")}
			}
			m, err := a.Reread(t.Context(), mention)
			if errors.Is(err, engine.ErrMentionGone) != c.gone || (err == nil) != c.known {
				t.Fatal(err)
			}
			if err == nil && (m.Intent.Word != c.text || m.Edited != c.edited || m.Key != mention.Key) {
				t.Errorf("read %+v", m)
			}
			if form := fake.calls[1].form; form.Get("latest") != key.TS || form.Get("oldest") != key.TS || form.Get("inclusive") != "1" {
				t.Errorf("asked %v", form)
			}
			if a.Refused() != "" {
				t.Errorf("refused %q: the bot can do without reading the channel", a.Refused())
			}
		})
	}
}

func TestPostIntoTheChannelNamesNoThread(t *testing.T) {
	fake := &slackFake{answers: []fakeAnswer{says(`{"ok":true,"ts":"1700000002.000000"}`)}}
	if _, err := apiOver(fake).Post(t.Context(), engine.Place{Request: mention, Slot: "line-1", InChannel: true}, deploy.Message{ID: deploy.MsgGreet}); err != nil {
		t.Fatal(err)
	}
	if form := fake.calls[0].form; form.Has("thread_ts") || form.Get("channel") != "C1" {
		t.Errorf("sent %v", form)
	}
}

func TestRateLimitHoldsTheMethodUntilItHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := fakeAnswer{status: 429, header: http.Header{"Retry-After": {"30"}}}
		fake := &slackFake{answers: []fakeAnswer{limit, says(`{"ok":true,"ts":"1700000002.000000"}`)}}
		a := apiOver(fake)
		ctx := t.Context()
		elsewhere := mention
		elsewhere.Channel = "C2"
		if got := kind(post(a)); got != "later 30s" {
			t.Fatal(got)
		}
		time.Sleep(10 * time.Second)
		if got := kind(post(a)); got != "later 20s" || len(fake.calls) != 1 {
			t.Errorf("%q, %d calls", got, len(fake.calls))
		}
		if _, err := a.Post(ctx, engine.Place{Request: elsewhere, Slot: "s"}, deploy.Message{ID: deploy.MsgGreet}); err != nil {
			t.Errorf("another channel is held up: %v", err)
		}
		if err := a.React(ctx, key, "x"); err != nil {
			t.Errorf("another method is held up: %v", err)
		}
		time.Sleep(20 * time.Second)
		if err := post(a); err != nil {
			t.Errorf("still held: %v", err)
		}
	})
}

func TestNoTokenInLogs(t *testing.T) {
	var log bytes.Buffer
	fake := &slackFake{answers: []fakeAnswer{{header: http.Header{"Date": {"Mon, 02 Jan 2006 15:04:05 GMT"}}, body: authTest}}}
	a := New(Config{BotToken: testBotToken, AppToken: testAppToken, Transport: fake, Log: zerolog.New(&log)})
	if _, err := a.Identify(t.Context()); err != nil {
		t.Fatal(err)
	}
	if log.Len() == 0 || strings.Contains(log.String(), "xox") || strings.Contains(log.String(), "xapp") {
		t.Errorf("log %q", log.String())
	}
}

// plainWords say which message it is.
func plainWords() phrases.Voice {
	return phrases.Voice{"greet": {"words of greet"}, "status-running": {"words of status-running"}, "pressed": {""}, "approved": {""}}
}
