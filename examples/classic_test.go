package examples_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/getto-systems/psycher/examples"
)

// gitlab-ci-local ignores only:, so its lines are compared here: a job without
// them would run, and deploy, at every push.
func TestEveryClassicJobRunsOnlyForPsycher(t *testing.T) {
	only := []string{"  only:", "    refs:", "      - triggers", "    variables:", "      - $RELEASE"}
	jobs := jobsOf(t, "classic/.gitlab-ci.yml")
	for _, name := range []string{"deploy", "deploy_success", "deploy_failure"} {
		at := slices.Index(jobs[name], "  only:")
		if at < 0 || !slices.Equal(jobs[name][at:min(at+len(only), len(jobs[name]))], only) {
			t.Errorf("job %s is not bound to triggers with $RELEASE: %q", name, jobs[name])
		} else if next := jobs[name][at+len(only)]; strings.HasPrefix(next, "   ") {
			t.Errorf("job %s: only goes on with %q", name, next)
		}
		delete(jobs, name)
	}
	if len(jobs) != 0 {
		t.Errorf("jobs that nobody checked: %v", jobs)
	}
}

func TestClassicNotifyJobsFailNoPipeline(t *testing.T) {
	jobs := jobsOf(t, "classic/.gitlab-ci.yml")
	for name, line := range map[string]string{"deploy_success": "  when: on_success", "deploy_failure": "  when: on_failure"} {
		for _, want := range []string{line, "  allow_failure: true", "  retry: 2"} {
			if !slices.Contains(jobs[name], want) {
				t.Errorf("job %s lacks %q", name, want)
			}
		}
	}
}

func TestModernPipelineIsFoundByItsNameAndLeftAlone(t *testing.T) {
	text, err := examples.FS.ReadFile("modern/.gitlab-ci.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\n  name: 'deploy $PSYCHER_ID'\n", "\n  auto_cancel:\n    on_new_commit: none\n",
		"\n    - if: $CI_PIPELINE_SOURCE == \"trigger\" && $RELEASE\n", "\n  resource_group: production\n",
		"\n  interruptible: false\n", "\n  retry: 0\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("modern lacks %q", want)
		}
	}
}

func TestNoOtherCommitIsDeployedThanTheConfirmedOne(t *testing.T) {
	for _, form := range []string{"classic", "modern"} {
		text, err := examples.FS.ReadFile(form + "/.gitlab-ci.yml")
		if err != nil {
			t.Fatal(err)
		}
		_, rules, _ := strings.Cut(string(text), "\n  rules:\n")
		want := "    - if: $PSYCHER_SHA && $PSYCHER_SHA != $CI_COMMIT_SHA\n      when: never\n    - when: always\n"
		if _, rules, _ = strings.Cut(rules, "\n"); !strings.HasPrefix(rules, want) {
			t.Errorf("%s begins workflow:rules with %q", form, rules)
		}
	}
}

// jobsOf returns the lines of each job of a CI configuration, without comments
// and empty lines. It knows no more YAML than these files need.
func jobsOf(t *testing.T, name string) map[string][]string {
	t.Helper()
	text, err := examples.FS.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	jobs, job := map[string][]string{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, " \n")
		switch trimmed := strings.TrimSpace(line); {
		case trimmed == "" || trimmed[0] == '#':
		case line[0] != ' ':
			job = strings.TrimSuffix(line, ":")
			jobs[job] = nil
		default:
			jobs[job] = append(jobs[job], line)
		}
	}
	delete(jobs, "stages")
	delete(jobs, "workflow")
	return jobs
}
