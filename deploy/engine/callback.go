package engine

import (
	"context"
	"errors"

	"github.com/getto-systems/psycher/deploy"
)

// errStopping: the store ends with this process, and nobody would deliver the
// change.
var errStopping = errors.New("the bot is stopping, and its store with it")

// Callback takes in a callback of a pipeline. It returns once the callback is
// recorded; an error means that it is not, and the pipeline should call again.
func (e *Engine) Callback(ctx context.Context, c deploy.Callback) (deploy.CallbackResult, error) {
	e.prepare()
	// mutant: a callback taken after the embedded store has ended
	if e.closed.Load() {
		return "", errStopping
	}
	// A caller who proved nothing does not learn which deployments there are.
	// mutant: a caller without proof learns which deployments exist
	none := deploy.CallbackUnproven
	if c.Shared {
		none = deploy.CallbackUnknown
	}
	for _, team := range e.Config().Teams { // the record knows its team, the callback does not
		result := deploy.CallbackUnknown
		var notJudged error
		var passTo *deploy.Key
		k := deploy.Key{Team: team, Channel: c.Channel, TS: c.TS}
		hear := func(r deploy.Record) (next deploy.Record) {
			next, result, notJudged = e.hear(ctx, r, c)
			passTo = r.Deployment.PassTo
			return next
		}
		ok, err := e.change(ctx, k, hear)
		if ok && err == nil && passTo != nil && result == deploy.CallbackTaken {
			result = deploy.CallbackUnknown // unless the rollback's record is there
			_, err = e.change(ctx, *passTo, func(r deploy.Record) (next deploy.Record) {
				next, result = r.HearPassed(c, e.now())
				return next
			})
			// mutant: a word about a job lost to a rollback that was not made
			if err == nil && result == deploy.CallbackUnknown {
				ok, err = e.change(ctx, k, func(r deploy.Record) deploy.Record { return hear(r.RolledBackBy(nil)) })
			}
		}
		switch {
		case err != nil:
			// mutant: a callback whose error is swallowed
			return "", err
		case notJudged != nil:
			return "", notJudged
		case ok && (result == deploy.CallbackUnproven || result == deploy.CallbackUnknown):
			none = result
		case ok:
			return result, nil
		}
	}
	return none, nil
}

// A callback is believed for what it shows. The token of one of the record's
// attempts proves the record. The secret that all projects share proves only
// that the caller has it, as another project's CI does too: so it counts for a
// project until a callback of that project has proved itself, and no longer.

// hear takes in a callback for this record, if it may. An error means that this
// could not be judged.
func (e *Engine) hear(ctx context.Context, r deploy.Record, c deploy.Callback) (deploy.Record, deploy.CallbackResult, error) {
	proven := r.ProvenBy(c)
	if !proven {
		shared, err := e.takesShared(ctx, r, c)
		if err != nil || !shared {
			return r, deploy.CallbackUnproven, err
		}
	}
	next, result := r.Hear(c, e.now(), e.Config().Timing)
	if proven && result != deploy.CallbackUnknown {
		// mutant: a proof that no record notes
		next.Deployment.TokenShown = true
	}
	return next, result, nil
}

// takesShared reports whether a callback counts that shows no more than the
// shared secret. For a record without a project it counts only if the channel's
// targets are known, and none of their projects is closed to it.
func (e *Engine) takesShared(ctx context.Context, r deploy.Record, c deploy.Callback) (bool, error) {
	if !c.Shared {
		return false, nil
	}
	projects := []string{r.Deployment.Project}
	if r.Deployment.Project == "" {
		// mutant: an unknown project open to the shared secret
		projects = nil
		for _, t := range e.Config().Targets.In(r.Request.Team, r.Request.Channel) {
			projects = append(projects, t.Project)
		}
	}
	if len(projects) == 0 {
		// mutant: an unknown channel open to the shared secret
		return false, nil
	}
	proved, err := read(ctx, e, func(ctx context.Context) (bool, error) { return e.Store.Proved(ctx, projects...) })
	// mutant: the shared secret accepted forever
	return !proved, err
}
