package socket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/bot/web"
)

const (
	// silence is how long a connection may carry nothing at all. Slack pings every
	// 10 s and answers our pings, so a network that stalls for 10 s is no alarm.
	silence   = 17 * time.Second
	pingEvery = 5 * time.Second
	// writeWithin bounds one write; a stall shorter than silence must not break it.
	writeWithin = 12 * time.Second
	// retireAfter is how long a connection is still read once it is replaced; Slack
	// closes it about 10 s after its warning.
	retireAfter = 30 * time.Second
	// noticeTime is how long a connection must last after Slack asked for a new one;
	// a shorter time counts as cut off.
	noticeTime = 3 * time.Second
	// closeWithin bounds the closing handshake: Slack answers a close frame, but does
	// not close the connection.
	closeWithin = time.Second
	// maxHandlers bounds the envelopes of one connection handled at the same time.
	maxHandlers = 64
	// maxFrame is far above what Slack sends (tens of KB; it documents no limit).
	maxFrame = 16 << 20
	// maxID keeps an ack within one frame: Slack does not reassemble an answer.
	maxID = 512
)

var (
	errStopped  = errors.New("the bot stops")
	errReplaced = errors.New("replaced by a newer connection")
)

// frame is what is read of a message from Slack.
type frame struct {
	Type         string          `json:"type"`
	EnvelopeID   string          `json:"envelope_id"`
	Payload      json.RawMessage `json:"payload"`
	RetryAttempt int             `json:"retry_attempt"`
	Reason       string          `json:"reason"` // of disconnect

	// of hello
	NumConnections int `json:"num_connections"`
	ConnectionInfo struct {
		AppID string `json:"app_id"`
	} `json:"connection_info"`
	DebugInfo struct {
		Host string `json:"host"`
	} `json:"debug_info"`
}

// conn is one connection, from its handshake to its end.
type conn struct {
	pool *Pool
	ws   *websocket.Conn
	log  zerolog.Logger

	hello   chan struct{}   // closed at hello
	said    frame           // the hello
	leaving chan struct{}   // closed when Slack asks for a new connection; this one is still read
	noticed atomic.Bool     // it lasted noticeTime after that
	life    context.Context // ends when no more envelopes are accepted; the first cause counts
	fail    context.CancelCauseFunc

	writing  chan struct{} // held while a message is written
	handlers chan struct{} // one for each envelope being handled
	pongs    chan string   // the payloads of Slack's pings
	lasted   atomic.Bool   // long enough to be no sign of trouble
}

func newConn(p *Pool, ws *websocket.Conn) *conn {
	k := &conn{
		pool:     p,
		ws:       ws,
		hello:    make(chan struct{}),
		leaving:  make(chan struct{}),
		writing:  make(chan struct{}, 1),
		handlers: make(chan struct{}, maxHandlers),
		pongs:    make(chan string, 8),
	}
	k.life, k.fail = context.WithCancelCause(context.Background())
	ws.SetReadLimit(maxFrame)
	ws.SetPingHandler(func(data string) error {
		select {
		case k.pongs <- data:
		default: // enough pongs are waiting to be written
		}
		return k.touch()
	})
	ws.SetPongHandler(func(string) error { return k.touch() })
	// The answer to a close frame is written by close, after the acks.
	ws.SetCloseHandler(func(int, string) error { return nil })
	return k
}

// run reads the connection until it is lost, is replaced for retireAfter, or ctx
// ends. Then it waits for the handlers to write their acks, and closes.
func (k *conn) run(ctx, handling context.Context) {
	var pumps sync.WaitGroup
	readDone := make(chan struct{})
	pumps.Go(func() {
		defer close(readDone)
		k.fail(k.read(handling))
	})
	pumps.Go(k.keepAlive)

	select {
	case <-k.life.Done():
	case <-ctx.Done():
		k.fail(errStopped)
	}
	k.close(readDone)
	k.ws.Close()
	pumps.Wait()
}

// close keeps the connection open for acks and the close frame. Reading goes on
// and discards everything: closing a connection with unread bytes would reset it,
// and the peer would lose acks that it has not read yet.
func (k *conn) close(readDone <-chan struct{}) {
	level := zerolog.WarnLevel
	if no := (*web.SlackError)(nil); isClosed(k.leaving) || errors.As(k.err(), &no) ||
		errors.Is(k.err(), errStopped) || errors.Is(k.err(), errReplaced) {
		level = zerolog.InfoLevel
	}
	k.log.WithLevel(level).AnErr("cause", k.err()).Msg("Slack socket ends")
	drain, cancel := context.WithTimeout(context.Background(), k.pool.Drain)
	defer cancel()
	for range maxHandlers {
		select {
		case k.handlers <- struct{}{}: // no handler has this place
		case <-drain.Done():
		}
	}
	late := time.After(closeWithin)
	k.sendClose()
	select {
	case <-readDone:
	case <-late:
	}
}

// sendClose fails only where the connection is gone already.
func (k *conn) sendClose() {
	bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	_ = k.ws.WriteControl(websocket.CloseMessage, bye, time.Now().Add(closeWithin))
}

// read dispatches messages until the connection breaks.
func (k *conn) read(handling context.Context) error {
	for {
		// Only now: while all handlers were busy, nothing was read.
		if err := k.touch(); err != nil {
			return err
		}
		_, raw, err := k.ws.ReadMessage()
		if err != nil {
			return fmt.Errorf("reading: %w", err)
		}
		k.dispatch(handling, raw)
	}
}

// dispatch decodes one message. An unreadable one is not acked, so Slack delivers
// it again.
func (k *conn) dispatch(handling context.Context, raw []byte) {
	if k.err() != nil {
		return
	}
	var f frame
	// A field of the wrong type is an error, but leaves the others readable.
	if err := json.Unmarshal(raw, &f); f.Type == "" {
		k.log.Warn().AnErr("cause", err).Int("bytes", len(raw)).Msg("a frame from Slack cannot be read; left alone")
		return
	}
	switch f.Type {
	case "hello":
		if !isClosed(k.hello) {
			k.said = f
			k.pool.onHello(k)
			close(k.hello)
		}
	case "disconnect":
		k.disconnect(f.Reason)
	default:
		k.pool.envelopes.Add(1)
		k.handle(handling, f)
	}
}

func (k *conn) disconnect(reason string) {
	switch reason {
	case "link_disabled", "too_many_websockets":
		k.fail(&web.SlackError{Method: web.SocketMode, Code: reason})
	default:
		k.log.Info().Str("reason", reason).Msg("Slack asks for a new socket")
		if !isClosed(k.leaving) {
			close(k.leaving)
			time.AfterFunc(noticeTime, func() { k.noticed.Store(k.err() == nil) })
		}
	}
}

// handle hands on one envelope and acks if the handler returns true. While too many
// are handled it waits, and so does reading.
func (k *conn) handle(handling context.Context, f frame) {
	arrived := time.Now()
	select {
	case k.handlers <- struct{}{}:
	case <-k.life.Done():
		return
	}
	k.pool.running.Add(1)
	go func() {
		if then := k.answer(handling, f, arrived); then != nil {
			then() // here, where the stack has its size already
		}
	}()
}

// answer handles an envelope and acks it, and returns what is to be done then.
func (k *conn) answer(handling context.Context, f frame, arrived time.Time) (then func()) {
	defer k.pool.running.Done()
	defer func() {
		if p := recover(); p != nil {
			k.log.Error().Interface("panic", p).Bytes("stack", debug.Stack()).
				Msg("an envelope broke its handler; it is not acked")
		}
		<-k.handlers
	}()
	id := f.EnvelopeID
	acked, then := k.pool.Handle(handling, f.Type, f.Payload, f.RetryAttempt)
	if !acked || id == "" || len(id) > maxID {
		return then
	}
	if err := k.ack(id); err != nil {
		k.pool.lostAcks.Add(1)
		k.log.Warn().Err(err).Str("envelope", id).Msg("an ack was not written; Slack will deliver again")
		k.fail(fmt.Errorf("ack: %w", err))
	} else if k.pool.Acked != nil {
		k.pool.Acked(f.Type, time.Since(arrived))
	}
	return then
}

// ack answers on the connection that the envelope came on. nil means written.
func (k *conn) ack(id string) error {
	k.writing <- struct{}{} // for at most writeWithin: after a failed write all others fail at once
	defer func() { <-k.writing }()
	return errors.Join(k.ws.SetWriteDeadline(time.Now().Add(writeWithin)), k.ws.WriteJSON(map[string]string{"envelope_id": id}))
}

// keepAlive answers Slack's pings and sends our own. Reading never waits for a write.
func (k *conn) keepAlive() {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		kind, data := websocket.PingMessage, ""
		select {
		case <-k.life.Done():
			return
		case <-tick.C:
		case data = <-k.pongs:
			kind = websocket.PongMessage
		}
		if err := k.ws.WriteControl(kind, []byte(data), time.Now().Add(writeWithin)); err != nil {
			k.fail(fmt.Errorf("ping: %w", err))
			return
		}
	}
}

// touch extends the read deadline.
func (k *conn) touch() error { return k.ws.SetReadDeadline(time.Now().Add(silence)) }

// retire marks the connection as replaced: it is read until Slack closes it, or
// for retireAfter.
func (k *conn) retire() { time.AfterFunc(retireAfter, func() { k.fail(errReplaced) }) }

// err is why no more envelopes are accepted; nil while they are.
func (k *conn) err() error { return context.Cause(k.life) }

// cutOff reports whether Slack asked for a new connection and cut this one at once.
func (k *conn) cutOff() bool {
	return !k.lasted.Load() && k.err() != nil && isClosed(k.leaving) && !k.noticed.Load()
}

// open reports whether envelopes can arrive.
func (k *conn) open() bool {
	return isClosed(k.hello) && k.err() == nil
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
