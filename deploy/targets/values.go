package targets

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/getto-systems/psycher/deploy"
)

const targetKeys = "project_id, token, ref, release_key, job, timeout, allow, aliases, url, announce, parallel, confirm, approvals, approvers, freeze, override" +
	"; in TARGETS_FILE token_env or token_file in place of token"

// maxApprovals is how many approvals a deploy may need.
const maxApprovals = 9

// setKey sets what one key of the map says of a target. It returns what is wrong with
// the value.
//
//docgen:messages settings
func (r *mapReader) setKey(t *deploy.Target, key string, value json.RawMessage) (problem string) {
	s := text(value)
	switch key {
	case "project_id":
		return setProject(t, value)
	case "token", "token_env", "token_file":
		return r.setToken(t, key, s)
	case "ref":
		if s == "" || strings.ContainsFunc(s, isBlank) {
			return "must be the name of a branch or tag, in quotes and without spaces"
		}
		t.Ref = s
	case "release_key":
		if !ciVariable.MatchString(s) {
			return "must be the name of a CI variable: letters, digits and _, not beginning with a digit"
		}
		if slices.Contains([]string{"channel", "timestamp"}, s) || strings.HasPrefix(s, "PSYCHER_") || strings.HasPrefix(s, "NOTIFY_") {
			return "must be another name: channel, timestamp, PSYCHER_* and NOTIFY_* are variables of psycher's own"
		}
		t.Key = s
	case "job":
		if strings.TrimSpace(s) == "" || len(s) > 255 || strings.ContainsFunc(s, unicode.IsControl) {
			return "must be the name of the job that deploys, or its beginning, in quotes"
		}
		t.Job = s
	case "timeout":
		d, err := time.ParseDuration(s)
		if err != nil || d <= 0 {
			return `must be a duration over zero in quotes, such as "90s", "30m" or "1h"`
		}
		t.Timeout = d
	case "allow":
		return setAllow(t, value)
	case "override":
		if t.Override = idList(value, userID); len(t.Override) == 0 {
			return `must be a list of user ids such as ["U01ABC"]`
		}
	case "aliases":
		if json.Unmarshal(value, &t.Aliases) != nil || len(t.Aliases) == 0 {
			return `must be a list of names such as ["front", "フロント"]`
		}
	case "url":
		if u, err := url.Parse(s); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(s) > 500 {
			return "must be the address of a web page, https:// or http://, without a user, in quotes"
		}
		t.Site = s
	case "announce":
		how, known := map[string]deploy.Announce{"never": deploy.AnnounceNever, "failures": deploy.AnnounceFailures, "all": deploy.AnnounceAll}[s]
		if !known {
			return `must be "never", "failures" or "all"`
		}
		t.Announce = how
	case "parallel":
		return setFlag(&t.Parallel, value)
	case "confirm":
		return setFlag(&t.Confirm, value)
	case "approvals":
		if json.Unmarshal(value, &t.Approvals) != nil || t.Approvals < 1 || t.Approvals > maxApprovals {
			return "must be a whole number from 1 to 9, without quotes"
		}
	case "approvers":
		if t.Approvers = idList(value, userID); len(t.Approvers) == 0 {
			return `must be a list of user ids such as ["U01ABC"]`
		}
	default:
		return "is not a key of a target; these are: " + targetKeys
	}
	return ""
}

var (
	ciVariable    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	projectNumber = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)
	projectPath   = regexp.MustCompile(`^[\pL\pN_.-]+(/[\pL\pN_.-]+)*$`)
	userOrGroupID = regexp.MustCompile(`^[UWS][A-Za-z0-9_-]*$`)
	userID        = regexp.MustCompile(`^[UW][A-Za-z0-9_-]*$`)
)

//docgen:messages settings
func setFlag(flag *bool, value json.RawMessage) (problem string) {
	if json.Unmarshal(value, flag) != nil || value[0] == 'n' {
		return "must be true or false, without quotes"
	}
	return ""
}

//docgen:messages settings
func setProject(t *deploy.Target, value json.RawMessage) (problem string) {
	name, form := text(value), projectPath
	if value[0] != '"' {
		name = string(value)
	}
	if value[0] != '"' || strings.Trim(name, "0123456789") == "" {
		form = projectNumber
	}
	if !form.MatchString(name) {
		return "must be the project's number, or its path such as group/app without host and leading /"
	}
	t.Project = name
	return ""
}

//docgen:messages settings
func (r *mapReader) setToken(t *deploy.Target, key, s string) (problem string) {
	switch {
	case r.look == nil && key == "token":
		return takeToken(t, s)
	case r.look == nil:
		return "is a key of TARGETS_FILE; here, give the token itself, as token"
	case key == "token":
		return "is a secret, which does not belong in this file: put it into a variable, and name that in token_env, or into a file, " +
			"and name that in token_file; make a new one if others have seen it here"
	case t.Token != "":
		return "is a second token: keep one of token_env and token_file"
	case s == "" || TokenKind(s) != "" || key == "token_env" && !ciVariable.MatchString(s):
		return "must be the name of a variable (token_env) or the path of a file (token_file), in quotes, and not the token"
	}
	token, err := r.look(key, s)
	if err != nil {
		return err.Error()
	}
	if problem = takeToken(t, token); problem != "" {
		problem = "what it names " + problem
	}
	return problem
}

//docgen:messages settings
func takeToken(t *deploy.Target, s string) (problem string) {
	switch kind := TokenKind(s); {
	case s == "":
		return "must be a trigger token, in quotes"
	case IsPlaceholder(s):
		return Placeholder
	case kind != "" && kind != triggerToken:
		return "is " + kind + ": make a trigger token (Settings > CI/CD > Pipeline trigger tokens)"
	case len(s) <= 4:
		return "is too short: GitLab shows only 4 characters of a trigger token to those who did not make it; ask who did, or make a new one"
	case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "has a blank or another character that no trigger token has"
	}
	t.Token = deploy.Secret(s)
	return ""
}

//docgen:messages settings
func setAllow(t *deploy.Target, value json.RawMessage) (problem string) {
	switch t.Allow = idList(value, userOrGroupID); {
	case t.Allow == nil:
		return `must be a list of user ids, or ids of user groups, such as ["U01ABC", "S01ABC"]`
	case len(t.Allow) == 0:
		return "is empty: name who may deploy, or leave it out to allow everyone in the channel"
	}
	return ""
}

// idList is a list of ids, sorted; nil: it is none.
func idList(value json.RawMessage, form *regexp.Regexp) (list []string) {
	if json.Unmarshal(value, &list) != nil || slices.ContainsFunc(list, func(id string) bool { return !form.MatchString(id) }) {
		return nil
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Placeholder is what is wrong with a token that [IsPlaceholder].
const Placeholder = "is the placeholder of the documents: put the real token in its place"

// IsPlaceholder reports whether a token is only what the documents write for one.
func IsPlaceholder(s string) bool {
	return strings.HasSuffix(s, "...") || s == "glpat-example"
}

const triggerToken = "a GitLab trigger token (glptt-)"

// TokenKind says by its beginning what a token is, such as "a Slack bot token
// (xoxb-)"; empty: the beginning is not known.
// GitLab's are in its documentation of token prefixes.
func TokenKind(s string) string {
	for _, kind := range [...]struct{ prefix, name string }{
		{"glptt-", triggerToken},
		{"glpat-", "a GitLab access token (glpat-)"},
		{"gldt-", "a GitLab deploy token (gldt-)"},
		{"glrt-", "a GitLab runner token (glrt-)"},
		{"glcbt-", "a GitLab job token (glcbt-)"},
		{"gloas-", "a GitLab OAuth secret (gloas-)"},
		{"glft-", "a GitLab feed token (glft-)"},
		{"glsoat-", "a GitLab SCIM token (glsoat-)"},
		{"glimt-", "a GitLab incoming mail token (glimt-)"},
		{"glagent-", "a GitLab agent token (glagent-)"},
		{"xoxb-", "a Slack bot token (xoxb-)"},
		{"xoxp-", "a Slack user token (xoxp-)"},
		{"xoxe", "a Slack refresh or configuration token (xoxe): token rotation must be off"},
		{"xapp-", "a Slack app-level token (xapp-)"},
		{"https://hooks.slack.com/", "the URL of a Slack webhook"},
	} {
		if strings.HasPrefix(s, kind.prefix) {
			return kind.name
		}
	}
	return ""
}

func isBlank(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar
}
