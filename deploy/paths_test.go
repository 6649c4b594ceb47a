package deploy

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// path is a record on its way, and what Slack shows of it.
type path struct {
	t         *rapid.T
	r         Record
	now       time.Time
	gone      bool            // the mention was deleted
	decisions map[int]Pressed // by the step of the ask
	reactions map[string]bool
	posts     map[string]Message // by slot
}

func (p *path) draw(what string, n int) int { return rapid.IntRange(0, n-1).Draw(p.t, what) }

// begin does what the engine does with a record that is due.
func (p *path) begin() {
	r := p.r
	asked := r.Asked()
	switch {
	case r.State == Accepted && !asked.Intent.Deploys() && asked.Intent.Doubt == "":
		p.r = r.Answer(Message{ID: MsgGreet})
	case r.State == Queued:
		p.look()
	case r.State == Locked:
		p.r = r.LockDue(p.now)
	case r.State == Accepted && asked.Intent.Deploys() && !asked.Edited && p.draw("busy", 4) == 0, r.IsPressed() && asked.Intent.Deploys() && p.draw("busy", 4) == 0:
		p.r = r.Queue(target, p.now)
		p.look()
	case r.State == Waiting && p.draw("still allowed", 3) == 0:
		p.r = r.Answer(Message{ID: MsgNotAllowed})
	case r.State == Waiting && p.now.After(r.Deployment.WaitEnd):
		p.r = r.GiveUpWaiting()
	case r.State == Waiting, (r.State == Accepted || r.IsPressed()) && asked.Intent.Deploys() && !asked.Edited && p.draw("in time", 4) > 0:
		p.start()
	case (r.State == Accepted || r.IsPressed()) && p.draw("allowed", 4) == 0:
		p.r = r.Answer(Message{ID: MsgNotAllowed})
	case r.State == Accepted, r.IsPressed():
		p.r = r.AskPeople(Message{ID: MsgTooLate, Target: "app"}, []Button{{Do: KindDeploy, Target: "app", Ref: "master", SHA: []string{"", "abc", "abd"}[p.draw("confirmed", 3)]}, {Do: KindDeploy, Target: "api", Ref: "main"}, {}}, p.now)
	default:
		p.r = r.Lapse(p.now)
	}
}

// look finds one of the ways in which the queue of the target may be ahead of it.
func (p *path) look() {
	other := in([]State{Queued, Asking, Waiting, Unsure, Running, Succeeded, Failed, Refused, Answered}[p.draw("other", 9)])
	other.Request.TS = "1600000000.000200"
	other.Deployment.Triggered = p.r.Turn.Since.Add(time.Duration(p.draw("triggered", 3)-1) * time.Second)
	a := Ahead{}
	if other.IsActive() {
		a.Active = []Beside{other.Beside()}
	}
	switch p.draw("how it is ahead", 4) {
	case 0:
		a.With = &other
	case 1:
		a.Behind = []Record{other}
	case 2:
		a.First = &other
	}
	next, look := p.r.Look(a, p.now)
	switch look {
	case LookStart:
		if len(a.Active) > 0 {
			p.t.Errorf("it starts beside %+v", a.Active)
		}
		p.start()
	case LookAsk:
		p.r = p.r.AskPeople(Message{ID: MsgTurn, Target: "app"}, []Button{{Do: KindDeploy, Target: "app", Ref: "master"}, {}}, p.now)
	default:
		p.r = next
	}
}

func (p *path) start() {
	if p.r.Deployment.Pipeline != 0 { // the engine adopts it instead
		p.r, _ = p.r.Adopt(Pipeline{ID: p.r.Deployment.Pipeline}, p.now, timing)
		return
	}
	if b := p.r.Chosen(); p.r.Ask != nil && b.Do != KindDeploy {
		p.t.Errorf("it starts, and pressed is %+v of %+v", b, p.r.Ask)
	}
	p.r = p.r.Start(target, "https://git/app/-/pipelines", "sum", p.now, timing)
}

// press presses a button of this ask, of an earlier one or of one to come.
func (p *path) press() {
	pressed := press([]string{"U1", "U2", "U3"}[p.draw("who", 3)], p.draw("button", 4))
	pressed.At, pressed.TS = p.now, fmt.Sprint(p.now.Unix(), ".000001")
	if p.r.Ask != nil {
		pressed.Step = max(1, p.r.Ask.Step+1-p.draw("step", 3))
	}
	next, taken := p.r.Press(pressed, p.now)
	p.audited(pressed.By, next)
	if p.r = next; !taken {
		if next.PressedLate(pressed).ID == "" {
			p.t.Error("who presses too late is not answered")
		}
		return
	}
	was, decided := p.decisions[pressed.Step]
	if was.At = pressed.At; decided && was != pressed.Pressed { // the same may be sent again
		p.t.Errorf("step %d was decided by %+v, and by %+v", pressed.Step, was, pressed.Pressed)
	}
	p.decisions[pressed.Step] = pressed.Pressed
}

func (p *path) edit() {
	p.r = p.r.Edit([]Intent{
		{},
		{Kind: KindGreet},
		{Kind: KindUnknown},
		{Kind: KindDeploy, Target: "app"},
		{Kind: KindDeploy, Target: "api"},
		{Kind: KindDeploy},
		{Kind: KindDeploy, Target: "app", Doubt: MsgUnclear, Word: "otama"},
		{Kind: KindRollback},
		{Kind: KindDeploy, Doubt: MsgNoTarget},
		{Kind: KindCancel},
	}[p.draw("edit to", 10)])
}

func (p *path) hear() {
	c := Callback{
		ID: "id-1", Result: []Result{ResultStart, ResultSuccess, ResultFailure, ResultCanceled}[p.draw("result", 4)],
		Pipeline: []int64{0, 7, 8}[p.draw("pipeline", 3)], SHA: []string{"", "abc"}[p.draw("commit", 2)], JobName: []string{"", "deploy", "build"}[p.draw("job", 3)],
	}
	unproven := p.r.Deployment.Attempt == 0 // a token exists only once there was a POST
	if unproven && p.r.State == Accepted {
		return
	}
	p.r, _ = p.r.Hear(c, p.now, timing)
}

func (p *path) settle() {
	d := p.r.Deployment
	if d.Attempt == 0 {
		return
	}
	status := []TriggerStatus{TriggerStarted, TriggerFailed, TriggerRefused, TriggerWait, TriggerNotSent, TriggerUnsure}[p.draw("outcome", 6)]
	o := TriggerResult{Status: status, After: time.Duration(p.draw("after", 400)) * time.Second, Reason: []MessageID{MsgRefusedRef, MsgRefusedCommit}[p.draw("refused for", 2)]}
	switch status {
	case TriggerStarted:
		o.Pipeline = Pipeline{ID: 7, URL: "https://git/7", SHA: "abc"}
	case TriggerFailed:
		o.Pipeline = Pipeline{ID: 7, End: Failed}
	}
	p.r, _ = p.r.Settle(max(1, d.Attempt-p.draw("attempts ago", 2)), o, p.now, timing)
}

func (p *path) poll() {
	seen := Pipeline{ID: []int64{0, 7}[p.draw("seen", 2)], End: []State{"", Succeeded, Failed, Canceled}[p.draw("end", 4)]}
	seen.GoesOn = seen.End == Failed && p.draw("goes on", 2) == 0
	if seen.ID == 0 {
		seen.End, seen.GoesOn = "", false
	} else if p.draw("jobs", 2) == 0 {
		seen.SHA, seen.Steers, seen.Job = "abc", true, &Job{ID: 70, Name: "deploy"}
		seen.Stages = []Stage{{Name: "deploy", Status: []string{"running", "success"}[p.draw("stage", 2)]}}
	}
	p.r = p.r.Polled(seen, p.draw("complete", 2) == 0, p.now, p.now, timing)
}

// steer presses a button of the status message, whether it is there or not.
func (p *path) steer() {
	by := Person{User: []string{"U1", "U2"}[p.draw("who", 2)]}
	do := []Kind{KindCancel, KindRetry, KindRollback, KindDeploy, KindWithdraw, KindPending, KindUnlock, KindExtend}[p.draw("do", 8)]
	pressed := Press{Pressed: Pressed{By: by, At: p.now, TS: fmt.Sprint(p.now.Unix(), ".000001")}, Key: p.r.Request.Key, Do: do, Pipeline: []int64{0, 7, 8}[p.draw("of", 3)]}
	shown := slices.ContainsFunc(p.r.buttons(), func(b Button) bool { return b.Do == do })
	next, b, say := p.r.PressStatus(pressed, p.now)
	if again := p.r.Again != nil && p.r.Again.Request.TS == pressed.TS; say.ID == "" && !shown && !again && !p.r.IsCanceling() {
		p.t.Errorf("%s is taken of %s, which shows %+v", do, p.r.State, p.r.buttons())
	}
	if say.ID == "" && b.Do != do && do != KindCancel {
		p.t.Errorf("pressed was %s, and %s is done", do, b.Do)
	}
	p.audited(by, next)
	p.r = next
}

// audited holds if a press that changes the record is one of its decisions.
func (p *path) audited(by Person, next Record) {
	is, added := !reflect.DeepEqual(p.r, next), slices.ContainsFunc(next.Audit, func(d Decision) bool { return d.At.IsZero() && d.By == by.User })
	if is != added {
		p.t.Errorf("a press of %s changes it: %t, and is in its decisions: %t, %+v", by.User, is, added, next.Audit)
	}
}

// carryOut does what the engine does with what was pressed.
func (p *path) carryOut() {
	switch {
	case p.r.IsCanceling():
		p.r = p.r.AskedToCancel(p.draw("refused", 3) == 0, p.now)
	case p.r.Again != nil && !p.r.Again.Made:
		made := p.r.Again.Record(p.now)
		if made.Asked().By != p.r.Again.Request.By || made.HasMention() || made.Chosen().Target != "app" {
			p.t.Errorf("it makes %+v", made)
		}
		p.r = p.r.AgainMade()
	}
}

// deliver makes the first calls to Slack that are due.
func (p *path) deliver(most int) {
	for ; most > 0; most-- {
		calls := pending(p.r)
		if len(calls) == 0 {
			return
		}
		c, shown := calls[0], p.r.Shown
		switch c.Kind {
		case CallReact:
			p.reactions[c.Reaction] = !p.gone
		case CallUnreact:
			p.reactions[c.Reaction] = false
		default:
			p.posts[c.Slot] = c.Message
		}
		shown.Done(c, "1700000001.000100")
		p.r.Shown = shown
	}
}

// check looks at the record after each thing that happens.
func (p *path) check(was Record) {
	r := p.r
	buttons := 0
	for _, post := range r.View().Posts {
		for _, b := range post.Message.Buttons {
			press, ok := ParseButton(b.Value)
			switch {
			case b.URL != "" && b.Value == "":
			case !ok || press.Key != r.Request.Key:
				p.t.Errorf("a button whose press is not understood: %+v", b)
			case press.Do == "":
				buttons++
			case (press.Do == KindUnlock || press.Do == KindExtend) != (r.State == Locked),
				(press.Do == KindWithdraw || press.Do == KindDeploy) != (r.State == Queued), (press.Do == KindPending) != r.Deployment.MovedOn,
				!slices.Contains([]State{Locked, Queued, Running, Failed, Canceled, Succeeded, Refused}, r.State):
				p.t.Errorf("%s with the button %s", r.State, b.Do)
			case was.Again != nil && b.Do != KindCancel:
				p.t.Errorf("there is another deployment already, and the button %s", b.Do)
			}
		}
	}
	kept := len(was.Audit)
	if len(r.Audit) == maxDecisions {
		kept = 0
	}
	if len(r.Audit) < kept || !slices.Equal(r.Audit[:kept], was.Audit[:kept]) {
		p.t.Errorf("what was decided becomes %+v, not more than %+v", r.Audit, was.Audit)
	}
	p.r.Stamp(p.now)
	if was.Again != nil && (r.Again == nil || r.Again.Request != was.Again.Request) {
		p.t.Errorf("the other deployment was %+v, and becomes %+v", was.Again, r.Again)
	}
	switch open := r.State == Asking && !r.IsPressed(); {
	case open != (buttons > 0):
		p.t.Errorf("%s with %d buttons, pressed %t", r.State, buttons, r.IsPressed())
	case was.State == Answered && r.State == Triggering, r.Deployment.Attempt > 0 && r.State == Asking:
		p.t.Errorf("%s becomes %s", was.State, r.State)
	}
	r.Layout = Layout
	raw, err := json.Marshal(r)
	if err != nil {
		p.t.Fatal(err)
	}
	var back Record
	if err := json.Unmarshal(raw, &back); err != nil || !reflect.DeepEqual(back.View(), r.View()) || !reflect.DeepEqual(pending(back), pending(r)) {
		p.t.Errorf("read back it shows %+v, not %+v: %v", back.View(), r.View(), err)
	}
}

// succeededBefore is an earlier deployment of the target.
func succeededBefore() Record {
	r := in(Succeeded)
	r.Request.TS = "1600000000.000100"
	r.Deployment.Progress = &Progress{Commit: Commit{SHA: "9f8e7d6"}, Job: &Job{ID: 60, Name: "deploy"}}
	return r
}

// TestAnyPath: whatever happens to a record in whichever order, no move leaves the
// table, one press decides each question, nothing starts that nobody asks for, there
// are buttons only while they count, and in the end Slack shows what the record says.
func TestAnyPath(t *testing.T) {
	for name, value := range map[string]string{"rapid.checks": "3000", "rapid.nofailfile": "true", "rapid.seed": "1"} {
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	ways := map[string]func(p *path){
		"begin": (*path).begin, "press": (*path).press, "edit": (*path).edit, "hear": (*path).hear, "settle": (*path).settle, "poll": (*path).poll,
		"steer": (*path).steer, "carry out": (*path).carryOut,
		"lock": func(p *path) {
			if p.r.State == Accepted || p.r.IsPressed() {
				p.r = p.r.Lock(target, Intent{Kind: KindLock}, time.UTC, p.now)
			}
		},
		"rest": func(p *path) { p.r = p.r.Rest() },
		"past": func(p *path) {
			if p.r.Deployment.Attempt > 0 {
				last := succeededBefore()
				p.r = p.r.WithPast(&last)
			}
		},
		"lapse":    func(p *path) { p.r = p.r.Lapse(p.now) },
		"withdraw": func(p *path) { p.r, _ = p.r.Withdraw(Person{User: "U4"}) },
		"gone":     func(p *path) { p.r, p.gone = p.r.Gone(), true; clear(p.reactions) },
		"panic":    func(p *path) { p.r = p.r.AfterPanic(p.now, timing) },
		"deliver":  func(p *path) { p.deliver(1 + p.draw("calls", 4)) },
		"slow": func(p *path) {
			if p.r.State == Triggering {
				p.r = p.r.Slow(later(p.now, p.r.slowAt()))
			}
		},
		"unsure": func(p *path) {
			if p.r.State == Triggering {
				p.r = p.r.MarkUnsure(p.now, timing)
			}
		},
	}
	names := slices.Sorted(maps.Keys(ways))
	rapid.Check(t, func(t *rapid.T) {
		p := &path{t: t, r: in(rapid.SampledFrom(allStates()).Draw(t, "from")), now: t0, decisions: map[int]Pressed{}, reactions: map[string]bool{}, posts: map[string]Message{}}
		p.r.Stamp(p.now)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			was := p.r
			p.now = p.now.Add([]time.Duration{0, time.Second, time.Minute, 31 * time.Minute}[p.draw("later", 4)])
			ways[rapid.SampledFrom(names).Draw(t, "then")](p)
			p.check(was)
		}
		if p.r.State == Accepted { // it is due at once
			p.begin()
			p.check(p.r)
		}
		p.deliver(100)
		if left := pending(p.r); len(left) > 0 {
			t.Errorf("never delivered: %+v", left)
		}
		v := p.r.View()
		for mark, is := range p.reactions {
			if is != (mark == v.Reaction) && !p.gone && p.r.State != Triggering {
				t.Errorf("%s has %s: %t", p.r.State, mark, is)
			}
		}
		if v.Reaction != "" && !p.gone && !p.reactions[v.Reaction] {
			t.Errorf("%s has no reaction, and should have %s", p.r.State, v.Reaction)
		}
		for _, post := range v.Posts {
			if got := p.posts[post.Slot]; got.ID != post.Message.ID || len(got.Buttons) != len(post.Message.Buttons) {
				t.Errorf("%s is %+v, not %+v", post.Slot, got, post.Message)
			}
		}
		for slot, got := range p.posts {
			if len(got.Buttons) > 0 && !slices.ContainsFunc(v.Posts, func(post Post) bool { return post.Slot == slot }) {
				t.Errorf("%s keeps its buttons: %+v", slot, got)
			}
		}
	})
}
