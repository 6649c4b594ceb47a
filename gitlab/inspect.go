package gitlab

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	api "github.com/xanzy/go-gitlab"
)

// This file reads what a project must be like so that deploys work, for those who
// check it. A field is a pointer where GitLab leaves out what the token may not see:
// nil is not false.

// Failure is why something could not be read.
type Failure string

const (
	NoAnswer     Failure = "no answer that makes sense" // it may pass
	BadTLS       Failure = "no TLS"
	WantsLogin           = Failure(fromProxy)
	Redirects    Failure = "a redirect"
	Elsewhere            = Failure(fromElsewhere)
	NoSuchPath           = Failure(fromNoRoute)
	Unauthorized Failure = "401"
	Forbidden    Failure = "403"
	NotFound     Failure = "404"
)

// FailureOf tells why a read failed; empty if it did not.
func FailureOf(err error) Failure {
	e, answered := errors.AsType[*statusError](err)
	switch {
	case err == nil:
		return ""
	case answered:
		return e.failure()
	case slices.ContainsFunc([]string{"x509: ", "tls: ", "HTTP response to HTTPS client"}, func(part string) bool { return strings.Contains(err.Error(), part) }):
		return BadTLS
	}
	return NoAnswer
}

func (e *statusError) failure() Failure {
	switch from := e.origin(); {
	case from == fromGitLab && slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound}, e.status):
		return Failure(strconv.Itoa(e.status))
	case e.status/100 == 3:
		return Redirects
	case from != fromGitLab && from != fromEither:
		return Failure(from)
	}
	return NoAnswer
}

// unless is the error of a read, also of an answer that is not about what was asked.
func unless(right bool, err error) error {
	if err == nil && !right {
		return errors.New("GitLab's answer makes no sense: it is not about what was asked")
	}
	return err
}

// Version reads GitLab's version. Without an API token GitLab answers it with
// [Unauthorized], which shows all the same that it is GitLab.
func (c *Client) Version(ctx context.Context) (string, error) {
	read, _, err := get[struct{ Version string }](ctx, c, "", versionPath, nil)
	return c.name(read.Version, nameLimit), unless(read.Version != "", err)
}

// Self is what GitLab shows of the API token.
type Self struct {
	UserID  int64 `json:"user_id"`
	Scopes  []string
	Expires Date `json:"expires_at"`
}

// Self reads what the API token may do.
func (c *Client) Self(ctx context.Context) (Self, error) {
	read, _, err := get[Self](ctx, c, "", "personal_access_tokens/self", nil)
	return read, unless(read.Scopes != nil, err)
}

// Date is a day or a time; zero if there is none.
type Date struct{ time.Time }

// UnmarshalJSON reads a day, a time or null.
func (d *Date) UnmarshalJSON(b []byte) (err error) {
	var text string
	if err := json.Unmarshal(b, &text); err != nil || text == "" {
		return err
	}
	if d.Time, err = time.Parse(time.DateOnly, text); err != nil {
		d.Time, err = time.Parse(time.RFC3339, text)
	}
	return err
}

// Roles in a project.
const (
	Reporter   = 20
	Developer  = 30
	Maintainer = 40
	Owner      = 50
)

// Project is what GitLab shows of a project.
type Project struct {
	Path         string  `json:"path_with_namespace"`
	Branch       string  `json:"default_branch"`
	Archived     bool    `json:"archived"`
	Empty        bool    `json:"empty_repo"`
	CI           string  `json:"builds_access_level"`
	CIFile       string  `json:"ci_config_path"`
	AutoDevOps   bool    `json:"auto_devops_enabled"`
	VariableRole *string `json:"ci_pipeline_variables_minimum_override_role"`
	Restricted   *bool   `json:"restrict_user_defined_variables"`
	ForwardOnly  *bool   `json:"ci_forward_deployment_enabled"`
	Rollback     *bool   `json:"ci_forward_deployment_rollback_allowed"`
}

// Project reads a project.
func (c *Client) Project(ctx context.Context, project string) (Project, error) {
	read, _, err := get[Project](ctx, c, project, "", nil)
	return read, unless(read.Path != "", err)
}

// Recovers tells whether a pipeline of the project could be found whose trigger was
// never answered: with no error they can be listed, and unless hidden, told apart.
func (c *Client) Recovers(ctx context.Context, project string) (hidden bool, err error) {
	query := &api.ListProjectPipelinesOptions{ListOptions: api.ListOptions{PerPage: 1}, Source: api.Ptr("trigger")}
	list, _, err := get[[]pipeline](ctx, c, project, "pipelines", query)
	if err != nil || len(list) == 0 || uuid.MatchString(list[0].Name) { // a name may hold the id, and then it is enough
		return false, err
	}
	theirs, err := c.askID(ctx, project, list[0].ID)
	if err != nil {
		err = errors.New(err.Error()) // the list was read: no [Failure] of the project
	}
	return !theirs.hiddenUntil.IsZero(), err
}

var uuid = regexp.MustCompile(`(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// Ref is a branch or tag.
type Ref struct {
	Name      string
	Protected bool
}

// Ref reads a branch or a tag; kind is branches or tags.
func (c *Client) Ref(ctx context.Context, project, kind, name string) (Ref, error) {
	read, _, err := get[Ref](ctx, c, project, "repository/"+kind+"/"+api.PathEscape(name), nil)
	return read, unless(read.Name == name, err)
}

// CIConfig is a project's CI configuration at a ref, its includes merged, as far as
// GitLab can tell without making a pipeline.
type CIConfig struct {
	Valid  *bool
	Errors []string
	Merged string `json:"merged_yaml"`
	Jobs   []CIJob
}

// CIJob is a job of a CI configuration.
type CIJob struct {
	Name  string
	Stage string
	Tags  []string `json:"tag_list"`
}

// CIConfig lints a project's CI configuration. GitLab before 16.10 does so at the
// default branch, whatever the ref.
func (c *Client) CIConfig(ctx context.Context, project, ref string) (CIConfig, error) {
	query := &api.ProjectLintOptions{ContentRef: api.Ptr(ref), IncludeJobs: api.Ptr(true)}
	read, _, err := get[CIConfig](ctx, c, project, "ci/lint", query)
	for i, e := range read.Errors {
		read.Errors[i] = c.clean(plain(e))
	}
	return read, err
}

// File reads a file of a project's repository.
func (c *Client) File(ctx context.Context, project, path, ref string) ([]byte, error) {
	path = "repository/files/" + api.PathEscape(path)
	read, _, err := get[struct{ Content []byte }](ctx, c, project, path, &api.GetFileOptions{Ref: api.Ptr(ref)})
	return read.Content, unless(read.Content != nil, err)
}

// Runners counts the runners that are online, take work, and have all these tags.
func (c *Client) Runners(ctx context.Context, project string, tags []string) (n int, err error) {
	query := &api.ListProjectRunnersOptions{ListOptions: api.ListOptions{PerPage: 100}, Status: api.Ptr("online"), TagList: &tags}
	list, _, err := get[[]struct{ Active *bool }](ctx, c, project, "runners", query)
	for _, r := range list {
		if r.Active == nil || *r.Active { // it is not paused
			n++
		}
	}
	return n, err
}
