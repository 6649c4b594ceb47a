package fakeslack_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

// The client libraries of bots notice no difference from the real Slack.
func TestSlackGoUnderstandsItOverRealSockets(t *testing.T) {
	s := fakeslack.New(fakeslack.Config{})
	srv := httptest.NewServer(s)
	defer srv.Close()
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()

	api := slack.New("xoxb-test", slack.OptionAppLevelToken("xapp-test"), slack.OptionAPIURL(srv.URL+"/api/"))
	me, err := api.AuthTestContext(ctx)
	if err != nil || me.UserID != "U0BOT" || me.BotID != "B0BOT" || me.TeamID != "T0TEAM" {
		t.Fatalf("auth.test: %+v, %v", me, err)
	}
	smc := socketmode.New(api)
	ended := make(chan error)
	runCtx, stop := context.WithCancel(ctx)
	go func() { ended <- smc.RunContext(runCtx) }()
	next := func(want socketmode.EventType) socketmode.Event {
		t.Helper()
		for {
			select {
			case e := <-smc.Events:
				if e.Type == want {
					return e
				}
				if e.Type == socketmode.EventTypeErrorBadMessage {
					t.Fatalf("not understood: %+v", e.Data)
				}
			case <-ctx.Done():
				t.Fatalf("no %s", want)
			}
		}
	}
	hello := next(socketmode.EventTypeHello)
	if hello.Request.NumConnections != 1 || hello.Request.ConnectionInfo.AppID != "A0APP" || hello.Request.DebugInfo.ApproximateConnectionTime != 18060 {
		t.Errorf("hello %+v", hello.Request)
	}

	ts := s.Say("U1", "C1", "<@U0BOT> release `x` example.com")
	e := next(socketmode.EventTypeEventsAPI)
	outer, _ := e.Data.(slackevents.EventsAPIEvent)
	inner, ok := outer.InnerEvent.Data.(*slackevents.AppMentionEvent)
	if !ok || inner.TimeStamp != ts || inner.Channel != "C1" || inner.User != "U1" || outer.TeamID != "T0TEAM" || outer.APIAppID != "A0APP" {
		t.Fatalf("event %+v", outer)
	}
	smc.Ack(*e.Request)
	if err := s.Until(ctx, func() bool { return !s.Deliveries()[0].AckedAt.IsZero() }); err != nil {
		t.Fatal(err)
	}

	msg := slack.NewRefToMessage("C1", ts)
	for _, name := range []string{"thumbsup", "x"} {
		if err := api.AddReactionContext(ctx, name, msg); err != nil {
			t.Error(err)
		}
	}
	if err := api.RemoveReactionContext(ctx, "x", msg); err != nil {
		t.Error(err)
	}
	if got := s.Reactions("C1", ts); !slices.Equal(got, []string{"thumbsup"}) {
		t.Errorf("reactions %v", got)
	}
	reactions, err := api.GetReactionsContext(ctx, msg, slack.NewGetReactionsParameters())
	if err != nil || len(reactions.Reactions) != 1 || reactions.Reactions[0].Users[0] != "U0BOT" {
		t.Errorf("reactions.get: %v, %v", reactions, err)
	}
	_, reply, err := api.PostMessageContext(ctx, "C1", slack.MsgOptionText("running", false), slack.MsgOptionTS(ts),
		slack.MsgOptionBlocks(
			slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, "running", false, true), nil, nil),
			slack.NewActionBlock("", slack.NewButtonBlockElement("stop", "1", slack.NewTextBlockObject(slack.PlainTextType, "Stop", true, false)).WithStyle(slack.StyleDanger))),
		slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "shown", EventPayload: map[string]any{"slot": "status"}}))
	if err != nil {
		t.Fatal(err)
	}
	if !s.Press("U2", "C1", reply, "stop") {
		t.Error("no button")
	}
	e = next(socketmode.EventTypeInteractive)
	pressed, ok := e.Data.(slack.InteractionCallback)
	if !ok || pressed.Type != slack.InteractionTypeBlockActions || pressed.User.ID != "U2" || pressed.Container.MessageTs != reply || pressed.Container.ThreadTs != ts {
		t.Fatalf("press %+v", e.Data)
	}
	if a := pressed.ActionCallback.BlockActions; len(a) != 1 || a[0].ActionID != "stop" || a[0].Value != "1" || a[0].BlockID == "" || a[0].Text.Text != "Stop" {
		t.Errorf("actions %+v", a)
	}
	smc.Ack(*e.Request)
	if err := s.Until(ctx, func() bool { return !s.Presses()[0].AckedAt.IsZero() }); err != nil || s.Unacked() != nil {
		t.Error(err)
	}
	if _, _, _, err := api.UpdateMessageContext(ctx, "C1", reply, slack.MsgOptionText("done", false)); err != nil {
		t.Error(err)
	}
	thread, more, _, err := api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{ChannelID: "C1", Timestamp: ts, IncludeAllMetadata: true})
	if err != nil || more || len(thread) != 2 || thread[1].Text != "done" || thread[1].Metadata.EventPayload["slot"] != "status" || thread[1].BotID != "B0BOT" || thread[0].Reactions[0].Name != "thumbsup" {
		t.Errorf("replies %+v, %v", thread, err)
	}
	if _, err := api.PostEphemeralContext(ctx, "C1", "U1", slack.MsgOptionText("psst", false)); err != nil {
		t.Error(err)
	}
	if c, err := api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: "C1"}); err != nil || c.ID != "C1" || !c.IsMember {
		t.Errorf("conversations.info: %+v, %v", c, err)
	}
	if u, err := api.GetUserInfoContext(ctx, "U1"); err != nil || u.ID != "U1" || u.TeamID != "T0TEAM" {
		t.Errorf("users.info: %+v, %v", u, err)
	}

	var refused slack.SlackErrorResponse
	if err := api.RemoveReactionContext(ctx, "x", msg); !errors.As(err, &refused) || refused.Err != "no_reaction" {
		t.Errorf("reactions.remove: %v", err)
	}
	s.Fail("reactions.add", 1, fakeslack.RateLimited(7*time.Second))
	var limited *slack.RateLimitedError
	if err := api.AddReactionContext(ctx, "x", msg); !errors.As(err, &limited) || limited.RetryAfter != 7*time.Second {
		t.Errorf("rate limit: %v", err)
	}
	s.Fail("chat.postMessage", 1, fakeslack.LoseAnswer())
	if _, _, err := api.PostMessageContext(ctx, "C1", slack.MsgOptionText("lost", false)); err == nil {
		t.Error("an answer to a post whose answer was lost")
	}

	s.Drop(1)
	next(socketmode.EventTypeHello)
	if got := s.Sockets(); !slices.Equal(got, []int{2}) || s.Opens() != 2 {
		t.Errorf("sockets %v, %d opens", got, s.Opens())
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := s.Until(ctx, func() bool { return s.Connections() == 0 }); err != nil {
		t.Error(err)
	}
}
