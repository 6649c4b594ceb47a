package page

import (
	"net"
	"net/http"
	"slices"
	"strings"
)

// policy lets the page load only its own files: markup in a message could load,
// send and run nothing.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard keeps other sites out. It refuses a foreign host name that resolves to
// this machine (DNS rebinding), and requests that another site's page makes a
// browser send here.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case !here(r):
			http.Error(w, "this page answers to localhost alone", http.StatusMisdirectedRequest)
		case r.Method == http.MethodPost && r.Header.Get("Origin") != "http://"+r.Host:
			http.Error(w, "this comes from another site", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// here reports whether a request names this machine as its host, and the port at
// which it arrived.
func here(r *http.Request) bool {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return false
	}
	names := []string{"127.0.0.1:" + port, "localhost:" + port, "[::1]:" + port}
	return slices.Contains(names, strings.ToLower(r.Host))
}
