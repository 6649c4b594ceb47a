package cmd_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

// site is replicas of the program and a Redis, each a process of its own,
// between the stand-ins of Slack and GitLab.
type site struct {
	t        *testing.T
	ctx      context.Context
	dir      string
	slack    *fakeslack.Slack
	gitlab   *fakegitlab.GitLab
	settings []string
	replicas []*replica

	redis     *exec.Cmd
	redisAddr string

	turn     atomic.Uint64 // whose, of the replicas, the next call is
	kills    int           // processes that were ended or stopped
	mu       sync.Mutex
	mentions []mention
	waited   map[mention]bool // GitLab said to come again later
	deploys  map[mention]int  // pipelines that were not stopped by their start call
}

// replica is one of the processes, and where it listens.
type replica struct {
	program       string
	settings      []string
	notify, admin string
	cmd           *exec.Cmd
	ended         chan struct{}
	out           *bytes.Buffer // read when it has ended
}

const (
	siteTeam         = "T0TEAM"
	siteNotifyToken  = "notify-token-for-tests"
	siteTriggerToken = "glptt-test-000000000000000000000000"
	siteAPIToken     = "glpat-test-00000000000000000000"
)

// newSite starts one with so many replicas, and waits until all are ready.
func newSite(t *testing.T, replicas int, settings ...string) *site {
	t.Helper()
	s := openSite(t)
	s.settings = append(s.settings, settings...)
	for range replicas {
		s.start(s.add("psycher"))
	}
	s.ready()
	return s
}

// openSite starts all but the replicas.
func openSite(t *testing.T) *site {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("no redis-server on this machine")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	s := &site{t: t, ctx: ctx, dir: t.TempDir(), redisAddr: freeAddr(t), deploys: map[mention]int{}, waited: map[mention]bool{}}
	t.Cleanup(func() { s.close(cancel) })

	slack := httptest.NewUnstartedServer(nil)
	s.slack = fakeslack.New(fakeslack.Config{
		URL:     "http://" + slack.Listener.Addr().String(),
		Retries: []time.Duration{0, 5 * time.Second, 20 * time.Second}, // Slack's own are further apart
		Seed:    rand.Uint64(),
	})
	slack.Config.Handler = s.slack
	slack.Start()
	t.Cleanup(slack.Close)

	gitlab := httptest.NewUnstartedServer(nil)
	s.gitlab = fakegitlab.New(fakegitlab.Config{
		URL: "http://" + gitlab.Listener.Addr().String(), APIToken: siteAPIToken, OnPipeline: s.pipeline,
		Projects: []fakegitlab.Project{
			{ID: 1, Path: "group/app", Token: siteTriggerToken, Name: "deploy $PSYCHER_ID", Refs: []string{"master", "stable"}},
			{ID: 2, Path: "group/other", Token: siteTriggerToken, Name: "deploy $PSYCHER_ID"},
		},
	})
	// The answer takes a while: who is killed then leaves a pipeline of which nobody was told.
	s.gitlab.Answer(-1, fakegitlab.Fault{Status: http.StatusCreated, Make: 1, Delay: 100 * time.Millisecond})
	gitlab.Config.Handler = s.gitlab
	gitlab.Start()
	t.Cleanup(gitlab.Close)

	s.settings = []string{
		"SLACK_APP_TOKEN=xapp-test", "SLACK_BOT_TOKEN=xoxb-test", "SLACK_API_URL=" + "http://" + slack.Listener.Addr().String() + "/api/",
		"GITLAB_URL=http://" + gitlab.Listener.Addr().String(), "GITLAB_API_TOKEN=" + siteAPIToken, "GITLAB_REQUEST_TIMEOUT=2s",
		"REDIS_URL=redis://" + s.redisAddr, "NOTIFY_TOKEN=" + siteNotifyToken, "PSYCHER_LANG=en",
		targets(func(string) (string, string) { return "group/app", "" }),
	}
	s.startRedis()
	return s
}

// freeAddr is one that nobody listens on, and that was given to nobody else.
func freeAddr(t *testing.T) string {
	t.Helper()
	addr, release, err := sandbox.Reserve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return addr
}

func (s *site) close(cancel func()) {
	cancel() // kills what still runs
	for _, r := range s.replicas {
		if r.cmd != nil {
			<-r.ended
		}
		if s.t.Failed() && r.cmd != nil {
			s.t.Logf("%s said:\n%s", r.admin, r.out)
		}
	}
	if s.redis != nil {
		_ = s.redis.Wait() // it was killed
	}
	if s.slack != nil {
		s.slack.Close()
	}
	if s.gitlab != nil {
		s.gitlab.Close()
	}
}

// add makes a replica, with settings of its own. It is not started.
func (s *site) add(program string, settings ...string) *replica {
	r := &replica{program: program, settings: settings, notify: freeAddr(s.t), admin: freeAddr(s.t), out: &bytes.Buffer{}}
	s.replicas = append(s.replicas, r)
	return r
}

func (s *site) start(r *replica) {
	c := exec.CommandContext(s.ctx, r.program, "run")
	c.Dir = s.dir
	c.Env = append(append(s.settings[:len(s.settings):len(s.settings)], "NOTIFY_ADDR="+r.notify, "ADMIN_ADDR="+r.admin), r.settings...)
	c.Stdout, c.Stderr = r.out, r.out
	if err := c.Start(); err != nil {
		s.t.Error(err)
		return
	}
	ended := make(chan struct{})
	r.cmd, r.ended = c, ended
	go func() {
		defer close(ended)
		_ = c.Wait() // how it ended is in its ProcessState
	}()
}

// end ends a replica by a signal, and waits until it has.
func (s *site) end(r *replica, by syscall.Signal) {
	s.signal(r.cmd, by)
	s.hasEnded(r, by)
}

func (s *site) hasEnded(r *replica, by syscall.Signal) {
	<-r.ended
	if code := r.cmd.ProcessState.ExitCode(); by == syscall.SIGTERM && code != 0 {
		s.t.Errorf("after SIGTERM the exit code is %d", code)
	}
}

func (s *site) signal(c *exec.Cmd, by syscall.Signal) {
	if err := c.Process.Signal(by); err != nil {
		s.t.Error(err)
	}
	if by != syscall.SIGCONT {
		s.kills++
	}
}

func (r *replica) runs() bool {
	if r.cmd == nil {
		return false
	}
	select {
	case <-r.ended:
		return false
	default:
		return true
	}
}

// ready waits until every replica that runs says that it is.
func (s *site) ready() {
	s.t.Helper()
	for _, r := range s.replicas {
		if !r.runs() {
			continue
		}
		s.poll("a replica is ready", func() error {
			resp, err := s.get("http://" + r.admin + "/readyz")
			if err == nil && resp.StatusCode != http.StatusOK {
				err = errors.New(resp.Status)
			}
			return err
		})
	}
}

func (s *site) get(address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err == nil {
		resp.Body.Close()
	}
	return resp, err
}

// poll waits for what tells nobody when it holds.
func (s *site) poll(what string, holds func() error) {
	s.t.Helper()
	for {
		err := holds()
		if err == nil {
			return
		}
		if !s.pause(100 * time.Millisecond) {
			s.t.Errorf("wait until %s: %v", what, err)
			return
		}
	}
}

// pause lets real processes go on for a while.
func (s *site) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-s.ctx.Done():
		return false
	}
}

// startRedis starts one that forgets nothing when it is killed, as long as the
// machine goes on.
func (s *site) startRedis() {
	s.t.Helper()
	_, port, _ := net.SplitHostPort(s.redisAddr)
	s.redis = exec.CommandContext(s.ctx, "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
		"--appendonly", "yes", "--appendfsync", "no", "--dir", s.dir)
	if err := s.redis.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.command("PING", "+PONG")
}

// ask sends one command to Redis, and gives the first line of its answer.
func (s *site) ask(command string) (string, error) {
	conn, err := (&net.Dialer{}).DialContext(s.ctx, "tcp", s.redisAddr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprint(conn, command, "\r\n"); err != nil {
		return "", err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSpace(answer), err
}

// command waits until Redis answers one as it should.
func (s *site) command(command, answer string) {
	s.t.Helper()
	s.poll(fmt.Sprintf("Redis answers %s with %s", command, answer), func() error {
		got, err := s.ask(command)
		if err == nil && got != answer {
			err = errors.New(got)
		}
		return err
	})
}
