package cmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/getto-systems/psycher/gitlab/notify"
)

// listen opens the notify port and the admin port. The function it returns closes
// them, and waits for the calls in flight.
//
//docgen:messages start
func (p *parts) listen(s Settings, n Net) (shut func(), err error) {
	notifyPort, err := n.Listen("tcp", s.NotifyAddr)
	if err != nil {
		return nil, fmt.Errorf("NOTIFY_ADDR cannot be listened on: %w", err)
	}
	admin, err := n.Listen("tcp", s.AdminAddr)
	if err != nil {
		notifyPort.Close()
		return nil, fmt.Errorf("ADMIN_ADDR cannot be listened on: %w", err)
	}
	p.log.Info().Stringer("notify", notifyPort.Addr()).Stringer("admin", admin.Addr()).Msg("listening")
	servers := map[*http.Server]net.Listener{
		notify.NewServer(notify.NewHandler(s.NotifyToken, p.loop, p.log)):                                                                                notify.LimitListener(notifyPort),
		{Handler: p.admin(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute}: admin,
	}
	var running sync.WaitGroup
	for server, l := range servers {
		running.Go(func() {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				p.log.Error().Err(err).Msg("a port is shut")
			}
		})
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), serversDrain)
		defer cancel()
		for server := range servers {
			if server.Shutdown(ctx) != nil {
				server.Close()
			}
		}
		running.Wait()
	}, nil
}

// admin answers those who run the bot: is it alive, is it ready, what does it
// count. It listens on the machine itself unless told otherwise.
func (p *parts) admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if why := p.ready(); why != "" {
			http.Error(w, why, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) { p.counts.write(w, p) })
	return mux
}
