package web

import (
	"context"
	"errors"

	"github.com/slack-go/slack"
)

const groupMethod = "usergroups.users.list"

// Group reads who is in a user group. It needs the scope usergroups:read, and a plan of
// Slack's that has user groups.
func (c *Client) Group(ctx context.Context, id string) ([]string, error) {
	a, err := c.call(ctx, groupMethod, "", id, func(api *slack.Client) error {
		_, err := api.GetUserGroupMembersContext(ctx, id)
		return err
	})
	// mutant: an answer without members taken for a group without members
	if err == nil && a.Users == nil {
		err = errors.New(groupMethod + ": the answer does not name the members")
	}
	return a.Users, err
}

// GroupHandles reads how people call the user groups, by their ids.
func (c *Client) GroupHandles(ctx context.Context) (map[string]string, error) {
	a, err := c.call(ctx, "usergroups.list", "", "", func(api *slack.Client) error {
		_, err := api.GetUserGroupsContext(ctx)
		return err
	})
	handles := map[string]string{}
	for _, g := range a.Groups {
		handles[g.ID] = g.Handle
	}
	return handles, err
}
