package gitlab

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/getto-systems/psycher/deploy"
)

// refusals are reasons, and the parts of GitLab's texts, in lower case, that they are
// known by. The first that is found counts. GitLab has no codes for them, and has
// changed single words before, so the parts are short.
var refusals = []struct {
	is    deploy.MessageID
	parts []string
}{
	{deploy.MsgRefusedIdentity, []string{"identity verification"}},
	{deploy.MsgRefusedVariables, []string{"permissions to set pipeline variables"}},
	{deploy.MsgRefusedProtected, []string{"permission to run a pipeline on", "protected branch", "protected ref"}},
	{deploy.MsgRefusedOwner, []string{"permissions to create a new pipeline"}},
	{deploy.MsgRefusedRules, []string{"filtered out by workflow rules"}},
	{deploy.MsgRefusedNoJob, []string{
		"pipeline will not run for the selected trigger", "rules configuration prevented any jobs",
		"no stages / jobs for this pipeline",
	}},
	{deploy.MsgRefusedRef, []string{"reference not found", "commit not found"}},
	{deploy.MsgRefusedAmbiguous, []string{"ref is ambiguous"}},
	{deploy.MsgRefusedRef, []string{"ref is missing", "ref is empty"}},
	{deploy.MsgRefusedDisabled, []string{"pipelines are disabled", "project is deleted", "archived"}},
	{deploy.MsgRefusedMoved, []string{"moved project"}},
	{deploy.MsgRefusedConfig, []string{
		"missing ci config", ".gitlab-ci.yml", " config should ", " config contains ", "chosen stage ",
		"undefined need", "invalid yaml", "did not find expected", // YAML's own parser
	}},
}

func refusal(status int, said string) deploy.MessageID {
	said = strings.ToLower(said)
	for _, r := range refusals {
		if slices.ContainsFunc(r.parts, func(part string) bool { return strings.Contains(said, part) }) {
			return r.is
		}
	}
	byStatus := map[int]deploy.MessageID{
		http.StatusNotFound: deploy.MsgRefusedToken, http.StatusUnauthorized: deploy.MsgRefusedUnauthorized,
	}
	return cmp.Or(byStatus[status], deploy.MsgRefusedOther)
}

// retryRefusal is why a job was not run again.
func retryRefusal(status int, said string) deploy.MessageID {
	lower := strings.ToLower(said)
	hasPart := func(part string) bool { return strings.Contains(lower, part) }
	switch {
	case hasPart("moved project"):
		return deploy.MsgRefusedMoved
	case slices.ContainsFunc([]string{"not retryable", "archived", "expired", "erased"}, hasPart), status == http.StatusNotFound && !hasPart("project"):
		return deploy.MsgRefusedRetry
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound:
		return deploy.MsgRefusedRight
	}
	return deploy.MsgRefusedOther
}

// tooManyPipelines is part of the one rate limit that is not a 429.
const tooManyPipelines = "too many pipelines created"
