package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

const (
	team         = "T0TEAM"
	triggerToken = "glptt-bench-000000000000000000"
	projects     = 20 // shared by the channels
)

func channelName(i int) string { return fmt.Sprintf("C0%08d", i) }
func projectPath(i int) string { return fmt.Sprintf("group/app%d", i%projects) }

// world is the stand-ins of Slack and GitLab for one run of one program.
type world struct {
	slack    *fakeslack.Slack
	gitlab   *fakegitlab.GitLab
	channels int          // over which mentions are spread
	fill     func() error // fills the store before the start; nil: it stays empty
	posts    int          // that GitLab had before the measurement
	reads    atomic.Int64 // that GitLab got

	slackURL, gitlabURL string
	dir                 string
	redis               string // its address
	servers             []*http.Server
}

func newWorld(dir, redis string, channels int) (*world, error) {
	w := &world{channels: channels, dir: dir, redis: redis}
	slack, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("a port on this machine: %w", err)
	}
	gitlab, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		slack.Close()
		return nil, fmt.Errorf("a port on this machine: %w", err)
	}
	w.slackURL, w.gitlabURL = "http://"+slack.Addr().String(), "http://"+gitlab.Addr().String()
	w.slack = fakeslack.New(fakeslack.Config{URL: w.slackURL})
	w.slack.Queue(1 << 18)
	conf := fakegitlab.Config{URL: w.gitlabURL, APIToken: apiToken}
	for i := range projects {
		conf.Projects = append(conf.Projects, fakegitlab.Project{ID: int64(i + 1), Path: projectPath(i), Token: triggerToken, Jobs: []fakegitlab.Job{{Name: "deploy"}}})
	}
	w.gitlab = fakegitlab.New(conf)
	for i := range channels {
		w.slack.Join(channelName(i))
	}
	w.serve(slack, w.slack)
	w.serve(gitlab, http.HandlerFunc(func(a http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.reads.Add(1)
		}
		w.gitlab.ServeHTTP(a, r)
	}))
	return w, nil
}

func (w *world) serve(l net.Listener, h http.Handler) {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	w.servers = append(w.servers, s)
	go func() { _ = s.Serve(l) }() // ends with close
}

func (w *world) close() {
	w.slack.Close()
	w.gitlab.Close()
	for _, s := range w.servers {
		s.Close()
	}
}

// writeTargets writes a target map with that many channels, and returns its path.
func writeTargets(dir string, channels int) (string, error) {
	type target struct {
		ID    string `json:"project_id"`
		Token string `json:"token"`
		Many  bool   `json:"parallel"`
	}
	all := map[string]map[string]target{}
	for i := range channels {
		all[channelName(i)] = map[string]target{"app": {projectPath(i), triggerToken, true}}
	}
	raw, err := json.Marshal(map[string]any{team: all})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, fmt.Sprintf("targets-%d.json", channels))
	return path, os.WriteFile(path, raw, 0o600)
}

// startRedis starts a real Redis as the documents advise: an append-only file,
// nothing evicted.
func startRedis(ctx context.Context, dir string) (addr string, cmd *exec.Cmd, err error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("a port on this machine: %w", err)
	}
	addr = free.Addr().String()
	free.Close()
	_, port, _ := net.SplitHostPort(addr)
	cmd = exec.CommandContext(ctx, "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
		"--appendonly", "yes", "--maxmemory-policy", "noeviction", "--dir", dir)
	if err := cmd.Start(); err != nil {
		return "", nil, fmt.Errorf("start a Redis: %w", err)
	}
	return addr, cmd, until(ctx, 10*time.Second, "Redis to answer", func() bool { return askRedis(addr, "PING") == nil })
}

// askRedis sends a command and checks whether the answer is an error.
func askRedis(addr string, command ...string) error {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	raw := fmt.Sprintf("*%d\r\n", len(command))
	for _, word := range command {
		raw += fmt.Sprintf("$%d\r\n%s\r\n", len(word), word)
	}
	if _, err := c.Write([]byte(raw)); err != nil {
		return err
	}
	b := make([]byte, 256)
	n, err := c.Read(b)
	if err == nil && b[0] == '-' {
		return fmt.Errorf("redis: %s", b[:n])
	}
	return err
}

// until waits until so returns true.
func until(ctx context.Context, within time.Duration, what string, so func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

func redisVersion(ctx context.Context) string {
	out, _ := exec.CommandContext(ctx, "redis-server", "--version").Output()
	for _, f := range strings.Fields(string(out)) {
		if v, ok := strings.CutPrefix(f, "v="); ok {
			return "Redis " + v
		}
	}
	return "an unknown Redis"
}
