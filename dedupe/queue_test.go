package dedupe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// queueUp has one deployment go on, two be queued and one lock, and returns their names.
func queueUp(t *testing.T, s *Store) (running engine.Stored, names []string) {
	t.Helper()
	running, err := moved(s, askedFor(t, s, "1.0"), deploy.Triggering, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, ts := range []string{"2.0", "3.0"} {
		h := askedFor(t, s, ts)
		next := h.Record.Queue(deploy.Target{Project: app.Project, Ref: app.Ref, Key: app.Key}, time.Now())
		next.Layout, next.Revision = deploy.Layout, "queued"
		if _, err := s.Save(t.Context(), h, &next, time.Hour); err != nil {
			t.Fatal(err)
		}
		names = append(names, next.Request.Key.String())
	}
	return running, names
}

func wantQueued(t *testing.T, s *Store, want ...string) {
	t.Helper()
	all, err := s.Queued(t.Context(), app.ID())
	var got []string
	for _, r := range all {
		got = append(got, r.Request.Key.String())
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q are queued, %v; want %q", got, err, want)
	}
}

// everyTopology tests on each kind of store that psycher runs on. fails ends the
// master, where there is another server.
func everyTopology(t *testing.T, test func(t *testing.T, s *Store, fails func())) {
	none := func() {}
	t.Run("embedded", func(t *testing.T) { test(t, open(t, ""), none) })
	t.Run("one server", func(t *testing.T) { test(t, open(t, realRedis(t)), none) })
	t.Run("Cluster of three", func(t *testing.T) {
		var ports []string
		for range 3 {
			ports = append(ports, redisServer(t, "--port", "PORT", "--cluster-enabled", "yes", "--cluster-port", freePort(t), "--cluster-announce-ip", "127.0.0.1"))
		}
		for i, port := range ports {
			node := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + port})
			defer node.Close()
			ctx := context.Background()
			if err := node.Do(ctx, "CLUSTER", "ADDSLOTSRANGE", i*5462, min(i*5462+5461, 16383)).Err(); err != nil {
				t.Fatal(err)
			}
			bus, err := node.ConfigGet(ctx, "cluster-port").Result()
			if err != nil {
				t.Fatal(err)
			}
			for _, other := range ports[:i] {
				first := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + other})
				defer first.Close()
				if err := first.Do(ctx, "CLUSTER", "MEET", "127.0.0.1", port, bus["cluster-port"]).Err(); err != nil {
					t.Fatal(err)
				}
			}
		}
		s := open(t, "redis://127.0.0.1:"+ports[0]+"?addr=127.0.0.1:"+ports[1]+"&addr=127.0.0.1:"+ports[2])
		until(t, "the Cluster is up", func() bool {
			for _, port := range ports {
				node := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + port})
				info, err := node.ClusterInfo(context.Background()).Result()
				node.Close()
				if err != nil || !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_size:3") {
					return false
				}
			}
			return true
		})
		test(t, s, none)
	})
	t.Run("Sentinel", func(t *testing.T) {
		master := redisServer(t, "--port", "PORT")
		replica := redisServer(t, "--port", "PORT", "--replicaof", "127.0.0.1 "+master)
		conf := filepath.Join(t.TempDir(), "sentinel.conf")
		if err := os.WriteFile(conf, fmt.Appendf(nil, "sentinel monitor main 127.0.0.1 %s 1\nsentinel down-after-milliseconds main 500\n", master), 0o600); err != nil {
			t.Fatal(err)
		}
		sentinel := redisServer(t, conf, "--sentinel", "--port", "PORT")
		watch := redis.NewSentinelClient(&redis.Options{Addr: "127.0.0.1:" + sentinel})
		t.Cleanup(func() { watch.Close() })
		until(t, "the replica is known", func() bool {
			all, err := watch.Replicas(context.Background(), "main").Result()
			return err == nil && len(all) == 1 && all[0]["master-link-status"] == "ok"
		})
		test(t, open(t, "redis://127.0.0.1:"+sentinel+"?master_name=main"), func() {
			old := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + master})
			defer old.Close()
			if n, err := old.Wait(context.Background(), 1, 10*time.Second).Result(); n != 1 || err != nil {
				t.Fatalf("%d replicas have all, %v", n, err)
			}
			_ = old.ShutdownNoSave(context.Background()).Err() // the connection breaks
			until(t, "the replica is the master", func() bool {
				at, err := watch.GetMasterAddrByName(context.Background(), "main").Result()
				return err == nil && len(at) == 2 && at[1] == replica
			})
		})
	})
}

// The set of what goes on and the queue hold on every kind of store, and over a
// fail-over: one deployment at a time, and each in its turn.
func TestAQueueOnEveryTopology(t *testing.T) {
	everyTopology(t, func(t *testing.T, s *Store, fails func()) {
		running, names := queueUp(t, s)
		wantQueued(t, s, names...)
		fails()
		until(t, "the store answers", func() bool {
			_, err := s.Queued(t.Context(), app.ID())
			return err == nil
		})
		wantQueued(t, s, names...)
		wantActive(t, s, app.ID(), running.Record.Request.Key.String())
		late := askedFor(t, s, "9.0")
		if len(late.Active) != 1 {
			t.Errorf("a claim finds %+v", late.Active)
		}
		late.Active = nil
		if _, err := moved(s, late, deploy.Triggering, 1); !errors.Is(err, engine.ErrChanged) {
			t.Errorf("a second one starts: %v", err)
		}

		// Its end makes all that are queued due at once.
		if _, err := moved(s, running, deploy.Succeeded, 1); err != nil {
			t.Fatal(err)
		}
		due, _, err := s.Take(t.Context(), 10, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, h := range due {
			told = append(told, h.Record.Request.Key.String())
		}
		slices.Sort(told)
		if !slices.Equal(told, names) {
			t.Errorf("%q are told, want %q", told, names)
		}

		// What starts leaves the queue, and the others are told.
		next, err := moved(s, due[0], deploy.Triggering, 1)
		if err != nil {
			t.Fatal(err)
		}
		name := next.Record.Request.Key.String()
		wantQueued(t, s, slices.DeleteFunc(slices.Clone(names), func(of string) bool { return of == name })...)
		wantActive(t, s, app.ID(), name)
	})
}

// Of a record that is gone, the queue forgets the name; one that cannot be read holds
// nobody.
func TestAQueueWithoutItsRecords(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		_, names := queueUp(t, s)
		if err := s.client.Del(t.Context(), s.recordPrefix()+names[0]).Err(); err != nil {
			t.Fatal(err)
		}
		wantQueued(t, s, names[1])
		if err := s.client.Set(t.Context(), s.recordPrefix()+names[1], `{"v":99}`, time.Hour).Err(); err != nil {
			t.Fatal(err)
		}
		wantQueued(t, s)
		if err := s.client.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		wantQueued(t, s)
		wantActive(t, s, app.ID())
	})
}
