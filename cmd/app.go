package cmd

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/getto-systems/psycher/bot"
	"github.com/getto-systems/psycher/bot/phrases"
	"github.com/getto-systems/psycher/bot/socket"
	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/cmd/metrics"
	"github.com/getto-systems/psycher/cmd/settings"
	"github.com/getto-systems/psycher/dedupe"
	"github.com/getto-systems/psycher/deploy/engine"
	"github.com/getto-systems/psycher/deploy/targets"
	"github.com/getto-systems/psycher/gitlab"
	"github.com/getto-systems/psycher/gitlab/notify"
)

// app is the bot: the packages, joined.
type app struct {
	settings settings.Settings        // as they were at the start
	now      atomic.Pointer[snapshot] // what may have changed since
	net      Net
	log      zerolog.Logger
	metrics  *metrics.Metrics

	store      *dedupe.Store
	gitlab     *gitlab.Client
	slack      *web.Client
	engine     *engine.Engine
	calls      *notify.Handler             // nil until the ports are open
	sockets    atomic.Pointer[socket.Pool] // nil until Slack has answered
	storeReady atomic.Bool                 // the store has answered, and is old enough
	stopping   atomic.Bool
	// What does not keep the bot from work, and is wrong: of the checks, of the settings.
	checkWarnings, settingWarnings atomic.Pointer[[]string]
	storeError                     atomic.Pointer[error] // how the store answered while it was waited for
	recheck                        chan struct{}         // wakes the checks
	transport                      *http.Transport       // Slack's
	// Why settings that were read again are not in use; nil: they are.
	notReloaded atomic.Pointer[string]
	reader      bot.Reader
}

func newApp(s settings.Settings, n Net, log zerolog.Logger) (*app, error) {
	a := &app{settings: s, recheck: make(chan struct{}, 1), net: n, log: log, transport: &http.Transport{
		DialContext: n.Dial, Proxy: n.Proxy,
		TLSHandshakeTimeout: 10 * time.Second, MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute,
	}}
	a.reader.Targets = func() *targets.Map { return a.now.Load().config.Targets }
	a.metrics = a.newMetrics()
	var err error
	conf := a.gitlabConfig(s)
	conf.Answered = func(method, kind string) { a.metrics.Count("psycher_gitlab_answers_total", method, kind) }
	if a.gitlab, err = gitlab.New(conf); err != nil {
		return nil, err
	}
	if err = a.use(s); err != nil {
		return nil, err
	}
	if a.store, err = dedupe.Open(dedupe.Config{
		URL: s.RedisURL, Prefix: s.RedisPrefix, Keep: s.Keep, Dial: n.Dial, Observe: a.storeCalled, Log: log,
	}); err != nil {
		return nil, err
	}
	if a.embedded() {
		log.Warn().Msg("REDIS_URL is not set: records are kept in this process and forgotten when it ends; set it to keep them, and to run more than one process")
	}
	a.slack = web.New(web.Config{
		BotToken: s.SlackBotToken, AppToken: s.SlackAppToken, URL: s.SlackAPIURL, Transport: a.transport, Voice: func() phrases.Voice { return a.now.Load().voice }, Read: a.reader.Read,
		Called: func(method, result string) { a.metrics.Count("psycher_slack_calls_total", method, result) },
		Waits:  func(method string) { a.metrics.Count("psycher_slack_waits_total", method) },
		Log:    log,
	})
	a.engine = &engine.Engine{
		Store: a.store, GitLab: a.gitlab, Slack: a.slack, Config: func() engine.Config { return a.now.Load().config },
		Ephemeral: a.embedded(), Log: a.event,
	}
	return a, nil
}

func (a *app) gitlabConfig(s settings.Settings) gitlab.Config {
	return gitlab.Config{
		URL: s.GitLabURL, APIToken: s.GitLabAPIToken, NotifyURL: s.NotifyURL, RequestTimeout: s.GitLabRequestTimeout, Dial: a.net.Dial, Proxy: a.net.Proxy,
	}
}

// openStore opens the store of a bot that runs elsewhere. Where that bot keeps its
// records in its own process, the error says embedded.
func openStore(cmd *cobra.Command, embedded string) (s settings.Settings, store *dedupe.Store, err error) {
	if s, _, err = load(); err == nil && s.RedisURL == "" {
		err = errors.New("REDIS_URL is not set: " + embedded)
	}
	if err != nil {
		return s, nil, err
	}
	store, err = dedupe.Open(dedupe.Config{URL: s.RedisURL, Prefix: s.RedisPrefix, Dial: RealNet().Dial, Log: newLog(s, cmd.ErrOrStderr())})
	return s, store, err
}

// settingsError makes err an error of the settings: starting again does not help.
func settingsError(err error) error { return &settings.Error{Problems: []string{err.Error()}} }

// embedded reports whether the records are in this process alone.
func (a *app) embedded() bool { return a.settings.RedisURL == "" }

func (a *app) close() {
	a.transport.CloseIdleConnections()
	a.gitlab.Close()
	a.store.Close()
}

// openSockets joins Slack's sockets to the loop. An app-level token that Slack
// refuses before it was ever accepted ends the start.
func (a *app) openSockets(me web.Identity, stop context.CancelCauseFunc) *socket.Pool {
	var opened atomic.Bool
	intake := bot.Intake{Me: me, Reader: a.reader, Accept: a.engine.Accept, Press: a.engine.Press, Log: a.log}
	sockets := &socket.Pool{
		Count: a.settings.SlackConnections, Drain: socketsDrain, Log: a.log,
		Dial: a.net.Dial, Rand: a.net.Rand, Proxy: a.net.Proxy, Handle: intake.Handle, Acked: a.acked,
		Open: func(ctx context.Context) (string, error) {
			url, err := a.slack.OpenConnection(ctx)
			switch {
			case err == nil:
				opened.Store(true)
			case web.TokenRefused(err) && !opened.Load():
				stop(settingsError(err))
			}
			return url, err
		},
	}
	if a.embedded() {
		sockets.Recount = time.Minute
	}
	a.sockets.Store(sockets)
	return sockets
}
