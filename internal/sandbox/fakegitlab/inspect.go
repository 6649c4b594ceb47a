package fakegitlab

import (
	"cmp"
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Site is what a project shows to those who check whether deploys can work. Its zero
// value is a project where they do.
type Site struct {
	Role      int            // of the API token's user, who has the id 1; 0: Maintainer
	NoCI      bool           // CI/CD is off
	Shows     map[string]any // over the fields of the project; a nil value leaves one out
	Tags      []string       // besides the project's branches
	Protected []Protected
	Owner     Member // of the trigger token; zero: the user with the id 1
	Expires   string // when the trigger token does; empty: never
	Members   []Member
	CIFile    string   // .gitlab-ci.yml; empty: one that deploys and notifies
	CIErrors  []string // what lint says is wrong with it
	CIJobs    []CIJob  // nil: deploy
	Runners   []Runner // nil: one that takes every job
}

// Member is a user with a role in a project. A Role of -1 is none.
type Member struct {
	ID      int64
	Name    string
	State   string // empty: active
	Role    int
	Expires string // the day on which the membership ends; empty: never
}

// Protected is a rule that protects branches or tags: who may push to them, merge or
// create them. Each is a role, or, if it is negative, a user's id.
type Protected struct {
	Ref           string // may have *
	Tag           bool
	Push, Merge   []int // of a tag: Push alone, who may create it
	DeployersOnly int64 // a group's id that may push too
}

// CIJob is a job as lint shows it.
type CIJob struct {
	Name, Stage string
	Tags        []string
}

// Runner is a runner that the project may use.
type Runner struct {
	Tags            []string
	Paused, Offline bool
}

const someCIFile = `---
workflow:
  rules:
  - if: $PSYCHER_SHA && $PSYCHER_SHA != $CI_COMMIT_SHA
    when: never
  - when: always
deploy:
  stage: deploy
  rules:
  - if: $CI_PIPELINE_SOURCE == "trigger" && $RELEASE
  script:
  - "./bin/notify.sh start"
  - "./bin/deploy.sh"
  after_script:
  - ./bin/notify.sh "$CI_JOB_STATUS"
`

const (
	developer  = 30
	maintainer = 40
)

func (s Site) role() int { return cmp.Or(s.Role, maintainer) }

func (s Site) owner() Member {
	if s.Owner.ID == 0 {
		return Member{ID: 1, Name: "deployer", Role: s.role()}
	}
	return s.Owner
}

// ownerLost tells whether the trigger token's owner may run no pipeline.
func (s Site) ownerLost() bool {
	o := s.owner()
	return s.Owner.ID != 0 && (o.Role < developer || o.State != "" && o.State != "active")
}

func (g *GitLab) inspected(mux *http.ServeMux, project string) {
	mux.HandleFunc("GET /api/v4/version", g.lookUp(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, encode(map[string]any{"version": cmp.Or(g.conf.Version, "18.5.1-ee"), "revision": "0abc123"}))
	}))
	mux.HandleFunc("GET /api/v4/personal_access_tokens/self", g.lookUp(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, encode(map[string]any{
			"id": 1, "name": "psycher", "active": true, "revoked": false, "user_id": 1, "scopes": g.scopes(), "expires_at": orNull(g.conf.Expires),
		}))
	}))
	show := func(path string, role int, shown func(*Project, *http.Request) any) {
		mux.HandleFunc("GET "+project+path, g.lookUp(func(w http.ResponseWriter, r *http.Request) {
			pr := g.project(r.PathValue("project"))
			if role > 0 && pr.Site.role() < role {
				answer(w, 403, message("403 Forbidden"))
				return
			}
			switch v := shown(pr, r).(type) {
			case missing:
				answer(w, 404, message("404 "+string(v)+" Not Found"))
			default:
				answer(w, 200, encode(v))
			}
		}))
	}
	show("", 0, g.projectShape)
	show("/repository/branches/{ref}", 0, func(pr *Project, r *http.Request) any {
		return pr.refShape(pr.refs(), r.PathValue("ref"), false)
	})
	show("/repository/tags/{ref}", 0, func(pr *Project, r *http.Request) any {
		return pr.refShape(pr.Site.Tags, r.PathValue("ref"), true)
	})
	show("/repository/files/{file}", 0, func(pr *Project, r *http.Request) any {
		return map[string]any{"file_name": r.PathValue("file"), "encoding": "base64", "content": base64.StdEncoding.EncodeToString([]byte(pr.ciFile()))}
	})
	show("/protected_branches", maintainer, func(pr *Project, _ *http.Request) any { return pr.protections(false) })
	show("/protected_tags", maintainer, func(pr *Project, _ *http.Request) any { return pr.protections(true) })
	show("/triggers", maintainer, func(pr *Project, _ *http.Request) any { return []any{pr.triggerShape()} })
	show("/members/all/{user}", 0, (*Project).memberShape)
	show("/runners", maintainer, (*Project).runnersShape)
	show("/ci/lint", 0, (*Project).lintShape)
}

// missing is a thing that there is not.
type missing string

func (g *GitLab) projectShape(pr *Project, _ *http.Request) any {
	ci := map[bool]string{true: "disabled", false: "enabled"}[pr.Site.NoCI]
	shape := map[string]any{
		"id": pr.ID, "path_with_namespace": pr.Path, "default_branch": pr.refs()[0], "archived": false, "empty_repo": false,
		"web_url": g.conf.URL + "/" + pr.Path, "jobs_enabled": !pr.Site.NoCI, "builds_access_level": ci, "ci_config_path": nil,
		"permissions": map[string]any{"project_access": map[string]any{"access_level": pr.Site.role(), "notification_level": 3}, "group_access": nil},
	}
	if pr.Site.role() >= maintainer {
		maps.Copy(shape, map[string]any{
			"ci_pipeline_variables_minimum_override_role": "developer", "restrict_user_defined_variables": false,
			"ci_forward_deployment_enabled": true, "ci_forward_deployment_rollback_allowed": true,
		})
	}
	maps.Copy(shape, pr.Site.Shows)
	maps.DeleteFunc(shape, func(key string, v any) bool { return v == nil && key != "ci_config_path" })
	return shape
}

func (p *Project) refShape(refs []string, name string, tag bool) any {
	if !slices.Contains(refs, name) {
		return missing(map[bool]string{true: "Tag", false: "Branch"}[tag])
	}
	guarded := slices.ContainsFunc(p.Site.Protected, func(r Protected) bool { return r.Tag == tag && r.guards(name) })
	return map[string]any{"name": name, "protected": guarded, "can_push": true}
}

func (r Protected) guards(name string) bool {
	before, after, wild := strings.Cut(r.Ref, "*")
	return name == r.Ref || wild && len(name) >= len(before+after) && strings.HasPrefix(name, before) && strings.HasSuffix(name, after)
}

func (p *Project) protections(tag bool) any {
	levels := func(of []int, group int64) []any {
		all := []any{}
		for _, n := range of {
			level := map[string]any{"access_level": n, "user_id": nil, "group_id": nil}
			if n < 0 {
				level["access_level"], level["user_id"] = nil, -n
			}
			all = append(all, level)
		}
		if group != 0 {
			all = append(all, map[string]any{"access_level": nil, "user_id": nil, "group_id": group})
		}
		return all
	}
	all := []any{}
	for _, r := range p.Site.Protected {
		switch {
		case r.Tag != tag:
		case tag:
			all = append(all, map[string]any{"name": r.Ref, "create_access_levels": levels(r.Push, r.DeployersOnly)})
		default:
			all = append(all, map[string]any{
				"name": r.Ref, "push_access_levels": levels(r.Push, r.DeployersOnly), "merge_access_levels": levels(r.Merge, 0),
			})
		}
	}
	return all
}

// triggerShape shows the whole token only to its owner.
func (p *Project) triggerShape() any {
	token, o := p.Token, p.Site.owner()
	if o.ID != 1 {
		token = strings.TrimPrefix(token, "glptt-")[:4]
	}
	return map[string]any{
		"id": 10, "token": token, "description": "psycher", "last_used": nil, "expires_at": orNull(p.Site.Expires),
		"owner": map[string]any{"id": o.ID, "username": o.Name, "state": cmp.Or(o.State, "active")},
	}
}

func (p *Project) memberShape(r *http.Request) any {
	members := append(slices.Clone(p.Site.Members), p.Site.owner(), Member{ID: 1, Name: "deployer", Role: p.Site.role()})
	for _, m := range members {
		if r.PathValue("user") == encode(m.ID) && m.Role > 0 {
			return map[string]any{
				"id": m.ID, "username": m.Name, "state": cmp.Or(m.State, "active"), "access_level": m.Role, "expires_at": orNull(m.Expires),
			}
		}
	}
	return missing("Member")
}

func (p *Project) runnersShape(r *http.Request) any {
	runners, all := p.Site.Runners, []any{}
	if runners == nil {
		runners = []Runner{{}}
	}
	tags := strings.FieldsFunc(r.URL.Query().Get("tag_list"), func(r rune) bool { return r == ',' })
	for i, each := range runners {
		lacks := slices.ContainsFunc(tags, func(tag string) bool { return !slices.Contains(each.Tags, tag) })
		if lacks || each.Offline && r.URL.Query().Get("status") == "online" {
			continue
		}
		all = append(all, map[string]any{"id": i + 1, "active": !each.Paused, "paused": each.Paused, "online": !each.Offline})
	}
	return all
}

func (p *Project) ciFile() string { return cmp.Or(p.Site.CIFile, someCIFile) }

func (p *Project) lintShape(r *http.Request) any {
	if ref := r.URL.Query().Get("content_ref"); ref != "" && !p.has(ref) && !slices.Contains(p.Site.Tags, ref) {
		return missing("Commit")
	}
	if len(p.Site.CIErrors) > 0 {
		return map[string]any{"valid": false, "errors": p.Site.CIErrors, "warnings": []string{}, "merged_yaml": nil, "includes": []any{}, "jobs": []any{}}
	}
	listed, jobs := p.Site.CIJobs, []any{}
	if listed == nil {
		listed = []CIJob{{Name: "deploy", Stage: "deploy"}}
	}
	for _, j := range listed {
		jobs = append(jobs, map[string]any{
			"name": j.Name, "stage": j.Stage, "tag_list": append([]string{}, j.Tags...), "when": "on_success", "only": nil, "allow_failure": false,
		})
	}
	return map[string]any{"valid": true, "errors": []string{}, "warnings": []string{}, "merged_yaml": p.ciFile(), "includes": []any{}, "jobs": jobs}
}
