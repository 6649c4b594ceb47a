package engine

import (
	"context"

	"github.com/getto-systems/psycher/deploy"
)

// A callback is believed for what it shows. The token of one of the record's
// attempts proves the record. The secret that all projects share proves only
// that somebody has it, which another project's CI does too: so it counts for a
// project until a call of that project has proved itself, and no longer.

// hear takes in a word that speaks of this record, if it may. An error means
// that this could not be judged.
func (l *Engine) hear(ctx context.Context, r deploy.Record, w deploy.Callback) (deploy.Record, deploy.CallbackResult, error) {
	proven := r.ProvenBy(w)
	if !proven {
		shared, err := l.takesShared(ctx, r, w)
		if err != nil || !shared {
			return r, deploy.CallbackUnproven, err
		}
	}
	next, verdict := r.Hear(w, l.now(), l.Timing)
	if proven && verdict != deploy.CallbackUnknown {
		// mutant: proof that no record notes
		next.Deployment.TokenShown = true
	}
	return next, verdict, nil
}

// takesShared tells whether a word counts that shows no more than the secret of
// all: of a record that has no project yet, only if the channel's targets are
// known and that of none is closed to it.
func (l *Engine) takesShared(ctx context.Context, r deploy.Record, w deploy.Callback) (bool, error) {
	if !w.Shared {
		return false, nil
	}
	if r.Deployment.Project != "" && len(r.Tokens) == 0 {
		return true, nil // a version that had no tokens triggered it: its pipeline has nothing else to show
	}
	projects := []string{r.Deployment.Project}
	if r.Deployment.Project == "" {
		// mutant: a project that is not known is open to the secret of all
		projects = nil
		for _, t := range l.Targets.In(r.Mention.Team, r.Mention.Channel) {
			projects = append(projects, t.Project)
		}
	}
	if len(projects) == 0 {
		// mutant: a channel that is not known is open to the secret of all
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	proved, err := l.Store.Proved(ctx, projects...)
	if err != nil {
		l.storeAnswered(err)
	}
	// mutant: the secret of all counts for ever
	return !proved, err
}
