package socket

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

func TestAProbeSaysWhatSlackSaysAndAcksNothing(t *testing.T) {
	for _, row := range []struct {
		name    string
		script  func(*farSocket)
		hello   Hello
		refused string // the code
		sent    []string
	}{
		{"a hello", func(far *farSocket) { far.hello(3) }, Hello{"A1", 3}, "", []string{"close 1000"}},
		{"an event right after it", func(far *farSocket) {
			far.hello(3)
			far.send(`{"type":"events_api","envelope_id":"e1","payload":{"id":"e1"}}`)
		}, Hello{"A1", 3}, "", []string{"close 1000"}},
		{"a close frame that is not answered", func(far *farSocket) {
			far.stay = true
			far.hello(3)
		}, Hello{"A1", 3}, "", []string{"close 1000"}},
		{"Socket Mode is off", func(far *farSocket) {
			far.hello(3)
			far.disconnect("link_disabled")
		}, Hello{"A1", 3}, "link_disabled", []string{"close 1000"}},
		{"no room", func(far *farSocket) { far.disconnect("too_many_websockets") }, Hello{}, "too_many_websockets", []string{"close 1000"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, slack *socketFake) {
				slack.script = row.script
				got, err := (&Pool{Open: slack.open, Dial: slack.listener.dial}).Probe(t.Context())
				no := &web.SlackError{}
				if errors.As(err, &no); no.Code != row.refused || row.refused == "" && err != nil {
					t.Errorf("error %v, want %q", err, row.refused)
				}
				if got != row.hello {
					t.Errorf("%+v, want %+v", got, row.hello)
				}
				if diff := cmp.Diff(row.sent, slack.socket(t, 1).got()); diff != "" {
					t.Errorf("-want +sent: %s", diff)
				}
			})
		})
	}
}

func TestAProbeWithoutAHelloEnds(t *testing.T) {
	bubble(t, func(t *testing.T, slack *socketFake) {
		slack.script = func(*farSocket) {}
		if _, err := (&Pool{Open: slack.open, Dial: slack.listener.dial}).Probe(t.Context()); err == nil {
			t.Error("no error")
		}
	})
}

// Slack hands a mention to the probe's connection; the bot hears of it all the same.
func TestAMentionThatAProbeGetsIsDeliveredAgain(t *testing.T) {
	slack := fakeslack.New(fakeslack.Config{Retries: []time.Duration{0, 0, 0}})
	server := httptest.NewServer(slack)
	t.Cleanup(func() {
		slack.Close()
		server.Close()
	})
	client := web.New(web.Config{AppToken: "xapp-test", BotToken: "xoxb-test", URL: server.URL + "/api/"})
	pool := func(handled chan int) *Pool {
		return &Pool{Count: 1, Open: client.OpenConnection, Dial: (&net.Dialer{}).DialContext, Handle: func(_ context.Context, _ string, _ json.RawMessage, attempt int) (bool, func()) {
			handled <- attempt
			return true, nil
		}}
	}
	slack.Say("U1", "C1", "<@U0BOT> release") // waits for a connection
	if _, err := pool(nil).Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(slack.Deliveries(), func(d fakeslack.Delivery) bool { return d.Socket == 1 }) {
		t.Fatal("the mention did not come to the probe")
	}
	handled := make(chan int, 1)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { pool(handled).Run(ctx); close(ended) }()
	if attempt := <-handled; attempt == 0 {
		t.Error("the mention came as if for the first time")
	}
	stop()
	<-ended
	if err := slack.Until(t.Context(), func() bool { return slack.Connections() == 0 }); err != nil {
		t.Error(err)
	}
}
