package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
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
	takes    atomic.Int64 // how long a deploy seems to work
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
	s := &scripts{dir: dir}
	s.takes.Store(int64(deployTakes))
	return s, nil
}

// run runs a pipeline with one job. A cancel ends the job without a call: the bot
// has to find out by itself.
func (s *scripts) run(ctx context.Context, g *fakegitlab.GitLab, p fakegitlab.Pipeline) {
	if len(p.Jobs) == 0 {
		g.SetJobs(p.ID, fakegitlab.Job{ID: p.ID * 10, Name: "deploy", Stage: "deploy"})
	}
	j := job{scripts: s, git: g, pipeline: p, id: p.ID * 10}
	j.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir,
		"CI_JOB_NAME=deploy", "CI_JOB_STAGE=deploy", "CI_COMMIT_SHA=" + p.SHA,
		"CI_PROJECT_PATH=" + p.Project, "CI_COMMIT_SHORT_SHA=" + p.SHA[:8], fmt.Sprint("CI_PIPELINE_ID=", p.ID), fmt.Sprint("CI_JOB_ID=", j.id),
	}
	for name, value := range p.Variables {
		j.env = append(j.env, name+"="+value)
	}
	if s.failNext.Swap(false) {
		j.env = append(j.env, "DEMO_FAIL=true")
	}

	ctx, stop := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer stop()
	watching.Go(func() {
		if g.Until(ctx, j.canceled) == nil {
			stop()
		}
	})
	g.Finish(p.ID, "running")
	g.MoveJob(p.ID, j.id, "running")
	status := "failed"
	if j.notify(ctx, "start") == nil && takes(ctx, time.Duration(s.takes.Load())) && j.script(ctx, "deploy.sh") == nil {
		status = "success"
	}
	if j.canceled() || ctx.Err() != nil {
		j.print("canceled")
		return
	}
	g.MoveJob(p.ID, j.id, status)
	// As in GitLab, the pipeline ends when after_script has.
	if err := j.notify(ctx, status); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "demo: the notify call failed:", err)
	}
	if !j.canceled() {
		g.Finish(p.ID, status)
	}
}

// job is the one job of a pipeline.
type job struct {
	*scripts
	git      *fakegitlab.GitLab
	pipeline fakegitlab.Pipeline
	id       int64
	env      []string
}

func (j job) canceled() bool {
	for _, p := range j.git.Pipelines() {
		if p.ID == j.pipeline.ID {
			return p.Status == "canceled"
		}
	}
	return false
}

func (j job) print(line string) { j.git.Log(j.pipeline.ID, j.id, line+"\n") }

// Write prints what a script does.
func (j job) Write(text []byte) (int, error) {
	j.git.Log(j.pipeline.ID, j.id, string(text))
	return len(text), nil
}

// deployTakes is how long the sample deploy seems to work, so that people see it run.
const deployTakes = 1500 * time.Millisecond

func takes(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func (j job) script(ctx context.Context, name string, args ...string) error {
	j.print(strings.Join(append([]string{"$ ./bin/" + name}, args...), " "))
	cmd := exec.CommandContext(ctx, filepath.Join(j.dir, name), args...)
	// What the script has started keeps the output open after the script is killed.
	cmd.WaitDelay = time.Second
	var said strings.Builder
	out := io.MultiWriter(&said, j)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = j.env, j.dir, out, out
	err := cmd.Run()
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(said.String()))
	}
	return err
}

// notify runs the real notify.sh. On a machine without curl, which it needs,
// the demo makes its call itself.
func (j job) notify(ctx context.Context, status string) error {
	if _, err := exec.LookPath("curl"); err == nil {
		return j.script(ctx, "notify.sh", status)
	}
	p := j.pipeline
	if status == "failed" {
		status = "failure"
	}
	form := url.Values{
		"source": {"gitlab"}, "result": {status}, "channel": {p.Variables["channel"]}, "timestamp": {p.Variables["timestamp"]},
		"id": {p.Variables["PSYCHER_ID"]}, "pipeline": {fmt.Sprint(p.ID)}, "job": {fmt.Sprint(j.id)}, "job_name": {"deploy"}, "job_stage": {"deploy"}, "sha": {p.SHA},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.Variables["NOTIFY_URL"], strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+p.Variables["PSYCHER_TOKEN"])
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
