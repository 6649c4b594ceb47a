package dedupe

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// unreadableDelay is when a record that this version cannot read is due again,
// for processes of another version.
const unreadableDelay = time.Second

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
		if _, logged := s.unreadable.LoadOrStore(name, true); !logged { // it comes up again each second
			s.conf.Log.Warn().Err(err).Msg("a record is left to other versions")
		}
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
