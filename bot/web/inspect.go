package web

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/getto-systems/psycher/bot/markup"
)

// Installation is what auth.test says of the bot token. Slack does not promise to
// name the app and, in its header X-OAuth-Scopes, the scopes.
type Installation struct {
	Identity
	App     string
	Scopes  []string
	Expires string // in so many seconds, with token rotation
}

// Inspect asks Slack what the bot token is, and what it may do.
func (c *Client) Inspect(ctx context.Context) (Installation, error) {
	a, err := c.call(ctx, identifyMethod, "", "", func(api *slack.Client) error {
		_, err := api.AuthTestContext(ctx)
		return err
	})
	split := func(r rune) bool { return r == ',' || r == ' ' }
	return Installation{a.identity(), string(a.AppID), strings.FieldsFunc(a.scopes, split), string(a.Expires)}, err
}

// Channel is what Slack says of a channel that the bot asks for.
type Channel struct {
	Name             string // empty: not said
	Member, Archived bool
}

// Channel looks a channel up. It needs the scope channels:read (groups:read for a
// private channel).
func (c *Client) Channel(ctx context.Context, id string) (Channel, error) {
	a, err := c.call(ctx, "conversations.info", id, "", func(api *slack.Client) error {
		_, err := api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
		return err
	})
	var is struct {
		Name     markup.Lenient  `json:"name"`
		Member   json.RawMessage `json:"is_member"`
		Archived json.RawMessage `json:"is_archived"`
	}
	if err == nil {
		err = json.Unmarshal(a.Channel, &is)
	}
	return Channel{string(is.Name), markup.Present(is.Member), markup.Present(is.Archived)}, err
}

// Peek asks for the messages of a channel before 1970, of which there are none. It
// needs channels:history (groups:history for a private channel). A bot that is no
// member is refused with not_in_channel; in a private channel with channel_not_found.
func (c *Client) Peek(ctx context.Context, id string) error {
	_, err := c.call(ctx, "conversations.history", id, "", func(api *slack.Client) error {
		_, err := api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{ChannelID: id, Latest: "1.000000", Limit: 1})
		return err
	})
	return err
}

// Ahead is by how much the host's clock is ahead of Slack's.
func (c *Client) Ahead() time.Duration { return c.clock.ahead() }

// Fix is what an operator must do about the code; empty where that is not known.
func (e *SlackError) Fix() string { return fixFor(settingOf(e.Method), e.Code, e.Needed) }
