package deploy

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"
)

// View is what Slack should show of a record: a pure function of it.
type View struct {
	Reaction string   // the reaction on the mention; empty: none
	Status   *Message // the status message, edited as things move; nil: none
}

// reactionFor returns the reactions, by state.
func reactionFor(s State) string {
	switch s {
	case Waiting:
		return "hourglass_flowing_sand"
	case Unsure:
		return "question"
	case Running:
		return "thumbsup"
	case Silent:
		return "zzz"
	case Succeeded:
		return "white_check_mark"
	case Refused, Failed:
		return "x"
	case Canceled:
		return "no_entry_sign"
	}
	return ""
}

// reactionSlow stands while GitLab takes its time to answer, so that nobody asks twice.
const reactionSlow = "eyes"

// View tells what Slack should show of the record, besides its lines.
func (r Record) View() View {
	v := View{Reaction: reactionFor(r.State)}
	if r.State == Triggering && r.Deployment.Slow {
		v.Reaction = reactionSlow
	}
	if s := r.statusMessage(); s != "" {
		m := r.message(s)
		if r.State == Waiting {
			m.Until = r.Deployment.WaitEnd.Unix()
		}
		v.Status = &m
	}
	return v
}

func (r Record) statusMessage() MessageID {
	switch r.State {
	case Waiting:
		return r.Deployment.Wait
	case Unsure:
		return MsgStatusUnsure
	case Running:
		switch r.Deployment.Waits {
		case WaitsPerson:
			return MsgStatusPerson
		case WaitsRunner:
			return MsgStatusRunner
		}
		return MsgStatusRunning
	case Silent:
		return MsgStatusSilent
	case Succeeded:
		return MsgStatusSucceeded
	case Failed:
		return MsgStatusFailed
	case Canceled:
		if r.Deployment.Nothing {
			return MsgStatusNothing
		}
		return MsgStatusCanceled
	}
	// These have their line; a status message is mended only where one stands.
	if r.Shown.Status != "" {
		switch r.State {
		case Refused:
			return MsgStatusRefused
		case Answered:
			return MsgStatusAnswered
		}
	}
	return ""
}

// form tells one form of the status message from another.
func (m Message) form() string {
	h := fnv.New64a()
	fmt.Fprint(h, m.ID, "\x00", m.URL, "\x00", m.Target, "\x00", m.Detail, "\x00", m.Until)
	return fmt.Sprintf("%s/%x", m.ID, h.Sum64())
}

// never marks a status message that Slack will not take.
const never = "-"

// slotStatus names the status message among a record's posts; slotLine its lines.
const slotStatus = "status"

func slotLine(n int) string { return fmt.Sprintf("line-%d", n) }

// showStep is one call to Slack that is owed.
type showStep struct {
	do       showDo
	reaction string  // react, unreact
	slot     string  // post, find
	say      Message // post, update
}

// what tells one thing to be shown from another by the same kind of call.
func (s showStep) what() string {
	if s.reaction != "" {
		return s.reaction
	}
	return s.slot + " " + string(s.say.ID)
}

type showDo string

const (
	doFind    showDo = "find"
	doReact   showDo = "react"
	doUpdate  showDo = "update"
	doPost    showDo = "post"
	doUnreact showDo = "unreact"
)

// owed tells what brings Slack from what it shows to what it should show, in
// the order in which it is best done: the mark, which is what people look at,
// then the messages in their order, and last what is only tidying up.
func (r Record) owed() []showStep {
	var steps []showStep
	add := func(s showStep) { steps = append(steps, s) }
	v, shown := r.View(), r.Shown
	if shown.Posting != "" {
		add(showStep{do: doFind, slot: shown.Posting})
	}
	marked := v.Reaction == "" || v.Reaction == shown.Reaction
	if !marked {
		add(showStep{do: doReact, reaction: v.Reaction})
	}
	if v.Status != nil && shown.Status != never && shown.Form != v.Status.form() {
		do := doUpdate
		if shown.Status == "" {
			do = doPost
		}
		add(showStep{do: do, slot: slotStatus, say: r.seeded(*v.Status, 0)})
	}
	for n := shown.Said; n < len(r.Lines); n++ {
		add(showStep{do: doPost, slot: slotLine(n), say: r.seeded(r.Lines[n], n)})
	}
	for _, m := range r.Reactions { // once the new one stands: no moment is without a mark
		// mutant: the old reaction taken off before the new one stands
		if marked && m != v.Reaction && !slices.Contains(shown.Off, m) && r.State != Triggering { // triggering passes soon: what stands may stay
			add(showStep{do: doUnreact, reaction: m})
		}
	}
	return steps
}

// seeded chooses the wording: at random over records, the same for one message.
// In the channel itself, each names the person.
func (r Record) seeded(m Message, n int) Message {
	h := fnv.New32a()
	fmt.Fprint(h, r.Mention.ID, m.ID, n)
	m.Seed = h.Sum32()
	if r.Shown.InChannel {
		m.InChannel, m.User = true, r.Mention.User
	}
	return m
}

// Due is in how long the record must be looked at; negative: not at all.
func (r Record) Due(now time.Time) time.Duration {
	at := r.Next
	if len(r.owed()) > 0 {
		show := later(later(r.Shown.Next, r.Shown.Until), now)
		if at.IsZero() || show.Before(at) {
			at = show
		}
	}
	if at.IsZero() {
		if r.State == Accepted {
			return 0
		}
		// mutant: a record left due for ever
		return -1
	}
	return max(0, at.Sub(now))
}
