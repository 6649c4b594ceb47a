package deploy

import "time"

// This file is about what clocks show: a time without its zone, written as if it were UTC.

// clockOf is what the zone's clocks show.
func clockOf(at time.Time, zone *time.Location) time.Time {
	_, offset := at.In(zone).Zone()
	return at.UTC().Add(time.Duration(offset) * time.Second)
}

// whenShown is when the zone's clocks first show a time, or jump over it.
func whenShown(clock time.Time, zone *time.Location) time.Time {
	at := time.Date(clock.Year(), clock.Month(), clock.Day(), clock.Hour(), clock.Minute(), clock.Second(), 0, zone)
	set, setNext := at.ZoneBounds() // zero: never
	switch is := clockOf(at, zone); {
	// mutant: a freeze that is left out as clocks jump over its beginning
	case is.Before(clock):
		return setNext
	case is.After(clock):
		return set
	case set.IsZero():
		return at
	}
	_, offset := at.Zone()
	_, before := set.Add(-time.Second).Zone()
	// mutant: a freeze that begins an hour late as its clocks are set back
	if first := at.Add(time.Duration(offset-before) * time.Second); first.Before(set) {
		return first
	}
	return at
}
