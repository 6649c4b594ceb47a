package engine

import (
	"context"
	"errors"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// What the loop needs of the world. Packages bot, gitlab and dedupe implement
// these; the simulation's stand-ins stand behind those, not in their place.

// Store keeps the records: package dedupe, on Redis. Every method is one round
// trip. An error means the outcome is not known, unless it is [ErrRefused].
type Store interface {
	// Claim makes the record of a mention unless there is one, due after lease,
	// and makes the store's birth where that is missing; a negative lease: not due
	// at all. made tells whether this very call, or an earlier try of it with the
	// same record, made it. Birth is by Slack's clock, which slackNow gives.
	Claim(ctx context.Context, r deploy.Record, lease time.Duration, slackNow time.Time) (h Stored, made bool, err error)
	// Take hands out at most n records that are due, and moves their due time on
	// by lease, so that nobody else is handed them meanwhile. It tells in how long
	// the next is due: 0 if more is due than n, negative if nothing is ever due.
	Take(ctx context.Context, n int, lease time.Duration) (due []Stored, next time.Duration, err error)
	// Load reads a record without taking it. ok is false where there is none.
	Load(ctx context.Context, k deploy.Key) (h Stored, ok bool, err error)
	// Save writes next over h, if what stands in the store is still h (or is
	// nothing, or is already next), due after the duration; none if due is
	// negative. It gives what then stands for the next save, or [ErrChanged].
	// Saving the same next twice is one save.
	Save(ctx context.Context, h Stored, next deploy.Record, due time.Duration) (Stored, error)
	// Delay moves a record's due time without changing the record, if what
	// stands in the store is still h; negative: it is not due at all.
	Delay(ctx context.Context, h Stored, due time.Duration) error
	// Pending reads at most n records that have a due time, without taking them.
	Pending(ctx context.Context, n int) ([]Stored, error)
	// Proved tells whether a callback of one of these projects has proved itself.
	// The save that first sets a record's Deployment.TokenShown keeps that, for good.
	Proved(ctx context.Context, projects ...string) (bool, error)
	// Last is the newest deployment of a target.
	Last(ctx context.Context, team, channel, target string) (r deploy.Record, ok bool, err error)
}

var (
	// ErrChanged: another worker or word has saved the record meanwhile. Load it
	// again and look what is to be done now.
	ErrChanged = errors.New("the record was changed meanwhile")
	// ErrUnreadable: the record is there, and this version cannot read it.
	ErrUnreadable = errors.New("the record cannot be read by this version of psycher")
	// ErrRefused: the store certainly did nothing (no connection, read-only,
	// loading, out of memory).
	ErrRefused = errors.New("the store refused")
)

// Stored is a record as it was read: what a save compares with.
type Stored struct {
	Record deploy.Record
	Raw    []byte    // the stored bytes, compared at the next save
	Due    time.Time // when it was due, if it was taken
	Now    time.Time // the store's clock when it answered
	Birth  time.Time // since when the store remembers, by Slack's clock
}

// GitLab starts pipelines and looks after them: package gitlab.
type GitLab interface {
	// Trigger makes the one POST of an attempt, whose token goes out as
	// PSYCHER_TOKEN. Writing it must begin before until (by wall clock and
	// monotonic clock), else it is not sent and the outcome says so.
	Trigger(ctx context.Context, t deploy.Target, m deploy.Mention, token deploy.Secret, until time.Time) deploy.TriggerResult
	// CanPoll tells whether there is an API token to look pipelines up with.
	CanPoll() bool
	// Find looks for the pipeline of a deployment whose answer was lost, among
	// those that are no older: an age, since GitLab's clock is neither the
	// store's nor ours. complete means: the listing was read to its end, and all
	// that might be it could be told apart. A found pipeline is given whatever
	// complete says.
	Find(ctx context.Context, project, id string, age time.Duration) (p deploy.Pipeline, complete bool, err error)
	// Poll reads the state of a pipeline and, where it is over, waits
	// for a person or is asked for early, of its jobs. Its error may be a [*LaterError]. With an error may come what is
	// known all the same: the pipeline has an ID then.
	Poll(ctx context.Context, project string, pipeline int64, count deploy.Counting) (deploy.Pipeline, error)
	// PipelinesURL is the page with a project's pipelines, to link it.
	PipelinesURL(project string) string
}

// Slack shows things: package bot. Errors: nil, *LaterError (not done, try
// again), *PassingError (not done, try again for a while), *LostError (may have
// been done), *ThreadError (not done, the channel may take it), any other is
// permanent and ends it.
type Slack interface {
	// React puts a reaction on the mention; it may already be there. Its error may
	// be [ErrMentionGone].
	React(ctx context.Context, k deploy.Key, emoji string) error
	// Unreact takes the bot's own reaction off; it may already be gone.
	Unreact(ctx context.Context, k deploy.Key, emoji string) error
	// Reread reads the mention's message as it stands now. Its error is
	// [ErrMentionGone] where it was deleted; any other says that this is not known.
	Reread(ctx context.Context, m deploy.Mention) (deploy.Mention, error)
	// Post writes a message.
	Post(ctx context.Context, at Place, say deploy.Message) (ts string, err error)
	// Update edits a message of the bot's own.
	Update(ctx context.Context, k deploy.Key, ts string, say deploy.Message) error
	// Find looks whether the message of a place was posted. ok is false where it
	// was not; an error where that cannot be told.
	Find(ctx context.Context, at Place) (ts string, ok bool, err error)
	// Now is Slack's clock.
	Now() time.Time
}

// Place is where one message about a mention stands: in the mention's thread, or
// in the channel itself where the thread takes no replies.
type Place struct {
	Mention   deploy.Mention
	Slot      string // names the message within the record, so that it can be told from others
	InChannel bool
}

// ErrMentionGone: the mention is not there any more, somebody deleted it.
var ErrMentionGone = errors.New("the mention was deleted")

// LaterError: it was not done; try again after the duration.
type LaterError struct {
	After time.Duration
	Err   error
}

func (e *LaterError) Error() string { return e.Err.Error() }
func (e *LaterError) Unwrap() error { return e.Err }

// PassingError: it was refused, in a way that may pass by itself or that people
// can mend; try again with growing waits, and not for ever.
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

// Reader understands mentions: package bot.
type Reader interface {
	// Read tells what a mention asks for, given the targets of its channel.
	Read(m deploy.Mention, here []deploy.Target) deploy.Intent
}
