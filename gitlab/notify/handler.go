package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"github.com/getto-systems/psycher/deploy"
)

const (
	maxCall  = 64 << 10 // bytes of a call's body, and of its query
	maxNames = 20       // per call: each may be a guess at the secret
	// recordTimeout bounds the recording of a callback. It is shorter than the
	// timeout of a script that calls.
	recordTimeout = 5 * time.Second
	// answerVersion is in every answer. notify.sh tells psycher's answers by it
	// from those of a login page or a proxy.
	answerVersion = "1"
)

// Recorder records what a pipeline reports. An error means that it is not
// recorded, or may not be; the caller is asked to call again.
type Recorder interface {
	Callback(ctx context.Context, c deploy.Callback) (deploy.CallbackResult, error)
}

// NewHandler returns the handler of the notify port. A call must show the
// PSYCHER_TOKEN that came with the trigger, which the [Recorder] verifies, or
// the secret that all projects share, NOTIFY_TOKEN, if there is one.
func NewHandler(shared deploy.Secret, r Recorder, log zerolog.Logger) *Handler {
	h := &Handler{recorder: r, log: log, guesses: rate.NewLimiter(rate.Every(time.Second), 10)}
	h.SetShared(shared)
	return h
}

// SetShared has the calls that come from now on show another shared secret.
func (h *Handler) SetShared(secret deploy.Secret) { h.shared.Store(&secret) }

// Handler is the notify port.
type Handler struct {
	Count func(result string) // called for each call, unless it is nil: see [reply.outcome]

	shared   atomic.Pointer[deploy.Secret]
	recorder Recorder
	log      zerolog.Logger
	guesses  *rate.Limiter // bounds the log lines about calls that prove nothing, so that they do not fill the disk
	leftOut  atomic.Int64  // of those lines, since the last one
}

// reply is the answer to a call, and what the log says about it.
//
//docgen:messages notify
type reply struct {
	status   int
	text     string                // the error, or the name of a success
	callback deploy.Callback       // the fields that were well formed
	result   deploy.CallbackResult // empty if the call did not get as far as the recorder
	err      error                 // the technical side of a 503
}

// proven tells whether the call showed a proof that counted.
func (r reply) proven() bool {
	return r.status != http.StatusUnauthorized && (r.callback.Shared || r.result != "")
}

// outcome is what the metrics call what became of a call.
func (r reply) outcome() string {
	switch {
	case r.status == http.StatusServiceUnavailable:
		return "not-recorded"
	case r.status == http.StatusUnauthorized:
		return string(deploy.CallbackUnproven)
	case r.result != "":
		return string(r.result)
	}
	return "malformed"
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r := h.answer(w, req)
	h.logCall(req, r)
	if h.Count != nil {
		h.Count(r.outcome())
	}

	key := "error"
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	switch r.status {
	case http.StatusOK:
		key = "result"
	case http.StatusMethodNotAllowed:
		header.Set("Allow", "GET, POST")
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", "Bearer")
	case http.StatusServiceUnavailable:
		header.Set("Retry-After", strconv.Itoa(1+rand.IntN(5))) // those who were refused together do not come again together
	}
	if !r.proven() {
		// mutant: an unauthenticated caller keeps the connection
		header.Set("Connection", "close") // others wait for it
	}
	w.WriteHeader(r.status)
	// If the answer cannot be written, the callback is recorded all the same.
	_ = json.NewEncoder(w).Encode(map[string]string{"psycher": answerVersion, key: r.text})
}

// answer checks a call in the order in which its caller should fix it.
func (h *Handler) answer(w http.ResponseWriter, req *http.Request) reply {
	if req.URL.Path != "/notify" {
		return reply{status: http.StatusNotFound, text: "there is only /notify here"}
	}
	if req.Method != http.MethodGet && req.Method != http.MethodPost {
		return reply{status: http.StatusMethodNotAllowed, text: "method: GET or POST"}
	}
	if len(req.URL.RawQuery) > maxCall {
		return reply{status: http.StatusRequestEntityTooLarge, text: "query: more than 64 KiB"}
	}
	// mutant: a body of unknown length read to its end
	body, readErr := io.ReadAll(http.MaxBytesReader(w, req.Body, maxCall))
	if errors.As(readErr, new(*http.MaxBytesError)) {
		return reply{status: http.StatusRequestEntityTooLarge, text: "body: more than 64 KiB"}
	}

	c := parseCall(req.URL.RawQuery, req.Header.Get("Content-Type"), body)
	if readErr != nil {
		c.err = badField{"body", "incomplete, or too slow"}
	}
	tokens := bearers(req.Header)
	// mutant: a call with thousands of tokens
	if c.names+len(tokens) > maxNames {
		return reply{status: http.StatusRequestEntityTooLarge, text: fmt.Sprintf("more than %d names", maxNames)}
	}
	token, shared := findProof(append(tokens, c.credentials()...), *h.shared.Load())
	if token == "" && !shared {
		return reply{status: http.StatusUnauthorized, text: unproven}
	}

	callback, err := c.callback()
	callback.Token, callback.Shared = token, shared
	if err != nil {
		return reply{status: http.StatusBadRequest, text: err.Error(), callback: callback}
	}
	return h.record(req.Context(), callback)
}

// replies are the answers to what became of a callback.
var replies = map[deploy.CallbackResult]reply{
	deploy.CallbackTaken:    {status: http.StatusOK, text: "ok"},
	deploy.CallbackNoEffect: {status: http.StatusOK, text: "no effect"},
	deploy.CallbackUnproven: {status: http.StatusUnauthorized, text: unproven},
	deploy.CallbackUnknown:  {status: http.StatusNotFound, text: "no deployment has this channel, timestamp and id"},
	deploy.CallbackStop:     {status: http.StatusConflict, text: "this pipeline must not deploy: the deployment has another one, is of another commit, or was given up"},
}

func (h *Handler) record(ctx context.Context, c deploy.Callback) reply {
	// A caller that hangs up early has reported all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	result, err := h.tryRecord(ctx, c)
	r, known := replies[result]
	if !known && err == nil {
		err = fmt.Errorf("recording a callback: unknown result %q", result)
	}
	if err != nil {
		r = reply{
			status: http.StatusServiceUnavailable, text: "not recorded: call again",
			err: errors.New(deploy.ScrubTokens(err.Error())),
		}
	}
	r.callback, r.result = c, result
	return r
}

func (h *Handler) tryRecord(ctx context.Context, c deploy.Callback) (result deploy.CallbackResult, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("recording a callback: panic: %v", p)
		}
	}()
	// mutant: a 2xx before the save
	return h.recorder.Callback(ctx, c)
}

// logCall writes a call's log line. Of what was sent it shows only well-formed
// fields, and only if the caller showed the shared secret or proved the
// deployment. Lines about calls that prove nothing are bounded.
func (h *Handler) logCall(req *http.Request, r reply) {
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
