package deploy

import "testing"

func TestRecordOfLayout3IsRead(t *testing.T) {
	const head = `{"v":3,"revision":"R","mention":{"team":"T1","channel":"C1","ts":"1700000000.000100","id":"id-1","by":{"user":"U1"},"via":"mention",`
	held, err := DecodeRecord([]byte(head+`"intent":{"kind":"deploy","target":"app","answer":"later","word":"明日"}},"state":"accepted","shown":{}}`), nil)
	if err != nil || held.Request.Intent.Deploys() || held.Request.Intent.Word != "明日" || held.Request.By.User != "U1" {
		t.Errorf("a request that was held back: %v, %+v", err, held.Request)
	}
	plain, err := DecodeRecord([]byte(head+`"intent":{"kind":"deploy","target":"app"}},"state":"accepted","shown":{}}`), nil)
	if err != nil || !plain.Request.Intent.Deploys() || plain.Request.Intent.Target != "app" {
		t.Errorf("a request: %v, %+v", err, plain.Request)
	}
	answered, err := DecodeRecord([]byte(head+`"intent":{"kind":"status"}},"state":"answered","lines":[{"say":"status","target":"app","url":"https://git/7","last":"running"}],"shown":{}}`), nil)
	if err != nil || len(answered.Lines) != 1 || len(answered.Lines[0].Known) != 1 || answered.Lines[0].Known[0].State != Running || answered.Lines[0].Known[0].URL != "https://git/7" {
		t.Errorf("an answer that is not posted yet: %v, %+v", err, answered.Lines)
	}
}
