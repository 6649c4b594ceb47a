package sim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sim"
)

// startRunning returns a world with one bot and one running deployment.
func startRunning(t *testing.T, settings ...string) (w *sim.World, ts string, p fakegitlab.Pipeline) {
	w = sim.New(t, settings...)
	w.StartReady("a")
	ts = w.Ask("release")
	w.WaitReactions(sim.Channel, ts, "thumbsup")
	w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
	return w, ts, w.GitLab.Pipelines()[0]
}

// wantQuiet checks that nothing more reaches Slack, and no trigger GitLab.
func wantQuiet(t *testing.T, w *sim.World) {
	t.Helper()
	count := func() string {
		return fmt.Sprint(w.Slack.Calls("chat.postMessage"), w.Slack.Calls("chat.update"), w.Slack.Calls("reactions.add"), w.Slack.Calls("reactions.remove"), w.GitLab.Posts())
	}
	time.Sleep(5 * time.Second)
	before := count()
	time.Sleep(20 * time.Second)
	if after := count(); after != before {
		t.Errorf("posts, edits, reactions, triggers: %s, then %s", before, after)
	}
}

func TestNotifyPort(t *testing.T) {
	for result, want := range map[string]struct {
		mark string
		say  []deploy.MessageID
	}{
		"success":  {"white_check_mark", []deploy.MessageID{deploy.MsgStatusSucceeded, deploy.MsgSucceeded}},
		"failure":  {"x", []deploy.MessageID{deploy.MsgStatusFailed, deploy.MsgFailed}},
		"canceled": {"no_entry_sign", []deploy.MessageID{deploy.MsgStatusCanceled, deploy.MsgCanceled}},
	} {
		row(t, "the first version's call works unchanged: "+result, func(t *testing.T) {
			w, ts, _ := startRunning(t)
			// curl "$NOTIFY_URL?$NOTIFY_TOKEN=true&source=gitlab&result=$result&channel=$channel&timestamp=$timestamp"
			status, body := w.Get("http://a.test:8080/notify?" + sim.NotifyToken + "=true&source=gitlab&result=" + result + "&channel=" + sim.Channel + "&timestamp=" + ts)
			if status != http.StatusOK {
				t.Errorf("it got %d %s", status, body)
			}
			w.WaitReactions(sim.Channel, ts, want.mark)
			w.WaitMessages(sim.Channel, ts, want.say...)
		})
		row(t, "the same call many times, with one effect: "+result, func(t *testing.T) {
			w, ts, p := startRunning(t)
			for range 5 {
				for _, more := range []string{"", fmt.Sprintf("pipeline=%d", p.ID)} {
					if status, body := w.Notify("a", result, sim.Channel, ts, more); status != http.StatusOK {
						t.Errorf("it got %d %s", status, body)
					}
				}
				time.Sleep(time.Second)
			}
			w.WaitReactions(sim.Channel, ts, want.mark)
			w.WaitMessages(sim.Channel, ts, want.say...)
			wantQuiet(t, w)
			w.WaitMessages(sim.Channel, ts, want.say...)
			if n := w.ReactionsAdded(ts)[want.mark]; n != 1 {
				t.Errorf("%d times :%s:", n, want.mark)
			}
		})
	}
	for name, call := range map[string]func(w *sim.World, fields string) (int, http.Header, string){
		"a form with the secret as token": func(w *sim.World, f string) (int, http.Header, string) {
			return w.Call(http.MethodPost, "a", "", "application/x-www-form-urlencoded", "token="+sim.NotifyToken+"&source=gitlab&"+f)
		},
		"a bearer": func(w *sim.World, f string) (int, http.Header, string) {
			return w.Call(http.MethodPost, "a", "source=gitlab&"+f, "", "", "Authorization: Bearer "+sim.NotifyToken)
		},
		"JSON": func(w *sim.World, f string) (int, http.Header, string) {
			return w.Call(http.MethodPost, "a", sim.NotifyToken+"=true", "application/json", asJSON("source=gitlab&"+f))
		},
		"JSON under the form content type": func(w *sim.World, f string) (int, http.Header, string) {
			return w.Call(http.MethodPost, "a", sim.NotifyToken+"=true", "application/x-www-form-urlencoded", asJSON("type=deploy&"+f))
		},
	} {
		row(t, "other forms of the call: "+name, func(t *testing.T) {
			w, ts, _ := startRunning(t)
			if status, _, body := call(w, "result=success&channel="+sim.Channel+"&timestamp="+ts); status != http.StatusOK {
				t.Errorf("it got %d %s", status, body)
			}
			w.WaitReactions(sim.Channel, ts, "white_check_mark")
		})
	}
	row(t, "each invalid call gets its answer, and nothing reaches Slack", func(t *testing.T) {
		w, ts, p := startRunning(t)
		id := "id=" + p.Variables["PSYCHER_ID"]
		good := firstVersionQuery("success", sim.Channel, ts)
		for _, c := range []struct {
			name, method, query, body string
			want                      int
			names                     string
		}{
			{"not GET or POST", "PUT", good, "", 405, ""},
			{"body over 64 KiB", "POST", good, strings.Repeat("x", 64<<10+1), 413, ""},
			{"no secret", "GET", "source=gitlab&result=success&channel=" + sim.Channel + "&timestamp=" + ts, "", 401, ""},
			{"wrong secret", "GET", "wrong-token-for-tests=true&source=gitlab&result=success&channel=" + sim.Channel + "&timestamp=" + ts, "", 401, ""},
			{"a missing field", "GET", sim.NotifyToken + "=true&source=gitlab&result=success&channel=" + sim.Channel, "", 400, "timestamp"},
			{"a doubled field", "GET", good + "&channel=C0OTHER", "", 400, "channel"},
			{"start without a pipeline", "GET", firstVersionQuery("start", sim.Channel, ts), "", 400, "pipeline"},
			{"an unknown source", "GET", strings.Replace(good, "gitlab", "github", 1), "", 400, "source"},
			{"an unknown result", "GET", firstVersionQuery("splendid", sim.Channel, ts), "", 400, "result"},
			{"an unknown timestamp", "GET", firstVersionQuery("success", sim.Channel, "946684800.000001"), "", 404, ""},
			{"an unknown channel", "GET", firstVersionQuery("success", "C0OTHER", ts), "", 404, ""},
			{"an id of another deployment", "GET", good + "&id=00000000-0000-5000-8000-000000000000", "", 404, ""},
			{"start from a pipeline that is not the deployment's", "GET", firstVersionQuery("start", sim.Channel, ts) + "&pipeline=77&" + id, "", 409, ""},
			{"another result from a pipeline that is not the deployment's", "GET", firstVersionQuery("failure", sim.Channel, ts) + "&pipeline=77&" + id, "", 200, ""},
			{"start from the deployment's pipeline", "GET", fmt.Sprintf("%s&pipeline=%d&%s", firstVersionQuery("start", sim.Channel, ts), p.ID, id), "", 200, ""},
		} {
			kind := ""
			if c.body != "" {
				kind = "application/x-www-form-urlencoded"
			}
			status, header, body := w.Call(c.method, "a", c.query, kind, c.body)
			if status != c.want || !strings.Contains(body, c.names) {
				t.Errorf("%s: %d %s, want %d that names %q", c.name, status, body, c.want, c.names)
			}
			if status >= 400 && (!strings.HasPrefix(body, `{"error":"`) || header.Get("Content-Type") != "application/json") {
				t.Errorf("%s: the error is not JSON: %s", c.name, body)
			}
			if strings.Contains(body, sim.NotifyToken) {
				t.Errorf("%s: the answer holds the secret", c.name)
			}
		}
		if status, _ := w.Get("http://a.test:8080/healthz"); status != http.StatusNotFound {
			t.Errorf("another path got %d", status)
		}
		wantQuiet(t, w)
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
	})
	row(t, "a greeting is not a deployment: 404, and nothing reaches Slack", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		ts := w.Ask("よろしく")
		w.WaitMessages(sim.Channel, ts, deploy.MsgGreet)
		if status, body := w.Notify("a", "success", sim.Channel, ts); status != http.StatusNotFound {
			t.Errorf("it got %d %s", status, body)
		}
		wantQuiet(t, w)
	})
	row(t, "GitLab made two pipelines for one trigger: the second one's start gets 409", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "made twice"))
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		all := w.GitLab.Pipelines()
		if len(all) != 2 {
			t.Fatalf("%d pipelines", len(all))
		}
		if !w.Report(all[0], "start") || w.Report(all[1], "start") {
			t.Error("want the first to go on and the second to stop")
		}
		w.Report(all[1], "failure")
		w.Report(all[0], "success")
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
	})
	row(t, "the person was told that nothing runs: any start gets 409", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		w.GitLab.Answer(1, fault(t, "forbidden"))
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "x")
		if status, _ := w.Notify("a", "start", sim.Channel, ts, "pipeline=77"); status != http.StatusConflict {
			t.Errorf("it got %d", status)
		}
		w.WaitReactions(sim.Channel, ts, "x")
	})
	row(t, "any replica takes the call", func(t *testing.T) {
		w, ts, _ := startRunning(t)
		w.StartReady("b")
		if status, body := w.Notify("b", "success", sim.Channel, ts); status != http.StatusOK {
			t.Errorf("it got %d %s", status, body)
		}
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
		w.WaitMessages(sim.Channel, ts, deploy.MsgStatusSucceeded, deploy.MsgSucceeded)
	})
}

// asJSON writes the fields of a query as JSON.
func asJSON(query string) string {
	var fields []string
	for f := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(f, "=")
		fields = append(fields, fmt.Sprintf("%q:%q", name, value))
	}
	return "{" + strings.Join(fields, ",") + "}"
}
