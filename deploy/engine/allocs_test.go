package engine

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/targets"
)

// still is a store, a GitLab and a Slack that do nothing, but the store encodes
// records as the real one does.
type still struct {
	Store
	GitLab
}

type stillSlack struct{ Slack }

func (stillSlack) Now() time.Time { return t0 }

func (stillSlack) React(context.Context, deploy.Key, string) error { return nil }

func (stillSlack) Post(context.Context, Place, deploy.Message) (string, error) {
	return "1767323046.000001", nil
}

func (still) Claim(_ context.Context, r *deploy.Record, _ time.Duration, _ time.Time, _ deploy.TargetID) (Stored, bool, error) {
	raw, err := json.Marshal(r)
	return Stored{Record: r, Raw: raw, Now: t0}, false, err
}

func (still) Save(_ context.Context, _ Stored, next *deploy.Record, _ time.Duration) (Stored, error) {
	raw, err := json.Marshal(next)
	return Stored{Record: next, Raw: raw, Now: t0}, err
}

func (still) Active(context.Context, deploy.TargetID) ([]Active, error) { return nil, nil }

func (still) History(context.Context, deploy.TargetID, bool, int, int) ([]deploy.Record, error) {
	return nil, nil
}

func (still) Trigger(context.Context, deploy.Target, deploy.Request, string, deploy.Secret, time.Time) deploy.TriggerResult {
	return deploy.TriggerResult{Status: deploy.TriggerStarted, Pipeline: deploy.Pipeline{ID: 7, URL: "http://gitlab.test/7"}}
}

func (still) PipelinesURL(string) string { return "http://gitlab.test/pipelines" }

// What a mention allocates from its claim to its trigger, without the calls
// themselves, also under the race detector, which adds a few. It must not double
// unnoticed: fix what has grown, or say why here.
func TestWhatAMentionAllocates(t *testing.T) {
	l, m := mentioned(t)
	for name, c := range map[string]struct {
		most float64
		do   func() bool
	}{
		"claim": {24, func() bool {
			ack, _ := l.Accept(context.Background(), m, 0)
			return ack
		}},
		"trigger": {115, func() bool {
			r := l.step(Stored{Record: &deploy.Record{State: deploy.Accepted, Request: m}, Now: t0}, func() {})
			return r.deliver && r.Record.State == deploy.Running
		}},
	} {
		if !c.do() {
			t.Errorf("%s: it is not done", name)
		}
		if n := testing.AllocsPerRun(200, func() { c.do() }); n > c.most {
			t.Errorf("%s: %v allocations, at most %v are expected", name, n, c.most)
		}
	}
}

// mentioned is an engine that does nothing outside, and a mention for it.
func mentioned(t testing.TB) (*Engine, deploy.Request) {
	targets, err := targets.Parse([]byte(`{"T1": {"C1": {"app": {"project_id": "group/app", "token": "glptt-test"}}}}`), "master", time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := &Engine{Store: still{}, GitLab: still{}, Slack: stillSlack{}, Config: config(targets, deploy.Timing{MaxAge: time.Hour, RequestTimeout: time.Minute})}
	l.prepare() // the cases come in any order
	key := deploy.Key{Team: "T1", Channel: "C1", TS: "1767323045.000001"}
	return l, deploy.Request{Key: key, ID: "id-1", By: deploy.Person{User: "U1"}, At: t0, Intent: deploy.Intent{Kind: deploy.KindDeploy, Target: "app"}}
}

// From the claim to what is shown, without the calls themselves.
func BenchmarkMention(b *testing.B) {
	l, m := mentioned(b)
	b.ReportAllocs()
	for b.Loop() {
		l.deliverIfRoom(l.step(Stored{Record: &deploy.Record{State: deploy.Accepted, Request: m}, Now: t0}, func() {}))
	}
}
