package sim_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sim"
)

// buildAndDeploy are the jobs of a pipeline that has built, with its deploy in a status.
func buildAndDeploy(status string) []fakegitlab.Job {
	return []fakegitlab.Job{
		{ID: 1, Name: "build", Stage: "build", Status: "success"},
		{ID: 2, Name: "deploy", Stage: "deploy", Status: status, AllowFailure: true},
	}
}

func TestPipelineThatSucceedsWithoutADeployIsNotShownAsDone(t *testing.T) {
	row(t, "the deploy waits for a person: the requester is told at once, and it is done when somebody has started it", func(t *testing.T) {
		w, ts, p := startRunning(t)
		w.GitLab.SetJobs(p.ID, buildAndDeploy("manual")...)
		w.GitLab.Finish(p.ID, "success")
		w.Eventually("it is told", 15*time.Second, func() bool { return len(w.Messages(sim.Channel, ts)) == 2 })
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusPerson, deploy.MsgNothing)
		if text := w.Texts(sim.Channel, ts)[1]; !strings.Contains(text, "<@"+sim.User+">") || !strings.Contains(text, "`deploy`") || !strings.Contains(text, "/pipelines/1001|") {
			t.Errorf("no name, no job or no link: %q", text)
		}
		time.Sleep(5 * time.Minute)
		w.GitLab.MoveJob(p.ID, 2, "running")
		w.GitLab.Finish(p.ID, "running")
		time.Sleep(time.Minute)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning, deploy.MsgNothing)
		w.GitLab.MoveJob(p.ID, 2, "success")
		w.GitLab.Finish(p.ID, "success")
		waitReaction(w, ts, 15*time.Second, "white_check_mark")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgNothing, deploy.MsgSucceeded)
	})
	row(t, "the deploy waits, and nobody starts it: it times out without another line; a late call still counts", func(t *testing.T) {
		w, ts, p := startRunning(t, "DEPLOY_TIMEOUT=5m")
		w.GitLab.SetJobs(p.ID, buildAndDeploy("manual")...)
		w.GitLab.Finish(p.ID, "success")
		time.Sleep(4 * time.Minute)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		time.Sleep(70 * time.Second)
		w.WaitReactions(sim.Channel, ts, "no_entry_sign")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusNothing, deploy.MsgNothing)
		w.Notify("a", "failure", sim.Channel, ts)
		w.WaitReactions(sim.Channel, ts, "x")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusFailed, deploy.MsgNothing, deploy.MsgFailed)
	})
	row(t, "the deploy was skipped", func(t *testing.T) {
		w, ts, p := startRunning(t)
		w.GitLab.SetJobs(p.ID, buildAndDeploy("skipped")...)
		w.GitLab.Finish(p.ID, "success")
		waitReaction(w, ts, 15*time.Second, "no_entry_sign")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusNothing, deploy.MsgNothing)
	})
	row(t, "the deploy failed, and has allow_failure", func(t *testing.T) {
		w, ts, p := startRunning(t)
		w.GitLab.SetJobs(p.ID, buildAndDeploy("failed")...)
		w.GitLab.Finish(p.ID, "success")
		waitReaction(w, ts, 15*time.Second, "x")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusFailed, deploy.MsgFailed)
		if text := w.Texts(sim.Channel, ts)[1]; !strings.Contains(text, "`deploy`") {
			t.Errorf("it does not say which job failed: %q", text)
		}
	})
	row(t, "the target names its job", func(t *testing.T) {
		w, ts, p := startRunning(t, fmt.Sprintf(
			`GITLAB_TRIGGER_TOKENS={%q: {%q: {"app": {"project_id": "group/app", "token": %q, "job": "ship"}}}}`, sim.Team, sim.Channel, sim.TriggerToken))
		w.GitLab.SetJobs(p.ID, fakegitlab.Job{Name: "deploy", Stage: "deploy", Status: "success"}, fakegitlab.Job{Name: "ship it", Stage: "ship", Status: "skipped"})
		w.GitLab.Finish(p.ID, "success")
		waitReaction(w, ts, 15*time.Second, "no_entry_sign")
	})
	row(t, "the classic file: one of its notify jobs is always skipped", func(t *testing.T) {
		w, ts, p := startRunning(t)
		w.GitLab.SetJobs(p.ID, fakegitlab.Job{Name: "deploy", Stage: "deploy", Status: "success"},
			fakegitlab.Job{Name: "deploy_success", Stage: "notify", Status: "success", AllowFailure: true},
			fakegitlab.Job{Name: "deploy_failure", Stage: "notify", Status: "skipped", AllowFailure: true})
		w.GitLab.Finish(p.ID, "success")
		waitReaction(w, ts, 15*time.Second, "white_check_mark")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
	})
}

func TestJobsThatCannotBeSeen(t *testing.T) {
	for name, f := range map[string]fakegitlab.Fault{
		"cuts": {}, "hangs": {Hang: true}, "502": {Status: 502, Body: "<html></html>"}, "403": {Status: 403, Body: `{"message":"403 Forbidden"}`},
		"429 for hours": {Status: 429, Body: "Retry later\n", Header: map[string]string{"Retry-After": "7200"}},
	} {
		row(t, "GitLab: "+name+": a successful pipeline counts as a success, with a note that its jobs could not be read", func(t *testing.T) {
			w, ts, p := startRunning(t)
			w.GitLab.FailLookUps(-1, "/jobs", f)
			w.GitLab.Finish(p.ID, "success")
			waitReaction(w, ts, 40*time.Second, "white_check_mark") // it is polled within 12 s, and its jobs may take 8 and 15 s
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgUnseen)
		})
	}
	row(t, "they can be read again in time", func(t *testing.T) {
		w, ts, p := startRunning(t)
		w.GitLab.FailLookUps(2, "/jobs", fakegitlab.Fault{Status: 502, Body: "<html></html>"})
		w.GitLab.Finish(p.ID, "success")
		waitReaction(w, ts, 30*time.Second, "white_check_mark")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
	})
}

func TestStuckPipelineIsReported(t *testing.T) {
	row(t, "it waits for a person: reported at once, once, and followed for as long as it takes", func(t *testing.T) {
		w, ts, p := startRunning(t, "DEPLOY_TIMEOUT=3m")
		w.GitLab.Finish(p.ID, "manual")
		w.Eventually("it is told", 15*time.Second, func() bool { return len(w.Messages(sim.Channel, ts)) == 2 })
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusPerson, deploy.MsgPerson)
		if text := w.Texts(sim.Channel, ts)[1]; !strings.Contains(text, "<@"+sim.User+">") || !strings.Contains(text, "/pipelines/1001|") {
			t.Errorf("no name or no link: %q", text)
		}
		time.Sleep(20 * time.Minute)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusPerson, deploy.MsgPerson)
		w.GitLab.SetJobs(p.ID, fakegitlab.Job{Name: "deploy", Stage: "deploy", Status: "success"})
		w.GitLab.Finish(p.ID, "success")
		waitReaction(w, ts, 15*time.Second, "white_check_mark")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgPerson, deploy.MsgSucceeded)
	})
	row(t, "the deploy is done, and only a later job waits: it is done, and nobody is asked to start a rollback", func(t *testing.T) {
		w, ts, p := startRunning(t)
		w.GitLab.SetJobs(p.ID, fakegitlab.Job{Name: "deploy", Stage: "deploy", Status: "success"}, fakegitlab.Job{Name: "rollback", Stage: "rollback", Status: "manual"})
		w.GitLab.Finish(p.ID, "manual")
		waitReaction(w, ts, 15*time.Second, "white_check_mark")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
	})
	row(t, "no runner takes it: reported after a minute, and no longer when one does", func(t *testing.T) {
		w, ts, p := startRunning(t)
		w.GitLab.Finish(p.ID, "pending")
		time.Sleep(50 * time.Second)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
		time.Sleep(25 * time.Second)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunner)
		w.GitLab.Finish(p.ID, "running")
		time.Sleep(15 * time.Second)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
	})
	row(t, "its start call shows that it runs", func(t *testing.T) {
		w, ts, p := startRunning(t)
		w.GitLab.Finish(p.ID, "pending")
		time.Sleep(80 * time.Second)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunner)
		w.GitLab.FailLookUps(-1, "/pipelines/", fakegitlab.Fault{Status: 502, Body: "{}"})
		w.Report(p, "start")
		time.Sleep(2 * time.Second)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
	})
	row(t, "it runs past its timeout: one line, and it is followed to its end", func(t *testing.T) {
		w, ts, p := startRunning(t, "DEPLOY_TIMEOUT=10m")
		time.Sleep(9*time.Minute + 40*time.Second)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
		time.Sleep(35 * time.Second)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning, deploy.MsgOvertime)
		if text := w.Texts(sim.Channel, ts)[1]; !strings.Contains(text, "10分") || strings.Contains(text, "<@") {
			t.Errorf("no time, or it calls the person: %q", text)
		}
		time.Sleep(40 * time.Minute)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning, deploy.MsgOvertime)
		w.GitLab.Finish(p.ID, "failed")
		waitReaction(w, ts, 15*time.Second, "x")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusFailed, deploy.MsgOvertime, deploy.MsgFailed)
	})
	row(t, "without an API token it is silent", func(t *testing.T) {
		w, ts, p := startRunning(t, "GITLAB_API_TOKEN=", "DEPLOY_TIMEOUT=3m")
		w.GitLab.Finish(p.ID, "manual")
		time.Sleep(200 * time.Second)
		w.WaitReactions(sim.Channel, ts, "zzz")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSilent, deploy.MsgSilent)
	})
	row(t, "a person who was told that GitLab shows no pipeline is not told again at the deadline", func(t *testing.T) {
		w := sim.New(t, "DEPLOY_TIMEOUT=5m")
		w.StartReady("a")
		w.GitLab.Answer(1, fakegitlab.Fault{Status: 502, Body: "<html></html>"})
		ts := w.Ask("release")
		time.Sleep(2 * time.Minute)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusUnsure, deploy.MsgNoneSeen)
		time.Sleep(20 * time.Minute)
		w.WaitReactions(sim.Channel, ts, "zzz")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSilent, deploy.MsgNoneSeen)
	})
}

func TestCallFromAJobIsShownAtOnce(t *testing.T) {
	calls := func(t *testing.T, h *harness, m deploy.Request, job string, result deploy.Result) {
		t.Helper()
		w := deploy.Callback{Channel: m.Channel, TS: m.TS, Result: result, Pipeline: 7, JobName: job, JobStage: "deploy", Shared: true}
		if v, err := h.Callback(context.Background(), w); v != deploy.CallbackTaken {
			t.Fatalf("%s: %q %v", result, v, err)
		}
		time.Sleep(time.Second)
	}
	for name, canPoll := range map[string]bool{"GitLab can be polled": true, "GitLab cannot be polled": false} {
		row(t, name+": a deploy of one job is done when the job says so", func(t *testing.T) {
			h := newHarness(t, canPoll)
			m := h.release(1)
			time.Sleep(7 * time.Second)
			h.gitlab.setPoll(func() (deploy.Pipeline, error) {
				return deploy.Pipeline{ID: 7, URL: "http://gitlab.test/7", End: deploy.Succeeded, Judged: true}, nil
			})
			calls(t, h, m, "deploy", deploy.ResultSuccess)
			h.wantShown(m, "white_check_mark", deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
		})
	}
	row(t, "GitLab shows that the other job is still running, then that it failed", func(t *testing.T) {
		h := newHarness(t, true)
		m := h.release(1)
		time.Sleep(7 * time.Second)
		h.gitlab.setPoll(func() (deploy.Pipeline, error) {
			return deploy.Pipeline{ID: 7, URL: "http://gitlab.test/7", Judged: true}, nil
		})
		calls(t, h, m, "deploy-a", deploy.ResultSuccess)
		h.wantShown(m, "thumbsup", deploy.MsgStatusRunning)
		h.gitlab.setPoll(func() (deploy.Pipeline, error) {
			return deploy.Pipeline{ID: 7, URL: "http://gitlab.test/7", End: deploy.Failed, Detail: "deploy-b", Judged: true}, nil
		})
		time.Sleep(13 * time.Second)
		h.wantShown(m, "x", deploy.MsgStatusFailed, deploy.MsgFailed)
	})
	row(t, "GitLab hangs: the call is believed, with a note that its jobs could not be read", func(t *testing.T) {
		h := newHarness(t, true)
		m := h.release(1)
		time.Sleep(7 * time.Second)
		h.gitlab.setPoll(func() (deploy.Pipeline, error) {
			time.Sleep(8 * time.Second)
			return deploy.Pipeline{}, errors.New("no answer")
		})
		calls(t, h, m, "deploy", deploy.ResultSuccess)
		time.Sleep(30 * time.Second)
		h.wantShown(m, "white_check_mark", deploy.MsgStatusSucceeded, deploy.MsgUnseen)
	})
	row(t, "it failed, and another job of the same pipeline succeeds: it stays failed; retried, it is done", func(t *testing.T) {
		h := newHarness(t, true)
		m := h.release(1)
		time.Sleep(7 * time.Second)
		h.gitlab.setPoll(func() (deploy.Pipeline, error) {
			return deploy.Pipeline{ID: 7, URL: "http://gitlab.test/7", End: deploy.Failed, Detail: "deploy-a", Judged: true}, nil
		})
		calls(t, h, m, "deploy-a", deploy.ResultFailure)
		calls(t, h, m, "deploy-b", deploy.ResultSuccess)
		time.Sleep(time.Minute)
		h.wantShown(m, "x", deploy.MsgStatusFailed, deploy.MsgFailed)
		h.gitlab.setPoll(func() (deploy.Pipeline, error) {
			return deploy.Pipeline{ID: 7, URL: "http://gitlab.test/7", End: deploy.Succeeded, Judged: true}, nil
		})
		calls(t, h, m, "deploy-a", deploy.ResultSuccess)
		h.wantShown(m, "white_check_mark", deploy.MsgStatusSucceeded, deploy.MsgFailed, deploy.MsgRecovered)
	})
}

// calledBy is the pipeline with one calling job.
func calledBy(p fakegitlab.Pipeline, name, stage string) fakegitlab.Pipeline {
	p.Jobs = []fakegitlab.Job{{Name: name, Stage: stage}}
	return p
}

func TestCallsFromSeveralJobs(t *testing.T) {
	row(t, "the modern file: its one job calls from after_script, and is done at once", func(t *testing.T) {
		w, ts, p := startRunning(t)
		w.GitLab.Finish(p.ID, "running")
		w.Report(p, "start")
		time.Sleep(10 * time.Second)
		w.Report(p, "success")
		waitReaction(w, ts, 2*time.Second, "white_check_mark")
		w.GitLab.Finish(p.ID, "success")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
	})
	row(t, "the classic file: its notify job calls while the pipeline goes on", func(t *testing.T) {
		w, ts, p := startRunning(t)
		w.GitLab.SetJobs(p.ID, fakegitlab.Job{Name: "deploy", Stage: "deploy", Status: "success"},
			fakegitlab.Job{Name: "deploy_success", Stage: "notify", Status: "running", AllowFailure: true},
			fakegitlab.Job{Name: "deploy_failure", Stage: "notify", Status: "skipped", AllowFailure: true})
		w.Report(calledBy(p, "deploy_success", "notify"), "success")
		waitReaction(w, ts, 2*time.Second, "white_check_mark")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
	})
	row(t, "a notify job calls a success, and the deploy still waits for a person", func(t *testing.T) {
		w, ts, p := startRunning(t)
		w.GitLab.SetJobs(p.ID, append(buildAndDeploy("manual"), fakegitlab.Job{ID: 3, Name: "notify_success", Stage: "notify", Status: "running"})...)
		w.Report(calledBy(p, "notify_success", "notify"), "success")
		time.Sleep(5 * time.Second)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.GitLab.Finish(p.ID, "success")
		time.Sleep(15 * time.Second)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusPerson, deploy.MsgNothing)
	})
	for with, token := range map[string]string{"with": sim.APIToken, "without": ""} {
		row(t, with+" an API token: one job fails, another succeeds: it stays failed, until the failed one is retried", func(t *testing.T) {
			w, ts, p := startRunning(t, "GITLAB_API_TOKEN="+token)
			w.GitLab.SetJobs(p.ID, fakegitlab.Job{ID: 1, Name: "deploy-a", Stage: "deploy", Status: "failed"}, fakegitlab.Job{ID: 2, Name: "deploy-b", Stage: "deploy", Status: "running"})
			w.Report(calledBy(p, "deploy-a", "deploy"), "failure")
			w.WaitReactions(sim.Channel, ts, "x")
			w.Report(calledBy(p, "deploy-b", "deploy"), "success")
			w.GitLab.Finish(p.ID, "failed")
			w.GitLab.MoveJob(p.ID, 2, "success")
			time.Sleep(time.Minute)
			w.WaitReactions(sim.Channel, ts, "x")
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusFailed, deploy.MsgFailed)
			w.GitLab.MoveJob(p.ID, 1, "running")
			w.Report(calledBy(p, "deploy-a", "deploy"), "success")
			waitReaction(w, ts, 2*time.Second, "white_check_mark")
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgFailed, deploy.MsgRecovered)
		})
	}
	row(t, "without an API token, a job other than the target's is done", func(t *testing.T) {
		w, ts, p := startRunning(t, "GITLAB_API_TOKEN=", fmt.Sprintf(
			`GITLAB_TRIGGER_TOKENS={%q: {%q: {"app": {"project_id": "group/app", "token": %q, "job": "ship"}}}}`, sim.Team, sim.Channel, sim.TriggerToken))
		w.Report(calledBy(p, "build", "build"), "success")
		time.Sleep(5 * time.Second)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.Report(calledBy(p, "ship it", "ship"), "success")
		waitReaction(w, ts, 2*time.Second, "white_check_mark")
	})
}
