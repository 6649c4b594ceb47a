package cmd_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A Redis that answers, and forbids a part of what has to be written: whoever
// runs psycher finds it out at the start, and what to do; not at the first deploy.
func TestNotReadyWhereRedisForbidsTheWork(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("no redis-server on this machine")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	redis, admin := freeAddr(t), freeAddr(t)
	_, port, _ := net.SplitHostPort(redis)
	server := exec.CommandContext(ctx, "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir())
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = server.Wait() }()
	until(ctx, t, func() string { return askRedis(ctx, redis, "ACL SETUSER bot on >Xq7Zw9 ~* +@all -zadd") }, "+OK")

	p := start(t, "REDIS_URL=redis://bot:Xq7Zw9@"+redis, "ADMIN_ADDR="+admin, "LOG_LEVEL=info")
	ready := readyz(ctx, t, admin)
	// Slack's sockets are open and the store's birth is known: nothing else is missing.
	until(ctx, t, func() string {
		if words := ready(); !strings.Contains(words, "starting") && !strings.Contains(words, "socket") {
			return words
		}
		return ""
	}, "503 ", "the store is down", "lacks a right: ACL SETUSER its name ~{psycher}:* +eval", "+zadd")
	if p.Slack.Connections() == 0 {
		t.Error("nobody is heard, and so nobody is told")
	}

	if got := askRedis(ctx, redis, "ACL SETUSER bot +zadd"); got != "+OK" {
		t.Fatal(got)
	}
	until(ctx, t, ready, "200 ")
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait()
	if strings.Contains(p.out.String(), "Xq7") {
		t.Error("the password is shown")
	}
}

// readyz asks a bot whether it is ready: what it returns is the status and the answer.
func readyz(ctx context.Context, t *testing.T, admin string) func() string {
	return func() string {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return fmt.Sprint(resp.StatusCode, " ", string(body))
	}
}

// until asks again until the answer holds all of the words.
func until(ctx context.Context, t *testing.T, ask func() string, words ...string) {
	t.Helper()
	for {
		got, missing := ask(), ""
		for _, w := range words {
			if !strings.Contains(got, w) {
				missing = w
			}
		}
		if missing == "" {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%q was never in the answer, which is %q", missing, got)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func askRedis(ctx context.Context, addr, command string) string {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	if _, err := fmt.Fprint(conn, command, "\r\n"); err != nil {
		return err.Error()
	}
	answer, _ := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSpace(answer)
}
