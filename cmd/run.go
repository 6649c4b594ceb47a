package cmd

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/cmd/settings"
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

// load reads the settings, and exports those that Go's own packages read.
func load(environ []string) (settings.Settings, []string, error) {
	s, warnings, err := settings.Load(environ, ".env")
	if err == nil {
		err = s.Export()
	}
	return s, warnings, err
}

//docgen:messages log
func runBot(environ []string) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, _ []string) error {
		s, warnings, err := load(environ)
		if err != nil {
			for _, w := range warnings { // a misspelt name is why another is missing
				fmt.Fprintln(c.ErrOrStderr(), "psycher: "+w)
			}
			return err
		}
		log := newLog(s, c.ErrOrStderr())
		for _, w := range warnings {
			log.Warn().Msg(w)
		}
		return Run(c.Context(), s, RealNet(), log)
	}
}

// Run is the bot. It returns when ctx has ended and all work is finished or
// handed back, or with an error that says why it could not start.
func Run(ctx context.Context, s settings.Settings, n Net, log zerolog.Logger) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	a, err := newApp(s, n, log)
	if err != nil {
		return err
	}
	defer a.close()
	// The ports open before the sockets: readiness can be asked for from the start.
	closePorts, err := a.listen()
	if err != nil {
		return err
	}
	defer closePorts()

	var me web.Identity
	if err := a.retry(ctx, "Slack", func(ctx context.Context) (err error) {
		me, err = a.slack.Identify(ctx)
		return err
	}); err != nil {
		return endOf(ctx, err)
	}
	// While the store is down Slack is listened to all the same, so that people
	// are told; the bot is not ready.
	a.waitForStore(ctx, storeAtStart)
	if ctx.Err() != nil {
		return endOf(ctx, nil)
	}
	a.logStart(me)

	var running sync.WaitGroup
	running.Go(func() { a.checkRights(ctx) })
	running.Go(func() { a.waitForStore(ctx, math.MaxInt64) })
	looping, stopLoop := context.WithCancel(context.WithoutCancel(ctx))
	running.Go(func() { a.engine.Run(looping) })
	defer context.AfterFunc(ctx, func() { a.engine.Shutdown(workDrain) })()
	// First nothing new comes in, then the work in flight is finished, while
	// callbacks are still accepted.
	err = a.openSockets(me, stop).Run(ctx)
	a.stopping.Store(true)
	log.Info().Msg("stopping")
	stopLoop()
	running.Wait()
	return endOf(ctx, err)
}

// endOf is the error of a run that ended with err: a shutdown that was asked for
// is none.
func endOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}
