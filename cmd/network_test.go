package cmd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

func TestProxyIsChosenFromTheSettings(t *testing.T) {
	for _, row := range []struct {
		noProxy, url, want string
	}{
		{"", "https://slack.com/api/", "http://secure:1"},
		{"", "wss://wss-primary.slack.com/link", "http://secure:1"},
		{"", "http://gitlab.internal/", "http://plain:2"},
		{"", "ws://127.0.0.1:3/", ""},
		{"", "https://localhost:8443/", ""},
		{"", "https://[::1]:8443/", ""},
		{"", "https://[::ffff:127.0.0.1]/", ""},
		{"*", "https://slack.com/", ""},
		{"a.com, *", "https://slack.com/", ""},
		{"slack.com", "https://slack.com/", ""},
		{" SLACK.com ", "https://Slack.COM/", ""},
		{"slack.com", "https://api.slack.com./", ""},
		{"slack.com", "https://notslack.com/", "http://secure:1"},
		{".slack.com", "https://slack.com/", "http://secure:1"},
		{".slack.com", "https://api.slack.com/", ""},
		{"*.slack.com", "https://api.slack.com/", ""},
		{"*.slack.com", "https://slack.com/", "http://secure:1"},
		{"slack.com:443", "https://slack.com/", ""},
		{"slack.com:443", "wss://slack.com/", ""},
		{"slack.com:80", "https://slack.com/", "http://secure:1"},
		{"slack.com:8443", "https://slack.com:8443/", ""},
		{"10.0.0.0/8", "https://10.1.2.3/", ""},
		{"10.0.0.0/8", "https://[::ffff:10.1.2.3]/", ""},
		{"10.0.0.0/8", "https://11.1.2.3/", "http://secure:1"},
		{"10.0.0.0/8", "https://10.example.com/", "http://secure:1"},
		{"10.1.2.3", "http://10.1.2.3:8080/", ""},
		{"10.1.2.3:80", "http://10.1.2.3:8080/", "http://plain:2"},
		{"2001:db8::/32", "https://[2001:db8::1]/", ""},
		{"2001:db8::1", "https://[2001:db8::1]/", ""},
		{"[2001:db8::1]:443", "https://[2001:db8::1]/", ""},
		{"[2001:db8::1]", "https://[2001:db8::1]/", ""},
		{"3.4", "http://1.2.3.4/", "http://plain:2"},
		{",,:80,.", "https://slack.com/", "http://secure:1"},
	} {
		s, _, err := LoadSettings(environ("HTTPS_PROXY=http://secure:1", "http_proxy=plain:2", "NO_PROXY="+row.noProxy), "")
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequest(http.MethodGet, row.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		proxy, err := s.Proxy()(r)
		got := ""
		if proxy != nil {
			got = proxy.String()
		}
		if got != row.want || err != nil {
			t.Errorf("NO_PROXY=%s, %s: %q %v, want %q", row.noProxy, row.url, got, err, row.want)
		}
	}
}

func TestProxyOfDotenvHolds(t *testing.T) {
	s, _, err := LoadSettings(environ(), write(t, "HTTPS_PROXY=http://user:pw@proxy:3128\nNO_PROXY=gitlab.internal"))
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{"https://slack.com": "http://user:pw@proxy:3128", "https://gitlab.internal": "", "http://slack.com": ""} {
		r, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		proxy, err := s.Proxy()(r)
		if err != nil || (proxy == nil) != (want == "") || proxy != nil && proxy.String() != want {
			t.Errorf("%s: %v %v", url, proxy, err)
		}
	}
}

// authority makes a certificate authority and its PEM.
func authority(t *testing.T, name string) (*x509.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestCertificateAuthoritiesOfTheSettingsAreTrusted(t *testing.T) {
	inFile, filePEM := authority(t, "in the file")
	inDir, dirPEM := authority(t, "in the directory")
	stranger, _ := authority(t, "in neither")
	file, dir := write(t, string(filePEM)), t.TempDir()
	for name, content := range map[string][]byte{"ca.pem": dirPEM, "README": []byte("no certificate")} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "below"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name    string
		environ []string
		dotenv  string
		file    bool
		dir     bool
	}{
		{"file", environ("SSL_CERT_FILE=" + file), "", true, false},
		{"file of .env", environ(), write(t, "SSL_CERT_FILE="+file), true, false},
		{"directory", environ("SSL_CERT_DIR=" + dir), "", false, true},
		{"directories", environ("SSL_CERT_DIR=" + t.TempDir() + ":" + dir), "", false, true},
		{"both", environ("SSL_CERT_DIR="+dir, "SSL_CERT_FILE="+file), "", true, true},
	} {
		s, _, err := LoadSettings(row.environ, row.dotenv)
		if err != nil {
			t.Fatal(row.name, err)
		}
		pool, err := s.RootCAs()
		if err != nil || pool == nil {
			t.Fatal(row.name, err)
		}
		trusts := func(c *x509.Certificate) bool {
			_, err := c.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
			return err == nil
		}
		if trusts(inFile) != row.file || trusts(inDir) != row.dir || trusts(stranger) {
			t.Errorf("%s: trusts file %v, directory %v, stranger %v", row.name, trusts(inFile), trusts(inDir), trusts(stranger))
		}
	}
}

func TestSystemsAuthoritiesStayTrustedBesideOneOfTheTwo(t *testing.T) {
	_, ownPEM := authority(t, "own")
	system, err := x509.SystemCertPool()
	if err != nil {
		t.Skip("no certificates of the system:", err)
	}
	own, _, err := LoadSettings(environ("SSL_CERT_FILE="+write(t, string(ownPEM))), "")
	if err != nil {
		t.Fatal(err)
	}
	pool, err := own.RootCAs()
	if err != nil {
		t.Fatal(err)
	}
	want := system.Clone()
	want.AppendCertsFromPEM(ownPEM)
	if !pool.Equal(want) {
		t.Error("a file alone is not trusted beside the system's")
	}
	only := x509.NewCertPool()
	only.AppendCertsFromPEM(ownPEM)
	own.SSLCertDir = t.TempDir()
	if pool, err := own.RootCAs(); err != nil || !pool.Equal(only) {
		t.Error("file and directory are not trusted in place of the system's:", err)
	}
}

// The store trusts the same authorities as the rest, also those named in .env.
func TestCertificateAuthoritiesOfDotenvAreTrustedForRedis(t *testing.T) {
	redis := httptest.NewTLSServer(http.NotFoundHandler()) // only the handshake matters
	t.Cleanup(redis.Close)
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: redis.Certificate().Raw})
	for name, row := range map[string]struct {
		dotenv string
		trusts bool
	}{
		"named in .env": {"SSL_CERT_FILE=" + write(t, string(own)) + "\n", true},
		"not named":     {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			s, _, err := LoadSettings(environ(), write(t, row.dotenv+"REDIS_URL=rediss://"+redis.Listener.Addr().String()))
			if err != nil {
				t.Fatal(err)
			}
			p, err := assemble(s, RealNet(), zerolog.Nop())
			if err != nil {
				t.Fatal(err)
			}
			defer p.close()
			_, err = p.store.Birth(t.Context(), time.Now())
			if err == nil || strings.Contains(err.Error(), "an authority that is not trusted here") == row.trusts {
				t.Errorf("trusted: %v, want %v", err, row.trusts)
			}
		})
	}
}

func TestNoCertificateSettingMeansTheSystems(t *testing.T) {
	s, _, err := LoadSettings(environ(), "")
	if err != nil {
		t.Fatal(err)
	}
	if pool, err := s.RootCAs(); pool != nil || err != nil {
		t.Error(pool, err)
	}
}
