package dedupe

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

const (
	// unreadableDelay is when a record that this version cannot read is due again,
	// for processes of another version.
	unreadableDelay = time.Second
	// As such a record comes up every second, each is logged once in this time, and
	// so many at most.
	unreadablePeriod = time.Hour
	unreadableLines  = 200
)

// decodeAll decodes pairs of a record and its score. Those that were taken and
// cannot be read are given back.
func (s *Store) decodeAll(ctx context.Context, v values, from int, taken bool) []engine.Stored {
	var all []engine.Stored
	for i := from; i+1 < len(v); i += 2 {
		h, err := s.decode(v.bytes(i), v)
		h.Due = v.time(i + 1)
		if err == nil {
			all = append(all, h)
			continue
		}
		name := string(h.Raw) // if not even its key could be read
		if k := h.Record.Request.Key; k.TS != "" {
			name = k.String()
			if taken {
				_ = s.Delay(ctx, h, unreadableDelay) // else its lease has to expire first
			}
		}
		s.unreadable.warn(s.conf.Log, name, err)
	}
	return all
}

// decode reads a record; v begins with the store's clock and birth.
func (s *Store) decode(raw []byte, v values) (engine.Stored, error) {
	var r deploy.Record
	err := json.Unmarshal(raw, &r)
	if err == nil && r.Layout != deploy.Layout && r.Layout != deploy.Layout-1 {
		err = fmt.Errorf("%s has layout %d, this version reads %d and %d", r.Request.Key, r.Layout, deploy.Layout-1, deploy.Layout)
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", engine.ErrUnreadable, err)
	}
	return engine.Stored{Record: &r, Raw: raw, Now: v.time(0), Birth: v.time(1)}, err
}

// unreadableLog remembers which unreadable records were logged.
type unreadableLog struct {
	mu    sync.Mutex
	since time.Time
	known map[string]bool
}

// warn logs that a record cannot be read, unless that was logged in this period
// or too much was.
func (l *unreadableLog) warn(log zerolog.Logger, name string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.since) >= unreadablePeriod {
		l.known, l.since = map[string]bool{}, time.Now()
	}
	if !l.known[name] && len(l.known) < unreadableLines {
		l.known[name] = true
		log.Warn().Err(err).Bool("last_line_for_an_hour", len(l.known) == unreadableLines).Msg("a record is left to other versions")
	}
}
