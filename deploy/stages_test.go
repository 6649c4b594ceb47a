package deploy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// showProgress is a pipeline's progress in a line: its stages, what failed, what deploys.
func showProgress(p Pipeline) string {
	var stages []string
	for _, s := range p.Stages {
		stages = append(stages, s.Name+":"+s.Status)
	}
	text := strings.Join(stages, " > ")
	if p.Failed != nil {
		text += fmt.Sprintf(", %s failed", p.Failed.Name)
	}
	if p.Job != nil {
		text += fmt.Sprintf(", %s %d deploys", p.Job.Name, p.Job.ID)
	}
	return text
}

func TestProgressOfAPipeline(t *testing.T) {
	for _, row := range []struct{ name, jobs, want string }{
		{"no job", "", ""},
		{"at the start", "build@build:created test@test:created deploy@deploy:created", "build:created > test:created > deploy:created"},
		{"a runner is awaited", "build@build:pending deploy@deploy:created", "build:pending > deploy:created"},
		{"in the middle", "build@build:success lint@test:success unit@test:running deploy@deploy:created", "build:success > test:running > deploy:created"},
		{"one of two is over", "lint@test:success unit@test:pending deploy@deploy:created", "test:running > deploy:created"},
		{"one of two is over, the other not begun", "lint@test:success unit@test:created deploy@deploy:created", "test:running > deploy:created"},
		{"it deploys", "build@build:success deploy@deploy:running", "build:success > deploy:running, deploy 2 deploys"},
		{"it is done", "build@build:success deploy@deploy:success", "build:success > deploy:success, deploy 2 deploys"},
		{"it failed", "build@build:success deploy@deploy:failed!", "build:success > deploy:failed, deploy failed, deploy 2 deploys"},
		{"no runner took it", "build@build:success deploy@deploy:failed", "build:success > deploy:failed, deploy failed"},
		{"one failed, the other goes on", "deploy-a@deploy:failed! deploy-b@deploy:running", "deploy:running, deploy-a failed"},
		{"a test failed", "test@test:failed! deploy@deploy:skipped", "test:failed > deploy:skipped, test failed"},
		{"a test was allowed to fail", "lint@test:failed!? deploy@deploy:running", "test:success > deploy:running, deploy 2 deploys"},
		{"a deploy was allowed to fail", "deploy@deploy:failed!? after@later:running", "deploy:failed > later:running, deploy failed, deploy 1 deploys"},
		{"a test failed, and then the deploy", "test@test:failed! deploy@deploy:failed!", "test:failed > deploy:failed, deploy failed, deploy 2 deploys"},
		{"it waits for a person", "build@build:success deploy@deploy:manual?", "build:success > deploy:manual"},
		{"what comes after it waits for a person", "deploy@deploy:success rollback@rollback:manual?", "deploy:success > rollback:skipped, deploy 1 deploys"},
		{"it waits for its turn", "build@build:success deploy@deploy:waiting_for_resource", "build:success > deploy:pending"},
		{"canceled", "build@build:canceled! deploy@deploy:canceled", "build:canceled > deploy:canceled"},
		{"canceled in the middle", "build@build:success deploy@deploy:canceled!", "build:success > deploy:canceled, deploy 2 deploys"},
		{"a status of the future", "deploy@deploy:dreaming", "deploy:running"},
		{"what only reports", "deploy@deploy:success notify@.post:running deploy_success@deploy:running deploy_failure@x:skipped tell@notify:created", "deploy:success, deploy 1 deploys"},
		{"none of two, as one alone would be a part", "deploy-a@a:success deploy-b@b:running deploy-c@c:created", "a:success > b:running > c:created"},
		{"run again in an early stage", "build@build:failed test@test:success deploy@deploy:created build@build:running", "build:running > test:success > deploy:created"},
		{"run again, and done", "build@build:success deploy@deploy:failed! e2e@test:created deploy@deploy:success", "build:success > deploy:success > test:created, deploy 4 deploys"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := showProgress(Counting{}.Progress(jobsOf(t, row.jobs))); got != row.want {
				t.Errorf("%s\nwant %s", got, row.want)
			}
			jobs := jobsOf(t, row.jobs)
			slices.Reverse(jobs) // as GitLab lists them
			if got := showProgress(Counting{}.Progress(jobs)); got != row.want {
				t.Errorf("newest first: %s\nwant %s", got, row.want)
			}
		})
	}
	if got := showProgress(Counting{Job: "ship"}.Progress(jobsOf(t, "deploy@deploy:running ship@x:created"))); got != "deploy:running > x:created" {
		t.Errorf("of a target with a job: %s", got)
	}
}
