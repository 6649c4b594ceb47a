// The authority of these tests is trusted in place of the system's.
//
//go:debug x509usefallbackroots=1
package dedupe

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// authority signs the certificates of servers.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// trusted is the one authority that this process trusts, as if it were the
// system's only one.
var trusted = sync.OnceValue(func() authority {
	a := newAuthority()
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	x509.SetFallbackRoots(pool)
	return a
})

func newAuthority() authority {
	a := authority{key: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a test's authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.certificate = must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, ca, ca, &a.key.PublicKey, a.key))))
	return a
}

// serves makes a certificate for localhost: the options, with their files, for a
// redis-server.
func (a authority) serves(t *testing.T) (options []string) {
	t.Helper()
	dir := t.TempDir()
	file := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	server, key := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	return []string{
		"--tls-ca-cert-file", file("ca.pem", "CERTIFICATE", a.certificate.Raw),
		"--tls-cert-file", file("server.pem", "CERTIFICATE", must(x509.CreateCertificate(rand.Reader, server, a.certificate, &key.PublicKey, a.key))),
		"--tls-key-file", file("server.key", "EC PRIVATE KEY", must(x509.MarshalECPrivateKey(key))), "--tls-auth-clients", "no",
	}
}

func must[T any](made T, err error) T {
	if err != nil {
		panic(err)
	}
	return made
}

// wire is a dialer that records the first byte written to each address.
type wire struct {
	to    string // the address to dial in place of the given one, if any
	mu    sync.Mutex
	first map[string][]byte
}

func (w *wire) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	to := addr
	if w.to != "" {
		to = w.to
	}
	c, err := (&net.Dialer{}).DialContext(ctx, network, to)
	if err != nil {
		return nil, err
	}
	return &wireConn{Conn: c, w: w, addr: addr}, nil
}

type wireConn struct {
	net.Conn
	w     *wire
	addr  string
	wrote bool
}

func (c *wireConn) Write(b []byte) (int, error) {
	if !c.wrote {
		c.wrote = true
		c.w.mu.Lock()
		if c.w.first == nil {
			c.w.first = map[string][]byte{}
		}
		c.w.first[c.addr] = append(c.w.first[c.addr], b[0])
		c.w.mu.Unlock()
	}
	return c.Conn.Write(b)
}

// secret is a password that would be read off the wire.
const secret = "Xq7Zw9Vk3"

// With rediss:// nothing may be sent in clear: user and
// password are the first that is sent, to every server of every form.
func TestRedissIsTLSInEveryForm(t *testing.T) {
	options := trusted().serves(t)
	single := redisServer(t, append(options, "--port", "0", "--tls-port", "PORT", "--requirepass", secret)...)
	cluster := redisServer(t, append(options, "--port", "0", "--tls-port", "PORT", "--tls-cluster", "yes", "--cluster-enabled", "yes", "--cluster-port", freePort(t),
		"--cluster-announce-ip", "127.0.0.1", "--requirepass", secret)...)
	conf := filepath.Join(t.TempDir(), "sentinel.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "sentinel monitor main 127.0.0.1 %s 1\nsentinel auth-pass main %s\n", single, secret), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel := redisServer(t, append([]string{conf, "--sentinel"}, append(options, "--port", "0", "--tls-port", "PORT", "--tls-replication", "yes",
		"--requirepass", secret)...)...)
	slots(t, open(t, "rediss://:"+secret+"@localhost:"+cluster))

	for _, c := range []struct {
		name, url string
		dials     []string
	}{
		{"one server", "rediss://:" + secret + "@localhost:" + single, []string{"localhost:" + single}},
		{"Cluster", "rediss://:" + secret + "@localhost:" + cluster + "?addr=localhost:" + cluster, []string{"localhost:" + cluster, "127.0.0.1:" + cluster}},
		{
			"Sentinel", "rediss://:" + secret + "@localhost:" + sentinel + "?master_name=main&password=" + secret,
			[]string{"localhost:" + sentinel, "127.0.0.1:" + single},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &wire{}
			s, err := Open(Config{URL: deploy.Secret(c.url), Prefix: "psycher", Keep: keep, Dial: w.dial, Log: zerolog.Nop()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			claimed := patiently(func() error {
				_, _, err := s.Claim(t.Context(), &deploy.Record{Revision: "a", State: deploy.Accepted, Request: mention("1." + c.name)}, time.Minute, time.Now(), deploy.TargetID{})
				return err
			})
			w.mu.Lock()
			defer w.mu.Unlock()
			const handshake = 0x16
			for addr, all := range w.first {
				for _, first := range all {
					if first != handshake {
						t.Errorf("%s: the first byte on the wire is %#x, not that of a TLS handshake", addr, first)
					}
				}
			}
			for _, addr := range c.dials {
				if len(w.first[addr]) == 0 {
					t.Errorf("%s was not dialed: %v", addr, w.first)
				}
			}
			if claimed != nil {
				t.Errorf("the claim: %v", claimed)
			}
		})
	}
}

func TestRedissRefusesAServerThatItCannotVerify(t *testing.T) {
	port := redisServer(t, append(trusted().serves(t), "--port", "0", "--tls-port", "PORT")...)
	other := redisServer(t, append(newAuthority().serves(t), "--port", "0", "--tls-port", "PORT")...)
	plain := redisServer(t, "--port", "PORT")
	for _, c := range []struct {
		name, host, to string
		says           []string
	}{
		{"another host", "redis.example.com", port, []string{"not redis.example.com", "a certificate for this host as REDIS_URL"}},
		{"an unknown authority", "localhost", other, []string{"unknown authority", "named in SSL_CERT_FILE"}},
		{"no TLS", "localhost", plain, []string{"must be a TLS port"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &wire{to: "127.0.0.1:" + c.to}
			s, err := Open(Config{URL: deploy.Secret("rediss://:" + secret + "@" + c.host + ":6380"), Prefix: "psycher", Keep: keep, Dial: w.dial, Log: zerolog.Nop()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			claim := func() error {
				_, _, err := s.Claim(t.Context(), &deploy.Record{Request: mention("1.0")}, time.Minute, time.Now(), deploy.TargetID{})
				return err
			}
			if err = claim(); c.to != plain { // which is noticed by its silence
				err = patiently(claim)
			}
			if !errors.Is(err, engine.ErrRefused) {
				t.Fatalf("%v, want a refusal: nothing was sent", err)
			}
			for _, says := range c.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("%q does not say %q", err, says)
				}
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the password is shown: %v", err)
			}
		})
	}
}

// slots assigns all slots to the one server of a Cluster.
func slots(t *testing.T, s *Store) {
	t.Helper()
	if err := s.client.Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	until(t, "the Cluster is up", func() bool {
		info, err := s.client.ClusterInfo(t.Context()).Result()
		return err == nil && strings.Contains(info, "cluster_state:ok")
	})
}

// patiently repeats a call that a busy machine was too slow for.
func patiently(call func() error) (err error) {
	for range 20 {
		var slow net.Error
		if err = call(); err == nil || !errors.Is(err, context.DeadlineExceeded) && !(errors.As(err, &slow) && slow.Timeout()) {
			return err
		}
	}
	return err
}

// until asks again until it is so.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not so: %s", what)
		}
	}
}
