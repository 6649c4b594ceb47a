package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"
)

// shelf is the least of a store: one record, saved by compare.
type shelf struct {
	Store
	mu    sync.Mutex
	bytes []byte
}

func (s *shelf) Save(_ context.Context, h Held, next Record, _ time.Duration) (Held, error) {
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
	return Held{Record: next, Raw: raw}, nil
}

// Two workers that were handed one record come to the same next state at the
// same instant. If their saves were alike to the byte, each would take the
// other's for its own, and both would make the POST.
func TestOfTwoEqualSavesOnlyOneStands(t *testing.T) {
	r := accepted()
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	s := &shelf{bytes: raw}
	h := Held{Record: r, Raw: raw}
	next := r.Start(target, "", t0, rules)
	stood := 0
	for range 2 {
		l := &Loop{Store: s}
		l.prepare()
		switch _, err := l.save(t.Context(), h, next, 0); {
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
