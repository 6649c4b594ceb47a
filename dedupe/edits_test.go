package dedupe

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

func editSlot(t testing.TB, s *Store, team string, urgent bool) time.Duration {
	t.Helper()
	wait, err := s.EditSlot(context.Background(), team, urgent)
	if err != nil {
		t.Fatal(err)
	}
	return wait
}

// slots counts how many edits in a row may be made at once.
func slotsAtOnce(t testing.TB, s *Store, team string, urgent bool) (n int) {
	t.Helper()
	for editSlot(t, s, team, urgent) == 0 {
		if n++; n > 60 {
			t.Fatal("it never ends")
		}
	}
	return n
}

func TestEditsOfAWorkspaceAtOnce(t *testing.T) {
	t.Run("embedded", func(t *testing.T) {
		s := open(t, "")
		s.embedded.SetTime(time.Unix(1_700_000_000, 0))
		if n := slotsAtOnce(t, s, "T1", false); n != 4 {
			t.Errorf("%d that are not urgent, want 4", n)
		}
		if n := slotsAtOnce(t, s, "T1", true); n != 8 {
			t.Errorf("%d urgent ones after those, want 8", n)
		}
		if urgent, other := editSlot(t, s, "T1", true), editSlot(t, s, "T1", false); urgent != 1600*time.Millisecond || other != 9*1600*time.Millisecond {
			t.Errorf("the next one in %v, and one that is not urgent in %v", urgent, other)
		}
		if n := slotsAtOnce(t, s, "T2", true); n != 12 {
			t.Errorf("%d of another workspace, want 12", n)
		}
	})
	t.Run("real", func(t *testing.T) {
		s, began := open(t, realRedis(t)), time.Now()
		n := slotsAtOnce(t, s, "T1", true)
		if more := int(time.Since(began)/(1600*time.Millisecond)) + 1; n < 12 || n > 12+more {
			t.Errorf("%d at once, want 12", n)
		}
		if ttl := s.client.PTTL(t.Context(), s.edits("T1")).Val(); ttl == -1 || ttl > 20*time.Second {
			t.Errorf("it is kept for %v", ttl)
		}
	})
}

// Whatever is asked for when: no minute has more than 50 edits, who waits for as long
// as it was told gets a slot if nobody else asks, and a flood of edits that are not
// urgent keeps no urgent one waiting.
func TestEditsKeepSlacksLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, most := open(t, ""), 0
		for seed := range uint64(20) {
			random, team, made := rand.New(rand.NewPCG(seed, 1)), fmt.Sprint("T", seed), []time.Time(nil)
			take := func(urgent bool) time.Duration {
				wait := editSlot(t, s, team, urgent)
				if wait == 0 {
					made = append(made, time.Now())
				}
				return wait
			}
			for range 8 {
				time.Sleep(time.Duration(random.IntN(20_000)) * time.Millisecond)
				urgent := random.IntN(2) == 0
				switch random.IntN(3) {
				case 0:
					for range random.IntN(15) {
						take(urgent)
					}
				case 1:
					if wait := take(urgent); wait > 0 {
						time.Sleep(wait)
						if wait := take(urgent); wait != 0 {
							t.Fatalf("seed %d: after its wait it has to wait for %v more", seed, wait)
						}
					}
				case 2:
					time.Sleep(20 * time.Second) // what was urgent before is over
					for range random.IntN(20) {
						for range 5 {
							take(false)
							time.Sleep(400 * time.Millisecond)
						}
						if wait := take(true); wait != 0 {
							t.Fatalf("seed %d: an urgent one waits for %v", seed, wait)
						}
					}
					for take(true) == 0 { // all that are left
					}
				}
			}
			for i, first := range made {
				n := 0
				for n < len(made)-i && made[i+n].Sub(first) <= time.Minute {
					n++
				}
				if most = max(most, n); n > 50 {
					t.Fatalf("seed %d: %d edits within a minute", seed, n)
				}
			}
		}
		if most < 45 {
			t.Errorf("never more than %d edits a minute: this tries too little", most)
		}
	})
}

// A clock that was set back makes nobody wait for as long as it was set back.
func TestEditsAfterTheClockWasSetBack(t *testing.T) {
	s, now := open(t, ""), time.Unix(1_700_000_000, 0)
	s.embedded.SetTime(now)
	slotsAtOnce(t, s, "T1", true)
	s.embedded.SetTime(now.Add(-time.Hour))
	if n := slotsAtOnce(t, s, "T1", true); n != 12 {
		t.Errorf("%d edits, want 12", n)
	}
}
