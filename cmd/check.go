package cmd

import (
	"context"
	"strings"
	"time"

	"github.com/getto-systems/psycher/cmd/doctor"
)

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
