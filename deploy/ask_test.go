package deploy

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

func press(user string, button int) Press {
	return Press{Pressed: Pressed{By: Person{User: user}, At: t0.Add(time.Second), Button: button}, Key: accepted().Request.Key, Step: 1, Channel: "C1"}
}

func pending(r Record) []Call { return slices.Collect(r.PendingCalls()) }

// shown is the one message that a record shows.
func shown(t *testing.T, r Record) Message {
	t.Helper()
	posts := r.View().Posts
	if len(posts) != 1 || posts[0].Slot != SlotStatus {
		t.Fatalf("it shows %+v", posts)
	}
	return posts[0].Message
}

func TestAnAskNamesTheAskerAndHasButtons(t *testing.T) {
	r := in(Asking)
	m := shown(t, r)
	if m.ID != MsgUnclear || m.User != "U1" || len(m.Buttons) != 2 || r.Due(t0) != 0 {
		t.Fatalf("%+v", m)
	}
	for i, b := range m.Buttons {
		p, ok := ParseButton(b.Value)
		if !ok || p.Key != r.Request.Key || p.Step != 1 || p.Button != i {
			t.Errorf("button %d has the value %q, read as %+v", i, b.Value, p)
		}
	}
	if again := r.AskPeople(Message{ID: MsgTooLate}, r.Ask.Buttons, t0); again.Ask.Step != 2 || shown(t, again).Buttons[0].Value == m.Buttons[0].Value {
		t.Errorf("a second question has the buttons of the first: %+v", again.Ask)
	}
}

// A question that is asked again in the same words has other buttons: where Slack
// shows the old ones, it is edited.
func TestAQuestionThatIsAskedAgainIsEdited(t *testing.T) {
	r := in(Asking)
	again := r.AskPeople(r.Ask.Message, r.Ask.Buttons, t0)
	r.Shown.Posts = map[string]Posted{SlotStatus: {TS: "1.000100", Hash: r.View().Posts[0].Message.hash(), Buttons: true}}
	again.Shown = r.Shown
	again.Shown.Reaction = "thinking_face"
	if calls := pending(again); len(calls) != 1 || calls[0].Kind != CallUpdate {
		t.Errorf("pending are %+v, not one edit", calls)
	}
}

func TestTheFirstPressDecides(t *testing.T) {
	r := in(Asking)
	pressed, taken := r.Press(press("U2", 0), t0)
	if !taken || !pressed.IsPressed() || !pressed.Next.Equal(t0) {
		t.Fatalf("taken %t, %+v", taken, pressed.Ask)
	}
	asked := pressed.Asked()
	if asked.By.User != "U2" || asked.Intent != (Intent{Kind: KindDeploy, Target: "app"}) || asked.Via != ViaPress || !asked.At.Equal(t0.Add(time.Second)) {
		t.Errorf("it asks for %+v", asked)
	}
	if pressed.Request.By.User != "U1" {
		t.Error("the asker is forgotten")
	}
	m := shown(t, pressed)
	if m.ID != MsgStatusStarting || m.By != "U2" || m.Target != "app" || len(m.Buttons) > 0 {
		t.Errorf("it shows %+v", m)
	}
	if _, taken := pressed.Press(press("U2", 0), t0); !taken {
		t.Error("the same press, sent again, is taken for another")
	}
	for name, p := range map[string]Press{"another person": press("U3", 0), "another button": press("U2", 1)} {
		if _, taken := pressed.Press(p, t0); taken {
			t.Errorf("%s decides again", name)
		}
	}
	if m := pressed.PressedLate(Press{}); m.ID != MsgPressedBefore || m.By != "U2" {
		t.Errorf("who is late is told %+v", m)
	}
}

func TestAPressCountsOnlyForAnOpenAsk(t *testing.T) {
	open := in(Asking)
	other := press("U2", 0)
	other.Step = 2
	for name, row := range map[string]struct {
		r Record
		p Press
	}{
		"another step":    {open, other},
		"no such button":  {open, press("U2", 2)},
		"lapsed":          {open.Lapse(t0.Add(AskFor)), press("U2", 0)},
		"edited away":     {open.Edit(Intent{}), press("U2", 0)},
		"deleted":         {open.Gone(), press("U2", 0)},
		"never asked":     {in(Answered), press("U2", 0)},
		"asked by nobody": {Record{State: Asking}, press("U2", 0)},
	} {
		if next, taken := row.r.Press(row.p, t0); taken || next.IsPressed() {
			t.Errorf("%s: it counts", name)
		}
		if m := row.r.PressedLate(Press{}); m.ID != MsgPressClosed {
			t.Errorf("%s: the person is told %s", name, m.ID)
		}
	}
	for _, s := range allStates() {
		if _, taken := in(s).Press(press("U2", 0), t0); taken != (s == Asking) {
			t.Errorf("%s: taken %t", s, taken)
		}
	}
}

func TestNoEndsAnAsk(t *testing.T) {
	r, taken := in(Asking).Press(press("U2", 1), t0)
	if m := shown(t, r); !taken || r.State != Answered || m.ID != MsgDeclined || m.By != "U2" || len(m.Buttons) > 0 || !r.Next.IsZero() {
		t.Errorf("%s, it shows %+v", r.State, m)
	}
	if m := r.PressedLate(Press{}); m.ID != MsgPressedBefore || m.By != "U2" {
		t.Errorf("who is late is told %+v", m)
	}
}

func TestAnAskLapses(t *testing.T) {
	r := in(Asking)
	if early := r.Lapse(t0.Add(AskFor - time.Second)); early.State != Asking {
		t.Error("too early")
	}
	lapsed := r.Lapse(t0.Add(AskFor))
	if m := shown(t, lapsed); lapsed.State != Answered || m.ID != MsgLapsed || len(m.Buttons) > 0 || lapsed.View().Reaction != "" {
		t.Errorf("%s, it shows %+v", lapsed.State, m)
	}
	pressed, _ := r.Press(press("U2", 0), t0)
	if pressed.Lapse(t0.Add(time.Hour)).State != Asking {
		t.Error("a press that was recorded in time lapses")
	}
}

func TestAPressedAskBecomesTheStatusMessage(t *testing.T) {
	r, _ := in(Asking).Press(press("U2", 0), t0)
	r.Shown.Posts = map[string]Posted{SlotStatus: {TS: "1.000100", Hash: "ask"}}
	r = r.Start(target, "https://git/app/-/pipelines", "sum", t0, timing)
	if m := shown(t, r); m.ID != MsgStatusStarting {
		t.Errorf("while it is triggered it shows %+v", m)
	}
	r, _ = r.Settle(1, TriggerResult{Status: TriggerStarted, Pipeline: Pipeline{ID: 7}}, t0, timing)
	if m := shown(t, r); m.ID != MsgStatusRunning {
		t.Errorf("while it runs it shows %+v", m)
	}
	if calls := pending(r); len(calls) != 2 || calls[1].Kind != CallUpdate || calls[1].Slot != SlotStatus {
		t.Errorf("it is not the ask that is edited: %+v", calls)
	}
}

func TestWhatWaitsIsWithdrawn(t *testing.T) {
	by := Person{User: "U2"}
	for _, s := range allStates() {
		r, withdrawn := in(s).Withdraw(by)
		if want := s == Asking || s == Queued || s == Waiting || s == Accepted; withdrawn != want || want != (r.State == Answered && s != Answered) || !want && r.State != s {
			t.Errorf("%s becomes %s, withdrawn %t", s, r.State, withdrawn)
		}
	}
	greeting := accepted()
	greeting.Request.Intent = Intent{Kind: KindGreet}
	if _, withdrawn := greeting.Withdraw(by); withdrawn {
		t.Error("a greeting is withdrawn")
	}
	r, _ := in(Waiting).Withdraw(by)
	if m := r.Lines[len(r.Lines)-1]; m.ID != MsgWithdrawn || m.By != "U2" || m.Target != "app" {
		t.Errorf("who waits is told %+v", m)
	}
}

// What is stopped while its POST is made is not tried again; what GitLab took runs.
func TestAStopDuringAPOST(t *testing.T) {
	r, _ := in(Triggering).Withdraw(Person{User: "U2"})
	r = r.Edit(Intent{Kind: KindDeploy, Target: "app"}) // an edit to the same does not undo it
	waits, _ := r.Settle(1, TriggerResult{Status: TriggerWait, After: time.Minute}, t0, timing)
	if waits.State != Answered || lastSaid(waits) != MsgWithdrawn {
		t.Errorf("it becomes %s, %s", waits.State, lastSaid(waits))
	}
	runs, _ := r.Settle(1, TriggerResult{Status: TriggerStarted, Pipeline: Pipeline{ID: 7}}, t0, timing)
	if runs.State != Running {
		t.Errorf("it becomes %s", runs.State)
	}
}

func TestButtonsOfOtherVersionsAreNotRead(t *testing.T) {
	good := in(Asking).View().Posts[0].Message.Buttons[0].Value
	if _, ok := ParseButton(good); !ok {
		t.Fatalf("%q is not read", good)
	}
	for _, value := range []string{
		"", "1", "2" + good[1:], good + " x", strings.Replace(good, " 1 ", " x ", 1), "1 1 -1 T1:C1:1700000000.000100",
		"1 1 0 T1:C1", "1 1 0 T1:C1:now", "1 1 0 t1:C1:1700000000.000100", "1 1 0 T1:C1:1700000000.000100:x", `{"v":1}`,
	} {
		if p, ok := ParseButton(value); ok {
			t.Errorf("%q is read as %+v", value, p)
		}
	}
	if len(good) > 150 {
		t.Errorf("%d characters, and a menu takes 150", len(good))
	}
}

func TestAnAskIsStoredAndReadBack(t *testing.T) {
	r, _ := in(Asking).Press(press("U2", 0), t0)
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Record
	if err := json.Unmarshal(raw, &back); err != nil || back.Asked() != r.Asked() || !back.IsPressed() {
		t.Errorf("%v: %+v", err, back.Ask)
	}
	if m := shown(t, back); m.ID != MsgStatusStarting {
		t.Errorf("it shows %+v", m)
	}
}

// The store lost the saves of a trigger, whose answer still comes.
func TestAPipelineOfAnAskThatTheStoreHasForgottenRuns(t *testing.T) {
	for _, s := range []State{Accepted, Asking} {
		r, adopted := in(s).Settle(1, TriggerResult{Status: TriggerStarted, Pipeline: Pipeline{ID: 7}}, t0, timing)
		if !adopted || r.State != Running || r.Deployment.Triggered.IsZero() {
			t.Errorf("%s becomes %s, adopted %t", s, r.State, adopted)
		}
		if _, taken := r.Press(press("U2", 0), t0); taken {
			t.Errorf("%s: a press starts another", s)
		}
	}
}
