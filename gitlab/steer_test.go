package gitlab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

var isJSON = map[string]string{"Content-Type": "application/json"}

func readsOnly(conf *fakegitlab.Config) { conf.Scopes = []string{"read_api"} }

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, _ := standIn(t, withStages)
		made := trigger(t, g, testID)
		g.Step(made.ID)
		g.IgnoreCancels(true)
		if err := c.Cancel(t.Context(), "group/app", made.ID); err != nil || g.Pipelines()[0].Status != "running" {
			t.Errorf("which changes nothing: %v, %s", err, g.Pipelines()[0].Status)
		}
		g.IgnoreCancels(false)
		for range 2 { // it may be repeated
			if err := c.Cancel(t.Context(), "1", made.ID); err != nil || g.Pipelines()[0].Status != "canceled" {
				t.Errorf("%v, %s", err, g.Pipelines()[0].Status)
			}
		}
		if p := poll(t, c, made.ID, deploy.Counting{}); p.End != deploy.Canceled {
			t.Errorf("%+v", p)
		}
	})
}

func TestCancelThatIsRefused(t *testing.T) {
	for name, row := range map[string]struct {
		edit    func(*fakegitlab.Config)
		fault   *fakegitlab.Fault
		project string
		allowed bool
		later   time.Duration
	}{
		"it may only read":      {edit: readsOnly},
		"no right":              {fault: &denied},
		"not this project":      {project: "group/none"},
		"a token that ended":    {fault: &fakegitlab.Fault{Status: 401, Body: `{"error":"invalid_token","error_description":"Token was revoked."}`}},
		"a limit":               {fault: &fakegitlab.Fault{Status: 429, Body: "Retry later\n", Header: map[string]string{"Retry-After": "30"}}, allowed: true, later: 30 * time.Second},
		"a 502":                 {fault: fault(t, "502"), allowed: true, later: unreachableWait},
		"a cut":                 {fault: &fakegitlab.Fault{}, allowed: true, later: unreachableWait},
		"an answer that is cut": {fault: &fakegitlab.Fault{Status: 200, Body: `{"id":1}`, Cut: true}, allowed: true, later: unreachableWait},
		"a hang":                {fault: &fakegitlab.Fault{Hang: true}, allowed: true, later: unreachableWait},
		"a page":                {fault: &fakegitlab.Fault{Status: 200, Body: "<title>Sign in</title>"}, allowed: true},
		"a web server's 404":    {fault: fault(t, "a web server's 404"), allowed: true},
		"a firewall's 403":      {fault: fault(t, "a firewall's 403"), allowed: true},
		"a redirect":            {fault: fault(t, "redirect, 301"), allowed: true},
		"a redirect in the API": {fault: &fakegitlab.Fault{Status: 302, Body: " ", Header: map[string]string{"Location": "http://gitlab.test/api/v4/projects/1/pipelines/1001/cancel"}}, allowed: true},
		"a proxy wants a login": {fault: fault(t, "a proxy's 407"), allowed: true},
		"an answer without end": {fault: &fakegitlab.Fault{Status: 200, Body: strings.Repeat(" ", answerLimit+1), Header: isJSON}, allowed: true, later: unreachableWait},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, g, _ := standIn(t, withStages, func(conf *fakegitlab.Config) {
					if row.edit != nil {
						row.edit(conf)
					}
				})
				made := trigger(t, g, testID)
				g.Step(made.ID)
				if row.fault != nil {
					g.FailLookUps(-1, "/cancel", *row.fault)
				}
				if row.project == "" {
					row.project = "group/app"
				}
				err := c.Cancel(t.Context(), row.project, made.ID)
				later, isLater := errors.AsType[*engine.LaterError](err)
				if err == nil || errors.Is(err, engine.ErrNotAllowed) == row.allowed || isLater != (row.later > 0) || isLater && later.After != row.later {
					t.Errorf("%v", err)
				}
				if g.Pipelines()[0].Status != "running" {
					t.Errorf("it is %s", g.Pipelines()[0].Status)
				}
			})
		})
	}
	c, err := New(Config{URL: "https://gitlab.test"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Cancel(t.Context(), "group/app", 1); !errors.Is(err, engine.ErrNotAllowed) {
		t.Errorf("without a token: %v", err)
	}
}

func fault(t *testing.T, name string) *fakegitlab.Fault {
	f := named(t, name)
	return &f
}

// deployed is a stand-in with a pipeline that has deployed, and the job of that.
func deployed(t *testing.T, edit ...func(*fakegitlab.Config)) (c *Client, g *fakegitlab.GitLab, of fakegitlab.Pipeline, job fakegitlab.Job) {
	t.Helper()
	c, g, _ = standIn(t, append(edit, withStages)...)
	made := trigger(t, g, testID)
	for g.Step(made.ID) {
	}
	return c, g, made, made.Jobs[3]
}

// tries counts how often the deploy was run.
func tries(g *fakegitlab.GitLab) (n int) {
	for _, j := range g.Pipelines()[0].Jobs {
		if j.Name == "deploy" {
			n++
		}
	}
	return n
}

func TestRetryJobMakesAnotherJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, made, old := deployed(t)
		o := c.RetryJob(t.Context(), "group/app", 1001, old.ID, soon())
		another := g.Pipelines()[0].Jobs[5]
		want := deploy.TriggerResult{Status: deploy.TriggerStarted, Pipeline: deploy.Pipeline{
			ID: made.ID, URL: "http://gitlab.test/group/app/-/pipelines/1001", SHA: made.SHA, Bridges: true,
			Job: &deploy.Job{ID: another.ID, Name: "deploy", Stage: "deploy", Status: "pending", URL: fmt.Sprint("http://gitlab.test/group/app/-/jobs/", another.ID)},
		}}
		if diff := cmp.Diff(want, o); diff != "" || another.ID <= old.ID || tries(g) != 2 {
			t.Errorf("%d tries, %s", tries(g), diff)
		}
	})
}

func TestResultOfARetry(t *testing.T) {
	unsure := deploy.TriggerResult{Status: deploy.TriggerUnsure}
	refused := func(why deploy.MessageID, detail string) deploy.TriggerResult {
		return deploy.TriggerResult{Status: deploy.TriggerRefused, Reason: why, Detail: detail}
	}
	wait := deploy.TriggerResult{Status: deploy.TriggerWait, Reason: deploy.MsgWaitRate, After: time.Minute, Detail: "Retry later"}
	answer := func(status int, body string) fakegitlab.Fault {
		return fakegitlab.Fault{Status: status, Body: body, Header: isJSON}
	}
	for name, row := range map[string]struct {
		edit  func(*fakegitlab.Config)
		fault fakegitlab.Fault
		want  deploy.TriggerResult
		tries int
	}{
		"it cannot be run again": {fault: answer(403, `{"message":"403 Forbidden - Job is not retryable"}`), want: refused(deploy.MsgRefusedRetry, "403 Forbidden - Job is not retryable")},
		"it is not there":        {fault: answer(404, `{"message":"404 Not found"}`), want: refused(deploy.MsgRefusedRetry, "404 Not found")},
		"its pipeline is old":    {fault: answer(400, `{"message":"400 Bad request - Pipeline is archived"}`), want: refused(deploy.MsgRefusedRetry, "400 Bad request - Pipeline is archived")},
		"no right":               {fault: denied, want: refused(deploy.MsgRefusedRight, "403 Forbidden")},
		"no scope": {edit: readsOnly, want: refused(
			deploy.MsgRefusedRight, "insufficient_scope; The request requires higher privileges than provided by the access token.",
		)},
		"no such project": {fault: answer(404, `{"message":"404 Project Not Found"}`), want: refused(deploy.MsgRefusedRight, "404 Project Not Found")},
		"no such token":   {fault: answer(401, `{"message":"401 Unauthorized"}`), want: refused(deploy.MsgRefusedRight, "401 Unauthorized")},
		"it moved":        {fault: named(t, "moved project"), want: refused(deploy.MsgRefusedMoved, "Non GET methods are not allowed for moved projects")},
		"not valid":       {fault: answer(422, `{"message":"something"}`), want: refused(deploy.MsgRefusedOther, "something")},
		"a page":          {fault: named(t, "a firewall's 403"), want: refused(deploy.MsgRefusedElsewhere, "Access denied")},
		"a redirect":      {fault: named(t, "redirect, 301"), want: refused(deploy.MsgRefusedRedirect, "https://gitlab.example.org/api/v4/")},
		"a redirect within the API": {
			fault: fakegitlab.Fault{Status: 307, Body: " ", Header: map[string]string{"Location": "http://gitlab.test/api/v4/projects/1/jobs/100103/retry"}},
			want:  refused(deploy.MsgRefusedRedirect, "http://gitlab.test/api/v4/projects/1/jobs/100103/retry"),
		},
		"a proxy wants a login": {fault: named(t, "a proxy's 407"), want: refused(deploy.MsgRefusedProxy, "Cache Access Denied")},
		"a limit":               {fault: fakegitlab.Fault{Status: 429, Body: "Retry later\n"}, want: wait},

		"made, and cut":          {fault: fakegitlab.Fault{Make: 1}, want: unsure, tries: 1},
		"made, and a 502":        {fault: fakegitlab.Fault{Make: 1, Status: 502, Body: "<html></html>"}, want: unsure, tries: 1},
		"made, and hang":         {fault: fakegitlab.Fault{Make: 1, Hang: true}, want: unsure, tries: 1},
		"made, and half told":    {fault: fakegitlab.Fault{Make: 1, Status: 201, Cut: true}, want: unsure, tries: 1},
		"made, and a page":       {fault: fakegitlab.Fault{Make: 1, Status: 201, Body: "<title>Welcome</title>"}, want: unsure, tries: 1},
		"a cut":                  {fault: fakegitlab.Fault{}, want: unsure},
		"null":                   {fault: answer(201, "null"), want: unsure},
		"an empty object":        {fault: answer(201, "{}"), want: unsure},
		"the same job":           {fault: answer(201, `{"id":100103,"name":"deploy","pipeline":{"id":1001}}`), want: unsure},
		"of another pipeline":    {fault: answer(201, `{"id":100203,"name":"deploy","pipeline":{"id":1002}}`), want: unsure},
		"a job without pipeline": {fault: answer(201, `{"id":100203,"name":"deploy"}`), want: unsure},
		"an answer without end":  {fault: answer(201, strings.Repeat(" ", answerLimit+1)), want: unsure},
		"a 422 that is a page":   {fault: named(t, "422 with a page"), want: unsure},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, g, _, old := deployed(t, func(conf *fakegitlab.Config) {
					if row.edit != nil {
						row.edit(conf)
					}
				})
				if row.edit == nil {
					g.FailLookUps(1, "/retry", row.fault)
				}
				o := c.RetryJob(t.Context(), "group/app", 1001, old.ID, soon())
				if o.Err == nil || strings.Contains(o.Err.Error(), testAPIToken) {
					t.Errorf("for the log: %v", o.Err)
				}
				o.Err = nil
				if diff := cmp.Diff(row.want, o); diff != "" {
					t.Error(diff)
				}
				time.Sleep(5 * time.Minute)
				if n := tries(g) - 1; n != row.tries {
					t.Errorf("it was run %d times, not %d", n, row.tries)
				}
				found, ok, err := c.FindRetried(t.Context(), "group/app", 1001, old.ID)
				if ok != (row.tries > 0) || err != nil || ok && (found.ID <= old.ID || found.Name != "deploy") {
					t.Errorf("looked for: %+v, %v, %v", found, ok, err)
				}
			})
		})
	}
}

// Its first byte leaves within the deadline or never, as with a trigger.
func TestRetryOfAJobInTimeOrNever(t *testing.T) {
	for name, row := range map[string]struct {
		slow, stop time.Duration
		late       bool
		want       deploy.TriggerStatus
		tries      int
	}{
		"in time":           {slow: 4 * time.Second, stop: time.Hour, want: deploy.TriggerStarted, tries: 1},
		"too late to begin": {late: true, stop: time.Hour, want: deploy.TriggerNotSent},
		"a slow dial":       {slow: 6 * time.Second, stop: time.Hour, want: deploy.TriggerWait},
		"canceled":          {slow: 3 * time.Second, stop: time.Second, want: deploy.TriggerNotSent},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, g, n := standIn(t, withStages)
				made := trigger(t, g, testID)
				for g.Step(made.ID) {
				}
				n.slow = row.slow
				ctx, cancel := context.WithTimeout(t.Context(), row.stop)
				defer cancel()
				until := soon()
				if row.late {
					until = time.Now()
				}
				o := c.RetryJob(ctx, "group/app", made.ID, made.Jobs[3].ID, until)
				if o.Status != row.want || (o.Err == nil) != (row.want == deploy.TriggerStarted) {
					t.Errorf("%+v", o)
				}
				if row.want != deploy.TriggerStarted && n.written.Load() > 0 {
					t.Errorf("%d bytes were written", n.written.Load())
				}
				time.Sleep(time.Minute)
				if tries(g)-1 != row.tries {
					t.Errorf("it was run %d times", tries(g)-1)
				}
			})
		})
	}
	c, err := New(Config{URL: "https://gitlab.test"})
	if err != nil {
		t.Fatal(err)
	}
	if o := c.RetryJob(t.Context(), "group/app", 1, 1, soon()); o.Status != deploy.TriggerRefused || o.Reason != deploy.MsgRefusedRight {
		t.Errorf("without a token: %+v", o)
	}
}

func TestARetryShowsItsTokenToGitLabAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked, body string
		var header http.Header
		c, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			asked, body, header = r.Method+" "+r.RequestURI, string(b), r.Header.Clone()
			http.Error(w, `{"message":"403 `+testAPIToken+`"}`, http.StatusForbidden)
		}))
		o := c.RetryJob(t.Context(), "group/app", 1, 7, soon())
		if asked != "POST /api/v4/projects/group%2Fapp/jobs/7/retry" || body != "{}" || header.Get("Private-Token") != testAPIToken || header.Get("Idempotency-Key") != "" {
			t.Errorf("%s %s %v", asked, body, header)
		}
		if text := o.Detail + o.Err.Error(); strings.Contains(text, testAPIToken) || !strings.Contains(text, "403") {
			t.Errorf("it says %s", text)
		}
	})
}

func TestFindRetriedFindsTheFirstOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, made, old := deployed(t)
		find := func(after int64) int64 {
			t.Helper()
			j, ok, err := c.FindRetried(t.Context(), "group/app", made.ID, after)
			if err != nil || ok != (j.ID != 0) {
				t.Errorf("%+v, %v, %v", j, ok, err)
			}
			return j.ID
		}
		if id := find(old.ID); id != 0 {
			t.Errorf("found %d before it was run again", id)
		}
		first := g.RetryJob(old.ID)
		g.MoveJob(made.ID, first.ID, "failed")
		second := g.RetryJob(first.ID)
		g.RetryJob(made.Jobs[2].ID)
		for after, want := range map[int64]int64{old.ID: first.ID, first.ID: second.ID, second.ID: 0} {
			if id := find(after); id != want {
				t.Errorf("after %d: %d, want %d", after, id, want)
			}
		}
		if find(made.Jobs[2].ID) == 0 {
			t.Error("a bridge was not found")
		}
		if j, ok, err := c.FindRetried(t.Context(), "group/app", made.ID, 7); ok || !errors.Is(err, engine.ErrNotAllowed) {
			t.Errorf("after a job that is not there: %+v, %v", j, err)
		}
	})
	for name, f := range badAnswers(t) {
		synctest.Test(t, func(t *testing.T) {
			c, g, made, old := deployed(t)
			g.RetryJob(old.ID)
			g.FailLookUps(-1, "/jobs", f)
			if j, ok, err := c.FindRetried(t.Context(), "group/app", made.ID, old.ID); ok || err == nil || j.ID != 0 {
				t.Errorf("%s: %+v, %v, %v", name, j, ok, err)
			}
		})
	}
}

// badAnswers are what a read may get in place of what it asks for.
func badAnswers(t *testing.T) map[string]fakegitlab.Fault {
	return map[string]fakegitlab.Fault{
		"a 404": named(t, "not found"), "a 403": denied, "a page": {Status: 200, Body: "<title>Sign in</title>"}, "a web server's 404": named(t, "a web server's 404"),
		"null": {Status: 200, Body: "null", Header: isJSON}, "a redirect": named(t, "redirect, 301"), "half": {Status: 200, Body: `[{"id":`, Header: isJSON},
		"a text": {Status: 200, Body: `"x"`, Header: isJSON}, "without end": {Status: 200, Body: strings.Repeat(" ", answerLimit+1), Header: isJSON},
		"a 502": named(t, "502"), "a limit": {Status: 429, Body: "Retry later\n"}, "a hang": {Hang: true},
	}
}

func TestPollOfAJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, made, old := deployed(t)
		another := g.RetryJob(old.ID)
		page := fmt.Sprint("http://gitlab.test/group/app/-/jobs/", another.ID)
		shown := &deploy.Job{ID: another.ID, Name: "deploy", Stage: "deploy", URL: page}
		want := deploy.Pipeline{ID: made.ID, URL: page, SHA: made.SHA, Job: shown, Judged: true, Bridges: true, Steers: true}
		for _, row := range []struct {
			status string
			edit   func()
		}{
			{"pending", func() { want.Waits = deploy.WaitsRunner }},
			{"running", func() { want.Waits, shown.Started = "", true }},
			{"success", func() { want.End = deploy.Succeeded }},
			{"canceled", func() { want.End = deploy.Canceled }},
			{"failed", func() {
				want.End, want.Failed, want.Detail, shown.Reason = deploy.Failed, shown, "deploy", "script_failure"
			}},
		} {
			g.MoveJob(made.ID, another.ID, row.status)
			row.edit()
			shown.Status, want.Stages = row.status, []deploy.Stage{{Name: "deploy", Status: row.status}}
			p, err := c.PollJob(t.Context(), "group/app", made.ID, another.ID, deploy.Counting{FailedID: another.ID})
			if diff := cmp.Diff(want, p); diff != "" || err != nil {
				t.Errorf("%s: %v, %s", row.status, err, diff)
			}
			time.Sleep(5 * time.Second)
		}
	})
	others := badAnswers(t)
	others["another job"] = fakegitlab.Fault{Status: 200, Body: `{"id":7,"status":"success","pipeline":{"id":1001}}`}
	others["another pipeline"] = fakegitlab.Fault{Status: 200, Body: `{"id":100103,"status":"success","pipeline":{"id":1002}}`}
	others["no pipeline"] = fakegitlab.Fault{Status: 200, Body: `{"id":100103,"status":"success"}`}
	for name, f := range others {
		synctest.Test(t, func(t *testing.T) {
			c, g, _, old := deployed(t)
			g.FailLookUps(-1, "/jobs/", f)
			if p, err := c.PollJob(t.Context(), "group/app", 1001, old.ID, deploy.Counting{}); err == nil || p.ID != 0 {
				t.Errorf("%s: %+v, %v", name, p, err)
			}
		})
	}
}

// GitLab runs a job again by itself where "retry" says so, which takes it a moment.
func TestPollOfAJobThatIsRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, made, old := deployed(t)
		first := g.RetryJob(old.ID)
		g.FailJob(made.ID, first.ID, "runner_system_failure")
		poll := func(id, failed int64) deploy.Pipeline {
			t.Helper()
			time.Sleep(5 * time.Second)
			p, err := c.PollJob(t.Context(), "group/app", made.ID, id, deploy.Counting{FailedID: failed})
			if err != nil {
				t.Error(err)
			}
			return p
		}
		if p := poll(first.ID, 0); p.End != "" || p.Failed == nil || p.Failed.ID != first.ID {
			t.Errorf("at first sight: %+v", p)
		}
		if p := poll(first.ID, first.ID); p.End != deploy.Failed {
			t.Errorf("at second sight: %+v", p)
		}
		second := g.RetryJob(first.ID)
		if p := poll(first.ID, first.ID); p.End != "" || p.Job.ID != second.ID {
			t.Errorf("run again: %+v", p)
		}
	})
}

func TestAnotherTryIsOfTheSameNameToTheLetter(t *testing.T) {
	long := strings.Repeat("deploy-", 20)
	c, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		jobs := "[]"
		if strings.HasSuffix(r.URL.Path, "/jobs") {
			jobs = fmt.Sprintf(`[{"id":1,"name":"%[1]sa"},{"id":2,"name":"%[1]sb"},{"id":3,"name":"<b>%[1]sa"},{"id":4,"name":"%[1]sa"}]`, long)
		}
		fmt.Fprint(w, jobs)
	}))
	if j, ok, err := c.FindRetried(t.Context(), "group/app", 7, 1); j.ID != 4 || !ok || err != nil {
		t.Errorf("found %+v, %v, %v", j, ok, err)
	}
}
