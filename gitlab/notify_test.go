package gitlab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
)

const (
	notifyToken   = "notify-test.token_0~1"
	notifyID      = "5e4f9a52-6c0b-5d2c-9a44-0d1fcd7ac111"
	notifyMention = "channel=C0DEPLOY1&timestamp=1700000000.000100"
)

// hearer answers every word alike and keeps what it was told.
type hearer struct {
	verdict  deploy.Verdict
	err      error
	panics   bool
	heard    []deploy.Word
	deadline time.Duration
}

func (h *hearer) Hear(ctx context.Context, w deploy.Word) (deploy.Verdict, error) {
	if until, ok := ctx.Deadline(); ok {
		h.deadline = time.Until(until)
	}
	h.heard = append(h.heard, w)
	if h.panics {
		panic("broken on purpose")
	}
	return h.verdict, h.err
}

// call is one call of the port; its zero value is the shortest good one.
type notifyCall struct {
	method, path, query string
	header              map[string]string
	body                string
}

func (c notifyCall) request() *http.Request {
	method, path := c.method, c.path
	if method == "" {
		method = http.MethodGet
	}
	if path == "" {
		path = "/notify"
	}
	r := httptest.NewRequest(method, path, strings.NewReader(c.body))
	r.URL.RawQuery = c.query
	for name, value := range c.header {
		r.Header.Set(name, value)
	}
	return r
}

// make calls the port and gives what it answered and logged.
func (c notifyCall) make(t *testing.T, h Hearer) (*httptest.ResponseRecorder, string) {
	t.Helper()
	var log bytes.Buffer
	w := httptest.NewRecorder()
	NotifyHandler(notifyToken, h, zerolog.New(&log)).ServeHTTP(w, c.request())
	for place, text := range map[string]string{"log": log.String(), "answer": w.Body.String()} {
		if strings.Contains(text, notifyToken) || strings.Contains(text, "source=") {
			t.Errorf("the %s shows the secret or the query: %s", place, text)
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d lines logged, want 1: %s", n, log.String())
	}
	return w, log.String()
}

var (
	formBody = map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	jsonBody = map[string]string{"Content-Type": "application/json; charset=utf-8"}
	withAuth = map[string]string{"Authorization": "Bearer " + notifyToken}
)

// both joins headers.
func both(a, b map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range []map[string]string{a, b} {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

func TestAVerdictIsAnswered(t *testing.T) {
	for name, c := range map[string]struct {
		hearer hearer
		status int
		key    string
		retry  bool
		logged string
	}{
		"taken":     {hearer{verdict: deploy.VerdictTaken}, 200, "result", false, `"level":"info"`},
		"no effect": {hearer{verdict: deploy.VerdictNoEffect}, 200, "result", false, `"verdict":"no-effect"`},
		"unknown":   {hearer{verdict: deploy.VerdictUnknown}, 404, "error", false, `"verdict":"unknown"`},
		"stop":      {hearer{verdict: deploy.VerdictStop}, 409, "error", false, `"verdict":"stop"`},
		"store away": {
			hearer{err: errors.New("the store is away")}, 503, "error", true, `"error":"the store is away"`,
		},
		"an error with a verdict": {
			hearer{verdict: deploy.VerdictTaken, err: errors.New("the store is away")}, 503, "error", true, `"level":"error"`,
		},
		"a verdict nobody knows": {hearer{verdict: "perhaps"}, 503, "error", true, `perhaps`},
		"a panic":                {hearer{panics: true}, 503, "error", true, `broken on purpose`},
	} {
		t.Run(name, func(t *testing.T) {
			h := c.hearer
			w, log := notifyCall{header: withAuth, query: "source=gitlab&result=start&pipeline=4711&id=" + notifyID + "&" + notifyMention}.make(t, &h)

			var said map[string]string
			if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || len(said) != 1 || said[c.key] == "" {
				t.Errorf("answered %s, want only %q", w.Body, c.key)
			}
			if w.Code != c.status {
				t.Errorf("answered %d, want %d", w.Code, c.status)
			}
			after := w.Header().Get("Retry-After")
			if good := len(after) == 1 && after >= "1" && after <= "5"; good != c.retry {
				t.Errorf("Retry-After is %q", after)
			}
			if h.deadline <= 0 || h.deadline > 5*time.Second {
				t.Errorf("heard with %v to go", h.deadline)
			}
			for _, part := range []string{
				c.logged, `"channel":"C0DEPLOY1"`, `"ts":"1700000000.000100"`, `"deployment":"` + notifyID + `"`,
				`"pipeline":4711`, `"result":"start"`, `"status":`,
			} {
				if !strings.Contains(log, part) {
					t.Errorf("the log lacks %s: %s", part, log)
				}
			}
		})
	}
}

// Each row has every fault that the rows below it have.
func TestChecksComeInOrder(t *testing.T) {
	huge := strings.Repeat("x", 64<<10+1)
	for _, c := range []struct {
		name   string
		call   notifyCall
		status int
	}{
		{"path before method", notifyCall{path: "/", method: "PUT", body: huge}, 404},
		{"healthz is elsewhere", notifyCall{path: "/healthz", header: withAuth}, 404},
		{"the path is exact", notifyCall{path: "/notify/", header: withAuth}, 404},
		{"method before size", notifyCall{method: "PUT", body: huge}, 405},
		{"HEAD is neither", notifyCall{method: "HEAD", header: withAuth}, 405},
		{"size before secret", notifyCall{method: "POST", body: huge}, 413},
		{"the query's size too", notifyCall{query: huge}, 413},
		{"a size with the secret", notifyCall{method: "POST", header: withAuth, body: huge}, 413},
		{"secret before form", notifyCall{query: "%zz;&result=x", body: "{"}, 401},
		{"form before hearing", notifyCall{header: withAuth, query: "result=x"}, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &hearer{err: errors.New("the store is away")}
			if w, _ := c.call.make(t, h); w.Code != c.status {
				t.Errorf("answered %d %s, want %d", w.Code, w.Body, c.status)
			}
			if len(h.heard) != 0 {
				t.Errorf("heard %v", h.heard)
			}
		})
	}
}

func TestA64KiBBodyIsTaken(t *testing.T) {
	body := "source=gitlab&result=success&" + notifyMention + "&x="
	body += strings.Repeat("x", 64<<10-len(body))
	w, _ := notifyCall{method: "POST", header: both(formBody, withAuth), body: body}.make(t, &hearer{verdict: deploy.VerdictTaken})
	if w.Code != http.StatusOK {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

func TestNobodyIsLetInWithoutTheSecret(t *testing.T) {
	good := "source=gitlab&result=success&" + notifyMention
	for name, c := range map[string]notifyCall{
		"nothing":                      {query: good},
		"another name":                 {query: "wrong=true&" + good},
		"the secret as a value":        {query: "secret=" + notifyToken + "&" + good},
		"the secret in capitals":       {query: strings.ToUpper(notifyToken) + "=true&" + good},
		"the secret's beginning":       {query: notifyToken[:len(notifyToken)-1] + "=true&" + good},
		"the secret and more":          {query: notifyToken + "x=true&" + good},
		"an empty token":               {query: "token=&" + good},
		"basic authorization":          {header: map[string]string{"Authorization": "Basic " + notifyToken}, query: good},
		"authorization alone":          {header: map[string]string{"Authorization": notifyToken}, query: good},
		"an empty bearer":              {header: map[string]string{"Authorization": "Bearer "}, query: good},
		"the secret in another header": {header: map[string]string{"X-Gitlab-Token": notifyToken}, query: good},
	} {
		t.Run(name, func(t *testing.T) {
			h := &hearer{verdict: deploy.VerdictTaken}
			w, log := c.make(t, h)
			if w.Code != http.StatusUnauthorized || len(h.heard) != 0 {
				t.Errorf("answered %d, heard %v", w.Code, h.heard)
			}
			if strings.Contains(log, "C0DEPLOY1") {
				t.Errorf("logs what a stranger says: %s", log)
			}
		})
	}

	t.Run("no token set", func(t *testing.T) {
		w := httptest.NewRecorder()
		r := notifyCall{header: map[string]string{"Authorization": "Bearer "}, query: "=true&token=&" + good}.request()
		NotifyHandler("", &hearer{}, zerolog.Nop()).ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("answered %d", w.Code)
		}
	})
	t.Run("a token named like a field", func(t *testing.T) {
		w := httptest.NewRecorder()
		NotifyHandler("result", &hearer{}, zerolog.Nop()).ServeHTTP(w, notifyCall{query: good}.request())
		if w.Code != http.StatusUnauthorized {
			t.Errorf("answered %d", w.Code)
		}
	})
}

func TestABodyThatBreaksOffIsNotHeard(t *testing.T) {
	for status, header := range map[int]map[string]string{400: withAuth, 401: nil} {
		c := notifyCall{method: "POST", header: both(formBody, header)}
		r := c.request()
		r.Body = io.NopCloser(io.MultiReader(
			strings.NewReader("source=gitlab&result=success&"+notifyMention), iotest.ErrReader(io.ErrUnexpectedEOF)))
		h, w := &hearer{verdict: deploy.VerdictTaken}, httptest.NewRecorder()
		NotifyHandler(notifyToken, h, zerolog.Nop()).ServeHTTP(w, r)
		if w.Code != status || len(h.heard) != 0 {
			t.Errorf("answered %d, want %d; heard %v", w.Code, status, h.heard)
		}
	}
}

func TestASlowCallerIsCutOff(t *testing.T) {
	for name, sent := range map[string]string{
		"body":   "POST /notify HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nsource=",
		"header": "POST /notify HTTP/1.1\r\nHost: x\r\nAuth",
		"idle":   "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"silent": "",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &hearer{verdict: deploy.VerdictTaken}
				server := NotifyServer(NotifyHandler(notifyToken, h, zerolog.Nop()))
				client, conn := net.Pipe()
				l := &pipeListener{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
				l.conns <- conn
				done := make(chan error, 1)
				go func() { done <- server.Serve(l) }()

				begun := time.Now()
				if _, err := io.WriteString(client, sent); err != nil {
					t.Fatal(err)
				}
				// Ends when the server has closed its side.
				if _, err := io.Copy(io.Discard, client); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begun); took > 70*time.Second {
					t.Errorf("held for %v", took)
				}
				if err := server.Close(); err != nil {
					t.Error(err)
				}
				if err := <-done; !errors.Is(err, http.ErrServerClosed) {
					t.Error(err)
				}
				if len(h.heard) != 0 {
					t.Errorf("heard %v", h.heard)
				}
			})
		})
	}
}

// pipeListener hands out connections of net.Pipe.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func TestOnlyTheFirstLineOfAComplaintIsKept(t *testing.T) {
	var out bytes.Buffer
	if n, err := (firstLine{&out}).Write([]byte("one\ntwo\n")); n != 8 || err != nil || out.String() != "one\n" {
		t.Errorf("wrote %d, %v: %q", n, err, out.String())
	}
}

func TestWhoHangsUpEarlyIsStillHeard(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	h := hearFunc(func(ctx context.Context, _ deploy.Word) (deploy.Verdict, error) {
		return deploy.VerdictTaken, ctx.Err()
	})
	w := httptest.NewRecorder()
	r := notifyCall{header: withAuth, query: "source=gitlab&result=success&" + notifyMention}.request()
	NotifyHandler(notifyToken, h, zerolog.Nop()).ServeHTTP(w, r.WithContext(gone))
	if w.Code != http.StatusOK {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

type hearFunc func(context.Context, deploy.Word) (deploy.Verdict, error)

func (f hearFunc) Hear(ctx context.Context, w deploy.Word) (deploy.Verdict, error) { return f(ctx, w) }
