package web

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/getto-systems/psycher/deploy/engine"
)

// meaning is what one of Slack's words of refusal means for a further try of
// the same call.
type meaning string

const (
	meansDone    meaning = "done"    // it is so already
	meansUnclear meaning = "unclear" // Slack broke on it, and "some aspect of it may have succeeded"
	meansToken   meaning = "token"   // Slack refuses the token or its scopes, until people mend that
	meansThread  meaning = "thread"  // a post: the thread takes no replies, the channel may; of other calls it is final
	meansFinal   meaning = "final"   // the same call is never taken
	meansPassing meaning = "passing" // it passes by itself, or people mend it
)

// meanings has every word that does not pass, by the reference pages of the
// methods that are called here. A word that is not in it may pass: new ones are
// not documented anywhere, and an answer that is lost is worse than one that is
// tried for an hour. Known to pass are team_added_to_org and org_login_required
// (the workspace is being moved), external_channel_migrating, accesslimited,
// message_limit_exceeded, request_timeout, update_failed, and, as people can
// invite the bot or change a setting, not_in_channel, channel_not_found (what a
// private channel answers to who is not in it) and ekm_access_denied.
var meanings = map[string]meaning{
	"already_reacted": meansDone,
	"no_reaction":     meansDone,

	"internal_error":      meansUnclear,
	"fatal_error":         meansUnclear,
	"service_unavailable": meansUnclear,

	"invalid_auth":            meansToken,
	"not_authed":              meansToken,
	"account_inactive":        meansToken,
	"token_revoked":           meansToken,
	"token_expired":           meansToken,
	"no_permission":           meansToken,
	"missing_scope":           meansToken,
	"not_allowed_token_type":  meansToken,
	"team_access_not_granted": meansToken,
	"user_removed_from_team":  meansToken,
	"team_disabled":           meansToken,

	"cannot_reply_to_message": meansThread,
	"invalid_thread_ts":       meansThread,
	"message_not_found":       meansThread,
	"restricted_action":       meansThread, // and all that begin with it
	"thread_locked":           meansThread,
	"thread_not_found":        meansThread,

	// The channel or the message is no longer what it was.
	"is_archived":              meansFinal,
	"is_inactive":              meansFinal,
	"cant_update_message":      meansFinal,
	"edit_window_closed":       meansFinal,
	"streaming_state_conflict": meansFinal,
	"block_mismatch":           meansFinal,
	"not_reactable":            meansFinal,
	"no_access":                meansFinal,
	"too_many_emoji":           meansFinal,
	"too_many_reactions":       meansFinal,
	"invalid_name":             meansFinal, // the workspace has no such emoji
	// The call itself is wrong, and the next would be the same.
	"bad_timestamp":           meansFinal,
	"no_item_specified":       meansFinal,
	"no_text":                 meansFinal,
	"msg_too_long":            meansFinal,
	"msg_blocks_too_long":     meansFinal,
	"too_many_attachments":    meansFinal,
	"invalid_blocks":          meansFinal,
	"invalid_blocks_format":   meansFinal,
	"invalid_metadata_format": meansFinal,
	"invalid_metadata_schema": meansFinal,
	"metadata_too_large":      meansFinal,
	"invalid_arguments":       meansFinal,
	"invalid_arg_name":        meansFinal,
	"unknown_method":          meansFinal,
}

func (e *SlackError) meaning() meaning {
	if m, ok := meanings[e.Code]; ok {
		return m
	}
	if strings.HasPrefix(e.Code, "restricted_action") {
		return meansThread
	}
	return meansPassing
}

// resultOf turns what became of a call into what the loop goes by: nil, a
// [*deploy.LaterError] where it was not done or doing it again does no harm, a
// [*deploy.LostError] for a post that may stand there, a [*deploy.PassingError]
// or a [*deploy.ThreadError] for a refusal of that kind, and Slack's final no.
func resultOf(method string, err error) error {
	if err == nil {
		return nil
	}
	var limit *limitError
	var way *wayError
	var no *SlackError
	switch {
	case errors.As(err, &limit):
		return &engine.LaterError{After: limit.after, Err: limit}
	case errors.As(err, &way):
		return unanswered(method, way.after, way.notDone, way)
	case !errors.As(err, &no): // slack-go itself failed: before the call, or on an answer that said ok
		return unanswered(method, laterAfter, false, fmt.Errorf("%s: %w", method, err))
	}
	switch no.meaning() {
	case meansDone:
		return nil
	case meansUnclear:
		return unanswered(method, laterAfter, false, no)
	case meansToken:
		if auth := refusalIn(no); auth != nil {
			return &engine.LaterError{After: mendAfter, Err: auth}
		}
	case meansThread:
		if method == "chat.postMessage" {
			return &engine.ThreadError{Err: no}
		}
	case meansPassing:
		return &engine.PassingError{Err: no}
	}
	return no
}

func unanswered(method string, after time.Duration, notDone bool, err error) error {
	if method == "chat.postMessage" && !notDone {
		return &engine.LostError{Err: err}
	}
	return &engine.LaterError{After: after, Err: err}
}
