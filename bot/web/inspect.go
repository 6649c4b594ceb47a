package web

import (
	"context"
	"time"

	"github.com/slack-go/slack"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// Channel is what Slack says of a channel that the bot asks for.
type Channel struct {
	Name     string `json:"name"` // empty: not said
	Member   bool   `json:"is_member"`
	Archived bool   `json:"is_archived"`
}

// Channel looks a channel up. It needs the scope channels:read (groups:read for a
// private channel).
func (c *Client) Channel(ctx context.Context, id string) (Channel, error) {
	a, err := c.call(ctx, "conversations.info", id, "", func(api *slack.Client) error {
		_, err := api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
		return err
	})
	return a.Channel, err
}

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
