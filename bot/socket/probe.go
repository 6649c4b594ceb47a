package socket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gorilla/websocket"

	"github.com/getto-systems/psycher/bot/web"
)

// Hello is what Slack says of an app on a new connection.
type Hello struct {
	App         string // the one whose app-level token it is
	Connections int    // that are open to the app, this one included
}

// Probe opens one connection and closes it at its hello. It needs only Open, Dial
// and Proxy.
//
// No event is lost by it. Slack may hand one to this connection in the moment
// that it takes Slack to read the close frame: it is not acked, so that Slack
// delivers it again, on another connection or on the next one. A button's press is
// not delivered again: whoever pressed in that moment sees a warning sign, and can
// press once more.
func (p *Pool) Probe(ctx context.Context) (Hello, error) {
	asking, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	ticket, err := p.Open(asking)
	if err != nil {
		return Hello{}, err
	}
	ws, err := p.dial(ctx, ticket)
	if err != nil {
		return Hello{}, err
	}
	defer ws.Close()
	defer context.AfterFunc(ctx, func() { ws.Close() })()

	ws.SetReadLimit(maxFrame)
	err = ws.SetReadDeadline(time.Now().Add(helloWithin))
	var hello Hello
	for said := false; err == nil; {
		var raw []byte
		var f frame
		if _, raw, err = ws.ReadMessage(); err != nil && said { // the answer to our close frame, or none in time
			return hello, nil
		}
		_ = json.Unmarshal(raw, &f) // as in dispatch
		switch {
		case f.Type == "hello" && !said:
			said, hello = true, Hello{f.ConnectionInfo.AppID, f.NumConnections}
			until := time.Now().Add(closeWithin)
			err = errors.Join(ws.SetReadDeadline(until),
				ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), until))
		case f.Type == "disconnect" && (f.Reason == "link_disabled" || f.Reason == "too_many_websockets"):
			return hello, &web.SlackError{Method: web.SocketMode, Code: f.Reason}
		}
	}
	return hello, fmt.Errorf("before hello: %w", err)
}
