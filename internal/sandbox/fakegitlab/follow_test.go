package fakegitlab

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// titles reads a list of commits.
func titles(t *testing.T, w *httptest.ResponseRecorder) (all []string) {
	t.Helper()
	var rows []struct{ Title string }
	if err := json.Unmarshal(w.Body.Bytes(), &rows); err != nil || w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for _, r := range rows {
		all = append(all, r.Title)
	}
	return all
}

func TestCommits(t *testing.T) {
	g := standIn(t, func(c *Config) {
		c.Projects[0].Refs = []string{"master", "next"}
		c.Projects[0].Commits = []Commit{{Title: "one", Author: "Hanako"}, {Title: "two", Author: "Taro"}}
	})
	first, _ := g.Make("group/app", "trigger", "refs/heads/master", nil)
	third := g.Push("group/app", "master", "three", "Hanako")
	g.Push("group/app", "next", "elsewhere", "Hanako")
	second, _ := g.Make("group/app", "trigger", "master", nil)
	if first.SHA == second.SHA || second.SHA != third.SHA || len(first.SHA) != 40 {
		t.Errorf("pipelines of %s and %s, pushed %s", first.SHA, second.SHA, third.SHA)
	}
	const commits = path + "/repository/commits"
	for query, want := range map[string]string{
		"":                       "[three two one]",
		"?ref_name=master":       "[three two one]",
		"?ref_name=next":         "[elsewhere two one]",
		"?ref_name=" + first.SHA: "[two one]",
		"?first_parent=true&ref_name=" + first.SHA + "..master": "[three]",
		"?ref_name=master..next":                                "[elsewhere]",
		"?ref_name=" + third.SHA + ".." + first.SHA:             "[]",
		"?ref_name=" + strings.Repeat("0", 40) + "..master":     "[]",
		"?ref_name=gone":                         "[]",
		"?ref_name=master&per_page=2":            "[three two]",
		"?ref_name=master&per_page=2&page=2":     "[one]",
		"?ref_name=master&per_page=3":            "[three two one]",
		"?ref_name=master&per_page=3&page=2":     "[]",
		"?ref_name=refs%2Fheads%2Fnext&per_page": "[elsewhere two one]",
	} {
		w := get(g, commits+query)
		if got := fmt.Sprint(titles(t, w)); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
		full := strings.HasSuffix(query, "per_page=2") || strings.HasSuffix(query, "per_page=3")
		if next := w.Header().Get("X-Next-Page"); (next == "2") != full || w.Header().Get("X-Total") != "" {
			t.Errorf("%s: next page %q", query, next)
		}
	}
	for asked, want := range map[string]string{
		commits + "/master":              `"title":"three"`,
		commits + "/refs%2Fheads%2Fnext": `"title":"elsewhere"`,
		commits + "/" + first.SHA:        `"web_url":"http://gitlab.test/group/app/-/commit/` + first.SHA + `"`,
		commits + "/gone":                "404 Commit Not Found",

		path + "/repository/merge_base?refs[]=master&refs[]=next":               `"title":"two"`,
		path + "/repository/merge_base?refs[]=master&refs[]=" + first.SHA:       `"id":"` + first.SHA + `"`,
		path + "/repository/merge_base?refs[]=master&refs[]=gone":               "Could not find ref: gone",
		path + "/repository/merge_base?refs[]=master":                           "at least 2 refs",
		path + "/pipelines/" + fmt.Sprint(second.ID):                            `"sha":"` + third.SHA + `"`,
		"/api/v4/personal_access_tokens/self":                                   `"scopes":["api"]`,
		"/api/v4/projects/group%2Fnone/repository/merge_base?refs[]=a&refs[]=b": "404 Project Not Found",
	} {
		if w := get(g, asked); !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", asked, w.Code, w.Body)
		}
	}
	if (g.Push("group/none", "master", "x", "y") != Commit{} || g.Push("group/app", "none", "x", "y") != Commit{}) {
		t.Error("it pushed to where nothing is")
	}
}

func TestAPipelinePassesItsStages(t *testing.T) {
	begun := func(names ...string) (jobs []Job) {
		for _, name := range names {
			jobs = append(jobs, Job{Name: name, Stage: strings.TrimRight(name, "12"), Status: "created"})
		}
		return jobs
	}
	g := standIn(t, func(c *Config) {
		c.Projects[0].Jobs = append(begun("build", "test1", "test2"), Job{Name: "ask", Stage: "test", Status: "manual"}, Job{Name: "deploy", Stage: "deploy"})
	})
	p, _ := g.Make("group/app", "trigger", "master", nil)
	show := func() string {
		p := g.Pipelines()[0]
		text := p.Status
		for _, j := range p.Jobs {
			text += " " + j.Name + ":" + j.Status
		}
		return text
	}
	for i, want := range []string{
		"running build:running test1:created test2:created ask:manual deploy:created",
		"running build:success test1:created test2:created ask:manual deploy:created",
		"running build:success test1:running test2:running ask:manual deploy:created",
		"running build:success test1:success test2:success ask:manual deploy:created",
		"running build:success test1:success test2:success ask:manual deploy:running",
		"success build:success test1:success test2:success ask:manual deploy:success",
	} {
		if more := g.Step(p.ID); show() != want || more != (i < 5) {
			t.Errorf("step %d: %s, more %v", i+1, show(), more)
		}
	}
	p, _ = g.Make("group/app", "trigger", "master", nil)
	g.Step(p.ID)
	g.FailJob(p.ID, p.Jobs[0].ID, "runner_system_failure")
	if g.Step(p.ID) {
		t.Error("it goes on after a failure")
	}
	if p := g.Pipelines()[1]; p.Status != "failed" || p.Jobs[4].Status != "skipped" {
		t.Errorf("%+v", p)
	}
	if g.Step(7) {
		t.Error("it moved what is not there")
	}
}

func TestJobsAreRetried(t *testing.T) {
	again := make(chan string, 2)
	g := standIn(t, func(c *Config) {
		c.Projects[0].Jobs = []Job{{Name: "deploy", Stage: "deploy"}, {Name: "e2e", Stage: "test"}}
		c.OnJobRetry = func(p Pipeline, j Job) { again <- fmt.Sprint(p.ID, j.ID, j.Name, len(p.Jobs)) }
	})
	p, _ := g.Make("group/app", "trigger", "master", nil)
	other, _ := g.Make("group/app", "trigger", "master", nil)
	job := fmt.Sprintf("%s/jobs/%d", path, p.Jobs[0].ID)
	refused := func(when string) {
		t.Helper()
		if w := send(g, job+"/retry", asJSON, ""); w.Code != 403 || !strings.Contains(w.Body.String(), "403 Forbidden - Job is not retryable") {
			t.Errorf("%s: %d %s", when, w.Code, w.Body)
		}
	}
	g.MoveJob(p.ID, p.Jobs[0].ID, "running")
	refused("while it runs")
	if w := get(g, job); !strings.Contains(w.Body.String(), `"started_at":"20`) || strings.Contains(w.Body.String(), "failure_reason") {
		t.Errorf("%s", w.Body)
	}
	g.FailJob(p.ID, p.Jobs[0].ID, "job_execution_timeout")
	g.MoveJob(p.ID, p.Jobs[1].ID, "skipped")
	g.Finish(p.ID, "failed")
	if w := get(g, job); !strings.Contains(w.Body.String(), `"failure_reason":"job_execution_timeout"`) || strings.Contains(w.Body.String(), `"finished_at":null`) {
		t.Errorf("%s", w.Body)
	}
	g.FailLookUps(1, "/retry", Fault{Status: 403, Body: message("403 Forbidden")})
	if w := send(g, job+"/retry", asJSON, ""); w.Code != 403 || len(again) != 0 {
		t.Errorf("when ordered: %d %s", w.Code, w.Body)
	}
	g.FailLookUps(1, "/retry", Fault{Make: 1})
	if w := send(g, job+"/retry", asJSON, ""); w.Code != 0 {
		t.Errorf("made and cut: %d %s", w.Code, w.Body)
	}
	refused("when it was retried")
	got := g.Pipelines()[0]
	third := got.Jobs[2]
	if third.ID <= other.Jobs[1].ID || third.Name != "deploy" || !got.Jobs[0].Retried || got.Jobs[1].Status != "created" || got.Status != "running" {
		t.Errorf("%+v", got)
	}
	if hook := <-again; hook != fmt.Sprint(p.ID, third.ID, "deploy", 3) {
		t.Errorf("told of %s", hook)
	}
	g.MoveJob(p.ID, third.ID, "success")
	w := send(g, fmt.Sprintf("%s/jobs/%d/retry", path, third.ID), asJSON, "")
	if w.Code != 201 || !strings.Contains(w.Body.String(), fmt.Sprintf(`"id":%d,`, third.ID+1)) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for query, want := range map[string]int{"": 2, "?include_retried=true": 4} {
		var rows []struct{ ID int64 }
		if err := json.Unmarshal(get(g, fmt.Sprintf("%s/pipelines/%d/jobs%s", path, p.ID, query)).Body.Bytes(), &rows); err != nil || len(rows) != want || rows[0].ID != third.ID+1 {
			t.Errorf("%q: %+v, %v", query, rows, err)
		}
	}
	if w := get(g, path+"/jobs/7"); w.Code != 404 {
		t.Errorf("a job that is not there: %d", w.Code)
	}
}

func TestATokenThatMayOnlyRead(t *testing.T) {
	g := standIn(t, func(c *Config) { c.Scopes = []string{"read_api"}; c.Projects[0].Jobs = []Job{{Name: "deploy"}} })
	p, _ := g.Make("group/app", "trigger", "master", nil)
	for _, asked := range []string{"/pipelines/1001/cancel", "/pipelines/1001/retry", fmt.Sprintf("/jobs/%d/retry", p.Jobs[0].ID)} {
		if w := send(g, path+asked, asJSON, ""); w.Code != 403 || !strings.Contains(w.Body.String(), "insufficient_scope") {
			t.Errorf("%s: %d %s", asked, w.Code, w.Body)
		}
	}
	if w := get(g, "/api/v4/personal_access_tokens/self"); w.Body.String() != `{"active":true,"expires_at":null,"id":1,"name":"psycher","revoked":false,"scopes":["read_api"],"user_id":1}` {
		t.Errorf("%s", w.Body)
	}
	if w := get(g, path+"/pipelines/1001"); w.Code != 200 {
		t.Errorf("%d", w.Code)
	}
}

func TestCancelsThatChangeNothing(t *testing.T) {
	g := standIn(t)
	p, _ := g.Make("group/app", "trigger", "master", nil)
	g.Finish(p.ID, "running")
	g.IgnoreCancels(true)
	if w := send(g, path+"/pipelines/1001/cancel", asJSON, ""); w.Code != 200 || g.Pipelines()[0].Status != "running" {
		t.Errorf("%d, %s", w.Code, g.Pipelines()[0].Status)
	}
	g.IgnoreCancels(false)
	if w := send(g, path+"/pipelines/1001/cancel", asJSON, ""); w.Code != 200 || g.Pipelines()[0].Status != "canceled" {
		t.Errorf("%d, %s", w.Code, g.Pipelines()[0].Status)
	}
}

func TestPagesOfJobsAndCommits(t *testing.T) {
	g := standIn(t, func(c *Config) { c.Projects[0].Jobs = []Job{{Name: "deploy", Stage: "deploy"}} })
	p, _ := g.Make("group/app", "trigger", "master", nil)
	g.Log(p.ID, p.Jobs[0].ID, "$ ./deploy.sh\n")
	head := g.Push("group/app", "master", "Fix it", "Taro")
	for asked, want := range map[string]string{
		fmt.Sprint("/group/app/-/jobs/", p.Jobs[0].ID):     "job deploy (deploy): created\n$ ./deploy.sh\n",
		"/group/app/-/commit/" + head.SHA:                  head.SHA[:8] + " Fix it (Taro)\n",
		"/group/app/-/compare/" + p.SHA + "..." + head.SHA: head.SHA[:8] + " Fix it (Taro)\n",
		"/group/app/-/commit/" + strings.Repeat("0", 40):   "404 page not found\n",
		"/group/none/-/commit/" + head.SHA:                 "404 page not found\n",
		"/group/app/-/jobs/7":                              "404 page not found\n",
	} {
		if w := get(g, asked); w.Body.String() != want {
			t.Errorf("%s: %d %s", asked, w.Code, w.Body)
		}
	}
}

// What is deployed is what the last deploy job has deployed, also one that ran again.
func TestTheEnvironmentIsWhatWasDeployedLast(t *testing.T) {
	g := standIn(t, func(c *Config) { c.Projects[0].Jobs = []Job{{Name: "deploy", Stage: "deploy"}} })
	shows := func(want string) {
		t.Helper()
		if w := get(g, "/group/app/-/environments"); w.Body.String() != want {
			t.Errorf("it shows %q, not %q", w.Body, want)
		}
	}
	shows("")
	var jobs []int64
	for _, title := range []string{"one", "two"} {
		head := g.Push("group/app", "master", title, "Taro")
		p, _ := g.Make("group/app", "trigger", "master", nil)
		g.Finish(p.ID, "success")
		shows("group/app: " + head.SHA[:8] + " " + title + "\n")
		jobs = append(jobs, p.Jobs[0].ID)
	}
	again := g.RetryJob(jobs[0])
	g.MoveJob(g.Pipelines()[0].ID, again.ID, "success")
	shows("group/app: " + g.Pipelines()[0].SHA[:8] + " one\n")
}

// Jobs take their time: they begin and end when they are moved.
func TestJobsHaveTheirTimes(t *testing.T) {
	j := Job{}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	j.move("running", at)
	j.move("success", at.Add(time.Minute))
	if j.Finished.Sub(j.Started) != time.Minute {
		t.Errorf("%+v", j)
	}
	if j.move("created", at); !j.Started.IsZero() || !j.Finished.IsZero() {
		t.Errorf("%+v", j)
	}
}
