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
	"github.com/getto-systems/psycher/deploy/engine"
	"github.com/getto-systems/psycher/deploy/targets"
)

var slackChecks = []check{
	{"slack: bot token", true, botToken},
	{"slack: scopes", true, botScopes},
	{"slack: workspace", true, workspace},
	{"slack: channels", true, channels},
	{"slack: clock", true, clock},
	{"slack: sockets", false, sockets},
	{"slack: interactivity", false, interactivity},
}

// scope is one of the app manifest's, with what is lost without it; empty: all.
type scope struct{ name, lost string }

var scopes = []scope{
	{"app_mentions:read", ""},
	{"chat:write", ""},
	{"reactions:write", ""},
	{"channels:history", "in public channels a post whose answer was lost may appear twice, and an edit of a waiting request is not noticed"},
	{"groups:history", "the same in private channels"},
}

// botToken asks Slack who the bot is. Without an answer the other checks of Slack
// that need it find nothing.
func botToken(ctx context.Context, d *Doctor) []Finding {
	if !d.turn(ctx) {
		return nil
	}
	is, err := d.Slack.Inspect(ctx)
	no := (*web.SlackError)(nil)
	switch {
	case errors.As(err, &no) && no.Permanent():
		return []Finding{refused(no)}
	case web.Limited(err):
		return []Finding{busy}
	case err != nil:
		return []Finding{fault("", "Slack does not answer: "+err.Error(), "let this machine reach https://slack.com: check the network, HTTPS_PROXY, SSL_CERT_FILE and the firewall; then the rest is checked")}
	}
	d.bot = &is
	if is.Expires > 0 {
		return []Finding{fault("", fmt.Sprintf("the token expires in %d seconds, and psycher cannot refresh it", is.Expires), "an app with token rotation keeps it: create the app again from the manifest, and set its tokens")}
	}
	return []Finding{ok("", fmt.Sprintf("the bot is %s in %s", is.User, is.Team))}
}

var busy = unseen("", "Slack answers, and asks to wait: this app makes more calls than Slack allows", "run psycher doctor again in a minute")

func refused(no *web.SlackError) Finding {
	return fault("", "Slack says "+no.Code, cmp.Or(no.Fix(), "look it up at https://docs.slack.dev/reference/methods/"+no.Method))
}

func botScopes(_ context.Context, d *Doctor) (found []Finding) {
	switch {
	case d.bot == nil:
		return nil
	case len(d.bot.Scopes) == 0:
		return []Finding{unseen("", "Slack's answer comes without its header X-OAuth-Scopes, as a proxy may remove it", "compare OAuth & Permissions with what psycher manifest prints")}
	}
	for _, s := range scopes {
		switch has := slices.Contains(d.bot.Scopes, s.name); {
		case has:
		case s.lost != "":
			found = append(found, ok(s.name, "not granted, and not needed; without it "+s.lost))
		default:
			found = append(found, fault(s.name, "the bot token does not have this scope", missing(s.name).Fix()))
		}
	}
	if found == nil {
		return []Finding{ok("", "the bot token has every scope of the manifest")}
	}
	return found
}

// missing is what Slack would answer for want of a scope.
func missing(scope string) *web.SlackError {
	return &web.SlackError{Code: "missing_scope", Needed: scope}
}

func workspace(_ context.Context, d *Doctor) []Finding {
	if d.bot == nil {
		return nil
	}
	return []Finding{Workspace(d.Settings.Targets, d.bot.Identity)}
}

// Workspace tells whether the target map is that of the bot's workspace. If it is
// not, nobody can deploy anything.
func Workspace(m *targets.Map, bot web.Identity) Finding {
	teams := m.Teams()
	others := slices.DeleteFunc(slices.Clone(teams), func(team string) bool { return team == bot.Team })
	named := strings.Join(others, ", ")
	switch {
	case bot.Enterprise != "" && slices.Contains(others, bot.Enterprise):
		return fault("", fmt.Sprintf("the target map names the organisation %s, and the bot is in its workspace %s", bot.Enterprise, bot.Team), "write "+bot.Team+" in its place")
	case len(others) == len(teams):
		return fault("", fmt.Sprintf("the bot is in the workspace %s, and the target map has only targets of %s", bot.Team, named), "write "+bot.Team+" in the target map, or set the tokens of the app in that other workspace")
	case len(others) > 0:
		return ok("", fmt.Sprintf("the bot deploys the targets of %s; those of %s are for a psycher of that workspace", bot.Team, named))
	}
	return ok("", "the target map is that of the bot's workspace "+bot.Team)
}

// channels tells of each channel of the map whether the bot is in it.
func channels(ctx context.Context, d *Doctor) (found []Finding) {
	if d.bot == nil {
		return nil
	}
	var ids []string
	for _, t := range d.Settings.Targets.All() {
		if t.Team == d.bot.Team {
			ids = append(ids, t.Channel)
		}
	}
	ids = slices.Compact(ids)
	left, why := ids, "psycher doctor does"
	if d.atStart {
		left = ids[:min(len(ids), mostAtStart)]
	}
	in := 0
	for i, id := range left {
		f := d.channel(ctx, id)
		if ctx.Err() != nil {
			return found
		}
		if f.Verdict == OK {
			in++
		} else {
			found = append(found, f)
		}
		if d.slackDown {
			left, why = left[:i+1], "Slack does not answer"
			break
		}
	}
	seen := fmt.Sprintf("the bot is in %d of %d", in, len(ids))
	if n := len(ids) - len(left); n > 0 {
		seen += fmt.Sprintf("; %d were not looked at: %s", n, why)
	}
	switch {
	case d.slackDown && len(left) < len(ids):
		found = append(found, unseen("", seen, "try again later"))
	case in > 0 || len(left) < len(ids):
		found = append(found, ok("", seen))
	}
	return found
}

// channel makes one call for one channel, with the scopes that there are: those of
// the manifest tell a member from others too.
func (d *Doctor) channel(ctx context.Context, id string) Finding {
	use := "history"
	if slices.Contains(d.bot.Scopes, "channels:read") || slices.Contains(d.bot.Scopes, "groups:read") {
		use = "read"
	}
	is, err := web.Channel{Member: true}, error(nil)
	for try := range 4 { // Slack may ask to wait
		if !d.turn(ctx) {
			return Finding{}
		}
		if use == "read" {
			is, err = d.Slack.Channel(ctx, id)
		} else {
			err = d.Slack.Peek(ctx, id)
		}
		later := (*engine.LaterError)(nil)
		if !errors.As(err, &later) || try == 3 || !engine.Pause(ctx, min(later.After, time.Minute)) {
			break
		}
	}
	about := id
	if is.Name != "" {
		about += " #" + is.Name
	}
	const invite = "write /invite @psycher in it"
	no := (*web.SlackError)(nil)
	switch {
	case err == nil && is.Archived:
		return fault(about, "it is archived: nobody can write there", "unarchive it, or take it out of the target map")
	case err == nil && !is.Member:
		return fault(about, "the bot is not in it, and hears no mention there", invite)
	case err == nil:
		return ok(about, "the bot is in it")
	case !errors.As(err, &no):
		d.slackDown = true
		return unseen(about, err.Error(), "try again later")
	case no.Code == "not_in_channel":
		return fault(about, "the bot is not in it, and hears no mention there", invite)
	case no.Code == "missing_scope":
		return unseen(about, "whether the bot is in it takes a scope that its token does not have", no.Fix())
	case no.Code == "channel_not_found" && !d.allChannels(use):
		return unseen(about, "Slack shows no such channel to the bot: it may be a private one", missing("groups:"+use).Fix())
	case no.Code == "channel_not_found":
		return fault(about, "there is no such channel, or it is private and the bot is not in it", invite+"; if there is none, correct its id in the target map: the channel's address in a browser ends in it")
	}
	return unseen(about, "Slack says "+no.Code, "look it up at https://docs.slack.dev/reference/methods/"+no.Method)
}

// allChannels reports whether the token may look at channels of both kinds.
func (d *Doctor) allChannels(use string) bool {
	return slices.Contains(d.bot.Scopes, "channels:"+use) && slices.Contains(d.bot.Scopes, "groups:"+use)
}

func clock(_ context.Context, d *Doctor) []Finding {
	if d.bot == nil {
		return nil
	}
	ahead := d.Slack.Ahead().Round(time.Second)
	if ahead.Abs() > clockDrift {
		return []Finding{fault("", fmt.Sprintf("this machine's clock differs from Slack's by %s", ahead.Abs()), "set it right, with NTP")}
	}
	return []Finding{ok("", "this machine's clock agrees with Slack's")}
}

// maxSockets is how many sockets Slack allows an app.
const maxSockets = 10

// sockets opens one, and looks at its hello.
func sockets(ctx context.Context, d *Doctor) []Finding {
	if !d.turn(ctx) {
		return nil
	}
	hello, err := (&socket.Pool{Open: d.Slack.OpenConnection, Dial: d.Dial, Proxy: d.Proxy}).Probe(ctx)
	no := (*web.SlackError)(nil)
	switch {
	case errors.As(err, &no) && no.Fix() != "":
		return []Finding{refused(no)}
	case web.Limited(err):
		return []Finding{busy}
	case err != nil:
		return []Finding{fault("", err.Error(), "let this machine reach wss-primary.slack.com, port 443: check the network, HTTPS_PROXY and the firewall; if it goes on, see https://slack-status.com")}
	}
	return append([]Finding{d.others(ctx, hello.Connections-1)}, d.sameApp(hello.App)...)
}

// sameApp tells whether both tokens are of one app.
func (d *Doctor) sameApp(app string) []Finding {
	const look = "take both tokens from the pages of one app, at https://api.slack.com/apps"
	switch {
	case d.bot == nil:
		return nil
	case d.bot.App == "" || app == "":
		return []Finding{unseen("app", "Slack does not say which app each token is of", look)}
	case d.bot.App != app:
		return []Finding{fault("app", fmt.Sprintf("SLACK_APP_TOKEN is of the app %s, SLACK_BOT_TOKEN of %s: no mention arrives", app, d.bot.App), look)}
	}
	return []Finding{ok("app", "both tokens are of the app "+app)}
}

// others judges the sockets that are open besides the doctor's own.
func (d *Doctor) others(ctx context.Context, n int) Finding {
	runs, own := d.botRunsHere(ctx), d.Settings.SlackConnections
	seen := fmt.Sprintf("Slack says hello; other open sockets: %d", n)
	switch {
	case d.Settings.RedisURL == "" && n > 0 && (!runs || n > own):
		return fault("", seen+", not of a bot on this machine: without REDIS_URL two processes deploy twice",
			"stop the other process, or set REDIS_URL for both; after a crash Slack counts dead sockets for a minute or so")
	case !runs && n+own > maxSockets:
		return fault("", fmt.Sprintf("%s, and this bot opens %d: Slack allows %d", seen, own, maxSockets), "stop other processes of this app, or lower SLACK_CONNECTIONS")
	}
	return ok("", seen)
}

// interactivity is said of nothing that these tokens can read.
func interactivity(_ context.Context, d *Doctor) []Finding {
	if d.bot == nil {
		return nil
	}
	return []Finding{unseen("", "Slack shows it to neither token: while it is off, a press of a button gets a warning sign",
		"look whether it is on at https://api.slack.com/apps, your app, Interactivity & Shortcuts; or write @psycher release tomorrow, and press No")}
}
