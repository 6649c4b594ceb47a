package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/getto-systems/psycher/cmd/doctor"
)

// doctorCommand checks everything that a deploy needs, and changes nothing.
func doctorCommand() *cobra.Command {
	var asJSON, probe bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check settings, Slack, GitLab, Redis and the notify port, and say how to fix what is wrong",
		Long: `Checks everything that a deploy needs: settings, Slack, GitLab, Redis and the notify
port. Each line is ok, a fault with its fix, or a thing that cannot be seen, with the
right that is missing. It reads the settings of the bot, changes nothing, makes a few
calls a second, and may run while the bot does. The exit code is 1 if there is a fault.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDoctor(cmd, asJSON, probe) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	c.Flags().BoolVar(&probe, "probe-trigger", false, "also try each trigger token with a ref that cannot exist: GitLab makes no pipeline of that")
	return c
}

func runDoctor(cmd *cobra.Command, asJSON, probe bool) error {
	found, out := map[doctor.Verdict]int{}, cmd.OutOrStdout()
	lines, unwritten := newLines(out), error(nil)
	report := func(f doctor.Finding) {
		found[f.Verdict]++
		switch f = clean(f); {
		case asJSON:
			unwritten = errors.Join(unwritten, lines.Encode(f))
		case f.Fix == "":
			fmt.Fprintf(out, "%-10s  %s\n", f.Verdict, f.What())
		default:
			fmt.Fprintf(out, "%-10s  %s\n%-10s  → %s\n", f.Verdict, f.What(), "", f.Fix)
		}
	}
	var a *app
	s, warnings, err := load()
	if err == nil {
		a, err = newApp(s, RealNet(), newLog(s, io.Discard))
	}
	if err != nil {
		for problem := range strings.SplitSeq(err.Error(), "\n") {
			fix := "set it as that says; then the rest is checked"
			if slices.Contains(warnings, problem) {
				fix = doctor.Rename
			}
			report(doctor.Finding{Check: "settings", Verdict: doctor.Fault, Seen: problem, Fix: fix})
		}
	} else {
		defer a.close()
		d := a.doctor(warnings)
		d.ProbeTrigger = probe
		if err := d.Run(cmd.Context(), report); err != nil {
			return fmt.Errorf("ended before all was checked: %w", err)
		}
	}
	if !asJSON {
		n := found[doctor.Fault]
		faults := cmp.Or(map[int]string{0: "no fault", 1: "1 fault"}[n], fmt.Sprint(n, " faults"))
		_, unwritten = fmt.Fprintf(out, "\n%s, %d cannot be seen, %d ok\n", faults, found[doctor.Unseen], found[doctor.OK])
	}
	if unwritten == nil && found[doctor.Fault] > 0 {
		return errSaid
	}
	return unwritten
}

// clean makes a finding one line of text: what GitLab and Slack call things is foreign.
func clean(f doctor.Finding) doctor.Finding {
	f.About, f.Seen, f.Fix = oneLine(f.About), oneLine(f.Seen), oneLine(f.Fix)
	return f
}

func (a *app) doctor(warnings []string) *doctor.Doctor {
	s := a.now.Load().settings
	return &doctor.Doctor{
		Settings: s, Warnings: warnings, Slack: a.slack, GitLab: a.gitlabConfig(s), Store: a.store, Dial: a.net.Dial, Proxy: a.net.Proxy,
	}
}

// checkAgain is how long a fault is believed that was found at the start.
const checkAgain = 10 * time.Minute

// check makes the doctor's cheap checks, one log line each: at the start, not in
// the middle of an incident. Faults are shown as warnings in readiness; while there
// are any, and when the settings have changed, the checks are made again, and what has
// changed is logged.
func (a *app) check(ctx context.Context) {
	logged := map[string]bool{}
	for {
		var warnings []string
		now := map[string]bool{}
		d := a.doctor(nil)
		d.AtStart = true
		err := d.Run(ctx, func(f doctor.Finding) {
			f = clean(f)
			said := strings.Join([]string{f.Check, f.About, string(f.Verdict)}, " ")
			if f.Verdict == doctor.Fault {
				said = f.What() + "; " + f.Fix
				warnings = append(warnings, said)
			}
			now[said] = true
			if !logged[said] {
				a.logFinding(f)
			}
		})
		if err != nil {
			return
		}
		a.checkWarnings.Store(&warnings)
		logged = now
		var again <-chan time.Time
		if len(warnings) > 0 {
			again = time.After(checkAgain)
		}
		select {
		case <-ctx.Done():
			return
		case <-again:
		case <-a.recheck: // the settings have changed
		}
	}
}

//docgen:messages log
func (a *app) logFinding(f doctor.Finding) {
	line := a.log.Info()
	if f.Verdict == doctor.Fault {
		line = a.log.Warn()
	}
	fields(line, "check", f.Check, "about", f.About, "verdict", string(f.Verdict), "seen", f.Seen, "fix", f.Fix).Msg("checked")
}
