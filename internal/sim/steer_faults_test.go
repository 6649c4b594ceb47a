package sim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sim"
)

// deployedTimes deploys several commits of a channel's target, one after the other.
func deployedTimes(w *sim.World, n int) (threads []string) {
	w.T.Helper()
	for i := range n {
		if i > 0 {
			w.GitLab.Push(sim.Project, "master", "Change it", "yamada")
		}
		threads = append(threads, deployed(w, sim.Channel, "release", "white_check_mark"))
	}
	return threads
}

// wantPipelines checks how many pipelines there are.
func wantPipelines(w *sim.World, n int) {
	w.T.Helper()
	time.Sleep(30 * time.Second)
	if got := len(w.GitLab.Pipelines()); got != n {
		w.T.Errorf("%d pipelines, want %d", got, n)
	}
}

// reruns counts how often jobs of a pipeline were run again.
func reruns(w *sim.World, nth int) (n int) {
	for _, j := range w.GitLab.Pipelines()[nth].Jobs {
		if j.Retried {
			n++
		}
	}
	return n
}

// back confirms a rollback by word, and returns the thread in which it runs.
func back(w *sim.World, reaction string) (ts string) {
	w.T.Helper()
	ts, q := ask(w, sim.Channel, "ロールバック", deploy.MsgRollback)
	press(w, second, sim.Channel, q, 0)
	waitLong(w, sim.Channel, ts, reaction)
	return ts
}

// rerunFails has each job that is run again fail.
func rerunFails(w *sim.World) {
	w.Rerun = func(p fakegitlab.Pipeline, j fakegitlab.Job) {
		w.GitLab.MoveJob(p.ID, j.ID, "running")
		time.Sleep(20 * time.Second)
		w.GitLab.FailJob(p.ID, j.ID, "script_failure")
		w.GitLab.Finish(p.ID, "failed")
	}
}

func TestWhatFollowsARollback(t *testing.T) {
	row(t, "a word of retry in the thread of one that failed asks for it once more, and deploys nothing", func(t *testing.T) {
		w := sim.New(t)
		stages(w)
		w.StartReady("a")
		deployedTimes(w, 2)
		rerunFails(w)
		ts := back(w, "x")
		again := w.Slack.Say(second, sim.Channel, sim.Bot+" もう一度", fakeslack.InThread(ts))
		w.WaitReactions(sim.Channel, again, "thinking_face")
		wantPipelines(w, 2)
		if text := strings.Join(w.Texts(sim.Channel, ts), "\n"); !strings.Contains(text, w.GitLab.Pipelines()[0].SHA[:7]) {
			t.Errorf("the thread does not offer the first commit: %s", text)
		}
	})
	row(t, "one that failed is asked for once more: the same commit is offered, and the newest is asked about", func(t *testing.T) {
		w := sim.New(t)
		stages(w)
		w.StartReady("a")
		deployedTimes(w, 3)
		rerunFails(w)
		back(w, "x")
		ask(w, sim.Channel, "release", deploy.MsgTakenBack)
		stages(w)
		back(w, "white_check_mark")
		if n := reruns(w, 1); n != 2 || reruns(w, 0) > 0 || reruns(w, 2) > 0 {
			t.Errorf("the job before was run again %d times, the first %d, the newest %d", n, reruns(w, 0), reruns(w, 2))
		}
		ask(w, sim.Channel, "release", deploy.MsgTakenBack)
		wantPipelines(w, 3)
	})
	row(t, "another one goes back further, and the newest commit is still asked about", func(t *testing.T) {
		w := sim.New(t)
		stages(w)
		w.StartReady("a")
		deployedTimes(w, 3)
		back(w, "white_check_mark")
		back(w, "white_check_mark")
		if reruns(w, 0) != 1 || reruns(w, 1) != 1 || reruns(w, 2) != 0 {
			t.Errorf("jobs were run again %d, %d and %d times", reruns(w, 0), reruns(w, 1), reruns(w, 2))
		}
		ask(w, sim.Channel, "release", deploy.MsgTakenBack)
		ts := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" ロールバック")
		w.WaitMessages(sim.Channel, ts, deploy.MsgNothingBefore)
		wantPipelines(w, 3)
	})
	row(t, "a release while it runs is asked about", func(t *testing.T) {
		w := sim.New(t)
		stages(w)
		w.StartReady("a")
		deployedTimes(w, 2)
		ts, q := ask(w, sim.Channel, "ロールバック", deploy.MsgRollback)
		press(w, second, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		ask(w, sim.Channel, "release", deploy.MsgTakenBack)
		wantPipelines(w, 2)
	})
	row(t, "a button of a question that was about something else asks too, once", func(t *testing.T) {
		w := sim.New(t)
		stages(w)
		w.StartReady("a")
		deployedTimes(w, 2)
		ts, q := ask(w, sim.Channel, "release otama", deploy.MsgUnclear)
		back(w, "white_check_mark")
		press(w, second, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgTakenBack)
		wantPipelines(w, 2)
		press(w, second, sim.Channel, statusOf(w, sim.Channel, ts, 0), 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 3)
	})
}

func TestARollbackToWhatIsGone(t *testing.T) {
	row(t, "is not made, and that is told at once", func(t *testing.T) {
		w := sim.New(t)
		stages(w)
		w.StartReady("a")
		deployedTimes(w, 2)
		ts, q := ask(w, sim.Channel, "ロールバック", deploy.MsgRollback)
		w.GitLab.FailLookUps(-1, "/jobs", fakegitlab.Fault{Status: 404, Body: `{"message":"404 Not found"}`})
		press(w, second, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgRefusedRetry)
		wantPipelines(w, 2)
	})
}

func TestARollbackThatGitLabRefuses(t *testing.T) {
	row(t, "the job it was about speaks for its own deployment again", func(t *testing.T) {
		w := sim.New(t)
		stages(w)
		w.StartReady("a")
		first := deployedTimes(w, 2)[0]
		ts, q := ask(w, sim.Channel, "ロールバック", deploy.MsgRollback)
		w.GitLab.FailLookUps(-1, "/retry", fakegitlab.Fault{Status: 403, Body: `{"message":"403 Forbidden - Job is not retryable"}`})
		press(w, second, sim.Channel, q, 0)
		waitLong(w, sim.Channel, ts, "x")
		w.Report(w.GitLab.Pipelines()[0], "failure") // somebody has run it again in GitLab
		w.WaitMessages(sim.Channel, first, deploy.MsgStatusSucceeded, deploy.MsgSucceeded, deploy.MsgFailedAfter)
	})
}

func TestTheJobOfARollback(t *testing.T) {
	running := func(t *testing.T) (w *sim.World, ts string) {
		w = sim.New(t)
		stages(w)
		w.StartReady("a")
		deployedTimes(w, 2)
		w.Rerun = func(p fakegitlab.Pipeline, j fakegitlab.Job) { w.GitLab.MoveJob(p.ID, j.ID, "running") }
		ts, q := ask(w, sim.Channel, "ロールバック", deploy.MsgRollback)
		press(w, second, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		return w, ts
	}
	row(t, "the secret that all projects share says nothing of it", func(t *testing.T) {
		w, ts := running(t)
		for _, result := range []string{"success", "failure", "start"} {
			if status, _ := w.Notify("a", result, sim.Channel, ts, "pipeline=99"); status == 200 {
				t.Errorf("%s is taken", result)
			}
		}
		time.Sleep(time.Minute)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
	})
	row(t, "asks whether it may deploy while it is being canceled: no", func(t *testing.T) {
		w, ts := running(t)
		w.GitLab.IgnoreCancels(true)
		w.Eventually("the button", time.Minute, func() bool {
			action, _ := button(statusOf(w, sim.Channel, ts, 0), "cancel")
			return action != ""
		})
		if !w.Report(w.GitLab.Pipelines()[0], "start") {
			t.Error("it may not deploy before that")
		}
		pressOn(w, second, sim.Channel, statusOf(w, sim.Channel, ts, 0), "cancel")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusCanceling)
		if w.Report(w.GitLab.Pipelines()[0], "start") {
			t.Error("it may deploy")
		}
	})
	row(t, "fails, and GitLab runs it again by itself: that one's end is told", func(t *testing.T) {
		w, ts := running(t)
		p := w.GitLab.Pipelines()[0]
		job := p.Jobs[len(p.Jobs)-1]
		w.GitLab.FailJob(p.ID, job.ID, "runner_system_failure")
		w.GitLab.RetryJob(job.ID)
		time.Sleep(time.Minute)
		p = w.GitLab.Pipelines()[0]
		w.GitLab.MoveJob(p.ID, p.Jobs[len(p.Jobs)-1].ID, "success")
		waitLong(w, sim.Channel, ts, "white_check_mark")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgRolledBack)
	})
	row(t, "a failed rollback that somebody runs again in GitLab has succeeded", func(t *testing.T) {
		w := sim.New(t)
		stages(w)
		w.StartReady("a")
		deployedTimes(w, 2)
		rerunFails(w)
		ts := back(w, "x")
		w.Rerun = nil
		p := w.GitLab.Pipelines()[0]
		again := w.GitLab.RetryJob(p.Jobs[len(p.Jobs)-1].ID)
		w.Report(p, "start")
		time.Sleep(time.Minute)
		w.GitLab.MoveJob(p.ID, again.ID, "success")
		w.Report(p, "success")
		waitLong(w, sim.Channel, ts, "white_check_mark")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgFailed, deploy.MsgRolledBack)
	})
}

func TestAWaitingRollbackWhoseMessageIsEdited(t *testing.T) {
	row(t, "is not made", func(t *testing.T) {
		w := sim.New(t)
		stages(w)
		w.StartReady("a")
		deployedTimes(w, 2)
		ts, q := ask(w, sim.Channel, "ロールバック", deploy.MsgRollback)
		w.GitLab.FailLookUps(1, "/retry", fakegitlab.Fault{Status: 429, Body: `{"message":"429"}`, Header: map[string]string{"Retry-After": "60"}})
		press(w, second, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
		w.Slack.Edit(sim.Channel, ts, sim.Bot+" release")
		time.Sleep(5 * time.Minute)
		if n := reruns(w, 0); n > 0 {
			t.Errorf("the job was run again %d times", n)
		}
		wantPipelines(w, 2)
	})
}

func TestAnEarlyFailureIsFollowedOn(t *testing.T) {
	row(t, "somebody runs the job again while the pipeline goes on, and it succeeds", func(t *testing.T) {
		w := sim.New(t)
		w.Pipeline = func(p fakegitlab.Pipeline) {
			w.GitLab.SetJobs(p.ID, fakegitlab.Job{ID: 1, Name: "deploy", Stage: "deploy"}, fakegitlab.Job{ID: 2, Name: "smoke", Stage: "test"})
			w.GitLab.MoveJob(p.ID, 2, "running")
			w.GitLab.FailJob(p.ID, 1, "script_failure")
			w.GitLab.Finish(p.ID, "running")
			time.Sleep(3 * time.Minute)
			again := w.GitLab.RetryJob(1)
			time.Sleep(3 * time.Minute)
			w.GitLab.MoveJob(p.ID, again.ID, "success")
			w.GitLab.MoveJob(p.ID, 2, "success")
			w.GitLab.Finish(p.ID, "success")
		}
		w.StartReady("a")
		ts := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release")
		waitLong(w, sim.Channel, ts, "x")
		waitLong(w, sim.Channel, ts, "white_check_mark")
		if all := w.Messages(sim.Channel, ts); !slices.Contains(all, deploy.MsgRecovered) {
			t.Errorf("it says %q", all)
		}
	})
}

func TestAPressWhileOthersDeploy(t *testing.T) {
	slow := fakegitlab.Fault{Status: 429, Body: "Retry later\n", Header: map[string]string{"Retry-After": "60"}}
	row(t, "a retry while a release waits is not made", func(t *testing.T) {
		w := sim.New(t)
		w.Pipeline = func(p fakegitlab.Pipeline) { w.GitLab.Finish(p.ID, "failed") }
		w.StartReady("a")
		ts := deployed(w, sim.Channel, "release", "x")
		w.GitLab.Answer(1, slow)
		other := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release")
		w.WaitReactions(sim.Channel, other, "hourglass_flowing_sand")
		pressOn(w, second, sim.Channel, statusOf(w, sim.Channel, ts, 0), "retry")
		wantWhispers(w, sim.Channel, second, deploy.MsgPressOver)
		time.Sleep(2 * time.Minute)
		wantPipelines(w, 2)
		wantAcked(w)
	})
	row(t, "a rollback that waits is not made after another release", func(t *testing.T) {
		w := sim.New(t)
		stages(w)
		w.StartReady("a")
		deployedTimes(w, 2)
		ts, q := ask(w, sim.Channel, "ロールバック", deploy.MsgRollback)
		w.GitLab.FailLookUps(1, "/retry", slow)
		press(w, second, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
		w.GitLab.Push(sim.Project, "master", "Repair it", "yamada")
		w.GitLab.Heal()
		deployed(w, sim.Channel, "release", "white_check_mark")
		if n := reruns(w, 0); n > 0 {
			t.Errorf("the job was run again %d times", n)
		}
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusAnswered, deploy.MsgPressOver)
	})
}

func TestTwoWordsOfRetryAtOnce(t *testing.T) {
	row(t, "one deploys, the other is asked about", func(t *testing.T) {
		w := sim.New(t)
		w.Pipeline = func(p fakegitlab.Pipeline) { w.GitLab.Finish(p.ID, "failed") }
		w.StartReady("a")
		w.StartReady("b")
		ts := deployed(w, sim.Channel, "release", "x")
		w.GitLab.Answer(1, fakegitlab.Fault{Make: 1, Status: 201, Delay: 10 * time.Second})
		for range 2 {
			w.Slack.Say(second, sim.Channel, sim.Bot+" もう一度", fakeslack.InThread(ts))
		}
		time.Sleep(time.Second)
		w.Slack.Say(sim.User, sim.Channel, sim.Bot+" もう一度", fakeslack.InThread(ts))
		wantPipelines(w, 2)
		asked := 0
		for _, m := range w.Messages(sim.Channel, ts) {
			if m == deploy.MsgAgain {
				asked++
			}
		}
		if asked != 2 {
			t.Errorf("it says %q", w.Messages(sim.Channel, ts))
		}
	})
}

func TestAnAnswerAboutAnotherCommitIsNotShown(t *testing.T) {
	row(t, "the pipeline's own stays", func(t *testing.T) {
		w := sim.New(t)
		stages(w)
		w.GitLab.FailLookUps(-1, "/repository/commits", fakegitlab.Fault{Status: 200, Body: `{"id":"` + strings.Repeat("a", 40) + `","title":"Another"}`})
		w.StartReady("a")
		ts := deployed(w, sim.Channel, "release", "white_check_mark")
		if text := strings.Join(w.Texts(sim.Channel, ts), "\n"); strings.Contains(text, "aaaaaaa") || !strings.Contains(text, w.GitLab.Pipelines()[0].SHA[:7]) {
			t.Errorf("it says %s", text)
		}
	})
}

func TestWhatIsToBeDeployedAfterTheMapWasChanged(t *testing.T) {
	otherProject := fmt.Sprintf(`GITLAB_TRIGGER_TOKENS={%q: {%q: {"app": {"project_id": "group/web", "token": %q}}}}`, sim.Team, sim.Channel, sim.TriggerToken)
	row(t, "what waits is not deployed in another project", func(t *testing.T) {
		w := sim.New(t)
		w.GitLab.Answer(1, fault(t, "rate limit of a proxy"))
		a := w.StartReady("a")
		ts := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release")
		w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
		stop(t, a)
		w.StartReady("b", otherProject)
		waitLong(w, sim.Channel, ts, "x")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRefused, deploy.MsgRefusedGone)
		wantPipelines(w, 0)
	})
	row(t, "a retry of another project is not made", func(t *testing.T) {
		w := sim.New(t)
		w.Pipeline = func(p fakegitlab.Pipeline) { w.GitLab.Finish(p.ID, "failed") }
		a := w.StartReady("a")
		ts := deployed(w, sim.Channel, "release", "x")
		stop(t, a)
		w.StartReady("b", otherProject)
		pressOn(w, second, sim.Channel, statusOf(w, sim.Channel, ts, 0), "retry")
		wantWhispers(w, sim.Channel, second, deploy.MsgPressOld)
		wantPipelines(w, 1)
		wantAcked(w)
	})
}

func TestACancelAmongManyDeployments(t *testing.T) {
	t.Parallel()
	row(t, "does not wait until GitLab may be read", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		var all []string
		for range few(100) {
			all = append(all, w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release"))
			time.Sleep(2 * time.Second)
		}
		var status fakeslack.Message
		w.Eventually("the button", 10*time.Minute, func() bool {
			status = statusOf(w, sim.Channel, all[len(all)/2], 0)
			action, _ := button(status, "cancel")
			return action != ""
		})
		pressOn(w, second, sim.Channel, status, "cancel")
		w.Eventually("the cancel", 5*time.Second, func() bool {
			return slices.ContainsFunc(w.GitLab.Pipelines(), func(p fakegitlab.Pipeline) bool { return p.Status == "canceled" })
		})
	})
}

func TestAnEndAmongManyEdits(t *testing.T) {
	t.Parallel()
	row(t, "is shown at once, although what goes on waits for its turn", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		var all []string
		for range few(100) {
			all = append(all, w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release"))
			time.Sleep(1500 * time.Millisecond)
		}
		ended := all[len(all)/4]
		time.Sleep(5 * time.Minute)
		for _, p := range w.GitLab.Pipelines() {
			if p.Variables["timestamp"] == ended {
				w.Report(p, "success")
			}
		}
		w.Eventually("its status message", 5*time.Second, func() bool {
			return w.Messages(sim.Channel, ended)[0] == deploy.MsgStatusSucceeded
		})
	})
}
