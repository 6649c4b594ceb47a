package cmd

import (
	"fmt"
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
			s, warnings, err := load()
			if err != nil {
				return err
			}
			for _, w := range warnings {
				fmt.Fprintln(cmd.ErrOrStderr(), "warning:", w)
			}
			table := [][]string{{"WORKSPACE", "CHANNEL", "TARGET", "ALIASES", "PROJECT", "REF", "KEY", "TIMEOUT", "JOB", "ALLOW"}}
			for t := range s.Targets.All() {
				table = append(table, []string{
					t.Team, t.Channel, t.Name, strings.Join(t.Aliases, ", "), t.Project, t.Ref, t.Key, t.Timeout.String(), t.Job, strings.Join(t.Allow, ", "),
				})
			}
			return printTable(cmd.OutOrStdout(), table)
		},
	}
}
