package bot

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// manifest is what of Slack's manifest schema (version 1) the app uses. Slack
// refuses a manifest with a key that it does not know.
type manifest struct {
	Display struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Color       string `json:"background_color"`
	} `json:"display_information"`
	Features struct {
		BotUser struct {
			DisplayName  string `json:"display_name"`
			AlwaysOnline bool   `json:"always_online"`
		} `json:"bot_user"`
	} `json:"features"`
	OAuth struct {
		Scopes struct {
			Bot []string `json:"bot"`
		} `json:"scopes"`
	} `json:"oauth_config"`
	Settings struct {
		Events struct {
			Bot []string `json:"bot_events"`
		} `json:"event_subscriptions"`
		Interactivity struct {
			Enabled *bool `json:"is_enabled"`
		} `json:"interactivity"`
		OrgDeploy     *bool `json:"org_deploy_enabled"`
		SocketMode    *bool `json:"socket_mode_enabled"`
		TokenRotation *bool `json:"token_rotation_enabled"`
	} `json:"settings"`
}

func TestAppManifestKeepsSlacksRules(t *testing.T) {
	raw, err := os.ReadFile("../examples/slack-app-manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var m manifest
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	if d.More() {
		t.Error("something follows the manifest")
	}
	for _, text := range []struct {
		name, value string
		most        int
	}{
		{"name", m.Display.Name, 35},
		{"description", m.Display.Description, 140},
		{"display_name", m.Features.BotUser.DisplayName, 80},
	} {
		if n := utf8.RuneCountInString(text.value); n < 1 || n > text.most {
			t.Errorf("%s has %d characters, Slack takes 1 to %d", text.name, n, text.most)
		}
	}
	if m.Display.Name != "psycher" || m.Features.BotUser.DisplayName != "psycher" {
		t.Errorf("the app is named %q, its bot %q", m.Display.Name, m.Features.BotUser.DisplayName)
	}
	if !regexp.MustCompile(`^#[0-9a-fA-F]{3}([0-9a-fA-F]{3})?$`).MatchString(m.Display.Color) {
		t.Errorf("colour %q", m.Display.Color)
	}
	// The history scopes are only for looking up whether a post was made whose
	// answer was lost; without them the bot works, and says what it cannot tell.
	wantScopes := []string{"app_mentions:read", "channels:history", "chat:write", "groups:history", "reactions:write"}
	if d := cmp.Diff(wantScopes, slices.Sorted(slices.Values(m.OAuth.Scopes.Bot))); d != "" {
		t.Errorf("scopes: %s", d)
	}
	if d := cmp.Diff([]string{"app_mention"}, m.Settings.Events.Bot); d != "" {
		t.Errorf("events: %s", d)
	}
	for _, s := range []struct {
		name string
		got  *bool
		want bool
	}{
		{"socket_mode_enabled", m.Settings.SocketMode, true},
		{"interactivity.is_enabled", m.Settings.Interactivity.Enabled, false}, // required by the schema where interactivity stands
		{"org_deploy_enabled", m.Settings.OrgDeploy, false},
		{"token_rotation_enabled", m.Settings.TokenRotation, false}, // the bot cannot refresh tokens
	} {
		if s.got == nil || *s.got != s.want {
			t.Errorf("%s is not %v", s.name, s.want)
		}
	}
}
