// Package cmd is the program: subcommands, settings, and the wiring of the
// packages. What the bot does is not decided here.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
)

// The exit codes. 78 is sysexits' EX_CONFIG: starting again does not help.
const (
	exitFailed   = 1
	exitSettings = 78
)

// Main runs the command line and gives the exit code. SIGTERM, SIGINT and
// SIGHUP end what runs, in order; a second one ends it at once. A SIGHUP that is
// ignored, as nohup has it, stays ignored.
func Main(args, environ []string, in io.Reader, out, errs io.Writer) int {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	defer stop()
	context.AfterFunc(ctx, stop)

	root := rootCommand(environ, errs)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	errs = tokenless{errs}
	var settings *SettingsError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &settings):
		for _, p := range settings.Problems {
			fmt.Fprintln(errs, "psycher: "+p)
		}
		return exitSettings
	}
	fmt.Fprintln(errs, "psycher:", err)
	return exitFailed
}

//docgen:messages log
func rootCommand(environ []string, errs io.Writer) *cobra.Command {
	run := func(cmd *cobra.Command, _ []string) error {
		settings, warnings, err := LoadSettings(environ, ".env")
		if err != nil {
			for _, w := range warnings { // a misspelt name is why another is missing
				fmt.Fprintln(errs, "psycher: "+w)
			}
			return err
		}
		log := newLog(settings, errs)
		for _, w := range warnings {
			log.Warn().Msg(w)
		}
		return Run(cmd.Context(), settings, RealNet(), log)
	}
	root := &cobra.Command{
		Use:   "psycher",
		Short: "A deploy bot: a mention in Slack starts a GitLab pipeline, and its result comes back",
		Long: `A deploy bot: a mention in Slack starts a GitLab pipeline, and its result comes back.

Without a subcommand it runs the bot, with settings from the environment and from
the file .env in the working directory. "psycher demo" needs no settings.`,
		Args: noArgs, RunE: run, SilenceUsage: true, SilenceErrors: true,
	}
	root.SetFlagErrorFunc(withHelp)
	root.AddCommand(
		&cobra.Command{Use: "run", Short: "Run the bot (as without a subcommand)", Args: noArgs, RunE: run},
		&cobra.Command{Use: "version", Short: "Print the version", Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "psycher", version())
			return err
		}},
		readyCommand(environ),
		unproveCommand(environ),
		demoCommand(environ),
	)
	return root
}

func noArgs(cmd *cobra.Command, args []string) error { return withHelp(cmd, cobra.NoArgs(cmd, args)) }

// withHelp says where to look when a command line is wrong.
//
//docgen:messages start
func withHelp(cmd *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: see %s --help", err, cmd.CommandPath())
}

func newLog(s Settings, out io.Writer) zerolog.Logger {
	out = tokenless{out}
	if s.LogFormat == "console" {
		out = zerolog.ConsoleWriter{Out: out}
	}
	return zerolog.New(out).Level(s.LogLevel).With().Timestamp().Logger()
}

// version is the module's, with the commit where it was built from a checkout.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" || v == "(devel)" {
		v = "devel"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 && v == "devel" {
			v += " " + s.Value[:12]
		}
	}
	return v + " " + info.GoVersion
}
