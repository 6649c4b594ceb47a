package gitlab

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

func withName(conf *fakegitlab.Config) { conf.Projects[0].Name = "deploy $PSYCHER_ID" }

func withForeignName(conf *fakegitlab.Config) {
	conf.Projects[0].Name = "nightly 11111111-2222-3333-4444-555555555555"
}

var denied = fakegitlab.Fault{Status: 403, Body: `{"message":"403 Forbidden"}`}

func trigger(t *testing.T, g *fakegitlab.GitLab, id string) fakegitlab.Pipeline {
	t.Helper()
	variables := map[string]string{}
	if id != "" {
		variables["PSYCHER_ID"] = id
	}
	p, ok := g.Make("group/app", "trigger", "refs/heads/master", variables)
	if !ok {
		t.Fatal("no such project")
	}
	return p
}

func TestFind(t *testing.T) {
	for _, row := range []struct {
		name     string
		named    bool
		edit     func(*fakegitlab.Config)
		make     func(*testing.T, *fakegitlab.GitLab)
		found    int64
		complete bool
	}{
		{
			name: "none at all", complete: true,
			make: func(*testing.T, *fakegitlab.GitLab) {},
		},
		{
			name: "by its name, with no right to read variables", named: true, found: 1002, complete: true,
			make: func(t *testing.T, g *fakegitlab.GitLab) {
				g.FailLookUps(-1, "/variables", denied)
				trigger(t, g, otherID)
				trigger(t, g, testID)
			},
		},
		{
			name: "by its variables", found: 1002, complete: true,
			make: func(t *testing.T, g *fakegitlab.GitLab) {
				trigger(t, g, otherID)
				trigger(t, g, testID)
				trigger(t, g, "")
			},
		},
		{
			name: "the first of two", found: 1001, complete: true,
			make: func(t *testing.T, g *fakegitlab.GitLab) { trigger(t, g, testID); trigger(t, g, testID) },
		},
		{
			name: "the first of two by name", named: true, found: 1001, complete: true,
			make: func(t *testing.T, g *fakegitlab.GitLab) { trigger(t, g, testID); trigger(t, g, testID) },
		},
		{
			name: "another by name, and by its variables", named: true, complete: true,
			make: func(t *testing.T, g *fakegitlab.GitLab) { trigger(t, g, otherID) },
		},
		{
			name: "another by name only, which may be any UUID", named: true,
			make: func(t *testing.T, g *fakegitlab.GitLab) {
				g.FailLookUps(-1, "/variables", denied)
				trigger(t, g, otherID)
			},
		},
		{
			name: "by its variables, with a foreign UUID in its name", edit: withForeignName, found: 1002, complete: true,
			make: func(t *testing.T, g *fakegitlab.GitLab) { trigger(t, g, otherID); trigger(t, g, testID) },
		},
		{
			name: "none, with foreign UUIDs in names", edit: withForeignName, complete: true,
			make: func(t *testing.T, g *fakegitlab.GitLab) { trigger(t, g, otherID) },
		},
		{
			name: "one that cannot be told apart",
			make: func(t *testing.T, g *fakegitlab.GitLab) {
				g.FailLookUps(1, "/variables", denied)
				trigger(t, g, otherID)
			},
		},
		{
			name: "behind one that cannot be told apart", found: 1002,
			make: func(t *testing.T, g *fakegitlab.GitLab) {
				g.FailLookUps(1, "/variables", denied)
				trigger(t, g, otherID)
				trigger(t, g, testID)
			},
		},
		{
			name: "not those that were pushed, and not another project's", complete: true,
			make: func(_ *testing.T, g *fakegitlab.GitLab) {
				g.Make("group/app", "push", "master", map[string]string{"PSYCHER_ID": testID})
				g.Make("group/other", "trigger", "master", map[string]string{"PSYCHER_ID": testID})
			},
		},
		{
			name: "not on a list that lags", complete: true,
			make: func(t *testing.T, g *fakegitlab.GitLab) { g.Lag(time.Minute); trigger(t, g, testID) },
		},
		{
			name: "on a later page", named: true, found: 1001, complete: true,
			make: func(t *testing.T, g *fakegitlab.GitLab) {
				trigger(t, g, testID)
				for range 250 {
					trigger(t, g, otherID)
				}
			},
		},
		{
			name: "not among more than are read", named: true,
			make: func(t *testing.T, g *fakegitlab.GitLab) {
				for range 1001 {
					trigger(t, g, otherID)
				}
			},
		},
		{
			name: "not among more than are asked",
			make: func(t *testing.T, g *fakegitlab.GitLab) {
				for range askLimit + 1 {
					trigger(t, g, otherID)
				}
			},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, g, _ := standIn(t, func(conf *fakegitlab.Config) {
					if row.named {
						withName(conf)
					}
					if row.edit != nil {
						row.edit(conf)
					}
				})
				since := time.Now()
				row.make(t, g)
				p, complete, err := c.Find(t.Context(), "group/app", testID, time.Since(since))
				if err != nil {
					t.Fatal(err)
				}
				if p.ID != row.found || complete != row.complete {
					t.Errorf("found %d, complete %v", p.ID, complete)
				}
				if p.ID != 0 && p.URL != fmt.Sprintf("http://gitlab.test/group/app/-/pipelines/%d", p.ID) {
					t.Errorf("at %s", p.URL)
				}
			})
		})
	}
}

// GitLab also lists an old pipeline that was updated lately.
func TestFindEndsAtOlderPipelines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, _ := standIn(t)
		old := trigger(t, g, testID)
		g.FailLookUps(-1, "/variables", denied)
		time.Sleep(clockSlack + time.Second)
		since := time.Now()
		g.Finish(old.ID, "running")
		if p, complete, err := c.Find(t.Context(), "group/app", testID, time.Since(since)); p.ID != 0 || !complete || err != nil {
			t.Errorf("%+v, complete %v, %v", p, complete, err)
		}
	})
}

func TestFindRemembersWhatItAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, _ := standIn(t)
		since := time.Now()
		for range askLimit + 1 {
			trigger(t, g, otherID)
		}
		if _, complete, err := c.Find(t.Context(), "group/app", testID, time.Since(since)); complete || err != nil {
			t.Errorf("complete %v, %v", complete, err)
		}
		if _, complete, err := c.Find(t.Context(), "group/app", testID, time.Since(since)); !complete || err != nil {
			t.Errorf("at the second time complete %v, %v", complete, err)
		}
	})
}

// GitLab's clock, ours and the store's differ. A new pipeline is found whatever
// GitLab's clock shows, and whatever it showed the last time.
func TestFindUsesGitLabsClock(t *testing.T) {
	clocks := []time.Duration{-time.Hour, -3 * time.Minute, -time.Minute, 0, time.Minute, 3 * time.Minute, time.Hour}
	for _, learned := range clocks {
		for _, ahead := range clocks {
			synctest.Test(t, func(t *testing.T) {
				c, g, _ := standIn(t)
				g.SetClock(learned)
				if _, complete, err := c.Find(t.Context(), "group/app", testID, 0); !complete || err != nil {
					t.Fatalf("of an empty project: complete %v, %v", complete, err)
				}
				g.SetClock(ahead)
				trigger(t, g, testID)
				time.Sleep(time.Second)
				p, complete, err := c.Find(t.Context(), "group/app", testID, time.Second)
				if err != nil || p.ID == 0 && complete {
					t.Errorf("%v ahead, %v before: found %d, complete %v, %v", ahead, learned, p.ID, complete, err)
				}
				p, complete, err = c.Find(t.Context(), "group/app", testID, time.Second)
				if err != nil || p.ID != 1001 || !complete {
					t.Errorf("%v ahead, %v before, asked again: found %d, complete %v, %v", ahead, learned, p.ID, complete, err)
				}
			})
		}
	}
}

// GitLab may answer and create pipelines on different machines.
func TestFindAllowsForDifferentClocksOfGitLab(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, _ := standIn(t)
		g.SetClock(-clockSlack + time.Second)
		trigger(t, g, testID)
		g.SetClock(0)
		for range 2 { // before and after its clock was learned
			if p, complete, err := c.Find(t.Context(), "group/app", testID, 0); p.ID != 1001 || !complete || err != nil {
				t.Errorf("found %d, complete %v, %v", p.ID, complete, err)
			}
		}
	})
}

func TestFindIsNotSureOfAnAnswerWithoutATime(t *testing.T) {
	for name, header := range map[string]map[string]string{
		"no date":            {"Date": ""},
		"one that is none":   {"Date": "yesterday"},
		"one out of a cache": {"Age": "30"},
	} {
		for _, body := range []string{"[]", ""} {
			synctest.Test(t, func(t *testing.T) {
				c, g, _ := standIn(t)
				p := trigger(t, g, testID)
				if body == "" {
					body = fmt.Sprintf(`[{"id":%d,"created_at":%q}]`, p.ID, p.Created.Format(time.RFC3339))
				}
				g.FailLookUps(1, "/pipelines", fakegitlab.Fault{Status: 200, Body: body, Header: header})
				found, complete, err := c.Find(t.Context(), "group/app", testID, time.Second)
				if err != nil || complete || (found.ID == 0) != (body == "[]") {
					t.Errorf("%s, %s: found %d, complete %v, %v", name, body, found.ID, complete, err)
				}
			})
		}
	}
}

func TestFindBelievesOnlyWhatGitLabLists(t *testing.T) {
	for _, part := range []string{"/pipelines", "/variables"} {
		for _, f := range []fakegitlab.Fault{
			{Body: "null"},
			{Body: "{}"},
			{Body: "[null]"},
			{Body: "[{}]"},
			{Body: `{"id":1001}`},
			{Body: "0"},
			{Body: `""`},
			{Body: " "},
			{Body: "[]", Header: map[string]string{"Content-Type": "text/html"}},
			{Body: "[]", Header: map[string]string{"Content-Type": ""}},
		} {
			synctest.Test(t, func(t *testing.T) {
				c, g, _ := standIn(t)
				trigger(t, g, otherID)
				f.Status = 200
				if f.Header == nil {
					f.Header = map[string]string{"Content-Type": "application/json"}
				}
				g.FailLookUps(1, part, f)
				if p, complete, err := c.Find(t.Context(), "group/app", testID, time.Second); err == nil || complete || p.ID != 0 {
					t.Errorf("%s %s %q: found %d, complete %v, %v", part, f.Body, f.Header, p.ID, complete, err)
				}
			})
		}
	}
}

// The variables of pipelines hold tokens of other deployments. No error shows
// them, whatever is wrong with the answer.
func TestErrorsOfFindShowNoVariables(t *testing.T) {
	secret := "psy_" + strings.Repeat("A7", 16)
	list := `[{"key":"PSYCHER_TOKEN","value":"` + secret + `","variable_type":"env_var"}`
	for name, f := range map[string]fakegitlab.Fault{
		"as text":         {Status: 200, Body: list + "]", Header: map[string]string{"Content-Type": "text/plain"}},
		"as a page":       {Status: 200, Body: list + "]", Header: map[string]string{"Content-Type": "text/html"}},
		"without a type":  {Status: 200, Body: list + "]", Header: map[string]string{"Content-Type": ""}},
		"half":            {Status: 200, Body: list},
		"half, as text":   {Status: 200, Body: list, Header: map[string]string{"Content-Type": "text/plain"}},
		"not as expected": {Status: 200, Body: `[{"key":{"` + secret + `":"` + secret + `"}}]`},
		"as a message":    {Status: 400, Body: `{"message":"` + secret + `"}`},
		"as a title":      {Status: 404, Body: "<title>" + secret + "</title>"},
		"in an address":   {Status: 302, Header: map[string]string{"Location": "http://evil.test/" + secret}},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, g, _ := standIn(t)
			trigger(t, g, otherID)
			g.FailLookUps(1, "/variables", f)
			_, _, err := c.Find(t.Context(), "group/app", testID, 0)
			if err == nil || strings.Contains(err.Error(), "A7A7") {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// Hidden variables are not requested in every search, and those of pipelines that
// this process started are not requested at all.
func TestFindAsksOnce(t *testing.T) {
	for name, own := range map[string]bool{"what is hidden": false, "what it started itself": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, g, _ := standIn(t)
				if own {
					m := mention()
					m.ID = otherID
					if o := c.Trigger(t.Context(), target(), m, "", token, soon()); o.Status != deploy.TriggerStarted {
						t.Fatalf("%+v", o)
					}
				} else {
					trigger(t, g, otherID)
					g.FailLookUps(1, "/variables", denied)
					if _, complete, err := c.Find(t.Context(), "group/app", testID, 0); complete || err != nil {
						t.Errorf("complete %v, %v", complete, err)
					}
				}
				g.FailLookUps(1, "/variables", named(t, "500"))
				if _, complete, err := c.Find(t.Context(), "group/app", testID, 0); complete != own || err != nil {
					t.Errorf("it asked again: complete %v, %v", complete, err)
				}
				g.Heal()
				time.Sleep(hiddenFor)
				if _, complete, err := c.Find(t.Context(), "group/app", testID, hiddenFor); !complete || err != nil {
					t.Errorf("later: complete %v, %v", complete, err)
				}
			})
		})
	}
}

// hides tells which faults mean that GitLab does not let the token see a thing.
func hides(f fakegitlab.Fault) bool {
	return f.Status == 403 && strings.HasPrefix(f.Body, "{") || f.Name == "not found"
}

func TestFindFailsIfAReadFails(t *testing.T) {
	for _, part := range []string{"/pipelines", "/variables"} {
		for _, f := range append(fakegitlab.All(), denied, fakegitlab.Fault{Status: 200, Body: "<html>"}) {
			if f.Status == 201 || f.Delay > 0 || part == "/variables" && hides(f) {
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				c, g, _ := standIn(t)
				trigger(t, g, otherID)
				since, begun := time.Now(), time.Now()
				g.FailLookUps(-1, part, f)
				if p, complete, err := c.Find(t.Context(), "group/app", testID, time.Since(since)); err == nil || complete || p.ID != 0 {
					t.Errorf("%s %s: %+v, complete %v, %v", part, f.Name, p, complete, err)
				}
				if took := time.Since(begun); took > readTimeout {
					t.Errorf("%s %s: it took %v", part, f.Name, took)
				}
			})
		}
	}
}

func TestEndlessAnswerIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for {
				if _, err := w.Write([]byte(strings.Repeat(" ", 1000))); err != nil {
					return
				}
			}
		}))
		if _, err := c.Poll(t.Context(), "group/app", 7, deploy.Counting{}); err == nil {
			t.Error("it is accepted")
		}
		if o := c.Trigger(t.Context(), target(), mention(), "", token, soon()); o.Status != deploy.TriggerUnsure {
			t.Errorf("outcome %+v", o)
		}
	})
}

func TestWithoutATokenNothingIsRead(t *testing.T) {
	c, err := New(Config{URL: "https://gitlab.test"})
	if err != nil {
		t.Fatal(err)
	}
	if c.CanPoll() {
		t.Error("CanPoll is true")
	}
	if _, _, err := c.Find(t.Context(), "group/app", testID, 0); err == nil || !strings.Contains(err.Error(), "there is no GITLAB_API_TOKEN") {
		t.Error(err)
	}
}
