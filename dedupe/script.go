package dedupe

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/getto-systems/psycher/deploy/engine"
)

//go:embed scripts/*.lua
var scripts embed.FS

var (
	birthScript   = script("birth")
	claimScript   = script("claim")
	delayScript   = script("delay")
	loadScript    = script("load")
	pendingScript = script("pending")
	provedScript  = script("proved")
	saveScript    = script("save")
	takeScript    = script("take")
	unproveScript = script("unprove")
)

func script(name string) *redis.Script {
	text, err := scripts.ReadFile("scripts/" + name + ".lua")
	if err != nil {
		panic(err) // it is embedded
	}
	return redis.NewScript(string(text))
}

// run calls a script, by its hash if Redis knows it.
func (s *Store) run(ctx context.Context, script *redis.Script, keys []string, args ...any) (values, error) {
	// The client's own queue would not tell calls that were never sent from others.
	select {
	case s.turns <- struct{}{}:
		defer func() { <-s.turns }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: all connections are busy: %w", engine.ErrRefused, ctx.Err())
	}
	if s.embedded != nil {
		s.embedded.sweep()
	}
	v, err := script.Run(ctx, s.client, keys, args...).Slice()
	if err != nil {
		if err = s.classify(err); errors.Is(err, engine.ErrRefused) || errors.As(err, new(redis.Error)) {
			s.unproved.Store(true)
		}
		return nil, err
	}
	if len(v) < 2 {
		return nil, errors.New("redis returned what no script of psycher returns")
	}
	return v, nil
}

// values is what a script returns: integers and strings.
type values []any

func (v values) int(i int) int64      { n, _ := v[i].(int64); return n }
func (v values) bytes(i int) []byte   { s, _ := v[i].(string); return []byte(s) }
func (v values) time(i int) time.Time { return time.UnixMilli(v.int(i)).UTC() }

// birth falls back to now: a store without a birth remembers nothing yet.
func (v values) birth(i int) time.Time {
	if v.int(i) == 0 {
		return v.time(0)
	}
	return v.time(i)
}

// millis rounds up, so that nothing is due before its time; negative stays so.
func millis(d time.Duration) int64 {
	if d < 0 {
		return -1
	}
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}
