package doctor

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startRedis starts a redis-server that is as docs/INSTALL.md wants it, but for
// args, and returns the path of its socket.
func startRedis(t *testing.T, args ...string) (socket string) {
	t.Helper()
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server on this machine")
	}
	dir := t.TempDir()
	socket = filepath.Join(dir, "redis.sock")
	args = append([]string{"--port", "0", "--unixsocket", socket, "--dir", dir, "--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction"}, args...)
	server := exec.Command(bin, args...)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	for deadline := time.Now().Add(10 * time.Second); ; {
		if conn, err := net.Dial("unix", socket); err == nil {
			conn.Close()
			return socket
		}
		if time.Now().After(deadline) {
			t.Fatal("redis-server does not answer")
		}
	}
}

func tellRedis(t *testing.T, socket string, commands ...string) {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, c := range commands {
		fmt.Fprint(conn, c, "\r\n")
		answer := make([]byte, 256)
		if n, _ := conn.Read(answer); !strings.HasPrefix(string(answer[:n]), "+OK") {
			t.Fatalf("%s: %s", c, answer[:n])
		}
	}
}

// withRedis makes a world's Redis one that was started with args and told commands.
func withRedis(args []string, commands ...string) func(*world) {
	return func(w *world) {
		socket := startRedis(w.t, args...)
		tellRedis(w.t, socket, commands...)
		w.settings = append(w.settings, "REDIS_URL=unix://"+socket)
	}
}

func TestAllIsWellWithRedis(t *testing.T) { checkAllWell(t, diagnose(t, withRedis(nil))) }

// slowConn adds a delay to each answer.
type slowConn struct {
	net.Conn
	by time.Duration
}

func (c slowConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	time.Sleep(c.by) // it is what is tested: a Redis far away
	return n, err
}

func TestFaultsOfRedis(t *testing.T) {
	asUser := func(rights string) func(*world) {
		return func(w *world) {
			socket := startRedis(w.t)
			tellRedis(w.t, socket, "ACL SETUSER bot on >Xq7Zw9 "+rights)
			w.settings = append(w.settings, "REDIS_URL=unix://bot:Xq7Zw9@"+socket)
		}
	}
	const needed = "~{psycher}:* +eval +evalsha +get +set +time +zadd +zrem +zrange +zrangebyscore"
	for _, r := range []row{
		{"nobody listens", func(w *world) { w.settings = append(w.settings, "REDIS_URL=redis://127.0.0.1:1") }, "redis: store", Fault, "connection refused", "start Redis"},
		{"a wrong password", func(w *world) {
			w.settings = append(w.settings, "REDIS_URL=unix://bot:wrong@"+startRedis(w.t))
		}, "redis: store", Fault, "WRONGPASS", "password in REDIS_URL"},
		{"no TLS there", func(w *world) {
			w.settings = append(w.settings, "REDIS_URL=rediss://"+strings.TrimPrefix(w.slackURL, "http://"))
		}, "redis: store", Fault, "it must be a TLS port", "start Redis"},
		{"it is far away", func(w *world) {
			withRedis(nil)(w)
			dial := w.dial
			w.dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := dial(ctx, network, addr)
				return slowConn{conn, 120 * time.Millisecond}, err
			}
		}, "redis: store", Fault, "people wait", "same region"},
		{"a right is missing", asUser(strings.Replace(needed, "+zadd", "", 1) + " +info"), "redis: rights", Fault, "+zadd", "docs/INSTALL.md"},
		{"other keys", asUser(strings.Replace(needed, "psycher", "other", 1) + " +info"), "redis: rights", Fault, "ACL SETUSER its name ~{psycher}:*", "docs/INSTALL.md"},
		{"memory is full", withRedis(nil, "CONFIG SET maxmemory 1"), "redis: rights", Fault, "OOM", "takes writes"},
		{"memory is nearly full", withRedis([]string{"--maxmemory", "1200kb"}), "redis: configuration", Fault, "no request is recorded", "raise maxmemory"},
		{"no right to look", asUser(needed), "redis: configuration", Unseen, "INFO", "+info"},
		{"nothing is persistent", withRedis([]string{"--appendonly", "no"}), "redis: configuration", Fault, "appendonly no", "CONFIG SET appendonly yes"},
		{"keys are evicted", withRedis(nil, "CONFIG SET maxmemory-policy allkeys-lru"), "redis: configuration", Fault, "allkeys-lru", "noeviction"},
		{"a replica", func(w *world) {
			withRedis(nil, "REPLICAOF 127.0.0.1 1", "CONFIG SET replica-serve-stale-data yes")(w)
		}, "redis: configuration", Fault, "this is a replica", "name the primary"},
	} {
		r.run(t)
	}
}

// What no Redis of a test can be made to be.
func TestFaultsThatRedisTellsOfItself(t *testing.T) {
	for _, row := range []struct {
		about     string
		of        map[string]string
		seen, fix string
	}{
		{"version", map[string]string{"redis_version": "6.2.14"}, "Redis 6.2.14", "upgrade to Redis 7.0"},
		{"version", map[string]string{"redis_version": "7.2.4", "valkey_version": "8.0.1"}, "Valkey 8.0.1", ""},
		{"persistence", map[string]string{"aof_enabled": "1", "aof_last_write_status": "err"}, "cannot be written", "its disk may be full"},
		{"persistence", map[string]string{"aof_enabled": "0", "connected_slaves": "1"}, "what replicas have survives", ""},
		{"memory", map[string]string{"used_memory": "1", "used_memory_human": "1B", "maxmemory": "0", "maxmemory_human": "0B"}, "1B used of an unlimited amount", ""},
		{"role", map[string]string{}, "primary, with 0 replicas", ""},
	} {
		judgeInfo(row.of, func(about string, f Finding) {
			if about == row.about && (!strings.Contains(f.Seen, row.seen) || !strings.Contains(f.Fix, row.fix) || (f.Fix == "") != (row.fix == "")) {
				t.Errorf("%s of %v: %+v", row.about, row.of, f)
			}
		})
	}
}
