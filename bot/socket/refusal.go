package socket

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/rs/zerolog"
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
	early     bool          // sockets are opened, again and again, and do not last
	after     time.Duration // Slack asked to wait this long
}

func refusalOf(err error) refusal {
	var limited *slack.RateLimitedError
	var no *web.SlackError
	switch {
	case errors.As(err, &limited):
		return refusal{words: "Slack limits the rate of apps.connections.open", after: limited.RetryAfter}
	case errors.As(err, &no):
		return refusal{words: no.Error(), permanent: no.Permanent()}
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

// accepted clears the refusal: Slack opens sockets again. Whether it still drops
// them early, only one that lasts can tell.
func (p *Pool) accepted(lasts bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refusal.early == lasts {
		p.refusal = refusal{}
	}
}

// refused records and logs why a connection failed, and returns how long to wait
// before the next try.
//
//docgen:messages log
func (p *Pool) refused(err error, streak int) time.Duration {
	r, margin := refusalOf(err), p.jitter(time.Second)
	r.early = errors.Is(err, errDroppedEarly) && streak > 1
	p.mu.Lock()
	logged := p.refusal.words == r.words && time.Since(p.refusedAt) < refusalRepeat
	p.refusal = r
	if !logged {
		p.refusedAt = time.Now()
	}
	if until := time.Now().Add(min(r.after, longestHold) + margin); r.after > 0 && until.After(p.quietUntil) {
		p.quietUntil = until
	}
	p.mu.Unlock()

	level := zerolog.WarnLevel
	switch {
	case logged:
		level = zerolog.DebugLevel
	case r.permanent:
		level = zerolog.ErrorLevel
	}
	p.Log.WithLevel(level).Err(err).Int("streak", streak).Msg(r.words)
	return p.backoff(streak)
}
