package doctor

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getto-systems/psycher/bot/socket"
	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/google/go-cmp/cmp"
)

// targetsOf is a setting with one target in each of the channels TEAM/CHANNEL.
func targetsOf(places ...string) string {
	teams := map[string]map[string]any{}
	for _, place := range places {
		team, channel, _ := strings.Cut(place, "/")
		if teams[team] == nil {
			teams[team] = map[string]any{}
		}
		teams[team][channel] = map[string]any{"app": map[string]any{"project_id": "group/app", "token": triggerToken}}
	}
	text, _ := json.Marshal(teams)
	return "GITLAB_TRIGGER_TOKENS=" + string(text)
}

// says has auth.test answer with other fields, and a header.
func says(w *world, header http.Header, fields string) {
	body := `{"ok": true, "team_id": "T0TEAM", "user_id": "U0BOT", "bot_id": "B0BOT"` + fields + `}`
	w.slack.Fail("auth.test", -1, fakeslack.Fault{Status: http.StatusOK, Body: body, Header: header})
}

// after breaks Slack once it has started.
func after(how func(*world)) func(*world) {
	return func(w *world) { w.then = func() { how(w) } }
}

func revoke(scopes ...string) func(*world) {
	return after(func(w *world) {
		for _, s := range scopes {
			w.slack.Revoke(s)
		}
	})
}

// withGroup is a map with a user group, and how Slack is once it has started.
func withGroup(how func(*world)) func(*world) {
	return func(w *world) {
		w.settings = append(w.settings, strings.Replace(targetsOf(team+"/"+channel), `"token"`, `"allow": ["S01DEVS"], "token"`, 1))
		w.then = func() { how(w) }
	}
}

// hold has other processes of the app hold sockets.
func hold(w *world, n int) {
	client := web.New(web.Config{AppToken: "xapp-test", BotToken: "xoxb-test", URL: w.slackURL + "/api/"})
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for range n {
		pool := &socket.Pool{Count: 1, Open: client.OpenConnection, Dial: (&net.Dialer{}).DialContext, Handle: func(context.Context, string, json.RawMessage, int) (bool, func()) { return false, nil }}
		running.Go(func() { pool.Run(ctx) })
	}
	w.t.Cleanup(func() {
		stop()
		running.Wait()
	})
	if err := w.slack.Until(ctx, func() bool { return w.slack.Connections() == n }); err != nil {
		w.t.Fatal(err)
	}
}

func TestFaultsOfSlack(t *testing.T) {
	for _, r := range []row{
		{"a bot token that was revoked", after(func(w *world) { w.slack.Fail("auth.test", -1, fakeslack.Fails("token_revoked")) }), "slack: bot token", Fault, "Slack says token_revoked", "install the app in the workspace again"},
		{"a bot token of nobody", func(w *world) { w.settings = append(w.settings, "SLACK_BOT_TOKEN=xoxb-other") }, "slack: bot token", Fault, "Slack says invalid_auth", "set the xoxb-... token"},
		{"a workspace that forbids the app", after(func(w *world) { w.slack.Fail("auth.test", -1, fakeslack.Fails("access_denied")) }), "slack: bot token", Fault, "Slack says access_denied", "methods/auth.test"},
		{"Slack is not reached", func(w *world) { w.settings = append(w.settings, "SLACK_API_URL=http://"+closedPort(w.t)) }, "slack: bot token", Fault, "Slack does not answer", "HTTPS_PROXY"},
		{"a rate limit that is used up", after(func(w *world) {
			w.slack.Fail("auth.test", -1, fakeslack.Fault{Status: http.StatusTooManyRequests})
		}), "slack: bot token", Unseen, "asks to wait", "in a minute"},
		{"a rate limit of sockets that is used up", after(func(w *world) {
			w.slack.Fail("apps.connections.open", -1, fakeslack.Fault{Status: http.StatusTooManyRequests})
		}), "slack: sockets", Unseen, "asks to wait", "in a minute"},
		{"a token that expires", after(func(w *world) { says(w, nil, `, "expires_in": 43000`) }), "slack: bot token", Fault, "expires in 43000 seconds", "create the app again"},

		{"no scope to hear mentions", revoke("app_mentions:read"), "slack: scopes", Fault, "does not have this scope", "add the scope app_mentions:read"},
		{"no scope to answer", revoke("chat:write"), "slack: scopes", Fault, "does not have this scope", "add the scope chat:write"},
		{"no scope to react", revoke("reactions:write"), "slack: scopes", Fault, "does not have this scope", "add the scope reactions:write"},
		{"no scope to look posts up", revoke("channels:history"), "slack: scopes", OK, "not needed; without it in public channels", ""},
		{"scopes that are not told", after(func(w *world) { says(w, http.Header{"X-Oauth-Scopes": nil}, "") }), "slack: scopes", Unseen, "without its header", "OAuth & Permissions"},

		{"user groups that can be read", withGroup(func(w *world) { w.slack.Group("S01DEVS", "devs", "U1", "U2") }), "slack: user groups", OK, "people in it: 2", ""},
		{"a user group of nobody", withGroup(func(w *world) { w.slack.Group("S01DEVS", "devs") }), "slack: user groups", Fault, "nobody is in it", "add people"},
		{"a user group that does not exist", withGroup(func(*world) {}), "slack: user groups", Fault, "Slack says no_such_subteam", "correct its id"},
		{"a plan without user groups", withGroup(func(w *world) { w.slack.Fail("usergroups.users.list", -1, fakeslack.Fails("plan_upgrade_required")) }), "slack: user groups", Fault, "Slack says plan_upgrade_required", "name people (U...)"},
		{"a plan without user groups, in its other words", withGroup(func(w *world) { w.slack.Fail("usergroups.users.list", -1, fakeslack.Fails("paid_teams_only")) }), "slack: user groups", Fault, "Slack says paid_teams_only", "name people (U...)"},
		{"user groups, and Slack is in trouble", withGroup(func(w *world) { w.slack.Fail("usergroups.users.list", -1, fakeslack.Broken()) }), "slack: user groups", Unseen, "HTTP status 500", "try again"},
		{"no scope to read a user group", withGroup(func(w *world) { w.slack.Revoke("usergroups:read") }), "slack: user groups", Fault, "Slack says missing_scope", "add the scope"},
		{"no scope for user groups", withGroup(func(w *world) { w.slack.Revoke("usergroups:read") }), "slack: scopes", Fault, "does not have this scope", "add the scope usergroups:read"},

		{"a map of another workspace", func(w *world) { w.settings = append(w.settings, targetsOf("T9/C1", "T8/C2")) }, "slack: workspace", Fault, "the bot is in the workspace T0TEAM, and the target map has only targets of T8, T9", "write T0TEAM in the target map"},
		{"the organisation in the workspace's place", func(w *world) {
			w.slackIs.Org = "E0ORG"
			w.settings = append(w.settings, targetsOf("E0ORG/"+channel))
		}, "slack: workspace", Fault, "names the organisation E0ORG", "write T0TEAM in its place"},
		{"a map of several workspaces", func(w *world) { w.settings = append(w.settings, targetsOf(team+"/"+channel, "T9/C1")) }, "slack: workspace", OK, "those of T9 are for a psycher of that workspace", ""},

		{"a channel without the bot", after(func(w *world) { w.slack.Leave(channel) }), "slack: channels", Fault, "the bot is not in it", "/invite @psycher"},
		{"a channel that does not exist", func(w *world) { w.settings = append(w.settings, targetsOf(team+"/C404")) }, "slack: channels", Fault, "there is no such channel", "correct its id"},
		{"a private channel without the bot", func(w *world) {
			w.settings = append(w.settings, targetsOf(team+"/G01SECRET"))
			w.then = func() { w.slack.Leave("G01SECRET") }
		}, "slack: channels", Fault, "it is private and the bot is not in it", "/invite @psycher"},
		{"no scope to look at channels", revoke("channels:history", "groups:history"), "slack: channels", Unseen, "takes a scope", "add the scope channels:history"},
		{"a private channel without its scope", func(w *world) {
			w.settings = append(w.settings, targetsOf(team+"/G01SECRET"))
			w.then = func() {
				w.slack.Fail("conversations.history", -1, fakeslack.Fails("channel_not_found"))
				w.slack.Revoke("groups:history")
			}
		}, "slack: channels", Unseen, "it may be a private one", "add the scope groups:history"},
		{"Slack has trouble with a channel", after(func(w *world) { w.slack.Fail("conversations.history", -1, fakeslack.Fails("team_added_to_org")) }), "slack: channels", Unseen, "Slack says team_added_to_org", "conversations.history"},

		{"a clock that is slow", after(func(w *world) { w.slack.SetClock(95 * time.Second) }), "slack: clock", Fault, "differs from Slack's by 1m3", "NTP"},

		{"an app token of nobody", func(w *world) { w.settings = append(w.settings, "SLACK_APP_TOKEN=xapp-other") }, "slack: sockets", Fault, "Slack says invalid_auth", "set the xapp-... token"},
		{"an app token without its scope", revoke("connections:write"), "slack: sockets", Fault, "Slack says missing_scope", "with the scope connections:write"},
		{"Socket Mode is off", after(func(w *world) { w.slack.DisconnectAfterHello("link_disabled") }), "slack: sockets", Fault, "Slack says link_disabled", "switch it on"},
		{"no room for a socket", func(w *world) {
			w.slackIs.MaxConns = 1
			w.then = func() { hold(w, 1) }
		}, "slack: sockets", Fault, "Slack says too_many_websockets", "lower SLACK_CONNECTIONS"},
		{"a proxy that takes no websockets", after(func(w *world) { w.slack.RefuseHandshakes(1, http.StatusForbidden) }), "slack: sockets", Fault, "websocket handshake: HTTP 403", "wss-primary.slack.com"},
		{"tokens of two apps", after(func(w *world) { says(w, nil, `, "app_id": "A0OTHER"`) }), "slack: sockets", Fault, "SLACK_APP_TOKEN is of the app A0APP, SLACK_BOT_TOKEN of A0OTHER", "pages of one app"},
		{"an app that is not named", after(func(w *world) { says(w, nil, "") }), "slack: sockets", Unseen, "does not say which app", "pages of one app"},
		{"another process, without a Redis", after(func(w *world) { hold(w, 1) }), "slack: sockets", Fault, "other open sockets: 1, not of a bot on this machine", "set REDIS_URL"},
		{"this machine's bot, without a Redis", withBot(after(func(w *world) { hold(w, 2) })), "slack: sockets", OK, "other open sockets: 2", ""},
		{"another process beside this machine's bot", withBot(after(func(w *world) { hold(w, 3) })), "slack: sockets", Fault, "other open sockets: 3, not of a bot on this machine", "stop the other process"},
		{"no room for this bot's sockets", func(w *world) {
			w.settings = append(w.settings, "REDIS_URL=redis://"+closedPort(w.t))
			w.then = func() { hold(w, 9) }
		}, "slack: sockets", Fault, "other open sockets: 9, and this bot opens 2", "lower SLACK_CONNECTIONS"},

		{"buttons", func(*world) {}, "slack: interactivity", Unseen, "neither token", "Interactivity & Shortcuts"},
	} {
		r.run(t)
	}
}

// The app manifest asks for the scopes that the doctor looks for.
func TestScopesAreThoseOfTheManifest(t *testing.T) {
	raw, err := os.ReadFile("../../examples/slack-app-manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		OAuth struct {
			Scopes struct{ Bot []string }
		} `json:"oauth_config"`
	}
	if err := json.Unmarshal(raw, &manifest); err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, s := range scopes {
		known = append(known, s.name)
	}
	if diff := cmp.Diff(manifest.OAuth.Scopes.Bot, known); diff != "" {
		t.Errorf("-manifest +doctor: %s", diff)
	}
}

// What a doctor asks of Slack changes nothing there, and a start opens no socket more.
func TestCallsOfSlackChangeNothing(t *testing.T) {
	for _, start := range []bool{true, false} {
		w, d := open(t, func(*world) {})
		d.AtStart = start
		if err := d.Run(t.Context(), func(Finding) {}); err != nil || start && w.slack.Opens() > 0 {
			t.Errorf("%v, %d sockets", err, w.slack.Opens())
		}
		for _, c := range w.slack.CallLog("") {
			if !slices.Contains([]string{"auth.test", "conversations.history", "apps.connections.open"}, c.Method) {
				t.Errorf("the doctor calls %s", c.Method)
			}
		}
	}
}
