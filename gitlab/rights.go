package gitlab

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	api "github.com/xanzy/go-gitlab"
)

// Rights tells what keeps the API token from looking at a project's pipelines,
// in words for the log; empty where nothing does, or where that cannot be told
// because no pipeline was triggered yet.
//
//docgen:messages log
func (c *Client) Rights(ctx context.Context, project string) (lacks string, err error) {
	query := &api.ListProjectPipelinesOptions{ListOptions: api.ListOptions{PerPage: 1}, Source: api.Ptr("trigger")}
	var list []pipeline
	_, err = c.get(ctx, pipelinesPath(project), query, &list)
	var se *statusError
	switch {
	case err == nil:
	case answered(err, http.StatusUnauthorized):
		return "GITLAB_API_TOKEN is not valid: GitLab answers 401", nil
	case answered(err, http.StatusForbidden):
		return "GITLAB_API_TOKEN cannot list pipelines: it takes the scope read_api and the role Reporter", nil
	case answered(err, http.StatusNotFound):
		return "GITLAB_API_TOKEN sees no such project: check project_id in GITLAB_TRIGGER_TOKENS, or give the token's user the role Reporter in it", nil
	case errors.As(err, &se) && se.from == fromProxy:
		return "the proxy on the way to GitLab wants a login (407): put user and password into the proxy's setting", nil
	case errors.As(err, &se) && se.status/100 == 3:
		return "GITLAB_URL redirects, and reads are led nowhere else: set it to where GitLab is; " + se.words, nil
	case errors.As(err, &se) && se.status < 500 && se.from != fromGitLab:
		return "something else than GitLab's API answers at GITLAB_URL: check its path, and the proxy or login before GitLab; it says " + se.words, nil
	default:
		return "", fmt.Errorf("try the API token on %s: %w", project, err)
	}
	if len(list) == 0 || uuid.MatchString(list[0].Name) { // a name may hold the id, and then it is enough
		return "", nil
	}
	_, err = c.askID(ctx, project, list[0].ID)
	if errors.Is(err, errHidden) {
		return "GITLAB_API_TOKEN cannot read the variables of pipelines: it takes the role Maintainer or the user who owns the trigger token," +
			" or a workflow:name in .gitlab-ci.yml that holds $" + idVariable, nil
	}
	if err != nil {
		return "", fmt.Errorf("try the API token on %s: %w", project, err)
	}
	return "", nil
}
