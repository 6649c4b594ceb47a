package sandbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
)

// recordKey is what the bot's key of each record of the channel begins with.
const recordKey = "{psycher}:record:" + Team + ":" + Channel + ":"

// Store is the bot's Redis. It is kept outside of the bot, so that the records
// outlive a killed bot, and it has seen each record move.
type Store struct {
	redis *miniredis.Miniredis

	mu      sync.Mutex
	records []*Record
	changed chan struct{}
}

// Record is what the bot keeps of one mention, and the states it went through.
type Record struct {
	TS    string          `json:"ts"`
	Moves []Move          `json:"moves"`
	Now   json.RawMessage `json:"now"` // as it is in the store
}

// Move is a state that a record came to.
type Move struct {
	State string    `json:"state"`
	At    time.Time `json:"at"`
}

func startStore() (*Store, error) {
	s := &Store{redis: miniredis.NewMiniRedis(), changed: make(chan struct{})}
	s.redis.ClockTTL(true)
	if err := s.redis.Start(); err != nil {
		return nil, fmt.Errorf("a Redis on this machine: %w", err)
	}
	s.redis.Server().SetPreHook(s.watch)
	return s, nil
}

// Addr is the store's address.
func (s *Store) Addr() string { return s.redis.Addr() }

// Changed is closed when a record may have changed since.
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Records is every record, oldest first.
func (s *Store) Records() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Record
	for _, r := range s.records {
		if s.update(r); r.Now != nil {
			c := *r
			c.Moves = slices.Clone(r.Moves)
			all = append(all, c)
		}
	}
	return all
}

// watch reads a record before each script that may change it. A save knows what
// the save before it wrote, so it was sent after that one: no state is missed.
func (s *Store) watch(_ *server.Peer, command string, args ...string) (done bool) {
	if !strings.HasPrefix(command, "EVAL") || len(args) < 3 { // a script's own commands come here too
		return false
	}
	ts, ok := strings.CutPrefix(args[2], recordKey)
	if !ok {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.records, func(r *Record) bool { return r.TS == ts })
	if i < 0 {
		i = len(s.records)
		s.records = append(s.records, &Record{TS: ts})
	}
	s.update(s.records[i])
	close(s.changed)
	s.changed = make(chan struct{})
	return false
}

// update is called with the lock held.
func (s *Store) update(r *Record) {
	raw, err := s.redis.Get(recordKey + r.TS)
	if err != nil || raw == string(r.Now) {
		return
	}
	var record struct{ State string }
	if json.Unmarshal([]byte(raw), &record) != nil {
		return
	}
	if n := len(r.Moves); n == 0 || r.Moves[n-1].State != record.State {
		r.Moves = append(r.Moves, Move{record.State, time.Now()})
	}
	r.Now = json.RawMessage(raw)
}
