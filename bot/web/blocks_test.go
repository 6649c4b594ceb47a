package web

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/getto-systems/psycher/bot/phrases"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

// question has a button for each target.
func question(targets int, name, ref string) deploy.Message {
	m := deploy.Message{
		ID: deploy.MsgUnclear, User: "U0ASKER", Word: "otama",
		Known: []deploy.Known{{Target: "app", State: deploy.Succeeded, By: "U0SATO", Since: 1700000000, Ended: 1700000168}},
	}
	for i := range targets {
		m.Buttons = append(m.Buttons, deploy.Button{Do: deploy.KindDeploy, Target: fmt.Sprint(name, i), Ref: ref, Value: fmt.Sprint("deploy ", i)})
	}
	return withNo(m)
}

func withNo(m deploy.Message) deploy.Message {
	m.Buttons = append(m.Buttons, deploy.Button{Value: "no"})
	return m
}

// posted is a message as Slack took it.
func posted(t *testing.T, lang string, m deploy.Message) (slack *fakeslack.Slack, c *Client, at engine.Place, as fakeslack.Message) {
	t.Helper()
	voice, err := phrases.New(lang)
	if err != nil {
		t.Fatal(err)
	}
	slack = fakeslack.New(fakeslack.Config{})
	t.Cleanup(slack.Close)
	server := httptest.NewServer(slack)
	t.Cleanup(server.Close)
	c = New(Config{BotToken: "xoxb-test", AppToken: "xapp-test", URL: server.URL + "/api", Voice: voice})
	ts := slack.Say("U0ASKER", "C0APP", "release otama")
	at = engine.Place{Request: deploy.Request{Key: deploy.Key{Team: "T0TEAM", Channel: "C0APP", TS: ts}, ID: "id"}, Slot: deploy.SlotStatus}
	if _, err := c.Post(t.Context(), at, m); err != nil {
		t.Fatalf("%d buttons: %v", len(m.Buttons), err)
	}
	return slack, c, at, slack.Thread("C0APP", ts)[0]
}

func TestAQuestionHasAButtonForEachTargetOrAMenu(t *testing.T) {
	for n, want := range map[int]string{
		1: "Deploy app0 (master), No", 4: "Deploy app0 (master), Deploy app1 (master), Deploy app2 (master), Deploy app3 (master), No",
		5: "Choose a target of 5, No", 100: "Choose a target of 100, No",
	} {
		_, _, _, m := posted(t, "en", question(n, "app", "master"))
		var labels []string
		for _, c := range m.Controls() {
			label := c.Label
			if len(c.Choices) > 0 {
				label += fmt.Sprintf(" of %d", len(c.Choices))
				if c.Choices[3] != (fakeslack.Choice{Label: "Deploy app3 (master)", Value: "deploy 3"}) {
					t.Errorf("the fourth choice is %+v", c.Choices[3])
				}
			}
			labels = append(labels, label)
		}
		if got := strings.Join(labels, ", "); got != want {
			t.Errorf("%d targets: %s", n, got)
		}
		if !strings.Contains(m.Text, "otama") || !strings.Contains(string(m.Blocks), "otama") || !strings.Contains(string(m.Blocks), "last: `app` succeeded") {
			t.Errorf("%d targets: %s %s", n, m.Text, m.Blocks)
		}
	}
}

// Slack's stand-in refuses blocks as Slack does.
func TestBlocksKeepSlacksLimits(t *testing.T) {
	for _, lang := range []string{"ja", "en"} {
		for _, part := range []string{"&", "<!channel>", "字", "`", "\u202e", "x"} {
			m := question(100, strings.Repeat(part, 400), strings.Repeat(part, 400))
			m.Word, m.Target, m.Ref = strings.Repeat(part, 400), strings.Repeat(part, 400), strings.Repeat(part, 400)
			m.Known = slices.Repeat([]deploy.Known{{Target: m.Target, State: deploy.Unsure, By: "U0SATO", Since: 1 << 40, URL: "https://git/" + strings.Repeat("x", 780)}}, 10)
			posted(t, lang, m)
			m.Buttons = m.Buttons[97:]
			posted(t, lang, m)
		}
	}
}

func TestAnEditWithoutButtonsTakesThemOff(t *testing.T) {
	slack, c, at, m := posted(t, "en", question(1, "app", "master"))
	if err := c.Update(t.Context(), at.Request.Key, m.TS, deploy.Message{ID: deploy.MsgLapsed}); err != nil {
		t.Fatal(err)
	}
	if m := slack.Thread("C0APP", at.Request.TS)[0]; len(m.Controls()) > 0 || len(m.Blocks) > 0 || !strings.Contains(m.Text, "release") {
		t.Errorf("it is left as %s %s", m.Text, m.Blocks)
	}
}

func TestAWhisperIsSeenByOnePersonAlone(t *testing.T) {
	slack, c, at, _ := posted(t, "en", question(1, "app", "master"))
	for _, thread := range []string{at.Request.TS, ""} {
		if err := c.Whisper(t.Context(), "C0APP", thread, "U0ASKER", deploy.Message{ID: deploy.MsgPressClosed}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(slack.Ephemerals("C0APP", "U0ASKER")); n != 2 || len(slack.Ephemerals("C0APP", "U0OTHER")) > 0 {
		t.Errorf("%d words to the person", n)
	}
}

func TestNamesThatDifferAtTheirEndHaveLabelsOfTheirOwn(t *testing.T) {
	m := question(1, "customer-portal-backend-production-eu", "release/2026-11-with-a-long-name")
	m.Buttons = append(m.Buttons[:1:1], m.Buttons...)
	m.Buttons[1].Target, m.Buttons[1].Value = "customer-portal-backend-production-us", "deploy 1"
	_, _, _, as := posted(t, "en", m)
	if all := as.Controls(); len(all) != 3 || all[0].Label == all[1].Label {
		t.Errorf("the labels are %+v", all)
	}
}
