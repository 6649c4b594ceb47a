package sim_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSoak runs stories for a given time, and prints what happened:
//
//	SOAK=10m go test ./internal/sim -run TestSoak -v -timeout 0
func TestSoak(t *testing.T) {
	limit, err := time.ParseDuration(cmp.Or(os.Getenv("SOAK"), "0s"))
	if err != nil {
		t.Fatalf("SOAK is a time such as 10m: %v", err)
	}
	all, n := stories(), tally{}
	seed := int(time.Now().Unix())
	for end := time.Now().Add(limit); n["stories"] == 0 || time.Now().Before(end); seed++ {
		s := all.Example(seed)
		r, broken := s.run(t)
		n.add(s, r)
		if len(broken) > 0 {
			n["stories that broke a promise"]++
			t.Errorf("%s\nafter %+v", strings.Join(broken, "\n"), s)
		}
	}
	t.Logf("%v, from seed %d on:\n%v", limit, seed-n["stories"], n)
}

// tally counts what happened.
type tally map[string]int

func (n tally) add(s story, r *storyRun) {
	n.meet(r)
	for _, d := range s.Events {
		n["event: "+d.Do]++
	}
	for _, m := range r.mentions {
		n["mentions"]++
		n["end: "+cmp.Or(strings.Join(r.w.Slack.Reactions(m.channel, m.ts), " "), "answered")]++
	}
	n["pipelines"] += len(r.w.GitLab.Pipelines())
	n["messages"] += r.w.Slack.Calls("chat.postMessage")
}

func (n tally) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(n)) {
		fmt.Fprintf(&b, "%8d  %s\n", n[name], name)
	}
	return b.String()
}
