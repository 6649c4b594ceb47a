package deploy

import (
	"cmp"
	"slices"
	"time"
)

// This file is about locks: a record that holds a target, so that nothing of it is
// deployed unless somebody confirms that.

// Lock is what a record in the state [Locked] holds, and later held.
type Lock struct {
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason,omitempty"` // in the person's own words, at most [MaxWord] characters
	Told   bool      `json:"told,omitempty"`   // its owner was told that it ends soon
	By     string    `json:"by,omitempty"`     // who has ended it before its time
}

// The times of a lock.
const (
	lockFor  = 4 * time.Hour      // where no time is said
	MaxLock  = 7 * 24 * time.Hour // it ends then, whatever is said
	lockTold = 15 * time.Minute   // its owner is told this long before its end
	lockMore = time.Hour          // how much longer a press makes it
)

// Lock has a record hold a target for a while. A time of day is one of the zone.
func (r Record) Lock(t Target, in Intent, zone *time.Location, now time.Time) Record {
	r = r.move(Locked)
	d := &r.Deployment
	d.Target, d.Project, d.Ref, d.Key = t.Name, t.Project, t.Ref, t.Key
	end := now.Add(cmp.Or(in.For, lockFor))
	if in.Until > 0 {
		end = in.until(r.Asked().At.In(zone))
	}
	r.Locks = Lock{Since: now, Until: earlier(end, now.Add(MaxLock)), Reason: in.Word}
	r.Next = r.lockDue()
	return r.decided(Decision{What: DidLock, By: r.Request.By.User})
}

// until is when the clock shows next what a person has said who read it then: one who is
// heard late means no later day.
func (i Intent) until(said time.Time) time.Time {
	now, zone := clockOf(said, said.Location()), said.Location()
	day := now.Truncate(24 * time.Hour)
	// mutant: a lock until a time that was over when it was said
	if end := whenShown(day.Add(i.Until), zone); end.After(said) {
		return end
	}
	// It is shown once more, as the clocks were set back just now.
	if ahead := day.Add(i.Until).Sub(now); ahead > 0 {
		return said.Add(ahead)
	}
	return whenShown(day.AddDate(0, 0, 1).Add(i.Until), zone)
}

// IsOver reports whether a lock is to end at a time that was over when it was said, and
// that means no other day: one of today, or what the clock shows at that moment.
func (i Intent) IsOver(said time.Time) bool {
	now := clockOf(said, said.Location())
	ahead := now.Truncate(24 * time.Hour).Add(i.Until).Sub(now)
	return i.Until > 0 && ahead <= 0 && (i.Today || ahead > -time.Minute)
}

// Zone is the time zone of the target's freezes; nil: it has none.
func (t Target) Zone() *time.Location {
	if len(t.Freezes) == 0 {
		return nil
	}
	return t.Freezes[0].Zone
}

func (r Record) lockDue() time.Time {
	if soon := r.Locks.Until.Add(-lockTold); !r.Locks.Told && soon.After(r.Locks.Since) {
		return soon
	}
	return r.Locks.Until
}

// Extend has a lock last longer.
func (r Record) Extend() Record {
	// mutant: a lock that is over made longer
	if r.State == Locked {
		l := &r.Locks
		l.Until, l.Told = earlier(l.Until.Add(lockMore), l.Since.Add(MaxLock)), false
		r.Next = r.lockDue()
	}
	return r
}

// Unlock ends a lock. Its owner is told if somebody else does.
func (r Record) Unlock(by Person) Record {
	if r.State != Locked {
		return r
	}
	r.Locks.By = by.User
	m := r.Message(MsgUnlocked)
	if m.By = by.User; m.By == m.For {
		m.For = "" // it is their own
	}
	return r.Answer(m)
}

// LockDue ends a lock whose time is over, or tells its owner that it soon will be.
func (r Record) LockDue(now time.Time) Record {
	switch {
	case r.State != Locked:
	// mutant: a lock that never ends
	case !now.Before(r.Locks.Until):
		m := r.Message(MsgLockOver)
		m.User = r.Request.By.User
		return r.Answer(m)
	case !r.Locks.Told && !now.Before(r.lockDue()):
		r.Locks.Told = true
		m := r.Message(MsgLockEnds)
		m.User, m.Until = r.Request.By.User, r.Locks.Until.Unix()
		r = r.addLine(m)
		r.Next = r.lockDue()
	}
	return r
}

// LocksOf are those of the deployments that go on which are locks.
func LocksOf(all []Beside) []Beside {
	return slices.DeleteFunc(slices.Clone(all), func(b Beside) bool { return b.Known.State != Locked })
}
