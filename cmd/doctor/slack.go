package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/getto-systems/psycher/bot/socket"
	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
	"github.com/getto-systems/psycher/deploy/targets"
)

var slackChecks = []check{
	{"slack: bot token", true, nil, one(botToken)},
	{"slack: scopes", true, (*Doctor).isKnown, botScopes},
	{"slack: workspace", true, (*Doctor).isKnown, one(workspace)},
	{"slack: user groups", true, (*Doctor).isKnown, userGroups},
	{"slack: channels", true, (*Doctor).isKnown, each(byChannel, isOurs, isMember)},
	{"slack: clock", true, (*Doctor).isKnown, one(clock)},
	{"slack: sockets", false, nil, sockets},
	{"slack: interactivity", false, (*Doctor).isKnown, one(interactivity)},
}

// isKnown tells whether Slack has said who the bot is.
func (d *Doctor) isKnown() bool { return d.bot != nil }

// scope is one of the app manifest's, with what is lost without it; empty: all.
type scope struct{ name, lost string }

var scopes = []scope{
	{"app_mentions:read", ""},
	{"chat:write", ""},
	{"reactions:write", ""},
	{"channels:history", "in public channels a post whose answer was lost may appear twice, and an edit of a waiting request is not noticed"},
	{"groups:history", "the same in private channels"},
}

// botToken asks Slack who the bot is.
func botToken(ctx context.Context, d *Doctor) Finding {
	d.turn(ctx)
	is, err := d.Slack.Inspect(ctx)
	if err == nil {
		d.bot = &is
	}
	no := &web.SlackError{}
	said := errors.As(err, &no)
	return first([]when{
		{said && no.Permanent(), refused(no)},
		{web.Limited(err), busy},
		{err != nil, fault(fmt.Sprint("Slack does not answer: ", err), "let this machine reach https://slack.com: check the network, HTTPS_PROXY, SSL_CERT_FILE and the firewall; then the rest is checked")},
		{is.Expires > 0, fault(fmt.Sprintf("the token expires in %d seconds, and psycher cannot refresh it", is.Expires),
			"an app with token rotation keeps it: create the app again from the manifest, and set its tokens")},
		{true, ok("the bot is " + is.User + " in " + is.Team)},
	})
}

var busy = unseen("Slack answers, and asks to wait: this app makes more calls than Slack allows", "run psycher doctor again in a minute")

func refused(no *web.SlackError) Finding { return fault("Slack says "+no.Code, fixFor(no)) }

func fixFor(no *web.SlackError) string {
	return cmp.Or(no.Fix(), "look it up at https://docs.slack.dev/reference/methods/"+no.Method)
}

// missing is what to do for want of a scope.
func missing(scope string) string {
	return (&web.SlackError{Code: "missing_scope", Needed: scope}).Fix()
}

func botScopes(_ context.Context, d *Doctor, found report) {
	if len(d.bot.Scopes) == 0 {
		found("", unseen("Slack's answer comes without its header X-OAuth-Scopes, as a proxy may remove it", "compare OAuth & Permissions with what psycher manifest prints"))
		return
	}
	needed := scopes
	if len(d.Settings.Targets.Groups()) > 0 {
		needed = append(slices.Clone(scopes), scope{"usergroups:read", ""})
	}
	for _, s := range needed {
		found(s.name, first([]when{
			{slices.Contains(d.bot.Scopes, s.name), ok("granted")},
			{s.lost != "", ok("not granted, and not needed; without it " + s.lost)},
			{true, fault("the bot token does not have this scope", missing(s.name))},
		}))
	}
}

func workspace(_ context.Context, d *Doctor) Finding {
	return Workspace(d.Settings.Targets, d.bot.Identity)
}

// Workspace tells whether the target map is that of the bot's workspace. If it is
// not, nobody can deploy anything.
func Workspace(m *targets.Map, bot web.Identity) Finding {
	teams := m.Teams()
	others := slices.DeleteFunc(slices.Clone(teams), func(team string) bool { return team == bot.Team })
	named := strings.Join(others, ", ")
	return first([]when{
		{bot.Enterprise != "" && slices.Contains(others, bot.Enterprise), fault("the target map names the organisation "+bot.Enterprise+", and the bot is in its workspace "+bot.Team,
			"write "+bot.Team+" in its place")},
		{len(others) == len(teams), fault("the bot is in the workspace "+bot.Team+", and the target map has only targets of "+named,
			"write "+bot.Team+" in the target map, or set the tokens of the app in that other workspace")},
		{len(others) > 0, ok("the bot deploys the targets of " + bot.Team + "; those of " + named + " are for a psycher of that workspace")},
		{true, ok("the target map is that of the bot's workspace " + bot.Team)},
	})
}

// userGroups tells whether the map's user groups can be read: nobody may deploy by one
// that cannot.
func userGroups(ctx context.Context, d *Doctor, found report) {
	for _, id := range d.Settings.Targets.Groups() {
		d.turn(ctx)
		members, err := d.Slack.Group(ctx, id)
		no := &web.SlackError{}
		said := errors.As(err, &no)
		ofAll := said && no.Code != "no_such_subteam" && no.Permanent()
		if ofAll {
			id = ""
		}
		found(id, first([]when{
			{said && no.Permanent(), fault("Slack says "+no.Code+": nobody may deploy by a user group", fixFor(no))},
			{web.Limited(err), busy},
			{err != nil, unseen(fmt.Sprint(err), "try again later")},
			{len(members) == 0, fault("nobody is in it, or it is disabled", "add people to it, or take it out of allow")},
			{true, ok(fmt.Sprint("people in it: ", len(members)))},
		}))
		if ofAll {
			return
		}
	}
}

func isOurs(_ context.Context, d *Doctor, t deploy.Target) bool { return t.Team == d.bot.Team }

// isMember tells whether the bot is in a target's channel.
func isMember(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	const later = "try again later"
	if d.slackDown {
		return unseen("not looked at: Slack does not answer", later)
	}
	var err error
	for try := range 4 { // Slack may ask to wait
		d.turn(ctx)
		err = d.Slack.Peek(ctx, t.Channel)
		wait := (*engine.LaterError)(nil)
		if !errors.As(err, &wait) || try == 3 || !engine.Pause(ctx, min(wait.After, time.Minute)) {
			break
		}
	}
	no := &web.SlackError{}
	d.slackDown = err != nil && !errors.As(err, &no)
	const invite = "write /invite @psycher in it"
	return first([]when{
		{err == nil, ok("the bot is in it")},
		{d.slackDown, unseen(fmt.Sprint(err), later)},
		{no.Code == "not_in_channel", fault("the bot is not in it, and hears no mention there", invite)},
		{no.Code == "missing_scope", unseen("whether the bot is in it takes a scope that its token does not have", no.Fix())},
		{no.Code == "channel_not_found" && !slices.Contains(d.bot.Scopes, "groups:history"), unseen("Slack shows no such channel to the bot: it may be a private one",
			missing("groups:history"))},
		{no.Code == "channel_not_found", fault("there is no such channel, or it is private and the bot is not in it",
			invite+"; if there is none, correct its id in the target map: the channel's address in a browser ends in it")},
		{true, unseen("Slack says "+no.Code, fixFor(no))},
	})
}

func clock(_ context.Context, d *Doctor) Finding {
	ahead := d.Slack.Ahead().Round(time.Second).Abs()
	return first([]when{
		{ahead > clockDrift, fault("this machine's clock differs from Slack's by "+ahead.String(), "set it right, with NTP")},
		{true, ok("this machine's clock agrees with Slack's")},
	})
}

// maxSockets is how many sockets Slack allows an app.
const maxSockets = 10

// sockets opens one, and looks at its hello.
func sockets(ctx context.Context, d *Doctor, found report) {
	d.turn(ctx)
	hello, err := (&socket.Pool{Open: d.Slack.OpenConnection, Dial: d.Dial, Proxy: d.Proxy}).Probe(ctx)
	no := &web.SlackError{}
	said := errors.As(err, &no)
	n, own, runs := hello.Connections-1, d.Settings.SlackConnections, d.botRunsHere(ctx)
	seen := fmt.Sprintf("Slack says hello; other open sockets: %d", n)
	found("", first([]when{
		{said && no.Fix() != "", refused(no)},
		{web.Limited(err), busy},
		{err != nil, fault(fmt.Sprint(err), "let this machine reach wss-primary.slack.com, port 443: check the network, HTTPS_PROXY and the firewall; if it goes on, see https://slack-status.com")},
		{d.Settings.RedisURL == "" && n > 0 && (!runs || n > own), fault(seen+", not of a bot on this machine: without REDIS_URL two processes deploy twice",
			"stop the other process, or set REDIS_URL for both; after a crash Slack counts dead sockets for a minute or so")},
		{!runs && n+own > maxSockets, fault(fmt.Sprintf("%s, and this bot opens %d: Slack allows %d", seen, own, maxSockets),
			"stop other processes of this app, or lower SLACK_CONNECTIONS")},
		{true, ok(seen)},
	}))
	if err != nil || d.bot == nil {
		return
	}
	const look = "take both tokens from the pages of one app, at https://api.slack.com/apps"
	found("app", first([]when{
		{d.bot.App == "" || hello.App == "", unseen("Slack does not say which app each token is of", look)},
		{d.bot.App != hello.App, fault("SLACK_APP_TOKEN is of the app "+hello.App+", SLACK_BOT_TOKEN of "+d.bot.App+": no mention arrives", look)},
		{true, ok("both tokens are of the app " + hello.App)},
	}))
}

// interactivity is said of nothing that these tokens can read.
func interactivity(_ context.Context, _ *Doctor) Finding {
	return unseen("Slack shows it to neither token: while it is off, a press of a button gets a warning sign",
		"look whether it is on at https://api.slack.com/apps, your app, Interactivity & Shortcuts; or write @psycher release tomorrow, and press No")
}
