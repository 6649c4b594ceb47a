package gitlab

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

func newReader(r io.Reader) *bufio.Reader { return bufio.NewReader(r) }

// The bytes are counted where the connection is written.
func TestShutGateWritesNoByte(t *testing.T) {
	for name, row := range map[string]struct {
		slow   time.Duration // of the dial, with 5 s to send
		shut   bool          // by somebody else, while it dials
		reused bool
		sent   bool
	}{
		"in time":                    {slow: 4 * time.Second, sent: true},
		"in time, reused connection": {reused: true, sent: true},
		"too late":                   {slow: 6 * time.Second},
		"shut meanwhile":             {slow: 4 * time.Second, shut: true},
		"shut, reused connection":    {reused: true, shut: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				served := 0
				c, n := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); served++ }))
				send := func(g *gate) error {
					req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://gitlab.test/x", nil)
					if err != nil {
						t.Fatal(err)
					}
					_, err = c.send(g.behind(req, bytes.Repeat([]byte("x"), 300)))
					synctest.Wait()
					return err
				}
				if row.reused {
					if err := send(newGate(soon())); err != nil {
						t.Fatal(err)
					}
				}
				n.slow = row.slow
				g := newGate(soon())
				if row.shut && !g.shut() {
					t.Fatal("a fresh gate cannot be shut")
				}
				before, servedBefore := n.written.Load(), served
				err := send(g)
				wrote := n.written.Load() - before
				if row.sent != (err == nil) || row.sent != (wrote > 300) || !row.sent && wrote != 0 || row.sent != (served > servedBefore) {
					t.Errorf("%d bytes were written, error %v", wrote, err)
				}
				if row.sent == g.shut() {
					t.Errorf("the gate is shut: %v", g.shut())
				}
				if row.reused && n.dials.Load() != 1 {
					t.Errorf("%d connections", n.dials.Load())
				}
			})
		})
	}
}

func TestGateOpensOnce(t *testing.T) {
	g := newGate(time.Now().Add(time.Minute))
	if !g.pass(time.Now()) || g.pass(time.Now()) {
		t.Error("it did not open just once")
	}
	if g.shut() {
		t.Error("it could be shut after it was passed")
	}
}

func TestBothClocksCanBeTooLate(t *testing.T) {
	const left = 5 * time.Second
	for _, row := range []struct {
		monotonic, wall time.Duration
		want            bool
	}{
		{0, 0, false},
		{4 * time.Second, 4 * time.Second, false},
		{5 * time.Second, 0, true},          // the wall clock was set back
		{0, 5 * time.Second, true},          // the machine slept
		{time.Second, -time.Hour, false},    // set back, and in time
		{time.Hour, time.Hour, true},        // the process was stopped
		{6 * time.Second, -time.Hour, true}, // set back, and late
	} {
		if got := tooLate(row.monotonic, row.wall, left); got != row.want {
			t.Errorf("after %v and %v: %v", row.monotonic, row.wall, got)
		}
	}
}

// The gate relies on HTTP/1.1, also with servers that prefer HTTP/2.
func TestTriggersSpeakHTTP1(t *testing.T) {
	var protocol string
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protocol = r.Proto
		io.WriteString(w, `{"id":7}`)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	used := srv.Client().Transport.(*http.Transport)
	resp, err := srv.Client().Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if protocol != "HTTP/2.0" {
		t.Fatalf("the server speaks %s", protocol)
	}
	c, err := New(Config{URL: srv.URL, RequestTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.transport.TLSClientConfig = &tls.Config{RootCAs: used.TLSClientConfig.RootCAs}
	if o := c.Trigger(t.Context(), target(), mention(), "", token, soon()); o.Status != deploy.TriggerStarted || protocol != "HTTP/1.1" {
		t.Errorf("%s, %+v", protocol, o)
	}
}
