package sim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sim"
)

// countPolls counts the look-ups of a process at GitLab since [sim.Process.Arm].
func countPolls(p *sim.Process) (n int) {
	for _, op := range p.Ops() {
		if op.Kind == "gitlab:look" || op.Kind == "gitlab:list" {
			n++
		}
	}
	return n
}

func TestRunningDeploymentIsPolledWhenDue(t *testing.T) {
	row(t, "5 s apart at first, and never more than 12", func(t *testing.T) {
		w := sim.New(t)
		a := w.StartReady("a")
		time.Sleep(5 * time.Second) // the token's rights are checked
		a.Arm(nil)
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		var gaps []time.Duration
		for before, n, end := time.Now(), 0, time.Now().Add(10*time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			if now := countPolls(a); now > n {
				gaps, n, before = append(gaps, time.Since(before)), now, time.Now()
			}
		}
		if len(gaps) == 0 || gaps[0] > 6100*time.Millisecond || gaps[0] < 4*time.Second {
			t.Errorf("want the first look-up after 5 s: %v", gaps)
		}
		for _, gap := range gaps {
			if gap > 12*time.Second+100*time.Millisecond || gap < 4*time.Second {
				t.Errorf("look-ups are %v apart", gaps)
				break
			}
		}
	})
}

func TestGitLabsRateLimitsAreKept(t *testing.T) {
	for name, limit := range map[string]fakegitlab.Fault{
		"429 with Retry-After":   {Status: http.StatusTooManyRequests, Body: "Retry later\n", Header: map[string]string{"Retry-After": "45"}},
		"429 with its reset":     {Status: http.StatusTooManyRequests, Body: "Retry later\n", Reset: 45 * time.Second},
		"the last that it takes": {Status: http.StatusOK, Body: `{"id":1001,"status":"running"}`, Reset: 45 * time.Second},
	} {
		row(t, name+": no look-up until then, triggers go on, and the ends are shown afterwards", func(t *testing.T) {
			w := sim.New(t)
			a := w.StartReady("a")
			var all []string
			for range 5 {
				all = append(all, w.Ask("release"))
				w.WaitReactions(sim.Channel, all[len(all)-1], "thumbsup")
			}
			a.Arm(nil)
			w.GitLab.FailLookUps(1, "/pipelines/1001", limit)
			w.Eventually("the limit", time.Minute, func() bool { return len(w.GitLab.Pipelines()) > 0 && countPolls(a) > 0 })
			time.Sleep(12 * time.Second) // all five have been due
			before := countPolls(a)
			for _, p := range w.GitLab.Pipelines() {
				w.GitLab.Finish(p.ID, "success")
			}
			later := w.Ask("release")
			w.WaitReactions(sim.Channel, later, "thumbsup")
			time.Sleep(20 * time.Second)
			if n := countPolls(a) - before; n != 0 {
				t.Errorf("GitLab was asked %d times before its limit's end", n)
			}
			time.Sleep(30 * time.Second)
			for _, ts := range all {
				w.WaitReactions(sim.Channel, ts, "white_check_mark")
				w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
			}
		})
	}
}

func TestUnfinishedStatusIsNotAnEnd(t *testing.T) {
	for status, told := range map[string][]deploy.MessageID{
		"created":              {deploy.MsgStatusRunning, deploy.MsgOvertime},
		"waiting_for_resource": {deploy.MsgStatusRunning, deploy.MsgOvertime},
		"preparing":            {deploy.MsgStatusRunning, deploy.MsgOvertime},
		"pending":              {deploy.MsgStatusRunner, deploy.MsgOvertime},
		"running":              {deploy.MsgStatusRunning, deploy.MsgOvertime},
		"canceling":            {deploy.MsgStatusRunning, deploy.MsgOvertime},
		"manual":               {deploy.MsgStatusPerson, deploy.MsgPerson},
		"scheduled":            {deploy.MsgStatusRunning, deploy.MsgOvertime},
	} {
		row(t, status+" is not an end; the end that follows is", func(t *testing.T) {
			w, ts, p := startRunning(t, "DEPLOY_TIMEOUT=3m")
			w.GitLab.Finish(p.ID, status)
			time.Sleep(10 * time.Minute)
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			w.WaitMessages(sim.Channel, ts, told...)
			w.GitLab.SetJobs(p.ID, fakegitlab.Job{Name: "deploy", Stage: "deploy", Status: "canceled"})
			w.GitLab.Finish(p.ID, "canceled")
			waitReaction(w, ts, 15*time.Second, "no_entry_sign")
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusCanceled, told[1], deploy.MsgCanceled)
		})
	}
}

func TestGitLabCannotBePolled(t *testing.T) {
	own := fmt.Sprintf(`GITLAB_TRIGGER_TOKENS={%q: {%q: {"app": {"project_id": "group/app", "token": %q, "timeout": "8m"}}}}`,
		sim.Team, sim.Channel, sim.TriggerToken)
	for name, f := range map[string]fakegitlab.Fault{
		"cuts": {}, "hangs": {Hang: true}, "500": {Status: 500, Body: "{}"}, "401": {Status: 401, Body: `{"message":"401 Unauthorized"}`},
		"403": {Status: 403, Body: `{"message":"403 Forbidden"}`}, "404": {Status: 404, Body: `{"message":"404 Not found"}`},
		"429 for hours": {Status: 429, Body: "Retry later\n", Header: map[string]string{"Retry-After": "7200"}},
		"a page":        {Status: 200, Body: "<html><title>Sign in</title></html>"},
	} {
		for of, setting := range map[string]string{"DEPLOY_TIMEOUT": "DEPLOY_TIMEOUT=8m", "the target's timeout": own} {
			row(t, "GitLab: "+name+": silent at "+of+", with the link and the person's name; a late callback settles it", func(t *testing.T) {
				w := sim.New(t, setting)
				w.StartReady("a")
				w.GitLab.FailLookUps(-1, "/pipelines/", f)
				ts := w.Ask("release")
				w.WaitReactions(sim.Channel, ts, "thumbsup")
				time.Sleep(7*time.Minute + 50*time.Second)
				w.WaitReactions(sim.Channel, ts, "thumbsup")
				waitReaction(w, ts, 20*time.Second, "zzz")
				w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSilent, deploy.MsgSilent)
				if text := w.Texts(sim.Channel, ts)[1]; !strings.Contains(text, "<http://gitlab.test/group/app/-/pipelines/1001|") || !strings.Contains(text, "<@"+sim.User+">") {
					t.Errorf("no link or no name: %q", text)
				}
				time.Sleep(2 * time.Minute)
				w.Notify("a", "success", sim.Channel, ts)
				w.WaitReactions(sim.Channel, ts, "white_check_mark")
				wantPosts(t, w, ts, 1)
			})
		}
	}
	row(t, "it can be polled again: a silent deploy gets its end without a call", func(t *testing.T) {
		w := sim.New(t, "DEPLOY_TIMEOUT=10m")
		w.StartReady("a")
		w.GitLab.FailLookUps(-1, "/pipelines/", fakegitlab.Fault{Status: 502, Body: "<html></html>"})
		ts := w.Ask("release")
		time.Sleep(40 * time.Minute)
		w.WaitReactions(sim.Channel, ts, "zzz")
		w.GitLab.Heal()
		w.GitLab.Finish(w.GitLab.Pipelines()[0].ID, "failed")
		waitReaction(w, ts, 70*time.Second, "x")
	})
}

func TestCallbackAndLookUpRace(t *testing.T) {
	ends := map[string]struct {
		status string
		mark   string
		say    deploy.MessageID
	}{
		"success":  {"success", "white_check_mark", deploy.MsgSucceeded},
		"failure":  {"failed", "x", deploy.MsgFailed},
		"canceled": {"canceled", "no_entry_sign", deploy.MsgCanceled},
	}
	// once checks that one end is shown, and that it was posted once.
	once := func(t *testing.T, w *sim.World, ts, mark string, say deploy.MessageID) {
		t.Helper()
		w.WaitReactions(sim.Channel, ts, mark)
		time.Sleep(time.Minute)
		w.WaitReactions(sim.Channel, ts, mark)
		if said := w.Messages(sim.Channel, ts); len(said) != 2 || said[1] != say {
			t.Errorf("it said %q, want its status and %q", said, say)
		}
		if n := w.ReactionsAdded(ts)[mark]; n != 1 {
			t.Errorf("%d times :%s:", n, mark)
		}
	}
	for result, end := range ends {
		row(t, "a "+result+" call comes while a look-up with the same result is on its way", func(t *testing.T) {
			w, ts, p := startRunning(t)
			w.StartReady("b")
			w.GitLab.SetJobs(p.ID, fakegitlab.Job{Name: "ship", Stage: "deploy", Status: "failed"})
			w.GitLab.Finish(p.ID, end.status)
			w.GitLab.FailLookUps(1, "/pipelines/", fakegitlab.Fault{Status: 200, Delay: 5 * time.Second, Body: fmt.Sprintf(`{"id":%d,"status":%q}`, p.ID, end.status)})
			time.Sleep(9 * time.Second)
			w.WaitReactions(sim.Channel, ts, "thumbsup") // the look-up is on its way
			if status, body := w.Notify("b", result, sim.Channel, ts); status != http.StatusOK {
				t.Errorf("the call got %d %s", status, body)
			}
			once(t, w, ts, end.mark, end.say)
		})
		for _, offset := range []time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second, 5 * time.Second} {
			row(t, fmt.Sprintf("the %s calls come %s and a little after the last look-up, to both replicas, again and again", result, offset), func(t *testing.T) {
				w, ts, p := startRunning(t)
				w.StartReady("b")
				time.Sleep(offset)
				w.GitLab.Finish(p.ID, end.status)
				for n := range 40 {
					if status, body := w.Notify([]string{"a", "b"}[n%2], result, sim.Channel, ts); status != http.StatusOK {
						t.Errorf("the call got %d %s", status, body)
					}
					time.Sleep(31 * time.Millisecond)
				}
				once(t, w, ts, end.mark, end.say)
			})
		}
	}
	for call, look := range map[string]string{"failure": "success", "canceled": "success", "success": "canceled"} {
		row(t, "the call says "+call+", the look-up that is on its way "+look+": the first is shown, and the other changes nothing", func(t *testing.T) {
			w := sim.New(t)
			w.StartReady("a")
			ts := w.Ask("release")
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			p := w.GitLab.Pipelines()[0]
			w.GitLab.FailLookUps(1, "/pipelines/", fakegitlab.Fault{Status: 200, Delay: 5 * time.Second, Body: fmt.Sprintf(`{"id":%d,"status":%q}`, p.ID, look)})
			time.Sleep(8 * time.Second)
			w.Notify("a", call, sim.Channel, ts)
			once(t, w, ts, ends[call].mark, ends[call].say)
		})
	}
}
