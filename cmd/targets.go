package cmd

import (
	"strings"

	"github.com/spf13/cobra"
)

// targetsCommand shows the target map, as psycher reads it.
func targetsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "targets",
		Short: "Check the settings, and print the target map without its secrets",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, _, err := load()
			if err != nil {
				return err
			}
			row, flush := newTable(cmd.OutOrStdout())
			row("WORKSPACE", "CHANNEL", "TARGET", "ALIASES", "PROJECT", "REF", "KEY", "TIMEOUT")
			for _, t := range s.Targets.All() {
				row(t.Team, t.Channel, t.Name, strings.Join(t.Aliases, ", "), t.Project, t.Ref, t.Key, t.Timeout.String())
			}
			return flush()
		},
	}
}
