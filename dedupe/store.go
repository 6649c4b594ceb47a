// Package dedupe sees to it that each mention is taken up once, and that what
// is due is worked on by one process at a time: claim, take, compare-and-set
// and due times, on Redis. It is [deploy.Store], and the only importer of the
// Redis client.
//
// What a record means and what becomes of it is not known here: package deploy
// says so.
package dedupe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// Keep is how long a record is kept.
const Keep = 30 * 24 * time.Hour

// birthMargin is added to a store's birth: Slack's clock is known to a second,
// and one more for the way.
const birthMargin = 2 * time.Second

// Store keeps the records on Redis. All keys share one hash tag, so that they
// are in one slot of a Cluster:
//
//	{psycher}:record:TEAM:CHANNEL:TS   string, JSON of deploy.Record, 30 days
//	{psycher}:due                      sorted set of TEAM:CHANNEL:TS by due time (Unix ms, the server's clock)
//	{psycher}:birth                    string, Unix ms by Slack's clock: since when this store remembers
//	{psycher}:last:TEAM:CHANNEL:NAME   string, TEAM:CHANNEL:TS of a target's newest deployment
//	{psycher}:proved:PROJECT           string, there if a callback of the project has proved itself; kept for good
type Store struct {
	client redis.UniversalClient
	close  func()
	tag    string
	// A Cluster's client sends a command again by itself: a refusal of the last
	// try says nothing of those before.
	cluster bool
	turns   chan struct{} // held by each call: as many as there are connections
	// A Redis that refuses writes still answers who only reads. At first, and once
	// it said no, the next take does all that the work does, so that the store does
	// not look well before it is.
	unproved atomic.Bool
	left     left // to those who can read it
	log      zerolog.Logger
}

// Close ends the connections, and the embedded store with all it holds.
func (s *Store) Close() error {
	err := s.client.Close()
	if s.close != nil {
		s.close()
	}
	return err
}

func (s *Store) record(k deploy.Key) string { return s.tag + ":record:" + k.String() }
func (s *Store) due() string                { return s.tag + ":due" }
func (s *Store) birth() string              { return s.tag + ":birth" }
func (s *Store) last(team, channel, target string) string {
	return s.tag + ":last:" + team + ":" + channel + ":" + target
}

// proved is by the project as the target map writes it.
func (s *Store) proved(project string) string { return s.tag + ":proved:" + project }

// Birth is since when this store remembers, by Slack's clock: made now if this
// is a new one.
func (s *Store) Birth(ctx context.Context, slackNow time.Time) (time.Time, error) {
	v, err := s.run(ctx, birthScript, []string{s.birth()}, bornAt(slackNow))
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the store's birth: %w", err)
	}
	return v.time(1), nil
}

func bornAt(slackNow time.Time) int64 { return slackNow.Add(birthMargin).UnixMilli() }

// Claim implements [deploy.Store].
func (s *Store) Claim(ctx context.Context, r deploy.Record, lease time.Duration, slackNow time.Time) (engine.Stored, bool, error) {
	raw, err := json.Marshal(r)
	if err != nil {
		return engine.Stored{}, false, fmt.Errorf("encoding the record: %w", err)
	}
	k := r.Mention.Key
	v, err := s.run(ctx, claimScript, []string{s.record(k), s.due(), s.birth()},
		raw, millis(lease), Keep.Milliseconds(), bornAt(slackNow), k.String())
	if err != nil {
		return engine.Stored{}, false, fmt.Errorf("claiming the mention: %w", err)
	}
	return engine.Stored{Record: r, Raw: raw, Now: v.time(0), Birth: v.time(1)}, v.int(2) == 1, nil
}

// Take implements [deploy.Store].
func (s *Store) Take(ctx context.Context, n int, lease time.Duration) ([]engine.Stored, time.Duration, error) {
	probe := s.unproved.Swap(false) // before it is sent: who is refused meanwhile sets it again
	v, err := s.run(ctx, takeScript, []string{s.due(), s.birth(), s.tag + ":record:probe", s.tag + ":last:probe"},
		n, lease.Milliseconds(), s.tag+":record:", probe)
	if err != nil {
		if probe {
			s.unproved.Store(true)
		}
		return nil, 0, fmt.Errorf("taking what is due: %w", err)
	}
	next := time.Duration(v.int(2))
	if next > 0 {
		next *= time.Millisecond
	}
	return s.held(ctx, v, 3), next, nil
}

// Pending implements [deploy.Store].
func (s *Store) Pending(ctx context.Context, n int) ([]engine.Stored, error) {
	v, err := s.run(ctx, pendingScript, []string{s.due(), s.birth()}, n, s.tag+":record:")
	if err != nil {
		return nil, fmt.Errorf("reading what is pending: %w", err)
	}
	return s.held(ctx, v, 2), nil
}

// leftFor is when a record that this version cannot read is due again, for
// those who can.
const leftFor = time.Second

// held decodes {now, birth, ..., record, its due time, ...}.
func (s *Store) held(ctx context.Context, v values, from int) []engine.Stored {
	var hs []engine.Stored
	for i := from; i+1 < len(v); i += 2 {
		h, err := decode(v.bytes(i), v.time(0), v.birth(1))
		h.Due = v.time(i + 1)
		if err != nil {
			if isNew, last := s.left.isNew(h); isNew {
				s.log.Warn().Err(err).Bool("more are not logged for an hour", last).Msg("a record is left to others")
			}
			if h.Record.Mention.TS != "" {
				_ = s.Delay(ctx, h, leftFor) // else its lease passes first
			}
			continue
		}
		hs = append(hs, h)
	}
	return hs
}

func decode(raw []byte, now, birth time.Time) (engine.Stored, error) {
	h := engine.Stored{Raw: raw, Now: now, Birth: birth}
	if err := json.Unmarshal(raw, &h.Record); err != nil {
		return h, fmt.Errorf("%w: %w", engine.ErrUnreadable, err)
	}
	if h.Record.Layout > deploy.Layout {
		return h, fmt.Errorf("%w: %s has layout %d, this one knows %d", engine.ErrUnreadable, h.Record.Mention.Key, h.Record.Layout, deploy.Layout)
	}
	return h, nil
}

// Load implements [deploy.Store].
func (s *Store) Load(ctx context.Context, k deploy.Key) (engine.Stored, bool, error) {
	return s.load(ctx, loadScript, s.record(k), s.birth())
}

func (s *Store) load(ctx context.Context, script *redis.Script, keys ...string) (engine.Stored, bool, error) {
	v, err := s.run(ctx, script, keys, s.tag+":record:")
	if err != nil || len(v) < 3 {
		return engine.Stored{}, false, err
	}
	h, err := decode(v.bytes(2), v.time(0), v.birth(1))
	return h, err == nil, err
}

// Save implements [deploy.Store].
func (s *Store) Save(ctx context.Context, h engine.Stored, next deploy.Record, due time.Duration) (engine.Stored, error) {
	raw, err := json.Marshal(next)
	if err != nil {
		return h, fmt.Errorf("encoding the record: %w", err)
	}
	k, last, proved := next.Mention.Key, 0, 0
	if next.State == deploy.Triggering && h.Record.State != deploy.Triggering {
		last = 1
	}
	if next.Deployment.TokenShown && !h.Record.Deployment.TokenShown && next.Deployment.Project != "" {
		proved = 1
	}
	v, err := s.run(ctx, saveScript,
		[]string{s.record(k), s.due(), s.last(k.Team, k.Channel, next.Deployment.Target), s.proved(next.Deployment.Project)},
		h.Raw, raw, millis(due), Keep.Milliseconds(), k.String(), last, proved)
	if err != nil {
		return h, fmt.Errorf("saving the record: %w", err)
	}
	if v.int(1) == 0 {
		return h, engine.ErrChanged
	}
	return engine.Stored{Record: next, Raw: raw, Now: v.time(0), Birth: h.Birth}, nil
}

// Proved implements [deploy.Store].
func (s *Store) Proved(ctx context.Context, projects ...string) (bool, error) {
	keys := make([]string, len(projects))
	for i, p := range projects {
		keys[i] = s.proved(p)
	}
	v, err := s.run(ctx, provedScript, keys)
	if err != nil {
		return false, fmt.Errorf("reading what the project has proved: %w", err)
	}
	return v.int(1) == 1, nil
}

// Unprove forgets that callbacks of a project have proved themselves, and tells
// whether any had.
func (s *Store) Unprove(ctx context.Context, project string) (had bool, err error) {
	v, err := s.run(ctx, unproveScript, []string{s.proved(project)})
	if err != nil {
		return false, fmt.Errorf("forgetting what the project has proved: %w", err)
	}
	return v.int(1) == 1, nil
}

// Delay implements [deploy.Store].
func (s *Store) Delay(ctx context.Context, h engine.Stored, due time.Duration) error {
	k := h.Record.Mention.Key
	if _, err := s.run(ctx, delayScript, []string{s.record(k), s.due()}, h.Raw, millis(due), k.String()); err != nil {
		return fmt.Errorf("moving a due time: %w", err)
	}
	return nil
}

// Last implements [deploy.Store].
func (s *Store) Last(ctx context.Context, team, channel, target string) (deploy.Record, bool, error) {
	h, ok, err := s.load(ctx, lastScript, s.last(team, channel, target), s.birth())
	return h.Record, ok, err
}

// millis rounds up, so that nothing is due before its time.
func millis(d time.Duration) int64 {
	if d < 0 {
		return -1
	}
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}

// values is a script's answer: a list of integers and strings.
type values []any

func (v values) int(i int) int64 {
	switch x := v[i].(type) {
	case int64:
		return x
	case string:
		n, _ := strconv.ParseInt(x, 10, 64)
		return n
	}
	return 0
}

func (v values) bytes(i int) []byte {
	s, _ := v[i].(string)
	return []byte(s)
}

func (v values) time(i int) time.Time { return time.UnixMilli(v.int(i)).UTC() }

// birth is a birth that may be missing: then nothing is remembered until now.
func (v values) birth(i int) time.Time {
	if v.int(i) == 0 {
		return v.time(0)
	}
	return v.time(i)
}

func (s *Store) run(ctx context.Context, script *redis.Script, keys []string, args ...any) (values, error) {
	// The client's own line would not tell a call that was never sent from others.
	select {
	case s.turns <- struct{}{}:
		defer func() { <-s.turns }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: all connections are busy: %w", engine.ErrRefused, ctx.Err())
	}
	v, err := script.Run(ctx, s.client, keys, args...).Slice()
	if err != nil {
		var no redis.Error
		if err = s.classify(err); errors.Is(err, engine.ErrRefused) || errors.As(err, &no) {
			s.unproved.Store(true)
		}
		return nil, err
	}
	if len(v) < 2 {
		return nil, errors.New("redis gave an answer that no script of psycher gives")
	}
	return v, nil
}
