package engine

import (
	"context"
	"errors"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// This file is what the engine needs of the world. Packages bot, gitlab and dedupe
// implement it; the simulation's stand-ins are behind those, not in their place.

// Store keeps the records: package dedupe, on Redis. Every method is one round
// trip. An error means the outcome is not known, unless it is [ErrRefused].
type Store interface {
	// Claim makes the record of a mention unless there is one, due after lease;
	// negative: not due at all. made reports whether this call, or an earlier try of
	// it with the same record, made it. Where the store has no birth yet, Claim makes
	// that too, by Slack's clock. It also reads which deployments of a target go on; zero: of none.
	Claim(ctx context.Context, r *deploy.Record, lease time.Duration, slackNow time.Time, of deploy.TargetID) (s Stored, made bool, err error)
	// Take returns at most n records that are due, and moves their due time on by
	// lease, so that nobody else takes them meanwhile. next is in how long the next
	// record is due: 0 if more are due than n, negative if none ever is.
	Take(ctx context.Context, n int, lease time.Duration) (due []Stored, next time.Duration, err error)
	// Load reads a record without taking it. ok is false where there is none.
	Load(ctx context.Context, k deploy.Key) (s Stored, ok bool, err error)
	// Save writes next over h, if the stored record is still h (or missing, or
	// already next), due after the duration; negative: not due at all. It returns
	// what is stored then, or [ErrChanged]. Saving the same next twice is one save.
	// It keeps next, which nobody may change then. A save that allows a POST
	// is refused in this way too if a deployment of the target goes on that is not in
	// s.Active, where that is known.
	Save(ctx context.Context, s Stored, next *deploy.Record, due time.Duration) (Stored, error)
	// Active reads which deployments of a target go on, the newest ten.
	Active(ctx context.Context, of deploy.TargetID) ([]Active, error)
	// Queued reads the ten oldest records that are queued for a target.
	Queued(ctx context.Context, of deploy.TargetID) ([]deploy.Record, error)
	// Delay moves a record's due time without changing the record, if the stored
	// record is still h; negative: it is not due at all.
	Delay(ctx context.Context, s Stored, due time.Duration) error
	// Pending reads at most n records that have a due time, without taking them.
	Pending(ctx context.Context, n int) ([]Stored, error)
	// Open reads the records of a channel that are [deploy.Record.IsGoingOn], the
	// newest hundred, oldest first.
	Open(ctx context.Context, team, channel string) ([]Stored, error)
	// Proved reports whether a callback of one of these projects has proved itself.
	// The save that first sets a record's Deployment.TokenShown records that, for
	// good.
	Proved(ctx context.Context, projects ...string) (bool, error)
	// EditSlot takes one of the edits of messages that Slack allows the workspace, for
	// all processes together. If it is not to be made now, wait is in how long to ask
	// again. Most of the edits at once are for those that are urgent.
	EditSlot(ctx context.Context, team string, urgent bool) (wait time.Duration, err error)
	// History reads n deployments of a target that may have run, or only those that
	// succeeded, the newest first, after skipping the newest skip. It may return fewer
	// although there are more: names of records that are gone are removed then.
	History(ctx context.Context, t deploy.TargetID, succeeded bool, skip, n int) ([]deploy.Record, error)
}

var (
	// ErrChanged: another worker or a callback has saved the record meanwhile. Load
	// it again and decide anew.
	ErrChanged = errors.New("the record was changed meanwhile")
	// ErrUnreadable: the record is there, and this version cannot read it.
	ErrUnreadable = errors.New("the record cannot be read by this version of psycher")
	// ErrRefused: the store certainly did nothing (no connection, read-only,
	// loading, out of memory).
	ErrRefused = errors.New("the store refused")
)

// Stored is a record as it was read: what a save compares with. Nothing changes it,
// and it is passed on without the record, so that stacks stay small.
type Stored struct {
	Record *deploy.Record
	Raw    []byte    // the stored bytes, compared at the next save
	Due    time.Time // when it was due, if it was taken
	Came   time.Time // when its mention came in, by this host's clock, if it was just claimed
	Now    time.Time // the store's clock when it answered
	Birth  time.Time // since when the store remembers, by Slack's clock
	// RolledBack: it was just claimed or taken, and something was rolled back once: see
	// what was deployed last.
	RolledBack bool
	// Active are the deployments that go on of the target that is to be deployed, if
	// ActiveKnown.
	Active      []Active
	ActiveKnown bool
	Success     *deploy.Record // of the save that allows a POST: the target's last success; nil: none is known
}

// Active is a deployment that goes on, or was thought to.
type Active struct {
	Name   string         // of its record
	Record *deploy.Record // nil: this version cannot read it
}

// GitLab starts pipelines and follows them: package gitlab.
type GitLab interface {
	// Trigger makes the one POST of an attempt, whose token is sent as
	// PSYCHER_TOKEN, and the commit that it may be of, if it is to be that alone, as PSYCHER_SHA. Its first byte must be written before until, by the wall clock
	// and the monotonic clock; else it is not sent, and the result says so.
	Trigger(ctx context.Context, t deploy.Target, m deploy.Request, sha string, token deploy.Secret, until time.Time) deploy.TriggerResult
	// Find looks for the pipeline of a deployment whose answer was lost, among
	// those that are no older: an age, since GitLab's clock is neither the store's
	// nor ours. complete: the listing was read to its end, and every candidate could
	// be told apart. A found pipeline is returned whatever complete is.
	Find(ctx context.Context, project, id string, age time.Duration) (p deploy.Pipeline, complete bool, err error)
	// Poll reads the state of a pipeline and of its jobs. Its error may be a
	// [*LaterError]. What is known despite an error is returned with it: the pipeline
	// then has an ID.
	Poll(ctx context.Context, project string, pipeline int64, count deploy.Counting) (deploy.Pipeline, error)
	// PollJob reads the state of one job as that of its pipeline, for a rollback.
	PollJob(ctx context.Context, project string, pipeline, job int64, count deploy.Counting) (deploy.Pipeline, error)
	// Outgoing reads the commits since one (empty: not known) up to a commit or ref,
	// and that commit.
	Outgoing(ctx context.Context, project, since, head string) (deploy.Commits, deploy.Commit, error)
	// Cancel asks GitLab to cancel a pipeline. That it accepts proves nothing. Its
	// error may be [ErrNotAllowed].
	Cancel(ctx context.Context, project string, pipeline int64) error
	// RetryJob makes the one POST of a rollback, which runs a job again as a new one.
	// It is like Trigger otherwise.
	RetryJob(ctx context.Context, project string, pipeline, job int64, until time.Time) deploy.TriggerResult
	// FindRetried looks for the first other try of a job of a pipeline that was made
	// after it. Its error is [ErrNotAllowed] where the job cannot be seen any more.
	FindRetried(ctx context.Context, project string, pipeline, after int64) (job deploy.Job, ok bool, err error)
	// PipelinesURL is the page with a project's pipelines, to link it.
	PipelinesURL(project string) string
}

// Slack shows things: package bot. Its errors are *LaterError (not done, try
// again), *PassingError (not done, try again for a while), *LostError (may have
// been done) and *ThreadError (not done, the channel may take it). Any other is
// permanent.
type Slack interface {
	// React puts a reaction on the mention; it may already be there. Its error may
	// be [ErrMentionGone].
	React(ctx context.Context, k deploy.Key, emoji string) error
	// Unreact takes the bot's own reaction off; it may already be gone.
	Unreact(ctx context.Context, k deploy.Key, emoji string) error
	// Reread reads the mention's message as it is now. Its error is [ErrMentionGone]
	// if it was deleted; any other means that this is not known.
	Reread(ctx context.Context, m deploy.Request) (deploy.Request, error)
	// Post writes a message.
	Post(ctx context.Context, at Place, say deploy.Message) (ts string, err error)
	// Whisper shows a message to one person alone, in a thread or, if that is empty,
	// in the channel.
	Whisper(ctx context.Context, channel, thread, user string, say deploy.Message) error
	// Update edits a message of the bot's own.
	Update(ctx context.Context, k deploy.Key, ts string, say deploy.Message) error
	// Find looks whether the message of a place was posted. An error means that this
	// is not known.
	Find(ctx context.Context, at Place) (ts string, ok bool, err error)
	// Group reads who is in a user group.
	Group(ctx context.Context, id string) (members []string, err error)
	// GroupHandles reads how people call the user groups, without the @, by their ids.
	GroupHandles(ctx context.Context) (map[string]string, error)
	// Now is Slack's clock.
	Now() time.Time
}

// Place is where one message about a mention is: in the mention's thread, or in the
// channel itself if the thread takes no replies.
type Place struct {
	Request   deploy.Request
	Slot      string // names the message within the record, so that it can be told from others
	InChannel bool
}

// ErrMentionGone: the mention is not there any more, somebody deleted it.
var ErrMentionGone = errors.New("the mention was deleted")

// ErrPaced: GitLab is not asked more often, to stay within its limits. It is inside
// a [*LaterError], and says nothing about GitLab.
var ErrPaced = errors.New("reads of GitLab are limited, and this one has its turn later")

// ErrNotAllowed: the API token may not do that.
var ErrNotAllowed = errors.New("GitLab does not let the API token do that")

// LaterError: it was not done; try again after the duration.
type LaterError struct {
	After time.Duration
	Err   error
}

func (e *LaterError) Error() string { return e.Err.Error() }
func (e *LaterError) Unwrap() error { return e.Err }

// PassingError: it was refused, for a reason that may pass by itself or that people
// can fix; try again with growing waits, and not forever.
type PassingError struct{ Err error }

func (e *PassingError) Error() string { return e.Err.Error() }
func (e *PassingError) Unwrap() error { return e.Err }

// ThreadError: the thread takes no replies; the channel may take it.
type ThreadError struct{ Err error }

func (e *ThreadError) Error() string { return e.Err.Error() }
func (e *ThreadError) Unwrap() error { return e.Err }

// LostError: no answer came; it may have been done.
type LostError struct{ Err error }

func (e *LostError) Error() string { return e.Err.Error() }
func (e *LostError) Unwrap() error { return e.Err }
