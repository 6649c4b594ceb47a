// Package bot is the Slack side: the sockets that events come on, reading a
// mention out of an event, understanding its words, the calls that show a record
// in Slack, and every wording in both languages.
//
// What becomes of a mention is not decided here: package deploy does that, and
// calls this one.
package bot

import (
	"context"
	"encoding/json"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
)

// Intake stands between the sockets and the loop: an envelope's payload comes
// in, a mention for the bot goes on, and the answer is whether to ack.
type Intake struct {
	Me     Identity
	Accept func(ctx context.Context, m deploy.Mention, attempt int) (ack bool)
	Log    zerolog.Logger
}

// Handle is what [Sockets] calls.
func (i Intake) Handle(ctx context.Context, payload json.RawMessage, attempt int) (ack bool) {
	m, ok, reason := ReadMention(payload, i.Me)
	if !ok {
		i.Log.Debug().Str("reason", reason).Msg("an event is not for the bot")
		return true
	}
	return i.Accept(ctx, m, attempt)
}

// Reader is the loop's [deploy.Reader].
type Reader struct{ Targets *deploy.Targets }

// Read tells what a mention asks for.
func (r Reader) Read(m deploy.Mention, here []deploy.Target) deploy.Intent {
	names := make([]string, len(here))
	for i, t := range here {
		names[i] = t.Name
	}
	return Understand(m.Text, names, func(name string) bool { return r.Targets.Elsewhere(m.Team, m.Channel, name) })
}
