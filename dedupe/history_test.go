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

var app = deploy.Target{Team: "T1", Project: "group/app", Ref: "main", Key: "RELEASE"}

// deployed is the record of a deployment of app that was triggered so long ago, and
// ended so long ago.
func deployed(ts string, state deploy.State, triggered, ended time.Duration) deploy.Record {
	r := deploy.Record{Layout: deploy.Layout, Revision: "of " + string(state), State: state, Request: mention(ts)}
	now := time.Now()
	r.Deployment = deploy.Deployment{Project: app.Project, Ref: app.Ref, Key: app.Key, Triggered: now.Add(-triggered), Ended: now.Add(-ended)}
	return r
}

// saved claims a record and saves it twice, as after a lost answer.
func saved(t testing.TB, s *Store, r deploy.Record) {
	t.Helper()
	h, ok, err := s.Load(context.Background(), r.Request.Key)
	if err == nil && !ok {
		h, _, err = s.Claim(context.Background(), &deploy.Record{Revision: "claimed", State: deploy.Accepted, Request: r.Request}, -1, time.Now(), deploy.TargetID{})
	}
	for range 2 {
		if err == nil {
			_, err = s.Save(context.Background(), h, &r, -1)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func wantHistory(t *testing.T, s *Store, of deploy.Target, succeeded bool, skip, n int, want ...string) {
	t.Helper()
	records, err := s.History(context.Background(), of.ID(), succeeded, skip, n)
	var got []string
	for _, r := range records {
		got = append(got, r.Request.TS+" "+string(r.State))
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("succeeded %v, %d after %d: %q %v, want %q", succeeded, n, skip, got, err, want)
	}
}

func TestHistoryOfATarget(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		wantHistory(t, s, app, false, 0, 10)
		wantHistory(t, s, app, true, 0, 10)
		saved(t, s, deployed("1.0", deploy.Triggering, time.Hour, 0))
		wantHistory(t, s, app, false, 0, 10) // it may still be refused
		saved(t, s, deployed("2.0", deploy.Running, 50*time.Minute, 0))
		saved(t, s, deployed("3.0", deploy.Failed, 40*time.Minute, 20*time.Minute))
		saved(t, s, deployed("4.0", deploy.Succeeded, 30*time.Minute, 10*time.Minute))
		wantHistory(t, s, app, false, 0, 10, "4.0 succeeded", "3.0 failed", "2.0 running")
		wantHistory(t, s, app, true, 0, 10, "4.0 succeeded")

		// The order is that of the triggers, and among successes that of the ends.
		saved(t, s, deployed("2.0", deploy.Succeeded, 50*time.Minute, time.Minute))
		saved(t, s, deployed("1.0", deploy.Unsure, time.Hour, 0))
		wantHistory(t, s, app, false, 0, 10, "4.0 succeeded", "3.0 failed", "2.0 succeeded", "1.0 unsure")
		wantHistory(t, s, app, true, 0, 10, "2.0 succeeded", "4.0 succeeded")
		wantHistory(t, s, app, false, 0, 1, "4.0 succeeded")
		wantHistory(t, s, app, false, 1, 2, "3.0 failed", "2.0 succeeded")
		wantHistory(t, s, app, false, 3, 10, "1.0 unsure")
		wantHistory(t, s, app, false, 4, 10)
	})
}

// A save that others were faster than changes nothing; one of a record that the
// store has lost brings all of it back.
func TestHistoryIsSavedWithItsRecord(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		h, _ := claim(t, s, deploy.Record{Revision: "a", State: deploy.Accepted, Request: mention("1.0")}, -1)
		saved(t, s, deploy.Record{Layout: deploy.Layout, Revision: "b", State: deploy.Answered, Request: mention("1.0")})
		late := deployed("1.0", deploy.Succeeded, time.Hour, 0)
		if _, err := s.Save(ctx, h, &late, -1); !errors.Is(err, engine.ErrChanged) {
			t.Fatal(err)
		}
		wantHistory(t, s, app, false, 0, 10)
		wantHistory(t, s, app, true, 0, 10)

		s.client.FlushAll(ctx)
		saved(t, s, deployed("1.0", deploy.Succeeded, time.Hour, 0))
		wantHistory(t, s, app, false, 0, 10, "1.0 succeeded")
		wantHistory(t, s, app, true, 0, 10, "1.0 succeeded")
	})
}

func TestHistoryIsOfOneTarget(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		others := []deploy.Target{
			{Team: "T1", Project: "group/app", Ref: "main", Key: "OTHER"},
			{Team: "T1", Project: "group/app", Ref: "main:RELEASE", Key: "X"},
			{Team: "T1", Project: "group/app", Ref: "main", Key: "RELEASE:X"},
			{Team: "T1", Project: "group/app", Ref: "main%3ARELEASE", Key: "X"},
			{Team: "T1:group/app", Project: "main", Ref: "RELEASE"},
			{Team: "T2", Project: "group/app", Ref: "main", Key: "RELEASE"},
		}
		for i, of := range append(others, app) {
			r := deployed(fmt.Sprintf("%d.0", i+1), deploy.Running, time.Hour, 0)
			r.Request.Team, r.Deployment.Project, r.Deployment.Ref, r.Deployment.Key = of.Team, of.Project, of.Ref, of.Key
			saved(t, s, r)
		}
		for i, of := range append(others, app) {
			wantHistory(t, s, of, false, 0, 10, fmt.Sprintf("%d.0 running", i+1))
		}
		r := deployed("9.0", deploy.Running, time.Minute, 0)
		r.Deployment.Ref = "refs/heads/main"
		saved(t, s, r)
		wantHistory(t, s, app, false, 0, 10, "9.0 running", "7.0 running")
		whole := app
		whole.Ref = "refs/heads/main"
		wantHistory(t, s, whole, false, 0, 1, "9.0 running")

		lost := deployed("10.0", deploy.Running, time.Minute, 0) // the store has lost of which target it is
		lost.Deployment.Project = ""
		saved(t, s, lost)
		if keys := s.client.Keys(context.Background(), "*:history:*").Val(); len(keys) != 7 {
			t.Errorf("histories: %q", keys)
		}
	})
}

func TestHistoryOutlivesNoRecord(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		size := func() int64 { return s.client.ZCard(ctx, s.history(app.ID())).Val() }
		for i := range 5 {
			saved(t, s, deployed(fmt.Sprintf("%d.0", i+1), deploy.Running, time.Hour-time.Duration(i)*time.Minute, 0))
		}
		for i := range 5 {
			s.client.ZIncrBy(ctx, s.history(app.ID()), -float64(keep.Milliseconds()), mention(fmt.Sprintf("%d.0", i+1)).Key.String())
		}
		s.client.Del(ctx, s.record(mention("4.0").Key), s.record(mention("5.0").Key))
		wantHistory(t, s, app, false, 0, 3, "3.0 running")
		if n := size(); n != 3 {
			t.Errorf("%d names, want the 3 that have records", n)
		}
		wantHistory(t, s, app, false, 0, 3, "3.0 running", "2.0 running", "1.0 running")

		// What is older than a record gets goes as others come, two for each.
		saved(t, s, deployed("6.0", deploy.Running, time.Hour, 0))
		wantHistory(t, s, app, false, 0, 10, "6.0 running", "3.0 running")
		saved(t, s, deployed("6.0", deploy.Failed, time.Hour, 0)) // not another one
		if n := size(); n != 2 {
			t.Errorf("%d names, want 2", n)
		}
		saved(t, s, deployed("7.0", deploy.Running, time.Minute, 0))
		saved(t, s, deployed("8.0", deploy.Running, time.Second, 0))
		wantHistory(t, s, app, false, 0, 10, "8.0 running", "7.0 running", "6.0 failed")
	})
}

func TestHistoryLeavesNewerLayoutsAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		saved(t, s, deployed("1.0", deploy.Succeeded, time.Hour, 0))
		newer := deployed("2.0", deploy.Succeeded, time.Minute, 0)
		newer.Layout = deploy.Layout + 1
		h, _ := claim(t, s, deploy.Record{Revision: "a", State: deploy.Accepted, Request: newer.Request}, -1)
		if _, err := s.Save(context.Background(), h, &newer, -1); err != nil {
			t.Fatal(err)
		}
		wantHistory(t, s, app, false, 0, 10, "1.0 succeeded")
		wantHistory(t, s, app, false, 1, 10, "1.0 succeeded") // it has kept its place
		if n := s.client.ZCard(context.Background(), s.due()).Val(); n != 0 {
			t.Error("what was only read is due")
		}
	})
}

// The save that allows a POST tells what succeeded last, and a record that is claimed
// or taken whether something was rolled back.
func TestWhatADeploymentIsToldOfThePast(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		success := func(ts string) string {
			t.Helper()
			h, _ := claim(t, s, deploy.Record{Revision: "a", State: deploy.Accepted, Request: mention(ts)}, -1)
			r := deployed(ts, deploy.Triggering, time.Second, 0)
			h, err := s.Save(ctx, h, &r, -1)
			if err != nil {
				t.Fatal(err)
			}
			if h.Success == nil {
				return ""
			}
			return h.Success.Request.TS
		}
		if last := success("1.0"); last != "" {
			t.Errorf("%s succeeded before the first", last)
		}
		saved(t, s, deployed("2.0", deploy.Succeeded, 30*time.Minute, 10*time.Minute))
		saved(t, s, deployed("3.0", deploy.Succeeded, 20*time.Minute, 15*time.Minute))
		saved(t, s, deployed("4.0", deploy.Running, 5*time.Minute, 0))
		if last := success("5.0"); last != "2.0" {
			t.Errorf("%q succeeded last, not 2.0", last)
		}
		toldOf := func(ts string) (claimed, taken bool) {
			t.Helper()
			h, _ := claim(t, s, deploy.Record{Revision: "a", State: deploy.Accepted, Request: mention(ts)}, 0)
			due, _, err := s.Take(ctx, 1, time.Hour)
			if err != nil || len(due) != 1 {
				t.Fatalf("%d taken: %v", len(due), err)
			}
			return h.RolledBack, due[0].RolledBack
		}
		if claimed, taken := toldOf("6.0"); claimed || taken {
			t.Errorf("something was rolled back: %v, %v", claimed, taken)
		}
		back := deployed("7.0", deploy.Unsure, time.Second, 0)
		back.Deployment.Rollback = &deploy.Success{}
		saved(t, s, back)
		if claimed, taken := toldOf("8.0"); !claimed || !taken {
			t.Errorf("nothing was rolled back: %v, %v", claimed, taken)
		}
	})
}
