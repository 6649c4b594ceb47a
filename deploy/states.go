package deploy

import (
	"fmt"
	"slices"
	"time"
)

// This file is the state machine: every move that a record can make, and the
// pure functions that make it. What is found out while a pipeline runs is in
// follow.go, what a state shows in Slack in view.go; who calls these and saves
// the result is the loop.

// Moves is the whole of the state machine. docs/ARCHITECTURE.md draws it.
func Moves() map[State][]State {
	return map[State][]State{
		Accepted:   {Answered, Triggering, Running, Succeeded, Failed, Canceled},
		Triggering: {Running, Refused, Waiting, Unsure, Succeeded, Failed, Canceled},
		Waiting:    {Triggering, Refused, Answered, Running, Succeeded, Failed, Canceled},
		Unsure:     {Running, Silent, Refused, Succeeded, Failed, Canceled},
		Running:    {Silent, Succeeded, Failed, Canceled},
		Silent:     {Succeeded, Failed, Canceled},
		Failed:     {Succeeded},
		Canceled:   {Succeeded, Failed},
		Answered:   nil,
		Refused:    nil,
		Succeeded:  nil,
	}
}

// Timing holds the times that govern a deployment.
type Timing struct {
	MaxAge         time.Duration // MENTION_MAX_AGE
	RequestTimeout time.Duration // GITLAB_REQUEST_TIMEOUT: how long GitLab may go on with a request whose client has gone
	Timeout        time.Duration // DEPLOY_TIMEOUT, where the target is not known
	CanPoll        bool          // GitLab can be asked about pipelines
}

// The fixed times.
const (
	WriteWithin = 5 * time.Second // from the save that allows a POST to its first byte
	WaitAtMost  = 5 * time.Minute // waiting, in all
	postGrace   = 5 * time.Second // a POST's deadline is GitLab's own request timeout and this
	lookGrace   = 15 * time.Second
	followFirst = 5 * time.Second
	followMost  = 11 * time.Second // 12 s between two looks: what is due waits for the next poll
	followLate  = time.Minute      // a silent one is still looked at, now and then,
	followUntil = 24 * time.Hour   // this long; and a running one no more often after it
	jobsWithin  = 15 * time.Second // an end that was told is believed then, if its jobs cannot be read
	jobsAgain   = 3 * time.Second  // until then they are asked for
	pendingTold = time.Minute      // "no runner has taken it"
)

// postEnd is when a POST allowed at triggered has surely ended.
func (u Timing) PostEnd(triggered time.Time) time.Time {
	// mutant: a POST that is taken for over while it may go on
	return triggered.Add(WriteWithin + u.RequestTimeout + postGrace)
}

// sureFrom is from when a complete listing without the pipeline means that
// there is none, and that there will be none.
func (u Timing) sureFrom(triggered time.Time) time.Time {
	return triggered.Add(WriteWithin + u.RequestTimeout + lookGrace)
}

// Ended tells whether the deployment has an end (that a retry may still better).
func (s State) Ended() bool {
	return s == Succeeded || s == Failed || s == Canceled || s == Refused || s == Answered
}

// move is the one place where a state changes. A move that is not in [Moves]
// is a mistake in this file.
func (r Record) move(to State) Record {
	if !slices.Contains(Moves()[r.State], to) {
		panic(fmt.Sprintf("no move from %s to %s", r.State, to))
	}
	r.State = to
	// mutant: a reaction that is not taken off after a crash
	r.Reactions = withReaction(r.Reactions, reactionFor(to))
	r.Next = time.Time{}
	r.Shown.Next = time.Time{} // there is something new to show, which may not be what has to wait
	d := &r.Deployment
	d.Polls, d.Slow, d.Ending, d.EndingAt = 0, false, "", time.Time{}
	d.Waits, d.Pending, d.Nothing = "", time.Time{}, false
	return r
}

// withReaction notes that a reaction may stand from now on. The copy keeps records
// apart that share them.
func withReaction(marks []string, m string) []string {
	if m == "" || slices.Contains(marks, m) {
		return marks
	}
	return append(slices.Clone(marks), m)
}

// addLine adds a line to the thread. The copy keeps records apart that share lines.
func (r Record) addLine(m Message) Record {
	r.Lines = append(slices.Clone(r.Lines), m)
	r.Shown.Next = time.Time{}
	return r
}

// addLineOnce adds a line that the record does not have yet.
func (r Record) addLineOnce(m Message) Record {
	if slices.ContainsFunc(r.Lines, func(said Message) bool { return said.ID == m.ID }) {
		return r
	}
	return r.addLine(m)
}

// message makes a message about the deployment.
func (r Record) Message(s MessageID) Message {
	d := r.Deployment
	m := Message{ID: s, Target: d.Target, Project: d.Project, Ref: d.Ref, Key: d.Key, URL: d.Link(), Detail: d.Detail}
	switch s {
	case MsgFailed, MsgCanceled, MsgSilent, MsgNoneSeen, MsgBrokenUnsure, MsgFailedAfter, MsgNothing, MsgPerson:
		m.User = r.Mention.User
	}
	return m
}

func (d Deployment) Link() string {
	if d.URL != "" {
		return d.URL
	}
	return d.Page
}

// Answer ends a record that deploys nothing, with one reply.
func (r Record) Answer(m Message) Record {
	return r.move(Answered).addLine(m)
}

// Start announces an attempt: one POST, with a token of its own whose sum is
// given. page is where the project's pipelines are seen. A record that knows a
// pipeline is never triggered again.
func (r Record) Start(t Target, page, tokenSum string, now time.Time, u Timing) Record {
	if r.Deployment.Pipeline != 0 {
		panic("no attempt for a record that knows a pipeline")
	}
	r = r.move(Triggering)
	d := &r.Deployment
	if d.WaitEnd.IsZero() {
		d.Target, d.Project, d.Ref, d.Key, d.Job, d.Timeout, d.Page = t.Name, t.Project, t.Ref, t.Key, t.Job, t.Timeout, page
		d.WaitEnd = now.Add(WaitAtMost)
	}
	d.Triggered = now
	d.Attempt++
	r.Tokens = withToken(r.Tokens, tokenSum)
	r.Next = u.PostEnd(now)
	return r
}

// Refuse ends a record of which nothing runs.
func (r Record) Refuse(s MessageID, detail string) Record {
	r = r.move(Refused)
	r.Deployment.Detail = detail
	return r.addLine(r.Message(s))
}

// IsTriggering tells whether the attempt's POST is being made, as far as is known.
func (r Record) IsTriggering(attempt int) bool {
	// mutant: an outcome that counts for any attempt
	return r.State == Triggering && r.Deployment.Attempt == attempt
}

// Settle takes in what became of an attempt's POST. It counts for that attempt
// alone: the record may have gone on to another by now. And if a word or a
// look-up was faster, only what is still missing is filled in. A pipeline that
// the outcome names is adopted in any case. applied tells the log whether
// anything was made of it.
func (r Record) Settle(attempt int, o TriggerResult, now time.Time, u Timing) (next Record, applied bool) {
	// mutant: a refusal after none was seen
	// mutant: an unsure attempt refused by an earlier one's outcome
	isUnsure := r.State == Unsure && r.Deployment.Attempt == attempt && !r.Deployment.NoneSeen
	switch {
	case r.IsTriggering(attempt):
	case isUnsure && o.Status == TriggerRefused:
		return r.Refuse(o.Reason, o.Detail), true
	case isUnsure && (o.Status == TriggerWait || o.Status == TriggerNotSent):
		return r.Refuse(waitedInVain(o.Reason), ""), true
	default:
		return r.Adopt(o.Pipeline, now, u)
	}
	switch o.Status {
	case TriggerStarted, TriggerFailed:
		return r.run(o.Pipeline, now, u), true
	case TriggerRefused:
		return r.Refuse(o.Reason, o.Detail), true
	case TriggerWait, TriggerNotSent:
		if o.Reason == "" {
			o.Reason = MsgWaitUnreachable
		}
		at := now.Add(o.After)
		if at.After(r.Deployment.WaitEnd) {
			return r.Refuse(waitedInVain(o.Reason), ""), true
		}
		r = r.move(Waiting)
		r.Deployment.Wait, r.Next = o.Reason, at
		switch {
		case r.Deployment.Deleted:
			r = r.Gone()
		// mutant: a request taken back during its POST tried again
		case r.Deployment.TakenBack:
			r = r.Edit(false)
		}
		return r, true
	default:
		// mutant: a second POST after a lost answer
		return r.MarkUnsure(now, u), true
	}
}

// adopt takes a pipeline that is surely of this record for its own, unless it
// has another, or its person was told that nothing runs.
func (r Record) Adopt(p Pipeline, now time.Time, u Timing) (next Record, adopted bool) {
	d := &r.Deployment
	switch {
	case p.ID == 0, r.State == Answered, r.State == Refused, d.Pipeline != 0 && d.Pipeline != p.ID:
		return r, false
	// mutant: a pipeline that is not adopted while it waits
	case r.State == Triggering, r.State == Waiting, r.State == Unsure, r.State == Silent, r.State == Running && d.Pipeline == 0:
		return r.run(p, now, u), true
	}
	d.Pipeline = p.ID
	if p.URL != "" {
		d.URL = p.URL
	}
	return r, true
}

// Slow notes that GitLab takes its time to answer the attempt in flight.
func (r Record) Slow() Record {
	r.Deployment.Slow = true
	r.Reactions = withReaction(r.Reactions, reactionSlow)
	return r
}

// GiveUpWaiting refuses a record that has waited for too long.
func (r Record) GiveUpWaiting() Record { return r.Refuse(waitedInVain(r.Deployment.Wait), "") }

func waitedInVain(wait MessageID) MessageID {
	if wait == MsgWaitRate {
		return MsgRefusedRate
	}
	return MsgRefusedUnreachable
}

// MarkUnsure moves to unsure: the POST may have worked.
func (r Record) MarkUnsure(now time.Time, u Timing) Record {
	r = r.move(Unsure)
	r.Next = r.nextLook(now, u)
	return r
}

// run takes in a pipeline: where it stands decides where the record goes.
func (r Record) run(p Pipeline, now time.Time, u Timing) Record {
	d := &r.Deployment
	if d.Pipeline == 0 {
		d.Pipeline = p.ID
	}
	if p.URL != "" {
		d.URL = p.URL
	}
	if p.End != "" {
		return r.end(p)
	}
	if r.State != Running && r.State != Silent {
		r = r.move(Running)
	}
	r.Next = r.nextLook(now, u)
	return r
}

// end takes in how the pipeline ended.
func (r Record) end(p Pipeline) Record {
	said := map[State]MessageID{Succeeded: MsgSucceeded, Failed: MsgFailed, Canceled: MsgCanceled}[p.End]
	switch {
	case p.Nothing:
		said = MsgNothing
	case p.End == Succeeded && p.Unseen:
		said = MsgUnseen
	case p.End == Succeeded && (r.State == Failed || r.State == Canceled && !r.Deployment.Nothing):
		said = MsgRecovered
	}
	r = r.move(p.End)
	d := &r.Deployment
	d.Detail, d.Nothing = p.Detail, p.Nothing
	if p.End == Succeeded {
		d.FailedBy, d.Proved = nil, nil
	}
	if p.Nothing {
		return r.addLineOnce(r.Message(said)) // it may have been told while a job waited
	}
	return r.addLine(r.Message(said))
}

// AfterPanic takes in that the record broke its worker. After the third time nobody
// takes it up again: it says what is known.
func (r Record) AfterPanic(now time.Time, u Timing) Record {
	r.Panics++
	if r.Panics < 3 {
		return r
	}
	switch r.State {
	case Accepted, Waiting:
		return r.Answer(Message{ID: MsgBroken})
	case Triggering:
		r = r.move(Unsure)
		r = r.addLine(r.Message(MsgBrokenUnsure))
	}
	r.Next = time.Time{}
	if r.State == Unsure || r.State == Running {
		r.Next = later(r.Deadline(), now.Add(time.Minute))
	}
	return r
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
