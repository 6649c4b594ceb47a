package sim_test

import (
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/dedupe"
	"github.com/getto-systems/psycher/internal/sim"
)

// The stand-in of Redis answers a take that finds nothing due by itself. What it
// says is what the script says.
func TestIdleTakeIsAnsweredAsByTheScript(t *testing.T) {
	row(t, "as by the script", func(t *testing.T) {
		w := sim.New(t)
		store, err := dedupe.Open(dedupe.Config{URL: "redis://redis.test:6379", Prefix: "psycher", Keep: 720 * time.Hour, Dial: w.Net.Dial, Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		take := func() (n int, next time.Duration) {
			got, next, err := store.Take(t.Context(), 10, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			return len(got), next
		}
		both := func(what string) {
			t.Helper()
			n, next := take()
			w.Redis.Server().SetPreHook(nil)
			byScript, nextByScript := take()
			w.HealRedis()
			if n != byScript || next != nextByScript {
				t.Errorf("%s: %d and %s, by the script %d and %s", what, n, next, byScript, nextByScript)
			}
		}
		take() // the first one probes
		both("an empty store")
		for _, due := range []time.Duration{time.Hour, 90 * time.Second, 1500 * time.Millisecond} {
			if _, err := w.Redis.ZAdd("{psycher}:due", float64(time.Now().Add(due).UnixMilli()), "T1:C1:"+due.String()); err != nil {
				t.Fatal(err)
			}
			both("due in " + due.String())
		}
		time.Sleep(1500 * time.Millisecond)
		both("one that is due and has no record")
		both("it is gone")
	})
}
