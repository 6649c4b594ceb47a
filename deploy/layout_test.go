package deploy

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What the version before wrote is read whole: nothing is posted or put anew but
// what it had not come to.
func TestRecordOfTheLayoutBeforeIsRead(t *testing.T) {
	const written = `{"v":2,"mark":"OLDMARK","mention":{"team":"T1","channel":"C1","ts":"1700000000.000100","id":"id-1","user":"U1","stranger":true,"text":"release"},` +
		`"state":"failed","breaks":1,"deployment":{"target":"app","project":"42","ref":"master","key":"RELEASE","timeout":3600000000000,"attempt":1,"page":"https://git/app/-/pipelines",` +
		`"triggered":"2026-01-02T03:04:05Z","wait_end":"2026-01-02T03:09:05Z","pipeline":7,"url":"https://git/app/-/pipelines/7","looks":3,"heard":"2026-01-02T03:04:06Z"},` +
		`"tokens":["sum"],"marks":["thumbsup","x"],"lines":[{"say":"failed","user":"U1","target":"app","project":"42","ref":"master","key":"RELEASE","url":"https://git/app/-/pipelines/7"}],` +
		`"shown":{"mark":"x","off":["thumbsup"],"status":"1700000001.000200","form":"status-failed/1","said":1,"posting":"line-1","in_channel":true,"retries":{"post":{"what":"x","tries":2}}}}`
	got, err := DecodeRecord([]byte(written), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := in(Failed)
	want.Layout, want.Revision, want.Panics, want.Request.By.External = 2, "OLDMARK", 1, true
	want.Request.At, want.Request.Via, want.Request.Intent = want.Request.Time(), ViaMention, Intent{}
	want.Deployment.Ended = time.Time{}
	want.Lines[0].For, want.Lines[0].Progress = "", nil
	want.Deployment.Polls, want.Deployment.LastSeen = 3, time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)
	want.Shown = Shown{
		Reaction: "x", Off: []string{"thumbsup"}, Posting: "line-1", InChannel: true,
		Posts:   map[string]Posted{SlotStatus: {TS: "1700000001.000200"}, SlotLine(0): {}},
		Retries: map[CallKind]Retry{CallPost: {What: "x", Tries: 2}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	got.Shown.Posting = ""
	if calls := pending(got); len(calls) != 1 || calls[0].Kind != CallUpdate || calls[0].Slot != SlotStatus {
		t.Errorf("pending are %+v, not one edit of the status message", calls)
	}
	raw, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	again, err := DecodeRecord(append([]byte(`{"v":3,`), raw[len(`{"v":2,`):]...), nil)
	if again.Layout = 2; err != nil || !reflect.DeepEqual(got, again) {
		t.Errorf("written and read again: %v\n%s", err, cmp.Diff(got, again))
	}
}

// Whatever of an editable message changes, people are to see it.
func TestEditableMessageIsEditedWhateverOfItChanges(t *testing.T) {
	was := in(Running).Message(MsgStatusRunning)
	fields := reflect.TypeFor[Message]()
	for i := range fields.NumField() {
		if fields.Field(i).Tag.Get("json") == "-" {
			continue // of its wording and its place
		}
		is := was
		switch f := reflect.ValueOf(&is).Elem().Field(i); f.Kind() {
		case reflect.String:
			f.SetString("another")
		case reflect.Int64:
			f.SetInt(1)
		case reflect.Int:
			f.SetInt(1)
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		case reflect.Pointer:
			f.Set(reflect.New(f.Type().Elem()))
		default:
			t.Fatalf("%s is a %s: change it here", fields.Field(i).Name, f.Kind())
		}
		if is.hash() == was.hash() {
			t.Errorf("a change of %s is not shown", fields.Field(i).Name)
		}
	}
}

// A record of layout 2 has the message's text. Where nobody has taken it up yet
// its words are read now; else they have done their part.
func TestTextInARecordOfLayout2IsReadOnce(t *testing.T) {
	const head = `{"v":2,"mark":"m","mention":{"team":"T1","channel":"C1","ts":"1700000000.000100","id":"id-1","user":"U1"`
	wants := Intent{Kind: KindDeploy, Target: "app"}
	for name, c := range map[string]struct {
		raw      string
		want     Intent
		external bool
		edited   bool
	}{
		"claimed":                  {head + `,"text":"release"},"state":"accepted","shown":{}}`, wants, false, false},
		"claimed, by a guest":      {head + `,"stranger":true,"text":"release"},"state":"accepted","shown":{}}`, wants, true, false},
		"claimed, from an edit":    {head + `,"edited":true,"text":"release"},"state":"accepted","shown":{}}`, wants, false, true},
		"claimed, cut":             {head + `,"cut":true,"text":"release"},"state":"accepted","shown":{}}`, Intent{Kind: KindUnknown, Doubt: MsgTooLong}, false, false},
		"taken up, and it waits":   {head + `,"text":"release"},"state":"waiting","shown":{}}`, Intent{}, false, false},
		"answered, named no more":  {head + `,"edited":true,"unnamed":true,"text":""},"state":"answered","shown":{}}`, Intent{}, false, true},
		"of layout 1, and claimed": {`{"v":1` + head[len(`{"v":2`):] + `,"text":"release"},"state":"accepted","shown":{}}`, wants, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			key := Key{"T1", "C1", "1700000000.000100"}
			got, err := DecodeRecord([]byte(c.raw), func(k Key, text string) Intent {
				if k != key || text != "release" {
					t.Errorf("%s: asked to read %q", k, text)
				}
				return wants
			})
			if err != nil {
				t.Fatal(err)
			}
			want := Request{
				Key: key, ID: "id-1", By: Person{User: "U1", External: c.external}, At: time.Unix(1700000000, 100_000).UTC(),
				Via: ViaMention, Edited: c.edited, Intent: c.want,
			}
			if diff := cmp.Diff(want, got.Request); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// An answer that a process of layout 2 gave, and has not posted, still has words.
func TestAnswersOfLayout2HaveWords(t *testing.T) {
	for old, want := range map[MessageID]MessageID{"negated": MsgUnclear, "how": MsgUnclear, "later": MsgUnclear, "near-miss": MsgUnclear, "past": MsgStatus, "stop": MsgStop, "greet": MsgGreet} {
		got, err := DecodeRecord([]byte(`{"v":2,"mention":{"ts":"1.1"},"state":"answered","lines":[{"say":"`+string(old)+`"}],"shown":{}}`), nil)
		if err != nil || len(got.Lines) != 1 || got.Lines[0].ID != want {
			t.Errorf("%s: %+v, %v; want %s", old, got.Lines, err, want)
		}
	}
}

// A process that cannot read the text asks about it, and deploys nothing.
func TestTextThatCannotBeReadIsAskedAbout(t *testing.T) {
	got, err := DecodeRecord([]byte(`{"v":2,"mention":{"ts":"1.1","text":"release"},"state":"accepted","shown":{}}`), nil)
	if err != nil || got.Request.Intent.Deploys() || got.Request.Intent.Doubt != MsgForgotten {
		t.Errorf("%+v, %v", got.Request.Intent, err)
	}
}

// A message that Slack never took is not there to be edited, however it changes.
func TestMessageThatSlackNeverTookIsNotEdited(t *testing.T) {
	r := in(Running)
	r.Shown.Reaction = r.View().Reaction
	r.Shown.setPosted(SlotStatus, Posted{})
	if calls := pending(r); len(calls) > 0 {
		t.Errorf("pending are %+v", calls)
	}
}
