package engine

import (
	"context"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// ahead is a store whose records a newer version has changed.
type ahead struct{ still }

func (ahead) Save(_ context.Context, s Stored, _ *deploy.Record, _ time.Duration) (Stored, error) {
	return s, ErrChanged
}

func (ahead) Load(context.Context, deploy.Key) (Stored, bool, error) {
	return Stored{}, false, ErrUnreadable
}

// Else what is shown would come late for as long as the process runs.
func TestSavesThatFailKeepNoRoomForDeliveries(t *testing.T) {
	l, m := mentioned(t)
	l.Store = ahead{}
	for range 2 * maxDeliveries {
		l.update(Stored{Record: &deploy.Record{State: deploy.Accepted, Request: m}, Now: t0}, func(r deploy.Record) deploy.Record {
			return r.Answer(deploy.Message{ID: deploy.MsgHelp})
		})
	}
	if !l.takeRoom() {
		t.Error("nothing can be delivered at once any more")
	}
}
