package dedupe

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
)

// Config says where the store is.
type Config struct {
	URL     deploy.Secret // REDIS_URL; empty: embedded in this process, lost when it ends
	Prefix  string        // REDIS_PREFIX
	Dial    func(ctx context.Context, network, addr string) (net.Conn, error)
	RootCAs *x509.CertPool // the authorities to trust with rediss://; nil: the system's
	// ReadText understands the text of a mention that the version before has
	// recorded and not taken up: that kept the text, this one keeps the intent.
	// Where it is nil such a mention is asked about.
	ReadText func(k deploy.Key, text string) deploy.Intent
	Log      zerolog.Logger
}

// quiet keeps the client from writing to stderr what it returns as an error as
// well. It has one logger for all clients.
var quiet = sync.OnceFunc(func() { redis.SetLogger(silence{}) })

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// Open makes a store. It does not wait for Redis to answer. An error is about
// the URL, and quotes no part of it.
func Open(c Config) (*Store, error) {
	quiet()
	s := &Store{keys: keys("{" + c.Prefix + "}"), turns: make(chan struct{}, connections), readText: c.ReadText, log: c.Log}
	s.unproved.Store(true)
	if c.URL == "" {
		s.embedded = newEmbedded()
		c.Dial = func(context.Context, string, string) (net.Conn, error) { return s.embedded.Dial() }
		c.URL = "redis://embedded"
	}
	client, err := newClient(c)
	if err != nil {
		return nil, fmt.Errorf("REDIS_URL: %w", err)
	}
	s.client = client
	_, s.cluster = client.(*redis.ClusterClient)
	return s, nil
}

// connections are how many calls to Redis may be in flight.
const connections = 16

// newClient makes a client for any form of a Redis URL. It retries nothing: the
// caller knows what may be done twice. (Redirects of a Cluster are followed:
// every script can be sent again.)
func newClient(c Config) (redis.UniversalClient, error) {
	const (
		timeout = 900 * time.Millisecond
		buffer  = 8 << 10
	)
	a, err := parseURL(c.URL)
	if err != nil {
		return nil, err
	}
	dial := c.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: timeout}).DialContext
	}
	// mutant: TLS that is left out
	if a.secure {
		dial = overTLS(dial, c.RootCAs, timeout)
	}
	o := &a.UniversalOptions
	o.Dialer, o.MaxRetries, o.DialerRetries = dial, -1, 1
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = timeout, timeout, timeout, timeout
	o.ContextTimeoutEnabled = true // else a deadline of 1 s ends after the read timeout
	o.ReadBufferSize, o.WriteBufferSize, o.PoolSize, o.PipelinePoolSize = buffer, buffer, connections, -1
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled} // it looks up names, and logs
	return redis.NewUniversalClient(o), nil
}

// Evicts returns the name of the policy by which this Redis evicts keys under
// memory pressure; empty if it evicts none, or does not say.
func (s *Store) Evicts(ctx context.Context) string {
	if s.embedded != nil {
		return ""
	}
	got, err := s.client.ConfigGet(ctx, "maxmemory-policy").Result()
	if p := got["maxmemory-policy"]; err == nil && p != "noeviction" {
		return p
	}
	return ""
}
