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
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/getto-systems/psycher/examples"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

// deployJob is the job that deploys, after those that only take their time.
const deployJob = "deploy"

// jobs are those of each pipeline.
var jobs = []fakegitlab.Job{{Name: "build", Stage: "build"}, {Name: "test", Stage: "test"}, {Name: deployJob, Stage: "deploy"}}

// scripts runs pipelines. The job that deploys does what the modern example does: a
// start call, the deploy, and the notify call with the job's status, each as a
// process of its own.
type scripts struct {
	dir      string
	failNext atomic.Bool
	takes    atomic.Int64 // how long a job seems to work
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
	s.takes.Store(int64(jobTakes))
	return s, nil
}

// run runs the jobs of a pipeline that are not over, one after the other. A cancel
// ends a job without a call: the bot has to find out by itself.
func (s *scripts) run(ctx context.Context, g *fakegitlab.GitLab, p fakegitlab.Pipeline) {
	for g.Step(p.ID) { // the next job begins, or the pipeline ends
		j, ok := s.running(g, p)
		if !ok || !j.run(ctx) {
			return
		}
	}
}

// Deploys reports whether a pipeline deploys or has deployed: its script was begun.
func Deploys(p fakegitlab.Pipeline) bool {
	return slices.ContainsFunc(p.Jobs, func(j fakegitlab.Job) bool { return strings.Contains(j.Log, "$ ./bin/deploy.sh") })
}

// running is the job of a pipeline that runs.
func (s *scripts) running(g *fakegitlab.GitLab, p fakegitlab.Pipeline) (j job, ok bool) {
	j = job{scripts: s, git: g, pipeline: p}
	j.Job, ok = j.find(func(one fakegitlab.Job) bool { return one.Status == "running" })
	j.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir,
		"CI_JOB_NAME=" + j.Name, "CI_JOB_STAGE=" + j.Stage, "CI_COMMIT_SHA=" + p.SHA,
		"CI_PROJECT_PATH=" + p.Project, "CI_COMMIT_SHORT_SHA=" + p.SHA[:8], fmt.Sprint("CI_PIPELINE_ID=", p.ID), fmt.Sprint("CI_JOB_ID=", j.ID),
	}
	for name, value := range p.Variables {
		j.env = append(j.env, name+"="+value)
	}
	if j.Name == deployJob && s.failNext.Swap(false) {
		j.env = append(j.env, "DEMO_FAIL=true")
	}
	return j, ok
}

// run runs the job, and reports whether the pipeline goes on: it does unless the
// job was canceled.
func (j job) run(ctx context.Context) (goesOn bool) {
	ctx, stop := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer stop()
	watching.Go(func() {
		if j.git.Until(ctx, j.canceled) == nil {
			stop()
		}
	})
	status := "failed"
	switch took := time.Duration(j.takes.Load()); {
	case j.Name != deployJob:
		j.print("$ make " + j.Name)
		if takes(ctx, took) {
			status = "success"
		}
	case j.notify(ctx, "start") == nil && takes(ctx, took) && j.script(ctx, "deploy.sh") == nil:
		status = "success"
	}
	if j.canceled() || ctx.Err() != nil {
		j.print("canceled")
		return false
	}
	j.git.MoveJob(j.pipeline.ID, j.ID, status)
	// As in GitLab, the pipeline ends when after_script has.
	if j.Name == deployJob {
		if err := j.notify(ctx, status); err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "demo: the notify call failed:", err)
		}
	}
	return !j.canceled()
}

// job is a job of a pipeline.
type job struct {
	*scripts
	fakegitlab.Job
	git      *fakegitlab.GitLab
	pipeline fakegitlab.Pipeline
	env      []string
}

// find is a job of the pipeline as it is now.
func (j job) find(which func(fakegitlab.Job) bool) (found fakegitlab.Job, ok bool) {
	for _, p := range j.git.Pipelines() {
		if i := slices.IndexFunc(p.Jobs, which); i >= 0 && p.ID == j.pipeline.ID {
			return p.Jobs[i], true
		}
	}
	return found, false
}

func (j job) canceled() bool {
	_, canceled := j.find(func(one fakegitlab.Job) bool { return one.ID == j.ID && one.Status == "canceled" })
	return canceled
}

func (j job) print(line string) { j.git.Log(j.pipeline.ID, j.ID, line+"\n") }

// Write prints what a script does.
func (j job) Write(text []byte) (int, error) {
	j.git.Log(j.pipeline.ID, j.ID, string(text))
	return len(text), nil
}

// jobTakes is how long a job seems to work, so that people see it run.
const jobTakes = 500 * time.Millisecond

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
		"id": {p.Variables["PSYCHER_ID"]}, "pipeline": {fmt.Sprint(p.ID)}, "job": {fmt.Sprint(j.ID)}, "job_name": {j.Name}, "job_stage": {j.Stage}, "sha": {p.SHA},
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
