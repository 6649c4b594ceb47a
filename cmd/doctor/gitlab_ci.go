package doctor

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/gitlab"
)

// lintsOneBranch matches the versions of GitLab that lint the default branch alone.
var lintsOneBranch = regexp.MustCompile(`^(\d|1[0-5]|16\.\d)\.`)

// ciFile reads the CI configuration, and tells whether it is valid.
func (d *Doctor) ciFile(ctx context.Context, t deploy.Target) (gitlab.CIConfig, bool) {
	c, _ := d.gitlab.CIConfig(ctx, t.Project, t.Ref)
	return c, ciFileValid(ctx, d, t).Verdict == OK
}

func ciFileValid(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	p, _ := d.gitlab.Project(ctx, t.Project)
	version, _ := d.gitlab.Version(ctx)
	c, err := d.gitlab.CIConfig(ctx, t.Project, t.Ref)
	said := strings.Join(c.Errors, "; ")
	fix := "correct it: Build > Pipeline editor, on " + t.Ref
	return first([]when{
		{lintsOneBranch.MatchString(version) && t.Ref != p.Branch, unseen("GitLab "+version+" checks only the CI file of the default branch",
			"upgrade GitLab to 16.10; until then look at Build > Pipeline editor")},
		{err != nil, unread(err, giveRole("Reporter", t.Project))},
		{c.Valid == nil, unseen("GitLab does not say whether the CI file is valid", fix)},
		{c.Valid != nil && *c.Valid, ok("the CI file is valid")},
		{strings.ContainsAny(p.CIFile, "@:"), unseen("the CI file is elsewhere, at "+p.CIFile, "see that it is valid there")},
		{p.AutoDevOps && strings.Contains(said, "provide content"), unseen("there is no CI file: Auto DevOps takes its place",
			"add one that deploys when psycher asks: psycher's examples have it")},
		{strings.Contains(strings.ToLower(said), "access denied"), unseen("GITLAB_API_TOKEN may not read what the CI file includes: "+said,
			giveRole("Reporter", "the projects that it includes files of"))},
		{true, fault("the CI file is not valid: "+said, fix)},
	})
}

// deployJob tells whether a pipeline has the jobs that count as the target's deploy. GitLab
// leaves out of a CI file what is included under a condition.
func deployJob(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	c, valid := d.ciFile(ctx, t)
	if !valid {
		return Finding{}
	}
	var names []string
	for _, j := range deploys(c, t) {
		names = append(names, j.Name)
	}
	seen, fix := "no job but those that notify", "add a job that deploys, as in psycher's examples"
	if t.Job != "" {
		seen = "no job whose name begins with " + strconv.Quote(t.Job)
		fix = `correct the target's "job" in the target map: the name of the job that deploys, or its beginning`
	}
	if names == nil {
		p, _ := d.gitlab.Project(ctx, t.Project)
		file, err := d.gitlab.File(ctx, t.Project, cmp.Or(p.CIFile, ".gitlab-ci.yml"), t.Ref)
		return first([]when{
			{err != nil || strings.Contains(string(file), "include"), unseen("GitLab shows "+seen+", but it does not show what is included under a condition", fix)},
			{true, fault("the CI file has "+seen, fix)},
		})
	}
	asks := regexp.MustCompile(`\$(` + t.Key + `\b|\{` + t.Key + `\})`)
	return first([]when{
		{t.Key != "" && !asks.MatchString(c.Merged), unseen("no job asks for $"+t.Key+", so it is not seen which of them psycher's trigger starts",
			`write the deploy job's rules: if: $CI_PIPELINE_SOURCE == "trigger" && $`+t.Key+"; or set the target's release_key to the variable that it asks for")},
		{true, ok("these jobs deploy: " + strings.Join(names, ", "))},
	})
}

// deploys are the jobs that count as a target's deploy.
func deploys(c gitlab.CIConfig, t deploy.Target) (jobs []gitlab.CIJob) {
	var all []deploy.Job
	for i, j := range c.Jobs {
		all = append(all, deploy.Job{ID: int64(i), Name: j.Name, Stage: j.Stage})
	}
	counted, _ := deploy.Counting{Job: t.Job}.DeployJobs(all)
	for _, j := range counted {
		jobs = append(jobs, c.Jobs[j.ID])
	}
	return jobs
}

// notifyCall tells whether pipelines tell psycher how they end.
func notifyCall(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	c, valid := d.ciFile(ctx, t)
	return first([]when{
		{!valid, Finding{}},
		{strings.Contains(c.Merged, "notify.sh") || strings.Contains(c.Merged, "NOTIFY_"), ok("the CI file calls psycher's notify port")},
		{true, unseen("the CI file calls neither notify.sh nor NOTIFY_URL; if no script does, psycher learns of an end by asking GitLab alone",
			`write ./bin/notify.sh "$CI_JOB_STATUS" into after_script of the deploy job, and ./bin/notify.sh start before it deploys`)},
	})
}

// confirmed tells whether commits of a target are confirmed, and its CI file can be seen.
func confirmed(ctx context.Context, d *Doctor, t deploy.Target) bool {
	return t.Confirm && hasRef(ctx, d, t)
}

// guard matches the first rule of psycher's CI files, which lets no other commit pass
// than the one that was confirmed.
var guard = regexp.MustCompile(`(?m)^workflow:\n(?: .*\n)*?\s+rules:\n\s+- if: .*PSYCHER_SHA\b.*CI_COMMIT_SHA\b.*\n\s+when: never$`)

// confirmedAlone tells whether GitLab makes no pipeline of another commit than was confirmed.
func confirmedAlone(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	c, valid := d.ciFile(ctx, t)
	fix := "begin workflow:rules with - if: $PSYCHER_SHA && $PSYCHER_SHA != $CI_COMMIT_SHA, when: never, as the CI files of psycher ci do"
	return first([]when{
		{!valid, Finding{}},
		{guard.MatchString(c.Merged), ok("GitLab makes no pipeline of another commit than was confirmed")},
		{strings.Contains(c.Merged, "PSYCHER_SHA"), unseen("$PSYCHER_SHA is not in the first of workflow:rules: another one may let another commit pass", fix)},
		{true, fault("workflow:rules lets another commit pass than the one that was confirmed, and psycher can only cancel its pipeline", fix)},
	})
}

// runnersOnline tells whether a runner may take each job that deploys.
func runnersOnline(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	c, valid := d.ciFile(ctx, t)
	if !valid {
		return Finding{}
	}
	for _, j := range deploys(c, t) {
		slices.Sort(j.Tags)
		tags := strings.Join(j.Tags, ", ")
		if strings.Contains(tags, "$") {
			continue // known only when a pipeline is made
		}
		n, err := d.gitlab.Runners(ctx, t.Project, j.Tags)
		switch {
		case gitlab.FailureOf(err) == gitlab.Forbidden:
			return Finding{} // as "gitlab: trigger token" says
		case err != nil:
			return unread(err, giveRole("Maintainer", t.Project))
		case n == 0:
			return fault("no runner is online that takes "+j.Name+", which has the tags: "+cmp.Or(tags, "none"),
				"start one that takes these tags, turn on instance runners, or correct the job's tags: Settings > CI/CD > Runners")
		}
	}
	return ok("runners are online")
}
