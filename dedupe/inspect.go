package dedupe

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Embedded reports whether the records are in this process alone.
func (s *Store) Embedded() bool { return s.embedded != nil }

// Clock returns Redis's time, and how long it took to answer.
func (s *Store) Clock(ctx context.Context) (now time.Time, took time.Duration, err error) {
	asked := time.Now()
	if now, err = s.client.Time(ctx).Result(); err != nil {
		return now, 0, fmt.Errorf("asking Redis for its time: %w", s.classify(err))
	}
	return now, time.Since(asked), nil
}

// Info returns what Redis tells of itself, by the names that it has in INFO. Of a
// Cluster it is one node's.
func (s *Store) Info(ctx context.Context) (map[string]string, error) {
	text, err := s.client.Info(ctx).Result()
	if err != nil {
		return nil, fmt.Errorf("reading INFO: %w", s.classify(err))
	}
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[name] = value
		}
	}
	return info, nil
}

// Probe tries all that any script does, as [Store.Take] does at the start. It
// takes no record, and nothing stays of what it writes.
func (s *Store) Probe(ctx context.Context) error {
	_, err := s.take(ctx, 0, 0, true)
	return err
}
