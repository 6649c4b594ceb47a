package web

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/getto-systems/psycher/deploy/engine"
)

// effect is what a code means for another try of the same call.
type effect string

const (
	alreadyDone   effect = "already done"   // no further call is needed
	unclear       effect = "unclear"        // Slack failed, and "some aspect of it may have succeeded"
	token         effect = "token"          // Slack refuses the token or its scopes, until an operator fixes that
	operator      effect = "operator"       // an operator must change something; the token may be good
	threadClosed  effect = "thread closed"  // a post: the thread takes no replies, the channel may; other calls: final
	final         effect = "final"          // the same call is never accepted
	blocksRefused effect = "blocks refused" // the message may be taken as plain text
	retryable     effect = "retryable"      // it passes by itself, or people change it
)

// What an operator must do about a code: for SLACK_BOT_TOKEN, for SLACK_APP_TOKEN.
//
//docgen:messages refused
const (
	addScopes   = "add the scopes of the app manifest to the bot token (OAuth & Permissions) and install the app again"
	addScope    = "add the scope %s to the bot token (OAuth & Permissions) and install the app again"
	reinstall   = "install the app in the workspace again and set its new xoxb-... token"
	setBotToken = "set the xoxb-... token of the app (OAuth & Permissions)"

	addConnections = "make an app-level token with the scope connections:write (Basic Information, App-Level Tokens) and set it"
	setAppToken    = "set the xapp-... token of the app (Basic Information, App-Level Tokens)"
	nameMembers    = "this plan of Slack's has no user groups: name people (U...) in allow, in place of groups (S...)"
	noGroup        = "there is no such user group in the workspace, or it is disabled: correct its id (S...) in allow of the target map"
	allowApp       = "the app may not connect to this workspace; ask its administrator, or install the app again at https://api.slack.com/apps"
)

// The same for codes of Socket Mode that are not about a token.
//
//docgen:messages log
const (
	switchOn = "Socket Mode is switched off for this app; switch it on at https://api.slack.com/apps, Socket Mode"
	freeOne  = "all 10 websockets that Slack allows per app are taken; stop other processes of this app or lower SLACK_CONNECTIONS"
)

// reason is what some of Slack's codes mean.
type reason struct {
	effect   effect
	bot, app string // the fix, where it is known
	codes    []string
}

// reasons has every code that needs more than another try, from the reference
// pages of the methods called here. A code that is missing may pass: new ones are
// not documented anywhere, and a lost answer is worse than an hour of retries.
// Known to pass are team_added_to_org (the workspace is being moved),
// external_channel_migrating, accesslimited, message_limit_exceeded,
// request_timeout, update_failed, and, as people can invite the bot,
// not_in_channel and channel_not_found (a private channel without the bot).
var reasons = []reason{
	{alreadyDone, "", "", []string{"already_reacted", "no_reaction"}},
	{unclear, "", "", []string{"internal_error", "fatal_error", "service_unavailable"}},

	{token, addScopes, addConnections, []string{"missing_scope", "no_permission"}},
	{token, setBotToken, setAppToken, []string{"invalid_auth", "not_authed", "not_allowed_token_type"}},
	{token, reinstall, setAppToken, []string{"token_revoked", "token_expired"}},
	{token, reinstall, allowApp, []string{"account_inactive", "team_access_not_granted"}},
	{token, setBotToken, allowApp, []string{"user_removed_from_team", "team_disabled"}},
	{operator, "", allowApp, []string{
		"access_denied", "forbidden_team", "org_login_required", "ekm_access_denied", "team_not_found", "app_not_found", "two_factor_setup_required",
	}},
	{operator, nameMembers, "", []string{"plan_upgrade_required", "paid_teams_only"}},
	{operator, noGroup, "", []string{"no_such_subteam"}},
	{operator, "", switchOn, []string{"link_disabled"}},
	{retryable, "", freeOne, []string{"too_many_websockets"}},

	// And all that begin with restricted_action.
	{threadClosed, "", "", []string{
		"cannot_reply_to_message", "invalid_thread_ts", "message_not_found", "restricted_action", "thread_locked", "thread_not_found",
	}},

	// The channel or the message has changed, or the workspace has no such emoji.
	{final, "", "", []string{
		"is_archived", "is_inactive", "cant_update_message", "edit_window_closed", "streaming_state_conflict", "block_mismatch",
		"not_reactable", "no_access", "too_many_emoji", "too_many_reactions", "invalid_name",
	}},
	{blocksRefused, "", "", []string{"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"}},
	// The call itself is wrong, and the next would be the same.
	{final, "", "", []string{
		"bad_timestamp", "no_item_specified", "no_text", "msg_too_long", "too_many_attachments", "invalid_metadata_format", "invalid_metadata_schema", "metadata_too_large", "invalid_arguments",
		"invalid_arg_name", "unknown_method",
	}},
}

func reasonFor(code string) reason {
	if strings.HasPrefix(code, "restricted_action") {
		code = "restricted_action"
	}
	i := slices.IndexFunc(reasons, func(r reason) bool { return slices.Contains(r.codes, code) })
	if i < 0 {
		return reason{effect: retryable}
	}
	return reasons[i]
}

// SocketMode stands for the method in a refusal that came on a websocket.
const SocketMode = "Socket Mode"

// SlackError is Slack's refusal: {"ok": false, "error": Code}.
type SlackError struct {
	Method string
	Code   string
	Needed string // the missing scope, if that is the reason
}

// Is recognizes a reaction on a deleted message.
func (e *SlackError) Is(target error) bool {
	return target == engine.ErrMentionGone && e.Code == "message_not_found" && strings.HasPrefix(e.Method, "reactions.")
}

// Permanent reports whether no socket opens until an operator has fixed this.
func (e *SlackError) Permanent() bool {
	r := reasonFor(e.Code)
	return r.effect == token || r.effect == operator
}

// TokenRefused reports whether Slack refuses a token or its scopes, which only an
// operator can fix: the error says how.
func TokenRefused(err error) bool {
	no := (*SlackError)(nil)
	return errors.As(err, &no) && no.refusesToken()
}

func (e *SlackError) refusesToken() bool {
	optional := e.Code == "missing_scope" && (strings.HasPrefix(e.Method, "conversations.") || strings.HasPrefix(e.Method, "usergroups."))
	return reasonFor(e.Code).effect == token && !optional
}

// Fix is what an operator must do about the code; empty where that is not known.
func (e *SlackError) Fix() string {
	r := reasonFor(e.Code)
	switch {
	case settingOf(e.Method) == appToken:
		return r.app
	case r.bot == addScopes && e.Needed != "":
		return fmt.Sprintf(addScope, e.Needed)
	}
	return r.bot
}

// Error returns the code with its fix, for operators. It is the only wording of a
// fault, in logs, at startup and in /readyz.
func (e *SlackError) Error() string {
	switch fix := e.Fix(); {
	case e.refusesToken():
		return refused(settingOf(e.Method), e)
	case fix != "":
		return "Slack says " + e.Code + ": " + fix
	}
	return "Slack says " + e.Code
}

// refused names a token once, with everything that must be fixed.
func refused(setting string, all ...*SlackError) string {
	var codes, fixes []string
	for _, e := range all {
		codes, fixes = append(codes, e.Code), append(fixes, e.Fix())
	}
	list := func(all []string, separator string) string {
		slices.Sort(all)
		return strings.Join(slices.Compact(all), separator)
	}
	return fmt.Sprintf("%s: Slack refuses it (%s): %s", setting, list(codes, ", "), list(fixes, "; "))
}

const (
	botToken = "SLACK_BOT_TOKEN"
	appToken = "SLACK_APP_TOKEN"
)

// settingOf names the setting with the token of a method.
func settingOf(method string) string {
	if method == openMethod || method == SocketMode {
		return appToken
	}
	return botToken
}

// learn notes a refusal of the bot's token, or forgets what a success disproves:
// the method's own refusal, and all others but missing scopes, which each method has
// of its own. The app's token concerns only sockets, whose status says so.
func (c *Client) learn(method string, err error) {
	no := (*SlackError)(nil)
	switch {
	case settingOf(method) == appToken:
	case err == nil:
		c.refused.Range(func(m, e any) bool {
			if m == method || e.(*SlackError).Code != "missing_scope" {
				c.refused.Delete(m)
			}
			return true
		})
	case errors.As(err, &no) && no.refusesToken():
		c.refused.Store(method, no)
	}
}

// Refused says what an operator must fix while Slack refuses the bot's token or
// its scopes; otherwise it is empty.
func (c *Client) Refused() string {
	var all []*SlackError
	for _, e := range c.refused.Range {
		all = append(all, e.(*SlackError))
	}
	if len(all) == 0 {
		return ""
	}
	return refused(botToken, all...)
}

// Limited tells whether Slack asked to wait.
func Limited(err error) bool { return errors.As(err, new(*slack.RateLimitedError)) }

// resultOf is what the metrics call the result of a call.
func resultOf(err error) string {
	switch {
	case err == nil:
		return "ok"
	case Limited(err):
		return "limited"
	case errors.As(err, new(*SlackError)):
		return "refused"
	}
	return "failed"
}
