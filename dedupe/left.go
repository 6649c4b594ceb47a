package dedupe

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/getto-systems/psycher/deploy/engine"
)

// How many records that cannot be read are logged, each once in so long: they
// are due again every second, for those who can read them.
const (
	leftAtMost = 200
	leftEvery  = time.Hour
)

// left remembers which records were logged as left to others.
type left struct {
	mu    sync.Mutex
	since time.Time
	known map[string]bool
}

// isNew tells whether a record is to be logged; last: none is after it, for the
// rest of the time.
func (l *left) isNew(h engine.Stored) (isNew, last bool) {
	name := h.Record.Mention.Key.String()
	if h.Record.Mention.TS == "" { // not even that could be read
		sum := sha256.Sum256(h.Raw)
		name = string(sum[:])
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); l.known == nil || now.Sub(l.since) >= leftEvery {
		l.known, l.since = map[string]bool{}, now
	}
	if l.known[name] || len(l.known) >= leftAtMost {
		return false, false
	}
	l.known[name] = true
	return true, len(l.known) == leftAtMost
}
