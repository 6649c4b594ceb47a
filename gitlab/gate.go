package gitlab

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// gate is in front of the first byte of a trigger POST. It opens once, and only
// before the deadline; once shut it never opens. A shut gate proves that nothing
// was sent; an open gate proves nothing.
//
// It holds the bytes back like this: net/http writes an HTTP/1.1 request whose
// body is a plain bytes.Reader to a buffer, first the headers (they are much
// shorter than the buffer), then the body, and only then flushes the buffer.
// Between headers and body it calls the WroteHeaders hook. There a shut gate
// empties the body: it is now shorter than announced, so net/http gives up and
// closes the connection, and the buffer never leaves the process. (A reader of
// our own would not work: net/http flushes the headers before it reads one.)
type gate struct {
	state atomic.Int32
	begun time.Time     // has the monotonic clock
	left  time.Duration // from begun to the deadline
	late  atomic.Bool   // the request came to the gate after the deadline
}

const (
	gateReady int32 = iota
	gateOpen
	gateShut
)

func newGate(until time.Time) *gate {
	now := time.Now()
	return &gate{begun: now, left: min(until.Sub(now), until.Round(0).Sub(now.Round(0)))}
}

// pass opens the gate, unless it is too late or the gate was shut or passed before.
func (g *gate) pass(now time.Time) bool {
	if tooLate(now.Sub(g.begun), now.Round(0).Sub(g.begun.Round(0)), g.left) {
		g.late.Store(true)
		g.shut()
		return false
	}
	return g.state.CompareAndSwap(gateReady, gateOpen)
}

// tooLate checks both clocks: the monotonic one may stand still while the
// machine sleeps, and the wall clock may be set back.
// mutant: a POST without a deadline for its first byte
func tooLate(monotonic, wall, left time.Duration) bool { return monotonic >= left || wall >= left }

// shut shuts the gate for good, and tells whether it had not opened.
func (g *gate) shut() bool {
	g.state.CompareAndSwap(gateReady, gateShut)
	return g.state.Load() == gateShut
}

// behind makes a request with this body that the gate holds back. Without GetBody
// net/http cannot send it again.
func (g *gate) behind(req *http.Request, payload []byte) *http.Request {
	body := bytes.NewReader(payload)
	held := req.Clone(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		WroteHeaders: func() {
			if !g.pass(time.Now()) {
				body.Reset(nil)
			}
		},
	}))
	held.Body, held.GetBody, held.ContentLength = io.NopCloser(body), nil, int64(len(payload))
	return held
}
