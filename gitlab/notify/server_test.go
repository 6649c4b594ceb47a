package notify

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
	notifySHA     = "3f2a9c1e0b7d6f5a4c3b2a19080706050403020a"
	attemptToken  = "psy_ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	notifyID      = "5e4f9a52-6c0b-5d2c-9a44-0d1fcd7ac111"
	notifyMention = "channel=C0DEPLOY1&timestamp=1700000000.000100"
)

// recorder returns the same result for every callback and keeps them.
type recorder struct {
	result   deploy.CallbackResult
	err      error
	panics   bool
	got      []deploy.Callback
	deadline time.Duration
}

func (h *recorder) Callback(ctx context.Context, w deploy.Callback) (deploy.CallbackResult, error) {
	if until, ok := ctx.Deadline(); ok {
		h.deadline = time.Until(until)
	}
	h.got = append(h.got, w)
	if h.panics {
		panic("broken on purpose")
	}
	return h.result, h.err
}

// testCall is a call of the port; its zero value is a GET of /notify.
type testCall struct {
	method, path, query string
	header              map[string]string
	body                string
}

func (c testCall) request() *http.Request {
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

// make calls the port and returns what it answered and logged.
func (c testCall) make(t *testing.T, h Recorder) (*httptest.ResponseRecorder, string) {
	t.Helper()
	var log bytes.Buffer
	w := httptest.NewRecorder()
	NewHandler(notifyToken, h, zerolog.New(&log)).ServeHTTP(w, c.request())
	for place, text := range map[string]string{"log": log.String(), "answer": w.Body.String()} {
		if strings.Contains(text, notifyToken) || strings.Contains(text, "psy_") || strings.Contains(text, "source=") {
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
	proving  = map[string]string{"Authorization": "Bearer " + attemptToken}
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

func TestResultIsAnswered(t *testing.T) {
	for name, c := range map[string]struct {
		recorder recorder
		status   int
		key      string
		retry    bool
		logged   string
	}{
		"taken":     {recorder{result: deploy.CallbackTaken}, 200, "result", false, `"level":"info"`},
		"no effect": {recorder{result: deploy.CallbackNoEffect}, 200, "result", false, `"verdict":"no-effect"`},
		"unknown":   {recorder{result: deploy.CallbackUnknown}, 404, "error", false, `"verdict":"unknown"`},
		"stop":      {recorder{result: deploy.CallbackStop}, 409, "error", false, `"verdict":"stop"`},
		"store down": {
			recorder{err: errors.New("the store is down")}, 503, "error", true, `"error":"the store is down"`,
		},
		"an error with a result": {
			recorder{result: deploy.CallbackTaken, err: errors.New("the store is down")}, 503, "error", true, `"level":"error"`,
		},
		"an unknown result": {recorder{result: "perhaps"}, 503, "error", true, `perhaps`},
		"a panic":           {recorder{panics: true}, 503, "error", true, `broken on purpose`},
	} {
		t.Run(name, func(t *testing.T) {
			h := c.recorder
			w, log := testCall{header: withAuth, query: "source=gitlab&result=start&pipeline=4711&id=" + notifyID + "&" + notifyMention}.make(t, &h)

			var said map[string]string
			if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || len(said) != 2 || said[c.key] == "" || said["psycher"] == "" {
				t.Errorf("answered %s, want only %q and psycher", w.Body, c.key)
			}
			if w.Code != c.status {
				t.Errorf("answered %d, want %d", w.Code, c.status)
			}
			after := w.Header().Get("Retry-After")
			if good := len(after) == 1 && after >= "1" && after <= "5"; good != c.retry {
				t.Errorf("Retry-After is %q", after)
			}
			if h.deadline <= 0 || h.deadline > 5*time.Second {
				t.Errorf("called with %v to go", h.deadline)
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
		call   testCall
		status int
	}{
		{"path before method", testCall{path: "/", method: "PUT", body: huge}, 404},
		{"healthz is elsewhere", testCall{path: "/healthz", header: withAuth}, 404},
		{"the path is exact", testCall{path: "/notify/", header: withAuth}, 404},
		{"method before size", testCall{method: "PUT", body: huge}, 405},
		{"HEAD is neither", testCall{method: "HEAD", header: withAuth}, 405},
		{"size before secret", testCall{method: "POST", body: huge}, 413},
		{"the query's size too", testCall{query: huge}, 413},
		{"a size with the secret", testCall{method: "POST", header: withAuth, body: huge}, 413},
		{"names before secret", testCall{query: strings.Repeat("x&", 21) + "%zz"}, 413},
		{"secret before form", testCall{query: "%zz;&result=x", body: "{"}, 401},
		{"form before hearing", testCall{header: withAuth, query: "result=x"}, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &recorder{err: errors.New("the store is down")}
			if w, _ := c.call.make(t, h); w.Code != c.status {
				t.Errorf("answered %d %s, want %d", w.Code, w.Body, c.status)
			}
			if len(h.got) != 0 {
				t.Errorf("recorded %v", h.got)
			}
		})
	}
}

func Test64KiBBodyIsAccepted(t *testing.T) {
	body := "source=gitlab&result=success&" + notifyMention + "&x="
	body += strings.Repeat("x", 64<<10-len(body))
	w, _ := testCall{method: "POST", header: both(formBody, withAuth), body: body}.make(t, &recorder{result: deploy.CallbackTaken})
	if w.Code != http.StatusOK {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

// A body of unknown length, such as a chunked one, is read no further than
// another: it may have no end.
func TestBodyOfUnknownLengthIsCutOff(t *testing.T) {
	for _, header := range []map[string]string{nil, withAuth, proving} {
		r := testCall{method: "POST", header: both(formBody, header)}.request()
		body := &endless{}
		r.Body, r.ContentLength = io.NopCloser(io.LimitReader(body, 8<<20)), -1
		h, w := &recorder{result: deploy.CallbackTaken}, httptest.NewRecorder()
		NewHandler(notifyToken, h, zerolog.Nop()).ServeHTTP(w, r)
		if w.Code != http.StatusRequestEntityTooLarge || len(h.got) != 0 {
			t.Errorf("answered %d %s, recorded %v", w.Code, w.Body, h.got)
		}
		if body.read > 2*maxCall {
			t.Errorf("%d bytes were read", body.read)
		}
	}
}

// endless is an endless text, and counts what was read of it.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	e.read += len(p)
	return len(p), nil
}

func TestNobodyIsLetInWithoutTheSecret(t *testing.T) {
	good := "source=gitlab&result=success&" + notifyMention
	for name, c := range map[string]testCall{
		"nothing":                      {query: good},
		"another name":                 {query: "wrong=true&" + good},
		"a token that is too short":    {header: map[string]string{"Authorization": "Bearer " + attemptToken[:35]}, query: good},
		"a token that is too long":     {header: map[string]string{"Authorization": "Bearer " + attemptToken + "A"}, query: good},
		"a token in small letters":     {header: map[string]string{"Authorization": "Bearer " + strings.ToLower(attemptToken)}, query: good},
		"a token as a field's value":   {query: good + "&id=" + attemptToken},
		"a token in another header":    {header: map[string]string{"X-Psycher-Token": attemptToken}, query: good},
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
			h := &recorder{result: deploy.CallbackTaken}
			w, log := c.make(t, h)
			if w.Code != http.StatusUnauthorized || len(h.got) != 0 {
				t.Errorf("answered %d, recorded %v", w.Code, h.got)
			}
			if strings.Contains(log, "C0DEPLOY1") {
				t.Errorf("logs what an unproven call says: %s", log)
			}
		})
	}

	t.Run("a token that proves nothing", func(t *testing.T) {
		h := &recorder{result: deploy.CallbackUnproven}
		w, log := testCall{header: proving, query: good}.make(t, h)
		other, _ := testCall{query: good}.make(t, &recorder{})
		if w.Code != http.StatusUnauthorized || w.Body.String() != other.Body.String() || !strings.Contains(w.Body.String(), "unprove") {
			t.Errorf("answered %d %s, want what every 401 says, with the fix", w.Code, w.Body)
		}
		if strings.Contains(log, "C0DEPLOY1") {
			t.Errorf("logs what an unproven call says: %s", log)
		}
	})
	t.Run("no token set", func(t *testing.T) {
		w := httptest.NewRecorder()
		r := testCall{header: map[string]string{"Authorization": "Bearer "}, query: "=true&token=&" + good}.request()
		NewHandler("", &recorder{}, zerolog.Nop()).ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("answered %d", w.Code)
		}
	})
	t.Run("a token named like a field", func(t *testing.T) {
		w := httptest.NewRecorder()
		NewHandler("result", &recorder{}, zerolog.Nop()).ServeHTTP(w, testCall{query: good}.request())
		if w.Code != http.StatusUnauthorized {
			t.Errorf("answered %d", w.Code)
		}
	})
}

func TestBodyThatBreaksOffIsNotRecorded(t *testing.T) {
	for status, header := range map[int]map[string]string{400: withAuth, 401: nil} {
		c := testCall{method: "POST", header: both(formBody, header)}
		r := c.request()
		r.Body = io.NopCloser(io.MultiReader(
			strings.NewReader("source=gitlab&result=success&"+notifyMention), iotest.ErrReader(io.ErrUnexpectedEOF)))
		h, w := &recorder{result: deploy.CallbackTaken}, httptest.NewRecorder()
		NewHandler(notifyToken, h, zerolog.Nop()).ServeHTTP(w, r)
		if w.Code != status || len(h.got) != 0 {
			t.Errorf("answered %d, want %d; recorded %v", w.Code, status, h.got)
		}
	}
}

func TestSlowCallerIsCutOff(t *testing.T) {
	most := map[string]time.Duration{"body": 10 * time.Second, "header": 5 * time.Second, "idle": 5 * time.Second, "silent": 5 * time.Second}
	for name, sent := range map[string]string{
		"body":   "POST /notify HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nsource=",
		"header": "POST /notify HTTP/1.1\r\nHost: x\r\nAuth",
		"idle":   "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"silent": "",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &recorder{result: deploy.CallbackTaken}
				server := NewServer(NewHandler(notifyToken, h, zerolog.Nop()))
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
				if took := time.Since(begun); took > most[name] {
					t.Errorf("held for %v, want at most %v", took, most[name])
				}
				if err := server.Close(); err != nil {
					t.Error(err)
				}
				if err := <-done; !errors.Is(err, http.ErrServerClosed) {
					t.Error(err)
				}
				if len(h.got) != 0 {
					t.Errorf("recorded %v", h.got)
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

func TestOnlyTheFirstLineOfAServerErrorIsKept(t *testing.T) {
	var out bytes.Buffer
	if n, err := (firstLine{&out}).Write([]byte("one\ntwo\n")); n != 8 || err != nil || out.String() != "one\n" {
		t.Errorf("wrote %d, %v: %q", n, err, out.String())
	}
}

func TestCallOfACallerThatHangsUpIsRecorded(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	h := recorderFunc(func(ctx context.Context, _ deploy.Callback) (deploy.CallbackResult, error) {
		return deploy.CallbackTaken, ctx.Err()
	})
	w := httptest.NewRecorder()
	r := testCall{header: withAuth, query: "source=gitlab&result=success&" + notifyMention}.request()
	NewHandler(notifyToken, h, zerolog.Nop()).ServeHTTP(w, r.WithContext(gone))
	if w.Code != http.StatusOK {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

type recorderFunc func(context.Context, deploy.Callback) (deploy.CallbackResult, error)

func (f recorderFunc) Callback(ctx context.Context, w deploy.Callback) (deploy.CallbackResult, error) {
	return f(ctx, w)
}

func TestTokenIsKnownByItsFormAnywhere(t *testing.T) {
	good := "source=gitlab&result=success&" + notifyMention
	for name, c := range map[string]testCall{
		"as bearer":           {header: proving, query: good},
		"as token":            {query: "token=" + attemptToken + "&" + good},
		"as token in a form":  {method: "POST", header: formBody, body: "token=" + attemptToken + "&" + good},
		"as a name":           {query: attemptToken + "=true&" + good},
		"as a name in a form": {method: "POST", header: formBody, body: attemptToken + "=true&" + good},
		"as token in JSON": {
			method: "POST", header: jsonBody,
			body: `{"token":"` + attemptToken + `","source":"gitlab","result":"success","channel":"C0DEPLOY1","timestamp":"1700000000.000100"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := &recorder{result: deploy.CallbackTaken}
			w, _ := c.make(t, h)
			if w.Code != http.StatusOK || len(h.got) != 1 || h.got[0].Token.Reveal() != attemptToken || h.got[0].Shared {
				t.Errorf("answered %d %s, recorded %+v", w.Code, w.Body, h.got)
			}
		})
	}
	t.Run("beside the shared secret", func(t *testing.T) {
		h := &recorder{result: deploy.CallbackTaken}
		testCall{header: proving, query: notifyToken + "=true&" + good}.make(t, h)
		if len(h.got) != 1 || h.got[0].Token.Reveal() != attemptToken || !h.got[0].Shared {
			t.Errorf("recorded %+v", h.got)
		}
	})
	t.Run("where there is no secret of all", func(t *testing.T) {
		h, w := &recorder{result: deploy.CallbackTaken}, httptest.NewRecorder()
		NewHandler("", h, zerolog.Nop()).ServeHTTP(w, testCall{header: proving, query: "=true&" + good}.request())
		if w.Code != http.StatusOK || len(h.got) != 1 || h.got[0].Shared {
			t.Errorf("answered %d %s, recorded %+v", w.Code, w.Body, h.got)
		}
	})
}

// The error of a recorder may quote what it was given.
func TestErrorsShowNoToken(t *testing.T) {
	for _, h := range []Recorder{
		recorderFunc(func(_ context.Context, w deploy.Callback) (deploy.CallbackResult, error) {
			return "", errors.New("broke at " + w.Token.Reveal())
		}),
		recorderFunc(func(_ context.Context, w deploy.Callback) (deploy.CallbackResult, error) { panic(w.Token.Reveal()) }),
	} {
		testCall{header: proving, query: "source=gitlab&result=success&" + notifyMention}.make(t, h) // looks for it by itself
	}
	var out bytes.Buffer
	if _, err := (firstLine{&out}).Write([]byte("panic serving: " + attemptToken)); err != nil || strings.Contains(out.String(), "psy_") {
		t.Errorf("wrote %s, %v", &out, err)
	}
}

// Each name of a call may be the secret: a call is one guess, not thousands.
func TestCallMayHaveFewNames(t *testing.T) {
	good := "source=gitlab&result=success&" + notifyMention
	many := good + strings.Repeat("&x=1", 17) // 21
	object := `{"source":"gitlab","result":"success","channel":"C0DEPLOY1","timestamp":"1700000000.000100"` + strings.Repeat(`,"x":1`, 17) + "}"
	for name, c := range map[string]testCall{
		"a query":                     {query: notifyToken + "&" + many},
		"a query, bearer":             {header: withAuth, query: many},
		"a form":                      {method: "POST", header: both(formBody, withAuth), body: many},
		"JSON":                        {method: "POST", header: both(jsonBody, withAuth), body: object},
		"a query and a form":          {method: "POST", header: both(formBody, withAuth), query: strings.Repeat("&x=1", 10), body: many[:len(many)-28]},
		"from an unproven caller too": {query: many},
	} {
		h := &recorder{result: deploy.CallbackTaken}
		if w, _ := c.make(t, h); w.Code != http.StatusRequestEntityTooLarge || len(h.got) != 0 {
			t.Errorf("%s: answered %d %s", name, w.Code, w.Body)
		}
	}
	h := &recorder{result: deploy.CallbackTaken}
	if w, _ := (testCall{header: withAuth, query: many[:len(many)-8]}).make(t, h); w.Code != http.StatusOK { // 19, and the bearer
		t.Errorf("20 names: answered %d %s", w.Code, w.Body)
	}
	r := testCall{query: good}.request()
	for range 20 {
		r.Header.Add("Authorization", "Bearer guess")
	}
	r.Header.Add("Authorization", "Bearer "+notifyToken)
	w := httptest.NewRecorder()
	NewHandler(notifyToken, h, zerolog.Nop()).ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("many bearers: answered %d %s", w.Code, w.Body)
	}
}

// Guesses do not fill the disk, and the log shows that somebody guesses.
func TestGuessesAreLoggedAtABoundedRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		h := &recorder{result: deploy.CallbackUnproven}
		port := NewHandler(notifyToken, h, zerolog.New(&log))
		call := func(c testCall) { port.ServeHTTP(httptest.NewRecorder(), c.request()) }
		good := "source=gitlab&result=success&" + notifyMention
		for range 250 {
			call(testCall{query: good})                                                                         // shows nothing
			call(testCall{header: proving, query: good})                                                        // proves nothing
			call(testCall{header: proving, query: "result=x"})                                                  // cannot be read
			call(testCall{method: "POST", header: formBody, body: strings.Repeat("x&", maxNames) + "&" + good}) // is too much
		}
		if n := strings.Count(log.String(), "\n"); n > 20 || n == 0 {
			t.Errorf("%d lines for 1,000 guesses", n)
		}
		log.Reset()
		time.Sleep(time.Second)
		call(testCall{query: good})
		if !strings.Contains(log.String(), `"left_out":990`) {
			t.Errorf("does not tell how many were left out: %s", log.String())
		}
		log.Reset()
		time.Sleep(time.Hour)
		for range 250 { // by another project's job, which has the shared secret
			call(testCall{header: withAuth, query: good})
		}
		if n := strings.Count(log.String(), "\n"); n > 20 || !strings.Contains(log.String(), "C0DEPLOY1") {
			t.Errorf("%d lines for 250 calls whose secret counts no more, or they do not say for which deployment:\n%.400s", n, log.String())
		}
		log.Reset()
		h.result = deploy.CallbackTaken
		for range 100 {
			call(testCall{header: proving, query: good})
		}
		if n := strings.Count(log.String(), "\n"); n != 100 {
			t.Errorf("%d lines for 100 calls that were taken", n)
		}
		log.Reset()
		time.Sleep(time.Hour)
		for range 100 {
			call(testCall{query: good})
		}
		if n := strings.Count(log.String(), "\n"); n > 20 {
			t.Errorf("%d lines for 100 guesses after an hour", n)
		}
	})
}

// Connections are few: a caller that proves nothing has to queue for its next call,
// so that the others are served too.
func TestOnlyAProvenCallKeepsTheConnection(t *testing.T) {
	good := "source=gitlab&result=success&" + notifyMention
	for name, c := range map[string]struct {
		call   testCall
		result deploy.CallbackResult
		keeps  bool
	}{
		"an unproven caller":             {testCall{query: good}, "", false},
		"a probe":                        {testCall{path: "/"}, "", false},
		"another method":                 {testCall{method: "PUT"}, "", false},
		"too many names":                 {testCall{query: strings.Repeat("x&", 21)}, "", false},
		"a token that proves nothing":    {testCall{header: proving, query: good}, deploy.CallbackUnproven, false},
		"a token":                        {testCall{header: proving, query: good}, deploy.CallbackTaken, true},
		"the secret":                     {testCall{header: withAuth, query: good}, deploy.CallbackTaken, true},
		"the secret that counts no more": {testCall{header: withAuth, query: good}, deploy.CallbackUnproven, false},
	} {
		w, _ := c.call.make(t, &recorder{result: c.result})
		if keeps := w.Header().Get("Connection") != "close"; keeps != c.keeps {
			t.Errorf("%s: answered %d, keeps the connection: %v, want %v", name, w.Code, keeps, c.keeps)
		}
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	real, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := LimitListener(real)
	accepted, ended := make(chan net.Conn), make(chan error, 1)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				ended <- err
				return
			}
			accepted <- c
		}
	}()
	var open []net.Conn
	for range maxConnections + 1 {
		c, err := net.Dial("tcp", real.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	for range maxConnections {
		open = append(open, <-accepted)
	}
	if open := l.(limitListener).open; len(open) != maxConnections {
		t.Errorf("%d of %d", len(open), maxConnections)
	}
	select {
	case <-accepted:
		t.Error("one too many is open")
	default:
	}
	open[0].Close()
	open[0].Close() // a second time leaves no more room
	open = append(open, <-accepted)
	l.Close()
	for _, c := range open {
		c.Close()
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
