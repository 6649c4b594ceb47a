package cmd_test

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/getto-systems/psycher/cmd"
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
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("PROVED_REDIS_URL", "redis://"+redis.Addr())
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		// Scripts say "exec psycher" or, with the exit code, "exits 78 psycher".
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
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
