package dedupe

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/getto-systems/psycher/deploy/engine"
)

//go:embed scripts/*.lua
var scripts embed.FS

var (
	activeScript  = newScript("active", "reading which deployments of the target go on")
	birthScript   = newScript("birth", "reading the store's birth")
	claimScript   = newScript("claim", "claiming the mention")
	delayScript   = newScript("delay", "moving a due time")
	editScript    = newScript("edit", "asking whether Slack allows an edit")
	loadScript    = newScript("load", "reading the record")
	namedScript   = newScript("named", "reading what is pending")
	provedScript  = newScript("proved", "reading whether the project has proved itself")
	saveScript    = newScript("save", "saving the record")
	takeScript    = newScript("take", "taking what is due")
	unproveScript = newScript("unprove", "forgetting that the project has proved itself")
)

// script is one operation. Its errors begin with what was being done.
type script struct {
	*redis.Script
	name, doing string
}

func newScript(name, doing string) script {
	text, err := scripts.ReadFile("scripts/" + name + ".lua")
	if err != nil {
		panic(err) // it is embedded
	}
	return script{redis.NewScript(string(text)), name, doing}
}

// run calls a script, by its hash if Redis knows it.
func (s *Store) run(ctx context.Context, script script, keys []string, args ...any) (got values, err error) {
	if s.conf.Observe != nil {
		defer func(began time.Time) { s.conf.Observe(script.name, time.Since(began), err) }(time.Now())
	}
	// The client's own queue would not tell calls that were never sent from others.
	select {
	case s.turns <- struct{}{}:
		defer func() { <-s.turns }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: %w: all connections are busy: %w", script.doing, engine.ErrRefused, ctx.Err())
	}
	if s.embedded != nil {
		s.sweep()
	}
	v, err := script.Run(ctx, s.client, keys, args...).Slice()
	switch {
	case err == nil && len(v) >= 2:
		return v, nil
	case err == nil:
		err = errors.New("redis returned what no script of psycher returns")
	default:
		if err = s.classify(err); errors.Is(err, engine.ErrRefused) || errors.As(err, new(redis.Error)) {
			s.unproved.Store(true)
		}
	}
	return nil, fmt.Errorf("%s: %w", script.doing, err)
}

// values is what a script returns: integers and strings. Nil, as of a script that
// failed, has the zero of each.
type values []any

func (v values) int(i int) int64 {
	if v == nil {
		return 0
	}
	n, _ := v[i].(int64)
	return n
}

func (v values) bytes(i int) []byte   { s, _ := v[i].(string); return []byte(s) }
func (v values) time(i int) time.Time { return time.UnixMilli(v.int(i)).UTC() }

// millis rounds up, so that nothing is due before its time; negative stays so.
func millis(d time.Duration) int64 {
	if d < 0 {
		return -1
	}
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}

// rights are what an ACL must allow, besides the keys.
const rights = "+eval +evalsha +get +set +time +zadd +zrem +zrange +zrangebyscore"

// refusals are how errors begin with which Redis says that it did nothing: it
// refuses a script before the script's first write.
var refusals = []string{
	"READONLY", "LOADING", "OOM", "MASTERDOWN", "CLUSTERDOWN", "NOREPLICAS", "MISCONF", "BUSY",
	"NOAUTH", "WRONGPASS", "NOPERM", "DENIED", "ERR max number of clients", "ERR unknown command", "TRYAGAIN",
}

// inScript is in the error of a command that a script called, since Redis 5.
// Such an error ends the script, whose last write is the record's.
const inScript = "@user_script:"

// denials are what errors caused by an ACL say: outside of scripts, in a script
// up to Redis 7.0, and in a script of later versions and of Valkey.
var denials = []string{"NOPERM", "The user executing the script can't", "ACL failure in script"}

// unreachedError is an [engine.ErrRefused] of a server that was not there to refuse.
type unreachedError struct{ error }

func (e unreachedError) Error() string   { return "cannot be reached: " + e.error.Error() }
func (e unreachedError) Unwrap() []error { return []error{engine.ErrRefused, e.error} }

// classify marks the errors which say for certain that nothing was done: those
// answers of the server that are in the lists, and failed attempts to connect.
// A timeout or a connection that was cut is not certain.
func (s *Store) classify(err error) error {
	said := "" // by the server
	if answer := redis.Error(nil); errors.As(err, &answer) && !errors.Is(err, redis.Nil) {
		said = answer.Error()
	}
	contains := func(part string) bool { return strings.Contains(said, part) }
	begins := func(part string) bool { return strings.HasPrefix(said, part) }
	if slices.ContainsFunc(denials, contains) {
		err = fmt.Errorf("the user in REDIS_URL lacks a right: ACL SETUSER its name ~%s:* %s: %w", s.keys, rights, err)
	}
	var dial *net.OpError
	_, cluster := s.client.(*redis.ClusterClient)
	switch {
	case cluster: // its client sends again by itself: that the last try was refused says nothing about the earlier ones
		return err
	case errors.As(err, &dial) && dial.Op == "dial":
		return unreachedError{err}
	case errors.Is(err, errHandshake), errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.ErrClosed),
		contains(inScript), slices.ContainsFunc(refusals, begins):
		return fmt.Errorf("%w: %w", engine.ErrRefused, err)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("the connection was cut: %w", err)
	}
	return err
}
