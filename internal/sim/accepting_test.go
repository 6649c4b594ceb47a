package sim_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
	"github.com/getto-systems/psycher/internal/sim"
)

// refuse is the answer of a store that certainly did nothing.
func refuse(context.Context, string) error {
	return fmt.Errorf("%w: for a test", engine.ErrRefused)
}

func TestPersonIsToldThatNothingWasStarted(t *testing.T) {
	lost := &engine.LostError{Err: errSlack}
	for name, post := range map[string]func(c call) error{
		"it was posted, its answer was lost": func(c call) error {
			c.do()
			return lost
		},
		"it was not posted, its answer was lost": func(c call) error { return lost },
	} {
		row(t, name+": it never deploys later, and the person is told in the end, once", func(t *testing.T) {
			h := newHarness(t, false)
			h.slack.on("post", post)
			h.store.setFail(refuse)
			m := h.newRequest(1, "release")
			first := h.Accept(context.Background(), m, 0)
			h.slack.on("post", nil)
			if !first {
				time.Sleep(10 * time.Second)
				if !h.Accept(context.Background(), m, 1) {
					t.Error("the second delivery is not acked either")
				}
			}
			h.store.setFail(nil)
			time.Sleep(10 * time.Second)
			for attempt := range 3 {
				if !h.Accept(context.Background(), m, attempt) {
					t.Errorf("delivery %d is not acked now that the store is back", attempt)
				}
			}
			time.Sleep(time.Minute)
			h.wantShown(m, "", deploy.MsgNotRecorded)
			if n := h.gitlab.countPosts(); n != 0 {
				t.Errorf("%d triggers", n)
			}
		})
	}
}

func TestEditWhileTheStoreIsDownPostsNothing(t *testing.T) {
	row(t, "nothing is posted about the running deploy, and the edit is delivered again", func(t *testing.T) {
		h := newHarness(t, false)
		m := h.release(1)
		time.Sleep(5 * time.Second)
		h.store.setFail(refuse)
		m.Edited, m.Intent = true, parseIntent("release, please")
		for attempt := range 3 {
			if h.Accept(context.Background(), m, attempt) {
				t.Error("it is acked, and nobody has recorded it")
			}
			time.Sleep(10 * time.Second)
		}
		h.wantShown(m, "thumbsup", deploy.MsgStatusRunning)
		h.store.setFail(nil)
		if !h.Accept(context.Background(), m, 3) {
			t.Error("it is not acked now that the store is back")
		}
		time.Sleep(10 * time.Second)
		h.wantShown(m, "thumbsup", deploy.MsgStatusRunning)
	})
}

func TestAcceptReturnsInTime(t *testing.T) {
	hangs := func(c call) error {
		<-c.ctx.Done()
		return later(time.Second)
	}
	limited := func(call) error { return later(700 * time.Millisecond) }
	for name, post := range map[string]func(c call) error{"hangs": hangs, "has a limit": limited} {
		row(t, "Redis is slow to refuse, Slack "+name+": Slack knows within 3 s that it must deliver again", func(t *testing.T) {
			h := newHarness(t, false)
			h.slack.on("post", post)
			h.store.setFail(func(ctx context.Context, what string) error {
				<-ctx.Done()
				return refuse(ctx, what)
			})
			m, at := h.newRequest(1, "release"), time.Now()
			if h.Accept(context.Background(), m, 0) {
				t.Error("acked, and nobody was told")
			}
			if took := time.Since(at); took >= 3*time.Second {
				t.Errorf("it took %s", took)
			}
			h.slack.on("post", nil)
			time.Sleep(10 * time.Second)
			if !h.Accept(context.Background(), m, 1) {
				t.Error("the second delivery is not acked, although Slack works again")
			}
			h.wantShown(m, "", deploy.MsgNotRecorded)
		})
	}
}

func TestPersonIsWarnedOnce(t *testing.T) {
	for name, failure := range map[string]error{"its claim gets no answer": errors.New("no answer"), "its claim is refused": engine.ErrRefused} {
		row(t, "two sockets receive a delivery at once, and "+name, func(t *testing.T) {
			h := newHarness(t, false)
			h.store.setFail(func(context.Context, string) error { return failure })
			h.slack.on("post", func(c call) error {
				time.Sleep(300 * time.Millisecond)
				c.do()
				return nil
			})
			m := h.newRequest(1, "release")
			for attempt := range 3 {
				var both sync.WaitGroup
				for range 2 {
					both.Go(func() { h.Accept(context.Background(), m, attempt) })
				}
				both.Wait()
			}
			if said := h.slack.messages(m.Key); len(said) != 1 {
				t.Errorf("the person was told %q", said)
			}
		})
	}
	row(t, "claims get no answer, other calls do", func(t *testing.T) {
		h := newHarness(t, false)
		h.store.setFail(func(ctx context.Context, what string) error {
			if what != "claim" {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		})
		m := h.newRequest(1, "release")
		for attempt := range 5 {
			if h.Accept(context.Background(), m, attempt) {
				t.Error("acked, and it is not known whether it is recorded")
			}
			time.Sleep(10 * time.Second)
		}
		h.wantShown(m, "", deploy.MsgDontKnow)
	})
}

func TestBurstWhileTheStoreIsDown(t *testing.T) {
	row(t, "each person of a busy channel is told, once, at Slack's rate, and nothing starts when the store is back", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.Slack.Limits(true)
		w.Redis.SetError("READONLY You can't write against a read only replica.")
		var all []string
		for range 12 {
			all = append(all, w.Ask("release"))
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(10 * time.Minute)
		w.Redis.SetError("")
		time.Sleep(10 * time.Second)
		for _, ts := range all {
			w.Slack.Redeliver(sim.Channel, ts)
		}
		time.Sleep(time.Minute)
		for _, ts := range all {
			w.WaitMessages(sim.Channel, ts, deploy.MsgNotRecorded)
			wantPosts(t, w, ts, 0)
			if !acked(w, ts) {
				t.Error("it was never acked")
			}
		}
	})
}
