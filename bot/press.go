package bot

import (
	"cmp"
	"encoding/json"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/deploy"
)

// pressPayload is what the bot needs of a press. Nothing is read out of the
// message that the button is in: Slack sends it as it was, and other apps' blocks
// with it.
type pressPayload struct {
	Type markup.Closed `json:"type"`
	User struct {
		ID   markup.Lenient `json:"id"`
		Team markup.Closed  `json:"team_id"`
	} `json:"user"`
	Team       object `json:"team"`
	Enterprise object `json:"enterprise"`
	Channel    object `json:"channel"`
	Container  struct {
		Type   markup.Closed  `json:"type"`
		Thread markup.Lenient `json:"thread_ts"`
	} `json:"container"`
	Actions []struct {
		Type     markup.Closed  `json:"type"`
		TS       markup.Lenient `json:"action_ts"`
		Value    markup.Lenient `json:"value"`
		Selected struct {
			Value markup.Lenient `json:"value"`
		} `json:"selected_option"`
	} `json:"actions"`
}

type object struct {
	ID markup.Closed `json:"id"`
}

// readPress reads the press of a button in an interactive payload. Where it is
// none for the bot, why says so.
func readPress(payload []byte, me web.Identity) (p deploy.Press, why string) {
	var in pressPayload
	if json.Unmarshal(payload, &in) != nil {
		return p, "the payload cannot be read"
	}
	switch {
	case in.Type != "block_actions":
		return p, "not a press: " + markup.Shorten(string(in.Type), 40)
	// mutant: a press for another workspace accepted
	case !pressedHere(in, me):
		return p, "delivered for another workspace that has the app"
	case in.Container.Type != "message" || len(in.Actions) != 1:
		return p, "not one button of a message"
	case !deploy.IsID(string(in.User.ID)) || !deploy.IsID(string(in.Channel.ID)):
		return p, "the press has no user id or no channel id"
	}
	action := in.Actions[0]
	value := cmp.Or(action.Value, action.Selected.Value)
	if value == "" || action.Type != "button" && action.Type != "static_select" {
		return p, "a link, or no button: " + markup.Shorten(string(action.Type), 40)
	}
	p, ok := deploy.ParseButton(string(value))
	if !ok || p.Key.Team != me.Team {
		p = deploy.Press{}
	}
	p.By = deploy.Person{User: string(in.User.ID), Team: string(in.User.Team)}
	// mutant: a press by a person of another organisation
	p.By.External = string(in.User.Team) != me.Team && (me.Enterprise == "" || string(in.User.Team) != me.Enterprise)
	p.Channel = string(in.Channel.ID)
	if p.TS = string(action.TS); p.Do != "" { // a deployment that comes of it is named after it
		if !deploy.IsTimestamp(p.TS) {
			return deploy.Press{}, "the press has no timestamp"
		}
		p.ID = DeploymentID(deploy.Key{Team: me.Team, Channel: p.Channel, TS: p.TS})
	}
	if t := string(in.Container.Thread); deploy.IsTimestamp(t) {
		p.Thread = t
	}
	return p, ""
}

// pressedHere reports whether a press is delivered for the bot's own installation:
// its workspace, or where the app is installed in a whole organisation, that.
func pressedHere(in pressPayload, me web.Identity) bool {
	if in.Team.ID == "" {
		return me.Enterprise != "" && string(in.Enterprise.ID) == me.Enterprise
	}
	return string(in.Team.ID) == me.Team
}
