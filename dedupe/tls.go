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

// overTLS returns a dialer whose connections speak TLS with the host that is
// dialed, which may be one that Sentinels or a Cluster announced. The client has
// a TLS setting of its own, and ignores it if it is given a dialer.
func overTLS(dial dialFunc, roots *x509.CertPool, timeout time.Duration) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, fmt.Errorf("dialing Redis: %w", err)
		}
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		// mutant: a certificate that is not verified
		secure := tls.Client(conn, &tls.Config{ServerName: host, RootCAs: roots, MinVersion: tls.VersionTLS12})
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, &handshakeError{addr, host, err}
		}
		return secure, nil
	}
}

// handshakeError: no connection was made, so nothing was sent.
type handshakeError struct {
	addr, host string
	err        error
}

func (e *handshakeError) Unwrap() error { return e.err }

func (e *handshakeError) Error() string {
	hint := ""
	switch {
	case errors.As(e.err, new(x509.UnknownAuthorityError)):
		hint = ": its certificate is of an authority that is not trusted here: name that authority in SSL_CERT_FILE"
	case errors.As(e.err, new(x509.HostnameError)):
		hint = ": its certificate is not for " + e.host + ": write a name that it is for in REDIS_URL, and have Sentinels and a Cluster announce such names"
	case errors.As(e.err, new(tls.RecordHeaderError)), errors.Is(e.err, context.DeadlineExceeded): // a server without TLS waits for more
		hint = ": it may not speak TLS there: name its TLS port, or write redis:// if the network is safe"
	}
	return fmt.Sprintf("TLS with Redis at %s: %v%s", e.addr, e.err, hint)
}
