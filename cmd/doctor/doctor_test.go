package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"github.com/getto-systems/psycher/bot/phrases"
	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/cmd/settings"
	"github.com/getto-systems/psycher/dedupe"
	"github.com/getto-systems/psycher/gitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

// world is a Slack, a GitLab and the settings of a bot, all well until a test
// breaks something.
type world struct {
	t        *testing.T
	slackURL string
	slack    *fakeslack.Slack
	gitlab   *fakegitlab.GitLab
	slackIs  fakeslack.Config  // before start
	gitlabIs fakegitlab.Config // before start
	settings []string          // NAME=value; the last one of a name counts
	probe    bool
	dial     func(ctx context.Context, network, addr string) (net.Conn, error)
	then     func() // what goes wrong once they have started
}

const (
	team, channel = "T0TEAM", "C01DEPLOY"
	apiToken      = "glpat-test-00000000000000000000"
	triggerToken  = "glptt-test-000000000000000000000000"
)

// open starts a world that breakIt has changed before its start.
func open(t *testing.T, breakIt func(*world)) (*world, *Doctor) {
	t.Helper()
	w := &world{t: t, dial: (&net.Dialer{}).DialContext, gitlabIs: fakegitlab.Config{
		APIToken: apiToken,
		Projects: []fakegitlab.Project{{ID: 1, Path: "group/app", Token: triggerToken}},
	}}
	slack, git := httptest.NewUnstartedServer(nil), httptest.NewUnstartedServer(nil)
	w.slackURL = "http://" + slack.Listener.Addr().String()
	gitlabURL := "http://" + git.Listener.Addr().String()
	w.settings = []string{
		"SLACK_APP_TOKEN=xapp-test", "SLACK_BOT_TOKEN=xoxb-test", "SLACK_API_URL=" + w.slackURL + "/api/", "NOTIFY_ADDR=" + closedPort(t),
		"GITLAB_URL=" + gitlabURL, "GITLAB_API_TOKEN=" + apiToken,
		`GITLAB_TRIGGER_TOKENS={"` + team + `": {"` + channel + `": {"app": {"project_id": "group/app", "token": "` + triggerToken + `"}}}}`,
	}
	w.slackIs.URL, w.gitlabIs.URL = w.slackURL, gitlabURL
	breakIt(w)
	w.start(slack, git)
	s, warnings, err := settings.Load(w.settings, "")
	if err != nil {
		t.Fatal(err)
	}
	return w, w.doctor(s, warnings)
}

// diagnose makes all checks of such a world.
func diagnose(t *testing.T, breakIt func(*world)) []Finding {
	t.Helper()
	_, d := open(t, breakIt)
	var found []Finding
	if err := d.Run(t.Context(), func(f Finding) {
		found = append(found, f)
		for _, text := range []string{f.Seen, f.Fix, f.About} {
			for _, secret := range []string{apiToken, triggerToken, "xapp-test", "xoxb-test"} {
				if strings.Contains(text, secret) {
					t.Errorf("%s shows a secret: %s", f.Check, text)
				}
			}
		}
		if f.Verdict != OK && f.Fix == "" {
			t.Errorf("%s: a fault without a fix: %+v", f.Check, f)
		}
	}); err != nil {
		t.Error(err)
	}
	return found
}

func (w *world) start(slack, git *httptest.Server) {
	w.slack, w.gitlab = fakeslack.New(w.slackIs), fakegitlab.New(w.gitlabIs)
	slack.Config.Handler, git.Config.Handler = w.slack, w.gitlab
	w.slack.Join(channel)
	slack.Start()
	git.Start()
	if w.then != nil {
		w.then()
	}
	w.t.Cleanup(func() {
		w.slack.Close()
		w.gitlab.Close()
		slack.Close()
		git.Close()
	})
}

func (w *world) doctor(s settings.Settings, warnings []string) *Doctor {
	w.t.Helper()
	log := zerolog.Nop()
	voice, err := phrases.New(s.Lang)
	if err != nil {
		w.t.Fatal(err)
	}
	dial := w.dial
	store, err := dedupe.Open(dedupe.Config{URL: s.RedisURL, Prefix: s.RedisPrefix, Keep: s.Keep, Dial: dial, Log: log})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { store.Close() })
	return &Doctor{
		Settings: s, Warnings: warnings, Store: store, Dial: dial, ProbeTrigger: w.probe,
		GitLab: gitlab.Config{URL: s.GitLabURL, APIToken: s.GitLabAPIToken, NotifyURL: s.NotifyURL, RequestTimeout: s.GitLabRequestTimeout, Dial: dial},
		Slack:  web.New(web.Config{BotToken: s.SlackBotToken, AppToken: s.SlackAppToken, URL: s.SlackAPIURL, Voice: func() phrases.Voice { return voice }, Log: log}),
		limit:  rate.Inf,
	}
}

// row is a thing that is wrong, and what the doctor says of it.
type row struct {
	name    string
	breakIt func(*world)
	check   string
	verdict Verdict
	says    string // a part of what was seen
	fix     string // a part of what to do
}

func (r row) run(t *testing.T) {
	t.Helper()
	t.Run(r.name, func(t *testing.T) {
		t.Parallel()
		found := diagnose(t, r.breakIt)
		if !slices.ContainsFunc(found, func(f Finding) bool {
			return f.Check == r.check && f.Verdict == r.verdict && strings.Contains(f.Seen, r.says) && strings.Contains(f.Fix, r.fix)
		}) {
			t.Errorf("no %q of %q with %q, fix %q, in:", r.verdict, r.check, r.says, r.fix)
			for _, f := range found {
				t.Logf("%+v", f)
			}
		}
	})
}

func TestAllIsWell(t *testing.T) { checkAllWell(t, diagnose(t, func(*world) {})) }

func checkAllWell(t *testing.T, found []Finding) {
	t.Helper()
	for _, f := range found {
		if f.Verdict != OK && f.Check != "slack: interactivity" { // that nobody can see
			t.Errorf("%+v", f)
		}
	}
}

func TestFaultsOfSettings(t *testing.T) {
	for _, r := range []row{
		{"a misspelt name", func(w *world) { w.settings = append(w.settings, "NOTIFY_TOKN=x") }, "settings: names", Fault, "NOTIFY_TOKN is not a setting: is NOTIFY_TOKEN meant?", "rename"},
	} {
		r.run(t)
	}
}

// closedPort is an address of this machine where nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A large map delays no start, and does not keep GitLab busy.
func TestAStartLooksAtTheBeginningOfALargeMap(t *testing.T) {
	var listed []string
	var paths map[string]int
	_, d := open(t, func(w *world) {
		for i := range 200 {
			path := fmt.Sprintf("group/app%03d", i)
			if i%3 > 0 { // the others do not exist
				w.gitlabIs.Projects = append(w.gitlabIs.Projects, fakegitlab.Project{ID: int64(10 + i), Path: path, Token: triggerToken})
			}
			listed = append(listed, fmt.Sprintf(`"app%03d": {"project_id": %q, "token": %q}`, i, path, triggerToken))
		}
		w.settings = append(w.settings, "GITLAB_TRIGGER_TOKENS={\""+team+"\": {\""+channel+"\": {"+strings.Join(listed, ",")+"}}}")
	})
	found := map[string]int{}
	says := ""
	d.AtStart = true
	err := d.Run(t.Context(), func(f Finding) {
		found[f.Check]++
		says += f.Seen + "\n"
	})
	asked := len(paths)
	if found["gitlab: project"] != mostAtStart+1 || found["gitlab: ref"] > mostAtStart+1 || strings.Count(says, "only the first 50 were looked at") != 2 || asked > 3*mostAtStart+10 || err != nil {
		t.Errorf("%v, %d questions; it says %s, %v", found, asked, says, err)
	}
	clear(found)
	d.AtStart = false
	if err := d.Run(t.Context(), func(f Finding) { found[f.Check]++ }); err != nil || found["gitlab: project"] != 200 {
		t.Error(found, err)
	}
}

// Thousands of questions to somebody who answers none would take a day.
func TestADoctorEndsThoughNobodyAnswers(t *testing.T) {
	projects := `{"a": {"project_id": "group/app", "token": "` + triggerToken + `"}, "b": {"project_id": "group/b", "token": "` + triggerToken + `"}, "c": {"project_id": "group/c", "token": "` + triggerToken + `"}}`
	_, d := open(t, func(w *world) {
		w.settings = append(w.settings, `GITLAB_TRIGGER_TOKENS={"`+team+`": {"C1": `+projects+`, "C2": `+projects+`, "C3": `+projects+`}}`)
		w.then = func() {
			w.gitlab.FailLookUps(-1, "/pipelines", fakegitlab.Fault{Status: http.StatusBadGateway})
			w.slack.Fail("conversations.history", 10, fakeslack.Fault{Status: http.StatusBadGateway, Header: http.Header{"Retry-After": {"1"}}})
		}
	})
	d.patience = time.Nanosecond
	var found []string
	if err := d.Run(t.Context(), func(f Finding) {
		if f.Check == "slack: channels" || f.Check == "gitlab: project" {
			found = append(found, fmt.Sprintf("%s: %s %s", f.What(), f.Verdict, f.Fix))
		}
	}); err != nil {
		t.Error(err)
	}
	const later = "try again later; if it stays, look at what GitLab answers there"
	want := []string{
		"slack: channels C1: conversations.history: HTTP status 502: cannot see try again later",
		"slack: channels C2: not looked at: Slack does not answer: cannot see try again later",
		"slack: channels C3: not looked at: Slack does not answer: cannot see try again later",
		"gitlab: project group/app: get pipelines of group/app: GitLab, or something in front of it, answered 502: cannot see " + later,
		"gitlab: project group/b: get pipelines of group/b: GitLab was waited for long enough: cannot see " + later,
		"gitlab: project group/c: get pipelines of group/c: GitLab was waited for long enough: cannot see " + later,
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Error(diff)
	}
}

func TestEachCallHasItsTurn(t *testing.T) {
	var paths map[string]int
	w, d := open(t, func(w *world) { paths = counted(w) })
	w.gitlab.Make("group/app", "trigger", "master", nil)
	d.limit = 1e-9 // after the first call there is never a turn
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if err := d.Run(ctx, func(Finding) {}); !errors.Is(err, context.Canceled) || len(paths) > 0 || len(w.slack.CallLog("")) > 1 {
		t.Errorf("%v, %v, %v", err, paths, w.slack.CallLog(""))
	}
}
