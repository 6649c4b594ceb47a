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

// rig is the loop by itself, on an embedded store. Its Slack and its GitLab are
// the loop's ports, so that a test can spoil any call as it likes: also in ways
// that no server has, such as a panic.
type rig struct {
	*engine.Engine
	t      *testing.T
	shelf  *shelf
	slack  *board
	gitlab *yard
}

// rigTimeout is the target's own timeout in a rig.
const rigTimeout = 5 * time.Minute

// newRig starts a loop. watches: GitLab can be asked about pipelines.
func newRig(t *testing.T, watches bool) *rig {
	t.Helper()
	r := stillRig(t, watches)
	r.Engine = r.start()
	return r
}

// stillRig is a rig in which no loop runs yet.
func stillRig(t *testing.T, watches bool) *rig {
	t.Helper()
	store, err := dedupe.Open(dedupe.Config{Prefix: "psycher", Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if _, err := store.Birth(t.Context(), time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	return &rig{t: t, shelf: &shelf{Store: store}, slack: &board{spoil: map[string]func(call) error{}, nth: map[string]int{}}, gitlab: &yard{watches: watches}}
}

// start starts another process on what the rig has.
func (r *rig) start() *engine.Engine {
	l := r.loop()
	run(r.t, l)
	return l
}

// run runs a loop until the end of the test.
func run(t *testing.T, l *engine.Engine) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { l.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		l.Shutdown(0)
		running.Wait()
	})
}

func (r *rig) loop() *engine.Engine {
	targets, err := targets.Parse(fmt.Appendf(nil, `{"T1": {"C1": {"app": {"project_id": "group/app", "token": %q, "timeout": %q}}}}`,
		sim.TriggerToken, rigTimeout), "master", time.Hour)
	if err != nil {
		r.t.Fatal(err)
	}
	return &engine.Engine{
		Store: r.shelf, GitLab: r.gitlab, Slack: r.slack, Targets: targets,
		Timing: deploy.Timing{MaxAge: 2 * time.Minute, RequestTimeout: time.Minute, Timeout: rigTimeout, CanPoll: r.gitlab.watches},
	}
}

// mention is the n-th one, made now.
func (r *rig) mention(n int, text string) deploy.Request {
	now := time.Now()
	ts := fmt.Sprintf("%d.%06d", now.Unix(), n)
	return deploy.Request{Key: deploy.Key{Team: "T1", Channel: "C1", TS: ts}, ID: fmt.Sprintf("id-%d", n), By: deploy.Person{User: "U1"}, At: now, Intent: plain(text)}
}

// ask has the loop take in a mention that asks for a deploy.
func (r *rig) ask(n int) deploy.Request {
	r.t.Helper()
	m := r.mention(n, "release")
	if !r.Accept(context.Background(), m, 0) {
		r.t.Fatal("the mention is not acked")
	}
	return m
}

// hears has a loop hear a word of the deployment's pipeline, and take it.
func (r *rig) hears(l *engine.Engine, m deploy.Request, result deploy.Result) {
	r.t.Helper()
	if v, err := l.Callback(context.Background(), deploy.Callback{Channel: m.Channel, TS: m.TS, Result: result, Pipeline: 7, Shared: true}); v != deploy.CallbackTaken {
		r.t.Fatalf("%s: %q %v", result, v, err)
	}
}

// shows holds what stands in Slack: the marks on the mention, then the messages
// of its thread.
func (r *rig) shows(m deploy.Request, marks string, says ...deploy.MessageID) {
	r.t.Helper()
	if got := r.slack.stands(m.Key); strings.Join(got, " ") != marks {
		r.t.Errorf("marks %q, want %q", got, marks)
	}
	if got := r.slack.thread(m.Key); !slices.Equal(got, says) {
		r.t.Errorf("the thread says %q, want %q", got, says)
	}
}

// plain understands "release".
func plain(text string) deploy.Intent {
	if strings.Contains(text, "release") {
		return deploy.Intent{Kind: deploy.KindDeploy, Target: "app"}
	}
	return deploy.Intent{Kind: deploy.KindUnknown}
}

// shelf is a store that can be away and counts what it is asked.
type shelf struct {
	engine.Store
	mu    sync.Mutex
	away  func(ctx context.Context, what string) error // how it is away; nil: it is not
	asked int
	saved func(r deploy.Record) // is called when a record was saved, before who saved it knows
}

func (s *shelf) set(away func(ctx context.Context, what string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

func (s *shelf) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *shelf) ask(ctx context.Context, what string) error {
	s.mu.Lock()
	s.asked++
	away := s.away
	s.mu.Unlock()
	if away == nil {
		return nil
	}
	return away(ctx, what)
}

func (s *shelf) Claim(ctx context.Context, r deploy.Record, lease time.Duration, now time.Time) (engine.Stored, bool, error) {
	if err := s.ask(ctx, "claim"); err != nil {
		return engine.Stored{}, false, err
	}
	return s.Store.Claim(ctx, r, lease, now)
}

func (s *shelf) Save(ctx context.Context, h engine.Stored, next deploy.Record, due time.Duration) (engine.Stored, error) {
	saved, err := s.Store.Save(ctx, h, next, due)
	s.mu.Lock()
	s.asked++
	tell := s.saved
	s.mu.Unlock()
	if err == nil && tell != nil {
		tell(next)
	}
	return saved, err
}

func (s *shelf) Take(ctx context.Context, n int, lease time.Duration) ([]engine.Stored, time.Duration, error) {
	if err := s.ask(ctx, "take"); err != nil {
		return nil, 0, err
	}
	return s.Store.Take(ctx, n, lease)
}

func (s *shelf) Delay(ctx context.Context, h engine.Stored, d time.Duration) error {
	if err := s.ask(ctx, "delay"); err != nil {
		return err
	}
	return s.Store.Delay(ctx, h, d)
}

// yard is a GitLab that starts pipeline 7 each time, and says that it runs.
type yard struct {
	watches bool
	mu      sync.Mutex
	posts   int
	trigger func(nth int) deploy.TriggerResult
	look    func() (deploy.Pipeline, error)
	find    func(ctx context.Context) (p deploy.Pipeline, complete bool, err error)
}

func started() deploy.TriggerResult {
	return deploy.TriggerResult{Status: deploy.TriggerStarted, Pipeline: deploy.Pipeline{ID: 7, URL: "http://gitlab.test/7"}}
}

func (y *yard) set(look func() (deploy.Pipeline, error)) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.look = look
}

func (y *yard) count() int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.posts
}

func (y *yard) Trigger(context.Context, deploy.Target, deploy.Request, deploy.Secret, time.Time) deploy.TriggerResult {
	y.mu.Lock()
	y.posts++
	n, trigger := y.posts, y.trigger
	y.mu.Unlock()
	if trigger == nil {
		return started()
	}
	return trigger(n)
}

func (y *yard) Poll(_ context.Context, _ string, id int64, _ deploy.Counting) (deploy.Pipeline, error) {
	y.mu.Lock()
	look := y.look
	y.mu.Unlock()
	if look == nil {
		return deploy.Pipeline{ID: id, URL: "http://gitlab.test/7"}, nil
	}
	return look()
}

func (y *yard) Find(ctx context.Context, _, _ string, _ time.Duration) (deploy.Pipeline, bool, error) {
	if y.find == nil {
		return deploy.Pipeline{}, false, nil
	}
	return y.find(ctx)
}

func (y *yard) CanPoll() bool              { return y.watches }
func (y *yard) PipelinesURL(string) string { return "http://gitlab.test/pipelines" }
