package fakegitlab

import (
	"crypto/sha1"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Commit is a commit of a project. Each ref has one line of them: no commit has
// two parents.
type Commit struct{ SHA, Title, Author string }

// someHistory is what the refs of a project begin with that has no commits of its own.
var someHistory = []Commit{
	{Title: "Set up the project", Author: "Hanako"}, {Title: "Add the login page", Author: "Taro"}, {Title: "Fix a typo", Author: "Hanako"},
}

// Push adds a commit to a ref. It is the zero Commit if there is no such ref.
func (g *GitLab) Push(project, ref, title, author string) (head Commit) {
	g.mu.Lock()
	defer g.mu.Unlock()
	pr := g.project(project)
	if pr == nil || !pr.has(ref) {
		return Commit{}
	}
	line := append(g.history(pr, ref), Commit{Title: title, Author: author})
	pr.history[branch(ref)] = hashed(pr, branch(ref), line)
	g.tell()
	return line[len(line)-1]
}

// history, head and find are called with the lock held.

// history is the line of a ref, the oldest commit first.
func (g *GitLab) history(pr *Project, ref string) []Commit {
	if pr.history == nil {
		pr.history = map[string][]Commit{}
	}
	line, ok := pr.history[branch(ref)]
	if !ok && pr.has(ref) {
		line = slices.Clone(pr.Commits)
		if line == nil {
			line = slices.Clone(someHistory)
		}
		line = hashed(pr, "", line)
		pr.history[branch(ref)] = line
	}
	return line
}

// head is the newest commit of a ref.
func (g *GitLab) head(pr *Project, ref string) string {
	if line := g.history(pr, ref); len(line) > 0 {
		return line[len(line)-1].SHA
	}
	return strings.Repeat("0", 40)
}

// find is the line that ends in a revision: the name of a ref, or a whole SHA.
func (g *GitLab) find(pr *Project, revision string) []Commit {
	if pr.has(revision) {
		return g.history(pr, revision)
	}
	for _, ref := range pr.refs() {
		line := g.history(pr, ref)
		if i := slices.IndexFunc(line, func(c Commit) bool { return c.SHA == revision }); i >= 0 {
			return line[:i+1]
		}
	}
	return nil
}

// listCommits knows a revision, and a range A..B. As in GitLab, what does not exist
// has no commits, and a page that is full has a next one.
func (g *GitLab) listCommits(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	pr := g.project(r.PathValue("project"))
	since, until, ranged := strings.Cut(r.URL.Query().Get("ref_name"), "..")
	if !ranged {
		since, until = "", since
	}
	if until == "" {
		until = pr.refs()[0]
	}
	rows, old := slices.Clone(g.find(pr, until)), g.find(pr, since)
	g.mu.Unlock()
	if ranged && old == nil {
		rows = nil
	}
	rows = slices.DeleteFunc(rows, func(c Commit) bool { return slices.Contains(old, c) })
	slices.Reverse(rows)
	out := []map[string]any{}
	for _, c := range paged(w, r, rows) {
		out = append(out, g.shape(pr, c))
	}
	w.Header().Del("X-Total")
	w.Header().Del("X-Total-Pages")
	if strconv.Itoa(len(out)) == w.Header().Get("X-Per-Page") {
		page, _ := strconv.Atoi(w.Header().Get("X-Page"))
		w.Header().Set("X-Next-Page", strconv.Itoa(page+1))
	}
	answer(w, 200, encode(out))
}

func (g *GitLab) oneCommit(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	pr := g.project(r.PathValue("project"))
	line := g.find(pr, r.PathValue("sha"))
	g.mu.Unlock()
	if line == nil {
		answer(w, 404, message("404 Commit Not Found"))
		return
	}
	answer(w, 200, encode(g.shape(pr, line[len(line)-1])))
}

func (g *GitLab) mergeBase(w http.ResponseWriter, r *http.Request) {
	refs := r.URL.Query()["refs[]"]
	if len(refs) < 2 {
		answer(w, 400, message("400 Bad request - Provide at least 2 refs"))
		return
	}
	g.mu.Lock()
	pr := g.project(r.PathValue("project"))
	common := g.find(pr, refs[0])
	for _, ref := range refs {
		line := g.find(pr, ref)
		if line == nil {
			g.mu.Unlock()
			answer(w, 400, message("400 Bad request - Could not find ref: "+ref))
			return
		}
		common = slices.DeleteFunc(slices.Clone(common), func(c Commit) bool { return !slices.Contains(line, c) })
	}
	g.mu.Unlock()
	if len(common) == 0 {
		answer(w, 404, message("404 Merge Base Not Found"))
		return
	}
	answer(w, 200, encode(g.shape(pr, common[len(common)-1])))
}

func (g *GitLab) shape(pr *Project, c Commit) map[string]any {
	return map[string]any{
		"id": c.SHA, "short_id": c.SHA[:8], "title": c.Title, "message": c.Title + "\n", "author_name": c.Author,
		"author_email": "somebody@gitlab.test", "web_url": fmt.Sprintf("%s/%s/-/commit/%s", g.conf.URL, pr.Path, c.SHA),
	}
}

// hashed gives SHAs to those commits that have none.
func hashed(pr *Project, ref string, line []Commit) []Commit {
	for i := range line {
		if line[i].SHA == "" {
			line[i].SHA = fmt.Sprintf("%x", sha1.Sum(fmt.Append(nil, pr.Path, ref, i, line[i].Title)))
		}
	}
	return line
}

func branch(ref string) string { return strings.TrimPrefix(ref, "refs/heads/") }

func (p *Project) has(ref string) bool {
	return slices.Contains(p.refs(), branch(ref)) || slices.Contains(p.Site.Tags, strings.TrimPrefix(ref, "refs/tags/"))
}

func (p *Project) refs() []string {
	if p.Refs == nil {
		return []string{"master"}
	}
	return p.Refs
}
