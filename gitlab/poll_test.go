package gitlab

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

func TestPollReturnsHowAPipelineEnded(t *testing.T) {
	job := func(name, stage, status string) fakegitlab.Job {
		return fakegitlab.Job{Name: name, Stage: stage, Status: status}
	}
	allowed := func(j fakegitlab.Job) fakegitlab.Job { j.AllowFailure = true; return j }
	bridge := func(j fakegitlab.Job) fakegitlab.Job { j.Bridge = true; return j }
	deployed := job("deploy", "deploy", "success")
	many := []fakegitlab.Job{allowed(job("deploy", "deploy", "failed"))} // the oldest is on the last page
	for range 120 {
		many = append(many, job("build", "build", "success"))
	}
	for _, row := range []struct {
		name   string
		status string
		count  deploy.Counting
		jobs   []fakegitlab.Job
		want   deploy.Pipeline
	}{
		{name: "created", status: "created"},
		{name: "waiting", status: "waiting_for_resource"},
		{name: "preparing", status: "preparing"},
		{name: "pending", status: "pending", want: deploy.Pipeline{Waits: deploy.WaitsRunner}},
		{name: "running", status: "running"},
		{name: "canceling", status: "canceling"},
		{
			name: "manual: the deploy waits for a person", status: "manual", jobs: []fakegitlab.Job{job("build", "build", "success"), job("deploy", "deploy", "manual")},
			want: deploy.Pipeline{Waits: deploy.WaitsPerson, Judged: true},
		},
		{
			name: "manual: the deploy is done, and what comes after it waits", status: "manual", jobs: []fakegitlab.Job{deployed, job("rollback", "rollback", "manual")},
			want: deploy.Pipeline{End: deploy.Succeeded, Waits: deploy.WaitsPerson, Judged: true},
		},
		{
			name: "manual: the deploy failed, and another job waits", status: "manual", jobs: []fakegitlab.Job{job("deploy", "deploy", "failed"), job("rollback", "deploy", "manual")},
			want: deploy.Pipeline{End: deploy.Failed, Detail: "deploy", Waits: deploy.WaitsPerson, Judged: true},
		},
		{name: "manual, and no job is seen", status: "manual", want: deploy.Pipeline{Waits: deploy.WaitsPerson, Judged: true, Unseen: true}},
		{name: "scheduled", status: "scheduled"},
		{name: "a status of the future", status: "dreaming"},
		{
			name: "success", status: "success", jobs: []fakegitlab.Job{deployed},
			want: deploy.Pipeline{End: deploy.Succeeded, Judged: true},
		},
		{
			name: "success while the deploy waits for a person", status: "success",
			jobs: []fakegitlab.Job{job("build", "build", "success"), allowed(job("deploy", "deploy", "manual"))},
			want: deploy.Pipeline{Nothing: true, Detail: "deploy", Judged: true},
		},
		{
			name: "success although the deploy failed", status: "success",
			jobs: []fakegitlab.Job{job("build", "build", "success"), allowed(job("deploy", "deploy", "failed"))},
			want: deploy.Pipeline{End: deploy.Failed, Detail: "deploy", Judged: true},
		},
		{
			name: "success although the child pipeline failed", status: "success",
			jobs: []fakegitlab.Job{job("build", "build", "success"), bridge(allowed(job("deploy child", "deploy", "failed")))},
			want: deploy.Pipeline{End: deploy.Failed, Detail: "deploy child", Judged: true},
		},
		{
			name: "success, and the deploy is on a later page", status: "success", jobs: many,
			want: deploy.Pipeline{End: deploy.Failed, Detail: "deploy", Judged: true},
		},
		{
			name: "success, but for the target's job", status: "success", count: deploy.Counting{Job: "ship"},
			jobs: []fakegitlab.Job{deployed, allowed(job("ship it", "ship", "failed"))},
			want: deploy.Pipeline{End: deploy.Failed, Detail: "ship it", Judged: true},
		},
		{
			name: "canceled", status: "canceled", jobs: []fakegitlab.Job{job("deploy", "deploy", "canceled")},
			want: deploy.Pipeline{End: deploy.Canceled, Judged: true},
		},
		{
			name: "skipped", status: "skipped", jobs: []fakegitlab.Job{job("deploy", "deploy", "skipped")},
			want: deploy.Pipeline{End: deploy.Canceled, Nothing: true, Judged: true},
		},
		{
			name: "failed deploy", status: "failed",
			jobs: []fakegitlab.Job{job("build", "build", "success"), job("deploy", "deploy", "failed"), job("later", "deploy", "failed"), job("notify_failure", "notify", "success")},
			want: deploy.Pipeline{End: deploy.Failed, Detail: "deploy", Judged: true},
		},
		{
			name: "only a notify job failed", status: "failed", jobs: []fakegitlab.Job{deployed, job("notify_success", ".post", "failed")},
			want: deploy.Pipeline{End: deploy.Succeeded, Judged: true},
		},
		{
			name: "a job that was tried again", status: "success",
			jobs: []fakegitlab.Job{{Name: "deploy", Stage: "deploy", Status: "failed", Retried: true}, deployed},
			want: deploy.Pipeline{End: deploy.Succeeded, Judged: true},
		},
		{
			name: "it goes on, but the deploy is done", status: "running", count: deploy.Counting{Early: true, Proved: []string{"deploy"}},
			jobs: []fakegitlab.Job{job("deploy", "deploy", "running"), job("notify", "notify", "created")},
			want: deploy.Pipeline{End: deploy.Succeeded, Judged: true},
		},
		{name: "success, and no job is seen", status: "success", want: deploy.Pipeline{End: deploy.Succeeded, Judged: true, Unseen: true}},
		{name: "failed, and no job is seen", status: "failed", want: deploy.Pipeline{End: deploy.Failed, Judged: true, Unseen: true}},
		{name: "skipped, and no job is seen", status: "skipped", want: deploy.Pipeline{End: deploy.Canceled, Nothing: true, Judged: true, Unseen: true}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, g, _ := standIn(t)
				id := trigger(t, g, testID).ID
				g.Finish(id, row.status)
				g.SetJobs(id, row.jobs...)
				p, err := c.Poll(t.Context(), "group/app", id, row.count)
				p.Stages, p.Failed, p.Job, p.Bridges = nil, nil, nil, false // see TestPollShowsHowFarAPipelineIs
				row.want.ID, row.want.URL = id, "http://gitlab.test/group/app/-/pipelines/1001"
				row.want.SHA, row.want.Steers = g.Pipelines()[0].SHA, true
				if !reflect.DeepEqual(p, row.want) || err != nil {
					t.Errorf("%+v, %v", p, err)
				}
			})
		})
	}
}

func TestJobsThatCannotBeReadAreNotGuessed(t *testing.T) {
	for name, row := range map[string]struct {
		part  string
		fault fakegitlab.Fault
		retry bool // another look may show them
		seen  bool
	}{
		"no right":                     {"/jobs", denied, false, false},
		"no right to see the bridges":  {"/bridges", denied, false, false},
		"GitLab has no bridges":        {"/bridges", fakegitlab.Fault{Status: 404, Body: `{"error":"404 Not Found"}`}, false, true},
		"GitLab is in trouble":         {"/jobs", named(t, "502"), true, false},
		"in trouble with the bridges":  {"/bridges", named(t, "502"), true, false},
		"GitLab wants to be let alone": {"/jobs", fakegitlab.Fault{Status: 429, Body: "Retry later\n"}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, g, _ := standIn(t)
				id := trigger(t, g, testID).ID
				g.Finish(id, "success")
				g.SetJobs(id, fakegitlab.Job{Name: "deploy", Stage: "deploy", Status: "success"})
				g.FailLookUps(1, row.part, row.fault)
				p, err := c.Poll(t.Context(), "1", id, deploy.Counting{})
				if p.ID != id || p.End != deploy.Succeeded || p.Unseen == row.seen || p.Retry != row.retry || (err != nil) != row.retry {
					t.Errorf("%+v, %v", p, err)
				}
			})
		})
	}
}

// Where not all jobs are listed, a failed one may be among the rest.
func TestJobsThatAreTooManyAreNotJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, _ := standIn(t)
		id := trigger(t, g, testID).ID
		g.Finish(id, "success")
		jobs := []fakegitlab.Job{{Name: "deploy 0", Stage: "deploy", Status: "failed", AllowFailure: true}} // the oldest is listed last
		for n := range 100 * listPages {
			jobs = append(jobs, fakegitlab.Job{Name: fmt.Sprint("deploy ", n+1), Stage: "deploy", Status: "success"})
		}
		g.SetJobs(id, jobs...)
		if p, err := c.Poll(t.Context(), "group/app", id, deploy.Counting{}); !p.Unseen || err == nil {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

// GitLab before 13.5 lists every try of a job in any case, the oldest first.
func TestOnlyTheLastTryOfAJobCounts(t *testing.T) {
	for name, row := range map[string]struct {
		jobs string
		want deploy.State
	}{
		"it failed, and succeeded then": {`[{"id":1,"name":"deploy","stage":"deploy","status":"failed"},{"id":2,"name":"deploy","stage":"deploy","status":"success"}]`, deploy.Succeeded},
		"it succeeded, and failed then": {`[{"id":2,"name":"deploy","stage":"deploy","status":"failed"},{"id":1,"name":"deploy","stage":"deploy","status":"success"}]`, deploy.Failed},
		"another failed":                {`[{"id":1,"name":"deploy 1/2","stage":"deploy","status":"failed"},{"id":2,"name":"deploy 2/2","stage":"deploy","status":"success"}]`, deploy.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, g, _ := standIn(t)
				id := trigger(t, g, testID).ID
				g.SetJobs(id)
				g.Finish(id, "success")
				g.FailLookUps(1, "/jobs", fakegitlab.Fault{Status: 200, Body: row.jobs})
				if p, err := c.Poll(t.Context(), "group/app", id, deploy.Counting{}); p.End != row.want || err != nil {
					t.Errorf("%+v, %v", p, err)
				}
			})
		})
	}
}

func TestPollOfAMissingPipelineFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, _ := standIn(t)
		trigger(t, g, testID)
		for project, id := range map[string]int64{"group/app": 7, "group/other": 1001, "group/none": 1001} {
			if p, err := c.Poll(t.Context(), project, id, deploy.Counting{}); !hidden(err) {
				t.Errorf("%s %d: %+v, %v", project, id, p, err)
			}
		}
	})
}

func TestRateLimitOfReadsIsObeyed(t *testing.T) {
	for name, row := range map[string]struct {
		fault fakegitlab.Fault
		fails bool
		after time.Duration
	}{
		"by a 429":             {fakegitlab.Fault{Status: 429, Body: "Retry later\n", Header: map[string]string{"Retry-After": "30"}}, true, 30 * time.Second},
		"by a 429, no header":  {fakegitlab.Fault{Status: 429, Body: "Retry later\n"}, true, time.Minute},
		"by the last remained": {fakegitlab.Fault{Status: 200, Body: `{"id":1001,"status":"running"}`, Reset: 20 * time.Second}, false, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, g, n := standIn(t)
				id := trigger(t, g, testID).ID
				g.FailLookUps(1, "/pipelines", row.fault)
				_, err := c.Poll(t.Context(), "group/app", id, deploy.Counting{})
				var later *engine.LaterError
				if errors.As(err, &later) != row.fails || row.fails && later.After != row.after || !row.fails && err != nil {
					t.Errorf("the first poll: %v", err)
				}
				before := n.written.Load()
				if _, err := c.Poll(t.Context(), "group/app", id, deploy.Counting{}); !errors.As(err, &later) || later.After != row.after || n.written.Load() != before {
					t.Errorf("the second poll: %v", err)
				}
				if o := c.Trigger(t.Context(), target(), mention(), "", token, soon()); o.Status != deploy.TriggerStarted {
					t.Errorf("a trigger meanwhile: %+v", o)
				}
				time.Sleep(row.after)
				if _, err := c.Poll(t.Context(), "group/app", id, deploy.Counting{}); err != nil {
					t.Errorf("after the wait: %v", err)
				}
			})
		})
	}
}
