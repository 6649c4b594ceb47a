package gitlab

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// gate stands before the first byte of a trigger POST. It opens once, and only
// while it is early enough; once shut it never opens. So who finds it shut
// knows that nothing was sent, and who finds it open knows nothing.
//
// How it holds the bytes back: an HTTP/1.1 request whose body is a plain
// bytes.Reader is written to a buffer, headers first (they are much shorter
// than the buffer), and then the body; only then the buffer is flushed. Between
// headers and body net/http calls the WroteHeaders hook. A shut gate empties
// the body there: it is then shorter than was announced, net/http gives up and
// closes the connection, and the buffer never leaves the process. (A reader of
// our own would not do: net/http flushes the headers before it reads one.)
type gate struct {
	state atomic.Int32
	begun time.Time     // with the monotonic clock
	left  time.Duration // from begun until it is too late
	late  atomic.Bool   // it was reached, and it was too late
}

const (
	gateReady int32 = iota
	gateOpen
	gateShut
)

func (g *gate) start(until time.Time) {
	g.begun = time.Now()
	g.left = min(until.Sub(g.begun), until.Round(0).Sub(g.begun.Round(0)))
}

// pass opens the gate, unless it is too late or it has been shut or passed.
func (g *gate) pass(now time.Time) bool {
	if tooLate(now.Sub(g.begun), now.Round(0).Sub(g.begun.Round(0)), g.left) {
		g.late.Store(true)
		g.shut()
		return false
	}
	return g.state.CompareAndSwap(gateReady, gateOpen)
}

// tooLate looks at both clocks: the monotonic one may stand still while the
// machine sleeps, and the wall clock may be set back.
// mutant: a POST without a deadline for its first byte
func tooLate(monotonic, wall, left time.Duration) bool { return monotonic >= left || wall >= left }

// shut shuts the gate for good and tells whether that was in time.
func (g *gate) shut() bool {
	g.state.CompareAndSwap(gateReady, gateShut)
	return g.state.Load() == gateShut
}

// behind makes a request with this body that the gate holds back. net/http has
// no way to make its body again, and so none to send it again.
func (g *gate) behind(req *http.Request, payload []byte) *http.Request {
	body := bytes.NewReader(payload)
	held := req.Clone(g.watch(req.Context(), body))
	held.Body, held.GetBody, held.ContentLength = io.NopCloser(body), nil, int64(len(payload))
	return held
}

func (g *gate) watch(ctx context.Context, body *bytes.Reader) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() {
			if !g.pass(time.Now()) {
				body.Reset(nil)
			}
		},
	})
}
