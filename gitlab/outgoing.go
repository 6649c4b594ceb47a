package gitlab

import (
	"context"
	"errors"
	"net/http"
	"strings"

	api "github.com/xanzy/go-gitlab"

	"github.com/getto-systems/psycher/deploy"
)

const (
	commitsRead = 100 // of those that go out
	titleLimit  = 100 // runes of a commit's title
	authorLimit = 50  // runes of its author's name
)

// commit is what is read of GitLab's commits.
type commit struct {
	ID         string `json:"id"`
	Title      string `json:"title"`
	AuthorName string `json:"author_name"`
	WebURL     string `json:"web_url"`
}

// Outgoing reads what goes out with head, a SHA or a ref: the commits since the
// SHA of the last success (empty: none is known), and at, the commit of head
// itself. Where it is not known what goes out, c is zero, and at is another commit
// than since.
func (c *Client) Outgoing(ctx context.Context, project, since, head string) (out deploy.Commits, at deploy.Commit, err error) {
	if wholeSHA(since) != "" {
		c.spend(project, 1)
		list, a, err := get[[]commit](ctx, c, project, "repository/commits", &api.ListCommitsOptions{
			ListOptions: api.ListOptions{PerPage: commitsRead}, RefName: api.Ptr(since + ".." + head), FirstParent: api.Ptr(true),
		})
		switch {
		case err != nil && !unknownCommit(err):
			return out, at, err
		case len(list) > 0:
			return c.outgoing(list, a, since)
		}
	}
	c.spend(project, 1)
	one, _, err := get[commit](ctx, c, project, "repository/commits/"+api.PathEscape(head), nil)
	if err == nil {
		at, err = c.commit(one)
	}
	if err != nil || wholeSHA(since) == "" || at.SHA == since {
		return out, at, err
	}
	// GitLab lists no commits also for a SHA that is not there any more.
	c.spend(project, 1)
	base, _, err := get[commit](ctx, c, project, "repository/merge_base", &api.MergeBaseOptions{Ref: &[]string{since, at.SHA}})
	switch {
	case err != nil && !unknownCommit(err):
		return out, at, err
	case err == nil && base.ID == at.SHA:
		out = deploy.Commits{Back: true, Compare: compare(at, since)}
	}
	return out, at, nil
}

// outgoing is a list of commits that go out, the newest first.
func (c *Client) outgoing(list []commit, a *answer, since string) (out deploy.Commits, at deploy.Commit, err error) {
	for _, one := range list[:min(len(list), 3)] {
		read, err := c.commit(one)
		if err != nil {
			return deploy.Commits{}, deploy.Commit{}, err
		}
		if at.SHA == "" {
			at = read
		}
		out.First = append(out.First, deploy.Commit{Title: read.Title, Author: read.Author})
	}
	out.Count, out.More, out.Compare = len(list), a.next() != 0, compare(at, since)
	return out, at, nil
}

func (c *Client) commit(one commit) (deploy.Commit, error) {
	if wholeSHA(one.ID) == "" {
		return deploy.Commit{}, errors.New("GitLab shows a commit without its SHA")
	}
	read := deploy.Commit{SHA: one.ID, Title: c.name(one.Title, titleLimit), Author: c.name(one.AuthorName, authorLimit)}
	if isPage(one.WebURL) && strings.HasSuffix(one.WebURL, "/commit/"+one.ID) {
		read.URL = one.WebURL
	}
	return read, nil
}

// compare is the page that compares a commit with an earlier one.
func compare(at deploy.Commit, since string) string {
	if page, ok := strings.CutSuffix(at.URL, "/commit/"+at.SHA); ok {
		return page + "/compare/" + since + "..." + at.SHA
	}
	return ""
}

// unknownCommit tells whether a read failed as GitLab does not know the commits.
func unknownCommit(err error) bool {
	return refusedWith(err, http.StatusNotFound, http.StatusBadRequest)
}
