package socket

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"golang.org/x/time/rate"

	"github.com/getto-systems/psycher/bot/web"
)

// Hello is what Slack says of an app on a new connection.
type Hello struct {
	App         string // the one whose app-level token it is
	Connections int    // that are open to the app, this one included
}

// Probe opens one connection and closes it at its hello. It needs only Open, Dial
// and Proxy.
//
// No event is lost by it. Slack may hand one to this connection in the moment
// that it takes Slack to read the close frame: it is not acked, so that Slack
// delivers it again, on another connection or on the next one. A button's press is
// not delivered again: whoever pressed in that moment sees a warning sign, and can
// press once more.
func (p *Pool) Probe(ctx context.Context) (Hello, error) {
	p.budget = rate.NewLimiter(rate.Inf, 1)
	p.Handle = func(context.Context, string, json.RawMessage, int) (bool, func()) { return false, nil }
	defer p.running.Wait()
	k, err := p.open(ctx, ctx)
	if err != nil {
		return Hello{}, err
	}
	k.sendClose()
	select {
	case <-k.life.Done(): // Slack has answered the close frame, or says what is wrong
	case <-time.After(closeWithin):
		k.fail(errStopped)
	}
	hello := Hello{k.said.ConnectionInfo.AppID, k.said.NumConnections}
	if no := (*web.SlackError)(nil); errors.As(k.err(), &no) {
		return hello, no
	}
	return hello, nil
}
