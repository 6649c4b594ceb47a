package bot

import (
	"encoding/json"
	"os"
	"regexp"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

type jsonObject = map[string]any

// Slack refuses a manifest with a key that it does not know, so that all of it is
// compared. What people may change is only held to Slack's bounds.
func TestAppManifestKeepsSlacksRules(t *testing.T) {
	raw, err := os.ReadFile("../examples/slack-app-manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest jsonObject
	if err := json.Unmarshal(raw, &manifest); err != nil {
		t.Fatal(err)
	}
	display, ok := manifest["display_information"].(jsonObject)
	if !ok {
		t.Fatal("no display_information")
	}
	description, _ := display["description"].(string)
	if n := utf8.RuneCountInString(description); n < 1 || n > 140 {
		t.Errorf("the description has %d characters, Slack takes 1 to 140", n)
	}
	color, _ := display["background_color"].(string)
	if !regexp.MustCompile(`^#[0-9a-fA-F]{3}([0-9a-fA-F]{3})?$`).MatchString(color) {
		t.Errorf("colour %q", color)
	}
	want := jsonObject{
		"display_information": jsonObject{"name": "psycher", "description": description, "background_color": color},
		"features":            jsonObject{"bot_user": jsonObject{"display_name": "psycher", "always_online": true}},
		// The history scopes are only for looking up whether a post was made whose
		// answer was lost; without them the bot works, and says what it cannot tell.
		"oauth_config": jsonObject{"scopes": jsonObject{"bot": []any{"app_mentions:read", "chat:write", "reactions:write", "channels:history", "groups:history"}}},
		"settings": jsonObject{
			"event_subscriptions":    jsonObject{"bot_events": []any{"app_mention"}},
			"interactivity":          jsonObject{"is_enabled": true}, // buttons; over Socket Mode it needs no request_url
			"org_deploy_enabled":     false,
			"socket_mode_enabled":    true,
			"token_rotation_enabled": false, // the bot cannot refresh tokens
		},
	}
	if d := cmp.Diff(want, manifest); d != "" {
		t.Errorf("-want +the manifest: %s", d)
	}
}
