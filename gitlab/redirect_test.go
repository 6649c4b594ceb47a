package gitlab

import (
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

func TestRenamedProjectIsReadByItsOldPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, _ := standIn(t, func(conf *fakegitlab.Config) { conf.Projects[0].Was = "group/before" })
		before := target()
		before.Project = "group/before"
		if o := c.Trigger(t.Context(), before, mention(), "", token, soon()); o.Status != deploy.TriggerStarted || o.Pipeline.ID != 1001 {
			t.Fatalf("the trigger: %+v", o)
		}
		if p, complete, err := c.Find(t.Context(), "group/before", testID, time.Second); p.ID != 1001 || !complete || err != nil {
			t.Errorf("found %d, complete %v, %v", p.ID, complete, err)
		}
		g.SetJobs(1001, fakegitlab.Job{Name: "deploy", Status: "failed"})
		g.Finish(1001, "failed")
		if p, err := c.Poll(t.Context(), "group/before", 1001, deploy.Counting{}); p.End != deploy.Failed || p.Detail != "deploy" || err != nil {
			t.Errorf("polled: %+v, %v", p, err)
		}
		if hidden, err := c.Recovers(t.Context(), "group/before"); hidden || err != nil {
			t.Errorf("hidden: %v, %v", hidden, err)
		}
	})
}

// A read carries the API token. If a redirect leads anywhere but to this GitLab's
// API, nothing is sent there, and the error shows only its place.
func TestReadFollowsRedirectsOnlyWithinTheAPI(t *testing.T) {
	const right = "http://gitlab.test/git/api/v4/projects/1/pipelines/7"
	for _, row := range []struct {
		to       string
		followed bool
	}{
		{right, true},
		{"/git/api/v4/projects/1/pipelines/7", true},
		{"//gitlab.test/git/api/v4/projects/1/pipelines/7", true},
		{"http://GITLAB.test:80/git/api/v4/projects/1/pipelines/7?page=2", true},
		{"/git/api/v4/projects/group%2Fnow/pipelines/7", true},

		{"http://evil.test/git/api/v4/projects/1/pipelines/7", false},
		{"//evil.test/git/api/v4/projects/1/pipelines/7", false},
		{"http://gitlab.test.evil.test/git/api/v4/projects/1/pipelines/7", false},
		{"http://gitlab.test./git/api/v4/projects/1/pipelines/7", false},
		{"http://gitlab.test@evil.test/git/api/v4/projects/1/pipelines/7", false},
		{"http://user:word@gitlab.test/git/api/v4/projects/1/pipelines/7", false},
		{"http://@gitlab.test/git/api/v4/projects/1/pipelines/7", false},
		{"http://gitlab.test:8080/git/api/v4/projects/1/pipelines/7", false},
		{"https://gitlab.test/git/api/v4/projects/1/pipelines/7", false},
		{"https://gitlab.test:80/git/api/v4/projects/1/pipelines/7", false},
		{"ftp://gitlab.test/git/api/v4/projects/1/pipelines/7", false},
		{"http:/git/api/v4/projects/1/pipelines/7", false},
		{"/api/v4/projects/1/pipelines/7", false},
		{"/other/api/v4/projects/1/pipelines/7", false},
		{"/git/api/v4", false},
		{"/git/users/sign_in", false},
		{"/git/api/v4/../../other", false},
		{"/git/api/v4/%2e%2e/%2e%2e/other", false},
		{"/git/api/v4/..%2F..%2Fother", false},
		{"/git/api/v4/%252e%252e/other", false},
		{`/git/api/v4/..\..\other`, false},
		{"/git%2Fapi/v4/projects/1/pipelines/7", false},
		{"http://user:word@[bad/", false},
		{"", false},
	} {
		synctest.Test(t, func(t *testing.T) {
			var asked []string
			c, n := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/jobs") || strings.HasSuffix(r.URL.Path, "/self") {
					http.NotFound(w, r) // what a poll reads besides
					return
				}
				asked = append(asked, r.Method+" "+r.Host+r.RequestURI+" "+r.Header.Get("Private-Token"))
				w.Header().Set("Content-Type", "application/json")
				if len(asked) == 1 {
					w.Header().Set("Location", row.to)
					w.WriteHeader(http.StatusFound)
					return
				}
				io.WriteString(w, `{"id":7,"status":"running"}`)
			}))
			moveTo(t, c, "http://gitlab.test/git")
			p, err := c.Poll(t.Context(), "group/app", 7, deploy.Counting{})
			if row.followed != (err == nil && p.ID == 7 && len(asked) == 2) || !row.followed && len(asked)+int(n.dials.Load()) != 2 {
				t.Errorf("%s: %+v, %v; asked %q by %d connections", row.to, p, err, asked, n.dials.Load())
			}
			if !row.followed && (err == nil || !strings.Contains(err.Error(), "302") || strings.Contains(err.Error(), "word")) {
				t.Errorf("%s: %v", row.to, err)
			}
			for _, a := range asked {
				if !strings.HasPrefix(a, "GET ") || !strings.HasSuffix(a, testAPIToken) {
					t.Errorf("%s: asked %s", row.to, a)
				}
			}
		})
	}
}

func TestRedirectLoopEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		c, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked++
			http.Redirect(w, r, fmt.Sprintf("/api/v4/projects/%d", asked), http.StatusMovedPermanently)
		}))
		if _, err := c.Poll(t.Context(), "group/app", 7, deploy.Counting{}); err == nil || asked != 1+redirectLimit {
			t.Errorf("asked %d times, %v", asked, err)
		}
	})
}

func TestTriggerFollowsNoRedirect(t *testing.T) {
	for _, status := range []int{300, 301, 302, 303, 307, 308} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			c, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				http.Redirect(w, r, "/api/v4/projects/1/trigger/pipeline", status)
			}))
			if o := c.Trigger(t.Context(), target(), mention(), "", token, soon()); o.Status != deploy.TriggerRefused || o.Reason != deploy.MsgRefusedRedirect || asked != 1 {
				t.Errorf("%d: asked %d times, %+v", status, asked, o)
			}
		})
	}
}

func FuzzRedirect(f *testing.F) {
	for _, to := range []string{
		"/git/api/v4/projects/1", "//evil.test/git/api/v4/x", "http://gitlab.test@evil.test/git/api/v4/x", "/git/api/v4/..%2f..", "http://gitlab.test:80/git/api/v4/x", "/git/api/v4/%252e",
	} {
		f.Add(to)
	}
	c, err := New(Config{URL: "http://gitlab.test/git"})
	if err != nil {
		f.Fatal(err)
	}
	from := c.base.JoinPath("api/v4/projects/group%2Fapp")
	f.Fuzz(func(t *testing.T, location string) {
		to, err := from.Parse(location)
		if err != nil || !c.isOurs(to) {
			return
		}
		sent := strings.ToLower(to.String())
		if !strings.HasPrefix(sent, "http://gitlab.test/git/api/v4/") && !strings.HasPrefix(sent, "http://gitlab.test:80/git/api/v4/") && !strings.HasPrefix(sent, "http://gitlab.test:/git/api/v4/") {
			t.Errorf("%q leads to %s", location, to)
		}
		if clean := path.Clean(to.Path); !strings.HasPrefix(clean, "/git/api/v4") {
			t.Errorf("%q leads to %s", location, clean)
		}
	})
}
