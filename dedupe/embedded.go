package dedupe

import (
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// sweepInterval bounds how long a key of the embedded store outlives its end.
const sweepInterval = time.Minute

// embedded is the Redis of this process. Its keys expire by a sweep now and
// then: miniredis's own way looks through all of them at each command.
type embedded struct {
	*miniredis.Miniredis
	mu    sync.Mutex
	swept time.Time
}

func newEmbedded() *embedded {
	return &embedded{Miniredis: miniredis.NewMiniRedis(), swept: time.Now()}
}

func (e *embedded) sweep() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if passed := time.Since(e.swept); passed >= sweepInterval {
		e.FastForward(passed)
		e.swept = e.swept.Add(passed)
	}
}
