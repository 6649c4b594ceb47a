package deploy

import (
	"slices"
	"strings"
	"testing"
	"time"
)

var waitForRate = TriggerResult{Status: TriggerWait, Reason: MsgWaitRate, After: time.Second}

// second is a record whose second POST is in flight, since the first was turned away.
func second() Record {
	waiting, _ := accepted().Start(target, "", "sum", t0, timing).Settle(1, waitForRate, t0, timing)
	return waiting.Start(target, "", "sum-2", t0.Add(12*time.Second), timing)
}

// A worker that was cut off from the store saves the result of its POST later, on
// top of a record that somebody else has moved on to the next POST.
func TestOutcomeOfAnEarlierAttemptMovesNothing(t *testing.T) {
	late := t0.Add(30 * time.Second)
	unsure, _ := second().Settle(2, TriggerResult{Status: TriggerUnsure}, late, timing)
	running, _ := second().Settle(2, TriggerResult{Status: TriggerStarted, Pipeline: Pipeline{ID: 7}}, late, timing)
	for name, r := range map[string]Record{"in flight": second(), "unsure": unsure, "running": running} {
		for _, o := range []TriggerResult{
			waitForRate,
			{Status: TriggerRefused, Reason: MsgRefusedRef},
			{Status: TriggerNotSent},
			{Status: TriggerUnsure},
		} {
			next, applied := r.Settle(1, o, late, timing)
			if next.State != r.State || len(next.Lines) != len(r.Lines) || !next.Next.Equal(r.Next) || applied {
				t.Errorf("second attempt %s: %s of the first made it %s, due %v", name, o.Status, next.State, next.Next)
			}
		}
	}
}

func TestPipelineOfAnyAttemptIsAdopted(t *testing.T) {
	late := t0.Add(30 * time.Second)
	p := Pipeline{ID: 7, URL: "https://git/7"}
	unsure, _ := second().Settle(2, TriggerResult{Status: TriggerUnsure}, late, timing)
	waiting, _ := second().Settle(2, waitForRate, late, timing)
	for name, r := range map[string]Record{"in flight": second(), "unsure": unsure, "waiting": waiting} {
		next, applied := r.Settle(1, TriggerResult{Status: TriggerStarted, Pipeline: p}, late, timing)
		if next.State != Running || next.Deployment.Pipeline != 7 || next.Deployment.URL != p.URL || !applied {
			t.Errorf("%s: %s with pipeline %d", name, next.State, next.Deployment.Pipeline)
		}
		// What the attempt in flight comes to, in its turn, changes nothing any more.
		for _, o := range []TriggerResult{waitForRate, {Status: TriggerUnsure}, {Status: TriggerStarted, Pipeline: Pipeline{ID: 8}}} {
			if then, _ := next.Settle(2, o, late, timing); then.State != Running || then.Deployment.Pipeline != 7 {
				t.Errorf("%s: then %s made it %s of pipeline %d", name, o.Status, then.State, then.Deployment.Pipeline)
			}
		}
	}
}

// A start call that does not say its pipeline came before GitLab's answer, which does.
func TestPipelineThatIsLearntLateIsFollowed(t *testing.T) {
	for name, learn := range map[string]func(Record) Record{
		"by GitLab's answer": func(r Record) Record {
			r, _ = r.Settle(1, TriggerResult{Status: TriggerStarted, Pipeline: Pipeline{ID: 7}}, t0, timing)
			return r
		},
		"by another start call": func(r Record) Record {
			r, _ = r.Hear(Callback{Result: ResultStart, Pipeline: 7}, t0, timing)
			return r
		},
	} {
		r, _ := in(Triggering).Hear(Callback{Result: ResultStart}, t0, timing)
		if r = learn(r); r.State != Running || r.Deployment.Pipeline != 7 || r.Next.Sub(t0) > 15*time.Second {
			t.Errorf("%s: %s of pipeline %d, looked at in %v", name, r.State, r.Deployment.Pipeline, r.Next.Sub(t0))
		}
	}
}

func TestRecordThatKnowsAPipelineIsNeverTriggered(t *testing.T) {
	r := in(Waiting)
	r.Deployment.Pipeline = 7
	defer func() {
		if recover() == nil {
			t.Error("another POST was allowed")
		}
	}()
	r.Start(target, "", "sum", t0, timing)
}

// The look-up was asked before a callback named the record's pipeline.
func TestLookUpOfAnotherPipelineChangesNothing(t *testing.T) {
	r, v := in(Unsure).Hear(Callback{Result: ResultStart, Pipeline: 8}, t0, timing)
	if v != CallbackTaken || r.State != Running {
		t.Fatalf("start: %s %s", v, r.State)
	}
	for _, p := range []Pipeline{{ID: 7}, {ID: 7, End: Failed}, {ID: 7, End: Succeeded}, {ID: 7, End: Canceled}} {
		next := r.Polled(p, true, t0, t0.Add(time.Second), timing)
		if next.State != Running || next.Deployment.Pipeline != 8 || next.Deployment.URL != r.Deployment.URL {
			t.Errorf("pipeline 7 %s made the record of pipeline 8 %s", p.End, next.State)
		}
	}
	if r = r.Polled(Pipeline{}, true, t0.Add(time.Hour/2), t0.Add(time.Hour/2), timing); r.Deployment.NoneSeen {
		t.Error("a listing without it made a pipeline that called one that is not there")
	}
}

func TestEachAttemptHasATokenOfItsOwn(t *testing.T) {
	if got := second().Tokens; !slices.Equal(got, []string{"sum", "sum-2"}) {
		t.Errorf("the record keeps %q", got)
	}
	r := accepted()
	var newest string
	for range 40 {
		newest = TokenSum(NewToken())
		r = r.Start(target, "", newest, t0, timing)
		r.State = Waiting
	}
	if len(r.Tokens) != 32 || r.Tokens[31] != newest {
		t.Errorf("the record keeps %d sums, the newest among them: %v", len(r.Tokens), slices.Contains(r.Tokens, newest))
	}
	a, b := NewToken(), NewToken()
	if a == b || !TokenForm.MatchString(a.Reveal()) || len(a.Reveal()) != 36 {
		t.Error("tokens are not psy_ and 32 random characters of base32")
	}
	if sum := TokenSum(a); sum == TokenSum(b) || strings.Contains(sum, a.Reveal()[4:20]) {
		t.Error("a sum tells its token, or nothing")
	}
}

// A refusal never follows "GitLab shows no pipeline": its person may have asked anew.
func TestNothingIsRefusedAfterNoneWasSeen(t *testing.T) {
	late := t0.Add(2 * time.Minute)
	r := in(Unsure).Polled(Pipeline{}, true, late, late, timing)
	if !r.Deployment.NoneSeen {
		t.Fatal("a complete listing was not believed")
	}
	for _, o := range []TriggerResult{{Status: TriggerRefused, Reason: MsgRefusedRef}, waitForRate, {Status: TriggerNotSent}} {
		if next, _ := r.Settle(1, o, late, timing); next.State != Unsure || len(next.Lines) != len(r.Lines) {
			t.Errorf("%s made it %s", o.Status, next.State)
		}
	}
}

// The POST may be written until 5 s after its save, and GitLab works on it for a
// minute more: before that, it must not count as lost.
func TestPOSTIsNotGivenUpBeforeItMustHaveEnded(t *testing.T) {
	r := accepted().Start(target, "", "sum", t0, timing)
	if least := t0.Add(WriteWithin + timing.RequestTimeout); r.Next.Before(least) {
		t.Errorf("it is due %v after its save", r.Next.Sub(t0))
	}
}
