package bot

import (
	"strings"
	"testing"

	"github.com/getto-systems/psycher/bot/web"
)

// The shapes that Slack was seen to send, as far as they tell who speaks and
// where: T1 is the bot's workspace, E1 its organisation; T2 and E2 are others.
// "captured" are those of real events, and of Slack's own SDKs' tests.
func TestWhoSpeaks(t *testing.T) {
	const home, external, elsewhere = "home", "external", "elsewhere"
	grid := web.Identity{Team: "T1", Enterprise: "E1", User: "UBOT", BotID: "B1"}
	auth := func(team any) []any {
		return []any{obj{"enterprise_id": nil, "team_id": team, "user_id": "UBOT", "is_bot": true}}
	}
	for _, c := range []struct {
		name    string
		me      web.Identity
		changes map[string]any
		want    string
	}{
		// An ordinary channel.
		{"captured: all that Slack tells today", bot, nil, home},
		{"captured: the documented minimum", bot, obj{"event.team": nil, "context_team_id": nil, "authorizations": nil, "is_ext_shared_channel": nil}, home},
		{"captured: no context", bot, obj{"context_team_id": nil}, home},
		{"captured: the context is null", bot, obj{"context_team_id": raw("null"), "context_enterprise_id": raw("null"), "enterprise_id": raw("null")}, home},
		{"no team at all", bot, obj{"team_id": nil, "context_team_id": nil, "authorizations": nil, "event.team": nil}, external},
		{"only the sender's team", bot, obj{"team_id": nil, "context_team_id": nil, "authorizations": nil}, home},
		{"the sender's team is another", bot, obj{"event.team": "T2"}, external},
		{"the sender's team cannot be read", bot, obj{"event.team": obj{}}, external},

		// A channel shared with another organisation.
		{"captured: our person writes in a shared channel", bot, obj{"context_team_id": nil, "is_ext_shared_channel": true}, home},
		{"captured: our person, in a channel of theirs", bot, obj{
			"team_id": "T2", "enterprise_id": "E2", "context_team_id": nil, "is_ext_shared_channel": true,
			"event.team": "T2", "event.user_team": "T1", "event.source_team": "T1",
		}, home},
		{"captured: their person, of a Grid", bot, obj{
			"context_team_id": nil, "is_ext_shared_channel": true, "event.user_team": "E2", "event.source_team": "E2",
		}, external},
		{"captured: their person, the sender's workspace outside", bot, obj{"team_id": "T2", "enterprise_id": "E2", "is_ext_shared_channel": true, "event.team": "T2"}, external},
		{"captured: nothing tells who", bot, obj{"is_ext_shared_channel": true, "event.team": nil}, external},
		{"user_team", bot, obj{"event.user_team": "T2"}, external},
		{"user_team is ours, the channel is from another", bot, obj{"event.user_team": "T1", "event.source_team": "T2"}, home},
		{"user_team cannot be read", bot, obj{"event.user_team": obj{"id": "T1"}}, external},
		{"user_team is null", bot, obj{"event.user_team": raw("null")}, home},
		{"shared, the sender's team is another", bot, obj{"is_ext_shared_channel": true, "event.team": "T2"}, external},
		{"shared, in words", bot, obj{"is_ext_shared_channel": "true", "event.team": nil}, external},
		{"the event's workspace is another, the bot is asked in ours", bot, obj{"team_id": "T2"}, external},
		{"the same, in a shared channel", bot, obj{"team_id": "T2", "is_ext_shared_channel": true}, external},

		// An organisation of several workspaces.
		{"our person, by the organisation", grid, obj{"context_enterprise_id": "E1", "event.user_team": "E1", "event.source_team": "E1"}, home},
		{"our person, in a shared channel", grid, obj{"is_ext_shared_channel": true, "event.user_team": "E1", "event.team": "T1"}, home},
		{"the sender's team is the organisation", grid, obj{"is_ext_shared_channel": true, "event.team": "E1"}, home},
		{"the organisation outside", grid, obj{"team_id": "E1"}, home},
		{"the organisation is told by the event alone", bot, obj{"context_enterprise_id": "E1", "event.user_team": "E1"}, home},
		{"the organisation is told by the authorization alone", bot, obj{
			"context_team_id": nil, "authorizations": []any{obj{"team_id": "T1", "enterprise_id": "E1"}}, "event.user_team": "E1",
		}, home},
		{"another workspace of the organisation", grid, obj{"team_id": "T3", "enterprise_id": "E1", "event.team": "T3", "event.user_team": "T3"}, home},
		{"another workspace, whose organisation is not told", grid, obj{"event.user_team": "T3"}, external},
		{"another workspace, of another organisation", grid, obj{"team_id": "T3", "enterprise_id": "E2", "event.user_team": "T3"}, external},
		{"another organisation", grid, obj{"event.user_team": "E2"}, external},
		{"an organisation, where the bot has none", bot, obj{"event.user_team": "E1", "enterprise_id": "E1"}, external},

		// For another workspace that has the app too.
		{"the context is another", bot, obj{"context_team_id": "T2"}, elsewhere},
		{"the context is another, and our person writes", bot, obj{"context_team_id": "T2", "event.user_team": "T1"}, elsewhere},
		{"the context cannot be read", bot, obj{"context_team_id": obj{}}, elsewhere},
		{"no context, the authorization is another", bot, obj{"context_team_id": nil, "authorizations": auth("T2")}, elsewhere},
		{"the context is ours, the authorization another", bot, obj{"authorizations": auth("T2")}, home},
		{"no context, the authorization has no team", bot, obj{"context_team_id": nil, "authorizations": auth(nil)}, home},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, _, ok, reason := ReadMention(event(c.changes), c.me)
			got := home
			switch {
			case !ok && strings.Contains(reason, "another workspace"):
				got = elsewhere
			case !ok:
				t.Fatalf("not a mention: %s", reason)
			case m.By.External:
				got = external
			}
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if ok && m.Team != "T1" {
				t.Errorf("the key's team is %s, not the bot's own", m.Team)
			}
		})
	}
}

// Two workspaces have the app, and Slack delivers one message for each.
func TestOneMessageDeliveredForTwoWorkspacesIsOneMention(t *testing.T) {
	keys := map[string]bool{}
	for _, changes := range []obj{
		{"team_id": "T2", "is_ext_shared_channel": true, "event.user_team": "T1"},
		{"team_id": "T2", "context_team_id": "T2", "is_ext_shared_channel": true, "event.user_team": "T1", "event_id": "Ev2"},
		{"team_id": "T2", "context_team_id": nil, "authorizations": nil, "is_ext_shared_channel": true, "event.user_team": "T1", "event_id": "Ev3"},
	} {
		if m, _, ok, _ := ReadMention(event(changes), bot); ok {
			keys[m.Key.String()] = true
		}
	}
	if len(keys) != 1 {
		t.Errorf("it has the records %v", keys)
	}
}
