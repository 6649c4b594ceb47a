package deploy

import (
	"slices"
	"testing"
)

// What a callback makes of each state, and what the pipeline is answered.
func TestWord(t *testing.T) {
	any := func(s ...State) []State { return s }
	open := any(Accepted, Triggering, Waiting, Unsure, Running, Silent)
	for _, row := range []struct {
		result Result
		from   []State
		to     State // empty: stays
		heard  CallbackResult
	}{
		{ResultStart, any(Accepted, Triggering, Waiting, Unsure), Running, CallbackTaken},
		{ResultStart, any(Running, Silent, Succeeded, Failed, Canceled), "", CallbackTaken},
		{ResultStart, any(Answered, Refused), "", CallbackStop},
		{ResultSuccess, append(any(Failed, Canceled), open...), Succeeded, CallbackTaken},
		{ResultSuccess, any(Succeeded), "", CallbackTaken},
		{ResultSuccess, any(Refused), "", CallbackNoEffect},
		{ResultSuccess, any(Answered), "", CallbackUnknown},
		{ResultFailure, open, Failed, CallbackTaken},
		{ResultFailure, any(Failed, Succeeded), "", CallbackTaken},
		{ResultFailure, any(Canceled, Refused), "", CallbackNoEffect},
		{ResultFailure, any(Answered), "", CallbackUnknown},
		{ResultCanceled, open, Canceled, CallbackTaken},
		{ResultCanceled, any(Canceled), "", CallbackTaken},
		{ResultCanceled, any(Succeeded, Failed, Refused), "", CallbackNoEffect},
		{ResultCanceled, any(Answered), "", CallbackUnknown},
	} {
		for _, s := range row.from {
			t.Run(string(row.result)+" in "+string(s), func(t *testing.T) {
				w := Callback{ID: "id-1", Result: row.result, Pipeline: 7}
				want := row.to
				if want == "" {
					want = s
				}
				r, v := in(s).Hear(w, t0, timing)
				if r.State != want || v != row.heard {
					t.Errorf("%s, %s; want %s, %s", r.State, v, want, row.heard)
				}
				again, v2 := r.Hear(w, t0, timing)
				if again.State != r.State || len(again.Lines) != len(r.Lines) || v2 != v {
					t.Errorf("the same word again: %s, %s, %d lines after %d", again.State, v2, len(again.Lines), len(r.Lines))
				}
			})
		}
	}
}

func TestWordOfAnotherDeploymentIsUnknown(t *testing.T) {
	if r, v := in(Running).Hear(Callback{ID: "id-2", Result: ResultSuccess}, t0, timing); v != CallbackUnknown || r.State != Running {
		t.Errorf("%s %s", r.State, v)
	}
}

func TestOnlyItsOwnPipelineIsHeard(t *testing.T) {
	if _, v := in(Running).Hear(Callback{Result: ResultStart, Pipeline: 8}, t0, timing); v != CallbackStop {
		t.Errorf("a start from another pipeline: %s, want stop", v)
	}
	if r, v := in(Running).Hear(Callback{Result: ResultFailure, Pipeline: 8}, t0, timing); v != CallbackNoEffect || r.State != Running {
		t.Errorf("a result from another pipeline: %s %s, want no effect", r.State, v)
	}
	if r, v := in(Running).Hear(Callback{Result: ResultFailure}, t0, timing); v != CallbackTaken || r.State != Failed {
		t.Errorf("an old script does not say its pipeline: %s %s", r.State, v)
	}
	r, _ := in(Unsure).Hear(Callback{Result: ResultStart, Pipeline: 9}, t0, timing)
	if _, v := r.Hear(Callback{Result: ResultStart, Pipeline: 10}, t0, timing); v != CallbackStop {
		t.Errorf("the second pipeline of one request was let through: %s", v)
	}
}

func TestStartIsStoppedWhereThePersonWasToldThatNothingRuns(t *testing.T) {
	late := t0.Add(1e12)
	r := in(Unsure).Polled(Pipeline{}, true, late, t0, timing)
	if !r.Deployment.NoneSeen {
		t.Fatal("not told")
	}
	if _, v := r.Hear(Callback{Result: ResultStart, Pipeline: 9}, t0, timing); v != CallbackStop {
		t.Errorf("start: %s, want stop", v)
	}
	if r, v := r.Hear(Callback{Result: ResultSuccess, Pipeline: 9}, t0, timing); v != CallbackTaken || r.State != Succeeded {
		t.Errorf("a late success: %s %s; it still settles", r.State, v)
	}
}

func TestFailureAfterSuccessLeavesTheMarkAndGetsOneLine(t *testing.T) {
	r := in(Succeeded)
	for range 3 {
		r, _ = r.Hear(Callback{Result: ResultFailure, Pipeline: 7}, t0, timing)
	}
	said := slices.DeleteFunc(slices.Clone(r.Lines), func(m Message) bool { return m.ID != MsgFailedAfter })
	if r.State != Succeeded || len(said) != 1 {
		t.Errorf("%s with %d lines about it", r.State, len(said))
	}
}

func TestRetryInGitLabRecovers(t *testing.T) {
	r, v := in(Failed).Hear(Callback{Result: ResultSuccess, Pipeline: 7}, t0, timing)
	if last := r.Lines[len(r.Lines)-1]; r.State != Succeeded || v != CallbackTaken || last.ID != MsgRecovered {
		t.Errorf("%s %s %s", r.State, v, last.ID)
	}
}
