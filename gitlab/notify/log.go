package notify

import (
	"net/http"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
)

// logCall writes a call's log line. Of what was sent it shows only well-formed
// fields, and only if the caller showed the shared secret or proved the
// deployment. Lines about calls that prove nothing are bounded.
func (h *handler) logCall(req *http.Request, r reply) {
	level := zerolog.WarnLevel
	switch {
	case r.status == http.StatusServiceUnavailable:
		level = zerolog.ErrorLevel
	case r.result == deploy.CallbackTaken:
		level = zerolog.InfoLevel
	case r.status == http.StatusMethodNotAllowed, r.status == http.StatusNotFound && r.result == "":
		level = zerolog.DebugLevel
	}
	line := h.log.WithLevel(level)
	if !line.Enabled() {
		return
	}
	if !r.proven() {
		// mutant: guesses that fill the log
		if !h.guesses.Allow() {
			h.leftOut.Add(1)
			return
		}
		if leftOut := h.leftOut.Swap(0); leftOut > 0 {
			line = line.Int64("left_out", leftOut)
		}
		if !r.callback.Shared {
			r.callback = deploy.Callback{}
		}
	}
	c, reason := r.callback, r.text
	if r.status == http.StatusOK {
		reason = ""
	}
	for _, field := range [][2]string{
		{"channel", c.Channel},
		{"ts", c.TS},
		{"deployment", c.ID},
		{"job", c.JobName},
		{"result", string(c.Result)},
		{"verdict", string(r.result)},
		{"reason", reason},
	} {
		if field[1] != "" {
			line = line.Str(field[0], field[1])
		}
	}
	if c.Pipeline != 0 {
		line = line.Int64("pipeline", c.Pipeline)
	}
	line.Err(r.err).Int("status", r.status).Str("remote", req.RemoteAddr).Msg("callback")
}
