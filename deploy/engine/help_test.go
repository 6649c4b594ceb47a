package engine

import (
	"time"

	"github.com/getto-systems/psycher/deploy"
)

var (
	t0     = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	timing = deploy.Timing{MaxAge: 2 * time.Minute, RequestTimeout: time.Minute, CanPoll: true}
	target = deploy.Target{Team: "T1", Channel: "C1", Name: "app", Project: "42", Ref: "master", Key: "RELEASE", Timeout: time.Hour}
)

func accepted() deploy.Record {
	return deploy.Record{State: deploy.Accepted, Request: deploy.Request{Key: deploy.Key{Team: "T1", Channel: "C1", TS: "1700000000.000100"}, ID: "id-1", By: deploy.Person{User: "U1"}, Intent: deploy.Intent{Kind: deploy.KindDeploy, Target: "app"}}}
}

// in returns a record in a state, brought there by the moves themselves.
func in(s deploy.State) deploy.Record {
	r := accepted().Start(target, "https://git/app/-/pipelines", "sum", t0, timing)
	result := map[deploy.State]deploy.TriggerResult{
		deploy.Waiting: {Status: deploy.TriggerWait, Reason: deploy.MsgWaitRate, After: time.Minute},
		deploy.Unsure:  {Status: deploy.TriggerUnsure},
		deploy.Running: {Status: deploy.TriggerStarted, Pipeline: deploy.Pipeline{ID: 7, URL: "https://git/app/-/pipelines/7"}},
	}
	if s != deploy.Triggering {
		r, _ = r.Settle(1, result[s], t0, timing)
	}
	return r
}
