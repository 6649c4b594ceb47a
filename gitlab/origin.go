package gitlab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// origin is who speaks in an answer. It is decided before the answer's status
// is read as GitLab's word: a page with status 404 says nothing about a token.
type origin int

const (
	fromElsewhere origin = iota // a web server, a login page, GitLab's own pages: not its API
	fromProxy                   // a proxy on the way, which wants a login of its own
	fromNoRoute                 // GitLab's API, which knows no such path: it came decoded, or is of a newer GitLab
	fromGitLab                  // GitLab's API
)

// origin tells who gave an answer. GitLab's API says no in JSON, as a message or
// an error; where a thing is not there or a token is not taken, the message
// begins with the status. Its rate limiter alone speaks plain text. Its error
// "404 Not Found", where a message would be, is of no resource but of the path.
func (a *answer) origin() origin {
	switch a.status {
	case http.StatusProxyAuthRequired:
		return fromProxy
	case http.StatusTooManyRequests:
		return fromGitLab
	}
	if a.err != nil && a.isJSON() {
		return fromGitLab // cut, so only what it calls itself is known
	}
	var said struct {
		Message json.RawMessage
		Error   any
	}
	switch err := json.Unmarshal(a.body, &said); {
	case err == nil && a.status == http.StatusNotFound && said.Error == "404 Not Found":
		return fromNoRoute
	case err != nil, empty(said.Message) && said.Error == nil:
		// mutant: a page taken for GitLab's word
		return fromElsewhere
	case a.status == http.StatusNotFound, a.status == http.StatusUnauthorized && !empty(said.Message):
		if !strings.HasPrefix(string(said.Message), fmt.Sprintf("\"%d", a.status)) {
			return fromElsewhere
		}
	}
	return fromGitLab
}

func empty(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

func (a *answer) isJSON() bool {
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	return err == nil && kind == "application/json"
}

// speaker names who gave an answer, for the log.
func (a *answer) speaker() string {
	switch from := a.origin(); {
	case from == fromNoRoute:
		return "GitLab's API, which knows no such path,"
	case from == fromProxy:
		return "a proxy that wants a login"
	case from == fromGitLab, a.status >= 200 && a.status < 300 && a.isJSON():
		return "GitLab"
	case a.status < 200, a.status >= 500, mayHaveWorked[a.status]:
		return "GitLab, or what stands before it,"
	}
	return "something else than GitLab's API, at GITLAB_URL,"
}

var errProxyLogin = errors.New("the proxy wants a login (407)")

// proxyLogin tells a proxy that wants a login from one that cannot reach GitLab.
func proxyLogin(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusProxyAuthRequired {
		return errProxyLogin
	}
	return nil
}
