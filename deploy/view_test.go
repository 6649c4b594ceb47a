package deploy

import (
	"reflect"
	"testing"
)

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

// A message that Slack never took is not there to be edited, however it changes.
func TestMessageThatSlackNeverTookIsNotEdited(t *testing.T) {
	r := in(Running)
	r.Shown.Reaction = r.View().Reaction
	r.Shown.setPosted(SlotStatus, Posted{})
	if calls := pending(r); len(calls) > 0 {
		t.Errorf("pending are %+v", calls)
	}
}
