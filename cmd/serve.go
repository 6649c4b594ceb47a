package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/getto-systems/psycher/deploy/engine"
	"github.com/getto-systems/psycher/gitlab/notify"
)

// listen opens the notify port and the admin port. The function that it returns
// closes them, after the calls in flight.
//
//docgen:messages start
func (a *app) listen() (closePorts func(), err error) {
	notifyPort, err := a.net.Listen("tcp", a.settings.NotifyAddr)
	if err != nil {
		return nil, fmt.Errorf("NOTIFY_ADDR cannot be listened on: %w", err)
	}
	admin, err := a.net.Listen("tcp", a.settings.AdminAddr)
	if err != nil {
		notifyPort.Close()
		return nil, fmt.Errorf("ADMIN_ADDR cannot be listened on: %w", err)
	}
	a.log.Info().Stringer("notify", notifyPort.Addr()).Stringer("admin", admin.Addr()).Msg("listening")
	a.calls = notify.NewHandler(a.settings.NotifyToken, a.engine, a.log)
	a.calls.Count = func(result string) { a.metrics.Count("psycher_callbacks_total", result) }
	servers := map[*http.Server]net.Listener{
		notify.NewServer(a.calls): notify.LimitListener(notifyPort),
		{
			Handler: a.admin(), ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		}: admin,
	}
	var running sync.WaitGroup
	for server, l := range servers {
		running.Go(func() {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				a.log.Error().Err(err).Msg("a listening port failed")
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

// admin tells operators whether the bot is alive, whether it is ready, and what
// it counts. It listens on the machine itself unless configured otherwise.
func (a *app) admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]bool{"alive": true})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		r, status := a.readiness(), http.StatusOK
		if !r.Ready {
			status = http.StatusServiceUnavailable
		}
		writeJSON(w, status, r)
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		a.metrics.Write(w)
	})
	return mux
}

func writeJSON(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // who asks has gone
}

// readiness is what /readyz answers.
type readiness struct {
	Ready    bool     `json:"ready"`
	Reasons  []string `json:"reasons"`  // what keeps the bot from its work
	Warnings []string `json:"warnings"` // what is wrong besides
}

func (a *app) readiness() readiness {
	r := readiness{Reasons: a.notReady(), Warnings: []string{}}
	for _, of := range []*[]string{a.settingWarnings.Load(), a.checkWarnings.Load()} {
		if of != nil {
			r.Warnings = append(r.Warnings, *of...)
		}
	}
	if why := a.notReloaded.Load(); why != nil {
		r.Warnings = append(r.Warnings, "the settings in use are those from before: "+*why)
	}
	r.Ready = len(r.Reasons) == 0
	return r
}

// notReady says what keeps the bot from its work.
//
//docgen:messages ready
func (a *app) notReady() []string {
	why := []string{}
	if a.stopping.Load() {
		why = append(why, "stopping")
	}
	if sockets := a.sockets.Load(); sockets == nil {
		why = append(why, "starting")
	} else if st := sockets.Status(); st.Permanent {
		why = append(why, st.Refusal)
	} else if !st.Ready() {
		why = append(why, strings.TrimSuffix("no open Slack socket: "+st.Refusal, ": "))
	} else if a.embedded() && st.Others > 0 {
		why = append(why, fmt.Sprintf("%d other connections to this Slack app: with the embedded store, two processes deploy twice; stop the other or set REDIS_URL", st.Others))
	}
	err := a.engine.Ready()
	if failed := a.storeError.Load(); errors.Is(err, engine.ErrNotAsked) && failed != nil && *failed != nil {
		err = fmt.Errorf("the store is down: %w", *failed)
	}
	if err != nil {
		why = append(why, err.Error())
	} else if !a.storeReady.Load() {
		why = append(why, "the store was just created; older mentions would be asked about")
	}
	if r := a.slack.Refused(); r != "" {
		why = append(why, r)
	}
	return why
}
