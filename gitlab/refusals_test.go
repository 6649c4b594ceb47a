package gitlab

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/getto-systems/psycher/deploy"
)

func TestWords(t *testing.T) {
	for body, want := range map[string]string{
		`{"message":"404 Not Found"}`:                                       "404 Not Found",
		`{"message":{"base":["one","two"]}}`:                                "one; two",
		`{"message":{"ref":["is invalid"],"base":["one"]}}`:                 "one; ref is invalid",
		`{"error":"ref is missing"}`:                                        "ref is missing",
		`{"error":"invalid_token","error_description":"Token was revoked"}`: "invalid_token; Token was revoked",
		`["one"]`: "one",
		`{"message":"ask <a href=\"x\">here</a>,\nor &amp; there"}`: "ask here, or & there",
		"Retry later\n": "Retry later",
		"<html><head><title> Sorry </title></head><body>long</body></html>": "Sorry",
		"<script>var a = 1</script><h1>No</h1> <p>way</p>":                  "No way",
		`{"message":null}`: "",
		``:                 "",
	} {
		if got := words([]byte(body)); got != want {
			t.Errorf("%s says %q", body, got)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, row := range []struct {
		name   string
		header map[string]string
		want   time.Duration
	}{
		{"nothing said", nil, time.Minute},
		{"seconds", map[string]string{"Retry-After": "17"}, 17 * time.Second},
		{"a part of a second", map[string]string{"Retry-After": "2.5"}, 2500 * time.Millisecond},
		{"none", map[string]string{"Retry-After": "0"}, time.Second},
		{"less than none", map[string]string{"Retry-After": "-5"}, time.Second},
		{"too long", map[string]string{"Retry-After": "86400"}, 5 * time.Minute},
		{"no number", map[string]string{"Retry-After": "NaN"}, time.Second},
		{"without end", map[string]string{"Retry-After": "Inf"}, 5 * time.Minute},
		{"a date", map[string]string{"Retry-After": "Fri, 02 Jan 2026 03:05:05 GMT"}, time.Minute},
		{"a date, with GitLab's clock ahead", map[string]string{
			"Retry-After": "Fri, 02 Jan 2026 04:00:10 GMT", "Date": "Fri, 02 Jan 2026 04:00:00 GMT",
		}, 10 * time.Second},
		{"not to be read", map[string]string{"Retry-After": "soon"}, time.Minute},
		{"the limit's end", map[string]string{"RateLimit-Reset": "1767323075"}, 30 * time.Second},
		{"the limit's end after none is left", map[string]string{"RateLimit-Reset": "1767323075", "RateLimit-Remaining": "0"}, 30 * time.Second},
		{"the end of another limit", map[string]string{"RateLimit-Reset": "1767323075", "RateLimit-Remaining": "17"}, time.Minute},
		{"both", map[string]string{"RateLimit-Reset": "1767323075", "Retry-After": "7"}, 7 * time.Second},
		{"the limit's end is past", map[string]string{"RateLimit-Reset": "1"}, time.Second},
	} {
		h := http.Header{}
		for key, value := range row.header {
			h.Set(key, value)
		}
		if got := retryAfter(h, now); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

func TestPipelinesURL(t *testing.T) {
	for _, row := range []struct{ url, project, want string }{
		{"https://gitlab.com", "group/app", "https://gitlab.com/group/app/-/pipelines"},
		{"https://gitlab.test/", "group/sub/app", "https://gitlab.test/group/sub/app/-/pipelines"},
		{"https://gitlab.test/git/", "group/app", "https://gitlab.test/git/group/app/-/pipelines"},
		{"https://gitlab.test/api/v4/", "group/app", "https://gitlab.test/group/app/-/pipelines"},
		{"https://gitlab.test", "42", "https://gitlab.test/projects/42"},
	} {
		c, err := New(Config{URL: row.url})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.PipelinesURL(row.project); got != row.want {
			t.Errorf("%s: %s", row.project, got)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(400, []byte(`{"message":{"base":["Reference not found"]}}`))
	f.Add(404, []byte(`{"message":"404 `+testToken+`"}`))
	f.Add(403, []byte("<p>"+testToken[:5]+"<b>"+testToken[5:]+"</b>"))
	f.Add(201, []byte(`{"id":5,"status":"failed","yaml_errors":"`+testToken+`"}`))
	f.Add(422, []byte(`{"message":"`+strings.Repeat("あ", 299)+testToken+`"}`))
	f.Add(302, []byte("&lt;script&gt;"))
	f.Add(404, []byte("<html><title>404 Not Found "+testToken+"</title>"))
	f.Add(404, []byte(`{"error":"404 Not Found"}`))
	f.Add(401, []byte("<title>psy_"+strings.Repeat("A7", 16)+"</title>"))
	f.Add(407, []byte(`{"message":"407"}`))
	f.Add(422, []byte("<h1>rejected</h1>"))
	f.Add(201, []byte("<title>"+testToken+"</title>"))
	f.Add(201, []byte(`{"id":5,"name":"deploy","pipeline":{"id":6}}`))
	c, err := New(Config{URL: "https://gitlab.com", APIToken: testAPIToken})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		header := http.Header{"Location": {string(body)}, "Retry-After": {string(body)}}
		a := answer{status: status, header: header, body: body}
		a.location, _ = url.Parse(string(body))
		again := c.finish(a.outcome(time.Now(), anotherTry(1001, 4)), "group/app", "jobs/4/retry")
		if j := again.Pipeline.Job; (again.Status == deploy.TriggerStarted) != (j != nil) || j != nil && (j.ID <= 4 || again.Pipeline.ID <= 0) || again.Status == deploy.TriggerFailed {
			t.Errorf("a job run again: %+v", again)
		}
		o := c.finish(a.outcome(time.Now(), aPipeline), "group/app", "trigger/pipeline", testToken, token)
		for _, text := range []string{o.Detail, o.Pipeline.Detail} {
			if strings.Contains(text, testToken) || utf8.RuneCountInString(text) > wordsLimit || !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r\x00") {
				t.Errorf("it says %q", text)
			}
		}
		if o.Err != nil && (strings.Contains(o.Err.Error(), testToken) || deploy.TokenForm.MatchString(o.Err.Error())) || deploy.TokenForm.MatchString(o.Detail) {
			t.Errorf("it shows a secret: %q, %v", o.Detail, o.Err)
		}
		if !json.Valid(body) && (o.Reason == deploy.MsgRefusedToken || o.Reason == deploy.MsgRefusedUnauthorized || o.Status == deploy.TriggerFailed) {
			t.Errorf("a page is taken for GitLab's answer: %+v", o)
		}
		switch o.Status {
		case deploy.TriggerStarted:
			if o.Pipeline.ID <= 0 || status < 200 || status > 299 {
				t.Errorf("%+v", o)
			}
		case deploy.TriggerFailed:
			if o.Pipeline.URL == "" {
				t.Errorf("%+v", o)
			}
		case deploy.TriggerRefused:
			if o.Reason == "" || status < 300 || status > 499 {
				t.Errorf("%+v", o)
			}
		case deploy.TriggerWait:
			if o.Reason == "" || o.After < time.Second || o.After > 5*time.Minute {
				t.Errorf("%+v", o)
			}
		case deploy.TriggerUnsure:
		default:
			t.Errorf("%+v", o)
		}
	})
}
