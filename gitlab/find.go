package gitlab

import (
	"cmp"
	"context"
	"errors"
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
	urlVariable   = "NOTIFY_URL"

	clockSlack = 2 * time.Minute // between GitLab's clocks: of what answers, and of what made the pipeline
	blindSlack = time.Hour       // where GitLab does not tell its time
	listPages  = 10              // of a hundred pipelines each
	askLimit   = 50              // pipelines asked for their variables in one search
	knownLimit = 5000            // answers remembered
	hiddenFor  = 5 * time.Minute // what may not be seen is not asked for again
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

// asked names a pipeline whose variables were asked for.
type asked struct {
	project  string
	pipeline int64
}

// theirs is the PSYCHER_ID of a pipeline. It never changes; whether it may be
// seen does.
type theirs struct {
	id     string
	hidden time.Time // it could not be seen; until then it is not asked for again
}

// errHidden: the token may not see the variables of a pipeline.
var errHidden = errors.New("GITLAB_API_TOKEN may not see the variables of this pipeline")

// Find looks for the pipeline of a deployment among those that were triggered
// since then: by its name, which may hold the id (workflow:name), else by its
// variables. Of several it gives the one that was made first. Only the id itself
// tells anything: a name that holds another UUID may be anybody's.
func (c *Client) Find(ctx context.Context, project, id string, age time.Duration) (deploy.Pipeline, bool, error) {
	list, complete, err := c.triggered(ctx, project, age)
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
	// mutant: a foreign UUID in a name taken for another deployment's
	for _, p := range list {
		theirs, err := c.knownID(asked{project, p.ID})
		if errors.Is(err, errNotAsked) {
			if asks++; asks > askLimit {
				complete = false
				break
			}
			theirs, err = c.askID(ctx, project, p.ID)
		}
		switch {
		case errors.Is(err, errHidden):
			complete = false
		case err != nil:
			return deploy.Pipeline{}, false, fmt.Errorf("look for the pipeline of %s: %w", id, err)
		case strings.EqualFold(theirs, id):
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
// that are older. It filters by neither status (that fails for months on large
// projects) nor ref (GitLab may write it in another way).
//
// A pipeline's age is judged by GitLab's own clock, which every answer tells:
// ours and the store's may be another. Only the filter, which goes out before
// any answer, relies on what was learned of that clock before; where it turns
// out to have been too narrow, the list is not complete.
func (c *Client) triggered(ctx context.Context, project string, age time.Duration) (list []pipeline, complete bool, err error) {
	began := time.Now()
	query := &api.ListProjectPipelinesOptions{
		ListOptions: api.ListOptions{Page: 1, PerPage: 100},
		Source:      api.Ptr("trigger"),
		OrderBy:     api.Ptr("id"),
		Sort:        api.Ptr("desc"),
	}
	if now, ok := c.gitlabNow(); ok {
		query.UpdatedAfter = api.Ptr(now.Add(-age - 2*clockSlack).UTC())
	}
	var since time.Time
	sure := true
	for range listPages {
		var page []pipeline
		a, err := c.read(ctx, pipelinesPath(project), query, &page)
		if err != nil {
			return nil, false, err
		}
		date := a.date()
		sure = sure && !date.IsZero()
		if since.IsZero() {
			// mutant: a pipeline looked for without room between clocks
			// mutant: a pipeline whose age is judged by our clock
			since = date.Add(-age - time.Since(began) - clockSlack)
			if date.IsZero() {
				since = began.Add(-age - blindSlack)
			}
			// mutant: a list that is believed though GitLab's clock was another
			sure = sure && (query.UpdatedAfter == nil || !query.UpdatedAfter.After(since))
		}
		for _, p := range page {
			switch {
			case p.ID <= 0:
				return nil, false, fmt.Errorf("get %s: GitLab's answer cannot be read: it lists a pipeline without an id", pipelinesPath(project))
			case !p.CreatedAt.IsZero() && p.CreatedAt.Before(since):
				return list, sure, nil
			}
			list = append(list, p)
		}
		next := a.next()
		if next == 0 {
			return list, sure && len(page) < query.PerPage, nil // a full page without a next one: not sure
		}
		query.Page = next
	}
	return list, false, nil
}

// learnClock takes in what GitLab's clock showed just now.
func (c *Client) learnClock(date time.Time) {
	if date.IsZero() {
		return
	}
	ahead := time.Until(date)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock = &ahead
}

// gitlabNow is what GitLab's clock shows, if any answer told that.
func (c *Client) gitlabNow() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.clock == nil {
		return time.Time{}, false
	}
	return time.Now().Add(*c.clock), true
}

var uuid = regexp.MustCompile(`(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

func holdsID(name, id string) bool {
	return id != "" && strings.Contains(strings.ToLower(name), strings.ToLower(id))
}

// askID reads the PSYCHER_ID among a pipeline's variables; empty if it has none.
func (c *Client) askID(ctx context.Context, project string, id int64) (string, error) {
	var variables []struct{ Key, Value string }
	_, err := c.get(ctx, pipelinePath(project, id)+"/variables", nil, &variables)
	if hidden(err) {
		c.remember(asked{project, id}, theirs{hidden: time.Now().Add(hiddenFor)})
		return "", fmt.Errorf("%w: %w", errHidden, err)
	}
	if err != nil {
		return "", err
	}
	found := ""
	for _, v := range variables {
		switch v.Key {
		case "":
			return "", fmt.Errorf("the variables of pipeline %d of %s cannot be read: one has no name", id, project)
		case idVariable:
			found = v.Value
		}
	}
	c.remember(asked{project, id}, theirs{id: found})
	return found, nil
}

func (c *Client) remember(p asked, t theirs) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= knownLimit {
		clear(c.known)
	}
	c.known[p] = t
}

var errNotAsked = errors.New("this pipeline was not asked for its variables")

// knownID is what is remembered of a pipeline's PSYCHER_ID; else errNotAsked or errHidden.
func (c *Client) knownID(p asked) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.known[p]
	switch {
	case !ok, !t.hidden.IsZero() && !time.Now().Before(t.hidden):
		return "", errNotAsked
	case !t.hidden.IsZero():
		return "", errHidden
	}
	return t.id, nil
}
