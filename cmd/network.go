package cmd

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Proxy chooses the proxy of a request, as [http.ProxyFromEnvironment] does, but
// from the settings: they may stand in .env, where net/http does not look. The
// host of a request is never looked up. The loopback needs no proxy.
func (s Settings) Proxy() func(*http.Request) (*url.URL, error) {
	secure, errSecure := parseProxy(s.HTTPSProxy.Reveal())
	plain, errPlain := parseProxy(s.HTTPProxy.Reveal())
	direct := parseNoProxy(s.NoProxy)
	return func(r *http.Request) (*url.URL, error) {
		proxy, err := plain, errPlain
		if r.URL.Scheme == "https" || r.URL.Scheme == "wss" {
			proxy, err = secure, errSecure
		}
		if err != nil {
			return nil, fmt.Errorf("choosing the proxy: %w", err)
		}
		if proxy == nil || direct.holds(r.URL) {
			return nil, nil
		}
		return proxy, nil
	}
}

// RootCAs gives the certificate authorities to trust; nil means the system's,
// where the settings name none. A file or directories alone are trusted beside
// the system's, both together in their place, which is how the two variables
// work for most programs.
//
//docgen:messages start
func (s Settings) RootCAs() (*x509.CertPool, error) {
	if s.SSLCertFile == "" && s.SSLCertDir == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if s.SSLCertFile == "" || s.SSLCertDir == "" {
		if system, err := x509.SystemCertPool(); err == nil {
			pool = system
		}
	}
	if s.SSLCertFile != "" {
		if err := appendPEM(pool, s.SSLCertFile); err != nil {
			return nil, fmt.Errorf("SSL_CERT_FILE: %w", err)
		}
	}
	for _, dir := range filepath.SplitList(s.SSLCertDir) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, fmt.Errorf("SSL_CERT_DIR: reading a directory: %w", err)
		}
		for _, entry := range entries {
			// Such directories also hold other things, as the system's do.
			if err := appendPEM(pool, filepath.Join(dir, entry.Name())); err != nil {
				continue
			}
		}
	}
	return pool, nil
}

// appendPEM adds the certificates of a file. The error does not name it.
//
//docgen:messages settings
func appendPEM(pool *x509.CertPool, path string) error {
	content, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("the file does not exist")
	case err != nil:
		return errors.New("the file cannot be read")
	case !pool.AppendCertsFromPEM(content):
		return errors.New("the file holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
	}
	return nil
}

// parseProxy reads a proxy's URL; host:port alone means http. It is nil for an
// empty one. The error does not quote it, since it may hold a password.
//
//docgen:messages settings
func parseProxy(value string) (*url.URL, error) {
	if value == "" {
		return nil, nil
	}
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	u, err := url.Parse(value)
	// A sign that ends a password too early makes a host and a path of its pieces.
	if err != nil || u.Hostname() == "" || !portOK(u.Port()) || strings.Trim(u.Path, "/") != "" || strings.ContainsAny(value, "?#") {
		return nil, errors.New("must be a proxy's URL, such as http://proxy.example.com:3128, with special characters in a password as %XX")
	}
	if u.Scheme != "http" && u.Scheme != "socks5" {
		return nil, errors.New("must begin with http:// or socks5://: the websockets take no other proxy")
	}
	return u, nil
}

// noProxy is what NO_PROXY says.
type noProxy struct {
	all     bool
	entries []noProxyEntry
}

type noProxyEntry struct {
	prefix netip.Prefix // addresses; not valid where it is a name
	name   string       // lower case
	below  bool         // only names below it
	port   string       // any where empty
}

func parseNoProxy(value string) noProxy {
	var n noProxy
	for entry := range strings.SplitSeq(strings.ToLower(value), ",") {
		entry = strings.TrimSpace(entry)
		if entry == "*" {
			n.all = true
		} else if entry != "" {
			n.entries = append(n.entries, parseNoProxyEntry(entry))
		}
	}
	return n
}

func parseNoProxyEntry(entry string) noProxyEntry {
	if prefix, err := netip.ParsePrefix(entry); err == nil {
		return noProxyEntry{prefix: prefix}
	}
	host, port := entry, ""
	if _, err := netip.ParseAddr(entry); err != nil { // else its colons are an address's
		if i := strings.LastIndexByte(entry, ':'); i >= 0 && !strings.HasSuffix(entry, "]") {
			host, port = entry[:i], entry[i+1:]
		}
	}
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return noProxyEntry{prefix: netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), port: port}
	}
	name, below := strings.CutPrefix(strings.TrimPrefix(host, "*"), ".")
	return noProxyEntry{name: name, below: below, port: port}
}

func (n noProxy) holds(u *url.URL) bool {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	addr, err := netip.ParseAddr(host)
	addr = addr.Unmap()
	if n.all || host == "localhost" || err == nil && addr.IsLoopback() {
		return true
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "ws": "80", "https": "443", "wss": "443"}[u.Scheme]
	}
	return slices.ContainsFunc(n.entries, func(e noProxyEntry) bool {
		switch {
		case e.port != "" && e.port != port:
			return false
		case e.prefix.IsValid():
			return err == nil && e.prefix.Contains(addr)
		case err == nil || e.name == "":
			return false
		}
		return strings.HasSuffix(host, "."+e.name) || host == e.name && !e.below
	})
}
