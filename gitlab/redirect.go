package gitlab

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const redirectLimit = 3 // followed by a read

// followNone is for triggers: a redirect would carry the token elsewhere, turn
// the POST into a GET, or make it twice.
func followNone(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// redirect returns where a read is redirected to if it may follow: another path of
// the same API, where GitLab has a project since it was renamed. It never goes
// anywhere else, since it carries the API token.
func (c *Client) redirect(a *answer, followed int) (*url.URL, bool) {
	to := a.location()
	// mutant: a read that is led to another host
	if to == nil || followed == redirectLimit || !c.isOurs(to) {
		return nil, false
	}
	return to, slices.Contains([]int{301, 302, 303, 307, 308}, a.status)
}

// location is where an answer leads; nil if it does not say, or not well.
func (a *answer) location() *url.URL {
	to, err := url.Parse(a.header.Get("Location"))
	if err != nil || a.header.Get("Location") == "" {
		return nil
	}
	if a.asked != nil {
		to = a.asked.ResolveReference(to)
	}
	return to
}

// isOurs tells whether a URL belongs to this GitLab's API: the same scheme, host
// and port, below the same path, however that is spelled.
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
