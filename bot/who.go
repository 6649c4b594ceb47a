package bot

import (
	"encoding/json"
	"strings"

	"github.com/getto-systems/psycher/bot/markup"
	"github.com/getto-systems/psycher/bot/web"
)

// origin is where a mention comes from.
type origin string

const (
	home      origin = "home"      // by a person of the bot's own workspace or organisation
	external  origin = "external"  // by a person not shown to be: answered, never deploys
	elsewhere origin = "elsewhere" // delivered for another workspace that has the app: not answered
)

// speaker decides where a mention comes from, by the fields that Slack was seen to
// send in channels of one workspace, of an Enterprise Grid and of Slack Connect:
//
//	context_team_id, else           the workspace that the event is delivered for
//	  authorizations[0].team_id
//	event.user_team                 the person's workspace, or their organisation (E...):
//	                                only sent for a shared channel; it decides
//	event.team                      the person's workspace, or the channel's
//	team_id, enterprise_id          a workspace and its organisation: the person's, or the channel's
//	event.source_team               where the channel is from: says nothing about the person
//	is_ext_shared_channel           people of other organisations can write there
//
// Without user_team every id sent must be home's, and in a shared channel the
// person's team must be sent.
func (p *eventPayload) speaker(me web.Identity) origin {
	e, where, org := &p.Event, p.deliveredFor(), me.Enterprise
	if org == "" && string(where.Team) == me.Team && strings.HasPrefix(string(where.Enterprise), "E") {
		org = string(where.Enterprise)
	}
	ours := func(id markup.Closed) bool {
		return string(id) == me.Team || org != "" && (string(id) == org || id == p.TeamID && string(p.EnterpriseID) == org)
	}
	switch {
	case where.Team != "" && string(where.Team) != me.Team && (org == "" || string(where.Team) != org):
		// mutant: an event for another workspace accepted
		return elsewhere
	case e.UserTeam != "":
		// mutant: a person of another organisation allowed
		if ours(e.UserTeam) {
			return home
		}
		return external
	// mutant: a person without a known organisation allowed
	case e.Team == "" && (p.TeamID == "" || markup.Present(p.ExtShared)),
		e.Team != "" && !ours(e.Team),
		p.TeamID != "" && !ours(p.TeamID):
		return external
	}
	return home
}

// workspace is a workspace with its organisation, if it has one.
type workspace struct {
	Team       markup.Closed `json:"team_id"`
	Enterprise markup.Closed `json:"enterprise_id"`
}

// deliveredFor is the installation of the app that an event is delivered for.
func (p *eventPayload) deliveredFor() workspace {
	if p.ContextTeamID != "" {
		return workspace{p.ContextTeamID, p.ContextEnterpriseID}
	}
	var all []workspace
	if json.Unmarshal(p.Authorizations, &all) != nil || len(all) == 0 {
		return workspace{}
	}
	return all[0]
}
