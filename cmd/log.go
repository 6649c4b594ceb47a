package cmd

import (
	"io"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/cmd/settings"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// newLog returns a log with times to the millisecond.
func newLog(s settings.Settings, out io.Writer) zerolog.Logger {
	to, isFile := out.(*os.File)
	isTerminal := isFile && isatty.IsTerminal(to.Fd())
	out = scrubber{out}
	if s.LogFormat == "console" {
		out = zerolog.ConsoleWriter{Out: out, TimeFormat: "15:04:05.000", NoColor: !isTerminal}
	}
	return zerolog.New(out).Level(s.LogLevel).Hook(zerolog.HookFunc(func(e *zerolog.Event, _ zerolog.Level, _ string) {
		e.Str(zerolog.TimestampFieldName, time.Now().Format("2006-01-02T15:04:05.000Z07:00"))
	}))
}

// scrubber removes everything of a PSYCHER_TOKEN's form from what is written. A
// token may come back from outside in the text of any error, such as that of a
// GitLab that repeats a pipeline's variables; so this stands before all output,
// after those who know better.
type scrubber struct{ to io.Writer }

func (s scrubber) Write(p []byte) (int, error) {
	if !deploy.TokenForm.Match(p) {
		return s.to.Write(p)
	}
	_, err := io.WriteString(s.to, deploy.ScrubTokens(string(p)))
	return len(p), err
}

// level returns the level of events that are more, or less, than information.
//
//docgen:messages log
func level(event string) zerolog.Level {
	switch event {
	case "worker-panic":
		return zerolog.ErrorLevel
	case "store-down", "not-recorded", "slack-refused", "slack-retry", "poll-failed", "whisper-failed", "group-unread":
		return zerolog.WarnLevel
	case "known", "slack-later", "outcome-ignored":
		return zerolog.DebugLevel
	}
	return zerolog.InfoLevel
}

// event measures and logs what the loop reports.
//
//docgen:messages log
func (a *app) event(e engine.Event) {
	if e.Record == nil {
		e.Record = &deploy.Record{}
	}
	a.measure(e)
	r, lvl, state := e.Record, level(e.Name), "state"
	if e.Name == "moved" {
		state = "to"
		if r.State == deploy.Failed {
			lvl = zerolog.WarnLevel
		}
	}
	line := fields(a.log.WithLevel(lvl),
		"team", r.Request.Team, "channel", r.Request.Channel, "ts", r.Request.TS, "user", r.Request.By.User, "deployment", r.Request.ID,
		"target", r.Deployment.Target, "from", string(e.From), state, string(r.State), "detail", strings.TrimSpace(e.Detail),
		"by", e.Decision.By, "reason", string(e.Decision.Reason), "do", string(e.Decision.Do), "sha", e.Decision.SHA)
	if r.Deployment.Pipeline != 0 {
		line = line.Int64("pipeline", r.Deployment.Pipeline)
	}
	if e.Took > 0 {
		line = line.Str("took", e.Took.Round(time.Millisecond).String())
	}
	line.Err(e.Err).Msg(e.Name)
}

// fields adds names and values to a line, but for empty values.
func fields(line *zerolog.Event, pairs ...string) *zerolog.Event {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			line = line.Str(pairs[i], pairs[i+1])
		}
	}
	return line
}

// logStart logs the one line that says what runs, and with what.
func (a *app) logStart(me web.Identity) {
	s, store := a.now.Load().settings, "redis"
	if a.embedded() {
		store = "embedded"
	}
	channels, targets := s.Targets.Len()
	a.log.Info().Str("version", version()).Str("team", me.Team).Str("bot", me.User).Str("lang", s.Lang).Str("store", store).
		Str("gitlab", s.GitLabURL).Bool("gitlab_api_token", a.gitlab.CanPoll()).
		Int("channels", channels).Int("targets", targets).Msg("started")
}
