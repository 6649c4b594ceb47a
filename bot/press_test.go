package bot

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/deploy"
)

const buttonOf = "1 1 0 " + "T0TEAM:C0APP:1700000000.000100"

// press is a payload as Slack sends it, changed by set: a path of names, and what
// is there; nil: nothing.
func press(set map[string]any) json.RawMessage {
	payload := map[string]any{
		"type": "block_actions", "api_app_id": "A0APP", "trigger_id": "1.2.3", "enterprise": nil,
		"user":      map[string]any{"id": "U0ASKER", "username": "asker", "team_id": "T0TEAM"},
		"team":      map[string]any{"id": "T0TEAM", "domain": "example"},
		"channel":   map[string]any{"id": "C0APP", "name": "app"},
		"container": map[string]any{"type": "message", "message_ts": "1700000001.000200", "thread_ts": "1700000000.000100", "channel_id": "C0APP"},
		"message":   map[string]any{"blocks": []any{map[string]any{"type": "section", "text": "not an object"}}},
		"actions":   []any{map[string]any{"type": "button", "action_id": "choose-0", "block_id": "b", "value": buttonOf, "action_ts": "1700000002.000300"}},
	}
	for path, value := range set {
		in, names := payload, strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			if list, ok := in[name].([]any); ok {
				in = list[0].(map[string]any)
			} else {
				in = in[name].(map[string]any)
			}
		}
		if in[names[len(names)-1]] = value; value == nil {
			delete(in, names[len(names)-1])
		}
	}
	raw, err := json.Marshal(payload)
	if err != nil {
		panic(err)
	}
	return raw
}

var home1 = web.Identity{Team: "T0TEAM", User: "U0BOT"}

func TestAPressIsRead(t *testing.T) {
	p, why := readPress(press(nil), home1)
	want := deploy.Press{
		Pressed: deploy.Pressed{By: deploy.Person{User: "U0ASKER", Team: "T0TEAM"}, TS: "1700000002.000300"},
		Key:     deploy.Key{Team: "T0TEAM", Channel: "C0APP", TS: "1700000000.000100"}, Step: 1, Channel: "C0APP", Thread: "1700000000.000100",
	}
	if why != "" || p != want {
		t.Errorf("%q: %+v", why, p)
	}
	menu := press(map[string]any{
		"actions.type": "static_select", "actions.value": nil,
		"actions.selected_option": map[string]any{"text": map[string]any{"type": "plain_text", "text": "web"}, "value": strings.Replace(buttonOf, " 0 ", " 3 ", 1)},
	})
	if p, why := readPress(menu, home1); why != "" || p.Button != 3 {
		t.Errorf("a menu: %q: %+v", why, p)
	}
}

// What comes of a press of a status message's button has the press's timestamp,
// and an id of its own.
func TestAPressOfAStatusMessageIsRead(t *testing.T) {
	value := "2 retry 1002 T0TEAM:C0APP:1700000000.000100"
	p, why := readPress(press(map[string]any{"actions.value": value}), home1)
	if why != "" || p.Do != deploy.KindRetry || p.Pipeline != 1002 || p.TS != "1700000002.000300" || p.ID != DeploymentID(deploy.Key{Team: "T0TEAM", Channel: "C0APP", TS: p.TS}) {
		t.Errorf("%q: %+v", why, p)
	}
	if _, why := readPress(press(map[string]any{"actions.value": value, "actions.action_ts": "now"}), home1); why == "" {
		t.Error("a press without a timestamp is taken")
	}
	for _, value := range []string{"2 open 1002 T0TEAM:C0APP:1700000000.000100", "2 retry x T0TEAM:C0APP:1700000000.000100", "3 retry 1002 T0TEAM:C0APP:1700000000.000100", "2 retry 1002 T0OTHER:C0APP:1700000000.000100"} {
		if p, _ := readPress(press(map[string]any{"actions.value": value}), home1); p.Do != "" || p.Step != 0 {
			t.Errorf("%q is read as %+v", value, p)
		}
	}
}

// A field that is missing or unknown is no permission.
func TestWhoPresses(t *testing.T) {
	grid := home1
	grid.Enterprise = "E0ORG"
	for name, row := range map[string]struct {
		set      map[string]any
		me       web.Identity
		external bool
	}{
		"a person of the workspace":                             {nil, home1, false},
		"a person of another workspace":                         {map[string]any{"user.team_id": "T0OTHER"}, home1, true},
		"a person whose workspace Slack does not tell":          {map[string]any{"user.team_id": nil}, home1, true},
		"a person whose workspace cannot be read":               {map[string]any{"user.team_id": []int{1}}, home1, true},
		"a person of the organisation":                          {map[string]any{"user.team_id": "E0ORG"}, grid, false},
		"a person of an organisation, and the bot has none":     {map[string]any{"user.team_id": "E0ORG"}, home1, true},
		"a person of another workspace of the organisation":     {map[string]any{"user.team_id": "T0OTHER", "enterprise": map[string]any{"id": "E0ORG"}}, grid, true},
		"a person of the workspace, and it is installed in all": {map[string]any{"team": nil, "enterprise": map[string]any{"id": "E0ORG"}}, grid, false},
	} {
		if p, why := readPress(press(row.set), row.me); why != "" || p.By.External != row.external {
			t.Errorf("%s: external %t, %q", name, p.By.External, why)
		}
	}
}

func TestPressesThatAreNotForTheBot(t *testing.T) {
	for name, set := range map[string]map[string]any{
		"another kind":                  {"type": "view_submission"},
		"a kind that cannot be read":    {"type": 7},
		"another workspace":             {"team.id": "T0OTHER"},
		"no workspace":                  {"team": nil},
		"another organisation":          {"team": nil, "enterprise": map[string]any{"id": "E0OTHER"}},
		"a modal":                       {"container.type": "view"},
		"no container":                  {"container": nil},
		"no action":                     {"actions": []any{}},
		"two actions":                   {"actions": []any{map[string]any{"type": "button", "value": buttonOf}, map[string]any{"type": "button", "value": buttonOf}}},
		"a link":                        {"actions.value": nil},
		"a date":                        {"actions.type": "datepicker"},
		"no user":                       {"user.id": nil},
		"no channel":                    {"channel": nil},
		"a channel that cannot be read": {"channel.id": "!"},
	} {
		if p, why := readPress(press(set), home1); why == "" {
			t.Errorf("%s: it is read as %+v", name, p)
		}
	}
	if _, why := readPress([]byte("{"), home1); why == "" {
		t.Error("half a payload is read")
	}
}

// Who presses a button of another version is told so: the press is passed on, as
// one of no step.
func TestAButtonOfAnotherVersionIsPassedOn(t *testing.T) {
	for name, set := range map[string]map[string]any{
		"a newer version":      {"actions.value": "2" + buttonOf[1:]},
		"no version":           {"actions.value": "deploy"},
		"of another workspace": {"actions.value": strings.Replace(buttonOf, "T0TEAM", "T0OTHER", 1)},
	} {
		if p, why := readPress(press(set), home1); why != "" || p.Step != 0 || p.Key != (deploy.Key{}) || p.By.User != "U0ASKER" || p.Channel != "C0APP" {
			t.Errorf("%s: %q, %+v", name, why, p)
		}
	}
}

func TestWhatIsAckedOfPresses(t *testing.T) {
	for name, payload := range map[string]json.RawMessage{"a press": press(nil), "another kind": press(map[string]any{"type": "shortcut"}), "rubbish": json.RawMessage(`[`)} {
		pressed, log := 0, strings.Builder{}
		i := Intake{Me: home1, Log: zerolog.New(&log), Press: func(context.Context, deploy.Press) bool { pressed++; return false }}
		if acked, _ := i.Handle(t.Context(), "interactive", payload, 0); acked == (name == "a press") {
			t.Errorf("%s: acked %t, although the engine decides that of a press alone", name, acked)
		}
		if (pressed == 1) != (name == "a press") || pressed == 0 != strings.Contains(log.String(), "a press is not answered") {
			t.Errorf("%s: passed on %d times, logged %s", name, pressed, log.String())
		}
	}
}

func FuzzReadPress(f *testing.F) {
	f.Add([]byte(press(nil)))
	f.Fuzz(func(t *testing.T, payload []byte) {
		p, why := readPress(payload, home1)
		if why == "" && (!deploy.IsID(p.By.User) || !deploy.IsID(p.Channel) || p.Step != 0 && p.Key.Team != home1.Team) {
			t.Errorf("%+v", p)
		}
	})
}
