package deploy

import (
	"testing"
	"time"
)

// confirmedOf is a record whose POST is being made, of a commit that was confirmed.
func confirmedOf(sha string) Record {
	r := in(Triggering)
	r.Deployment.Pipeline = 0
	r.Ask = &Ask{Step: 1, Buttons: []Button{{Do: KindDeploy, Target: "app", SHA: sha}, {}}, Pressed: &Pressed{By: Person{User: "U2"}}}
	return r
}

func TestAnotherCommitThanWasConfirmed(t *testing.T) {
	settled := func(sha string) Record {
		r := confirmedOf("c1")
		r, _ = r.Settle(r.Deployment.Attempt, TriggerResult{Status: TriggerStarted, Pipeline: Pipeline{ID: 7, SHA: sha}}, t0, timing)
		return r
	}
	for _, sha := range []string{"c1", ""} {
		if r := settled(sha); r.IsCanceling() || r.Deployment.MovedOn {
			t.Errorf("a pipeline of %q is canceled", sha)
		}
	}
	moved := settled("c2")
	if moved.State != Running || !moved.IsCanceling() || moved.Next.After(t0) {
		t.Fatalf("another commit is in %s, due at %s", moved.State, moved.Next)
	}
	last := func(r Record) MessageID { return r.Lines[len(r.Lines)-1].ID }
	for name, end := range map[string]Pipeline{
		"canceled": {ID: 7, End: Canceled}, "failed, as its job was stopped": {ID: 7, End: Failed},
		"failed, and other jobs go on": {ID: 7, End: Failed, GoesOn: true, Judged: true},
	} {
		r := moved.Polled(end, false, t0, t0, timing)
		for range 3 { // what goes on, or somebody runs again
			if r.State != Canceled || last(r) != MsgOtherCommit || kinds(r.buttons()) != "pending" {
				t.Errorf("%s: it is %s, and says %s with %q", name, r.State, last(r), kinds(r.buttons()))
			}
			r = r.Polled(end, false, t0.Add(time.Minute), t0.Add(time.Minute), timing)
			if !end.GoesOn {
				break
			}
		}
	}
	if r, _ := moved.Hear(Callback{Result: ResultFailure, Pipeline: 7, JobName: "deploy"}, t0, timing); r.State != Canceled || last(r) != MsgOtherCommit {
		t.Errorf("reported as failed, it is %s, and says %s", r.State, last(r))
	}
	if r := moved.Polled(Pipeline{ID: 7, End: Succeeded}, false, t0, t0, timing); r.State != Succeeded || last(r) != MsgOtherCommitOut {
		t.Errorf("it has succeeded, and is %s, and says %s", r.State, last(r))
	}
}

func TestAStartOfAnotherCommitIsStopped(t *testing.T) {
	start := func(sha string) Callback { return Callback{Result: ResultStart, Pipeline: 7, SHA: sha} }
	for sha, want := range map[string]CallbackResult{"c1": CallbackTaken, "c2": CallbackStop, "": CallbackStop} {
		r, got := confirmedOf("c1").Hear(start(sha), t0, timing)
		if got != want {
			t.Errorf("a start of %q: %s, want %s", sha, got, want)
		}
		if again, got := r.Hear(start(sha), t0, timing); got != want || again.State != r.State {
			t.Errorf("the same start of %q: %s, want %s", sha, got, want)
		}
	}
	r := confirmedOf("c1")
	r, _ = r.Settle(r.Deployment.Attempt, TriggerResult{Status: TriggerStarted, Pipeline: Pipeline{ID: 7, SHA: "c1"}}, t0, timing)
	if r, got := r.Hear(start("c2"), t0, timing); got != CallbackStop || r.IsCanceling() {
		t.Errorf("a start of a child in another project: %s, canceled: %t", got, r.IsCanceling())
	}
	if _, got := confirmedOf("").Hear(start("c2"), t0, timing); got != CallbackTaken {
		t.Errorf("where nothing is confirmed: %s", got)
	}
}
