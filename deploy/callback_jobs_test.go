package deploy

import (
	"strings"
	"testing"
	"time"
)

// call is a callback of a job, written as "name@stage:result"; no name: of an old
// script.
func call(text string) Callback {
	job, result, _ := strings.Cut(text, ":")
	name, stage, _ := strings.Cut(job, "@")
	return Callback{Result: Result(result), Pipeline: 7, JobName: name, JobStage: stage}
}

func hear(r Record, calls string, at time.Time, u Timing) Record {
	for c := range strings.SplitSeq(calls, ", ") {
		r, _ = r.Hear(call(c), at, u)
	}
	return r
}

func lastSaid(r Record) MessageID {
	if len(r.Lines) == 0 {
		return ""
	}
	return r.Lines[len(r.Lines)-1].ID
}

// What the calls of several jobs make of a deployment where GitLab cannot be asked.
func TestCallsOfSeveralJobs(t *testing.T) {
	blind := timing
	blind.CanPoll = false
	for _, row := range []struct {
		name, job, calls string
		want             State
		said             MessageID
	}{
		{"another job's success is none of the one that failed", "", "deploy-a@x:failure, deploy-b@x:success", Failed, MsgFailed},
		{"the one that failed is run again", "", "deploy@x:failure, deploy@x:success", Succeeded, MsgRecovered},
		{"two failed, one is run again", "", "deploy-a@x:failure, deploy-b@x:failure, deploy-a@x:success", Failed, MsgFailed},
		{"two failed, both are run again", "", "deploy-a@x:failure, deploy-b@x:failure, deploy-a@x:success, deploy-b@x:success", Succeeded, MsgRecovered},
		{"the pipeline's word after a failure", "", "deploy@x:failure, notify_success@y:success", Succeeded, MsgRecovered},
		{"the pipeline's word, by its stage", "", "deploy@x:failure, tell@notify:success", Succeeded, MsgRecovered},
		{"the classic file's word", "", "deploy@x:failure, deploy_success@x:success", Succeeded, MsgRecovered},
		{"the pipeline failed, then a job succeeded", "", "deploy_failure@x:failure, deploy@x:success", Succeeded, MsgRecovered},
		{"an old script failed", "", ":failure, deploy@x:success", Succeeded, MsgRecovered},
		{"an old script succeeded", "", "deploy@x:failure, :success", Succeeded, MsgRecovered},
		{"the modern file's one job", "", "deploy@deploy:start, deploy@deploy:success", Succeeded, MsgSucceeded},
		{"a job of any name", "", "release@x:success", Succeeded, MsgSucceeded},
		{"canceled, then run again", "", "deploy@x:canceled, deploy@x:success", Succeeded, MsgRecovered},
		{"another than the target's job", "ship", "build@x:success", Running, ""},
		{"the target's job", "ship", "build@x:success, ship it@x:success", Succeeded, MsgSucceeded},
		{"another than the target's job failed", "ship", "build@x:failure", Failed, MsgFailed},
		{"it was run again, and the target's job is still to come", "ship", "build@x:failure, build@x:success", Failed, MsgFailed},
		{"it was run again, and the target's job came", "ship", "build@x:failure, build@x:success, ship it@x:success", Succeeded, MsgRecovered},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := in(Running)
			r.Deployment.Job = row.job
			for c := range strings.SplitSeq(row.calls, ", ") {
				r = hear(r, c, t0, blind)
				if again := hear(r, c, t0, blind); again.State != r.State || len(again.Lines) != len(r.Lines) {
					t.Errorf("%s once more: %s after %s", c, again.State, r.State)
				}
			}
			if r.State != row.want || lastSaid(r) != row.said {
				t.Errorf("%s, said %q; want %s, %q", r.State, lastSaid(r), row.want, row.said)
			}
		})
	}
}

// Whatever a job reports, its pipeline exists: a person who waits for GitLab's
// answer about it, or never got one, is told so.
func TestACallOfAnyJobShowsThatThePipelineRuns(t *testing.T) {
	blind := timing
	blind.CanPoll = false
	for _, s := range []State{Triggering, Waiting, Unsure} {
		for name, u := range map[string]Timing{"GitLab can be asked": timing, "GitLab cannot be asked": blind} {
			r := in(s)
			r.Deployment.Job = "ship"
			if r = hear(r, "build@x:success", t0, u); r.State != Running || r.Deployment.Pipeline != 7 || r.Next.IsZero() {
				t.Errorf("%s, %s: %s of pipeline %d, due %v", s, name, r.State, r.Deployment.Pipeline, r.Next)
			}
			r, _ = r.Settle(1, TriggerResult{Status: TriggerRefused, Reason: MsgRefusedRef}, t0, u)
			if r.State != Running {
				t.Errorf("%s, %s: a no that came after it made it %s", s, name, r.State)
			}
		}
	}
}

// Where GitLab can be asked, a job's success proves that job alone: it is asked
// about the others, at once.
func TestJobsDecideWhatACallMeans(t *testing.T) {
	at := t0.Add(time.Minute)
	goesOn := Pipeline{ID: 7, Judged: true}
	done := Pipeline{ID: 7, End: Succeeded, Judged: true}
	failed := Pipeline{ID: 7, End: Failed, Detail: "deploy-b", Judged: true}
	unseen := Pipeline{ID: 7, Judged: true, Unseen: true, Retry: true}
	noRight := Pipeline{ID: 7, Judged: true, Unseen: true}
	before := Pipeline{ID: 7}
	for _, row := range []struct {
		name, calls string
		looks       []Pipeline // each when it is due; the zero one: it failed
		want        State
		said        MessageID
		after       time.Duration // at most
	}{
		{"all is done", "deploy@x:success", []Pipeline{done}, Succeeded, MsgSucceeded, 0},
		{"the classic file's word, and all is done", "deploy_success@notify:success", []Pipeline{done}, Succeeded, MsgSucceeded, 0},
		{"an old script is believed", ":success", nil, Succeeded, MsgSucceeded, 0},
		{"another is still running", "deploy-a@x:success", []Pipeline{goesOn, goesOn}, Running, "", 11 * time.Second},
		{"and then it is done", "deploy-a@x:success", []Pipeline{goesOn, goesOn, done}, Succeeded, MsgSucceeded, 20 * time.Second},
		{"and then it failed", "deploy-a@x:success", []Pipeline{goesOn, failed}, Failed, MsgFailed, 20 * time.Second},
		{"a look that began before the call tells nothing", "deploy@x:success", []Pipeline{before, done}, Succeeded, MsgSucceeded, 0},
		{"the jobs are seen in time", "deploy@x:success", []Pipeline{unseen, unseen, done}, Succeeded, MsgSucceeded, 10 * time.Second},
		{"they are not: it is believed", "deploy@x:success", []Pipeline{unseen, {}, unseen, {}, {}, {}}, Succeeded, MsgUnseen, 15 * time.Second},
		{"they never will be: it is believed", "deploy@x:success", []Pipeline{noRight}, Succeeded, MsgUnseen, 0},
		{"another failed before, and GitLab's word makes it a success", "deploy-a@x:failure, deploy-b@x:success", []Pipeline{done}, Succeeded, MsgRecovered, 0},
		{"another failed before, and GitLab says so too", "deploy-b@x:failure, deploy-a@x:success", []Pipeline{failed}, Failed, MsgFailed, 0},
		{"another failed before, and GitLab cannot be asked", "deploy-b@x:failure, deploy-a@x:success", []Pipeline{{}, {}, {}, {}, {}, {}, {}}, Failed, MsgFailed, time.Hour},
		{"another failed before, and is run again just now", "deploy-b@x:failure, deploy-a@x:success", []Pipeline{goesOn, goesOn, done}, Succeeded, MsgRecovered, 20 * time.Second},
		{"the same failed before", "deploy@x:failure, deploy@x:success", []Pipeline{done}, Succeeded, MsgRecovered, 0},
		{"it fails after all, before GitLab was asked", "deploy@x:success, deploy@x:failure", nil, Failed, MsgFailed, 0},
		{"fails again, before GitLab was asked", "deploy@x:failure, deploy@x:success, deploy@x:failure", []Pipeline{{}, {}, {}, {}, {}, {}, {}}, Failed, MsgFailed, time.Hour},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, now := hear(in(Running), row.calls, at, timing), at
			for i, p := range row.looks {
				if r.Next.IsZero() || !r.ShouldPoll(timing) || r.State == Succeeded {
					t.Fatalf("look %d is not made: %s, due %v", i, r.State, r.Next)
				}
				now = later(now, r.Next)
				r = r.Polled(p, false, now, now, timing)
			}
			if r.State != row.want || lastSaid(r) != row.said || now.Sub(at) > row.after {
				t.Errorf("%s after %v, said %q; want %s, %q", r.State, now.Sub(at), lastSaid(r), row.want, row.said)
			}
		})
	}
}

func TestAClockThatIsSetBackMakesNoLooksWithoutAPause(t *testing.T) {
	for name, saw := range map[string]Pipeline{"nothing": {}, "that it goes on": {ID: 7, Judged: true}} {
		r, now := hear(in(Running), "deploy@x:success", t0.Add(2*time.Hour), timing), t0.Add(time.Hour)
		for range 3 {
			r = r.Polled(saw, false, now, now, timing)
		}
		if !r.Next.After(now) {
			t.Errorf("it saw %s, and looks again and again: due %v later", name, r.Next.Sub(now))
		}
	}
}

func TestALookThatACallInterruptsIsMadeAnewAtOnce(t *testing.T) {
	at := t0.Add(time.Minute)
	r := hear(in(Running), "deploy@x:success", at, timing)
	if r = r.Polled(Pipeline{}, false, at.Add(-time.Second), at, timing); !r.Next.Equal(at) {
		t.Errorf("due %v after the call", r.Next.Sub(at))
	}
}

// Another replica's poll may end after a callback, and show what was before it.
func TestALookThatBeganBeforeACallDoesNotOverruleIt(t *testing.T) {
	failed := Pipeline{ID: 7, End: Failed, Detail: "deploy-a", Judged: true}
	for name, row := range map[string]struct {
		calls string
		saw   Pipeline
		want  State
	}{
		"the job that failed was run again and is done":  {"deploy-a@x:failure, deploy-b@x:success, deploy-a@x:success", failed, Failed},
		"all is done, where GitLab saw one still failed": {"deploy-b@x:success", failed, Running},
		"all is done, where GitLab saw one still run":    {"deploy-b@x:success", Pipeline{ID: 7, Judged: true}, Running},
	} {
		t.Run(name, func(t *testing.T) {
			at := t0.Add(time.Minute)
			r := hear(in(Running), row.calls, at, timing)
			r = r.Polled(row.saw, false, at.Add(-time.Second), at, timing)
			if r.State != row.want || !r.Next.Equal(at) || !r.ShouldPoll(timing) {
				t.Fatalf("%s, due %v after the call", r.State, r.Next.Sub(at))
			}
			if r = r.Polled(Pipeline{ID: 7, End: Succeeded, Judged: true}, false, at, at, timing); r.State != Succeeded {
				t.Errorf("%s when GitLab shows the success", r.State)
			}
		})
	}
}

func TestWhatFailedIsNotAskedAboutForEver(t *testing.T) {
	r := hear(in(Running), "deploy-b@x:failure, deploy-a@x:success", t0, timing)
	now, looks := t0, 0
	for ; !r.Next.IsZero(); looks++ {
		now = later(now, r.Next)
		r = r.Polled(Pipeline{ID: 7, Judged: true}, false, now, now, timing)
		if looks > 1000 {
			t.Fatal("it is asked about again and again")
		}
	}
	if r.State != Failed || r.ShouldPoll(timing) || now.Sub(t0) < time.Hour {
		t.Errorf("%s after %v and %d looks", r.State, now.Sub(t0), looks)
	}
}

func TestACallBeforeTheTriggerIsRecordedWaitsForTheJobs(t *testing.T) {
	for _, s := range []State{Triggering, Waiting, Unsure} {
		r := hear(in(s), "deploy@x:success", t0, timing)
		if r.State != Running || !r.Next.Equal(t0) || !r.ShouldPoll(timing) {
			t.Errorf("%s becomes %s, due %v", s, r.State, r.Next)
		}
	}
	if r := hear(in(Accepted), "deploy@x:success", t0, timing); r.State != Succeeded {
		t.Errorf("with no project known it is %s", r.State)
	}
}

func TestRunningKeepsItsTargetPastItsTime(t *testing.T) {
	r, now := in(Running), t0
	for now.Sub(t0) < 30*time.Hour {
		if gap := r.Next.Sub(now); gap <= 0 || gap > time.Minute {
			t.Fatalf("after %v the next look is in %v", now.Sub(t0), gap)
		}
		now = r.Next
		r = r.Polled(Pipeline{ID: 7}, false, now, now, timing)
	}
	if r.State != Running || len(r.Lines) != 1 || r.Lines[0].ID != MsgOvertime || r.Lines[0].Took != 3600 {
		t.Errorf("%s %+v", r.State, r.Lines)
	}
}
