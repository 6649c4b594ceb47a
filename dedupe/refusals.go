package dedupe

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/getto-systems/psycher/deploy/engine"
)

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
	notConnected := errors.As(err, &dial) && dial.Op == "dial" || errors.Is(err, errHandshake) ||
		errors.Is(err, redis.ErrPoolTimeout) || errors.Is(err, redis.ErrClosed)
	_, cluster := s.client.(*redis.ClusterClient)
	switch {
	case cluster: // its client sends again by itself: that the last try was refused says nothing about the earlier ones
		return err
	case notConnected, contains(inScript), slices.ContainsFunc(refusals, begins):
		return fmt.Errorf("%w: %w", engine.ErrRefused, err)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("the connection was cut: %w", err)
	}
	return err
}
