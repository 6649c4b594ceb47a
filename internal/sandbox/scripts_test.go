package sandbox

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

func TestJobsRunOneAfterTheOtherAndAgain(t *testing.T) {
	box, err := Start(t.Context(), "en")
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	box.Linger(time.Millisecond)
	show := func(p fakegitlab.Pipeline) string {
		text := p.Status
		for _, j := range p.Jobs {
			text += " " + j.Name + ":" + j.Status
		}
		return text
	}
	newest := func() fakegitlab.Pipeline {
		all := box.GitLab.Pipelines()
		return all[len(all)-1]
	}
	// becomes waits until the newest pipeline looks so.
	becomes := func(want string) {
		t.Helper()
		if err := box.GitLab.Until(t.Context(), func() bool { return show(newest()) == want }); err != nil {
			t.Fatalf("%v: it is %s, not %s", err, show(newest()), want)
		}
	}
	box.FailNext(true)
	first, _ := box.GitLab.Make(app.Project, "trigger", "master", nil)
	becomes("failed build:success test:success deploy:failed")
	box.GitLab.Retry(first.ID)
	becomes("success build:success test:success deploy:success")

	// A job that had succeeded runs again, as for a rollback.
	again := box.GitLab.RetryJob(newest().Jobs[2].ID)
	becomes("success build:success test:success deploy:success deploy:success")
	if j := newest().Jobs[3]; j.ID != again.ID || !strings.Contains(j.Log, "deploy.sh: done") || !strings.Contains(j.Log, "notify.sh") {
		t.Errorf("the job that ran again is %+v", j)
	}

	box.Linger(time.Hour)
	second, _ := box.GitLab.Make(app.Project, "trigger", "master", nil)
	if second.SHA == first.SHA {
		t.Error("nothing was pushed meanwhile")
	}
	becomes("running build:running test:created deploy:created")
	if err := box.GitLab.Until(t.Context(), func() bool { return newest().Jobs[0].Log != "" }); err != nil { // it works
		t.Fatal(err)
	}
	box.GitLab.Cancel(second.ID)
	becomes("canceled build:canceled test:canceled deploy:canceled")
	if err := box.GitLab.Until(t.Context(), func() bool { return strings.HasSuffix(newest().Jobs[0].Log, "canceled\n") }); err != nil {
		t.Error(fmt.Errorf("the job goes on: %w", err))
	}
}
