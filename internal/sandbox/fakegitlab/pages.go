package fakegitlab

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// projectPage redirects from a project's number to its page.
func (g *GitLab) projectPage(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	pr := g.project(r.PathValue("project"))
	g.mu.Unlock()
	if pr == nil {
		http.NotFound(w, r)
		return
	}
	http.Redirect(w, r, g.conf.URL+"/"+pr.Path+"/-/pipelines", http.StatusFound)
}

// page is what a person sees after following a link.
func (g *GitLab) page(w http.ResponseWriter, r *http.Request) {
	path, rest, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/-/")
	kind, name, _ := strings.Cut(rest, "/")
	g.mu.Lock()
	pr := g.project(path)
	text := ""
	if pr != nil {
		text = g.textOf(pr, kind, name)
	}
	g.mu.Unlock()
	if text == "" && (pr == nil || kind != "pipelines" && kind != "environments" || name != "") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprint(w, text)
}

// textOf is called with the lock held.
func (g *GitLab) textOf(pr *Project, kind, name string) (text string) {
	for _, p := range g.pipelines {
		if p.ProjectID != pr.ID {
			continue
		}
		whole := kind == "pipelines" && (name == "" || name == strconv.FormatInt(p.ID, 10))
		if whole {
			text += fmt.Sprintf("pipeline %d of %s on %s: %s\n", p.ID, p.Project, p.Ref, p.Status)
		}
		for _, j := range p.Jobs {
			switch {
			case whole:
				text += fmt.Sprintf("  job %s (%s): %s\n", j.Name, j.Stage, j.Status)
			case kind == "jobs" && name == strconv.FormatInt(j.ID, 10):
				text += fmt.Sprintf("job %s (%s): %s\n%s", j.Name, j.Stage, j.Status, j.Log)
			}
		}
	}
	if kind == "environments" && name == "" {
		return g.environment(pr)
	}
	since, until, ranged := strings.Cut(name, "...")
	if kind != "commit" && kind != "compare" {
		return text
	} else if !ranged {
		until = name
	}
	old := g.find(pr, since)
	for _, c := range slices.Backward(g.find(pr, until)) {
		if ranged && slices.Contains(old, c) {
			break
		}
		text += fmt.Sprintf("%.8s %s (%s)\n", c.SHA, c.Title, c.Author)
		if !ranged {
			break
		}
	}
	return text
}

// environment says what a project's last job of the stage "deploy" has deployed.
func (g *GitLab) environment(pr *Project) (text string) {
	var newest Job
	for _, p := range g.pipelines {
		for _, j := range p.Jobs {
			if p.ProjectID == pr.ID && j.Stage == "deploy" && j.Status == "success" && !j.Finished.Before(newest.Finished) {
				line := g.find(pr, p.SHA)
				newest, text = j, fmt.Sprintf("%s: %.8s %s\n", pr.Path, p.SHA, line[len(line)-1].Title)
			}
		}
	}
	return text
}
