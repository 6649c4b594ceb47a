package cmd_test

import (
	"bytes"
	"context"
	"net"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox"
)

// process is the program as a process of its own, between stand-ins of Slack
// and GitLab. Settings are "NAME=value", beside those of the sandbox.
type process struct {
	*sandbox.Sandbox
	cmd *exec.Cmd
	out bytes.Buffer
}

func start(t *testing.T, settings ...string) *process {
	t.Helper()
	return startAs(t, []string{"psycher", "run"}, settings...)
}

// startAs starts the program by a command of the test's own.
func startAs(t *testing.T, command []string, settings ...string) *process {
	t.Helper()
	p := prepare(t, command, settings...)
	p.start(t)
	return p
}

// prepare makes a process that does not run yet, in a folder of its own.
func prepare(t *testing.T, command []string, settings ...string) *process {
	t.Helper()
	// A process that does not end by itself is killed, and its exit code is none.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	box, err := sandbox.Start(ctx, "en")
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Sandbox: box, cmd: exec.CommandContext(ctx, command[0], command[1:]...)}
	p.cmd.Dir = t.TempDir()
	p.cmd.Env = append(box.Environ("en"), settings...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	t.Cleanup(func() {
		cancel()
		if p.cmd.Process != nil && p.cmd.ProcessState == nil {
			_ = p.cmd.Wait()
		}
		if t.Failed() {
			t.Logf("psycher said:\n%s", &p.out)
		}
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func (p *process) start(t *testing.T) {
	t.Helper()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

// ends waits for the process, and for a line of its that holds all of the words.
func (p *process) ends(t *testing.T, code int, words ...string) {
	t.Helper()
	_ = p.cmd.Wait() // says that the code is not 0
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("exit code %d, want %d", got, code)
	}
	for line := range strings.Lines(p.out.String()) {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
			return
		}
	}
	t.Errorf("no line holds %q", words)
}

func TestATokenThatSlackRefusesEndsTheStart(t *testing.T) {
	for _, c := range []struct{ setting, token string }{
		{"SLACK_BOT_TOKEN", "xoxb-refused"},
		{"SLACK_APP_TOKEN", "xapp-refused"},
	} {
		t.Run(c.setting, func(t *testing.T) {
			t.Parallel()
			p := start(t, c.setting+"="+c.token)
			p.ends(t, 78, "psycher: "+c.setting+": ", "invalid_auth")
			if strings.Contains(p.out.String(), c.token) {
				t.Error("the token is shown")
			}
		})
	}
}

// It would be a bot that looks ready and answers nobody.
func TestAMapOfAnotherWorkspaceEndsTheStart(t *testing.T) {
	t.Parallel()
	p := start(t, `GITLAB_TRIGGER_TOKENS={"T9OTHER": {"C1": {"app": {"project_id": "group/app", "token": "glptt-test"}}}}`)
	p.ends(t, 78, "psycher: the target map: the bot is in the workspace ", "has only targets of T9OTHER", "in the target map, or set the tokens")
}

// What is wrong with one target or channel keeps nobody else from deploying.
func TestReadinessWarnsOfAWrongRefAndAChannelWithoutTheBot(t *testing.T) {
	t.Parallel()
	admin := freeAddr(t)
	p := prepare(t, []string{"psycher", "run"}, "ADMIN_ADDR="+admin, "GITLAB_REF=no-such-branch")
	p.Slack.Leave(sandbox.Channel)
	p.start(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	until(ctx, t, readyz(ctx, t, admin), "200 ", `"ready":true`, "no-such-branch", sandbox.Channel, "/invite @psycher")
	_ = p.cmd.Process.Kill()
}

func TestAPortInUseEndsTheStart(t *testing.T) {
	for _, setting := range []string{"NOTIFY_ADDR", "ADMIN_ADDR"} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			taken, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer taken.Close()
			p := start(t, setting+"="+taken.Addr().String())
			p.ends(t, 1, "psycher: "+setting+" cannot be listened on: ", "address already in use")
		})
	}
}

func TestASignalClosesTheSocketAndEndsWell(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			// With one socket, ready says that it is open and no other is being opened.
			p := start(t, "SLACK_CONNECTIONS=1", "LOG_LEVEL=info")
			if err := p.Ready(ctx); err != nil {
				t.Fatal(err)
			}

			kill := time.AfterFunc(10*time.Second, func() { _ = p.cmd.Process.Kill() })
			defer kill.Stop()
			if err := p.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			p.ends(t, 0, "stopping")

			if err := p.Slack.Until(ctx, func() bool { return p.Slack.Connections() == 0 }); err != nil {
				t.Fatal(err)
			}
			if endings := p.Slack.Endings(); len(endings) != 1 || endings[0].Code != 1000 {
				t.Errorf("sockets ended with %+v, not one with a close frame of 1000", endings)
			}
		})
	}
}

// Who starts it with nohup wants it to outlive the terminal.
func TestAHangupIsIgnoredWhereItWasStartedSo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	program, err := exec.LookPath("psycher")
	if err != nil {
		t.Fatal(err)
	}
	p := startAs(t, []string{"sh", "-c", `trap "" HUP && exec "$0" run`, program}, "LOG_LEVEL=info") // what nohup does
	if err := p.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	ts := p.Slack.Say(sandbox.User, sandbox.Channel, sandbox.Bot+" release app")
	if err := p.Slack.Until(ctx, func() bool {
		return slices.Equal(p.Slack.Reactions(sandbox.Channel, ts), []string{"white_check_mark"})
	}); err != nil {
		t.Error("it deploys nothing any more:", err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.ends(t, 0, "stopping")
}

// A connection costs a file descriptor, and many systems give a process 256 or
// 1,024. Who opens connections to the notify port and says nothing takes none of
// those that the bot itself needs, and keeps callers out for seconds at most.
func TestIdleConnectionsTakeNoDescriptors(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	program, err := exec.LookPath("psycher")
	if err != nil {
		t.Fatal(err)
	}
	p := startAs(t, []string{"sh", "-c", `ulimit -n 256 && exec "$0" run`, program})
	if err := p.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	addr := ""
	for _, setting := range p.Environ("en") {
		if a, ok := strings.CutPrefix(setting, "NOTIFY_ADDR="); ok {
			addr = a
		}
	}
	for range 400 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	// The bot goes on: new connections to Slack, GitLab and itself.
	for range 20 {
		if err := p.Ready(ctx); err != nil {
			t.Fatal(err)
		}
	}
	ts := p.Slack.Say(sandbox.User, sandbox.Channel, sandbox.Bot+" release app")
	if err := p.Slack.Until(ctx, func() bool {
		return slices.Equal(p.Slack.Reactions(sandbox.Channel, ts), []string{"white_check_mark"})
	}); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil || strings.Contains(p.out.String(), "too many open files") {
		t.Errorf("it ran out of file descriptors, or ended badly: %v", err)
	}
}
