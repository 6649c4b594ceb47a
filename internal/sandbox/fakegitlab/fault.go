package fakegitlab

import (
	"slices"
	"strings"
	"time"
)

// Fault is how a request goes wrong. Its zero value cuts the connection without an
// answer.
type Fault struct {
	Name   string
	Status int               // of the answer; 0: none, the connection is cut
	Header map[string]string // more headers of the answer; HTML and JSON are detected
	Body   string            // of the answer; empty: the pipeline that was made
	Reset  time.Duration     // the rate limit is used up for this long
	Cut    bool              // the answer is cut before its last byte
	Hang   bool              // no answer until the client goes
	Delay  time.Duration     // the answer comes only then
	Make   int               // pipelines that are created nevertheless; of another request: 1, it is carried out nevertheless
	After  time.Duration     // they are created this much later, even if the client has gone
	Dies   bool              // they are created as failed
}

// queued is a fault with how many requests it still concerns; negative: all.
type queued struct {
	left  int
	part  string // of the path
	fault Fault
}

// Answer orders a fault for the next n trigger POSTs, after faults that were
// ordered before; negative: for all.
func (g *GitLab) Answer(n int, f Fault) { g.queue(&g.posting, queued{n, "", f}) }

// AnswerIn is [GitLab.Answer] for the trigger POSTs of one project.
func (g *GitLab) AnswerIn(project string, n int, f Fault) {
	g.queue(&g.posting, queued{n, "/" + project + "/", f})
}

// Ordered names the faults that still wait for a trigger POST.
func (g *GitLab) Ordered() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var names []string
	for _, q := range g.posting {
		names = append(names, q.fault.Name)
	}
	return names
}

// ForgetFaults removes the faults that [GitLab.Answer] ordered.
func (g *GitLab) ForgetFaults() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.posting = nil
}

// FailLookUps orders a fault for the next n requests other than triggers whose path
// contains part, such as "/variables"; negative: for all.
func (g *GitLab) FailLookUps(n int, part string, f Fault) { g.queue(&g.looking, queued{n, part, f}) }

// Heal forgets all faults and lags that were ordered.
func (g *GitLab) Heal() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.posting, g.looking, g.lag = nil, nil, 0
}

// Lag delays the time from which the list shows a new pipeline, as with the list
// of a replica.
func (g *GitLab) Lag(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lag = d
}

func (g *GitLab) queue(to *[]queued, q queued) {
	if q.left == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	*to = append(*to, q)
}

func take(from *[]queued, path string) (Fault, bool) {
	for i := range *from {
		q := &(*from)[i]
		if !strings.Contains(path, q.part) {
			continue
		}
		f := q.fault
		if q.left--; q.left == 0 {
			*from = slices.Delete(*from, i, i+1)
		}
		return f, true
	}
	return Fault{}, false
}

// All returns all named faults.
func All() []Fault { return slices.Concat(Refusals(), Strangers(), Faults()) }

// Named returns the fault of a name.
func Named(name string) (Fault, bool) {
	for _, f := range All() {
		if f.Name == name {
			return f, true
		}
	}
	return Fault{}, false
}

// Refusals are GitLab's refusals, in its own words.
func Refusals() []Fault {
	return []Fault{
		{Name: "reference not found", Status: 400, Body: base("Reference not found")},
		{Name: "reference not found, as a string", Status: 400, Body: message("Reference not found")},
		{Name: "commit not found", Status: 400, Body: base("Commit not found")},
		{Name: "ref is ambiguous", Status: 400, Body: base("Ref is ambiguous")},
		{Name: "workflow rules", Status: 400, Body: base("Pipeline filtered out by workflow rules.")},
		{Name: "no job", Status: 400, Body: base("Pipeline will not run for the selected trigger. " +
			"The rules configuration prevented any jobs from being added to the pipeline.")},
		{Name: "no job, older", Status: 400, Body: base("No stages / jobs for this pipeline.")},
		{Name: "no right to set variables", Status: 400, Body: base("Insufficient permissions to set pipeline variables")},
		{Name: "owner without rights", Status: 400, Body: base("Insufficient permissions to create a new pipeline")},
		{Name: "protected branch", Status: 400, Body: base("You do not have sufficient permission to run a pipeline on 'master'. " +
			"Please select a different branch or contact your administrator for assistance. " +
			`<a href="https://docs.gitlab.com/ci/pipelines/#pipeline-security-on-protected-branches">Learn more</a>`)},
		{Name: "pipelines disabled", Status: 400, Body: base("Pipelines are disabled!")},
		{Name: "project deleted", Status: 400, Body: base("Project is deleted!")},
		{Name: "no CI config", Status: 400, Body: base("Missing CI config file")},
		{Name: "broken CI config", Status: 400, Body: base("jobs:deploy config should implement the script:, run:, or trigger: keyword")},
		{Name: "identity, 400", Status: 400, Body: base("Identity verification is required in order to run CI jobs")},
		{Name: "identity, 403", Status: 403, Body: message("Identity verification is required in order to run CI jobs")},
		{Name: "not found", Status: 404, Body: message("404 Not Found")},
		{Name: "unauthorized", Status: 401, Body: message("401 Unauthorized")},
		{Name: "forbidden", Status: 403, Body: message("403 Forbidden")},
		{Name: "moved project", Status: 405, Body: message("Non GET methods are not allowed for moved projects")},
		{Name: "unheard of", Status: 400, Body: base("The moon is in the wrong phase")},
	}
}

// Strangers are the refusals of something else than GitLab's API: a web server, a
// login, a proxy. The last but one is from GitLab's API, which got a decoded path.
func Strangers() []Fault {
	return []Fault{
		{Name: "a web server's 404", Status: 404, Body: html("404 Not Found")},
		{Name: "a login's 401", Status: 401, Body: html("Sign in to continue"), Header: map[string]string{"WWW-Authenticate": "Basic"}},
		{Name: "a firewall's 403", Status: 403, Body: html("Access denied")},
		{Name: "a web server's 405", Status: 405, Body: html("405 Not Allowed")},
		{Name: "a gateway's 404", Status: 404, Body: message("no Route matched with those values")},
		{Name: "a ban's 403", Status: 403, Body: "Forbidden\n"},
		{Name: "a path that was decoded", Status: 404, Body: `{"error":"404 Not Found"}`},
		{Name: "a proxy's 407", Status: 407, Body: html("Cache Access Denied"), Header: map[string]string{"Proxy-Authenticate": "Basic"}},
	}
}

func html(title string) string {
	return "<!DOCTYPE html>\n<html><head><title>" + title + "</title><style>body { color: #666; }</style></head>" +
		"<body><h1>" + title + "</h1><p>Please contact your GitLab administrator.</p></body></html>\n"
}

// Faults are the other faults of a trigger.
func Faults() []Fault {
	return []Fault{
		{Name: "rate limit of a proxy", Status: 429, Body: "Retry later\n", Header: map[string]string{"Retry-After": "30"}, Reset: 30 * time.Second},
		{
			Name: "rate limit of the application", Status: 429, Header: map[string]string{"Retry-After": "60"},
			Body: message("This endpoint has been requested too many times. Try again later."),
		},
		{Name: "rate limit without a header", Status: 429, Body: "Retry later\n"},
		{Name: "too many pipelines", Status: 400, Body: base("Too many pipelines created in the last minute. Try again later.")},

		{Name: "failed pipeline, 422", Status: 422, Make: 1, Dies: true, Body: base("jobs:deploy config should implement the script:, run:, or trigger: keyword")},
		{Name: "failed pipeline, 201", Status: 201, Make: 1, Dies: true},

		{Name: "201 with a page", Status: 201, Make: 1, Body: html("Welcome")},
		{Name: "201 with half its JSON", Status: 201, Make: 1, Body: `{"id":4711,"iid":7,"project_id":1,"sta`},
		{Name: "201 with an empty object", Status: 201, Make: 1, Body: "{}"},
		{Name: "201 cut", Status: 201, Make: 1, Cut: true},
		{Name: "202 without a word", Status: 202, Make: 1, Body: " "},
		{Name: "500", Status: 500, Body: message("500 Internal Server Error")},
		{Name: "500 but made", Status: 500, Make: 1, Body: message("500 Internal Server Error")},
		{Name: "502", Status: 502, Body: html("GitLab is not responding (502)")},
		{Name: "503", Status: 503, Body: html("Deploy in progress (503)")},
		{Name: "504", Status: 504, Body: html("504 Gateway Time-out")},
		{Name: "520", Status: 520, Body: html("520: Web server is returning an unknown error")},
		{Name: "422 with a page", Status: 422, Body: html("The change you wanted was rejected (422)")},
		{Name: "408", Status: 408, Body: html("408 Request Time-out")},
		{Name: "409", Status: 409, Body: message("409 Conflict")},
		{Name: "425", Status: 425, Body: "Too Early"},
		{Name: "499", Status: 499, Body: "Client Closed Request"},
		{Name: "cut"},
		{Name: "made and cut", Make: 1},
		{Name: "hang", Hang: true},
		{Name: "made and hang", Make: 1, Hang: true},
		{Name: "made late and hang", Make: 1, After: 50 * time.Second, Hang: true},
		{Name: "made after the cut", Make: 1, After: 20 * time.Second},
		{Name: "slow", Status: 201, Make: 1, Delay: 30 * time.Second},
		{Name: "made twice", Status: 201, Make: 2},
		{Name: "made twice and cut", Make: 2},
		{Name: "redirect, 301", Status: 301, Body: html("301 Moved Permanently"), Header: map[string]string{"Location": "https://gitlab.example.org/api/v4/?from=user"}},
		{Name: "redirect, 307", Status: 307, Body: " ", Header: map[string]string{"Location": "https://user:word@gitlab.example.org/api/v4/"}},
	}
}

func message(s string) string { return encode(map[string]any{"message": s}) }

func base(s string) string {
	return encode(map[string]any{"message": map[string][]string{"base": {s}}})
}
