package deploy

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AskFor is how long an ask waits for a press.
const AskFor = 30 * time.Minute

// ApproveFor is how long an approval counts, and how long one is waited for.
const ApproveFor = 2 * time.Hour

// Ask is what a record in the state [Asking] asks the people of its channel, and
// later what came of it. It is kept, so that a late press can be answered.
type Ask struct {
	Step    int      `json:"step"`    // numbers the record's asks: a press counts for its own
	Message Message  `json:"message"` // the question, without its buttons
	Buttons []Button `json:"buttons"`
	Pressed *Pressed `json:"pressed,omitempty"` // the press that decided
	Closed  *Message `json:"closed,omitempty"`  // how it ended, where nothing was deployed

	For      []Person  `json:"for,omitempty"`      // see [Record.For]; empty: who asked alone
	Needs    int       `json:"needs,omitempty"`    // how many people are to approve; the last one decides
	Approved []Pressed `json:"approved,omitempty"` // who has
}

// Button is one answer to an ask.
type Button struct {
	Do     Kind   `json:"do,omitempty"` // what it asks for; empty: nothing is wanted
	Target string `json:"target,omitempty"`
	Ref    string `json:"ref,omitempty"` // KindCancel: the number of the pipeline, as #1002
	// What Target was when it was shown; empty in records of a process that did not keep it.
	Project string `json:"project,omitempty"`
	Key     string `json:"key,omitempty"`
	Over    string `json:"over,omitempty"`   // the deployments beside which it deploys, see [Beside.Confirmation]
	Freeze  bool   `json:"freeze,omitempty"` // it deploys during a freeze,
	Until   int64  `json:"until,omitempty"`  // which ends then, in Unix seconds; 0: no end is in sight
	SHA     string `json:"sha,omitempty"`    // KindRollback: what is gone back to; KindDeploy, KindApprove: the commit that is confirmed
	URL     string `json:"url,omitempty"`    // KindOpen: where it leads; such a button asks for nothing
	Value   string `json:"value,omitempty"`  // names it in Slack, see [Press]; stored only where it is a button of another record
}

// Means reports whether a target is still what the button said.
func (b Button) Means(t Target) bool {
	// mutant: another project deployed than the button said
	return b.Ref == t.Ref && (b.Project == "" || b.Project == t.Project && b.Key == t.Key)
}

// Pressed is a press that decided: who pressed which button when.
type Pressed struct {
	By     Person    `json:"by"`
	At     time.Time `json:"at"`           // when it was received, by Slack's clock
	TS     string    `json:"ts,omitempty"` // the press's own timestamp: the same for a second delivery of it
	Button int       `json:"button"`
}

// Press is somebody's press of a button: which one, of which ask of which record,
// or of its status message.
type Press struct {
	Pressed
	Key      Key
	Step     int    // of the ask
	Do       Kind   // of a status message's button; without it or a Step, the button is not of this version
	Pipeline int64  // which the status message showed
	ID       string // of the deployment that may come of it
	Channel  string // where the message with the button is
	Thread   string // the thread it is in; empty: none
}

// The value of a button begins with its form: Slack sends presses of messages that
// earlier versions have posted.
const (
	askForm    = "1" // ask, button, key
	statusForm = "2" // kind, pipeline, key: a button of a status message
)

// ParseButton reads the value of a button that was pressed. ok is false if it is
// not of this version.
func ParseButton(value string) (p Press, ok bool) {
	field := strings.Split(value, " ")
	if len(field) != 4 {
		return Press{}, false
	}
	number, err := strconv.ParseInt(field[2], 10, 64)
	if err != nil {
		return Press{}, false
	}
	switch field[0] {
	case askForm:
		p.Step, err = strconv.Atoi(field[1])
		p.Button = int(number)
		ok = err == nil && number >= 0
	case statusForm:
		p.Do, p.Pipeline = Kind(field[1]), number
		ok = slices.Contains([]Kind{KindCancel, KindDeploy, KindPending, KindRetry, KindRollback, KindWithdraw, KindUnlock, KindExtend}, p.Do)
	}
	key, isKey := ParseKey(field[3])
	p.Key = key
	return p, ok && isKey
}

// AskPeople asks the people of the channel, by a message that names the asker and
// has a button for each target that may be meant, and one to leave it.
func (r Record) AskPeople(question Message, buttons []Button, now time.Time) Record {
	step, behind := cmp.Or(r.Ask, &Ask{}).Step+1, r.For()
	r = r.decided(Decision{What: DidAsk, By: r.Asked().By.User, Reason: question.ID})
	if r.State != Asking {
		r = r.move(Asking)
	}
	question.User = r.Request.By.User
	r.Ask = &Ask{Step: step, Message: question, Buttons: buttons}
	if len(behind) > 1 {
		r.Ask.For = behind
	}
	r.Next = now.Add(AskFor)
	return r
}

// Press takes in a press. The first one decides; taken is false for one that came
// too late, and for one of an ask that is not there. What was pressed is done when
// the record's turn comes, which is now.
func (r Record) Press(p Press, now time.Time) (next Record, taken bool) {
	if !r.asks(p) {
		return r, false
	}
	// mutant: a second press that counts
	if was := r.Ask.Pressed; was != nil {
		return r, was.By == p.By && was.Button == p.Button && was.TS == p.TS // an earlier try of this one
	}
	if r.Ask.Buttons[p.Button].Do == KindApprove {
		return r.approve(p.Pressed, now)
	}
	ask := *r.Ask
	ask.Pressed = &p.Pressed
	r.Ask, r.Next = &ask, now
	if ask.Buttons[p.Button].Do == "" {
		m := r.about(MsgDeclined)
		m.By = p.By.User
		return r.Answer(m), true
	}
	return r.decided(r.Chosen().ofPress(p.By, ask.Message)...), true
}

// asks reports whether the record asks what was pressed.
func (r Record) asks(p Press) bool {
	return r.State == Asking && r.Ask != nil && r.Ask.Step == p.Step && p.Button < len(r.Ask.Buttons)
}

// PressedLate is what a person is told whose press came too late, or is no approval.
func (r Record) PressedLate(p Press) Message {
	if r.asks(p) && r.Ask.Pressed == nil {
		return r.noApproval(p.By)
	}
	if r.Ask != nil && r.Ask.Pressed != nil {
		m := r.Message(MsgPressedBefore)
		m.By, m.User = r.Ask.Pressed.By.User, ""
		return m
	}
	return r.about(MsgPressClosed)
}

// about is a message about what the record asks, or has asked.
func (r Record) about(id MessageID) Message {
	m := Message{ID: id, Target: r.Request.Intent.Target}
	if r.Ask != nil {
		m.Target, m.Targets = r.Ask.Message.Target, r.Ask.Message.Targets
	}
	return m
}

// Asked is what is asked for: by the mention, or else by the press that decided.
func (r Record) Asked() Request {
	asked := r.Request
	if r.Ask != nil && r.Ask.Pressed != nil {
		p, b := r.Ask.Pressed, r.Chosen()
		asked.By, asked.At, asked.Via, asked.Edited = p.By, p.At, ViaPress, false
		asked.Intent = Intent{Kind: b.Do, Target: b.Target}
		if b.Do == KindApprove {
			asked.By, asked.Intent.Kind = r.wants(), KindDeploy
		}
	}
	return asked
}

// Chosen is the button that was pressed; zero: none was.
func (r Record) Chosen() Button {
	if r.Ask == nil || r.Ask.Pressed == nil {
		return Button{}
	}
	return r.Ask.Buttons[r.Ask.Pressed.Button]
}

// IsPressed reports whether the ask is decided, and not yet carried out.
func (r Record) IsPressed() bool { return r.State == Asking && r.Ask != nil && r.Ask.Pressed != nil }

// Lapse closes an ask that nobody has answered.
func (r Record) Lapse(now time.Time) Record {
	// mutant: a lapse that ignores a press
	if r.State != Asking || r.IsPressed() || r.Next.After(now) {
		return r
	}
	return r.Answer(r.about(MsgLapsed))
}

// CloseAsk closes an ask that nobody has pressed, and ends a lock, as the store ends with
// its process.
func (r Record) CloseAsk() Record {
	if r.State == Locked {
		return r.Unlock(Person{})
	}
	if r.State != Asking || r.IsPressed() {
		return r
	}
	return r.Answer(r.about(MsgAskStopped))
}

// Withdraw takes back what is not yet running, as somebody asked for. An attempt
// that is under way is not made again.
func (r Record) Withdraw(by Person) (next Record, withdrawn bool) {
	switch {
	case r.State == Asking, r.State == Queued, r.State == Waiting, r.isAskedFor():
		m := r.Message(MsgWithdrawn)
		m.By, m.Known = by.User, r.goesWith()
		return r.Answer(m), true
	case r.State == Triggering:
		r.Deployment.WithdrawnBy = by.User
	}
	return r, false
}

// askMessage is what the ask shows now.
func (r Record) askMessage() Message {
	a := r.Ask
	switch {
	case a.Closed != nil:
		return *a.Closed
	case a.Pressed != nil:
		m := r.Message(MsgStatusStarting)
		b := r.Chosen()
		m.By, m.Target, m.Ref = a.Pressed.By.User, b.Target, b.Ref
		return a.approvals(m)
	}
	m := a.approvals(a.Message)
	for i, b := range a.Buttons {
		if b.Value == "" { // else it is another record's
			b.Value = fmt.Sprintf("%s %d %d %s", askForm, a.Step, i, r.Request.Key)
		}
		m.Buttons = append(m.Buttons, b)
	}
	return m
}
