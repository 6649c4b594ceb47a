package deploy

import (
	"slices"
	"time"
)

// Hear takes in what a pipeline says: what it makes of the record, and what
// the pipeline is answered. The same word again changes nothing and is
// answered the same.
func (r Record) Hear(w Word, now time.Time, u Rules) (Record, Verdict) {
	d := r.Deployment
	other := w.Pipeline != 0 && d.Pipeline != 0 && w.Pipeline != d.Pipeline
	start := w.Result == ResultStart
	switch {
	case w.ID != "" && w.ID != r.Mention.ID:
		return r, VerdictUnknown
	case start && (r.toldNothingRuns() || other):
		return r, VerdictStop
	case r.State == Answered && d.Triggered.IsZero():
		return r, VerdictUnknown
	case r.State == Answered, r.State == Refused, other:
		return r, VerdictNoEffect
	}
	if d.Pipeline == 0 {
		r.Deployment.Pipeline = w.Pipeline
	}
	if d.Triggered.IsZero() { // it was faster than the save that a trigger takes
		r.Deployment.Triggered, r.Deployment.Timeout = now, u.Timeout
	}
	if start {
		switch r.State {
		case Accepted, Triggering, Waiting, Unsure:
			r = r.run(Pipeline{ID: w.Pipeline}, now, u)
		}
		return r, VerdictTaken
	}
	how := map[Result]State{ResultSuccess: Succeeded, ResultFailure: Failed, ResultCanceled: Canceled}[w.Result]
	switch {
	case r.State == how:
		return r, VerdictTaken
	case r.State == Succeeded && how == Failed:
		if !slices.ContainsFunc(r.Lines, func(m Message) bool { return m.Say == SayFailedAfter }) {
			r = r.say(r.line(SayFailedAfter))
		}
		return r, VerdictTaken
	case !slices.Contains(Moves()[r.State], how):
		return r, VerdictNoEffect
	}
	return r.end(how, ""), VerdictTaken
}

// toldNothingRuns: the person knows it as not running, and may have asked
// anew; a pipeline that starts now must not deploy.
func (r Record) toldNothingRuns() bool {
	return r.State == Answered || r.State == Refused || (r.Deployment.NoneSeen && r.Deployment.Pipeline == 0)
}

// Edit takes in that the mention was edited, and now asks for a deploy or not.
func (r Record) Edit(deploys bool) Record {
	asked := slices.ContainsFunc(r.Lines, func(m Message) bool { return m.Say == SayEditedIn })
	switch {
	case deploys && (r.State == Answered || r.State == Refused) && !asked:
		return r.say(Message{Say: SayEditedIn})
	case !deploys && (r.State == Accepted || r.State == Waiting):
		return r.Answer(Message{Say: SayEditedOut, Target: r.Deployment.Target})
	}
	return r
}

// giveUpShowing holds what is to be put and posted for shown: what breaks who
// shows it is not tried for ever. What stands may still be taken off, unless
// that is what breaks.
func (r Record) giveUpShowing() Record {
	off := r.Shown.Off
	if r.Breaks > 3 {
		off = r.Marks
	}
	r.Shown = Shown{Mark: r.View().Mark, Off: off, Status: never, Said: len(r.Lines)}
	return r
}

// Break takes in that the record broke its worker. After the third time nobody
// takes it up again: it says what is known.
func (r Record) Break(now time.Time, u Rules) Record {
	r.Breaks++
	if r.Breaks < 3 {
		return r
	}
	switch r.State {
	case Accepted, Waiting:
		return r.Answer(Message{Say: SayBroken})
	case Triggering:
		r = r.move(Unsure)
		r = r.say(r.line(SayBrokenUnsure))
	}
	r.Next = time.Time{}
	if r.State == Unsure || r.State == Running {
		r.Next = later(r.Deadline(), now.Add(time.Minute))
	}
	return r
}
