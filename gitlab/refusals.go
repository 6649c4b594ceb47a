package gitlab

import (
	"net/http"
	"slices"
	"strings"

	"github.com/getto-systems/psycher/deploy"
)

// refusals are reasons, and how GitLab's answers that mean them are known: by parts
// of their texts, in lower case, by their status, or by both. The first that is found
// counts. GitLab has no codes for them, and has changed single words before, so the
// parts are short.
type refusals []struct {
	is     deploy.MessageID
	status int      // 0: any
	parts  []string // nil: any text
}

var ofPipelines = refusals{
	{deploy.MsgRefusedIdentity, 0, []string{"identity verification"}},
	{deploy.MsgRefusedVariables, 0, []string{"permissions to set pipeline variables"}},
	{deploy.MsgRefusedProtected, 0, []string{"permission to run a pipeline on", "protected branch", "protected ref"}},
	{deploy.MsgRefusedOwner, 0, []string{"permissions to create a new pipeline"}},
	{deploy.MsgRefusedRules, 0, []string{"filtered out by workflow rules"}},
	{deploy.MsgRefusedNoJob, 0, []string{
		"pipeline will not run for the selected trigger", "rules configuration prevented any jobs",
		"no stages / jobs for this pipeline",
	}},
	{deploy.MsgRefusedRef, 0, []string{"reference not found", "commit not found"}},
	{deploy.MsgRefusedAmbiguous, 0, []string{"ref is ambiguous"}},
	{deploy.MsgRefusedRef, 0, []string{"ref is missing", "ref is empty"}},
	{deploy.MsgRefusedDisabled, 0, []string{"pipelines are disabled", "project is deleted", "archived"}},
	{deploy.MsgRefusedMoved, 0, []string{"moved project"}},
	{deploy.MsgRefusedConfig, 0, []string{
		"missing ci config", ".gitlab-ci.yml", " config should ", " config contains ", "chosen stage ",
		"undefined need", "invalid yaml", "did not find expected", // YAML's own parser
	}},
	{deploy.MsgRefusedToken, http.StatusNotFound, nil},
	{deploy.MsgRefusedUnauthorized, http.StatusUnauthorized, nil},
	{deploy.MsgRefusedOther, 0, nil},
}

// ofRetries are why a job was not run again.
var ofRetries = refusals{
	{deploy.MsgRefusedMoved, 0, []string{"moved project"}},
	{deploy.MsgRefusedRetry, 0, []string{"not retryable", "archived", "expired", "erased"}},
	{deploy.MsgRefusedRight, http.StatusNotFound, []string{"project"}},
	{deploy.MsgRefusedRetry, http.StatusNotFound, nil},
	{deploy.MsgRefusedRight, http.StatusUnauthorized, nil},
	{deploy.MsgRefusedRight, http.StatusForbidden, nil},
	{deploy.MsgRefusedOther, 0, nil},
}

func (r refusals) why(status int, said string) deploy.MessageID {
	said = strings.ToLower(said)
	has := func(part string) bool { return strings.Contains(said, part) }
	for _, one := range r {
		if (one.status == 0 || one.status == status) && (one.parts == nil || slices.ContainsFunc(one.parts, has)) {
			return one.is
		}
	}
	return ""
}

// tooManyPipelines is part of the one rate limit that is not a 429.
const tooManyPipelines = "too many pipelines created"
