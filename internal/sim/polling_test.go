package sim_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

func runningPipeline() (deploy.Pipeline, error) {
	return deploy.Pipeline{ID: 7, URL: "http://gitlab.test/7"}, nil
}

func TestLookUpsDelayNoTrigger(t *testing.T) {
	row(t, "forty deployments of a project are polled, and no poll is answered", func(t *testing.T) {
		h := newHarness(t, true)
		for n := range 40 {
			h.release(n + 1)
			time.Sleep(time.Second)
		}
		h.gitlab.setPoll(func() (deploy.Pipeline, error) {
			time.Sleep(8 * time.Second)
			return deploy.Pipeline{}, errors.New("no answer")
		})
		before := h.store.countCalls()
		time.Sleep(30 * time.Second)
		if n := h.store.countCalls() - before; n > 1000 {
			t.Errorf("the store was asked %d times in 30 s in which nothing changed", n)
		}
		for n := range 10 {
			time.Sleep(1300 * time.Millisecond)
			m := h.release(100 + n)
			time.Sleep(time.Second)
			h.wantShown(m, "thumbsup", deploy.MsgStatusRunning)
		}
	})
}

func TestLateAnswerFromGitLabSettlesUnsure(t *testing.T) {
	for name, late := range map[string]struct {
		out  deploy.TriggerResult
		mark string
		say  deploy.MessageID
	}{
		"no":                  {deploy.TriggerResult{Status: deploy.TriggerRefused, Reason: deploy.MsgRefusedRef}, "x", deploy.MsgRefusedRef},
		"its rate limit":      {deploy.TriggerResult{Status: deploy.TriggerWait, Reason: deploy.MsgWaitRate, After: time.Minute}, "x", deploy.MsgRefusedRate},
		"it was never sent":   {deploy.TriggerResult{Status: deploy.TriggerNotSent}, "x", deploy.MsgRefusedUnreachable},
		"there is a pipeline": {started(), "thumbsup", ""},
	} {
		row(t, "taken over by another process; then the answer comes: "+name, func(t *testing.T) {
			h := newHarness(t, false)
			slow := h.newEngine() // it is not running: it takes nothing that is due
			h.gitlab.trigger = func(int) deploy.TriggerResult {
				time.Sleep(90 * time.Second)
				return late.out
			}
			m := h.newRequest(1, "release")
			accept(context.Background(), slow, m, 0)
			time.Sleep(80 * time.Second)
			h.wantShown(m, "question", deploy.MsgStatusUnsure)
			time.Sleep(20 * time.Second)
			if late.say == "" {
				h.wantShown(m, late.mark, deploy.MsgStatusRunning)
			} else {
				h.wantShown(m, late.mark, deploy.MsgStatusRefused, late.say)
			}
			if n := h.gitlab.countPosts(); n != 1 {
				t.Errorf("%d triggers", n)
			}
		})
	}
}

func TestStartCallBeforeTheTriggerIsRecorded(t *testing.T) {
	for name, canPoll := range map[string]bool{"GitLab can be polled": true, "GitLab cannot be polled": false} {
		row(t, name+": it runs, and is silent only after its timeout", func(t *testing.T) {
			h := newHarness(t, canPoll)
			m := h.newRequest(1, "release")
			claimed := deploy.Record{Layout: deploy.Layout, Revision: "of another process", State: deploy.Accepted, Request: m}
			if _, _, err := h.Store.Claim(context.Background(), &claimed, time.Minute, time.Now(), deploy.TargetID{}); err != nil {
				t.Fatal(err)
			}
			h.callback(h.Engine, m, deploy.ResultStart)
			time.Sleep(harnessTimeout - 5*time.Second)
			h.wantShown(m, "thumbsup", deploy.MsgStatusRunning)
			time.Sleep(time.Minute)
			h.wantShown(m, "zzz", deploy.MsgStatusSilent, deploy.MsgSilent)
			if n := h.gitlab.countPosts(); n != 0 {
				t.Errorf("%d triggers for a running deploy", n)
			}
		})
	}
}

func TestSilentOnlyAfterGitLabsLastAnswer(t *testing.T) {
	row(t, "a pipeline that runs past its timeout is not silent while GitLab says that it runs", func(t *testing.T) {
		h := newHarness(t, true)
		m := h.release(1)
		time.Sleep(2 * harnessTimeout)
		h.wantShown(m, "thumbsup", deploy.MsgStatusRunning, deploy.MsgOvertime)
		h.gitlab.setPoll(func() (deploy.Pipeline, error) { return deploy.Pipeline{}, errors.New("502") })
		time.Sleep(harnessTimeout - 15*time.Second) // it was asked at most 12 s ago
		h.wantShown(m, "thumbsup", deploy.MsgStatusRunning, deploy.MsgOvertime)
		time.Sleep(30 * time.Second)
		h.wantShown(m, "zzz", deploy.MsgStatusSilent, deploy.MsgOvertime, deploy.MsgSilent)
	})
	row(t, "one failed poll makes nothing silent", func(t *testing.T) {
		h := newHarness(t, true)
		m := h.release(1)
		time.Sleep(2 * harnessTimeout)
		var failed atomic.Bool
		h.gitlab.setPoll(func() (deploy.Pipeline, error) {
			if failed.Swap(true) {
				return runningPipeline()
			}
			return deploy.Pipeline{}, errors.New("502")
		})
		time.Sleep(time.Minute)
		h.wantShown(m, "thumbsup", deploy.MsgStatusRunning, deploy.MsgOvertime)
		if !failed.Load() {
			t.Error("GitLab was not asked")
		}
	})
}
