package deploy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// This file is the state machine: every move that a record can make, and the
// pure functions that make it. What a state shows in Slack is in view.go, who
// calls these and saves the result is the loop.

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

// Rules are the times that a deployment goes by.
type Rules struct {
	MaxAge         time.Duration // MENTION_MAX_AGE
	RequestTimeout time.Duration // GITLAB_REQUEST_TIMEOUT: how long GitLab may go on with a request whose client has gone
	Timeout        time.Duration // DEPLOY_TIMEOUT, where the target is not known
	Watches        bool          // GitLab can be asked about pipelines
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
func (u Rules) postEnd(triggered time.Time) time.Time {
	return triggered.Add(WriteWithin + u.RequestTimeout + postGrace)
}

// sureFrom is from when a complete listing without the pipeline means that
// there is none, and that there will be none.
func (u Rules) sureFrom(triggered time.Time) time.Time {
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
	r.Marks = withMark(r.Marks, mark(to))
	r.Next = time.Time{}
	r.Shown.Next = time.Time{} // there is something new to show, which may not be what has to wait
	d := &r.Deployment
	d.Looks, d.Slow, d.Ending, d.EndingAt = 0, false, "", time.Time{}
	d.Waits, d.Pending, d.Nothing = "", time.Time{}, false
	return r
}

// withMark notes that a reaction may stand from now on. The copy keeps records
// apart that share them.
func withMark(marks []string, m string) []string {
	if m == "" || slices.Contains(marks, m) {
		return marks
	}
	return append(slices.Clone(marks), m)
}

// say adds a line to the thread. The copy keeps records apart that share lines.
func (r Record) say(m Message) Record {
	r.Lines = append(slices.Clone(r.Lines), m)
	r.Shown.Next = time.Time{}
	return r
}

// sayOnce adds a line that the record does not have yet.
func (r Record) sayOnce(m Message) Record {
	if slices.ContainsFunc(r.Lines, func(said Message) bool { return said.Say == m.Say }) {
		return r
	}
	return r.say(m)
}

// line makes a message about the deployment.
func (r Record) line(s Say) Message {
	d := r.Deployment
	m := Message{Say: s, Target: d.Target, Project: d.Project, Ref: d.Ref, Key: d.Key, URL: d.link(), Detail: d.Detail}
	switch s {
	case SayFailed, SayCanceled, SaySilent, SayNoneSeen, SayBrokenUnsure, SayFailedAfter, SayNothing, SayPerson:
		m.User = r.Mention.User
	}
	return m
}

func (d Deployment) link() string {
	if d.URL != "" {
		return d.URL
	}
	return d.Page
}

// Answer ends a record that deploys nothing, with one reply.
func (r Record) Answer(m Message) Record {
	return r.move(Answered).say(m)
}

// Start announces an attempt: one POST, with a token of its own whose sum is
// given. page is where the project's pipelines are seen. A record that knows a
// pipeline is never triggered again.
func (r Record) Start(t Target, page, tokenSum string, now time.Time, u Rules) Record {
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
	r.Next = u.postEnd(now)
	return r
}

// Refuse ends a record of which nothing runs.
func (r Record) Refuse(s Say, detail string) Record {
	r = r.move(Refused)
	r.Deployment.Detail = detail
	return r.say(r.line(s))
}

// IsTriggering tells whether the attempt's POST is being made, as far as is known.
func (r Record) IsTriggering(attempt int) bool {
	return r.State == Triggering && r.Deployment.Attempt == attempt
}

// Settle takes in what became of an attempt's POST. It counts for that attempt
// alone: the record may have gone on to another by now. And if a word or a
// look-up was faster, only what is still missing is filled in. A pipeline that
// the outcome names is adopted in any case. applied tells the log whether
// anything was made of it.
func (r Record) Settle(attempt int, o Outcome, now time.Time, u Rules) (next Record, applied bool) {
	isUnsure := r.State == Unsure && r.Deployment.Attempt == attempt && !r.Deployment.NoneSeen
	switch {
	case r.IsTriggering(attempt):
	case isUnsure && o.Fate == FateRefused:
		return r.Refuse(o.Say, o.Detail), true
	case isUnsure && (o.Fate == FateWait || o.Fate == FateNotSent):
		return r.Refuse(waitedInVain(o.Say), ""), true
	default:
		return r.adopt(o.Pipeline, now, u)
	}
	switch o.Fate {
	case FateStarted, FateFailed:
		return r.run(o.Pipeline, now, u), true
	case FateRefused:
		return r.Refuse(o.Say, o.Detail), true
	case FateWait, FateNotSent:
		if o.Say == "" {
			o.Say = SayWaitUnreachable
		}
		at := now.Add(o.After)
		if at.After(r.Deployment.WaitEnd) {
			return r.Refuse(waitedInVain(o.Say), ""), true
		}
		r = r.move(Waiting)
		r.Deployment.Wait, r.Next = o.Say, at
		return r, true
	default:
		return r.Doubt(now, u), true
	}
}

// adopt takes a pipeline that is surely of this record for its own, unless it
// has another, or its person was told that nothing runs.
func (r Record) adopt(p Pipeline, now time.Time, u Rules) (next Record, adopted bool) {
	d := &r.Deployment
	switch {
	case p.ID == 0, r.State == Answered, r.State == Refused, d.Pipeline != 0 && d.Pipeline != p.ID:
		return r, false
	case r.State == Triggering, r.State == Waiting, r.State == Unsure, r.State == Silent:
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
	r.Marks = withMark(r.Marks, markSlow)
	return r
}

func waitedInVain(wait Say) Say {
	if wait == SayWaitRate {
		return SayRefusedRate
	}
	return SayRefusedUnreachable
}

// Doubt moves to unsure: the POST may have worked.
func (r Record) Doubt(now time.Time, u Rules) Record {
	r = r.move(Unsure)
	r.Next = r.nextLook(now, u)
	return r
}

// run takes in a pipeline: where it stands decides where the record goes.
func (r Record) run(p Pipeline, now time.Time, u Rules) Record {
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
	said := map[State]Say{Succeeded: SaySucceeded, Failed: SayFailed, Canceled: SayCanceled}[p.End]
	switch {
	case p.Nothing:
		said = SayNothing
	case p.End == Succeeded && p.Unseen:
		said = SayUnseen
	case p.End == Succeeded && (r.State == Failed || r.State == Canceled && !r.Deployment.Nothing):
		said = SayRecovered
	}
	r = r.move(p.End)
	d := &r.Deployment
	d.Detail, d.Nothing = p.Detail, p.Nothing
	if p.End == Succeeded {
		d.FailedBy, d.Proved = nil, nil
	}
	if p.Nothing {
		return r.sayOnce(r.line(said)) // it may have been told while a job waited
	}
	return r.say(r.line(said))
}

// Look takes in an answer of GitLab about the deployment's pipeline: found by
// its id, or looked for after a lost answer. began is when the question was
// put. A look that found nothing leaves p zero.
func (r Record) Look(p Pipeline, complete bool, began, now time.Time, u Rules) Record {
	own := r.Deployment.Pipeline
	switch {
	case r.State != Unsure && r.State != Running && r.State != Silent && r.Deployment.Ending == "":
		return r // a word was faster
	case p.ID != 0 && own != 0 && p.ID != own:
		return r // a word named the pipeline meanwhile, and this is another
	}
	r.Deployment.Looks++
	d := &r.Deployment
	switch {
	case p.ID != 0:
		return r.see(p, now, u)
	case d.Ending != "":
		return r.awaitJobs(now, u)
	case r.State == Unsure && own == 0 && complete && !began.Before(u.sureFrom(d.Triggered)) && !d.NoneSeen:
		d.NoneSeen = true
		r = r.say(r.line(SayNoneSeen))
	}
	return r.lapse(now, u)
}

// see takes in what GitLab shows of the record's own pipeline.
func (r Record) see(p Pipeline, now time.Time, u Rules) Record {
	d := &r.Deployment
	if d.Pipeline == 0 {
		d.Pipeline = p.ID
	}
	if p.URL != "" {
		d.URL = p.URL
	}
	switch {
	case p.Unseen && p.End == "" && d.Ending != "" && !p.Retry: // they never will be
		d.EndingAt = now.Add(-jobsWithin)
		return r.awaitJobs(now, u)
	case p.Unseen && p.Retry && (p.End != "" || d.Ending != ""):
		if r.State == Unsure {
			r = r.run(Pipeline{ID: p.ID}, now, u)
		}
		if d.Ending == "" {
			d.Ending, d.EndingAt = p.End, now
		}
		return r.awaitJobs(now, u)
	case p.End != "" && slices.Contains(Moves()[r.State], p.End):
		return r.end(p)
	case d.Ending != "" && !p.Judged:
		r.Next = now // this look began before the word that told the end
		return r
	case p.End != "": // it stays so
		d.Ending, d.EndingAt, r.Next = "", time.Time{}, time.Time{}
		return r
	case r.State == Failed, r.State == Canceled: // somebody is running it again
		d.Ending = r.State
		return r.awaitJobs(now, u)
	}
	r = r.run(Pipeline{ID: p.ID}, now, u)
	d.Ending, d.EndingAt, d.Heard = "", time.Time{}, now
	overtime := d.Timeout > 0 && !now.Before(d.Triggered.Add(d.Timeout))
	switch {
	case p.Nothing && overtime:
		return r.end(Pipeline{End: Canceled, Nothing: true, Detail: p.Detail})
	case r.State == Running:
		r = r.await(p, now)
		if overtime && d.Waits != WaitsPerson {
			m := r.line(SayOvertime)
			m.Detail = shortly(d.Timeout)
			r = r.sayOnce(m)
		}
	}
	r.Next = r.nextLook(now, u)
	return r
}

// await notes what a running pipeline waits for, and tells a person who is needed.
func (r Record) await(p Pipeline, now time.Time) Record {
	d := &r.Deployment
	waits, pending := p.Waits, d.Pending
	if p.Nothing {
		waits = WaitsPerson
	}
	switch {
	case waits != WaitsRunner:
		pending = time.Time{}
	case pending.IsZero() && d.Looks <= 1:
		pending = d.Triggered // it has been so since it was made
	case pending.IsZero():
		pending = now
	}
	if waits == WaitsRunner && now.Sub(pending) < pendingTold {
		waits = ""
	}
	if waits != d.Waits {
		r.Shown.Next = time.Time{}
	}
	d.Waits, d.Pending = waits, pending
	switch {
	case p.Nothing:
		m := r.line(SayNothing)
		m.Detail = p.Detail
		return r.sayOnce(m)
	case waits == WaitsPerson:
		return r.sayOnce(r.line(SayPerson))
	}
	return r
}

// awaitJobs waits for the jobs to show the end that was told. If they cannot be
// read in time, it is believed. An end that the record has already needs no
// belief: then GitLab has as long as a deploy takes to show another.
func (r Record) awaitJobs(now time.Time, u Rules) Record {
	d := &r.Deployment
	within := d.EndingAt.Add(jobsWithin)
	switch {
	case now.Before(within):
		r.Next = earlier(now.Add(jobsAgain), within)
	case d.Ending != r.State:
		return r.end(Pipeline{End: d.Ending, Unseen: true})
	case r.Looks(u) && now.Before(d.EndingAt.Add(d.Timeout)):
		r.Next = now.Add(followMost)
	default:
		d.Ending, d.EndingAt, r.Next = "", time.Time{}, time.Time{}
	}
	return r
}

// lapse makes the deadline's move if it has passed, else sets when to look next.
// Who was told that GitLab shows no pipeline is not called again.
func (r Record) lapse(now time.Time, u Rules) Record {
	if (r.State == Running || r.State == Unsure) && !now.Before(r.Deadline()) {
		told := r.toldNothingRuns()
		r = r.move(Silent)
		if !told {
			r = r.say(r.line(SaySilent))
		}
	}
	r.Next = r.nextLook(now, u)
	return r
}

// shortly writes a duration as people do: 1h, not 1h0m0s.
func shortly(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}

// Deadline is when the deployment falls silent without a word.
func (r Record) Deadline() time.Time {
	d := r.Deployment
	return later(d.Triggered, d.Heard).Add(d.Timeout)
}

// Looks tells whether GitLab is to be asked about this record when it is due.
func (r Record) Looks(u Rules) bool {
	canAsk := u.Watches && r.Deployment.Project != ""
	switch r.State {
	case Running, Silent:
		return canAsk && r.Deployment.Pipeline != 0
	case Unsure:
		return canAsk && !r.Deployment.NoneSeen
	case Failed, Canceled:
		return canAsk && r.Deployment.Pipeline != 0 && r.Deployment.Ending != ""
	}
	return false
}

// counting says what GitLab is asked about the jobs.
func (r Record) counting() Counting {
	d := r.Deployment
	return Counting{Job: d.Job, Proved: d.Proved, Early: d.Ending != "" || len(d.Proved) > 0}
}

// nextLook is when a deployment without an end is looked at again.
func (r Record) nextLook(now time.Time, u Rules) time.Time {
	d := r.Deployment
	switch {
	case r.State == Silent && !(r.Looks(u) && now.Before(d.Triggered.Add(followUntil))):
		return time.Time{}
	case r.State == Silent:
		return now.Add(followLate)
	case !r.Looks(u):
		return r.Deadline()
	case r.State == Running:
		return earlier(r.follow(now, u), later(r.Deadline(), now.Add(time.Second)))
	}
	// Unsure: soon at first, then for the time when a listing decides, then patiently.
	for _, after := range []time.Duration{1, 3, 7, 15, 30, 60} {
		if at := d.Triggered.Add(after * time.Second); at.After(now) {
			return earlier(at, r.Deadline())
		}
	}
	if sure := u.sureFrom(d.Triggered); sure.After(now) {
		return earlier(sure, r.Deadline())
	}
	return earlier(now.Add(30*time.Second), later(r.Deadline(), now.Add(time.Second)))
}

// follow is when a running pipeline is looked at again: every 5 s at first,
// never more than 12 s apart, the loop's poll included.
func (r Record) follow(now time.Time, u Rules) time.Time {
	switch {
	case !r.Looks(u):
		return r.Deadline()
	case now.After(r.Deployment.Triggered.Add(followUntil)):
		return now.Add(followLate)
	}
	return now.Add(min(followFirst+time.Duration(r.Deployment.Looks)*time.Second/2, followMost))
}

// rest puts the next look off, as GitLab wants to be left alone until then; the
// deadline holds all the same.
func (r Record) rest(now, until time.Time) Record {
	if r.Next.IsZero() {
		return r
	}
	r.Next = later(r.Next, until)
	if r.State == Running || r.State == Unsure {
		r.Next = earlier(r.Next, r.Deadline())
	}
	if d := r.Deployment; d.Ending != "" && d.Ending != r.State {
		r.Next = earlier(r.Next, later(d.EndingAt.Add(jobsWithin), now))
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
