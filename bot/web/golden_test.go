package web

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/getto-systems/psycher/bot/phrases"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/messages"
)

var update = flag.Bool("update", false, "write the golden files of messages anew")

// readable is a message as people see it: a line for each block, what is small in
// parentheses, and what its buttons say. The first line is what notifications have.
func readable(t *testing.T, c *Client, m deploy.Message) string {
	t.Helper()
	voice := c.config.Voice()
	text, parts := voice.Text(m), voice.Parts(m)
	raw, err := json.Marshal(c.blocks(voice, m, text, parts))
	if err != nil {
		t.Fatal(err)
	}
	type words struct{ Text string }
	var blocks []struct {
		Type     string
		Text     words
		Elements []struct {
			Text    json.RawMessage
			Style   string
			URL     string
			Options []struct{ Text words }
			Label   words  `json:"placeholder"`
			Reader  string `json:"accessibility_label"`
			Confirm *struct{ Title, Text, Confirm, Deny words }
		}
	}
	if err := json.Unmarshal(raw, &blocks); err != nil {
		t.Fatal(err)
	}
	lines := []string{text}
	for _, b := range blocks {
		switch b.Type {
		case "section":
			lines = append(lines, "| "+b.Text.Text)
			continue
		case "context":
			var small string
			if err := json.Unmarshal(b.Elements[0].Text, &small); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, "| ("+small+")")
			continue
		}
		for _, e := range b.Elements {
			label := e.Label
			for _, o := range e.Options {
				label.Text += " / " + o.Text.Text
			}
			if err := json.Unmarshal(e.Text, &label); e.Options == nil && err != nil {
				t.Fatal(err)
			}
			line := strings.TrimRight(fmt.Sprintf("| [%s] %s %s %s", label.Text, e.Style, e.URL, e.Reader), " ")
			if d := e.Confirm; d != nil {
				line += fmt.Sprintf("\n|     %s / %s [%s] [%s]", d.Title.Text, d.Text.Text, d.Confirm.Text, d.Deny.Text)
			}
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

func TestEveryMessageIsAsItWas(t *testing.T) { synctest.Test(t, everyMessage) }

func everyMessage(t *testing.T) {
	time.Sleep(time.Until(time.Unix(1700000000, 0)))
	for _, lang := range []string{"ja", "en"} {
		voice, err := phrases.New(lang)
		if err != nil {
			t.Fatal(err)
		}
		c := New(Config{Voice: func() phrases.Voice { return voice }})
		var b strings.Builder
		for _, id := range messages.IDs() {
			for i, m := range messages.Samples(id) {
				fmt.Fprintf(&b, "== %s %d\n%s\n", id, i+1, readable(t, c, m))
			}
		}
		offers := question(5, "app", "master")
		running := question(1, "app", "master")
		running.Known[0] = deploy.Known{Target: "app", State: deploy.Running, By: "U0SATO", Since: 1700000000}
		running.Buttons = slices.Insert(running.Buttons, 1, deploy.Button{Do: deploy.KindCancel, Target: "app", Ref: "#1002", Value: "cancel"})
		for i, m := range []deploy.Message{offers, running} {
			fmt.Fprintf(&b, "== unclear, with buttons %d\n%s\n", i+1, readable(t, c, m))
		}
		held := messages.Samples(deploy.MsgFreeze)[0]
		held.Also = []deploy.MessageID{deploy.MsgLocked, deploy.MsgStatusQueued, deploy.MsgTakenBack, deploy.MsgApprovals}
		held.Known = []deploy.Known{{Target: "app", State: deploy.Locked, By: "U0SATO", Until: 1700010000, Reason: "DB migration"}, running.Known[0]}
		held.Undone, held.Missing = messages.Samples(deploy.MsgTakenBack)[0].Progress.Before, 2
		held.Buttons = []deploy.Button{{Do: deploy.KindDeploy, Target: "app", Ref: "master", Over: "x", Freeze: true}, {}}
		refused := messages.Samples(deploy.MsgNotAllowed)[0]
		refused.Also, refused.Frozen = []deploy.MessageID{deploy.MsgFrozen}, held.Frozen
		refused.Also, refused.Known = append(refused.Also, deploy.MsgLocked, deploy.MsgStatusRunning), held.Known
		only := messages.Samples(deploy.MsgPendingOnly)[0]
		only.Also, only.Frozen, only.Known = []deploy.MessageID{deploy.MsgFrozen, deploy.MsgLocked}, held.Frozen, held.Known[:1]
		for i, m := range []deploy.Message{held, refused, only} {
			fmt.Fprintf(&b, "== several reasons %d\n%s\n", i+1, readable(t, c, m))
		}
		name, got := "testdata/messages."+lang+".txt", b.String()
		if *update {
			if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
			t.Errorf("%s (-update writes it): %s", name, diff)
		}
	}
}
