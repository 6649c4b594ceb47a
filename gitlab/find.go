package gitlab

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	api "github.com/xanzy/go-gitlab"

	"github.com/getto-systems/psycher/deploy"
)

const (
	idVariable    = "PSYCHER_ID"
	tokenVariable = "PSYCHER_TOKEN"
	clockSlack    = 2 * time.Minute // between GitLab's clock and ours
	listPages     = 10              // of a hundred pipelines each
	askLimit      = 50              // pipelines asked for their variables in one search
	knownLimit    = 5000            // answers remembered
)

// pipeline is what is read of GitLab's pipelines. The library's own type for
// those of a list has no name.
type pipeline struct {
	ID         int64     `json:"id"`
	Status     string    `json:"status"`
	Name       string    `json:"name"`
	WebURL     string    `json:"web_url"`
	YAMLErrors string    `json:"yaml_errors"`
	CreatedAt  time.Time `json:"created_at"`
}

func (p pipeline) failed(why string) deploy.Pipeline {
	return deploy.Pipeline{ID: p.ID, URL: p.WebURL, End: deploy.Failed, Detail: plain(why)}
}

// asked names a pipeline whose variables were read. They never change.
type asked struct {
	project  string
	pipeline int64
}

// Find looks for the pipeline of a deployment among those that were triggered
// since then: by its name, which may hold the id (workflow:name), else by its
// variables. Of several it gives the one that was made first.
func (c *Client) Find(ctx context.Context, project, id string, since time.Time) (deploy.Pipeline, bool, error) {
	list, complete, err := c.triggered(ctx, project, since.Add(-clockSlack))
	if err != nil {
		return deploy.Pipeline{}, false, fmt.Errorf("look for the pipeline of %s: %w", id, err)
	}
	slices.SortFunc(list, func(a, b pipeline) int { return cmp.Compare(a.ID, b.ID) })
	for _, p := range list {
		if holdsID(p.Name, id) {
			return c.found(project, p), complete, nil
		}
	}
	asks := 0
	for _, p := range list {
		if uuid.MatchString(p.Name) {
			continue // another deployment's
		}
		theirs, ok := c.knownID(asked{project, p.ID})
		if !ok {
			if asks++; asks > askLimit {
				complete = false
				break
			}
			theirs, err = c.askID(ctx, project, p.ID)
			if hidden(err) {
				complete = false
				continue
			}
			if err != nil {
				return deploy.Pipeline{}, false, fmt.Errorf("look for the pipeline of %s: %w", id, err)
			}
		}
		if strings.EqualFold(theirs, id) {
			return c.found(project, p), complete, nil
		}
	}
	return deploy.Pipeline{}, complete, nil
}

// found names a pipeline. How it goes is told by a look at it.
func (c *Client) found(project string, p pipeline) deploy.Pipeline {
	return deploy.Pipeline{ID: p.ID, URL: c.link(p.WebURL, project, p.ID)}
}

// triggered lists a project's triggered pipelines, newest first, until those
// that were made before since. It filters by neither status (that fails for
// months on large projects) nor ref (GitLab may write it in another way).
func (c *Client) triggered(ctx context.Context, project string, since time.Time) (list []pipeline, complete bool, err error) {
	query := &api.ListProjectPipelinesOptions{
		ListOptions:  api.ListOptions{Page: 1, PerPage: 100},
		Source:       api.Ptr("trigger"),
		UpdatedAfter: api.Ptr(since.UTC()),
		OrderBy:      api.Ptr("id"),
		Sort:         api.Ptr("desc"),
	}
	for range listPages {
		var page []pipeline
		next, err := c.get(ctx, pipelinesPath(project), query, &page)
		if err != nil {
			return nil, false, err
		}
		for _, p := range page {
			if !p.CreatedAt.IsZero() && p.CreatedAt.Before(since) {
				return list, true, nil
			}
			list = append(list, p)
		}
		if next == 0 {
			return list, len(page) < query.PerPage, nil // a full page without a next one: not sure
		}
		query.Page = next
	}
	return list, false, nil
}

var uuid = regexp.MustCompile(`(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

func holdsID(name, id string) bool {
	return id != "" && strings.Contains(strings.ToLower(name), strings.ToLower(id))
}

// askID reads the PSYCHER_ID among a pipeline's variables; empty if it has none.
func (c *Client) askID(ctx context.Context, project string, id int64) (string, error) {
	var variables []struct{ Key, Value string }
	_, err := c.get(ctx, pipelinePath(project, id)+"/variables", nil, &variables)
	if err != nil {
		return "", err
	}
	theirs := ""
	for _, v := range variables {
		if v.Key == idVariable {
			theirs = v.Value
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= knownLimit {
		clear(c.known)
	}
	c.known[asked{project, id}] = theirs
	return theirs, nil
}

func (c *Client) knownID(p asked) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, ok := c.known[p]
	return id, ok
}
