package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"github.com/getto-systems/psycher/deploy"
)

const (
	// maxCall bounds a call's body, and its query.
	maxCall = 64 << 10
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
func NewHandler(shared deploy.Secret, r Recorder, log zerolog.Logger) http.Handler {
	return &handler{shared: shared, recorder: r, log: log, guesses: rate.NewLimiter(rate.Every(guessInterval), guessBurst)}
}

// NewServer returns a server for the notify port that slow or silent callers
// cannot block. Its own errors, which are about connections, go to stderr, one
// line each.
func NewServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10*time.Second + 2*recordTimeout,
		IdleTimeout:       5 * time.Second,
		MaxHeaderBytes:    4 * maxCall, // so that a query that is too long gets an answer that says so
		ErrorLog:          log.New(firstLine{os.Stderr}, "notify port: ", 0),
	}
}

type handler struct {
	shared   deploy.Secret
	recorder Recorder
	log      zerolog.Logger
	guesses  *rate.Limiter // of log lines
	leftOut  atomic.Int64  // lines, since the last one
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

func (h *handler) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r := h.answer(w, req)
	h.logCall(req, r)

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
		// Callers that were refused together come again over 1 to 5 seconds.
		spread := crc32.ChecksumIEEE([]byte(r.callback.Channel + r.callback.TS))
		header.Set("Retry-After", strconv.Itoa(1+int(spread%5)))
	}
	if !r.proven() {
		// mutant: a stranger keeps the connection
		header.Set("Connection", "close") // others wait for it
	}
	w.WriteHeader(r.status)
	// If the answer cannot be written, the callback is recorded all the same.
	_ = json.NewEncoder(w).Encode(map[string]string{"psycher": answerVersion, key: r.text})
}

// answer checks a call in the order in which its caller should fix it.
func (h *handler) answer(w http.ResponseWriter, req *http.Request) reply {
	if req.URL.Path != "/notify" {
		return reply{status: http.StatusNotFound, text: "there is only /notify here"}
	}
	if req.Method != http.MethodGet && req.Method != http.MethodPost {
		return reply{status: http.StatusMethodNotAllowed, text: "method: GET or POST"}
	}
	if len(req.URL.RawQuery) > maxCall {
		return reply{status: http.StatusRequestEntityTooLarge, text: "query: more than 64 KiB"}
	}
	tooLarge := reply{status: http.StatusRequestEntityTooLarge, text: "body: more than 64 KiB"}
	if req.ContentLength > maxCall {
		return tooLarge
	}
	// mutant: a body whose length is not said is read to its end
	body, readErr := io.ReadAll(http.MaxBytesReader(w, req.Body, maxCall))
	if errors.As(readErr, new(*http.MaxBytesError)) {
		return tooLarge
	}

	c := parseCall(req.URL.RawQuery, req.Header.Get("Content-Type"), body)
	if readErr != nil {
		c.err = badField{"body", "incomplete, or too slow"}
	}
	tokens := bearers(req.Header)
	// mutant: a call of thousands of guesses
	if c.names+len(tokens) > maxNames {
		return reply{status: http.StatusRequestEntityTooLarge, text: fmt.Sprintf("more than %d names", maxNames)}
	}
	token, shared := findProof(append(tokens, c.credentials()...), h.shared)
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
	deploy.CallbackStop:     {status: http.StatusConflict, text: "this pipeline must not deploy: the deployment has another one, or was given up"},
}

func (h *handler) record(ctx context.Context, c deploy.Callback) reply {
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

func (h *handler) tryRecord(ctx context.Context, c deploy.Callback) (result deploy.CallbackResult, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("recording a callback: panic: %v", p)
		}
	}()
	// mutant: a 2xx before the save
	return h.recorder.Callback(ctx, c)
}

// firstLine passes on the first line of what is written: the stack of a panic is
// of no use to an operator who reads about connections.
type firstLine struct{ to io.Writer }

func (f firstLine) Write(p []byte) (int, error) {
	line, _, _ := strings.Cut(deploy.ScrubTokens(string(p)), "\n")
	if _, err := io.WriteString(f.to, line+"\n"); err != nil {
		return 0, fmt.Errorf("writing to the log: %w", err)
	}
	return len(p), nil
}
