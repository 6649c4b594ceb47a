package doctor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/gitlab/notify"
)

// nobody records nothing: a call of the doctor does not get that far.
type nobody struct{ t *testing.T }

func (n nobody) Callback(context.Context, deploy.Callback) (deploy.CallbackResult, error) {
	n.t.Error("a call was recorded")
	return "", nil
}

// serve has a handler listen, and returns its host and port.
func (w *world) serve(h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	w.t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// bot is the notify port of a bot.
func (w *world) bot() string {
	return w.serve(notify.NewHandler("", nobody{w.t}, zerolog.Nop()).ServeHTTP)
}

// botRuns has a bot run on this machine.
func (w *world) botRuns() { w.settings = append(w.settings, "NOTIFY_ADDR="+w.bot()) }

// called has NOTIFY_URL name what answers.
func called(scheme string, at func(*world) string) func(*world) {
	return func(w *world) { w.settings = append(w.settings, "NOTIFY_URL="+scheme+"://"+at(w)+"/notify") }
}

func status(code int, header ...string) func(*world) string {
	return func(w *world) string {
		return w.serve(func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
			_, _ = w.Write([]byte("<html>Sign in</html>"))
		})
	}
}

func withBot(how func(*world)) func(*world) {
	return func(w *world) {
		w.botRuns()
		how(w)
	}
}

func nothing(w *world) string { return closedPort(w.t) }

// certified listens with a certificate that the machine's authorities did not sign, for a
// name, until a time.
func certified(name string, until time.Time) func(*world) string {
	return func(w *world) string {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			w.t.Fatal(err)
		}
		of := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: until.Add(-time.Hour), NotAfter: until}
		raw, err := x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key)
		if err != nil {
			w.t.Fatal(err)
		}
		s := httptest.NewUnstartedServer(http.NotFoundHandler())
		s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}}
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.StartTLS()
		w.t.Cleanup(s.Close)
		_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
		return "localhost:" + port
	}
}

func TestFaultsOfTheNotifyPort(t *testing.T) {
	distant := func(url string) func(*world) {
		return func(w *world) { w.settings = append(w.settings, "GITLAB_URL=http://gitlab.invalid", "NOTIFY_URL="+url) }
	}
	for _, r := range []row{
		{"neither address nor token", func(w *world) { w.settings = append(w.settings, "GITLAB_API_TOKEN=") }, "notify: address", Unseen, "neither NOTIFY_URL nor GITLAB_API_TOKEN is set", "or set GITLAB_API_TOKEN"},
		{"no address", func(*world) {}, "notify: address", OK, "results are read from GitLab", ""},
		{"the runner's own address", distant("http://127.0.0.1:8080/notify"), "notify: address", Fault, "127.0.0.1 in NOTIFY_URL is to a runner the runner itself", "http://HOST:8080/notify"},
		{"the runner's own name", distant("http://localhost:8080/notify"), "notify: address", Fault, "is to a runner the runner itself", "as GitLab's runners reach it"},
		{"every address", called("http", func(*world) string { return "0.0.0.0:8080" }), "notify: address", Fault, "is no machine's address", "http://HOST:8080/notify"},
		{"all on one machine", called("http", nothing), "notify: address", OK, "a trigger carries http://127.0.0.1:", ""},

		{"another program has the port", func(w *world) { w.settings = append(w.settings, "NOTIFY_ADDR="+status(200)(w)) }, "notify: port", Fault, "another program listens", "NOTIFY_ADDR to a free port"},
		{"the bot runs", withBot(func(*world) {}), "notify: port", OK, "the bot runs here", ""},
		{"the bot does not run", func(*world) {}, "notify: port", OK, "does not run here", ""},

		{"it answers", called("http", (*world).bot), "notify: answer", OK, "psycher answers at NOTIFY_URL", ""},
		{"a proxy adds a path", called("http", func(w *world) string { return w.bot() + "/psycher" }), "notify: answer", Fault, "with HTTP status 404: what stands before it changes the path", "pass calls on as /notify"},
		{"a login page", called("http", status(200)), "notify: answer", Fault, "something else answers at NOTIFY_URL, with HTTP status 200", "a login"},
		{"a proxy that refuses", called("http", status(403)), "notify: answer", Fault, "with HTTP status 403", "pass its calls on"},
		{"a redirect", called("http", status(302, "Location", "https://sso.example.com/login?secret=x")), "notify: answer", Fault, "with HTTP status 302, a redirect, which notify.sh does not follow", "where psycher itself answers"},
		{"a proxy before a bot that does not run", called("http", status(502)), "notify: answer", Unseen, "the bot does not run here", "start psycher"},
		{"a proxy that does not reach the bot", withBot(called("http", status(502))), "notify: answer", Fault, "with HTTP status 502", "pass its calls on"},
		{"nothing, without a bot", called("http", nothing), "notify: answer", Unseen, "the bot does not run here: connect: connection refused", "start psycher"},
		{"nothing, beside a bot", withBot(called("http", nothing)), "notify: answer", Unseen, "the bot runs here at NOTIFY_ADDR 127.0.0.1:", "correct NOTIFY_URL"},
		{"nothing at the bot's own port", withBot(func(w *world) {
			_, port, _ := net.SplitHostPort(strings.TrimPrefix(w.settings[len(w.settings)-1], "NOTIFY_ADDR="))
			w.settings = append(w.settings, "NOTIFY_URL=http://127.0.0.2:"+port+"/notify")
		}), "notify: answer", Unseen, "this machine does not reach it", "from a runner's machine, `curl -i http://127.0.0.2:"},
		{"no TLS", called("https", (*world).bot), "notify: answer", Fault, "speaks no TLS", "write http://"},
		{"a certificate that has expired", called("https", certified("localhost", time.Now().Add(-time.Hour))), "notify: answer", Fault, "has expired", "renew the certificate"},
		{"a certificate for another name", called("https", certified("other.example.com", time.Now().Add(time.Hour))), "notify: answer", Fault, "certificate is valid for other.example.com, not localhost", "use a name that it has"},
		{"a certificate of an unknown authority", called("https", certified("localhost", time.Now().Add(time.Hour))), "notify: answer", Unseen, "does not trust the certificate", "trust its authority"},
	} {
		r.run(t)
	}
}
