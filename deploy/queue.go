package deploy

import (
	"slices"
	"strings"
	"time"
)

// This file is about the queue of a target: while one of its deployments goes on,
// who asks for another is next, and who asks after that goes along with that one: the
// newest commit of the branch has theirs too.

// Turn is the place of a record in the queue of its target.
type Turn struct {
	Since  time.Time `json:"since"`            // when it was queued: what is triggered later has its commits
	Behind []string  `json:"behind,omitempty"` // the records that it lets go first: if they all succeed, it starts by itself
	With   string    `json:"with,omitempty"`   // the record whose deployment has its commits; empty: it is next
	Known  []Known   `json:"known,omitempty"`  // what it waits for, as of the last look
	Over   string    `json:"over,omitempty"`   // the deployments that take so long that it may start beside them, see [Beside.Confirmation]
}

// The times of a queue.
const (
	lookEvery = time.Minute
	lateAfter = 10 * time.Minute // of a deployment whose usual duration is not known
	maxQueued = AskFor           // what was queued for longer is asked about
)

// Ahead is what a queued record finds when it looks whether it is its turn.
type Ahead struct {
	Active []Beside // deployments of the target that go on
	First  *Record  // the oldest for the target that [Record.Leads]; nil: none is known
	With   *Record  // that of Turn.With, or the one that it goes along with itself; nil: it is gone
	Behind []Record // those of Turn.Behind that are still there
}

// Look is what comes of a look.
type Look string

// The results of a look.
const (
	LookLater Look = "later" // it goes on waiting
	LookDone  Look = "done"  // another deployment had its commits, and is over
	LookStart Look = "start" // it is its turn
	LookAsk   Look = "ask"   // it is its turn, and somebody has to confirm that
)

// Queue puts a record into the queue of a target.
func (r Record) Queue(t Target, now time.Time) Record {
	r = r.move(Queued)
	d := &r.Deployment
	d.Target, d.Project, d.Ref, d.Key = t.Name, t.Project, t.Ref, t.Key
	r.Turn = Turn{Since: now}
	return r
}

// IsNext reports whether the record is queued, and goes along with no other.
func (r Record) IsNext() bool { return r.State == Queued && r.Turn.With == "" }

// Leads reports whether others may go along with it: who waits for a lock may wait for
// long, and each of them is asked.
func (r Record) Leads() bool {
	// mutant: a deploy held back by who waits for the end of a lock
	return r.IsNext() && !r.Turn.isBehindALock()
}

// WaitsToBeTold reports whether it starts nothing by itself: its person is asked once a
// lock is over.
func (r Record) WaitsToBeTold() bool { return r.IsNext() && r.Turn.isBehindALock() }

// Look moves a queued record on by what it finds ahead of it.
func (r Record) Look(a Ahead, now time.Time) (Record, Look) {
	turn := &r.Turn
	r.Next = now.Add(lookEvery)
	turn.Known, turn.Over = nil, ""
	others := a.Behind
	for _, b := range a.Active {
		if b.Record != nil {
			others = append(others, *b.Record)
		}
	}
	for _, other := range others {
		// mutant: a second deployment of commits that another one has
		// mutant: who is next told to go along with what is being stopped
		if d := other.Deployment; other.State.Ran() && !d.NoneSeen && !other.IsToStop() && r.isIn(other) && d.Triggered.After(turn.Since) {
			a.With = &other
		}
	}
	if w := a.With; w != nil {
		turn.With, turn.Known = w.Request.Key.String(), []Known{r.knows(w.Known())}
		switch {
		// mutant: a queued one forgotten as the one it went along with never ran
		case w.State == Refused, w.State == Answered, w.Deployment.NoneSeen, w.State.Ran() && !r.isIn(*w):
		case w.State.Ended(), w.State == Silent:
			return r.arrive(*w), LookDone
		default:
			if w.IsActive() {
				turn.Over = late([]Beside{w.Beside()}, now)
			}
			return r, LookLater
		}
	}
	turn.With, turn.Known, turn.Over = "", nil, late(a.Active, now)
	for _, b := range a.Active {
		if !slices.Contains(turn.Behind, b.Name) {
			turn.Behind = append(slices.Clone(turn.Behind), b.Name)
		}
		turn.Known = append(turn.Known, r.knows(b.Known))
	}
	switch {
	// mutant: a queue in which everybody is asked
	case a.First != nil && a.First.Request.Key != r.Request.Key:
		turn.With, turn.Known, turn.Over = a.First.Request.Key.String(), []Known{r.knows(a.First.Known())}, ""
		return r, LookLater
	case len(a.Active) > 0:
		return r, LookLater
	// mutant: a deploy that starts by itself after a failure
	case len(a.Behind) < len(turn.Behind), slices.ContainsFunc(a.Behind, Record.leavesDoubt), now.Sub(turn.Since) > maxQueued:
		return r, LookAsk
	}
	return r, LookStart
}

// late confirms deployments that all take twice their usual time, and no others.
func late(all []Beside, now time.Time) (over string) {
	for _, b := range all {
		usual := time.Duration(b.Known.Usual) * time.Second
		if usual == 0 {
			usual = lateAfter / 2
		}
		if b.Known.State == Locked || now.Sub(time.Unix(b.Known.Since, 0)) <= 2*usual {
			return ""
		}
		over += " " + b.Confirmation()
	}
	return strings.TrimSpace(over)
}

// isBehindALock reports whether it waits for a lock.
func (turn Turn) isBehindALock() bool {
	return slices.ContainsFunc(turn.Known, func(k Known) bool { return k.State == Locked })
}

// isIn reports whether a deployment has the commits of one that was asked for
// before it was triggered.
func (r Record) isIn(other Record) bool {
	// mutant: a rollback taken for what was asked for
	return other.TargetID() == r.TargetID() && other.Deployment.Rollback == nil
}

// knows is another deployment as people here call it: another channel may have
// another name for the target.
func (r Record) knows(k Known) Known {
	k.Target = r.Deployment.Target
	return k
}

// goesWith is the deployment that still has its commits if it is withdrawn now; nil: none has.
func (r Record) goesWith() []Known {
	// mutant: who went along with another told that nothing was started
	if r.State == Queued && r.Turn.With != "" {
		return r.Turn.Known
	}
	return nil
}

// arrive takes in how the deployment has ended that has its commits.
func (r Record) arrive(w Record) Record {
	id := MsgRodeFailed
	if w.State == Succeeded {
		id = MsgRode
	}
	m := r.Message(id)
	m.User, m.Known = r.Request.By.User, r.Turn.Known
	r = r.Answer(m)
	r.Reactions = r.withReaction(r.reaction())
	return r
}

// leavesDoubt reports whether what a deployment has left is not just a success.
func (r Record) leavesDoubt() bool {
	unseen := slices.ContainsFunc(r.Lines, func(m Message) bool { return m.ID == MsgUnseen })
	return r.State != Succeeded || unseen || r.Deployment.Rollback != nil
}
