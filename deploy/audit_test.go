package deploy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// decisions are what a record says was decided.
func decisions(all []Decision) (said []string) {
	for _, d := range all {
		said = append(said, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s %s", d.What, d.By, d.Reason, d.Do, d.SHA)), " "))
	}
	return said
}

func TestEachDecisionLeavesItsLine(t *testing.T) {
	question := func(id MessageID, do Kind) Record {
		return accepted().AskPeople(Message{ID: id, Target: "app"}, []Button{{Do: do, Target: "app", SHA: "abc"}, {}}, t0)
	}
	pressed := func(r Record, who string, button int) Record {
		r, _ = r.Press(press(who, button), t0)
		return r
	}
	status := func(s State, do Kind) Record {
		r := in(s)
		r.Audit = nil
		r.Deployment.Progress = &Progress{Steers: true}
		if do == KindDeploy {
			r.Turn.Over = "T1:C1:1600000000.000100"
		}
		r, _, say := r.PressStatus(Press{Pressed: Pressed{By: Person{User: "U2"}, At: t0}, Do: do, Pipeline: r.Deployment.Pipeline}, t0)
		if say.ID != "" {
			t.Errorf("the press of %s is answered %s", do, say.ID)
		}
		return r
	}
	withdrawn := func(s State) Record {
		r := in(s)
		r.Audit = nil
		r, _ = r.Withdraw(Person{User: "U3"})
		return r
	}
	approvals := question(MsgApprovals, KindApprove).ToApprove(2, nil, t0)
	posted := question(MsgUnclear, KindDeploy)
	posted.Shown.Posts = map[string]Posted{SlotStatus: {}}
	stopped, _ := withdrawn(Triggering).Settle(1, TriggerResult{Status: TriggerWait, Reason: MsgWaitRate}, t0, timing)
	confirmed := pressed(question(MsgConfirm, KindDeploy), "U2", 0).Start(target, "", "sum", t0, timing)
	moved, _ := confirmed.Settle(1, TriggerResult{Status: TriggerStarted, Pipeline: Pipeline{ID: 7, SHA: "def"}}, t0, timing)
	for name, row := range map[string]struct {
		r    Record
		want []string
	}{
		"a question":               {question(MsgUnclear, KindDeploy), []string{"asked U1 unclear"}},
		"a press":                  {pressed(question(MsgConfirm, KindDeploy), "U2", 0), []string{"asked U1 confirm", "pressed U2 confirm deploy abc"}},
		"a press that comes late":  {pressed(pressed(question(MsgConfirm, KindDeploy), "U2", 1), "U3", 0), []string{"asked U1 confirm", "declined U2 declined"}},
		"deployed beside another":  {pressed(question(MsgBusy, KindDeploy), "U2", 0), []string{"asked U1 busy", "overrode U2 busy deploy abc"}},
		"deployed in a freeze":     {pressed(question(MsgFreeze, KindDeploy), "U2", 0), []string{"asked U1 freeze", "overrode U2 freeze deploy abc"}},
		"rolled back over another": {pressed(question(MsgBusy, KindRollback), "U2", 0), []string{"asked U1 busy", "overrode U2 busy rollback abc"}},
		"deployed against several rules": {
			pressed(accepted().AskPeople(Message{ID: MsgUnclear, Also: []MessageID{MsgFreeze, MsgLocked, MsgStatusQueued, MsgConfirm}}, []Button{{Do: KindDeploy, SHA: "abc"}, {}}, t0), "U2", 0),
			[]string{"asked U1 unclear", "overrode U2 freeze deploy abc", "overrode U2 locked deploy abc"},
		},
		"to be told of the end of a lock": {pressed(question(MsgLocked, KindTell), "U2", 0), []string{"asked U1 locked", "pressed U2 locked tell abc"}},
		"what is pending looked at":       {pressed(question(MsgTakenBack, KindPending), "U2", 0), []string{"asked U1 taken-back", "pressed U2 taken-back pending abc"}},
		"approvals, no and one's own": {
			pressed(pressed(pressed(pressed(approvals, "U1", 0), "U2", 0), "U2", 0), "U3", 0),
			[]string{"asked U1 approvals", "approved U2 approvals approve abc", "approved U3 approvals approve abc"},
		},
		"the next question":         {pressed(question(MsgUnclear, KindDeploy), "U2", 0).AskPeople(Message{ID: MsgConfirm}, []Button{{}}, t0), []string{"asked U1 unclear", "pressed U2 unclear deploy abc", "asked U2 confirm"}},
		"nobody presses":            {question(MsgUnclear, KindDeploy).Lapse(t0.Add(AskFor)), []string{"asked U1 unclear", "lapsed lapsed"}},
		"a rule refuses the asker":  {accepted().Answer(Message{ID: MsgNotAllowed}), []string{"refused U1 not-allowed"}},
		"a rule refuses the press":  {pressed(question(MsgUnclear, KindDeploy), "U2", 0).Answer(Message{ID: MsgFrozen}), []string{"asked U1 unclear", "pressed U2 unclear deploy abc", "refused U2 frozen"}},
		"it must be confirmed":      {accepted().Queue(target, t0).Answer(Message{ID: MsgMustConfirm}), []string{"refused U1 must-confirm"}},
		"words":                     {accepted().Answer(Message{ID: MsgGreet}), []string{"answered U1 greet"}},
		"withdrawn while asked":     {withdrawn(Asking), []string{"withdrawn U3 withdrawn"}},
		"withdrawn while queued":    {withdrawn(Queued), []string{"withdrawn U3 withdrawn"}},
		"withdrawn while it waits":  {withdrawn(Waiting), []string{"withdrawn U3 withdrawn"}},
		"withdrawn during the POST": {stopped, []string{"withdrawn U3 withdrawn"}},
		"withdrawn by a button":     {status(Queued, KindWithdraw), []string{"withdrawn U2 withdrawn"}},
		"deployed out of turn":      {status(Queued, KindDeploy), []string{"overrode U2 busy deploy"}},
		"canceled":                  {status(Running, KindCancel), []string{"canceled U2 cancel"}},
		"tried once more":           {status(Failed, KindRetry), []string{"pressed U2 retry"}},
		"another commit":            {moved, []string{"asked U1 confirm", "pressed U2 confirm deploy abc", "canceled other-commit"}},
		"another goes first":        {in(Running).SetAside(Person{User: "U2"}), []string{"set-aside U2 set-aside"}},
		"another takes its place":   {in(Waiting).SetAside(Person{User: "U2"}), []string{"withdrawn U2 withdrawn"}},
		"edited":                    {accepted().Answer(Message{ID: MsgGreet}).Edit(Intent{Kind: KindDeploy, Target: "api"}), []string{"answered U1 greet", "edited U1 deploy"}},
		"edited out":                {question(MsgUnclear, KindDeploy).Edit(Intent{}), []string{"asked U1 unclear", "withdrawn U1 edited-out"}},
		"deleted":                   {in(Waiting).Gone(), []string{"withdrawn withdrawn"}},
		"deleted, and was answered": {posted.Gone(), []string{"asked U1 unclear", "withdrawn withdrawn"}},
		"deployed at once":          {in(Succeeded), nil},
	} {
		if got := decisions(row.r.Audit); !slices.Equal(got, row.want) {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}

func TestDecisionsAreDatedOnceAndBounded(t *testing.T) {
	r := in(Asking)
	if got := r.Stamp(t0); !slices.Equal(decisions(got), []string{"asked U1 unclear"}) || !got[0].At.Equal(t0) {
		t.Errorf("dated were %+v", got)
	}
	was := r
	for range 2 * maxDecisions {
		r = r.AskPeople(Message{ID: MsgTooLate}, []Button{{}}, t0)
	}
	if len(was.Audit) != 1 || len(r.Audit) != maxDecisions || r.Audit[0].Reason != MsgTooLate {
		t.Errorf("%d of %q are kept", len(r.Audit), decisions(r.Audit))
	}
	r = was.AskPeople(Message{ID: MsgTooLate}, []Button{{}}, t0)
	if got := r.Stamp(t0.Add(time.Hour)); !slices.Equal(decisions(got), []string{"asked U1 too-late"}) || !r.Audit[0].At.Equal(t0) {
		t.Errorf("dated were %+v of %+v", got, r.Audit)
	}
}

func TestWhatIsKnownOfARecordThatKeptNoDecisions(t *testing.T) {
	r, _ := in(Asking).Press(press("U2", 0), t0)
	r.Request.At, r.Audit = t0, nil
	want := []Decision{{At: t0, What: DidRequest, By: "U1"}, {At: t0.Add(time.Second), What: DidPress, By: "U2", Reason: MsgUnclear, Do: KindDeploy}}
	if got := r.Decisions(); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
