package sim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sim"
)

// confirming is a world whose one target is to be confirmed.
func confirming(t *testing.T, more string) (*sim.World, *sim.Process) {
	w := sim.New(t, oneTarget(`, "confirm": true`+more))
	return w, w.StartReady("a")
}

// questionOf is the bot's last message in a thread.
func questionOf(w *sim.World, ts string) fakeslack.Message {
	all := w.Slack.Thread(sim.Channel, ts)
	return all[len(all)-1]
}

func TestConfirm(t *testing.T) {
	row(t, "what goes out is shown, and the commit on the button is what goes out", func(t *testing.T) {
		w, _ := confirming(t, "")
		sha := w.GitLab.Push(sim.Project, "master", "Copy fixes", "sato").SHA
		ts, q := ask(w, sim.Channel, "release", deploy.MsgConfirm)
		if text := shown(q); !strings.Contains(text, sha[:7]) || !strings.Contains(q.Controls()[0].Label, sha[:7]) {
			t.Errorf("%s is not in the question %s", sha[:7], text)
		}
		wantPipelines(w, 0)
		press(w, sim.User, sim.Channel, q, 0) // who asked may
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		all := w.GitLab.Pipelines()
		if len(all) != 1 || all[0].Variables["PSYCHER_SHA"] != sha {
			t.Fatalf("the pipelines are %+v", all)
		}
		w.GitLab.Finish(all[0].ID, "success")
		waitLong(w, sim.Channel, ts, "white_check_mark")

		w.GitLab.Push(sim.Project, "master", "Fix the login page", "yamada")
		_, q = ask(w, sim.Channel, "release", deploy.MsgConfirm)
		if text := shown(q); !strings.Contains(text, "Fix the login page") || !strings.Contains(text, "yamada") {
			t.Errorf("what goes out is not in the question %s", text)
		}
		wantAcked(w)
	})
	row(t, "any other question has the commit too, and a retry leads to it", func(t *testing.T) {
		w, _ := confirming(t, "")
		sha := w.GitLab.Push(sim.Project, "master", "Copy fixes", "sato").SHA
		ts, q := ask(w, sim.Channel, "release otama", deploy.MsgUnclear)
		wantNamed(w, ts, sha[:7], "Copy fixes")
		wantLabels(w, sim.Channel, ts, "app "+sha[:7]+" をリリース", "やめる")
		press(w, second, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		if p := w.GitLab.Pipelines()[0]; p.Variables["PSYCHER_SHA"] != sha {
			t.Errorf("the pipeline is %+v", p)
		}
		w.GitLab.Finish(w.GitLab.Pipelines()[0].ID, "failed")
		waitLong(w, sim.Channel, ts, "x")
		pressOn(w, second, sim.Channel, statusOf(w, sim.Channel, ts, 0), "retry")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusFailed, deploy.MsgFailed, deploy.MsgConfirm)
		wantPipelines(w, 1)
		press(w, second, sim.Channel, questionOf(w, ts), 0)
		wantPipelines(w, 2)
	})
	row(t, "what is pending is shown with the same button", func(t *testing.T) {
		w, _ := confirming(t, "")
		ts, q := ask(w, sim.Channel, "何が出る？", deploy.MsgPending)
		press(w, second, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		if all := w.GitLab.Pipelines(); len(all) != 1 || all[0].Variables["PSYCHER_SHA"] != all[0].SHA {
			t.Errorf("the pipelines are %+v", all)
		}
	})
	row(t, "GitLab does not show what goes out: nothing can be confirmed until it does", func(t *testing.T) {
		w, _ := confirming(t, "")
		w.GitLab.FailLookUps(1, "/repository/commits", fakegitlab.Fault{Status: 502, Body: "<html></html>"})
		ts, q := ask(w, sim.Channel, "release", deploy.MsgConfirmUnseen)
		press(w, sim.User, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgPending)
		wantPipelines(w, 0)
		press(w, sim.User, sim.Channel, questionOf(w, ts), 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 1)
	})
	row(t, "any other question goes without it where GitLab does not show it, and leads to this one", func(t *testing.T) {
		w, _ := confirming(t, "")
		w.GitLab.FailLookUps(1, "/repository/commits", fakegitlab.Fault{Status: 502, Body: "<html></html>"})
		ts, q := ask(w, sim.Channel, "release otama", deploy.MsgUnclear)
		wantLabels(w, sim.Channel, ts, "app (master) をリリース", "やめる")
		press(w, second, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgConfirm)
		wantPipelines(w, 0)
	})
	row(t, "another deployment goes on: that is asked about with it", func(t *testing.T) {
		w, _ := confirming(t, "")
		_, q := ask(w, sim.Channel, "release", deploy.MsgConfirm)
		press(w, sim.User, sim.Channel, q, 0)
		wantPipelines(w, 1)
		sha := w.GitLab.Push(sim.Project, "master", "Copy fixes", "sato").SHA
		ts, q := ask(w, sim.Channel, "release", deploy.MsgBusy)
		wantNamed(w, ts, "pipelines/1001", "<@"+sim.User+">", "Copy fixes")
		wantLabels(w, sim.Channel, ts, "それでも app "+sha[:7]+" をリリース", "#1001 を中止…", "やめる")
		wantPipelines(w, 1)
		press(w, second, sim.Channel, q, 0)
		wantPipelines(w, 2)
	})
	row(t, "the commit that was rolled back is asked about once", func(t *testing.T) {
		w, p := confirming(t, "")
		p.Reload(oneTarget(""))
		stages(w)
		deployedTimes(w, 2)
		back := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" ロールバック")
		w.WaitMessages(sim.Channel, back, deploy.MsgRollback)
		press(w, second, sim.Channel, questionOf(w, back), 0)
		waitLong(w, sim.Channel, back, "white_check_mark")
		p.Reload(oneTarget(`, "confirm": true`))
		ts, q := ask(w, sim.Channel, "release", deploy.MsgTakenBack)
		wantNamed(w, ts, "Change it")
		press(w, second, sim.Channel, q, 0)
		waitLong(w, sim.Channel, ts, "white_check_mark")
		wantPipelines(w, 3)
	})
	row(t, "what waits when the map begins to ask for it is not deployed", func(t *testing.T) {
		w := sim.New(t, oneTarget(""))
		p := w.StartReady("a")
		w.GitLab.Answer(1, fakegitlab.Fault{Status: 429, Body: "Retry later\n", Header: map[string]string{"Retry-After": "30"}})
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
		p.Reload(oneTarget(`, "confirm": true`))
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusAnswered, deploy.MsgMustConfirm)
		wantPipelines(w, 0)
	})
	row(t, "what was confirmed and waits is deployed, by another process too", func(t *testing.T) {
		w, p := confirming(t, "")
		w.GitLab.Answer(1, fakegitlab.Fault{Status: 429, Body: "Retry later\n", Header: map[string]string{"Retry-After": "30"}})
		ts, q := ask(w, sim.Channel, "release", deploy.MsgConfirm)
		press(w, second, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
		p.Kill()
		w.StartReady("b")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		if all := w.GitLab.Pipelines(); len(all) != 1 || all[0].Variables["PSYCHER_SHA"] != all[0].SHA {
			t.Errorf("the pipelines are %+v", all)
		}
	})
}

func TestTheBranchMovesOnAfterItWasConfirmed(t *testing.T) {
	movedOn := func(t *testing.T, prepare func(*sim.World)) (w *sim.World, ts string) {
		w, _ = confirming(t, "")
		prepare(w)
		ts, q := ask(w, sim.Channel, "release", deploy.MsgConfirm)
		w.GitLab.Push(sim.Project, "master", "Change it", "yamada")
		press(w, second, sim.Channel, q, 0)
		return w, ts
	}
	unguarded := func(w *sim.World) { w.GitLab.Unguard(sim.Project) }
	showAgain := func(w *sim.World, ts string, said ...deploy.MessageID) {
		w.T.Helper()
		before := len(w.GitLab.Pipelines())
		pressOn(w, second, sim.Channel, statusOf(w, sim.Channel, ts, 0), "pending")
		w.WaitMessages(sim.Channel, ts, append(said, deploy.MsgPending)...)
		wantPipelines(w, before)
		press(w, second, sim.Channel, questionOf(w, ts), 0)
		wantPipelines(w, before+1)
		all := w.GitLab.Pipelines()
		if p := all[len(all)-1]; p.Variables["PSYCHER_SHA"] != p.SHA || p.Status == "canceled" {
			w.T.Errorf("shown again, and pressed, it is %+v", p)
		}
		wantAcked(w)
	}
	row(t, "the CI file lets no other commit pass", func(t *testing.T) {
		w, ts := movedOn(t, func(*sim.World) {})
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRefused, deploy.MsgRefusedCommit)
		w.WaitReactions(sim.Channel, ts, "x")
		showAgain(w, ts, deploy.MsgStatusRefused, deploy.MsgRefusedCommit)
	})
	row(t, "a CI file that lets nothing pass is told as that", func(t *testing.T) {
		w, _ := confirming(t, "")
		f, _ := fakegitlab.Named("workflow rules")
		w.GitLab.Answer(1, f)
		ts, q := ask(w, sim.Channel, "release", deploy.MsgConfirm)
		press(w, second, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRefused, deploy.MsgRefusedRules)
	})
	row(t, "a CI file without the rule: the pipeline is canceled, and its job is stopped", func(t *testing.T) {
		answered := make(chan int, 1)
		w, ts := movedOn(t, func(w *sim.World) {
			unguarded(w)
			w.Pipeline = func(p fakegitlab.Pipeline) {
				time.Sleep(time.Second)
				status, _ := w.NotifyWithToken("a", p.Variables["PSYCHER_TOKEN"], "start", p)
				answered <- status
			}
		})
		waitLong(w, sim.Channel, ts, "no_entry_sign")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusCanceled, deploy.MsgOtherCommit)
		if all, status := w.GitLab.Pipelines(), <-answered; all[0].Status != "canceled" || status != 409 {
			t.Errorf("the pipeline is %s, and its job was answered %d", all[0].Status, status)
		}
		w.Pipeline = nil
		showAgain(w, ts, deploy.MsgStatusCanceled, deploy.MsgOtherCommit)
	})
	row(t, "no answer came, and it is found later", func(t *testing.T) {
		w, ts := movedOn(t, func(w *sim.World) {
			unguarded(w)
			w.GitLab.Answer(1, fakegitlab.Fault{Make: 1, Hang: true})
		})
		waitLong(w, sim.Channel, ts, "no_entry_sign")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusCanceled, deploy.MsgOtherCommit)
	})
	row(t, "it cannot be canceled: that is told, and what went out too", func(t *testing.T) {
		w, ts := movedOn(t, func(w *sim.World) {
			unguarded(w)
			w.GitLab.FailLookUps(-1, "/cancel", fakegitlab.Fault{Status: 403, Body: `{"message":"403 Forbidden"}`})
		})
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning, deploy.MsgOtherCommitOn)
		w.GitLab.Finish(w.GitLab.Pipelines()[0].ID, "success")
		waitLong(w, sim.Channel, ts, "white_check_mark")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgOtherCommitOn, deploy.MsgOtherCommitOut)
	})
}

func TestAStartOfAnotherCommit(t *testing.T) {
	starting := func(t *testing.T, answer fakegitlab.Fault, shas ...string) (w *sim.World, ts string, answers chan int) {
		w, _ = confirming(t, "")
		w.GitLab.Answer(1, answer)
		answers = make(chan int, len(shas))
		w.Pipeline = func(p fakegitlab.Pipeline) {
			time.Sleep(5 * time.Second)
			for _, sha := range shas {
				if sha != "confirmed" {
					p.SHA = sha
				}
				status, _ := w.NotifyWithToken("a", p.Variables["PSYCHER_TOKEN"], "start", p)
				answers <- status
			}
		}
		ts, q := ask(w, sim.Channel, "release", deploy.MsgConfirm)
		press(w, second, sim.Channel, q, 0)
		return w, ts, answers
	}
	late, other := fakegitlab.Fault{Make: 1, Status: 201, Delay: 20 * time.Second}, strings.Repeat("0", 40)
	row(t, "before GitLab has answered: it is stopped and canceled, and one without its commit is stopped", func(t *testing.T) {
		w, ts, answers := starting(t, late, "", other)
		if first, next := <-answers, <-answers; first != 409 || next != 409 {
			t.Errorf("they were answered %d and %d", first, next)
		}
		waitLong(w, sim.Channel, ts, "no_entry_sign")
	})
	row(t, "of a child in another project, of a pipeline that is right: it alone is stopped", func(t *testing.T) {
		w, ts, answers := starting(t, fakegitlab.Fault{Make: 1, Status: 201}, other)
		if got := <-answers; got != 409 {
			t.Errorf("it was answered %d", got)
		}
		time.Sleep(time.Minute)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
	})
	for name, answer := range map[string]fakegitlab.Fault{"before": late, "after": {Make: 1, Status: 201}} {
		row(t, "the confirmed one is granted, "+name+" GitLab has answered", func(t *testing.T) {
			w, ts, answers := starting(t, answer, "confirmed")
			if got := <-answers; got != 200 {
				t.Errorf("it was answered %d", got)
			}
			w.WaitReactions(sim.Channel, ts, "thumbsup")
		})
	}
}
