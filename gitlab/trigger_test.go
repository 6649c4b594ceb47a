package gitlab

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
)

func TestTriggerStartsOnePipelineWithItsVariables(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, _ := standIn(t)
		o := c.Trigger(t.Context(), target(), mention(), "", token, soon())
		want := deploy.TriggerResult{Status: deploy.TriggerStarted, Pipeline: deploy.Pipeline{
			ID: 1001, URL: "http://gitlab.test/group/app/-/pipelines/1001", SHA: g.Pipelines()[0].SHA, Bridges: true,
		}}
		if diff := cmp.Diff(want, o); diff != "" {
			t.Error(diff)
		}
		made := g.Pipelines()
		if len(made) != 1 || made[0].Ref != "master" {
			t.Fatalf("GitLab has %+v", made)
		}
		variables := map[string]string{"RELEASE": "true", "channel": "C01", "timestamp": "1700000000.000100", "PSYCHER_ID": testID, "PSYCHER_TOKEN": token.Reveal()}
		if diff := cmp.Diff(variables, made[0].Variables); diff != "" {
			t.Error(diff)
		}
	})
}

// If the bot knows its own address, projects need no variable with it.
func TestTriggerSendsNotifyURL(t *testing.T) {
	for _, address := range []string{"", "http://bot.test:8080/notify"} {
		synctest.Test(t, func(t *testing.T) {
			c, g, _ := standIn(t)
			c.conf.NotifyURL = address
			c.Trigger(t.Context(), target(), mention(), "", token, soon())
			made := g.Pipelines()
			if len(made) != 1 {
				t.Fatalf("GitLab has %+v", made)
			}
			if sent, is := made[0].Variables["NOTIFY_URL"]; sent != address || is != (address != "") {
				t.Errorf("sent %q (%v), want %q", sent, is, address)
			}
		})
	}
}

func TestTriggerSendsNoHeaderWithASecretOrForRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var header http.Header
		var asked, body string
		c, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			header, asked, body = r.Header.Clone(), r.RequestURI, string(b)
			io.WriteString(w, `{"id":7}`)
		}))
		o := c.Trigger(t.Context(), target(), mention(), "", token, soon())
		if o.Status != deploy.TriggerStarted || o.Pipeline.URL != "http://gitlab.test/group/app/-/pipelines/7" {
			t.Errorf("outcome %+v", o)
		}
		for _, key := range []string{"Private-Token", "Authorization", "Idempotency-Key", "X-Idempotency-Key", "X-Gitlab-Event", "Expect"} {
			if _, ok := header[key]; ok {
				t.Errorf("header %s is sent", key)
			}
		}
		if asked != "/api/v4/projects/group%2Fapp/trigger/pipeline" {
			t.Errorf("asked %s", asked)
		}
		if !json.Valid([]byte(body)) || !strings.Contains(body, testToken) {
			t.Errorf("body %s", body)
		}
	})
}

// Each way in which a POST goes wrong, with what the person is told and how
// many pipelines there are in the end. In each case one POST is made.
func TestResultOfAPOST(t *testing.T) {
	unsure := deploy.TriggerResult{Status: deploy.TriggerUnsure}
	refused := func(say deploy.MessageID, detail string) deploy.TriggerResult {
		return deploy.TriggerResult{Status: deploy.TriggerRefused, Reason: say, Detail: detail}
	}
	wait := func(after time.Duration, detail string) deploy.TriggerResult {
		return deploy.TriggerResult{Status: deploy.TriggerWait, Reason: deploy.MsgWaitRate, After: after, Detail: detail}
	}
	const head = "0123456789abcdef0123456789abcdef01234567"
	started := deploy.TriggerResult{Status: deploy.TriggerStarted, Pipeline: deploy.Pipeline{
		ID: 1001, URL: "http://gitlab.test/group/app/-/pipelines/1001", SHA: head, Bridges: true,
	}}
	const broken = "jobs:deploy config should implement the script:, run:, or trigger: keyword"
	for _, row := range []struct {
		fault string
		want  deploy.TriggerResult
		made  int
	}{
		{"reference not found", refused(deploy.MsgRefusedRef, "Reference not found"), 0},
		{"reference not found, as a string", refused(deploy.MsgRefusedRef, "Reference not found"), 0},
		{"commit not found", refused(deploy.MsgRefusedRef, "Commit not found"), 0},
		{"ref is ambiguous", refused(deploy.MsgRefusedAmbiguous, "Ref is ambiguous"), 0},
		{"workflow rules", refused(deploy.MsgRefusedRules, "Pipeline filtered out by workflow rules."), 0},
		{"no job", refused(deploy.MsgRefusedNoJob, "Pipeline will not run for the selected trigger. The rules configuration prevented any jobs from being added to the pipeline."), 0},
		{"no job, older", refused(deploy.MsgRefusedNoJob, "No stages / jobs for this pipeline."), 0},
		{"no right to set variables", refused(deploy.MsgRefusedVariables, "Insufficient permissions to set pipeline variables"), 0},
		{"owner without rights", refused(deploy.MsgRefusedOwner, "Insufficient permissions to create a new pipeline"), 0},
		{"protected branch", refused(deploy.MsgRefusedProtected, "You do not have sufficient permission to run a pipeline on 'master'. Please select a different branch or contact your administrator for assistance. Learn more"), 0},
		{"pipelines disabled", refused(deploy.MsgRefusedDisabled, "Pipelines are disabled!"), 0},
		{"project deleted", refused(deploy.MsgRefusedDisabled, "Project is deleted!"), 0},
		{"no CI config", refused(deploy.MsgRefusedConfig, "Missing CI config file"), 0},
		{"broken CI config", refused(deploy.MsgRefusedConfig, broken), 0},
		{"identity, 400", refused(deploy.MsgRefusedIdentity, "Identity verification is required in order to run CI jobs"), 0},
		{"identity, 403", refused(deploy.MsgRefusedIdentity, "Identity verification is required in order to run CI jobs"), 0},
		{"not found", refused(deploy.MsgRefusedToken, "404 Not Found"), 0},
		{"unauthorized", refused(deploy.MsgRefusedUnauthorized, "401 Unauthorized"), 0},
		{"forbidden", refused(deploy.MsgRefusedOther, "403 Forbidden"), 0},
		{"moved project", refused(deploy.MsgRefusedMoved, "Non GET methods are not allowed for moved projects"), 0},
		{"unheard of", refused(deploy.MsgRefusedOther, "The moon is in the wrong phase"), 0},
		{"redirect, 301", refused(deploy.MsgRefusedRedirect, "https://gitlab.example.org/api/v4/"), 0},
		{"redirect, 307", refused(deploy.MsgRefusedRedirect, "https://gitlab.example.org/api/v4/"), 0},

		{"a web server's 404", refused(deploy.MsgRefusedElsewhere, "404 Not Found"), 0},
		{"a login's 401", refused(deploy.MsgRefusedElsewhere, "Sign in to continue"), 0},
		{"a firewall's 403", refused(deploy.MsgRefusedElsewhere, "Access denied"), 0},
		{"a web server's 405", refused(deploy.MsgRefusedElsewhere, "405 Not Allowed"), 0},
		{"a gateway's 404", refused(deploy.MsgRefusedElsewhere, "no Route matched with those values"), 0},
		{"a ban's 403", refused(deploy.MsgRefusedElsewhere, "Forbidden"), 0},
		{"a path that was decoded", refused(deploy.MsgRefusedElsewhere, "404 Not Found"), 0},
		{"a proxy's 407", refused(deploy.MsgRefusedProxy, "Cache Access Denied"), 0},

		{"rate limit of a proxy", wait(30*time.Second, "Retry later"), 0},
		{"rate limit of the application", wait(time.Minute, "This endpoint has been requested too many times. Try again later."), 0},
		{"rate limit without a header", wait(time.Minute, "Retry later"), 0},
		{"too many pipelines", wait(time.Minute, "Too many pipelines created in the last minute. Try again later."), 0},

		{"failed pipeline, 422", deploy.TriggerResult{Status: deploy.TriggerFailed, Detail: broken, Pipeline: deploy.Pipeline{
			URL: "http://gitlab.test/group/app/-/pipelines", End: deploy.Failed, Detail: broken,
		}}, 1},
		{"failed pipeline, 201", deploy.TriggerResult{Status: deploy.TriggerFailed, Detail: broken, Pipeline: deploy.Pipeline{
			ID: 1001, URL: "http://gitlab.test/group/app/-/pipelines/1001", SHA: head, End: deploy.Failed, Detail: broken,
		}}, 1},

		{"201 with a page", unsure, 1},
		{"201 with half its JSON", unsure, 1},
		{"201 with an empty object", unsure, 1},
		{"201 cut", unsure, 1},
		{"202 without a word", unsure, 1},
		{"500", unsure, 0},
		{"500 but made", unsure, 1},
		{"502", unsure, 0},
		{"503", unsure, 0},
		{"504", unsure, 0},
		{"520", unsure, 0},
		{"422 with a page", unsure, 0},
		{"408", unsure, 0},
		{"409", unsure, 0},
		{"425", unsure, 0},
		{"499", unsure, 0},
		{"cut", unsure, 0},
		{"made and cut", unsure, 1},
		{"hang", unsure, 0},
		{"made and hang", unsure, 1},
		{"made late and hang", unsure, 1},
		{"made after the cut", unsure, 1},
		{"slow", started, 1},
		{"made twice", started, 2},
		{"made twice and cut", unsure, 2},
	} {
		t.Run(row.fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, g, _ := standIn(t, func(conf *fakegitlab.Config) {
					conf.RateLimit = 60
					conf.Projects[0].Commits = []fakegitlab.Commit{{SHA: head}}
				})
				fault := named(t, row.fault)
				g.Answer(1, fault)
				begun := time.Now()
				o := c.Trigger(t.Context(), target(), mention(), "", token, soon())
				if took := time.Since(begun); took > 65*time.Second || took > 0 && !fault.Hang && fault.Delay == 0 {
					t.Errorf("it took %v", took)
				}
				if o.Err == nil && o.Status != deploy.TriggerStarted && o.Status != deploy.TriggerFailed {
					t.Error("nothing for the log")
				}
				o.Err = nil
				if diff := cmp.Diff(row.want, o); diff != "" {
					t.Error(diff)
				}
				time.Sleep(5 * time.Minute)
				if n := g.Posts(); n != 1 {
					t.Errorf("%d POSTs arrived", n)
				}
				if n := len(g.Pipelines()); n != row.made {
					t.Errorf("%d pipelines, not %d", n, row.made)
				}
			})
		})
	}
}

func TestEveryFaultOfTheStandInHasAResult(t *testing.T) {
	for _, f := range fakegitlab.All() {
		synctest.Test(t, func(t *testing.T) {
			c, g, _ := standIn(t)
			g.Answer(-1, f)
			if o := c.Trigger(t.Context(), target(), mention(), "", token, soon()); o.Status == "" || g.Posts() != 1 {
				t.Errorf("%s: %+v after %d POSTs", f.Name, o, g.Posts())
			}
		})
	}
}

func TestNothingIsSentWithoutAConnection(t *testing.T) {
	proxied := func(answer string) func(c *Client, n *network) {
		return func(c *Client, _ *network) {
			c.transport.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse("http://proxy.test:3128") }
			c.transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
				near, far := net.Pipe()
				go func() {
					defer far.Close()
					http.ReadRequest(newReader(far))
					io.WriteString(far, answer)
				}()
				return near, nil
			}
		}
	}
	for name, row := range map[string]struct {
		https bool
		edit  func(*Client, *network)
		takes time.Duration
		want  deploy.MessageID // and refused; empty: it waits
	}{
		"a refused dial": {edit: func(c *Client, _ *network) {
			c.transport.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("connection refused") }
		}},
		"a name that cannot be looked up": {edit: func(c *Client, _ *network) {
			c.transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.DNSError{Err: "no such host", Name: "gitlab.test", IsNotFound: true}
			}
		}},
		"a dial that hangs":             {edit: func(_ *Client, n *network) { n.slow = time.Hour }, takes: 5 * time.Second},
		"a dial that comes too late":    {edit: func(_ *Client, n *network) { n.slow = 6 * time.Second }, takes: 5 * time.Second},
		"no TLS on the other side":      {https: true},
		"a proxy that refuses":          {https: true, edit: proxied("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")},
		"a proxy that wants a login":    {https: true, edit: proxied("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"), want: deploy.MsgRefusedProxy},
		"a proxy that cannot reach it":  {https: true, edit: proxied("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")},
		"a proxy that cuts the CONNECT": {https: true, edit: proxied("")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, g, n := standIn(t)
				if row.edit != nil {
					row.edit(c, n)
				}
				if row.https {
					moveTo(t, c, "https://gitlab.test")
				}
				begun := time.Now()
				o := c.Trigger(t.Context(), target(), mention(), "", token, soon())
				waits := o.Status == deploy.TriggerWait && o.Reason == deploy.MsgWaitUnreachable && o.After > 0
				if waits != (row.want == "") || !waits && (o.Status != deploy.TriggerRefused || o.Reason != row.want) || o.Err == nil {
					t.Errorf("outcome %+v", o)
				}
				if took := time.Since(begun); took != row.takes {
					t.Errorf("it took %v", took)
				}
				time.Sleep(time.Minute)
				if g.Posts() != 0 {
					t.Errorf("%d POSTs arrived", g.Posts())
				}
			})
		})
	}
}

func TestCutOfAReusedConnectionIsUnsure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, n := standIn(t)
		if o := c.Trigger(t.Context(), target(), mention(), "", token, soon()); o.Status != deploy.TriggerStarted {
			t.Fatalf("outcome %+v", o)
		}
		g.Answer(-1, named(t, "cut"))
		if o := c.Trigger(t.Context(), target(), mention(), "", token, soon()); o.Status != deploy.TriggerUnsure {
			t.Errorf("outcome %+v", o)
		}
		if g.Posts() != 2 || n.dials.Load() != 1 {
			t.Errorf("%d POSTs arrived over %d connections", g.Posts(), n.dials.Load())
		}
	})
}

func TestConnectionClosedWhileIdleIsNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, n := standIn(t)
		c.Trigger(t.Context(), target(), mention(), "", token, soon())
		time.Sleep(idleTimeout + time.Second)
		if o := c.Trigger(t.Context(), target(), mention(), "", token, soon()); o.Status != deploy.TriggerStarted {
			t.Errorf("outcome %+v", o)
		}
		if g.Posts() != 2 || n.dials.Load() != 2 {
			t.Errorf("%d POSTs arrived over %d connections", g.Posts(), n.dials.Load())
		}
	})
}

func TestCanceledTrigger(t *testing.T) {
	for name, row := range map[string]struct {
		slow, stop time.Duration
		late       bool
		want       deploy.TriggerStatus
		posts      int
	}{
		"before it begins":      {stop: 0, want: deploy.TriggerNotSent},
		"while it dials":        {slow: 3 * time.Second, stop: time.Second, want: deploy.TriggerNotSent},
		"while GitLab works":    {stop: 10 * time.Second, want: deploy.TriggerUnsure, posts: 1},
		"too late for anything": {late: true, stop: time.Hour, want: deploy.TriggerNotSent},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, g, n := standIn(t)
				n.slow = row.slow
				g.Answer(-1, named(t, "hang"))
				ctx, cancel := context.WithTimeout(t.Context(), row.stop)
				defer cancel()
				until := soon()
				if row.late {
					until = time.Now()
				}
				if o := c.Trigger(ctx, target(), mention(), "", token, until); o.Status != row.want || o.Err == nil {
					t.Errorf("outcome %+v", o)
				}
				time.Sleep(time.Minute)
				if g.Posts() != row.posts {
					t.Errorf("%d POSTs arrived", g.Posts())
				}
			})
		})
	}
}

func TestNoTokenReachesATextOrTheLog(t *testing.T) {
	for name, answer := range map[string]string{
		"in a message":    "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n{\"message\":{\"base\":[\"no token " + testToken + " and no " + testAPIToken + "\"]}}",
		"in a page":       "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n<p>" + testToken[:9] + "<b>" + testToken[9:] + "</b></p>",
		"at the limit":    "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n{\"message\":\"" + strings.Repeat("x", wordsLimit-10) + testToken + "\"}",
		"in a redirect":   "HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: /" + testToken + "\r\n\r\n",
		"in no HTTP":      `{"ref":"master","token":"` + testToken + "\"}\r\n\r\n",
		"in a strange id": "HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n{\"id\":5,\"status\":\"failed\",\"yaml_errors\":\"" + testToken + "\"}",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _, _ := standIn(t)
				c.transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
					near, far := net.Pipe()
					go func() {
						defer far.Close()
						if r, err := http.ReadRequest(newReader(far)); err == nil {
							io.Copy(io.Discard, r.Body)
						}
						io.WriteString(far, answer)
					}()
					return near, nil
				}
				o := c.Trigger(t.Context(), target(), mention(), "", token, soon())
				text := o.Detail + o.Pipeline.Detail
				if o.Err != nil {
					text += o.Err.Error()
				}
				if strings.Contains(text, testToken[8:14]) || strings.Contains(text, testAPIToken) {
					t.Errorf("it says %s", text)
				}
				if text == "" {
					t.Error("it says nothing")
				}
			})
		})
	}
}

func TestManyTriggersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, g, _ := standIn(t, func(conf *fakegitlab.Config) { conf.RateLimit = 60 })
		begun := time.Now()
		var run sync.WaitGroup
		for range 50 {
			run.Go(func() {
				if o := c.Trigger(t.Context(), target(), mention(), "", token, soon()); o.Status != deploy.TriggerStarted {
					t.Errorf("outcome %+v", o)
				}
			})
		}
		run.Wait()
		if g.Posts() != 50 || len(g.Pipelines()) != 50 || time.Since(begun) != 0 {
			t.Errorf("%d POSTs made %d pipelines in %v", g.Posts(), len(g.Pipelines()), time.Since(begun))
		}
	})
}
