package examples_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/gitlab"
)

const (
	token = "notify-test.token_0~1"
	id    = "5e4f9a52-6c0b-5d2c-9a44-0d1fcd7ac111"
)

// bot hears words behind the real notify port, and answers them as told.
type bot struct {
	mu      sync.Mutex
	heard   []deploy.Word
	verdict deploy.Verdict
	away    int // how many calls fail first
}

func (b *bot) Hear(_ context.Context, w deploy.Word) (deploy.Verdict, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard = append(b.heard, w)
	if b.away > 0 {
		b.away--
		return "", errors.New("the store is away")
	}
	return b.verdict, nil
}

func (b *bot) words() []deploy.Word {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]deploy.Word(nil), b.heard...)
}

// listen starts a server and gives what a triggered pipeline has in its
// environment, so that notify.sh calls it.
func listen(t *testing.T, h http.Handler) map[string]string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return map[string]string{
		"PATH": os.Getenv("PATH"), "NOTIFY_URL": server.URL + "/notify", "NOTIFY_TOKEN": token, "NOTIFY_PAUSE": "0",
		"PSYCHER_ID": id, "channel": "C0DEPLOY1", "timestamp": "1700000000.000100",
		"CI_PIPELINE_ID": "4711", "CI_JOB_ID": "90210",
	}
}

// notify runs notify.sh and gives all that it printed and its exit code.
func notify(t *testing.T, env map[string]string, shell []string, args ...string) (string, int) {
	t.Helper()
	for _, program := range []string{shell[0], "curl"} {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("there is no %s here, and CI must have it", program)
		}
		t.Skipf("there is no %s here: install it to test notify.sh", program)
	}
	cmd := exec.CommandContext(t.Context(), shell[0], append(append(shell[1:], "notify.sh"), args...)...)
	cmd.Env = []string{}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	if strings.Contains(string(out), env["NOTIFY_TOKEN"]) && env["NOTIFY_TOKEN"] != "" {
		t.Errorf("prints the token:\n%s", out)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

var sh = []string{"sh"}

func TestNotifyTellsEveryResult(t *testing.T) {
	for arg, result := range map[string]deploy.Result{
		"start": deploy.ResultStart, "success": deploy.ResultSuccess, "failure": deploy.ResultFailure,
		"canceled": deploy.ResultCanceled, "failed": deploy.ResultFailure, "timedout": deploy.ResultFailure,
	} {
		t.Run(arg, func(t *testing.T) {
			b := &bot{verdict: deploy.VerdictTaken}
			out, code := notify(t, listen(t, gitlab.NotifyHandler(token, b, zerolog.Nop())), sh, arg)
			if code != 0 {
				t.Fatalf("exit %d:\n%s", code, out)
			}
			want := []deploy.Word{{
				Channel: "C0DEPLOY1", TS: "1700000000.000100", ID: id, Result: result, Pipeline: 4711, Job: 90210,
			}}
			if diff := cmp.Diff(want, b.words()); diff != "" {
				t.Errorf("heard (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNotifyNamesTheParentPipeline(t *testing.T) {
	b := &bot{verdict: deploy.VerdictTaken}
	env := listen(t, gitlab.NotifyHandler(token, b, zerolog.Nop()))
	env["PSYCHER_PIPELINE"] = "4700"
	out, _ := notify(t, env, sh, "success")
	if words := b.words(); len(words) != 1 || words[0].Pipeline != 4700 {
		t.Errorf("heard %v\n%s", words, out)
	}
}

func TestNotifyEndsAsTheAnswerSays(t *testing.T) {
	for _, c := range []struct {
		name       string
		verdict    deploy.Verdict
		away       int
		set        map[string]string
		start, end int    // exit codes of "start" and of "success"
		says       string // in both outputs
	}{
		{name: "taken", verdict: deploy.VerdictTaken, says: "psycher was told"},
		{name: "no effect", verdict: deploy.VerdictNoEffect, says: "psycher was told"},
		{name: "503 once", verdict: deploy.VerdictTaken, away: 1, says: "trying again"},
		{name: "503 for ever", away: 99, end: 1, says: "HTTP 503"},
		{name: "unreachable", set: map[string]string{"NOTIFY_URL": "http://127.0.0.1:1/notify"}, end: 1, says: "cannot be reached"},
		{name: "no such deployment", verdict: deploy.VerdictUnknown, end: 1, says: "no such deployment"},
		{name: "must not deploy", verdict: deploy.VerdictStop, start: 1, end: 1, says: "must not deploy"},
		{name: "wrong token", set: map[string]string{"NOTIFY_TOKEN": "another-token"}, end: 1, says: "NOTIFY_TOKEN"},
		{name: "no channel", set: map[string]string{"channel": ""}, end: 1, says: "channel: missing"},
		{name: "no token", set: map[string]string{"NOTIFY_TOKEN": ""}, end: 1, says: "NOTIFY_TOKEN is not set"},
		{name: "no address", set: map[string]string{"NOTIFY_URL": ""}, end: 1, says: "NOTIFY_URL is not set"},
		{name: "started by hand", set: map[string]string{"PSYCHER_ID": "", "NOTIFY_URL": ""}, says: "nobody is told"},
	} {
		for arg, want := range map[string]int{"start": c.start, "success": c.end} {
			t.Run(c.name+"/"+arg, func(t *testing.T) {
				b := &bot{verdict: c.verdict, away: c.away}
				env := listen(t, gitlab.NotifyHandler(token, b, zerolog.Nop()))
				for name, value := range c.set {
					env[name] = value
				}
				out, code := notify(t, env, sh, arg)
				if code != want {
					t.Errorf("exit %d, want %d", code, want)
				}
				if !strings.Contains(out, c.says) {
					t.Errorf("does not say %q", c.says)
				}
				if t.Failed() {
					t.Log(out)
				}
			})
		}
	}
}

func TestNotifyDoesNotRepeatWhatIsRefused(t *testing.T) {
	for verdict, want := range map[deploy.Verdict]int{deploy.VerdictStop: 1, deploy.VerdictUnknown: 1} {
		b := &bot{verdict: verdict}
		notify(t, listen(t, gitlab.NotifyHandler(token, b, zerolog.Nop())), sh, "start")
		if n := len(b.words()); n != want {
			t.Errorf("%s: %d calls, want %d", verdict, n, want)
		}
	}
}

func TestNotifyRefusesAWordItDoesNotKnow(t *testing.T) {
	for _, args := range [][]string{nil, {""}, {"running"}, {"SUCCESS"}, {"success; true"}} {
		b := &bot{verdict: deploy.VerdictTaken}
		out, code := notify(t, listen(t, gitlab.NotifyHandler(token, b, zerolog.Nop())), sh, args...)
		if code != 1 || !strings.Contains(out, "usage") || len(b.words()) != 0 {
			t.Errorf("%q: exit %d, heard %v:\n%s", args, code, b.words(), out)
		}
	}
}

func TestNotifyWithoutCurlSaysSo(t *testing.T) {
	env := listen(t, http.NotFoundHandler())
	env["PATH"] = t.TempDir()
	path, err := exec.LookPath("sh")
	if err != nil {
		path = "sh"
	}
	for arg, want := range map[string]int{"start": 0, "success": 1} {
		out, code := notify(t, env, []string{path}, arg)
		if code != want || !strings.Contains(out, "there is no curl") {
			t.Errorf("%s: exit %d:\n%s", arg, code, out)
		}
	}
}

func TestNoValueBreaksOutOfItsField(t *testing.T) {
	for _, evil := range []string{
		`a b`, `"`, `'; exit 3; '`, `$(exit 3)`, "`exit 3`", `a&result=failure`, `a;b`, "a\nb", `@/etc/passwd`, `=@/etc/passwd`,
		`a#b`, `100%`, `a+b`, `\`, `*`, `-o x`, `日本`,
	} {
		t.Run(evil, func(t *testing.T) {
			var got url.Values
			env := listen(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if err := r.ParseForm(); err != nil {
					t.Error(err)
				}
				got = r.PostForm
			}))
			want := url.Values{"source": {"gitlab"}, "result": {"success"}}
			for field, name := range map[string]string{
				"channel": "channel", "timestamp": "timestamp", "id": "PSYCHER_ID", "pipeline": "CI_PIPELINE_ID", "job": "CI_JOB_ID",
			} {
				env[name] = evil
				want[field] = []string{evil}
			}
			out, code := notify(t, env, sh, "success")
			if code != 0 {
				t.Errorf("exit %d:\n%s", code, out)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheTokenShowsInNoTraceAndInNoArguments(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		curl = "curl" // notify says what that means
	}
	for _, shell := range []string{"sh", "bash"} {
		if _, err := exec.LookPath(shell); err != nil && shell != "sh" {
			continue
		}
		t.Run(shell, func(t *testing.T) {
			dir := t.TempDir()
			seen := filepath.Join(dir, "arguments")
			wrapper := fmt.Sprintf("#!/bin/sh\nprintf '%%s\\n' \"$@\" >>%q\nexec %q \"$@\"\n", seen, curl)
			if err := os.WriteFile(filepath.Join(dir, "curl"), []byte(wrapper), 0o700); err != nil {
				t.Fatal(err)
			}
			b := &bot{verdict: deploy.VerdictTaken, away: 1}
			env := listen(t, gitlab.NotifyHandler(token, b, zerolog.Nop()))
			env["PATH"] = dir + string(os.PathListSeparator) + env["PATH"]

			out, code := notify(t, env, []string{shell, "-x"}, "success")
			if code != 0 || !strings.Contains(out, "+ curl") {
				t.Errorf("exit %d, or no trace:\n%s", code, out)
			}
			arguments, err := os.ReadFile(seen)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(arguments), "channel=C0DEPLOY1") || strings.Contains(string(arguments), token) {
				t.Errorf("curl was called with:\n%s", arguments)
			}
		})
	}
}
