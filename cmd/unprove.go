package cmd

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// unproveCommand takes back what closes a project to NOTIFY_TOKEN: for a project
// that goes back to a script which shows no PSYCHER_TOKEN.
func unproveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "unprove PROJECT",
		Short: "Let calls with NOTIFY_TOKEN count again for a project whose calls proved themselves",
		Long: `Once a callback of a project has shown the PSYCHER_TOKEN of its deployment, calls
with NOTIFY_TOKEN alone count no more for that project. This takes it back, until
a further deployment shows one. PROJECT is written as in the target map. It reads
the settings of the bot, and may run while the bot does.`,
		Args: func(cmd *cobra.Command, args []string) error { return withHelp(cmd, cobra.ExactArgs(1)(cmd, args)) },
		RunE: unprove,
	}
}

func unprove(cmd *cobra.Command, args []string) error {
	project := args[0]
	s, store, err := openStore(cmd, "what was proved is kept in the bot's own process, so restart the bot")
	if err != nil {
		return err
	}
	defer store.Close()
	ctx, cancel := context.WithTimeout(cmd.Context(), 5*time.Second) // Redis answers at once, or is down
	defer cancel()
	switch had, err := store.Unprove(ctx, project); {
	case err != nil:
		return fmt.Errorf("REDIS_URL: %w", err)
	case !had:
		return fmt.Errorf("no call of %q has proved itself, so there is nothing to take back; the target map has: %s", project, strings.Join(s.Targets.Projects(), ", "))
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: calls with NOTIFY_TOKEN count again, until a further deployment shows its PSYCHER_TOKEN\n", project)
	return err
}
