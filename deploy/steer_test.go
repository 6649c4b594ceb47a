package deploy

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// steered is a record in a state, whose pipeline the bot may cancel and run again,
// after an earlier success.
func steered(s State) Record {
	r := in(s)
	before := succeededBefore().Success()
	r.Deployment.Progress = &Progress{Commit: Commit{SHA: "c2"}, Before: &before, Job: &Job{ID: 70, Name: "deploy"}, Steers: true}
	return r
}

func kinds(buttons []Button) string {
	var all []string
	for _, b := range buttons {
		all = append(all, strings.TrimSpace(string(b.Do)+" "+b.SHA))
	}
	return strings.Join(all, ", ")
}

func pressOf(r Record, do Kind, user string) Press {
	return Press{
		Pressed: Pressed{By: Person{User: user}, At: t0, TS: "1700000100.000001"}, Key: r.Request.Key, Do: do, Pipeline: r.Deployment.Pipeline,
		ID: "id-" + user,
	}
}

func TestButtonsAreThoseOfTheStateAndTheRight(t *testing.T) {
	mayNot := func(r *Record) { r.Deployment.Progress.Steers = false }
	for name, row := range map[string]struct {
		state  State
		change func(*Record)
		want   string
	}{
		"running":                            {Running, nil, "cancel"},
		"running, without the right":         {Running, mayNot, ""},
		"not known to run":                   {Unsure, nil, ""},
		"failed":                             {Failed, nil, "retry, rollback 9f8e7d6"},
		"failed, without the right":          {Failed, mayNot, "retry"},
		"failed before its job began":        {Failed, func(r *Record) { r.Deployment.Progress.Job = nil }, "retry"},
		"failed, with nothing before":        {Failed, func(r *Record) { r.Deployment.Progress.Before = nil }, "retry"},
		"failed, of the same commit":         {Failed, func(r *Record) { r.Deployment.Progress.Commit.SHA = "9f8e7d6" }, "retry"},
		"canceled":                           {Canceled, nil, "retry, rollback 9f8e7d6"},
		"succeeded":                          {Succeeded, nil, "rollback 9f8e7d6"},
		"succeeded, and it has a page":       {Succeeded, func(r *Record) { r.Deployment.Site = "https://app.example/" }, "open, rollback 9f8e7d6"},
		"succeeded a while ago, with a page": {Succeeded, func(r *Record) { r.Deployment.Site = "https://app.example/"; *r = r.Rest() }, "open"},
		"a rollback that failed":             {Failed, func(r *Record) { r.Deployment.Rollback = &Success{} }, ""},
		"refused":                            {Refused, nil, ""},
		"refused, of an older commit":        {Refused, func(r *Record) { r.Deployment.MovedOn = true }, "pending"},
		"canceled, of another commit":        {Canceled, func(r *Record) { r.Deployment.MovedOn = true }, "pending, rollback 9f8e7d6"},
	} {
		r := steered(row.state)
		if row.change != nil {
			row.change(&r)
		}
		if got := kinds(r.buttons()); got != row.want {
			t.Errorf("%s: the buttons are %q, not %q", name, got, row.want)
		}
	}
}

func TestACancelIsRepeatedForAMinuteAndThenTold(t *testing.T) {
	r := steered(Running)
	r, _, say := r.PressStatus(pressOf(r, KindCancel, "U2"), t0)
	if say.ID != "" || !r.IsCanceling() || r.View().Posts[0].Message.ID != MsgStatusCanceling || r.View().Posts[0].Message.By != "U2" {
		t.Fatalf("it shows %+v, told %q", r.View().Posts[0].Message, say.ID)
	}
	if _, result := r.Hear(Callback{ID: "id-1", Result: ResultStart, Pipeline: 7}, t0, timing); result != CallbackStop {
		t.Errorf("a job that asks whether it may deploy is answered %s", result)
	}
	if _, _, say := r.PressStatus(pressOf(r, KindCancel, "U3"), t0); say.ID != MsgPressedBefore || say.By != "U2" {
		t.Errorf("somebody else who presses is told %+v", say)
	}
	asked := 0
	for now := t0; r.IsCanceling() && asked < 100; asked++ {
		r = r.Polled(Pipeline{ID: 7, Steers: true}, false, now, now, timing).AskedToCancel(false, now)
		if r.IsCanceling() && r.Next.Sub(now) > cancelEvery {
			t.Fatalf("it is asked again in %s", r.Next.Sub(now))
		}
		now = now.Add(cancelEvery)
	}
	if last := r.Lines[len(r.Lines)-1]; asked != 13 || last.ID != MsgCancelNoEffect || last.User != "U2" || r.State != Running {
		t.Errorf("asked %d times, and told %+v", asked, last)
	}
	if kinds(r.buttons()) != "cancel" {
		t.Errorf("afterwards the buttons are %q", kinds(r.buttons()))
	}
	refused := steered(Running)
	refused, _, _ = refused.PressStatus(pressOf(refused, KindCancel, "U2"), t0)
	if refused = refused.AskedToCancel(true, t0); refused.IsCanceling() || refused.Lines[len(refused.Lines)-1].ID != MsgCancelRefused {
		t.Errorf("refused, it is %+v", refused.Lines)
	}
}

func TestWhoCanceledWhatBecomesSilentIsTold(t *testing.T) {
	r := steered(Running)
	end := r.Deadline()
	r, _, _ = r.PressStatus(pressOf(r, KindCancel, "U2"), end.Add(-10*time.Second))
	r = r.Polled(Pipeline{Unread: true}, false, end, end, timing).AskedToCancel(false, end)
	if last := r.Lines[len(r.Lines)-1]; r.State != Silent || last.ID != MsgSilent || last.User != "U1" || last.By != "U2" {
		t.Errorf("%s, told %+v", r.State, last)
	}
}

func TestWhoCanceledIsTold(t *testing.T) {
	r := steered(Running)
	r, _, _ = r.PressStatus(pressOf(r, KindCancel, "U2"), t0)
	r = r.Polled(Pipeline{ID: 7, End: Canceled, Judged: true}, false, t0, t0, timing)
	if last := r.Lines[len(r.Lines)-1]; r.State != Canceled || last.ID != MsgStopped || last.By != "U2" || last.User != "U1" {
		t.Errorf("%s, told %+v", r.State, last)
	}
}

func TestARetryIsARecordOfItsOwn(t *testing.T) {
	r := steered(Failed)
	first := pressOf(r, KindRetry, "U2")
	r, _, say := r.PressStatus(first, t0)
	if say.ID != "" || r.Again == nil || r.Again.Made || r.Next != t0 {
		t.Fatalf("told %q, it keeps %+v", say.ID, r.Again)
	}
	again, _, say := r.PressStatus(first, t0)
	if say.ID != "" || again.Again.Request != r.Again.Request {
		t.Errorf("the same press once more is told %q", say.ID)
	}
	second := pressOf(r, KindRollback, "U3")
	second.TS = "1700000101.000001"
	if _, _, say := r.PressStatus(second, t0); say.ID != MsgPressedBefore || say.By != "U2" {
		t.Errorf("another press is told %+v", say)
	}
	later := t0.Add(time.Hour) // the store's clock is another than Slack's
	made := r.Again.Record(later)
	if !made.Next.Equal(later) {
		t.Errorf("it is due in %s", made.Next.Sub(later))
	}
	if made.Request.Key.TS != first.TS || made.Request.ID != "id-U2" || made.Request.ReplyThread() != r.Request.ReplyThread() || !made.IsPressed() || !made.IsGoingOn() {
		t.Errorf("the record is %+v", made.Request)
	}
	if in := made.Asked().Intent; in.Kind != KindDeploy || in.Target != "app" || made.Asked().By.User != "U2" {
		t.Errorf("it asks for %+v", made.Asked())
	}
	started := made.Start(target, "", "sum", t0, timing)
	for _, r := range []Record{made, started, started.Slow(t0.Add(SlowAfter))} {
		if calls := pending(r); slices.ContainsFunc(calls, func(c Call) bool { return c.Kind == CallReact || c.Kind == CallUnreact }) {
			t.Errorf("%s: it reacts on a message that is not there: %+v", r.State, calls)
		}
	}
	if r = r.AgainMade(); kinds(r.buttons()) != "" || !r.Next.IsZero() {
		t.Errorf("afterwards the buttons are %q", kinds(r.buttons()))
	}
}

func TestAPressOfAButtonThatIsGoneIsAnswered(t *testing.T) {
	running, failed := steered(Running), steered(Failed)
	other := pressOf(running, KindCancel, "U2")
	other.Pipeline = 8
	for name, row := range map[string]struct {
		r Record
		p Press
	}{
		"a cancel after the end":     {failed, pressOf(failed, KindCancel, "U2")},
		"a cancel of another":        {running, other},
		"a retry of what runs again": {running, pressOf(running, KindRetry, "U2")},
	} {
		next, _, say := row.r.PressStatus(row.p, t0)
		if say.ID != MsgPressOver || len(say.Known) != 1 || next.Again != nil || next.Deployment.Cancel != nil {
			t.Errorf("%s: told %+v", name, say)
		}
	}
}

func TestARollbackIsTheJobsOwnEnd(t *testing.T) {
	to := succeededBefore().Success()
	r := accepted().GoBack(to, nil).Start(target, "", "", t0, timing)
	if len(r.Tokens) > 0 {
		t.Error("it has a token that no job knows")
	}
	r, _ = r.Settle(1, TriggerResult{Status: TriggerStarted, Pipeline: Pipeline{ID: 6, Job: &Job{ID: 99, Name: "deploy"}}}, t0, timing)
	if r.State != Running || r.Deployment.Pipeline != 6 || r.Deployment.Progress.Job.ID != 99 || r.Deployment.Progress.Commit.SHA != "9f8e7d6" {
		t.Fatalf("%s %+v", r.State, r.Deployment)
	}
	old, result := succeededBefore().RolledBackBy(&r.Request.Key).Hear(Callback{Result: ResultFailure, JobName: "deploy"}, t0, timing)
	if result != CallbackTaken || len(old.Lines) != len(succeededBefore().Lines) {
		t.Errorf("the old record answers %s and says %+v", result, old.Lines)
	}
	later := t0.Add(time.Minute)
	start, success := Callback{Result: ResultStart}, Callback{Result: ResultSuccess, Pipeline: 6, JobName: "deploy", Shared: true}
	if now, result := r.HearPassed(start, later); now.Next != later || result != CallbackTaken {
		t.Errorf("it is looked at in %s, and answers %s", now.Next.Sub(later), result)
	}
	if now, result := r.Hear(success, later, timing); now.State != Running || result != CallbackUnknown {
		t.Errorf("a callback of its own is answered %s, and it is %s", result, now.State)
	}
	canceling := r
	canceling.Deployment.Cancel = &Cancel{By: "U2", At: later}
	if _, result := canceling.HearPassed(start, later); result != CallbackStop {
		t.Errorf("while it is being canceled, its job is answered %s", result)
	}
	failed := r.end(Pipeline{End: Failed}, t0)
	if failed, _ = failed.HearPassed(success, later); failed.State != Failed || !failed.ShouldPoll(timing) || failed.Next != later {
		t.Errorf("after its failure, GitLab is not asked again: %+v", failed.Deployment)
	}
	if other, _ := in(Running).HearPassed(success, later); other.Next == later {
		t.Error("not the rollback is looked at")
	}
}

// Who reports a failure does not say why: GitLab is asked once more.
func TestAReportedFailureIsLookedUpOnce(t *testing.T) {
	r := in(Running)
	r, _ = r.Hear(Callback{ID: "id-1", Result: ResultFailure, Pipeline: 7, Job: 31, JobName: "deploy"}, t0, timing)
	if f := r.Deployment.Progress.Failed; r.State != Failed || f.Name != "deploy" || f.URL != "https://git/app/-/jobs/31" {
		t.Fatalf("%s %+v", r.State, f)
	}
	lines, asked := len(r.Lines), 0
	for now := t0; r.ShouldPoll(timing) && !r.Next.IsZero() && asked < 10; asked++ {
		now = later(now, r.Next)
		seen := Pipeline{} // at first it does not answer
		if asked == 1 {
			seen = Pipeline{ID: 7, Stages: []Stage{{Name: "deploy", Status: "failed"}}, Failed: &Job{ID: 31, Name: "deploy", Reason: "script_failure"}}
		}
		r = r.Polled(seen, false, now, now, timing)
	}
	if asked != 2 || r.Deployment.Progress.Failed.Reason != "script_failure" || len(r.Lines) != lines || r.State != Failed {
		t.Errorf("asked %d times: %s %+v %+v", asked, r.State, r.Deployment.Progress.Failed, r.Lines)
	}
}

// How long a deployment usually takes is the middle of the last three, without those
// that went back.
func TestHowLongADeploymentUsuallyTakes(t *testing.T) {
	var last *Record
	for i, row := range []struct {
		took     time.Duration
		rollback bool
		usual    int64
	}{{40 * time.Second, false, 0}, {5 * time.Second, true, 40}, {60 * time.Second, false, 40}, {20 * time.Second, false, 60}, {0, false, 40}, {10 * time.Second, false, 40}, {0, false, 20}} {
		r := in(Running).WithPast(last)
		usual := int64(0)
		if g := r.Deployment.Progress; g != nil {
			usual = g.Usual
		}
		if usual != row.usual {
			t.Errorf("after %d: %d s, want %d", i, usual, row.usual)
		}
		if r = r.end(Pipeline{End: Succeeded}, r.Deployment.Triggered.Add(row.took)); row.rollback {
			r.Deployment.Rollback = &Success{}
		}
		last = &r
	}
}
