package bot

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/slack-go/slack"
)

// AuthError is Slack's refusal of a token or of what it may do. Only people can
// mend it, and its text tells them how.
type AuthError struct {
	Setting string // SLACK_BOT_TOKEN or SLACK_APP_TOKEN
	Code    string // Slack's word
	Needed  string // the scope that is missing, where that is it
}

func (e *AuthError) Error() string {
	return fmt.Sprintf("%s: Slack refuses it (%s): %s", e.Setting, e.Code, e.mend())
}

// Unwrap gives slack-go's own error, for those who go by that.
func (e *AuthError) Unwrap() error { return slack.SlackErrorResponse{Err: e.Code, Needed: e.Needed} }

func (e *AuthError) mend() string {
	app := e.Setting == "SLACK_APP_TOKEN"
	switch {
	case app && e.Code == "missing_scope", app && e.Code == "no_permission":
		return "make an app-level token with the scope connections:write (Basic Information, App-Level Tokens) and set it"
	case app:
		return "set the xapp-... token of the app (Basic Information, App-Level Tokens)"
	case e.Code == "missing_scope" && e.Needed != "":
		return fmt.Sprintf("add the scope %s to the bot token (OAuth & Permissions) and install the app again", e.Needed)
	case e.Code == "missing_scope", e.Code == "no_permission":
		return "add the scopes of the app manifest to the bot token (OAuth & Permissions) and install the app again"
	case e.Code == "account_inactive", e.Code == "token_revoked", e.Code == "token_expired", e.Code == "team_access_not_granted":
		return "install the app in the workspace again and set its new xoxb-... token"
	}
	return "set the xoxb-... token of the app (OAuth & Permissions)"
}

// refusalIn is the AuthError that an answer of Slack's is, or nil.
func refusalIn(no *SlackError) *AuthError {
	switch no.Code {
	case "missing_scope":
		if no.Method == "conversations.replies" {
			return nil // the scope to look posts up is not needed
		}
	case "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "no_permission",
		"not_allowed_token_type", "team_access_not_granted", "user_removed_from_team", "team_disabled":
	default:
		return nil
	}
	return &AuthError{Setting: tokenOf(no.Method), Code: no.Code, Needed: no.Needed}
}

func tokenOf(method string) string {
	if method == "apps.connections.open" {
		return "SLACK_APP_TOKEN"
	}
	return "SLACK_BOT_TOKEN"
}

// refusals remembers what Slack refuses, by method, until it no longer does.
type refusals struct {
	mu       sync.Mutex
	byMethod map[string]*AuthError
}

func (r *refusals) note(method string, e *AuthError) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byMethod == nil {
		r.byMethod = map[string]*AuthError{}
	}
	r.byMethod[method] = e
}

// heard forgets what a success disproves: the method's own refusal, and every
// refusal of its token but for a missing scope, which is one of each method.
func (r *refusals) heard(method string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for m, e := range r.byMethod {
		if m == method || e.Setting == tokenOf(method) && e.Code != "missing_scope" {
			delete(r.byMethod, m)
		}
	}
}

func (r *refusals) words() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, e := range r.byMethod {
		if s := e.Error(); !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}
