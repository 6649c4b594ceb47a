package dedupe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// moved saves the n-th attempt of a deployment of app in a state.
func moved(s *Store, h engine.Stored, state deploy.State, n int) (engine.Stored, error) {
	next := *h.Record
	next.Layout, next.Revision, next.State = deploy.Layout, fmt.Sprint(next.Request.TS, state, n), state
	next.Deployment = deploy.Deployment{Project: app.Project, Ref: app.Ref, Key: app.Key, Attempt: n, Triggered: time.Unix(1_700_000_000, 0).Add(next.Request.Time().Sub(time.Unix(0, 0)))}
	return s.Save(context.Background(), h, &next, -1)
}

// askedFor claims a mention that asks for a deployment of app.
func askedFor(t *testing.T, s *Store, ts string) engine.Stored {
	t.Helper()
	r := deploy.Record{Layout: deploy.Layout, Revision: "claimed", State: deploy.Accepted, Request: mention(ts)}
	h, made, err := s.Claim(context.Background(), &r, -1, time.Now(), app.ID())
	if err != nil || !made || !h.ActiveKnown {
		t.Fatalf("%+v %v %v", h, made, err)
	}
	return h
}

func wantActive(t *testing.T, s *Store, of deploy.TargetID, want ...string) {
	t.Helper()
	all, err := s.Active(context.Background(), of)
	var got []string
	for _, a := range all {
		got = append(got, a.Name)
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q go on, %v; want %q", got, err, want)
	}
}

func TestWhatGoesOnOfATarget(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		wantActive(t, s, app.ID())
		first, second := askedFor(t, s, "1.0"), askedFor(t, s, "2.0")
		running, err := moved(s, first, deploy.Triggering, 1)
		if err != nil {
			t.Fatal(err)
		}
		name := first.Record.Request.Key.String()
		if _, err := moved(s, second, deploy.Triggering, 1); !errors.Is(err, engine.ErrChanged) {
			t.Errorf("it starts beside one that has begun meanwhile: %v", err)
		}
		if now, _, err := s.Load(context.Background(), second.Record.Request.Key); err != nil || now.Record.State != deploy.Accepted {
			t.Errorf("and is saved all the same: %v %v", now.Record.State, err)
		}
		wantActive(t, s, app.ID(), name)
		other := app
		other.Ref = "other"
		wantActive(t, s, other.ID())

		// Another one's claim reads it, and may then start beside it.
		third := askedFor(t, s, "3.0")
		if len(third.Active) != 1 || third.Active[0].Record == nil || !third.Active[0].Record.IsActive() {
			t.Errorf("its claim read %+v", third.Active)
		}
		if _, err := moved(s, third, deploy.Triggering, 1); err != nil {
			t.Error(err)
		}
		if _, err := moved(s, first, deploy.Triggering, 1); err != nil {
			t.Errorf("the first one's save again: %v", err)
		}
		wantActive(t, s, app.ID(), name, third.Record.Request.Key.String())

		// What does not ask is known to those that do.
		aside := askedFor(t, s, "4.0")
		aside.Active, aside.ActiveKnown = nil, false
		if _, err := moved(s, aside, deploy.Triggering, 1); err != nil {
			t.Error(err)
		}
		wantActive(t, s, app.ID(), name, third.Record.Request.Key.String(), aside.Record.Request.Key.String())
		if _, err := moved(s, running, deploy.Succeeded, 1); err != nil {
			t.Error(err)
		}
		wantActive(t, s, app.ID(), third.Record.Request.Key.String(), aside.Record.Request.Key.String())
	})
}

func TestWhatGoesOnAndCannotBeRead(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		h := askedFor(t, s, "1.0")
		if _, err := moved(s, h, deploy.Triggering, 1); err != nil {
			t.Fatal(err)
		}
		name := s.record(h.Record.Request.Key)
		if err := s.client.Set(ctx, name, `{"v":99,"state":"new"}`, time.Hour).Err(); err != nil {
			t.Fatal(err)
		}
		for _, read := range []func() []engine.Active{
			func() []engine.Active { return askedFor(t, s, "2.0").Active },
			func() []engine.Active { all, _ := s.Active(ctx, app.ID()); return all },
		} {
			if all := read(); len(all) != 1 || all[0].Record != nil || all[0].Name != h.Record.Request.Key.String() {
				t.Errorf("of a newer version: %+v", all)
			}
		}
		if err := s.client.Del(ctx, name).Err(); err != nil {
			t.Fatal(err)
		}
		if all := askedFor(t, s, "3.0").Active; len(all) != 0 {
			t.Errorf("its record is gone: %+v", all)
		}
		wantActive(t, s, app.ID())
	})
}
