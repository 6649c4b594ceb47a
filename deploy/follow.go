package deploy

import (
	"cmp"
	"slices"
	"time"
)

// This file follows a pipeline to its end: what GitLab's answers make of a
// record, when it is asked again, and what comes of a deadline.

// Polled takes in what GitLab shows of the deployment's pipeline, which was read
// by its id, or looked for after a lost answer; zero: it was not found. began is
// when GitLab was asked.
func (r Record) Polled(p Pipeline, complete bool, began, now time.Time, timing Timing) Record {
	own := r.Deployment.Pipeline
	switch {
	case r.isUnlooked():
		return r.lookedWhy(p, now)
	case r.State != Unsure && r.State != Running && r.State != Silent && r.Deployment.Ending == "":
		return r // a callback was faster
	// mutant: a look-up of another pipeline that counts
	case p.ID != 0 && own != 0 && p.ID != own:
		return r // a callback named the pipeline meanwhile, and this is another
	}
	d := &r.Deployment
	d.Polls, d.Unlooked = d.Polls+1, false
	switch {
	// mutant: a look-up that overrules a call made after it began
	case d.Ending != "" && began.Before(d.EndingAt) && p.End != Succeeded: // what it shows may be older than the callback that reported the end
		d.EndingAt, r.Next = earlier(d.EndingAt, now), now // so that a clock that is set back makes no endless loop
		return r
	case p.ID != 0:
		d.learn(p, now)
		return r.see(p, now, timing)
	case d.Ending != "":
		return r.awaitJobs(now, timing)
	// mutant: a listing that decides too early
	case r.State == Unsure && own == 0 && complete && !began.Before(timing.sureFrom(d.Triggered)) && !d.NoneSeen:
		d.NoneSeen = true
		r = r.addLineOnce(r.Message(MsgNoneSeen))
	}
	if since := later(d.Triggered, d.LastSeen); p.Unread && own != 0 && now.Sub(since) >= unseenTold {
		// mutant: a message that does not say since when nothing is known
		d.progress().Unseen = since.Unix()
	}
	return r.expire(now, timing)
}

// isUnlooked reports whether GitLab is to be asked once more about what has ended.
func (r Record) isUnlooked() bool {
	return r.Deployment.Unlooked && r.Deployment.Ending == "" && (r.State == Failed || r.State == Canceled)
}

// lookedWhy takes in what GitLab shows of what has ended by its own word.
func (r Record) lookedWhy(p Pipeline, now time.Time) Record {
	d := &r.Deployment
	d.Polls++
	d.Unlooked, r.Next = p.ID == 0 && d.Polls < lookTries, time.Time{}
	if p.ID != 0 && p.ID == d.Pipeline {
		d.learn(p, now)
	}
	if d.Unlooked {
		r.Next = now.Add(firstFollow)
	}
	return r
}

// learn takes in what GitLab shows of the pipeline besides its state. The time is
// shown as it was at the last change, and at most half a minute old.
func (d *Deployment) learn(p Pipeline, now time.Time) {
	was, g := d.known(), d.progress()
	g.Commit.SHA, g.Steers, g.Unseen = cmp.Or(g.Commit.SHA, p.SHA), p.Steers, 0
	if p.Stages != nil {
		g.Stages, g.Failed, g.Alone = p.Stages, p.Failed, !p.Bridges
	}
	if p.Job != nil {
		g.Job = p.Job.named()
	}
	if p.Commit.SHA != "" {
		g.Commit, g.Commits = p.Commit, p.Commits
	}
	elapsed := int64(now.Sub(d.Triggered) / time.Second)
	if d.Ended.IsZero() && elapsed-was.Elapsed >= elapsedEvery || !slices.Equal(was.Stages, g.Stages) {
		g.Elapsed = elapsed
	}
}

// lookTries is how many polls ask for what is only shown: the commits, which the token
// may not be allowed to read, and why a deployment failed.
const lookTries = 3

// LacksCommits reports whether GitLab is to be asked what goes out, and since
// which commit; empty: none is known.
func (r Record) LacksCommits() (since string, lacks bool) {
	d, g := r.Deployment, r.Deployment.known()
	if g.Before != nil {
		since = g.Before.Commit.SHA
	}
	return since, d.Progress != nil && d.Polls < lookTries && g.Commit.Title == "" && d.Rollback == nil
}

// see takes in what GitLab shows of the record's own pipeline.
func (r Record) see(p Pipeline, now time.Time, timing Timing) Record {
	r = r.named(p, now)
	p.End = r.endOfCommit(p.End)
	d := &r.Deployment
	switch {
	case p.Unseen && p.End == "" && d.Ending != "" && !p.Retry: // its jobs will never be seen
		d.EndingAt = now.Add(-jobsWithin)
		return r.awaitJobs(now, timing)
	case p.Unseen && p.Retry && (p.End != "" || d.Ending != ""):
		if r.State == Unsure {
			r = r.run(Pipeline{ID: p.ID}, now, timing)
		}
		if d.Ending == "" {
			d.Ending, d.EndingAt = p.End, now
		}
		return r.awaitJobs(now, timing)
	case p.End != "" && slices.Contains(Moves()[r.State], p.End):
		// mutant: a job run again after its failure was told that nobody follows
		if r = r.end(p, now); p.GoesOn {
			r.Deployment.Ending, r.Deployment.EndingAt = r.State, now
			return r.awaitJobs(now, timing)
		}
		return r
	case d.Ending != "" && !p.Judged:
		r.Next = now // this poll began before the callback that reported the end
		return r
	case p.End != "" && !p.GoesOn: // it is this end already
		d.Ending, d.EndingAt, r.Next = "", time.Time{}, time.Time{}
		return r
	case r.State == Failed, r.State == Canceled: // somebody is retrying it
		d.Ending = r.State
		return r.awaitJobs(now, timing)
	}
	r = r.run(Pipeline{ID: p.ID}, now, timing)
	d.Ending, d.EndingAt, d.LastSeen = "", time.Time{}, now
	overtime := d.Timeout > 0 && !now.Before(d.Triggered.Add(d.Timeout))
	switch {
	case p.Nothing && overtime:
		return r.end(Pipeline{End: Canceled, Nothing: true, Detail: p.Detail}, now)
	case r.State == Running:
		r = r.await(p, now)
		if overtime && d.Waits != WaitsPerson {
			m := r.Message(MsgOvertime)
			m.Took = int64(d.Timeout / time.Second)
			r = r.addLineOnce(m)
		}
	}
	r.Next = r.nextPoll(now, timing)
	return r
}

// await notes what a running pipeline waits for, and tells the person once.
func (r Record) await(p Pipeline, now time.Time) Record {
	d := &r.Deployment
	waits, pending := p.Waits, d.Pending
	if p.Nothing {
		waits = WaitsPerson
	}
	switch {
	case waits != WaitsRunner:
		pending = time.Time{}
	case pending.IsZero() && d.Polls <= 1:
		pending = d.Triggered // it has been pending since it was created
	case pending.IsZero():
		pending = now
	}
	if waits == WaitsRunner && now.Sub(pending) < pendingTold {
		waits = ""
	}
	d.Waits, d.Pending = waits, pending
	switch {
	case p.Nothing:
		m := r.Message(MsgNothing)
		m.Detail = p.Detail
		return r.addLineOnce(m)
	case waits == WaitsPerson:
		// mutant: a person told at every poll
		return r.addLineOnce(r.Message(MsgPerson))
	}
	return r
}

// awaitJobs waits for the jobs to show the end that was reported. If they cannot
// be read in time, the report is believed. Where the record has that end already,
// there is nothing to believe: GitLab then has as long as a deploy takes to show
// another end.
func (r Record) awaitJobs(now time.Time, timing Timing) Record {
	d := &r.Deployment
	within := d.EndingAt.Add(jobsWithin)
	switch {
	case now.Before(within):
		r.Next = earlier(now.Add(jobsAgain), within)
	case d.Ending != r.State:
		return r.end(Pipeline{End: d.Ending, Unseen: true}, now)
	case r.ShouldPoll(timing) && now.Before(d.EndingAt.Add(d.Timeout)):
		r.Next = now.Add(maxFollow)
	default:
		d.Ending, d.EndingAt, r.Next = "", time.Time{}, time.Time{}
	}
	return r
}

// expire makes the deadline's move if it has passed, else sets when to poll next.
// A person who was told that GitLab shows no pipeline is not called again.
func (r Record) expire(now time.Time, timing Timing) Record {
	if (r.State == Running || r.State == Unsure) && !now.Before(r.Deadline()) {
		m, told := r.Message(MsgSilent), r.toldNothingRuns()
		// mutant: a cancel of what becomes silent that nobody hears of
		if r.IsCanceling() && r.Deployment.Cancel.By != m.User {
			m.By = r.Deployment.Cancel.By
		}
		r = r.move(Silent)
		// mutant: a person told again about a pipeline that does not run
		if !told {
			r = r.addLine(m)
		}
	}
	r.Next = r.nextPoll(now, timing)
	return r
}

// Deadline is when the deployment becomes silent, if nothing is heard of it.
func (r Record) Deadline() time.Time {
	d := r.Deployment
	return later(d.Triggered, d.LastSeen).Add(d.Timeout)
}

// ShouldPoll reports whether to ask GitLab about this record when it is due.
func (r Record) ShouldPoll(timing Timing) bool {
	canAsk := timing.CanPoll && r.Deployment.Project != ""
	switch r.State {
	case Running, Silent:
		return canAsk && r.Deployment.Pipeline != 0
	case Unsure:
		return canAsk && !r.Deployment.NoneSeen
	case Failed, Canceled:
		return canAsk && r.Deployment.Pipeline != 0 && (r.Deployment.Ending != "" || r.isUnlooked())
	}
	return false
}

// Counting is what GitLab is asked about the jobs.
func (r Record) Counting() Counting {
	d, g := r.Deployment, r.Deployment.known()
	c := Counting{Job: d.Job, Proved: d.Proved, Early: d.Ending != "" || len(d.Proved) > 0, Alone: g.Alone}
	if g.Failed != nil {
		c.FailedID = g.Failed.ID
	}
	return c
}

// nextPoll is when a deployment without an end is polled again: a running one
// after 5 s at first, never after more than 12 s, including the loop's own wait;
// one that is looked for soon at first, then when a listing decides, then slowly.
func (r Record) nextPoll(now time.Time, timing Timing) time.Time {
	d, canPoll := r.Deployment, r.ShouldPoll(timing)
	late := !now.Before(d.Triggered.Add(followUntil))
	at := now.Add(30 * time.Second)
	switch {
	case r.State == Silent && (late || !canPoll):
		return time.Time{}
	case r.State == Silent:
		return now.Add(followLate)
	case !canPoll:
		return r.Deadline()
	case r.IsCanceling() && d.Polls == 0:
		at = now
	case r.State == Running && late:
		at = now.Add(followLate)
	case r.State == Running:
		at = now.Add(min(firstFollow+time.Duration(d.Polls)*time.Second/2, maxFollow))
	default:
		sure := timing.sureFrom(d.Triggered).Sub(d.Triggered)
		for _, after := range []time.Duration{1 * time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, sure} {
			if soon := d.Triggered.Add(after); soon.After(now) {
				at = soon
				break
			}
		}
	}
	return earlier(at, later(r.Deadline(), now.Add(time.Second)))
}

// Postpone puts the next poll off, as GitLab asked for; the deadline holds all the
// same.
func (r Record) Postpone(now, until time.Time) Record {
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
