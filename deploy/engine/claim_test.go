package engine

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/targets"
)

// knownStore has a record of every mention already, and cannot be asked for it.
type knownStore struct {
	Store
	lease time.Duration // of the last claim
}

func (s *knownStore) Claim(_ context.Context, r *deploy.Record, lease time.Duration, _ time.Time, _ deploy.TargetID) (Stored, bool, error) {
	s.lease = lease
	return Stored{Record: r, Now: t0}, false, nil
}

func (s *knownStore) Load(context.Context, deploy.Key) (Stored, bool, error) {
	return Stored{}, false, errors.New("no answer")
}

func known() (*Engine, *knownStore) {
	s := &knownStore{}
	return &Engine{Store: s, GitLab: still{}, Slack: stillSlack{}, Config: config(&targets.Map{}, timing)}, s
}

// config is one that does not change.
func config(m *targets.Map, t deploy.Timing) func() Config {
	conf := Config{Targets: m, Teams: m.Teams(), Timing: t}
	return func() Config { return conf }
}

// Slack delivers again what is not acked: the edit may be the one that takes a
// deploy back.
func TestEditIsAckedOnlyOnceItIsSaved(t *testing.T) {
	e, _ := known()
	edit := accepted().Request
	edit.Edited = true
	if ack, _ := e.Accept(t.Context(), edit, 0); ack {
		t.Error("an edit that is not saved is acked")
	}
}

func TestRepeatedDeliveriesTakeNoPlace(t *testing.T) {
	e, s := known()
	for range 2 * maxFresh {
		if ack, _ := e.Accept(t.Context(), accepted().Request, 1); !ack {
			t.Fatal("a mention that has its record is not acked")
		}
	}
	if s.lease != Lease {
		t.Errorf("after them a mention of the channel has to wait %s", s.lease)
	}
}
