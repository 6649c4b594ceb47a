package actions

import (
	"cmp"
	"fmt"
	"strings"
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
	unclear := deploy.Intent{Kind: deploy.KindDeploy, Doubt: deploy.MsgUnclear}
	for name, row := range map[string]struct {
		change  func(*Request)
		deploy  string
		answer  deploy.MessageID
		about   string
		buttons string // the targets that are offered, and no
		stop    bool
	}{
		"a deploy":                               {func(r *Request) { r.Intent = deploy.Intent{Kind: deploy.KindDeploy, Target: "app"} }, "app", "", "", "", false},
		"a deploy that the person may not do":    {func(r *Request) { r.Intent = deploy.Intent{Kind: deploy.KindDeploy, Target: "api"} }, "", deploy.MsgNotAllowed, "api", "", false},
		"a deploy of no target":                  {func(r *Request) { r.Intent = deploy.Intent{Kind: deploy.KindDeploy} }, "", deploy.MsgWhichTarget, "app", "app no", false},
		"a deploy of no target, by who may both": {func(r *Request) { r.Intent, r.Rules.Request.By.User = deploy.Intent{Kind: deploy.KindDeploy}, "U9" }, "", deploy.MsgWhichTarget, "", "api app no", false},
		"a deploy of a target that is elsewhere": {func(r *Request) { r.Intent = deploy.Intent{Kind: deploy.KindDeploy, Target: "web"} }, "", deploy.MsgWhichTarget, "app", "app no", false},
		"a deploy in doubt":                      {func(r *Request) { r.Intent = unclear; r.Intent.Target = "app" }, "", deploy.MsgUnclear, "app", "app no", false},
		"a doubt about what the person may not":  {func(r *Request) { r.Intent = unclear; r.Intent.Target = "api" }, "", deploy.MsgNotAllowed, "api", "", false},
		"a doubt of somebody external":           {func(r *Request) { r.Intent, r.Rules.Request.By.External = unclear, true }, "", deploy.MsgGuest, "app", "", false},
		"a doubt about another action":           {func(r *Request) { r.Intent = deploy.Intent{Kind: deploy.KindUnknown, Doubt: deploy.MsgPlainly} }, "", deploy.MsgPlainly, "", "", false},
		"a doubt where there is nothing":         {func(r *Request) { r.Intent, r.Here = unclear, nil }, "", deploy.MsgNoTarget, "", "", false},
		"a deploy that is asked for too late": {func(r *Request) {
			r.Intent, r.Rules.SlackNow = deploy.Intent{Kind: deploy.KindDeploy, Target: "app"}, r.Rules.SlackNow.Add(time.Hour)
		}, "", deploy.MsgTooLate, "app", "app no", false},
		"a deploy by an edit": {func(r *Request) {
			r.Intent, r.Rules.Request.Edited = deploy.Intent{Kind: deploy.KindDeploy, Target: "app"}, true
		}, "", deploy.MsgEditedIn, "app", "app no", false},
		"a deploy from before the store": {func(r *Request) {
			r.Intent, r.Rules.Birth = deploy.Intent{Kind: deploy.KindDeploy, Target: "app"}, r.Rules.SlackNow.Add(time.Hour)
		}, "", deploy.MsgForgotten, "app", "app no", false},
		"words that are not understood": {func(r *Request) { r.Intent = deploy.Intent{Kind: deploy.KindUnknown} }, "", deploy.MsgUnknown, "app", "app no", false},
		"the same by somebody external": {func(r *Request) {
			r.Intent, r.Rules.Request.By.External = deploy.Intent{Kind: deploy.KindUnknown}, true
		}, "", deploy.MsgUnknown, "", "", false},
		"nothing that is known":                   {func(r *Request) { r.Intent = deploy.Intent{} }, "", deploy.MsgUnknown, "", "", false},
		"a greeting":                              {func(r *Request) { r.Intent = deploy.Intent{Kind: deploy.KindGreet} }, "", deploy.MsgGreet, "", "", false},
		"the state is asked for":                  {func(r *Request) { r.Intent = deploy.Intent{Kind: deploy.KindStatus, Target: "app"} }, "", deploy.MsgStatus, "app", "", false},
		"what waits is to be stopped":             {func(r *Request) { r.Intent = deploy.Intent{Kind: deploy.KindCancel} }, "", deploy.MsgStop, "", "", true},
		"the same of a target that is not theirs": {func(r *Request) { r.Intent = deploy.Intent{Kind: deploy.KindCancel, Target: "api"} }, "", deploy.MsgStop, "api", "", true},
		"a stop of several targets":               {func(r *Request) { r.Intent = deploy.Intent{Kind: deploy.KindCancel, Several: true} }, "", deploy.MsgStopWhich, "", "", false},
		"a stop by somebody external":             {func(r *Request) { r.Intent, r.Rules.Request.By.External = deploy.Intent{Kind: deploy.KindCancel}, true }, "", deploy.MsgStopGuest, "", "", false},
		"what cannot be done yet":                 {func(r *Request) { r.Intent = deploy.Intent{Kind: "new"} }, "", deploy.MsgNotYet, "", "", false},
		"a lock of no target":                     {func(r *Request) { r.Intent = deploy.Intent{Kind: deploy.KindLock} }, "", deploy.MsgNameOne, "", "", false},
		"the end of a lock that is not there":     {func(r *Request) { r.Intent = deploy.Intent{Kind: deploy.KindUnlock, Target: "app"} }, "", deploy.MsgNotLocked, "app", "", false},
		"a rollback of no target":                 {func(r *Request) { r.Intent = deploy.Intent{Kind: deploy.KindRollback} }, "", deploy.MsgNameOne, "", "", false},
		"the last deployments":                    {func(r *Request) { r.Intent = deploy.Intent{Kind: deploy.KindHistory} }, "", deploy.MsgHistory, "", "", false},
		"what would go out":                       {func(r *Request) { r.Intent = deploy.Intent{Kind: deploy.KindPending, Target: "app"} }, "", deploy.MsgPending, "app", "app no", false},
	} {
		r := request(deploy.Intent{})
		row.change(&r)
		d := Decide(r)
		if d.Deploy != nil {
			if d.Deploy.Name != row.deploy {
				t.Errorf("%s: it deploys %s, want %q", name, d.Deploy.Name, row.deploy)
			}
			continue
		}
		var buttons []string
		for _, b := range d.Buttons {
			buttons = append(buttons, cmp.Or(b.Target, "no"))
			if (b.Do == deploy.KindDeploy) != (b.Target != "") {
				t.Errorf("%s: the button of %q does %q", name, b.Target, b.Do)
			}
		}
		m := d.Answer
		if row.deploy != "" || m.ID != row.answer || m.Target != row.about || strings.Join(buttons, " ") != row.buttons || d.Stop != row.stop {
			t.Errorf("%s: answered %q about %q with %v, stop %t", name, m.ID, m.Target, buttons, d.Stop)
		}
	}
}

func TestAChannelWithoutTargetsLearnsItsIDs(t *testing.T) {
	r := request(deploy.Intent{Kind: deploy.KindDeploy})
	r.Here = nil
	if m := Decide(r).Answer; m.ID != deploy.MsgNoTarget || m.Team != "T1" || m.Channel != "C1" {
		t.Errorf("%+v", m)
	}
}

func TestMoreTargetsThanAMenuTakesAreNotOffered(t *testing.T) {
	r := request(deploy.Intent{Kind: deploy.KindDeploy})
	r.Here = nil
	for i := range maxChoices + 1 {
		r.Here = append(r.Here, deploy.Target{Name: fmt.Sprintf("app-%d", i)})
	}
	if d := Decide(r); len(d.Buttons) > 0 || d.Answer.ID != deploy.MsgWhichTarget || len(d.Answer.Targets) != len(r.Here) {
		t.Errorf("%d buttons, answered %q about %d targets", len(d.Buttons), d.Answer.ID, len(d.Answer.Targets))
	}
	r.Here = r.Here[:maxChoices]
	if d := Decide(r); len(d.Buttons) != maxChoices+1 {
		t.Errorf("%d buttons for %d targets", len(d.Buttons), maxChoices)
	}
}

// newest is the target's newest deployment, in a state.
func newest(state deploy.State, sha string, pipeline int64) *deploy.Record {
	return &deploy.Record{
		State: state, Request: deploy.Request{Key: deploy.Key{Team: "T1", Channel: "C1", TS: fmt.Sprintf("%d.000001", 1700000000+pipeline)}},
		Deployment: deploy.Deployment{Target: "app", Pipeline: pipeline, Progress: &deploy.Progress{
			Commit: deploy.Commit{SHA: sha}, Job: &deploy.Job{ID: pipeline * 10, Name: "deploy"}, Steers: true,
		}},
	}
}

func TestARetryActsOnlyWhereItsDeploymentWentWrong(t *testing.T) {
	for name, row := range map[string]struct {
		state  deploy.State
		thread string
		deploy bool
	}{
		"in the thread of a failure":    {deploy.Failed, "1700000007.000001", true},
		"in the thread of a canceled":   {deploy.Canceled, "1700000007.000001", true},
		"in the thread of a success":    {deploy.Succeeded, "1700000007.000001", false},
		"in the thread of another":      {deploy.Failed, "1700000008.000001", false},
		"in the channel":                {deploy.Failed, "", false},
		"in the thread of what runs on": {deploy.Running, "1700000007.000001", false},
	} {
		r := request(deploy.Intent{Kind: deploy.KindRetry, Target: "app"})
		r.Past.Newest, r.Rules.Request.Thread = newest(row.state, "abc", 7), row.thread
		if d := Decide(r); (d.Deploy != nil) != row.deploy || !row.deploy && (d.Answer.ID != deploy.MsgAgain || len(d.Buttons) != 2) {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestARollbackGoesBackToTheLastOtherSuccessOnceThatIsConfirmed(t *testing.T) {
	failed, before := newest(deploy.Failed, "c3", 9), []deploy.Record{*newest(deploy.Succeeded, "c2", 8)}
	elsewhere := newest(deploy.Succeeded, "c2", 8)
	elsewhere.Deployment.Job = "deploy-api"
	cannot := newest(deploy.Failed, "c3", 9)
	cannot.Deployment.Progress.Steers = false
	for name, row := range map[string]struct {
		newest  *deploy.Record
		past    []deploy.Record
		pressed string // the commit on the button
		answer  deploy.MessageID
		to      string
	}{
		"it is to be confirmed":                    {failed, before, "", deploy.MsgRollback, "c2"},
		"confirmed":                                {failed, before, "c2", "", "c2"},
		"another commit was confirmed":             {failed, before, "c1", deploy.MsgRollback, "c2"},
		"the newest is a success":                  {newest(deploy.Succeeded, "c3", 9), []deploy.Record{*newest(deploy.Succeeded, "c3", 9), before[0]}, "c2", "", "c2"},
		"the one before was of the same commit":    {newest(deploy.Succeeded, "c3", 9), []deploy.Record{*newest(deploy.Succeeded, "c3", 8), *newest(deploy.Succeeded, "c1", 7)}, "c1", "", "c1"},
		"there is no other":                        {newest(deploy.Succeeded, "c3", 9), []deploy.Record{*newest(deploy.Succeeded, "c3", 9)}, "", deploy.MsgNothingBefore, ""},
		"nothing was deployed, as far as is known": {nil, nil, "", deploy.MsgNothingBefore, ""},
		"the one before ran other jobs":            {failed, []deploy.Record{*elsewhere}, "", deploy.MsgNothingBefore, ""},
		"the token may not":                        {cannot, nil, "", deploy.MsgCannotSteer, ""},
	} {
		r := request(deploy.Intent{Kind: deploy.KindRollback, Target: "app"})
		r.Past = Past{Newest: row.newest, Successes: row.past}
		if row.pressed != "" {
			r.Rules.Pressed = deploy.Button{Do: deploy.KindRollback, Ref: "master", SHA: row.pressed}
		}
		d := Decide(r)
		switch {
		case row.answer == "":
			if d.Deploy == nil || d.Back == nil || d.Back.Commit.SHA != row.to || d.Undone.SHA != row.newest.Deployment.Progress.Commit.SHA {
				t.Errorf("%s: %+v", name, d)
			}
		case d.Deploy != nil || d.Answer.ID != row.answer, row.to != "" && (len(d.Buttons) != 2 || d.Buttons[0].SHA != row.to):
			t.Errorf("%s: answered %q with %+v", name, d.Answer.ID, d.Buttons)
		}
	}
	if d := Decide(request(deploy.Intent{Kind: deploy.KindRollback, Target: "api"})); d.Answer.ID != deploy.MsgNotAllowed {
		t.Errorf("who may not deploy is answered %q", d.Answer.ID)
	}
	late := request(deploy.Intent{Kind: deploy.KindRollback, Target: "app"})
	late.Past, late.Rules.Pressed.SHA, late.Rules.SlackNow = Past{Newest: failed, Successes: before}, "c2", late.Rules.SlackNow.Add(time.Hour)
	if d := Decide(late); d.Deploy != nil {
		t.Error("a press that comes up an hour later rolls back")
	}
}

func TestACommitThatWasTakenBackIsAskedAbout(t *testing.T) {
	r := request(deploy.Intent{Kind: deploy.KindDeploy, Target: "app"})
	r.Past.TakenBack = &deploy.Success{Commit: deploy.Commit{SHA: "c3"}, At: 1700000000, By: "U5"}
	if d := Decide(r); d.Deploy != nil || d.Answer.ID != deploy.MsgTakenBack || len(d.Buttons) != 2 || d.Answer.Undone.By != "U5" {
		t.Errorf("%+v", d)
	}
}

func TestStatusAndPendingTellWhatADeployTakes(t *testing.T) {
	rule := func(rs ...deploy.Rules) string { return fmt.Sprint(rs) }
	boss := deploy.Rules{Target: "api", Allow: []string{"U9"}}
	two := deploy.Rules{Target: "app", Confirm: true, Approvals: 2, Approvers: []string{"U1", "U2", "U3", "U4"}}
	ops := deploy.Rules{Target: "app", Allow: []string{"@ops", "S2"}, Confirm: true}
	approved := func(t *deploy.Target) {
		t.Confirm, t.Approvals, t.Approvers = true, 2, []string{"U1", "U2", "U3", "U4", "U5"}
	}
	for name, row := range map[string]struct {
		change func(*deploy.Target)
		asked  deploy.Intent
		want   string
	}{
		"status of all":                {nil, deploy.Intent{Kind: deploy.KindStatus}, rule(boss)},
		"status of one":                {nil, deploy.Intent{Kind: deploy.KindStatus, Target: "api"}, rule(boss)},
		"status of one without":        {nil, deploy.Intent{Kind: deploy.KindStatus, Target: "app"}, rule()},
		"status of all with rules":     {approved, deploy.Intent{Kind: deploy.KindStatus}, rule(boss, two)},
		"status, with user groups":     {func(t *deploy.Target) { t.Confirm, t.Allow = true, []string{"S1", "S2"} }, deploy.Intent{Kind: deploy.KindStatus, Target: "app"}, rule(ops)},
		"pending":                      {approved, deploy.Intent{Kind: deploy.KindPending, Target: "app"}, rule(two)},
		"pending without":              {nil, deploy.Intent{Kind: deploy.KindPending, Target: "app"}, rule()},
		"pending of what they may not": {nil, deploy.Intent{Kind: deploy.KindPending, Target: "api"}, rule()},
		"help":                         {approved, deploy.Intent{Kind: deploy.KindHelp}, rule()},
	} {
		r := request(row.asked)
		r.Rules.Groups = map[string]rules.Group{"S1": {Handle: "ops", Members: []string{"U1"}}}
		if row.change != nil {
			row.change(&r.Here[1])
		}
		if got := rule(Decide(r).Answer.Rules...); got != row.want {
			t.Errorf("%s: it tells %s, want %s", name, got, row.want)
		}
	}
}

func TestAQuestionNamesNoCommitThatGitLabDoesNotShow(t *testing.T) {
	r := request(deploy.Intent{Kind: deploy.KindDeploy, Target: "app"})
	r.Here[1].Confirm, r.Rules.Beside = true, []deploy.Beside{{Name: "T1:C2:1.0", Known: deploy.Known{State: deploy.Locked, By: "U5"}}}
	d := Decide(r)
	if !d.Answer.Names(deploy.MsgConfirm) {
		t.Fatalf("it asks for %v", d.Answer.Reasons())
	}
	d.Of("")
	if d.Answer.Names(deploy.MsgConfirm) || d.Answer.ID != deploy.MsgLocked || d.Buttons[0].Do != deploy.KindDeploy || d.Buttons[0].SHA != "" {
		t.Errorf("it asks for %v, by %+v", d.Answer.Reasons(), d.Buttons[0])
	}
}

func TestAQuestionNamesAllThatHoldsItsTarget(t *testing.T) {
	at := func(ts string, s deploy.State) deploy.Beside {
		return deploy.Beside{Name: "T1:C2:" + ts, Known: deploy.Known{State: s, By: "U5"}}
	}
	lock, running := at("1.0", deploy.Locked), at("2.0", deploy.Running)
	own := at("4.0", deploy.Locked)
	own.Known.By = "U1"
	confirmed := func(r *Request) { r.Here[1].Confirm = true }
	for name, row := range map[string]struct {
		in      deploy.Intent
		change  func(*Request)
		beside  []deploy.Beside
		want    string // the reasons, in order
		over    string // what the button confirms
		buttons string // what they do
	}{
		"a lock, and a deployment that goes on": {deploy.Intent{Kind: deploy.KindDeploy, Target: "app"}, nil, []deploy.Beside{lock, running}, "locked status-queued", "T1:C2:1.0", "deploy tell"},
		"beside which it starts, as was said":   {deploy.Intent{Kind: deploy.KindDeploy, Target: "app"}, func(r *Request) { r.Rules.Pressed.Over = "T1:C2:2.0" }, []deploy.Beside{lock, running}, "locked busy", "T1:C2:1.0 T1:C2:2.0", "deploy tell"},
		"where there is no queue":               {deploy.Intent{Kind: deploy.KindDeploy, Target: "app"}, confirmed, []deploy.Beside{lock, running}, "locked busy confirm", "T1:C2:1.0 T1:C2:2.0", "deploy tell"},
		"that lock was confirmed":               {deploy.Intent{Kind: deploy.KindDeploy, Target: "app"}, func(r *Request) { confirmed(r); r.Rules.Pressed.Over = "T1:C2:1.0" }, []deploy.Beside{lock, running}, "busy locked confirm", "T1:C2:1.0 T1:C2:2.0", "deploy tell"},
		"two are to approve it":                 {deploy.Intent{Kind: deploy.KindDeploy, Target: "app"}, func(r *Request) { confirmed(r); r.Here[1].Approvals = 2 }, []deploy.Beside{lock}, "locked approvals", "T1:C2:1.0", "deploy tell"},
		"a doubt":                               {deploy.Intent{Kind: deploy.KindDeploy, Target: "app", Doubt: deploy.MsgUnclear}, confirmed, []deploy.Beside{lock}, "unclear locked confirm", "T1:C2:1.0", "deploy tell"},
		"what is pending, to be confirmed":      {deploy.Intent{Kind: deploy.KindPending, Target: "app"}, confirmed, []deploy.Beside{running}, "pending busy", "T1:C2:2.0", "deploy"},
		"words that are not understood":         {deploy.Intent{Kind: deploy.KindUnknown, Target: "app"}, confirmed, []deploy.Beside{lock}, "unknown", "", "deploy"},
		"one of several targets":                {deploy.Intent{Kind: deploy.KindDeploy}, func(r *Request) { r.Here[0].Allow = nil; confirmed(r) }, nil, "which-target", "", "deploy deploy"},
		"a freeze, and a lock": {deploy.Intent{Kind: deploy.KindDeploy, Target: "app"}, func(r *Request) {
			r.Here[1].Freezes, r.Here[1].Override = []deploy.Freeze{{Begins: once(r.Rules.SlackNow), For: time.Hour, Zone: time.UTC}}, []string{"U1"}
		}, []deploy.Beside{lock}, "freeze locked", "T1:C2:1.0", "deploy"},
		"the person's own lock":     {deploy.Intent{Kind: deploy.KindDeploy, Target: "app"}, nil, []deploy.Beside{own}, "locked", "T1:C2:4.0", "deploy"},
		"that, and somebody else's": {deploy.Intent{Kind: deploy.KindDeploy, Target: "app"}, nil, []deploy.Beside{own, lock}, "locked", "T1:C2:4.0 T1:C2:1.0", "deploy tell"},
		"a rollback": {deploy.Intent{Kind: deploy.KindRollback, Target: "app"}, func(r *Request) {
			confirmed(r)
			r.Past = Past{Newest: newest(deploy.Failed, "c3", 9), Successes: []deploy.Record{*newest(deploy.Succeeded, "c2", 8)}}
		}, []deploy.Beside{lock, running}, "rollback locked busy", "T1:C2:1.0 T1:C2:2.0", "rollback"},
	} {
		r := request(row.in)
		if r.Rules.Beside = row.beside; row.change != nil {
			row.change(&r)
		}
		d := Decide(r)
		if len(d.Buttons) == 0 {
			t.Errorf("%s: %+v", name, d)
			continue
		}
		var does []string
		for _, b := range d.Buttons[:len(d.Buttons)-1] {
			does = append(does, string(b.Do))
		}
		if got := strings.Trim(fmt.Sprint(d.Answer.Reasons()), "[]"); got != row.want || d.Buttons[0].Over != row.over || strings.Join(does, " ") != row.buttons {
			t.Errorf("%s: asked for %s, confirms %q, the buttons %s", name, got, d.Buttons[0].Over, does)
		}
		if d.Answer.NamesBeside() && len(d.Answer.Known) != len(row.beside) {
			t.Errorf("%s: it tells of %+v", name, d.Answer.Known)
		}
	}
	r := request(deploy.Intent{Kind: deploy.KindDeploy, Target: "app"})
	if r.Rules.Beside = []deploy.Beside{running}; Decide(r).Queue == nil {
		t.Error("what is held back by another deployment alone is not queued")
	}
}

// once is a schedule of one moment.
type once time.Time

func (o once) Next(after time.Time) time.Time {
	if at := time.Time(o); at.After(after) {
		return at
	}
	return time.Time{}
}

func TestARefusalNamesWhatHoldsItsTargetToo(t *testing.T) {
	at := func(ts string, s deploy.State) deploy.Beside {
		return deploy.Beside{Name: "T1:C2:" + ts, Known: deploy.Known{State: s, By: "U5"}}
	}
	all := []deploy.Beside{at("1.0", deploy.Locked), at("2.0", deploy.Running)}
	asked := func(k deploy.Kind) deploy.Intent { return deploy.Intent{Kind: k, Target: "app"} }
	doubt := asked(deploy.KindDeploy)
	doubt.Doubt = deploy.MsgUnclear
	frozen := func(r *Request) {
		r.Here[1].Freezes = []deploy.Freeze{{Begins: once(r.Rules.SlackNow), For: time.Hour, Zone: time.UTC}}
	}
	listed := func(r *Request) { r.Here[1].Allow = []string{"U9"} }
	for name, row := range map[string]struct {
		in     deploy.Intent
		change func(*Request)
		beside []deploy.Beside
		want   string
	}{
		"a deploy during a freeze":           {asked(deploy.KindDeploy), frozen, all, "frozen locked status-running"},
		"of what is locked alone":            {asked(deploy.KindDeploy), frozen, all[:1], "frozen locked"},
		"of what is free":                    {asked(deploy.KindDeploy), frozen, nil, "frozen"},
		"of what waits for GitLab":           {asked(deploy.KindDeploy), frozen, []deploy.Beside{at("3.0", deploy.Waiting)}, "frozen status-running"},
		"of what may run side by side":       {asked(deploy.KindDeploy), func(r *Request) { frozen(r); r.Here[1].Parallel = true }, all[1:], "frozen"},
		"one in doubt":                       {doubt, frozen, all, "frozen locked status-running"},
		"by who is not on the list":          {asked(deploy.KindDeploy), func(r *Request) { frozen(r); listed(r) }, all, "not-allowed frozen locked status-running"},
		"a rollback by who is not on it":     {asked(deploy.KindRollback), listed, all, "not-allowed locked status-running"},
		"who wants to be told of its end":    {asked(deploy.KindTell), frozen, all, "frozen locked status-running"},
		"what would go out, during a freeze": {asked(deploy.KindPending), frozen, all, "pending-only frozen locked status-running"},
		"what would go out, to who may not":  {asked(deploy.KindPending), listed, nil, "pending-only not-allowed"},
		"to who may be in an unread group":   {asked(deploy.KindPending), func(r *Request) { r.Here[1].Allow = []string{"S1"} }, nil, "pending-only group-unread"},
		"what would go out, to a guest":      {asked(deploy.KindPending), func(r *Request) { frozen(r); r.Rules.Request.By.External = true }, all, "guest"},
		"what would go out, to who may override": {asked(deploy.KindPending), func(r *Request) {
			frozen(r)
			r.Here[1].Override = []string{"U1"}
		}, nil, "pending freeze"},
	} {
		r := request(row.in)
		r.Rules.Beside = row.beside
		row.change(&r)
		d := Decide(r)
		m := d.Answer
		if got := strings.Trim(fmt.Sprint(m.Reasons()), "[]"); got != row.want || d.Deploy != nil || d.Queue != nil || (len(d.Buttons) > 0) != (m.ID == deploy.MsgPending) {
			t.Errorf("%s: answered %s, with %+v", name, got, d)
		}
		if m.Names(deploy.MsgFrozen) && len(m.Frozen) != 1 || m.NamesBeside() && len(m.Known) != len(row.beside) {
			t.Errorf("%s: it tells of %+v and %+v", name, m.Frozen, m.Known)
		}
		if m.ID == deploy.MsgPendingOnly && (m.Project != "group/app" || m.Ref != "master") {
			t.Errorf("%s: what goes out is of %q at %q", name, m.Project, m.Ref)
		}
	}
}
