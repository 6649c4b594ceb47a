// Package page is the demo in a browser: the channel of the stand-in of Slack,
// the pipelines of the stand-in of GitLab, the bot's records as they move, and
// switches for what can go wrong. It serves plain files, and what happens as
// events; it decides nothing about a deploy. It is only for the person at this
// machine: it listens on loopback, and answers to no other name.
package page

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox"
)

//go:embed static
var static embed.FS

// Pace is how long each job takes for who watches the page: long enough to see it,
// to cancel it, or to kill the bot meanwhile.
const Pace = 6 * time.Second

// Page shows one sandbox, and the bot in it.
type Page struct {
	// Opening is what somebody has just written when a person comes to the page;
	// empty: nobody has.
	Opening string

	box     *sandbox.Sandbox
	bot     *sandbox.Process
	mux     *http.ServeMux
	running sync.WaitGroup

	opened     chan struct{}
	restarting sync.Mutex // the bot is restarted by one at a time

	mu       sync.Mutex
	limited  bool        // Slack answers 429
	doubling bool        // Slack delivers everything twice
	begun    string      // the newest mention that is not of the tour
	struck   []int64     // the pipelines that went on when the bot was killed
	done     [steps]bool // of the tour
	flipped  chan struct{}
	seen     int // the number of the newest part
	parts    map[string]part
	news     chan struct{}
}

// New makes a page; [Page.Serve] serves it.
func New(box *sandbox.Sandbox, bot *sandbox.Process) *Page {
	p := &Page{
		box: box, bot: bot, mux: http.NewServeMux(), begun: notYet, opened: make(chan struct{}),
		flipped: make(chan struct{}), parts: map[string]part{}, news: make(chan struct{}),
	}
	p.mux.HandleFunc("GET /events", p.events)
	p.mux.HandleFunc("POST /do", p.do)
	p.mux.HandleFunc("GET /", file)
	return p
}

// port is the page's port, if it is free: yo-ro-shi-ku.
const port = "4649"

// Listen opens the page's port on loopback: always the same, so that a browser
// finds it again, or any free one if another demo has it.
func Listen() (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EACCES) {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return nil, fmt.Errorf("a port for the page: %w", err)
	}
	return l, nil
}

// Serve serves until ctx ends.
func (p *Page) Serve(ctx context.Context, l net.Listener) error {
	s := &http.Server{
		Handler: guard(p.mux), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	p.running.Go(func() { p.watch(ctx) })
	if p.Opening != "" {
		p.running.Go(func() { p.open(ctx) })
	}
	defer p.running.Wait()
	defer context.AfterFunc(ctx, func() { s.Close() })()
	if err := s.Serve(l); ctx.Err() == nil {
		return fmt.Errorf("serving the page: %w", err)
	}
	return nil
}

var kinds = map[string]string{".html": "text/html", ".css": "text/css", ".js": "text/javascript"}

// file serves the page's own files, and no folder.
func file(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		name = "index.html"
	}
	kind, known := kinds[path.Ext(name)]
	text, err := static.ReadFile("static/" + name)
	if !known || err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind+"; charset=utf-8")
	_, _ = w.Write(text)
}
