package cmd

import (
	"context"
	"errors"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/cmd/doctor"
	"github.com/getto-systems/psycher/cmd/settings"
	"github.com/getto-systems/psycher/deploy/engine"
)

// A shutdown is over within 10 s of the signal. Sockets and loop end side by side.
const (
	socketsDrain = time.Second
	workDrain    = 8 * time.Second
	serversDrain = 500 * time.Millisecond
)

// Net is how the program reaches the world: real sockets, or a network in
// memory in tests.
type Net struct {
	Dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	Listen func(network, addr string) (net.Listener, error)
	Proxy  func(*http.Request) (*url.URL, error) // none if nil
	Rand   func() float64                        // in [0,1), for jitter; math/rand's if nil
}

// RealNet is the machine's own network, with the proxies of the environment.
func RealNet() Net {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}
	return Net{Dial: dialer.DialContext, Listen: net.Listen, Proxy: http.ProxyFromEnvironment}
}

// newLoader is that of the settings of this process.
func newLoader() *settings.Loader { return &settings.Loader{Environ: os.Environ, Dotenv: ".env"} }

// load reads the settings, and exports those that Go's own packages read.
func load() (settings.Settings, []string, error) { return loadFrom(newLoader()) }

func loadFrom(l *settings.Loader) (settings.Settings, []string, error) {
	s, warnings, err := l.Load()
	if err == nil {
		err = s.Export()
	}
	return s, warnings, err
}

//docgen:messages log
func run(cmd *cobra.Command, _ []string) error {
	hangup, inTerminal := make(chan os.Signal, 1), isatty.IsTerminal(os.Stdin.Fd())
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signal.Notify(hangup, syscall.SIGHUP)
		defer signal.Stop(hangup)
	}
	reload := Reload{
		Settings: newLoader(), Hangup: hangup, Level: zerolog.SetGlobalLevel,
		Orphaned: func() bool { return inTerminal && !isatty.IsTerminal(os.Stdin.Fd()) },
	}
	s, warnings, err := loadFrom(reload.Settings)
	if err != nil {
		return err
	}
	reload.Warnings = warnings
	reload.Level(s.LogLevel)
	log := newLog(s, cmd.ErrOrStderr()).Level(zerolog.TraceLevel)
	for _, w := range warnings {
		log.Warn().Msg(w)
	}
	return Run(cmd.Context(), s, RealNet(), log, &reload)
}

// Run is the bot. It returns when ctx has ended and all work is finished or
// handed back, or with an error that says why it could not start. Without a reload
// the settings stay.
func Run(ctx context.Context, s settings.Settings, n Net, log zerolog.Logger, reload *Reload) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	a, err := newApp(s, n, log)
	if err != nil {
		return err
	}
	defer a.close()
	if reload != nil {
		a.settingWarnings.Store(&reload.Warnings)
	}
	// The ports open before the sockets: readiness can be asked for from the start.
	closePorts, err := a.listen()
	if err != nil {
		return err
	}
	defer closePorts()

	me, err := retry(ctx, a.log, "Slack", a.slack.Identify)
	if err == nil {
		// While the store is down Slack is listened to all the same, so that people
		// are told; the bot is not ready.
		a.waitForStore(ctx, 3*time.Second)
	}
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	}
	if err := checkMap(s, me); err != nil {
		return err
	}
	a.logStart(me)

	var running sync.WaitGroup
	running.Go(func() { a.check(ctx) })
	running.Go(func() { a.watch(ctx, reload, me, stop) })
	running.Go(func() { a.waitForStore(ctx, math.MaxInt64) })
	looping, stopLoop := context.WithCancel(context.WithoutCancel(ctx))
	running.Go(func() { a.engine.Run(looping) })
	defer context.AfterFunc(ctx, func() { a.engine.Shutdown(workDrain) })()
	// First nothing new comes in, then the work in flight is finished, while
	// callbacks are still accepted.
	a.openSockets(me, stop).Run(ctx)
	a.stopping.Store(true)
	log.Info().Msg("stopping")
	stopLoop()
	running.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// checkMap refuses a target map of which nobody could deploy anything.
//
//docgen:messages start
func checkMap(s settings.Settings, me web.Identity) error {
	if is := doctor.Workspace(s.Targets, me); is.Verdict == doctor.Fault && me.Enterprise == "" {
		return settingsError(errors.New("the target map: " + is.Seen + ": " + is.Fix))
	}
	return nil
}

// retry calls do, with growing delays, until it succeeds, and logs what it waits
// for. Only a token that Slack refuses makes it give up before ctx ends.
func retry[T any](ctx context.Context, log zerolog.Logger, what string, do func(context.Context) (T, error)) (got T, err error) {
	logged := ""
	for try := 0; ; try++ {
		tryCtx, cancel := context.WithTimeout(ctx, 10*time.Second)
		got, err = do(tryCtx)
		cancel()
		switch {
		case err == nil:
			return got, nil
		case web.TokenRefused(err):
			return got, settingsError(err)
		case err.Error() != logged:
			logged = err.Error()
			log.Warn().Err(err).Msg("waiting for " + what)
		}
		if !engine.Pause(ctx, engine.Backoff(200*time.Millisecond, 5*time.Second, try)) {
			return got, ctx.Err()
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
	birth, err := retry(storeCtx, a.log, "the store", func(ctx context.Context) (time.Time, error) {
		birth, err := a.store.Birth(ctx, a.slack.Now())
		a.storeError.Store(&err)
		return birth, err
	})
	if err != nil || !engine.Pause(ctx, birth.Sub(a.slack.Now())) {
		return
	}
	a.storeReady.Store(true)
}
