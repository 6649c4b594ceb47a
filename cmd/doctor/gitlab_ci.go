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

// lint reads a project's CI configuration as GitLab understands it.
func (d *Doctor) lint(ctx context.Context, t deploy.Target) (gitlab.CIConfig, error) {
	return ask(ctx, d, "lint "+byRef(t), func(ctx context.Context) (gitlab.CIConfig, error) {
		return d.GitLab.CIConfig(ctx, t.Project, t.Ref)
	})
}

// lintsRefs tells whether GitLab is new enough to lint another ref than the default
// branch.
func lintsRefs(version string) bool {
	m := regexp.MustCompile(`^(\d+)\.(\d+)`).FindStringSubmatch(version)
	if m == nil {
		return true
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	return major > 16 || major == 16 && minor >= 10
}

// ciFile reads the CI configuration if it is valid.
func (d *Doctor) ciFile(ctx context.Context, t deploy.Target) (gitlab.CIConfig, bool) {
	if f := ciFileValid(ctx, d, t); f.Verdict != OK {
		return gitlab.CIConfig{}, false
	}
	c, _ := d.lint(ctx, t)
	return c, true
}

func ciFileValid(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	about := byRef(t)
	p, err := d.project(ctx, t.Project)
	if _, _, noRef := d.ref(ctx, t); err != nil || noRef != nil {
		return Finding{} // as other checks say
	}
	if version, _ := d.version(ctx); !lintsRefs(version) && t.Ref != p.Branch {
		return unseen(about, "GitLab "+version+" checks only the CI file of the default branch",
			"upgrade GitLab to 16.10; until then look at Build > Pipeline editor")
	}
	c, err := d.lint(ctx, t)
	said := strings.Join(c.Errors, "; ")
	fix := "correct it: Build > Pipeline editor, on " + t.Ref
	switch {
	case err != nil:
		return unread(about, err, giveRole("Reporter", t.Project))
	case c.Valid == nil:
		return unseen(about, "GitLab does not say whether the CI file is valid", fix)
	case *c.Valid:
		return ok(about, "the CI file is valid")
	case strings.ContainsAny(p.CIFile, "@:"):
		return unseen(about, "the CI file is elsewhere, at "+p.CIFile, "see that it is valid there")
	case p.AutoDevOps && strings.Contains(said, "provide content"):
		return unseen(about, "there is no CI file: Auto DevOps takes its place", "add one that deploys when psycher asks: psycher's examples have it")
	case strings.Contains(strings.ToLower(said), "access denied"):
		return unseen(about, "GITLAB_API_TOKEN may not read what the CI file includes: "+said,
			giveRole("Reporter", "the projects that it includes files of"))
	}
	return fault(about, "the CI file is not valid: "+said, fix)
}

// deployJob tells whether a pipeline has the jobs that count as the target's deploy.
func deployJob(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	about := byRef(t) + ", target " + t.Name
	c, valid := d.ciFile(ctx, t)
	if !valid {
		return Finding{}
	}
	var names []string
	for _, j := range deploys(c, t) {
		names = append(names, j.Name)
	}
	asks := `the deploy job's rules: if: $CI_PIPELINE_SOURCE == "trigger" && $` + t.Key
	switch {
	case len(names) == 0:
		return d.noDeployJob(ctx, t, about)
	case t.Key != "" && !mentions(c.Merged, t.Key):
		return unseen(about, "no job asks for $"+t.Key+", so it is not seen which of them psycher's trigger starts",
			"write "+asks+"; or set the target's release_key to the variable that it asks for")
	}
	return ok(about, "these jobs deploy: "+strings.Join(names, ", "))
}

// mentions tells whether a CI configuration asks for a variable.
func mentions(config, variable string) bool {
	return regexp.MustCompile(`\$(` + regexp.QuoteMeta(variable) + `\b|\{` + regexp.QuoteMeta(variable) + `\})`).MatchString(config)
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

// noDeployJob says what it means that a valid CI file has no such job. GitLab leaves
// out what is included under a condition.
func (d *Doctor) noDeployJob(ctx context.Context, t deploy.Target, about string) Finding {
	p, _ := d.project(ctx, t.Project)
	file := cmp.Or(p.CIFile, ".gitlab-ci.yml")
	content, err := ask(ctx, d, "file "+byRef(t), func(ctx context.Context) ([]byte, error) {
		return d.GitLab.File(ctx, t.Project, file, t.Ref)
	})
	seen, fix := "no job but those that notify", "add a job that deploys, as in psycher's examples"
	if t.Job != "" {
		seen = "no job whose name begins with " + strconv.Quote(t.Job)
		fix = `correct the target's "job" in the target map: the name of the job that deploys, or its beginning`
	}
	if err != nil || strings.Contains(string(content), "include") {
		return unseen(about, "GitLab shows "+seen+", but it does not show what is included under a condition", fix)
	}
	return fault(about, "the CI file has "+seen, fix)
}

// notifyCall tells whether pipelines tell psycher how they end.
func notifyCall(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	c, valid := d.ciFile(ctx, t)
	switch {
	case !valid:
		return Finding{}
	case strings.Contains(c.Merged, "notify.sh"), strings.Contains(c.Merged, "NOTIFY_"):
		return ok(byRef(t), "the CI file calls psycher's notify port")
	}
	return unseen(byRef(t), "the CI file calls neither notify.sh nor NOTIFY_URL; if no script does, psycher learns of an end by asking GitLab alone",
		`write ./bin/notify.sh "$CI_JOB_STATUS" into after_script of the deploy job, and ./bin/notify.sh start before it deploys`)
}

// runnersOnline tells whether a runner may take each job that deploys.
func runnersOnline(ctx context.Context, d *Doctor, t deploy.Target) Finding {
	about := byRef(t) + ", target " + t.Name
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
		n, err := ask(ctx, d, "runners "+t.Project+" "+tags, func(ctx context.Context) (int, error) {
			return d.GitLab.Runners(ctx, t.Project, j.Tags)
		})
		switch {
		case gitlab.FailureOf(err) == gitlab.Forbidden:
			return Finding{} // as "gitlab: trigger token" says
		case err != nil:
			return unread(about, err, giveRole("Maintainer", t.Project))
		case n == 0 && tags == "":
			return fault(about, "no runner is online that takes "+j.Name, "start one, or turn on instance runners: Settings > CI/CD > Runners")
		case n == 0:
			return fault(about, "no runner is online that takes "+j.Name+", with the tags "+tags,
				"start one with these tags, or give them to one, or correct the job's tags: Settings > CI/CD > Runners")
		}
	}
	return ok(about, "runners are online")
}
