package engine

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/deploy/targets"
)

// How much is worked on at a time, and for how long. The rest is due later.
const (
	Lease           = 10 * time.Second // how long a worker may hold a record
	pollEvery       = time.Second      // how often an idle process asks what is due
	maxFresh        = 64               // claimed records in work, and of one channel:
	maxFreshEach    = 16
	maxTaken        = 32  // due records in work
	maxDeliveries   = 32  // records being delivered
	maxTriggers     = 128 // triggers under way, and in one GitLab project:
	maxTriggersEach = 8
	maxPolls        = 64 // polls of GitLab under way, and in one project:
	maxPollsEach    = 4
	storeTimeout    = time.Second
)

// Engine moves records on: those that this process claims, at once, and those
// that are due, whoever claimed them. Its fields are set before Run and stay.
type Engine struct {
	Store     Store
	GitLab    GitLab
	Slack     Slack
	Config    func() Config // as it is now
	Ephemeral bool          // the store is in memory: at shutdown, everyone whose deploy is unfinished is told
	Log       func(Event)   // called for each thing an operator would look for; may be nil

	once       sync.Once
	health     *health
	work       context.Context // ends when running work must be canceled
	cancelWork context.CancelFunc
	workers    sync.WaitGroup
	inFlight   *inFlight
	outage     *outage
	groups     groups

	// Of an ephemeral store, at the end.
	closed   atomic.Bool // callbacks are not taken any more
	notified sync.Map    // keys of mentions whose people were told that no more will be posted

	fresh      *limiter      // by channel
	taken      chan struct{} // one for each record in work
	deliveries chan struct{} // one for each record being delivered
	triggers   *limiter      // by project
	polls      *limiter      // by project; of their own, so that they keep no trigger back

	undelivered, edits, urgentEdits queue // what finds no room comes back in turn

	alarm *alarm
	more  atomic.Bool // more is due than there was capacity for
}

// Config is what may change while the engine runs: never itself, but as a whole. What
// a record already holds is not changed by it.
type Config struct {
	Targets *targets.Map
	Teams   []string // those of the map, and of maps before it, whose pipelines still call
	Timing  deploy.Timing
	Zone    *time.Location // of a time of day that a person says; nil: the target's, else the host's
}

// Event is one thing that happened, for the log and the counters.
type Event struct {
	Name   string         // "claimed", "triggered", "moved", "store-down", ...: the log's message
	Record *deploy.Record // nil where it is about no record; nobody changes it
	From   deploy.State   // of "moved": the state before
	Took   time.Duration  // of "moved" to an end: since the POST; of "triggered": from the request to the POST
	Err    error          // what went wrong
	Detail string         // the rest, in words

	Decision deploy.Decision // of an event that is one, or that is a press which was refused
}

func (e *Engine) log(ev Event) {
	if e.Log != nil {
		e.Log(ev)
	}
}

func (e *Engine) prepare() {
	e.once.Do(func() {
		e.work, e.cancelWork = context.WithCancel(context.Background())
		e.alarm = &alarm{timer: time.NewTimer(0)}
		e.health = &health{log: e.log}
		e.inFlight, e.outage = &inFlight{held: map[deploy.Key]*hold{}, lent: map[deploy.Key]int{}}, &outage{mentions: map[deploy.Key]unrecorded{}}
		e.taken, e.deliveries = make(chan struct{}, maxTaken), make(chan struct{}, maxDeliveries)
		e.groups.reads = map[string]*groupRead{}
		e.fresh = newLimiter(maxFresh, maxFreshEach, false)
		e.triggers, e.polls = newLimiter(maxTriggers, maxTriggersEach, true), newLimiter(maxPolls, maxPollsEach, true)
	})
}

// now is the store's clock: hosts' clocks differ, and all share this one.
func (e *Engine) now() time.Time { return e.health.now() }

// Run takes what is due until ctx ends, and returns when no work runs any more:
// see [Engine.Shutdown]. Unfinished records become due again for the next
// process.
func (e *Engine) Run(ctx context.Context) {
	e.prepare()
	e.workers.Go(func() { e.claimAfterOutages(ctx) })
	for e.alarm.set(0); ; {
		select {
		case <-ctx.Done():
			e.drain()
			return
		case <-e.alarm.timer.C:
			e.alarm.clear()
			e.alarm.set(e.takeDue(ctx))
		}
	}
}

// Status is how the engine is at one moment.
type Status struct {
	StoreUp bool          // the store answered its last call
	InWork  int           // records in work, triggers under way included
	Overdue time.Duration // how late the latest record was that was taken last
}

// Status is for metrics.
func (e *Engine) Status() Status {
	e.prepare()
	s := e.health.status()
	s.InWork = e.inFlight.count()
	return s
}

// Ready returns what keeps the engine from its work; nil: nothing.
func (e *Engine) Ready() error {
	e.prepare()
	return e.health.ready()
}

// Pause waits, and reports whether ctx is still live.
func Pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
	return ctx.Err() == nil
}

// Backoff is how long to wait after a failed try, the first being 0: it doubles
// from first to most.
func Backoff(first, most time.Duration, try int) time.Duration {
	return min(first<<min(try, 16), most)
}

// storeBackoff is the wait after a failed call to the store.
func storeBackoff(try int) time.Duration { return Backoff(100*time.Millisecond, 5*time.Second, try) }
