package cmd_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

// emptied: Redis loses what it had, in the middle of the day. What nobody has in
// hand is forgotten, and asked about if it comes again.
func emptied(t *testing.T) *site {
	s := newSite(t, 3)
	for _, channel := range siteChannels() {
		s.say(channel)
	}
	s.settles(s.mentions...)
	s.command("ZCARD {psycher}:due", ":0") // nothing is in hand
	older := slices.Clone(s.mentions)

	// One is in hand, and one on its way, when it happens.
	s.gitlab.Heal()
	s.gitlab.Answer(1, fakegitlab.Fault{Status: http.StatusCreated, Make: 1, Delay: 3 * time.Second})
	inHand := s.say(channelQuiet)
	if err := s.gitlab.Until(s.ctx, func() bool { return s.gitlab.PostsFor(inHand.channel, inHand.ts) == 1 }); err != nil {
		t.Error(err)
	}
	s.slack.PauseDeliveries(true)
	onItsWay := s.say("C0APP1")
	s.command("FLUSHALL", "+OK")
	s.slack.PauseDeliveries(false)
	for _, m := range older {
		s.slack.Redeliver(m.channel, m.ts)
	}
	s.underLoad(func() {})

	s.settles(s.mentions...)
	for _, m := range append(older, onItsWay) {
		s.poll(fmt.Sprintf("%v, which came again, is asked about", m), func() error {
			if !s.reads(m, "older than my records", "My records don't go back") {
				return fmt.Errorf("%v", s.texts(m))
			}
			return nil
		})
	}
	s.once(inHand)
	if n := len(s.pipelines(onItsWay)); n > 0 {
		t.Errorf("%d pipelines of a mention from before", n)
	}
	s.settles(s.mentions...)
	s.deploysAgain()
	return s
}
