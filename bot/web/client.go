package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"github.com/slack-go/slack"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// Methods whose errors are treated apart.
const (
	openMethod = "apps.connections.open"
	postMethod = "chat.postMessage"
)

// apiTimeout is how long Slack may take for one call, its answer's body included.
const apiTimeout = 8 * time.Second

// Identity is who the bot is. Enterprise is the organisation of an Enterprise
// Grid, E..., that the workspace belongs to.
type Identity struct{ Team, Enterprise, User, BotID, App string }

// Config is what a [Client] needs.
type Config struct {
	BotToken  deploy.Secret
	AppToken  deploy.Secret
	URL       string                                       // base of the Web API, "" is Slack's
	Transport http.RoundTripper                            // nil: net/http's own
	Text      func(deploy.Message) string                  // the wording of a message
	Read      func(deploy.Key, markup.Words) deploy.Intent // what words in a channel ask for
	Log       zerolog.Logger
}

// Client is Slack's Web API as the engine needs it: one call is one try, and its
// error says what another try would do (see [engine.Slack]). It never sleeps.
type Client struct {
	slack   *slack.Client
	text    func(deploy.Message) string
	read    func(deploy.Key, markup.Words) deploy.Intent
	clock   *clock
	limits  *limits
	refused refusals

	mu sync.Mutex
	me Identity
}

var _ engine.Slack = (*Client)(nil)

// New makes no call yet.
func New(cfg Config) *Client {
	base := cfg.URL
	if base == "" {
		base = slack.APIURL
	}
	clock := &clock{log: cfg.Log}
	// Neither slack-go's retries nor its debug mode: the retries double posts, and
	// debug mode makes Slack close every socket after six minutes.
	client := slack.New(cfg.BotToken.Reveal(),
		slack.OptionAppLevelToken(cfg.AppToken.Reveal()),
		slack.OptionAPIURL(strings.TrimRight(base, "/")+"/"),
		slack.OptionHTTPClient(&caller{clock: clock, http: &http.Client{
			Timeout:       apiTimeout,
			Transport:     cfg.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}}))
	return &Client{slack: client, text: cfg.Text, read: cfg.Read, clock: clock, limits: newLimits()}
}

// Identify asks Slack who the bot is. An [*AuthError] is permanent until an
// operator fixes the token.
func (c *Client) Identify(ctx context.Context) (Identity, error) {
	var me Identity
	err := c.call(ctx, "auth.test", "", "", func() error {
		r, err := c.slack.AuthTestContext(ctx)
		if err == nil {
			me = Identity{Team: r.TeamID, Enterprise: r.EnterpriseID, User: r.UserID, BotID: r.BotID}
		}
		return err
	})
	switch {
	case err != nil:
		return Identity{}, unwrapAuth(err)
	case !deploy.IsID(me.Team) || !deploy.IsID(me.User):
		return Identity{}, errors.New("auth.test: the answer does not name the bot's team and user")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.me = me
	return me, nil
}

// OpenConnection returns the address of a new websocket, valid for one dial. An
// [*AuthError] is permanent until an operator fixes the app-level token.
func (c *Client) OpenConnection(ctx context.Context) (url string, err error) {
	err = c.call(ctx, openMethod, "", "", func() error {
		_, url, err = c.slack.StartSocketModeContext(ctx)
		return err
	})
	switch {
	case err != nil:
		return "", unwrapAuth(err)
	case url == "":
		return "", errors.New("apps.connections.open: the answer has no url")
	}
	return url, nil
}

// Refused says what an operator must fix while Slack refuses the bot's token or
// its scopes; otherwise it is empty. The app-level token concerns only sockets.
func (c *Client) Refused() string { return c.refused.explain() }

// Now is Slack's clock.
func (c *Client) Now() time.Time { return c.clock.Now() }

// React adds a reaction to the mention; it may already be there.
func (c *Client) React(ctx context.Context, k deploy.Key, emoji string) error {
	return c.call(ctx, "reactions.add", k.Channel, k.TS+" "+emoji, func() error {
		return c.slack.AddReactionContext(ctx, emoji, slack.NewRefToMessage(k.Channel, k.TS))
	})
}

// Unreact removes the bot's own reaction; it may already be gone.
func (c *Client) Unreact(ctx context.Context, k deploy.Key, emoji string) error {
	return c.call(ctx, "reactions.remove", k.Channel, k.TS+" "+emoji, func() error {
		return c.slack.RemoveReactionContext(ctx, emoji, slack.NewRefToMessage(k.Channel, k.TS))
	})
}

// Reread reads the mention's message as it is now. It needs the scope
// channels:history (groups:history in a private channel).
func (c *Client) Reread(ctx context.Context, m deploy.Request) (deploy.Request, error) {
	me, err := c.identity(ctx)
	if err != nil {
		return m, fmt.Errorf("read the mention again: %w", err)
	}
	var whole []byte
	ctx = context.WithValue(ctx, wholeAnswer{}, &whole)
	err = c.call(ctx, "conversations.replies", m.Channel, m.ID+" mention", func() error {
		_, _, _, err := c.slack.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
			ChannelID: m.Channel, Timestamp: m.ReplyThread(), Oldest: m.TS, Latest: m.TS, Inclusive: true, Limit: 2,
		})
		return err
	})
	if err != nil {
		return m, err
	}
	var now struct{ Messages []postedMessage }
	if err := json.Unmarshal(whole, &now); err != nil {
		return m, errors.New("conversations.replies: the messages cannot be read")
	}
	for _, e := range now.Messages {
		if string(e.TS) != m.TS {
			continue
		}
		if e.Subtype == "tombstone" { // it was deleted, and has replies
			return m, engine.ErrMentionGone
		}
		m.Edited, m.Intent = markup.Present(e.Edited), c.read(m.Key, e.Words(me.User))
		return m, nil
	}
	return m, errors.New("conversations.replies: the mention is not among the messages")
}

// postedMessage is a message as conversations.replies returns it.
type postedMessage struct {
	TS      markup.Lenient `json:"ts"`
	Subtype markup.Lenient `json:"subtype"`
	markup.Message
}

// metadataType marks the bot's own messages; the payload says which one it is.
const metadataType = "psycher"

// Post writes into the mention's thread, or into its channel. It needs no record
// of the mention.
func (c *Client) Post(ctx context.Context, at engine.Place, say deploy.Message) (ts string, err error) {
	m := at.Request
	options := []slack.MsgOption{
		slack.MsgOptionText(c.text(say), false),
		slack.MsgOptionDisableLinkUnfurl(),
		slack.MsgOptionDisableMediaUnfurl(),
		slack.MsgOptionMetadata(slack.SlackMetadata{
			EventType:    metadataType,
			EventPayload: map[string]any{"id": m.ID, "slot": at.Slot},
		}),
	}
	if !at.InChannel {
		options = append(options, slack.MsgOptionTS(m.ReplyThread()))
	}
	err = c.call(ctx, postMethod, m.Channel, m.ID+" "+at.Slot, func() error {
		_, ts, err = c.slack.PostMessageContext(ctx, m.Channel, options...)
		return err
	})
	switch {
	case err != nil:
		return "", err
	case !deploy.IsTimestamp(ts):
		return "", &engine.LostError{Err: errors.New("chat.postMessage: the answer does not name the message")}
	}
	return ts, nil
}

// Update edits a message of the bot's own.
func (c *Client) Update(ctx context.Context, k deploy.Key, ts string, say deploy.Message) error {
	return c.call(ctx, "chat.update", k.Channel, ts, func() error {
		_, _, _, err := c.slack.UpdateMessageContext(ctx, k.Channel, ts, slack.MsgOptionText(c.text(say), false))
		return err
	})
}

// How much of a thread or a channel is searched for a message; beyond that Find
// returns an error.
const (
	findPages = 5
	findLimit = 200
)

// Find looks for the message of a place. It needs the optional scope
// channels:history (groups:history in a private channel); without it Find returns
// an error.
func (c *Client) Find(ctx context.Context, at engine.Place) (ts string, ok bool, err error) {
	me, err := c.identity(ctx)
	if err != nil {
		return "", false, fmt.Errorf("look for a message: %w", err)
	}
	cursor := ""
	for range findPages {
		var page []slack.Message
		var more bool
		page, more, cursor, err = c.look(ctx, at, cursor)
		if err != nil {
			return "", false, err
		}
		for _, msg := range page {
			own := msg.User == me.User || me.BotID != "" && msg.BotID == me.BotID
			metadata := msg.Metadata
			if own && metadata.EventType == metadataType && metadata.EventPayload["id"] == at.Request.ID && metadata.EventPayload["slot"] == at.Slot {
				return msg.Timestamp, true, nil
			}
		}
		switch {
		case cursor == "" && more:
			return "", false, errors.New("look for a message: there are more, without a cursor")
		case cursor == "":
			return "", false, nil
		}
	}
	return "", false, fmt.Errorf("look for a message: there are more than %d since the mention", findPages*findLimit)
}

// look reads a page of the messages since the mention, in the thread or channel of at.
func (c *Client) look(ctx context.Context, at engine.Place, cursor string) (page []slack.Message, more bool, next string, err error) {
	m := at.Request
	channel := slack.GetConversationHistoryParameters{
		ChannelID: m.Channel, Oldest: m.TS, Cursor: cursor, Limit: findLimit, IncludeAllMetadata: true,
	}
	if at.InChannel {
		err = c.call(ctx, "conversations.history", m.Channel, m.ID+" "+at.Slot, func() error {
			h, err := c.slack.GetConversationHistoryContext(ctx, &channel)
			if err == nil {
				page, more, next = h.Messages, h.HasMore, h.ResponseMetaData.NextCursor
			}
			return err
		})
		return page, more, next, err
	}
	err = c.call(ctx, "conversations.replies", m.Channel, m.ID+" "+at.Slot, func() (err error) {
		page, more, next, err = c.slack.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
			ChannelID: m.Channel, Timestamp: m.ReplyThread(), Oldest: m.TS, Cursor: cursor, Limit: findLimit, IncludeAllMetadata: true,
		})
		return err
	})
	return page, more, next, err
}

func (c *Client) identity(ctx context.Context) (Identity, error) {
	c.mu.Lock()
	me := c.me
	c.mu.Unlock()
	if me.User != "" {
		return me, nil
	}
	return c.Identify(ctx)
}

// call makes one try of a method, unless a rate limit says to wait, and classifies
// its error. what distinguishes the call from others of the method and channel.
func (c *Client) call(ctx context.Context, method, channel, what string, try func() error) error {
	if err := ctx.Err(); err != nil {
		return &engine.LaterError{After: retryAfterDefault, Err: fmt.Errorf("%s: not called: %w", method, err)}
	}
	if wait := c.limits.enter(method, channel, what); wait > 0 {
		return &engine.LaterError{After: wait, Err: fmt.Errorf("%s: not called: waits for Slack's rate limit", method)}
	}
	err := classify(method, try())
	var auth *AuthError
	var limit *limitError
	switch {
	case err == nil:
		c.refused.clear(method)
	case errors.As(err, &auth):
		c.refused.note(method, auth)
	case errors.As(err, &limit):
		c.limits.block(method, channel, limit.after)
	}
	return err
}
