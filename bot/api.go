package bot

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

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// apiTimeout is how long Slack may take for one call, its answer's body included.
const apiTimeout = 8 * time.Second

// APIConfig is what an [API] needs.
type APIConfig struct {
	BotToken  deploy.Secret
	AppToken  deploy.Secret
	URL       string                      // base of the Web API, "" is Slack's
	Transport http.RoundTripper           // nil: net/http's own
	Text      func(deploy.Message) string // the wording of a message
	Log       zerolog.Logger
}

// API is Slack's Web API as the loop needs it: one call is one try, and its error
// tells what a further try would do (see [deploy.Slack]). It never sleeps.
type API struct {
	slack   *slack.Client
	text    func(deploy.Message) string
	clock   *clock
	limits  *limits
	refused refusals

	mu sync.Mutex
	me Identity
}

var _ engine.Slack = (*API)(nil)

// NewAPI makes no call yet.
func NewAPI(cfg APIConfig) *API {
	base := cfg.URL
	if base == "" {
		base = slack.APIURL
	}
	clock := &clock{log: cfg.Log}
	// No retries and no debugging of slack-go: its retries double posts, and its
	// debugging makes Slack cut every socket after six minutes.
	client := slack.New(cfg.BotToken.Reveal(),
		slack.OptionAppLevelToken(cfg.AppToken.Reveal()),
		slack.OptionAPIURL(strings.TrimRight(base, "/")+"/"),
		slack.OptionHTTPClient(&caller{clock: clock, http: &http.Client{
			Timeout:       apiTimeout,
			Transport:     cfg.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}}))
	return &API{slack: client, text: cfg.Text, clock: clock, limits: newLimits()}
}

// Identify asks Slack who the bot is. An [*AuthError] is permanent until somebody
// mends the token.
func (a *API) Identify(ctx context.Context) (Identity, error) {
	var me Identity
	err := a.call(ctx, "auth.test", "", "", func() error {
		r, err := a.slack.AuthTestContext(ctx)
		if err == nil {
			me = Identity{Team: r.TeamID, Enterprise: r.EnterpriseID, User: r.UserID, BotID: r.BotID}
		}
		return err
	})
	switch {
	case err != nil:
		return Identity{}, plainAuth(err)
	case !isID(me.Team) || !isID(me.User):
		return Identity{}, errors.New("auth.test: the answer does not name the bot's team and user")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.me = me
	return me, nil
}

// OpenConnection gets the address of a new websocket, good for one dial. An
// [*AuthError] is permanent until somebody mends the app-level token.
func (a *API) OpenConnection(ctx context.Context) (url string, err error) {
	err = a.call(ctx, "apps.connections.open", "", "", func() error {
		_, url, err = a.slack.StartSocketModeContext(ctx)
		return err
	})
	switch {
	case err != nil:
		return "", plainAuth(err)
	case url == "":
		return "", errors.New("apps.connections.open: the answer has no url")
	}
	return url, nil
}

// Refused says in words what the operator must mend, while Slack refuses the
// bot's token or its scopes; empty when it does not. The app's token is told by
// [Sockets.Status].
func (a *API) Refused() string { return a.refused.words() }

// Now is Slack's clock.
func (a *API) Now() time.Time { return a.clock.Now() }

// React puts a reaction on the mention; it may already be there.
func (a *API) React(ctx context.Context, k deploy.Key, emoji string) error {
	return a.call(ctx, "reactions.add", k.Channel, k.TS+" "+emoji, func() error {
		return a.slack.AddReactionContext(ctx, emoji, slack.NewRefToMessage(k.Channel, k.TS))
	})
}

// Unreact takes the bot's own reaction off; it may already be gone.
func (a *API) Unreact(ctx context.Context, k deploy.Key, emoji string) error {
	return a.call(ctx, "reactions.remove", k.Channel, k.TS+" "+emoji, func() error {
		return a.slack.RemoveReactionContext(ctx, emoji, slack.NewRefToMessage(k.Channel, k.TS))
	})
}

// Reread reads the mention's message as it stands now. It takes the scope
// channels:history (groups:history in a private channel).
func (a *API) Reread(ctx context.Context, m deploy.Mention) (deploy.Mention, error) {
	me, err := a.identity(ctx)
	if err != nil {
		return m, fmt.Errorf("read the mention again: %w", err)
	}
	var whole []byte
	ctx = context.WithValue(ctx, wholeAnswer{}, &whole)
	err = a.call(ctx, "conversations.replies", m.Channel, m.ID+" mention", func() error {
		_, _, _, err := a.slack.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
			ChannelID: m.Channel, Timestamp: m.ReplyThread(), Oldest: m.TS, Latest: m.TS, Inclusive: true, Limit: 2,
		})
		return err
	})
	if err != nil {
		return m, err
	}
	var now struct{ Messages []mentionEvent }
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
		readWords(&m, e, me)
		return m, nil
	}
	return m, errors.New("conversations.replies: the mention is not among the messages")
}

// metadataType marks the bot's own messages, and metadata tells them apart.
const metadataType = "psycher"

// Post writes into the mention's thread, or into its channel. It needs no record
// of the mention.
func (a *API) Post(ctx context.Context, at engine.Place, say deploy.Message) (ts string, err error) {
	m := at.Mention
	options := []slack.MsgOption{
		slack.MsgOptionText(a.text(say), false),
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
	err = a.call(ctx, "chat.postMessage", m.Channel, m.ID+" "+at.Slot, func() error {
		_, ts, err = a.slack.PostMessageContext(ctx, m.Channel, options...)
		return err
	})
	switch {
	case err != nil:
		return "", err
	case !isTS(ts):
		return "", &engine.LostError{Err: errors.New("chat.postMessage: the answer does not name the message")}
	}
	return ts, nil
}

// Update edits a message of the bot's own.
func (a *API) Update(ctx context.Context, k deploy.Key, ts string, say deploy.Message) error {
	return a.call(ctx, "chat.update", k.Channel, ts, func() error {
		_, _, _, err := a.slack.UpdateMessageContext(ctx, k.Channel, ts, slack.MsgOptionText(a.text(say), false))
		return err
	})
}

// How much of a thread or a channel is searched for a message: what is longer
// cannot be told.
const (
	findPages = 5
	findLimit = 200
)

// Find looks whether the message of a place was posted. It takes the scope
// channels:history (groups:history in a private channel), which the bot can do
// without: then it cannot be told.
func (a *API) Find(ctx context.Context, at engine.Place) (ts string, ok bool, err error) {
	me, err := a.identity(ctx)
	if err != nil {
		return "", false, fmt.Errorf("look for a message: %w", err)
	}
	cursor := ""
	for range findPages {
		var page []slack.Message
		var more bool
		page, more, cursor, err = a.look(ctx, at, cursor)
		if err != nil {
			return "", false, err
		}
		for _, msg := range page {
			own := msg.User == me.User || me.BotID != "" && msg.BotID == me.BotID
			told := msg.Metadata
			if own && told.EventType == metadataType && told.EventPayload["id"] == at.Mention.ID && told.EventPayload["slot"] == at.Slot {
				return msg.Timestamp, true, nil
			}
		}
		switch {
		case cursor == "" && more:
			return "", false, errors.New("look for a message: there is more, and no way to it")
		case cursor == "":
			return "", false, nil
		}
	}
	return "", false, fmt.Errorf("look for a message: there are more than %d since the mention", findPages*findLimit)
}

// look reads a page of what was written since the mention where at is.
func (a *API) look(ctx context.Context, at engine.Place, cursor string) (page []slack.Message, more bool, next string, err error) {
	m := at.Mention
	channel := slack.GetConversationHistoryParameters{
		ChannelID: m.Channel, Oldest: m.TS, Cursor: cursor, Limit: findLimit, IncludeAllMetadata: true,
	}
	if at.InChannel {
		err = a.call(ctx, "conversations.history", m.Channel, m.ID+" "+at.Slot, func() error {
			h, err := a.slack.GetConversationHistoryContext(ctx, &channel)
			if err == nil {
				page, more, next = h.Messages, h.HasMore, h.ResponseMetaData.NextCursor
			}
			return err
		})
		return page, more, next, err
	}
	err = a.call(ctx, "conversations.replies", m.Channel, m.ID+" "+at.Slot, func() (err error) {
		page, more, next, err = a.slack.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
			ChannelID: m.Channel, Timestamp: m.ReplyThread(), Oldest: m.TS, Cursor: cursor, Limit: findLimit, IncludeAllMetadata: true,
		})
		return err
	})
	return page, more, next, err
}

func (a *API) identity(ctx context.Context) (Identity, error) {
	a.mu.Lock()
	me := a.me
	a.mu.Unlock()
	if me.User != "" {
		return me, nil
	}
	return a.Identify(ctx)
}

// call makes one try of a method, unless a rate limit says that it is not its
// turn, and turns its error into what the loop goes by. what tells the call from
// others of the method and channel.
func (a *API) call(ctx context.Context, method, channel, what string, try func() error) error {
	if err := ctx.Err(); err != nil {
		return &engine.LaterError{After: laterAfter, Err: fmt.Errorf("%s: not called: %w", method, err)}
	}
	if wait := a.limits.enter(method, channel, what); wait > 0 {
		return &engine.LaterError{After: wait, Err: fmt.Errorf("%s: not called: waits its turn under Slack's rate limit", method)}
	}
	err := resultOf(method, try())
	var auth *AuthError
	var limit *limitError
	switch {
	case err == nil:
		a.refused.heard(method)
	case errors.As(err, &auth):
		a.refused.note(method, auth)
	case errors.As(err, &limit):
		a.limits.block(method, channel, limit.after)
	}
	return err
}

// plainAuth takes a refusal out of the LaterError that the loop needs round it.
func plainAuth(err error) error {
	var auth *AuthError
	if errors.As(err, &auth) {
		return auth
	}
	return err
}
