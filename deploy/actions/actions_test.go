package actions

import (
	"slices"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/rules"
)

func request(in deploy.Intent) Request {
	posted := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return Request{
		Intent: in,
		Here:   []deploy.Target{{Name: "api", Allow: []string{"U9"}}, {Name: "app", Project: "group/app", Ref: "master"}},
		Rules: rules.Context{
			Request:  deploy.Request{Key: deploy.Key{Team: "T1", Channel: "C1", TS: "1767323045.000000"}, By: deploy.Person{User: "U1"}, At: time.Unix(1767323045, 0)},
			SlackNow: posted, MaxAge: time.Minute,
		},
	}
}

func TestWhatComesOfARequest(t *testing.T) {
	for name, row := range map[string]struct {
		in       deploy.Intent
		deploy   string
		answer   deploy.MessageID
		about    string
		showLast bool
	}{
		"a deploy":                               {deploy.Intent{Kind: deploy.KindDeploy, Target: "app"}, "app", "", "", false},
		"a deploy that a rule refuses":           {deploy.Intent{Kind: deploy.KindDeploy, Target: "api"}, "", deploy.MsgNotAllowed, "api", false},
		"a deploy of no target":                  {deploy.Intent{Kind: deploy.KindDeploy}, "", deploy.MsgWhichTarget, "", false},
		"a deploy of a target that is elsewhere": {deploy.Intent{Kind: deploy.KindDeploy, Target: "web"}, "", deploy.MsgWhichTarget, "", false},
		"nothing that is known":                  {deploy.Intent{}, "", deploy.MsgUnknown, "", false},
		"a greeting":                             {deploy.Intent{Kind: deploy.KindGreet}, "", deploy.MsgGreet, "", false},
		"the state is asked for":                 {deploy.Intent{Kind: deploy.KindStatus, Target: "app"}, "", deploy.MsgStatus, "app", true},
		"a deploy is to be stopped":              {deploy.Intent{Kind: deploy.KindCancel}, "", deploy.MsgStop, "", true},
	} {
		row.in.Word = "word"
		d := Decide(request(row.in))
		if d.Deploy != nil {
			if d.Deploy.Name != row.deploy {
				t.Errorf("%s: it deploys %s, want %q", name, d.Deploy.Name, row.deploy)
			}
			continue
		}
		m := d.Answer
		if row.deploy != "" || m.ID != row.answer || m.Target != row.about || d.ShowLast != row.showLast {
			t.Errorf("%s: answered %q about %q, last %t", name, m.ID, m.Target, d.ShowLast)
		}
		if m.Word != "word" || !slices.Equal(m.Targets, []string{"api", "app"}) {
			t.Errorf("%s: the answer has word %q and targets %q", name, m.Word, m.Targets)
		}
	}
}

func TestADeployThatWaitedIsJudgedAgainByTheRulesOfEveryTrigger(t *testing.T) {
	again := request(deploy.Intent{Target: "app"})
	again.Rules.SlackNow = again.Rules.SlackNow.Add(time.Hour)
	if d := DeployAgain(again); d.Deploy == nil || d.Deploy.Name != "app" {
		t.Errorf("waiting made it too old: %q", d.Answer.ID)
	}
	again.Here[1].Allow = []string{"U9"}
	if d := DeployAgain(again); d.Deploy != nil || d.Answer.ID != deploy.MsgNotAllowed || d.Answer.Target != "app" {
		t.Errorf("the person was taken off the list, and it is answered %q about %q", d.Answer.ID, d.Answer.Target)
	}
}

func TestADeployThatWaitedForATargetThatIsGoneIsNotMade(t *testing.T) {
	d := DeployAgain(Request{Intent: deploy.Intent{Target: "gone"}})
	if d.Deploy != nil || d.Answer.ID != deploy.MsgRefusedGone {
		t.Errorf("%+v", d)
	}
}
