package fakeslack_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sandbox/pipenet"
)

// world is a Slack in a synctest bubble, and a client of it.
type world struct {
	*fakeslack.Slack
	t    *testing.T
	net  *pipenet.Network
	http *http.Client
}

// inBubble runs a test with a Slack, and checks that nothing is left behind.
func inBubble(t *testing.T, cfg fakeslack.Config, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := pipenet.New()
		l, err := n.Listen("slack.test:80")
		if err != nil {
			t.Fatal(err)
		}
		s := fakeslack.New(cfg)
		srv := &http.Server{Handler: s}
		served := make(chan error)
		go func() { served <- srv.Serve(l) }()
		tr := &http.Transport{DialContext: n.Dial}
		test(t, &world{s, t, n, &http.Client{Transport: tr}})
		s.Close()
		tr.CloseIdleConnections()
		_ = srv.Close()
		<-served
		n.CutAll("")
	})
}

// call calls a method and returns the answer's body.
func (w *world) call(method string, form url.Values) map[string]any {
	w.t.Helper()
	token := "xoxb-test"
	if method == "apps.connections.open" {
		token = "xapp-test"
	}
	resp, err := w.try(method, token, form)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var body map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		w.t.Fatalf("%s: %v", method, err)
	}
	return body
}

func (w *world) try(method, token string, form url.Values) (*http.Response, error) {
	req, err := http.NewRequestWithContext(w.t.Context(), "POST", "http://slack.test/api/"+method, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return w.http.Do(req)
}

// client is one web socket of the bot's.
type client struct {
	t *testing.T
	*websocket.Conn
}

type envelope struct {
	Type        string
	ID          string `json:"envelope_id"`
	Attempt     int    `json:"retry_attempt"`
	RetryReason string `json:"retry_reason"`
	Accepts     *bool  `json:"accepts_response_payload"`
	Connections int    `json:"num_connections"`
	Reason      string
	Payload     struct {
		Event        map[string]any
		EventID      string `json:"event_id"`
		TeamID       string `json:"team_id"`
		ContextTeam  string `json:"context_team_id"`
		AppID        string `json:"api_app_id"`
		Type         string
		IsExtShared  bool `json:"is_ext_shared_channel"`
		EventTime    int64
		Authorizions []map[string]any `json:"authorizations"`
	}
}

// dial opens a socket without reading from it.
func (w *world) dial() (*client, *http.Response, error) {
	w.t.Helper()
	open := w.call("apps.connections.open", nil)
	link, _ := open["url"].(string)
	c, resp, err := (&websocket.Dialer{NetDialContext: w.net.Dial}).DialContext(w.t.Context(), link, nil)
	return &client{w.t, c}, resp, err
}

// connect opens a socket and reads its hello.
func (w *world) connect() *client {
	w.t.Helper()
	c, _, err := w.dial()
	if err != nil {
		w.t.Fatal(err)
	}
	if got := c.next(); got.Type != "hello" {
		w.t.Fatalf("no hello but %+v", got)
	}
	return c
}

func (c *client) next() (e envelope) {
	c.t.Helper()
	if err := c.ReadJSON(&e); err != nil {
		c.t.Fatalf("read: %v", err)
	}
	return e
}

func (c *client) ack(id string) {
	c.t.Helper()
	if err := c.WriteJSON(map[string]string{"envelope_id": id}); err != nil {
		c.t.Fatalf("ack: %v", err)
	}
}

// quiet reports that nothing comes for a time. The socket cannot be used afterwards.
func (c *client) quiet(d time.Duration) bool {
	_ = c.SetReadDeadline(time.Now().Add(d))
	_, _, err := c.ReadMessage()
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

func TestUntilWaitsForAChange(t *testing.T) {
	inBubble(t, fakeslack.Config{}, func(t *testing.T, w *world) {
		time.AfterFunc(time.Minute, func() { w.Say("U1", "C1", "hello") })
		began := time.Now()
		if err := w.Until(t.Context(), func() bool { return len(w.Channel("C1")) == 1 }); err != nil || time.Since(began) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestTheSameSeedGivesTheSameIDs(t *testing.T) {
	run := func(seed uint64) (all []fakeslack.Delivery) {
		inBubble(t, fakeslack.Config{Seed: seed}, func(t *testing.T, w *world) {
			w.connect()
			w.connect()
			for range 3 {
				w.Say("U1", "C1", "<@U0BOT> release")
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			all = w.Deliveries()
		})
		return all
	}
	once, again, other := run(1), run(1), run(2)
	if diff := cmp.Diff(once, again); diff != "" || len(once) != 12 {
		t.Errorf("%d deliveries: %s", len(once), diff)
	}
	if cmp.Equal(once, other) {
		t.Error("another seed gives the same IDs IDs")
	}
}
