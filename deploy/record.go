package deploy

import "time"

// State is what a record has come to. docs/ARCHITECTURE.md draws the moves.
type State string

// The states of a record.
const (
	Accepted   State = "accepted"   // claimed
	Asking     State = "asking"     // a press is awaited
	Queued     State = "queued"     // its turn at the target is awaited
	Answered   State = "answered"   // no deploy: answered in words
	Triggering State = "triggering" // the POST is being made
	Locked     State = "locked"     // it holds its target
	Waiting    State = "waiting"    // known not to run yet
	Unsure     State = "unsure"     // it may run
	Running    State = "running"    // GitLab has a pipeline
	Silent     State = "silent"     // nothing was heard by the deadline
	Refused    State = "refused"    // GitLab said no, nothing runs
	Succeeded  State = "succeeded"
	Failed     State = "failed"
	Canceled   State = "canceled"
)

// Layout is the version of the record's JSON. It goes up with every field that
// an older process must not drop; each version reads the one before. A process
// leaves all others to those who know them.
//
//	4  a record can ask, and tells when its deployment ended
//	5  a deployment knows what goes out and how far it is
//	6  a deployment is of the commit that was confirmed, and approved; a record can be queued, or hold its target, and
//	   keeps what was decided
const Layout = 6

// Record is all that is known of one mention: what was asked, the deployment
// that came of it, its state, and what Slack has been shown. It is what the
// store keeps, as JSON, for as long as KEEP says.
type Record struct {
	Layout   int     `json:"v"`
	Revision string  `json:"revision"` // fresh with every save: only the worker whose revision is stored may act
	Request  Request `json:"mention"`  // older versions look for the key here
	State    State   `json:"state"`
	Panics   int     `json:"panics,omitempty"` // how often it made its worker panic

	Ask        *Ask       `json:"ask,omitempty"`   // what it asks, or has asked
	Turn       Turn       `json:"turn,omitzero"`   // its place in the queue of its target, if it was queued
	Locks      Lock       `json:"lock,omitzero"`   // how it holds its target, in the state [Locked]
	Again      *Again     `json:"again,omitempty"` // another deployment that was pressed for
	Audit      []Decision `json:"audit,omitempty"` // who has decided what, the oldest first
	Deployment Deployment `json:"deployment,omitzero"`
	Tokens     []string   `json:"tokens,omitempty"`    // sums of the attempts' tokens, see [TokenSum]: any of them proves a callback
	Reactions  []string   `json:"reactions,omitempty"` // reactions of the states it has been in: each may be on the mention
	Lines      []Message  `json:"lines,omitempty"`     // what is to be posted in the thread, in order, each once
	Shown      Shown      `json:"shown"`               // what Slack has been shown

	// Next is when the record is due for its own sake (a wait, a poll, a deadline),
	// by the store's clock; zero: not at all.
	Next time.Time `json:"next,omitzero"`
}

// Deployment is the part of a record that concerns a deploy. Target, project,
// ref and key are frozen when it moves to triggering: a changed map does not
// change what a running deployment is.
type Deployment struct {
	Target     string        `json:"target,omitempty"`
	Project    string        `json:"project,omitempty"`
	Ref        string        `json:"ref,omitempty"`
	Key        string        `json:"key,omitempty"`
	Job        string        `json:"job,omitempty"` // the target's "job": which jobs decide how it ended
	Timeout    time.Duration `json:"timeout,omitempty"`
	Attempt    int           `json:"attempt,omitempty"`     // how many POSTs were announced: the number of the last
	Slow       bool          `json:"slow,omitempty"`        // GitLab has not answered the attempt for a while
	MovedOn    bool          `json:"moved_on,omitempty"`    // its pipeline, or the one that GitLab refused, is of another commit than was confirmed
	TokenShown bool          `json:"token_shown,omitempty"` // a callback showed a token: the store remembers that for the project
	Page       string        `json:"page,omitempty"`        // the project's pipelines, to link where the pipeline is not known
	Triggered  time.Time     `json:"triggered,omitzero"`    // the save that allowed the POST: all waits count from here
	WaitEnd    time.Time     `json:"wait_end,omitzero"`     // no POST is made after it
	Wait       MessageID     `json:"wait,omitempty"`        // why it waits, or waited last
	Pipeline   int64         `json:"pipeline,omitempty"`    // set once
	URL        string        `json:"url,omitempty"`         // the pipeline's page
	Polls      int           `json:"polls,omitempty"`       // how often GitLab was asked since the last move
	NoneSeen   bool          `json:"none_seen,omitempty"`   // the person was told that GitLab shows no pipeline
	LastSeen   time.Time     `json:"last_seen,omitzero"`    // when GitLab last said that it goes on: the deadline moves
	Detail     string        `json:"detail,omitempty"`      // what failed, where that is known
	Ended      time.Time     `json:"ended,omitzero"`        // when it came to its end, as far as is known

	Progress *Progress `json:"progress,omitempty"`       // what goes out, and how far it is
	Site     string    `json:"site,omitempty"`           // where to see it: the target's "url"
	Announce Announce  `json:"announce,omitempty"`       // which ends are told in the channel too
	Cancel   *Cancel   `json:"cancel,omitempty"`         // somebody wants it canceled
	Rollback *Success  `json:"rollback,omitempty"`       // what it goes back to; nil: it does not
	Undone   *Commit   `json:"undone,omitempty"`         // what a rollback took back, where that is known
	PassTo   *Key      `json:"rolled_back_by,omitempty"` // the rollback that runs its job again: words about that job go there
	SetAside string    `json:"set_aside,omitempty"`      // who has started another deployment that goes first: its job is told to stop
	Rested   bool      `json:"rested,omitempty"`         // it is not the latest any more, or not for long

	// What is known of the pipeline's jobs and of what it waits for.
	FailedBy []string  `json:"failed_by,omitempty"` // jobs that reported a failure, and no success since
	Proved   []string  `json:"proved,omitempty"`    // jobs that reported success: each proves itself
	Ending   State     `json:"ending,omitempty"`    // an end that was reported, and that the jobs have not shown yet
	EndingAt time.Time `json:"ending_at,omitzero"`  // when that was reported
	Waits    Waits     `json:"waits,omitempty"`     // what a running one waits for, as its status message says
	Unlooked bool      `json:"unlooked,omitempty"`  // it has failed, and GitLab was not asked why yet
	Pending  time.Time `json:"pending,omitzero"`    // since when GitLab shows it as pending
	Nothing  bool      `json:"nothing,omitempty"`   // it is canceled because no job that deploys has run

	// TakenBack: the mention was edited or deleted during a POST. If that did not
	// make a pipeline, no other is made.
	TakenBack   bool   `json:"taken_back,omitempty"`
	Deleted     bool   `json:"deleted,omitempty"`      // it was deleted: there is no message left to answer
	WithdrawnBy string `json:"withdrawn_by,omitempty"` // somebody asked to stop it during a POST
}

// Shown is what Slack shows of the record. Only the holder of the record's lease
// changes it.
type Shown struct {
	Reaction string            `json:"reaction,omitempty"` // the reaction that was put last
	Off      []string          `json:"off,omitempty"`      // reactions that were taken off
	Posts    map[string]Posted `json:"posts,omitempty"`    // by slot
	Until    time.Time         `json:"until,omitzero"`     // nobody else delivers it until then, by the store's clock
	Posting  string            `json:"posting,omitempty"`  // slot of a post that was announced: it may have been made

	// mutant: a closed thread that each process tries
	InChannel bool               `json:"in_channel,omitempty"` // the thread takes no replies: posts go into the channel
	Retries   map[CallKind]Retry `json:"retries,omitempty"`    // what Slack does not take for now
}

// Posted is a post of the record that was made, or that Slack will never take.
type Posted struct {
	TS   string `json:"ts,omitempty"`   // where it is; empty: nowhere
	Hash string `json:"hash,omitempty"` // of an editable message as it is there; empty: not known
	// Buttons: it may have buttons.
	Buttons bool `json:"buttons,omitempty"`
}
