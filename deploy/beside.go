package deploy

import (
	"slices"
	"strings"
	"time"
)

// This file is about deployments of one target that go on side by side.

// IsActive reports whether a deployment of the record's target goes on, or may.
func (r Record) IsActive() bool {
	// mutant: what was never found taken for going on
	return r.State == Locked || r.State == Triggering || r.State == Waiting || r.State == Running || r.State == Unsure && !r.Deployment.NoneSeen
}

// ActiveSince is since when that is so.
func (r Record) ActiveSince() time.Time {
	if r.State == Locked {
		return r.Locks.Since
	}
	return r.Deployment.Triggered
}

// Beside is another deployment of the target that is to be deployed, which goes on.
type Beside struct {
	Name   string  // of its record
	Record *Record // nil: this version cannot read it
	Known  Known
}

// Beside is the record's deployment as another one of its target sees it.
func (r Record) Beside() Beside { return Beside{r.Request.Key.String(), &r, r.Known()} }

// Confirmation is how a button says that its person knows of the deployment, among
// others in [Button.Over]. The place of one that waits is taken.
func (b Beside) Confirmation() string {
	if b.Known.State == Waiting {
		return b.Name + "/" + string(Waiting)
	}
	return b.Name
}

// Reasons are all that a message names for holding a deploy back: its own one is the first.
func (m Message) Reasons() []MessageID { return append([]MessageID{m.ID}, m.Also...) }

// Names reports whether a reason is one of them.
func (m Message) Names(reason MessageID) bool { return slices.Contains(m.Reasons(), reason) }

// NamesBeside reports whether a message asks about what goes on of its target: it names all
// of that, as its button confirms all of it.
func (m Message) NamesBeside() bool {
	return slices.ContainsFunc(m.Reasons(), MessageID.isBeside)
}

func (id MessageID) isBeside() bool {
	return id == MsgBusy || id == MsgBusyWaiting || id == MsgLocked || id == MsgUnlock || id == MsgStatusQueued || id == MsgStatusRunning
}

// Beside are those of the deployments that a message tells of which a reason is about.
func (m Message) Beside(reason MessageID) []Known {
	isLocks := reason == MsgLocked || reason == MsgUnlock
	return slices.DeleteFunc(slices.Clone(m.Known), func(k Known) bool { return !reason.isBeside() || isLocks != (k.State == Locked) })
}

// Confirms reports whether the button says so of a deployment.
func (b Button) Confirms(other Beside) bool {
	// mutant: a deploy confirmed beside one deployment made beside another
	return slices.Contains(strings.Fields(b.Over), other.Confirmation())
}

// Confirmation is how a button says, there too, that its person knows of a rollback that
// took back what is to be deployed.
func (s Success) Confirmation() string { return s.Key.String() + "/undone" }

// ConfirmsUndone reports whether the button says so of a rollback.
func (b Button) ConfirmsUndone(by Success) bool {
	return slices.Contains(strings.Fields(b.Over), by.Confirmation())
}

// SetAside takes in that somebody has started another deployment of the target all the
// same: that one goes first. What waits is withdrawn, who has locked it is told; what runs is told to stop when its
// job asks whether it may deploy.
func (r Record) SetAside(by Person) Record {
	switch {
	case r.State == Waiting:
		r, _ = r.Withdraw(by)
	// mutant: the owner of a lock told of their own deploy, and not of others'
	case r.State == Locked && by.is(r.Request.By):
	case r.IsActive() && r.Deployment.SetAside == "":
		r.Deployment.SetAside = by.User
		m := r.Message(MsgSetAside)
		if r.State == Locked {
			m.ID = MsgLockPassed
		}
		m.By = by.User
		r = r.addLine(m).decided(Decision{What: DidSetAside, By: by.User, Reason: m.ID})
	}
	return r
}

// YieldsTo reports whether a record that waits is to wait for another deployment of
// its target too. Of two that wait, the one that gives up first goes first.
func (r Record) YieldsTo(other Record) bool {
	if !other.IsActive() || other.State != Waiting {
		return other.IsActive()
	}
	if c := other.Deployment.WaitEnd.Compare(r.Deployment.WaitEnd); c != 0 {
		return c < 0
	}
	return other.Request.Key.String() < r.Request.Key.String()
}
