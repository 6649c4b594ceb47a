package cmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/cmd/doctor"
	"github.com/getto-systems/psycher/cmd/settings"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

func TestNoTokenOfADeploymentIsLogged(t *testing.T) {
	token := deploy.NewToken().Reveal()
	for _, format := range []string{"json", "console"} {
		var out bytes.Buffer
		log := newLog(settings.Settings{LogFormat: format}, &out)
		log.Error().Err(errors.New("GitLab said: "+token)).Str("detail", "x"+token+"y").Msg(token)
		if strings.Contains(out.String(), "psy_") || strings.Count(out.String(), "[redacted]") != 3 || strings.Contains(out.String(), "\x1b") {
			t.Errorf("%s: %s", format, &out)
		}
	}
}

// logged is what an app logs, as JSON, by a log of the level.
func logged(t *testing.T, level zerolog.Level, s settings.Settings, act func(a *app)) (lines []map[string]any) {
	t.Helper()
	var out bytes.Buffer
	s.LogLevel, s.Lang, s.GitLabURL, s.RedisPrefix = level, "ja", "https://gitlab.example.com", "psycher"
	a, err := newApp(s, Net{}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	a.log = newLog(s, &out)
	act(a)
	for line := range strings.Lines(out.String()) {
		fields := map[string]any{}
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		if at, _ := fields["time"].(string); !regexp.MustCompile(`T\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)$`).MatchString(at) {
			t.Errorf("the time is %q", at)
		}
		delete(fields, "time")
		lines = append(lines, fields)
	}
	return lines
}

func TestEventsAreLogged(t *testing.T) {
	request := deploy.Request{Key: deploy.Key{Team: "T1", Channel: "C1", TS: "1.2"}, By: deploy.Person{User: "U1"}, ID: "d"}
	who := func(more ...any) map[string]any {
		fields := map[string]any{"team": "T1", "channel": "C1", "ts": "1.2", "user": "U1", "deployment": "d", "target": "app"}
		for i := 0; i < len(more); i += 2 {
			fields[more[i].(string)] = more[i+1]
		}
		return fields
	}
	in := func(state deploy.State) *deploy.Record {
		return &deploy.Record{Request: request, State: state, Deployment: deploy.Deployment{Target: "app"}}
	}
	for _, c := range []struct {
		event engine.Event
		want  map[string]any // nil: nothing
	}{
		{engine.Event{Name: "claimed", Record: in(deploy.Accepted)}, who("level", "info", "message", "claimed", "state", "accepted")},
		{
			engine.Event{Name: "moved", Record: in(deploy.Running), From: deploy.Triggering},
			who("level", "info", "message", "moved", "from", "triggering", "to", "running"),
		},
		{
			engine.Event{Name: "moved", Record: in(deploy.Succeeded), From: deploy.Running, Took: 83456789 * time.Microsecond},
			who("level", "info", "message", "moved", "from", "running", "to", "succeeded", "took", "1m23.457s"),
		},
		{
			engine.Event{Name: "moved", Record: in(deploy.Failed), From: deploy.Running, Took: time.Minute},
			who("level", "warn", "message", "moved", "from", "running", "to", "failed", "took", "1m0s"),
		},
		{engine.Event{Name: "store-down", Err: errors.New("no")}, map[string]any{"level": "warn", "message": "store-down", "error": "no"}},
		{engine.Event{Name: "store-up"}, map[string]any{"level": "info", "message": "store-up"}},
		{engine.Event{Name: "worker-panic", Detail: "stack\n"}, map[string]any{"level": "error", "message": "worker-panic", "detail": "stack"}},
		{engine.Event{Name: "known", Record: in(deploy.Running)}, nil},
	} {
		got := logged(t, zerolog.InfoLevel, settings.Settings{}, func(a *app) { a.event(c.event) })
		var want []map[string]any
		if c.want != nil {
			want = []map[string]any{c.want}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", c.event.Name, diff)
		}
	}
}

// A field that a check has nothing for is left out.
func TestAFindingIsLogged(t *testing.T) {
	got := logged(t, zerolog.InfoLevel, settings.Settings{}, func(a *app) {
		a.logFinding(doctor.Finding{Check: "redis: clock", Verdict: doctor.OK, Seen: "agrees"})
		a.logFinding(doctor.Finding{Check: "gitlab: ref", About: "app", Verdict: doctor.Fault, Seen: "none", Fix: "make it"})
	})
	want := []map[string]any{
		{"level": "info", "message": "checked", "check": "redis: clock", "verdict": "ok", "seen": "agrees"},
		{"level": "warn", "message": "checked", "check": "gitlab: ref", "about": "app", "verdict": "fault", "seen": "none", "fix": "make it"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// One line says what runs, and with what.
func TestTheStartIsLogged(t *testing.T) {
	s, _, err := settings.Load([]string{
		"SLACK_APP_TOKEN=xapp-test", "SLACK_BOT_TOKEN=xoxb-test", "GITLAB_API_TOKEN=glpat-test", "REDIS_URL=redis://:password@localhost",
		`GITLAB_TRIGGER_TOKENS={"T1": {"C1": {"app": {"project_id": 1, "token": "glptt-test"}, "web": {"project_id": 2, "token": "glptt-test"}}}}`,
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		redis, token deploy.Secret
		store        string
	}{{s.RedisURL, s.GitLabAPIToken, "redis"}, {"", "", "embedded"}} {
		s.RedisURL, s.GitLabAPIToken = c.redis, c.token
		got := logged(t, zerolog.InfoLevel, s, func(a *app) { a.logStart(web.Identity{Team: "T1", User: "U0BOT"}) })
		want := []map[string]any{{
			"level": "info", "message": "started", "version": version(), "team": "T1", "bot": "U0BOT", "lang": "ja", "store": c.store,
			"gitlab": "https://gitlab.example.com", "gitlab_api_token": c.token != "", "channels": 1.0, "targets": 2.0,
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// A setting that is again what the bot runs with waits for no start.
func TestASettingWaitsForTheNextStartUntilItIsSetBack(t *testing.T) {
	const waits = "NOTIFY_ADDR changed: it takes effect at the next start"
	misspelt := []string{"GITLAB_ULR is not a setting: is GITLAB_URL meant?"}
	lines := logged(t, zerolog.WarnLevel, settings.Settings{NotifyAddr: ":8080"}, func(a *app) {
		was, is := a.settings, a.settings
		is.NotifyAddr = ":8081"
		for _, c := range []struct {
			was, is        settings.Settings
			warnings, want []string
		}{
			{was, is, nil, []string{waits}},
			{is, is, misspelt, append(misspelt, waits)},
			{is, was, nil, []string{}},
		} {
			a.reloaded(c.was, c.is, c.warnings)
			if diff := cmp.Diff(c.want, a.readiness().Warnings); diff != "" {
				t.Error(diff)
			}
		}
	})
	var said []any
	for _, line := range lines {
		said = append(said, line["message"])
	}
	if diff := cmp.Diff([]any{waits, misspelt[0]}, said); diff != "" {
		t.Error(diff)
	}
}
