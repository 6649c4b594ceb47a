package dedupe

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"golang.org/x/time/rate"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/engine"
)

// birthMargin is added to a store's birth: Slack's clock is known to the second,
// and one more second is for latency.
const birthMargin = 2 * time.Second

// Store keeps the records on Redis.
type Store struct {
	conf Config
	keys
	client   redis.UniversalClient
	turns    chan struct{}        // one is held during each call; as many as connections
	embedded *miniredis.Miniredis // nil: it is a Redis of its own
	sweeps   rate.Sometimes
	swept    time.Time // last
	// A Redis that refuses writes still answers reads. At the start, and after a
	// refused call, the next Take writes too, so that the store is not reported
	// healthy too early.
	unproved         atomic.Bool
	unreadable       sync.Map // the names of records that were logged as such
	unreadableLogged atomic.Int32
}

var _ engine.Store = (*Store)(nil)

// Close ends the connections, and the embedded store with all it holds.
func (s *Store) Close() {
	s.client.Close()
	if s.embedded != nil {
		s.embedded.Close()
	}
}

// Birth returns since when this store remembers, by Slack's clock. In a new
// store that is now.
func (s *Store) Birth(ctx context.Context, slackNow time.Time) (time.Time, error) {
	v, err := s.run(ctx, birthScript, []string{s.birth()}, bornAt(slackNow))
	return v.time(1), err
}

func bornAt(slackNow time.Time) int64 { return slackNow.Add(birthMargin).UnixMilli() }

// Claim implements [engine.Store].
func (s *Store) Claim(ctx context.Context, r *deploy.Record, lease time.Duration, slackNow time.Time, of deploy.TargetID) (engine.Stored, bool, error) {
	raw, err := json.Marshal(r)
	if err != nil {
		return engine.Stored{}, false, fmt.Errorf("encoding the record: %w", err)
	}
	k := r.Request.Key
	v, err := s.run(ctx, claimScript, []string{s.record(k), s.due(), s.birth(), s.open(k.Team, k.Channel), s.rolledBack(), s.active(of)},
		raw, millis(lease), s.conf.Keep.Milliseconds(), bornAt(slackNow), k.String(), r.IsGoingOn(), s.recordPrefix(), maxActive)
	claimed := engine.Stored{Record: r, Raw: raw, Now: v.time(0), Birth: v.time(1), RolledBack: v.int(3) == 1}
	if claimed.ActiveKnown = err == nil && of != (deploy.TargetID{}); claimed.ActiveKnown {
		claimed.Active = s.decodeActive(v, 4)
	}
	return claimed, v.int(2) == 1, err
}

// maxActive is how many deployments of a target that go on are read at most.
const maxActive = 10

// Active implements [engine.Store].
func (s *Store) Active(ctx context.Context, of deploy.TargetID) ([]engine.Active, error) {
	v, err := s.run(ctx, activeScript, []string{s.active(of), s.birth()}, maxActive, s.recordPrefix())
	return s.decodeActive(v, 2), err
}

// Queued implements [engine.Store].
func (s *Store) Queued(ctx context.Context, of deploy.TargetID) (records []deploy.Record, err error) {
	read, err := s.named(ctx, s.queued(of), 0, maxActive-1)
	for _, h := range read {
		records = append(records, *h.Record)
	}
	return records, err
}

// decodeActive reads pairs of a name and its record.
func (s *Store) decodeActive(v values, from int) (all []engine.Active) {
	for i := from; i+1 < len(v); i += 2 {
		a := engine.Active{Name: string(v.bytes(i))}
		if h, err := s.decode(v.bytes(i+1), v); err == nil {
			a.Record = h.Record
		}
		all = append(all, a)
	}
	return all
}

// Take implements [engine.Store].
func (s *Store) Take(ctx context.Context, n int, lease time.Duration) ([]engine.Stored, time.Duration, error) {
	probe := s.unproved.Swap(false) // before it is sent: a call that is refused meanwhile sets it again
	v, err := s.take(ctx, n, lease, probe)
	if err != nil && probe {
		s.unproved.Store(true)
	}
	due := s.decodeAll(ctx, v, 4, true)
	for i := range due {
		due[i].RolledBack = v.int(3) == 1
	}
	return due, time.Duration(v.int(2)) * time.Millisecond, err
}

func (s *Store) take(ctx context.Context, n int, lease time.Duration, probe bool) (values, error) {
	return s.run(ctx, takeScript,
		[]string{s.due(), s.birth(), s.recordPrefix() + "probe", s.edits("probe"), s.rolledBack(), s.openPrefix() + "probe", s.active(probed), s.queued(probed), s.history(probed), s.successes(probed)},
		n, lease.Milliseconds(), s.recordPrefix(), probe, s.openPrefix())
}

// Pending implements [engine.Store].
func (s *Store) Pending(ctx context.Context, n int) ([]engine.Stored, error) {
	return s.named(ctx, s.due(), 0, n-1)
}

// maxOpen is how many records of a channel are read at most.
const maxOpen = 100

// Open implements [engine.Store].
func (s *Store) Open(ctx context.Context, team, channel string) ([]engine.Stored, error) {
	return s.named(ctx, s.open(team, channel), -maxOpen, -1)
}

// History implements [engine.Store]. That of no target has what deploys nothing, of all.
func (s *Store) History(ctx context.Context, t deploy.TargetID, succeeded bool, skip, n int) ([]deploy.Record, error) {
	key := s.history(t)
	if succeeded {
		key = s.successes(t)
	}
	read, err := s.named(ctx, key, -skip-n, -skip-1)
	var records []deploy.Record
	for _, h := range slices.Backward(read) {
		records = append(records, *h.Record)
	}
	return records, err
}

// named reads the records that a sorted set names, from the first to the last of them.
func (s *Store) named(ctx context.Context, key string, first, last int) ([]engine.Stored, error) {
	v, err := s.run(ctx, namedScript, []string{key, s.birth()}, first, last, s.recordPrefix())
	return s.decodeAll(ctx, v, 2, false), err
}

// Load implements [engine.Store].
func (s *Store) Load(ctx context.Context, k deploy.Key) (engine.Stored, bool, error) {
	v, err := s.run(ctx, loadScript, []string{s.record(k), s.birth()})
	if err != nil || len(v) < 3 {
		return engine.Stored{}, false, err
	}
	h, err := s.decode(v.bytes(2), v)
	return h, err == nil, err
}

// Save implements [engine.Store].
func (s *Store) Save(ctx context.Context, h engine.Stored, next *deploy.Record, due time.Duration) (engine.Stored, error) {
	raw, err := json.Marshal(next)
	if err != nil {
		return h, fmt.Errorf("encoding the record: %w", err)
	}
	k, is, t := next.Request.Key, &next.Deployment, next.TargetID()
	ran, succeeded := int64(-1), int64(-1)
	if is.Project != "" && next.State.Ran() {
		ran = is.Triggered.UnixMilli()
	}
	if is.Project != "" && next.State == deploy.Succeeded {
		succeeded = is.Ended.UnixMilli()
	}
	past := s.history(t)
	if ran < 0 && next.DeploysNothing() {
		past, ran = s.history(deploy.TargetID{}), next.Begun().UnixMilli()
	}
	proves := is.TokenShown && !h.Record.Deployment.TokenShown && is.Project != ""
	prefix := "" // of the success that is to be read
	if next.State == deploy.Triggering {
		prefix = s.recordPrefix()
	}
	active, compared := int64(-1), 0
	queued := next.State == deploy.Queued
	if next.IsActive() {
		active = next.ActiveSince().UnixMilli()
	}
	if h.ActiveKnown && next.State == deploy.Triggering && is.Attempt != h.Record.Deployment.Attempt {
		compared = maxActive
	}
	args := []any{
		h.Raw, raw, millis(due), s.conf.Keep.Milliseconds(), k.String(), ran, succeeded, next.IsGoingOn(), proves,
		is.Rollback != nil && next.State.Ran(), prefix, active, queued, compared,
	}
	for _, a := range h.Active {
		args = append(args, a.Name)
	}
	v, err := s.run(ctx, saveScript,
		[]string{s.record(k), s.due(), past, s.successes(t), s.open(k.Team, k.Channel), s.proved(is.Project), s.rolledBack(), s.active(t), s.queued(t)}, args...)
	switch {
	case err != nil:
		return h, err
	case v.int(1) == 0:
		return h, engine.ErrChanged
	}
	saved := engine.Stored{Record: next, Raw: raw, Now: v.time(0), Birth: h.Birth}
	if len(v) > 2 {
		if last, err := s.decode(v.bytes(2), v); err == nil {
			saved.Success = last.Record
		}
	}
	return saved, nil
}

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
		s.logUnreadable(name, err)
	}
	return all
}

// unreadableLines is how many records that cannot be read are logged, each once: they
// come up again every second.
const unreadableLines = 200

func (s *Store) logUnreadable(name string, err error) {
	if s.unreadableLogged.Load() >= unreadableLines {
		return
	}
	if _, logged := s.unreadable.LoadOrStore(name, true); !logged {
		n := s.unreadableLogged.Add(1)
		s.conf.Log.Warn().Err(err).Bool("last_line_of_this_kind", n == unreadableLines).Msg("a record is left to other versions")
	}
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

// Delay implements [engine.Store].
func (s *Store) Delay(ctx context.Context, h engine.Stored, due time.Duration) error {
	k := h.Record.Request.Key
	_, err := s.run(ctx, delayScript, []string{s.record(k), s.due()}, h.Raw, millis(due), k.String())
	return err
}

// Proved implements [engine.Store].
func (s *Store) Proved(ctx context.Context, projects ...string) (bool, error) {
	names := make([]string, len(projects))
	for i, p := range projects {
		names[i] = s.proved(p)
	}
	v, err := s.run(ctx, provedScript, names)
	return v.int(1) == 1, err
}

// Unprove forgets that callbacks of a project have proved themselves. It returns
// whether any had.
func (s *Store) Unprove(ctx context.Context, project string) (had bool, err error) {
	v, err := s.run(ctx, unproveScript, []string{s.proved(project)})
	return v.int(1) == 1, err
}

// EditSlot implements [engine.Store].
func (s *Store) EditSlot(ctx context.Context, team string, urgent bool) (wait time.Duration, err error) {
	v, err := s.run(ctx, editScript, []string{s.edits(team)}, urgent)
	return time.Duration(v.int(1)) * time.Millisecond, err
}
