package cmd_test

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox"
)

// site is two replicas of the program, a real Redis and the stand-ins, each a
// process or a server of its own.
type site struct {
	t    *testing.T
	ctx  context.Context
	box  *sandbox.Sandbox
	dir  string
	port string

	redis    *exec.Cmd
	replicas [2]*exec.Cmd
}

func newSite(t *testing.T) *site {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("no redis-server on this machine")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	box, err := sandbox.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, ctx: ctx, box: box, dir: t.TempDir(), port: fmt.Sprint(free.Addr().(*net.TCPAddr).Port)}
	free.Close()
	t.Cleanup(func() {
		cancel()
		for _, c := range append(s.replicas[:], s.redis) {
			if c != nil {
				_ = c.Wait() // it was killed
			}
		}
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	s.startRedis()
	s.start(0)
	s.start(1)
	if err := box.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) startRedis() {
	s.redis = exec.CommandContext(s.ctx, "redis-server", "--port", s.port, "--bind", "127.0.0.1", "--save", "",
		"--appendonly", "yes", "--appendfsync", "always", "--dir", s.dir)
	if err := s.redis.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// start starts a replica. The first has the notify port that pipelines know.
func (s *site) start(n int) {
	c := exec.CommandContext(s.ctx, "psycher", "run")
	c.Dir = s.dir
	c.Env = append(s.box.Environ("en"), "REDIS_URL=redis://127.0.0.1:"+s.port)
	if n > 0 {
		c.Env = append(c.Env, "NOTIFY_ADDR=127.0.0.1:0", "ADMIN_ADDR=127.0.0.1:0")
	}
	if err := c.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.replicas[n] = c
}

// end ends a process by a signal, and waits until it has ended.
func (s *site) end(c *exec.Cmd, by syscall.Signal) {
	if err := c.Process.Signal(by); err != nil {
		s.t.Error(err)
	}
	_ = c.Wait() // how it ended is not the question here
}

// pause waits: these tests are about processes in real time.
func (s *site) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.ctx.Done():
	}
}

func TestProcessesThatDieLoseNothingAndDoubleNothing(t *testing.T) {
	for _, row := range []struct {
		name string
		harm func(s *site)
	}{
		{"SIGKILL of one replica after the other", func(s *site) {
			for n := range s.replicas {
				s.end(s.replicas[n], syscall.SIGKILL)
				s.pause(500 * time.Millisecond)
				s.start(n)
				s.pause(2 * time.Second)
			}
		}},
		{"a rolling restart", func(s *site) {
			for n := range s.replicas {
				s.end(s.replicas[n], syscall.SIGTERM)
				s.start(n)
				s.pause(2 * time.Second)
			}
		}},
		{"Redis killed and started again", func(s *site) {
			s.end(s.redis, syscall.SIGKILL)
			s.pause(time.Second)
			s.startRedis()
		}},
		{"Redis stopped for a while", func(s *site) {
			_ = s.redis.Process.Signal(syscall.SIGSTOP)
			s.pause(4 * time.Second)
			_ = s.redis.Process.Signal(syscall.SIGCONT)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			done := make(chan struct{})
			go func() {
				defer close(done)
				s.pause(700 * time.Millisecond)
				row.harm(s)
			}()
			var asked []string
			for range 6 {
				asked = append(asked, s.box.Slack.Say(sandbox.User, sandbox.Channel, sandbox.Bot+" release"))
				s.pause(800 * time.Millisecond)
			}
			<-done
			marks := func(ts string) []string { return s.box.Slack.Reactions(sandbox.Channel, ts) }
			made := func(ts string) int { return s.box.GitLab.PostsFor(sandbox.Channel, ts) }
			// Each ends well, or its person was told that nothing was started.
			settled := func(ts string) bool {
				return made(ts) > 0 && slices.Equal(marks(ts), []string{"white_check_mark"}) ||
					made(ts) == 0 && len(marks(ts)) == 0 && len(s.box.Slack.Thread(sandbox.Channel, ts)) > 0
			}
			err := s.box.Slack.Until(s.ctx, func() bool {
				return !slices.ContainsFunc(asked, func(ts string) bool { return !settled(ts) })
			})
			for _, ts := range asked {
				if n := made(ts); n > 1 || err != nil && !settled(ts) {
					t.Errorf("%s: %d triggers, reactions %v", ts, n, marks(ts))
				}
			}
		})
	}
}
