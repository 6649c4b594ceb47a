package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/getto-systems/psycher/cmd/settings"
)

// Main runs the command line and returns the exit code. SIGTERM and SIGINT end what
// runs, in order; a second one ends it at once. SIGHUP has the bot read its settings
// again.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	err := rootCommand().ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errSaid):
		return 1
	}
	fmt.Fprintln(scrubber{os.Stderr}, "psycher: "+strings.ReplaceAll(err.Error(), "\n", "\npsycher: "))
	if errors.As(err, new(*settings.Error)) {
		return 78 // EX_CONFIG of sysexits: starting again does not help
	}
	return 1
}

// errSaid ends a command that has printed what is wrong.
var errSaid = errors.New("what was printed is wrong")

func rootCommand() *cobra.Command {
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
		readyCommand(),
		historyCommand(),
		unproveCommand(),
		doctorCommand(),
		manifestCommand(),
		ciCommand(),
		targetsCommand(),
		demoCommand(),
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

// version is the module's: a tag, or what Go makes of the commit of a checkout.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return cmp.Or(strings.Trim(info.Main.Version, "()"), "devel") + " " + info.GoVersion
}
