package gitlab

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	api "github.com/xanzy/go-gitlab"

	"github.com/getto-systems/psycher/deploy"
)

// This file reads what a project must be like so that deploys work, and who may run
// its pipelines, for those who check it. A field is a pointer where GitLab leaves out what the token may not see:
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
	case badTLS.MatchString(err.Error()):
		return BadTLS
	}
	return NoAnswer
}

var badTLS = regexp.MustCompile("x509: |tls: |HTTP response to HTTPS client")

func (e *statusError) failure() Failure {
	switch from := e.origin(); {
	case notAllowed(e):
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

// Member is somebody with a role in a project, of its own or by way of a group.
type Member struct {
	ID       int64
	Username string
	State    string
	Level    int  `json:"access_level"`
	Expires  Date `json:"expires_at"`
}

// Member reads a member of a project.
func (c *Client) Member(ctx context.Context, project string, id int64) (Member, error) {
	read, _, err := get[Member](ctx, c, project, fmt.Sprintf("members/all/%d", id), nil)
	return read, unless(read.ID == id && read.Level > 0, err)
}

// TriggerToken is a trigger token as GitLab shows it: whole only to its owner.
type TriggerToken struct {
	Token   deploy.Secret
	Expires Date `json:"expires_at"`
	Owner   *Member
}

// tokensListed are the most trigger tokens that are read of a project.
const tokensListed = 100

// TriggerTokens reads those of a project's trigger tokens that may be a token: others
// than its owner see but a few characters, from behind a prefix that each GitLab can
// choose. all: unless there are very many, all were looked at.
func (c *Client) TriggerTokens(ctx context.Context, project string, token deploy.Secret) (may []TriggerToken, all bool, err error) {
	list, _, err := get[[]TriggerToken](ctx, c, project, "triggers", api.ListOptions{PerPage: tokensListed})
	for _, one := range list {
		if strings.Contains(token.Reveal(), one.Token.Reveal()) {
			may = append(may, one)
		}
	}
	return may, len(list) < tokensListed, err
}

// protection is a rule that protects branches or tags.
type protection struct {
	Name   string   // may have *
	Push   []holder `json:"push_access_levels"`
	Merge  []holder `json:"merge_access_levels"`
	Create []holder `json:"create_access_levels"`
}

// holder is one of those who have a right: a role and what is above it, a user, a
// group, a deploy key.
type holder struct {
	Level *int   `json:"access_level"`
	User  *int64 `json:"user_id"`
	Group *int64 `json:"group_id"`
	Key   *int64 `json:"deploy_key_id"`
}

// MayRun tells whether the rules that protect a ref let a member push, merge or create:
// any of them is enough to run a pipeline. Where no rule is seen, or a group may, that
// is not sure. kind is branches or tags.
func (c *Client) MayRun(ctx context.Context, project, kind, ref string, m Member) (may, sure bool, err error) {
	list, _, err := get[[]protection](ctx, c, project, "protected_"+kind, api.ListOptions{PerPage: 100})
	group := false
	for _, p := range list {
		if !regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(p.Name), `\*`, ".*") + "$").MatchString(ref) {
			continue
		}
		sure = true
		for _, h := range slices.Concat(p.Push, p.Merge, p.Create) {
			switch {
			case h.Key != nil:
			case h.Group != nil:
				group = true
			case h.User != nil:
				may = may || *h.User == m.ID
			case h.Level != nil:
				may = may || *h.Level > 0 && m.Level >= *h.Level
			}
		}
	}
	return may, sure && !group, err
}

// ProbeTrigger tries a trigger token with a ref that cannot exist. GitLab makes no
// pipeline of that: a good token is refused with [deploy.MsgRefusedRef].
func (c *Client) ProbeTrigger(ctx context.Context, project string, token deploy.Secret) deploy.TriggerResult {
	o := c.attempt(ctx, project, triggerPath, &api.RunPipelineTriggerOptions{
		Ref: api.Ptr("psycher-doctor-" + rand.Text()), Token: api.Ptr(token.Reveal()),
	}, "", time.Now().Add(readTimeout), aPipeline)
	return c.finish(o, project, triggerPath, token)
}
