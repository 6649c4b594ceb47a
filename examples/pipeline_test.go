//go:build pipelines

package examples_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/examples"
	"github.com/getto-systems/psycher/gitlab/notify"
)

// The CI configurations run as they are, in gitlab-ci-local, which takes the
// place of GitLab and its runner; GITLAB_CI_LOCAL names the program. They call
// the real notify port. gitlab-ci-local looks at rules:, not at only:.
func TestPipelines(t *testing.T) {
	const deployed = "deploy.sh: done"
	for _, c := range []struct {
		name, file string
		result     deploy.CallbackResult
		set        map[string]string
		exit       int
		want       []deploy.Result
		deploys    bool
	}{
		{
			name: "modern success", file: "modern", result: deploy.CallbackTaken, deploys: true,
			want: []deploy.Result{deploy.ResultStart, deploy.ResultSuccess},
		},
		{
			name: "modern failure", file: "modern", result: deploy.CallbackTaken, set: map[string]string{"DEMO_FAIL": "true"}, exit: 1,
			want: []deploy.Result{deploy.ResultStart, deploy.ResultFailure},
		},
		{
			name: "modern stopped at the start", file: "modern", result: deploy.CallbackStop, exit: 1,
			want: []deploy.Result{deploy.ResultStart, deploy.ResultFailure},
		},
		{
			name: "modern of the confirmed commit", file: "modern", result: deploy.CallbackTaken, deploys: true, set: map[string]string{"PSYCHER_SHA": sha},
			want: []deploy.Result{deploy.ResultStart, deploy.ResultSuccess},
		},
		{name: "modern of another commit", file: "modern", set: map[string]string{"PSYCHER_SHA": strings.Repeat("0", 40)}},
		{name: "modern by hand", file: "modern", set: map[string]string{"PSYCHER_ID": ""}, deploys: true},
		{name: "modern without RELEASE", file: "modern", set: map[string]string{"RELEASE": ""}},
		{name: "modern at a push", file: "modern", set: map[string]string{"CI_PIPELINE_SOURCE": "push"}},
		{
			name: "modern while the bot is down", file: "modern", deploys: true,
			set: map[string]string{"NOTIFY_URL": "http://127.0.0.1:1/notify"},
		},
		{
			name: "classic success", file: "classic", result: deploy.CallbackTaken, deploys: true,
			want: []deploy.Result{deploy.ResultSuccess},
		},
		{
			name: "classic failure", file: "classic", result: deploy.CallbackTaken, set: map[string]string{"DEMO_FAIL": "true"}, exit: 1,
			want: []deploy.Result{deploy.ResultFailure},
		},
		{name: "classic by hand", file: "classic", set: map[string]string{"PSYCHER_ID": ""}, deploys: true},
		{
			name: "classic while the bot is down", file: "classic", deploys: true,
			set: map[string]string{"NOTIFY_URL": "http://127.0.0.1:1/notify"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &fakeBot{result: c.result}
			variables := listen(t, notify.NewHandler(token, b, zerolog.Nop()))
			delete(variables, "PATH")
			variables["CI_PIPELINE_SOURCE"], variables["RELEASE"], variables["NOTIFY_TRIES"] = "trigger", "true", "2"
			for name, value := range c.set {
				variables[name] = value
			}
			out, exit := pipeline(t, c.file, variables)

			if exit != c.exit {
				t.Errorf("exit %d, want %d", exit, c.exit)
			}
			if strings.Contains(out, deployed) != c.deploys {
				t.Errorf("deploys: %v, want %v", !c.deploys, c.deploys)
			}
			var got []deploy.Result
			for _, callback := range b.received() {
				got = append(got, callback.Result)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("callbacks (-want +got):\n%s", diff)
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}

// pipeline makes the repository that the CI configuration asks for, and runs it.
func pipeline(t *testing.T, file string, variables map[string]string) (string, int) {
	t.Helper()
	dir := t.TempDir()
	for from, to := range map[string]string{
		"notify.sh": "bin/notify.sh", "deploy.sh": "bin/deploy.sh", file + "/.gitlab-ci.yml": ".gitlab-ci.yml",
	} {
		text, err := fs.ReadFile(examples.FS, from)
		if err != nil {
			t.Fatal(err)
		}
		// gitlab-ci-local ends no pipeline by workflow:rules, so that the deploy job tries the rule.
		const guard = "    - if: $PSYCHER_SHA && $PSYCHER_SHA != $CI_COMMIT_SHA\n      when: never\n"
		if file == "modern" && strings.Contains(string(text), guard) {
			text = []byte(strings.Replace(string(text), "  stage: deploy\n  rules:\n", "  stage: deploy\n  rules:\n"+guard, 1))
		}
		to = filepath.Join(dir, to)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, text, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, git := range [][]string{
		{"init", "--quiet", "--initial-branch=master"},
		{"remote", "add", "origin", "git@gitlab.example:group/app.git"},
		{"add", "."},
		{"-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "--message=A deploy"},
	} {
		cmd := exec.CommandContext(t.Context(), "git", git...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", git[0], err, out)
		}
	}

	args := []string{"--force-shell-executor", "--ignore-predefined-vars", "CI_PIPELINE_SOURCE,CI_PIPELINE_ID,CI_JOB_ID"}
	for name, value := range variables {
		args = append(args, "--variable", name+"="+value)
	}
	cmd := exec.CommandContext(t.Context(), os.Getenv("GITLAB_CI_LOCAL"), args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatalf("GITLAB_CI_LOCAL: %v", err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}
