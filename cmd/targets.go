package cmd

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/getto-systems/psycher/deploy"
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
			table := [][]string{{"WORKSPACE", "CHANNEL", "TARGET", "ALIASES", "PROJECT", "REF", "KEY", "TIMEOUT", "JOB", "ALLOW", "MORE"}}
			for t := range s.Targets.All() {
				table = append(table, []string{
					t.Team, t.Channel, t.Name, strings.Join(t.Aliases, ", "), t.Project, t.Ref, t.Key, t.Timeout.String(), t.Job, strings.Join(t.Allow, ", "),
					strings.Join(more(t, time.Now()), "; "),
				})
			}
			return printTable(cmd.OutOrStdout(), table)
		},
	}
}

// more is what few targets have, by the keys of the map. Of a freeze it says when the next one
// begins, as cron is easily misread.
func more(t deploy.Target, now time.Time) (keys []string) {
	add := func(has bool, format string, args ...any) {
		if has {
			keys = append(keys, fmt.Sprintf(format, args...))
		}
	}
	add(t.Site != "", "url %s", t.Site)
	add(t.Announce != "", "announce %s", t.Announce)
	add(t.Parallel, "parallel")
	add(t.Confirm && t.Approvals == 0, "confirm")
	add(t.Approvals > 0, "approvals %d", t.Approvals)
	add(t.Approvers != nil, "approvers %s", strings.Join(t.Approvers, ", "))
	for _, f := range t.Freezes {
		reason := strings.TrimSuffix(": "+f.Reason, ": ")
		add(true, "freeze from %s for %s (%s)%s", f.Next(now).Format("Mon Jan 2 15:04"), f.For, f.Zone, reason)
	}
	add(t.Override != nil, "override %s", strings.Join(t.Override, ", "))
	return keys
}
