package gitlab

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/getto-systems/psycher/deploy"
)

const wordsLimit = 300 // runes of GitLab's words that are kept

// refusals are parts of GitLab's texts, in lower case, and what they mean. The
// first that is found counts. GitLab has no codes for them, and has changed
// single words before: so the parts are short.
var refusals = []struct {
	part string
	say  deploy.MessageID
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
			return r.say
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

// tooMany tells the one rate limit that is not a 429.
func tooMany(said string) bool {
	return strings.Contains(strings.ToLower(said), "too many pipelines created")
}

// words reads what an error's body says to a person: GitLab's message in
// either of its shapes, or the text of a page.
func words(body []byte) string {
	var page any
	if err := json.Unmarshal(body, &page); err != nil {
		if m := title.FindSubmatch(body); m != nil {
			body = m[1]
		}
		return plain(string(body))
	}
	var said []string
	if m, ok := page.(map[string]any); ok {
		for _, key := range []string{"message", "error", "error_description"} {
			said = gather(said, m[key], "")
		}
	} else {
		said = gather(said, page, "")
	}
	return plain(strings.Join(said, "; "))
}

func gather(said []string, v any, of string) []string {
	switch v := v.(type) {
	case string:
		if v != "" {
			said = append(said, of+v)
		}
	case []any:
		for _, each := range v {
			said = gather(said, each, of)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if key == "base" {
				said = gather(said, v[key], "")
			} else {
				said = gather(said, v[key], key+" ")
			}
		}
	}
	return said
}

var (
	title  = regexp.MustCompile(`(?is)<title[^<>]*>(.*?)</title`)
	unread = regexp.MustCompile(`(?is)<(?:script|style)\b.*?</(?:script|style)\s*>|<!--.*?-->`)
	tag    = regexp.MustCompile(`(?i)<[/!]?[a-z][^<>]*>`)
)

// entities are the few that GitLab's texts hold; all of HTML's would weigh more
// than the rest of this package.
var entities = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#39;", "'", "&nbsp;", " ")

// plain makes one line of text of what may hold markup and line ends.
func plain(s string) string {
	s = tag.ReplaceAllString(unread.ReplaceAllString(entities.Replace(strings.ToValidUTF8(s, "")), " "), "")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsGraphic(r):
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// scrub takes secrets out of a text, and everything that looks like a
// PSYCHER_TOKEN: also one of another attempt.
func scrub(s string, secrets ...deploy.Secret) string {
	s = deploy.ScrubTokens(s)
	for _, secret := range secrets {
		if v := secret.Reveal(); v != "" {
			s = strings.ReplaceAll(s, v, secret.String())
			s = strings.ReplaceAll(s, url.QueryEscape(v), secret.String())
		}
	}
	return s
}

// cut bounds a text, after it was scrubbed: a half of a secret is one too.
func cut(s string) string {
	if r := []rune(s); len(r) > wordsLimit {
		return string(r[:wordsLimit-1]) + "…"
	}
	return s
}

func isLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}
