package fakegitlab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ServeHTTP answers as GitLab does.
func (g *GitLab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", g.now().UTC().Format(http.TimeFormat))
	g.mux.ServeHTTP(w, r)
}

func (g *GitLab) routes() *http.ServeMux {
	mux := http.NewServeMux()
	const project = "/api/v4/projects/{project}"
	mux.HandleFunc("POST "+project+"/trigger/pipeline", g.trigger)
	mux.HandleFunc("GET "+project+"/pipelines", g.lookUp(g.list))
	mux.HandleFunc("GET "+project+"/pipelines/{id}", g.lookUp(g.one(func(w http.ResponseWriter, _ *http.Request, p Pipeline) {
		answer(w, 200, encode(g.full(&p)))
	})))
	mux.HandleFunc("GET "+project+"/pipelines/{id}/variables", g.lookUp(g.one(listVariables)))
	mux.HandleFunc("GET "+project+"/pipelines/{id}/jobs", g.lookUp(g.one(func(w http.ResponseWriter, r *http.Request, p Pipeline) {
		g.listJobs(w, r, p, false)
	})))
	mux.HandleFunc("GET "+project+"/pipelines/{id}/bridges", g.lookUp(g.one(func(w http.ResponseWriter, r *http.Request, p Pipeline) {
		g.listJobs(w, r, p, true)
	})))
	mux.HandleFunc("POST "+project+"/pipelines/{id}/cancel", g.lookUp(g.one(func(w http.ResponseWriter, _ *http.Request, p Pipeline) {
		g.Cancel(p.ID)
		g.tellOf(w, p.ID, 200)
	})))
	mux.HandleFunc("POST "+project+"/pipelines/{id}/retry", g.lookUp(g.one(func(w http.ResponseWriter, _ *http.Request, p Pipeline) {
		g.Retry(p.ID)
		g.tellOf(w, p.ID, 201)
	})))
	mux.HandleFunc("GET "+project+"/jobs/{job}", g.lookUp(g.ofJob(func(w http.ResponseWriter, p Pipeline, j Job) {
		answer(w, 200, encode(g.jobShape(p, j)))
	})))
	mux.HandleFunc("POST "+project+"/jobs/{job}/retry", g.lookUp(g.ofJob(g.retryJob)))
	mux.HandleFunc("GET "+project+"/repository/commits", g.lookUp(g.listCommits))
	mux.HandleFunc("GET "+project+"/repository/commits/{sha}", g.lookUp(g.oneCommit))
	mux.HandleFunc("GET "+project+"/repository/merge_base", g.lookUp(g.mergeBase))
	g.inspected(mux, project)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) { answer(w, 404, `{"error":"404 Not Found"}`) })
	mux.HandleFunc("/projects/{project}", g.projectPage)
	mux.HandleFunc("/", g.page)
	return mux
}

// lookUp checks the token of anything but a trigger, unless a fault was ordered.
// A fault with Make lets it be done all the same.
func (g *GitLab) lookUp(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		fault, failing := take(&g.looking, r.URL.Path)
		pr := g.project(r.PathValue("project"))
		known := pr != nil || r.PathValue("project") == ""
		g.mu.Unlock()
		if failing {
			g.fail(w, r, fault, func() string {
				unseen := unseen{header: http.Header{}}
				next(&unseen, r)
				return unseen.String()
			})
			return
		}
		g.rates(w)
		token := r.Header.Get("Private-Token")
		if token == "" {
			token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		}
		switch {
		case r.URL.Path == "/api/v4/version" && (token == "" || token != g.conf.APIToken):
			answer(w, 401, message("401 Unauthorized"))
		case token == "" || g.conf.APIToken == "" && known:
			answer(w, 404, message("404 Project Not Found"))
		case token != g.conf.APIToken:
			answer(w, 401, message("401 Unauthorized"))
		case !known:
			answer(w, 404, message("404 Project Not Found"))
		case r.Method != http.MethodGet && !slices.Contains(g.scopes(), "api"):
			answer(w, 403, `{"error":"insufficient_scope","error_description":"The request requires higher privileges than provided by the access token.","scope":"api"}`)
		case pr == nil:
			next(w, r)
		case pr.Site.NoCI && strings.Contains(r.URL.Path, "/pipelines"):
			answer(w, 403, message("403 Forbidden"))
		case pr.Was != "" && r.PathValue("project") == pr.Was && r.Method != http.MethodGet:
			answer(w, 405, message("Non GET methods are not allowed for moved projects"))
		case pr.Was != "" && r.PathValue("project") == pr.Was:
			to := strings.Replace(r.URL.RequestURI(), url.PathEscape(pr.Was), strconv.FormatInt(pr.ID, 10), 1)
			w.Header().Set("Location", g.conf.URL+to)
			answer(w, http.StatusFound, message("This resource has been moved"))
		default:
			next(w, r)
		}
	}
}

// unseen takes an answer that nobody gets.
type unseen struct {
	bytes.Buffer
	header http.Header
}

func (u *unseen) Header() http.Header { return u.header }
func (u *unseen) WriteHeader(int)     {}

func (g *GitLab) scopes() []string {
	if scopes := g.granted.Load(); scopes != nil {
		return *scopes
	}
	if g.conf.Scopes == nil {
		return []string{"api"}
	}
	return g.conf.Scopes
}

func (g *GitLab) one(next func(http.ResponseWriter, *http.Request, Pipeline)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
		g.mu.Lock()
		var found *Pipeline
		if p, pr := g.pipeline(id), g.project(r.PathValue("project")); p != nil && p.ProjectID == pr.ID {
			c := p.clone()
			found = &c
		}
		g.mu.Unlock()
		if found == nil {
			answer(w, 404, message("404 Not found"))
			return
		}
		next(w, r, *found)
	}
}

func (g *GitLab) tellOf(w http.ResponseWriter, id int64, status int) {
	g.mu.Lock()
	body := encode(g.full(g.pipeline(id)))
	g.mu.Unlock()
	answer(w, status, body)
}

// list knows the filters that psycher uses, and the order by id or updated_at.
func (g *GitLab) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	after, err := time.Parse(time.RFC3339, q.Get("updated_after"))
	if q.Get("updated_after") != "" && err != nil {
		answer(w, 400, `{"error":"updated_after is invalid"}`)
		return
	}
	g.mu.Lock()
	id, lag, now := g.project(r.PathValue("project")).ID, g.lag, g.now()
	var rows []Pipeline
	for _, p := range g.pipelines {
		hides := func(key, value string) bool { return q.Has(key) && q.Get(key) != value }
		if p.ProjectID != id || hides("source", p.Source) || hides("ref", p.Ref) || hides("name", p.Name) || hides("status", p.Status) ||
			p.Updated.Before(after) || now.Sub(p.Created) < lag {
			continue
		}
		rows = append(rows, p.clone())
	}
	g.mu.Unlock()
	if q.Get("order_by") == "updated_at" {
		slices.SortStableFunc(rows, func(a, b Pipeline) int { return a.Updated.Compare(b.Updated) })
	}
	if q.Get("sort") != "asc" {
		slices.Reverse(rows)
	}
	out := []map[string]any{}
	for _, p := range paged(w, r, rows) {
		out = append(out, g.short(&p))
	}
	answer(w, 200, encode(out))
}

func listVariables(w http.ResponseWriter, r *http.Request, p Pipeline) {
	out := []map[string]any{}
	for key, value := range p.Variables {
		out = append(out, map[string]any{"variable_type": "env_var", "key": key, "value": value, "raw": false})
	}
	slices.SortFunc(out, func(a, b map[string]any) int { return strings.Compare(a["key"].(string), b["key"].(string)) })
	answer(w, 200, encode(out))
}

// paged returns one page, and describes the others in GitLab's headers.
func paged[T any](w http.ResponseWriter, r *http.Request, all []T) []T {
	number := func(key string, otherwise, most int) int {
		n, err := strconv.Atoi(r.URL.Query().Get(key))
		if err != nil || n < 1 {
			return otherwise
		}
		return min(n, most)
	}
	per, page := number("per_page", 20, 100), number("page", 1, 1<<20)
	pages := (len(all) + per - 1) / per
	next := ""
	if page < pages {
		next = strconv.Itoa(page + 1)
	}
	for key, value := range map[string]string{
		"X-Page": strconv.Itoa(page), "X-Per-Page": strconv.Itoa(per), "X-Next-Page": next,
		"X-Total": strconv.Itoa(len(all)), "X-Total-Pages": strconv.Itoa(pages),
	} {
		w.Header().Set(key, value)
	}
	from := min((page-1)*per, len(all))
	return all[from:min(from+per, len(all))]
}

func (g *GitLab) short(p *Pipeline) map[string]any {
	return map[string]any{
		"id": p.ID, "iid": p.IID, "project_id": p.ProjectID, "sha": p.SHA, "ref": p.Ref, "status": p.Status,
		"source": p.Source, "created_at": stamp(p.Created), "updated_at": stamp(p.Updated), "name": orNull(p.Name),
		"web_url": fmt.Sprintf("%s/%s/-/pipelines/%d", g.conf.URL, p.Project, p.ID),
	}
}

func (g *GitLab) full(p *Pipeline) map[string]any {
	full := g.short(p)
	full["tag"], full["yaml_errors"], full["before_sha"] = false, nil, strings.Repeat("0", 40)
	full["user"] = map[string]any{"id": 1, "username": "deployer", "name": "Deployer", "state": "active"}
	full["started_at"], full["finished_at"], full["coverage"] = nil, nil, nil
	full["detailed_status"] = map[string]any{"icon": "status_" + p.Status, "text": p.Status, "label": p.Status, "group": p.Status}
	if p.Status == "failed" && len(p.Jobs) == 0 {
		full["yaml_errors"] = "jobs:deploy config should implement the script:, run:, or trigger: keyword"
	}
	return full
}

func (g *GitLab) rates(w http.ResponseWriter) {
	if g.conf.RateLimit > 0 {
		w.Header().Set("RateLimit-Limit", strconv.Itoa(g.conf.RateLimit))
		w.Header().Set("RateLimit-Observed", "1")
		w.Header().Set("RateLimit-Remaining", strconv.Itoa(g.conf.RateLimit-1))
		w.Header().Set("RateLimit-Reset", strconv.FormatInt(g.now().Truncate(time.Minute).Add(time.Minute).Unix(), 10))
	}
}

func answer(w http.ResponseWriter, status int, body string) {
	kind := "text/plain"
	switch {
	case strings.HasPrefix(body, "<"):
		kind = "text/html"
	case strings.HasPrefix(body, "{"), strings.HasPrefix(body, "["):
		kind = "application/json"
	}
	if _, told := w.Header()["Content-Type"]; !told {
		w.Header().Set("Content-Type", kind)
	}
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

// encode writes JSON as GitLab does: <, > and & as they are.
func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // what is encoded here always can be
	}
	return strings.TrimSpace(b.String())
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
