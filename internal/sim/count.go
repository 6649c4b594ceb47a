package sim

import (
	"net/http"
	"strings"

	"github.com/alicebob/miniredis/v2/server"
)

// CountRedis counts the commands that arrive at Redis from now on.
func (w *World) CountRedis() {
	idle := w.idle(w.Redis)
	w.Redis.Server().SetPreHook(func(c *server.Peer, command string, args ...string) bool {
		switch command {
		case "HELLO", "EVAL", "EVALSHA": // other commands come in one write with a HELLO, or from a script
			w.count("redis")
		}
		return idle(c, command, args...)
	})
}

// Arrived counts the operations that arrived so far, as their receivers counted
// them: "redis" commands, "gitlab" and "slack" requests, "socket" frames, answers
// to "notify" calls.
func (w *World) Arrived() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return map[string]int{
		"redis": w.counts["redis"], "gitlab": w.counts["gitlab"], "slack": w.counts["slack"],
		"notify": w.counts["notify"], "socket": w.Slack.Frames(),
	}
}

// Receiver names the receiver that counts an operation in [World.Arrived].
func (o Op) Receiver() string {
	if o.Kind == "socket:open" {
		return "slack" // it begins as a request
	}
	host, _, _ := strings.Cut(o.Kind, ":")
	return host
}

func (w *World) count(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[what]++
}

// caller counts the answers to notify calls.
type caller struct {
	w *World
	*http.Transport
}

func (c caller) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.Transport.RoundTrip(r)
	if err == nil && r.URL.Port() == "8080" {
		c.w.count("notify")
	}
	return resp, err
}
