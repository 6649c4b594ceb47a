package messages

import (
	"github.com/getto-systems/psycher/deploy"
)

// Samples are messages as the bot may post them: two for those that differ much by
// what is known.
func Samples(id deploy.MessageID) []deploy.Message {
	word := map[deploy.MessageID]string{
		deploy.MsgUnclear: "明日", deploy.MsgOther: "staging",
	}
	detail := map[deploy.MessageID]string{
		deploy.MsgRefusedRedirect: "https://git.example.com/", deploy.MsgRefusedOther: "Something else is wrong",
		deploy.MsgRefusedRetry: "403 Forbidden - Job is not retryable", deploy.MsgRefusedRight: "403 Forbidden",
		deploy.MsgRefusedElsewhere: "Sign in", deploy.MsgRefusedProxy: "Cache Access Denied",
		deploy.MsgRefusedConfig: "Missing CI config file", deploy.MsgRefusedDisabled: "Pipelines are disabled!",
	}
	by := map[deploy.MessageID]string{
		deploy.MsgStatusStarting: "U0HANAKO", deploy.MsgDeclined: "U0HANAKO", deploy.MsgWithdrawn: "U0HANAKO", deploy.MsgPressedBefore: "U0HANAKO",
	}
	m := deploy.Message{
		ID: id, User: "U0HANAKO", Target: "app", Targets: []string{"app"}, Project: "group/app", Ref: "master", Key: "RELEASE",
		URL: "https://gitlab.example.com/group/app/-/pipelines/4711", Until: 1700000000, By: by[id], People: []string{"U0HANAKO"},
		Word: word[id], Detail: detail[id], Team: "T01ABC", Channel: "C01ABC", Confirmed: "9f8e7d6c5b4a39281706f5e4d3c2b1a0f9e8d7c6",
	}
	if m.Detail == "" {
		m.Detail = "deploy:production"
	}
	frozen := deploy.Frozen{Target: "app", Since: 1700211600, Until: 1700434800, Zone: "Asia/Tokyo", Reason: "weekend"}
	if id == deploy.MsgApprovals || id == deploy.MsgApprovedBefore {
		m.Approved, m.Missing = []string{"U0SATO"}, 1
	}
	other := m
	switch id {
	case deploy.MsgFrozen, deploy.MsgFreeze, deploy.MsgPressFrozen:
		m.Frozen = []deploy.Frozen{frozen}
		other.People, frozen.Until, frozen.Reason = nil, 0, ""
		other.Frozen = []deploy.Frozen{frozen}
	case deploy.MsgStop, deploy.MsgStatus, deploy.MsgHistory, deploy.MsgPressOver:
		running := deploy.Known{Target: "app", SHA: "3f2a9c1b5d7e8f90a1b2c3d4e5f60718293a4b5c", State: deploy.Running, By: "U0HANAKO", Since: 1700000000, Usual: 170, URL: m.URL}
		m.Known, other.Target = []deploy.Known{running}, ""
		if other.Withdrawn = 1; id == deploy.MsgStatus {
			other.Rules = []deploy.Rules{{Target: "web", Allow: []string{"U0HANAKO", "@ops"}, Confirm: true, Approvals: 2, Approvers: []string{"U0SATO"}}}
			other.Known = []deploy.Known{running, {Target: "web", State: deploy.Succeeded, By: "U0HANAKO", Since: 1700000000, Ended: 1700000168, URL: m.URL}}
		}
	case deploy.MsgWithdrawn, deploy.MsgStatusAnswered, deploy.MsgEditedOut:
		other.Known = []deploy.Known{{Target: "app", State: deploy.Running, By: "U0SATO", Since: 1700000000, URL: m.URL}}
	case deploy.MsgUnlocking:
		other.Frozen = []deploy.Frozen{frozen}
	case deploy.MsgOvertime:
		m.Took = 3600
		return []deploy.Message{m}
	case deploy.MsgNothing:
		other.Detail = ""
	case deploy.MsgOther:
		other.Target, other.Targets = "", []string{"api", "web"}
	case deploy.MsgStatusRunning, deploy.MsgStatusPerson, deploy.MsgStatusRunner, deploy.MsgStatusUnsure, deploy.MsgStatusSilent,
		deploy.MsgStatusSucceeded, deploy.MsgStatusFailed, deploy.MsgStatusCanceled, deploy.MsgStatusCanceling, deploy.MsgStatusNothing,
		deploy.MsgPending, deploy.MsgPendingOnly, deploy.MsgConfirm, deploy.MsgApprovals, deploy.MsgRollback, deploy.MsgTakenBack:
		addProgress(&m)
		other.User, other.Detail = "", ""
	case deploy.MsgSucceeded, deploy.MsgRolledBack, deploy.MsgFailed, deploy.MsgCanceled, deploy.MsgOtherCommit, deploy.MsgOtherCommitOn, deploy.MsgOtherCommitOut:
		addProgress(&m)
		m.Buttons = nil
	case deploy.MsgWhichTarget:
		m.Target, m.Targets = "", []string{"api", "web"}
		return []deploy.Message{m}
	default:
		return []deploy.Message{m}
	}
	return []deploy.Message{m, other}
}

const page = "https://gitlab.example.com/group/app/-/"

// addProgress adds what is known of a deployment that GitLab can be asked about.
func addProgress(m *deploy.Message) {
	commit := func(sha, title, author string) deploy.Commit {
		return deploy.Commit{SHA: sha, Title: title, Author: author, URL: page + "commit/" + sha}
	}
	newest := commit("3f2a9c1b5d7e8f90a1b2c3d4e5f60718293a4b5c", "Fix the login page", "yamada")
	before := commit("9f8e7d6c5b4a39281706f5e4d3c2b1a0f9e8d7c6", "Copy fixes", "sato")
	job := &deploy.Job{ID: 31, Name: "deploy:production", Stage: "deploy", Status: "running", URL: page + "jobs/31"}
	p := &deploy.Progress{
		Commit: newest, Before: &deploy.Success{Commit: before, Pipeline: 4700, By: "U0SATO", At: 1699930000},
		Commits: &deploy.Commits{Count: 4, First: []deploy.Commit{newest, commit("a1", "Copy fixes", "sato"), commit("b2", "Faster CI", "ito")}, Compare: page + "compare/9f8e7d6c...3f2a9c1b"},
		Usual:   170, Elapsed: 80, Steers: true, Job: job,
		Stages: []deploy.Stage{{Name: "build", Status: "success"}, {Name: "test", Status: "success"}, {Name: "deploy", Status: "running"}, {Name: "clean", Status: "created"}},
	}
	m.User, m.Detail, m.For, m.Progress = "U0HANAKO", "", "U0HANAKO", p
	cancel := deploy.Button{Do: deploy.KindCancel, Target: "app", Ref: "#4711", Value: "cancel"}
	back := deploy.Button{Do: deploy.KindRollback, Target: "app", SHA: before.SHA, Value: "back"}
	switch m.ID {
	case deploy.MsgStatusRunning:
		m.Buttons = []deploy.Button{cancel}
	case deploy.MsgStatusPerson:
		p.Stages[2].Status = "manual"
		m.Buttons = []deploy.Button{cancel}
	case deploy.MsgStatusRunner:
		p.Stages, p.Commits.Count, p.Commits.Back, p.Commits.First = nil, 0, true, nil
		m.Buttons = []deploy.Button{cancel}
	case deploy.MsgStatusSilent:
		p.Unseen = 1700000060
	case deploy.MsgStatusSucceeded, deploy.MsgSucceeded:
		m.Took = 168
		m.Buttons = []deploy.Button{{Do: deploy.KindOpen, Target: "app", URL: "https://app.example.com/"}, back}
	case deploy.MsgStatusFailed, deploy.MsgFailed:
		m.Took = 72
		job.Status, job.Reason, p.Failed, p.Stages[2].Status = "failed", "script_failure", job, "failed"
		m.Buttons = []deploy.Button{{Do: deploy.KindRetry, Target: "app", Ref: "master", Value: "retry"}, back}
	case deploy.MsgStatusCanceled, deploy.MsgCanceled, deploy.MsgStatusNothing:
		m.Took = 72
		m.Buttons = []deploy.Button{{Do: deploy.KindRetry, Target: "app", Ref: "master", Value: "retry"}}
	}
}
