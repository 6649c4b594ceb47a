package deploy

import "testing"

func TestWhatGoesOn(t *testing.T) {
	for state := range Moves() {
		want := state == Locked || state == Triggering || state == Waiting || state == Unsure || state == Running
		if got := (Record{State: state}).IsActive(); got != want {
			t.Errorf("%s goes on: %v", state, got)
		}
	}
	if (Record{State: Unsure, Deployment: Deployment{NoneSeen: true}}).IsActive() {
		t.Error("what GitLab does not show goes on")
	}
}

// Of two that wait, just one goes first; and none of them beside what is under way.
func TestWhatWaitsYields(t *testing.T) {
	of := func(ts string, state State, wait int) Record {
		r := Record{State: state, Request: Request{Key: Key{Team: "T1", Channel: "C1", TS: ts}}}
		r.Deployment.WaitEnd = t0.AddDate(0, 0, wait)
		return r
	}
	first, second, third := of("1.0", Waiting, 1), of("2.0", Waiting, 1), of("0.0", Waiting, 2)
	for _, pair := range [][2]Record{{first, second}, {first, third}, {second, third}} {
		if pair[0].YieldsTo(pair[1]) || !pair[1].YieldsTo(pair[0]) {
			t.Errorf("%s and %s: %v, %v", pair[0].Request.TS, pair[1].Request.TS, pair[0].YieldsTo(pair[1]), pair[1].YieldsTo(pair[0]))
		}
	}
	for state, yields := range map[State]bool{Triggering: true, Running: true, Unsure: true, Succeeded: false, Silent: false, Asking: false} {
		if got := first.YieldsTo(of("9.0", state, 9)); got != yields {
			t.Errorf("it yields to what is %s: %v", state, got)
		}
	}
}

func TestAPressThatTheStoreHasLostIsNotMade(t *testing.T) {
	if r := (Record{State: Failed}).AgainMade(); r.Again != nil || r.State != Failed {
		t.Errorf("%+v", r)
	}
}
