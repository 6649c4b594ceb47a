package deploy

import (
	"reflect"
	"strings"
	"testing"
)

// jobsOf reads "name@stage:status", with a ? behind a job that may fail, and a !
// behind one that a runner has taken. They are numbered from 1.
func jobsOf(t *testing.T, text string) (jobs []Job) {
	t.Helper()
	for i, one := range strings.Fields(text) {
		one, mayFail := strings.CutSuffix(one, "?")
		one, started := strings.CutSuffix(one, "!")
		rest, status, ok := strings.Cut(one, ":")
		if !ok {
			t.Fatalf("no status: %q", one)
		}
		name, stage, _ := strings.Cut(rest, "@")
		jobs = append(jobs, Job{ID: int64(i + 1), Name: name, Stage: stage, Status: status, AllowFailure: mayFail, Started: started})
	}
	return jobs
}

// How a pipeline ended for the deployment, by its jobs.
func TestJobsTellWhetherTheDeploySucceeded(t *testing.T) {
	nothing := func(waits string) Pipeline { return Pipeline{Nothing: true, Detail: waits} }
	over := Pipeline{End: Canceled, Nothing: true}
	failed := func(job string) Pipeline { return Pipeline{End: Failed, Detail: job} }
	succeeded, canceled, goesOn := Pipeline{End: Succeeded}, Pipeline{End: Canceled}, Pipeline{}
	for _, row := range []struct {
		name   string
		count  Counting
		status string
		jobs   string
		want   Pipeline
	}{
		{"the deploy succeeded", Counting{}, "success", "build@build:success deploy@deploy:success", succeeded},
		{"the deploy waits for a person", Counting{}, "success", "build@build:success deploy@deploy:manual?", nothing("deploy")},
		{"the deploy was skipped", Counting{}, "success", "build@build:success deploy@deploy:skipped", over},
		{"the deploy was allowed to fail", Counting{}, "success", "build@build:success deploy@deploy:failed?", failed("deploy")},
		{"by its stage alone", Counting{}, "success", "build@build:success ship@deploy-production:manual?", nothing("ship")},
		{"by its name alone", Counting{}, "success", "build@build:success deploy_app@ship:failed?", failed("deploy_app")},
		{"in capitals", Counting{}, "success", "build@build:success Deploy@Production:manual?", nothing("Deploy")},
		{"one deployed, another waits", Counting{}, "success", "deploy-a@x:success deploy-b@x:manual?", succeeded},
		{"one deployed, another was allowed to fail", Counting{}, "success", "deploy-a@x:success deploy-b@x:failed?", failed("deploy-b")},
		{"one deployed, another was canceled", Counting{}, "success", "deploy-a@x:success deploy-b@x:canceled?", canceled},
		{"one waits, another was skipped", Counting{}, "success", "deploy-a@x:skipped deploy-b@x:manual?", nothing("deploy-b")},
		{"a job of later failed", Counting{}, "failed", "deploy@deploy:success e2e@test:failed", succeeded},
		{"a job of before failed", Counting{}, "failed", "build@build:failed deploy@deploy:skipped notify_failure@notify:success", failed("build")},
		{"one deployed, then a test failed, and the other was skipped", Counting{}, "failed", "deploy-a@x:success e2e@test:failed deploy-b@y:skipped", failed("e2e")},
		{"a test failed, and the deploy waits", Counting{}, "failed", "test@test:failed deploy@deploy:manual?", failed("test")},
		{"canceled before the deploy", Counting{}, "canceled", "build@build:canceled deploy@deploy:skipped", canceled},
		{"canceled when it was deployed", Counting{}, "canceled", "deploy@deploy:success e2e@test:canceled", succeeded},
		{"run again since the pipeline was read", Counting{}, "failed", "deploy@deploy:running", goesOn},
		{"a status of the future", Counting{}, "success", "deploy@deploy:dreaming", goesOn},

		{"the classic file's success", Counting{}, "success", "deploy@deploy:success deploy_success@notify:success deploy_failure@notify:skipped", succeeded},
		{"the classic file's failure", Counting{}, "failed", "deploy@deploy:failed deploy_success@notify:skipped deploy_failure@notify:success", failed("deploy")},
		{"the classic names in another stage", Counting{}, "success", "ship@ship:manual? deploy_success@deploy:success deploy_failure@deploy:skipped", nothing("ship")},
		{"only a notify job failed", Counting{}, "failed", "deploy@deploy:success notify_success@.post:failed", succeeded},
		{"only a job of the notify stage failed", Counting{}, "failed", "deploy@deploy:success tell@notify:failed", succeeded},
		{"a notify job of the deploy stage", Counting{}, "success", "ship@ship:manual? notify@deploy:success", nothing("ship")},
		{"a notify job failed before the deploy", Counting{}, "failed", "build@build:success notify_start@notify:failed deploy@deploy:skipped", failed("notify_start")},
		{"a notify job failed, and the deploy waits", Counting{}, "failed", "deploy@deploy:manual? notify@notify:failed", nothing("deploy")},

		{"the target's job", Counting{Job: "ship"}, "success", "deploy-docs@deploy:success ship@x:manual?", nothing("ship")},
		{"the beginning of the target's job", Counting{Job: "ship"}, "success", "ship-a@x:success ship-b@x:failed?", failed("ship-b")},
		{"another may fail beside the target's job", Counting{Job: "ship"}, "success", "lint@test:failed? deploy-docs@deploy:failed? ship@x:success", succeeded},
		{"the target's job is not there", Counting{Job: "ship"}, "success", "build@build:success deploy@deploy:success", over},
		{"the target's job is a notify job", Counting{Job: "notify"}, "success", "notify@x:success", over},

		{"no job has such a name: all count", Counting{}, "success", "build@build:success release@x:success", succeeded},
		{"no job has such a name, one was skipped", Counting{}, "success", "build@build:success docs@x:skipped pages@x:manual?", succeeded},
		{"no job has such a name, one was allowed to fail", Counting{}, "success", "lint@test:failed? build@build:success", failed("lint")},
		{"no job has such a name, one fails and one may", Counting{}, "failed", "lint@test:failed? release@x:failed", failed("release")},
		{"no job has such a name, and all wait", Counting{}, "success", "release@x:manual? notify@y:success", nothing("release")},
		{"all was skipped", Counting{}, "skipped", "build@build:skipped release@x:skipped", over},

		{"early: all is done", Counting{Early: true}, "running", "deploy@deploy:success deploy_success@notify:running", succeeded},
		{"early: its own call came from after_script", Counting{Early: true, Proved: []string{"deploy"}}, "running", "build@build:success deploy@deploy:running", succeeded},
		{"early: GitLab's list is behind its own call", Counting{Early: true, Proved: []string{"deploy"}}, "running", "deploy@deploy:created", succeeded},
		{"early: the call proves that job and no other", Counting{Early: true, Proved: []string{"deploy-a"}}, "running", "deploy-a@x:running deploy-b@x:running", goesOn},
		{"early: a job before the deploy called", Counting{Early: true, Proved: []string{"build"}}, "running", "build@build:running deploy@deploy:created", goesOn},
		{"early: a job that is not named so called", Counting{Early: true, Proved: []string{"build"}}, "running", "build@build:running release@x:created", goesOn},
		{"it waits for a person, and one failed beside it", Counting{Early: true}, "manual", "deploy-a@x:failed? deploy-b@x:manual", failed("deploy-a")},
		{"it waits for a person, and what failed is run again", Counting{Early: true}, "manual", "deploy-a@x:failed deploy-b@x:pending deploy-c@x:manual", goesOn},
		{"it waits for a person, and the deploy is done", Counting{Early: true}, "manual", "deploy@deploy:success rollback@rollback:manual", succeeded},
		{"it waits for a person, and no job has such a name", Counting{Early: true}, "manual", "release@x:success rollback@y:manual", goesOn},
		{"early: another waits for a person", Counting{Early: true, Proved: []string{"deploy-a"}}, "manual", "deploy-a@x:success deploy-b@x:manual", goesOn},
		{"early: another was allowed to fail", Counting{Early: true, Proved: []string{"deploy-a"}}, "running", "deploy-a@x:success deploy-b@x:failed?", goesOn},
		{"early: it failed after its call", Counting{Early: true, Proved: []string{"deploy"}}, "running", "deploy@deploy:failed", goesOn},
		{"not early: GitLab's end is waited for", Counting{Proved: []string{"deploy"}}, "running", "deploy@deploy:running", goesOn},
		{"it goes on, and what failed is seen for the first time", Counting{}, "running", "build@build:success deploy@deploy:failed e2e@test:created", goesOn},
		{"it goes on, and what failed had failed before", Counting{FailedID: 2}, "running", "build@build:success deploy@deploy:failed e2e@test:created", failed("deploy")},
		{"it goes on, and what failed before was run again, and failed", Counting{FailedID: 1}, "running", "build@build:success deploy@deploy:failed", goesOn},
		{"it goes on, and what failed before is run again", Counting{FailedID: 1}, "running", "deploy@deploy:running", goesOn},
		{"it goes on, and another job had failed before", Counting{FailedID: 1}, "running", "lint@test:failed? deploy@deploy:running", goesOn},
		{"early: another was allowed to fail, and had failed before", Counting{Early: true, Proved: []string{"deploy-a"}, FailedID: 2}, "running", "deploy-a@x:success deploy-b@x:failed?", failed("deploy-b")},
		{"early: it failed after its call, and had failed before", Counting{Early: true, Proved: []string{"deploy"}, FailedID: 1}, "running", "deploy@deploy:failed", failed("deploy")},
		{"early: there is no job", Counting{Early: true}, "running", "", goesOn},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.count.Judge(row.status, jobsOf(t, row.jobs)); !reflect.DeepEqual(got, row.want) {
				t.Errorf("%+v, want %+v", got, row.want)
			}
		})
	}
}
