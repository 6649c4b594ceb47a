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
	// socketSilence is how long a socket may carry nothing at all. Slack pings
	// every 10 s and answers our pings, so a network that stalls for 10 s is no alarm.
	socketSilence = 17 * time.Second
	socketPing    = 5 * time.Second
	// socketWrite bounds one write; a stall that is no alarm must not break it half-way.
	socketWrite = 12 * time.Second
	// socketRest is how long a socket is still read when its successor stands;
	// Slack cuts it about 10 s after its warning.
	socketRest = 30 * time.Second
	// socketNotice is how long a socket must live after Slack asked for a new one, to have been left in good order.
	socketNotice = 3 * time.Second
	// socketClose bounds the farewell: Slack answers a close frame, but does not close the connection.
	socketClose = time.Second
	// socketHandlers bounds the envelopes of one socket that are handled at once.
	socketHandlers = 64
	// socketFrameLimit is far above what Slack sends (tens of KB; it documents no limit).
	socketFrameLimit = 16 << 20
	// socketIDLimit keeps an ack within one frame: Slack does not reassemble an answer.
	socketIDLimit = 512
)

var (
	errStopped = errors.New("the bot stops")
	errLeft    = errors.New("left: its successor stands")
)

// socketFrame is what is read of whatever Slack sends on a socket.
type socketFrame struct {
	Type         string          `json:"type"`
	EnvelopeID   string          `json:"envelope_id"`
	Payload      json.RawMessage `json:"payload"`
	RetryAttempt int             `json:"retry_attempt"`
	Reason       string          `json:"reason"` // of disconnect

	// of hello
	NumConnections int `json:"num_connections"`
	DebugInfo      struct {
		Host string `json:"host"`
	} `json:"debug_info"`
}

// socket is one connection, from its handshake to its end.
type socket struct {
	sockets *Pool
	conn    *websocket.Conn
	log     zerolog.Logger

	helloed chan struct{} // closed at hello
	leaving chan struct{} // closed when Slack asks for a new socket; this one is still read
	lost    chan struct{} // closed when nothing more is taken from it
	cause   error         // why; set before lost is closed
	asked   time.Time     // when Slack asked; set before leaving is closed
	ended   time.Time     // set before lost is closed
	losing  sync.Once

	rest     *time.Timer   // runs once the successor stands
	writing  chan struct{} // held by who writes a message
	handlers chan struct{} // held by each envelope in flight
	pongs    chan string   // what Slack's pings carried
	heard    atomic.Int64  // unix nanoseconds of the last traffic
	doubted  atomic.Bool   // those before it were dropped early: not counted until it lasts
}

func newSocket(s *Pool, conn *websocket.Conn) *socket {
	k := &socket{
		sockets:  s,
		conn:     conn,
		helloed:  make(chan struct{}),
		leaving:  make(chan struct{}),
		lost:     make(chan struct{}),
		rest:     time.NewTimer(socketRest),
		writing:  make(chan struct{}, 1),
		handlers: make(chan struct{}, socketHandlers),
		pongs:    make(chan string, 8),
	}
	k.rest.Stop()
	conn.SetReadLimit(socketFrameLimit)
	conn.SetPingHandler(func(data string) error {
		select {
		case k.pongs <- data:
		default: // as many are waiting to be written
		}
		return k.hear()
	})
	conn.SetPongHandler(func(string) error { return k.hear() })
	// The answer to a close frame is written by run, after the acks.
	conn.SetCloseHandler(func(int, string) error { return nil })
	return k
}

// run reads the socket until it is lost, ctx ends or its rest is over. Then it
// lets the handlers in flight write their acks, says farewell and closes.
func (k *socket) run(ctx, handling context.Context) {
	defer k.rest.Stop()
	var pumps sync.WaitGroup
	read, closed := make(chan struct{}), make(chan struct{})
	pumps.Go(func() {
		defer close(read)
		k.fail(k.read(handling))
	})
	pumps.Go(func() { k.pulse(closed) })

	select {
	case <-k.lost:
	case <-k.rest.C:
		k.fail(errLeft)
	case <-ctx.Done():
		k.fail(errStopped)
	}
	k.farewell(read)
	close(closed)
	k.conn.Close()
	pumps.Wait()
}

// farewell holds the socket open for acks and the close frame. Reading goes on,
// taking nothing: closing a connection with unread bytes in it would reset it,
// and the peer would lose acks that it has not read yet.
func (k *socket) farewell(read <-chan struct{}) {
	level := zerolog.WarnLevel
	if no := (*web.SlackError)(nil); isClosed(k.leaving) || errors.As(k.cause, &no) ||
		errors.Is(k.cause, errStopped) || errors.Is(k.cause, errLeft) {
		level = zerolog.InfoLevel
	}
	k.log.WithLevel(level).AnErr("cause", k.cause).Msg("Slack socket ends")

	drain := time.NewTimer(k.sockets.Drain)
	defer drain.Stop()
	free := 0
	for waiting := true; waiting && free < socketHandlers; {
		select {
		case k.handlers <- struct{}{}:
			free++
		case <-drain.C:
			waiting = false
		}
	}
	late := time.NewTimer(socketClose)
	defer late.Stop()
	// An error here says that the connection is gone, which is what follows anyway.
	_ = k.conn.WriteControl(websocket.CloseMessage,
		websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(socketClose))
	select {
	case <-read:
	case <-late.C:
	}
}

// read takes frames until the connection breaks.
func (k *socket) read(handling context.Context) error {
	for {
		// Not before: while all handlers were busy, nothing was read.
		if err := k.hear(); err != nil {
			return err
		}
		_, frame, err := k.conn.ReadMessage()
		if err != nil {
			return fmt.Errorf("reading: %w", err)
		}
		k.take(handling, frame)
	}
}

// take decodes one frame. What cannot be read is left alone, so Slack delivers it again.
func (k *socket) take(handling context.Context, raw []byte) {
	if isClosed(k.lost) {
		return
	}
	var f socketFrame
	// A field of the wrong type is an error, but leaves the others readable.
	if err := json.Unmarshal(raw, &f); f.Type == "" {
		k.log.Warn().AnErr("cause", err).Int("bytes", len(raw)).Msg("a frame from Slack cannot be read; left alone")
		return
	}
	switch f.Type {
	case "hello":
		if !isClosed(k.helloed) {
			k.sockets.greeted(k, f)
			close(k.helloed)
		}
	case "disconnect":
		k.disconnect(f.Reason)
	default:
		k.sockets.count(&k.sockets.envelopes)
		k.work(f.EnvelopeID, func() bool { return k.sockets.Handle(handling, f.Type, f.Payload, f.RetryAttempt) })
	}
}

func (k *socket) disconnect(reason string) {
	switch reason {
	case "link_disabled", "too_many_websockets":
		k.fail(&web.SlackError{Method: web.SocketMode, Code: reason})
	default:
		k.log.Info().Str("reason", reason).Msg("Slack asks for a new socket")
		if !isClosed(k.leaving) {
			k.asked = time.Now()
			close(k.leaving)
		}
	}
}

// work handles one envelope and acks it if that may be. When too many are in
// flight it waits, and so does reading.
func (k *socket) work(id string, handle func() bool) {
	select {
	case k.handlers <- struct{}{}:
	case <-k.lost:
		return
	}
	k.sockets.running.Go(func() {
		defer func() { <-k.handlers }()
		if !k.survive(handle) || id == "" || len(id) > socketIDLimit {
			return
		}
		if err := k.ack(id); err != nil {
			k.sockets.count(&k.sockets.lostAcks)
			k.log.Warn().Err(err).Str("envelope", id).Msg("an ack was not written; Slack will deliver again")
			k.fail(err)
		}
	})
}

func (k *socket) survive(handle func() bool) (ack bool) {
	defer func() {
		if p := recover(); p != nil {
			ack = false
			k.log.Error().Interface("panic", p).Bytes("stack", debug.Stack()).
				Msg("an envelope broke its handler; it is not acked")
		}
	}()
	return handle()
}

// ack writes the answer on the socket that the envelope came on. nil means written.
func (k *socket) ack(id string) error {
	frame, err := json.Marshal(struct {
		EnvelopeID string `json:"envelope_id"`
	}{id})
	if err != nil {
		return fmt.Errorf("ack: %w", err)
	}
	k.writing <- struct{}{} // for at most socketWrite: after a failed write all others fail at once
	defer func() { <-k.writing }()
	if err := k.conn.SetWriteDeadline(time.Now().Add(socketWrite)); err != nil {
		return fmt.Errorf("ack: %w", err)
	}
	if err := k.conn.WriteMessage(websocket.TextMessage, frame); err != nil {
		return fmt.Errorf("ack: %w", err)
	}
	return nil
}

// pulse answers Slack's pings and sends our own. Reading never waits for a write.
func (k *socket) pulse(closed <-chan struct{}) {
	tick := time.NewTicker(socketPing)
	defer tick.Stop()
	for {
		kind, data := websocket.PingMessage, ""
		select {
		case <-closed:
			return
		case <-tick.C:
		case data = <-k.pongs:
			kind = websocket.PongMessage
		}
		if err := k.conn.WriteControl(kind, []byte(data), time.Now().Add(socketWrite)); err != nil {
			k.fail(fmt.Errorf("ping: %w", err))
			return
		}
	}
}

// hear notes traffic and gives the peer until the next.
func (k *socket) hear() error {
	now := time.Now()
	k.heard.Store(now.UnixNano())
	return k.conn.SetReadDeadline(now.Add(socketSilence))
}

// fail ends the taking of envelopes, for the first cause that is given.
func (k *socket) fail(cause error) {
	k.losing.Do(func() {
		k.cause, k.ended = cause, time.Now()
		close(k.lost)
	})
}

// leave lets the socket rest: it is still read until Slack closes it or the rest is over.
func (k *socket) leave() { k.rest.Reset(socketRest) }

// gone is why nothing more is taken from the socket; nil while it is read.
func (k *socket) gone() error {
	if isClosed(k.lost) {
		return k.cause
	}
	return nil
}

// cutShort tells whether Slack asked for a new socket and cut this one at once.
func (k *socket) cutShort() bool {
	return isClosed(k.lost) && isClosed(k.leaving) && k.ended.Sub(k.asked) < socketNotice
}

// met tells whether the socket had its hello.
func (k *socket) met() bool { return isClosed(k.helloed) }

// open tells whether envelopes can come on the socket.
func (k *socket) open() bool {
	return k.met() && !isClosed(k.lost) && !k.doubted.Load() &&
		time.Since(time.Unix(0, k.heard.Load())) < socketSilence
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
