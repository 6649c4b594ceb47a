package gitlab

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

func TestRightsSaysWhatTheTokenLacks(t *testing.T) {
	echo := fakegitlab.Fault{Status: 403, Body: "<title>no " + testAPIToken + "</title>"}
	for name, row := range map[string]struct {
		edit    func(*fakegitlab.Config)
		project string
		part    string
		fault   fakegitlab.Fault
		lacks   string
		fails   bool
	}{
		"nothing":                   {},
		"to list":                   {part: "/pipelines", fault: denied, lacks: "Reporter"},
		"to see the project":        {project: "group/none", lacks: "GITLAB_API_TOKEN sees no such project"},
		"to read variables":         {part: "/variables", fault: denied, lacks: "Maintainer"},
		"variables, but names":      {edit: withName, part: "/variables", fault: denied},
		"everything":                {edit: func(conf *fakegitlab.Config) { conf.APIToken = "glpat-test-another" }, lacks: "401"},
		"GitLab is down":            {part: "/pipelines", fault: fakegitlab.Fault{}, fails: true},
		"GitLab is down halfway":    {part: "/variables", fault: fakegitlab.Fault{}, fails: true},
		"a 502":                     {part: "/pipelines", fault: named(t, "502"), fails: true},
		"a web server's 404":        {part: "/pipelines", fault: named(t, "a web server's 404"), lacks: "something else than GitLab's API answers at GITLAB_URL: check its path, and the proxy or login in front of GitLab; it says 404 Not Found"},
		"a login's 401":             {part: "/pipelines", fault: named(t, "a login's 401"), lacks: "it says Sign in to continue"},
		"a firewall's 403":          {part: "/pipelines", fault: named(t, "a firewall's 403"), lacks: "it says Access denied"},
		"a firewall's 403, halfway": {part: "/variables", fault: named(t, "a firewall's 403"), fails: true},
		"a decoded path":            {part: "/pipelines", fault: named(t, "a path that was decoded"), lacks: "something else"},
		"a login's 200":             {part: "/pipelines", fault: fakegitlab.Fault{Status: 200, Body: "<title>Sign in</title>"}, lacks: "it says Sign in"},
		"a page with the token":     {part: "/pipelines", fault: echo, lacks: "it says no [redacted]"},
		"a proxy's login":           {part: "/pipelines", fault: named(t, "a proxy's 407"), lacks: "the proxy between psycher and GitLab wants a login"},
		"a redirect":                {part: "/pipelines", fault: named(t, "redirect, 307"), lacks: "it redirects to https://gitlab.example.org/api/v4/"},
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
				lacks, err := c.Rights(t.Context(), row.project)
				if (err != nil) != row.fails || (lacks == "") != (row.lacks == "") || !strings.Contains(lacks, row.lacks) {
					t.Errorf("lacks %q, %v", lacks, err)
				}
			})
		})
	}
}
