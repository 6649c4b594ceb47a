package sim

import (
	"cmp"
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2/server"

	"github.com/getto-systems/psycher/bot/phrases"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/messages"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

// Ask posts a mention of the bot in the channel with one target.
func (w *World) Ask(text string) (ts string) {
	return w.Slack.Say(User, Channel, Bot+" "+text)
}

// Messages are the bot's messages in a thread, oldest first, by their IDs,
// whatever the wording.
func (w *World) Messages(channel, thread string) []deploy.MessageID {
	return w.messageIDs(w.Slack.Thread(channel, thread))
}

// ChannelMessages are the bot's messages in a channel itself, outside of threads.
func (w *World) ChannelMessages(channel string) []deploy.MessageID {
	return w.messageIDs(slices.DeleteFunc(w.Slack.Channel(channel), func(m fakeslack.Message) bool { return m.Thread != "" }))
}

func (w *World) messageIDs(messages []fakeslack.Message) (said []deploy.MessageID) {
	for _, m := range messages {
		if m.Bot != "" && m.Ephemeral == "" {
			said = append(said, messageID(cmp.Or(w.settings["PSYCHER_LANG"], "ja"), m.Text))
		}
	}
	return said
}

// WaitMessages waits until the bot's messages in a thread are these.
func (w *World) WaitMessages(channel, thread string, want ...deploy.MessageID) {
	w.T.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if slices.Equal(w.Messages(channel, thread), want) {
			return
		}
	}
	w.T.Fatalf("said %q, want %q; thread: %q", w.Messages(channel, thread), want, w.Texts(channel, thread))
}

// ReactionsAdded counts the reactions that the bot added to a message with
// success, also those that it removed again.
func (w *World) ReactionsAdded(ts string) map[string]int {
	n := map[string]int{}
	for _, c := range w.Slack.CallLog("reactions.add") {
		if c.Done && c.Form.Get("timestamp") == ts {
			n[c.Form.Get("name")]++
		}
	}
	return n
}

// Call makes a call to the notify port and returns the answer with its headers;
// the status is 0 if no answer came.
func (w *World) Call(method, name, query, kind, body string, header ...string) (int, http.Header, string) {
	req, err := http.NewRequest(method, "http://"+name+".test:8080/notify?"+query, strings.NewReader(body))
	if err != nil {
		w.T.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for _, h := range header {
		key, value, _ := strings.Cut(h, ": ")
		req.Header.Set(key, value)
	}
	resp, err := w.Client().Do(req)
	if err != nil {
		return 0, nil, err.Error()
	}
	defer resp.Body.Close()
	return resp.StatusCode, resp.Header, readAll(resp)
}

// Routes are the routes to the hosts of a world. They are made before any bot starts.
type Routes struct {
	w       *World
	mu      sync.Mutex
	blocked map[string]time.Duration // how long a dial takes until it is refused
	dials   map[string]int
}

// Routes returns the routes to the hosts, all open.
func (w *World) Routes() *Routes {
	r := &Routes{w: w, blocked: map[string]time.Duration{}, dials: map[string]int{}}
	w.Net.OnDial = func(ctx context.Context, _, addr string) error {
		r.mu.Lock()
		r.dials[addr]++
		after, blocked := r.blocked[addr]
		r.mu.Unlock()
		if !blocked {
			return nil
		}
		t := time.NewTimer(after)
		defer t.Stop()
		select {
		case <-t.C:
			return syscall.ECONNREFUSED
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	w.T.Cleanup(func() { // Redis's client dials a while longer, in goroutines of its own
		r.mu.Lock()
		clear(r.blocked)
		r.mu.Unlock()
		time.Sleep(2 * time.Second)
	})
	return r
}

// Block cuts the connections to an address, and refuses others, each after a delay.
func (r *Routes) Block(addr string, after time.Duration) {
	r.mu.Lock()
	r.blocked[addr] = after
	r.mu.Unlock()
	r.w.Net.CutHost(addr)
}

// Unblock lets everyone connect again.
func (r *Routes) Unblock(addr string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.blocked, addr)
}

// Dials counts the dials of an address.
func (r *Routes) Dials(addr string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dials[addr]
}

// HangRedis has Redis accept commands without executing or answering them, until
// heal is called.
func (w *World) HangRedis() (heal func()) {
	healed := make(chan struct{})
	w.Redis.Server().SetPreHook(func(*server.Peer, string, ...string) bool {
		select {
		case <-healed:
		case <-w.ctx.Done():
		}
		return true
	})
	return func() {
		w.HealRedis()
		close(healed)
	}
}

// knownTexts caches message IDs, by language and text.
var knownTexts sync.Map

// messageID returns the ID of the message that has a wording like text, or text
// itself if none has.
func messageID(lang, text string) deploy.MessageID {
	if say, ok := knownTexts.Load(lang + text); ok {
		return say.(deploy.MessageID)
	}
	say := deploy.MessageID(text)
	for _, text := range []string{text, named.ReplaceAllString(text, "")} {
		i := slices.IndexFunc(wordings(lang), func(w wording) bool { return w.like.MatchString(text) })
		if i >= 0 {
			say = wordings(lang)[i].say
			break
		}
	}
	knownTexts.Store(lang+text, say)
	return say
}

type wording struct {
	say  deploy.MessageID
	like *regexp.Regexp
}

var (
	wordings = func() func(lang string) []wording {
		ja, en := sync.OnceValue(func() []wording { return readWordings("ja") }), sync.OnceValue(func() []wording { return readWordings("en") })
		return func(lang string) []wording {
			if lang == "en" {
				return en()
			}
			return ja()
		}
	}()
	named = regexp.MustCompile(`^<@U[0-9A-Z]+>( さん、| )`) // outside of threads a message begins with the person's name
	token = regexp.MustCompile(`\[[^]]*\]|\{[^}]*\}|[^\[{]+`)
)

// readWordings returns every wording of every message.
func readWordings(lang string) []wording {
	voice, err := phrases.New(lang)
	if err != nil {
		panic(err) // there are these two
	}
	var states []string
	for _, line := range voice["state"] {
		_, words, _ := strings.Cut(line, " ")
		states = append(states, regexp.QuoteMeta(words))
	}
	const code, link, person, moment = "(?: ?`[^`\n]*` ?)", `<[^>\n]*>`, `<@[^>\n]*>`, `<!date[^>]*>`
	gaps := map[string]string{
		"target": code, "ref": code, "branch": code, "tag": code, "project": code, "key": code, "detail": code, "job": code,
		"what": code + `(?:\(` + code + `\) ?)?`, "link": link, "log": link, "sha": `(?:` + link + `|[0-9a-f]{7})`,
		"own": regexp.QuoteMeta(voice["own-lock"][0]), "user": person, "by": person, "for": person, "outgoing": `\d+\+? (?:件|commits?)[^\n]*|[^\n]*(?:コミットです|success)`, "success": `[^\n]*` + moment + `[^\n]*`, "until": moment, "since": moment, "ended": moment, "withdrawn": `\d+`,
		"state": "(?:ロールバック／|rollback, )?(?:" + strings.Join(states, "|") + ")",
	}
	line := `(?:• )?` + pattern(voice["known"][0], gaps)
	gaps["known"] = line + `(?:\n(?:` + line + `|… \(\+\d+\)))*`
	var all []wording
	for _, say := range messages.IDs() {
		for _, words := range voice[string(say)] {
			if phrases.IsStatus(deploy.Message{ID: say}) {
				words += "[" + voice["pressed"][0] + "][" + voice["approved"][0] + "]"
			}
			all = append(all, wording{say, regexp.MustCompile("^" + pattern(words, gaps) + "$")})
		}
	}
	return all
}

// pattern matches what a wording becomes: one of the choices of each bracket or
// none, with gaps for the values. Code stands apart.
func pattern(words string, gaps map[string]string) string {
	return token.ReplaceAllStringFunc(words, func(part string) string {
		switch part[0] {
		case '[':
			var choices []string
			for one := range strings.SplitSeq(part[1:len(part)-1], "|") {
				choices = append(choices, pattern(one, gaps))
			}
			return "(?:" + strings.Join(choices, "|") + "|)"
		case '{':
			name, _, _ := strings.Cut(part[1:len(part)-1], ":")
			return "(?:" + cmp.Or(gaps[name], `[^\n]*`) + ")?"
		}
		return strings.ReplaceAll(regexp.QuoteMeta(part), "`", " ?` ?")
	})
}

// Every does something again and again, after a pause each time, until the world ends.
func (w *World) Every(pause time.Duration, do func()) {
	w.running.Go(func() {
		for w.wait(pause) {
			do()
		}
	})
}

// ReadMessage returns which message a text is; empty: none.
func (w *World) ReadMessage(text string) deploy.MessageID {
	return messageID(cmp.Or(w.settings["PSYCHER_LANG"], "ja"), text)
}

// StartLogged starts a bot as [World.StartReady] does, and keeps its log.
func (w *World) StartLogged(name string, settings ...string) (*Process, *Log) {
	w.T.Helper()
	return logged(w, func() *Process { return w.StartReady(name, settings...) })
}

// StartUnready starts a bot as [World.Start] does, and keeps its log.
func (w *World) StartUnready(name string, settings ...string) (*Process, *Log) {
	w.T.Helper()
	return logged(w, func() *Process { return w.Start(name, settings...) })
}

func logged(w *World, start func() *Process) (*Process, *Log) {
	w.T.Helper()
	out := &Log{}
	w.logTo = out
	defer func() { w.logTo = nil }()
	return start(), out
}

// Log keeps what a bot writes to its log.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
