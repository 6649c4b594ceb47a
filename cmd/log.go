package cmd

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/cmd/settings"
	"github.com/getto-systems/psycher/deploy"
)

// newLog returns a log with times to the millisecond.
func newLog(s settings.Settings, out io.Writer) zerolog.Logger {
	out = scrubber{out}
	if s.LogFormat == "console" {
		out = zerolog.ConsoleWriter{Out: out, TimeFormat: "15:04:05.000"}
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
	clean := p
	if bytes.Contains(p, []byte("psy_")) {
		clean = []byte(deploy.ScrubTokens(string(p)))
	}
	if _, err := s.to.Write(clean); err != nil {
		return 0, fmt.Errorf("writing: %w", err)
	}
	return len(p), nil
}
