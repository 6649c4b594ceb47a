package doctor

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
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
		{"no version", answers("/version", 200, `{"version":null}`), "gitlab: address", Unseen, "makes no sense", "see that"},

		{"no API token", setting("GITLAB_API_TOKEN="), "gitlab: token", Unseen, "not set", "Preferences > Access tokens"},
		{"another API token", setting("GITLAB_API_TOKEN=glpat-another"), "gitlab: token", Fault, "401", "create an access token with the scope read_api"},
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

func hanako(role int) fakegitlab.Member {
	return fakegitlab.Member{ID: 7, Name: "hanako", Role: role}
}

func probing(edit func(*world)) func(*world) {
	return func(w *world) {
		w.probe = true
		edit(w)
	}
}

func refuses(fault string) func(*world) {
	return func(w *world) {
		f, _ := fakegitlab.Named(fault)
		w.then = func() { w.gitlab.Answer(-1, f) }
	}
}

func TestFaultsOfTriggers(t *testing.T) {
	owned := func(m fakegitlab.Member) func(*world) {
		return site(func(s *fakegitlab.Site) { s.Owner = m })
	}
	protects := func(p fakegitlab.Protected, m fakegitlab.Member) func(*world) {
		return site(func(s *fakegitlab.Site) { s.Protected, s.Owner = []fakegitlab.Protected{p}, m })
	}
	shows := func(key string, v any) func(*fakegitlab.Site) {
		return func(s *fakegitlab.Site) {
			if s.Shows == nil {
				s.Shows = map[string]any{}
			}
			s.Shows[key] = v
		}
	}
	restricted := func(role string, m fakegitlab.Member) func(*world) {
		return both(site(shows("restrict_user_defined_variables", true)), site(shows("ci_pipeline_variables_minimum_override_role", role)), owned(m))
	}
	for _, r := range []row{
		{"rollbacks that are prevented", site(shows("ci_forward_deployment_rollback_allowed", false)), "gitlab: rollback", Fault, "refuse to roll back", "Settings > CI/CD > General pipelines > Allow job retries for rollback deployments"},

		{"another trigger token", func(w *world) { w.gitlabIs.Projects[0].Token = "glptt-another-00000000000000000000" }, "gitlab: trigger token", Fault, "none of the project's", "Settings > CI/CD > Pipeline trigger tokens"},
		{"another token that is not shown whole", func(w *world) {
			w.gitlabIs.Projects[0].Token = "glptt-another-00000000000000000000"
			owned(hanako(30))(w)
		}, "gitlab: trigger token", Fault, "none of the project's", "Settings > CI/CD > Pipeline trigger tokens"},
		{"a trigger token that has expired", site(func(s *fakegitlab.Site) { s.Expires = day(-3) + "T00:00:00.000Z" }), "gitlab: trigger token", Fault, "has expired", "Settings > CI/CD > Pipeline trigger tokens"},
		{"a trigger token that expires", site(func(s *fakegitlab.Site) { s.Expires = day(3) + "T00:00:00.000Z" }), "gitlab: trigger token", Fault, "in 2 days", "Settings > CI/CD > Pipeline trigger tokens"},
		{"a Developer's API token", site(func(s *fakegitlab.Site) { s.Role = 30 }), "gitlab: trigger token", Unseen, "only a Maintainer sees", "the role Maintainer in group/app: Manage > Members"},
		{"trigger tokens of a wrong type", answers("/triggers", 200, `{"token":1}`), "gitlab: trigger token", Unseen, "cannot unmarshal", "try again later"},
		{"an end of a wrong form", answers("/triggers", 200, `[{"token":"test","expires_at":"soon"}]`), "gitlab: trigger token", Unseen, "cannot parse", "try again later"},

		{"an owner who is blocked", owned(fakegitlab.Member{ID: 7, Name: "hanako", Role: 30, State: "blocked"}), "gitlab: trigger owner", Fault, "@hanako, who owns its trigger token, is blocked", "Settings > CI/CD > Pipeline trigger tokens"},
		{"an owner who reports", owned(hanako(20)), "gitlab: trigger owner", Fault, "only the role Reporter", "give @hanako the role Developer in group/app: Manage > Members"},
		{"an owner who has left", owned(hanako(-1)), "gitlab: trigger owner", Unseen, "no role in the project", "give @hanako the role Developer"},
		{"an owner who leaves", owned(fakegitlab.Member{ID: 7, Name: "hanako", Role: 30, Expires: day(6)}), "gitlab: trigger owner", Fault, "in 5 days", "Manage > Members"},

		{"variables for nobody", restricted("no_one_allowed", fakegitlab.Member{}), "gitlab: variables", Fault, "lets nobody", "Settings > CI/CD > Variables > Minimum role to use pipeline variables: Developer"},
		{"variables for Maintainers", restricted("maintainer", hanako(30)), "gitlab: variables", Fault, "@hanako, who owns the trigger token, has the role Developer", "Minimum role to use pipeline variables: Developer"},
		{"variables for Owners", restricted("owner", hanako(40)), "gitlab: variables", Fault, "take the role Owner", "Minimum role to use pipeline variables: Developer"},
		{"variables, and an old GitLab", both(restricted("", hanako(30)), site(shows("ci_pipeline_variables_minimum_override_role", nil))), "gitlab: variables", Fault, "take the role Maintainer", "Minimum role"},
		{"variables for one who is not seen", both(restricted("maintainer", hanako(30)), answers("/triggers", 500, "")), "gitlab: variables", Unseen, "not seen which", "the role Maintainer"},

		{"a branch for Maintainers", protects(fakegitlab.Protected{Ref: "master", Push: []int{40}, Merge: []int{40}}, hanako(30)), "gitlab: protected ref", Fault, "@hanako, who owns the trigger token, may not push or merge to it", "let @hanako, or the role Developer, push or merge to it: Settings > Repository > Protected branches"},
		{"branches for nobody", protects(fakegitlab.Protected{Ref: "m*r", Push: []int{0}, Merge: []int{0}}, hanako(50)), "gitlab: protected ref", Fault, "may not push or merge", "Protected branches"},
		{"a branch for another user", protects(fakegitlab.Protected{Ref: "*", Push: []int{-9}}, hanako(30)), "gitlab: protected ref", Fault, "may not push or merge", "Protected branches"},
		{"a branch for a group", protects(fakegitlab.Protected{Ref: "master", Push: []int{40}, DeployersOnly: 5}, hanako(30)), "gitlab: protected ref", Unseen, "a group decides", "Protected branches"},
		{"a protected branch, and a Developer's API token", both(protects(fakegitlab.Protected{Ref: "master", Push: []int{40}}, hanako(30)), site(func(s *fakegitlab.Site) { s.Role = 30 })), "gitlab: protected ref", Unseen, "not seen whether", "the role Maintainer in group/app"},
		{"a tag for Maintainers", both(setting("GITLAB_REF=v1"), protects(fakegitlab.Protected{Ref: "v*", Tag: true, Push: []int{40}}, hanako(30)), site(func(s *fakegitlab.Site) { s.Tags = []string{"v1"} })), "gitlab: protected ref", Fault, "may not create it", "Settings > Repository > Protected tags"},
		{"a branch and a tag of one name", site(func(s *fakegitlab.Site) { s.Tags = []string{"master"} }), "gitlab: protected ref", Fault, "a branch and a tag of that name", "write ref as refs/heads/master or refs/tags/master"},

		{"a trigger token that GitLab refuses", probing(refuses("not found")), "gitlab: trigger", Fault, "404 Not Found", "correct the target's token and project_id"},
		{"a probe's owner who has left", probing(owned(hanako(-1))), "gitlab: trigger", Fault, "Insufficient permissions to create a new pipeline", "the role Developer: Manage > Members"},
		{"a probe where CI/CD is off", probing(site(func(s *fakegitlab.Site) { s.NoCI = true })), "gitlab: trigger", Fault, "Pipelines are disabled", "turn CI/CD on"},
		{"a probe of an owner without a name", probing(refuses("identity, 400")), "gitlab: trigger", Fault, "Identity verification", "verify the identity"},
		{"a probe that says nothing", probing(refuses("502")), "gitlab: trigger", Unseen, "says nothing of it", "try again later"},
	} {
		r.run(t)
	}
}

func TestFaultsOfCIFiles(t *testing.T) {
	file := func(text string) func(*world) {
		return site(func(s *fakegitlab.Site) { s.CIFile = text })
	}
	jobs := func(jobs ...fakegitlab.CIJob) func(*world) {
		return site(func(s *fakegitlab.Site) { s.CIJobs = jobs })
	}
	broken := func(why string, shows map[string]any) func(*world) {
		return site(func(s *fakegitlab.Site) { s.CIErrors, s.Shows = []string{why}, shows })
	}
	ship := fakegitlab.CIJob{Name: "ship", Stage: "release"}
	for _, r := range []row{
		{"a CI file that is not valid", broken("jobs:deploy config should implement the script: keyword", nil), "gitlab: CI file", Fault, "jobs:deploy config should implement", "Build > Pipeline editor, on master"},
		{"no CI file", broken("Please provide content of .gitlab-ci.yml", nil), "gitlab: CI file", Fault, "Please provide content", "Build > Pipeline editor"},
		{"Auto DevOps", broken("Please provide content of .gitlab-ci.yml", map[string]any{"auto_devops_enabled": true}), "gitlab: CI file", Unseen, "Auto DevOps", "psycher's examples"},
		{"a CI file elsewhere", broken("Please provide content of .gitlab-ci.yml", map[string]any{"ci_config_path": "ci.yml@group/ci"}), "gitlab: CI file", Unseen, "ci.yml@group/ci", "see that it is valid there"},
		{"an include that may not be read", broken("Project `group/ci` not found or access denied!", nil), "gitlab: CI file", Unseen, "access denied", "includes files of: Manage > Members"},
		{"an old GitLab and another branch", func(w *world) {
			w.gitlabIs.Version, w.gitlabIs.Projects[0].Refs = "16.9.1", []string{"main", "release"}
			setting("GITLAB_REF=release")(w)
		}, "gitlab: CI file", Unseen, "GitLab 16.9.1 checks only", "upgrade GitLab to 16.10"},
		{"lint says nothing", answers("/ci/lint", 200, `{}`), "gitlab: CI file", Unseen, "does not say whether", "Build > Pipeline editor"},
		{"lint is limited", answers("/ci/lint", 429, `{"error":"This endpoint has been requested too many times. Try again later."}`), "gitlab: CI file", Unseen, "too many times", "try again later"},
		{"jobs of a wrong type", answers("/ci/lint", 200, `{"valid":true,"jobs":{"name":"deploy"}}`), "gitlab: CI file", Unseen, "cannot unmarshal", "try again later"},

		{"a misspelt job", target(`, "job": "ship"`), "gitlab: deploy job", Fault, `no job whose name begins with "ship"`, `correct the target's "job"`},
		{"a job that may be included", both(target(`, "job": "ship"`), file("include: ship.yml\n")), "gitlab: deploy job", Unseen, "included under a condition", `correct the target's "job"`},
		{"nothing but notify jobs", jobs(fakegitlab.CIJob{Name: "notify", Stage: "notify"}), "gitlab: deploy job", Fault, "no job but those that notify", "add a job that deploys"},
		{"another release key", target(`, "release_key": "DEPLOY"`), "gitlab: deploy job", Unseen, "no job asks for $DEPLOY", "release_key"},
		{"a release key with more behind it", file("deploy:\n  rules: [{if: $RELEASED}]\n"), "gitlab: deploy job", Unseen, "no job asks for $RELEASE", `rules: if: $CI_PIPELINE_SOURCE == "trigger" && $RELEASE`},
		{"no notify call", file("deploy:\n  rules: [{if: $RELEASE}]\n"), "gitlab: notify call", Unseen, "neither notify.sh nor NOTIFY_URL", `./bin/notify.sh "$CI_JOB_STATUS" into after_script`},

		{"a token that only reads, where commits are confirmed", both(target(`, "confirm": true`), apiScopes("read_api")), "gitlab: token", Fault, "T0TEAM.C01DEPLOY.app.confirm needs api", "api to cancel"},
		{"no rule about the commit", both(target(`, "confirm": true`), file("deploy:\n  rules: [{if: $RELEASE}]\n")), "gitlab: confirmed commit", Fault, "lets another commit pass", "begin workflow:rules with"},
		{"a rule about the commit, after another", both(target(`, "confirm": true`), file("workflow:\n  rules:\n  - if: $RELEASE\n  - if: $PSYCHER_SHA && $PSYCHER_SHA != $CI_COMMIT_SHA\n    when: never\ndeploy:\n  rules: [{if: $RELEASE}]\n")), "gitlab: confirmed commit", Unseen, "not in the first", "begin workflow:rules with"},
		{"no runner", site(func(s *fakegitlab.Site) { s.Runners = []fakegitlab.Runner{{Offline: true}} }), "gitlab: runners", Fault, "no runner is online that takes deploy", "Settings > CI/CD > Runners"},
		{"a runner that is paused", site(func(s *fakegitlab.Site) { s.Runners = []fakegitlab.Runner{{Paused: true}} }), "gitlab: runners", Fault, "no runner is online", "Settings > CI/CD > Runners"},
		{"no runner with the tags", both(jobs(ship, fakegitlab.CIJob{Name: "deploy", Stage: "x", Tags: []string{"prod", "linux"}}), site(func(s *fakegitlab.Site) {
			s.Runners = []fakegitlab.Runner{{Tags: []string{"linux"}}}
		})), "gitlab: runners", Fault, "takes deploy, which has the tags: linux, prod", "correct the job's tags"},
		{"runners of a wrong type", answers("/runners", 200, `[{"active":"yes"}]`), "gitlab: runners", Unseen, "cannot unmarshal", "try again later"},
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
		{"a token that only its owner sees whole", site(func(s *fakegitlab.Site) { s.Owner = hanako(30) }), "gitlab: trigger token", OK, "has its trigger token", ""},
		{"an owner", site(func(s *fakegitlab.Site) { s.Owner = hanako(30) }), "gitlab: trigger owner", OK, "@hanako, who owns its trigger token, has the role Developer", ""},
		{"a branch that Developers merge to", site(func(s *fakegitlab.Site) {
			s.Protected, s.Owner = []fakegitlab.Protected{{Ref: "master", Push: []int{0}, Merge: []int{30}}}, hanako(30)
		}), "gitlab: protected ref", OK, "@hanako may run pipelines there", ""},
		{"a branch for one user", site(func(s *fakegitlab.Site) {
			s.Protected, s.Owner = []fakegitlab.Protected{{Ref: "m*", Push: []int{40, -7}}}, hanako(30)
		}), "gitlab: protected ref", OK, "@hanako may run pipelines there", ""},
		{"a good trigger token", probing(setting("GITLAB_API_TOKEN=")), "gitlab: trigger", OK, "GitLab accepts its trigger token", ""},
		{"jobs that deploy", site(func(s *fakegitlab.Site) {
			s.CIJobs = []fakegitlab.CIJob{{Name: "build", Stage: "build"}, {Name: "web", Stage: "deploy"}, {Name: "Deploy db", Stage: "x"}}
		}), "gitlab: deploy job", OK, "these jobs deploy: web, Deploy db", ""},
		{"a rule about the commit", target(`, "confirm": true`), "gitlab: confirmed commit", OK, "of another commit", ""},
		{"tags that are known later", site(func(s *fakegitlab.Site) {
			s.CIJobs, s.Runners = []fakegitlab.CIJob{{Name: "deploy", Tags: []string{"$WHERE"}}}, []fakegitlab.Runner{}
		}), "gitlab: runners", OK, "", ""},
		{"a renamed project that is only read", both(apiScopes("read_api"), func(w *world) {
			w.gitlabIs.Projects[0].Was, w.gitlabIs.Projects[0].Path = "group/app", "group/shop"
		}), "gitlab: CI/CD", OK, "it is group/shop now", ""},
	} {
		r.run(t)
	}
}

// counted counts the requests to GitLab, by their paths.
func counted(w *world) map[string]int {
	paths, mu := map[string]int{}, sync.Mutex{}
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		paths[r.Method+" "+r.URL.Path+"?"+r.URL.Query().Get("content_ref")]++
		mu.Unlock()
		w.gitlab.ServeHTTP(rw, r)
	}))
	w.t.Cleanup(s.Close)
	setting("GITLAB_URL=" + s.URL)(w)
	return paths
}

func TestManyTargetsAskGitLabOnce(t *testing.T) {
	const each = `{"project_id": "group/app", "token": "` + triggerToken + `"}`
	var paths map[string]int
	found := diagnose(t, func(w *world) {
		w.gitlabIs.Projects[0].Site.Protected = []fakegitlab.Protected{{Ref: "master", Push: []int{40}}}
		w.gitlabIs.Projects[0].Site.Owner = hanako(40)
		paths = counted(w)
		setting(`GITLAB_TRIGGER_TOKENS={"` + team + `": {"` + channel + `": {"a": ` + each + `, "b": ` + each + `}, "C02": {"a": ` + each + `}}}`)(w)
	})
	total := 0
	for path, n := range paths {
		if total += n; n != 1 {
			t.Errorf("%s: %d times", path, n)
		}
	}
	if total > 12 { // two of them about no project
		t.Errorf("%d requests: %v", total, paths)
	}
	for _, f := range found {
		if strings.HasPrefix(f.Check, "gitlab:") && f.Verdict != OK {
			t.Errorf("%+v", f)
		}
	}
}

func TestWithoutAnAPITokenOneLineSaysSo(t *testing.T) {
	n := 0
	for _, f := range diagnose(t, setting("GITLAB_API_TOKEN=")) {
		if strings.HasPrefix(f.Check, "gitlab:") && f.Verdict != OK {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d lines", n)
	}
}

func TestAnswersThatMakeNoSense(t *testing.T) {
	for _, body := range []string{"null", "[]", "{}", `"x"`, "1", "[null]", "[[]]", `{"valid":null}`, `[{"owner":{"id":"x"}}]`, "[{", ""} {
		for _, part := range []string{
			"/self", "/group%2Fapp", "/group/app", "/pipelines", "/branches/", "/tags/", "/triggers", "/members/", "/protected_branches", "/ci/lint", "/runners",
		} {
			t.Run(part+" "+body, func(t *testing.T) {
				t.Parallel()
				for _, f := range diagnose(t, both(site(func(s *fakegitlab.Site) {
					s.Protected, s.Owner = []fakegitlab.Protected{{Ref: "master", Push: []int{40}}}, hanako(40)
				}), answers(part, 200, body))) {
					none := body == "[]" && (f.Check == "gitlab: trigger token" || f.Check == "gitlab: runners") // that is an answer
					if f.Verdict == Fault && !none {
						t.Errorf("%+v", f)
					}
				}
			})
		}
	}
}
