package gitlab

import (
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/getto-systems/psycher/deploy"
)

const wordsLimit = 300 // runes of GitLab's texts that are kept

// words returns what the body of an error says to a person: GitLab's message, of
// whatever shape, or the title or text of a page.
func words(body []byte) string {
	var page any
	if json.Unmarshal(body, &page) != nil {
		if m := title.FindSubmatch(body); m != nil {
			body = m[1]
		}
		return plain(string(body))
	}
	if m, ok := page.(map[string]any); ok {
		page = []any{m["message"], m["error"], m["error_description"]}
	}
	return plain(strings.Join(gather(nil, page, ""), "; "))
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

// entities are the few that GitLab's texts have; package html would make the
// binary larger than the rest of this package does.
var entities = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#39;", "'", "&nbsp;", " ")

// plain makes one line of text of a text with markup and line ends.
func plain(s string) string {
	s = tag.ReplaceAllString(unread.ReplaceAllString(entities.Replace(strings.ToValidUTF8(s, "")), " "), "")
	s = strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) && !unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// clean removes the API token and other secrets from a text, and everything that
// looks like a PSYCHER_TOKEN, also that of another attempt. Then it shortens the
// text: half a secret is a secret too.
func (c *Client) clean(s string, others ...deploy.Secret) string {
	if s == "" {
		return ""
	}
	s = login.ReplaceAllString(deploy.ScrubTokens(s), "$1[redacted]")
	for _, secret := range append(others, c.apiToken()) {
		if v := secret.Reveal(); v != "" {
			s = strings.NewReplacer(v, secret.String(), url.QueryEscape(v), secret.String()).Replace(s)
		}
	}
	return short(s, wordsLimit)
}

// login is a header with a password, in base64, in a page that repeats the request,
// as of a proxy.
var login = regexp.MustCompile(`(?i)(authorization: *\w+ +)\S+`)

// name is a foreign name as it is shown: one line, clean, and short.
func (c *Client) name(s string, limit int) string { return short(c.clean(plain(s)), limit) }

func short(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		s = string(r[:limit-1]) + "…"
	}
	return s
}

// wholeSHA is a commit's SHA, or empty if it is not one.
func wholeSHA(s string) string {
	if !sha.MatchString(s) {
		return ""
	}
	return s
}

var sha = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
