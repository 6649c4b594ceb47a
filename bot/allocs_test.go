package bot

import (
	"testing"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/bot/words"
	"github.com/getto-systems/psycher/deploy"
)

// What a mention allocates until it is read and understood. If this grows, reduce
// it, or say why here.
func TestWhatAMentionAllocates(t *testing.T) {
	payload := event(nil)
	for name, c := range map[string]struct {
		most float64
		do   func() bool
	}{
		"read": {55, func() bool {
			_, _, ok, _ := ReadMention(payload, bot)
			return ok
		}},
		"understand": {75, func() bool {
			return words.Understand([]markup.Segment{{Kind: markup.Plain, Text: "リリースお願いします"}}, []deploy.Target{{Name: "app"}}, func(string) bool { return false }).Deploys()
		}},
	} {
		if !c.do() {
			t.Errorf("%s: failed", name)
		}
		if n := testing.AllocsPerRun(200, func() { c.do() }); n > c.most {
			t.Errorf("%s: %v allocations, want at most %v", name, n, c.most)
		}
	}
}

func BenchmarkReadAndUnderstand(b *testing.B) {
	payload := event(nil)
	b.ReportAllocs()
	for b.Loop() {
		_, said, _, _ := ReadMention(payload, bot)
		words.Understand(said.Segments, []deploy.Target{{Name: "app"}, {Name: "web"}}, func(string) bool { return false })
	}
}
