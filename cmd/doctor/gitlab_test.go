package doctor

import (
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

// site breaks what the project shows.
func site(edit func(*fakegitlab.Site)) func(*world) {
	return func(w *world) { edit(&w.gitlabIs.Projects[0].Site) }
}

// answers lets GitLab answer something else to requests whose path has that part.
func answers(part string, status int, body string) func(*world) {
	return func(w *world) {
		w.then = func() { w.gitlab.FailLookUps(-1, part, fakegitlab.Fault{Status: status, Body: body, Header: asJSON}) }
	}
}

func stranger(name string) func(*world) {
	return func(w *world) {
		f, _ := fakegitlab.Named(name)
		w.then = func() { w.gitlab.FailLookUps(-1, "", f) }
	}
}

func setting(line string) func(*world) {
	return func(w *world) { w.settings = append(w.settings, line) }
}

func target(extra string) func(*world) {
	return setting(`GITLAB_TRIGGER_TOKENS={"` + team + `": {"` + channel + `": {"app": {"project_id": "group/app", "token": "` + triggerToken + `"` + extra + `}}}}`)
}

func apiScopes(scopes ...string) func(*world) {
	return func(w *world) { w.gitlabIs.Scopes = scopes }
}

func both(edits ...func(*world)) func(*world) {
	return func(w *world) {
		for _, edit := range edits {
			edit(w)
		}
	}
}

func day(fromNow int) string { return time.Now().AddDate(0, 0, fromNow).Format(time.DateOnly) }

var asJSON = map[string]string{"Content-Type": "application/json"}

const gone = `{"message":"404 Project Not Found"}`

func TestFaultsOfGitLab(t *testing.T) {
	for _, r := range []row{
		{"a path below GitLab's", func(w *world) { setting("GITLAB_URL=" + w.gitlabIs.URL + "/gitlab")(w) }, "gitlab: address", Fault, "something else than GitLab's API", "with the path below which it is"},
		{"a login page", stranger("a login's 401"), "gitlab: address", Fault, "Sign in to continue", "past any login page"},
		{"a redirect", stranger("redirect, 307"), "gitlab: address", Fault, "https://gitlab.example.org/api/v4/", "set GITLAB_URL to that address"},
		{"a proxy's login", stranger("a proxy's 407"), "gitlab: address", Fault, "407", "HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT"},
		{"no TLS", func(w *world) { setting("GITLAB_URL=" + strings.Replace(w.gitlabIs.URL, "http:", "https:", 1))(w) }, "gitlab: address", Fault, "TLS handshake", "SSL_CERT_FILE"},
		{"nothing answers", setting("GITLAB_URL=http://127.0.0.1:1"), "gitlab: address", Unseen, "refused", "see that GitLab runs"},
		{"no version", answers("/version", 200, `{"version":null}`), "gitlab: address", Unseen, "does not say its version", "see that"},

		{"no API token", setting("GITLAB_API_TOKEN="), "gitlab: token", Unseen, "not set", "Preferences > Access tokens"},
		{"another API token", setting("GITLAB_API_TOKEN=glpat-another"), "gitlab: token", Fault, "401", "create one in GitLab with the scope read_api"},
		{"an API token that expires", func(w *world) { w.gitlabIs.Expires = day(10) }, "gitlab: token", Fault, "in 9 days", "put it into GITLAB_API_TOKEN"},
		{"an API token that has expired", func(w *world) { w.gitlabIs.Expires = day(-1) }, "gitlab: token", Fault, "has expired", "put it into GITLAB_API_TOKEN"},
		{"an API token for images", apiScopes("read_registry"), "gitlab: token", Fault, "neither", "scope read_api"},
		{"an old GitLab", answers("/personal_access_tokens/self", 404, `{"error":"404 Not Found"}`), "gitlab: token", Unseen, "this GitLab does not tell", "upgrade GitLab to 15.5"},
		{"scopes of a wrong type", answers("/personal_access_tokens/self", 200, `{"scopes":"api"}`), "gitlab: token", Unseen, "cannot unmarshal", "try again later"},
		{"the token is null", answers("/personal_access_tokens/self", 200, `null`), "gitlab: token", Unseen, "null", "try again later"},

		{"no such project", answers("/projects/", 404, gone), "gitlab: project", Fault, "sees no such project", "correct its project_id"},
		{"a role too low to read", answers("/pipelines", 403, `{"message":"403 Forbidden"}`), "gitlab: project", Fault, "may not list", "the role Reporter in group/app: Manage > Members"},
		{"pipelines are a page", answers("/pipelines", 200, "<title>GitLab is down</title>"), "gitlab: project", Unseen, "invalid character", "try again later"},
		{"an archived project", site(func(s *fakegitlab.Site) { s.Shows = map[string]any{"archived": true} }), "gitlab: CI/CD", Fault, "archived", "Settings > General > Advanced > Unarchive project"},
		{"CI/CD is off", site(func(s *fakegitlab.Site) { s.NoCI = true }), "gitlab: CI/CD", Fault, "CI/CD is off", "Settings > General > Visibility, project features, permissions > CI/CD"},
		{"an empty repository", site(func(s *fakegitlab.Site) { s.Shows = map[string]any{"empty_repo": true} }), "gitlab: CI/CD", Fault, "empty", "push the code"},
		{"a renamed project", func(w *world) {
			w.gitlabIs.Projects[0].Was, w.gitlabIs.Projects[0].Path = "group/app", "group/shop"
		}, "gitlab: CI/CD", Fault, "it is group/shop now", "write project_id as group/shop"},
		{"a project of wrong types", site(func(s *fakegitlab.Site) { s.Shows = map[string]any{"archived": "no"} }), "gitlab: CI/CD", Unseen, "cannot unmarshal", "try again later"},
		{"a role too low to cancel", site(func(s *fakegitlab.Site) { s.Role = 20 }), "gitlab: role", Fault, "the role Reporter", "the role Developer in group/app: Manage > Members"},
		{"a role that is not shown", site(func(s *fakegitlab.Site) { s.Role = -1 }), "gitlab: role", Unseen, "not shown", "the role Developer"},

		{"no such branch", setting("GITLAB_REF=main"), "gitlab: ref", Fault, "no such branch or tag", "set GITLAB_REF"},
		{"no such ref of one target", target(`, "ref": "refs/tags/stable"`), "gitlab: ref", Fault, "no such tag", "the target's ref in the target map"},
	} {
		r.run(t)
	}
}

func TestWhatGitLabMayBe(t *testing.T) {
	for _, r := range []row{
		{"named", func(w *world) { w.gitlabIs.Version = "15.11.2-ee" }, "gitlab: address", OK, "GitLab 15.11.2-ee", ""},
		{"a token that reads", apiScopes("read_api"), "gitlab: token", OK, "no button", ""},
		{"a role that is enough to read", both(apiScopes("read_api"), site(func(s *fakegitlab.Site) { s.Role = 20 })), "gitlab: role", OK, "Reporter", ""},
		{"a role by way of a group", site(func(s *fakegitlab.Site) {
			s.Role, s.Members = 20, []fakegitlab.Member{{ID: 1, Role: 30}}
		}), "gitlab: role", OK, "Developer", ""},
		{"a tag", func(w *world) {
			setting("GITLAB_REF=stable")(w)
			w.gitlabIs.Projects[0].Site.Tags = []string{"stable"}
		}, "gitlab: ref", OK, "a tag", ""},
		{"a renamed project that is only read", both(apiScopes("read_api"), func(w *world) {
			w.gitlabIs.Projects[0].Was, w.gitlabIs.Projects[0].Path = "group/app", "group/shop"
		}), "gitlab: CI/CD", OK, "it is group/shop now", ""},
	} {
		r.run(t)
	}
}
