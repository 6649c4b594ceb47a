package gitlab

import (
	"net/http"
	"strings"

	"github.com/getto-systems/psycher/deploy"
)

// refusals are parts of GitLab's texts, in lower case, and their reasons. The first
// that is found counts. GitLab has no codes for them, and has changed single words
// before, so the parts are short.
var refusals = []struct {
	part string
	is   deploy.MessageID
}{
	{"identity verification", deploy.MsgRefusedIdentity},
	{"permissions to set pipeline variables", deploy.MsgRefusedVariables},
	{"permission to run a pipeline on", deploy.MsgRefusedProtected},
	{"protected branch", deploy.MsgRefusedProtected},
	{"protected ref", deploy.MsgRefusedProtected},
	{"permissions to create a new pipeline", deploy.MsgRefusedOwner},
	{"filtered out by workflow rules", deploy.MsgRefusedRules},
	{"pipeline will not run for the selected trigger", deploy.MsgRefusedNoJob},
	{"rules configuration prevented any jobs", deploy.MsgRefusedNoJob},
	{"no stages / jobs for this pipeline", deploy.MsgRefusedNoJob},
	{"reference not found", deploy.MsgRefusedRef},
	{"commit not found", deploy.MsgRefusedRef},
	{"ref is ambiguous", deploy.MsgRefusedAmbiguous},
	{"ref is missing", deploy.MsgRefusedRef},
	{"ref is empty", deploy.MsgRefusedRef},
	{"pipelines are disabled", deploy.MsgRefusedDisabled},
	{"project is deleted", deploy.MsgRefusedDisabled},
	{"archived", deploy.MsgRefusedDisabled},
	{"moved project", deploy.MsgRefusedMoved},
	{"missing ci config", deploy.MsgRefusedConfig},
	{".gitlab-ci.yml", deploy.MsgRefusedConfig},
	{" config should ", deploy.MsgRefusedConfig},
	{" config contains ", deploy.MsgRefusedConfig},
	{"chosen stage ", deploy.MsgRefusedConfig},
	{"undefined need", deploy.MsgRefusedConfig},
	{"invalid yaml", deploy.MsgRefusedConfig},
	{"did not find expected", deploy.MsgRefusedConfig}, // YAML's own parser
}

func refusal(status int, said string) deploy.MessageID {
	said = strings.ToLower(said)
	for _, r := range refusals {
		if strings.Contains(said, r.part) {
			return r.is
		}
	}
	switch status {
	case http.StatusNotFound:
		return deploy.MsgRefusedToken
	case http.StatusUnauthorized:
		return deploy.MsgRefusedUnauthorized
	}
	return deploy.MsgRefusedOther
}

// tooMany recognizes the one rate limit that is not a 429.
func tooMany(said string) bool {
	return strings.Contains(strings.ToLower(said), "too many pipelines created")
}
