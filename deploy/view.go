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

// reactions are those of the states that have one.
var reactions = map[State]string{
	Waiting:   "hourglass_flowing_sand",
	Unsure:    "question",
	Running:   "thumbsup",
	Silent:    "zzz",
	Succeeded: "white_check_mark",
	Refused:   "x",
	Failed:    "x",
	Canceled:  "no_entry_sign",
}

// reactionSlow shows that GitLab is slow to answer, so that nobody asks twice.
const reactionSlow = "eyes"

// View is what Slack should show of the record, besides its lines.
func (r Record) View() View {
	v := View{Reaction: reactions[r.State]}
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

// statuses are the status messages of the states that always have the same.
var statuses = map[State]MessageID{
	Unsure: MsgStatusUnsure, Running: MsgStatusRunning, Silent: MsgStatusSilent,
	Succeeded: MsgStatusSucceeded, Failed: MsgStatusFailed, Canceled: MsgStatusCanceled,
}

func (r Record) statusMessage() MessageID {
	d := r.Deployment
	switch {
	case r.State == Waiting:
		return d.Wait
	case r.State == Running && d.Waits == WaitsPerson:
		return MsgStatusPerson
	case r.State == Running && d.Waits == WaitsRunner:
		return MsgStatusRunner
	case r.State == Canceled && d.Nothing:
		return MsgStatusNothing
	// These have their line; only a status message that is there is updated.
	case r.State == Refused && r.Shown.Status != "":
		return MsgStatusRefused
	case r.State == Answered && r.Shown.Status != "":
		return MsgStatusAnswered
	}
	return statuses[r.State]
}

// form tells one form of the status message from another.
func (m Message) form() string {
	h := fnv.New64a()
	fmt.Fprint(h, m.ID, "\x00", m.URL, "\x00", m.Target, "\x00", m.Detail, "\x00", m.Until)
	return fmt.Sprintf("%s/%x", m.ID, h.Sum64())
}
