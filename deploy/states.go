package deploy

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// This file is the state machine: every move that a record can make, and the
// functions that make it. What happens while a pipeline runs is in follow.go,
// what a state shows in Slack in view.go.

// Moves is the whole of the state machine. docs/ARCHITECTURE.md draws it.
func Moves() map[State][]State { return moves }

var moves = map[State][]State{
	Accepted:   {Answered, Asking, Locked, Queued, Triggering, Running, Succeeded, Failed, Canceled},
	Asking:     {Accepted, Answered, Locked, Queued, Triggering, Running, Succeeded, Failed, Canceled},
	Locked:     {Answered},
	Queued:     {Answered, Asking, Triggering, Refused, Running, Succeeded, Failed, Canceled},
	Triggering: {Running, Refused, Waiting, Unsure, Succeeded, Failed, Canceled},
	Waiting:    {Triggering, Refused, Answered, Running, Succeeded, Failed, Canceled},
	Unsure:     {Running, Silent, Refused, Succeeded, Failed, Canceled},
	Running:    {Silent, Succeeded, Failed, Canceled},
	Silent:     {Succeeded, Failed, Canceled},
	Failed:     {Succeeded},
	Canceled:   {Succeeded, Failed},
	Answered:   {Accepted},
	Refused:    nil,
	Succeeded:  nil,
}

// Open reports whether something may still be stopped, or is going on.
func (s State) Open() bool {
	return s == Asking || s == Locked || s == Queued || s == Triggering || s == Waiting || s == Unsure || s == Running
}

// Ran reports whether something may have run.
func (s State) Ran() bool {
	return s == Unsure || s == Running || s == Silent || s == Succeeded || s == Failed || s == Canceled
}

// IsGoingOn reports whether a stop, or who asks what is going on, must find the record.
func (r Record) IsGoingOn() bool { return r.State.Open() || r.isAskedFor() || r.AgainDue() }

// isAskedFor reports whether a deploy is asked for that nobody has taken up yet.
func (r Record) isAskedFor() bool {
	kind := r.Request.Intent.Kind
	return r.State == Accepted && (kind == KindDeploy || kind == KindRetry)
}

// Ended reports whether the deployment is over, as far as is known.
func (s State) Ended() bool {
	return s == Succeeded || s == Failed || s == Canceled || s == Refused || s == Answered
}

// move is the one place where a state changes. A move that is not in [Moves] is a
// bug in this package.
func (r Record) move(to State) Record {
	if !slices.Contains(Moves()[r.State], to) {
		panic(fmt.Sprintf("no move from %s to %s", r.State, to))
	}
	r.State = to
	// mutant: a reaction that is not removed after a crash
	r.Reactions = r.withReaction(shows[to].reaction)
	r.Next = time.Time{}
	d := &r.Deployment
	d.Polls, d.Slow, d.Ending, d.EndingAt = 0, false, "", time.Time{}
	d.Waits, d.Pending, d.Nothing, d.Unlooked = "", time.Time{}, false, false
	return r
}

// withReaction are the reactions that may be on the mention, with one more. It
// copies the list, which several records may share.
func (r Record) withReaction(name string) []string {
	if name == "" || !r.HasMention() || slices.Contains(r.Reactions, name) {
		return r.Reactions
	}
	return append(slices.Clone(r.Reactions), name)
}

// addLine adds a line to the thread. It copies the lines, which several records
// may share.
func (r Record) addLine(m Message) Record {
	r.Lines = append(slices.Clone(r.Lines), m)
	return r
}

// addLineOnce adds a line, unless the record has it.
func (r Record) addLineOnce(m Message) Record {
	if slices.ContainsFunc(r.Lines, func(line Message) bool { return line.ID == m.ID }) {
		return r
	}
	return r.addLine(m)
}

// Answer ends a record that deploys nothing, with one reply. Where it asked, the
// reply stands in the place of the question.
func (r Record) Answer(m Message) Record {
	asked := r.Ask != nil && r.Deployment.Triggered.IsZero() && r.State != Queued && r.State != Locked
	r = r.move(Answered).decided(r.ofAnswer(m))
	if m.ID.IsRefusal() {
		r.Reactions = r.withReaction(reactionRefused)
	}
	if !asked {
		return r.addLine(m)
	}
	ask := *r.Ask
	ask.Closed = &m
	r.Ask = &ask
	return r
}

// Start announces an attempt: one POST, with a token of its own unless it is a
// rollback. page is the project's pipelines page. A record that knows a pipeline is never triggered
// again.
func (r Record) Start(t Target, page, tokenSum string, now time.Time, timing Timing) Record {
	if r.Deployment.Pipeline != 0 {
		panic("no attempt for a record that knows a pipeline")
	}
	r = r.move(Triggering)
	d := &r.Deployment
	if d.WaitEnd.IsZero() {
		d.Target, d.Project, d.Ref, d.Key, d.Job, d.Timeout, d.Page = t.Name, t.Project, t.Ref, t.Key, t.Job, t.Timeout, page
		d.Site, d.Announce = t.Site, t.Announce
		d.WaitEnd = now.Add(MaxWait)
	}
	d.Triggered = now
	d.Attempt++
	if tokenSum != "" {
		r.Tokens = withNewest(r.Tokens, tokenSum, maxTokens)
	}
	r.Next = timing.PostEnd(now)
	return r
}

// Refuse ends a record for which nothing runs.
func (r Record) Refuse(reason MessageID, detail string) Record {
	r = r.move(Refused)
	r.Deployment.Detail, r.Deployment.MovedOn = detail, reason == MsgRefusedCommit
	return r.addLine(r.Message(reason))
}

// IsTriggering reports whether the attempt's POST is being made, as far as is known.
func (r Record) IsTriggering(attempt int) bool {
	// mutant: an outcome that counts for every attempt
	return r.State == Triggering && r.Deployment.Attempt == attempt
}

// Settle takes in the result of an attempt's POST. It counts for that attempt
// alone: the record may have gone on to another by now. If a callback or a poll
// was faster, only what is missing is filled in. A pipeline that the result names
// is adopted in any case. applied tells the log whether the result changed the
// record.
func (r Record) Settle(attempt int, o TriggerResult, now time.Time, timing Timing) (next Record, applied bool) {
	// mutant: a late refusal after no pipeline was seen
	// mutant: an unsure attempt refused by an earlier one's outcome
	isUnsure := r.State == Unsure && r.Deployment.Attempt == attempt && !r.Deployment.NoneSeen
	nothingRuns := o.Status == TriggerRefused || o.Status == TriggerWait || o.Status == TriggerNotSent
	if !r.IsTriggering(attempt) && !(isUnsure && nothingRuns) {
		return r.Adopt(o.Pipeline, now, timing)
	}
	at := now.Add(o.After)
	switch {
	case o.Status == TriggerStarted, o.Status == TriggerFailed:
		return r.run(o.Pipeline, now, timing), true
	case o.Status == TriggerRefused:
		return r.Refuse(o.Reason, o.Detail), true
	case !nothingRuns:
		// mutant: a second POST after a lost answer
		return r.MarkUnsure(now, timing), true
	}
	r.Deployment.Wait = cmp.Or(o.Reason, MsgWaitUnreachable)
	if isUnsure || at.After(r.Deployment.WaitEnd) {
		return r.GiveUpWaiting(), true
	}
	r = r.move(Waiting)
	r.Next = at
	switch {
	case r.Deployment.Deleted:
		r = r.Gone()
	// mutant: a stop that starts again
	case r.Deployment.WithdrawnBy != "":
		r, _ = r.Withdraw(Person{User: r.Deployment.WithdrawnBy})
	// mutant: a request withdrawn during its POST retried
	case r.Deployment.TakenBack:
		r = r.Edit(Intent{})
	}
	return r, true
}

// Adopt takes a pipeline that certainly belongs to this record as its own, unless
// it has another, or its person was told that nothing runs.
func (r Record) Adopt(p Pipeline, now time.Time, timing Timing) (next Record, adopted bool) {
	d := &r.Deployment
	switch {
	case p.ID == 0, r.State == Answered, r.State == Locked, r.State == Refused, d.Pipeline != 0 && d.Pipeline != p.ID:
		return r, false
	// mutant: a pipeline that is not adopted while it waits
	case r.State == Triggering, r.State == Waiting, r.State == Unsure, r.State == Silent, r.State == Running && d.Pipeline == 0:
		return r.run(p, now, timing), true
	case r.State == Accepted, r.State == Asking, r.State == Queued: // the store has lost the saves of its trigger
		if d.Triggered.IsZero() {
			d.Triggered, d.Timeout = now, timing.Timeout
		}
		return r.run(p, now, timing), true
	}
	return r.named(p, now), true
}

// name notes which pipeline it is, once, and where its page is.
func (d *Deployment) name(p Pipeline) {
	if d.Pipeline == 0 {
		d.Pipeline = p.ID
	}
	if p.URL != "" {
		d.URL = p.URL
	}
	if p.SHA != "" && d.known().Commit.SHA == "" {
		g := d.progress()
		g.Commit.SHA, g.Commit.URL = p.SHA, d.page("commit/"+p.SHA)
	}
	if p.Job != nil {
		d.progress().Job = p.Job.named()
	}
}

// GiveUpWaiting refuses a record that has waited for too long.
func (r Record) GiveUpWaiting() Record {
	reason := MsgRefusedUnreachable
	if r.Deployment.Wait == MsgWaitRate {
		reason = MsgRefusedRate
	}
	return r.Refuse(reason, "")
}

// MarkUnsure notes that the POST may have worked.
func (r Record) MarkUnsure(now time.Time, timing Timing) Record {
	r = r.move(Unsure)
	r.Next = r.nextPoll(now, timing)
	return r
}

// run takes in a pipeline that goes on, or has ended already.
func (r Record) run(p Pipeline, now time.Time, timing Timing) Record {
	r = r.named(p, now)
	if p.End != "" {
		return r.end(p, now)
	}
	if r.State != Running && r.State != Silent {
		r = r.move(Running)
	}
	r.Next = r.nextPoll(now, timing)
	return r
}

// end takes in how the pipeline ended.
func (r Record) end(p Pipeline, now time.Time) Record {
	p.End = r.endOfCommit(p.End)
	line := map[State]MessageID{Succeeded: MsgSucceeded, Failed: MsgFailed, Canceled: MsgCanceled}[p.End]
	switch {
	case r.Deployment.MovedOn && p.End == Succeeded:
		line = MsgOtherCommitOut
	case r.Deployment.MovedOn && p.End == Canceled:
		line = MsgOtherCommit
	case p.Nothing:
		line = MsgNothing
	case p.End == Canceled && r.Deployment.Cancel != nil:
		line = MsgStopped
	case p.End == Succeeded && p.Unseen:
		line = MsgUnseen
	// mutant: a rollback told as a deploy
	case p.End == Succeeded && r.Deployment.Rollback != nil:
		line = MsgRolledBack
	case p.End == Succeeded && (r.State == Failed || r.State == Canceled && !r.Deployment.Nothing):
		line = MsgRecovered
	}
	r = r.move(p.End)
	d := &r.Deployment
	d.Detail, d.Nothing, d.Ended = p.Detail, p.Nothing, now
	if p.End == Succeeded {
		p.Failed, d.FailedBy, d.Proved = nil, nil, nil
		if len(r.buttons()) > 0 {
			r.Next = now.Add(restAfter)
		}
	}
	if p.Failed != nil || p.End == Succeeded && d.known().Failed != nil {
		d.progress().Failed = p.Failed
	}
	if p.Nothing {
		return r.addLineOnce(r.Message(line)) // it may have been added while a job waited
	}
	return r.addLine(r.Message(line))
}

// AfterPanic takes in that the record made its worker panic. After the third time
// it is not worked on again, and its person is told what is known.
func (r Record) AfterPanic(now time.Time, timing Timing) Record {
	r.Panics++
	if r.Panics < 3 {
		return r
	}
	switch r.State {
	case Accepted, Asking, Locked, Queued, Waiting:
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

func earlier(times ...time.Time) time.Time { return slices.MinFunc(times, time.Time.Compare) }

func later(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }
