// Package fakegitlab is a stand-in for GitLab: the part of its API that psycher
// uses, with GitLab's own answers, able to fail on command in every way that
// GitLab and what stands before it are known to. It is an [http.Handler] and
// nothing more: what it listens on, and what its pipelines do, comes from
// outside.
package fakegitlab

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config is what a stand-in has.
type Config struct {
	URL        string // how it is reached, for links
	Projects   []Project
	APIToken   string              // the token of all but triggers; empty: there is none
	RateLimit  int                 // requests a minute that RateLimit-* headers tell of; 0: no such headers
	OnPipeline func(Pipeline)      // is called for each new pipeline, in a goroutine that Close waits for
	OnRetry    func(Pipeline)      // the same for each pipeline that is retried
	OnJobRetry func(Pipeline, Job) // the same for each job that is retried, with what took its place
	Scopes     []string            // of APIToken; nil: api
	Expires    string              // the day on which APIToken does; empty: never
	Version    string              // empty: 18.5.1-ee
}

// Project is one of its projects.
type Project struct {
	ID    int64
	Path  string   // group/app
	Was   string   // the path it had before it was renamed; empty: it never was
	Token string   // the trigger token
	Refs  []string // nil: only master
	Name  string   // workflow:name, as in "deploy $PSYCHER_ID"; empty: pipelines have no name
	Jobs  []Job    // what each pipeline begins with
	// Commits are those of each ref at the start, the oldest first; nil: a few. Those
	// without a SHA get one.
	Commits []Commit
	Site    Site // what else it shows, to those who check it

	history   map[string][]Commit // by ref, once it was asked for
	unguarded bool                // see Unguard
}

// Pipeline is one of its pipelines.
type Pipeline struct {
	ID        int64
	IID       int64
	Project   string // the path
	ProjectID int64
	Ref       string
	SHA       string // the ref's head when it was created
	Source    string
	Status    string
	Name      string
	Variables map[string]string
	Jobs      []Job
	Created   time.Time
	Updated   time.Time
	Post      int       // the POST that made it, as the POSTs are numbered that made any
	Posted    time.Time // when that POST came
}

// GitLab is the stand-in. It may be used by many goroutines.
type GitLab struct {
	conf Config
	mux  *http.ServeMux
	ctx  context.Context
	stop context.CancelFunc
	run  sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	pipelines []*Pipeline // in the order of their ids
	lastID    int64
	posts     []post
	making    int      // POSTs that made pipelines
	posting   []queued // faults of triggers
	looking   []queued // faults of look-ups
	lag       time.Duration
	keepsOn   bool                     // whatever is canceled
	granted   atomic.Pointer[[]string] // see SetScopes
	ahead     atomic.Int64             // of its clock, in nanoseconds
	changed   chan struct{}
}

// post is a trigger POST that arrived.
type post struct{ channel, ts string }

// New makes a stand-in. It must be closed.
func New(conf Config) *GitLab {
	g := &GitLab{conf: conf, lastID: 1000, changed: make(chan struct{})}
	g.conf.URL = strings.TrimRight(conf.URL, "/")
	g.ctx, g.stop = context.WithCancel(context.Background())
	g.mux = g.routes()
	return g
}

// Close ends what hangs or is delayed, and waits for what it started.
func (g *GitLab) Close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.stop()
	g.run.Wait()
}

// Pipelines are all pipelines, the oldest first.
func (g *GitLab) Pipelines() []Pipeline {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]Pipeline, 0, len(g.pipelines))
	for _, p := range g.pipelines {
		all = append(all, p.clone())
	}
	return all
}

// Posts counts the trigger POSTs that arrived, whatever their result.
func (g *GitLab) Posts() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.posts)
}

// PostsFor counts the trigger POSTs of one mention.
func (g *GitLab) PostsFor(channel, ts string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for _, p := range g.posts {
		if p == (post{channel, ts}) {
			n++
		}
	}
	return n
}

// Make creates a pipeline as somebody else would: from a push, a schedule.
func (g *GitLab) Make(project, source, ref string, variables map[string]string) (Pipeline, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	pr := g.project(project)
	if pr == nil {
		return Pipeline{}, false
	}
	return g.make(pr, source, ref, "created", variables).clone(), true
}

// Finish ends a pipeline, or moves it to any other status. So do its jobs, except
// those that have ended; if the pipeline itself had ended, all of them, as in a
// retry.
func (g *GitLab) Finish(id int64, status string) bool {
	return g.edit(id, func(p *Pipeline) {
		again := ended(p.Status)
		p.Status = status
		for i := range p.Jobs {
			j := &p.Jobs[i]
			switch {
			case j.Retried, ended(j.Status) && !again, j.Status == "manual":
			case slices.Contains([]string{"success", "canceled", "skipped", "pending", "running", "manual"}, status):
				j.move(status, g.now())
			case status == "failed" && slices.ContainsFunc(p.Jobs[:i], func(j Job) bool { return j.Status == "failed" }):
				j.move("skipped", g.now())
			case status == "failed":
				j.move(status, g.now())
			}
		}
	})
}

// SetJobs sets the jobs of a pipeline.
func (g *GitLab) SetJobs(id int64, jobs ...Job) bool {
	return g.edit(id, func(p *Pipeline) { p.Jobs = numbered(p.ID, jobs, g.now()) })
}

// Cancel cancels a pipeline that has not ended.
func (g *GitLab) Cancel(id int64) bool {
	return g.edit(id, func(p *Pipeline) {
		if g.keepsOn {
			return
		}
		if !ended(p.Status) {
			p.Status = "canceled"
		}
		p.moveAll(func(j Job) bool { return !ended(j.Status) }, "canceled", g.now())
	})
}

// IgnoreCancels makes cancels change nothing, which GitLab does not tell.
func (g *GitLab) IgnoreCancels(ignore bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.keepsOn = ignore
}

// Retry runs those jobs of a pipeline again that did not succeed.
func (g *GitLab) Retry(id int64) bool {
	return g.edit(id, func(p *Pipeline) {
		if p.Status == "success" {
			return
		}
		if again := g.conf.OnRetry; again != nil && !g.closed {
			defer func() { retried := p.clone(); g.run.Go(func() { again(retried) }) }()
		}
		p.Status = "running"
		p.moveAll(func(j Job) bool { return !j.Retried && j.Status != "success" }, "created", g.now())
	})
}

// Unguard takes the rule out of a project's CI file that lets no other commit pass than
// PSYCHER_SHA.
func (g *GitLab) Unguard(project string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.project(project).unguarded = true
}

// SetScopes sets the scopes of the API token.
func (g *GitLab) SetScopes(scopes ...string) { g.granted.Store(&scopes) }

// SetClock sets GitLab's clock ahead of the host's; negative: behind.
func (g *GitLab) SetClock(ahead time.Duration) { g.ahead.Store(int64(ahead)) }

func (g *GitLab) now() time.Time { return time.Now().Add(time.Duration(g.ahead.Load())) }

// Changed is closed at the next change: of a pipeline, or a POST that arrives.
func (g *GitLab) Changed() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.changed
}

// Until waits for a condition, which it checks after each change.
func (g *GitLab) Until(ctx context.Context, holds func() bool) error {
	for {
		changed := g.Changed()
		if holds() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for the stand-in of GitLab: %w", ctx.Err())
		}
	}
}

func (g *GitLab) edit(id int64, change func(*Pipeline)) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.pipeline(id)
	if p == nil {
		return false
	}
	change(p)
	p.Updated = g.now()
	g.tell()
	return true
}

// make, pipeline, project and tell are called with the lock held.

func (g *GitLab) make(pr *Project, source, ref, status string, variables map[string]string) *Pipeline {
	g.lastID++
	now := g.now()
	p := &Pipeline{
		ID: g.lastID, IID: g.lastID - 1000, Project: pr.Path, ProjectID: pr.ID, Ref: branch(ref), Source: source, Status: status,
		Variables: maps.Clone(variables), Jobs: numbered(g.lastID, pr.Jobs, now), Created: now, Updated: now,
		Name: expand(pr.Name, variables), SHA: g.head(pr, ref),
	}
	if status == "failed" {
		p.Jobs = nil // its CI file is invalid
	}
	g.pipelines = append(g.pipelines, p)
	g.tell()
	if made := p.clone(); g.conf.OnPipeline != nil && !g.closed && !ended(status) {
		g.run.Go(func() { g.conf.OnPipeline(made) })
	}
	return p
}

func (g *GitLab) pipeline(id int64) *Pipeline {
	for _, p := range g.pipelines {
		if p.ID == id {
			return p
		}
	}
	return nil
}

func (g *GitLab) project(name string) *Project {
	for i := range g.conf.Projects {
		p := &g.conf.Projects[i] // only parts of it are read: others are written under the lock
		if p.Path == name || p.Was != "" && p.Was == name || strconv.FormatInt(p.ID, 10) == name {
			return p
		}
	}
	return nil
}

func (g *GitLab) tell() {
	close(g.changed)
	g.changed = make(chan struct{})
}

func (p *Pipeline) clone() Pipeline {
	c := *p
	c.Variables = maps.Clone(p.Variables)
	c.Jobs = slices.Clone(p.Jobs)
	return c
}

// Ended reports whether the pipeline is over.
func (p Pipeline) Ended() bool { return ended(p.Status) }

func ended(status string) bool {
	return slices.Contains([]string{"success", "failed", "canceled", "skipped"}, status)
}

func expand(name string, variables map[string]string) string {
	for _, key := range slices.Backward(slices.Sorted(maps.Keys(variables))) { // longer keys before their beginnings
		name = strings.ReplaceAll(name, "$"+key, variables[key])
	}
	return name
}
