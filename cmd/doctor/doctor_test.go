package doctor

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
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
	d.Run(t.Context(), func(f Finding) {
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
	})
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
	g, err := gitlab.New(gitlab.Config{URL: s.GitLabURL, APIToken: s.GitLabAPIToken, NotifyURL: s.NotifyURL, RequestTimeout: s.GitLabRequestTimeout, Dial: dial})
	if err != nil {
		w.t.Fatal(err)
	}
	store, err := dedupe.Open(dedupe.Config{URL: s.RedisURL, Prefix: s.RedisPrefix, Keep: s.Keep, Dial: dial, Log: log})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		g.Close()
		store.Close()
	})
	return &Doctor{
		Settings: s, Warnings: warnings, GitLab: g, Store: store, Dial: dial, ProbeTrigger: w.probe,
		Slack: web.New(web.Config{BotToken: s.SlackBotToken, AppToken: s.SlackAppToken, URL: s.SlackAPIURL, Voice: func() phrases.Voice { return voice }, Log: log}),
		limit: rate.Inf,
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

func TestProxiesAreNamedWithoutTheirPasswords(t *testing.T) {
	w, d := open(t, func(*world) {})
	d.Proxy = func(r *http.Request) (*url.URL, error) {
		if "http://"+r.URL.Host == w.slackURL {
			return url.Parse("http://me:Xq7Zw9@proxy.example.com:3128")
		}
		return nil, nil
	}
	var seen []string
	for _, f := range proxies(t.Context(), d) {
		seen = append(seen, f.Seen)
	}
	if !slices.Equal(seen, []string{"is called through the proxy proxy.example.com:3128", "is called directly"}) {
		t.Errorf("%q", seen)
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
	d.Start(t.Context(), func(f Finding) {
		found[f.Check]++
		says += f.Seen + "\n"
	})
	if found["gitlab: project"] != mostAtStart+1 || found["gitlab: ref"] > mostAtStart+1 || strings.Count(says, "only the first 50 were looked at") != 2 || len(d.asked) > 3*mostAtStart+10 {
		t.Errorf("%v, %d questions; it says %s", found, len(d.asked), says)
	}
	clear(found)
	d.Run(t.Context(), func(f Finding) { found[f.Check]++ })
	if found["gitlab: project"] != 200 {
		t.Error(found)
	}
}

// Thousands of questions to somebody who answers none would take a day.
func TestADoctorEndsThoughNobodyAnswers(t *testing.T) {
	projects := `{"a": {"project_id": "group/app", "token": "` + triggerToken + `"}, "b": {"project_id": "group/b", "token": "` + triggerToken + `"}, "c": {"project_id": "group/c", "token": "` + triggerToken + `"}}`
	_, d := open(t, func(w *world) {
		w.settings = append(w.settings, `GITLAB_TRIGGER_TOKENS={"`+team+`": {"C1": `+projects+`, "C2": `+projects+`, "C3": `+projects+`}}`)
		w.then = func() {
			w.gitlab.FailLookUps(-1, "/pipelines", fakegitlab.Fault{Status: http.StatusBadGateway})
			w.slack.Fail("conversations.info", 10, fakeslack.Fault{Status: http.StatusBadGateway, Header: http.Header{"Retry-After": {"1"}}})
		}
	})
	d.patience = time.Nanosecond
	var found []string
	d.Run(t.Context(), func(f Finding) {
		if f.Check == "slack: channels" || f.Check == "gitlab: project" {
			found = append(found, fmt.Sprintf("%s: %s %s", f.Check, f.Verdict, f.Seen))
		}
	})
	want := []string{
		"slack: channels: cannot see conversations.info: HTTP status 502",
		"slack: channels: cannot see the bot is in 0 of 3; 2 were not looked at: Slack does not answer",
		"gitlab: project: cannot see get pipelines of group/app: GitLab, or something in front of it, answered 502",
		"gitlab: project: cannot see GitLab was waited for long enough",
		"gitlab: project: cannot see GitLab was waited for long enough",
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Error(diff)
	}
}

func TestEachCallHasItsTurn(t *testing.T) {
	w, d := open(t, func(*world) {})
	w.gitlab.Make("group/app", "trigger", "master", nil)
	d.pace, d.asked = rate.NewLimiter(1e-9, 10), map[string]any{}
	if _, err := d.recovers(t.Context(), "group/app"); err != nil {
		t.Fatal(err)
	}
	if left := int(d.pace.Tokens() + .5); left != 8 { // pipelines, and the variables of one
		t.Errorf("of 10 turns %d are left", left)
	}
}
