package dedupe

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
)

// Config says where the store is.
type Config struct {
	URL     deploy.Secret                                      // REDIS_URL; empty: embedded in this process, lost when it ends
	Prefix  string                                             // REDIS_PREFIX
	Keep    time.Duration                                      // KEEP; a store without it cannot save
	Dial    dialFunc                                           // not called for the embedded store
	Observe func(script string, took time.Duration, err error) // called after each call, unless it is nil
	Log     zerolog.Logger
}

const (
	connections = 16                     // how many calls to Redis may be in flight
	stepTimeout = 900 * time.Millisecond // of dialing, and of each read and write
	bufferSize  = 8 << 10

	sweepInterval = time.Minute // how long a key of the embedded store may outlive its end
)

// Open makes a store. It does not wait for Redis to answer. An error is about
// the URL, and quotes no part of it.
//
// The store's client retries nothing: the caller knows what may be done twice.
// (Redirects of a Cluster are followed: every script can be sent again.)
func Open(c Config) (*Store, error) {
	logging.Disable() // what the client writes to stderr it returns as an error as well
	a, err := parseURL(cmp.Or(c.URL, "redis://embedded"))
	if err != nil {
		return nil, fmt.Errorf("REDIS_URL: %w", err)
	}
	s := &Store{conf: c, keys: keys("{" + c.Prefix + "}"), turns: make(chan struct{}, connections)}
	s.unproved.Store(true)
	o := &a.UniversalOptions
	o.Dialer = c.Dial
	if c.URL == "" {
		s.embedded, s.swept = miniredis.NewMiniRedis(), time.Now()
		s.sweeps.Interval = sweepInterval
		o.Dialer = func(context.Context, string, string) (net.Conn, error) { return s.embedded.Dial() }
	}
	// mutant: TLS that is left out
	if a.secure {
		o.Dialer = overTLS(o.Dialer)
	}
	o.MaxRetries, o.DialerRetries = -1, 1
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = stepTimeout, stepTimeout, stepTimeout, stepTimeout
	o.ContextTimeoutEnabled = true // else a deadline of 1 s ends after the read timeout
	o.ReadBufferSize, o.WriteBufferSize, o.PoolSize, o.PipelinePoolSize = bufferSize, bufferSize, connections, -1
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled} // it looks up names, and logs
	s.client = redis.NewUniversalClient(o)
	return s, nil
}

// sweep has the keys of the embedded store expire, now and then: miniredis's own way
// looks through all of them at each command.
func (s *Store) sweep() {
	s.sweeps.Do(func() {
		now := time.Now()
		s.embedded.FastForward(now.Sub(s.swept))
		s.swept = now
	})
}

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// overTLS returns a dialer whose connections speak TLS with the host that is
// dialed, which may be one that Sentinels or a Cluster announced. The client has
// a TLS setting of its own, and ignores it if it is given a dialer.
func overTLS(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, _, _ := net.SplitHostPort(addr) // without a host the handshake fails
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		// mutant: a certificate that is not verified
		secure := tls.Client(conn, &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12})
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, fmt.Errorf("%w at %s: %w: it must be a TLS port, with a certificate for this host as REDIS_URL, Sentinels or a Cluster name it, "+
				"of an authority that is trusted here or named in SSL_CERT_FILE", errHandshake, addr, err)
		}
		return secure, nil
	}
}

// errHandshake: no connection was made, so nothing was sent.
var errHandshake = errors.New("TLS with Redis")
