package bot

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/google/uuid"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/deploy"
)

// namespace is the UUID namespace of deployment ids. It never changes: another
// process, or a later version, must derive the same id for the same message.
var namespace = uuid.MustParse("6f1c2b0e-7d5a-5c34-9a52-0f4b7c0d9e61")

// DeploymentID is the PSYCHER_ID of a mention: the same for a redelivery and an
// edit, and no secret.
func DeploymentID(k deploy.Key) string {
	return uuid.NewSHA1(namespace, []byte(k.String())).String()
}

// dropped is why an event starts nothing, with the details for the log.
type dropped struct {
	eventPayload
	reason string
	quiet  bool // not a mention by somebody else: logged for debugging only
}

// readMention reads the mention in an events_api payload. ok is false if the event is
// not for the bot; with an empty me.User, none is. An edit that no longer names the bot
// is a mention too, so that it reaches the record: its words ask for nothing.
//
// Slack sends more than it documents: each field is read leniently, and an
// unreadable one counts as absent, except where absence would be a permission.
func readMention(payload []byte, me web.Identity) (m deploy.Request, said markup.Words, ok bool, d *dropped) {
	d = &dropped{}
	e := &d.Event
	if json.Unmarshal(payload, &d.eventPayload) != nil || e.Type == "" {
		d.reason = "the payload has no event"
		return m, said, false, d
	}
	m.Key = deploy.Key{Team: me.Team, Channel: string(e.Channel), TS: string(e.TS)}
	from := d.speaker(me)
	if d.reason, d.quiet = e.notForBot(me, m.Key, from); d.reason != "" {
		return m, said, false, d
	}
	m.ID = DeploymentID(m.Key)
	m.By = deploy.Person{User: string(e.User), Team: string(cmp.Or(e.UserTeam, e.Team)), External: from != home}
	m.At, m.Via, m.Edited = m.Time(), deploy.ViaMention, markup.Present(e.Edited)
	if t := string(e.ThreadTS); deploy.IsTimestamp(t) && t != m.TS {
		m.Thread = t
	}
	if said = e.Words(me.User); !said.Named {
		d.reason = "the bot is named only in code, a quote or struck-through words, or not at all"
		// mutant: an edit that no longer names the bot dropped
		return m, said, m.Edited, d
	}
	return m, said, true, d
}

// notForBot says why the bot does not answer an event; empty if it does. Posts of
// other bots trigger app_mention too, and answering them makes loops.
func (e *mentionEvent) notForBot(me web.Identity, k deploy.Key, from origin) (reason string, quiet bool) {
	switch {
	case e.Type != "app_mention":
		return "not an app_mention", true
	case me.User != "" && string(e.User) == me.User:
		return "the bot's own post", true
	case e.BotID != "", e.AppID != "", markup.Present(e.BotProfile), e.Subtype == "bot_message", e.User == "USLACKBOT":
		return "a post of a bot", false
	// mutant: a message that no person wrote accepted
	case !slices.Contains(speech, e.Subtype):
		return "not what a person says, its subtype is " + markup.Shorten(string(e.Subtype), 40), false
	case markup.Present(e.Hidden):
		return "a hidden message", false
	case !deploy.IsID(string(e.User)), !deploy.IsID(k.Channel), !deploy.IsTimestamp(k.TS):
		return "the event has no user id, no channel id or no timestamp", false
	case from == elsewhere:
		return "delivered for another workspace that has the app", false
	}
	return "", false
}

// speech lists the subtypes of messages that people write: none, with a file, also
// sent to the channel from a thread, with /me. Everything else (a topic, a pin, a
// subtype that Slack adds) asks for nothing.
var speech = []markup.Closed{"", "file_share", "thread_broadcast", "me_message"}

type eventPayload struct {
	Type                markup.Closed   `json:"type"`
	TeamID              markup.Closed   `json:"team_id"`
	EnterpriseID        markup.Closed   `json:"enterprise_id"` // the organisation of team_id
	ContextTeamID       markup.Closed   `json:"context_team_id"`
	ContextEnterpriseID markup.Closed   `json:"context_enterprise_id"`
	Authorizations      json.RawMessage `json:"authorizations"`
	ExtShared           json.RawMessage `json:"is_ext_shared_channel"`
	EventID             markup.Lenient  `json:"event_id"`
	RateLimited         markup.Lenient  `json:"minute_rate_limited"`
	Event               mentionEvent    `json:"event"`
}

type mentionEvent struct {
	Type       markup.Lenient  `json:"type"`
	Subtype    markup.Closed   `json:"subtype"`
	Hidden     json.RawMessage `json:"hidden"`
	Channel    markup.Lenient  `json:"channel"`
	TS         markup.Lenient  `json:"ts"`
	ThreadTS   markup.Lenient  `json:"thread_ts"`
	User       markup.Lenient  `json:"user"`
	Team       markup.Closed   `json:"team"`
	UserTeam   markup.Closed   `json:"user_team"`
	BotID      markup.Closed   `json:"bot_id"`
	AppID      markup.Closed   `json:"app_id"`
	BotProfile json.RawMessage `json:"bot_profile"`
	markup.Message
}
