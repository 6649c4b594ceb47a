package fakegitlab

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// triggerRequest is what a trigger POST asks for.
type triggerRequest struct {
	project   string
	token     string
	ref       string
	variables map[string]string
	wrong     string // why it cannot be read
	came      time.Time
}

func (g *GitLab) trigger(w http.ResponseWriter, r *http.Request) {
	a := readTrigger(r)
	a.came = g.now()
	g.mu.Lock()
	g.posts = append(g.posts, post{a.variables["channel"], a.variables["timestamp"]})
	fault, failing := take(&g.posting, r.URL.Path)
	g.tell()
	g.mu.Unlock()
	if failing {
		status := "created"
		if fault.Dies {
			status = "failed"
		}
		g.fail(w, r, fault, func() string { return g.start(a, fault.Make, status) })
		return
	}
	g.rates(w)
	if refused := g.refusal(a); refused != nil {
		answer(w, refused.Status, refused.Body)
		return
	}
	answer(w, http.StatusCreated, g.start(a, 1, "created"))
}

func readTrigger(r *http.Request) triggerRequest {
	a := triggerRequest{project: r.PathValue("project"), variables: map[string]string{}}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		a.wrong = "the body was cut"
		return a
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			a.wrong = "the form cannot be read"
		}
		a.token, a.ref = form.Get("token"), form.Get("ref")
		for key := range form {
			if name, ok := strings.CutPrefix(key, "variables["); ok {
				a.variables[strings.TrimSuffix(name, "]")] = form.Get(key)
			}
		}
		return a
	}
	var in struct {
		Token, Ref string
		Variables  map[string]any
	}
	if err := json.Unmarshal(body, &in); err != nil {
		a.wrong = "The request body is not valid JSON"
	}
	a.token, a.ref = in.Token, in.Ref
	for key, v := range in.Variables {
		s, ok := v.(string)
		if !ok {
			a.wrong = "variables needs to be a map of key-valued strings"
		}
		a.variables[key] = s
	}
	return a
}

// refusal is GitLab's own refusal of the request, or nil.
func (g *GitLab) refusal(a triggerRequest) *Fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	pr := g.project(a.project)
	switch {
	case a.wrong != "":
		return &Fault{Status: 400, Body: message(a.wrong)}
	case a.ref == "":
		return &Fault{Status: 400, Body: `{"error":"ref is missing"}`}
	case pr == nil || pr.Token != a.token:
		return &Fault{Status: 404, Body: message("404 Not Found")}
	case pr.Site.NoCI:
		return &Fault{Status: 400, Body: base("Pipelines are disabled!")}
	case pr.Site.ownerLost():
		return &Fault{Status: 400, Body: base("Insufficient permissions to create a new pipeline")}
	case !pr.has(a.ref):
		return &Fault{Status: 400, Body: base("Reference not found")}
	case !pr.unguarded && a.variables["PSYCHER_SHA"] != "" && a.variables["PSYCHER_SHA"] != g.head(pr, a.ref):
		return &Fault{Status: 400, Body: base("Pipeline filtered out by workflow rules.")}
	}
	return nil
}

// start creates n pipelines and returns the answer's body, about the first.
func (g *GitLab) start(a triggerRequest, n int, status string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	pr := g.project(a.project)
	if pr == nil {
		return message("404 Not Found")
	}
	body := ""
	g.making++
	for range n {
		p := g.make(pr, "trigger", a.ref, status, a.variables)
		p.Post, p.Posted = g.making, a.came
		if body == "" {
			body = encode(g.full(p))
		}
	}
	return body
}

// fail answers as the fault says. do does what was asked for, and returns the body
// of the answer.
func (g *GitLab) fail(w http.ResponseWriter, r *http.Request, f Fault, do func() string) {
	made := ""
	switch {
	case f.Make > 0 && f.After > 0:
		g.later(f.After, func() { do() })
	case f.Make > 0:
		made = do()
	}
	if f.Delay > 0 && !g.sleep(f.Delay) {
		panic(http.ErrAbortHandler)
	}
	if f.Hang {
		select {
		case <-r.Context().Done():
		case <-g.ctx.Done():
		}
	}
	if f.Hang || f.Status == 0 {
		panic(http.ErrAbortHandler) // net/http then cuts the connection
	}
	g.rates(w)
	for key, value := range f.Header {
		w.Header().Set(key, value)
	}
	if f.Reset > 0 {
		w.Header().Set("RateLimit-Remaining", "0")
		w.Header().Set("RateLimit-Reset", strconv.FormatInt(g.now().Add(f.Reset).Unix(), 10))
	}
	body := f.Body
	if body == "" {
		body = made
	}
	if f.Cut {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
	}
	answer(w, f.Status, body)
	if f.Cut {
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// later calls do after the client may have gone.
func (g *GitLab) later(d time.Duration, do func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	g.run.Go(func() {
		if g.sleep(d) {
			do()
		}
	})
}

// sleep reports whether the time has passed; it has not if the stand-in was closed.
func (g *GitLab) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-g.ctx.Done():
		return false
	}
}
