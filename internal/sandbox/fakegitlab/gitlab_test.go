package fakegitlab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const (
	token    = "glptt-test"
	apiToken = "glpat-test"
	asJSON   = "application/json"
	asForm   = "application/x-www-form-urlencoded"
	path     = "/api/v4/projects/group%2Fapp"
	right    = `{"ref":"master","token":"glptt-test","variables":{"channel":"C1","timestamp":"1.2","PSYCHER_ID":"id-1"}}`
)

func standIn(t *testing.T, edit ...func(*Config)) *GitLab {
	t.Helper()
	conf := Config{URL: "http://gitlab.test/", APIToken: apiToken, Projects: []Project{{ID: 1, Path: "group/app", Token: token, Name: "deploy $PSYCHER_ID"}}}
	for _, e := range edit {
		e(&conf)
	}
	g := New(conf)
	t.Cleanup(g.Close)
	return g
}

func send(g *GitLab, path, kind, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	return serve(g, r)
}

func get(g *GitLab, path string) *httptest.ResponseRecorder {
	return serve(g, httptest.NewRequest(http.MethodGet, path, nil))
}

// serve makes a request with the API token. A cut returns status 0.
func serve(g *GitLab, r *http.Request) (w *httptest.ResponseRecorder) {
	w = httptest.NewRecorder()
	if r.Header.Get("Private-Token") == "" {
		r.Header.Set("Private-Token", apiToken)
	}
	defer func() {
		if v := recover(); v != nil {
			if err, ok := v.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			w.Code = 0
		}
	}()
	g.ServeHTTP(w, r)
	return w
}

func TestTrigger(t *testing.T) {
	for _, row := range []struct {
		name, path, kind, body string
		status                 int
		says                   string
	}{
		{"JSON", path, asJSON, right, 201, `"source":"trigger"`},
		{"a form", path, asForm, "ref=master&token=glptt-test&variables[channel]=C1&variables[timestamp]=1.2&variables[PSYCHER_ID]=id-1", 201, `"status":"created"`},
		{"the project's number", "/api/v4/projects/1", asJSON, right, 201, `"web_url":"http://gitlab.test/group/app/-/pipelines/1001"`},
		{"a wrong token", path, asJSON, strings.Replace(right, token, "no", 1), 404, `{"message":"404 Not Found"}`},
		{"no such project", "/api/v4/projects/2", asJSON, right, 404, `{"message":"404 Not Found"}`},
		{"no such ref", path, asJSON, strings.Replace(right, "master", "main", 1), 400, `{"message":{"base":["Reference not found"]}}`},
		{"no ref", path, asJSON, `{"token":"glptt-test"}`, 400, `{"error":"ref is missing"}`},
		{"a number as a variable", path, asJSON, `{"ref":"master","token":"glptt-test","variables":{"a":1}}`, 400, "map of key-valued strings"},
		{"no JSON", path, asJSON, `{`, 400, "not valid JSON"},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := standIn(t)
			w := send(g, row.path+"/trigger/pipeline", row.kind, row.body)
			if w.Code != row.status || !strings.Contains(w.Body.String(), row.says) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			made := g.Pipelines()
			if g.Posts() != 1 || (len(made) == 1) != (row.status == 201) {
				t.Fatalf("%d POSTs, %d pipelines", g.Posts(), len(made))
			}
			if row.status != 201 {
				return
			}
			if p := made[0]; p.Variables["channel"] != "C1" || p.Name != "deploy id-1" || g.PostsFor("C1", "1.2") != 1 || g.PostsFor("C1", "1.3") != 0 {
				t.Errorf("%+v", p)
			}
		})
	}
}

func TestFaultsAnswerInOrderAndThenEnd(t *testing.T) {
	g := standIn(t)
	g.Answer(2, Fault{Status: 500, Body: "a"})
	g.Answer(1, Fault{})
	g.Answer(1, Fault{Status: 201, Make: 2})
	var got []int
	for range 5 {
		got = append(got, send(g, path+"/trigger/pipeline", asJSON, right).Code)
	}
	if fmt.Sprint(got) != "[500 500 0 201 201]" || len(g.Pipelines()) != 3 || g.Posts() != 5 {
		t.Errorf("%v, %d pipelines", got, len(g.Pipelines()))
	}
	g.Answer(-1, Fault{Status: 500, Body: "a"})
	g.Heal()
	if w := send(g, path+"/trigger/pipeline", asJSON, right); w.Code != 201 {
		t.Errorf("%d after it healed", w.Code)
	}
}

func TestEachFaultHasItsOwnNameAndARealBody(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range All() {
		if f.Name == "" || seen[f.Name] {
			t.Errorf("name %q", f.Name)
		}
		seen[f.Name] = true
		if got, ok := Named(f.Name); !ok || got.Body != f.Body {
			t.Errorf("%s is not found", f.Name)
		}
	}
	for _, f := range Refusals() {
		if !json.Valid([]byte(f.Body)) || f.Status < 400 || f.Status > 499 || f.Make != 0 {
			t.Errorf("%+v", f)
		}
	}
	for _, f := range Strangers() {
		if f.Status < 400 || f.Status > 499 || f.Make != 0 {
			t.Errorf("%+v", f)
		}
	}
}

func TestReadsOfARenamedProjectAreRedirectedAndTriggersAreNot(t *testing.T) {
	g := standIn(t, func(c *Config) { c.Projects[0].Was = "group/before" })
	before := strings.Replace(path, "app", "before", 1)
	w := send(g, before+"/trigger/pipeline", asJSON, right)
	if w.Code != 201 || len(g.Pipelines()) != 1 {
		t.Errorf("a trigger got %d %s", w.Code, w.Body)
	}
	read := get(g, before+"/pipelines?source=trigger")
	if to := read.Header().Get("Location"); read.Code != 302 || to != "http://gitlab.test/api/v4/projects/1/pipelines?source=trigger" {
		t.Errorf("a read got %d to %s", read.Code, to)
	}
	if w := send(g, before+"/pipelines/1001/cancel", asJSON, ""); w.Code != 405 {
		t.Errorf("a cancel got %d", w.Code)
	}
}

func TestGitLabsClockCanDiffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := standIn(t)
		g.SetClock(-time.Hour)
		w := send(g, path+"/trigger/pipeline", asJSON, right)
		date, err := http.ParseTime(w.Header().Get("Date"))
		if want := time.Now().Add(-time.Hour); err != nil || !date.Equal(want) || !g.Pipelines()[0].Created.Equal(want) {
			t.Errorf("it is %v (%v), and made one at %v, not at %v", date, err, g.Pipelines()[0].Created, want)
		}
	})
}

func TestDelayedPipelineIsMadeWithoutTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := standIn(t)
		g.Answer(1, Fault{Make: 1, After: time.Minute})
		if w := send(g, path+"/trigger/pipeline", asJSON, right); w.Code != 0 || len(g.Pipelines()) != 0 {
			t.Errorf("%d, %d pipelines", w.Code, len(g.Pipelines()))
		}
		begun := time.Now()
		if err := g.Until(t.Context(), func() bool { return len(g.Pipelines()) == 1 }); err != nil || time.Since(begun) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

func TestCloseEndsHangingRequestsAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ran atomic.Bool
		g := standIn(t, func(c *Config) {
			c.OnPipeline = func(Pipeline) { time.Sleep(time.Second); ran.Store(true) }
		})
		send(g, path+"/trigger/pipeline", asJSON, right)
		g.Answer(1, Fault{Hang: true})
		g.Answer(1, Fault{Make: 1, After: time.Hour})
		done := make(chan int)
		go func() { done <- send(g, path+"/trigger/pipeline", asJSON, right).Code }()
		synctest.Wait()
		send(g, path+"/trigger/pipeline", asJSON, right)
		g.Close()
		if !ran.Load() || <-done != 0 || len(g.Pipelines()) != 1 {
			t.Errorf("ran %v, %d pipelines", ran.Load(), len(g.Pipelines()))
		}
	})
}

func TestUntilEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := standIn(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.Until(ctx, func() bool { return false }); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := standIn(t)
		for i := range 5 {
			g.Make("group/app", "trigger", "master", map[string]string{"PSYCHER_ID": fmt.Sprint("id-", i)})
			time.Sleep(time.Minute)
		}
		g.Make("group/app", "push", "main", nil)
		time.Sleep(time.Second)
		g.Finish(1002, "running") // touched last
		after := time.Now().Add(-150 * time.Second).UTC().Format(time.RFC3339)
		for query, want := range map[string]string{
			"":                                   "[1006 1005 1004 1003 1002 1001]",
			"?source=trigger&sort=desc":          "[1005 1004 1003 1002 1001]",
			"?source=trigger&sort=asc":           "[1001 1002 1003 1004 1005]",
			"?order_by=updated_at":               "[1002 1006 1005 1004 1003 1001]",
			"?ref=main":                          "[1006]",
			"?name=deploy+id-2":                  "[1003]",
			"?updated_after=" + after:            "[1006 1005 1004 1002]",
			"?source=trigger&per_page=2&page=2":  "[1003 1002]",
			"?source=trigger&per_page=2&page=3":  "[1001]",
			"?source=trigger&per_page=2&page=99": "[]",
		} {
			w := get(g, path+"/pipelines"+query)
			var rows []struct{ ID int64 }
			if err := json.Unmarshal(w.Body.Bytes(), &rows); err != nil {
				t.Fatal(err)
			}
			ids := []int64{}
			for _, r := range rows {
				ids = append(ids, r.ID)
			}
			if fmt.Sprint(ids) != want {
				t.Errorf("%s: %v", query, ids)
			}
			if next := w.Header().Get("X-Next-Page"); strings.Contains(query, "page=2&page=2") != (next == "3") {
				t.Errorf("%s: next page %q", query, next)
			}
		}
		g.Lag(90 * time.Second)
		if w := get(g, path+"/pipelines?source=trigger"); w.Header().Get("X-Total") != "4" {
			t.Errorf("a list that lags has %s", w.Header().Get("X-Total"))
		}
	})
}

func TestLookUpsTakeTheAPIToken(t *testing.T) {
	g := standIn(t)
	g.Make("group/app", "trigger", "master", map[string]string{"a": "b"})
	for asked, want := range map[string]int{
		path + "/pipelines": 200, path + "/pipelines/1001": 200, path + "/pipelines/1001/variables": 200,
		path + "/pipelines/1001/jobs": 200, path + "/pipelines/1001/bridges": 200, path + "/pipelines/7": 404,
		"/api/v4/projects/2/pipelines": 404, "/api/v4/version": 200, "/api/v4/nothing": 404, path + "/trigger/pipeline": 404,
	} {
		if w := get(g, asked); w.Code != want || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: %d %s", asked, w.Code, w.Body)
		}
		r := httptest.NewRequest(http.MethodGet, asked, nil)
		r.Header.Set("Private-Token", "glpat-test-wrong")
		if w := serve(g, r); want == 200 && w.Code != 401 {
			t.Errorf("%s with a wrong token: %d", asked, w.Code)
		}
	}
	g.FailLookUps(1, "/variables", Fault{Status: 403, Body: message("403 Forbidden")})
	if a, b, c := get(g, path+"/pipelines"), get(g, path+"/pipelines/1001/variables"), get(g, path+"/pipelines/1001/variables"); a.Code != 200 || b.Code != 403 || c.Code != 200 {
		t.Errorf("%d %d %d", a.Code, b.Code, c.Code)
	}
}

func TestCancelAndRetry(t *testing.T) {
	g := standIn(t, func(c *Config) {
		c.Projects[0].Jobs = []Job{{Name: "build", Stage: "build", Status: "success"}, {Name: "deploy", Stage: "deploy"}}
	})
	g.Make("group/app", "trigger", "master", nil)
	status := func() string {
		p := g.Pipelines()[0]
		return p.Status + " " + p.Jobs[0].Status + " " + p.Jobs[1].Status
	}
	if w := send(g, path+"/pipelines/1001/cancel", asJSON, ""); w.Code != 200 || status() != "canceled success canceled" {
		t.Errorf("%d, %s", w.Code, status())
	}
	if w := send(g, path+"/pipelines/1001/retry", asJSON, ""); w.Code != 201 || status() != "running success created" {
		t.Errorf("%d, %s", w.Code, status())
	}
	if !g.Finish(1001, "success") || g.Finish(7, "success") {
		t.Error("it finished what is not there")
	}
	if g.Cancel(1001); status() != "success success success" {
		t.Errorf("canceled after its end: %s", status())
	}
}

func TestPagesForPeople(t *testing.T) {
	g := standIn(t, func(c *Config) { c.Projects[0].Jobs = []Job{{Name: "deploy", Stage: "deploy"}} })
	g.Make("group/app", "trigger", "master", nil)
	for asked, want := range map[string]string{
		"/group/app/-/pipelines":      "200 pipeline 1001 of group/app on master: created\n  job deploy (deploy): created\n",
		"/group/app/-/pipelines/1001": "200 pipeline 1001 of group/app on master: created\n  job deploy (deploy): created\n",
		"/group/app/-/pipelines/7":    "404 404 page not found\n",
		"/group/none/-/pipelines":     "404 404 page not found\n",
		"/":                           "404 404 page not found\n",
		"/projects/7":                 "404 404 page not found\n",
	} {
		if w := get(g, asked); fmt.Sprint(w.Code, " ", w.Body) != want {
			t.Errorf("%s: %d %s", asked, w.Code, w.Body)
		}
	}
	if w := get(g, "/projects/1"); w.Header().Get("Location") != "http://gitlab.test/group/app/-/pipelines" {
		t.Errorf("leads to %s", w.Header().Get("Location"))
	}
}

// What httptest's recorder cannot show.
func TestACutAnswerIsCutOnTheWire(t *testing.T) {
	g := standIn(t)
	srv := httptest.NewServer(g)
	defer srv.Close()
	g.Answer(1, Fault{Status: 201, Make: 1, Cut: true})
	resp, err := http.Post(srv.URL+path+"/trigger/pipeline", asJSON, strings.NewReader(right))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); resp.StatusCode != 201 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d, %v", resp.StatusCode, err)
	}
	g.Answer(1, Fault{})
	if resp, err := http.Post(srv.URL+path+"/trigger/pipeline", asJSON, strings.NewReader(right)); err == nil {
		resp.Body.Close()
		t.Errorf("%d", resp.StatusCode)
	}
	if g.Posts() != 2 {
		t.Errorf("%d POSTs", g.Posts())
	}
}
