package bot

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/bot/words"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/targets"
)

// Intake stands between the sockets and the engine: an envelope comes in, a
// mention of the bot goes on to Accept, a press of a button to Press, and what they
// return decides the ack.
type Intake struct {
	Me     web.Identity
	Reader Reader
	Accept func(ctx context.Context, m deploy.Request, attempt int) (ack bool, then func())
	Press  func(ctx context.Context, p deploy.Press) (ack bool)
	Log    zerolog.Logger
}

// Handle takes one envelope of Slack's Socket Mode by its type, and reports
// whether to ack it: Slack delivers again what is not acked. then is to be called
// once that is done, unless it is nil. Handle is called by many goroutines.
func (i Intake) Handle(ctx context.Context, envelope string, payload json.RawMessage, attempt int) (ack bool, then func()) {
	switch envelope {
	case "events_api":
		return i.event(ctx, payload, attempt)
	case "interactive":
		p, why := readPress(payload, i.Me)
		if why != "" {
			i.Log.Info().Str("reason", why).Msg("a press is not answered")
			return true, nil
		}
		return i.Press(ctx, p), nil
	default: // slash commands, and types that Slack adds
		i.Log.Debug().Str("type", envelope).Msg("not for this bot")
		return true, nil
	}
}

func (i Intake) event(ctx context.Context, payload json.RawMessage, attempt int) (ack bool, then func()) {
	m, said, ok, why := readMention(payload, i.Me)
	switch {
	case why.reason == "":
	case why.Type == "app_rate_limited":
		i.Log.Warn().Str("team", string(why.TeamID)).Str("minute", string(why.RateLimited)).
			Msg("Slack got too many events for the app and holds some back: mentions may be lost, so ask people to write again, and at api.slack.com/apps, Event Subscriptions, take off all but app_mention")
	case why.quiet:
		i.Log.Debug().Str("reason", why.reason).Msg("an event is not for the bot")
	default:
		i.Log.Info().Str("reason", why.reason).Func(why.fields).Msg("a mention is not answered")
	}
	if !ok {
		return true, nil
	}
	m.Intent = i.Reader.Read(m.Key, said)
	// mutant: an ack before the claim
	return i.Accept(ctx, m, attempt)
}

// fields adds the ids of the event, so that an operator can find out why the bot
// does not answer.
func (d *dropped) fields(line *zerolog.Event) {
	for _, id := range [...]struct{ name, value string }{
		{"channel", string(d.Event.Channel)},
		{"ts", string(d.Event.TS)},
		{"user", string(d.Event.User)},
		{"bot", string(d.Event.BotID)},
		{"app", string(d.Event.AppID)},
		{"team", string(cmp.Or(d.Event.UserTeam, d.Event.Team, d.TeamID))},
		{"for_team", string(d.deliveredFor().Team)},
		{"event", string(d.EventID)},
	} {
		if id.value != "" {
			line.Str(id.name, markup.Shorten(id.value, 40))
		}
	}
}

// Reader understands what the words of a message ask for.
type Reader struct {
	Targets func() *targets.Map // as they are now
}

// Read returns what words in a channel ask for; nothing if they do not name the bot.
func (r Reader) Read(k deploy.Key, said markup.Words) deploy.Intent {
	switch {
	case !said.Named:
		return deploy.Intent{}
	// mutant: half a message deployed
	case !said.Whole:
		return deploy.Intent{Kind: deploy.KindUnknown, Doubt: deploy.MsgTooLong} // the unread part may say otherwise
	}
	all := r.Targets()
	asked := words.Understand(said.Segments, all.In(k.Team, k.Channel), func(name string) bool { return all.Elsewhere(k.Team, k.Channel, name) })
	asked.Word = markup.Shorten(asked.Word, deploy.MaxWord)
	return asked
}
