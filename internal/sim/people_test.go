package sim

import (
	"testing"

	"github.com/getto-systems/psycher/bot/phrases"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/messages"
)

// Tests read messages by their wording, whatever is known.
func TestEveryMessageIsReadAsWhatItIs(t *testing.T) {
	for _, lang := range []string{"ja", "en"} {
		voice, err := phrases.New(lang)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range messages.IDs() {
			for _, m := range append(messages.Samples(id), deploy.Message{ID: id}) {
				for range voice[string(id)] {
					for _, m.InChannel = range []bool{false, true} {
						if got := messageID(lang, voice.Text(m)); got != id {
							t.Errorf("%s is read as %s: %s", id, got, voice.Text(m))
						}
					}
					m.Seed++
				}
			}
		}
	}
}
