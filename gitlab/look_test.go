package gitlab

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

func TestLookTellsHowAPipelineEnded(t *testing.T) {
	job := func(name, stage, status string) fakegitlab.Job {
		return fakegitlab.Job{Name: name, Stage: stage, Status: status}
	}
	allowed := func(j fakegitlab.Job) fakegitlab.Job { j.AllowFailure = true; return j }
	bridge := func(j fakegitlab.Job) fakegitlab.Job { j.Bridge = true; return j }
	many := []fakegitlab.Job{job("notify_success", "notify", "failed")}
	for range 120 {
		many = append(many, job("build", "build", "success"))
	}
	for _, row := range []struct {
		name   string
		status string
		jobs   []fakegitlab.Job
		end    deploy.State
		detail string
	}{
		{name: "created", status: "created"},
		{name: "waiting", status: "waiting_for_resource"},
		{name: "preparing", status: "preparing"},
		{name: "pending", status: "pending"},
		{name: "running", status: "running"},
		{name: "canceling", status: "canceling"},
		{name: "manual", status: "manual"},
		{name: "scheduled", status: "scheduled"},
		{name: "a status of the future", status: "dreaming"},
		{name: "success", status: "success", end: deploy.Succeeded},
		{name: "canceled", status: "canceled", end: deploy.Canceled},
		{name: "skipped", status: "skipped", end: deploy.Canceled},
		{name: "failed without jobs", status: "failed", end: deploy.Failed},
		{
			name: "failed deploy", status: "failed", end: deploy.Failed, detail: "deploy",
			jobs: []fakegitlab.Job{job("build", "build", "success"), job("deploy", "deploy", "failed"), job("later", "deploy", "failed"), job("notify_failure", "notify", "success")},
		},
		{
			name: "failed deploy and notify", status: "failed", end: deploy.Failed, detail: "deploy",
			jobs: []fakegitlab.Job{job("deploy", "deploy", "failed"), job("notify_failure", "notify", "failed")},
		},
		{
			name: "only a notify job failed", status: "failed", end: deploy.Succeeded,
			jobs: []fakegitlab.Job{job("deploy", "deploy", "success"), job("notify_success", ".post", "failed")},
		},
		{
			name: "only a job of the notify stage failed", status: "failed", end: deploy.Succeeded,
			jobs: []fakegitlab.Job{job("deploy", "deploy", "success"), job("tell slack", "notify", "failed"), job("tell of failure", "notify", "skipped")},
		},
		{
			name: "a notify job failed before the deploy", status: "failed", end: deploy.Failed, detail: "notify_start",
			jobs: []fakegitlab.Job{job("build", "build", "success"), job("notify_start", "notify", "failed"), job("deploy", "deploy", "skipped")},
		},
		{
			name: "a notify job failed, and another may fail", status: "failed", end: deploy.Succeeded,
			jobs: []fakegitlab.Job{job("deploy", "deploy", "success"), allowed(job("lint", "test", "failed")), job("notify_success", "notify", "failed")},
		},
		{
			name: "nothing but a notify job", status: "failed", end: deploy.Failed, detail: "notify_success",
			jobs: []fakegitlab.Job{job("notify_success", "notify", "failed")},
		},
		{
			name: "a notify job and the child pipeline failed", status: "failed", end: deploy.Failed, detail: "deploy child",
			jobs: []fakegitlab.Job{job("build", "build", "success"), bridge(job("deploy child", "deploy", "failed")), job("notify_failure", "notify", "failed")},
		},
		{
			name: "a job that was tried again", status: "failed", end: deploy.Succeeded,
			jobs: []fakegitlab.Job{
				{Name: "deploy", Stage: "deploy", Status: "failed", Retried: true}, job("deploy", "deploy", "success"), job("notify_success", "notify", "failed"),
			},
		},
		{name: "only a notify job failed, of many", status: "failed", end: deploy.Succeeded, jobs: many},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, g, _ := standIn(t)
				id := trigger(t, g, testID).ID
				g.SetJobs(id, row.jobs...)
				g.Finish(id, row.status)
				p, err := c.Look(t.Context(), "group/app", id)
				want := deploy.Pipeline{ID: id, URL: "http://gitlab.test/group/app/-/pipelines/1001", End: row.end, Detail: row.detail}
				if p != want || err != nil {
					t.Errorf("%+v, %v", p, err)
				}
			})
		})
	}
}

func TestAFailureIsToldWithoutTheRightToSeeItsJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, _ := standIn(t)
		id := trigger(t, g, testID).ID
		g.Finish(id, "failed")
		g.FailLooks(1, "/jobs", denied)
		if p, err := c.Look(t.Context(), "1", id); err != nil || p.End != deploy.Failed {
			t.Errorf("%+v, %v", p, err)
		}
		g.FailLooks(1, "/jobs", named(t, "502"))
		if p, err := c.Look(t.Context(), "1", id); err == nil {
			t.Errorf("a failed look-up of jobs gives %+v", p)
		}
	})
}

func TestALookAtAPipelineThatIsNotThereFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, _ := standIn(t)
		trigger(t, g, testID)
		for project, id := range map[string]int64{"group/app": 7, "group/other": 1001, "group/none": 1001} {
			if p, err := c.Look(t.Context(), project, id); !hidden(err) {
				t.Errorf("%s %d: %+v, %v", project, id, p, err)
			}
		}
	})
}

func TestTheRateLimitOfLookUpsIsKept(t *testing.T) {
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
				g.FailLooks(1, "/pipelines", row.fault)
				_, err := c.Look(t.Context(), "group/app", id)
				var later *deploy.LaterError
				if errors.As(err, &later) != row.fails || row.fails && later.After != row.after || !row.fails && err != nil {
					t.Errorf("the first look: %v", err)
				}
				before := n.written.Load()
				if _, err := c.Look(t.Context(), "group/app", id); !errors.As(err, &later) || later.After != row.after || n.written.Load() != before {
					t.Errorf("the second look: %v", err)
				}
				if o := c.Trigger(t.Context(), target(), mention(), token, soon()); o.Fate != deploy.FateStarted {
					t.Errorf("a trigger meanwhile: %+v", o)
				}
				time.Sleep(row.after)
				if _, err := c.Look(t.Context(), "group/app", id); err != nil {
					t.Errorf("after the wait: %v", err)
				}
			})
		})
	}
}

func TestRightsSaysWhatTheTokenLacks(t *testing.T) {
	for name, row := range map[string]struct {
		edit  func(*fakegitlab.Config)
		part  string
		fault fakegitlab.Fault
		lacks string
		fails bool
	}{
		"nothing":                {},
		"to list":                {part: "/pipelines", fault: denied, lacks: "Reporter"},
		"to read variables":      {part: "/variables", fault: denied, lacks: "Maintainer"},
		"variables, but names":   {edit: withName, part: "/variables", fault: denied},
		"everything":             {edit: func(conf *fakegitlab.Config) { conf.APIToken = "glpat-test-another" }, lacks: "401"},
		"GitLab is away":         {part: "/pipelines", fault: fakegitlab.Fault{}, fails: true},
		"GitLab is away halfway": {part: "/variables", fault: fakegitlab.Fault{}, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, g, _ := standIn(t, func(conf *fakegitlab.Config) {
					if row.edit != nil {
						row.edit(conf)
					}
				})
				trigger(t, g, testID)
				if row.part != "" {
					g.FailLooks(-1, row.part, row.fault)
				}
				lacks, err := c.Rights(t.Context(), "group/app")
				if (err != nil) != row.fails || (lacks == "") != (row.lacks == "") || !strings.Contains(lacks, row.lacks) {
					t.Errorf("lacks %q, %v", lacks, err)
				}
			})
		})
	}
}
