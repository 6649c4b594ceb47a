package cmd_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/getto-systems/psycher/cmd"
	"github.com/getto-systems/psycher/dedupe"
	"github.com/getto-systems/psycher/deploy"
)

// TestMain puts a program psycher on the PATH: this test's own binary, which is
// the command line where it is called by that name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"psycher": func() { os.Exit(cmd.Main()) },
	})
}

func TestCommandLine(t *testing.T) {
	// A Redis where two projects have proved themselves.
	redis := miniredis.RunT(t)
	for _, project := range []string{"group/app", "group/web"} {
		if err := redis.Set("{psycher}:proved:"+project, "1"); err != nil {
			t.Fatal(err)
		}
	}
	deployed := deployedRedis(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("PROVED_REDIS_URL", "redis://"+redis.Addr())
			e.Setenv("DEPLOYED_REDIS_URL", deployed)
			e.Setenv("TZ", "Asia/Tokyo")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		// Scripts say "exec psycher" or, with the exit code, "exits 78 psycher".
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// deployedRedis returns the URL of a Redis where things were deployed.
func deployedRedis(t *testing.T) string {
	url := "redis://" + miniredis.RunT(t).Addr()
	store, err := dedupe.Open(dedupe.Config{
		URL: deploy.Secret(url), Prefix: "psycher", Keep: 100 * 365 * 24 * time.Hour, Dial: (&net.Dialer{}).DialContext,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	save := func(ts, channel string, state deploy.State, d deploy.Deployment, ask *deploy.Ask) {
		r := deploy.Record{Layout: deploy.Layout, Revision: "a", State: deploy.Accepted, Ask: ask, Request: deploy.Request{
			Key: deploy.Key{Team: "T0TEAM", Channel: channel, TS: ts}, By: deploy.Person{User: "U0YAMADA"}, At: d.Triggered.Add(-time.Second), Via: deploy.ViaMention,
		}}
		s, made, err := store.Claim(t.Context(), &r, -1, time.Now(), deploy.TargetID{})
		r.Revision, r.State, r.Deployment = "b", state, d
		if err == nil && made {
			_, err = store.Save(t.Context(), s, &r, -1)
		}
		if err != nil || !made {
			t.Fatal(made, err)
		}
	}
	at := func(minute int) time.Time { return time.Date(2026, 1, 15, 1, minute, 0, 0, time.UTC) }
	app := deploy.Deployment{Target: "app", Project: "group/app", Ref: "main", Key: "RELEASE"}
	one := app
	one.Triggered, one.Ended, one.Pipeline, one.URL = at(0), at(3).Add(12*time.Second), 1001, "https://gitlab.example.com/group/app/-/pipelines/1001"
	one.Progress = &deploy.Progress{Commit: deploy.Commit{
		SHA: "0123456789abcdef0123456789abcdef01234567", Title: "Fix\x1b[2J <b> \u202e" + "psy_" + strings.Repeat("A", 32), Author: "Sato",
	}}
	save("1.1", "C0APP", deploy.Succeeded, one, nil)
	two := app
	two.Target, two.Triggered, two.Ended, two.Page = "front", at(20), at(21), "https://gitlab.example.com/group/app/-/pipelines"
	save("2.1", "C0WEB", deploy.Failed, two, &deploy.Ask{Buttons: []deploy.Button{{Do: deploy.KindDeploy}}, Pressed: &deploy.Pressed{By: deploy.Person{User: "U0SATO"}, At: at(19)}})
	three := app
	three.Target, three.Project, three.Triggered = "api", "group/api", at(10)
	save("3.1", "C0APP", deploy.Running, three, nil)
	for i := range 150 {
		many := app
		many.Target, many.Project, many.Triggered, many.Ended = "many", "group/many", at(-1000-i), at(-999-i)
		save(fmt.Sprintf("4.%d", i), "C0MANY", deploy.Canceled, many, nil)
	}
	return url
}

// exits runs a command that must end with an exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}
