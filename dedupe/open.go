package dedupe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
)

// Config says where the store is.
type Config struct {
	URL    deploy.Secret // REDIS_URL; empty: embedded, in this process, forgotten at exit
	Prefix string        // REDIS_PREFIX
	Dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	Log    zerolog.Logger
}

// quiet keeps the client from writing to standard error what it returns as an
// error as well. It has one logger for all clients.
var quiet = sync.OnceFunc(func() { redis.SetLogger(silence{}) })

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// Open makes a store. It does not wait for Redis to answer.
func Open(c Config) (*Store, error) {
	quiet()
	s := &Store{tag: "{" + c.Prefix + "}", turns: make(chan struct{}, connections), log: c.Log}
	if c.URL == "" {
		m := miniredis.NewMiniRedis()
		c.Dial = func(context.Context, string, string) (net.Conn, error) { return m.Dial() }
		s.close = sweep(m)
		c.URL = "redis://embedded"
	}
	client, err := newClient(c)
	s.client = client
	_, s.cluster = client.(*redis.ClusterClient)
	return s, err
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

// newClient reads the three forms of a Redis URL: with master_name it is
// Sentinel, with addr a Cluster, else one server. Nothing is retried below the
// caller, who knows what may be done twice. (Redirects of a Cluster are
// followed: every script can be sent again.)
func newClient(c Config) (redis.UniversalClient, error) {
	const (
		within = 900 * time.Millisecond
		buffer = 8 << 10
	)
	raw := c.URL.Reveal()
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("REDIS_URL is not a URL, such as redis://HOST:6379")
	}
	o := &redis.UniversalOptions{
		Dialer: c.Dial, MaxRetries: -1, DialerRetries: 1,
		DialTimeout: within, ReadTimeout: within, WriteTimeout: within, PoolTimeout: within,
		ContextTimeoutEnabled: true, // else a deadline of 1 s ends after the read timeout
		ReadBufferSize:        buffer, WriteBufferSize: buffer, PoolSize: connections, PipelinePoolSize: -1,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}, // it looks names up, and logs
	}
	switch q := u.Query(); {
	case q.Has("master_name"):
		var f *redis.FailoverOptions
		if f, err = redis.ParseFailoverURL(raw); err == nil {
			o.MasterName, o.Addrs, o.DB, o.TLSConfig = f.MasterName, f.SentinelAddrs, f.DB, f.TLSConfig
			o.Username, o.Password, o.SentinelUsername, o.SentinelPassword = f.Username, f.Password, f.SentinelUsername, f.SentinelPassword
		}
	case q.Has("addr"):
		var f *redis.ClusterOptions
		if f, err = redis.ParseClusterURL(raw); err == nil {
			o.Addrs, o.IsClusterMode, o.TLSConfig, o.Username, o.Password = f.Addrs, true, f.TLSConfig, f.Username, f.Password
		}
	default:
		var f *redis.Options
		if f, err = redis.ParseURL(raw); err == nil {
			o.Addrs, o.DB, o.TLSConfig, o.Username, o.Password = []string{f.Addr}, f.DB, f.TLSConfig, f.Username, f.Password
			if f.Network == "unix" && o.Dialer == nil {
				o.Dialer = func(ctx context.Context, _, addr string) (net.Conn, error) {
					return (&net.Dialer{Timeout: within}).DialContext(ctx, "unix", addr)
				}
			}
		}
	}
	if err != nil { // the client's error may hold the URL, and so the password
		return nil, fmt.Errorf("REDIS_URL cannot be used: %s", strings.ReplaceAll(err.Error(), raw, "[redacted]"))
	}
	return redis.NewUniversalClient(o), nil
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

// classify marks the errors that say for certain that nothing was done. A
// server's answer is such where it is in the list, and so is a connection that
// was not made; a timeout or a cut is not.
func classify(err error, cluster bool) error {
	if cluster {
		return err
	}
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" || errors.Is(err, redis.ErrPoolTimeout) || errors.Is(err, redis.ErrClosed) {
		return fmt.Errorf("%w: %w", deploy.ErrRefused, err)
	}
	var answer redis.Error
	if errors.As(err, &answer) && !errors.Is(err, redis.Nil) {
		for _, r := range refusals {
			if strings.HasPrefix(answer.Error(), r) {
				return fmt.Errorf("%w: %w", deploy.ErrRefused, err)
			}
		}
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the connection was cut: %w", err)
	}
	return err
}
