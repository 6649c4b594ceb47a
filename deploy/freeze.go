package deploy

import "time"

// Freeze is a window of time that comes again and again, in which a target is not
// deployed.
type Freeze struct {
	Begins Schedule
	For    time.Duration // time that passes: a clock that is set back or forward changes nothing
	Zone   *time.Location
	Reason string
}

// Schedule tells when something happens next after a time; zero: never. Both are what
// the clocks of a zone show, written as if it were UTC.
type Schedule interface{ Next(time.Time) time.Time }

// Frozen tells of a freeze that a target is in.
type Frozen struct {
	Target string `json:"target"`
	Since  int64  `json:"since"`           // in Unix seconds
	Until  int64  `json:"until,omitempty"` // when the target is free again; 0: no end is in sight
	Zone   string `json:"zone"`
	Reason string `json:"reason,omitempty"`
}

// maxFreezes is how many windows that follow one another are looked at for their end.
const maxFreezes = 100

// Frozen tells of the freeze that the target is in; nil: it is in none.
func (t Target) Frozen(now time.Time) *Frozen {
	f, since := t.freeze(now)
	if f == nil {
		return nil
	}
	is := Frozen{Target: t.Name, Since: since.Unix(), Zone: f.Zone.String(), Reason: f.Reason}
	for range maxFreezes {
		end := since.Add(f.For)
		// mutant: a freeze that is told to end while another one goes on
		if f, since = t.freeze(end); f == nil {
			is.Until = end.Unix()
			break
		}
	}
	return &is
}

// freeze is the first of the target's windows that holds a moment, and since when; nil:
// none does.
func (t Target) freeze(at time.Time) (f *Freeze, since time.Time) {
	for i := range t.Freezes {
		if since, holds := t.Freezes[i].since(at); holds {
			return &t.Freezes[i], since
		}
	}
	return nil, time.Time{}
}

// maxShift is how far clocks are set at most: a zone that crosses the date line.
const maxShift = 24 * time.Hour

// since is when the window began that holds a moment; of several, the one that began
// first.
func (f Freeze) since(at time.Time) (since time.Time, holds bool) {
	from, to := clockOf(at.Add(-f.For-maxShift), f.Zone), clockOf(at.Add(maxShift), f.Zone)
	for begin := f.Begins.Next(from); !begin.IsZero() && !begin.After(to); begin = f.Begins.Next(begin) {
		since = whenShown(begin, f.Zone)
		// mutant: a freeze that is over before its time
		if !since.After(at) && at.Before(since.Add(f.For)) {
			return since, true
		}
	}
	return time.Time{}, false
}

// Next is what the zone's clocks show as the window begins next.
func (f Freeze) Next(now time.Time) time.Time { return f.Begins.Next(clockOf(now, f.Zone)) }
