package sim_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

// What holds for a target, as it is seen from outside:
//
// One at a time. While a pipeline of a target goes on, from the POST that GitLab
// accepted until the pipeline has ended there, no other one of the target begins, and
// no job of another one runs again, but for these:
//
//   - the target is parallel;
//   - GitLab made both of one POST, which a proxy sent twice: one of them may deploy;
//   - somebody pressed a button of the newer request, below a text that names the one
//     that goes on;
//   - Redis has forgotten everything since that one was asked for;
//   - its people were told that nothing is heard of it, or that GitLab shows none: what
//     is silent, or was not found, holds nobody back.
//
// Locks. While Slack shows a target as locked, and nobody has asked for the end of that
// lock, no POST for it arrives, unless somebody pressed a button of that request, below a
// text that names the lock. A POST may arrive 5 s after the save that allowed it. A lock
// that Redis forgot is none.

// start is a pipeline that begins, or whose job runs again, and what GitLab and Slack
// showed of its target just then.
type start struct {
	pipeline fakegitlab.Pipeline
	of       string // the request's ts; empty: a job runs again for one that GitLab does not tell
	at       time.Time
	beside   []fakegitlab.Pipeline
	locks    []mention
	flushed  time.Time
}

// confirmation is a button that somebody pressed, below a text.
type confirmation struct {
	of   string // the request's ts
	by   string
	at   time.Time
	text string
	says deploy.MessageID
}

// unlock is somebody's wish that a lock ends.
type unlock struct {
	project string
	at      time.Time
}

// inFlight is how much later than its save a POST may arrive.
const inFlight = deploy.WriteWithin + time.Second

// noteStart notes what there was when a pipeline began, or a job ran again.
func (r *storyRun) noteStart(id int64, of string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := start{of: of, at: time.Now(), flushed: r.flushed}
	all := r.w.GitLab.Pipelines()
	s.pipeline = all[slices.IndexFunc(all, func(p fakegitlab.Pipeline) bool { return p.ID == id })]
	if of != "" {
		s.at = s.pipeline.Posted
	}
	for _, p := range all {
		if p.Project == s.pipeline.Project && p.Ref == s.pipeline.Ref && !p.Ended() && (p.ID < id || of == "" && p.ID != id) {
			s.beside = append(s.beside, p)
		}
	}
	for _, m := range r.mentions {
		if m.locks > 0 && m.project == s.pipeline.Project && m.at.After(r.flushed) && s.at.Before(m.at.Add(m.locks)) && r.isShownLocked(m, s.at.Add(-inFlight)) {
			s.locks = append(s.locks, m)
		}
	}
	r.starts = append(r.starts, s)
}

// isShownLocked reports whether a mention shows its lock, and did so at a time before.
func (r *storyRun) isShownLocked(m mention, before time.Time) bool {
	return slices.ContainsFunc(r.w.Slack.Thread(m.channel, m.ts), func(reply fakeslack.Message) bool {
		return r.w.ReadMessage(reply.Text) == deploy.MsgStatusLocked && timeOf(reply.TS).Before(before)
	})
}

// timeOf is the time of a ts.
func timeOf(ts string) time.Time {
	seconds, err := strconv.ParseFloat(ts, 64)
	if err != nil {
		panic(err)
	}
	return time.UnixMicro(int64(seconds * 1e6))
}

// confirm notes that somebody presses a button of a message in a mention's thread.
func (r *storyRun) confirm(user string, m mention, reply fakeslack.Message, value string) {
	r.pressed[m.ts] = true
	r.again[m.ts] = r.again[m.ts] || m.at.Before(r.flushed)
	b, _ := deploy.ParseButton(value)
	c := confirmation{b.Key.TS, user, time.Now(), reply.Text + "\n" + reply.Shown(), r.w.ReadMessage(reply.Text)}
	if r.presses = append(r.presses, c); c.says == deploy.MsgUnlock {
		r.wantUnlocked(m)
	}
}

func (r *storyRun) wantUnlocked(m mention) {
	r.unlocks = append(r.unlocks, unlock{m.project, time.Now()})
}

// isUnlocked reports whether somebody asked for the end of a lock before a time. What was
// asked for shortly before the lock may be taken in after it.
func (r *storyRun) isUnlocked(m mention, before time.Time) bool {
	return slices.ContainsFunc(r.unlocks, func(u unlock) bool {
		return u.project == m.project && u.at.After(m.at.Add(-time.Minute)) && u.at.Before(before)
	})
}

// brokenStarts returns which pipelines began although others went on, or although their
// target was locked.
func (r *storyRun) brokenStarts() (broken []string) {
	for _, s := range r.starts {
		for _, p := range s.beside {
			if !r.mayBeginBeside(s, p) {
				broken = append(broken, fmt.Sprintf("pipeline %d of %s began beside %d of %s, unasked", s.pipeline.ID, s.of, p.ID, p.Variables["timestamp"]))
			}
		}
		for _, m := range s.locks {
			if !r.isUnlocked(m, s.at) && !r.isConfirmed(s, func(c confirmation) bool { return strings.Contains(c.text, m.reason()) }) {
				broken = append(broken, fmt.Sprintf("pipeline %d of %s began although it was locked at %s, unasked", s.pipeline.ID, s.of, m.ts))
			}
		}
	}
	return broken
}

// mayBeginBeside reports whether a pipeline may begin although another one goes on.
func (r *storyRun) mayBeginBeside(s start, other fakegitlab.Pipeline) bool {
	of := other.Variables["timestamp"]
	switch {
	case s.pipeline.Project == "group/web", timeOf(of).Before(s.flushed), s.of != "" && s.pipeline.Post == other.Post,
		r.isConfirmed(s, func(c confirmation) bool { return r.names(c, other) }):
		return true
	}
	return slices.ContainsFunc(r.w.Slack.Thread(other.Variables["channel"], r.threadOf(of)), func(reply fakeslack.Message) bool {
		says := r.w.ReadMessage(reply.Text)
		return (says == deploy.MsgSilent || says == deploy.MsgNoneSeen) && timeOf(reply.TS).Before(s.at.Add(time.Minute))
	})
}

// isConfirmed reports whether somebody pressed a button of a pipeline's request, before
// it began, below a text that names what it is to name.
func (r *storyRun) isConfirmed(s start, names func(confirmation) bool) bool {
	return slices.ContainsFunc(r.presses, func(c confirmation) bool {
		return (c.of == s.of || s.of == "") && c.at.Before(s.at) && names(c)
	})
}

var pipelineLink = regexp.MustCompile(`pipelines/(\d+)`)

// names reports whether the text above a button names a pipeline: by its link, or by its
// person where no pipeline is known yet. What waits is not named as going on.
func (r *storyRun) names(c confirmation, p fakegitlab.Pipeline) bool {
	if links := pipelineLink.FindAllStringSubmatch(c.text, -1); len(links) > 0 || c.says == deploy.MsgBusyWaiting {
		return slices.ContainsFunc(links, func(link []string) bool { return link[1] == fmt.Sprint(p.ID) })
	}
	of, people := p.Variables["timestamp"], []string{}
	for _, m := range r.mentions {
		if m.ts == of {
			people = append(people, m.user)
		}
	}
	for _, press := range r.presses {
		if press.of == of {
			people = append(people, press.by)
		}
	}
	return slices.ContainsFunc(people, func(user string) bool { return strings.Contains(c.text, "<@"+user+">") })
}

// threadOf is the thread in which a request is answered: its own, or that of the message
// whose button was pressed.
func (r *storyRun) threadOf(ts string) string {
	for _, record := range r.w.Records() {
		if record.Request.TS == ts {
			return record.Request.ReplyThread()
		}
	}
	return ts
}

// reason is that of a lock.
func (m mention) reason() string {
	_, reason, _ := strings.Cut(m.text, "ロック: ")
	return reason
}

// brokenLock returns what is wrong with how a lock ended: by its time, or as somebody
// wanted.
func (r *storyRun) brokenLock(m mention) (broken []string) {
	if m.locks == 0 {
		return nil
	}
	for _, reply := range r.w.Slack.Thread(m.channel, m.ts) {
		at := timeOf(reply.TS)
		switch says := r.w.ReadMessage(reply.Text); {
		case says == deploy.MsgLockOver && at.Before(m.at.Add(m.locks-time.Second)):
			broken = append(broken, "the lock was over too early")
		case says == deploy.MsgUnlocked && !r.isUnlocked(m, at):
			broken = append(broken, "it was unlocked, and nobody wanted that")
		}
	}
	return broken
}

// leftOver returns what still waits for its turn, or is still locked.
func (r *storyRun) leftOver() (broken []string) {
	for name, record := range r.w.Records() {
		if record.State == deploy.Queued || record.State == deploy.Locked {
			broken = append(broken, fmt.Sprintf("%s is still %s", name, record.State))
		}
	}
	return broken
}

// settle waits until nobody is queued and nothing is locked any more. What others wait
// for may be a question: somebody answers it, sooner or later.
func (r *storyRun) settle() {
	for minute := range 180 {
		switch {
		case len(r.leftOver()) == 0:
			return
		case minute > 12 && r.extended:
			r.pressUnlock(storyThird)
		case minute > 2:
			r.press(storyThird, minute%2-1)
		}
		time.Sleep(time.Minute)
	}
}
