package sim_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

var errSlack = errors.New("Slack failed")

// later is the error of a rate limit or a 5xx.
func later(after time.Duration) error { return &engine.LaterError{After: after, Err: errSlack} }

func TestPanicWhileShowing(t *testing.T) {
	row(t, "it kills no process, is tried three times, and then counts as shown", func(t *testing.T) {
		h := newHarness(t, false)
		bad := h.newRequest(1, "release")
		var tries atomic.Int32
		h.slack.on("post", func(c call) error {
			if c.on == bad.Key {
				tries.Add(1)
				panic("no words for this")
			}
			c.do()
			return nil
		})
		h.Accept(context.Background(), bad, 0)
		good := h.release(2)
		time.Sleep(time.Minute)
		h.wantShown(good, "thumbsup", deploy.MsgStatusRunning)
		time.Sleep(2 * time.Minute)
		if n := tries.Load(); n != 3 {
			t.Errorf("posted %d times, want 3", n)
		}
		h.callback(h.Engine, bad, deploy.ResultSuccess)
		time.Sleep(2 * time.Minute)
		if marks := h.slack.reactions(bad.Key); !slices.Contains(marks, "white_check_mark") {
			t.Errorf("what can be shown is not shown: %q", marks)
		}
		if n := tries.Load(); n > 3+1 {
			t.Errorf("posted %d times in the end: it is tried forever", n)
		}
		after := h.release(3)
		time.Sleep(time.Second)
		h.wantShown(after, "thumbsup", deploy.MsgStatusRunning)
	})
}

func TestTwoProcessesLeaveSlackRight(t *testing.T) {
	slowly := func(nth int) func(c call) error {
		return func(c call) error {
			if c.nth == nth {
				time.Sleep(3 * time.Second)
			}
			c.do()
			return nil
		}
	}
	row(t, "one gets the end while the other adds the reaction of the start", func(t *testing.T) {
		h := newHarness(t, false)
		other := h.startEngine()
		h.slack.on("react", slowly(1))
		m := h.release(1)
		time.Sleep(500 * time.Millisecond)
		h.callback(other, m, deploy.ResultSuccess)
		time.Sleep(time.Minute)
		h.wantShown(m, "white_check_mark", deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
	})
	row(t, "the reaction of the start arrives after the end has been shown", func(t *testing.T) {
		h := newHarness(t, false)
		other := h.startEngine()
		h.slack.on("react", func(c call) error {
			if c.nth == 1 { // its process is suspended in the middle of the call
				time.Sleep(40 * time.Second)
			}
			c.do()
			return nil
		})
		m := h.release(1)
		time.Sleep(500 * time.Millisecond)
		h.callback(other, m, deploy.ResultSuccess)
		time.Sleep(2 * time.Minute)
		h.wantShown(m, "white_check_mark", deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
	})
	row(t, "one gets the end while the other edits the status message", func(t *testing.T) {
		h := newHarness(t, false)
		other := h.startEngine()
		h.gitlab.trigger = func(nth int) deploy.TriggerResult {
			if nth == 1 {
				return deploy.TriggerResult{Status: deploy.TriggerWait, Reason: deploy.MsgWaitRate, After: 10 * time.Second}
			}
			return started()
		}
		h.slack.on("update", slowly(1))
		m := h.release(1)
		time.Sleep(11500 * time.Millisecond)
		h.callback(other, m, deploy.ResultFailure)
		time.Sleep(time.Minute)
		h.wantShown(m, "x", deploy.MsgStatusFailed, deploy.MsgFailed)
	})
	row(t, "one gets the end while the other posts the status message", func(t *testing.T) {
		h := newHarness(t, false)
		other := h.startEngine()
		h.slack.on("post", slowly(1))
		m := h.release(1)
		time.Sleep(500 * time.Millisecond)
		h.callback(other, m, deploy.ResultSuccess)
		time.Sleep(time.Minute)
		h.wantShown(m, "white_check_mark", deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
	})
	row(t, "one gets the trigger's answer while the other shows the start call that it took", func(t *testing.T) {
		h := newHarness(t, false)
		other := h.startEngine()
		h.gitlab.trigger = func(int) deploy.TriggerResult {
			time.Sleep(3 * time.Second)
			return started()
		}
		h.slack.on("post", slowly(1))
		m := h.release(1)
		time.Sleep(time.Second)
		h.callback(other, m, deploy.ResultStart)
		time.Sleep(time.Minute)
		h.wantShown(m, "thumbsup", deploy.MsgStatusRunning)
	})
	row(t, "one sleeps between its announcement of a post and the post", func(t *testing.T) {
		h := newHarness(t, false)
		var slept atomic.Bool
		h.store.onSave = func(rec deploy.Record) {
			if rec.Shown.Posting != "" && slept.CompareAndSwap(false, true) {
				time.Sleep(time.Minute)
			}
		}
		h.startEngine()
		m := h.release(1)
		time.Sleep(2 * time.Minute)
		h.wantShown(m, "thumbsup", deploy.MsgStatusRunning)
	})
	row(t, "one sleeps between its announcement of a later post and that post", func(t *testing.T) {
		h := newHarness(t, false)
		var slept atomic.Bool
		h.store.onSave = func(rec deploy.Record) {
			if rec.Shown.Posting == deploy.SlotLine(0) && slept.CompareAndSwap(false, true) {
				time.Sleep(time.Minute)
			}
		}
		h.startEngine()
		m := h.release(1)
		time.Sleep(5 * time.Second)
		h.callback(h.Engine, m, deploy.ResultSuccess)
		time.Sleep(2 * time.Minute)
		h.wantShown(m, "white_check_mark", deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
		if !slept.Load() {
			t.Error("nobody slept")
		}
	})
	row(t, "callbacks come while one process works on the record", func(t *testing.T) {
		h := newHarness(t, false)
		h.gitlab.trigger = func(int) deploy.TriggerResult {
			time.Sleep(3 * time.Second)
			return started()
		}
		h.slack.on("post", slowly(1))
		m := h.release(1)
		time.Sleep(time.Second)
		h.callback(h.Engine, m, deploy.ResultStart) // the POST is in flight
		time.Sleep(4 * time.Second)
		h.callback(h.Engine, m, deploy.ResultSuccess) // the status message is
		time.Sleep(time.Minute)
		h.wantShown(m, "white_check_mark", deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
	})
}

func TestRateLimitOfOneMethodDelaysNothingElse(t *testing.T) {
	type stands struct {
		marks string
		says  []deploy.MessageID
	}
	says := func(s ...deploy.MessageID) []deploy.MessageID { return s }
	for kind, want := range map[string]struct{ failed, recovered stands }{
		"unreact": {
			stands{"thumbsup x", says(deploy.MsgStatusFailed, deploy.MsgFailed)},
			stands{"thumbsup x white_check_mark", says(deploy.MsgStatusSucceeded, deploy.MsgFailed, deploy.MsgRecovered)},
		},
		"update": {
			stands{"x", says(deploy.MsgStatusRunning, deploy.MsgFailed)},
			stands{"white_check_mark", says(deploy.MsgStatusRunning, deploy.MsgFailed, deploy.MsgRecovered)},
		},
		"post": {
			stands{"x", says(deploy.MsgStatusFailed)},
			stands{"white_check_mark", says(deploy.MsgStatusSucceeded)},
		},
	} {
		row(t, kind+" must wait: everything else is shown at once, also what a later callback brings, and the rest in the end", func(t *testing.T) {
			h := newHarness(t, false)
			m := h.release(1)
			time.Sleep(5 * time.Second)
			limit := time.Now().Add(time.Minute)
			h.slack.on(kind, func(c call) error {
				if left := time.Until(limit); left > 0 {
					return later(left)
				}
				c.do()
				return nil
			})
			h.callback(h.Engine, m, deploy.ResultFailure)
			time.Sleep(2 * time.Second)
			h.wantShown(m, want.failed.marks, want.failed.says...)
			h.callback(h.Engine, m, deploy.ResultSuccess)
			time.Sleep(2 * time.Second)
			h.wantShown(m, want.recovered.marks, want.recovered.says...)
			time.Sleep(2 * time.Minute)
			h.wantShown(m, "white_check_mark", deploy.MsgStatusSucceeded, deploy.MsgFailed, deploy.MsgRecovered)
		})
	}
	row(t, "a reaction must wait: the messages come", func(t *testing.T) {
		h := newHarness(t, false)
		h.slack.on("react", func(call) error { return later(time.Minute) })
		m := h.release(1)
		time.Sleep(2 * time.Second)
		h.wantShown(m, "", deploy.MsgStatusRunning)
		h.slack.on("react", nil)
		time.Sleep(2 * time.Minute)
		h.wantShown(m, "thumbsup", deploy.MsgStatusRunning)
	})
}

func TestNewReactionIsAddedBeforeTheOldIsRemoved(t *testing.T) {
	row(t, "the new one must wait: the old one stays until then, and there is always a reaction", func(t *testing.T) {
		h := newHarness(t, false)
		m := h.release(1)
		time.Sleep(5 * time.Second)
		limit := time.Now().Add(30 * time.Second)
		h.slack.on("react", func(c call) error {
			if left := time.Until(limit); left > 0 {
				return later(left)
			}
			c.do()
			return nil
		})
		h.callback(h.Engine, m, deploy.ResultFailure)
		for time.Until(limit) > 0 {
			time.Sleep(100 * time.Millisecond)
			if marks := h.slack.reactions(m.Key); !slices.Equal(marks, []string{"thumbsup"}) {
				t.Fatalf("reactions %q while reactions.add is limited", marks)
			}
		}
		time.Sleep(10 * time.Second)
		h.wantShown(m, "x", deploy.MsgStatusFailed, deploy.MsgFailed)
	})
	row(t, "Slack will never take the new one: the old one, which is no longer true, is removed", func(t *testing.T) {
		h := newHarness(t, false)
		m := h.release(1)
		time.Sleep(5 * time.Second)
		h.slack.on("react", func(call) error { return errSlack })
		h.callback(h.Engine, m, deploy.ResultFailure)
		time.Sleep(10 * time.Second)
		h.wantShown(m, "", deploy.MsgStatusFailed, deploy.MsgFailed)
	})
}

func TestDeliveryWithoutRoomIsShownSoon(t *testing.T) {
	row(t, "forty at once, Slack takes 3 s for each, and there is room for 32: the rest are shown after the first", func(t *testing.T) {
		h := newHarness(t, false)
		h.slack.on("post", func(c call) error {
			time.Sleep(3 * time.Second)
			c.do()
			return nil
		})
		var all []deploy.Request
		for n := range 40 {
			m := h.newRequest(n+1, "hello")
			m.Channel = fmt.Sprintf("CX%d", n)
			h.Accept(context.Background(), m, 0)
			all = append(all, m)
		}
		time.Sleep(9 * time.Second)
		for _, m := range all {
			h.wantShown(m, "", deploy.MsgUnknown)
		}
	})
}

func TestPostIsNotDoubled(t *testing.T) {
	lost := &engine.LostError{Err: errSlack}
	for name, first := range map[string]func(c call) error{
		"Slack makes it after its caller has gone": func(c call) error {
			time.AfterFunc(6*time.Second, c.do)
			<-c.ctx.Done()
			return lost
		},
		"it is made and its answer is lost": func(c call) error {
			c.do()
			return lost
		},
		"it is not made and its answer is lost": func(c call) error { return lost },
	} {
		row(t, name+": one message is posted", func(t *testing.T) {
			h := newHarness(t, false)
			h.slack.on("post", func(c call) error {
				if c.nth == 1 {
					return first(c)
				}
				c.do()
				return nil
			})
			m := h.release(1)
			time.Sleep(time.Minute)
			h.wantShown(m, "thumbsup", deploy.MsgStatusRunning)
		})
	}
}

func TestReactionThatMayExistIsRemoved(t *testing.T) {
	row(t, "it was added, and Slack said that it was not; then the end comes", func(t *testing.T) {
		h := newHarness(t, false)
		h.slack.on("react", func(c call) error {
			c.do()
			if c.nth == 1 {
				return later(30 * time.Second)
			}
			return nil
		})
		m := h.release(1)
		time.Sleep(5 * time.Second)
		h.callback(h.Engine, m, deploy.ResultSuccess)
		time.Sleep(time.Minute)
		h.wantShown(m, "white_check_mark", deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
	})
}

func TestPendingDeliveriesKeepRedisIdle(t *testing.T) {
	t.Parallel()
	row(t, "Slack hangs, and there is more to show than is allowed at a time", func(t *testing.T) {
		h := newHarness(t, false)
		hang := func(c call) error {
			<-c.ctx.Done()
			return later(5 * time.Second)
		}
		h.slack.on("post", hang)
		many := few(140) // 32 are delivered at a time
		var all []deploy.Request
		for n := range many {
			m := h.newRequest(n+1, "hello")
			h.Accept(context.Background(), m, 0)
			all = append(all, m)
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		before := h.store.countCalls()
		time.Sleep(time.Minute)
		if n := h.store.countCalls() - before; n > 60*many/2 {
			t.Errorf("Redis was asked %d times in a minute for %d records", n, many)
		}
		h.slack.on("post", nil)
		time.Sleep(time.Minute)
		for _, m := range all {
			h.wantShown(m, "thinking_face", deploy.MsgUnknown)
		}
	})
}
