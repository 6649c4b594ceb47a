package rules

import (
	"slices"

	"github.com/getto-systems/psycher/deploy"
)

// Group is a user group of Slack's.
type Group struct {
	Handle  string // as people write it, without the @; empty: it is not known
	Members []string
}

// allow refuses people who are neither on the target's list, where it has one, nor in
// a group on it. Who may be in a group that cannot be read is refused too.
func allow(c Context) deploy.MessageID {
	if c.Target.Allow == nil {
		return ""
	}
	reason := deploy.MsgNotAllowed
	for _, id := range c.Target.Allow {
		group, isKnown := c.Groups[id]
		switch isGroup := deploy.IsGroup(id); {
		case !isGroup && id == c.Request.By.User, isGroup && slices.Contains(group.Members, c.Request.By.User):
			return ""
		// mutant: who may be in a group told that they may not
		case isGroup && !isKnown && !c.Request.By.External:
			reason = deploy.MsgGroupUnread
		}
	}
	return reason
}

// whomToAsk are some of a list who may deploy the target, as far as is known; groups by
// their handles, where these are known.
func whomToAsk(c Context, list []string) (people []string) {
	for _, id := range list {
		by := c
		by.Request.By = deploy.Person{User: id}
		// mutant: people named to be asked who are refused too
		if len(people) == maxPeople || !deploy.IsGroup(id) && allow(by) == deploy.MsgNotAllowed {
			continue
		}
		if handle := c.Groups[id].Handle; handle != "" {
			id = "@" + handle
		}
		people = append(people, id)
	}
	return people
}
