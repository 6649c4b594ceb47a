package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// subject is a program that is measured: a process of its own.
type subject struct {
	name    string
	command []string
	env     func(w *world) []string
	stores  bool // it keeps records: its first start records the store's birth
}

// process is a subject that runs.
type process struct {
	cmd   *exec.Cmd
	log   *os.File
	hello time.Duration // from its start to Slack's first hello
}

// build builds psycher as it is shipped, and returns the path.
func build(ctx context.Context, dir, name string, flags ...string) (string, error) {
	path := filepath.Join(dir, name)
	command := append([]string{"go", "build", "-trimpath", "-ldflags=-s -w", "-o", path}, flags...)
	return path, run(ctx, "", append(command, "github.com/getto-systems/psycher/cmd/psycher")...)
}

// buildChanged builds psycher with one file of it changed, and leaves the tree alone.
func buildChanged(ctx context.Context, dir, name, file string, change func(text string) string) (string, error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return "", err
	}
	file = filepath.Join(root, filepath.FromSlash(file))
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	changed, overlay := filepath.Join(dir, name+".go"), filepath.Join(dir, name+".json")
	after := change(string(text))
	if after == string(text) {
		return "", fmt.Errorf("%s is not what it was: it cannot be changed", file)
	}
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{file: changed}})
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.WriteFile(changed, []byte(after), 0o600), os.WriteFile(overlay, replace, 0o600)); err != nil {
		return "", err
	}
	return build(ctx, dir, name, "-overlay="+overlay)
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// psycher runs with its default settings, its log in a file. There is no API
// token: none of the measured programs polls pipelines.
func psycher(path, targets string, more ...string) subject {
	return subject{name: "psycher", command: []string{path, "run"}, stores: true, env: func(w *world) []string {
		return append([]string{
			"SLACK_APP_TOKEN=xapp-test", "SLACK_BOT_TOKEN=xoxb-test", "SLACK_API_URL=" + w.slackURL + "/api/",
			"GITLAB_URL=" + w.gitlabURL, "GITLAB_TRIGGER_TOKENS_FILE=" + targets, "REDIS_URL=redis://" + w.redis,
			"NOTIFY_TOKEN=notify-token-for-tests", "NOTIFY_ADDR=127.0.0.1:0", "ADMIN_ADDR=127.0.0.1:0",
		}, more...)
	}}
}

// start starts the subject and waits for Slack's first hello.
func (s subject) start(ctx context.Context, w *world) (*process, error) {
	log, err := os.Create(filepath.Join(w.dir, strings.ReplaceAll(s.name, " ", "-")+".log"))
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, s.command[0], s.command[1:]...), log: log}
	p.cmd.Dir, p.cmd.Env = w.dir, append(s.env(w), "PATH="+os.Getenv("PATH"), "HOME="+w.dir)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		log.Close()
		return nil, fmt.Errorf("start %s: %w", s.name, err)
	}
	err = until(ctx, 20*time.Second, s.name+" to be greeted", func() bool { return w.slack.Connections() > 0 })
	p.hello = time.Since(began)
	if err != nil {
		p.stop()
	}
	return p, err
}

// in runs the subject in a world of its own, until do returns.
func (s subject) in(ctx context.Context, w *world, do func(p *process) error) error {
	defer w.close()
	p, err := s.startOnOldStore(ctx, w)
	if err != nil {
		return err
	}
	defer p.stop()
	if err := do(p); err != nil {
		return fmt.Errorf("%w\n%s", err, p.last())
	}
	return ctx.Err()
}

// startOnOldStore starts the subject on an empty store that is old enough: a new
// one keeps Slack waiting for 2 s, which says nothing about speed.
func (s subject) startOnOldStore(ctx context.Context, w *world) (*process, error) {
	if s.stores {
		if err := askRedis(w.redis, "FLUSHALL"); err != nil {
			return nil, err
		}
		p, err := s.start(ctx, w)
		if err != nil {
			return nil, err
		}
		p.stop()
	}
	if err := until(ctx, 5*time.Second, "no socket", func() bool { return w.slack.Connections() == 0 }); err != nil {
		return nil, err
	}
	if w.fill != nil {
		if err := w.fill(); err != nil {
			return nil, err
		}
	}
	return s.start(ctx, w)
}

// last is the end of the process's output, to show what went wrong.
func (p *process) last() string {
	raw, _ := os.ReadFile(p.log.Name())
	return string(raw[max(0, len(raw)-2000):])
}

// stop stops the process, by force if needed.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(12*time.Second, func() { _ = p.cmd.Process.Kill() })
	_ = p.cmd.Wait() // its exit status does not matter here
	kill.Stop()
	p.log.Close()
}

// cpu is the processor time that the process has used: that of all its threads,
// which live as long as the process.
func (p *process) cpu() time.Duration {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	var sum time.Duration
	for _, t := range tasks {
		raw, _ := os.ReadFile(t)
		if f := strings.Fields(string(raw)); len(f) > 0 {
			ns, _ := strconv.ParseInt(f[0], 10, 64)
			sum += time.Duration(ns)
		}
	}
	return sum
}

// memory is a line of its status in MB: VmRSS now, VmHWM at its peak.
func (p *process) memory(line string) float64 {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for l := range strings.Lines(string(raw)) {
		if name, rest, _ := strings.Cut(l, ":"); name == line {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}
