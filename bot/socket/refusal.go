package socket

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/slack-go/slack"

	"github.com/getto-systems/psycher/bot/web"
)

// refusalRepeat is how often the same refusal is logged again while it lasts.
const refusalRepeat = 10 * time.Minute

// refusal is what a failure to open a socket, or to keep one, means.
//
//docgen:messages log
type refusal struct {
	words     string        // cause and fix, for the operator
	permanent bool          // until an operator fixes it
	slow      bool          // trying again soon would not help
	after     time.Duration // Slack asked to wait this long
}

func refusalOf(err error) refusal {
	var limited *slack.RateLimitedError
	var no *web.SlackError
	switch {
	case errors.As(err, &limited):
		return refusal{words: "Slack limits the rate of apps.connections.open", after: limited.RetryAfter}
	case errors.As(err, &no):
		return refusal{words: no.Explain(), permanent: no.Permanent(), slow: no.Permanent() || no.Code == "too_many_websockets"}
	case errors.Is(err, errDroppedEarly):
		return refusal{words: "Slack drops sockets shortly after their hello: if it goes on, see https://slack-status.com"}
	case errors.Is(err, errNoHello):
		return refusal{words: "Slack opens a websocket but says no hello: if it goes on, see https://slack-status.com"}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return refusal{words: "Slack does not answer in time: check the network, HTTPS_PROXY and the firewall"}
	default:
		return refusal{words: "a Slack socket could not be opened: check the network, HTTPS_PROXY and the firewall"}
	}
}
