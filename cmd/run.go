package cmd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/bot"
	"github.com/getto-systems/psycher/bot/phrases"
	"github.com/getto-systems/psycher/bot/socket"
	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/dedupe"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
	"github.com/getto-systems/psycher/gitlab"
)

// How the end is shared out: it is over within 10 s of the signal. Sockets and
// loop come to their ends side by side.
const (
	socketsDrain = time.Second
	handsDrain   = 8 * time.Second

	storeAtStart = 3 * time.Second // a start waits for the store, and goes on without
	serversDrain = 500 * time.Millisecond
)

// Net is how the program reaches the world: real sockets, or a network in
// memory in tests.
type Net struct {
	Dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	Listen func(network, addr string) (net.Listener, error)
	Rand   func() float64 // in [0,1), for jitter; math/rand's if nil
}

// RealNet is the machine's own network.
func RealNet() Net {
	return Net{Dial: (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext, Listen: net.Listen}
}

// Run is the bot: it returns when ctx has ended and everything is put down, or
// with an error that says why it could not start.
func Run(ctx context.Context, s Settings, n Net, log zerolog.Logger) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	p, err := assemble(s, n, log)
	if err != nil {
		return err
	}
	defer p.close()

	// The ports are open before Slack is: readiness can be asked for from the start.
	serve, err := p.listen(s, n)
	if err != nil {
		return err
	}
	defer serve()

	if err := p.start(ctx, s); err != nil {
		return ended(ctx, err)
	}
	log.Info().Str("team", p.me.Load().Team).Str("bot", p.me.Load().User).Msg("started")

	var running sync.WaitGroup
	running.Go(func() { p.checkRights(ctx, s.Targets.Projects()) })
	running.Go(func() { p.meetStore(ctx, math.MaxInt64) })
	looping, stopLoop := context.WithCancel(context.WithoutCancel(ctx))
	running.Go(func() { p.loop.Run(looping) })
	defer context.AfterFunc(ctx, func() { p.loop.Shutdown(handsDrain) })()
	// The order of the end: nothing new comes in, then what is in hand is
	// finished, while callbacks are still taken.
	err = p.sockets(s, n, stop).Run(ctx)
	p.stopping.Store(true)
	log.Info().Msg("stopping")
	stopLoop()
	running.Wait()
	return ended(ctx, err)
}

// ended is what a run comes to: an end that was asked for is no error.
func ended(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// parts are the packages, joined.
type parts struct {
	log      zerolog.Logger
	store    *dedupe.Store
	git      *gitlab.Client
	api      *web.Client
	loop     *engine.Engine
	counts   *counters
	slack    *http.Transport
	socks    atomic.Pointer[socket.Pool]
	me       atomic.Pointer[web.Identity]
	stopping atomic.Bool
	embedded bool
	met      atomic.Bool // the store has answered, and is old enough
}

func assemble(s Settings, n Net, log zerolog.Logger) (*parts, error) {
	roots, err := s.RootCAs()
	if err != nil {
		return nil, &SettingsError{Problems: []string{err.Error()}}
	}
	transport := func() *http.Transport {
		return &http.Transport{
			DialContext: n.Dial, Proxy: s.Proxy(), TLSClientConfig: &tls.Config{RootCAs: roots},
			TLSHandshakeTimeout: 10 * time.Second, MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute,
		}
	}
	p := &parts{log: log, slack: transport(), counts: newCounters(), embedded: s.RedisURL == ""}
	reader := bot.Reader{Targets: s.Targets}
	voice, err := phrases.New(s.Lang)
	if err != nil {
		return nil, err
	}
	if p.git, err = gitlab.New(gitlab.Config{
		URL: s.GitLabURL, APIToken: s.GitLabAPIToken, NotifyURL: s.NotifyURL, RequestTimeout: s.GitLabRequestTimeout, Transport: transport(),
	}); err != nil {
		return nil, err
	}
	if p.store, err = dedupe.Open(dedupe.Config{URL: s.RedisURL, Prefix: s.RedisPrefix, Dial: n.Dial, RootCAs: roots, ReadText: reader.ReadText, Log: log}); err != nil {
		return nil, &SettingsError{Problems: []string{err.Error()}}
	}
	if p.embedded {
		log.Warn().Msg("REDIS_URL is not set: records are kept in this process and forgotten when it ends; set it to keep them, and to run more than one process")
	}
	p.api = web.New(web.Config{
		BotToken: s.SlackBotToken, AppToken: s.SlackAppToken, URL: s.SlackAPIURL,
		Transport: p.slack, Text: voice.Text, Read: reader.Read, Log: log,
	})
	p.loop = &engine.Engine{
		Store: p.store, GitLab: p.git, Slack: p.api, Targets: s.Targets,
		Timing:    deploy.Timing{MaxAge: s.MentionMaxAge, RequestTimeout: s.GitLabRequestTimeout, Timeout: s.DeployTimeout, CanPoll: p.git.CanPoll()},
		Ephemeral: p.embedded, Log: p.event,
	}
	return p, nil
}

func (p *parts) close() {
	p.slack.CloseIdleConnections()
	p.git.Close()
	if err := p.store.Close(); err != nil {
		p.log.Warn().Err(err).Msg("closing the store")
	}
}

// start waits for Slack as long as it takes, and for the store a while: what is
// away comes back. Only a token that Slack refuses ends it.
func (p *parts) start(ctx context.Context, s Settings) error {
	if err := p.until(ctx, "Slack", func(ctx context.Context) error {
		me, err := p.api.Identify(ctx)
		p.me.Store(&me)
		return err
	}); err != nil {
		return err
	}
	// Where the store is away Slack is listened to all the same, so that people
	// are told; the bot is not ready.
	p.meetStore(ctx, storeAtStart)
	return ctx.Err()
}

// meetStore waits for the store, so long at most, and makes its birth. A mention
// older than the store is asked about: Slack is listened to once a new store is
// old enough, so that nobody meets that question at a start.
func (p *parts) meetStore(ctx context.Context, within time.Duration) {
	if p.met.Load() {
		return
	}
	storeCtx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var birth time.Time
	err := p.until(storeCtx, "the store", func(ctx context.Context) (err error) {
		birth, err = p.store.Birth(ctx, p.api.Now())
		return err
	})
	if err != nil || p.wait(ctx, birth.Sub(p.api.Now())) != nil {
		return
	}
	p.met.Store(true)
	if policy := p.store.Evicts(ctx); policy != "" {
		p.log.Warn().Str("policy", policy).Msg("this Redis evicts keys when its memory is full, and what it evicts can be lost or repeated: set maxmemory-policy noeviction")
	}
}

// checkRights says which rights GITLAB_API_TOKEN lacks, one line a project: at
// the start, not in the middle of an incident.
//
//docgen:messages log
func (p *parts) checkRights(ctx context.Context, projects []string) {
	if !p.git.CanPoll() {
		return
	}
	for _, project := range projects {
		lacks, err := p.git.Rights(ctx, project)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			p.log.Warn().Err(err).Str("project", project).Msg("the rights of GITLAB_API_TOKEN could not be checked")
		case lacks != "":
			p.log.Warn().Str("project", project).Msg(lacks)
		}
		if p.wait(ctx, 200*time.Millisecond) != nil {
			return
		}
	}
}

// until tries until it works, growing slower, and says what it waits for.
func (p *parts) until(ctx context.Context, what string, try func(context.Context) error) error {
	said := ""
	for delay := 200 * time.Millisecond; ; delay = min(2*delay, 5*time.Second) {
		tryCtx, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := try(tryCtx)
		cancel()
		var refused *web.AuthError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &refused):
			return &SettingsError{Problems: []string{err.Error()}}
		}
		if said != err.Error() {
			said = err.Error()
			p.log.Warn().Err(err).Msg("waiting for " + what)
		}
		if err := p.wait(ctx, delay); err != nil {
			return err
		}
	}
}

func (p *parts) wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// sockets joins Slack's sockets to the loop. An app-level token that Slack
// refuses before it was ever taken ends the start.
func (p *parts) sockets(s Settings, n Net, stop context.CancelCauseFunc) *socket.Pool {
	var opened atomic.Bool
	intake := bot.Intake{Me: *p.me.Load(), Reader: bot.Reader{Targets: s.Targets}, Accept: p.loop.Accept, Log: p.log}
	socks := &socket.Pool{
		Count: s.SlackConnections, Drain: socketsDrain, Log: p.log,
		Dial: n.Dial, Rand: n.Rand, Proxy: s.Proxy(), TLS: p.slack.TLSClientConfig, Handle: intake.Handle,
		Open: func(ctx context.Context) (string, error) {
			url, err := p.api.OpenConnection(ctx)
			var refused *web.AuthError
			switch {
			case err == nil:
				opened.Store(true)
			case errors.As(err, &refused) && !opened.Load():
				stop(&SettingsError{Problems: []string{err.Error()}})
			}
			return url, err
		},
	}
	if p.embedded {
		socks.Recount = time.Minute
	}
	p.socks.Store(socks)
	return socks
}

// ready tells what keeps the bot from its work; empty: nothing.
//
//docgen:messages ready
func (p *parts) ready() string {
	var why []string
	if p.stopping.Load() {
		why = append(why, "stopping")
	}
	if socks := p.socks.Load(); socks == nil {
		why = append(why, "starting")
	} else if st := socks.Status(); st.Permanent {
		why = append(why, st.Refusal)
	} else if !st.Ready() {
		why = append(why, strings.TrimSuffix("no open Slack socket: "+st.Refusal, ": "))
	} else if p.embedded && st.Others > 0 {
		why = append(why, fmt.Sprintf("%d other connections to this Slack app: with the embedded store, two processes deploy twice; stop the other or set REDIS_URL", st.Others))
	}
	if err := p.loop.Ready(); err != nil {
		why = append(why, err.Error())
	} else if !p.met.Load() {
		why = append(why, "the store is new: older mentions would be asked about")
	}
	if r := p.api.Refused(); r != "" {
		why = append(why, r)
	}
	return strings.Join(why, "; ")
}
