package gitlab

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// origin is who gave an answer, in the words of the log. It is decided before the
// answer's status is taken for GitLab's: a page with status 404 says nothing about a
// token.
type origin string

const (
	fromElsewhere origin = "something else than GitLab's API, at GITLAB_URL," // a web server, a login page, GitLab's own pages
	fromProxy     origin = "a proxy that wants a login"
	fromNoRoute   origin = "GitLab's API, which has no such path," // something decoded it, or GitLab is too old
	fromGitLab    origin = "GitLab"                                // its API
	fromEither    origin = "GitLab, or something in front of it,"
)

// origin tells who gave an answer. GitLab's API refuses in JSON, with a message or
// an error; if a thing does not exist or a token is not valid, the message begins
// with the status. Only its rate limiter answers in plain text. An error "404 Not
// Found" in place of a message means that the path does not exist.
func (a *answer) origin() origin {
	switch a.status {
	case http.StatusProxyAuthRequired:
		return fromProxy
	case http.StatusTooManyRequests:
		return fromGitLab
	}
	if a.isJSON() && (a.err != nil || a.status/100 == 2) {
		return fromGitLab // if it was cut, only its content type is known
	}
	var said struct{ Message, Error any }
	switch err := json.Unmarshal(a.body, &said); {
	case err == nil && a.status == http.StatusNotFound && said.Error == "404 Not Found":
		return fromNoRoute
	case err != nil, said.Message == nil && said.Error == nil:
		if a.mayHaveWorked() {
			return fromEither
		}
		// mutant: a page taken for GitLab's answer
		return fromElsewhere
	case a.status == http.StatusNotFound, a.status == http.StatusUnauthorized && said.Message != nil:
		if message, _ := said.Message.(string); !strings.HasPrefix(message, strconv.Itoa(a.status)) {
			return fromElsewhere
		}
	}
	return fromGitLab
}

func (a *answer) isJSON() bool {
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	return err == nil && kind == "application/json"
}

var errProxyLogin = errors.New("the proxy wants a login (407)")

// proxyLogin distinguishes a proxy that wants a login from one that cannot reach
// GitLab.
func proxyLogin(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusProxyAuthRequired {
		return errProxyLogin
	}
	return nil
}
