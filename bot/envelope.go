package bot

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/getto-systems/psycher/deploy"
)

// Identity is who the bot is: from auth.test and the socket's hello.
type Identity struct{ Team, User, BotID, App string }

// namespace is where deployment ids live. It never changes: a second process,
// or a later version, must come to the same id for the same message.
const namespace = "6f1c2b0e-7d5a-5c34-9a52-0f4b7c0d9e61"

// DeploymentID is the PSYCHER_ID of a mention: the same for a redelivery and an
// edit, and no secret.
func DeploymentID(k deploy.Key) string {
	return uuid.NewSHA1(uuid.MustParse(namespace), []byte(k.String())).String()
}

// textKept is how many characters of a mention are read. People write a line;
// what is longer was pasted.
const textKept = 8000

// ReadMention takes the mention out of an events_api payload. ok is false, with
// a reason for the log, where the event is not for the bot: who does not know
// me.User is named by nobody.
//
// Slack sends more than it documents, and other clients write odd blocks: each
// field is read leniently, and one that cannot be read is one that is absent.
func ReadMention(payload []byte, me Identity) (m deploy.Mention, ok bool, reason string) {
	var p eventPayload
	if err := json.Unmarshal(payload, &p); err != nil {
		return m, false, "the payload is not an event in JSON"
	}
	var e mentionEvent
	if err := json.Unmarshal(p.Event, &e); err != nil {
		return m, false, "the payload has no event"
	}
	if reason := notForBot(p, e, me); reason != "" {
		return m, false, reason
	}
	m.Key = deploy.Key{Team: string(p.ContextTeamID), Channel: string(e.Channel), TS: string(e.TS)}
	if m.Team == "" {
		m.Team = string(p.TeamID)
	}
	switch {
	case !isID(m.Team):
		return m, false, "the event has no team id"
	case !isID(m.Channel):
		return m, false, "the event has no channel id"
	case !isTS(m.TS):
		return m, false, "the event has no timestamp"
	case !isID(string(e.User)):
		return m, false, "the event has no user id"
	}
	text, named := e.words(me.User)
	if !named {
		return m, false, "the bot is named only in code or a quote, or not at all"
	}
	m.ID = DeploymentID(m.Key)
	m.User = string(e.User)
	m.Stranger = elsewhere(e.UserTeam, m.Team) || elsewhere(e.SourceTeam, m.Team)
	m.Edited = present(e.Edited)
	m.Text = shorten(text, textKept)
	if t := string(e.ThreadTS); isTS(t) && t != m.TS {
		m.Thread = t
	}
	return m, true, ""
}

// notForBot names why an event is none that the bot answers; empty if it is one.
// Other bots' posts fire app_mention too, and answering them makes loops.
func notForBot(p eventPayload, e mentionEvent, me Identity) string {
	switch {
	case e.Type != "app_mention":
		return "not an app_mention"
	case me.App != "" && p.APIAppID != "" && string(p.APIAppID) != me.App:
		return "an event of another app"
	case me.User != "" && string(e.User) == me.User:
		return "the bot's own post"
	case e.BotID != "", e.AppID != "", present(e.BotProfile), e.Subtype == "bot_message", e.User == "USLACKBOT":
		return "a post of a bot"
	}
	return ""
}

type eventPayload struct {
	TeamID        lenient         `json:"team_id"`
	ContextTeamID lenient         `json:"context_team_id"` // the bot's workspace, also where team_id is the sender's
	APIAppID      lenient         `json:"api_app_id"`
	Event         json.RawMessage `json:"event"`
}

type mentionEvent struct {
	Type       lenient         `json:"type"`
	Subtype    lenient         `json:"subtype"`
	Channel    lenient         `json:"channel"`
	TS         lenient         `json:"ts"`
	ThreadTS   lenient         `json:"thread_ts"`
	User       lenient         `json:"user"`
	UserTeam   lenient         `json:"user_team"`
	SourceTeam lenient         `json:"source_team"`
	BotID      lenient         `json:"bot_id"`
	AppID      lenient         `json:"app_id"`
	BotProfile json.RawMessage `json:"bot_profile"`
	Edited     json.RawMessage `json:"edited"`
	Text       lenient         `json:"text"`
	Blocks     json.RawMessage `json:"blocks"` // attachments and files are never read: they quote other messages
}

// lenient is a string that may come as a number, or as anything else, which is
// then nothing.
type lenient string

func (l *lenient) UnmarshalJSON(b []byte) error {
	*l = ""
	switch {
	case len(b) == 0:
	case b[0] == '"':
		if plain := b[1 : len(b)-1]; bytes.IndexByte(plain, '\\') < 0 && utf8.Valid(plain) {
			*l = lenient(plain) // as it is: most are ids
			break
		}
		var s string
		if json.Unmarshal(b, &s) == nil {
			*l = lenient(s)
		}
	case b[0] == '-' || b[0] >= '0' && b[0] <= '9':
		*l = lenient(b)
	}
	return nil
}

func present(raw json.RawMessage) bool {
	return len(raw) > 0 && string(raw) != "null" && string(raw) != "false"
}

func elsewhere(team lenient, home string) bool { return team != "" && string(team) != home }

func isID(s string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

func isTS(s string) bool {
	sec, frac, _ := strings.Cut(s, ".")
	return isDigits(sec, 12) && isDigits(frac, 9)
}

func isDigits(s string, most int) bool {
	return s != "" && len(s) <= most && strings.Trim(s, "0123456789") == ""
}

func shorten(s string, most int) string {
	n := 0
	for i := range s {
		if n == most {
			return s[:i]
		}
		n++
	}
	return s
}
