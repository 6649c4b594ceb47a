package gitlab

import (
	"context"
	"errors"
	"net/http"
	"regexp"

	api "github.com/xanzy/go-gitlab"
)

// Rights says what keeps the API token from reading a project's pipelines, in
// words for the log; empty if nothing does, or if that cannot be told because no
// pipeline was triggered yet.
//
//docgen:messages log
func (c *Client) Rights(ctx context.Context, project string) (lacks string, err error) {
	query := &api.ListProjectPipelinesOptions{ListOptions: api.ListOptions{PerPage: 1}, Source: api.Ptr("trigger")}
	var list []pipeline
	_, err = c.get(ctx, project, "pipelines", query, &list)
	if e, ok := errors.AsType[*statusError](err); ok {
		switch from := e.origin(); {
		case from == fromGitLab && e.status == http.StatusUnauthorized:
			return "GITLAB_API_TOKEN is not valid: GitLab answers 401", nil
		case from == fromGitLab && e.status == http.StatusForbidden:
			return "GITLAB_API_TOKEN cannot list pipelines: it needs the scope read_api and the role Reporter", nil
		case from == fromGitLab && e.status == http.StatusNotFound:
			return "GITLAB_API_TOKEN sees no such project: check project_id in GITLAB_TRIGGER_TOKENS, or give the token's user the role Reporter in it", nil
		case from == fromProxy:
			return "the proxy between psycher and GitLab wants a login (407): put user and password into the proxy's setting", nil
		case e.status/100 == 3:
			return "GITLAB_URL redirects, and reads follow no redirect to elsewhere: set it to where GitLab is; " + e.said, nil
		case e.status < 500 && from != fromGitLab:
			return "something else than GitLab's API answers at GITLAB_URL: check its path, and the proxy or login in front of GitLab; it says " + e.said, nil
		}
	}
	if err == nil && len(list) > 0 && !uuid.MatchString(list[0].Name) { // a name may hold the id, and then it is enough
		var theirs deploymentID
		theirs, err = c.askID(ctx, pipelineKey{project, list[0].ID})
		if !theirs.hiddenUntil.IsZero() {
			return "GITLAB_API_TOKEN cannot read the variables of pipelines: it needs the role Maintainer or the user who owns the trigger token," +
				" or a workflow:name in .gitlab-ci.yml that holds $" + idVariable, nil
		}
	}
	return "", err
}

var uuid = regexp.MustCompile(`(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
