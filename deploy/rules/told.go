package rules

import "github.com/getto-systems/psycher/deploy"

// Told is what a deploy of the target takes, as people are told of it; nil: it is enough
// that somebody asks.
func Told(c Context) *deploy.Rules {
	t := c.Target
	if len(t.Allow) == 0 && !t.Confirm {
		return nil
	}
	// One more than is shown, so that it is seen that there are others.
	some := func(ids []string) (people []string) {
		for _, id := range ids[:min(len(ids), maxPeople+1)] {
			if handle := c.Groups[id].Handle; handle != "" {
				id = "@" + handle
			}
			people = append(people, id)
		}
		return people
	}
	return &deploy.Rules{Target: t.Name, Allow: some(t.Allow), Confirm: t.Confirm, Approvals: t.Approvals, Approvers: some(t.Approvers)}
}
