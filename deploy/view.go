package deploy

import (
	"fmt"
	"hash/fnv"
)

// View is what Slack should show of a record: a pure function of it.
type View struct {
	Reaction string   // the reaction on the mention; empty: none
	Status   *Message // the status message, edited as things move; nil: none
}

// reactionFor is the reaction of a state.
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

// reactionSlow shows that GitLab is slow to answer, so that nobody asks twice.
const reactionSlow = "eyes"

// View is what Slack should show of the record, besides its lines.
func (r Record) View() View {
	v := View{Reaction: reactionFor(r.State)}
	if r.State == Triggering && r.Deployment.Slow {
		v.Reaction = reactionSlow
	}
	if s := r.statusMessage(); s != "" {
		m := r.Message(s)
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
	// These have their line; only a status message that is there is updated.
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
