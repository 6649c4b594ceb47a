package deploy

import (
	"slices"
	"testing"
	"time"
)

var (
	t0     = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	rules  = Rules{MaxAge: 2 * time.Minute, RequestTimeout: time.Minute, Watches: true}
	target = Target{Team: "T1", Channel: "C1", Name: "app", Project: "42", Ref: "master", Key: "RELEASE", Timeout: time.Hour}
)

func accepted() Record {
	return Record{State: Accepted, Mention: Mention{Key: Key{"T1", "C1", "1700000000.000100"}, ID: "id-1", User: "U1"}}
}

// in gives a record in a state, brought there by the moves themselves.
func in(s State) Record {
	r := accepted()
	if s == Accepted {
		return r
	}
	if s == Answered {
		return r.Answer(Message{Say: SayGreet})
	}
	r = r.Start(target, "https://git/app/-/pipelines", "sum", t0, rules)
	settle := func(o Outcome) Record { next, _ := r.Settle(1, o, t0, rules); return next }
	switch s {
	case Triggering:
		return r
	case Waiting:
		return settle(Outcome{Fate: FateWait, Say: SayWaitRate, After: time.Minute})
	case Unsure:
		return settle(Outcome{Fate: FateUnsure})
	case Refused:
		return settle(Outcome{Fate: FateRefused, Say: SayRefusedRef})
	}
	r = settle(Outcome{Fate: FateStarted, Pipeline: Pipeline{ID: 7, URL: "https://git/app/-/pipelines/7"}})
	switch s {
	case Silent:
		return r.Look(Pipeline{}, false, t0, t0.Add(2*time.Hour), rules)
	case Succeeded, Failed, Canceled:
		return r.end(Pipeline{End: s})
	}
	return r
}

func allStates() []State {
	var all []State
	for s := range Moves() {
		all = append(all, s)
	}
	slices.Sort(all)
	return all
}

// The table of states: what stands on the mention and in the thread.
func TestStateShows(t *testing.T) {
	rows := []struct {
		state  State
		mark   string
		status Say
		line   Say // the last line in the thread
		named  bool
	}{
		{state: Accepted},
		{state: Answered, line: SayGreet},
		{state: Triggering},
		{state: Waiting, mark: "hourglass_flowing_sand", status: SayWaitRate},
		{state: Unsure, mark: "question", status: SayStatusUnsure},
		{state: Running, mark: "thumbsup", status: SayStatusRunning},
		{state: Silent, mark: "zzz", status: SayStatusSilent, line: SaySilent, named: true},
		{state: Refused, mark: "x", line: SayRefusedRef},
		{state: Succeeded, mark: "white_check_mark", status: SayStatusSucceeded, line: SaySucceeded},
		{state: Failed, mark: "x", status: SayStatusFailed, line: SayFailed, named: true},
		{state: Canceled, mark: "no_entry_sign", status: SayStatusCanceled, line: SayCanceled, named: true},
	}
	if len(rows) != len(Moves()) {
		t.Fatalf("%d rows for %d states", len(rows), len(Moves()))
	}
	for _, row := range rows {
		t.Run(string(row.state), func(t *testing.T) {
			r := in(row.state)
			if r.State != row.state {
				t.Fatalf("is %s", r.State)
			}
			v := r.View()
			if v.Mark != row.mark {
				t.Errorf("mark %q, want %q", v.Mark, row.mark)
			}
			if row.status == "" && v.Status != nil || row.status != "" && (v.Status == nil || v.Status.Say != row.status) {
				t.Errorf("status %v, want %q", v.Status, row.status)
			}
			var last Message
			if len(r.Lines) > 0 {
				last = r.Lines[len(r.Lines)-1]
			}
			if last.Say != row.line || (last.User == "U1") != row.named {
				t.Errorf("line %q naming %q, want %q, named: %v", last.Say, last.User, row.line, row.named)
			}
		})
	}
}

func TestDeployThatWorksPutsTwoMessagesInTheThread(t *testing.T) {
	r := in(Succeeded)
	posts := 0
	for _, s := range r.owed() {
		if s.do == doPost {
			posts++
		}
	}
	if posts != 2 {
		t.Errorf("%d posts, want the status message and the line that says the end", posts)
	}
}

func TestNoMoveLeavesTheTable(t *testing.T) {
	for from, tos := range Moves() {
		for _, to := range allStates() {
			func() {
				defer func() {
					if panicked := recover() != nil; panicked == slices.Contains(tos, to) {
						t.Errorf("%s to %s: panicked %v", from, to, panicked)
					}
				}()
				Record{State: from}.move(to)
			}()
		}
	}
}

// What becomes of the POST, by its outcome.
func TestOutcomeSettlesTheTrigger(t *testing.T) {
	p := Pipeline{ID: 7, URL: "https://git/7"}
	for _, row := range []struct {
		name string
		o    Outcome
		want State
		next time.Duration // after t0; 0: not due for its own sake
	}{
		{"started", Outcome{Fate: FateStarted, Pipeline: p}, Running, 5 * time.Second},
		{"failed at once", Outcome{Fate: FateFailed, Pipeline: Pipeline{ID: 7, End: Failed}}, Failed, 0},
		{"refused", Outcome{Fate: FateRefused, Say: SayRefusedToken}, Refused, 0},
		{"rate limit", Outcome{Fate: FateWait, Say: SayWaitRate, After: time.Minute}, Waiting, time.Minute},
		{"not reached", Outcome{Fate: FateWait, Say: SayWaitUnreachable, After: time.Second}, Waiting, time.Second},
		{"rate limit beyond the end of waiting", Outcome{Fate: FateWait, Say: SayWaitRate, After: 6 * time.Minute}, Refused, 0},
		{"not sent", Outcome{Fate: FateNotSent, After: time.Second}, Waiting, time.Second},
		{"lost", Outcome{Fate: FateUnsure}, Unsure, time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, applied := in(Triggering).Settle(1, row.o, t0, rules)
			if r.State != row.want || !applied {
				t.Errorf("is %s, applied %v; want %s", r.State, applied, row.want)
			}
			if want := t0.Add(row.next); row.next == 0 && !r.Next.IsZero() || row.next != 0 && !r.Next.Equal(want) {
				t.Errorf("due %v, want %v", r.Next, row.next)
			}
		})
	}
}

func TestLateAnswerOnlyFillsInTheLink(t *testing.T) {
	p := Pipeline{ID: 7, URL: "https://git/7"}
	r, _ := in(Triggering).Hear(Word{Result: ResultSuccess, Pipeline: 7}, t0, rules)
	r, applied := r.Settle(1, Outcome{Fate: FateStarted, Pipeline: p}, t0, rules)
	if r.State != Succeeded || r.Deployment.URL != p.URL || !applied {
		t.Errorf("%s %q %v", r.State, r.Deployment.URL, applied)
	}
	other, applied := r.Settle(1, Outcome{Fate: FateStarted, Pipeline: Pipeline{ID: 8, URL: "https://git/8"}}, t0, rules)
	if applied || other.Deployment.Pipeline != 7 {
		t.Error("a record's pipeline was set twice")
	}
	refused, applied := r.Settle(1, Outcome{Fate: FateRefused, Say: SayRefusedRef}, t0, rules)
	if applied || refused.State != Succeeded {
		t.Error("a late refusal took a success back")
	}
}

func TestWaitingEndsFiveMinutesAfterTheFirstTrigger(t *testing.T) {
	r := in(Waiting)
	end := r.Deployment.WaitEnd
	if !end.Equal(t0.Add(5 * time.Minute)) {
		t.Fatalf("waiting ends at %v", end)
	}
	r = r.Start(target, "", "sum", t0.Add(time.Minute), rules)
	if !r.Deployment.WaitEnd.Equal(end) {
		t.Error("another try moved the end of waiting")
	}
}

func TestUnsureIsLookedUpUntilAListingDecides(t *testing.T) {
	r := in(Unsure)
	var at []time.Duration
	for !r.Deployment.NoneSeen {
		now := r.Next
		at = append(at, now.Sub(t0))
		r = r.Look(Pipeline{}, true, now, now, rules)
		if r.State != Unsure || len(at) > 20 {
			t.Fatalf("is %s after looking at %v", r.State, at)
		}
	}
	want := []time.Duration{1, 3, 7, 15, 30, 60, 80}
	for i := range want {
		want[i] *= time.Second
	}
	if !slices.Equal(at, want) {
		t.Errorf("looked at %v, want %v", at, want)
	}
	if last := r.Lines[len(r.Lines)-1]; last.Say != SayNoneSeen || last.User != "U1" {
		t.Errorf("told %v", last)
	}
	if !r.Next.Equal(r.Deadline()) {
		t.Error("after it told the person it goes on looking")
	}
	if r = r.Look(Pipeline{}, false, r.Next, r.Next, rules); r.State != Silent {
		t.Errorf("at the deadline it is %s", r.State)
	}
	if lastSaid(r) != SayNoneSeen {
		t.Errorf("at the deadline the person is called again: %s", lastSaid(r))
	}
}

func TestIncompleteOrFailedListingDecidesNothing(t *testing.T) {
	late := t0.Add(10 * time.Minute)
	if r := in(Unsure).Look(Pipeline{}, false, late, late, rules); r.Deployment.NoneSeen {
		t.Error("an incomplete listing was believed")
	}
	if r := in(Unsure).Look(Pipeline{}, true, t0.Add(79*time.Second), late, rules); r.Deployment.NoneSeen {
		t.Error("a listing begun before GitLab must have ended was believed")
	}
}

func TestUnsureWithoutAPITokenWaitsForAWord(t *testing.T) {
	blind := rules
	blind.Watches = false
	r, _ := in(Triggering).Settle(1, Outcome{Fate: FateUnsure}, t0, blind)
	if r.Looks(blind) || !r.Next.Equal(r.Deadline()) {
		t.Errorf("looks %v, due %v", r.Looks(blind), r.Next)
	}
}

func TestRunningIsFollowed(t *testing.T) {
	r := in(Running)
	now := t0
	for range 40 {
		gap := r.Next.Sub(now)
		if gap < 5*time.Second || gap > 12*time.Second {
			t.Fatalf("looked at after %v", gap)
		}
		now = r.Next
		r = r.Look(Pipeline{ID: 7}, true, now, now, rules)
	}
	if r = r.Look(Pipeline{ID: 7, End: Canceled}, true, now, now, rules); r.State != Canceled {
		t.Errorf("a canceled pipeline left it %s", r.State)
	}
}

func TestDeadline(t *testing.T) {
	late := t0.Add(2 * time.Hour)
	if r := in(Running).Look(Pipeline{}, false, late, late, rules); r.State != Silent {
		t.Errorf("no word and no answer by the deadline: %s, want silent", r.State)
	}
	if r := in(Running).Look(Pipeline{ID: 7}, true, late, late, rules); r.State != Running {
		t.Errorf("GitLab says it goes on: %s, want running", r.State)
	}
	if r := in(Silent).Look(Pipeline{ID: 7, End: Succeeded}, true, late, late, rules); r.State != Succeeded {
		t.Errorf("GitLab says how it ended, late: %s, want succeeded", r.State)
	}
}

func TestBreakThreeTimesEnds(t *testing.T) {
	for s, want := range map[State]State{Accepted: Answered, Waiting: Answered, Triggering: Unsure, Running: Running} {
		r := in(s)
		for range 2 {
			r = r.Break(t0, rules)
			if r.State != s {
				t.Fatalf("%s: given up too early", s)
			}
		}
		if r = r.Break(t0, rules); r.State != want {
			t.Errorf("%s becomes %s, want %s", s, r.State, want)
		}
	}
}

func TestEdit(t *testing.T) {
	for s, want := range map[State]State{Accepted: Answered, Waiting: Answered, Triggering: Triggering, Running: Running, Succeeded: Succeeded} {
		if r := in(s).Edit(false); r.State != want {
			t.Errorf("edited to ask no more, %s becomes %s, want %s", s, r.State, want)
		}
	}
	r := in(Answered).Edit(true)
	if last := r.Lines[len(r.Lines)-1]; last.Say != SayEditedIn {
		t.Errorf("edited to ask for a deploy: %v", last.Say)
	}
	if again := r.Edit(true); len(again.Lines) != len(r.Lines) {
		t.Error("it asks twice to post it anew")
	}
	if r := in(Running).Edit(true); len(r.Lines) != 0 {
		t.Error("an edit of what runs is answered")
	}
}

// Whoever takes a request back while its POST is being made, by an edit or by
// deleting it, gets no second POST.
func TestWhatIsTakenBackDuringAPOSTIsNotTriedAgain(t *testing.T) {
	for name, back := range map[string]Record{"edited": in(Triggering).Edit(false), "deleted": in(Triggering).Gone()} {
		for fate, want := range map[Fate]State{FateWait: Answered, FateNotSent: Answered, FateStarted: Running, FateUnsure: Unsure, FateRefused: Refused} {
			r, _ := back.Settle(back.Deployment.Attempt, Outcome{Fate: fate, Pipeline: Pipeline{ID: map[Fate]int64{FateStarted: 7}[fate]}}, t0, rules)
			if r.State != want {
				t.Errorf("%s, then %s: %s, want %s", name, fate, r.State, want)
			}
			said := map[string]Say{"edited": SayEditedOut}[name] // of a message that is gone, nobody is told that an edit was in time
			if want == Answered && (!r.Next.IsZero() || lastSaid(r) != said) {
				t.Errorf("%s, then %s: due at %s, says %v", name, fate, r.Next, r.Lines)
			}
		}
	}
	r := in(Triggering).Edit(false).Edit(true)
	if r, _ = r.Settle(r.Deployment.Attempt, Outcome{Fate: FateWait}, t0, rules); r.State != Waiting {
		t.Errorf("edited back, it is %s", r.State)
	}
}

func TestGone(t *testing.T) {
	for _, s := range []State{Accepted, Waiting} {
		r := in(s).Gone()
		if r.State != Answered || len(r.owed()) != len(in(s).owed()) && len(r.owed()) != 0 || !r.Next.IsZero() {
			t.Errorf("deleted, %s becomes %s and owes %v", s, r.State, r.owed())
		}
		if _, v := r.Hear(Word{Result: ResultStart, Pipeline: 9}, t0, rules); v != VerdictStop {
			t.Errorf("a pipeline that starts after all is told %s, want stop", v)
		}
	}
	for _, s := range []State{Unsure, Running, Silent, Succeeded, Failed, Canceled, Refused, Answered} {
		if r := in(s).Gone(); r.State != s {
			t.Errorf("deleted, %s becomes %s", s, r.State)
		}
	}
}
