package deploy

import (
	"slices"
	"testing"
	"time"
)

// TestTheQueue: what comes of a look, whatever is ahead.
func TestTheQueue(t *testing.T) {
	before, after := t0.Add(-time.Minute), t0.Add(time.Second)
	other := func(s State, triggered time.Time) Record {
		r := in(s)
		r.Request.TS, r.Deployment.Triggered = "1600000000.000100", triggered
		return r
	}
	beside := func(r Record) Ahead { return Ahead{Active: []Beside{r.Beside()}} }
	rollback := other(Running, after)
	rollback.Deployment.Rollback = &Success{}
	elsewhere := other(Succeeded, after)
	elsewhere.Deployment.Ref = "main"
	unseen := other(Succeeded, before).addLine(Message{ID: MsgUnseen})
	none := other(Unsure, after)
	none.Deployment.NoneSeen = true
	rolledBack := other(Succeeded, before)
	rolledBack.Deployment.Rollback = &Success{}
	stopping := other(Running, after)
	stopping.Deployment.Cancel = &Cancel{}
	leftBehind := other(Running, after)
	leftBehind.Deployment.SetAside = "U2"
	outAllTheSame := leftBehind
	outAllTheSame.State = Succeeded
	later := t0.Add(time.Minute)
	for name, row := range map[string]struct {
		turn Turn
		now  time.Time
		a    Ahead
		want Look
		with bool // it goes along with the other one
	}{
		"one goes on":                              {Turn{}, later, beside(other(Running, before)), LookLater, false},
		"one goes on that waits for GitLab":        {Turn{}, later, beside(other(Waiting, before)), LookLater, false},
		"one goes on that cannot be read":          {Turn{}, later, Ahead{Active: []Beside{{Name: "T1:C1:1.0"}}}, LookLater, false},
		"a rollback goes on that began since":      {Turn{}, later, beside(rollback), LookLater, false},
		"one goes on that began since":             {Turn{}, later, beside(other(Running, after)), LookLater, true},
		"one began since that is to be stopped":    {Turn{}, later, beside(stopping), LookLater, false},
		"one began since that was set aside":       {Turn{}, later, beside(leftBehind), LookLater, false},
		"one that was set aside is out since":      {Turn{Behind: []string{"x"}}, later, Ahead{Behind: []Record{outAllTheSame}}, LookDone, true},
		"one is being triggered":                   {Turn{}, later, beside(other(Triggering, after)), LookLater, false},
		"it is over, and was a success":            {Turn{Behind: []string{"x"}}, later, Ahead{Behind: []Record{other(Succeeded, before)}}, LookStart, false},
		"it is over, and has failed":               {Turn{Behind: []string{"x"}}, later, Ahead{Behind: []Record{other(Failed, before)}}, LookAsk, false},
		"it was canceled":                          {Turn{Behind: []string{"x"}}, later, Ahead{Behind: []Record{other(Canceled, before)}}, LookAsk, false},
		"it was refused":                           {Turn{Behind: []string{"x"}}, later, Ahead{Behind: []Record{other(Refused, before)}}, LookAsk, false},
		"it has never told how it ended":           {Turn{Behind: []string{"x"}}, later, Ahead{Behind: []Record{other(Silent, before)}}, LookAsk, false},
		"its jobs were not seen":                   {Turn{Behind: []string{"x"}}, later, Ahead{Behind: []Record{unseen}}, LookAsk, false},
		"it was a rollback":                        {Turn{Behind: []string{"x"}}, later, Ahead{Behind: []Record{rolledBack}}, LookAsk, false},
		"it is forgotten":                          {Turn{Behind: []string{"x"}}, later, Ahead{}, LookAsk, false},
		"one of two is forgotten":                  {Turn{Behind: []string{"x", "y"}}, later, Ahead{Behind: []Record{other(Succeeded, before)}}, LookAsk, false},
		"it is over after half an hour":            {Turn{Behind: []string{"x"}}, t0.Add(maxQueued + time.Second), Ahead{Behind: []Record{other(Succeeded, before)}}, LookAsk, false},
		"what waited has begun since, and is over": {Turn{Behind: []string{"x"}}, later, Ahead{Behind: []Record{other(Succeeded, after)}}, LookDone, true},
		"another one is next":                      {Turn{}, later, Ahead{First: ptr(other(Queued, before))}, LookLater, true},
		"it goes along with one that is asked":     {Turn{With: "x"}, later, Ahead{With: ptr(other(Asking, before))}, LookLater, true},
		"that one runs":                            {Turn{With: "x"}, later, Ahead{With: ptr(other(Running, before))}, LookLater, true},
		"that one has succeeded":                   {Turn{With: "x"}, later, Ahead{With: ptr(other(Succeeded, before))}, LookDone, true},
		"that one has failed":                      {Turn{With: "x"}, later, Ahead{With: ptr(other(Failed, before))}, LookDone, true},
		"that one says nothing":                    {Turn{With: "x"}, later, Ahead{With: ptr(other(Silent, before))}, LookDone, true},
		"that one was withdrawn":                   {Turn{With: "x"}, later, Ahead{With: ptr(other(Answered, before))}, LookStart, false},
		"that one was refused":                     {Turn{With: "x"}, later, Ahead{With: ptr(other(Refused, before))}, LookStart, false},
		"that one is forgotten":                    {Turn{With: "x"}, later, Ahead{}, LookStart, false},
		"GitLab shows nothing of that one":         {Turn{With: "x"}, later, Ahead{With: &none}, LookStart, false},
		"that one deployed something else":         {Turn{With: "x"}, later, Ahead{With: &elsewhere}, LookStart, false},
		"that one was withdrawn, and one goes on":  {Turn{With: "x"}, later, Ahead{With: ptr(other(Answered, before)), Active: beside(other(Running, before)).Active}, LookLater, false},
	} {
		r := accepted().Queue(target, t0)
		row.turn.Since = t0
		r.Turn = row.turn
		next, look := r.Look(row.a, row.now)
		if look != row.want {
			t.Errorf("%s: %s, want %s", name, look, row.want)
		}
		switch {
		case look == LookLater && (next.State != Queued || !next.Next.Equal(row.now.Add(lookEvery)) || len(next.Turn.Known) == 0):
			t.Errorf("%s: it becomes %+v", name, next)
		case look == LookDone && next.State != Answered:
			t.Errorf("%s: it becomes %s", name, next.State)
		case (next.Turn.With != "") != row.with:
			t.Errorf("%s: it goes along with %q", name, next.Turn.With)
		}
		if behind := next.Turn.Behind; len(row.a.Active) > 0 && !row.with && !slices.Contains(behind, row.a.Active[0].Name) {
			t.Errorf("%s: it is behind %q", name, behind)
		}
	}
}

func ptr[T any](v T) *T { return &v }

// What takes twice its usual time can be left behind; what does not, cannot.
func TestWhatTakesLongCanBeLeftBehind(t *testing.T) {
	other := in(Running)
	other.Request.TS = "1600000000.000100"
	short := other
	short.Deployment.Progress = &Progress{Usual: 60}
	for name, row := range map[string]struct {
		after  time.Duration
		beside []Record
		want   bool
	}{
		"its usual time is not known, ten minutes": {10 * time.Minute, []Record{other}, false},
		"and a second":         {10*time.Minute + time.Second, []Record{other}, true},
		"twice its usual time": {2 * time.Minute, []Record{short}, false},
		"and more":             {2*time.Minute + time.Second, []Record{short}, true},
		"one of two":           {3 * time.Minute, []Record{short, other}, false},
	} {
		a := Ahead{}
		for _, r := range row.beside {
			a.Active = append(a.Active, r.Beside())
		}
		r, _ := accepted().Queue(target, t0).Look(a, t0.Add(row.after))
		b := r.Button(KindDeploy)
		if got := b.Do != ""; got != row.want || got && !b.Confirms(row.beside[0].Beside()) {
			t.Errorf("%s: the button %+v", name, b)
		}
		if len(row.beside) == 1 { // who goes along with it can leave it behind too
			r, _ = r.Look(Ahead{With: &row.beside[0]}, t0.Add(row.after))
			if got := r.Button(KindDeploy).Do != ""; got != row.want {
				t.Errorf("%s: along with it, the button is there: %t", name, got)
			}
		}
		if r.Button(KindWithdraw).Do == "" {
			t.Errorf("%s: it cannot be withdrawn", name)
		}
	}
}

// What is withdrawn while it goes along with another still goes out with that one, and both messages say so.
func TestWhatIsWithdrawnMayGoOutWithAnother(t *testing.T) {
	other := in(Running)
	other.Request.TS = "1600000000.000100"
	alone := accepted().Queue(target, t0)
	along, _ := alone.Look(Ahead{With: &other}, t0)
	withdraw := func(r Record) Record { r, _ = r.Withdraw(Person{User: "U2"}); return r }
	edit := func(r Record) Record { return r.Edit(Intent{Kind: KindThanks}) }
	frozen := func(r Record) Record { return r.Answer(Message{ID: MsgFrozen}) }
	for name, row := range map[string]struct {
		queued Record
		ends   func(Record) Record
		want   bool
	}{
		"it goes along, and is withdrawn":   {along, withdraw, true},
		"it goes along, and is edited away": {along, edit, true},
		"it is next, and is withdrawn":      {alone, withdraw, false},
		"it is next, and is edited away":    {alone, edit, false},
		"it is next, and a rule refuses it": {alone, frozen, false},
	} {
		row.queued.Shown.Posts = map[string]Posted{SlotStatus: {}}
		posts := row.ends(row.queued).View().Posts
		if len(posts) != 2 || posts[0].Message.ID != MsgStatusAnswered {
			t.Fatalf("%s: it shows %+v", name, posts)
		}
		for _, p := range posts {
			if k := p.Message.Known; len(k) > 0 != row.want || row.want && (k[0].By != other.Request.By.User || !k[0].State.Open()) {
				t.Errorf("%s: %s tells of %+v", name, p.Message.ID, k)
			}
		}
	}
}
