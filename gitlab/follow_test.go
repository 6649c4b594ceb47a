package gitlab

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

var staged = []fakegitlab.Job{
	{Name: "build", Stage: "build"},
	{Name: "unit", Stage: "test"},
	{Name: "child", Stage: "test", Bridge: true},
	{Name: "deploy", Stage: "deploy"},
	{Name: "notify", Stage: "notify"},
}

func withStages(conf *fakegitlab.Config) { conf.Projects[0].Jobs = staged }

// poll reads the pipeline as it is in the middle of a deployment.
func poll(t *testing.T, c *Client, id int64, count deploy.Counting) deploy.Pipeline {
	t.Helper()
	p, err := c.Poll(t.Context(), "group/app", id, count)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(5 * time.Second)
	return p
}

func TestPollShowsHowFarAPipelineIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, _ := standIn(t, withStages)
		made := trigger(t, g, testID)
		for range 5 {
			g.Step(made.ID)
		}
		page := "http://gitlab.test/group/app/-/jobs/"
		deploys := &deploy.Job{ID: made.Jobs[3].ID, Name: "deploy", Stage: "deploy", Status: "running", URL: page + fmt.Sprint(made.Jobs[3].ID), Started: true}
		stages := func(status string) []deploy.Stage {
			return []deploy.Stage{{Name: "build", Status: "success"}, {Name: "test", Status: "success"}, {Name: "deploy", Status: status}}
		}
		want := deploy.Pipeline{
			ID: made.ID, URL: "http://gitlab.test/group/app/-/pipelines/1001", SHA: made.SHA, Stages: stages("running"), Job: deploys, Bridges: true, Steers: true,
		}
		if diff := cmp.Diff(want, poll(t, c, made.ID, deploy.Counting{})); diff != "" {
			t.Error(diff)
		}
		g.FailJob(made.ID, made.Jobs[3].ID, "runner_system_failure")
		deploys.Status, deploys.Reason = "failed", "runner_system_failure"
		want.Stages, want.Failed = stages("failed"), deploys
		if diff := cmp.Diff(want, poll(t, c, made.ID, deploy.Counting{})); diff != "" {
			t.Errorf("it failed: %s", diff)
		}
		want.End, want.Detail, want.Judged, want.GoesOn = deploy.Failed, "deploy", true, true
		if diff := cmp.Diff(want, poll(t, c, made.ID, deploy.Counting{FailedID: deploys.ID})); diff != "" {
			t.Errorf("it failed, and this is known: %s", diff)
		}
		again := g.RetryJob(deploys.ID)
		want.Stages, want.Failed, want.Job, want.End, want.Detail, want.Judged, want.GoesOn = stages("pending"), nil, nil, "", "", false, false
		if diff := cmp.Diff(want, poll(t, c, made.ID, deploy.Counting{FailedID: deploys.ID})); diff != "" {
			t.Errorf("it is run again: %s", diff)
		}
		g.MoveJob(made.ID, again.ID, "success")
		deploys = &deploy.Job{ID: again.ID, Name: "deploy", Stage: "deploy", Status: "success", URL: page + fmt.Sprint(again.ID), Started: true}
		want.Stages, want.Job = stages("success"), deploys
		if diff := cmp.Diff(want, poll(t, c, made.ID, deploy.Counting{FailedID: deploys.ID})); diff != "" {
			t.Errorf("it was run again: %s", diff)
		}
	})
}

func TestBridgesAreAskedForWhereThereMayBeSome(t *testing.T) {
	for name, row := range map[string]struct {
		jobs    []fakegitlab.Job
		alone   bool
		asked   bool
		bridges bool
	}{
		"there is one":           {jobs: staged, asked: true, bridges: true},
		"there is none":          {jobs: staged[:2], asked: true},
		"there is known to none": {jobs: staged[:2], alone: true},
		"nothing is seen":        {asked: true, bridges: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, g, asked := counting(t)
				id := trigger(t, g, testID).ID
				g.SetJobs(id, row.jobs...)
				p := poll(t, c, id, deploy.Counting{Alone: row.alone})
				if p.Bridges != row.bridges || (asked("/bridges") > 0) != row.asked {
					t.Errorf("bridges %v, asked %d times", p.Bridges, asked("/bridges"))
				}
			})
		})
	}
}

// counting returns a client of a stand-in that counts the requests whose paths end
// in a text.
func counting(t *testing.T, edit ...func(*fakegitlab.Config)) (c *Client, g *fakegitlab.GitLab, asked func(end string) int) {
	t.Helper()
	_, g, _ = standIn(t, edit...)
	var mu sync.Mutex
	var paths []string
	c, _ = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		paths = append(paths, r.URL.Path)
		mu.Unlock()
		g.ServeHTTP(w, r)
	}))
	return c, g, func(end string) (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, p := range paths {
			if strings.HasSuffix(p, end) {
				n++
			}
		}
		return n
	}
}

// What is shown of a pipeline that goes on is no reason to call it anything else.
func TestJobsOfARunningPipelineThatCannotBeRead(t *testing.T) {
	for name, fault := range map[string]fakegitlab.Fault{
		"no right": denied, "a 502": named(t, "502"), "a cut": {}, "a page": {Status: 200, Body: "<html>"}, "null": {Status: 200, Body: "null", Header: map[string]string{"Content-Type": "application/json"}},
		"a limit": {Status: 429, Body: "Retry later\n"}, "something else": {Status: 200, Body: `[{"id":"x"}]`},
	} {
		for _, part := range []string{"/jobs", "/bridges"} {
			t.Run(name+part, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, g, _ := standIn(t, withStages)
					made := trigger(t, g, testID)
					g.Step(made.ID)
					g.FailLookUps(-1, part, fault)
					want := deploy.Pipeline{ID: made.ID, URL: "http://gitlab.test/group/app/-/pipelines/1001", SHA: made.SHA, Bridges: true, Steers: true}
					if diff := cmp.Diff(want, poll(t, c, made.ID, deploy.Counting{})); diff != "" {
						t.Error(diff)
					}
				})
			})
		}
	}
}

func TestForeignNamesAreHarmless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, _ := standIn(t)
		made := trigger(t, g, testID)
		long := strings.Repeat("あ", 500)
		jobs := []fakegitlab.Job{{Name: "deploy " + testAPIToken + "<b>" + long, Stage: "deploy\n" + long, Status: "failed", Reason: "<script>x</script>psy_" + strings.Repeat("A7", 16)}}
		for i := range 300 {
			jobs = append(jobs, fakegitlab.Job{Name: fmt.Sprint("job ", i), Stage: fmt.Sprint("stage ", i)})
		}
		g.SetJobs(made.ID, jobs...)
		p := poll(t, c, made.ID, deploy.Counting{})
		if len(p.Stages) != stagesShown || p.Stages[0].Status != "failed" || p.Stages[49].Name != "stage 48" {
			t.Errorf("%d stages, %+v", len(p.Stages), p.Stages)
		}
		for _, text := range []string{p.Stages[0].Name, p.Failed.Name, p.Failed.Stage, p.Failed.Reason, p.Job.Name} {
			if len([]rune(text)) > nameLimit || strings.ContainsAny(text, "<>\n") || strings.Contains(text, testAPIToken) || strings.Contains(text, "A7A7") {
				t.Errorf("%q", text)
			}
		}
		for _, address := range []string{"javascript:alert(1)", "http://", "//evil.test/x", "http://user:word@evil.test/"} {
			g.FailLookUps(1, "/jobs", fakegitlab.Fault{Status: 200, Body: fmt.Sprintf(`[{"id":7,"name":"deploy","status":"failed","web_url":%q}]`, address)})
			if p := poll(t, c, made.ID, deploy.Counting{}); p.Failed.URL != "" {
				t.Errorf("it links %s", p.Failed.URL)
			}
		}
		g.FailLookUps(1, "/pipelines/1001", fakegitlab.Fault{Status: 200, Body: `{"id":1001,"status":"running","sha":"<b>"}`})
		if p := poll(t, c, made.ID, deploy.Counting{}); p.SHA != "" {
			t.Errorf("its commit is %q", p.SHA)
		}
	})
}

func TestWhetherTheTokenSteersIsAskedOnce(t *testing.T) {
	for name, row := range map[string]struct {
		scopes []string
		fault  fakegitlab.Fault
		fails  bool
		steers bool
	}{
		"it may":                {steers: true},
		"it may more":           {scopes: []string{"read_user", "api"}, steers: true},
		"it may only read":      {scopes: []string{"read_api"}},
		"GitLab is down":        {fault: named(t, "500"), fails: true, steers: true},
		"an old GitLab":         {fault: named(t, "a path that was decoded"), fails: true, steers: true},
		"GitLab hangs":          {fault: fakegitlab.Fault{Hang: true}, fails: true, steers: true},
		"something else at all": {fault: fakegitlab.Fault{Status: 200, Body: `{"scopes":"api"}`}, fails: true, steers: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, g, asked := counting(t, func(conf *fakegitlab.Config) { conf.Scopes = row.scopes })
				id := trigger(t, g, testID).ID
				if row.fails {
					g.FailLookUps(1, "/self", row.fault)
				}
				began := time.Now()
				if p := poll(t, c, id, deploy.Counting{}); p.Steers != (row.steers && !row.fails) || time.Since(began) > 8*time.Second {
					t.Errorf("at first: %v, after %v", p.Steers, time.Since(began))
				}
				if p := poll(t, c, id, deploy.Counting{}); p.Steers != (row.steers && !row.fails) || asked("/self") != 1 {
					t.Errorf("then: %v, asked %d times", p.Steers, asked("/self"))
				}
				time.Sleep(scopesAgain)
				for range 3 {
					if p := poll(t, c, id, deploy.Counting{}); p.Steers != row.steers {
						t.Errorf("later: %v", p.Steers)
					}
				}
				if want := map[bool]int{false: 1, true: 2}[row.fails]; asked("/self") != want {
					t.Errorf("asked %d times", asked("/self"))
				}
			})
		})
	}
}

// However many deployments are followed, GitLab is read no faster, and nobody is
// left out. Who is sent away has made no read.
func TestReadsAreBounded(t *testing.T) {
	const followed = 1000
	for name, row := range map[string]struct {
		projects int
		limit    int // reads a second
		minutes  int
	}{"one project": {1, projectReads, 11}, "many projects": {50, allReads, 4}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, g, asked := counting(t, func(conf *fakegitlab.Config) {
					conf.Projects = nil
					for i := range row.projects {
						conf.Projects = append(conf.Projects, fakegitlab.Project{ID: int64(i + 1), Path: fmt.Sprint("group/app", i), Jobs: staged})
					}
				})
				ids := make([]int64, followed)
				for i := range ids {
					p, _ := g.Make(fmt.Sprint("group/app", i%row.projects), "trigger", "master", nil)
					ids[i] = p.ID
				}
				polls := make([]int, followed)
				end := time.Now().Add(time.Duration(row.minutes) * time.Minute)
				var run sync.WaitGroup
				for i := range ids {
					run.Go(func() {
						for time.Now().Before(end) {
							_, err := c.Poll(t.Context(), fmt.Sprint("group/app", i%row.projects), ids[i], deploy.Counting{})
							later, ok := errors.AsType[*engine.LaterError](err)
							switch {
							case err == nil:
								polls[i]++
								time.Sleep(11 * time.Second)
							case ok && errors.Is(err, engine.ErrPaced):
								time.Sleep(later.After)
							default:
								t.Error(err)
							}
						}
					})
				}
				most, before := 0, 0
				for time.Now().Before(end) {
					time.Sleep(time.Second)
					n := asked("")
					most, before = max(most, n-before), n
				}
				run.Wait()
				if usual := row.limit * 60 * row.minutes; most > 2*row.limit+1 || before > usual+row.limit+1 || before < usual*9/10 {
					t.Errorf("%d reads in %d minutes, %d in one second", before, row.minutes, most)
				}
				if least, most := slices.Min(polls), slices.Max(polls); least == 0 || most-least > 1 {
					t.Errorf("one was polled %d times, another %d", least, most)
				}
			})
		})
	}
}

// An end that was reported does not wait behind all that is followed.
func TestReportedEndIsReadFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, _ := standIn(t, withStages)
		id := trigger(t, g, testID).ID
		refused := func(count deploy.Counting) (n int) {
			for range 20 {
				if _, err := c.Poll(t.Context(), "group/app", id, count); errors.Is(err, engine.ErrPaced) {
					n++
				} else if err != nil {
					t.Error(err)
				}
			}
			return n
		}
		if n := refused(deploy.Counting{}); n != 19 {
			t.Errorf("%d of 20 polls at once refused", n)
		}
		if n := refused(deploy.Counting{Early: true}); n < 8 || n > 12 {
			t.Errorf("%d of 20 ends at once refused", n)
		}
		time.Sleep(15 * time.Second)
		if n := refused(deploy.Counting{}); n != 18 { // all but the one that has waited, and what fits in besides
			t.Errorf("%d of 20 polls refused later", n)
		}
	})
}
