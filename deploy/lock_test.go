package deploy

import (
	"testing"
	"time"
)

func TestALock(t *testing.T) {
	for name, row := range map[string]struct {
		asked time.Duration
		want  time.Duration
	}{
		"no time is said":  {0, 4 * time.Hour},
		"a time is said":   {2 * time.Hour, 2 * time.Hour},
		"too long a time":  {30 * 24 * time.Hour, 7 * 24 * time.Hour},
		"a very short one": {time.Minute, time.Minute},
	} {
		r := accepted().Lock(target, Intent{Kind: KindLock, Target: "app", For: row.asked, Word: "DB"}, t0)
		r.Shown.Posts = map[string]Posted{SlotStatus: {TS: "1.000100"}}
		end := t0.Add(row.want)
		if m := shown(t, r); m.ID != MsgStatusLocked || m.Word != "DB" || m.Until != end.Unix() || len(m.Buttons) != 2 {
			t.Errorf("%s: it shows %+v", name, m)
		}
		if again := r.LockDue(r.Next.Add(-time.Second)); again.State != Locked || len(again.Lines) > 0 {
			t.Errorf("%s: before it is due it becomes %+v", name, again)
		}
		for n := 0; r.State == Locked && n < 3; n++ {
			at := r.Next
			if r = r.LockDue(at); r.State == Locked && (lastSaid(r) != MsgLockEnds || !at.Equal(end.Add(-lockTold))) {
				t.Errorf("%s: at %s it says %s", name, at, lastSaid(r))
			}
		}
		if m := r.statusMessage(); r.State != Answered || lastSaid(r) != MsgLockOver || m.ID != MsgStatusUnlocked || len(m.Buttons) > 0 || r.View().Reaction != "" {
			t.Errorf("%s: in the end it is %s, says %s and shows %+v", name, r.State, lastSaid(r), m)
		}
	}
}

func TestALockIsExtendedAndEnded(t *testing.T) {
	r := accepted().Lock(target, Intent{For: time.Hour}, t0).LockDue(t0.Add(45 * time.Minute))
	if r = r.Extend(); !r.Locks.Until.Equal(t0.Add(2*time.Hour)) || !r.Next.Equal(t0.Add(105*time.Minute)) {
		t.Errorf("extended it ends at %s, and is due at %s", r.Locks.Until, r.Next)
	}
	for range 200 {
		r = r.Extend()
	}
	if r.Locks.Until.After(t0.Add(MaxLock)) {
		t.Errorf("it lasts until %s", r.Locks.Until)
	}
	for by, told := range map[string]string{"U1": "", "U9": "U1"} {
		over := r.Unlock(Person{User: by})
		if line := over.Lines[len(over.Lines)-1]; over.State != Answered || line.ID != MsgUnlocked || line.For != told || line.By != by {
			t.Errorf("ended by %s: %s, it says %+v", by, over.State, line)
		}
		if over.Unlock(Person{User: "U8"}).Locks.By != by {
			t.Error("it is ended twice")
		}
		if late := over.Extend(); !late.Next.IsZero() || !late.Locks.Until.Equal(over.Locks.Until) {
			t.Errorf("extended once it is over: until %s, due %s", late.Locks.Until, late.Next)
		}
	}
	if beside := r.SetAside(Person{User: "U9"}); beside.State != Locked || lastSaid(beside) != MsgLockPassed {
		t.Errorf("passed over it is %s, and says %s", beside.State, lastSaid(beside))
	}
}
