package deploy

import (
	"encoding/json"
	"hash/fnv"
	"strconv"
	"strings"
	"time"
)

// View is what Slack should show of a record: a pure function of it.
type View struct {
	Reaction string // on the mention; empty: none
	Posts    []Post // in the order in which they are made
}

// Post is one message of a record: the status message, or a line of its thread.
type Post struct {
	Slot    string // names it within the record
	Message Message
}

// SlotStatus is the slot of the status message, which is edited in place whenever it
// changes. All else is posted once.
const SlotStatus = "status"

// announced ends the slot of a line that is posted in the channel too.
const announced = "-channel"

// IsInChannel reports whether the message of a slot is in the channel itself.
func (s Shown) IsInChannel(slot string) bool {
	return s.InChannel || strings.HasSuffix(slot, announced)
}

// SlotLine is the slot of a line of the thread.
func SlotLine(n int) string { return "line-" + strconv.Itoa(n) }

// shows is what a state shows: a reaction, and a status message unless that depends
// on more than the state.
var shows = map[State]struct {
	reaction string
	status   MessageID
}{
	Asking:    {reaction: "thinking_face"},
	Locked:    {"lock", MsgStatusLocked},
	Queued:    {"hourglass_flowing_sand", MsgStatusQueued},
	Waiting:   {reaction: "hourglass_flowing_sand"},
	Unsure:    {"question", MsgStatusUnsure},
	Running:   {"thumbsup", MsgStatusRunning},
	Silent:    {"zzz", MsgStatusSilent},
	Succeeded: {"white_check_mark", MsgStatusSucceeded},
	Refused:   {reaction: "x"},
	Failed:    {"x", MsgStatusFailed},
	Canceled:  {"no_entry_sign", MsgStatusCanceled},
}

// reactionSlow shows that GitLab is slow to answer, so that nobody asks twice.
const reactionSlow = "eyes"

// reactionRefused shows that a rule refused what was asked for.
const reactionRefused = "no_entry"

// IsRefusal reports whether a message says that a rule refuses the person.
func (id MessageID) IsRefusal() bool {
	return id == MsgGuest || id == MsgNotAllowed || id == MsgGroupUnread || id == MsgFrozen || id == MsgStopGuest
}

// answer is how a record was answered last.
func (r Record) answer() MessageID {
	if r.Ask != nil && r.Ask.Closed != nil {
		return r.Ask.Closed.ID
	}
	if n := len(r.Lines); n > 0 {
		return r.Lines[n-1].ID
	}
	return ""
}

// View returns what Slack should show of the record.
func (r Record) View() View { return View{r.reaction(), r.posts()} }

func (r *Record) reaction() string {
	switch {
	case !r.HasMention():
		return ""
	case r.State == Triggering && r.Deployment.Slow:
		return reactionSlow
	case r.State == Answered && r.answer().IsRefusal():
		return reactionRefused
	case r.rode() && r.answer() == MsgRode:
		return shows[Succeeded].reaction
	case r.rode():
		return shows[Failed].reaction
	}
	return shows[r.State].reaction
}

func (r *Record) posts() (all []Post) {
	if m := r.statusMessage(); m.ID != "" {
		all = append(all, Post{SlotStatus, m})
	}
	for n, m := range r.Lines {
		all = append(all, Post{SlotLine(n), m})
		if r.Deployment.Announce.tells(m.ID) && !r.Shown.InChannel {
			all = append(all, Post{SlotLine(n) + announced, m})
		}
	}
	return all
}

// statusMessage is the status message; zero: none. What a record asks is in its
// place, until something else is.
func (r Record) statusMessage() Message {
	if r.Ask != nil && (r.State == Asking || r.State == Triggering || r.State == Answered && r.Ask.Closed != nil) {
		return r.askMessage()
	}
	id := r.statusID()
	if id == "" {
		return Message{}
	}
	m := r.Message(id)
	m.Progress, m.Buttons = r.Deployment.Progress, r.buttons()
	if r.IsCanceling() {
		m.By = r.Deployment.Cancel.By
	}
	if r.State == Waiting {
		m.Until = r.Deployment.WaitEnd.Unix()
	}
	for _, p := range r.Approved() {
		m.Approved = append(m.Approved, p.By.User)
	}
	switch {
	case r.State == Queued || r.rode():
		m.Known = r.Turn.Known
	case id == MsgStatusAnswered && len(r.Lines) > 0:
		if last := r.Lines[len(r.Lines)-1]; last.ID == MsgWithdrawn || last.ID == MsgEditedOut {
			m.Known = last.Known
		}
	case r.State == Locked:
		m.Word, m.Until = r.Locks.Reason, r.Locks.Until.Unix()
	}
	return m
}

// rode reports whether another deployment had what was asked for, and is over.
func (r Record) rode() bool {
	return r.State == Answered && r.Turn.With != "" && (r.answer() == MsgRode || r.answer() == MsgRodeFailed)
}

func (r Record) statusID() MessageID {
	d := r.Deployment
	_, posted := r.Shown.Posts[SlotStatus]
	switch {
	case r.State == Waiting:
		return d.Wait
	// mutant: a queued one that keeps its buttons while it starts
	case r.State == Triggering && (d.Slow || !r.Turn.Since.IsZero()) && !d.Deleted:
		return MsgStatusStarting
	case r.IsCanceling():
		return MsgStatusCanceling
	case r.State == Queued && r.Turn.With != "", r.rode():
		return MsgStatusRiding
	case r.WaitsToBeTold():
		return MsgStatusTold
	case r.State == Answered && !r.Locks.Since.IsZero() && posted:
		return MsgStatusUnlocked
	case r.State == Running && d.Waits == WaitsPerson:
		return MsgStatusPerson
	case r.State == Running && d.Waits == WaitsRunner:
		return MsgStatusRunner
	case r.State == Canceled && d.Nothing:
		return MsgStatusNothing
	// These have their line; only a status message that is there is updated.
	case r.State == Refused && posted:
		return MsgStatusRefused
	case r.State == Answered && posted:
		return MsgStatusAnswered
	}
	return shows[r.State].status
}

// hash tells one version of an editable message from another, whatever of it
// changed.
func (m Message) hash() string {
	raw, err := json.Marshal(&m)
	if err != nil {
		panic(err) // strings and numbers alone
	}
	h := fnv.New64a()
	h.Write(raw)
	return string(m.ID) + "/" + strconv.FormatUint(h.Sum64(), 16)
}

// tells reports whether a line is posted in the channel too.
func (a Announce) tells(id MessageID) bool {
	switch id {
	case MsgFailed, MsgCanceled, MsgStopped, MsgOtherCommit, MsgOtherCommitOn, MsgOtherCommitOut, MsgSilent, MsgNothing, MsgFailedAfter:
		return a != AnnounceNever
	case MsgSucceeded, MsgRolledBack, MsgRecovered, MsgUnseen:
		return a == AnnounceAll
	}
	return false
}

// IsSlow reports whether GitLab is slow to answer the attempt in flight, which is not
// shown yet.
func (r Record) IsSlow(now time.Time) bool {
	at := r.slowAt()
	return !at.IsZero() && !now.Before(at)
}

// slowAt is from when GitLab is slow to answer the attempt in flight; zero: that is not
// to be shown.
func (r Record) slowAt() time.Time {
	if d := r.Deployment; r.State == Triggering && !d.Slow && !d.TakenBack {
		return d.Triggered.Add(SlowAfter)
	}
	return time.Time{}
}

// Slow notes that GitLab is slow to answer the attempt in flight.
func (r Record) Slow(now time.Time) Record {
	if r.IsSlow(now) {
		r.Deployment.Slow = true
		r.Reactions = r.withReaction(reactionSlow)
	}
	return r
}
