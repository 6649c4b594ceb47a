package fakeslack

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

const (
	maxFrame   = 20 << 10 // Slack ignores frames of the client's from here on
	leaveAfter = 10 * time.Second
)

// Ending is how a socket ended.
type Ending struct {
	Socket int
	Code   int // of the client's close frame; 1006: it sent none
	At     time.Time
}

// socket is one web socket. A reader and a writer serve it: nothing else touches
// the connection, except to cut it.
type socket struct {
	n       int
	conn    *websocket.Conn
	out     chan frame
	done    chan struct{} // closed when the connection is gone
	greeted bool          // had its hello: envelopes may come
	warned  bool
	muted   bool
	ended   bool
}

// frame is something to be written; kind 0 is text.
type frame struct {
	kind int
	data []byte
	last bool // then the connection is cut
}

func (k *socket) cut() { _ = k.conn.NetConn().Close() }

// Connections is how many sockets are open, by Slack's count.
func (s *Slack) Connections() int { return len(s.Sockets()) }

// Sockets is the numbers of the open sockets, oldest first. The first ever is 1.
func (s *Slack) Sockets() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var open []int
	for _, k := range s.sockets {
		if !k.ended {
			open = append(open, k.n)
		}
	}
	return open
}

// Opens counts the calls of apps.connections.open that returned a ticket.
func (s *Slack) Opens() int { return get(s, func() int { return s.opens }) }

// Endings are the ended sockets, in the order of ending.
func (s *Slack) Endings() []Ending { return get(s, func() []Ending { return slices.Clone(s.endings) }) }

// Frames is how many frames came from clients, of every kind.
func (s *Slack) Frames() int { return get(s, func() int { return s.frames }) }

// Ignored is how many frames were too large to be read.
func (s *Slack) Ignored() int { return get(s, func() int { return s.ignored }) }

// Drop cuts a socket without a close frame.
func (s *Slack) Drop(n int) {
	s.each(n, func(k *socket) {
		k.cut()
		s.end(k, websocket.CloseAbnormalClosure)
	})
}

// Queue sets how many frames may wait for a slow reader of a new socket before the
// socket is cut; the default is 1024.
func (s *Slack) Queue(frames int) { s.set(func() { s.queue = frames }) }

// Mute makes a socket half-open: the connection stays, nothing comes from it and
// nothing that is sent on it arrives. Slack still sends it envelopes.
func (s *Slack) Mute(n int) { s.each(n, func(k *socket) { k.muted = true }) }

// SendText sends a frame with any text on a socket.
func (s *Slack) SendText(n int, text string) {
	s.each(n, func(k *socket) { s.push(k, frame{data: []byte(text)}) })
}

// Refresh warns the oldest socket that was not warned yet, and closes it 10 s
// later; until then it carries events and takes acks. It returns the socket's
// number, 0 if there is none.
func (s *Slack) Refresh() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.sockets {
		if k.greeted && !k.ended && !k.warned {
			s.warn(k)
			return k.n
		}
	}
	return 0
}

// Disconnect sends every open socket a disconnect with a reason, such as
// "link_disabled", and closes it.
func (s *Slack) Disconnect(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.sockets {
		if !k.ended {
			s.dismiss(k, reason)
		}
	}
}

func (s *Slack) each(n int, do func(*socket)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range slices.Clone(s.sockets) {
		if k.n == n && !k.ended {
			do(k)
		}
	}
}

// serveLink takes the mutex itself, as do the goroutines that it starts.
func (s *Slack) serveLink(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	status := s.admit(r.URL.Query().Get("ticket"))
	if s.closed {
		s.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	s.running.Add(1)
	s.mu.Unlock()
	defer s.running.Done()
	if status != 0 {
		http.Error(w, http.StatusText(status), status)
		return
	}
	up := websocket.Upgrader{HandshakeTimeout: leaveAfter, CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	defer func() { _ = conn.Close() }()
	k := &socket{conn: conn, out: make(chan frame, get(s, func() int { return s.queue })), done: make(chan struct{})}
	if !s.enter(k) {
		return
	}
	s.running.Go(k.write)
	s.read(k)
}

// admit redeems a ticket; it returns the status of a refusal, or 0.
func (s *Slack) admit(ticket string) int {
	if len(s.refusals) > 0 {
		status := s.refusals[0]
		s.refusals = s.refusals[1:]
		return status
	}
	if !s.tickets[ticket] {
		return http.StatusBadRequest
	}
	delete(s.tickets, ticket)
	return 0
}

func (s *Slack) enter(k *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	others := 0
	for _, o := range s.sockets {
		if !o.ended {
			others++
		}
	}
	s.opened++
	k.n = s.opened
	s.sockets = append(s.sockets, k)
	if others >= s.cfg.MaxConns {
		s.dismiss(k, "too_many_websockets")
		k.ended = true // it never counted
		return true
	}
	s.tell()
	if s.noHello {
		return true
	}
	s.push(k, frame{data: marshal(map[string]any{
		"type": "hello", "num_connections": others + 1, "connection_info": map[string]any{"app_id": s.cfg.App},
		"debug_info": map[string]any{
			"host": "applink-1", "build_number": 1, "started": "2020-10-11 12:12:12.120",
			"approximate_connection_time": int(s.cfg.Life.Seconds()),
		},
	})})
	switch {
	case s.dropAfterHello:
		s.push(k, frame{last: true})
		return true
	case s.disconnectAfterHello != "":
		s.dismiss(k, s.disconnectAfterHello)
		return true
	}
	k.greeted = true
	s.after(s.cfg.Ping*7/20, func() { s.ping(k) })
	s.after(s.cfg.Life-leaveAfter, func() { s.warn(k) })
	s.deliverWaiting()
	return true
}

func (s *Slack) ping(k *socket) {
	if !k.ended {
		s.push(k, frame{kind: websocket.PingMessage, data: []byte("Ping from applink-1")})
		s.after(s.cfg.Ping, func() { s.ping(k) })
	}
}

func (s *Slack) warn(k *socket) {
	if k.warned || k.ended {
		return
	}
	k.warned = true
	s.push(k, disconnect("warning"))
	s.after(leaveAfter, func() { s.push(k, goodbye()) })
}

func (s *Slack) dismiss(k *socket, reason string) {
	s.push(k, disconnect(reason))
	s.push(k, goodbye())
}

func disconnect(reason string) frame {
	return frame{data: []byte(fmt.Sprintf(`{"type":"disconnect","reason":%q,"debug_info":{"host":"applink-1"}}`, reason))}
}

func goodbye() frame {
	return frame{kind: websocket.CloseMessage, data: websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), last: true}
}

// push hands a frame to the socket's writer. It never waits.
func (s *Slack) push(k *socket, f frame) {
	if k.ended || k.muted {
		return
	}
	if f.last {
		k.greeted = false
	}
	select {
	case k.out <- f:
	default:
		k.cut()
	}
}

// end removes a socket from the count. Its connection may stay open.
func (s *Slack) end(k *socket, code int) {
	if k.ended {
		return
	}
	k.ended = true
	s.endings = append(s.endings, Ending{k.n, code, time.Now()})
	s.lose(k)
	s.tell()
}

func (k *socket) write() {
	for {
		select {
		case f := <-k.out:
			var err error
			switch {
			case f.kind != 0:
				err = k.conn.WriteControl(f.kind, f.data, time.Time{})
			case f.data != nil:
				err = k.conn.WriteMessage(websocket.TextMessage, f.data)
			}
			if err != nil || f.last {
				k.cut()
				return
			}
		case <-k.done:
			return
		}
	}
}

func (s *Slack) read(k *socket) {
	k.conn.SetPingHandler(func(data string) error {
		s.set(func() { s.frames++ })
		s.each(k.n, func(k *socket) { s.push(k, frame{kind: websocket.PongMessage, data: []byte(data)}) })
		return nil
	})
	k.conn.SetPongHandler(func(string) error {
		s.set(func() { s.frames++ })
		return nil
	})
	k.conn.SetCloseHandler(func(code int, _ string) error {
		s.set(func() { s.frames++ })
		// The answer is the last frame that is written, but Slack leaves it to the
		// client to close the TCP connection.
		s.each(k.n, func(k *socket) {
			s.push(k, frame{kind: websocket.CloseMessage, data: websocket.FormatCloseMessage(code, "")})
		})
		return nil
	})
	var err error
	for err == nil {
		var data []byte
		if _, data, err = k.conn.ReadMessage(); err == nil {
			s.handleFrame(k, data)
		}
	}
	code := websocket.CloseAbnormalClosure
	var closed *websocket.CloseError
	if errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure {
		code = closed.Code
	}
	s.mu.Lock()
	muted := k.muted
	if !muted || code == websocket.CloseAbnormalClosure {
		s.end(k, code)
	}
	s.mu.Unlock()
	if code != websocket.CloseAbnormalClosure {
		_, _ = io.Copy(io.Discard, k.conn.NetConn())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end(k, websocket.CloseAbnormalClosure)
	close(k.done)
	s.sockets = slices.DeleteFunc(s.sockets, func(o *socket) bool { return o == k })
}

func (s *Slack) handleFrame(k *socket, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frames++
	var ack struct {
		Envelope string `json:"envelope_id"`
	}
	switch {
	case k.ended || k.muted:
	case len(data) >= maxFrame:
		s.ignored++
		s.tell()
	case json.Unmarshal(data, &ack) == nil && ack.Envelope != "":
		s.ack(k, ack.Envelope)
	}
}
