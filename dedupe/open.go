package dedupe

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// Config says where the store is.
type Config struct {
	URL     deploy.Secret // REDIS_URL; empty: embedded, in this process, forgotten at exit
	Prefix  string        // REDIS_PREFIX
	Dial    func(ctx context.Context, network, addr string) (net.Conn, error)
	RootCAs *x509.CertPool // the authorities to trust with rediss://; nil: the system's
	Log     zerolog.Logger
}

// quiet keeps the client from writing to standard error what it returns as an
// error as well. It has one logger for all clients.
var quiet = sync.OnceFunc(func() { redis.SetLogger(silence{}) })

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// Open makes a store. It does not wait for Redis to answer. An error is about
// the URL, and holds no part of it.
func Open(c Config) (*Store, error) {
	quiet()
	s := &Store{tag: "{" + c.Prefix + "}", turns: make(chan struct{}, connections), log: c.Log}
	s.unproved.Store(true)
	if c.URL == "" {
		m := miniredis.NewMiniRedis()
		c.Dial = func(context.Context, string, string) (net.Conn, error) { return m.Dial() }
		s.close = sweep(m)
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

// sweepEvery is how late a key of the embedded store may end.
const sweepEvery = time.Minute

// sweep has the keys of the embedded store end by the clock. Its own way of
// doing so looks through all keys at each command.
func sweep(m *miniredis.Miniredis) (end func()) {
	done, last := make(chan struct{}), time.Now()
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(sweepEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				now := time.Now()
				m.FastForward(now.Sub(last))
				last = now
			}
		}
	})
	return func() {
		close(done)
		running.Wait()
		m.Close()
	}
}

// connections are how many calls to Redis may be on their way.
const connections = 16

// newClient makes a client for any of the forms of a Redis URL. Nothing is
// retried below the caller, who knows what may be done twice. (Redirects of a
// Cluster are followed: every script can be sent again.)
func newClient(c Config) (redis.UniversalClient, error) {
	const (
		within = 900 * time.Millisecond
		buffer = 8 << 10
	)
	a, err := parseURL(c.URL)
	if err != nil {
		return nil, err
	}
	dial := c.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: within}).DialContext
	}
	// mutant: TLS that is left out
	if a.secure {
		dial = overTLS(dial, c.RootCAs, within)
	}
	return redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs: a.hosts, DB: a.db, Username: a.user, Password: a.password, IsClusterMode: a.cluster,
		MasterName: a.master, SentinelUsername: a.sentinelUser, SentinelPassword: a.sentinelPassword,
		Dialer: dial, MaxRetries: -1, DialerRetries: 1,
		DialTimeout: within, ReadTimeout: within, WriteTimeout: within, PoolTimeout: within,
		ContextTimeoutEnabled: true, // else a deadline of 1 s ends after the read timeout
		ReadBufferSize:        buffer, WriteBufferSize: buffer, PoolSize: connections, PipelinePoolSize: -1,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}, // it looks names up, and logs
	}), nil
}

// Evicts tells, with the policy's name, that this Redis throws keys away when
// its memory is full. Where that cannot be asked it is empty.
func (s *Store) Evicts(ctx context.Context) string {
	if s.close != nil {
		return ""
	}
	got, err := s.client.ConfigGet(ctx, "maxmemory-policy").Result()
	if p := got["maxmemory-policy"]; err == nil && p != "noeviction" {
		return p
	}
	return ""
}

// refusals are the beginnings of errors with which Redis says that it did
// nothing: a script is refused before its first write.
var refusals = []string{
	"READONLY", "LOADING", "OOM", "MASTERDOWN", "CLUSTERDOWN", "NOREPLICAS", "MISCONF", "BUSY",
	"NOAUTH", "WRONGPASS", "NOPERM", "DENIED", "ERR max number of clients", "ERR unknown command", "TRYAGAIN",
}

// inScript is in the errors of a command that a script called, since Redis 5.
// Such an error ends the script, and its last write is the record's.
const inScript = "@user_script:"

// denials are what errors say that come of an ACL: by itself, in a script of
// Redis up to 7.0, and in one of later ones and of Valkey.
var denials = []string{"NOPERM", "The user executing the script can't", "ACL failure in script"}

// rights are what an ACL must allow, beside the keys.
const rights = "+eval +evalsha +get +set +time +zadd +zrem +zrange +zrangebyscore"

// classify marks the errors that say for certain that nothing was done. A
// server's answer is such where it is in the list, and so is a connection that
// was not made; a timeout or a cut is not.
func (s *Store) classify(err error) error {
	var answer redis.Error
	answered := errors.As(err, &answer) && !errors.Is(err, redis.Nil)
	if answered && slices.ContainsFunc(denials, func(d string) bool { return strings.Contains(answer.Error(), d) }) {
		err = fmt.Errorf("the user in REDIS_URL lacks a right: ACL SETUSER its name ~%s:* %s: %w", s.tag, rights, err)
	}
	if s.cluster {
		return err
	}
	var dial *net.OpError
	var handshake *handshakeError
	if errors.As(err, &dial) && dial.Op == "dial" || errors.As(err, &handshake) || errors.Is(err, redis.ErrPoolTimeout) || errors.Is(err, redis.ErrClosed) {
		return fmt.Errorf("%w: %w", engine.ErrRefused, err)
	}
	if answered && (strings.Contains(answer.Error(), inScript) ||
		slices.ContainsFunc(refusals, func(r string) bool { return strings.HasPrefix(answer.Error(), r) })) {
		return fmt.Errorf("%w: %w", engine.ErrRefused, err)
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the connection was cut: %w", err)
	}
	return err
}
