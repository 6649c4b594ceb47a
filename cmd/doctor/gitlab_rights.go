package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/gitlab"
)

// roleName names a role, or what is nearest below it.
func roleName(level int) string {
	names := []string{"no role", "the role Guest", "the role Reporter", "the role Developer", "the role Maintainer", "the role Owner"}
	return names[min(level/10, len(names)-1)]
}

// mayCancel tells whether the API token's role is enough for what psycher offers.
func mayCancel(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	self, _ := d.gitlab.Self(ctx)
	m, err := d.gitlab.Member(ctx, t.Project, self.UserID)
	steers, has := slices.Contains(self.Scopes, "api"), "the user of GITLAB_API_TOKEN has "+roleName(m.Level)
	fix := giveRole("Developer", t.Project) + "; or a token with the scope read_api, and psycher offers neither"
	return first([]when{
		{err != nil && !steers, Finding{}},
		{m.Level >= gitlab.Developer || !steers, ok(has)},
		{err != nil, unseen("GITLAB_API_TOKEN may cancel and roll back by its scope; whether its user may here is not shown", fix)},
		{true, fault(has+": GitLab will refuse to cancel and to roll back", fix)},
	})
}

// maySwitchBack tells whether GitLab runs a job again after a newer one has deployed.
func maySwitchBack(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	p, _ := d.gitlab.Project(ctx, t.Project)
	if !d.steers(ctx) || p.ForwardOnly == nil || p.Rollback == nil {
		return Finding{}
	}
	return first([]when{
		{*p.ForwardOnly && !*p.Rollback, fault("GitLab will refuse to roll back: it prevents outdated deployment jobs, retries too",
			"Settings > CI/CD > General pipelines > Allow job retries for rollback deployments")},
		{true, ok("a deployment job may be run again to roll back")},
	})
}

const (
	newTriggerToken = "create a trigger token as the user as whom deploys are to run (Settings > CI/CD > Pipeline trigger tokens), " +
		"and put it into the target map"
	tryToken   = "try the token: psycher doctor --probe-trigger"
	refusesAll = "GitLab will refuse every trigger"
)

func tokenKnown(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	may, sure, err := d.gitlab.TriggerTokens(ctx, t.Project, t.Token)
	maintainer := giveRole("Maintainer", t.Project)
	late, ends := false, ""
	if len(may) == 1 {
		late, ends = runsOut(may[0].Expires)
	}
	return first([]when{
		{gitlab.FailureOf(err) == gitlab.Forbidden, unseen("GITLAB_API_TOKEN does not show what only a Maintainer sees: trigger tokens and their owners, who may set pipeline variables, protected refs, runners",
			maintainer+"; or "+tryToken)},
		{err != nil, unread(err, maintainer)},
		{len(may) == 0 && sure, fault("its trigger token is none of the project's", newTriggerToken)},
		{len(may) == 0, unseen("the project has more trigger tokens than are read", tryToken)},
		{late, fault("its trigger token "+ends, newTriggerToken)},
		{true, ok("the project has its trigger token")},
	})
}

var errNotSeen = errors.New("it is not seen who owns the trigger token")

// owner reads who owns a target's trigger token, and the role in the project.
func (d *Doctor) owner(ctx context.Context, t deploy.Target) (gitlab.Member, error) {
	may, _, err := d.gitlab.TriggerTokens(ctx, t.Project, t.Token)
	if err != nil || len(may) != 1 || may[0].Owner == nil {
		return gitlab.Member{}, errNotSeen
	}
	of := may[0].Owner
	m, err := d.gitlab.Member(ctx, t.Project, of.ID)
	m.ID, m.Username, m.State = of.ID, of.Username, of.State
	return m, err
}

func ownerMayRun(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	m, err := d.owner(ctx, t)
	who := "@" + m.Username + ", who owns its trigger token,"
	fix := "give @" + m.Username + " the role Developer in " + t.Project + ": Manage > Members; or " + newTriggerToken
	late, ends := runsOut(m.Expires)
	return first([]when{
		{errors.Is(err, errNotSeen), Finding{}},
		{m.State != "" && m.State != "active", fault(who+" is "+m.State+": GitLab runs no pipeline of theirs", newTriggerToken)},
		{gitlab.FailureOf(err) == gitlab.NotFound, unseen(who+" has no role in the project, and may run pipelines only as an administrator", fix)},
		{err != nil, unread(err, giveRole("Maintainer", t.Project))},
		{m.Level < gitlab.Developer, fault(who+" has only "+roleName(m.Level), fix)},
		{late, fault("the role of "+who+" "+ends, fix)},
		{true, ok(who + " has " + roleName(m.Level))},
	})
}

// setVariables are the roles that may set pipeline variables, by GitLab's names.
var setVariables = map[string]int{
	"developer": gitlab.Developer, "maintainer": gitlab.Maintainer, "owner": gitlab.Owner, "no_one_allowed": gitlab.Owner + 1,
}

// variablesAllowed tells whether the project takes variables with a trigger: there
// always are some.
func variablesAllowed(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	p, _ := d.gitlab.Project(ctx, t.Project)
	least := gitlab.Maintainer // who may, before GitLab 17.1 has let one choose
	switch {
	case p.VariableRole == nil && p.Restricted == nil:
		return Finding{}
	case p.Restricted != nil && !*p.Restricted:
		least = gitlab.Developer
	case p.VariableRole != nil && setVariables[*p.VariableRole] > 0:
		least = setVariables[*p.VariableRole]
	}
	m, err := d.owner(ctx, t)
	takes := "pipeline variables take " + roleName(least)
	fix := "Settings > CI/CD > Variables > Minimum role to use pipeline variables: Developer"
	return first([]when{
		{least > gitlab.Owner, fault("the project lets nobody set pipeline variables: "+refusesAll, fix)},
		{least == gitlab.Developer, ok("Developers may set pipeline variables")},
		{err != nil, unseen(takes+"; it is not seen which its trigger token's owner has", giveRole("Maintainer", t.Project)+"; or "+fix)},
		{m.Level < least, fault(takes+", and @"+m.Username+", who owns the trigger token, has "+roleName(m.Level)+": "+refusesAll, fix)},
		{true, ok("@" + m.Username + " may set pipeline variables")},
	})
}

// protectedRef tells whether a trigger token's owner may run a pipeline on the ref.
func protectedRef(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	ref, kind, _ := d.ref(ctx, t)
	if ref.Name == t.Ref && kind == "branch" {
		if _, err := d.gitlab.Ref(ctx, t.Project, "tags", t.Ref); err == nil {
			return fault("there is a branch and a tag of that name: "+refusesAll, "write ref as refs/heads/"+t.Ref+" or refs/tags/"+t.Ref+" in the target map")
		}
	}
	is, does, kinds := "the "+kind+" is protected", "push or merge to", "branches"
	if kind == "tag" {
		does, kinds = "create", "tags"
	}
	if !ref.Protected {
		return ok("the " + kind + " is not protected")
	}
	m, hidden := d.owner(ctx, t)
	may, sure, err := d.gitlab.MayRun(ctx, t.Project, kinds, ref.Name, m)
	maintainer := giveRole("Maintainer", t.Project)
	fix := "let @" + m.Username + ", or " + roleName(max(m.Level, gitlab.Developer)) + ", " + does + " it: Settings > Repository > Protected " + kinds
	return first([]when{
		{hidden != nil, unseen(is+", and it is not seen whether the trigger token's owner may run pipelines there", maintainer)},
		{err != nil, unread(err, maintainer)},
		{may, ok(is + ", and @" + m.Username + " may run pipelines there")},
		{!sure, unseen(is+", and a group decides whether @"+m.Username+" may run pipelines there", fix)},
		{true, fault(is+", and @"+m.Username+", who owns the trigger token, may not "+does+" it: "+refusesAll, fix)},
	})
}

// probeFixes are what to do where a trigger token is refused before GitLab looks for
// the ref.
var probeFixes = map[deploy.MessageID]string{
	deploy.MsgRefusedToken:    "correct the target's token and project_id in the target map; or " + newTriggerToken,
	deploy.MsgRefusedOwner:    "give the user who owns the trigger token the role Developer: Manage > Members; or " + newTriggerToken,
	deploy.MsgRefusedDisabled: "turn CI/CD on: Settings > General > Visibility, project features, permissions > CI/CD",
	deploy.MsgRefusedIdentity: "let the user who owns the trigger token verify the identity, as GitLab.com asks at the next login",
}

func (d *Doctor) probes() bool { return d.ProbeTrigger }

// tokenAccepted tries a trigger token, which takes no API token.
func tokenAccepted(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	r := d.gitlab.ProbeTrigger(ctx, t.Project, t.Token)
	fix := probeFixes[r.Reason]
	return first([]when{
		{r.Reason == deploy.MsgRefusedRef, ok("GitLab accepts its trigger token, whose owner may run pipelines")},
		{fix != "", fault("GitLab refuses its trigger token: "+r.Detail, fix)},
		{true, unseen(fmt.Sprintf("GitLab's answer to its trigger token says nothing of it: %s, %v", r.Status, r.Err), "try again later; if it stays, look at what GitLab answers there")},
	})
}
