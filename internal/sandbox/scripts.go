package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/getto-systems/psycher/examples"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

// scripts runs pipelines as the modern example does: a start call, the deploy,
// and the notify call with the job's status, each as a process of its own.
type scripts struct {
	dir      string
	failNext atomic.Bool
}

// unpack writes the example's scripts to a folder of their own.
func unpack() (*scripts, error) {
	dir, err := os.MkdirTemp("", "psycher-demo-")
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"notify.sh", "deploy.sh"} {
		text, err := examples.FS.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o700)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("unpacking the example: %w", err), os.RemoveAll(dir))
		}
	}
	return &scripts{dir: dir}, nil
}

// run is a pipeline with one job.
func (s *scripts) run(ctx context.Context, g *fakegitlab.GitLab, p fakegitlab.Pipeline, notifyURL string) {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir,
		"NOTIFY_URL=" + notifyURL, "NOTIFY_TOKEN=" + notifyToken,
		"CI_PROJECT_PATH=" + p.Project, "CI_COMMIT_SHORT_SHA=1a2b3c4d", fmt.Sprint("CI_PIPELINE_ID=", p.ID), fmt.Sprint("CI_JOB_ID=", p.ID*10),
	}
	for name, value := range p.Variables {
		env = append(env, name+"="+value)
	}
	if s.failNext.Swap(false) {
		env = append(env, "DEMO_FAIL=true")
	}
	job := func(status string) { g.SetJobs(p.ID, fakegitlab.Job{Name: "deploy", Stage: "deploy", Status: status}) }
	job("running")
	status := "failed"
	if s.notify(ctx, env, p, "start") == nil && takes(ctx, deployTakes) && s.script(ctx, env, "deploy.sh") == nil {
		status = "success"
	}
	job(status)
	// As in GitLab, the pipeline ends when after_script has.
	if err := s.notify(ctx, env, p, status); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "demo: the notify call failed:", err)
	}
	g.Finish(p.ID, status)
}

// deployTakes is how long the sample deploy seems to work, so that it can be seen to run.
const deployTakes = 1500 * time.Millisecond

func takes(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func (s *scripts) script(ctx context.Context, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.dir, name), args...)
	cmd.Env, cmd.Dir = env, s.dir
	out, err := cmd.CombinedOutput()
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	return err
}

// notify runs the real notify.sh. On a machine without curl, which it needs,
// the demo makes its call itself.
func (s *scripts) notify(ctx context.Context, env []string, p fakegitlab.Pipeline, status string) error {
	if _, err := exec.LookPath("curl"); err == nil {
		return s.script(ctx, env, "notify.sh", status)
	}
	if status == "failed" {
		status = "failure"
	}
	form := url.Values{
		"source": {"gitlab"}, "result": {status}, "channel": {p.Variables["channel"]}, "timestamp": {p.Variables["timestamp"]},
		"id": {p.Variables["PSYCHER_ID"]}, "pipeline": {fmt.Sprint(p.ID)},
	}
	address, _, _ := strings.Cut(strings.Join(env, "\n"), "\nNOTIFY_TOKEN=")
	_, address, _ = strings.Cut(address, "NOTIFY_URL=")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+notifyToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the notify port answered %s", resp.Status)
	}
	return nil
}
