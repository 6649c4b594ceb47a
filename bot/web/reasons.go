package web

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
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
	allowApp       = "the app may not connect to this workspace; ask its administrator, or install the app again at https://api.slack.com/apps"
)

// The same for codes of Socket Mode that are not about a token.
//
//docgen:messages log
const (
	switchOn  = "Socket Mode is switched off for this app; switch it on at https://api.slack.com/apps, Socket Mode"
	freeOne   = "all 10 websockets that Slack allows per app are taken; stop other processes of this app or lower SLACK_CONNECTIONS"
	waitForIt = "it is tried again"
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

// fixFor says what an operator must do about a code; needed are the missing
// scopes, where Slack names them.
func fixFor(setting, code, needed string) string {
	r := reasonFor(code)
	switch {
	case setting == appToken:
		return r.app
	case r.bot == addScopes && needed != "":
		return fmt.Sprintf(addScope, needed)
	}
	return r.bot
}

// Permanent reports whether no socket opens until an operator has fixed this.
func (e *SlackError) Permanent() bool {
	r := reasonFor(e.Code)
	return r.effect == token || r.effect == operator
}

// Explain returns the code with its fix, for operators. It is the only wording
// of a fault, in logs, at startup and in /readyz.
func (e *SlackError) Explain() string {
	setting := settingOf(e.Method)
	if reasonFor(e.Code).effect == token {
		return refused(setting, e)
	}
	return "Slack says " + e.Code + ": " + cmp.Or(fixFor(setting, e.Code, ""), waitForIt)
}

// refused names a token once, with everything that must be fixed.
func refused(setting string, all ...*SlackError) string {
	var codes, scopes, fixes []string
	for _, e := range all {
		codes = append(codes, e.Code)
		if e.Needed != "" {
			scopes = append(scopes, e.Needed)
		}
	}
	needed := list(scopes, ", ")
	for _, code := range codes {
		fixes = append(fixes, fixFor(setting, code, needed))
	}
	return fmt.Sprintf("%s: Slack refuses it (%s): %s", setting, list(codes, ", "), list(fixes, "; "))
}

func list(all []string, separator string) string {
	slices.Sort(all)
	return strings.Join(slices.Compact(all), separator)
}

// AuthError is Slack's refusal of a token or of its scopes. Only an operator can
// fix it, and its text says how.
type AuthError struct{ *SlackError }

func (e *AuthError) Error() string { return e.Explain() }

// Unwrap returns Slack's answer.
func (e *AuthError) Unwrap() error { return e.SlackError }

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

// refusals remembers the refusals of the bot's token, by method, until a call
// succeeds. The app's token concerns only sockets, whose status says so.
type refusals struct {
	mu       sync.Mutex
	byMethod map[string]*SlackError
}

// learn notes a refusal, or forgets what a success disproves: the method's own
// refusal, and all others but missing scopes, which each method has of its own.
func (r *refusals) learn(method string, err error) {
	var auth *AuthError
	if settingOf(method) != botToken || err != nil && !errors.As(err, &auth) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		maps.DeleteFunc(r.byMethod, func(m string, e *SlackError) bool { return m == method || e.Code != "missing_scope" })
		return
	}
	r.byMethod[method] = auth.SlackError
}

// explain says what must be fixed; empty if nothing must.
func (r *refusals) explain() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.byMethod) == 0 {
		return ""
	}
	return refused(botToken, slices.Collect(maps.Values(r.byMethod))...)
}
