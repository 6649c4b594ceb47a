package notify

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
)

func TestEveryFormOfACallIsRead(t *testing.T) {
	short := deploy.Callback{Channel: "C0DEPLOY1", TS: "1700000000.000100", Result: deploy.ResultSuccess, Shared: true}
	full := short
	full.ID, full.Pipeline, full.Job = notifyID, 4711, 90210
	ofJob := full
	ofJob.JobName, ofJob.JobStage, ofJob.SHA = "deploy: [東京, production] 🚀", "Deploy", notifySHA

	for name, c := range map[string]struct {
		call testCall
		want deploy.Callback
	}{
		"the seed's curl line": {testCall{query: notifyToken + "=true&source=gitlab&result=success&" + notifyMention}, short},
		"the seed's later curl line": {testCall{
			method: "POST", query: notifyToken + "=true", header: formBody,
			body: `{"type":"gitlab","result":"success","channel":"C0DEPLOY1","timestamp":"1700000000.000100"}`,
		}, short},
		"type deploy": {testCall{
			method: "POST", query: notifyToken + "=true", header: formBody,
			body: ` {"type":"deploy","result":"success","channel":"C0DEPLOY1","timestamp":"1700000000.000100"}` + "\n",
		}, short},
		"the secret as a name without a value": {testCall{query: notifyToken + "&source=gitlab&result=success&" + notifyMention}, short},
		"the secret as a name of any value":    {testCall{query: notifyToken + "=false&source=gitlab&result=success&" + notifyMention}, short},
		"the secret as a name, escaped":        {testCall{query: "notify%2Dtest.token_0~1=true&source=gitlab&result=success&" + notifyMention}, short},
		"the secret as token in the query":     {testCall{query: "token=" + notifyToken + "&source=gitlab&result=success&" + notifyMention}, short},
		"the secret as bearer":                 {testCall{header: withAuth, query: "source=gitlab&result=success&" + notifyMention}, short},
		"the secret as bearer, in small letters": {testCall{
			header: map[string]string{"Authorization": "bearer " + notifyToken}, query: "source=gitlab&result=success&" + notifyMention,
		}, short},
		"a form body": {testCall{method: "POST", header: both(formBody, withAuth), body: "source=gitlab&result=success&" + notifyMention}, short},
		"a form body with token": {testCall{
			method: "POST", header: formBody, body: "token=" + notifyToken + "&source=gitlab&result=success&" + notifyMention,
		}, short},
		"a form body with the secret as a name": {testCall{
			method: "POST", header: formBody, body: notifyToken + "=true&source=gitlab&result=success&" + notifyMention + "\n",
		}, short},
		"a JSON body with token": {testCall{
			method: "POST", header: jsonBody,
			body: `{"token":"` + notifyToken + `","source":"gitlab","result":"success","channel":"C0DEPLOY1","timestamp":"1700000000.000100"}`,
		}, short},
		"all fields in a form": {testCall{
			method: "POST", header: both(formBody, withAuth),
			body: "source=gitlab&result=success&id=" + notifyID + "&pipeline=4711&job=90210&" + notifyMention,
		}, full},
		"the job and the commit in a form": {testCall{
			method: "POST", header: both(formBody, withAuth),
			body: "source=gitlab&result=success&id=" + notifyID + "&pipeline=4711&job=90210&" + notifyMention +
				"&" + url.Values{"job_name": {ofJob.JobName}, "job_stage": {"Deploy"}, "sha": {strings.ToUpper(notifySHA)}}.Encode(),
		}, ofJob},
		"the job and the commit in JSON": {testCall{
			method: "POST", header: both(jsonBody, withAuth),
			body: `{"source":"gitlab","result":"success","channel":"C0DEPLOY1","timestamp":"1700000000.000100","id":"` + notifyID +
				`","pipeline":4711,"job":90210,"job_name":"` + ofJob.JobName + `","job_stage":"Deploy","sha":"` + notifySHA + `"}`,
		}, ofJob},
		"all fields in JSON, numbers as numbers": {testCall{
			method: "POST", header: both(jsonBody, withAuth),
			body: `{"source":"gitlab","result":"success","channel":"C0DEPLOY1","timestamp":"1700000000.000100","id":"` +
				strings.ToUpper(notifyID) + `","pipeline":4711,"job":90210,"more":{"a":[null]}}`,
		}, full},
		"all fields in JSON, numbers as text": {testCall{
			method: "POST", header: both(jsonBody, withAuth),
			body: `{"source":"gitlab","result":"success","channel":"C0DEPLOY1","timestamp":"1700000000.000100","id":"` +
				notifyID + `","pipeline":"4711","job":"90210"}`,
		}, full},
		"the optional fields empty": {testCall{header: withAuth, query: "source=gitlab&result=success&id=&pipeline=&job=&" + notifyMention}, short},
		"the optional fields null": {testCall{
			method: "POST", header: both(jsonBody, withAuth),
			body: `{"source":"gitlab","result":"success","channel":"C0DEPLOY1","timestamp":"1700000000.000100","id":null,"pipeline":null}`,
		}, short},
		"query and body saying the same": {testCall{
			method: "POST", header: both(formBody, withAuth), query: "source=gitlab&result=success",
			body: "result=success&" + notifyMention,
		}, short},
		"an unknown field": {testCall{header: withAuth, query: "colour=red&source=gitlab&result=success&" + notifyMention}, short},
	} {
		t.Run(name, func(t *testing.T) {
			h := &recorder{result: deploy.CallbackTaken}
			w, _ := c.call.make(t, h)
			if w.Code != http.StatusOK || w.Body.String() != `{"psycher":"1","result":"ok"}`+"\n" {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
			if diff := cmp.Diff([]deploy.Callback{c.want}, h.got); diff != "" {
				t.Errorf("recorded (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryResultIsRecorded(t *testing.T) {
	for _, result := range []deploy.Result{deploy.ResultStart, deploy.ResultSuccess, deploy.ResultFailure, deploy.ResultCanceled} {
		h := &recorder{result: deploy.CallbackTaken}
		testCall{header: withAuth, query: "pipeline=1&source=gitlab&" + notifyMention + "&result=" + string(result)}.make(t, h)
		if len(h.got) != 1 || h.got[0].Result != result {
			t.Errorf("%s: recorded %v", result, h.got)
		}
	}
}

func TestBadCallIsToldWhatToFix(t *testing.T) {
	good := "source=gitlab&result=success&" + notifyMention
	without := func(part string) string { return strings.Replace(good, part, "x=", 1) }
	form := func(body string) testCall {
		return testCall{method: "POST", header: both(formBody, withAuth), body: body}
	}
	object := func(body string) testCall {
		return testCall{method: "POST", header: both(jsonBody, withAuth), body: body}
	}
	query := func(q string) testCall { return testCall{header: withAuth, query: q} }

	for name, c := range map[string]struct {
		call  testCall
		names string // what the error begins with
	}{
		"no source":                     {query(without("source=gitlab")), "source"},
		"another source":                {query(without("source=gitlab") + "&source=github"), "source"},
		"type in the query":             {query(without("source=gitlab") + "&type=gitlab"), "source"},
		"another type":                  {object(`{"type":"release"}`), "type"},
		"no result":                     {query(without("result=success")), "result"},
		"another result":                {query(without("result=success") + "&result=successful"), "result"},
		"a result in capitals":          {query(without("result=success") + "&result=SUCCESS"), "result"},
		"no channel":                    {query(without("channel=C0DEPLOY1")), "channel"},
		"an empty channel":              {query(without("C0DEPLOY1")), "channel"},
		"a channel's name":              {query(without("C0DEPLOY1") + "general"), "channel"},
		"a channel with a line end":     {query(without("channel=C0DEPLOY1") + "&channel=C0DEPLOY1%0A"), "channel"},
		"no timestamp":                  {query(without("timestamp=1700000000.000100")), "timestamp"},
		"a timestamp of letters":        {query(without("timestamp=1700000000.000100") + "&timestamp=now"), "timestamp"},
		"a timestamp without dot":       {query(without("timestamp=1700000000.000100") + "&timestamp=1700000000"), "timestamp"},
		"an id that is no UUID":         {query(good + "&id=42"), "id"},
		"an id in braces":               {query(good + "&id={" + notifyID + "}"), "id"},
		"pipeline 0":                    {query(good + "&pipeline=0"), "pipeline"},
		"a negative pipeline":           {query(good + "&pipeline=-1"), "pipeline"},
		"a pipeline with a sign":        {query(good + "&pipeline=%2B1"), "pipeline"},
		"a pipeline of letters":         {query(good + "&pipeline=one"), "pipeline"},
		"a pipeline without end":        {query(good + "&pipeline=9999999999999999999"), "pipeline"},
		"a job of letters":              {query(good + "&job=deploy"), "job"},
		"a job with a fraction":         {object(`{"source":"gitlab","result":"success","channel":"C0","timestamp":"1.1","job":1.5}`), "job"},
		"a job's name too long":         {query(good + "&job_name=" + strings.Repeat("x", 256)), "job_name"},
		"a job's name of two lines":     {query(good + "&job_name=deploy%0Adeploy"), "job_name"},
		"a job's name with escapes":     {query(good + "&job_name=%1B%5B0K"), "job_name"},
		"a job's name of bytes":         {query(good + "&job_name=%FF"), "job_name"},
		"a stage too long":              {query(good + "&job_stage=" + strings.Repeat("x", 256)), "job_stage"},
		"a short SHA":                   {query(good + "&sha=" + notifySHA[:8]), "sha"},
		"a SHA that is not hexadecimal": {query(good + "&sha=" + strings.Repeat("g", 40)), "sha"},
		"a SHA between two lengths":     {query(good + "&sha=" + notifySHA + "0"), "sha"},
		"sha twice":                     {query(good + "&sha=&sha="), "sha"},
		"start without pipeline":        {query(without("result=success") + "&result=start"), "pipeline"},
		"result twice":                  {query(good + "&result=success"), "result"},
		"channel twice in a form":       {form(good + "&channel=C0DEPLOY2"), "channel"},
		"token twice":                   {query("token=" + notifyToken + "&token=" + notifyToken + "&" + good), "token"},
		"job twice in JSON":             {object(`{"source":"gitlab","job":1,"\u006aob":1}`), "job"},
		"query against body": {testCall{
			method: "POST", header: both(formBody, withAuth), query: "result=failure", body: good,
		}, "result"},
		"an empty body":                 {form(""), "source"},
		"a broken form":                 {form(good + "&a=%zz"), "body"},
		"a broken query":                {query(good + "&a=%zz"), "query"},
		"a semicolon":                   {query(good + ";a=b"), "query"},
		"a cut object":                  {object(`{"source":"gitlab"`), "body"},
		"an object and more":            {object(`{"source":"gitlab"} {}`), "body"},
		"an array":                      {object(`["source"]`), "body"},
		"a text":                        {object(`source=gitlab`), "body"},
		"a list for a text":             {object(`{"source":["gitlab"]}`), "source"},
		"true for a text":               {object(`{"result":true}`), "result"},
		"an object of objects":          {object(strings.Repeat(`{"a":`, 10_900)), "body"},
		"a content type of its own":     {testCall{method: "POST", header: both(withAuth, map[string]string{"Content-Type": "text/xml"}), body: "<x/>"}, "body"},
		"a malformed content type":      {testCall{method: "POST", header: both(withAuth, map[string]string{"Content-Type": "a/b/c"}), body: "x"}, "body"},
		"a body under multipart's name": {testCall{method: "POST", header: both(withAuth, map[string]string{"Content-Type": "multipart/form-data; boundary=x"}), body: "--x--"}, "body"},
	} {
		t.Run(name, func(t *testing.T) {
			h := &recorder{result: deploy.CallbackTaken}
			w, _ := c.call.make(t, h)
			var said struct{ Error string }
			if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil {
				t.Fatalf("answered %s: %v", w.Body, err)
			}
			if w.Code != http.StatusBadRequest || !strings.HasPrefix(said.Error, c.names+": ") {
				t.Errorf("answered %d %q, want 400 that names %s", w.Code, said.Error, c.names)
			}
			if len(h.got) != 0 {
				t.Errorf("recorded %v", h.got)
			}
		})
	}
}

func FuzzCallback(f *testing.F) {
	f.Add("GET", notifyToken+"=true&source=gitlab&result=success&"+notifyMention, "", "", "")
	f.Add("POST", notifyToken+"=true", "application/x-www-form-urlencoded", "", `{"type":"deploy","result":"failure","channel":"C0","timestamp":"1.1"}`)
	f.Add("POST", "", "application/json", "Bearer "+notifyToken, `{"source":"gitlab","result":"start","channel":"C0","timestamp":"1.1","pipeline":7}`)
	f.Add("POST", "", "application/x-www-form-urlencoded", "Basic eA==", "token=x&source=gitlab&result=success&"+notifyMention)
	f.Add("PUT", "%zz;", "a/b/c", "", `{"a":[[[`)
	f.Add("POST", "", "application/x-www-form-urlencoded", "Bearer "+attemptToken, "source=gitlab&result=success&job_name=deploy&job_stage=deploy&sha="+notifySHA+"&"+notifyMention)
	f.Add("GET", attemptToken+"=true&source=gitlab&result=success&job_name="+attemptToken+"&"+notifyMention, "", "", "")
	f.Add("GET", strings.Repeat("a&", 30)+"token="+attemptToken, "", "Bearer psy_", "")
	f.Fuzz(func(t *testing.T, method, query, contentType, authorization, body string) {
		h := &recorder{result: deploy.CallbackTaken}
		r := httptest.NewRequest(http.MethodPost, "/notify", strings.NewReader(body))
		r.Method, r.URL.RawQuery = method, query
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		var log bytes.Buffer
		NewHandler(notifyToken, h, zerolog.New(&log)).ServeHTTP(w, r)

		var said map[string]string
		if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || len(said) != 2 || said["psycher"] == "" {
			t.Errorf("answered %s", w.Body)
		}
		if (w.Code == http.StatusOK) != (len(h.got) == 1) {
			t.Errorf("answered %d, recorded %v", w.Code, h.got)
		}
		// The secret has no escapes here unless somebody wrote some.
		shown := strings.Contains(query+authorization+body, notifyToken) || deploy.TokenForm.MatchString(query+" "+authorization+" "+body) || strings.ContainsAny(query+body, `%\+`)
		if !shown && (w.Code == http.StatusOK || w.Code == http.StatusBadRequest) {
			t.Errorf("answered %d without the secret", w.Code)
		}
		if out := log.String() + w.Body.String(); strings.Contains(out, notifyToken) || deploy.TokenForm.MatchString(out) {
			t.Errorf("shows a secret: %s", out)
		}
		for _, c := range h.got {
			if c.Token == "" && !c.Shared || c.Token != "" && !deploy.IsToken(c.Token.Reveal()) {
				t.Errorf("accepted a call that shows nothing: %+v", c)
			}
			if len(c.JobName) > 4*255 || len(c.JobStage) > 4*255 || len(c.SHA) > 64 || strings.ContainsAny(c.JobName+c.JobStage, "\n\x1b") {
				t.Errorf("accepted what exceeds the bounds: %+v", c)
			}
		}
	})
}
