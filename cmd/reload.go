package cmd

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/bot/phrases"
	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/cmd/settings"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// Reload is how the settings change while the bot runs.
type Reload struct {
	Settings *settings.Loader
	Warnings []string            // of the settings at the start
	Hangup   <-chan os.Signal    // they are read again,
	Orphaned func() bool         // unless the bot's terminal has closed, which ends it; nil: it has none
	Level    func(zerolog.Level) // sets that of the log; nil: it stays
}

const (
	lookEvery   = 2 * time.Second // at the files
	reloadAgain = time.Minute     // after a failure that may pass
)

// snapshot is what may change while the bot runs. It is replaced as a whole, and
// never changed: whoever reads it twice reads two.
type snapshot struct {
	settings settings.Settings
	config   engine.Config
	voice    phrases.Voice
}

// use has the bot go by these settings, as far as they take effect without a restart.
func (a *app) use(s settings.Settings) error {
	speaks, err := phrases.New(s.Lang)
	if err != nil {
		return err
	}
	next := snapshot{settings: a.settings.With(s), voice: speaks}
	teams := s.Targets.Teams()
	if was := a.now.Load(); was != nil {
		// mutant: a pipeline of a workspace that left the map not heard
		teams = append(teams, was.config.Teams...)
	}
	slices.Sort(teams)
	next.config = engine.Config{Targets: s.Targets, Teams: slices.Compact(teams), Timing: deploy.Timing{
		MaxAge: s.MentionMaxAge, RequestTimeout: a.settings.GitLabRequestTimeout, Timeout: s.DeployTimeout, CanPoll: s.GitLabAPIToken != "",
	}}
	if s.Zone != "" {
		if next.config.Zone, err = time.LoadLocation(s.Zone); err != nil {
			return err
		}
	}
	var names []string
	for t := range s.Targets.All() {
		names = append(names, t.Name)
	}
	a.metrics.AddTargets(names)
	a.gitlab.SetAPIToken(s.GitLabAPIToken)
	// mutant: an old NOTIFY_TOKEN that still counts
	if a.calls != nil {
		a.calls.SetShared(s.NotifyToken)
	}
	a.now.Store(&next)
	return nil
}

// watch reads the settings again at each hangup, and when a file of theirs has
// changed, until ctx ends.
func (a *app) watch(ctx context.Context, r *Reload, me web.Identity, stop context.CancelCauseFunc) {
	if r == nil {
		return
	}
	read := a.settings // the last that were
	asked := false     // by a hangup
	var look, again <-chan time.Time
	if r.Settings.Watches() {
		look = time.Tick(lookEvery)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-look:
			if rest, changed := r.Settings.Look(); !rest || !changed && !asked {
				continue
			}
		case <-r.Hangup:
			if r.Orphaned != nil && r.Orphaned() {
				stop(nil)
				return
			}
			asked = true
			// mutant: a hangup that has half a file read
			if rest, _ := r.Settings.Look(); !rest { // the next looks wait for that
				continue
			}
		case <-again:
		}
		s, warnings, err := r.Settings.Load()
		if !r.Settings.AsRead() { // they are being written: the next look finds them whole
			continue
		}
		again, asked = nil, false
		if err == nil {
			// mutant: a map of another workspace used
			err = checkMap(s, me)
		}
		if err == nil {
			err = a.use(s)
		}
		if err != nil {
			a.unreloaded(err)
			if !errors.As(err, new(*settings.Error)) {
				again = time.After(reloadAgain)
			}
			continue
		}
		if r.Level != nil {
			r.Level(s.LogLevel)
		}
		a.reloaded(read, s, warnings)
		read = s
	}
}

// unreloaded tells that settings that were read again cannot be used.
//
//docgen:messages log
func (a *app) unreloaded(err error) {
	why := strings.ReplaceAll(err.Error(), "\n", "; ")
	if was := a.notReloaded.Swap(&why); was == nil || *was != why {
		a.log.Error().Str("problems", why).Msg("the settings were read again and cannot be used: those from before stay")
	}
}

// reloaded tells what has changed.
//
//docgen:messages log
func (a *app) reloaded(was, is settings.Settings, warnings []string) {
	a.notReloaded.Store(nil)
	for _, row := range settings.Changes(a.settings, is) {
		if !row.Live {
			warnings = append(warnings, row.Name+" changed: it takes effect at the next start")
		}
	}
	before := a.settingWarnings.Swap(&warnings)
	for _, w := range warnings {
		if before == nil || !slices.Contains(*before, w) {
			a.log.Warn().Msg(w)
		}
	}
	var live []string
	for _, row := range settings.Changes(was, is) {
		if row.Live {
			live = append(live, row.Name)
		}
	}
	channels, targets := is.Targets.Len()
	a.log.Info().Strs("changed", live).Int("channels", channels).Int("targets", targets).Msg("the settings were read again")
	select {
	case a.recheck <- struct{}{}:
	default:
	}
}
