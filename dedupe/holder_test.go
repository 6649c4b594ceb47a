package dedupe

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// allowed saves that a POST of app may be made, as the n-th attempt.
func allowed(s *Store, h engine.Stored, n int) error {
	next := *h.Record
	next.Layout, next.Revision, next.State = deploy.Layout, fmt.Sprint(next.Request.TS, n), deploy.Triggering
	next.Deployment = deploy.Deployment{Project: app.Project, Ref: app.Ref, Key: app.Key, Attempt: n, Triggered: time.Unix(1_700_000_000, 0)}
	_, err := s.Save(context.Background(), h, &next, -1)
	return err
}

func TestATargetHasOneHolder(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		asked := func(ts string) engine.Stored {
			t.Helper()
			r := deploy.Record{Layout: deploy.Layout, Revision: "claimed", State: deploy.Accepted, Request: mention(ts)}
			h, made, err := s.Claim(ctx, &r, -1, time.Now(), app.ID())
			if err != nil || !made || !h.Holder.Known {
				t.Fatalf("%+v %v %v", h.Holder, made, err)
			}
			return h
		}
		holds := func(of deploy.TargetID, want string) {
			t.Helper()
			h, err := s.Holder(ctx, of)
			if err != nil || !h.Known || h.Name != want {
				t.Errorf("%q holds it, %v; want %q", h.Name, err, want)
			}
		}
		holds(app.ID(), "")
		first, second := asked("1.0"), asked("2.0")
		if err := allowed(s, first, 1); err != nil {
			t.Fatal(err)
		}
		if err := allowed(s, first, 1); err != nil {
			t.Errorf("the same save again: %v", err)
		}
		if err := allowed(s, second, 1); !errors.Is(err, engine.ErrChanged) {
			t.Errorf("two hold it: %v", err)
		}
		if now, _, err := s.Load(ctx, second.Record.Request.Key); err != nil || now.Record.State != deploy.Accepted {
			t.Errorf("the second is saved all the same: %v %v", now.Record.State, err)
		}
		holds(app.ID(), first.Record.Request.Key.String())
		other := app
		other.Ref = "other"
		holds(other.ID(), "")

		// Its holder is read with the claim of another, and one that has read that may take its place.
		third := asked("3.0")
		if h := third.Holder; h.Record == nil || h.Record.Request.Key != first.Record.Request.Key || !h.Record.IsActive() {
			t.Errorf("it is held by %+v", h)
		}
		if err := allowed(s, third, 1); err != nil {
			t.Error(err)
		}
		holds(app.ID(), third.Record.Request.Key.String())

		// The next attempt of the first one, which has not read that, is not allowed.
		again, _, err := s.Load(ctx, first.Record.Request.Key)
		again.Holder = engine.Holder{Known: true, Name: first.Record.Request.Key.String()}
		if err := errors.Join(err, allowed(s, again, 2)); !errors.Is(err, engine.ErrChanged) {
			t.Errorf("it was set aside, and tries again: %v", err)
		}
		// What does not ask who holds it takes nothing from anybody.
		aside := asked("4.0")
		aside.Holder = engine.Holder{}
		if err := allowed(s, aside, 1); err != nil {
			t.Error(err)
		}
		holds(app.ID(), third.Record.Request.Key.String())
	})
}

func TestHolderOfAnotherVersionIsNotTakenForNone(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		r := deploy.Record{Layout: deploy.Layout, Revision: "a", State: deploy.Accepted, Request: mention("1.0")}
		h, _, err := s.Claim(ctx, &r, -1, time.Now(), app.ID())
		if err := errors.Join(err, allowed(s, h, 1)); err != nil {
			t.Fatal(err)
		}
		name := s.record(r.Request.Key)
		if err := s.client.Set(ctx, name, `{"v":99,"state":"new"}`, time.Hour).Err(); err != nil {
			t.Fatal(err)
		}
		if h, err := s.Holder(ctx, app.ID()); !errors.Is(err, engine.ErrUnreadable) || h.Known {
			t.Errorf("%+v %v", h, err)
		}
		if err := s.client.Del(ctx, name).Err(); err != nil {
			t.Fatal(err)
		}
		if h, err := s.Holder(ctx, app.ID()); err != nil || !h.Known || h.Record != nil || h.Name == "" {
			t.Errorf("its record is gone: %+v %v", h, err)
		}
	})
}
