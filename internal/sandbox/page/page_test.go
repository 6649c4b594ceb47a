package page

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

// site is a served page, of a sandbox whose bot does nothing.
type site struct {
	*testing.T
	*Page
	addr string
}

func serve(t *testing.T) site {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	box, err := sandbox.Start(ctx, "en")
	if err != nil {
		t.Fatal(err)
	}
	bot := sandbox.NewProcess(ctx, io.Discard, func(ctx context.Context, _ string, _ sandbox.World) error {
		<-ctx.Done()
		return nil
	})
	bot.Start("en")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := New(box, bot)
	ended := make(chan error, 1)
	go func() { ended <- p.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, box.Close()); err != nil {
			t.Error(err)
		}
		bot.Wait()
	})
	return site{t, p, l.Addr().String()}
}

func (s site) send(method, path, body string, change func(*http.Request)) *http.Response {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, "http://"+s.addr+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", "http://"+s.addr)
	}
	if change != nil {
		change(r)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { resp.Body.Close() })
	return resp
}

func (s site) do(body string) int {
	s.Helper()
	return s.send("POST", "/do", body, nil).StatusCode
}

func TestOnlyLocalHostNamesAreAnswered(t *testing.T) {
	s := serve(t)
	_, port, _ := net.SplitHostPort(s.addr)
	for host, want := range map[string]int{
		s.addr: 200, "localhost:" + port: 200, "LOCALHOST:" + port: 200, "[::1]:" + port: 200,
		"evil.example": 421, "evil.example:" + port: 421, "127.0.0.1": 421, "localhost": 421, "localhost:1": 421,
		"localhost.evil.example:" + port: 421, "127.0.0.1.nip.io:" + port: 421, "192.168.0.1:" + port: 421,
	} {
		for _, path := range []string{"/", "/page.js", "/events"} {
			if got := s.send("GET", path, "", func(r *http.Request) { r.Host = host }).StatusCode; got != want {
				t.Errorf("%s of %s: %d", path, host, got)
			}
		}
	}
	if s.send("POST", "/do", `{"do":"drop"}`, func(r *http.Request) {
		r.Host = "evil.example:" + port
		r.Header.Set("Origin", "http://evil.example:"+port)
	}).StatusCode != 421 {
		t.Error("a foreign name that resolves to this machine may do something")
	}
}

func TestOtherSitesMayDoNothing(t *testing.T) {
	s := serve(t)
	_, port, _ := net.SplitHostPort(s.addr)
	for origin, want := range map[string]int{
		"http://" + s.addr: 204, "http://evil.example": 403, "null": 403, "": 403,
		"http://localhost:" + port: 403, "https://" + s.addr: 403, "http://127.0.0.1:1": 403,
	} {
		got := s.send("POST", "/do", `{"do":"fail-next","on":true}`, func(r *http.Request) {
			r.Header.Del("Origin")
			if origin != "" {
				r.Header.Set("Origin", origin)
			}
		}).StatusCode
		if got != want {
			t.Errorf("from %q: %d", origin, got)
		}
	}
	// What a form can send without a preflight request is not JSON.
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""} {
		if got := s.send("POST", "/do", `{"do":"drop"}`, func(r *http.Request) { r.Header.Set("Content-Type", kind) }).StatusCode; got != 415 {
			t.Errorf("as %q: %d", kind, got)
		}
	}
}

func TestEveryAnswerCarriesThePolicy(t *testing.T) {
	s := serve(t)
	for _, path := range []string{"/", "/page.css", "/page.js", "/none", "/events", "/static/", "/../page.go", "/%2e%2e/page.go"} {
		h := s.send("GET", path, "", nil).Header
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "connect-src 'self';", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
			if !strings.Contains(csp+";", want) {
				t.Errorf("%s: the policy %q is without %s", path, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

func TestOnlyThePagesFilesAreServed(t *testing.T) {
	s := serve(t)
	for path, want := range map[string]string{
		"/": "text/html; charset=utf-8", "/index.html": "text/html; charset=utf-8",
		"/page.css": "text/css; charset=utf-8", "/page.js": "text/javascript; charset=utf-8", "/mrkdwn.js": "text/javascript; charset=utf-8",
	} {
		if r := s.send("GET", path, "", nil); r.StatusCode != 200 || r.Header.Get("Content-Type") != want {
			t.Errorf("%s: %d, %s", path, r.StatusCode, r.Header.Get("Content-Type"))
		}
	}
	for _, path := range []string{"/page.go", "/static/", "/static/page.js", "/%2e%2e/page.go", "/do", "/none.js"} {
		if r := s.send("GET", path, "", nil); r.StatusCode < 400 {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
}

// A state without its words would be shown by the name of their key.
func TestEveryStateIsExplainedInBothLanguages(t *testing.T) {
	words, err := static.ReadFile("static/words.js")
	if err != nil {
		t.Fatal(err)
	}
	ja, en, _ := strings.Cut(string(words), "const en = {")
	for state := range deploy.Moves() {
		for lang, texts := range map[string]string{"ja": ja, "en": en} {
			if !regexp.MustCompile(`"state-` + string(state) + `": "[^"]`).MatchString(texts) {
				t.Errorf("%s: no words for %s", lang, state)
			}
		}
	}
}

// A machine without an emoji font would show a box for a mark that is not drawn.
func TestEveryMarkOfThePhrasesHasADrawing(t *testing.T) {
	drawn, err := static.ReadFile("static/marks.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"ja", "en"} {
		phrases, err := os.ReadFile("../../../bot/phrases/" + lang + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		marks := regexp.MustCompile(`[\x{2300}-\x{23FF}\x{2600}-\x{27BF}\x{1F000}-\x{1FAFF}]`).FindAllString(string(phrases), -1)
		for _, mark := range marks {
			if !strings.Contains(string(drawn), `["`+mark) {
				t.Errorf("%s: %s is not drawn", lang, mark)
			}
		}
		if len(marks) == 0 {
			t.Errorf("%s: there are no marks", lang)
		}
	}
}

func TestInvalidCommandsAreRefused(t *testing.T) {
	s := serve(t)
	ts := s.box.Slack.Say(sandbox.User, sandbox.Channel, "mine")
	theirs := s.box.Slack.Say("U0OTHER", sandbox.Channel, "theirs")
	for body, want := range map[string]int{
		``: 400, `[]`: 400, `{"do":"`: 400, `{"do":"nothing"}`: 400,
		`{"do":"say","text":"  "}`: 400, `{"do":"say","text":"` + strings.Repeat("x", 4001) + `"}`: 400,
		`{"do":"say","text":"` + strings.Repeat("x", 70000) + `"}`: 400,
		`{"do":"say","text":"x","ts":"1.000000"}`:                  400,
		`{"do":"edit","text":"x","ts":"` + theirs + `"}`:           400,
		`{"do":"say","text":"x","as":"U0NOBODY"}`:                  400,
		`{"do":"say","text":"x","as":"U0BOT"}`:                     400,
		`{"do":"edit","text":"x","ts":"` + ts + `","as":"U0SATO"}`: 400,
		`{"do":"press","ts":"` + ts + `","action":"yes"}`:          400,
		`{"do":"cancel","id":7}`:                                   400, `{"do":"retry","id":7}`: 400,
		`{"do":"fault","choice":"none such"}`: 400, `{"do":"language","choice":"fr"}`: 400,
		`{"do":"edit","text":"y","ts":"` + ts + `"}`:                 204,
		`{"do":"say","text":"z","ts":"` + ts + `"}`:                  204,
		`{"do":"fault","choice":"protected branch"}`:                 204,
		`{"do":"unreachable","on":true}`:                             204,
		`{"do":"redis","on":true}`:                                   204,
		`{"do":"kill","on":true}`:                                    204,
		`{"do":"freeze","on":true}`:                                  204,
		`{"do":"limit","on":true}`:                                   204,
		`{"do":"drop"}`:                                              204,
		`{"do":"say","text":"@psycher @yamada @emma @nobody hello"}`: 204,
	} {
		if got := s.do(body); got != want {
			t.Errorf("%.80s: %d", body, got)
		}
	}
	said := s.box.Slack.Channel(sandbox.Channel)
	if got := said[len(said)-1].Text; got != "<@U0BOT> <@U0YAMADA> <@U0EMMA> @nobody hello" || said[0].Text != "y" || said[1].Text != "theirs" {
		t.Errorf("the channel is %+v", said)
	}
	if _, runs := s.bot.Runs(); runs {
		t.Error("the bot is not killed")
	}
}

// follow opens the events: it returns the parts seen so far, and a wait for more.
func (s site) follow() (seen map[string]json.RawMessage, until func(what string, holds func() bool)) {
	s.Helper()
	lines := bufio.NewScanner(s.send("GET", "/events", "", nil).Body)
	lines.Buffer(nil, 1<<20)
	seen = map[string]json.RawMessage{}
	return seen, func(what string, holds func() bool) {
		s.Helper()
		for !holds() {
			if !lines.Scan() {
				s.Fatalf("the events ended before %s: %v", what, lines.Err())
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if err := json.Unmarshal([]byte(data), &seen); err != nil {
					s.Fatal(err)
				}
			}
		}
	}
}

// asBot calls a method as the bot would.
func (s site) asBot(method string, pairs ...string) (ts string) {
	s.Helper()
	form := url.Values{"token": {"xoxb-test"}, "channel": {sandbox.Channel}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	env := s.box.Environ("en")
	i := slices.IndexFunc(env, func(v string) bool { return strings.HasPrefix(v, "SLACK_API_URL=") })
	resp, err := http.PostForm(strings.TrimPrefix(env[i], "SLACK_API_URL=")+method, form)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		OK      bool
		TS      string
		Message string `json:"message_ts"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || !answer.OK {
		s.Fatalf("%s: %v, %+v", method, err, answer)
	}
	return answer.TS + answer.Message
}

const buttons = `[{"type":"actions","elements":[{"type":"button","action_id":"yes","text":{"type":"plain_text","text":"Deploy"},"value":"1"},
	{"type":"static_select","action_id":"which","options":[{"text":{"type":"plain_text","text":"admin"},"value":"2"}]}]}]`

// A press is made as the chosen person. Where the bot does not ack it, as here, that
// is shown.
func TestAButtonIsPressedAsTheChosenPerson(t *testing.T) {
	s := serve(t)
	seen, until := s.follow()
	mention := s.box.Slack.Say(sandbox.User, sandbox.Channel, "release")
	ts := s.asBot("chat.postMessage", "text", "Deploy?", "thread_ts", mention, "blocks", buttons)
	for body, want := range map[string]int{
		`{"do":"press","as":"U0SATO","ts":"` + ts + `","action":"other"}`:              400,
		`{"do":"press","as":"U0SATO","ts":"` + ts + `","action":"which","choice":"3"}`: 400,
		`{"do":"press","as":"U0NOBODY","ts":"` + ts + `","action":"yes"}`:              400,
		`{"do":"press","as":"U0EMMA","ts":"` + ts + `","action":"which","choice":"2"}`: 204,
	} {
		if got := s.do(body); got != want {
			t.Errorf("%s: %d", body, got)
		}
	}
	made := s.box.Slack.Presses()
	if len(made) != 1 || made[0].User != "U0EMMA" || made[0].Value != "2" {
		t.Errorf("presses %+v", made)
	}
	var shown []struct {
		Replies []struct {
			Blocks []struct{ Type string }
			Press  struct{ Action, By, State string }
		}
	}
	until("the warning", func() bool {
		return json.Unmarshal(seen["slack"], &shown) == nil && len(shown) == 1 && len(shown[0].Replies) == 1 && shown[0].Replies[0].Press.State == "warned"
	})
	if r := shown[0].Replies[0]; r.Press.By != "U0EMMA" || r.Press.Action != "which" || len(r.Blocks) != 1 || r.Blocks[0].Type != "actions" {
		t.Errorf("shown %+v", r)
	}
}

func TestAnEphemeralIsMarkedAsOnePersons(t *testing.T) {
	s := serve(t)
	s.do(`{"do":"say","as":"U0EMMA","text":"@psycher release"}`)
	said := s.box.Slack.Channel(sandbox.Channel)[0]
	if said.User != "U0EMMA" || said.Team == sandbox.Team {
		t.Errorf("the guest said %+v", said)
	}
	s.asBot("chat.postEphemeral", "user", "U0EMMA", "text", "in the thread", "thread_ts", said.TS)
	s.asBot("chat.postEphemeral", "user", "U0EMMA", "text", "in the channel")
	s.box.Slack.Say(sandbox.User, sandbox.Channel, "last")
	all := s.channel()
	if len(all) != 3 || all[1].Text != "in the channel" || all[1].Only != "U0EMMA" || len(all[0].Replies) != 1 || all[0].Replies[0].Only != "U0EMMA" || all[2].Only != "" {
		t.Errorf("the channel is %+v", all)
	}
}

// A browser gets everything at first, and then what changes.
func TestEventsSendTheStateAndThenChanges(t *testing.T) {
	s := serve(t)
	seen, until := s.follow()
	until("all parts", func() bool { return len(seen) == 6 })
	s.do(`{"do":"say","text":"<script>alert(1)</script> & @psycher"}`)
	until("the message", func() bool { return strings.Contains(string(seen["slack"]), "script") })
	if strings.Contains(string(seen["slack"]), "<script") {
		t.Errorf("markup is sent as it was typed: %s", seen["slack"])
	}
	s.do(`{"do":"redis","on":true}`)
	until("the switch", func() bool { return strings.Contains(string(seen["switches"]), `"redis":true`) })
	s.box.GitLab.Make("example/app", "trigger", "master", nil)
	until("the pipeline", func() bool { return strings.Contains(string(seen["gitlab"]), `"id":1001`) })
}

// Nobody sees a deploy that has ended in Slack while its record still runs:
// simultaneous changes are sent together.
func TestSimultaneousChangesAreSentTogether(t *testing.T) {
	p := New(nil, nil)
	const last = 1000
	go func() {
		for i := range last + 1 {
			p.update(map[string]any{"slack": i, "records": i})
		}
	}()
	var told struct{ Slack, Records int }
	for n := 0; told.Slack < last; {
		text, newest, news := p.since(n)
		n = newest
		if text != nil {
			if err := json.Unmarshal(text, &told); err != nil {
				t.Fatal(err)
			}
		}
		if told.Slack != told.Records {
			t.Fatalf("told %+v", told)
		}
		if told.Slack < last {
			<-news
		}
	}
}

func TestEveryAnswerOfGitLabsCanBeChosen(t *testing.T) {
	kinds := map[string]string{}
	for _, c := range faults() {
		kinds[c.Name] = c.Kind
	}
	for _, f := range append(fakegitlab.Refusals(), fakegitlab.Strangers()...) {
		if kinds[f.Name] != "refused" {
			t.Errorf("%s is %q", f.Name, kinds[f.Name])
		}
	}
	for _, f := range fakegitlab.Faults() {
		if kinds[f.Name] == "" {
			t.Errorf("%s cannot be chosen", f.Name)
		}
	}
	for name, want := range map[string]string{
		"too many pipelines": "waits", "rate limit without a header": "waits", "made and cut": "lost", "cut": "unsure", "hang": "unsure", "500": "unsure",
		"500 but made": "lost", "slow": "slow", "made twice and cut": "twice", "failed pipeline, 422": "failed", "redirect, 307": "refused", "499": "unsure",
	} {
		if kinds[name] != want {
			t.Errorf("%s is %q", name, kinds[name])
		}
	}
}

func TestTwoPagesGetAPortEach(t *testing.T) {
	first, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	for _, l := range []net.Listener{first, second} {
		if !l.Addr().(*net.TCPAddr).IP.IsLoopback() {
			t.Errorf("it listens on %s", l.Addr())
		}
	}
}
