package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"

	"github.com/getto-systems/psycher/deploy"
)

// RedisDown cuts every connection to Redis and refuses new ones for a while.
func (w *World) RedisDown(d time.Duration) {
	w.setRedisDown(true)
	w.later(d, func() { w.setRedisDown(false) })
}

// RedisFails has Redis answer every command with an error for a while.
func (w *World) RedisFails(message string, d time.Duration) {
	w.Redis.SetError(message)
	w.later(d, func() {
		w.Redis.SetError("")
		w.HealRedis()
	})
}

// RedisRefuses has Redis answer each command of a kind ("redis:claim") with an error,
// until heal is called.
func (w *World) RedisRefuses(kind string) (heal func()) { return w.RedisRefusesAbout(kind, "") }

// RedisRefusesAbout does so with those that have a part in their arguments.
func (w *World) RedisRefusesAbout(kind, part string) (heal func()) {
	w.Redis.Server().SetPreHook(func(c *server.Peer, command string, args ...string) bool {
		refuses := commandKind(command, args) == kind && strings.Contains(strings.Join(args, " "), part)
		if refuses {
			c.WriteError("OOM command not allowed when used memory > 'maxmemory'.")
		}
		return refuses
	})
	return w.HealRedis
}

// RedisHangs has Redis accept commands without answering, for a while.
func (w *World) RedisHangs(d time.Duration) {
	w.later(d, w.HangRedis())
}

// idle answers a take that finds nothing due as scripts/take.lua does, without its
// Lua: a process asks every second, and a simulated hour would be spent on making
// the states of an interpreter. What else there is to do is left to the script.
func (w *World) idle(r *miniredis.Miniredis) server.Hook {
	return func(c *server.Peer, command string, args ...string) bool {
		// its hash, how many keys, the keys, how many, the lease, a prefix, whether to probe, a prefix
		if command != "EVALSHA" || commandKind(command, args) != "redis:take" || args[len(args)-2] != "0" {
			return false
		}
		due, err := r.SortedSet(args[2])
		if err != nil && !errors.Is(err, miniredis.ErrKeyNotFound) {
			return false
		}
		now, next := time.Now().UnixMilli(), int64(-1)
		if apart := w.redisClock.Load(); apart != 0 {
			now = apart
		}
		for _, at := range due {
			if in := int64(at) - now; in <= 0 {
				return false
			} else if next < 0 || in < next {
				next = in
			}
		}
		birth := now
		if raw, err := r.Get(args[3]); err == nil {
			if birth, err = strconv.ParseInt(raw, 10, 64); err != nil {
				return false
			}
		}
		c.WriteLen(4)
		for _, n := range []int64{now, birth, next} {
			c.WriteInt(int(n))
		}
		rolledBack := 0
		if r.Exists(args[6]) {
			rolledBack = 1
		}
		c.WriteInt(rolledBack)
		return true
	}
}

// SlowRedis delays each script by a duration, until heal is called.
func (w *World) SlowRedis(each time.Duration) (heal func()) {
	w.Redis.Server().SetPreHook(func(_ *server.Peer, command string, _ ...string) bool {
		if strings.HasPrefix(command, "EVAL") { // a script's own commands come here as well, with the store locked
			w.wait(each)
		}
		return false
	})
	return w.HealRedis
}

// HealRedis ends what SlowRedis and the like do.
func (w *World) HealRedis() { w.Redis.Server().SetPreHook(w.idle(w.Redis)) }

// FailOver has another Redis take over with all the data of the old one. Existing
// connections stay with the old one, which is read-only; new ones reach the new
// one.
func (w *World) FailOver() {
	old, next := w.Redis, miniredis.NewMiniRedis()
	next.ClockTTL(true)
	old.SetError("READONLY You can't write against a read only replica.")
	for _, key := range old.Keys() {
		if old.Type(key) == "zset" {
			members, err := old.SortedSet(key)
			for member, score := range members {
				if err == nil {
					_, err = next.ZAdd(key, score, member)
				}
			}
			if err != nil {
				w.T.Fatal(err)
			}
			continue
		}
		value, err := old.Get(key)
		if err == nil {
			err = next.Set(key, value)
		}
		if err != nil {
			w.T.Fatal(err)
		}
		if ttl := old.TTL(key); ttl > 0 {
			next.SetTTL(key, ttl)
		}
	}
	w.mu.Lock()
	w.Redis = next
	w.mu.Unlock()
	w.T.Cleanup(old.Close)
}

// RedisClock sets the clock of Redis apart from everybody else's from now on.
func (w *World) RedisClock(offset time.Duration) {
	set := func() {
		now := time.Now().Add(offset)
		w.master().SetTime(now)
		w.redisClock.Store(now.UnixMilli())
	}
	set()
	w.running.Go(func() {
		for w.wait(100 * time.Millisecond) {
			set()
		}
	})
}

// master is the Redis that new connections reach.
func (w *World) master() *miniredis.Miniredis {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Redis
}

func (w *World) setRedisDown(down bool) {
	w.mu.Lock()
	w.noRedis = down
	w.mu.Unlock()
	if down {
		w.Net.CutHost("redis.test:6379")
	}
}

// later calls do after a while, unless the world ends before.
func (w *World) later(d time.Duration, do func()) {
	w.running.Go(func() {
		if w.wait(d) {
			do()
		}
	})
}

// wait waits in the world's time, and reports whether the world still exists.
func (w *World) wait(d time.Duration) bool {
	if d <= 0 {
		return w.ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-w.ctx.Done():
		return false
	}
}

// WrongPast compares the history and the successes of the targets with the records,
// which a save changes together: they agree at any time.
func (w *World) WrongPast() (wrong []string) {
	named := map[string]string{} // the kinds of the sets that have a name
	for _, key := range w.Redis.Keys() {
		if kind, of, _ := strings.Cut(strings.TrimPrefix(key, "{psycher}:"), ":"); kind == "history" && of != ":::" || kind == "successes" {
			names, err := w.Redis.ZMembers(key)
			if err != nil {
				w.T.Fatal(err)
			}
			for _, name := range names {
				named[name] += kind + " "
			}
		}
	}
	for name, r := range w.Records() {
		want := ""
		switch {
		case r.Deployment.Project == "": // the store has lost of which target it is
		case r.State == deploy.Succeeded:
			want = "history successes "
		case r.State.Ran():
			want = "history "
		case r.State == deploy.Refused: // it may have run before
			want = named[name]
		}
		if named[name] != want {
			wrong = append(wrong, fmt.Sprintf("%s is %s, and is named in %q", name, r.State, named[name]))
		}
	}
	return wrong
}

// Records are all records that Redis has, by name.
func (w *World) Records() map[string]deploy.Record {
	all := map[string]deploy.Record{}
	for _, key := range w.Redis.Keys() {
		name, isRecord := strings.CutPrefix(key, "{psycher}:record:")
		raw, err := w.Redis.Get(key)
		if !isRecord || err != nil || name == "probe" {
			continue
		}
		var r deploy.Record
		if err := json.Unmarshal([]byte(raw), &r); err != nil {
			w.T.Fatal(err)
		}
		all[name] = r
	}
	return all
}
