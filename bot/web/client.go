package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"github.com/slack-go/slack"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/bot/phrases"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// Methods whose errors are treated apart.
const (
	identifyMethod = "auth.test"
	openMethod     = "apps.connections.open"
	postMethod     = "chat.postMessage"
)

// apiTimeout is how long Slack may take for one call, its answer's body included.
const apiTimeout = 8 * time.Second

// Identity is who the bot is. Enterprise is the organisation of an Enterprise
// Grid, E..., that the workspace belongs to.
type Identity struct {
	Team       string `json:"team_id"`
	Enterprise string `json:"enterprise_id"`
	User       string `json:"user_id"`
	BotID      string `json:"bot_id"`
}

// Installation is what auth.test says of the bot token. Slack does not promise to
// name the app and, in its header X-OAuth-Scopes, the scopes.
type Installation struct {
	Identity
	App     string   `json:"app_id"`
	Expires int      `json:"expires_in"` // in so many seconds, with token rotation
	Scopes  []string `json:"-"`
}

// Config is what a [Client] needs.
type Config struct {
	BotToken  deploy.Secret
	AppToken  deploy.Secret
	URL       string                                       // base of the Web API, "" is Slack's
	Transport http.RoundTripper                            // nil: net/http's own
	Voice     func() phrases.Voice                         // the wordings of messages, as they are now
	Read      func(deploy.Key, markup.Words) deploy.Intent // what words in a channel ask for
	Called    func(method, result string)                  // called after each call, unless it is nil: ok, limited, refused or failed
	Waits     func(method string)                          // called when a call is put off by a rate limit, unless it is nil
	Log       zerolog.Logger
}

// Client is Slack's Web API as the engine needs it: one call is one try, and its
// error says what another try would do (see [engine.Slack]). It never sleeps.
type Client struct {
	config Config
	http   *http.Client
	*clock
	limits  *limits
	refused sync.Map // the refusals of the bot's token (*SlackError), by method
	plain   sync.Map // the messages whose blocks Slack has refused
	me      atomic.Pointer[Identity]
}

var _ engine.Slack = (*Client)(nil)

// New makes no call yet.
func New(cfg Config) *Client {
	cfg.URL = strings.TrimRight(cmp.Or(cfg.URL, slack.APIURL), "/") + "/"
	return &Client{
		config: cfg, clock: &clock{log: cfg.Log}, limits: newLimits(),
		http: &http.Client{
			Timeout:       apiTimeout,
			Transport:     cfg.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Inspect asks Slack what the bot token is, and what it may do.
func (c *Client) Inspect(ctx context.Context) (Installation, error) {
	a, err := c.call(ctx, identifyMethod, "", "", func(api *slack.Client) error {
		_, err := api.AuthTestContext(ctx)
		return err
	})
	return a.Installation, err
}

// Identify asks Slack who the bot is.
func (c *Client) Identify(ctx context.Context) (Identity, error) {
	is, err := c.Inspect(ctx)
	switch me := is.Identity; {
	case err != nil:
		return Identity{}, err
	case !deploy.IsID(me.Team) || !deploy.IsID(me.User):
		return Identity{}, errors.New("auth.test: the answer does not name the bot's team and user")
	default:
		c.me.Store(&me)
		return me, nil
	}
}

func (c *Client) identity(ctx context.Context) (Identity, error) {
	if me := c.me.Load(); me != nil {
		return *me, nil
	}
	return c.Identify(ctx)
}

// OpenConnection returns the address of a new websocket, valid for one dial.
func (c *Client) OpenConnection(ctx context.Context) (url string, err error) {
	a, err := c.call(ctx, openMethod, "", "", func(api *slack.Client) error {
		_, _, err := api.StartSocketModeContext(ctx)
		return err
	})
	if err == nil && a.URL == "" {
		err = errors.New("apps.connections.open: the answer has no url")
	}
	return a.URL, err
}

// React adds a reaction to the mention; it may already be there.
func (c *Client) React(ctx context.Context, k deploy.Key, emoji string) error {
	_, err := c.call(ctx, "reactions.add", k.Channel, k.TS+" "+emoji, func(api *slack.Client) error {
		return api.AddReactionContext(ctx, emoji, slack.NewRefToMessage(k.Channel, k.TS))
	})
	return err
}

// Unreact removes the bot's own reaction; it may already be gone.
func (c *Client) Unreact(ctx context.Context, k deploy.Key, emoji string) error {
	_, err := c.call(ctx, "reactions.remove", k.Channel, k.TS+" "+emoji, func(api *slack.Client) error {
		return api.RemoveReactionContext(ctx, emoji, slack.NewRefToMessage(k.Channel, k.TS))
	})
	return err
}

// Reread reads the mention's message as it is now. It needs the scope
// channels:history (groups:history in a private channel).
func (c *Client) Reread(ctx context.Context, m deploy.Request) (deploy.Request, error) {
	me, err := c.identity(ctx)
	if err != nil {
		return m, fmt.Errorf("read the mention again: %w", err)
	}
	a, err := c.look(ctx, engine.Place{Request: m, Slot: "mention"}, slack.GetConversationHistoryParameters{Latest: m.TS, Inclusive: true, Limit: 2})
	if err != nil {
		return m, err
	}
	for _, now := range a.Messages {
		if now.TS != m.TS {
			continue
		}
		if now.Subtype == "tombstone" { // it was deleted, and has replies
			return m, engine.ErrMentionGone
		}
		m.Edited, m.Intent = markup.Present(now.Edited), c.config.Read(m.Key, now.Words(me.User))
		return m, nil
	}
	return m, errors.New("conversations.replies: the mention is not among the messages")
}

// metadataType marks the bot's own messages; the payload says which one it is.
const metadataType = "psycher"

// Post writes into the mention's thread, or into its channel. It needs no record
// of the mention.
func (c *Client) Post(ctx context.Context, at engine.Place, say deploy.Message) (ts string, err error) {
	m := at.Request
	options := []slack.MsgOption{
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
	a, err := c.say(ctx, postMethod, m.Channel, m.ID+" "+at.Slot, say, options...)
	switch {
	case err != nil:
		return "", err
	case !deploy.IsTimestamp(a.TS):
		return "", &engine.LostError{Err: errors.New("chat.postMessage: the answer does not name the message")}
	}
	return a.TS, nil
}

// Update edits a message of the bot's own.
func (c *Client) Update(ctx context.Context, k deploy.Key, ts string, say deploy.Message) error {
	// Without parse, Slack links names in an edit.
	_, err := c.say(ctx, "chat.update", k.Channel, ts, say, slack.MsgOptionUpdate(ts), slack.MsgOptionParse(false))
	return err
}

// Whisper shows a message to one person alone. It is not kept.
func (c *Client) Whisper(ctx context.Context, channel, thread, user string, say deploy.Message) error {
	_, err := c.say(ctx, "chat.postEphemeral", channel, user, say, slack.MsgOptionPostEphemeral(user), slack.MsgOptionTS(thread))
	return err
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
	page := slack.GetConversationHistoryParameters{Limit: findLimit, IncludeAllMetadata: true}
	for range findPages {
		a, err := c.look(ctx, at, page)
		if err != nil {
			return "", false, err
		}
		for _, msg := range a.Messages {
			own := msg.User == me.User || me.BotID != "" && msg.BotID == me.BotID
			if own && msg.isOf(at) {
				return msg.TS, true, nil
			}
		}
		if page.Cursor = a.Next.Cursor; page.Cursor == "" && !a.HasMore {
			return "", false, nil
		}
	}
	return "", false, errors.New("look for a message: there are too many since the mention")
}

// look reads a page of the messages since the mention, in the thread or channel of at.
func (c *Client) look(ctx context.Context, at engine.Place, page slack.GetConversationHistoryParameters) (answer, error) {
	m := at.Request
	page.ChannelID, page.Oldest = m.Channel, m.TS
	if at.InChannel {
		return c.call(ctx, "conversations.history", m.Channel, m.ID+" "+at.Slot, func(api *slack.Client) error {
			_, err := api.GetConversationHistoryContext(ctx, &page)
			return err
		})
	}
	return c.call(ctx, "conversations.replies", m.Channel, m.ID+" "+at.Slot, func(api *slack.Client) error {
		_, _, _, err := api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
			ChannelID: page.ChannelID, Timestamp: m.ReplyThread(), Cursor: page.Cursor, Inclusive: page.Inclusive,
			Latest: page.Latest, Limit: page.Limit, Oldest: page.Oldest, IncludeAllMetadata: page.IncludeAllMetadata,
		})
		return err
	})
}

// Peek asks for the messages of a channel before 1970, of which there are none. It
// needs channels:history (groups:history for a private channel). A bot that is no
// member is refused with not_in_channel; in a private channel with channel_not_found.
func (c *Client) Peek(ctx context.Context, id string) error {
	at := engine.Place{Request: deploy.Request{Key: deploy.Key{Channel: id}}, InChannel: true}
	_, err := c.look(ctx, at, slack.GetConversationHistoryParameters{Latest: "1.000000", Limit: 1})
	return err
}

// call makes one try of a method, unless a rate limit says to wait. what
// distinguishes the call from others of the method and channel.
func (c *Client) call(ctx context.Context, method, channel, what string, try func(*slack.Client) error) (answer, error) {
	x := &exchange{Client: c, method: method, channel: channel}
	if err := ctx.Err(); err != nil {
		return answer{}, x.later(retryAfterDefault, fmt.Errorf("not called: %w", err))
	}
	if wait := c.limits.enter(method, channel, what); wait > 0 {
		if c.config.Waits != nil {
			c.config.Waits(method)
		}
		return answer{}, x.later(wait, errors.New("not called: waits for Slack's rate limit"))
	}
	// Neither slack-go's retries nor its debug mode: the retries double posts, and
	// debug mode makes Slack close every socket after six minutes.
	err := try(slack.New(c.config.BotToken.Reveal(),
		slack.OptionAppLevelToken(c.config.AppToken.Reveal()), slack.OptionAPIURL(c.config.URL), slack.OptionHTTPClient(x)))
	c.learn(method, err)
	if c.config.Called != nil {
		c.config.Called(method, resultOf(err))
	}
	return x.answer, err
}
