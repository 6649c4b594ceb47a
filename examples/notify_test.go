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
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/gitlab/notify"
)

const (
	token = "notify-test.token_0~1"
	id    = "5e4f9a52-6c0b-5d2c-9a44-0d1fcd7ac111"
	sha   = "3f2a9c1e0b7d6f5a4c3b2a19080706050403020a"
	// attempt is the PSYCHER_TOKEN of a pipeline.
	attempt = "psy_ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
)

// fakeBot takes the callbacks of the real notify port, and answers each with result.
type fakeBot struct {
	mu        sync.Mutex
	callbacks []deploy.Callback
	result    deploy.CallbackResult
	failures  int // how many calls fail before that
}

func (b *fakeBot) Callback(_ context.Context, c deploy.Callback) (deploy.CallbackResult, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.callbacks = append(b.callbacks, c)
	if b.failures > 0 {
		b.failures--
		return "", errors.New("the store is down")
	}
	return b.result, nil
}

func (b *fakeBot) received() []deploy.Callback {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]deploy.Callback(nil), b.callbacks...)
}

// listen starts a server and returns what a triggered pipeline has in its
// environment, so that notify.sh calls it.
func listen(t *testing.T, h http.Handler) map[string]string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return map[string]string{
		"PATH": os.Getenv("PATH"), "NOTIFY_URL": server.URL + "/notify", "NOTIFY_TOKEN": token, "NOTIFY_PAUSE": "0",
		"PSYCHER_ID": id, "PSYCHER_TOKEN": attempt, "channel": "C0DEPLOY1", "timestamp": "1700000000.000100",
		"CI_PIPELINE_ID": "4711", "CI_JOB_ID": "90210", "CI_JOB_NAME": "deploy: [東京]", "CI_JOB_STAGE": "deploy", "CI_COMMIT_SHA": sha,
	}
}

// runNotify runs notify.sh and returns all that it printed and its exit code.
func runNotify(t *testing.T, env map[string]string, shell []string, args ...string) (string, int) {
	t.Helper()
	for _, program := range []string{shell[0], "curl"} {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed, and CI must have it", program)
		}
		t.Skipf("%s is not installed: install it to test notify.sh", program)
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
	for _, name := range []string{"NOTIFY_TOKEN", "PSYCHER_TOKEN"} {
		if env[name] != "" && strings.Contains(string(out), env[name]) {
			t.Errorf("prints %s:\n%s", name, out)
		}
	}
	return string(out), cmd.ProcessState.ExitCode()
}

var sh = []string{"sh"}

func TestNotifySendsEveryResult(t *testing.T) {
	for arg, result := range map[string]deploy.Result{
		"start": deploy.ResultStart, "success": deploy.ResultSuccess, "failure": deploy.ResultFailure,
		"canceled": deploy.ResultCanceled, "failed": deploy.ResultFailure, "timedout": deploy.ResultFailure,
	} {
		t.Run(arg, func(t *testing.T) {
			b := &fakeBot{result: deploy.CallbackTaken}
			out, code := runNotify(t, listen(t, notify.NewHandler(token, b, zerolog.Nop())), sh, arg)
			if code != 0 {
				t.Fatalf("exit %d:\n%s", code, out)
			}
			want := []deploy.Callback{{
				Channel: "C0DEPLOY1", TS: "1700000000.000100", ID: id, Result: result, Pipeline: 4711, Job: 90210,
				JobName: "deploy: [東京]", JobStage: "deploy", SHA: sha, Token: attempt,
			}}
			if diff := cmp.Diff(want, b.received()); diff != "" {
				t.Errorf("callbacks (-want +got):\n%s", diff)
			}
		})
	}
}

// Without a token from the trigger notify.sh sends the shared secret; never
// both, as the secret must not go where it is not needed.
func TestNotifySendsTheTriggersToken(t *testing.T) {
	for sent, want := range map[string]deploy.Callback{attempt: {Token: attempt}, "": {Shared: true}} {
		b := &fakeBot{result: deploy.CallbackTaken}
		env := listen(t, notify.NewHandler(token, b, zerolog.Nop()))
		env["PSYCHER_TOKEN"] = sent
		out, code := runNotify(t, env, sh, "success")
		if received := b.received(); code != 0 || len(received) != 1 || received[0].Token != want.Token || received[0].Shared != want.Shared {
			t.Errorf("exit %d, received %+v\n%s", code, received, out)
		}
	}
}

func TestNotifyNamesTheParentPipeline(t *testing.T) {
	b := &fakeBot{result: deploy.CallbackTaken}
	env := listen(t, notify.NewHandler(token, b, zerolog.Nop()))
	env["PSYCHER_PIPELINE"] = "4700"
	out, _ := runNotify(t, env, sh, "success")
	if received := b.received(); len(received) != 1 || received[0].Pipeline != 4700 {
		t.Errorf("received %v\n%s", received, out)
	}
}

func TestNotifyExitsAsTheAnswerSays(t *testing.T) {
	for _, c := range []struct {
		name       string
		result     deploy.CallbackResult
		failures   int
		set        map[string]string
		start, end int    // exit codes of "start" and of "success"
		says       string // in both outputs
	}{
		{name: "taken", result: deploy.CallbackTaken, says: "psycher was told"},
		{name: "no effect", result: deploy.CallbackNoEffect, says: "psycher was told"},
		{name: "503 once", result: deploy.CallbackTaken, failures: 1, says: "trying again"},
		{name: "503 forever", failures: 99, end: 1, says: "HTTP 503"},
		{name: "unreachable", set: map[string]string{"NOTIFY_URL": "http://127.0.0.1:1/notify"}, end: 1, says: "cannot be reached"},
		{name: "no such deployment", result: deploy.CallbackUnknown, end: 1, says: "no such deployment"},
		{name: "must not deploy", result: deploy.CallbackStop, start: 1, end: 1, says: "must not deploy"},
		{name: "wrong secret", set: map[string]string{"PSYCHER_TOKEN": "", "NOTIFY_TOKEN": "another-token"}, end: 1, says: "does not take this NOTIFY_TOKEN"},
		{name: "proves nothing", result: deploy.CallbackUnproven, end: 1, says: "does not take this PSYCHER_TOKEN"},
		{
			name: "only proof counts", result: deploy.CallbackUnproven, set: map[string]string{"PSYCHER_TOKEN": ""}, end: 1,
			says: "psycher unprove PROJECT",
		},
		{name: "no channel", set: map[string]string{"channel": ""}, end: 1, says: "channel: missing"},
		{name: "no token", set: map[string]string{"NOTIFY_TOKEN": "", "PSYCHER_TOKEN": ""}, end: 1, says: "there is no PSYCHER_TOKEN"},
		{name: "no address", set: map[string]string{"NOTIFY_URL": ""}, end: 1, says: "NOTIFY_URL is not set"},
		{name: "started by hand", set: map[string]string{"PSYCHER_ID": "", "NOTIFY_URL": ""}, says: "nobody is told"},
	} {
		for arg, want := range map[string]int{"start": c.start, "success": c.end} {
			t.Run(c.name+"/"+arg, func(t *testing.T) {
				b := &fakeBot{result: c.result, failures: c.failures}
				env := listen(t, notify.NewHandler(token, b, zerolog.Nop()))
				for name, value := range c.set {
					env[name] = value
				}
				out, code := runNotify(t, env, sh, arg)
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

func TestNotifyDoesNotRetryARefusal(t *testing.T) {
	for result, want := range map[deploy.CallbackResult]int{deploy.CallbackStop: 1, deploy.CallbackUnknown: 1} {
		b := &fakeBot{result: result}
		runNotify(t, listen(t, notify.NewHandler(token, b, zerolog.Nop())), sh, "start")
		if n := len(b.received()); n != want {
			t.Errorf("%s: %d calls, want %d", result, n, want)
		}
	}
}

// Only psycher's own answer counts: JSON that names it. Anything else that
// answers at NOTIFY_URL must not stop a deploy.
func TestNotifyTrustsOnlyPsychersAnswer(t *testing.T) {
	login := "<!DOCTYPE html>\r\n<html><head><title>Sign in</title></head><body>Please log in to \"psycher\". " + strings.Repeat("long ", 1000) + "the end</body></html>"
	for name, c := range map[string]struct {
		status int
		body   string
		says   string // besides that something else answers at NOTIFY_URL
	}{
		"a login page":                    {200, login, "Sign in"},
		"no content":                      {204, "", ""},
		"an empty page":                   {200, "", ""},
		"JSON of somebody else":           {200, `{"result":"ok"}`, `{"result":"ok"}`},
		"JSON that speaks of psycher":     {200, `{"message":"no route to \"psycher\""}`, ""},
		"JSON that is cut":                {200, `{"psycher":"1","result":`, ""},
		"a web server's first page":       {200, "<html><title>Welcome to nginx!</title></html>", "Welcome to nginx"},
		"a redirect to a login":           {302, "", "leads elsewhere"},
		"a web server's 404":              {404, "<html><title>404 Not Found</title></html>", "404 Not Found"},
		"a proxy's 401":                   {401, "<html>Who are you?</html>", ""},
		"a proxy's 403":                   {403, "<html>Blocked by policy</html>", "Blocked by policy"},
		"a proxy's 407":                   {407, "<html>Proxy Authentication Required</html>", ""},
		"a proxy's 409":                   {409, "<html>Conflict</html>", ""},
		"another service's 409":           {409, `{"error":"conflict"}`, ""},
		"a load balancer without the bot": {502, "<html>Bad Gateway</html>", "Bad Gateway"},
		"the control characters of a job": {403, "\x1b[0Ksection_end:1:step\r\x1b[0K\x00\a", "section_end"},
	} {
		for arg, want := range map[string]int{"start": 0, "success": 1} {
			t.Run(name+"/"+arg, func(t *testing.T) {
				env := listen(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					if c.status/100 == 3 {
						w.Header().Set("Location", "https://login.example/?next=/notify")
					}
					w.WriteHeader(c.status)
					fmt.Fprint(w, c.body)
				}))
				out, code := runNotify(t, env, sh, arg)
				if code != want {
					t.Errorf("exit %d, want %d", code, want)
				}
				for _, say := range []string{"something else answers at NOTIFY_URL", fmt.Sprintf("HTTP %d", c.status), c.says} {
					if !strings.Contains(out, say) {
						t.Errorf("does not say %q", say)
					}
				}
				for _, never := range []string{"was told:", "STOPPED", "the end", "\x1b", "\r", "\a"} {
					if strings.Contains(out, never) {
						t.Errorf("prints %q", never)
					}
				}
				if _, said, _ := strings.Cut(out, "begins: "); len(said) > 300+len("\nnotify.sh: psycher was not told of the success; it shows no end of this deploy yet. Fix it and run this job again\n") {
					t.Errorf("prints %d characters of the answer", len(said))
				}
				if t.Failed() {
					t.Log(out)
				}
			})
		}
	}
}

// The answer may repeat the call, as a debugging proxy's does.
func TestNotifyRedactsTokensInAnswers(t *testing.T) {
	env := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		token := r.Header.Get("Authorization")
		fmt.Fprintf(w, "you sent %s; %q", token, token)
	}))
	for _, shell := range shells() {
		for _, sent := range []string{attempt, ""} {
			env["PSYCHER_TOKEN"] = sent
			out, _ := runNotify(t, env, append(shell, "-x"), "success") // runNotify looks for the tokens
			if !strings.Contains(out, "you sent Bearer [redacted]") {
				t.Errorf("%s: does not print what was answered:\n%s", shell, out)
			}
		}
	}
}

// curl uses the runner's proxy, even for a psycher that only the runner itself
// can reach.
func TestNotifyBehindAProxyNamesTheFix(t *testing.T) {
	const fix = "add 127.0.0.1 to NO_PROXY"
	for name, c := range map[string]struct {
		set  map[string]string
		says bool
	}{
		"no proxy":                   {nil, false},
		"a proxy":                    {map[string]string{"http_proxy": "PROXY"}, true},
		"a proxy for all":            {map[string]string{"ALL_PROXY": "PROXY"}, true},
		"a proxy for https alone":    {map[string]string{"https_proxy": "PROXY"}, false},
		"a proxy that is passed by":  {map[string]string{"http_proxy": "PROXY", "NO_PROXY": "localhost,127.0.0.1"}, false},
		"a list with blanks":         {map[string]string{"http_proxy": "PROXY", "NO_PROXY": "localhost, 127.0.0.1"}, false},
		"a list of others":           {map[string]string{"http_proxy": "PROXY", "NO_PROXY": "localhost, 127.0.0.10 *.example.com"}, true},
		"everything is passed by":    {map[string]string{"http_proxy": "PROXY", "NO_PROXY": "*"}, false},
		"only the lower case counts": {map[string]string{"http_proxy": "PROXY", "no_proxy": "localhost", "NO_PROXY": "127.0.0.1"}, true},
	} {
		for _, down := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " down ", down), func(t *testing.T) {
				env := listen(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(http.StatusForbidden)
				}))
				proxy := strings.Replace(strings.TrimSuffix(env["NOTIFY_URL"], "/notify"), "http://", "http://me:secret@", 1)
				if down {
					proxy, env["NOTIFY_URL"] = "http://me:secret@127.0.0.1:1", "http://127.0.0.1:1/notify"
				}
				for k, v := range c.set {
					env[k] = strings.ReplaceAll(v, "PROXY", proxy)
				}
				out, _ := runNotify(t, env, sh, "success")
				if strings.Contains(out, fix) != c.says || strings.Contains(out, "secret") {
					t.Errorf("says %q: want %v, and no password:\n%s", fix, c.says, out)
				}
			})
		}
	}
}

// curl bypasses the proxy for all hosts of a listed domain, too: then there is
// no advice to give.
func TestNotifyKnowsNoProxyDomains(t *testing.T) {
	for list, says := range map[string]bool{
		"example.com": false, ".example.com": false, "local, .test\t.example.com": false, "bot.example.com": false,
		"ample.com": true, "example": true, "http://example.com": true, "*.example.com": true,
	} {
		for _, shell := range shells() {
			env := listen(t, http.NotFoundHandler())
			env["NOTIFY_TRIES"], env["NOTIFY_URL"] = "1", "http://bot.example.com:9/notify"
			env["http_proxy"], env["no_proxy"] = "http://127.0.0.1:1", list
			dir := t.TempDir() // so that no DNS is asked
			if err := os.WriteFile(filepath.Join(dir, "curl"), []byte("#!/bin/sh\nprintf '\\n000'\nexit 6\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			env["PATH"] = dir + string(os.PathListSeparator) + env["PATH"]
			if out, _ := runNotify(t, env, shell, "success"); strings.Contains(out, "add bot.example.com to NO_PROXY") != says {
				t.Errorf("%s, no_proxy=%q: want the advice %v:\n%s", shell, list, says, out)
			}
		}
	}
}

// An invalid number of tries or pause must not stop a deploy either.
func TestNotifyIgnoresInvalidRetrySettings(t *testing.T) {
	patient := t.TempDir()
	if err := os.WriteFile(filepath.Join(patient, "sleep"), []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, set := range []map[string]string{
		{"NOTIFY_TRIES": "two"}, {"NOTIFY_TRIES": "-1"}, {"NOTIFY_PAUSE": "0.1"}, {"NOTIFY_PAUSE": "1s"}, {"NOTIFY_PAUSE": "a[$(exit 3)]"}, {"NOTIFY_TRIES": "08"},
	} {
		for _, shell := range shells() {
			b := &fakeBot{result: deploy.CallbackTaken, failures: 1}
			env := listen(t, notify.NewHandler(token, b, zerolog.Nop()))
			for name, value := range set {
				env[name] = value
			}
			env["PATH"] = patient + string(os.PathListSeparator) + env["PATH"]
			if out, code := runNotify(t, env, shell, "start"); code != 0 || len(b.received()) != 2 {
				t.Errorf("%s, %v: exit %d, received %d:\n%s", shell, set, code, len(b.received()), out)
			}
		}
	}
}

func TestNotifyExplainsCurlsErrors(t *testing.T) {
	for exit, says := range map[int]string{
		1: "http://HOST:8080/notify", 2: "7.18", 3: "http://HOST:8080/notify", 7: "cannot be reached", 28: "cannot be reached", 60: "certificate",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "curl"), fmt.Appendf(nil, "#!/bin/sh\nprintf '\\n000'\nexit %d\n", exit), 0o700); err != nil {
			t.Fatal(err)
		}
		env := listen(t, http.NotFoundHandler())
		env["PATH"] = dir + string(os.PathListSeparator) + env["PATH"]
		for arg, want := range map[string]int{"start": 0, "success": 1} {
			out, code := runNotify(t, env, sh, arg)
			if code != want || !strings.Contains(out, says) {
				t.Errorf("curl's exit %d: exit %d, want %d that says %q:\n%s", exit, code, want, says, out)
			}
		}
	}
}

// curl knows --header @- since 7.55; an older one sends "@-" itself.
func TestNotifyWorksWithAnOldCurl(t *testing.T) {
	text, err := os.ReadFile("notify.sh")
	if err != nil {
		t.Fatal(err)
	}
	old := []string{"--silent", "--show-error", "--globoff", "--connect-timeout", "--max-time", "--write-out", "--config", "--data-urlencode", "--url"}
	for _, option := range regexp.MustCompile(`--[a-z][a-z-]*`).FindAllString(string(text), -1) {
		if !slices.Contains(old, option) {
			t.Errorf("curl 7.18 has no %s", option)
		}
	}
}

func TestNotifyReportsARunnerWithoutAJobStatus(t *testing.T) {
	for _, status := range []string{"", "running"} {
		b := &fakeBot{result: deploy.CallbackTaken}
		out, code := runNotify(t, listen(t, notify.NewHandler(token, b, zerolog.Nop())), sh, status)
		if code != 1 || !strings.Contains(out, "the runner is too old") || len(b.received()) != 0 {
			t.Errorf("%q: exit %d, received %v:\n%s", status, code, b.received(), out)
		}
	}
}

// In zsh the variable status is read-only; dash and busybox know little more
// than POSIX.
func TestNotifyRunsInEveryShell(t *testing.T) {
	for _, shell := range shells() {
		for result, want := range map[deploy.CallbackResult]int{deploy.CallbackTaken: 0, deploy.CallbackStop: 1} {
			b := &fakeBot{result: result, failures: 1}
			out, code := runNotify(t, listen(t, notify.NewHandler(token, b, zerolog.Nop())), shell, "start")
			if code != want || len(b.received()) != 2 {
				t.Errorf("%s: exit %d, want %d; received %v:\n%s", shell, code, want, b.received(), out)
			}
		}
	}
}

// shells are the ones on this machine: sh, and what else is installed.
func shells() [][]string {
	all := [][]string{sh}
	for _, shell := range [][]string{{"bash"}, {"dash"}, {"zsh"}, {"ksh"}, {"mksh"}, {"busybox", "sh"}} {
		if _, err := exec.LookPath(shell[0]); err == nil {
			all = append(all, shell)
		}
	}
	return all
}

func TestNotifyRejectsAnUnknownResult(t *testing.T) {
	for _, args := range [][]string{nil, {"SUCCESS"}, {"success; true"}} {
		b := &fakeBot{result: deploy.CallbackTaken}
		out, code := runNotify(t, listen(t, notify.NewHandler(token, b, zerolog.Nop())), sh, args...)
		if code != 1 || !strings.Contains(out, "usage") || len(b.received()) != 0 {
			t.Errorf("%q: exit %d, received %v:\n%s", args, code, b.received(), out)
		}
	}
}

func TestNotifyReportsThatCurlIsMissing(t *testing.T) {
	env := listen(t, http.NotFoundHandler())
	env["PATH"] = t.TempDir()
	path, err := exec.LookPath("sh")
	if err != nil {
		path = "sh"
	}
	for arg, want := range map[string]int{"start": 0, "success": 1} {
		out, code := runNotify(t, env, []string{path}, arg)
		if code != want || !strings.Contains(out, "there is no curl") {
			t.Errorf("%s: exit %d:\n%s", arg, code, out)
		}
	}
}

func TestNotifyEscapesEveryValue(t *testing.T) {
	for _, evil := range []string{
		`a b`, `"`, `'; exit 3; '`, `$(exit 3)`, "`exit 3`", `a&result=failure`, `a;b`, "a\nb", `@/etc/passwd`, `=@/etc/passwd`,
		`a#b`, `100%`, `a+b`, `\`, `*`, `-o x`, `日本`,
	} {
		t.Run(evil, func(t *testing.T) {
			var got url.Values
			env := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := r.ParseForm(); err != nil {
					t.Error(err)
				}
				got = r.PostForm
				fmt.Fprint(w, `{"psycher":"1","result":"ok"}`)
			}))
			want := url.Values{"source": {"gitlab"}, "result": {"success"}}
			for field, name := range map[string]string{
				"channel": "channel", "timestamp": "timestamp", "id": "PSYCHER_ID", "pipeline": "CI_PIPELINE_ID", "job": "CI_JOB_ID",
				"job_name": "CI_JOB_NAME", "job_stage": "CI_JOB_STAGE", "sha": "CI_COMMIT_SHA",
			} {
				env[name] = evil
				want[field] = []string{evil}
			}
			out, code := runNotify(t, env, sh, "success")
			if code != 0 {
				t.Errorf("exit %d:\n%s", code, out)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTokenIsInNoTraceAndNoArguments(t *testing.T) {
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
			b := &fakeBot{result: deploy.CallbackTaken, failures: 1}
			env := listen(t, notify.NewHandler(token, b, zerolog.Nop()))
			env["PATH"] = dir + string(os.PathListSeparator) + env["PATH"]

			out, code := runNotify(t, env, []string{shell, "-x"}, "success")
			if code != 0 || !strings.Contains(out, "--write-out") { // the traces of two commands may be mixed
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
