package gitlab

import (
	"errors"
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
				g.FailLooks(-1, "/variables", denied)
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
			name: "others by name only, with no right to read variables", named: true, complete: true,
			make: func(t *testing.T, g *fakegitlab.GitLab) {
				g.FailLooks(-1, "/variables", denied)
				trigger(t, g, otherID)
			},
		},
		{
			name: "one that cannot be told apart",
			make: func(t *testing.T, g *fakegitlab.GitLab) {
				g.FailLooks(1, "/variables", denied)
				trigger(t, g, otherID)
			},
		},
		{
			name: "behind one that cannot be told apart", found: 1002,
			make: func(t *testing.T, g *fakegitlab.GitLab) {
				g.FailLooks(1, "/variables", denied)
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
				})
				since := time.Now()
				row.make(t, g)
				p, complete, err := c.Find(t.Context(), "group/app", testID, since)
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

// An old pipeline that was touched lately is on GitLab's list all the same.
func TestFindEndsAtPipelinesThatAreOlder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, _ := standIn(t)
		old := trigger(t, g, testID)
		g.FailLooks(-1, "/variables", denied)
		time.Sleep(clockSlack + time.Second)
		since := time.Now()
		g.Finish(old.ID, "running")
		if p, complete, err := c.Find(t.Context(), "group/app", testID, since); p.ID != 0 || !complete || err != nil {
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
		if _, complete, err := c.Find(t.Context(), "group/app", testID, since); complete || err != nil {
			t.Errorf("complete %v, %v", complete, err)
		}
		if _, complete, err := c.Find(t.Context(), "group/app", testID, since); !complete || err != nil {
			t.Errorf("at the second time complete %v, %v", complete, err)
		}
	})
}

func TestALookUpThatFailsIsNoAnswer(t *testing.T) {
	for _, part := range []string{"/pipelines", "/variables"} {
		for _, f := range append(fakegitlab.Faults(), denied, fakegitlab.Fault{Status: 200, Body: "<html>"}) {
			if f.Status == 201 || f.Delay > 0 || part == "/variables" && f.Status == 403 {
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				c, g, _ := standIn(t)
				trigger(t, g, otherID)
				since, begun := time.Now(), time.Now()
				g.FailLooks(-1, part, f)
				if p, complete, err := c.Find(t.Context(), "group/app", testID, since); err == nil || complete || p.ID != 0 {
					t.Errorf("%s %s: %+v, complete %v, %v", part, f.Name, p, complete, err)
				}
				if took := time.Since(begun); took > lookTimeout {
					t.Errorf("%s %s: it took %v", part, f.Name, took)
				}
			})
		}
	}
}

func TestAnAnswerWithoutEndIsNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for {
				if _, err := w.Write([]byte(strings.Repeat(" ", 1000))); err != nil {
					return
				}
			}
		}))
		if _, err := c.Look(t.Context(), "group/app", 7, deploy.Counting{}); err == nil {
			t.Error("it is taken")
		}
		if o := c.Trigger(t.Context(), target(), mention(), token, soon()); o.Fate != deploy.FateUnsure {
			t.Errorf("outcome %+v", o)
		}
	})
}

func TestWithoutATokenNothingIsLookedUp(t *testing.T) {
	c, err := New(Config{Transport: &http.Transport{}})
	if err != nil {
		t.Fatal(err)
	}
	if c.Watches() {
		t.Error("it watches")
	}
	if _, _, err := c.Find(t.Context(), "group/app", testID, time.Now()); !errors.Is(err, errNoToken) {
		t.Error(err)
	}
}
