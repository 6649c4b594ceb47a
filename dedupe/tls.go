package dedupe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"
)

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// handshakeError: no connection was made, so nothing was sent over it.
type handshakeError struct {
	addr string
	err  error
}

func (e *handshakeError) Unwrap() error { return e.err }

func (e *handshakeError) Error() string {
	host, _, _ := net.SplitHostPort(e.addr)
	var stranger x509.UnknownAuthorityError
	var name x509.HostnameError
	var plain tls.RecordHeaderError
	hint := ""
	switch {
	case errors.As(e.err, &stranger):
		hint = ": its certificate is of an authority that is not trusted here: name that authority in SSL_CERT_FILE"
	case errors.As(e.err, &name):
		hint = ": its certificate is not for " + host + ": write a name that it is for in REDIS_URL, and have Sentinels and a Cluster announce such names"
	case errors.As(e.err, &plain), errors.Is(e.err, context.DeadlineExceeded): // a server without TLS waits for more
		hint = ": it may not speak TLS there: name its TLS port, or write redis:// if the way there is safe"
	}
	return fmt.Sprintf("TLS with Redis at %s: %v%s", e.addr, e.err, hint)
}

// overTLS has each connection that dial makes speak TLS, with the host that was
// dialled: also one that Sentinels or a Cluster named. The client has such a
// setting of its own and ignores it where it is given a dialer.
func overTLS(dial dialFunc, roots *x509.CertPool, within time.Duration) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, fmt.Errorf("dialling Redis: %w", err)
		}
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		// mutant: a certificate that is not verified
		secure := tls.Client(conn, &tls.Config{ServerName: host, RootCAs: roots, MinVersion: tls.VersionTLS12})
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, &handshakeError{addr, err}
		}
		return secure, nil
	}
}
