package gitlab

import (
	"context"
	"crypto/rand"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	api "github.com/xanzy/go-gitlab"

	"github.com/getto-systems/psycher/deploy"
)

// This file reads who may run pipelines, for those who check it.

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

// MayBe tells whether it may be that token: others than its owner see but a few
// characters, from behind a prefix that each GitLab can choose.
func (t TriggerToken) MayBe(token deploy.Secret) bool {
	return strings.Contains(token.Reveal(), t.Token.Reveal())
}

// tokensListed are the most trigger tokens that are read of a project.
const tokensListed = 100

// TriggerTokens reads the trigger tokens of a project; all, unless there are very many.
func (c *Client) TriggerTokens(ctx context.Context, project string) (list []TriggerToken, all bool, err error) {
	list, _, err = get[[]TriggerToken](ctx, c, project, "triggers", api.ListOptions{PerPage: tokensListed})
	return list, len(list) < tokensListed, err
}

// Protection is a rule that protects branches or tags.
type Protection struct {
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

// Protections reads the rules that protect a project's refs; kind is branches or tags.
func (c *Client) Protections(ctx context.Context, project, kind string) ([]Protection, error) {
	list, _, err := get[[]Protection](ctx, c, project, "protected_"+kind, api.ListOptions{PerPage: 100})
	return list, err
}

// Guards tells whether the rule protects a ref.
func (p Protection) Guards(ref string) bool {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(p.Name), `\*`, ".*") + "$").MatchString(ref)
}

// Allows tells whether the rule lets a member push, merge or create: any of them is
// enough to run a pipeline. Where a group may, that is not sure.
func (p Protection) Allows(m Member) (may, sure bool) {
	sure = true
	for _, h := range slices.Concat(p.Push, p.Merge, p.Create) {
		switch {
		case h.Key != nil:
		case h.Group != nil:
			sure = false
		case h.User != nil:
			may = may || *h.User == m.ID
		case h.Level != nil:
			may = may || *h.Level > 0 && m.Level >= *h.Level
		}
	}
	return may, sure || may
}

// ProbeTrigger tries a trigger token with a ref that cannot exist. GitLab makes no
// pipeline of that: a good token is refused with [deploy.MsgRefusedRef].
func (c *Client) ProbeTrigger(ctx context.Context, project string, token deploy.Secret) deploy.TriggerResult {
	o := c.attempt(ctx, project, triggerPath, &api.RunPipelineTriggerOptions{
		Ref: api.Ptr("psycher-doctor-" + rand.Text()), Token: api.Ptr(token.Reveal()),
	}, "", time.Now().Add(readTimeout), aPipeline)
	return c.finish(o, project, triggerPath, token)
}
