package sim_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sim"
)

// mapWith is a target map whose channel has one target.
func mapWith(team, target, project, more string) string {
	return fmt.Sprintf(`GITLAB_TRIGGER_TOKENS={%q: {%q: {%q: {"project_id": %q, "token": %q%s}}}}`, team, sim.Channel, target, project, sim.TriggerToken, more)
}

// reloads are what can become of a target while something is done with it.
var reloads = map[string][]string{
	"removed":                   {"GITLAB_TRIGGER_TOKENS=" + fmt.Sprintf(`{%q: {%q: {"web": {"project_id": "group/web", "token": %q}}}}`, sim.Team, sim.Two, sim.TriggerToken)},
	"renamed":                   {mapWith(sim.Team, "other", sim.Project, "")},
	"moved to another project":  {mapWith(sim.Team, "app", "group/web", "")},
	"moved to another team":     {mapWith("T0OTHER", "app", sim.Project, "")},
	"given another ref":         {mapWith(sim.Team, "app", sim.Project, `, "ref": "production"`)},
	"given another variable":    {mapWith(sim.Team, "app", sim.Project, `, "release_key": "OTHER"`)},
	"given a ref by GITLAB_REF": {"GITLAB_REF=production"},
}

// deployedAsConfirmed checks that whatever was triggered is what was confirmed.
func deployedAsConfirmed(t *testing.T, w *sim.World) (n int) {
	t.Helper()
	for _, p := range w.GitLab.Pipelines() {
		if n++; p.Project != sim.Project || p.Ref != "master" || p.Variables["RELEASE"] != "true" {
			t.Errorf("deployed what nobody confirmed: %s %s %v", p.Project, p.Ref, p.Variables)
		}
	}
	return n
}

func TestReloadWhileADeploymentIsUnderWay(t *testing.T) {
	for name, change := range reloads {
		org := ""
		if name == "moved to another team" {
			org = "E0ORG" // else such a map is wrong
		}
		row(t, "asked, and its target is "+name+": nothing starts", func(t *testing.T) {
			w := sim.NewInOrg(t, org)
			p := w.StartReady("a")
			a := askInDoubt(w)
			p.Reload(change...)
			a.press(second, 0)
			time.Sleep(time.Minute)
			if deployedAsConfirmed(t, w) != 0 || len(w.Slack.Ephemerals(sim.Channel, second)) != 1 {
				t.Errorf("%d deployed, told %v", deployedAsConfirmed(t, w), w.Slack.Ephemerals(sim.Channel, second))
			}
			a.wantShown(0, "thinking_face", deploy.MsgUnclear)
		})
		row(t, "waiting, and its target is "+name+": what was confirmed, or refused by name", func(t *testing.T) {
			w := sim.NewInOrg(t, org)
			p := w.StartReady("a")
			w.GitLab.Answer(1, fault(t, "rate limit of a proxy"))
			ts := w.Ask("release")
			w.WaitReactions(sim.Channel, ts, "hourglass_flowing_sand")
			p.Reload(change...)
			time.Sleep(2 * time.Minute)
			if strings.HasPrefix(name, "given") {
				if w.WaitReactions(sim.Channel, ts, "thumbsup"); deployedAsConfirmed(t, w) != 1 {
					t.Error("it was not deployed")
				}
				return
			}
			w.WaitReactions(sim.Channel, ts, "x")
			w.WaitMessages(sim.Channel, ts, deploy.MsgStatusRefused, deploy.MsgRefusedGone)
			if deployedAsConfirmed(t, w) != 0 || !strings.Contains(strings.Join(w.Texts(sim.Channel, ts), " "), "app") {
				t.Errorf("deployed %d, said %q", deployedAsConfirmed(t, w), w.Texts(sim.Channel, ts))
			}
		})
		row(t, "running, and its target is "+name+": its result is shown", func(t *testing.T) {
			w := sim.NewInOrg(t, org, "GITLAB_API_TOKEN=") // only the call tells
			reportEach(w, "success")
			p := w.StartReady("a")
			ts := w.Ask("release")
			w.WaitReactions(sim.Channel, ts, "thumbsup")
			p.Reload(change...)
			p.Reload() // and again: nothing is forgotten at the second
			w.WaitReactions(sim.Channel, ts, "white_check_mark")
			if deployedAsConfirmed(t, w) != 1 {
				t.Error("it was not deployed once")
			}
		})
	}
	row(t, "a map of another workspace is wrong: the one before stays", func(t *testing.T) {
		w := sim.New(t)
		p := w.StartReady("a")
		p.Reload(mapWith("T0OTHER", "app", "group/web", ""))
		if _, body := w.Get("http://a.test:9090/readyz"); !strings.Contains(body, "has only targets of T0OTHER") {
			t.Errorf("readyz: %s", body)
		}
		w.WaitReactions(sim.Channel, w.Ask("release"), "thumbsup")
		if deployedAsConfirmed(t, w) != 1 {
			t.Error("it was not deployed")
		}
	})
	row(t, "the next mention goes by the new map", func(t *testing.T) {
		w := sim.New(t)
		p := w.StartReady("a")
		p.Reload(mapWith(sim.Team, "app", "group/web", ""), "PSYCHER_LANG=en")
		ts := w.Ask("release")
		w.WaitReactions(sim.Channel, ts, "thumbsup")
		if all := w.GitLab.Pipelines(); len(all) != 1 || all[0].Project != "group/web" {
			t.Errorf("%+v", all)
		}
		if said := w.Texts(sim.Channel, ts); !strings.Contains(said[0], "Deploying") {
			t.Errorf("said %q", said)
		}
	})
}

func TestReloadAndNotifyToken(t *testing.T) {
	row(t, "the one of the settings in use counts, and no other", func(t *testing.T) {
		w := sim.New(t)
		w.OldScripts = true
		p := w.StartReady("a")
		first, second := w.Ask("release"), w.Ask("release")
		for _, ts := range []string{first, second} {
			w.WaitReactions(sim.Channel, ts, "thumbsup")
		}
		p.Reload("DEPLOY_TIMEOUT=2h")
		if status, body := firstVersionCall(w, "success", first); status != http.StatusOK {
			t.Errorf("another setting was changed, and the call got %d %s", status, body)
		}
		p.Reload("NOTIFY_TOKEN=another-shared-secret-0000")
		if status, _ := firstVersionCall(w, "success", second); status != http.StatusUnauthorized {
			t.Errorf("the old secret got %d", status)
		}
	})
}

func TestReloadInAFlood(t *testing.T) {
	t.Parallel()
	row(t, "each mention deploys once", func(t *testing.T) {
		n := few(100)
		w := sim.New(t, "GITLAB_TRIGGER_TOKENS="+manyTargets(n), "MENTION_MAX_AGE=1h")
		p := w.StartReady("a")
		all := flood(w, n, channelOf)
		for i := range 20 {
			time.Sleep(50 * time.Millisecond)
			p.Reload("GITLAB_TRIGGER_TOKENS="+manyTargets(n+i), fmt.Sprintf("DEPLOY_TIMEOUT=%dm", 60+i))
		}
		time.Sleep(5 * time.Minute)
		if made, told := settled(t, w, all); made != n || told != 0 {
			t.Errorf("%d deployed, %d told, of %d", made, told, n)
		}
	})
}

func TestAWrongMapKeepsTheOldOne(t *testing.T) {
	row(t, "it says so, and a right one is taken", func(t *testing.T) {
		dir := t.TempDir()
		file, token := filepath.Join(dir, "targets.json"), filepath.Join(dir, "token")
		// As Kubernetes does: another folder takes the place of the one with the files.
		versions := 0
		put := func(targets string) {
			versions++
			folder := filepath.Join(dir, fmt.Sprint(versions))
			link := filepath.Join(dir, "next")
			for _, err := range []error{
				os.Mkdir(folder, 0o700), os.WriteFile(filepath.Join(folder, "targets.json"), []byte(targets), 0o600),
				os.Symlink(folder, link), os.Rename(link, filepath.Join(dir, "data")),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		target := func(name string) string {
			return fmt.Sprintf(`%q: {"project_id": "group/app", "token_file": %q, "parallel": true}`, name, token)
		}
		put(fmt.Sprintf(`{%q: {%q: {%s}}}`, sim.Team, sim.Channel, target("app")))
		if err := os.WriteFile(token, []byte("glptt-wrong-wrong"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(dir, "data", "targets.json"), file); err != nil {
			t.Fatal(err)
		}
		w := sim.New(t, "GITLAB_TRIGGER_TOKENS=", "TARGETS_FILE="+file)
		_, log := w.StartLogged("a")
		current := func(want string) {
			t.Helper()
			if _, body := w.Get("http://a.test:9090/metrics"); !strings.Contains(body, "\npsycher_settings_current "+want+"\n") {
				t.Errorf("psycher_settings_current is not %s", want)
			}
		}
		current("1")
		if err := os.WriteFile(token, []byte(sim.TriggerToken+"\n"), 0o600); err != nil { // a token alone is changed
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		w.WaitReactions(sim.Channel, w.Ask("release app"), "thumbsup")

		put(fmt.Sprintf(`{%q: {%q: {%s}}`, sim.Team, sim.Channel, target("web")))
		time.Sleep(time.Minute)
		current("0")
		if status, body := w.Get("http://a.test:9090/readyz"); status != http.StatusOK || !strings.Contains(body, "TARGETS_FILE: is not JSON") {
			t.Errorf("readyz: %d %s", status, body)
		}
		if n := strings.Count(log.String(), "cannot be used"); n != 1 {
			t.Errorf("it is logged %d times", n)
		}
		w.WaitReactions(sim.Channel, w.Ask("release app"), "thumbsup")

		put(fmt.Sprintf(`{%q: {%q: {%s}}}`, sim.Team, sim.Channel, target("web")))
		time.Sleep(10 * time.Second)
		current("1")
		if _, body := w.Get("http://a.test:9090/readyz"); strings.Contains(body, "TARGETS_FILE") {
			t.Errorf("readyz: %s", body)
		}
		w.WaitReactions(sim.Channel, w.Ask("release web"), "thumbsup")
		if strings.Contains(log.String(), sim.TriggerToken) {
			t.Error("a token is logged")
		}
	})
}

// Half a file may look like a whole one, such as a .env without its last line.
func TestAHangupWhileAFileIsWrittenWaitsForTheRest(t *testing.T) {
	row(t, "only the whole file is read", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "targets.json")
		put := func(text string) {
			t.Helper()
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		whole := func(target string) string {
			return fmt.Sprintf(`{%q: {%q: {%q: {"project_id": "group/app", "token_env": "TOKEN"}}}}`, sim.Team, sim.Channel, target)
		}
		put(whole("app"))
		w := sim.New(t, "GITLAB_TRIGGER_TOKENS=", "TARGETS_FILE="+file, "TOKEN="+sim.TriggerToken)
		p, log := w.StartLogged("a")
		time.Sleep(10 * time.Second)
		put(whole("half"))
		p.Reload()
		put(whole("web"))
		time.Sleep(10 * time.Second)
		if n := strings.Count(log.String(), "the settings were read again"); n != 1 {
			t.Errorf("they were read %d times, want once", n)
		}
		w.WaitReactions(sim.Channel, w.Ask("release web"), "thumbsup")
	})
}
