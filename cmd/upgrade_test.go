//go:build upgrade

package cmd_test

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// While replicas of the version before are replaced one after the other, both
// versions share Redis and Slack's sockets: each mention makes one pipeline whose
// end is shown, whichever of them claimed it, triggered it or heard of it.
// PSYCHER_BEFORE is the program of the version before: make upgrade builds it.
func TestARollingUpgrade(t *testing.T) {
	before := os.Getenv("PSYCHER_BEFORE")
	if before == "" {
		t.Fatal("PSYCHER_BEFORE names no program: run make upgrade")
	}
	for name, by := range map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGKILL": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openSite(t)
			var known []string // the target map as the version before reads it
			for _, setting := range s.settings {
				if strings.HasPrefix(setting, "GITLAB_TRIGGER_TOKENS=") {
					known = append(known, strings.ReplaceAll(setting, `, "parallel": true`, ""))
				}
			}
			for range 3 {
				s.start(s.add(before, known...))
			}
			s.ready()
			s.underLoad(func() {
				for _, r := range s.replicas {
					s.end(r, by)
					r.program, r.settings = "psycher", nil
					s.start(r)
					s.ready()
					s.pause(3 * time.Second) // both work side by side
				}
			})
			s.settles(s.mentions...)
			s.deploysAgain()
			t.Logf("%v", s.figures())
		})
	}
}
