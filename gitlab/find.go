package gitlab

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	api "github.com/xanzy/go-gitlab"

	"github.com/getto-systems/psycher/deploy"
)

const (
	idVariable = "PSYCHER_ID"

	clockSlack = 2 * time.Minute // between the clocks of GitLab's hosts
	listPages  = 10              // of a hundred pipelines or jobs each
	askLimit   = 50              // pipelines whose variables are read in one search
	knownLimit = 5000            // ids remembered
	hiddenFor  = 5 * time.Minute // before variables that the token may not see are tried again
)

// pipeline is what is read of GitLab's pipelines. The library has no named type
// for those of a list.
type pipeline struct {
	ID         int64     `json:"id"`
	Status     string    `json:"status"`
	Name       string    `json:"name"`
	WebURL     string    `json:"web_url"`
	SHA        string    `json:"sha"`
	YAMLErrors string    `json:"yaml_errors"`
	CreatedAt  time.Time `json:"created_at"`
}

func (p pipeline) failed(why string) deploy.Pipeline {
	return deploy.Pipeline{ID: p.ID, URL: p.WebURL, SHA: wholeSHA(p.SHA), End: deploy.Failed, Detail: plain(why)}
}

// deploymentID is the PSYCHER_ID among a pipeline's variables; empty if it has
// none. It never changes; whether the token may see it does.
type deploymentID struct {
	id          string
	hiddenUntil time.Time // the token may not see it, and is not tried again before; zero: it may
}

// Find implements [engine.GitLab]. It looks for the id in the names of the
// pipelines (workflow:name may hold it), else in their variables; the oldest with
// it counts. Only the id itself is a proof: a name with another UUID may be
// anybody's.
func (c *Client) Find(ctx context.Context, project, id string, age time.Duration) (deploy.Pipeline, bool, error) {
	if err := c.reserve(project, id, 1, true); err != nil {
		return deploy.Pipeline{}, false, err
	}
	list, complete, err := c.triggered(ctx, project, age)
	if err != nil {
		return deploy.Pipeline{}, false, err
	}
	slices.SortFunc(list, func(a, b pipeline) int { return cmp.Compare(a.ID, b.ID) })
	for _, p := range list {
		if id != "" && strings.Contains(strings.ToLower(p.Name), strings.ToLower(id)) {
			return c.found(project, p), complete, nil
		}
	}
	asks := 0
	// mutant: another tool's UUID in a name taken for a deployment's
	for _, p := range list {
		theirs, known := c.recall(p.ID)
		if !known {
			if asks++; asks > askLimit {
				return deploy.Pipeline{}, false, nil
			}
			if theirs, err = c.askID(ctx, project, p.ID); err != nil {
				return deploy.Pipeline{}, false, err
			}
		}
		if strings.EqualFold(theirs.id, id) {
			return c.found(project, p), complete, nil
		}
		complete = complete && theirs.hiddenUntil.IsZero()
	}
	return deploy.Pipeline{}, complete, nil
}

// found is a pipeline whose state is not read yet.
func (c *Client) found(project string, p pipeline) deploy.Pipeline {
	return deploy.Pipeline{ID: p.ID, URL: c.link(p.WebURL, project, p.ID), SHA: wholeSHA(p.SHA), Bridges: true}
}

// triggered lists a project's triggered pipelines, newest first, up to an age. It
// filters by neither status (that fails for months on large projects) nor ref
// (GitLab may spell it differently), nor by time: a pipeline's age is judged by
// GitLab's own clock, which is in every answer; ours and the store's may differ.
func (c *Client) triggered(ctx context.Context, project string, age time.Duration) (list []pipeline, complete bool, err error) {
	began := time.Now()
	query := &api.ListProjectPipelinesOptions{
		ListOptions: api.ListOptions{Page: 1, PerPage: 100, OrderBy: "id", Sort: "desc"}, Source: api.Ptr("trigger"),
	}
	var since time.Time
	complete = true
	for range listPages {
		page, a, err := get[[]pipeline](ctx, c, project, "pipelines", query)
		if err != nil {
			return nil, false, err
		}
		date := a.date()
		// mutant: a listing believed although GitLab's clock differs
		complete = complete && !date.IsZero()
		if since.IsZero() {
			// mutant: a pipeline searched without allowing for clock skew
			// mutant: a pipeline whose age is judged by our clock
			since = date.Add(-age - time.Since(began) - clockSlack)
		}
		for _, p := range page {
			switch {
			case p.ID <= 0:
				return nil, false, fmt.Errorf("get pipelines of %s: GitLab lists one without an id", project)
			case !p.CreatedAt.IsZero() && p.CreatedAt.Before(since):
				return list, complete, nil
			}
			list = append(list, p)
		}
		query.Page = a.next()
		if query.Page == 0 {
			return list, complete && len(page) < query.PerPage, nil // a full page that is the last one: not sure
		}
		c.spend(project, 1)
	}
	return list, false, nil
}

// askID reads the PSYCHER_ID among a pipeline's variables.
func (c *Client) askID(ctx context.Context, project string, pipeline int64) (theirs deploymentID, err error) {
	path := fmt.Sprintf("pipelines/%d/variables", pipeline)
	variables, _, err := get[[]struct{ Key, Value string }](ctx, c, project, path, nil)
	switch {
	case hidden(err):
		theirs.hiddenUntil = time.Now().Add(hiddenFor)
	case err != nil:
		return theirs, err
	}
	for _, v := range variables {
		switch v.Key {
		case "":
			return theirs, fmt.Errorf("get %s of %s: one has no name", path, project)
		case idVariable:
			theirs.id = v.Value
		}
	}
	c.remember(pipeline, theirs)
	return theirs, nil
}

func (c *Client) remember(pipeline int64, theirs deploymentID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= knownLimit {
		clear(c.known)
	}
	c.known[pipeline] = theirs
}

func (c *Client) recall(pipeline int64) (theirs deploymentID, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	theirs, known = c.known[pipeline]
	return theirs, known && (theirs.hiddenUntil.IsZero() || time.Now().Before(theirs.hiddenUntil))
}
