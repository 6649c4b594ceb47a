package bot

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/targets"
)

// taken hands an event to an intake and returns what it accepted and logged.
func taken(t *testing.T, payload []byte) (accepted []deploy.Request, log string) {
	t.Helper()
	var b strings.Builder
	i := Intake{Me: bot, Reader: reader(t), Log: zerolog.New(&b), Accept: func(_ context.Context, m deploy.Request, _ int) (bool, func()) {
		accepted = append(accepted, m)
		return true, nil
	}}
	if ack, _ := i.Handle(t.Context(), "events_api", payload, 0); !ack {
		t.Error("it is not acked")
	}
	return accepted, b.String()
}

// reader knows a channel with one target.
func reader(t *testing.T) Reader {
	t.Helper()
	all, err := targets.Parse([]byte(`{"T1": {"C1": {"app": {"project_id": "group/app", "token": "glptt-test"}}}}`), "master", time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	return Reader{Targets: func() *targets.Map { return all }}
}

func TestMentionThatIsNotAnsweredIsOneLineOfTheLog(t *testing.T) {
	where := []string{`"channel":"C1"`, `"ts":"1700000000.000100"`, `"event":"Ev1"`}
	for _, c := range []struct {
		name    string
		changes map[string]any
		tells   []string
	}{
		{"another bot", obj{"event.bot_id": "B2", "event.app_id": "A2"}, append(where, `"bot":"B2"`, `"app":"A2"`, "a bot")},
		{"a bot without a user", obj{"event.user": nil, "event.subtype": "bot_message"}, append(where, "a bot")},
		{"a subtype", obj{"event.subtype": "channel_topic"}, append(where, `"user":"U1"`, "channel_topic")},
		{"hidden", obj{"event.hidden": true}, append(where, `"user":"U1"`, "hidden")},
		{"in code", obj{"event.text": "`<@UBOT>` release"}, append(where, `"user":"U1"`, "in code")},
		{"for another workspace", obj{"context_team_id": "T2"}, append(where, `"for_team":"T2"`, `"team":"T1"`, "another workspace")},
		{"without a user", obj{"event.user": nil}, append(where, "no user")},
		{"an edit that names the bot in code", obj{"event.text": "`<@UBOT>` release", "event.edited": obj{"ts": "1700000009.000000"}}, append(where, "in code")},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, log := taken(t, event(c.changes))
			if strings.Count(log, "\n") != 1 || !strings.Contains(log, `"level":"info"`) {
				t.Fatalf("not one line of information: %s", log)
			}
			for _, w := range c.tells {
				if !strings.Contains(log, w) {
					t.Errorf("does not name %s: %s", w, log)
				}
			}
		})
	}
	for name, changes := range map[string]map[string]any{
		"the bot's own post": {"event.user": "UBOT", "event.bot_id": "B1"},
		"another event":      {"event.type": "member_joined_channel"},
	} {
		t.Run(name, func(t *testing.T) {
			accepted, log := taken(t, event(changes))
			if len(accepted) != 0 || !strings.Contains(log, `"level":"debug"`) {
				t.Errorf("accepted %d, logged %s", len(accepted), log)
			}
		})
	}
	if accepted, log := taken(t, event(nil)); len(accepted) != 1 || log != "" {
		t.Errorf("a mention: accepted %d, logged %s", len(accepted), log)
	}
}

func TestEnvelopesOfOtherTypesAreAckedAndAskForNothing(t *testing.T) {
	for _, envelope := range []string{"slash_commands", "dreams", ""} {
		var log strings.Builder
		i := Intake{Me: bot, Reader: reader(t), Log: zerolog.New(&log), Accept: func(context.Context, deploy.Request, int) (bool, func()) {
			t.Errorf("%s: accepted", envelope)
			return false, nil
		}}
		if ack, _ := i.Handle(t.Context(), envelope, event(nil), 0); !ack {
			t.Errorf("%s: not acked", envelope)
		}
		if !strings.Contains(log.String(), `"level":"debug","type":"`+envelope+`"`) {
			t.Errorf("%s: logged %s", envelope, log.String())
		}
	}
}

func TestSlackThatHoldsEventsBackIsAWarningWithTheFix(t *testing.T) {
	accepted, log := taken(t, []byte(`{"token":"x","type":"app_rate_limited","team_id":"T1","minute_rate_limited":1518467820,"api_app_id":"A1"}`))
	if len(accepted) != 0 {
		t.Error("it counts as a mention")
	}
	for _, w := range []string{`"level":"warn"`, `"team":"T1"`, `"minute":"1518467820"`, "Event Subscriptions", "app_mention"} {
		if !strings.Contains(log, w) {
			t.Errorf("does not name %s: %s", w, log)
		}
	}
}

func TestEditThatNoLongerNamesTheBotReachesTheRecord(t *testing.T) {
	edited := obj{"user": "U1", "ts": "1700000009.000000"}
	struck := func(e obj) obj {
		e["style"] = obj{"strike": true}
		return e
	}
	for name, changes := range map[string]map[string]any{
		"in code":          {"event.text": "`<@UBOT> release`"},
		"in a quote":       {"event.text": "&gt; <@UBOT> release"},
		"preformatted":     {"event.text": "```<@UBOT> release```"},
		"struck through":   {"event.text": "~<@UBOT> release~"},
		"rich, in code":    {"event.blocks": rich(section(codeText("<@UBOT> release")))},
		"rich, in a quote": {"event.blocks": rich(obj{"type": "rich_text_quote", "elements": []any{botElement, text(" release")}})},
		"rich, struck through": {"event.blocks": rich(section(
			struck(obj{"type": "user", "user_id": "UBOT"}), struck(text(" release"))))},
		"gone": {"event.text": "never mind"},
	} {
		t.Run(name, func(t *testing.T) {
			accepted, _ := taken(t, event(changes))
			if len(accepted) != 0 {
				t.Fatalf("a new message that does not name the bot is accepted: %+v", accepted)
			}
			changes["event.edited"] = edited
			accepted, _ = taken(t, event(changes))
			if len(accepted) != 1 || !accepted[0].Edited || accepted[0].Intent != (deploy.Intent{}) {
				t.Errorf("accepted %+v", accepted)
			}
		})
	}
	accepted, _ := taken(t, event(obj{"event.text": "`<@UBOT> release`", "event.edited": edited, "context_team_id": "T2"}))
	if len(accepted) != 0 {
		t.Error("an edit for another workspace is accepted")
	}
}

func TestWhatIsNotReadToItsEndNeverDeploys(t *testing.T) {
	nested := section(text("release"))
	for range 20 {
		nested = obj{"type": "rich_text_list", "elements": []any{nested}}
	}
	long := strings.Repeat("長い話", markup.MaxLength/3+1)
	for name, changes := range map[string]map[string]any{
		"what holds it back comes too late": {"event.text": "<@UBOT> release\n" + long + "\nbut not now, wait"},
		"the same in rich text":             {"event.blocks": rich(section(botElement, text(" release\n"+long+"\nstop")))},
		"the request comes too late":        {"event.text": "<@UBOT> " + long + " release"},
		"too deep":                          {"event.blocks": rich(section(botElement, text(" release ")), nested)},
		"a block that is a number":          {"event.blocks": append(rich(section(botElement, text(" release "))), 5)},
		"blocks that are a string":          {"event.blocks": "x"},
		"elements that are a number":        {"event.blocks": rich(section(botElement, text(" release")), obj{"type": "rich_text_section", "elements": 5})},
		"an element that is a number":       {"event.blocks": rich(section(botElement, text(" release "), 5))},
		"an element without words":          {"event.blocks": rich(section(botElement, text(" release "), obj{"type": "date", "timestamp": 1700000000}))},
		"a person without an id":            {"event.blocks": rich(section(botElement, text(" release "), obj{"type": "user"}))},
		"text that is an object":            {"event.blocks": rich(section(botElement, text(" release "), obj{"type": "text", "text": obj{}}))},
	} {
		t.Run(name, func(t *testing.T) {
			m, said, ok, reason := ReadMention(event(changes), bot)
			if !ok {
				t.Fatalf("not a mention: %s", reason)
			}
			if in := reader(t).Read(m.Key, said); in.Doubt != deploy.MsgTooLong {
				t.Errorf("%q is read as %+v", markup.Shorten(written(said), 40), in)
			}
		})
	}
	for name, changes := range map[string]map[string]any{
		"as long as is read": {"event.text": "<@UBOT> release" + strings.Repeat(" ", markup.MaxLength-100) + "please"},
		"an empty element":   {"event.blocks": rich(section(text(""), botElement, text(" release"), text("")))},
		"no blocks":          {"event.blocks": raw("null")},
	} {
		t.Run(name, func(t *testing.T) {
			m, said, _, _ := ReadMention(event(changes), bot)
			if in := reader(t).Read(m.Key, said); !in.Deploys() {
				t.Errorf("it is read as %+v", in)
			}
		})
	}
}
