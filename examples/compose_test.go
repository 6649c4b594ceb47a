package examples_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A Redis started with the arguments in compose.yaml writes its data to disk and
// evicts nothing.
func TestComposeRedisKeepsItsData(t *testing.T) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("no redis-server on this machine")
	}
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^ +command: (\["redis-server".*\])$`).FindSubmatch(text)
	var args []string
	if found == nil || json.Unmarshal(found[1], &args) != nil {
		t.Fatal("compose.yaml has no command of redis-server")
	}
	socket := filepath.Join(t.TempDir(), "redis.sock")
	redis := exec.CommandContext(t.Context(), args[0], append(args[1:], "--port", "0", "--unixsocket", socket, "--dir", t.TempDir())...)
	said, err := redis.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := redis.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = redis.Process.Kill()
		_ = redis.Wait() // it was killed
	})

	for lines := bufio.NewScanner(said); !strings.Contains(lines.Text(), "accept connections"); {
		if !lines.Scan() {
			t.Fatal("it does not start")
		}
	}
	go io.Copy(io.Discard, said) // else it would stop at a full pipe
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, c := range []struct{ setting, want string }{
		{"appendonly", "yes"}, {"maxmemory-policy", "noeviction"}, {"appendfsync", "everysec"},
	} {
		if _, err := conn.Write([]byte("CONFIG GET " + c.setting + "\r\n")); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 256)
		n, err := conn.Read(answer)
		if err != nil || !strings.HasSuffix(string(answer[:n]), "\r\n"+c.want+"\r\n") {
			t.Errorf("%s is %q, not %s: %v", c.setting, answer[:n], c.want, err)
		}
	}
}
