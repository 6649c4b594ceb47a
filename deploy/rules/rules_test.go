package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

var posted = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// allowed is a request that no rule refuses.
func allowed() Context {
	return Context{
		Request:  deploy.Request{Key: deploy.Key{Team: "T1", Channel: "C1", TS: "1767323045.000000"}, By: deploy.Person{User: "U1"}, At: posted},
		Target:   deploy.Target{Name: "app", Allow: []string{"U1", "U2"}},
		Birth:    posted.Add(-time.Hour),
		SlackNow: posted.Add(time.Minute),
		MaxAge:   2 * time.Minute,
	}
}

// once is a schedule of one time.
type once time.Time

func (o once) Next(after time.Time) time.Time {
	if after.Before(time.Time(o)) {
		return time.Time(o)
	}
	return time.Time{}
}

// frozenAt are the windows of a target that is frozen for an hour.
func frozenAt(at time.Time) []deploy.Freeze {
	return []deploy.Freeze{{Begins: once(at), For: time.Hour, Zone: time.UTC, Reason: "weekend"}}
}

func TestRules(t *testing.T) {
	beside := func(states ...deploy.State) (all []deploy.Beside) {
		for i, state := range states {
			all = append(all, deploy.Beside{Name: fmt.Sprintf("T1:C2:%d.0", i+1), Known: deploy.Known{State: state}})
		}
		return all
	}
	shownOf := deploy.Target{Name: "app", Project: "group/app", Ref: "master", Key: "RELEASE", Allow: []string{"U1"}}
	frozen := func(c *Context) { c.Target.Freezes = frozenAt(posted) }
	confirmed := func(c *Context) {
		frozen(c)
		c.Target.Override, c.Pressed.Freeze, c.Pressed.Until = []string{"U1"}, true, posted.Add(time.Hour).Unix()
	}
	inGroup := func(members ...string) func(*Context) {
		return func(c *Context) {
			c.Request.By.User, c.Target.Allow, c.Groups = "U9", []string{"S1", "U1"}, map[string]Group{"S1": {Members: members}}
		}
	}
	unread := func(c *Context) { inGroup()(c); delete(c.Groups, "S1") }
	everything := func(c *Context) {
		frozen(c)
		c.Request.Edited, c.Request.By.User, c.TakenBack = true, "U9", &deploy.Success{}
		c.SlackNow, c.MaxAge = posted.Add(10*time.Minute), time.Minute
		c.Beside, c.Target.Approvals, c.Target.Confirm = beside(deploy.Locked, deploy.Running), 2, true
	}
	shown := deploy.Button{Do: deploy.KindDeploy, Target: "app", Project: "group/app", Ref: "master", Key: "RELEASE"}
	for name, row := range map[string]struct {
		change  func(*Context)
		refused deploy.MessageID // of a deploy: all reasons
		asked   deploy.MessageID // all reasons
	}{
		"nothing is wrong":                     {func(*Context) {}, "", ""},
		"the target has no list":               {func(c *Context) { c.Target.Allow, c.Request.By.User = nil, "U9" }, "", ""},
		"the person is of another workspace":   {func(c *Context) { c.Request.By.External = true }, deploy.MsgGuest, ""},
		"the person is not on the list":        {func(c *Context) { c.Request.By.User = "U9" }, deploy.MsgNotAllowed, ""},
		"the list has nobody":                  {func(c *Context) { c.Target.Allow = []string{} }, deploy.MsgNotAllowed, ""},
		"the person is in a group on the list": {inGroup("U8", "U9"), "", ""},
		"the person is in no group on it":      {inGroup("U8"), deploy.MsgNotAllowed, ""},
		"nobody is in the group":               {inGroup(), deploy.MsgNotAllowed, ""},
		"the group cannot be read":             {unread, deploy.MsgGroupUnread, ""},
		"it cannot, and the person is listed":  {func(c *Context) { unread(c); c.Request.By.User = "U1" }, "", ""},
		"it cannot, and another one has them":  {func(c *Context) { inGroup("U9")(c); c.Target.Allow = []string{"S0", "S1", "S2"} }, "", ""},
		"one of two groups cannot be read":     {func(c *Context) { inGroup("U8")(c); c.Target.Allow = []string{"S1", "S2"} }, deploy.MsgGroupUnread, ""},
		"somebody external is in the group":    {func(c *Context) { inGroup("U9")(c); c.Request.By.External = true }, deploy.MsgGuest, ""},
		"the person has the name of a group":   {func(c *Context) { inGroup("U9")(c); c.Request.By.User = "S1" }, deploy.MsgNotAllowed, ""},
		"a group of another list has them":     {func(c *Context) { inGroup("U9")(c); c.Target.Allow = []string{"U1"} }, deploy.MsgNotAllowed, ""},
		"an edit asks for it":                  {func(c *Context) { c.Request.Edited = true }, "", deploy.MsgEditedIn},
		"it is older than the store":           {func(c *Context) { c.Birth = posted.Add(time.Second) }, "", deploy.MsgForgotten},
		"it is as old as the store":            {func(c *Context) { c.Birth = posted }, "", ""},
		"it is as old as it may be":            {func(c *Context) { c.SlackNow = posted.Add(2 * time.Minute) }, "", ""},
		"it is too old":                        {func(c *Context) { c.SlackNow = posted.Add(2*time.Minute + time.Second) }, "", deploy.MsgTooLate},
		"the button said what the target is":   {func(c *Context) { c.Pressed, c.Target = shown, shownOf }, "", ""},
		"the button said another ref":          {func(c *Context) { c.Pressed, c.Target = shown, shownOf; c.Target.Ref = "main" }, "", deploy.MsgTooLate},
		"the button said another project":      {func(c *Context) { c.Pressed, c.Target = shown, shownOf; c.Target.Project = "group/web" }, "", deploy.MsgTooLate},
		"the button said another variable":     {func(c *Context) { c.Pressed, c.Target = shown, shownOf; c.Target.Key = "RELEASE_WEB" }, "", deploy.MsgTooLate},
		"the button told the ref alone":        {func(c *Context) { c.Pressed, c.Target = shown, shownOf; c.Pressed.Project, c.Pressed.Key = "", "" }, "", ""},
		"another deployment goes on":           {func(c *Context) { c.Beside = beside(deploy.Running) }, "", deploy.MsgBusy},
		"one goes on that cannot be read":      {func(c *Context) { c.Beside = beside("") }, "", deploy.MsgBusy},
		"another one waits":                    {func(c *Context) { c.Beside = beside(deploy.Waiting) }, "", deploy.MsgBusyWaiting},
		"one waits and one goes on":            {func(c *Context) { c.Beside = beside(deploy.Waiting, deploy.Unsure) }, "", deploy.MsgBusy},
		"another one goes on, side by side":    {func(c *Context) { c.Beside, c.Target.Parallel = beside(deploy.Running), true }, "", ""},
		"another one goes on, as was said":     {func(c *Context) { c.Beside, c.Pressed.Over = beside(deploy.Running), "T1:C2:1.0" }, "", ""},
		"two go on, as was said of one":        {func(c *Context) { c.Beside, c.Pressed.Over = beside(deploy.Running, deploy.Running), "T1:C2:1.0" }, "", deploy.MsgBusy},
		"of two, as was said, one has ended":   {func(c *Context) { c.Beside, c.Pressed.Over = beside(deploy.Running), "T1:C2:0.0 T1:C2:1.0" }, "", ""},
		"one has begun that waited then":       {func(c *Context) { c.Beside, c.Pressed.Over = beside(deploy.Running), "T1:C2:1.0/waiting" }, "", deploy.MsgBusy},
		"one waits, as was said":               {func(c *Context) { c.Beside, c.Pressed.Over = beside(deploy.Waiting), "T1:C2:1.0/waiting" }, "", ""},
		"its target is frozen":                 {frozen, deploy.MsgFrozen, deploy.MsgFreeze},
		"it is frozen, for others":             {func(c *Context) { frozen(c); c.Target.Override = []string{"U2"} }, deploy.MsgFrozen, deploy.MsgFreeze},
		"it is frozen, and the person may":     {func(c *Context) { frozen(c); c.Target.Override = []string{"U1"} }, "", deploy.MsgFreeze},
		"it is frozen, and was confirmed":      {confirmed, "", ""},
		"it is frozen, and another pressed":    {func(c *Context) { confirmed(c); c.Request.By.User = "U2" }, deploy.MsgFrozen, ""},
		"it is frozen since it waits":          {func(c *Context) { confirmed(c); c.Waited, c.Pressed.Freeze = true, false }, deploy.MsgFrozen, deploy.MsgFreeze},
		"it is frozen, and waits confirmed":    {func(c *Context) { confirmed(c); c.Waited = true }, "", ""},
		"that freeze is over, another holds":   {func(c *Context) { confirmed(c); c.Pressed.Until = c.SlackNow.Unix() }, "", deploy.MsgFreeze},
		"it lasts longer than was shown":       {func(c *Context) { confirmed(c); c.Pressed.Until = c.SlackNow.Unix() + 1 }, "", deploy.MsgFreeze},
		"its end was not shown":                {func(c *Context) { confirmed(c); c.Pressed.Until = 0 }, "", deploy.MsgFreeze},
		"another holds as it waits":            {func(c *Context) { confirmed(c); c.Waited, c.Pressed.Until = true, c.SlackNow.Unix() }, deploy.MsgFrozen, deploy.MsgFreeze},
		"it is frozen, and to be rolled back":  {func(c *Context) { frozen(c); c.Pressed.Do = deploy.KindRollback }, deploy.MsgFrozen, ""},
		"its freeze has not begun":             {func(c *Context) { c.Target.Freezes = frozenAt(posted.Add(time.Minute + time.Second)) }, "", ""},
		"its freeze has ended":                 {func(c *Context) { c.Target.Freezes = frozenAt(posted.Add(time.Minute - time.Hour)) }, "", ""},
		"its freeze begins this moment":        {func(c *Context) { c.Target.Freezes = frozenAt(posted.Add(time.Minute)) }, deploy.MsgFrozen, deploy.MsgFreeze},
		"the commit is to be confirmed":        {func(c *Context) { c.Target.Confirm = true }, "", deploy.MsgConfirm},
		"and it was":                           {func(c *Context) { c.Target.Confirm, c.Pressed.SHA = true, "c1" }, "", ""},
		"two are to approve it":                {func(c *Context) { c.Target.Approvals, c.Target.Confirm = 2, true }, "", "approvals confirm"},
		"and two have":                         {func(c *Context) { c.Target.Approvals, c.Approved = 2, approvedBy("U2", "U1") }, "", ""},
		"a rollback is not approved":           {func(c *Context) { c.Target.Approvals, c.Pressed.Do = 2, deploy.KindRollback }, "", ""},
		"and another deployment goes on":       {func(c *Context) { c.Target.Confirm, c.Beside = true, beside(deploy.Running) }, "", "busy confirm"},
		"all of this at once":                  {everything, "not-allowed frozen", "edited-in freeze locked busy taken-back approvals confirm"},
		"all of it, and some was confirmed": {func(c *Context) {
			everything(c)
			c.Pressed = deploy.Button{Over: "T1:C2:1.0", Freeze: true, Until: posted.Add(time.Hour).Unix(), SHA: "c1"}
		}, "not-allowed frozen", "edited-in busy taken-back approvals"},
		"all of it, for a guest":                   {func(c *Context) { everything(c); c.Request.By.External = true }, "guest", "edited-in freeze locked busy taken-back approvals confirm"},
		"a group that cannot be read, for a guest": {func(c *Context) { unread(c); c.Request.By.External = true }, "guest", ""},
		"its time cannot be read":                  {func(c *Context) { c.Request.At = time.Time{} }, "", deploy.MsgForgotten},
		"it is an edit by an external person":      {func(c *Context) { c.Request.Edited, c.Request.By.External = true, true }, deploy.MsgGuest, deploy.MsgEditedIn},
		"it is old, of somebody not on a list":     {func(c *Context) { c.SlackNow, c.Request.By.User = posted.Add(time.Hour), "U9" }, deploy.MsgNotAllowed, deploy.MsgTooLate},
	} {
		c := allowed()
		row.change(&c)
		m, first := Refusal(c, deploy.KindDeploy), May(c, deploy.KindDeploy)
		if got := joined(m.Reasons()); got != row.refused || first != m.ID {
			t.Errorf("%s: refused for %q, the first %q; want %q", name, got, first, row.refused)
		}
		if got := joined(Doubts(c)); got != row.asked {
			t.Errorf("%s: asked for %q, want %q", name, got, row.asked)
		}
	}
}

func joined(all []deploy.MessageID) deploy.MessageID {
	return deploy.MessageID(strings.Trim(fmt.Sprint(all), "[]"))
}

// A question names what holds the target, whatever was confirmed of it before.
func TestWhatHoldsATarget(t *testing.T) {
	c := allowed()
	c.Target.Approvals, c.Target.Freezes, c.Approved = 1, frozenAt(posted), approvedBy("U2")
	c.Beside = []deploy.Beside{{Name: "T1:C2:1.0", Known: deploy.Known{State: deploy.Locked}}}
	c.Pressed = deploy.Button{Do: deploy.KindDeploy, Over: "T1:C2:1.0", Freeze: true}
	if got := joined(Holding(c, deploy.KindDeploy)); got != "freeze locked approvals" {
		t.Errorf("a deploy is held by %q", got)
	}
	if got := joined(Holding(c, deploy.KindRollback)); got != "locked" {
		t.Errorf("a rollback is held by %q", got)
	}
}

func approvedBy(users ...string) (all []deploy.Pressed) {
	for _, user := range users {
		all = append(all, deploy.Pressed{By: deploy.Person{User: user}, At: posted})
	}
	return all
}

func TestWhichApprovalsCount(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*Context)
		want   int
	}{
		"of those who may deploy, where there is no list": {func(*Context) {}, 2},
		"of those on the list":                            {func(c *Context) { c.Target.Approvers = []string{"U2", "U9"} }, 2},
		"of nobody else":                                  {func(c *Context) { c.Target.Approvers = []string{"U8", "U2"} }, 1},
		"of nobody who wants it":                          {func(c *Context) { c.For = []deploy.Person{{User: "U2"}} }, 1},
		"of nobody external":                              {func(c *Context) { c.Approved[0].By.External = true }, 1},
		"for two hours":                                   {func(c *Context) { c.SlackNow = posted.Add(deploy.ApproveFor) }, 2},
		"no longer":                                       {func(c *Context) { c.SlackNow = posted.Add(deploy.ApproveFor + 1) }, 0},
		"but while it waits":                              {func(c *Context) { c.SlackNow, c.Waited = posted.Add(deploy.ApproveFor+1), true }, 2},
	} {
		c := allowed()
		c.Target.Allow, c.Approved = []string{"U2", "U9"}, approvedBy("U2", "U9")
		row.change(&c)
		if got := len(Approved(c)); got != row.want {
			t.Errorf("%s: %d count, want %d", name, got, row.want)
		}
	}
	c := allowed()
	c.Target.Approvers, c.Request.By.User = []string{"U5", "U6", "U7", "U8"}, "U1"
	if m := Refusal(c, deploy.KindApprove); m.ID != deploy.MsgNotApprover || len(m.People) != maxPeople {
		t.Errorf("who may not approve is told %+v", m)
	}
}

func TestWhatLastsWhileADeployWaits(t *testing.T) {
	c := allowed()
	c.SlackNow, c.TakenBack = posted.Add(time.Hour), &deploy.Success{}
	if no := Lasting(c); no != "" {
		t.Errorf("what waited is held back for %q", no)
	}
	c.Target.Confirm = true
	if no := Lasting(c); no != deploy.MsgConfirm {
		t.Errorf("what is to be confirmed since is held back for %q", no)
	}
}

// Whatever is not listed is authorised as strictly as a deploy.
func TestWhoMayDoWhat(t *testing.T) {
	by := func(user string) Context {
		return Context{Request: deploy.Request{By: deploy.Person{User: user}}, Target: deploy.Target{Name: "app", Allow: []string{"U1"}}}
	}
	for _, do := range []deploy.Kind{deploy.KindDeploy, deploy.KindRetry, deploy.KindRollback, deploy.KindUnlock, "", "new"} {
		if May(by("U1"), do) != "" || May(by("U9"), do) != deploy.MsgNotAllowed {
			t.Errorf("%q is not for those on the list alone", do)
		}
	}
	if May(by("U9"), deploy.KindCancel) != "" {
		t.Error("not everybody of the workspace may stop what waits")
	}
	c := by("U1")
	c.Target.Freezes, c.SlackNow = frozenAt(posted), posted
	for do, want := range map[deploy.Kind]deploy.MessageID{
		deploy.KindDeploy: deploy.MsgFrozen, deploy.KindRetry: deploy.MsgFrozen, "new": deploy.MsgFrozen, deploy.KindRollback: "", deploy.KindUnlock: "", deploy.KindCancel: "",
	} {
		if got := May(c, do); got != want {
			t.Errorf("during a freeze, %q is refused for %q, not %q", do, got, want)
		}
	}
	for _, do := range []deploy.Kind{deploy.KindDeploy, deploy.KindCancel, "new"} {
		c := by("U1")
		c.Request.By.External = true
		if May(c, do) != deploy.MsgGuest {
			t.Errorf("somebody external may %q", do)
		}
	}
}

func TestARefusalNamesTheRuleAndWhomToAsk(t *testing.T) {
	c := allowed()
	c.Request.By.User, c.Target.Allow = "U9", []string{"U1", "U2", "U3", "U4"}
	c.Target.Allow = append([]string{"S1", "S2"}, c.Target.Allow...)
	c.Groups = map[string]Group{"S1": {Handle: "devs"}, "S2": {}}
	m := Refusal(c, deploy.KindDeploy)
	if got := strings.Join(m.People, " "); got != "@devs S2 U1" {
		t.Errorf("to ask are %s", got)
	}
	if m.ID != deploy.MsgNotAllowed || m.Target != "app" || len(m.People) != maxPeople {
		t.Errorf("%+v", m)
	}
	c = allowed()
	c.Target.Freezes, c.Target.Override, c.Target.Allow = frozenAt(posted), []string{"U5", "U6", "U7", "U8"}, nil
	m = Refusal(c, deploy.KindDeploy)
	if f := m.Frozen; m.ID != deploy.MsgFrozen || len(m.People) != maxPeople || m.People[0] != "U5" || len(f) != 1 || f[0].Until != posted.Add(time.Hour).Unix() {
		t.Errorf("%+v", m)
	}
	c.Request.By.User, c.Target.Allow, c.Target.Override = "U9", []string{"U1", "U2"}, []string{"U5", "U2"}
	if m = Refusal(c, deploy.KindDeploy); joined(m.Reasons()) != "not-allowed frozen" || strings.Join(m.People, " ") != "U2" || len(m.Frozen) != 1 {
		t.Errorf("during a freeze, who is not on the list is told %+v", m)
	}
	if m := Refusal(allowed(), deploy.KindDeploy); m.ID != "" || m.Target != "" {
		t.Errorf("a person on the list is refused: %+v", m)
	}
}
