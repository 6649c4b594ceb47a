package sim_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
	"github.com/getto-systems/psycher/internal/sim"
)

// hangingGitLab never answers for projects that begin with "slow".
type hangingGitLab struct {
	*fakeGitLab
	hangs atomic.Bool
}

func (g *hangingGitLab) Trigger(ctx context.Context, t deploy.Target, m deploy.Request, sha string, token deploy.Secret, until time.Time) deploy.TriggerResult {
	if g.hangs.Load() && strings.HasPrefix(t.Project, "slow") {
		time.Sleep(65 * time.Second)
		return deploy.TriggerResult{Status: deploy.TriggerUnsure}
	}
	return g.fakeGitLab.Trigger(ctx, t, m, sha, token, until)
}

func (g *hangingGitLab) Poll(ctx context.Context, project string, id int64, count deploy.Counting) (deploy.Pipeline, error) {
	if g.hangs.Load() && strings.HasPrefix(project, "slow") {
		<-ctx.Done()
		return deploy.Pipeline{}, ctx.Err()
	}
	return g.fakeGitLab.Poll(ctx, project, id, count)
}

// newSlowHarness returns a harness with channel C1 for a project that answers,
// and channels CSn for slow ones.
func newSlowHarness(t *testing.T, canPoll bool, projects int) (*harness, *hangingGitLab) {
	t.Helper()
	h := newStoppedHarness(t, canPoll)
	e, g := h.newEngine(), &hangingGitLab{fakeGitLab: h.gitlab}
	channels := []string{fmt.Sprintf(`"C1": {"app": {"project_id": "fine/app", "token": %q, "parallel": true}}`, sim.TriggerToken)}
	for i := range projects {
		channels = append(channels, fmt.Sprintf(`"CS%d": {"app": {"project_id": "slow/app%d", "token": %q, "parallel": true}}`, i, i, sim.TriggerToken))
	}
	setTargets(e, parseTargets(t, `{"T1": {`+strings.Join(channels, ",")+`}}`))
	e.GitLab = g
	runEngine(t, e)
	h.Engine = e
	return h, g
}

// acceptIn has the engine accept a mention in a channel.
func (h *harness) acceptIn(channel, text string, n int) deploy.Request {
	h.t.Helper()
	m := h.newRequest(n, text)
	m.Channel = channel
	if !h.Accept(context.Background(), m, 0) {
		h.t.Fatal("the mention is not acked")
	}
	return m
}

// timeUntil is how long it takes until is returns true, five minutes at most.
func timeUntil(is func() bool) time.Duration {
	at := time.Now()
	for !is() && time.Since(at) < 5*time.Minute {
		time.Sleep(50 * time.Millisecond)
	}
	return time.Since(at)
}

func TestHangingProjectsDelayNoAnswer(t *testing.T) {
	for _, projects := range []int{1, 12, few(40), few(100)} {
		row(t, fmt.Sprintf("%d projects whose GitLab never answers a trigger, 12 mentions each", projects), func(t *testing.T) {
			h, g := newSlowHarness(t, false, projects)
			g.hangs.Store(true)
			for i := range projects {
				for n := range 12 {
					h.acceptIn(fmt.Sprintf("CS%d", i), "release", 100+i*20+n)
				}
			}
			time.Sleep(3 * time.Second)
			greeting, release := h.acceptIn("C1", "hello", 9000), h.acceptIn("C1", "release", 9001)
			if took := timeUntil(func() bool { return len(h.slack.messages(greeting.Key)) > 0 }); took > 5*time.Second {
				t.Errorf("a greeting is answered after %v", took)
			}
			took := timeUntil(func() bool { return slices.Contains(h.slack.reactions(release.Key), "thumbsup") })
			if projects <= 50 && took > 5*time.Second { // more projects use up all calls
				t.Errorf("another project's deploy is shown after %v", took)
			}
			if projects == 1 {
				before := h.store.countCalls()
				time.Sleep(30 * time.Second)
				if n := h.store.countCalls() - before; n > 1000 {
					t.Errorf("the store was asked %d times in half a minute in which nothing changed", n)
				}
			}
		})
	}
}

// Slack takes about fifty reactions a minute. Deploys that wait for their turn at
// GitLab must not use them up on checking that their mentions still exist.
func TestQueuedDeployAsksSlackForNothing(t *testing.T) {
	row(t, "forty wait for one project, whose GitLab then answers no POST", func(t *testing.T) {
		h := newStoppedHarness(t, false)
		h.gitlab.trigger = func(n int) deploy.TriggerResult {
			if n <= 40 {
				return deploy.TriggerResult{Status: deploy.TriggerWait, Reason: deploy.MsgWaitRate, After: 20 * time.Second}
			}
			time.Sleep(time.Minute)
			return deploy.TriggerResult{Status: deploy.TriggerUnsure}
		}
		h.Engine = h.startEngine()
		for n := range 40 {
			h.release(n + 1)
			time.Sleep(200 * time.Millisecond)
		}
		time.Sleep(25 * time.Second)
		before := h.slack.countCalls("react")
		time.Sleep(30 * time.Second)
		if n := h.slack.countCalls("react") - before; n > 0 {
			t.Errorf("%d reactions in 30 s in which nothing changed", n)
		}
	})
}

func TestQueuedDeployIsShown(t *testing.T) {
	row(t, "Slack refuses everything at first, and then GitLab answers no POST", func(t *testing.T) {
		h := newStoppedHarness(t, false)
		h.gitlab.trigger = func(n int) deploy.TriggerResult {
			if n <= 20 {
				return deploy.TriggerResult{Status: deploy.TriggerWait, Reason: deploy.MsgWaitRate, After: 5 * time.Second}
			}
			time.Sleep(time.Minute)
			return deploy.TriggerResult{Status: deploy.TriggerUnsure}
		}
		healed := time.Now().Add(10 * time.Second)
		for _, kind := range []string{"react", "post"} {
			h.slack.on(kind, func(c call) error {
				if time.Now().Before(healed) {
					return &engine.LaterError{After: 8 * time.Second, Err: errors.New("its rate limit")}
				}
				c.do()
				return nil
			})
		}
		h.Engine = h.startEngine()
		var all []deploy.Request
		for n := range 20 {
			all = append(all, h.release(n+1))
		}
		time.Sleep(20 * time.Second)
		for _, m := range all {
			if marks := h.slack.reactions(m.Key); len(marks) == 0 {
				t.Errorf("%s has no reaction, and its thread says %q", m.TS, h.slack.messages(m.Key))
			}
		}
	})
}

func TestHangingLookUpsDelayNoEnd(t *testing.T) {
	for _, projects := range []int{1, 4, few(40)} {
		row(t, fmt.Sprintf("%d projects whose GitLab never answers a look-up, 6 deploys each; their pipelines call", projects), func(t *testing.T) {
			h, g := newSlowHarness(t, true, projects)
			var all []deploy.Request
			for i := range projects {
				for n := range 6 {
					all = append(all, h.acceptIn(fmt.Sprintf("CS%d", i), "release", 100+i*20+n))
				}
			}
			time.Sleep(20 * time.Second)
			g.hangs.Store(true)
			time.Sleep(30 * time.Second)
			for _, m := range all[:6] {
				if v, err := h.Callback(context.Background(), deploy.Callback{Channel: m.Channel, TS: m.TS, Result: deploy.ResultSuccess, Pipeline: 7, Shared: true}); v != deploy.CallbackTaken {
					t.Fatal(v, err)
				}
				if took := timeUntil(func() bool { return slices.Contains(h.slack.reactions(m.Key), "white_check_mark") }); took > 3*time.Second {
					t.Errorf("a reported end is shown after %v", took)
				}
			}
		})
	}
}

func TestClaimsAfterAnOutageDelayNothing(t *testing.T) {
	row(t, "the store is back and takes 0.4 s for each claim; 300 people were told that nothing was started", func(t *testing.T) {
		h := newHarness(t, false)
		m := h.release(1)
		time.Sleep(5 * time.Second)
		h.store.setFail(func(context.Context, string) error { return engine.ErrRefused })
		var all sync.WaitGroup
		var told []deploy.Request
		for i := range 300 {
			asks := h.newRequest(1000+i, "release")
			told = append(told, asks)
			all.Go(func() { h.Accept(context.Background(), asks, 0) })
		}
		all.Wait()
		h.store.setFail(func(_ context.Context, what string) error {
			if what == "claim" {
				time.Sleep(400 * time.Millisecond)
			}
			return nil
		})
		time.Sleep(2 * time.Second)
		h.callback(h.Engine, m, deploy.ResultSuccess)
		if took := timeUntil(func() bool { return slices.Contains(h.slack.reactions(m.Key), "white_check_mark") }); took > 5*time.Second {
			t.Errorf("an end is shown after %v", took)
		}
		if err := h.Ready(); err != nil {
			t.Errorf("not ready: %v", err)
		}
		time.Sleep(3 * time.Minute)
		for _, m := range told {
			if _, ok, err := h.store.Load(t.Context(), m.Key); !ok || err != nil {
				t.Fatalf("%v is not claimed: %v", m.Key, err)
			}
		}
		if n := h.gitlab.countPosts(); n != 1 {
			t.Errorf("%d triggers", n)
		}
	})
}

func TestNumberOfPeopleToldIsBounded(t *testing.T) {
	t.Parallel()
	row(t, "the store is down while thousands ask: a person who cannot be remembered is not told that nothing was started", func(t *testing.T) {
		const most = 10_000
		h := newHarness(t, false)
		time.Sleep(time.Second)
		h.store.setFail(func(context.Context, string) error { return engine.ErrRefused })
		var acked atomic.Int64
		var all sync.WaitGroup
		for i := range most + 500 {
			all.Go(func() {
				if h.Accept(context.Background(), h.newRequest(i, "release"), 0) {
					acked.Add(1)
				}
			})
		}
		all.Wait()
		if n := acked.Load(); n != most {
			t.Errorf("%d of %d are acked, want %d", n, most+500, most)
		}
		h.store.setFail(nil)
		time.Sleep(10 * time.Second)
		if !h.Accept(context.Background(), h.newRequest(most+600, "hello"), 0) {
			t.Error("nothing is accepted once the store is back")
		}
	})
}

func TestRecordSavedByANewerVersionIsReleased(t *testing.T) {
	row(t, "as many as a project has lanes; then the project gets one more request", func(t *testing.T) {
		h := newStoppedHarness(t, false)
		answer := make(chan struct{})
		h.gitlab.trigger = func(n int) deploy.TriggerResult {
			if n <= 8 {
				<-answer
			}
			return started()
		}
		h.Engine = h.startEngine()
		var ms []deploy.Request
		for i := range 8 {
			ms = append(ms, h.release(i+1))
		}
		time.Sleep(time.Second)
		for _, m := range ms {
			stored, ok, err := h.store.Load(t.Context(), m.Key)
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			next := *stored.Record
			next.Layout, next.Revision = deploy.Layout+1, "newer"
			if _, err := h.store.Store.Save(t.Context(), stored, &next, time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		close(answer)
		time.Sleep(time.Second)
		m := h.release(9)
		time.Sleep(2 * time.Second)
		h.wantShown(m, "thumbsup", deploy.MsgStatusRunning)
	})
}
