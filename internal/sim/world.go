// Package sim simulates a world in one bubble of fake time: one or more
// processes of the whole bot, with stand-ins of Slack, GitLab and Redis, joined
// by a network in memory. A test in a synctest bubble builds a World, starts bots
// in it, posts what people would say, and checks what they would see.
package sim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sandbox/pipenet"
)

// The names of things in the world.
const (
	Team    = "T0TEAM"
	Channel = "C0APP"   // one target: app
	Two     = "C0TWO"   // two targets: api, web
	Empty   = "C0EMPTY" // none
	User    = "U0ASKER"
	Project = "group/app"
	Bot     = "<@U0BOT>"

	NotifyToken  = "notify-token-for-tests"
	TriggerToken = "glptt-test-000000000000000000000000"
	APIToken     = "glpat-test-read-api"
)

// oneJob is what every pipeline begins with.
var oneJob = []fakegitlab.Job{{Name: "deploy", Stage: "deploy"}}

// World is Slack, GitLab and Redis, and the network between them and the bots.
type World struct {
	T      testing.TB
	Net    *pipenet.Network
	Slack  *fakeslack.Slack
	GitLab *fakegitlab.GitLab
	Redis  *miniredis.Miniredis

	// Pipeline is what a new pipeline does, in a goroutine of its own: nothing,
	// if nil. It is set before a mention is made.
	Pipeline func(p fakegitlab.Pipeline)
	// Rerun is what a job does that is run again, likewise.
	Rerun func(p fakegitlab.Pipeline, j fakegitlab.Job)
	// OldScripts has pipelines send the shared secret alone, as a notify.sh older
	// than PSYCHER_TOKEN does. It is set before a mention is made.
	OldScripts bool

	mu         sync.Mutex
	rand       *rand.Rand
	step       int
	noRedis    bool
	redisClock atomic.Int64   // in milliseconds, what the clock of Redis is set to; 0 if it is everybody's
	counts     map[string]int // requests to the stand-ins, by host, and starts that were granted
	settings   map[string]string
	logTo      io.Writer
	running    sync.WaitGroup
	ctx        context.Context
}

// New builds a world. It is torn down at the end of the test. Settings are
// "NAME=value", for all bots of this world.
func New(t testing.TB, settings ...string) *World { return NewInOrg(t, "", settings...) }

// Targets is the target map of a world, with more keys for each target. New's own has
// them deploy side by side: most tests are about more than one deployment.
func Targets(more string) string {
	const target = `{"project_id": %q, "token": %q%s}`
	return fmt.Sprintf(`{%q: {%q: {"app": `+target+`}, %q: {"api": `+target+`, "web": `+target+`}}}`,
		Team, Channel, Project, TriggerToken, more, Two, "2", TriggerToken, more, "group/web", TriggerToken, more)
}

// NewInOrg builds a world whose workspace is part of an organisation.
func NewInOrg(t testing.TB, org string, settings ...string) *World {
	ctx, cancel := context.WithCancel(context.Background())
	w := &World{T: t, Net: pipenet.New(), ctx: ctx, rand: rand.New(rand.NewPCG(1, 1)), counts: map[string]int{}, settings: map[string]string{
		"SLACK_APP_TOKEN": "xapp-test", "SLACK_BOT_TOKEN": "xoxb-test", "SLACK_API_URL": "http://slack.test/api/",
		"GITLAB_URL": "http://gitlab.test", "GITLAB_API_TOKEN": APIToken, "REDIS_URL": "redis://redis.test:6379",
		"NOTIFY_TOKEN": NotifyToken, "LOG_LEVEL": "debug",
		"GITLAB_TRIGGER_TOKENS": Targets(`, "parallel": true`),
	}}
	w.set(settings)
	w.Slack = fakeslack.New(fakeslack.Config{URL: "http://slack.test", Org: org})
	w.GitLab = fakegitlab.New(fakegitlab.Config{
		URL: "http://gitlab.test", APIToken: APIToken,
		OnPipeline: func(p fakegitlab.Pipeline) {
			if w.Pipeline != nil {
				w.Pipeline(p)
			}
		},
		OnJobRetry: func(p fakegitlab.Pipeline, j fakegitlab.Job) {
			if w.Rerun != nil {
				w.Rerun(p, j)
			}
		},
		Projects: []fakegitlab.Project{
			{ID: 1, Path: "group/app", Was: "group/before", Token: TriggerToken, Name: "deploy $PSYCHER_ID", Jobs: oneJob},
			{ID: 2, Path: "group/api", Token: TriggerToken, Jobs: oneJob},
			{ID: 3, Path: "group/web", Token: TriggerToken, Name: "nightly 11111111-2222-3333-4444-555555555555", Jobs: oneJob},
		},
	})
	w.Slack.Join(Channel)
	w.Slack.Join(Two)
	w.Redis = miniredis.NewMiniRedis()
	w.Redis.ClockTTL(true)
	if c, err := w.Redis.Dial(); err == nil { // the server starts at the first connection
		c.Close()
	}
	w.HealRedis()
	w.Net.OnDial = func(_ context.Context, _, addr string) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.noRedis && strings.HasPrefix(addr, "redis.") {
			return syscall.ECONNREFUSED
		}
		return nil
	}
	w.serve("slack.test:80", w.Slack)
	w.serve("gitlab.test:80", w.GitLab)
	w.forward("redis.test:6379", func() (net.Conn, error) { return w.master().Dial() })
	t.Cleanup(func() {
		cancel()
		w.Slack.Close()
		w.GitLab.Close()
		w.running.Wait()
		w.master().Close()
		time.Sleep(5 * time.Second) // the Redis client dials a moment longer, without saying when it stops
	})
	return w
}

func (w *World) set(settings []string) {
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		w.settings[name] = value
	}
}

func (w *World) serve(addr string, h http.Handler) {
	l, err := w.Net.Listen(addr)
	if err != nil {
		w.T.Fatal(err)
	}
	host, _, _ := strings.Cut(addr, ".")
	s := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.count(host)
		h.ServeHTTP(rw, r)
	})}
	w.running.Go(func() { _ = s.Serve(l) })
	context.AfterFunc(w.ctx, func() { s.Close() })
}

// forward connects each connection to an address with one that dial makes.
func (w *World) forward(addr string, dial func() (net.Conn, error)) {
	l, err := w.Net.Listen(addr)
	if err != nil {
		w.T.Fatal(err)
	}
	context.AfterFunc(w.ctx, func() { l.Close() })
	w.running.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := dial()
			if err != nil {
				in.Close()
				continue
			}
			w.running.Go(func() { pipe(in, out) })
		}
	})
}

// pipe copies both ways until either side ends.
func pipe(a, b net.Conn) {
	var both sync.WaitGroup
	end := func() { a.Close(); b.Close() }
	both.Go(func() { defer end(); copyAll(b, a) })
	both.Go(func() { defer end(); copyAll(a, b) })
	both.Wait()
}

func copyAll(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// Eventually waits, in the world's time, until so returns true.
func (w *World) Eventually(what string, within time.Duration, so func() bool) {
	w.T.Helper()
	for end := time.Now().Add(within); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			w.T.Fatalf("not within %v: %s", within, what)
		}
	}
}

// Client is an HTTP client in the world's network.
func (w *World) Client() *http.Client {
	return &http.Client{Timeout: 15 * time.Second, Transport: caller{w, &http.Transport{DialContext: w.Net.Dialer("client"), DisableKeepAlives: true}}}
}

// Get gets a URL in the world.
func (w *World) Get(url string) (status int, body string) {
	resp, err := w.Client().Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	buffer := new(strings.Builder)
	if _, err := fmt.Fprint(buffer, readAll(resp)); err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, buffer.String()
}

func readAll(r *http.Response) string {
	b := new(strings.Builder)
	p := make([]byte, 4<<10)
	for {
		n, err := r.Body.Read(p)
		b.Write(p[:n])
		if err != nil {
			return b.String()
		}
	}
}

// Notify makes the call of the scripts of psycher's first version.
func (w *World) Notify(name, result, channel, ts string, more ...string) (status int, body string) {
	q := NotifyToken + "=true&source=gitlab&result=" + result + "&channel=" + url.QueryEscape(channel) + "&timestamp=" + url.QueryEscape(ts)
	return w.Get("http://" + name + ".test:8080/notify?" + strings.Join(append([]string{q}, more...), "&"))
}

// NotifyWithToken makes the call of notify.sh for a pipeline, with a token, or
// without one if it is empty. If the pipeline has a single job, that job calls.
func (w *World) NotifyWithToken(name, token, result string, p fakegitlab.Pipeline) (status int, body string) {
	form := url.Values{
		"source": {"gitlab"}, "result": {result}, "channel": {p.Variables["channel"]}, "timestamp": {p.Variables["timestamp"]},
		"id": {p.Variables["PSYCHER_ID"]},
	}
	if p.ID != 0 {
		form.Set("pipeline", strconv.FormatInt(p.ID, 10))
	}
	if p.SHA != "" && !w.OldScripts {
		form.Set("sha", p.SHA)
	}
	if len(p.Jobs) == 1 && !w.OldScripts {
		form.Set("job_name", p.Jobs[0].Name)
		form.Set("job_stage", p.Jobs[0].Stage)
	}
	status, _, body = w.Call(http.MethodPost, name, "", "application/x-www-form-urlencoded", form.Encode(), "Authorization: Bearer "+token)
	return status, body
}

// Report does what notify.sh does: it tells a running bot about a pipeline, and
// retries while none takes the call. It returns false if a start was refused.
func (w *World) Report(p fakegitlab.Pipeline, result string) (goOn bool) {
	token := p.Variables["PSYCHER_TOKEN"]
	if w.OldScripts {
		token = NotifyToken
	}
	for pause := time.Second; pause < 5*time.Minute; pause *= 2 {
		for _, name := range []string{"a", "b"} {
			status, _ := w.NotifyWithToken(name, token, result, p)
			if status == http.StatusOK || status == http.StatusConflict {
				if result == "start" && status == http.StatusOK {
					w.count("granted " + p.Variables["timestamp"])
				}
				return status == http.StatusOK
			}
		}
		time.Sleep(pause)
	}
	return true
}

// StartsGranted counts the pipelines of a mention that asked to deploy and were allowed to.
func (w *World) StartsGranted(ts string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts["granted "+ts]
}

// WaitReactions waits until a message has exactly these reactions.
func (w *World) WaitReactions(channel, ts string, reactions ...string) {
	w.T.Helper()
	want := strings.Join(reactions, " ")
	var got string
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if got = strings.Join(w.Slack.Reactions(channel, ts), " "); got == want {
			return
		}
	}
	w.T.Fatalf("reactions on %s: %q, want %q; thread: %q", ts, got, want, w.Texts(channel, ts))
}

// Texts are the bot's messages in a thread.
func (w *World) Texts(channel, ts string) []string {
	var texts []string
	for _, m := range w.Slack.Thread(channel, ts) {
		if m.TS != ts {
			texts = append(texts, m.Shown())
		}
	}
	return texts
}

func (w *World) logger(name string) zerolog.Logger {
	if w.logTo != nil {
		return zerolog.New(io.MultiWriter(w.logTo, panics{w.T}))
	}
	if os.Getenv("SIM_LOG") == "" {
		return zerolog.New(panics{w.T}).Level(zerolog.ErrorLevel)
	}
	out := zerolog.ConsoleWriter{Out: os.Stderr, NoColor: true, TimeFormat: "15:04:05.000"}
	return zerolog.New(io.MultiWriter(out, panics{w.T})).With().Timestamp().Str("bot", name).Logger()
}

// panics fails the test of a world in which a worker panics: the process goes on, so
// that nobody may notice.
type panics struct{ testing.TB }

func (t panics) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(`"worker-panic"`)) {
		t.Errorf("%s", line)
	}
	return len(line), nil
}

func (w *World) chance() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rand.Float64()
}

// latency is how long an operation takes to arrive: a seeded few milliseconds,
// no two the same.
func (w *World) latency() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.step++
	return time.Millisecond + time.Duration(w.rand.Int64N(int64(4*time.Millisecond))) + time.Duration(w.step%1000)
}
