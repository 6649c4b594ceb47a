package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/bot/phrases"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
	"github.com/getto-systems/psycher/internal/messages"
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
	c = New(Config{BotToken: "xoxb-test", AppToken: "xapp-test", URL: server.URL + "/api", Voice: func() phrases.Voice { return voice }})
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

func TestAQuestionMayOfferToCancelOrToGoBack(t *testing.T) {
	m := question(1, "app", "master")
	cancel := deploy.Button{Do: deploy.KindCancel, Target: "app", Ref: "#1002", Value: "cancel"}
	m.Buttons = slices.Insert(m.Buttons, 1, cancel)
	_, _, _, as := posted(t, "en", m)
	if diff := cmp.Diff([]string{"choose-0 Deploy app0 (master) primary", "choose-1 Cancel #1002… danger", "choose-2 No "}, pressable(as)); diff != "" {
		t.Error(diff)
	}
	m.Buttons = withNo(deploy.Message{Buttons: []deploy.Button{{Do: deploy.KindRollback, Target: "app", SHA: "9f8e7d6c5b", Value: "back"}}}).Buttons
	_, _, _, as = posted(t, "en", m)
	if diff := cmp.Diff([]string{"choose-0 Roll back to 9f8e7d6 primary", "choose-1 No "}, pressable(as)); diff != "" || strings.Contains(string(as.Blocks), `"confirm"`) {
		t.Errorf("%s %s", diff, as.Blocks)
	}
	m = question(9, "app", "master")
	m.Buttons = slices.Insert(m.Buttons, 9, cancel)
	_, _, _, as = posted(t, "en", m)
	if diff := cmp.Diff([]string{"choose Choose a target ", "choose-9 Cancel #1002… danger", "choose-10 No "}, pressable(as)); diff != "" {
		t.Error(diff)
	}
}

// pressable are the buttons of a message.
func pressable(m fakeslack.Message) (all []string) {
	for _, c := range m.Controls() {
		all = append(all, c.Action+" "+c.Label+" "+c.Style)
	}
	return all
}

func TestAStatusMessageHasAllItsButtons(t *testing.T) {
	for id, want := range map[deploy.MessageID][]string{
		deploy.MsgStatusRunning:   {"choose-0 Cancel… danger"},
		deploy.MsgStatusSucceeded: {"choose-0 Open ", "choose-1 Roll back to 9f8e7d6… "},
		deploy.MsgStatusFailed:    {"choose-0 Retry ", "choose-1 Roll back to 9f8e7d6… "},
	} {
		_, _, _, m := posted(t, "en", messages.Samples(id)[0])
		if diff := cmp.Diff(want, pressable(m)); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
		if strings.Contains(string(m.Blocks), `"url"`) != (id == deploy.MsgStatusSucceeded) {
			t.Errorf("%s: %s", id, m.Blocks)
		}
	}
}

// Ten thousand messages of what can be known, in names, titles and numbers beyond
// all measure. The stand-in of Slack refuses blocks as Slack does.
func TestBlocksKeepSlacksLimits(t *testing.T) {
	random, each := rand.New(rand.NewPCG(1, 2)), 5_000
	if testing.Short() {
		each = 500
	}
	for _, lang := range []string{"ja", "en"} {
		voice, err := phrases.New(lang)
		if err != nil {
			t.Fatal(err)
		}
		c := New(Config{})
		ids, longest := messages.IDs(), 0
		for i := range each {
			m := generated(random, ids[i%len(ids)])
			text, parts := voice.Text(m), voice.Parts(m)
			raw, err := json.Marshal(c.blocks(voice, m, text, parts))
			if err != nil {
				t.Fatal(err)
			}
			if _, code, problems := fakeslack.CheckBlocks(string(raw)); code != "" {
				t.Fatalf("%s %q in %s", code, problems, raw)
			}
			for _, text := range []string{text, plainly(parts)} {
				if n := utf8.RuneCountInString(text); n == 0 || n > 4000 {
					t.Fatalf("a text of %d characters: %s", n, text)
				}
			}
			longest = max(longest, len(raw))
		}
		t.Logf("%s: the largest blocks have %d bytes", lang, longest)
	}
}

// generated is a message in which anything may be missing, or huge.
func generated(random *rand.Rand, id deploy.MessageID) deploy.Message {
	maybe := func() bool { return random.IntN(4) > 0 }
	text := func() string {
		part := []string{"&", "<!channel>", "字", "`", "\u202e", "x", "release/2026 ", "*"}[random.IntN(8)]
		return strings.Repeat(part, []int{0, 1, 7, 500 / len(part)}[random.IntN(4)])
	}
	url := func() string {
		return []string{"", "https://git/p", "https://git/" + strings.Repeat("x", 780), "javascript:x", "https://git/" + text()}[random.IntN(5)]
	}
	some := func(upTo int) int { return []int{0, 1, 1, 2, 3, 3, 4, upTo}[random.IntN(8)] }
	commit := func() deploy.Commit {
		return deploy.Commit{SHA: []string{"", strings.Repeat("9f8e7d6", 9), "<!here>"}[random.IntN(3)], Title: text(), Author: text(), URL: url()}
	}
	job := func() *deploy.Job {
		return &deploy.Job{Name: text(), Stage: text(), Reason: []string{"", "script_failure", text()}[random.IntN(3)], URL: url()}
	}
	seconds := func() int64 { return random.Int64N(1 << random.IntN(40)) }
	m := deploy.Message{
		ID: id, Seed: random.Uint32(), User: "U0ASKER", Target: text(), Targets: slices.Repeat([]string{text()}, some(100)), Project: text(), Ref: text(), Key: text(), URL: url(),
		Word: text(), By: []string{"", "U0SATO"}[random.IntN(2)], Detail: text(), Until: seconds(), For: []string{"", "U0YAMADA"}[random.IntN(2)], Took: seconds(),
		Known:     slices.Repeat([]deploy.Known{{Target: text(), Ref: text(), State: deploy.Unsure, By: "U0SATO", Since: seconds(), Ended: seconds(), URL: url()}}, some(30)),
		InChannel: maybe(), Withdrawn: some(10_000),
	}
	if also := []deploy.MessageID{deploy.MsgFreeze, deploy.MsgLocked, deploy.MsgBusy, deploy.MsgTakenBack, deploy.MsgConfirm, deploy.MsgNotAllowed}; maybe() {
		m.Also = also[random.IntN(len(also)):]
	}
	if maybe() {
		m.Progress = &deploy.Progress{Commit: commit(), Usual: seconds(), Elapsed: seconds(), Steers: maybe()}
		p := m.Progress
		if maybe() {
			p.Before = &deploy.Success{Commit: commit(), By: "U0SATO", At: seconds()}
		}
		if maybe() {
			p.Commits = &deploy.Commits{Count: some(10_000), More: maybe(), First: slices.Repeat([]deploy.Commit{commit()}, some(3)), Back: maybe(), Compare: url()}
		}
		if maybe() {
			p.Failed = job()
		}
		if p.Stages = slices.Repeat([]deploy.Stage{{Name: text(), Status: "running"}, {Name: text(), Status: "failed"}, {Name: text(), Status: text()}}, some(100)); maybe() {
			p.Unseen = seconds()
		}
	}
	if targets := some(100); maybe() {
		for i := range targets {
			m.Buttons = append(m.Buttons, deploy.Button{Do: deploy.KindDeploy, Target: text(), Ref: text(), Value: fmt.Sprint(i)})
		}
		for _, do := range []deploy.Kind{deploy.KindOpen, deploy.KindCancel, deploy.KindRetry, deploy.KindRollback, deploy.KindUnlock, ""} {
			if maybe() {
				m.Buttons = append(m.Buttons, deploy.Button{Do: do, Target: text(), Ref: text(), SHA: commit().SHA, URL: url(), Value: string("v" + do)})
			}
		}
	}
	return m
}

func TestARefusalOfBlocksLeavesNobodyWithoutAWord(t *testing.T) {
	for _, code := range []string{"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"} {
		t.Run(code, func(t *testing.T) {
			slack, c, at, _ := posted(t, "en", deploy.Message{ID: deploy.MsgGreet})
			var log bytes.Buffer
			c.config.Log = zerolog.New(&log)
			m := messages.Samples(deploy.MsgStatusFailed)[0]
			rich := func() fakeslack.Message {
				ts, err := c.Post(t.Context(), at, m)
				if err != nil {
					t.Fatal(err)
				}
				all := slack.Thread("C0APP", at.Request.TS)
				return all[slices.IndexFunc(all, func(m fakeslack.Message) bool { return m.TS == ts })]
			}
			before := rich()
			slack.RefuseBlocks(code)
			after := rich()
			if err := c.Update(t.Context(), at.Request.Key, before.TS, m); err != nil {
				t.Fatal(err)
			}
			if err := c.Whisper(t.Context(), "C0APP", "", "U0ASKER", m); err != nil {
				t.Fatal(err)
			}
			told := append(slack.Thread("C0APP", at.Request.TS)[1:], slack.Ephemerals("C0APP", "U0ASKER")...)
			if before.Blocks == nil || len(told) != 3 || !strings.Contains(string(after.Metadata), "psycher") {
				t.Fatalf("%d messages, first %s", len(told), before.Blocks)
			}
			for _, m := range told {
				if m.Blocks != nil || !strings.HasPrefix(m.Text, "❌ *Failed* `app`") || !strings.Contains(m.Text, "(script error), 1m12s\nlast success") {
					t.Errorf("it says %q, with blocks %s", m.Text, m.Blocks)
				}
			}
			if n := strings.Count(log.String(), "Slack refuses the blocks"); n != 1 {
				t.Errorf("logged %d times: %s", n, log.String())
			}
			slack.RefuseBlocks("")
			if m := rich(); m.Blocks == nil {
				t.Error("once refused, blocks are not tried again")
			}
		})
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
