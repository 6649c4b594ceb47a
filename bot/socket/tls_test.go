// The test sets the machine's roots.
//
//go:debug x509usefallbackroots=1

package socket

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"
)

// trustOnce: roots can be set once, and all servers of httptest have one certificate.
var trustOnce sync.Once

func trust(server *httptest.Server) {
	trustOnce.Do(func() {
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		x509.SetFallbackRoots(roots)
	})
}

// Real sockets, as behind a firewall: wss through a proxy.
func TestSocketGoesThroughAProxyWithTLS(t *testing.T) {
	acked := make(chan string, 1)
	far := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		upgrader := websocket.Upgrader{}
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		say(conn, `{"type":"hello","num_connections":1}`)
		say(conn, mentionFrame("e1", ""))
		_, frame, _ := conn.ReadMessage()
		acked <- strings.TrimSpace(string(frame))
		readAll(conn)
	}))
	defer far.Close()
	trust(far)

	var tunnels atomic.Int64
	var carrying sync.WaitGroup
	defer carrying.Wait()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tunnels.Add(1)
		carrying.Add(1)
		defer carrying.Done()
		to, err := net.Dial("tcp", r.Host)
		if err != nil || r.Method != http.MethodConnect {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		from, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
		carry := func(a, b net.Conn) {
			_, _ = io.Copy(a, b)
			a.Close()
		}
		carrying.Go(func() { carry(to, from) })
		carry(from, to)
	}))
	defer proxy.Close()
	proxyURL, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	s := &Pool{
		Open: func(context.Context) (string, error) {
			return strings.Replace(far.URL, "https", "wss", 1) + "/link/?ticket=test", nil
		},
		Handle: func(context.Context, string, json.RawMessage, int) (bool, func()) { return true, nil },
		Count:  1,
		Dial:   (&net.Dialer{}).DialContext,
		Proxy:  http.ProxyURL(proxyURL),
	}
	ended := make(chan error, 1)
	go func() { s.Run(ctx); ended <- nil }()
	if frame := <-acked; frame != ackOf("e1") {
		t.Errorf("the server read %q", frame)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if tunnels.Load() != 1 {
		t.Errorf("%d connections went through the proxy, want 1", tunnels.Load())
	}
}
