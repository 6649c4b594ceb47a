package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/targets"
)

// oneRecordStore is a store of one record, saved by compare-and-set.
type oneRecordStore struct {
	Store
	mu    sync.Mutex
	bytes []byte
}

func (s *oneRecordStore) Save(_ context.Context, h Stored, next *deploy.Record, _ time.Duration) (Stored, error) {
	raw, err := json.Marshal(next)
	if err != nil {
		return h, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !bytes.Equal(s.bytes, h.Raw) && !bytes.Equal(s.bytes, raw) {
		return h, ErrChanged
	}
	s.bytes = raw
	return Stored{Record: next, Raw: raw}, nil
}

func (s *oneRecordStore) Proved(context.Context, ...string) (bool, error) { return false, nil }

// racingStore is a store in which somebody else saves between a load and its save.
type racingStore struct {
	oneRecordStore
	others int
}

func (b *racingStore) Load(context.Context, deploy.Key) (Stored, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var r deploy.Record
	err := json.Unmarshal(b.bytes, &r)
	return Stored{Record: &r, Raw: b.bytes, Now: t0}, true, err
}

func (b *racingStore) Save(ctx context.Context, h Stored, next *deploy.Record, due time.Duration) (Stored, error) {
	if b.others > 0 {
		b.others--
		other := *h.Record
		other.Deployment.Polls++
		raw, err := json.Marshal(other)
		if err != nil {
			return h, err
		}
		b.mu.Lock()
		b.bytes = raw
		b.mu.Unlock()
	}
	return b.oneRecordStore.Save(ctx, h, next, due)
}

func TestWordIsSavedOverAChangeOrRefused(t *testing.T) {
	for _, row := range []struct {
		others int
		want   deploy.State
		failed bool
	}{{0, deploy.Succeeded, false}, {4, deploy.Succeeded, false}, {5, deploy.Running, true}} {
		r := in(deploy.Running)
		raw, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		targets, err := targets.Parse([]byte(`{"T1":{"C1":{"app":{"project_id":42,"token":"glptt-test-0000"}}}}`), "master", time.Hour, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := &racingStore{oneRecordStore{bytes: raw}, row.others}
		_, err = (&Engine{Store: s, Config: config(targets, deploy.Timing{})}).Callback(t.Context(), deploy.Callback{Channel: "C1", TS: r.Request.TS, Result: deploy.ResultSuccess, Shared: true})
		if h, _, _ := s.Load(t.Context(), deploy.Key{}); h.Record.State != row.want || (err != nil) != row.failed {
			t.Errorf("changed %d times meanwhile: %s, %v; want %s", row.others, h.Record.State, err, row.want)
		}
	}
}

// Two workers with the same record come to the same next state at the same
// instant. If their saves were equal to the byte, each would take the other's for
// its own, and both would make the POST.
func TestOfTwoEqualSavesOnlyOneStands(t *testing.T) {
	r := accepted()
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	s := &oneRecordStore{bytes: raw}
	h := Stored{Record: &r, Raw: raw}
	next := r.Start(target, "", "sum", t0, timing)
	stood := 0
	for range 2 {
		l := &Engine{Store: s}
		l.prepare()
		switch _, err := l.save(t.Context(), h, &next, 0); {
		case err == nil:
			stood++
		case !errors.Is(err, ErrChanged):
			t.Fatal(err)
		}
	}
	if stood != 1 {
		t.Errorf("%d of two equal saves stood, want 1", stood)
	}
}
