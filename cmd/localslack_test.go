//go:build localslack

package cmd_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The real program against an imitation of Slack that others wrote: local-slack,
// whose program LOCAL_SLACK names (make localslack fetches it). Unlike Slack
// it hands each envelope to every socket. It keeps no metadata of messages, does
// not look at tokens, and its edits are no mentions, so nothing of that is held here.
func TestLocalSlack(t *testing.T) {
	program := buildPsycher(t)
	for _, c := range []struct {
		name string
		bots int
		test func(*testing.T, *localWorld)
	}{
		{"a mention that both sockets carry deploys once", 1, carriedTwice},
		{"each of many mentions deploys once", 1, many},
		{"each of many mentions deploys once, with two bots on four sockets", 2, many},
		{"local-slack is found again after it was away", 1, away},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, newLocalWorld(t, program, c.bots)) })
	}
}

func carriedTwice(t *testing.T, w *localWorld) {
	ts := w.say("<@" + localBot + "> release")
	w.shows(ts, "thumbsup", 1)
	pipeline := w.gitlab.Pipelines()[0]
	if v := pipeline.Variables; pipeline.Ref != "master" || v["RELEASE"] != "true" || v["channel"] != localChannel || v["timestamp"] != ts {
		t.Errorf("the pipeline got %s %v", pipeline.Ref, v)
	}
	link := fmt.Sprintf("<http://gitlab.test/group/app/-/pipelines/%d", pipeline.ID)
	running := w.thread(ts).texts[0]
	if !strings.Contains(running, link) {
		t.Errorf("the status message does not link the pipeline: %q", running)
	}

	w.tell("success", ts)
	w.shows(ts, "white_check_mark", 2)
	if texts := w.thread(ts).texts; texts[0] == running || !strings.Contains(texts[0], link) {
		t.Errorf("the status message has no final form: %q", texts)
	}
	w.tell("success", ts)
	w.say("a message that is not for the bot")

	var sent, reactions, threads []string
	for _, e := range w.traffic() {
		switch e.Direction + " " + e.Kind {
		case "to_bot events_api":
			sent = append(sent, e.Detail.Event.Type)
		case "from_bot web_api":
			if e.Summary == "reactions.add" {
				reactions = append(reactions, e.Detail.Name)
			}
			if e.Summary == "chat.postMessage" {
				threads = append(threads, e.Detail.Thread)
			}
		}
	}
	if diff := cmp.Diff([]string{"message", "app_mention", "message"}, sent); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"thumbsup", "white_check_mark"}, reactions); diff != "" {
		t.Errorf("reactions that were added (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{ts, ts}, threads); diff != "" {
		t.Errorf("threads that were posted to (-want +got):\n%s", diff)
	}
	w.eventually("each event on both sockets", func() error {
		return same(2*len(sent), w.metric("psycher_slack_envelopes_total"))
	})
	w.eachDeployedOnce(ts)
}

func many(t *testing.T, w *localWorld) {
	all := make([]string, 8)
	var saying sync.WaitGroup
	for i := range all {
		saying.Go(func() { all[i] = w.say("<@" + localBot + "> リリースお願いします") })
	}
	saying.Wait()
	w.eachDeployedOnce(all...)
}

func away(t *testing.T, w *localWorld) {
	lost := w.say("<@" + localBot + "> release")
	w.shows(lost, "thumbsup", 1)
	w.slack.stop()
	w.tell("success", lost)
	w.startSlack()
	// It has forgotten the mention and what was said to it, but takes a new
	// message in that thread.
	w.eventually("the end in the thread", func() error { return same(1, len(w.thread(lost).texts)) })
	w.isReady()

	ts := w.say("<@" + localBot + "> release")
	w.shows(ts, "thumbsup", 1)
	w.tell("failure", ts)
	w.shows(ts, "x", 2)
	if texts := w.thread(ts).texts; !strings.Contains(texts[1], "<@"+localUser+">") {
		t.Errorf("the person is not named: %q", texts)
	}
	w.eachDeployedOnce(lost, ts)
}

// eachDeployedOnce holds when GitLab was asked once for each mention, and no
// more, and what the other sockets brought of each was known for what it is.
func (w *localWorld) eachDeployedOnce(mentions ...string) {
	w.t.Helper()
	w.eventually("a pipeline of each mention", func() error { return same(len(mentions), len(w.gitlab.Pipelines())) })
	w.eventually("what the other sockets bring", func() error {
		return same((2*len(w.bots)-1)*len(mentions), w.metric(`psycher_events_total{event="known"}`))
	})
	var got []string
	for _, p := range w.gitlab.Pipelines() {
		got = append(got, p.Variables["timestamp"])
	}
	slices.Sort(got)
	if diff := cmp.Diff(slices.Sorted(slices.Values(mentions)), got); diff != "" {
		w.t.Errorf("mentions that were deployed (-want +got):\n%s", diff)
	}
	for _, bot := range w.bots {
		bot.stop()
		if code := bot.cmd.ProcessState.ExitCode(); code != 0 {
			w.t.Errorf("psycher ended with %d", code)
		}
	}
	if n := w.gitlab.Posts(); n != len(mentions) {
		w.t.Errorf("%d triggers of %d mentions", n, len(mentions))
	}
}
