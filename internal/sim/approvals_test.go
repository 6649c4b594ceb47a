package sim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sim"
)

// approving is a world whose one target takes two approvals, by a list of people.
func approving(t *testing.T, approvers string) (*sim.World, *sim.Process) {
	w := sim.New(t, oneTarget(`, "approvals": 2`+approvers))
	return w, w.StartReady("a")
}

const threeApprovers = `, "approvers": ["U0SECOND", "U0THIRD", "U0FOURTH"]`

func TestApprovals(t *testing.T) {
	row(t, "two people approve, the question says who has and who has not, and then it starts", func(t *testing.T) {
		w, _ := approving(t, threeApprovers)
		ts, q := ask(w, sim.Channel, "release", deploy.MsgApprovals)
		for _, user := range []string{second, third, "U0FOURTH"} {
			if !strings.Contains(q.Text, user) {
				t.Errorf("%s is not asked: %s", user, q.Text)
			}
		}
		press(w, second, sim.Channel, q, 0)
		wantPipelines(w, 0)
		now := questionOf(w, ts)
		if now.TS != q.TS || now.Text == q.Text || !strings.Contains(now.Text, second) || !strings.Contains(now.Text, third) {
			t.Errorf("after one approval it says %s", now.Text)
		}
		press(w, third, sim.Channel, now, 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 1)
		if text := shown(statusOf(w, sim.Channel, ts, 0)); !strings.Contains(text, "承認: <@"+second+">, <@"+third+">") {
			t.Errorf("the status message does not say who has approved it: %s", text)
		}
		if p := w.GitLab.Pipelines()[0]; p.Variables["PSYCHER_SHA"] != p.SHA {
			t.Errorf("the pipeline is %+v", p)
		}
		record, _ := w.Redis.Get("{psycher}:record:" + sim.Team + ":" + sim.Channel + ":" + ts)
		for _, user := range []string{second, third} {
			if !strings.Contains(record, fmt.Sprintf(`{"by":{"user":%q`, user)) {
				t.Errorf("the record does not say that %s has approved it: %s", user, record)
			}
		}
		wantAcked(w)
	})
	row(t, "neither who asked, nor who pressed Deploy, nor twice the same, nor others", func(t *testing.T) {
		w, _ := approving(t, `, "approvers": ["`+sim.User+`", "U0SECOND", "U0THIRD", "U0FOURTH"]`)
		ts, q := ask(w, sim.Channel, "release otama", deploy.MsgUnclear)
		press(w, second, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgApprovals)
		q = questionOf(w, ts)
		if text := q.Text; strings.Contains(strings.Replace(text, "<@"+sim.User+">", "", 1), sim.User) || strings.Contains(text, second) {
			t.Errorf("who wants it is asked to approve it: %s", text)
		}
		press(w, sim.User, sim.Channel, q, 0)
		wantWhispers(w, sim.Channel, sim.User, deploy.MsgApproveOwn)
		press(w, second, sim.Channel, q, 0)
		wantWhispers(w, sim.Channel, second, deploy.MsgApproveOwn)
		press(w, third, sim.Channel, q, 0)
		time.Sleep(10 * time.Second)
		press(w, third, sim.Channel, q, 0)
		wantWhispers(w, sim.Channel, third, deploy.MsgApprovedBefore)
		press(w, "U0FIFTH", sim.Channel, q, 0)
		wantWhispers(w, sim.Channel, "U0FIFTH", deploy.MsgNotApprover)
		press(w, "U0GUEST", sim.Channel, q, 0, fakeslack.WithField("user.team_id", "T0OTHER"))
		wantWhispers(w, sim.Channel, "U0GUEST", deploy.MsgPressGuest)
		wantPipelines(w, 0)
		press(w, "U0FOURTH", sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 1)
		wantAcked(w)
	})
	row(t, "without a list everyone approves who may deploy", func(t *testing.T) {
		w, _ := approving(t, `, "allow": ["`+sim.User+`", "U0SECOND", "U0THIRD"]`)
		ts, q := ask(w, sim.Channel, "release", deploy.MsgApprovals)
		press(w, "U0FOURTH", sim.Channel, q, 0)
		wantWhispers(w, sim.Channel, "U0FOURTH", deploy.MsgPressNotYours)
		press(w, second, sim.Channel, q, 0)
		press(w, third, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 1)
	})
	row(t, "so do those in a user group, also where who asked is on the list by name", func(t *testing.T) {
		w := sim.New(t, oneTarget(`, "approvals": 2, "allow": ["`+sim.User+`", "`+devs+`"]`))
		w.Slack.Group(devs, "devs", second, third)
		w.StartReady("a")
		ts, q := ask(w, sim.Channel, "release", deploy.MsgApprovals)
		press(w, second, sim.Channel, q, 0)
		press(w, third, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 1)
	})
	row(t, "nobody else approves: after two hours it closes, and a press is answered", func(t *testing.T) {
		w, _ := approving(t, threeApprovers)
		ts, q := ask(w, sim.Channel, "release", deploy.MsgApprovals)
		press(w, second, sim.Channel, q, 0)
		time.Sleep(deploy.ApproveFor - time.Minute)
		w.WaitMessages(sim.Channel, ts, deploy.MsgApprovals)
		time.Sleep(2 * time.Minute)
		w.WaitMessages(sim.Channel, ts, deploy.MsgLapsed)
		press(w, third, sim.Channel, q, 0)
		wantWhispers(w, sim.Channel, third, deploy.MsgPressClosed)
		wantPipelines(w, 0)
	})
	row(t, "no is no", func(t *testing.T) {
		w, _ := approving(t, threeApprovers)
		ts, q := ask(w, sim.Channel, "release", deploy.MsgApprovals)
		press(w, second, sim.Channel, q, 0)
		press(w, third, sim.Channel, q, -1)
		w.WaitMessages(sim.Channel, ts, deploy.MsgDeclined)
		wantPipelines(w, 0)
	})
	row(t, "two approve at the same moment, by two processes", func(t *testing.T) {
		for range 5 {
			w, _ := approving(t, threeApprovers)
			w.StartReady("b")
			ts, q := ask(w, sim.Channel, "release", deploy.MsgApprovals)
			press(w, second, sim.Channel, q, 0)
			press(w, third, sim.Channel, q, 0)
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			wantPipelines(w, 1)
		}
	})
	row(t, "what is pending is shown, and its button leads to the same question", func(t *testing.T) {
		w, _ := approving(t, threeApprovers)
		ts, q := ask(w, sim.Channel, "何が出る？", deploy.MsgPending)
		press(w, second, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgApprovals)
		press(w, second, sim.Channel, questionOf(w, ts), 0)
		wantWhispers(w, sim.Channel, second, deploy.MsgApproveOwn)
		wantPipelines(w, 0)
	})
	row(t, "who has only looked again may approve", func(t *testing.T) {
		w, _ := approving(t, threeApprovers)
		w.GitLab.FailLookUps(1, "/repository/commits", fakegitlab.Fault{Status: 502, Body: "<html></html>"})
		ts, q := ask(w, sim.Channel, "release", deploy.MsgConfirmUnseen)
		press(w, second, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgPending)
		press(w, sim.User, sim.Channel, questionOf(w, ts), 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgApprovals)
		press(w, second, sim.Channel, questionOf(w, ts), 0)
		press(w, third, sim.Channel, questionOf(w, ts), 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
	})
	row(t, "a rollback is confirmed as ever", func(t *testing.T) {
		w := sim.New(t, oneTarget(""))
		p := w.StartReady("a")
		stages(w)
		deployedTimes(w, 2)
		p.Reload(oneTarget(`, "approvals": 2`))
		back := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" ロールバック")
		w.WaitMessages(sim.Channel, back, deploy.MsgRollback)
		press(w, second, sim.Channel, questionOf(w, back), 0)
		waitLong(w, sim.Channel, back, "white_check_mark")
	})
}

func TestApprovalsLast(t *testing.T) {
	row(t, "a restart in the middle loses nothing", func(t *testing.T) {
		w, p := approving(t, threeApprovers)
		ts, q := ask(w, sim.Channel, "release", deploy.MsgApprovals)
		press(w, second, sim.Channel, q, 0)
		time.Sleep(5 * time.Second)
		p.Kill()
		w.StartReady("b")
		press(w, second, sim.Channel, q, 0)
		wantWhispers(w, sim.Channel, second, deploy.MsgApprovedBefore)
		press(w, third, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 1)
	})
	row(t, "who is no approver any more does not count, and the others still do", func(t *testing.T) {
		w, p := approving(t, threeApprovers)
		ts, q := ask(w, sim.Channel, "release", deploy.MsgApprovals)
		press(w, second, sim.Channel, q, 0)
		time.Sleep(5 * time.Second)
		p.Reload(oneTarget(`, "approvals": 2, "approvers": ["U0THIRD", "U0FOURTH"]`))
		press(w, third, sim.Channel, q, 0)
		wantPipelines(w, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgApprovals)
		press(w, "U0FOURTH", sim.Channel, questionOf(w, ts), 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		wantPipelines(w, 1)
	})
	row(t, "and if somebody has pushed meanwhile, nobody's counts", func(t *testing.T) {
		w, p := approving(t, threeApprovers)
		ts, q := ask(w, sim.Channel, "release", deploy.MsgApprovals)
		press(w, second, sim.Channel, q, 0)
		time.Sleep(5 * time.Second)
		p.Reload(oneTarget(`, "approvals": 2, "approvers": ["U0THIRD", "U0FOURTH"]`))
		w.GitLab.Push(sim.Project, "master", "Change it", "yamada")
		press(w, third, sim.Channel, q, 0)
		wantPipelines(w, 0)
		press(w, "U0FOURTH", sim.Channel, questionOf(w, ts), 0)
		wantPipelines(w, 0)
		press(w, third, sim.Channel, questionOf(w, ts), 0)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
	})
	row(t, "judged again before each trigger", func(t *testing.T) {
		w, p := approving(t, threeApprovers)
		w.GitLab.Answer(1, fakegitlab.Fault{Status: 429, Body: "Retry later\n", Header: map[string]string{"Retry-After": "30"}})
		ts, q := ask(w, sim.Channel, "release", deploy.MsgApprovals)
		press(w, second, sim.Channel, q, 0)
		press(w, third, sim.Channel, q, 0)
		w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
		p.Reload(oneTarget(`, "approvals": 2, "approvers": ["U0THIRD", "U0FOURTH"]`))
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusAnswered, deploy.MsgMustConfirm)
		wantPipelines(w, 0)
	})
	row(t, "the branch moves on: it is shown again, and approved again", func(t *testing.T) {
		w, _ := approving(t, threeApprovers)
		ts, q := ask(w, sim.Channel, "release", deploy.MsgApprovals)
		w.GitLab.Push(sim.Project, "master", "Change it", "yamada")
		press(w, second, sim.Channel, q, 0)
		press(w, third, sim.Channel, q, 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRefused, deploy.MsgRefusedCommit)
		pressOn(w, second, sim.Channel, statusOf(w, sim.Channel, ts, 0), "pending")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRefused, deploy.MsgRefusedCommit, deploy.MsgPending)
		press(w, sim.User, sim.Channel, questionOf(w, ts), 0)
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRefused, deploy.MsgRefusedCommit, deploy.MsgApprovals)
		press(w, third, sim.Channel, questionOf(w, ts), 0)
		press(w, "U0FOURTH", sim.Channel, questionOf(w, ts), 0)
		wantPipelines(w, 1)
	})
}

func TestWhatADeployTakesIsTold(t *testing.T) {
	for more, want := range map[string]string{
		`, "confirm": true`:                                 "`app`: the commit is confirmed first",
		`, "approvals": 2` + threeApprovers:                 "`app`: needs 2 approvals, by <@U0FOURTH>, <@U0SECOND>, <@U0THIRD>",
		`, "allow": ["` + sim.User + `", "` + second + `"]`: "`app`: only <@" + sim.User + ">, <@" + second + "> may deploy it",
		"": "",
	} {
		row(t, "by status and what is pending; with"+more, func(t *testing.T) {
			w := sim.New(t, oneTarget(more), "PSYCHER_LANG=en")
			w.StartReady("a")
			for word, id := range map[string]deploy.MessageID{"status": deploy.MsgStatus, "what's pending?": deploy.MsgPending} {
				ts := w.Ask(word)
				w.WaitMessages(sim.Channel, ts, id)
				switch text := w.Slack.Thread(sim.Channel, ts)[0].Text; {
				case want != "" && !strings.HasSuffix(text, "\n"+want), want == "" && strings.Contains(text, "\n"):
					t.Errorf("%s says %s", word, text)
				}
			}
		})
	}
}
