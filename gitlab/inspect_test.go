package gitlab

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

func TestWhyAProjectCannotBeFollowed(t *testing.T) {
	echo := fakegitlab.Fault{Status: 403, Body: "<title>no " + testAPIToken + "</title>"}
	for name, row := range map[string]struct {
		edit    func(*fakegitlab.Config)
		project string
		part    string
		fault   fakegitlab.Fault
		hidden  bool
		failure Failure
		says    string
	}{
		"nothing":                   {},
		"to list":                   {part: "/pipelines", fault: denied, failure: Forbidden},
		"to see the project":        {project: "group/none", failure: NotFound},
		"to read variables":         {part: "/variables", fault: denied, hidden: true},
		"variables, but names":      {edit: withName, part: "/variables", fault: denied},
		"everything":                {edit: func(conf *fakegitlab.Config) { conf.APIToken = "glpat-test-another" }, failure: Unauthorized},
		"GitLab is down":            {part: "/pipelines", fault: fakegitlab.Fault{}, failure: NoAnswer},
		"GitLab is down halfway":    {part: "/variables", fault: fakegitlab.Fault{}, failure: NoAnswer},
		"a 502":                     {part: "/pipelines", fault: named(t, "502"), failure: NoAnswer},
		"a web server's 404":        {part: "/pipelines", fault: named(t, "a web server's 404"), failure: Elsewhere, says: "404 Not Found"},
		"a login's 401":             {part: "/pipelines", fault: named(t, "a login's 401"), failure: Elsewhere, says: "Sign in to continue"},
		"a firewall's 403":          {part: "/pipelines", fault: named(t, "a firewall's 403"), failure: Elsewhere, says: "Access denied"},
		"a firewall's 403, halfway": {part: "/variables", fault: named(t, "a firewall's 403"), failure: NoAnswer},
		"a decoded path":            {part: "/pipelines", fault: named(t, "a path that was decoded"), failure: NoSuchPath},
		"a login's 200":             {part: "/pipelines", fault: fakegitlab.Fault{Status: 200, Body: "<title>Sign in</title>"}, failure: Elsewhere, says: "Sign in"},
		"a page with the token":     {part: "/pipelines", fault: echo, failure: Elsewhere, says: "no [redacted]"},
		"a page with the request":   {part: "/pipelines", fault: fakegitlab.Fault{Status: 400, Body: "<title>Proxy-Authorization: Basic bWFya2Vy\nHost: x</title>"}, failure: Elsewhere, says: "Proxy-Authorization: Basic [redacted] Host"},
		"a proxy's login":           {part: "/pipelines", fault: named(t, "a proxy's 407"), failure: WantsLogin},
		"a redirect":                {part: "/pipelines", fault: named(t, "redirect, 307"), failure: Redirects, says: "it redirects to https://gitlab.example.org/api/v4/"},
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
					g.FailLookUps(-1, row.part, row.fault)
				}
				if row.project == "" {
					row.project = "group/app"
				}
				hidden, err := c.Recovers(t.Context(), row.project)
				if hidden != row.hidden || FailureOf(err) != row.failure || err != nil && !strings.Contains(err.Error(), row.says) {
					t.Errorf("hidden: %v, %q, %v", hidden, FailureOf(err), err)
				}
			})
		})
	}
}

func TestAProbeMakesNoPipeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, _ := standIn(t)
		for token, says := range map[deploy.Secret]deploy.MessageID{testToken: deploy.MsgRefusedRef, "glptt-test-wrong": deploy.MsgRefusedToken} {
			if r := c.ProbeTrigger(t.Context(), "group/app", token); r.Status != deploy.TriggerRefused || r.Reason != says {
				t.Errorf("%+v", r)
			}
		}
		if len(g.Pipelines()) > 0 || g.Posts() != 2 {
			t.Errorf("%d pipelines, %d POSTs", len(g.Pipelines()), g.Posts())
		}
	})
}
