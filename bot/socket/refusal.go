package socket

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/slack-go/slack"
)

// socketRefusalRepeat is how often the same refusal is logged again while it lasts.
const socketRefusalRepeat = 10 * time.Minute

// refusedError is Slack taking a socket back, with its reason.
type refusedError struct{ reason string }

func (e *refusedError) Error() string { return "Slack refuses the socket: " + e.reason }

// socketRefusal is what an error in opening a socket means.
//
//docgen:messages log
type socketRefusal struct {
	words     string        // cause and mend, for the operator
	permanent bool          // until a person mends it
	slow      bool          // trying again soon would not help
	after     time.Duration // Slack asked to wait so long
}

const socketTokens = "https://api.slack.com/apps, Basic Information, App-Level Tokens"

func refusalOf(err error) socketRefusal {
	var (
		answer  slack.SlackErrorResponse
		status  slack.StatusCodeError
		limited *slack.RateLimitedError
		refused *refusedError
	)
	switch {
	case errors.As(err, &limited):
		return socketRefusal{words: "Slack limits the rate of apps.connections.open", after: limited.RetryAfter}
	case errors.As(err, &refused):
		return socketRefusal{words: slackSays(refused.reason), permanent: isPermanent(refused.reason), slow: true}
	case errors.As(err, &answer):
		permanent := isPermanent(answer.Err)
		return socketRefusal{words: slackSays(answer.Err), permanent: permanent, slow: permanent || answer.Err == "ratelimited"}
	case errors.As(err, &status) && status.Code == http.StatusTooManyRequests:
		return socketRefusal{words: "Slack limits the rate of apps.connections.open", slow: true}
	case errors.Is(err, errDroppedEarly):
		return socketRefusal{words: "Slack drops sockets shortly after their hello: if it goes on, see https://slack-status.com"}
	case errors.Is(err, errNoHello):
		return socketRefusal{words: "Slack opens a websocket but says no hello: if it goes on, see https://slack-status.com"}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return socketRefusal{words: "Slack does not answer in time: check the network, HTTPS_PROXY and the firewall"}
	default:
		return socketRefusal{words: "a Slack socket could not be opened: check the network, HTTPS_PROXY and the firewall"}
	}
}

// isPermanent tells the reasons that last until a person does something.
func isPermanent(reason string) bool {
	switch reason {
	case "link_disabled",
		"missing_scope", "not_allowed_token_type",
		"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired",
		"no_permission", "access_denied", "team_access_not_granted", "forbidden_team",
		"org_login_required", "ekm_access_denied", "user_removed_from_team", "team_disabled",
		"team_not_found", "app_not_found", "two_factor_setup_required":
		return true
	}
	return false
}

func slackSays(reason string) string { return "Slack says " + reason + ": " + mendOf(reason) }

// mendOf says what a reason means and what to do about it.
//
//docgen:messages log
func mendOf(reason string) string {
	switch reason {
	case "link_disabled":
		return "Socket Mode is switched off for this app; switch it on at https://api.slack.com/apps, Socket Mode"
	case "too_many_websockets":
		return "all 10 websockets that Slack allows per app are taken; stop other processes of this app or lower SLACK_CONNECTIONS"
	case "missing_scope":
		return "SLACK_APP_TOKEN lacks the scope connections:write; make one that has it at " + socketTokens
	case "not_allowed_token_type":
		return "SLACK_APP_TOKEN is no app-level token (xapp-...); make one with connections:write at " + socketTokens
	case "invalid_auth", "not_authed", "token_revoked", "token_expired":
		return "SLACK_APP_TOKEN is not valid (any more); make one with connections:write at " + socketTokens
	case "ratelimited":
		return "too many calls of apps.connections.open"
	}
	if isPermanent(reason) {
		return "the app of SLACK_APP_TOKEN may not connect to this workspace; ask its administrator, or install the app again at https://api.slack.com/apps"
	}
	return "it is tried again"
}
