package web

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// tries calls in a bubble: what each of n calls of a channel is told.
func tries(l *limits, method, channel string, n int) (waits []time.Duration) {
	for i := range n {
		waits = append(waits, l.enter(method, channel, fmt.Sprint(i)))
	}
	return waits
}

func TestABurstGoesAndTheRestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimits()
		waits := tries(l, "chat.postMessage", "C1", 7)
		for i, want := range []time.Duration{0, 0, 0, 0, 1 * time.Second, 2 * time.Second, 3 * time.Second} {
			if waits[i] != want {
				t.Errorf("call %d waits %s, want %s", i, waits[i], want)
			}
		}
		if w := l.enter("chat.postMessage", "C2", "0"); w != 0 {
			t.Errorf("another channel waits %s", w)
		}
	})
}

func TestACallThatComesBackKeepsItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimits()
		tries(l, "chat.postMessage", "C1", 4)
		first := l.enter("chat.postMessage", "C1", "first")
		time.Sleep(first / 2)
		if w := l.enter("chat.postMessage", "C1", "first"); w != first/2 {
			t.Errorf("who asks too early waits %s, not what is left of %s", w, first)
		}
		second := l.enter("chat.postMessage", "C1", "second")
		if want := first/2 + time.Second; second != want {
			t.Errorf("who comes later waits %s, want %s", second, want)
		}
		time.Sleep(first / 2)
		if w := l.enter("chat.postMessage", "C1", "first"); w != 0 {
			t.Errorf("at its time the first waits %s more", w)
		}
		time.Sleep(time.Second)
		if w := l.enter("chat.postMessage", "C1", "second"); w != 0 {
			t.Errorf("at its time the second waits %s more", w)
		}
	})
}

func TestManyCallsGoAtSlacksPace(t *testing.T) {
	for _, c := range []struct {
		method    string
		channels  int
		perMinute int
		burst     int
	}{
		{"reactions.add", 1, 40, 8},
		{"reactions.add", 3, 50, 10},
		{"reactions.remove", 1, 16, 4},
		{"reactions.remove", 3, 20, 5},
		{"chat.update", 1, 40, 8},
		{"chat.postMessage", 1, 60, 4},
		{"chat.postMessage", 3, 180, 12},
	} {
		t.Run(fmt.Sprint(c.method, c.channels), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const n = 60
				took, asked := through(newLimits(), c.method, c.channels, n)
				want := time.Duration(n-c.burst) * time.Minute / time.Duration(c.perMinute)
				if took < want-time.Second || took > want+time.Second {
					t.Errorf("%d calls took %s, want %s", n, took, want)
				}
				if asked > 3*n {
					t.Errorf("they asked %d times: there is no line", asked)
				}
			})
		})
	}
}

// through has n calls, spread over channels, come back when they are told to
// until all are through.
func through(l *limits, method string, channels, n int) (took time.Duration, asked int) {
	start := time.Now()
	back := make(map[int]time.Time)
	for i := range n {
		back[i] = start
	}
	for len(back) > 0 {
		for i := range n {
			at, waits := back[i]
			if !waits || at.After(time.Now()) {
				continue
			}
			asked++
			if w := l.enter(method, fmt.Sprint("C", i%channels), fmt.Sprint(i)); w > 0 {
				back[i] = time.Now().Add(w)
			} else {
				delete(back, i)
			}
		}
		if len(back) > 0 {
			time.Sleep(time.Until(slices.MinFunc(slices.Collect(maps.Values(back)), time.Time.Compare)))
		}
	}
	return time.Since(start), asked
}

func TestEachCallTakesItsOwnToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, went := newLimits(), 0
		for range 20 { // the same message, edited again and again
			w := l.enter("chat.postMessage", "C1", "same")
			if w == 0 {
				went++
			}
			time.Sleep(w)
		}
		if want := 4 + 8; went != want { // four at once, then every other one had to wait first
			t.Errorf("%d calls went, want %d", went, want)
		}
	})
}

func TestACallPastItsChannelsLimitDoesNotWaitForItAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimits()
		for i := range 5 { // the workspace has no token left
			l.enter("reactions.remove", fmt.Sprint("C", i+2), "x")
		}
		wait := l.enter("reactions.remove", "C1", "first")
		tries(l, "reactions.remove", "C1", 50)
		time.Sleep(wait)
		if w := l.enter("reactions.remove", "C1", "first"); wait == 0 || w != 0 {
			t.Errorf("waits %s more after %s", w, wait)
		}
	})
}

func TestThousandsInOneChannelDoNotBlockAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimits()
		for _, method := range []string{"reactions.add", "reactions.remove", "chat.update", "chat.postMessage"} {
			tries(l, method, "C1", 3000)
			if w := l.enter(method, "C2", "x"); w != 0 {
				t.Errorf("%s waits %s behind another channel", method, w)
			}
		}
	})
}

func TestWorkspaceLimitHoldsOverAllChannels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimits()
		went := 0
		for i := range 100 {
			if l.enter("reactions.remove", fmt.Sprintf("C%d", i), "x") == 0 {
				went++
			}
		}
		if went != 5 {
			t.Errorf("%d calls went at once", went)
		}
	})
}

func TestAfterALimitTheyComeBackOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimits()
		held := l.enter("chat.postMessage", "C1", "x") // through
		l.block("chat.postMessage", "C1", 30*time.Second)
		waits := tries(l, "chat.postMessage", "C1", 10)
		if held != 0 || waits[0] != 30*time.Second {
			t.Errorf("the first waits %s", waits[0])
		}
		for i := 5; i < 10; i++ {
			if waits[i] != waits[i-1]+time.Second {
				t.Errorf("call %d waits %s, the one before %s", i, waits[i], waits[i-1])
			}
		}
	})
}

func TestARateLimitOverridesThePlacesInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimits()
		for _, method := range []string{"reactions.remove", "chat.postMessage"} {
			waits := tries(l, method, "C1", 5)
			l.block(method, "C1", time.Minute)
			time.Sleep(waits[4])
			if w, want := l.enter(method, "C1", "4"), time.Minute-waits[4]; w < want || w > time.Minute {
				t.Errorf("%s waits %s although Slack said a minute", method, w)
			}
		}
	})
}

func TestIdleChannelsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimits()
		for i := range 5000 {
			for n := range 6 {
				l.enter("chat.postMessage", fmt.Sprintf("C%d", i), fmt.Sprint(n))
			}
		}
		time.Sleep(5 * time.Minute)
		l.enter("chat.postMessage", "C1", "x")
		if len(l.buckets) > 2 {
			t.Errorf("%d buckets are kept", len(l.buckets))
		}
		for name, b := range l.buckets {
			if len(b.places) > 0 {
				t.Errorf("%d places are kept in %s", len(b.places), name)
			}
		}
	})
}
