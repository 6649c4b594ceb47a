package sim_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sim"
)

// One process makes a POST that certainly did not run, saves that it waits, and
// then cannot reach Redis. Another makes the next POST. Then the first is back,
// and does not know that its save succeeded.
func TestProcessCutOffFromRedisStartsNoSecondPipeline(t *testing.T) {
	failures := map[string]func(w *sim.World, routes *sim.Routes){
		"refused by a rate limit": func(w *sim.World, _ *sim.Routes) {
			w.GitLab.Answer(1, fakegitlab.Fault{Status: http.StatusTooManyRequests, Body: "Retry later\n", Header: map[string]string{"Retry-After": "1"}})
		},
		"not sent": func(_ *sim.World, routes *sim.Routes) { routes.Block("gitlab.test:80", 0) },
	}
	for name, first := range failures {
		for file, pipeline := range map[string]func(w *sim.World) *atomic.Int64{
			"modern": func(w *sim.World) *atomic.Int64 { return modern(w, after(50*time.Second)) },
			"classic": func(w *sim.World) *atomic.Int64 { // it does not ask before it deploys
				deployed := new(atomic.Int64)
				w.Pipeline = func(p fakegitlab.Pipeline) {
					time.Sleep(100 * time.Second)
					deployed.Add(1)
					w.GitLab.Finish(p.ID, "success")
					w.Report(p, "success")
				}
				return deployed
			},
		} {
			row(t, file+" CI file, the first POST "+name, func(t *testing.T) {
				w := sim.New(t)
				routes := w.Routes()
				deployed := pipeline(w)
				a := w.StartReady("a")
				first(w, routes)
				w.GitLab.Answer(1, fakegitlab.Fault{Status: http.StatusCreated, Make: 1, Delay: 40 * time.Second})
				partition := &sim.Fault{At: sim.Op{Kind: "redis:save", N: 3}, Kind: sim.Partition}
				a.Arm(partition)
				ts := w.Ask("release")
				w.Eventually("the save that says that it waits", time.Minute, partition.Hit)
				routes.Unblock("gitlab.test:80")
				w.StartReady("b")
				time.Sleep(6 * time.Minute)
				if n := len(w.GitLab.Pipelines()); n != 1 || deployed.Load() != 1 {
					t.Errorf("%d pipelines, %d deploys, %d POSTs for one mention", n, deployed.Load(), w.GitLab.PostsFor(sim.Channel, ts))
				}
				w.WaitReactions(sim.Channel, ts, "white_check_mark")
			})
		}
	}
}

// rival withdraws the mention just before the engine's save that would allow a POST.
type rival struct {
	engine.Store
	done atomic.Bool
}

func (s *rival) Save(ctx context.Context, stored engine.Stored, next *deploy.Record, due time.Duration) (engine.Stored, error) {
	if next.State == deploy.Triggering && s.done.CompareAndSwap(false, true) {
		other := stored.Record.Edit(deploy.Intent{})
		other.Revision = "rival"
		if _, err := s.Store.Save(ctx, stored, &other, 0); err != nil {
			return stored, err
		}
	}
	return s.Store.Save(ctx, stored, next, due)
}

func TestNoPOSTAfterALostSave(t *testing.T) {
	bubble(t, "an edit was faster", func(t *testing.T) {
		h := newStoppedHarness(t, false)
		e := h.newEngine()
		e.Store = &rival{Store: h.store}
		runEngine(t, e)
		h.Engine = e
		m := h.release(1)
		time.Sleep(time.Minute)
		if n := h.gitlab.countPosts(); n != 0 {
			t.Errorf("%d POSTs by a worker whose save was lost", n)
		}
		h.wantShown(m, "", deploy.MsgEditedOut)
	})
}

func TestNothingStartedIsSaidOnlyWhenCertain(t *testing.T) {
	bubble(t, "one delivery's claim gets no answer, the next one's is refused", func(t *testing.T) {
		h := newStoppedHarness(t, false)
		e := h.newEngine()
		m := h.newRequest(1, "release")
		h.store.setFail(func(context.Context, string) error { return errors.New("no answer") })
		accept(t.Context(), e, m, 0)
		h.store.setFail(func(context.Context, string) error { return engine.ErrRefused })
		accept(t.Context(), e, m, 1)
		time.Sleep(time.Second)
		if slices.Contains(h.slack.messages(m.Key), deploy.MsgNotRecorded) {
			t.Error("the person was told that nothing was started, which is not certain")
		}
	})
}

func TestSlowGitLabIsShown(t *testing.T) {
	row(t, "no answer for 2 s: a reaction, and then the result", func(t *testing.T) {
		w := sim.New(t)
		reportEach(w, "success")
		w.StartReady("a")
		w.GitLab.Answer(1, fakegitlab.Fault{Make: 1, Delay: 12 * time.Second, Status: http.StatusCreated})
		ts := w.Ask("release")
		time.Sleep(1900 * time.Millisecond)
		if marks := w.Slack.Reactions(sim.Channel, ts); len(marks) != 0 {
			t.Errorf("after 1.9 s it shows %q", marks)
		}
		waitReaction(w, ts, 2*time.Second, "eyes")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
		wantPosts(t, w, ts, 1)
	})
	row(t, "refused after a while: the reaction is removed", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		f := fault(t, "reference not found")
		f.Delay = 5 * time.Second
		w.GitLab.Answer(1, f)
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "eyes")
		w.WaitReactions(sim.Channel, ts, "x")
		wantPosts(t, w, ts, 1)
	})
	row(t, "it waits, and then GitLab is slow: the hourglass stays until the answer comes", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "rate limit of a proxy"))
		w.GitLab.Answer(1, fakegitlab.Fault{Make: 1, Delay: 12 * time.Second, Status: http.StatusCreated})
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPosts(t, w, ts, 2)
	})
}

// A POST may take more than a minute: what is known meanwhile is shown.
func TestNewsDuringThePOSTIsShownAtOnce(t *testing.T) {
	setup := func(t *testing.T) *harness {
		h := newStoppedHarness(t, true)
		h.gitlab.trigger = func(int) deploy.TriggerResult {
			time.Sleep(time.Minute)
			return deploy.TriggerResult{Status: deploy.TriggerUnsure}
		}
		return h
	}
	bubble(t, "Slack refuses the reaction for a slow GitLab at first", func(t *testing.T) {
		h := setup(t)
		h.slack.on("react", func(c call) error {
			if c.nth == 1 {
				return &engine.LaterError{After: 3 * time.Second, Err: errors.New("its rate limit")}
			}
			c.do()
			return nil
		})
		h.Engine = h.startEngine()
		m := h.release(1)
		time.Sleep(8 * time.Second)
		h.wantShown(m, "eyes", deploy.MsgStatusStarting)
	})
	bubble(t, "the pipeline calls before GitLab has answered", func(t *testing.T) {
		h := setup(t)
		h.Engine = h.startEngine()
		m := h.release(1)
		time.Sleep(5 * time.Second)
		h.callback(h.Engine, m, deploy.ResultStart)
		time.Sleep(2 * time.Second)
		h.wantShown(m, "thumbsup", deploy.MsgStatusRunning)
		time.Sleep(20 * time.Second)
		h.callback(h.Engine, m, deploy.ResultSuccess)
		time.Sleep(2 * time.Second)
		h.wantShown(m, "white_check_mark", deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
		time.Sleep(2 * time.Minute)
		h.wantShown(m, "white_check_mark", deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
	})
	bubble(t, "the bot stops meanwhile, on an embedded store", func(t *testing.T) {
		h := setup(t)
		e := h.newEngine()
		e.Ephemeral = true
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { e.Run(ctx); close(done) }()
		h.Engine = e
		m := h.release(1)
		time.Sleep(4 * time.Second)
		cancel()
		time.Sleep(4 * time.Second)
		h.wantShown(m, "eyes", deploy.MsgStatusStarting) // it may still be answered
		e.Shutdown(0)
		<-done
	})
}

// Somebody else made the record due early; its own due time comes before its lease ends.
func TestRecordDueEarlyKeepsItsDueTime(t *testing.T) {
	bubble(t, "it waits for 4 s", func(t *testing.T) {
		h := newStoppedHarness(t, false)
		h.gitlab.trigger = func(n int) deploy.TriggerResult {
			if n == 1 {
				return deploy.TriggerResult{Status: deploy.TriggerWait, Reason: deploy.MsgWaitRate, After: 4 * time.Second}
			}
			return started()
		}
		h.Engine = h.startEngine()
		m := h.release(1)
		time.Sleep(2 * time.Second)
		stored, ok, err := h.store.Load(t.Context(), m.Key)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if err := h.store.Store.Delay(t.Context(), stored, 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(4 * time.Second)
		if n := h.gitlab.countPosts(); n != 2 {
			t.Errorf("%d POSTs after 6 s", n)
		}
	})
}

func TestCallbackAfterTheEmbeddedStoreEndsIsNotTaken(t *testing.T) {
	bubble(t, "its process has posted its goodbye", func(t *testing.T) {
		h := newStoppedHarness(t, false)
		e := h.newEngine()
		e.Ephemeral = true
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { e.Run(ctx); close(done) }()
		h.Engine = e
		m := h.release(1)
		time.Sleep(time.Second)
		cancel()
		<-done
		if v, err := e.Callback(t.Context(), deploy.Callback{Channel: m.Channel, TS: m.TS, Result: deploy.ResultSuccess, Pipeline: 7, Shared: true}); err == nil {
			t.Errorf("the pipeline is answered %q, and nobody will see it", v)
		}
	})
}

// A proxy sent the POST twice and lost its answer: pipelines 7 and 8. The listing
// takes a while, as a busy GitLab's does, and returns the one that was created
// first: it asked to start after the other, got 409, and so failed.
func TestLookUpOfTheOtherPipelineSettlesNothing(t *testing.T) {
	bubble(t, "a start call comes during the look-up", func(t *testing.T) {
		h := newStoppedHarness(t, true)
		h.gitlab.trigger = func(int) deploy.TriggerResult { return deploy.TriggerResult{Status: deploy.TriggerUnsure} }
		h.gitlab.find = func(ctx context.Context) (deploy.Pipeline, bool, error) {
			select {
			case <-time.After(6 * time.Second):
				return deploy.Pipeline{ID: 7, URL: "http://gitlab.test/7", End: deploy.Failed, Detail: "deploy"}, true, nil
			case <-ctx.Done():
				return deploy.Pipeline{}, false, ctx.Err()
			}
		}
		h.Engine = h.startEngine()
		m := h.release(1)
		time.Sleep(2500 * time.Millisecond)
		for _, call := range []struct {
			pipeline int64
			result   deploy.Result
			want     deploy.CallbackResult
		}{
			{8, deploy.ResultStart, deploy.CallbackTaken},
			{7, deploy.ResultStart, deploy.CallbackStop},
			{7, deploy.ResultFailure, deploy.CallbackNoEffect},
		} {
			v, err := h.Callback(t.Context(), deploy.Callback{Channel: m.Channel, TS: m.TS, Result: call.result, Pipeline: call.pipeline, Shared: true})
			if v != call.want || err != nil {
				t.Errorf("%s of pipeline %d: %q %v", call.result, call.pipeline, v, err)
			}
		}
		time.Sleep(15 * time.Second)
		h.wantShown(m, "thumbsup", deploy.MsgStatusRunning)
	})
}

// Records of the version before are read, and their deploys go on.
func TestRecordsOfTheLayoutBeforeGoOn(t *testing.T) {
	const head = `{"v":%d,"revision":"OLD","mention":{"team":"T0TEAM","channel":"C0APP","ts":"%s","id":"11111111-2222-5333-8444-555555555555","by":{"user":"U0ASKER"},"at":%q,"via":"mention","intent":{"kind":"deploy","target":"app"}},`
	deployment := `"deployment":{"target":"app","project":"group/app","ref":"master","key":"RELEASE","timeout":3600000000000,"attempt":1,"page":"http://gitlab.test/group/app/-/pipelines","triggered":%q,"wait_end":%q%s},`
	rows := map[string]struct {
		state, more string
		mark        string
		posts       int
	}{
		"accepted":                              {state: "accepted", mark: "thumbsup", posts: 1},
		"waiting":                               {state: "waiting", more: `,"wait":"wait-rate"`, mark: "thumbsup", posts: 1},
		"triggering, by a process that is gone": {state: "triggering", mark: "question", posts: 0},
		"running":                               {state: "running", more: `,"pipeline":77`, mark: "thumbsup", posts: 0},
	}
	for name, old := range rows {
		row(t, name, func(t *testing.T) {
			w := sim.New(t, "GITLAB_API_TOKEN=")
			w.StartReady("a")
			w.Slack.PauseDeliveries(true)
			ts, now := w.Ask("release"), time.Now()
			raw := fmt.Sprintf(head, deploy.Layout-1, ts, now.UTC().Format(time.RFC3339))
			if old.state != "accepted" {
				raw += fmt.Sprintf(deployment, now.UTC().Format(time.RFC3339), now.Add(4*time.Minute).UTC().Format(time.RFC3339), old.more)
			}
			raw += fmt.Sprintf(`"state":%q,"shown":{},"next":%q}`, old.state, now.UTC().Format(time.RFC3339))
			key := sim.Team + ":" + sim.Channel + ":" + ts
			if err := w.Redis.Set("{psycher}:record:"+key, raw); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Redis.ZAdd("{psycher}:due", float64(now.UnixMilli()), key); err != nil {
				t.Fatal(err)
			}
			w.Slack.PauseDeliveries(false) // to a process that already knows it
			w.WaitReactions(sim.Channel, ts, old.mark)
			wantPosts(t, w, ts, old.posts)
			if now, err := w.Redis.Get("{psycher}:record:" + key); err != nil || !strings.HasPrefix(now, fmt.Sprintf(`{"v":%d,`, deploy.Layout)) {
				t.Errorf("it is stored as %.20s %v", now, err)
			}
		})
	}
}
