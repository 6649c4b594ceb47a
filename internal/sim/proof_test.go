package sim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sim"
)

const provedKey = "{psycher}:proved:" + sim.Project

// firstVersionCall makes the call of psycher's first version for a mention.
func firstVersionCall(w *sim.World, result, ts string) (status int, body string) {
	return w.Get("http://a.test:8080/notify?" + firstVersionQuery(result, sim.Channel, ts))
}

// A project with the shared secret, or with a token of its own deployment, cannot
// change a deployment of a project that has proved itself.
func TestAnotherProjectEndsNothing(t *testing.T) {
	for name, shows := range map[string]func(theirs string) string{
		"the shared secret":  func(string) string { return sim.NotifyToken },
		"its own token":      func(theirs string) string { return theirs },
		"a token it made up": func(string) string { return deploy.NewToken().Reveal() },
		"no token":           func(string) string { return "" },
	} {
		row(t, "it shows "+name, func(t *testing.T) {
			w, ts, p := startRunning(t)
			if !w.Report(p, "start") {
				t.Fatal("the deployment's own pipeline may not start")
			}
			w.Slack.Say(sim.User, sim.Two, sim.Bot+" deploy web")
			w.Eventually("the other project's pipeline", time.Minute, func() bool { return len(w.GitLab.Pipelines()) == 2 })
			theirs := w.GitLab.Pipelines()[1].Variables["PSYCHER_TOKEN"]
			forged := p
			for _, id := range []int64{p.ID, 0, 77} {
				forged.ID = id
				for _, result := range []string{"start", "success", "failure", "canceled"} {
					if id == 0 && result == "start" {
						continue // 400
					}
					status, body := w.NotifyWithToken("a", shows(theirs), result, forged)
					if status != http.StatusUnauthorized || !strings.Contains(body, "PSYCHER_TOKEN") {
						t.Errorf("%s of pipeline %d: %d %s, want 401 with the fix", result, id, status, body)
					}
				}
			}
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRunning)
			if !w.Report(p, "success") {
				t.Error("the deployment's own call was not taken")
			}
			w.WaitReactions(sim.Channel, ts, "white_check_mark")
		})
	}
	row(t, "nor does it stop the real pipeline of a lost answer", func(t *testing.T) {
		w, ts, p := startRunning(t)
		w.Report(p, "success")
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
		w.GitLab.Answer(1, fault(t, "made and hang"))
		before := len(w.GitLab.Pipelines())
		ts = w.Ask("release")
		w.Eventually("a pipeline", time.Minute, func() bool { return len(w.GitLab.Pipelines()) > before })
		p = w.GitLab.Pipelines()[before]
		forged := p
		forged.ID = 77
		if status, body := w.NotifyWithToken("a", sim.NotifyToken, "start", forged); status != http.StatusUnauthorized {
			t.Errorf("the forged start got %d %s", status, body)
		}
		if !w.Report(p, "start") {
			t.Error("the real start was stopped")
		}
		w.Report(p, "success")
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
	})
}

// The ratchet: once a project sends tokens, it cannot go back by itself.
func TestSharedSecretCountsUntilAProjectProvesItself(t *testing.T) {
	row(t, "the first version's call, then proof, then only proof", func(t *testing.T) {
		w := sim.New(t)
		w.StartReady("a")
		deployment := func() (string, fakegitlab.Pipeline) {
			ts := w.Ask("release")
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			all := w.GitLab.Pipelines()
			return ts, all[len(all)-1]
		}
		for range 2 {
			ts, _ := deployment()
			if status, body := firstVersionCall(w, "success", ts); status != http.StatusOK {
				t.Errorf("nothing was proved, and the first version's call got %d %s", status, body)
			}
			w.WaitReactions(sim.Channel, ts, "white_check_mark")
		}
		if w.Redis.Exists(provedKey) {
			t.Error("the first version's call counts as proof")
		}
		ts, p := deployment()
		if !w.Report(p, "start") {
			t.Error("the start was not taken")
		}
		if !w.Redis.Exists(provedKey) || w.Redis.TTL(provedKey) != 0 {
			t.Errorf("the proof expires: %v", w.Redis.TTL(provedKey))
		}
		for _, mention := range []string{ts, first(deployment())} {
			if status, body := firstVersionCall(w, "success", mention); status != http.StatusUnauthorized || !strings.Contains(body, "psycher unprove PROJECT") {
				t.Errorf("the first version's call got %d %s, want 401 with the fix", status, body)
			}
			w.WaitReactions(sim.Channel, mention, "thumbsup")
		}
		w.Redis.Del(provedKey) // as psycher unprove does
		if status, body := firstVersionCall(w, "success", ts); status != http.StatusOK {
			t.Errorf("it was unproved, and the first version's call got %d %s", status, body)
		}
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
	})
	row(t, "another project's proof changes nothing", func(t *testing.T) {
		w, _, p := startRunning(t)
		w.Report(p, "success")
		ts := w.Slack.Say(sim.User, sim.Two, sim.Bot+" deploy web")
		w.WaitReactions(sim.Two, ts, "thumbsup")
		if status, body := w.Notify("a", "success", sim.Two, ts); status != http.StatusOK {
			t.Errorf("it got %d %s", status, body)
		}
	})
	row(t, "a bot without the shared secret takes only proof", func(t *testing.T) {
		w, ts, p := startRunning(t, "NOTIFY_TOKEN=")
		if status, body := firstVersionCall(w, "success", ts); status != http.StatusUnauthorized {
			t.Errorf("the seed's call got %d %s", status, body)
		}
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		w.Report(p, "success")
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
	})
	row(t, "a whole deploy of old scripts", func(t *testing.T) {
		w := sim.New(t)
		w.OldScripts = true
		w.StartReady("a")
		w.Pipeline = func(p fakegitlab.Pipeline) {
			if !w.Report(p, "start") || !w.Report(p, "success") {
				t.Error("a call was not taken")
			}
		}
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "white_check_mark")
	})
}

func first[A, B any](a A, _ B) A { return a }

// A caller without proof must not learn which deployments exist; and while that
// cannot be checked, nobody is told to fix a valid token.
func TestRefusedCallRevealsNothing(t *testing.T) {
	row(t, "the same answer whether the deployment exists or not", func(t *testing.T) {
		w, _, p := startRunning(t)
		unknown := p
		unknown.Variables = map[string]string{"channel": sim.Channel, "timestamp": "1700000000.000100"}
		token := deploy.NewToken().Reveal()
		is, body := w.NotifyWithToken("a", token, "success", p)
		isNot, other := w.NotifyWithToken("a", token, "success", unknown)
		if is != http.StatusUnauthorized || isNot != is || body != other {
			t.Errorf("%d %s for one that exists, %d %s for one that does not", is, body, isNot, other)
		}
	})
	row(t, "Redis is down: 503, whatever the call sends", func(t *testing.T) {
		w, _, p := startRunning(t)
		w.RedisDown(20 * time.Second)
		time.Sleep(time.Second)
		for _, token := range []string{p.Variables["PSYCHER_TOKEN"], deploy.NewToken().Reveal(), sim.NotifyToken} {
			if status, body := w.NotifyWithToken("a", token, "success", p); status != http.StatusServiceUnavailable {
				t.Errorf("it got %d %s", status, body)
			}
		}
		if status, _ := w.NotifyWithToken("a", "no-token-at-all", "success", p); status != http.StatusUnauthorized {
			t.Errorf("a call without a token got %d", status)
		}
	})
	row(t, "the record cannot be read: 503", func(t *testing.T) {
		w, ts, p := startRunning(t)
		if err := w.Redis.Set("{psycher}:record:"+sim.Team+":"+sim.Channel+":"+ts, `{"v":99,"mention":{}}`); err != nil {
			t.Fatal(err)
		}
		for _, token := range []string{p.Variables["PSYCHER_TOKEN"], deploy.NewToken().Reveal(), sim.NotifyToken} {
			if status, body := w.NotifyWithToken("a", token, "success", p); status != http.StatusServiceUnavailable {
				t.Errorf("it got %d %s", status, body)
			}
		}
	})
}

// A token is in the pipeline's variables, and nowhere else that people can read.
func TestDeploymentTokenIsShownNowhere(t *testing.T) {
	row(t, "GitLab repeats it, and every call sends one", func(t *testing.T) {
		w := sim.New(t)
		_, log := w.StartLogged("a")
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		p := w.GitLab.Pipelines()[0]
		w.Report(p, "start")
		w.NotifyWithToken("a", deploy.NewToken().Reveal(), "success", p)
		w.Report(p, "failure")
		w.WaitReactions(sim.Channel, ts, "x")
		w.GitLab.Answer(1, fakegitlab.Fault{Status: 400, Body: `{"message":{"base":["strange variables: PSYCHER_TOKEN=` + p.Variables["PSYCHER_TOKEN"] + `"]}}`})
		refused := w.Ask("release")
		w.WaitReactions(sim.Channel, refused, "x")
		time.Sleep(time.Minute)
		shown := log.String() + strings.Join(append(w.Texts(sim.Channel, ts), w.Texts(sim.Channel, refused)...), "\n")
		for _, key := range w.Redis.Keys() {
			if value, err := w.Redis.Get(key); err == nil {
				shown += value
			}
		}
		if found := deploy.TokenForm.FindString(shown); found != "" || !strings.Contains(shown, "strange variables") {
			t.Errorf("shown: %q; or GitLab's words are not", found)
		}
	})
}
