package deploy

import (
	"cmp"
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
		r := accepted().Lock(target, Intent{Kind: KindLock, Target: "app", For: row.asked, Word: "DB"}, time.UTC, t0)
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

func TestALockUntilATimeOfDay(t *testing.T) {
	zone := func(name string) *time.Location {
		place, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return place
	}
	clock := func(hour, minute int) time.Duration { return time.Duration(hour*60+minute) * time.Minute }
	for _, row := range []struct {
		said, taken, zone string
		until             time.Duration
		want              string
	}{
		{"2026-01-02T10:00:00+09:00", "", "Asia/Tokyo", clock(14, 30), "2026-01-02T14:30:00+09:00"},
		{"2026-01-02T10:00:00+09:00", "", "UTC", clock(14, 30), "2026-01-02T14:30:00Z"},
		{"2026-01-02T14:30:00+09:00", "", "Asia/Tokyo", clock(14, 30), "2026-01-03T14:30:00+09:00"},
		{"2026-01-02T18:00:00+09:00", "", "Asia/Tokyo", clock(9, 0), "2026-01-03T09:00:00+09:00"},
		{"2026-01-02T18:00:00+09:00", "", "Asia/Tokyo", clock(24, 0), "2026-01-03T00:00:00+09:00"},
		{"2026-01-02T08:00:00+09:00", "", "Asia/Tokyo", clock(33, 0), "2026-01-03T09:00:00+09:00"},
		{"2026-01-02T08:00:00+09:00", "", "Asia/Tokyo", clock(48, 0), "2026-01-04T00:00:00+09:00"},
		{"2026-01-02T10:00:00+09:00", "2026-01-02T14:31:00+09:00", "Asia/Tokyo", clock(14, 30), "2026-01-02T14:30:00+09:00"},
		{"2026-03-28T20:00:00+01:00", "", "Europe/Berlin", clock(9, 0), "2026-03-29T09:00:00+02:00"},
		{"2026-03-28T20:00:00+01:00", "", "Europe/Berlin", clock(33, 0), "2026-03-29T09:00:00+02:00"},
		// The clocks jump over it, or show it twice.
		{"2026-03-08T01:45:00-05:00", "", "America/New_York", clock(2, 30), "2026-03-08T03:00:00-04:00"},
		{"2026-03-07T23:45:00-05:00", "", "America/New_York", clock(26, 30), "2026-03-08T03:00:00-04:00"},
		{"2026-03-07T20:00:00-05:00", "", "America/New_York", clock(2, 30), "2026-03-08T03:00:00-04:00"},
		{"2026-09-05T23:00:00-04:00", "", "America/Santiago", clock(24, 0), "2026-09-06T01:00:00-03:00"},
		{"2026-11-01T00:45:00-04:00", "", "America/New_York", clock(1, 30), "2026-11-01T01:30:00-04:00"},
		{"2026-11-01T01:10:00-05:00", "", "America/New_York", clock(1, 30), "2026-11-01T01:30:00-05:00"},
		{"2026-11-01T01:40:00-05:00", "", "America/New_York", clock(1, 30), "2026-11-02T01:30:00-05:00"},
	} {
		moment := func(s string) time.Time {
			at, err := time.Parse(time.RFC3339, s)
			if err != nil {
				t.Fatal(err)
			}
			return at
		}
		r := accepted()
		r.Request.At = moment(row.said)
		now := moment(cmp.Or(row.taken, row.said))
		r = r.Lock(target, Intent{Kind: KindLock, Until: row.until}, zone(row.zone), now)
		if !r.Locks.Until.Equal(moment(row.want)) {
			t.Errorf("said at %s in %s, until %s: it ends at %s, want %s", row.said, row.zone, row.until, r.Locks.Until, row.want)
		}
		if r = r.LockDue(now); row.taken != "" && (r.State != Answered || lastSaid(r) != MsgLockOver) {
			t.Errorf("taken up late it is %s, and says %s", r.State, lastSaid(r))
		}
	}
}

func TestALockUntilATimeThatIsOverMeansAnotherDayOnlyIfItMay(t *testing.T) {
	for _, row := range []struct {
		said  string
		until time.Duration
		today bool
		want  bool
	}{
		{"09:00:00", 510, true, true},
		{"09:00:00", 510, false, false}, // the next day's
		{"14:30:00", 870, false, true},
		{"14:30:59", 870, false, true},
		{"14:31:00", 870, false, false},
		{"14:31:00", 870, true, true},
		{"14:29:59", 870, true, false},
		{"14:30:00", 870 + 24*60, false, false},
		{"23:59:59", 24 * 60, true, false},
		{"09:00:00", 0, false, false}, // no time is said
	} {
		said, err := time.Parse(time.DateTime, "2026-01-02 "+row.said)
		if err != nil {
			t.Fatal(err)
		}
		if got := (Intent{Until: row.until * time.Minute, Today: row.today}).IsOver(said); got != row.want {
			t.Errorf("%+v: %t", row, got)
		}
	}
}

func TestALockIsExtendedAndEnded(t *testing.T) {
	r := accepted().Lock(target, Intent{For: time.Hour}, time.UTC, t0).LockDue(t0.Add(45 * time.Minute))
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
	if own := r.SetAside(Person{User: "U1"}); lastSaid(own) == MsgLockPassed || own.Deployment.SetAside != "" {
		t.Errorf("passed over by its owner it is %s, and says %s", own.State, lastSaid(own))
	}
	if beside := r.SetAside(Person{User: "U9"}); beside.State != Locked || lastSaid(beside) != MsgLockPassed {
		t.Errorf("passed over it is %s, and says %s", beside.State, lastSaid(beside))
	}
}
