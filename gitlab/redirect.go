package gitlab

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const redirectLimit = 3 // that a read follows

// redirects decides whether a redirect is followed: [http.ErrUseLastResponse] is no.
type redirects func(to *http.Request, via []*http.Request) error

// followNone is for triggers: a redirect would carry the token elsewhere, turn
// the POST into a GET, or make it twice.
func followNone(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// follow lets a read be led to another path of the same API, where GitLab has
// a project since it was renamed. It is never led anywhere else, since it
// carries the API token.
func (c *Client) follow(to *http.Request, via []*http.Request) error {
	// mutant: a read that is led to another host
	if to.Method != http.MethodGet || len(via) > redirectLimit || !c.isOurs(to.URL) {
		return http.ErrUseLastResponse
	}
	return nil
}

// isOurs tells whether a URL is one of this GitLab's API: the same scheme, host
// and port, below the same path, however that is written.
func (c *Client) isOurs(u *url.URL) bool {
	if u.User != nil || u.Opaque != "" || u.Scheme != c.base.Scheme ||
		!strings.EqualFold(u.Hostname(), c.base.Hostname()) || port(u) != port(c.base) {
		return false
	}
	if !strings.HasPrefix(u.EscapedPath(), c.base.EscapedPath()+"/api/v4/") || strings.ContainsAny(u.Path, "\\%") {
		return false
	}
	up := func(segment string) bool { return segment == "." || segment == ".." }
	return !slices.ContainsFunc(strings.Split(u.Path, "/"), up)
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}
