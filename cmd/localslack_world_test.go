//go:build localslack

package cmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

const (
	localTeam    = "T0TEAM"
	localChannel = "C0APP"
	localUser    = "U0ASKER"
	localBot     = "U0BOT"

	localBotToken     = "xoxb-test"
	localAppToken     = "xapp-test"
	localNotifyToken  = "notify-token-for-tests"
	localTriggerToken = "glptt-test-000000000000000000000000"
)

// localWorld is local-slack, a stand-in of GitLab, and bots that share a Redis
// between them; a single one has the embedded store.
type localWorld struct {
	t      *testing.T
	ctx    context.Context
	dir    string
	gitlab *fakegitlab.GitLab

	slack    *localProcess
	slackURL string
	bots     []*localProcess
	admins   []string // of the bots
	notify   string   // of the first
}

func newLocalWorld(t *testing.T, program string, bots int) *localWorld {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	w := &localWorld{t: t, ctx: ctx, dir: t.TempDir(), slackURL: "http://127.0.0.1:0"}
	config, err := json.Marshal(map[string]any{
		"workspace": map[string]any{"teamId": localTeam},
		"apps":      []any{map[string]any{"botUserId": localBot, "botToken": localBotToken, "appToken": localAppToken}},
		"users":     []any{map[string]any{"id": localUser, "name": "asker"}},
		"channels":  []any{map[string]any{"id": localChannel, "name": "app", "members": []string{localUser, localBot}}},
	})
	if err == nil {
		err = os.WriteFile(filepath.Join(w.dir, "slack.json"), config, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.startSlack()

	w.gitlab = fakegitlab.New(fakegitlab.Config{
		URL: "http://gitlab.test", Projects: []fakegitlab.Project{{ID: 1, Path: "group/app", Token: localTriggerToken}},
	})
	t.Cleanup(w.gitlab.Close)
	gitlab := httptest.NewServer(w.gitlab)
	t.Cleanup(gitlab.Close)

	settings := []string{
		"SLACK_APP_TOKEN=" + localAppToken, "SLACK_BOT_TOKEN=" + localBotToken,
		"SLACK_API_URL=" + w.slackURL + "/api/", "SLACK_CONNECTIONS=2",
		"GITLAB_URL=" + gitlab.URL, "NOTIFY_ADDR=127.0.0.1:0", "ADMIN_ADDR=127.0.0.1:0", "NOTIFY_TOKEN=" + localNotifyToken,
		fmt.Sprintf(`GITLAB_TRIGGER_TOKENS={%q: {%q: {"app": {"project_id": "group/app", "token": %q, "parallel": true}}}}`,
			localTeam, localChannel, localTriggerToken),
	}
	if bots > 1 {
		settings = append(settings, "REDIS_URL=redis://"+miniredis.RunT(t).Addr())
	}
	for range bots {
		bot := w.start(program, settings)
		w.bots = append(w.bots, bot)
		w.admins = append(w.admins, "http://"+bot.says(`"admin":"([^"]+)"`))
	}
	w.notify = "http://" + w.bots[0].says(`"notify":"([^"]+)"`)
	w.isReady()
	return w
}

// startSlack starts local-slack: first on a port of its choice, then on the
// same again. It listens on all of the machine's addresses and cannot be told
// otherwise; what it gives out is 127.0.0.1.
func (w *localWorld) startSlack() {
	w.t.Helper()
	program := os.Getenv("LOCAL_SLACK")
	if program == "" {
		w.t.Fatal("LOCAL_SLACK does not name the program")
	}
	at, err := url.Parse(w.slackURL)
	if err != nil {
		w.t.Fatal(err)
	}
	w.slack = w.start(program, nil, "--config", "slack.json", "--port", at.Port(), "--base-host", "127.0.0.1", "--files-dir", w.dir)
	w.slackURL = w.slack.says(`Web API base: +(http://127\.0\.0\.1:\d+)/api/`)
}

func buildPsycher(t *testing.T) string {
	program := filepath.Join(t.TempDir(), "psycher")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./psycher").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// localProcess is a program that runs until it is stopped, or the test ends.
type localProcess struct {
	world *localWorld
	cmd   *exec.Cmd
	once  sync.Once

	mu  sync.Mutex
	out bytes.Buffer
}

func (w *localWorld) start(program string, environ []string, args ...string) *localProcess {
	w.t.Helper()
	p := &localProcess{world: w, cmd: exec.Command(program, args...)}
	p.cmd.Dir, p.cmd.Env = w.dir, append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir}, environ...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		p.stop()
		if w.t.Failed() {
			w.t.Logf("%s:\n%s", filepath.Base(program), p.output())
		}
	})
	return p
}

// stop ends the process as SIGTERM does, and if need be without its consent.
func (p *localProcess) stop() {
	p.once.Do(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		late := time.AfterFunc(12*time.Second, func() { _ = p.cmd.Process.Kill() })
		defer late.Stop()
		_ = p.cmd.Wait() // how it ended is in its ProcessState
	})
}

func (p *localProcess) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *localProcess) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// says waits for what the process prints.
func (p *localProcess) says(pattern string) (found string) {
	p.world.t.Helper()
	p.world.eventually(pattern, func() error {
		m := regexp.MustCompile(pattern).FindStringSubmatch(p.output())
		if m == nil {
			return fmt.Errorf("not among what it printed")
		}
		found = m[1]
		return nil
	})
	return found
}

// eventually waits until something holds.
func (w *localWorld) eventually(what string, holds func() error) {
	w.t.Helper()
	for {
		err := holds()
		if err == nil {
			return
		}
		select {
		case <-w.ctx.Done():
			w.t.Fatalf("%s: %v", what, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func same[T comparable](want, got T) error {
	if got != want {
		return fmt.Errorf("%v, want %v", got, want)
	}
	return nil
}

// call makes a request, and reads JSON where there is a place for it.
func (w *localWorld) call(method, address string, body, answer any) (text string, err error) {
	sent, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(w.ctx, method, address, bytes.NewReader(sent))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+localBotToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, got)
	}
	if err == nil && answer != nil {
		err = json.Unmarshal(got, answer)
	}
	return string(got), err
}

func (w *localWorld) isReady() {
	w.t.Helper()
	for _, admin := range w.admins {
		w.eventually("psycher is ready", func() error {
			_, err := w.call(http.MethodGet, admin+"/readyz", nil, nil)
			return err
		})
	}
	w.eventually("two sockets of each bot", func() error { return same(2*len(w.admins), w.metric("psycher_slack_sockets")) })
}

// metric is the sum of a metric over the bots.
func (w *localWorld) metric(name string) (sum int) {
	for _, admin := range w.admins {
		text, err := w.call(http.MethodGet, admin+"/metrics", nil, nil)
		if err != nil {
			w.t.Error(err)
		}
		for line := range strings.Lines(text) {
			if value, ok := strings.CutPrefix(line, name+" "); ok {
				n, err := strconv.Atoi(strings.TrimSpace(value))
				if err != nil {
					w.t.Error(err)
				}
				sum += n
			}
		}
	}
	return sum
}

// say posts a message as a person. It returns once an ack of each of its
// events has come.
func (w *localWorld) say(text string) (ts string) {
	var answer struct{ Message localMessage }
	_, err := w.call(http.MethodPost, w.slackURL+"/_control/message",
		map[string]string{"channel": localChannel, "user": localUser, "text": text}, &answer)
	if err != nil {
		w.t.Error(err)
	}
	return answer.Message.TS
}

// tell is the call that the first notify scripts make.
func (w *localWorld) tell(result, ts string) {
	w.t.Helper()
	address := fmt.Sprintf("%s/notify?%s=true&source=gitlab&result=%s&channel=%s&timestamp=%s", w.notify, localNotifyToken, result, localChannel, ts)
	if out, err := exec.CommandContext(w.ctx, "curl", "--fail-with-body", "--silent", "--show-error", address).CombinedOutput(); err != nil {
		w.t.Fatalf("curl: %v\n%s", err, out)
	}
}

type localMessage struct {
	Blocks    json.RawMessage
	TS        string
	User      string
	Text      string
	Reactions []struct{ Name string }
}

// localThread is what stands on a message: its reactions, and the bot's answers.
type localThread struct{ marks, texts []string }

func (w *localWorld) thread(ts string) (th localThread) {
	var answer struct{ Messages []localMessage }
	if _, err := w.call(http.MethodGet, w.slackURL+"/api/conversations.replies?channel="+localChannel+"&ts="+ts, nil, &answer); err != nil {
		w.t.Error(err)
	}
	for _, m := range answer.Messages {
		if m.TS == ts {
			for _, r := range m.Reactions {
				th.marks = append(th.marks, r.Name)
			}
		} else if m.User == localBot {
			th.texts = append(th.texts, fakeslack.Message{Bot: localBot, Text: m.Text, Blocks: m.Blocks}.Shown())
		}
	}
	return th
}

// shows waits until a message has one reaction, and so many answers of the bot.
func (w *localWorld) shows(ts, mark string, answers int) {
	w.t.Helper()
	w.eventually("what is seen of "+ts, func() error {
		th := w.thread(ts)
		return same(fmt.Sprintf("%d answers, [%s]", answers, mark), fmt.Sprintf("%d answers, %v", len(th.texts), th.marks))
	})
}

// localTraffic is a line of local-slack's record of what went to and from the bot.
type localTraffic struct {
	Direction, Kind, Summary string
	Detail                   struct {
		Event  struct{ Type string }
		Name   string
		Thread string `json:"thread_ts"`
	}
}

func (w *localWorld) traffic() []localTraffic {
	var answer struct{ Log []json.RawMessage }
	if _, err := w.call(http.MethodGet, w.slackURL+"/_control/log", nil, &answer); err != nil {
		w.t.Error(err)
	}
	all := make([]localTraffic, len(answer.Log))
	for i, line := range answer.Log {
		_ = json.Unmarshal(line, &all[i]) // details have many shapes: what is not one of ours stays empty
	}
	return all
}
