package gitlab

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
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
	"time"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
)

const (
	// maxCallback is the most that a call may bring, in its body and in its query.
	maxCallback = 64 << 10
	// hearTimeout bounds the recording of a word. It is shorter than the patience
	// of a script that calls.
	hearTimeout = 5 * time.Second
	// answerForm is the form of the answers. That each names psycher is how
	// notify.sh tells them from those of a login page or a proxy.
	answerForm = "1"
)

// Hearer takes in what a pipeline says: the loop of package deploy. It answers
// once the word is recorded. An error means that it is not, or that this is not
// known; the caller is asked to say it again.
type CallbackHandler interface {
	Callback(ctx context.Context, w deploy.Callback) (deploy.CallbackResult, error)
}

// NotifyHandler is the notify port: GET or POST /notify, by which a pipeline
// tells its start and its end. A call shows the PSYCHER_TOKEN that came with the
// trigger, which is known by its form and judged by the [Hearer]; or the secret
// that all share, NOTIFY_TOKEN, where there is one. A call that shows neither is
// turned away without a look at any deployment. Nothing of a call is logged that
// proved nothing.
func NotifyHandler(shared deploy.Secret, h CallbackHandler, log zerolog.Logger) http.Handler {
	return &notify{
		proofOnly: shared.Reveal() == "",
		shared:    sha256.Sum256([]byte(shared.Reveal())),
		hearer:    h,
		log:       log,
	}
}

// NotifyServer is a server for the notify port that no slow or silent caller
// can hold. Its own complaints, which are about connections, go to stderr, one
// line each.
func NotifyServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10*time.Second + 2*hearTimeout,
		IdleTimeout:       5 * time.Second,
		MaxHeaderBytes:    4 * maxCallback, // so that a query that is too long is told so
		ErrorLog:          log.New(firstLine{os.Stderr}, "notify port: ", 0),
	}
}

type notify struct {
	proofOnly bool // there is no shared secret
	shared    [sha256.Size]byte
	hearer    CallbackHandler
	log       zerolog.Logger
	strangers strangers
}

// unproven is what every 401 says, so that nobody learns from it which
// deployments there are.
const unproven = "this call does not prove its deployment: show the PSYCHER_TOKEN that came with the trigger, as the bearer (examples/notify.sh does). " +
	"NOTIFY_TOKEN counts only until a call of the project has shown one; psycher unprove PROJECT goes back to that"

// reply is what a call is answered with, and what the log says of it.
type reply struct {
	status  int
	text    string                // the error, or how a success is called
	word    deploy.Callback       // as far as it was read and found well formed
	verdict deploy.CallbackResult // where the word was heard
	err     error                 // the technical side of a 503
}

// counts tells whether the call showed something that counts.
func (a reply) counts() bool {
	return a.status != http.StatusUnauthorized && (a.word.Shared || a.verdict != "")
}

func (n *notify) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := n.answer(w, r)
	n.note(r, a)

	key := "error"
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	switch a.status {
	case http.StatusOK:
		key = "result"
	case http.StatusMethodNotAllowed:
		header.Set("Allow", "GET, POST")
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", "Bearer")
	case http.StatusServiceUnavailable:
		header.Set("Retry-After", retrySeconds(a.word))
	}
	if !a.counts() {
		// mutant: a stranger keeps the connection
		header.Set("Connection", "close") // others wait for it
	}
	w.WriteHeader(a.status)
	// What cannot be written has no reader: the word is heard all the same.
	_ = json.NewEncoder(w).Encode(map[string]string{"psycher": answerForm, key: a.text})
}

// answer checks a call in the order in which a caller should mend it.
func (n *notify) answer(w http.ResponseWriter, r *http.Request) reply {
	if r.URL.Path != "/notify" {
		return reply{status: http.StatusNotFound, text: "there is only /notify here"}
	}
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return reply{status: http.StatusMethodNotAllowed, text: "method: GET or POST"}
	}

	if len(r.URL.RawQuery) > maxCallback {
		return reply{status: http.StatusRequestEntityTooLarge, text: "query: more than 64 KiB"}
	}
	tooLarge := reply{status: http.StatusRequestEntityTooLarge, text: "body: more than 64 KiB"}
	if r.ContentLength > maxCallback {
		return tooLarge
	}
	// mutant: a body whose length is not said is read to its end
	body, readErr := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCallback))
	if errors.As(readErr, new(*http.MaxBytesError)) {
		return tooLarge
	}

	c := readCallback(r.URL.RawQuery, r.Header.Get("Content-Type"), body)
	if readErr != nil {
		c.err = badField{"body", "it broke off, or came too slowly"}
	}
	bearers := bearer(r.Header.Values("Authorization"))
	// mutant: a call of thousands of guesses
	if c.names+len(bearers) > maxNames {
		return reply{status: http.StatusRequestEntityTooLarge, text: fmt.Sprintf("more than %d names", maxNames)}
	}
	token, shared := n.knows(append(bearers, c.credentials()...))
	if token == "" && !shared {
		return reply{status: http.StatusUnauthorized, text: unproven}
	}

	word, err := c.word()
	word.Token, word.Shared = token, shared
	if err != nil {
		return reply{status: http.StatusBadRequest, text: err.Error(), word: word}
	}
	return n.hear(r.Context(), word)
}

// knows tells what of a call's texts may count: the first that has the form of a
// PSYCHER_TOKEN, and whether the shared secret is among them. How long it takes
// tells nothing of the secret.
func (n *notify) knows(shown []string) (token deploy.Secret, shared bool) {
	found := 0
	for _, s := range shown {
		sum := sha256.Sum256([]byte(s))
		found |= subtle.ConstantTimeCompare(sum[:], n.shared[:])
		// mutant: a token without its form is looked up
		if token == "" && deploy.IsToken(s) {
			token = deploy.Secret(s)
		}
	}
	return token, found == 1 && !n.proofOnly
}

func (n *notify) hear(ctx context.Context, word deploy.Callback) (a reply) {
	// Who hangs up early has still said it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hearTimeout)
	defer cancel()

	a.word = word
	defer func() {
		if p := recover(); p != nil {
			a.err = fmt.Errorf("hearing a word: panic: %v", p)
		}
		if a.err != nil {
			a.err = errors.New(deploy.ScrubTokens(a.err.Error()))
			a.status, a.text = http.StatusServiceUnavailable, "not recorded now: say it again"
		}
	}()
	// mutant: a 2xx before the save
	a.verdict, a.err = n.hearer.Callback(ctx, word)
	switch a.verdict {
	case deploy.CallbackTaken:
		a.status, a.text = http.StatusOK, "ok"
	case deploy.CallbackNoEffect:
		a.status, a.text = http.StatusOK, "no effect"
	case deploy.CallbackUnproven:
		a.status, a.text = http.StatusUnauthorized, unproven
	case deploy.CallbackUnknown:
		a.status, a.text = http.StatusNotFound, "no deployment has this channel, timestamp and id"
	case deploy.CallbackStop:
		a.status, a.text = http.StatusConflict, "this pipeline must not deploy: the deployment has another one, or was given up"
	default:
		if a.err == nil {
			a.err = fmt.Errorf("hearing a word: no such verdict: %q", a.verdict)
		}
	}
	return a
}

// note writes the call's line of the log: of what was sent, only what was
// found well formed from somebody who has the secret, or proved its deployment.
// Lines about calls that do not count are bounded.
func (n *notify) note(r *http.Request, a reply) {
	level := zerolog.WarnLevel
	switch {
	case a.status == http.StatusServiceUnavailable:
		level = zerolog.ErrorLevel
	case a.verdict == deploy.CallbackTaken:
		level = zerolog.InfoLevel
	case a.status == http.StatusMethodNotAllowed, a.status == http.StatusNotFound && a.verdict == "":
		level = zerolog.DebugLevel
	}
	left := 0
	if !a.counts() {
		if level < n.log.GetLevel() || level < zerolog.GlobalLevel() {
			return
		}
		var log bool
		// mutant: guesses that fill the log
		if log, left = n.strangers.take(time.Now()); !log {
			return
		}
		if !a.word.Shared {
			a.word = deploy.Callback{}
		}
	}
	line := n.log.WithLevel(level)
	if left > 0 {
		line = line.Int("left_out", left)
	}
	say := func(name, value string) {
		if value != "" {
			line = line.Str(name, value)
		}
	}
	say("channel", a.word.Channel)
	say("ts", a.word.TS)
	say("deployment", a.word.ID)
	if a.word.Pipeline != 0 {
		line = line.Int64("pipeline", a.word.Pipeline)
	}
	say("job", a.word.JobName)
	say("result", string(a.word.Result))
	say("verdict", string(a.verdict))
	if a.status != http.StatusOK {
		say("reason", a.text)
	}
	if a.err != nil {
		line = line.Err(a.err)
	}
	line.Int("status", a.status).Str("remote", r.RemoteAddr).Msg("callback")
}

// bearer gives the tokens of Authorization headers.
func bearer(headers []string) []string {
	var tokens []string
	for _, h := range headers {
		scheme, token, _ := strings.Cut(h, " ")
		if strings.EqualFold(scheme, "Bearer") {
			tokens = append(tokens, strings.TrimSpace(token))
		}
	}
	return tokens
}

// retrySeconds spreads those that were turned away together over 1 to 5 seconds.
func retrySeconds(w deploy.Callback) string {
	return strconv.Itoa(1 + int(crc32.ChecksumIEEE([]byte(w.Channel+w.TS))%5))
}

// firstLine passes on the first line of what is written: a panic's stack is
// for nobody who reads a port's complaints.
type firstLine struct{ to io.Writer }

func (f firstLine) Write(p []byte) (int, error) {
	line, _, _ := strings.Cut(deploy.ScrubTokens(string(p)), "\n")
	if _, err := io.WriteString(f.to, line+"\n"); err != nil {
		return 0, fmt.Errorf("writing to the log: %w", err)
	}
	return len(p), nil
}
