package web

import (
	"context"
	"time"

	"github.com/slack-go/slack"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// Peek asks for the messages of a channel before 1970, of which there are none. It
// needs channels:history (groups:history for a private channel). A bot that is no
// member is refused with not_in_channel; in a private channel with channel_not_found.
func (c *Client) Peek(ctx context.Context, id string) error {
	at := engine.Place{Request: deploy.Request{Key: deploy.Key{Channel: id}}, InChannel: true}
	_, err := c.look(ctx, at, slack.GetConversationHistoryParameters{Latest: "1.000000", Limit: 1})
	return err
}

// Ahead is by how much the host's clock is ahead of Slack's.
func (c *Client) Ahead() time.Duration { return c.clock.ahead() }
