package sim_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/dedupe"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
	"github.com/getto-systems/psycher/deploy/targets"
	"github.com/getto-systems/psycher/internal/sim"
)

// harness is the engine by itself, on an embedded store. Its Slack and its GitLab
// implement the engine's ports, so that a test can make any call fail in any way,
// even one that no server has, such as a panic.
type harness struct {
	*engine.Engine
	t      *testing.T
	store  *fakeStore
	slack  *fakeSlack
	gitlab *fakeGitLab
}

// rigTimeout is the target's own timeout in a harness.
const harnessTimeout = 5 * time.Minute

// newHarness starts an engine. canPoll: GitLab can be asked about pipelines.
func newHarness(t *testing.T, canPoll bool) *harness {
	t.Helper()
	h := newStoppedHarness(t, canPoll)
	h.Engine = h.startEngine()
	return h
}

// newStoppedHarness returns a harness in which no engine runs yet.
func newStoppedHarness(t *testing.T, canPoll bool) *harness {
	t.Helper()
	store, err := dedupe.Open(dedupe.Config{Prefix: "psycher", Keep: 720 * time.Hour, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if _, err := store.Birth(t.Context(), time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	return &harness{t: t, store: &fakeStore{Store: store}, slack: &fakeSlack{hooks: map[string]func(call) error{}, counts: map[string]int{}}, gitlab: &fakeGitLab{canPoll: canPoll}}
}

// startEngine starts another process on the same store, GitLab and Slack.
func (h *harness) startEngine() *engine.Engine {
	e := h.newEngine()
	runEngine(h.t, e)
	return e
}

// runEngine runs an engine until the end of the test.
func runEngine(t *testing.T, e *engine.Engine) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { e.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		e.Shutdown(0)
		running.Wait()
	})
}

func (h *harness) newEngine() *engine.Engine {
	targets, err := targets.Parse(fmt.Appendf(nil, `{"T1": {"C1": {"app": {"project_id": "group/app", "token": %q, "timeout": %q, "parallel": true}}}}`,
		sim.TriggerToken, harnessTimeout), "master", time.Hour, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	conf := engine.Config{
		Targets: targets, Teams: targets.Teams(),
		Timing: deploy.Timing{MaxAge: 2 * time.Minute, RequestTimeout: time.Minute, Timeout: harnessTimeout, CanPoll: h.gitlab.canPoll},
	}
	return &engine.Engine{Store: h.store, GitLab: h.gitlab, Slack: h.slack, Config: func() engine.Config { return conf }}
}

// newRequest is the n-th mention, made now.
func (h *harness) newRequest(n int, text string) deploy.Request {
	now := time.Now()
	ts := fmt.Sprintf("%d.%06d", now.Unix(), n)
	return deploy.Request{Key: deploy.Key{Team: "T1", Channel: "C1", TS: ts}, ID: fmt.Sprintf("id-%d", n), By: deploy.Person{User: "U1"}, At: now, Intent: parseIntent(text)}
}

// release has the engine accept a mention that asks for a deploy.
func (h *harness) release(n int) deploy.Request {
	h.t.Helper()
	m := h.newRequest(n, "release")
	if !h.Accept(context.Background(), m, 0) {
		h.t.Fatal("the mention is not acked")
	}
	return m
}

// Accept has the engine accept a mention, and go on as after an ack.
func (h *harness) Accept(ctx context.Context, m deploy.Request, attempt int) (ack bool) {
	return accept(ctx, h.Engine, m, attempt)
}

func accept(ctx context.Context, e *engine.Engine, m deploy.Request, attempt int) (ack bool) {
	ack, then := e.Accept(ctx, m, attempt)
	if then != nil {
		go then() // the engine waits for it
	}
	return ack
}

// callback has an engine take a callback of the deployment's pipeline.
func (h *harness) callback(e *engine.Engine, m deploy.Request, result deploy.Result) {
	h.t.Helper()
	if v, err := e.Callback(context.Background(), deploy.Callback{Channel: m.Channel, TS: m.TS, Result: result, Pipeline: 7, Shared: true}); v != deploy.CallbackTaken {
		h.t.Fatalf("%s: %q %v", result, v, err)
	}
}

// wantShown checks what Slack shows: the reactions on the mention, and the
// messages of its thread.
func (h *harness) wantShown(m deploy.Request, marks string, says ...deploy.MessageID) {
	h.t.Helper()
	if got := h.slack.reactions(m.Key); strings.Join(got, " ") != marks {
		h.t.Errorf("marks %q, want %q", got, marks)
	}
	if got := h.slack.messages(m.Key); !slices.Equal(got, says) {
		h.t.Errorf("the thread says %q, want %q", got, says)
	}
}

// parseIntent understands "release".
func parseIntent(text string) deploy.Intent {
	if strings.Contains(text, "release") {
		return deploy.Intent{Kind: deploy.KindDeploy, Target: "app"}
	}
	return deploy.Intent{Kind: deploy.KindUnknown}
}

// fakeStore is a store that can fail and counts the calls.
type fakeStore struct {
	engine.Store
	mu     sync.Mutex
	fail   func(ctx context.Context, what string) error // nil: no call fails
	calls  int
	onSave func(record deploy.Record) // is called after a save, before it returns
}

func (s *fakeStore) setFail(fail func(ctx context.Context, what string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

func (s *fakeStore) countCalls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

func (s *fakeStore) check(ctx context.Context, what string) error {
	s.mu.Lock()
	s.calls++
	fail := s.fail
	s.mu.Unlock()
	if fail == nil {
		return nil
	}
	return fail(ctx, what)
}

func (s *fakeStore) Claim(ctx context.Context, record *deploy.Record, lease time.Duration, now time.Time, of deploy.TargetID) (engine.Stored, bool, error) {
	if err := s.check(ctx, "claim"); err != nil {
		return engine.Stored{}, false, err
	}
	return s.Store.Claim(ctx, record, lease, now, of)
}

func (s *fakeStore) Load(ctx context.Context, k deploy.Key) (engine.Stored, bool, error) {
	if err := s.check(ctx, "load"); err != nil {
		return engine.Stored{}, false, err
	}
	return s.Store.Load(ctx, k)
}

func (s *fakeStore) Open(ctx context.Context, team, channel string) ([]engine.Stored, error) {
	if err := s.check(ctx, "open"); err != nil {
		return nil, err
	}
	return s.Store.Open(ctx, team, channel)
}

func (s *fakeStore) Save(ctx context.Context, stored engine.Stored, next *deploy.Record, due time.Duration) (engine.Stored, error) {
	saved, err := s.Store.Save(ctx, stored, next, due)
	s.mu.Lock()
	s.calls++
	onSave := s.onSave
	s.mu.Unlock()
	if err == nil && onSave != nil {
		onSave(*next)
	}
	return saved, err
}

func (s *fakeStore) Take(ctx context.Context, n int, lease time.Duration) ([]engine.Stored, time.Duration, error) {
	if err := s.check(ctx, "take"); err != nil {
		return nil, 0, err
	}
	return s.Store.Take(ctx, n, lease)
}

func (s *fakeStore) Delay(ctx context.Context, stored engine.Stored, d time.Duration) error {
	if err := s.check(ctx, "delay"); err != nil {
		return err
	}
	return s.Store.Delay(ctx, stored, d)
}

// fakeGitLab starts pipeline 7 each time, and says that it runs.
type fakeGitLab struct {
	engine.GitLab // nil: nothing here asks for more
	canPoll       bool
	mu            sync.Mutex
	posts         int
	trigger       func(nth int) deploy.TriggerResult
	poll          func() (deploy.Pipeline, error)
	find          func(ctx context.Context) (p deploy.Pipeline, complete bool, err error)
}

func started() deploy.TriggerResult {
	return deploy.TriggerResult{Status: deploy.TriggerStarted, Pipeline: deploy.Pipeline{ID: 7, URL: "http://gitlab.test/7"}}
}

func (g *fakeGitLab) setPoll(poll func() (deploy.Pipeline, error)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.poll = poll
}

func (g *fakeGitLab) countPosts() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.posts
}

func (g *fakeGitLab) Trigger(context.Context, deploy.Target, deploy.Request, string, deploy.Secret, time.Time) deploy.TriggerResult {
	g.mu.Lock()
	g.posts++
	n, trigger := g.posts, g.trigger
	g.mu.Unlock()
	if trigger == nil {
		return started()
	}
	return trigger(n)
}

func (g *fakeGitLab) Poll(_ context.Context, _ string, id int64, _ deploy.Counting) (deploy.Pipeline, error) {
	g.mu.Lock()
	poll := g.poll
	g.mu.Unlock()
	if poll == nil {
		return deploy.Pipeline{ID: id, URL: "http://gitlab.test/7"}, nil
	}
	return poll()
}

func (g *fakeGitLab) Find(ctx context.Context, _, _ string, _ time.Duration) (deploy.Pipeline, bool, error) {
	if g.find == nil {
		return deploy.Pipeline{}, false, nil
	}
	return g.find(ctx)
}

func (g *fakeGitLab) Outgoing(context.Context, string, string, string) (deploy.Commits, deploy.Commit, error) {
	return deploy.Commits{}, deploy.Commit{}, nil
}

func (g *fakeGitLab) CanPoll() bool              { return g.canPoll }
func (g *fakeGitLab) PipelinesURL(string) string { return "http://gitlab.test/pipelines" }
