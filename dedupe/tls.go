package dedupe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
)

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// overTLS returns a dialer whose connections speak TLS with the host that is
// dialed, which may be one that Sentinels or a Cluster announced. The client has
// a TLS setting of its own, and ignores it if it is given a dialer.
func overTLS(dial dialFunc) dialFunc {
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
		secure := tls.Client(conn, &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12})
		ctx, cancel := context.WithTimeout(ctx, stepTimeout)
		defer cancel()
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, fmt.Errorf("%w at %s: %w%s", errHandshake, addr, err, handshakeHint(err, host))
		}
		return secure, nil
	}
}

// errHandshake: no connection was made, so nothing was sent.
var errHandshake = errors.New("TLS with Redis")

func handshakeHint(err error, host string) string {
	switch {
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return ": its certificate is of an authority that is not trusted here: name that authority in SSL_CERT_FILE"
	case errors.As(err, new(x509.HostnameError)):
		return ": its certificate is not for " + host + ": write a name that it is for in REDIS_URL, and have Sentinels and a Cluster announce such names"
	case errors.As(err, new(tls.RecordHeaderError)), errors.Is(err, context.DeadlineExceeded): // a server without TLS waits for more
		return ": it may not speak TLS there: name its TLS port, or write redis:// if the network is safe"
	}
	return ""
}
