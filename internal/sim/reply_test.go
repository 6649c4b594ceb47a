package sim_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// failOnce has the store fail one call of a kind.
func (h *harness) failOnce(kind string) {
	var failed atomic.Bool
	h.store.setFail(func(_ context.Context, what string) error {
		if what == kind && failed.CompareAndSwap(false, true) {
			return errors.New("no answer")
		}
		return nil
	})
}

// A stop says what it did only once it has done it all.
func TestStopThatTheStoreFails(t *testing.T) {
	for kind, name := range map[string]string{
		"open": "what waits cannot be listed: the stop is taken up again",
		"load": "one of two cannot be withdrawn: the stop is taken up again",
	} {
		bubble(t, name, func(t *testing.T) {
			h := newHarness(t, false)
			h.gitlab.trigger = func(int) deploy.TriggerResult {
				return deploy.TriggerResult{Status: deploy.TriggerWait, Reason: deploy.MsgWaitRate, After: 4 * time.Minute}
			}
			waiting := []deploy.Request{h.release(1), h.release(2)}
			time.Sleep(10 * time.Second)
			h.failOnce(kind)
			stop := h.newRequest(3, "")
			stop.Intent = deploy.Intent{Kind: deploy.KindCancel}
			h.Accept(context.Background(), stop, 0)
			time.Sleep(time.Minute)
			for _, m := range waiting {
				h.wantShown(m, "", deploy.MsgStatusAnswered, deploy.MsgWithdrawn)
			}
			h.wantShown(stop, "", deploy.MsgStop)
			time.Sleep(6 * time.Minute)
			if n := h.gitlab.countPosts(); n != len(waiting) {
				t.Errorf("%d POSTs", n)
			}
		})
	}
}

// What is about to be answered is judged anew if an edit was faster.
func TestAnEditWhileItsAnswerIsMade(t *testing.T) {
	bubble(t, "a greeting that becomes a request meanwhile is asked about, and not greeted", func(t *testing.T) {
		h := newHarness(t, false)
		m := h.newRequest(1, "")
		m.Intent = deploy.Intent{Kind: deploy.KindGreet}
		edit := h.newRequest(1, "release")
		edit.Edited = true
		var edited atomic.Bool
		h.store.setFail(func(_ context.Context, what string) error {
			if what == "open" && edited.CompareAndSwap(false, true) {
				h.Accept(context.Background(), edit, 0)
			}
			return nil
		})
		h.Accept(context.Background(), m, 0)
		time.Sleep(30 * time.Second)
		h.wantShown(m, "thinking_face", deploy.MsgEditedIn)
	})
}
