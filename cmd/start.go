package cmd

import (
	"context"
	"errors"
	"time"

	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/deploy/engine"
)

// storeAtStart is how long a start waits for the store before it goes on without.
const storeAtStart = 3 * time.Second

// retry calls do, with growing delays, until it succeeds, and logs what it waits
// for. Only a token that Slack refuses makes it give up before ctx ends.
func (a *app) retry(ctx context.Context, what string, do func(context.Context) error) error {
	logged := ""
	for try := 0; ; try++ {
		tryCtx, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := do(tryCtx)
		cancel()
		var refused *web.AuthError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &refused):
			return misconfigured(err)
		case err.Error() != logged:
			logged = err.Error()
			a.log.Warn().Err(err).Msg("waiting for " + what)
		}
		if !engine.Pause(ctx, engine.Backoff(200*time.Millisecond, 5*time.Second, try)) {
			return ctx.Err()
		}
	}
}

// waitForStore waits up to within for the store, and records when it was created.
// A mention older than the store is asked about; so that nobody meets that
// question after a start, a new store is ready only when it is old enough.
func (a *app) waitForStore(ctx context.Context, within time.Duration) {
	if a.storeReady.Load() {
		return
	}
	storeCtx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var birth time.Time
	err := a.retry(storeCtx, "the store", func(ctx context.Context) (err error) {
		birth, err = a.store.Birth(ctx, a.slack.Now())
		return err
	})
	if err != nil || !engine.Pause(ctx, birth.Sub(a.slack.Now())) {
		return
	}
	a.storeReady.Store(true)
	if policy := a.store.Evicts(ctx); policy != "" {
		a.log.Warn().Str("policy", policy).Msg("this Redis evicts keys when its memory is full, and what it evicts can be lost or repeated: set maxmemory-policy noeviction")
	}
}

// checkRights logs which rights GITLAB_API_TOKEN lacks, one line a project: at
// the start, not in the middle of an incident.
//
//docgen:messages log
func (a *app) checkRights(ctx context.Context) {
	if !a.gitlab.CanPoll() {
		return
	}
	for _, project := range a.settings.Targets.Projects() {
		lacks, err := a.gitlab.Rights(ctx, project)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			a.log.Warn().Err(err).Str("project", project).Msg("the rights of GITLAB_API_TOKEN could not be checked")
		case lacks != "":
			a.log.Warn().Str("project", project).Msg(lacks)
		}
		if !engine.Pause(ctx, 200*time.Millisecond) {
			return
		}
	}
}
