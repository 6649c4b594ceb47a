package doctor

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

var redisChecks = []check{
	{"redis: store", true, redisStore},
	{"redis: rights", false, redisRights},
	{"redis: configuration", true, redisInfo},
}

const (
	slowRedis  = 100 * time.Millisecond // an ack waits for one round trip, a deploy for about ten
	clockDrift = 30 * time.Second
	redisPings = 5
)

// redisStore tells whether Redis answers, how fast, and by which clock.
func redisStore(ctx context.Context, d *Doctor) []Finding {
	if d.Store.Embedded() {
		return []Finding{ok("", "REDIS_URL is not set: records are kept in the bot's own process and forgotten when it ends; one process only")}
	}
	fastest := time.Hour
	var now time.Time
	for range redisPings {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		at, took, err := d.Store.Clock(ctx)
		cancel()
		if d.redisDown = err != nil; d.redisDown {
			return []Finding{fault("", err.Error(), "start Redis, and let this machine reach it; check host, port, user and password in REDIS_URL")}
		}
		fastest, now = min(fastest, took), at
	}
	found := []Finding{ok("latency", "answers within "+fastest.Round(10*time.Microsecond).String())}
	if fastest > slowRedis {
		found[0] = fault("latency", fmt.Sprintf("takes %s to answer, and people wait for several answers", fastest.Round(time.Millisecond)), "use a Redis in the same region or network as the bot")
	}
	drift := time.Since(now).Round(time.Second)
	if drift.Abs() > clockDrift {
		return append(found, fault("clock", fmt.Sprintf("differs from this machine's by %s", drift.Abs()), "synchronise both clocks with NTP"))
	}
	return append(found, ok("clock", "agrees with this machine's"))
}

// redisRights tries all that any script does. Nothing of it stays.
func redisRights(ctx context.Context, d *Doctor) []Finding {
	if d.redisDown {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := d.Store.Probe(ctx); err != nil {
		return []Finding{fault("", err.Error(), "give the user of REDIS_URL the rights in docs/INSTALL.md, on a Redis that takes writes")}
	}
	return []Finding{ok("", "every command of every script is allowed")}
}

// info is a fact that Redis tells of itself: what it is, and whether it can stay so.
type info struct {
	about string
	judge func(map[string]string) (seen, fix string)
}

var infos = []info{
	{"version", func(of map[string]string) (string, string) {
		if v := of["valkey_version"]; v != "" {
			return "Valkey " + v, ""
		}
		major, _, _ := strings.Cut(of["redis_version"], ".")
		if n, err := strconv.Atoi(major); err == nil && n < 7 {
			return "Redis " + of["redis_version"], "upgrade to Redis 7.0 or newer, or to Valkey"
		}
		return "Redis " + of["redis_version"], ""
	}},
	{"role", func(of map[string]string) (string, string) {
		if of["role"] == "slave" {
			return "this is a replica, which takes no writes", "name the primary in REDIS_URL, or the Sentinels with ?master_name="
		}
		return fmt.Sprintf("primary, with %s replicas", cmp.Or(of["connected_slaves"], "0")), ""
	}},
	{"persistence", func(of map[string]string) (string, string) {
		const set = "CONFIG SET appendonly yes, and the same in its configuration"
		switch {
		case of["aof_last_write_status"] == "err" || of["aof_last_bgrewrite_status"] == "err":
			return "the append-only file cannot be written", "look at Redis's log: its disk may be full"
		case of["aof_enabled"] == "1":
			return "appendonly yes", ""
		case of["connected_slaves"] != "" && of["connected_slaves"] != "0":
			return "appendonly no; what replicas have survives a restart", ""
		}
		return "appendonly no: a restart of Redis forgets what was asked for since its last snapshot, or all", set
	}},
	{"eviction", func(of map[string]string) (string, string) {
		policy := of["maxmemory_policy"]
		if policy != "noeviction" && policy != "" {
			return "maxmemory-policy " + policy + ": this Redis evicts keys when its memory is full, and what it evicts can be lost or repeated",
				"CONFIG SET maxmemory-policy noeviction, and the same in its configuration"
		}
		return "maxmemory-policy " + cmp.Or(policy, "unknown"), ""
	}},
	{"memory", func(of map[string]string) (string, string) {
		used, _ := strconv.ParseFloat(of["used_memory"], 64)
		most, _ := strconv.ParseFloat(of["maxmemory"], 64)
		seen := of["used_memory_human"] + " used of "
		if most == 0 {
			return seen + "an unlimited amount", ""
		}
		seen += of["maxmemory_human"]
		if used > 0.8*most {
			return seen + ": when it is full, no request is recorded", "raise maxmemory, or use a Redis of psycher's own"
		}
		return seen, ""
	}},
}

// redisInfo judges what Redis tells of itself.
func redisInfo(ctx context.Context, d *Doctor) (found []Finding) {
	if d.Store.Embedded() || d.redisDown {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	of, err := d.Store.Info(ctx)
	if err != nil {
		return []Finding{unseen("", err.Error(), "give the user of REDIS_URL the right +info")}
	}
	if of["redis_version"] == "" {
		return []Finding{unseen("", "this Redis tells nothing of itself", "look at its configuration yourself: appendonly yes, maxmemory-policy noeviction")}
	}
	for _, i := range infos {
		if seen, fix := i.judge(of); fix != "" {
			found = append(found, fault(i.about, seen, fix))
		} else {
			found = append(found, ok(i.about, seen))
		}
	}
	return found
}
