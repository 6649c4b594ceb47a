//go:build pages

package pages

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox"
)

const (
	runsWithin = 10 * time.Minute // one block
	seesWithin = 30 * time.Second
)

func TestCommandsOfPages(t *testing.T) {
	for _, page := range pages(t) {
		if len(commandsOf(t, page)) == 0 {
			continue
		}
		t.Run(page, func(t *testing.T) {
			r := &reader{t: t, dir: root}
			if page != "README.md" {
				r.dir, r.box = copyTree(t), startSandbox(t)
			}
			for _, b := range blocksOf(t, page) {
				r.do(b)
			}
			r.end()
		})
	}
}

// reader does what a page says.
type reader struct {
	t    *testing.T
	dir  string
	box  *sandbox.Sandbox // nil: the page is run as it is
	left []*exec.Cmd      // what goes on
}

func (r *reader) do(b block) {
	r.t.Helper()
	note, words, _ := strings.Cut(b.note, " ")
	switch {
	case b.tag == "dotenv" && b.note == "fills .env":
		r.fill(".env", b.text)
	case b.tag == "text" && b.note == "is said in Slack":
		r.say(strings.TrimSpace(b.text))
	case b.tag == "sh" && b.note == "goes on":
		r.start(b)
	case b.tag == "sh" && note == "sees":
		r.untilItPrints(b, words)
	case b.note != "":
		r.t.Fatalf("no such note for a block %s: %s", b.tag, b.note)
	case b.tag == "sh":
		if out, err := r.run(b); err != nil {
			r.t.Fatalf("%v\n%s", err, out)
		}
	}
}

// script is a block's, with the stand-ins' addresses in place of the page's.
func (r *reader) script(b block) string {
	for _, line := range b.commands() {
		r.t.Logf("$ %s", line)
	}
	script := strings.Join(b.commands(), "\n")
	if r.box == nil {
		return script
	}
	set := r.settings()
	return strings.NewReplacer("127.0.0.1:9090", set["ADMIN_ADDR"], "127.0.0.1:8080", set["NOTIFY_ADDR"]).Replace(script)
}

// run runs a block in a shell, and ends all that it started with it.
func (r *reader) run(b block) (string, error) {
	ctx, cancel := context.WithTimeout(r.t.Context(), runsWithin)
	defer cancel()
	return r.shell(ctx, r.script(b))
}

func (r *reader) shell(ctx context.Context, script string) (string, error) {
	c := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	c.Dir, c.Env = r.dir, environ()
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = 5 * time.Second
	out, err := c.CombinedOutput()
	return string(out), errors.Join(err, ctx.Err())
}

// environ is this process's environment as go test got it: it put a folder
// before all others in PATH. One more at each level would keep the tests that a
// page runs from being found in the cache.
func environ() []string {
	_, path, _ := strings.Cut(os.Getenv("PATH"), string(filepath.ListSeparator))
	return append(os.Environ(), "PATH="+path)
}

func (r *reader) untilItPrints(b block, words string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), seesWithin)
	defer cancel()
	script := r.script(b)
	for {
		out, err := r.shell(ctx, script)
		if err == nil && strings.Contains(out, words) {
			return
		}
		select {
		case <-ctx.Done():
			r.t.Fatalf("%v; it should have printed %q:\n%s", err, words, out)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (r *reader) start(b block) {
	r.t.Helper()
	c := exec.CommandContext(r.t.Context(), "bash", "-c", "exec "+r.script(b)) // t's context ends before its cleanups
	c.Dir, c.Env = r.dir, environ()
	out := &bytes.Buffer{}
	c.Stdout, c.Stderr = out, out
	if err := c.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.left = append(r.left, c)
	r.t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait() // a second time where the page came to its end
		r.t.Log(out)
	})
}

// end ends what goes on, as systemd would.
func (r *reader) end() {
	r.t.Helper()
	for _, c := range r.left {
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			r.t.Error(err)
		}
		if err := c.Wait(); err != nil {
			r.t.Errorf("%s: %v", c, err)
		}
	}
}

func (r *reader) settings() map[string]string {
	set := map[string]string{}
	for _, line := range r.box.Environ("ja") {
		name, value, _ := strings.Cut(line, "=")
		set[name] = value
	}
	// The channel of the pages has one target.
	var channels map[string]map[string]map[string]any
	if err := json.Unmarshal([]byte(set["GITLAB_TRIGGER_TOKENS"]), &channels); err != nil {
		r.t.Fatal(err)
	}
	maps.DeleteFunc(channels[sandbox.Team][sandbox.Channel], func(name string, _ any) bool { return name != "app" })
	one, err := json.Marshal(channels)
	if err != nil {
		r.t.Fatal(err)
	}
	set["GITLAB_TRIGGER_TOKENS"] = string(one)
	return set
}

var settingName = regexp.MustCompile(`(?m)^([A-Z_]+)=`)

// fill writes settings into a file: those that the text names, and those that
// join the bot to the stand-ins.
func (r *reader) fill(file, text string) {
	r.t.Helper()
	path := filepath.Join(r.dir, file)
	before, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		r.t.Fatal(err)
	}
	var names []string
	for _, found := range settingName.FindAllStringSubmatch(text, -1) {
		names = append(names, found[1])
	}
	var out strings.Builder
	for line := range strings.Lines(string(before)) {
		if name, _, ok := strings.Cut(line, "="); !ok || !slices.Contains(names, name) {
			out.WriteString(line)
		}
	}
	set := r.settings()
	for _, name := range append(names, "SLACK_API_URL", "GITLAB_URL", "NOTIFY_ADDR", "ADMIN_ADDR") {
		fmt.Fprintf(&out, "%s='%s'\n", name, set[name])
	}
	if err := os.WriteFile(path, []byte(out.String()), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// say makes the mention, and waits until it shows that its deploy ended well.
func (r *reader) say(text string) {
	r.t.Helper()
	r.t.Logf("says %s", text)
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	ts := r.box.Slack.Say(sandbox.User, sandbox.Channel, strings.Replace(text, "@psycher", sandbox.Bot, 1))
	var shows []string
	err := r.box.Slack.Until(ctx, func() bool {
		shows = r.box.Slack.Reactions(sandbox.Channel, ts)
		return len(shows) == 1 && (shows[0] == "white_check_mark" || shows[0] == "x")
	})
	if err != nil || shows[0] != "white_check_mark" {
		r.t.Fatalf("%q shows %v: %v", text, shows, err)
	}
}

func startSandbox(t *testing.T) *sandbox.Sandbox {
	t.Helper()
	box, err := sandbox.Start(context.Background(), "en") // it ends after what the page left running
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	return box
}

// copyTree copies the files that Git knows or would add, with the project "app"
// beside them.
func copyTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	tree := filepath.Join(dir, "psycher")
	if err := os.Mkdir(filepath.Join(dir, "app"), 0o700); err != nil {
		t.Fatal(err)
	}
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	names, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		from, to := filepath.Join(root, name), filepath.Join(tree, name)
		info, err := os.Stat(from)
		if os.IsNotExist(err) {
			continue // removed, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, text, info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	return tree
}
