package web

import (
	"fmt"
	"maps"
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

//docgen:messages refused
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
	looksUp := no.Method == "conversations.replies" || no.Method == "conversations.history"
	if no.meaning() != meansToken || looksUp && no.Code == "missing_scope" { // the scope to look posts up is not needed
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

// refusals remembers what Slack refuses the bot's token, by method, until it no
// longer does. [Sockets] tells of the app's.
type refusals struct {
	mu       sync.Mutex
	byMethod map[string]*AuthError
}

func (r *refusals) note(method string, e *AuthError) {
	if e.Setting != "SLACK_BOT_TOKEN" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byMethod == nil {
		r.byMethod = map[string]*AuthError{}
	}
	r.byMethod[method] = e
}

// heard forgets what a success disproves: the method's own refusal, and every
// other but for a missing scope, which is one of each method.
func (r *refusals) heard(method string) {
	if tokenOf(method) != "SLACK_BOT_TOKEN" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for m, e := range r.byMethod {
		if m == method || e.Code != "missing_scope" {
			delete(r.byMethod, m)
		}
	}
}

// words names the token once, with everything that must be mended.
func (r *refusals) words() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var scopes []string
	for _, e := range r.byMethod {
		if e.Needed != "" {
			scopes = append(scopes, e.Needed)
		}
	}
	slices.Sort(scopes)
	needed := strings.Join(slices.Compact(scopes), ", ")
	mends := map[string]string{} // by Slack's word
	for _, e := range r.byMethod {
		one := *e
		if one.Needed != "" {
			one.Needed = needed
		}
		mends[one.Code] = one.mend()
	}
	if len(mends) == 0 {
		return ""
	}
	codes := slices.Sorted(maps.Keys(mends))
	all := slices.Sorted(maps.Values(mends))
	return fmt.Sprintf("SLACK_BOT_TOKEN: Slack refuses it (%s): %s", strings.Join(codes, ", "), strings.Join(slices.Compact(all), "; "))
}
