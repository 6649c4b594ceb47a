package sim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/internal/sim"
)

// Slack takes about one message a second in a channel: more people than that
// are told one after the other, within the time that the shutdown has.
func TestEveryoneIsToldWhenTheEmbeddedStoreEnds(t *testing.T) {
	for name, before := range map[string]time.Duration{
		"after everything was shown":     time.Minute,
		"while messages wait their turn": 500 * time.Millisecond,
	} {
		bubble(t, name, func(t *testing.T) {
			w := sim.New(t, "REDIS_URL=", "PSYCHER_LANG=en")
			p := w.StartReady("a")
			mentions := make([]string, 8)
			for i := range mentions {
				mentions[i] = w.Slack.Say(sim.User, sim.Channel, sim.Bot+" release")
			}
			w.Eventually("the pipelines", time.Minute, func() bool { return len(w.GitLab.Pipelines()) == len(mentions) })
			time.Sleep(before)

			begun := time.Now()
			if err := p.Stop(); err != nil {
				t.Error(err)
			}
			if took := time.Since(begun); took > 10*time.Second {
				t.Errorf("the shutdown took %v", took)
			}
			for _, ts := range mentions {
				texts := w.Texts(sim.Channel, ts)
				if len(texts) == 0 || !strings.Contains(texts[len(texts)-1], "psycher is ") {
					t.Errorf("nobody is told in the thread of %s: %q", ts, texts)
				}
			}
		})
	}
}
