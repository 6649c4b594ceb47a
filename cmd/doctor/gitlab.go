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
	{"gitlab: address", true, nil, one(gitlabAddress)},
	{"gitlab: token", true, nil, one(gitlabToken)},
	{"gitlab: project", true, nil, each(byProject, isRead, followsPipelines)},
	{"gitlab: ref", true, nil, each(byRef, exists, refExists)},
	{"gitlab: CI/CD", false, nil, each(byProject, exists, runsPipelines)},
	{"gitlab: role", false, nil, each(byProject, exists, mayCancel)},
	{"gitlab: rollback", false, nil, each(byProject, exists, maySwitchBack)},
	{"gitlab: trigger token", false, nil, each(byTarget, exists, tokenKnown)},
	{"gitlab: trigger owner", false, nil, each(byTarget, exists, ownerMayRun)},
	{"gitlab: variables", false, nil, each(byTarget, exists, variablesAllowed)},
	{"gitlab: protected ref", false, nil, each(byTarget, hasRef, protectedRef)},
	{"gitlab: CI file", false, nil, each(byRef, hasRef, ciFileValid)},
	{"gitlab: deploy job", false, nil, each(byTarget, hasRef, deployJob)},
	{"gitlab: notify call", false, nil, each(byRef, hasRef, notifyCall)},
	{"gitlab: confirmed commit", false, nil, each(byTarget, confirmed, confirmedAlone)},
	{"gitlab: runners", false, nil, each(byTarget, hasRef, runnersOnline)},
	{"gitlab: trigger", false, (*Doctor).probes, each(byTarget, isGitLab, tokenAccepted)},
}

func gitlabAddress(ctx context.Context, d *Doctor) Finding {
	version, err := d.gitlab.Version(ctx)
	failure, says := gitlab.FailureOf(err), fmt.Sprint(err)
	return first([]when{
		{failure == "", ok("GitLab " + version + " answers")},
		{failure == gitlab.Unauthorized || failure == gitlab.Forbidden, ok("GitLab answers")},
		{failure == gitlab.BadTLS, fault(says, "write GITLAB_URL as the certificate names the host; name your own certificate authority in SSL_CERT_FILE")},
		{failure == gitlab.WantsLogin, fault("the proxy before GitLab wants a login (407)", "put user and password into HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT")},
		{failure == gitlab.Redirects, fault(says, "set GITLAB_URL to that address, without /api/v4: no trigger follows a redirect")},
		{failure == gitlab.NoAnswer, unseen(says, "see that GitLab runs, and that this machine reaches GITLAB_URL: name, firewall, proxy")},
		{true, fault(says, "set GITLAB_URL to GitLab's own address, with the path below which it is, such as https://HOST/gitlab, past any login page")},
	})
}

const newToken = "create an access token with the scope read_api, or api to cancel and roll back (Preferences > Access tokens, " +
	"or Settings > Access tokens of the project or group), and put it into GITLAB_API_TOKEN"

func gitlabToken(ctx context.Context, d *Doctor) Finding {
	if d.gitlab.CanPoll() && !isGitLab(ctx, d, deploy.Target{}) {
		return Finding{}
	}
	self, err := d.gitlab.Self(ctx)
	failure := gitlab.FailureOf(err)
	late, ends := runsOut(self.Expires)
	confirming := d.Settings.Targets.Confirming()
	has := func(scope string) bool { return slices.Contains(self.Scopes, scope) }
	return first([]when{
		{!d.gitlab.CanPoll(), unseen("GITLAB_API_TOKEN is not set: neither projects, refs, rights and CI files can be seen, nor a result that no pipeline reports", newToken)},
		{failure == gitlab.Unauthorized, fault("GitLab does not accept GITLAB_API_TOKEN (401): it is wrong, was revoked, or has expired", newToken)},
		{failure == gitlab.NoSuchPath, unseen("this GitLab does not tell what GITLAB_API_TOKEN may do", "upgrade GitLab to 15.5")},
		{err != nil, unread(err, "give GITLAB_API_TOKEN the scope read_api")},
		{late, fault("GITLAB_API_TOKEN "+ends, newToken)},
		{confirming != "" && has("read_api") && !has("api"), fault("GITLAB_API_TOKEN has the scope read_api, and "+confirming+" needs api: the pipeline of another commit than was confirmed is canceled", newToken)},
		{has("read_api") && !has("api"), ok("GITLAB_API_TOKEN has the scope read_api, so psycher offers no button to cancel or roll back; it " + ends)},
		{has("api") || has("granular"), ok("GITLAB_API_TOKEN has the scopes " + strings.Join(self.Scopes, ", ") + "; it " + ends)},
		{true, fault("GITLAB_API_TOKEN has neither the scope read_api nor api", newToken)},
	})
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

// isGitLab tells whether it is GitLab that answers at GITLAB_URL.
func isGitLab(ctx context.Context, d *Doctor, _ deploy.Target) bool {
	_, err := d.gitlab.Version(ctx)
	failure := gitlab.FailureOf(err)
	return failure == "" || failure == gitlab.Unauthorized || failure == gitlab.Forbidden
}

// isRead tells whether GitLab takes the API token: else that is all there is to say.
func isRead(ctx context.Context, d *Doctor, t deploy.Target) bool {
	if !d.gitlab.CanPoll() || !isGitLab(ctx, d, t) {
		return false
	}
	_, err := d.gitlab.Self(ctx)
	return gitlab.FailureOf(err) != gitlab.Unauthorized
}

// exists tells whether the API token sees the project.
func exists(ctx context.Context, d *Doctor, t deploy.Target) bool {
	if !isRead(ctx, d, t) {
		return false
	}
	_, err := d.gitlab.Recovers(ctx, t.Project)
	return gitlab.FailureOf(err) != gitlab.NotFound
}

// hasRef tells whether the project has the target's ref.
func hasRef(ctx context.Context, d *Doctor, t deploy.Target) bool {
	if !exists(ctx, d, t) {
		return false
	}
	_, _, err := d.ref(ctx, t)
	return err == nil
}

// steers tells whether psycher offers to cancel and to roll back.
func (d *Doctor) steers(ctx context.Context) bool {
	self, _ := d.gitlab.Self(ctx)
	return slices.Contains(self.Scopes, "api")
}

// unread is what there is to say where a read failed; right is what it needs.
func unread(err error, right string) Finding {
	switch gitlab.FailureOf(err) {
	case gitlab.Forbidden, gitlab.NotFound, gitlab.Unauthorized, gitlab.NoSuchPath:
		return unseen(fmt.Sprint("GITLAB_API_TOKEN may not read it: ", err), right)
	}
	return unseen(fmt.Sprint(err), "try again later; if it stays, look at what GitLab answers there")
}

func giveRole(role, project string) string {
	return "give the user of GITLAB_API_TOKEN the role " + role + " in " + project + ": Manage > Members"
}

// followsPipelines tells whether the pipelines of a project can be followed.
func followsPipelines(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	hidden, err := d.gitlab.Recovers(ctx, t.Project)
	failure, reporter := gitlab.FailureOf(err), giveRole("Reporter", t.Project)
	return first([]when{
		{failure == gitlab.NotFound, fault("GITLAB_API_TOKEN sees no such project", "correct its project_id in the target map; if it is right, "+reporter)},
		{failure == gitlab.Forbidden, fault("GITLAB_API_TOKEN may not list its pipelines",
			reporter+"; see that CI/CD is on: Settings > General > Visibility, project features, permissions")},
		{err != nil, unread(err, reporter)},
		{hidden, unseen("GITLAB_API_TOKEN may not read the variables of pipelines: one whose trigger was never answered is not found",
			"put $PSYCHER_ID into workflow:name of its .gitlab-ci.yml; or "+giveRole("Maintainer", t.Project))},
		{true, ok("its pipelines can be read")},
	})
}

func refExists(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	_, kind, err := d.ref(ctx, t)
	return first([]when{
		{gitlab.FailureOf(err) == gitlab.NotFound, fault("there is no such "+kind, "set GITLAB_REF, or the target's ref in the target map, to one that exists")},
		{err != nil, unread(err, giveRole("Reporter", t.Project))},
		{true, ok("it is a " + kind)},
	})
}

// ref reads the branch or tag of a target.
func (d *Doctor) ref(ctx context.Context, t deploy.Target) (shown gitlab.Ref, kind string, err error) {
	name, isBranch := strings.CutPrefix(t.Ref, "refs/heads/")
	name, isTag := strings.CutPrefix(name, "refs/tags/")
	if !isTag {
		shown, err = d.gitlab.Ref(ctx, t.Project, "branches", name)
		if isBranch || gitlab.FailureOf(err) != gitlab.NotFound {
			return shown, "branch", err
		}
	}
	shown, err = d.gitlab.Ref(ctx, t.Project, "tags", name)
	if err != nil && !isTag {
		return shown, "branch or tag", err
	}
	return shown, "tag", err
}

// runsPipelines tells whether a project runs pipelines at all.
func runsPipelines(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	p, err := d.gitlab.Project(ctx, t.Project)
	moved := strings.Contains(t.Project, "/") && p.Path != "" && !strings.EqualFold(t.Project, p.Path)
	return first([]when{
		{err != nil, unread(err, giveRole("Reporter", t.Project))},
		{p.Archived, fault("it is archived", "Settings > General > Advanced > Unarchive project")},
		{p.CI == "disabled", fault("CI/CD is off", "turn it on: Settings > General > Visibility, project features, permissions > CI/CD")},
		{p.Empty, fault("its repository is empty", "push the code, with a .gitlab-ci.yml")},
		{moved && d.steers(ctx), fault("it is "+p.Path+" now, and GitLab cancels nothing under its old path", "write project_id as "+p.Path+" in the target map")},
		{moved, ok("it is " + p.Path + " now; GitLab still knows the old path")},
		{true, ok("it runs pipelines")},
	})
}
