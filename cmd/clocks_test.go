package cmd_test

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// slackBehind: by the hosts' clocks each mention is older than may be. Slack's
// own judges it, and each host says that its clock is wrong.
func slackBehind(t *testing.T) *site {
	s := openSite(t)
	s.slack.SetClock(-31 * time.Second)
	for range 3 {
		s.start(s.add("psycher", "MENTION_MAX_AGE=20s"))
	}
	s.ready()
	s.underLoad(func() {})
	for _, m := range s.mentions {
		s.once(m)
	}
	for _, r := range s.replicas {
		s.end(r, syscall.SIGTERM)
		if !r.saysItsClockIsOff() {
			t.Error("the log does not say that the host's clock is off")
		}
	}
	return s
}

// saysItsClockIsOff tells what the log of a replica says that has ended.
func (r *replica) saysItsClockIsOff() bool {
	return strings.Contains(r.out.String(), "this host's clock is not Slack's")
}
