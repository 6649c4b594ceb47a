package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/gitlab"
)

// These are sure of a fault only where a deploy, or what is switched on, will fail.
var gitlabChecks = []check{
	{"gitlab: address", true, once(gitlabAddress)},
	{"gitlab: token", true, once(gitlabToken)},
	{"gitlab: project", true, where((*Doctor).reads, byProject, followsPipelines)},
	{"gitlab: ref", true, each(byRef, refExists)},
	{"gitlab: CI/CD", false, each(byProject, runsPipelines)},
	{"gitlab: role", false, each(byProject, mayCancel)},
	{"gitlab: rollback", false, each(byProject, maySwitchBack)},
	{"gitlab: trigger token", false, each(byToken, tokenKnown)},
	{"gitlab: trigger owner", false, each(byToken, ownerMayRun)},
	{"gitlab: variables", false, each(byToken, variablesAllowed)},
	{"gitlab: protected ref", false, each(byTokenAndRef, protectedRef)},
	{"gitlab: CI file", false, each(byRef, ciFileValid)},
	{"gitlab: deploy job", false, each(byJob, deployJob)},
	{"gitlab: notify call", false, each(byRef, notifyCall)},
	{"gitlab: runners", false, each(byJob, runnersOnline)},
	{"gitlab: trigger", false, where((*Doctor).probes, byToken, tokenAccepted)},
}

func gitlabAddress(ctx context.Context, d *Doctor) Finding {
	version, err := d.version(ctx)
	switch gitlab.FailureOf(err) {
	case "":
		return ok("", "GitLab "+version+" answers")
	case gitlab.Unauthorized, gitlab.Forbidden:
		return ok("", "GitLab answers")
	case gitlab.BadTLS:
		return fault("", err.Error(), "write GITLAB_URL as the certificate names the host; name your own certificate authority in SSL_CERT_FILE")
	case gitlab.WantsLogin:
		return fault("", "the proxy before GitLab wants a login (407)", "put user and password into HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT")
	case gitlab.Redirects:
		return fault("", err.Error(), "set GITLAB_URL to that address, without /api/v4: no trigger follows a redirect")
	case gitlab.Elsewhere, gitlab.NoSuchPath, gitlab.NotFound:
		return fault("", err.Error(),
			"set GITLAB_URL to GitLab's own address, with the path below which it is, such as https://HOST/gitlab, past any login page")
	}
	return unseen("", err.Error(), "see that GitLab runs, and that this machine reaches GITLAB_URL: name, firewall, proxy")
}

func (d *Doctor) version(ctx context.Context) (string, error) {
	return ask(ctx, d, "version", d.GitLab.Version)
}

func (d *Doctor) token(ctx context.Context) (gitlab.Self, error) {
	return ask(ctx, d, "token", d.GitLab.Self)
}

const newToken = "create an access token with the scope read_api, or api to cancel and roll back (Preferences > Access tokens, " +
	"or Settings > Access tokens of the project or group), and put it into GITLAB_API_TOKEN"

func gitlabToken(ctx context.Context, d *Doctor) Finding {
	switch {
	case !d.GitLab.CanPoll():
		return unseen("", "GITLAB_API_TOKEN is not set: neither projects, refs, rights and CI files can be seen, nor a result that no pipeline reports",
			newToken)
	case !d.answers(ctx):
		return Finding{}
	}
	self, err := d.token(ctx)
	late, ends := runsOut(self.Expires)
	has := func(scope string) bool { return slices.Contains(self.Scopes, scope) }
	switch failure := gitlab.FailureOf(err); {
	case failure == gitlab.Unauthorized:
		return fault("", "GitLab does not accept GITLAB_API_TOKEN (401): it is wrong, was revoked, or has expired", newToken)
	case failure == gitlab.NoSuchPath:
		return unseen("", "this GitLab does not tell what GITLAB_API_TOKEN may do", "upgrade GitLab to 15.5")
	case err != nil:
		return unread("", err, "give GITLAB_API_TOKEN the scope read_api")
	case late:
		return fault("", "GITLAB_API_TOKEN "+ends, newToken)
	case has("api"):
		return ok("", "GITLAB_API_TOKEN has the scope api; it "+ends)
	case has("read_api"):
		return ok("", "GITLAB_API_TOKEN has the scope read_api, so psycher offers no button to cancel or roll back; it "+ends)
	case has("granular"):
		return ok("", "GITLAB_API_TOKEN has a right for each thing; it "+ends)
	}
	return fault("", "GITLAB_API_TOKEN has neither the scope read_api nor api", newToken)
}

// soon is how long before its end a right is a fault.
const soon = 14 * 24 * time.Hour

// runsOut tells whether something ends soon, and when.
func runsOut(on gitlab.Date) (late bool, when string) {
	switch left := time.Until(on.Time); {
	case on.IsZero():
		return false, "never expires"
	case left <= 0:
		return true, "has expired on " + on.Format(time.DateOnly)
	default:
		return left < soon, fmt.Sprintf("expires on %s, in %d days", on.Format(time.DateOnly), int(left.Hours()/24))
	}
}

// answers tells whether it is GitLab that answers at GITLAB_URL.
func (d *Doctor) answers(ctx context.Context) bool {
	_, err := d.version(ctx)
	failure := gitlab.FailureOf(err)
	return failure == "" || failure == gitlab.Unauthorized || failure == gitlab.Forbidden
}

// reads tells whether GitLab takes the API token: else that is all there is to say.
func (d *Doctor) reads(ctx context.Context, _ string) bool {
	if !d.GitLab.CanPoll() || !d.answers(ctx) {
		return false
	}
	_, err := d.token(ctx)
	return gitlab.FailureOf(err) != gitlab.Unauthorized
}

// steers tells whether psycher offers to cancel and to roll back.
func (d *Doctor) steers(ctx context.Context) bool {
	self, _ := d.token(ctx)
	return slices.Contains(self.Scopes, "api")
}

// unread is what there is to say where a read failed; right is what it needs.
func unread(about string, err error, right string) Finding {
	switch gitlab.FailureOf(err) {
	case gitlab.Forbidden, gitlab.NotFound, gitlab.Unauthorized, gitlab.NoSuchPath:
		return unseen(about, "GITLAB_API_TOKEN may not read it: "+err.Error(), right)
	}
	return unseen(about, err.Error(), "try again later; if it stays, look at what GitLab answers there")
}

func giveRole(role, project string) string {
	return "give the user of GITLAB_API_TOKEN the role " + role + " in " + project + ": Manage > Members"
}

// followsPipelines tells whether the pipelines of a project can be followed.
func followsPipelines(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	hidden, err := d.recovers(ctx, t.Project)
	switch failure := gitlab.FailureOf(err); {
	case failure == gitlab.NotFound:
		return fault(t.Project, "GITLAB_API_TOKEN sees no such project",
			"correct its project_id in the target map; if it is right, "+giveRole("Reporter", t.Project))
	case failure == gitlab.Forbidden:
		return fault(t.Project, "GITLAB_API_TOKEN may not list its pipelines",
			giveRole("Reporter", t.Project)+"; see that CI/CD is on: Settings > General > Visibility, project features, permissions")
	case err != nil:
		return unread(t.Project, err, giveRole("Reporter", t.Project))
	case hidden:
		return unseen(t.Project, "GITLAB_API_TOKEN may not read the variables of pipelines: one whose trigger was never answered is not found",
			"put $PSYCHER_ID into workflow:name of its .gitlab-ci.yml; or "+giveRole("Maintainer", t.Project))
	}
	return ok(t.Project, "its pipelines can be read")
}

func (d *Doctor) recovers(ctx context.Context, project string) (bool, error) {
	return ask(ctx, d, "recovers "+project, func(ctx context.Context) (bool, error) {
		d.turn(ctx) // it may take two calls
		return d.GitLab.Recovers(ctx, project)
	})
}

// exists tells whether the API token sees the project.
func (d *Doctor) exists(ctx context.Context, project string) bool {
	if !d.reads(ctx, project) {
		return false
	}
	_, err := d.recovers(ctx, project)
	return gitlab.FailureOf(err) != gitlab.NotFound
}

// look is a check of one target. The zero Finding is none.
type look func(context.Context, *Doctor, deploy.Target) Finding

// each makes a check of one target of each kind, in projects that can be seen.
func each(kind func(deploy.Target) string, see look) func(context.Context, *Doctor) []Finding {
	return where((*Doctor).exists, kind, see)
}

func where(may func(*Doctor, context.Context, string) bool, kind func(deploy.Target) string, see look) func(context.Context, *Doctor) []Finding {
	return func(ctx context.Context, d *Doctor) (all []Finding) {
		seen := map[string]bool{}
		for _, t := range d.Settings.Targets.All() {
			k := kind(t)
			switch {
			case seen[k]:
				continue
			case d.atStart && len(seen) == mostAtStart:
				return append(all, ok("", fmt.Sprintf("only the first %d were looked at: psycher doctor looks at all", mostAtStart)))
			}
			seen[k] = true
			if !may(d, ctx, t.Project) {
				continue
			}
			if f := see(ctx, d, t); f.Verdict != "" {
				all = append(all, f)
			}
		}
		return all
	}
}

// once makes a check that is about no target.
func once(see func(context.Context, *Doctor) Finding) func(context.Context, *Doctor) []Finding {
	return func(ctx context.Context, d *Doctor) []Finding {
		if f := see(ctx, d); f.Verdict != "" {
			return []Finding{f}
		}
		return nil
	}
}

func byProject(t deploy.Target) string { return t.Project }
func byRef(t deploy.Target) string     { return t.Project + " " + t.Ref }
func byToken(t deploy.Target) string   { return t.Project + " " + t.Token.Reveal() }
func byJob(t deploy.Target) string     { return byRef(t) + " " + t.Job + " " + t.Key }

func byTokenAndRef(t deploy.Target) string { return byToken(t) + " " + t.Ref }

func (d *Doctor) project(ctx context.Context, project string) (gitlab.Project, error) {
	return ask(ctx, d, "project "+project, func(ctx context.Context) (gitlab.Project, error) { return d.GitLab.Project(ctx, project) })
}

func refExists(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	about := byRef(t)
	_, kind, err := d.ref(ctx, t)
	switch {
	case gitlab.FailureOf(err) == gitlab.NotFound:
		return fault(about, "there is no such "+kind, "set GITLAB_REF, or the target's ref in the target map, to one that exists")
	case err != nil:
		return unread(about, err, giveRole("Reporter", t.Project))
	}
	return ok(about, "it is a "+kind)
}

// ref reads the branch or tag of a target.
func (d *Doctor) ref(ctx context.Context, t deploy.Target) (shown gitlab.Ref, kind string, err error) {
	name, isBranch := strings.CutPrefix(t.Ref, "refs/heads/")
	name, isTag := strings.CutPrefix(name, "refs/tags/")
	if !isTag {
		shown, err = d.named(ctx, t.Project, "branches", name)
		if isBranch || gitlab.FailureOf(err) != gitlab.NotFound {
			return shown, "branch", err
		}
	}
	shown, err = d.named(ctx, t.Project, "tags", name)
	if err != nil && !isTag {
		return shown, "branch or tag", err
	}
	return shown, "tag", err
}

// named reads one of a project's branches or tags.
func (d *Doctor) named(ctx context.Context, project, kind, name string) (gitlab.Ref, error) {
	return ask(ctx, d, kind+" "+project+" "+name, func(ctx context.Context) (gitlab.Ref, error) { return d.GitLab.Ref(ctx, project, kind, name) })
}

// runsPipelines tells whether a project runs pipelines at all.
func runsPipelines(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	p, err := d.project(ctx, t.Project)
	switch moved := strings.Contains(t.Project, "/") && p.Path != "" && !strings.EqualFold(t.Project, p.Path); {
	case err != nil:
		return unread(t.Project, err, giveRole("Reporter", t.Project))
	case p.Archived:
		return fault(t.Project, "it is archived", "Settings > General > Advanced > Unarchive project")
	case p.CI == "disabled":
		return fault(t.Project, "CI/CD is off", "turn it on: Settings > General > Visibility, project features, permissions > CI/CD")
	case p.Empty:
		return fault(t.Project, "its repository is empty", "push the code, with a .gitlab-ci.yml")
	case moved && d.steers(ctx):
		return fault(t.Project, "it is "+p.Path+" now, and GitLab cancels nothing under its old path", "write project_id as "+p.Path+" in the target map")
	case moved:
		return ok(t.Project, "it is "+p.Path+" now; GitLab still knows the old path")
	}
	return ok(t.Project, "it runs pipelines")
}
