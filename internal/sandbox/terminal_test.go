package sandbox

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

const ask = `[{"type":"section","text":{"type":"mrkdwn","text":"<@U0YAMADA> *Deploy now?*"}},
	{"type":"context","elements":[{"type":"mrkdwn","text":"last: succeeded, <!date^1700000000^{date_short_pretty} {time}|22:13 UTC>, <@U0SATO>"}]},
	{"type":"actions","elements":[
		{"type":"button","action_id":"yes","text":{"type":"plain_text","text":"Deploy app (master)"},"value":"1"},
		{"type":"button","action_id":"no","text":{"type":"plain_text","text":"No"},"value":"2"}]}]`

const menu = `[{"type":"actions","elements":[{"type":"static_select","action_id":"which","options":[
	{"text":{"type":"plain_text","text":"app"},"value":"a"},{"text":{"type":"plain_text","text":"admin"},"value":"b"}]}]}]`

// shown is a terminal, and what it has printed since it was last asked.
type shown struct {
	*testing.T
	*Terminal
	out strings.Builder
	url string
}

func watch(t *testing.T) *shown {
	t.Helper()
	s := fakeslack.New(fakeslack.Config{Team: Team, Bot: BotUser})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	t.Cleanup(s.Close)
	v := &shown{T: t, url: server.URL + "/api/"}
	v.Terminal = &Terminal{Out: &v.out, Slack: s, Bot: "psycher", Only: "(only to you)"}
	return v
}

// call calls a method as the bot would, and returns the message's ts.
func (v *shown) call(method string, pairs ...string) (ts string) {
	v.Helper()
	form := url.Values{"token": {"xoxb-test"}, "channel": {Channel}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	resp, err := http.PostForm(v.url+method, form)
	if err != nil {
		v.Fatal(err)
	}
	_ = resp.Body.Close()
	for _, m := range v.Slack.Thread(Channel, form.Get("thread_ts")) {
		ts = m.TS
	}
	return ts
}

// prints checks what is new.
func (v *shown) prints(want ...string) {
	v.Helper()
	v.print()
	got := strings.Split(strings.TrimSuffix(v.out.String(), "\n"), "\n")
	v.out.Reset()
	if want == nil {
		want = []string{""}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		v.Error(diff)
	}
}

func TestButtonsAreNumberedAndPressed(t *testing.T) {
	at := time.Unix(1700000000, 0).Format("15:04")
	v := watch(t)
	mention := v.Slack.Say(User, Channel, Bot+" release tomorrow")
	first := v.call("chat.postMessage", "thread_ts", mention, "text", "<@"+User+"> Deploy now?", "blocks", ask)
	v.prints("  yamada: @psycher release tomorrow", "    ↳ psycher: @yamada Deploy now?", "      (last: succeeded, "+at+", @sato)", "      [1] Deploy app (master)  [2] No")
	v.call("chat.postMessage", "thread_ts", mention, "text", "Which?", "blocks", menu)
	v.prints("    ↳ psycher: Which?", "      [3] app  [4] admin")

	for n, want := range map[int]bool{0: false, 2: true, 4: true, 5: false} {
		if got := v.Press(n); got != want {
			t.Errorf("%d is pressed: %v", n, got)
		}
	}
	pressed := map[string]string{}
	for _, p := range v.Slack.Presses() {
		pressed[p.Action] = p.User + " " + p.Value
	}
	if diff := cmp.Diff(map[string]string{"no": User + " 2", "which": User + " b"}, pressed); diff != "" {
		t.Error(diff)
	}

	// An edit with the same buttons leaves them their numbers.
	v.call("chat.update", "ts", first, "text", "Still there?", "blocks", strings.Replace(ask, "Deploy now", "Still there", 1))
	v.prints("    ↳ psycher ✎ @yamada Still there?", "      (last: succeeded, "+at+", @sato)", "      [1] Deploy app (master)  [2] No")
	v.call("chat.update", "ts", first, "text", "Deploying")
	v.prints("    ↳ psycher ✎ Deploying")
	if v.Press(1) {
		t.Error("a button that is gone was pressed")
	}
	v.prints()
}

func TestAButtonThatLeadsSomewhereHasNoNumber(t *testing.T) {
	v := watch(t)
	mention := v.Slack.Say(User, Channel, "release")
	v.prints("  yamada: release")
	v.call("chat.postMessage", "thread_ts", mention, "text", "Deployed.", "blocks", `[{"type":"actions","elements":[
		{"type":"button","action_id":"open","url":"https://app.test/","text":{"type":"plain_text","text":"Open"}},
		{"type":"button","action_id":"back","value":"1","text":{"type":"plain_text","text":"Roll back…"}}]}]`)
	v.prints("    ↳ psycher: Deployed.", "      [1] Roll back…  Open (https://app.test/)")
	if v.Press(2) {
		t.Error("it is pressed")
	}
}

func TestATimeOfAnotherDayHasItsDate(t *testing.T) {
	until := time.Now().Add(7 * 24 * time.Hour)
	v := watch(t)
	mention := v.Slack.Say(User, Channel, "lock")
	v.call("chat.postMessage", "thread_ts", mention, "text", fmt.Sprintf("Until <!date^%d^{time}|then>", until.Unix()))
	v.prints("  yamada: lock", "    ↳ psycher: Until "+until.Format("01/02 15:04"))
}

func TestNumbersBeginAgainWhenNoButtonIsLeft(t *testing.T) {
	v := watch(t)
	mention := v.Slack.Say(User, Channel, "release")
	v.prints("  yamada: release")
	for range 2 {
		ts := v.call("chat.postMessage", "thread_ts", mention, "text", "Which?", "blocks", menu)
		v.prints("    ↳ psycher: Which?", "      [1] app  [2] admin")
		v.call("chat.update", "ts", ts, "text", "app")
		v.prints("    ↳ psycher ✎ app")
	}
}

func TestOnlyThePersonsOwnEphemeralsAreShown(t *testing.T) {
	v := watch(t)
	mention := v.Slack.Say(User, Channel, "release")
	v.Slack.Say("U0SATO", Channel, "hi", fakeslack.InThread(mention))
	v.call("chat.postEphemeral", "thread_ts", mention, "user", "U0SATO", "text", "for sato")
	v.call("chat.postEphemeral", "thread_ts", mention, "user", User, "text", "in the thread")
	v.call("chat.postEphemeral", "user", User, "text", "in the channel")
	v.prints("  yamada: release", "    ↳ sato: hi", "    ↳ psycher (only to you): in the thread", "  psycher (only to you): in the channel")
}

// displayed is what a terminal shows of what is written to it.
func displayed(written string) (rows []string) {
	rows = []string{""}
	for written != "" {
		at := strings.IndexAny(written, "\n\x1b\r")
		if at < 0 {
			at = len(written)
		}
		rows[len(rows)-1] += written[:at]
		written = written[at:]
		var up int
		switch {
		case strings.HasPrefix(written, "\n"):
			rows, written = append(rows, ""), written[1:]
		case strings.HasPrefix(written, "\x1b]"): // a link's address
			_, written, _ = strings.Cut(written, "\a")
		case regexp.MustCompile(`^\x1b\[\d+A\r\x1b\[J`).MatchString(written):
			fmt.Sscanf(written, "\x1b[%dA", &up)
			rows = append(rows[:len(rows)-1-up], "")
			_, written, _ = strings.Cut(written, "\x1b[J")
		case written != "":
			_, written, _ = strings.Cut(written, "m")
		}
	}
	return rows[:len(rows)-1]
}

func TestInATerminalAMessageIsRewrittenWhereItIs(t *testing.T) {
	v := watch(t)
	v.InPlace = true
	shows := func(want ...string) {
		t.Helper()
		v.print()
		if diff := cmp.Diff(want, displayed(v.out.String())); diff != "" {
			t.Error(diff)
		}
	}
	mention := v.Slack.Say(User, Channel, Bot+" release")
	v.call("reactions.add", "timestamp", mention, "name", "thumbsup")
	status := v.call("chat.postMessage", "thread_ts", mention, "text", "*Deploying* app. <http://127.0.0.1/1|Pipeline>")
	shows("  yamada: @psycher release", "      👍", "    ↳ psycher: Deploying app. Pipeline")
	v.call("chat.update", "ts", status, "text", "Deploying app.\nbuild ✓")
	shows("  yamada: @psycher release", "      👍", "    ↳ psycher: Deploying app.", "      build ✓")
	v.call("chat.postMessage", "thread_ts", mention, "text", "リリースしました"+strings.Repeat("ー", 23)+"。おわり")
	v.call("reactions.add", "timestamp", mention, "name", "white_check_mark")
	v.call("reactions.remove", "timestamp", mention, "name", "thumbsup")
	v.call("chat.update", "ts", status, "text", "Deployed app.")
	long := []string{"    ↳ psycher: リリースしました" + strings.Repeat("ー", 23) + "。", "      おわり"}
	shows(append([]string{"  yamada: @psycher release", "      ✅", "    ↳ psycher: Deployed app."}, long...)...)

	// A word stays whole, and what opens a part goes with it.
	if got := wrap("  " + strings.Repeat("ー", 36) + "（/fail）"); len(got) != 2 || got[1] != "      （/fail）" {
		t.Errorf("it breaks as %q", got)
	}

	// What a person has typed since stays where it is.
	v.out.WriteString("help\n")
	v.Typed("help")
	v.call("chat.update", "ts", status, "text", "Rolled\nback.")
	shows(append(append([]string{"  yamada: @psycher release", "      ✅", "    ↳ psycher: Rolled", "      back."}, long...), "help")...)

	// What is further up may be out of sight.
	v.Narrate(strings.Repeat("-", 20*78))
	v.call("chat.update", "ts", status, "text", "Deployed again.")
	v.print()
	if got := displayed(v.out.String()); got[len(got)-1] != "    ↳ psycher: Deployed again." || got[2] != "    ↳ psycher: Rolled" {
		t.Errorf("it shows %q", got)
	}
}
