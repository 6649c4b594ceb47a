package deploy

import (
	"slices"
	"testing"
	"time"
)

var (
	t0     = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	timing = Timing{MaxAge: 2 * time.Minute, RequestTimeout: time.Minute, CanPoll: true}
	target = Target{Team: "T1", Channel: "C1", Name: "app", Project: "42", Ref: "master", Key: "RELEASE", Timeout: time.Hour}
)

func accepted() Record {
	return Record{State: Accepted, Request: Request{Key: Key{"T1", "C1", "1700000000.000100"}, ID: "id-1", By: Person{User: "U1"}, Intent: Intent{Kind: KindDeploy, Target: "app"}}}
}

// in returns a record in a state, brought there by the moves themselves.
func in(s State) Record {
	r := accepted()
	if s == Accepted {
		return r
	}
	if s == Answered {
		return r.Answer(Message{ID: MsgGreet})
	}
	if s == Asking {
		return r.AskPeople(Message{ID: MsgUnclear, Target: "app"}, []Button{{Do: KindDeploy, Target: "app", Ref: "master"}, {}}, t0)
	}
	if s == Locked {
		return r.Lock(target, Intent{}, time.UTC, t0)
	}
	if s == Queued {
		running := in(Running)
		running.Request.TS = "1600000000.000100"
		r, _ = r.Queue(target, t0).Look(Ahead{Active: []Beside{running.Beside()}}, t0)
		return r
	}
	r = r.Start(target, "https://git/app/-/pipelines", "sum", t0, timing)
	settle := func(o TriggerResult) Record { next, _ := r.Settle(1, o, t0, timing); return next }
	switch s {
	case Triggering:
		return r
	case Waiting:
		return settle(TriggerResult{Status: TriggerWait, Reason: MsgWaitRate, After: time.Minute})
	case Unsure:
		return settle(TriggerResult{Status: TriggerUnsure})
	case Refused:
		return settle(TriggerResult{Status: TriggerRefused, Reason: MsgRefusedRef})
	}
	r = settle(TriggerResult{Status: TriggerStarted, Pipeline: Pipeline{ID: 7, URL: "https://git/app/-/pipelines/7"}})
	switch s {
	case Silent:
		return r.Polled(Pipeline{}, false, t0, t0.Add(2*time.Hour), timing)
	case Succeeded, Failed, Canceled:
		return r.end(Pipeline{End: s}, t0)
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

// The table of states: what is on the mention and in the thread.
func TestStateShows(t *testing.T) {
	rows := []struct {
		state  State
		mark   string
		status MessageID
		line   MessageID // the last line in the thread
		named  bool
	}{
		{state: Accepted},
		{state: Asking, mark: "thinking_face", status: MsgUnclear},
		{state: Answered, line: MsgGreet},
		{state: Locked, mark: "lock", status: MsgStatusLocked},
		{state: Queued, mark: "hourglass_flowing_sand", status: MsgStatusQueued},
		{state: Triggering},
		{state: Waiting, mark: "hourglass_flowing_sand", status: MsgWaitRate},
		{state: Unsure, mark: "question", status: MsgStatusUnsure},
		{state: Running, mark: "thumbsup", status: MsgStatusRunning},
		{state: Silent, mark: "zzz", status: MsgStatusSilent, line: MsgSilent, named: true},
		{state: Refused, mark: "x", line: MsgRefusedRef},
		{state: Succeeded, mark: "white_check_mark", status: MsgStatusSucceeded, line: MsgSucceeded},
		{state: Failed, mark: "x", status: MsgStatusFailed, line: MsgFailed, named: true},
		{state: Canceled, mark: "no_entry_sign", status: MsgStatusCanceled, line: MsgCanceled, named: true},
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
			if v.Reaction != row.mark {
				t.Errorf("mark %q, want %q", v.Reaction, row.mark)
			}
			var status MessageID
			for _, p := range v.Posts {
				if p.Slot == SlotStatus {
					status = p.Message.ID
				}
			}
			if status != row.status {
				t.Errorf("status %q, want %q", status, row.status)
			}
			var last Message
			if len(r.Lines) > 0 {
				last = r.Lines[len(r.Lines)-1]
			}
			if last.ID != row.line || (last.User == "U1") != row.named {
				t.Errorf("line %q naming %q, want %q, named: %v", last.ID, last.User, row.line, row.named)
			}
		})
	}
}

func TestDeployThatWorksPutsTwoMessagesInTheThread(t *testing.T) {
	r := in(Succeeded)
	posts := 0
	for _, s := range pending(r) {
		if s.Kind == CallPost {
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
		o    TriggerResult
		want State
		next time.Duration // after t0; 0: not due for its own sake
	}{
		{"started", TriggerResult{Status: TriggerStarted, Pipeline: p}, Running, 5 * time.Second},
		{"failed at once", TriggerResult{Status: TriggerFailed, Pipeline: Pipeline{ID: 7, End: Failed}}, Failed, 0},
		{"refused", TriggerResult{Status: TriggerRefused, Reason: MsgRefusedToken}, Refused, 0},
		{"rate limit", TriggerResult{Status: TriggerWait, Reason: MsgWaitRate, After: time.Minute}, Waiting, time.Minute},
		{"not reached", TriggerResult{Status: TriggerWait, Reason: MsgWaitUnreachable, After: time.Second}, Waiting, time.Second},
		{"rate limit beyond the end of waiting", TriggerResult{Status: TriggerWait, Reason: MsgWaitRate, After: 6 * time.Minute}, Refused, 0},
		{"not sent", TriggerResult{Status: TriggerNotSent, After: time.Second}, Waiting, time.Second},
		{"lost", TriggerResult{Status: TriggerUnsure}, Unsure, time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, applied := in(Triggering).Settle(1, row.o, t0, timing)
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
	r, _ := in(Triggering).Hear(Callback{Result: ResultSuccess, Pipeline: 7}, t0, timing)
	r, applied := r.Settle(1, TriggerResult{Status: TriggerStarted, Pipeline: p}, t0, timing)
	if r.State != Succeeded || r.Deployment.URL != p.URL || !applied {
		t.Errorf("%s %q %v", r.State, r.Deployment.URL, applied)
	}
	other, applied := r.Settle(1, TriggerResult{Status: TriggerStarted, Pipeline: Pipeline{ID: 8, URL: "https://git/8"}}, t0, timing)
	if applied || other.Deployment.Pipeline != 7 {
		t.Error("a record's pipeline was set twice")
	}
	refused, applied := r.Settle(1, TriggerResult{Status: TriggerRefused, Reason: MsgRefusedRef}, t0, timing)
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
	r = r.Start(target, "", "sum", t0.Add(time.Minute), timing)
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
		r = r.Polled(Pipeline{}, true, now, now, timing)
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
	if last := r.Lines[len(r.Lines)-1]; last.ID != MsgNoneSeen || last.User != "U1" {
		t.Errorf("told %v", last)
	}
	if !r.Next.Equal(r.Deadline()) {
		t.Error("after it told the person it goes on looking")
	}
	if r = r.Polled(Pipeline{}, false, r.Next, r.Next, timing); r.State != Silent {
		t.Errorf("at the deadline it is %s", r.State)
	}
	if lastSaid(r) != MsgNoneSeen {
		t.Errorf("at the deadline the person is called again: %s", lastSaid(r))
	}
}

func TestIncompleteOrFailedListingDecidesNothing(t *testing.T) {
	late := t0.Add(10 * time.Minute)
	if r := in(Unsure).Polled(Pipeline{}, false, late, late, timing); r.Deployment.NoneSeen {
		t.Error("an incomplete listing was believed")
	}
	if r := in(Unsure).Polled(Pipeline{}, true, t0.Add(79*time.Second), late, timing); r.Deployment.NoneSeen {
		t.Error("a listing begun before GitLab must have ended was believed")
	}
}

func TestUnsureWithoutAPITokenWaitsForAWord(t *testing.T) {
	blind := timing
	blind.CanPoll = false
	r, _ := in(Triggering).Settle(1, TriggerResult{Status: TriggerUnsure}, t0, blind)
	if r.ShouldPoll(blind) || !r.Next.Equal(r.Deadline()) {
		t.Errorf("looks %v, due %v", r.ShouldPoll(blind), r.Next)
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
		r = r.Polled(Pipeline{ID: 7}, true, now, now, timing)
	}
	if r = r.Polled(Pipeline{ID: 7, End: Canceled}, true, now, now, timing); r.State != Canceled {
		t.Errorf("a canceled pipeline left it %s", r.State)
	}
}

func TestDeadline(t *testing.T) {
	late := t0.Add(2 * time.Hour)
	if r := in(Running).Polled(Pipeline{}, false, late, late, timing); r.State != Silent {
		t.Errorf("no word and no answer by the deadline: %s, want silent", r.State)
	}
	if r := in(Running).Polled(Pipeline{ID: 7}, true, late, late, timing); r.State != Running {
		t.Errorf("GitLab says it goes on: %s, want running", r.State)
	}
	if r := in(Silent).Polled(Pipeline{ID: 7, End: Succeeded}, true, late, late, timing); r.State != Succeeded {
		t.Errorf("GitLab says how it ended, late: %s, want succeeded", r.State)
	}
}

func TestBreakThreeTimesEnds(t *testing.T) {
	for s, want := range map[State]State{Accepted: Answered, Queued: Answered, Waiting: Answered, Triggering: Unsure, Running: Running} {
		r := in(s)
		for range 2 {
			r = r.AfterPanic(t0, timing)
			if r.State != s {
				t.Fatalf("%s: given up too early", s)
			}
		}
		if r = r.AfterPanic(t0, timing); r.State != want {
			t.Errorf("%s becomes %s, want %s", s, r.State, want)
		}
	}
}

func TestEdit(t *testing.T) {
	none, app, api := Intent{}, Intent{Kind: KindDeploy, Target: "app"}, Intent{Kind: KindDeploy, Target: "api"}
	for name, asked := range map[string]Intent{"nothing": none, "another target": api, "a deploy in doubt": {Kind: KindDeploy, Target: "app", Doubt: MsgUnclear}} {
		for s, want := range map[State]State{Accepted: Answered, Queued: Answered, Waiting: Answered, Triggering: Triggering, Running: Running, Succeeded: Succeeded} {
			r := in(s).Edit(asked)
			if r.State != want || r.Deployment.TakenBack != (s == Triggering) {
				t.Errorf("edited to ask for %s, %s becomes %s, want %s", name, s, r.State, want)
			}
			if want == Answered && lastSaid(r) != MsgEditedOut {
				t.Errorf("edited to ask for %s, %s says %s", name, s, lastSaid(r))
			}
		}
	}
	for _, s := range allStates() {
		if r := in(s).Edit(app); r.State != s || r.Deployment.TakenBack {
			t.Errorf("edited, and it asks for the same: %s becomes %s", s, r.State)
		}
	}
	r := in(Waiting).Edit(none).Edit(app)
	if r.State != Answered || lastSaid(r) != MsgEditedLater {
		t.Errorf("withdrawn while it waited, and edited to ask again: %s, %v", r.State, lastSaid(r))
	}
	if again := r.Edit(app); len(again.Lines) != len(r.Lines) {
		t.Error("it asks twice to post it anew")
	}
	for _, kind := range []Kind{KindLock, KindUnlock} {
		lock := accepted()
		lock.Request.Intent = Intent{Kind: kind, Target: "app"}
		if r := lock.Edit(none); r.State != Answered || lastSaid(r) != MsgEditedOut {
			t.Errorf("a request to %s that is edited away: %s, %v", kind, r.State, lastSaid(r))
		}
		if r := lock.Edit(app); r.State != Accepted || !r.Request.Edited {
			t.Errorf("a request to %s that is edited into a deploy: %s, edited %t", kind, r.State, r.Request.Edited)
		}
	}
	inDoubt := app
	inDoubt.Doubt = MsgUnclear
	for name, r := range map[string]Record{
		"a greeting that was answered": func() Record { r := in(Answered); r.Request.Intent = Intent{Kind: KindGreet}; return r }(),
		"a deploy that was taken back": accepted().Edit(none),
		"a deploy that is asked about": in(Asking).Edit(none),
	} {
		for _, asked := range []Intent{app, inDoubt} {
			if r := r.Edit(asked); r.State != Accepted || !r.Request.Edited || r.Request.Intent != asked {
				t.Errorf("%s, edited to ask for a deploy: %s, edited %t, %+v", name, r.State, r.Request.Edited, r.Request.Intent)
			}
		}
	}
	if r := in(Asking).Edit(none); r.State != Answered || len(r.View().Posts) != 1 || r.View().Posts[0].Message.ID != MsgEditedOut || len(r.View().Posts[0].Message.Buttons) > 0 {
		t.Errorf("an ask whose mention asks for nothing any more: %s, %+v", r.State, r.View())
	}
	early := accepted()
	early.Request.Intent = inDoubt
	if r := early.Edit(none); r.State != Answered || lastSaid(r) != MsgEditedOut {
		t.Errorf("a doubtful request that asks for nothing any more, before it is asked about: %s, %v", r.State, lastSaid(r))
	}
	if r := in(Running).Edit(app); len(r.Lines) != 0 {
		t.Error("an edit of what runs is answered")
	}
	greeting := accepted()
	greeting.Request.Intent = Intent{Kind: KindGreet}
	if r := greeting.Edit(app); r.State != Accepted || !r.Request.Edited || !r.Request.Intent.Deploys() {
		t.Errorf("a greeting edited to ask for a deploy, before it is answered: %s, edited %t", r.State, r.Request.Edited)
	}
	if r := greeting.Edit(none); r.State != Accepted {
		t.Errorf("a greeting edited to another, before it is answered: %s", r.State)
	}
}

// A request that is withdrawn while its POST is being made, by an edit or by a
// deletion, gets no second POST.
func TestARetryThatIsEditedOutIsNotMade(t *testing.T) {
	r := accepted()
	r.Request.Intent.Kind = KindRetry
	if _, withdrawn := r.Withdraw(Person{User: "U2"}); !withdrawn || !r.IsGoingOn() {
		t.Error("a stop does not find it")
	}
	if r = r.Edit(Intent{Kind: KindGreet}); r.State != Answered {
		t.Errorf("edited into a greeting, it is %s", r.State)
	}
}

func TestWhatIsTakenBackDuringAPOSTIsNotTriedAgain(t *testing.T) {
	for name, back := range map[string]Record{"edited": in(Triggering).Edit(Intent{}), "deleted": in(Triggering).Gone()} {
		for fate, want := range map[TriggerStatus]State{TriggerWait: Answered, TriggerNotSent: Answered, TriggerStarted: Running, TriggerUnsure: Unsure, TriggerRefused: Refused} {
			r, _ := back.Settle(back.Deployment.Attempt, TriggerResult{Status: fate, Pipeline: Pipeline{ID: map[TriggerStatus]int64{TriggerStarted: 7}[fate]}}, t0, timing)
			if r.State != want {
				t.Errorf("%s, then %s: %s, want %s", name, fate, r.State, want)
			}
			said := map[string]MessageID{"edited": MsgEditedOut}[name] // of a message that is gone, nobody is told that an edit was in time
			if want == Answered && (!r.Next.IsZero() || lastSaid(r) != said) {
				t.Errorf("%s, then %s: due at %s, says %v", name, fate, r.Next, r.Lines)
			}
		}
	}
	r := in(Triggering).Edit(Intent{}).Edit(Intent{Kind: KindDeploy, Target: "app"})
	if r, _ = r.Settle(r.Deployment.Attempt, TriggerResult{Status: TriggerWait}, t0, timing); r.State != Waiting {
		t.Errorf("edited back, it is %s", r.State)
	}
}

func TestGone(t *testing.T) {
	for _, s := range []State{Accepted, Waiting} {
		r := in(s).Gone()
		if r.State != Answered || len(pending(r)) != len(pending(in(s))) && len(pending(r)) != 0 || !r.Next.IsZero() {
			t.Errorf("deleted, %s becomes %s and owes %v", s, r.State, pending(r))
		}
		if _, v := r.Hear(Callback{Result: ResultStart, Pipeline: 9}, t0, timing); v != CallbackStop {
			t.Errorf("a pipeline that starts after all is told %s, want stop", v)
		}
	}
	for _, s := range []State{Unsure, Running, Silent, Succeeded, Failed, Canceled, Refused, Answered} {
		if r := in(s).Gone(); r.State != s {
			t.Errorf("deleted, %s becomes %s", s, r.State)
		}
	}
}
