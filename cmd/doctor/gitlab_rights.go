package doctor

import (
	"context"
	"errors"
	"fmt"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/gitlab"
)

var roles = []struct {
	level int
	name  string
}{{gitlab.Owner, "Owner"}, {gitlab.Maintainer, "Maintainer"}, {gitlab.Developer, "Developer"}, {gitlab.Reporter, "Reporter"}, {1, "Guest"}}

// roleName names a role, or what is nearest below it.
func roleName(level int) string {
	for _, r := range roles {
		if level >= r.level {
			return "the role " + r.name
		}
	}
	return "no role"
}

// mayCancel tells whether the API token's role is enough for what psycher offers.
func mayCancel(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	p, err := d.project(ctx, t.Project)
	if err != nil {
		return Finding{}
	}
	role, sure := p.Role(), true
	if role < gitlab.Developer && d.steers(ctx) { // it may have a higher one by way of an invited group
		self, _ := d.token(ctx)
		m, err := d.member(ctx, t.Project, self.UserID)
		role, sure = max(role, m.Level), err == nil
	}
	has := "the user of GITLAB_API_TOKEN has " + roleName(role)
	fix := giveRole("Developer", t.Project) + "; or a token with the scope read_api, and psycher offers neither"
	switch {
	case role >= gitlab.Developer || !d.steers(ctx):
		return ok(t.Project, has)
	case !sure:
		return unseen(t.Project, "GITLAB_API_TOKEN may cancel and roll back by its scope; whether its user may here is not shown", fix)
	}
	return fault(t.Project, has+": GitLab will refuse to cancel and to roll back", fix)
}

func (d *Doctor) member(ctx context.Context, project string, user int64) (gitlab.Member, error) {
	return ask(ctx, d, fmt.Sprintf("member %s %d", project, user), func(ctx context.Context) (gitlab.Member, error) {
		return d.GitLab.Member(ctx, project, user)
	})
}

// maySwitchBack tells whether GitLab runs a job again after a newer one has deployed.
func maySwitchBack(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	p, err := d.project(ctx, t.Project)
	switch {
	case err != nil || !d.steers(ctx) || p.ForwardOnly == nil || p.Rollback == nil:
		return Finding{}
	case *p.ForwardOnly && !*p.Rollback:
		return fault(t.Project, "GitLab will refuse to roll back: it prevents outdated deployment jobs, retries too",
			"Settings > CI/CD > General pipelines > Allow job retries for rollback deployments")
	}
	return ok(t.Project, "a deployment job may be run again to roll back")
}

// name tells a target's trigger token from others of the project.
func name(t deploy.Target) string { return t.Project + ", target " + t.Name + " in " + t.Channel }

// tokens reads the trigger tokens that may be a target's. sure: if there is none, the
// project does not have it.
func (d *Doctor) tokens(ctx context.Context, t deploy.Target) (may []gitlab.TriggerToken, sure bool, err error) {
	type listed struct {
		tokens []gitlab.TriggerToken
		all    bool
	}
	list, err := ask(ctx, d, "tokens "+t.Project, func(ctx context.Context) (l listed, err error) {
		l.tokens, l.all, err = d.GitLab.TriggerTokens(ctx, t.Project)
		return l, err
	})
	for _, each := range list.tokens {
		if each.MayBe(t.Token) {
			may = append(may, each)
		}
	}
	return may, list.all, err
}

const newTriggerToken = "create a trigger token as the user as whom deploys are to run (Settings > CI/CD > Pipeline trigger tokens), " +
	"and put it into the target map"

func tokenKnown(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	may, sure, err := d.tokens(ctx, t)
	switch {
	case gitlab.FailureOf(err) == gitlab.Forbidden:
		return unseen(name(t), "GITLAB_API_TOKEN does not show what only a Maintainer sees: trigger tokens and their owners, "+
			"who may set pipeline variables, protected refs, runners", giveRole("Maintainer", t.Project)+"; or try the token: psycher doctor --probe-trigger")
	case err != nil:
		return unread(name(t), err, giveRole("Maintainer", t.Project))
	case len(may) == 0 && sure:
		return fault(name(t), "its trigger token is none of the project's", newTriggerToken)
	case len(may) == 0:
		return unseen(name(t), "the project has more trigger tokens than are read", "try the token: psycher doctor --probe-trigger")
	case len(may) == 1:
		if late, ends := runsOut(may[0].Expires); late {
			return fault(name(t), "its trigger token "+ends, newTriggerToken)
		}
	}
	return ok(name(t), "the project has its trigger token")
}

const refusesAll = "GitLab will refuse every trigger"

var errNotSeen = errors.New("it is not seen who owns the trigger token")

// owner reads who owns a target's trigger token, and the role in the project.
func (d *Doctor) owner(ctx context.Context, t deploy.Target) (gitlab.Member, error) {
	may, _, err := d.tokens(ctx, t)
	if err != nil || len(may) == 0 || may[0].Owner == nil {
		return gitlab.Member{}, errNotSeen
	}
	for _, other := range may[1:] {
		if other.Owner == nil || other.Owner.ID != may[0].Owner.ID {
			return gitlab.Member{}, errNotSeen
		}
	}
	m, err := d.member(ctx, t.Project, may[0].Owner.ID)
	m.ID, m.Username, m.State = may[0].Owner.ID, may[0].Owner.Username, may[0].Owner.State
	return m, err
}

func ownerMayRun(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	m, err := d.owner(ctx, t)
	who := "@" + m.Username + ", who owns its trigger token,"
	fix := "give @" + m.Username + " the role Developer in " + t.Project + ": Manage > Members; or " + newTriggerToken
	late, ends := runsOut(m.Expires)
	switch {
	case errors.Is(err, errNotSeen):
		return Finding{}
	case m.State != "" && m.State != "active":
		return fault(name(t), who+" is "+m.State+": GitLab runs no pipeline of theirs", newTriggerToken)
	case gitlab.FailureOf(err) == gitlab.NotFound:
		return unseen(name(t), who+" has no role in the project, and may run pipelines only as an administrator", fix)
	case err != nil:
		return unread(name(t), err, giveRole("Maintainer", t.Project))
	case m.Level < gitlab.Developer:
		return fault(name(t), who+" has only "+roleName(m.Level), fix)
	case late:
		return fault(name(t), "the role of "+who+" "+ends, fix)
	}
	return ok(name(t), who+" has "+roleName(m.Level))
}

// variablesAllowed tells whether the project takes variables with a trigger: there
// always are some.
func variablesAllowed(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	p, err := d.project(ctx, t.Project)
	if err != nil || p.VariableRole == nil && p.Restricted == nil {
		return Finding{}
	}
	least := gitlab.Maintainer // who may, before GitLab 17.1 has let one choose
	for level, role := range map[int]string{gitlab.Developer: "developer", gitlab.Owner: "owner", gitlab.Owner + 1: "no_one_allowed"} {
		if p.VariableRole != nil && *p.VariableRole == role {
			least = level
		}
	}
	if p.Restricted != nil && !*p.Restricted {
		least = gitlab.Developer
	}
	m, err := d.owner(ctx, t)
	fix := "Settings > CI/CD > Variables > Minimum role to use pipeline variables: Developer"
	switch {
	case least > gitlab.Owner:
		return fault(name(t), "the project lets nobody set pipeline variables: "+refusesAll, fix)
	case least == gitlab.Developer:
		return ok(name(t), "Developers may set pipeline variables")
	case err != nil:
		return unseen(name(t), "pipeline variables take "+roleName(least)+"; it is not seen which its trigger token's owner has",
			giveRole("Maintainer", t.Project)+"; or "+fix)
	case m.Level < least:
		return fault(name(t), "pipeline variables take "+roleName(least)+", and @"+m.Username+", who owns the trigger token, has "+roleName(m.Level)+
			": "+refusesAll, fix)
	}
	return ok(name(t), "@"+m.Username+" may set pipeline variables")
}

// protectedRef tells whether a trigger token's owner may run a pipeline on the ref.
func protectedRef(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	about := name(t) + ", " + t.Ref
	ref, kind, err := d.ref(ctx, t)
	if err != nil {
		return Finding{} // as "gitlab: ref" says
	}
	if ref.Name == t.Ref && kind == "branch" {
		if _, err := d.named(ctx, t.Project, "tags", t.Ref); err == nil {
			return fault(about, "there is a branch and a tag of that name: "+refusesAll,
				"write ref as refs/heads/"+t.Ref+" or refs/tags/"+t.Ref+" in the target map")
		}
	}
	if !ref.Protected {
		return ok(about, "the "+kind+" is not protected")
	}
	m, err := d.owner(ctx, t)
	if err != nil {
		return unseen(about, "the "+kind+" is protected, and it is not seen whether the trigger token's owner may run pipelines there",
			giveRole("Maintainer", t.Project))
	}
	does, kinds := "push or merge to", "branches"
	if kind == "tag" {
		does, kinds = "create", "tags"
	}
	rules, err := ask(ctx, d, "rules "+kind+" "+t.Project, func(ctx context.Context) ([]gitlab.Protection, error) {
		return d.GitLab.Protections(ctx, t.Project, kinds)
	})
	if err != nil {
		return unread(about, err, giveRole("Maintainer", t.Project))
	}
	rule, known := false, true
	for _, p := range rules {
		if !p.Guards(ref.Name) {
			continue
		}
		may, sure := p.Allows(m)
		if may {
			return ok(about, "the "+kind+" is protected, and @"+m.Username+" may run pipelines there")
		}
		rule, known = true, known && sure
	}
	fix := "let @" + m.Username + ", or " + roleName(max(m.Level, gitlab.Developer)) + ", " + does + " it: Settings > Repository > Protected " + kinds
	if !rule || !known {
		return unseen(about, "the "+kind+" is protected, and a group decides whether @"+m.Username+" may run pipelines there", fix)
	}
	return fault(about, "the "+kind+" is protected, and @"+m.Username+", who owns the trigger token, may not "+does+" it: "+refusesAll, fix)
}

// probeFixes are what to do where a trigger token is refused before GitLab looks for
// the ref.
var probeFixes = map[deploy.MessageID]string{
	deploy.MsgRefusedToken:    "correct the target's token and project_id in the target map; or " + newTriggerToken,
	deploy.MsgRefusedOwner:    "give the user who owns the trigger token the role Developer: Manage > Members; or " + newTriggerToken,
	deploy.MsgRefusedDisabled: "turn CI/CD on: Settings > General > Visibility, project features, permissions > CI/CD",
	deploy.MsgRefusedIdentity: "let the user who owns the trigger token verify the identity, as GitLab.com asks at the next login",
}

func (d *Doctor) probes(ctx context.Context, _ string) bool { return d.ProbeTrigger && d.answers(ctx) }

// tokenAccepted tries a trigger token, which takes no API token.
func tokenAccepted(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	if !d.turn(ctx) {
		return Finding{}
	}
	r := d.GitLab.ProbeTrigger(ctx, t.Project, t.Token)
	if r.Reason == deploy.MsgRefusedRef {
		return ok(name(t), "GitLab accepts its trigger token, whose owner may run pipelines")
	}
	if fix := probeFixes[r.Reason]; fix != "" {
		return fault(name(t), "GitLab refuses its trigger token: "+r.Detail, fix)
	}
	return unseen(name(t), fmt.Sprintf("GitLab's answer to its trigger token says nothing of it: %s, %v", r.Status, r.Err),
		"try again later; if it stays, look at what GitLab answers there")
}
