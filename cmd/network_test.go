package cmd_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox"
)

// proxy stands between the bot and a Slack that it knows as slack.test.
type proxy struct {
	*httptest.Server
	slack string // where the stand-in is

	news chan struct{} // something was seen
	mu   sync.Mutex
	seen []string // "CONNECT slack.test:80", "POST slack.test"
}

func startProxy(t *testing.T, box *sandbox.Sandbox) *proxy {
	t.Helper()
	p := &proxy{news: make(chan struct{}, 1)}
	for _, setting := range box.Environ("en") {
		if url, ok := strings.CutPrefix(setting, "SLACK_API_URL=http://"); ok {
			p.slack, _, _ = strings.Cut(url, "/")
		}
	}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.seen = append(p.seen, r.Method+" "+r.Host)
	p.mu.Unlock()
	select {
	case p.news <- struct{}{}:
	default:
	}
	if r.Method == http.MethodConnect {
		p.tunnel(w)
		return
	}
	r.URL.Host, r.RequestURI = p.slack, ""
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	w.WriteHeader(resp.StatusCode)
	// The websockets too are to be found by the name alone.
	_, _ = w.Write(bytes.ReplaceAll(body, []byte(p.slack), []byte("slack.test")))
}

func (p *proxy) tunnel(w http.ResponseWriter) {
	slack, err := net.Dial("tcp", p.slack)
	if err != nil {
		return
	}
	defer slack.Close()
	bot, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer bot.Close()
	_, _ = io.WriteString(bot, "HTTP/1.1 200 Connected\r\n\r\n")
	go func() {
		defer slack.Close()
		_, _ = io.Copy(slack, bot)
	}()
	_, _ = io.Copy(bot, slack)
}

func (p *proxy) until(ctx context.Context, what string) error {
	for !p.saw(what) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the proxy saw no %s", what)
		case <-p.news:
		}
	}
	return nil
}

func (p *proxy) saw(what string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.seen, func(s string) bool { return strings.Contains(s, what) })
}

// Slack's API and its websockets go through the proxy, wherever it is set, and
// what NO_PROXY names does not.
func TestTheProxyIsUsed(t *testing.T) {
	for name, c := range map[string]struct{ environ, dotenv string }{
		"set in the environment": {environ: "http_proxy=ADDR"},
		"set in .env":            {dotenv: "HTTP_PROXY=http://ADDR"},
		"set in a file":          {dotenv: "HTTP_PROXY_FILE=proxy-url"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			p := prepare(t, []string{"psycher", "run"}, "SLACK_API_URL=http://slack.test/api/", "GITLAB_URL=http://gitlab.test")
			proxy := startProxy(t, p.Sandbox)
			set := func(text string) string { return strings.ReplaceAll(text, "ADDR", proxy.Listener.Addr().String()) }
			p.cmd.Env = append(p.cmd.Env, set(c.environ))
			writeFile(t, filepath.Join(p.cmd.Dir, ".env"), set(c.dotenv)+"\nNO_PROXY=gitlab.test\n")
			writeFile(t, filepath.Join(p.cmd.Dir, "proxy-url"), proxy.URL+"\n")
			p.start(t)
			if err := p.Ready(ctx); err != nil {
				t.Fatal(err)
			}
			ts := p.Slack.Say(sandbox.User, sandbox.Channel, sandbox.Bot+" release app")
			if err := p.Slack.Until(ctx, func() bool { // GitLab was asked, and its name leads nowhere
				return slices.Equal(p.Slack.Reactions(sandbox.Channel, ts), []string{"hourglass_flowing_sand"})
			}); err != nil {
				t.Fatal(err)
			}
			if !proxy.saw("POST slack.test") || !proxy.saw("CONNECT slack.test:80") || proxy.saw("gitlab.test") {
				t.Errorf("the proxy saw %q", proxy.seen)
			}
		})
	}
}

func TestTheProxyOfHTTPSIsUsed(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p := prepare(t, []string{"psycher", "run"}, "SLACK_API_URL=https://slack.test/api/")
	proxy := startProxy(t, p.Sandbox)
	writeFile(t, filepath.Join(p.cmd.Dir, ".env"), "HTTPS_PROXY="+proxy.Listener.Addr().String())
	p.start(t)
	if err := proxy.until(ctx, "CONNECT slack.test:443"); err != nil {
		t.Error(err)
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The store trusts the same authorities as Slack and GitLab: Go's own, wherever
// they are set.
func TestCertificateAuthoritiesOfTheSettingsAreTrusted(t *testing.T) {
	redis := httptest.NewTLSServer(http.NotFoundHandler()) // only the handshake matters
	t.Cleanup(redis.Close)
	own := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: redis.Certificate().Raw}))
	for name, c := range map[string]struct {
		environ, dotenv string
		trusted         bool
	}{
		"file":                  {environ: "SSL_CERT_FILE=own.pem", trusted: true},
		"file of .env":          {dotenv: "SSL_CERT_FILE=own.pem", trusted: true},
		"directory":             {environ: "SSL_CERT_DIR=own", trusted: true},
		"directories of .env":   {dotenv: "SSL_CERT_DIR=empty:own", trusted: true},
		"both":                  {environ: "SSL_CERT_FILE=own.pem", dotenv: "SSL_CERT_DIR=empty", trusted: true},
		"neither":               {},
		"a directory of others": {environ: "SSL_CERT_DIR=empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := prepare(t, []string{"psycher", "unprove", "example/app"}, "REDIS_URL=rediss://"+redis.Listener.Addr().String(), c.environ)
			for _, dir := range []string{"own", "empty"} {
				if err := os.Mkdir(filepath.Join(p.cmd.Dir, dir), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			for name, content := range map[string]string{"own.pem": own, "own/ca.pem": own, "own/README": "no certificate", ".env": c.dotenv} {
				writeFile(t, filepath.Join(p.cmd.Dir, name), content)
			}
			p.start(t)
			p.ends(t, 1, "psycher: REDIS_URL: ")
			if said := strings.Contains(p.out.String(), "of an authority that is trusted here or named in SSL_CERT_FILE"); said == c.trusted {
				t.Errorf("trusted: %v", !said)
			}
		})
	}
}
