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
	{"redis: store", true, nil, redisStore},
	{"redis: rights", false, (*Doctor).redisAnswers, one(redisRights)},
	{"redis: configuration", true, (*Doctor).redisAnswers, redisInfo},
}

// redisAnswers tells whether there is a Redis, and it answers.
func (d *Doctor) redisAnswers() bool { return !d.redisDown && !d.Store.Embedded() }

const (
	slowRedis  = 100 * time.Millisecond // an ack waits for one round trip, a deploy for about ten
	clockDrift = 30 * time.Second
	redisPings = 5
	redisWait  = 5 * time.Second
)

// redisStore tells whether Redis answers, how fast, and by which clock.
func redisStore(ctx context.Context, d *Doctor, found report) {
	if d.Store.Embedded() {
		found("", ok("REDIS_URL is not set: records are kept in the bot's own process and forgotten when it ends; one process only"))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, redisPings*redisWait)
	defer cancel()
	fastest := time.Hour
	var now time.Time
	for range redisPings {
		at, took, err := d.Store.Clock(ctx)
		if d.redisDown = err != nil; d.redisDown {
			found("", fault(err.Error(), "start Redis, and let this machine reach it; check host, port, user and password in REDIS_URL"))
			return
		}
		fastest, now = min(fastest, took), at
	}
	found("latency", first([]when{
		{fastest > slowRedis, fault(fmt.Sprintf("takes %s to answer, and people wait for several answers", fastest.Round(time.Millisecond)),
			"use a Redis in the same region or network as the bot")},
		{true, ok("answers within " + fastest.Round(10*time.Microsecond).String())},
	}))
	drift := time.Since(now).Round(time.Second).Abs()
	found("clock", first([]when{
		{drift > clockDrift, fault("differs from this machine's by "+drift.String(), "synchronise both clocks with NTP")},
		{true, ok("agrees with this machine's")},
	}))
}

// redisRights tries all that any script does. Nothing of it stays.
func redisRights(ctx context.Context, d *Doctor) Finding {
	ctx, cancel := context.WithTimeout(ctx, redisWait)
	defer cancel()
	err := d.Store.Probe(ctx)
	return first([]when{
		{err != nil, fault(fmt.Sprint(err), "give the user of REDIS_URL the rights in docs/INSTALL.md, on a Redis that takes writes")},
		{true, ok("every command of every script is allowed")},
	})
}

// redisInfo reads what Redis tells of itself.
func redisInfo(ctx context.Context, d *Doctor, found report) {
	ctx, cancel := context.WithTimeout(ctx, redisWait)
	defer cancel()
	switch of, err := d.Store.Info(ctx); {
	case err != nil:
		found("", unseen(err.Error(), "give the user of REDIS_URL the right +info"))
	case of["redis_version"] == "":
		found("", unseen("this Redis tells nothing of itself", "look at its configuration yourself: appendonly yes, maxmemory-policy noeviction"))
	default:
		judgeInfo(of, found)
	}
}

// judgeInfo judges the fields of INFO: what Redis is, and whether it can stay so.
func judgeInfo(of map[string]string, found report) {
	const set = "CONFIG SET %s, and the same in its configuration"
	number := func(name string) float64 {
		n, _ := strconv.ParseFloat(of[name], 64)
		return n
	}
	major, _, _ := strings.Cut(of["redis_version"], ".")
	release, err := strconv.Atoi(major)
	found("version", first([]when{
		{of["valkey_version"] != "", ok("Valkey " + of["valkey_version"])},
		{err == nil && release < 7, fault("Redis "+of["redis_version"], "upgrade to Redis 7.0 or newer, or to Valkey")},
		{true, ok("Redis " + of["redis_version"])},
	}))
	found("role", first([]when{
		{of["role"] == "slave", fault("this is a replica, which takes no writes", "name the primary in REDIS_URL, or the Sentinels with ?master_name=")},
		{true, ok(fmt.Sprintf("primary, with %s replicas", cmp.Or(of["connected_slaves"], "0")))},
	}))
	found("persistence", first([]when{
		{of["aof_last_write_status"] == "err" || of["aof_last_bgrewrite_status"] == "err", fault("the append-only file cannot be written", "look at Redis's log: its disk may be full")},
		{of["aof_enabled"] == "1", ok("appendonly yes")},
		{number("connected_slaves") > 0, ok("appendonly no; what replicas have survives a restart")},
		{true, fault("appendonly no: a restart of Redis forgets what was asked for since its last snapshot, or all", fmt.Sprintf(set, "appendonly yes"))},
	}))
	policy := of["maxmemory_policy"]
	found("eviction", first([]when{
		{policy != "noeviction" && policy != "", fault("maxmemory-policy "+policy+": this Redis evicts keys when its memory is full, and what it evicts can be lost or repeated",
			fmt.Sprintf(set, "maxmemory-policy noeviction"))},
		{true, ok("maxmemory-policy " + cmp.Or(policy, "unknown"))},
	}))
	used, most := of["used_memory_human"]+" used of ", number("maxmemory")
	found("memory", first([]when{
		{most == 0, ok(used + "an unlimited amount")},
		{number("used_memory") > 0.8*most, fault(used+of["maxmemory_human"]+": when it is full, no request is recorded", "raise maxmemory, or use a Redis of psycher's own")},
		{true, ok(used + of["maxmemory_human"])},
	}))
}
