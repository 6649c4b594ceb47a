package deploy

import (
	"cmp"
	"time"
)

// MessageID names something that psycher says to a person. Each has its wordings,
// one file a language, in package bot. The value is also what the log and the
// record call the reason, so it stays the same forever.
type MessageID string

// What a mention is answered with when it deploys nothing.
const (
	MsgGreet         MessageID = "greet"          // よろ
	MsgThanks        MessageID = "thanks"         // ありがとう
	MsgHelp          MessageID = "help"           // what can be said
	MsgUnknown       MessageID = "unknown"        // no word that the bot knows
	MsgNoTarget      MessageID = "no-target"      // nothing is configured for this channel
	MsgWhichTarget   MessageID = "which-target"   // several targets, none or more than one named
	MsgUnclear       MessageID = "unclear"        // a word is not understood: Word
	MsgPlainly       MessageID = "plainly"        // the same, in words for another action than a deploy
	MsgOther         MessageID = "other"          // another version, branch, environment, target: Word
	MsgStop          MessageID = "stop"           // what waited is withdrawn; what runs goes on
	MsgStopGuest     MessageID = "stop-guest"     // the same asked for by a guest: nothing is withdrawn
	MsgStopWhich     MessageID = "stop-which"     // several targets named: nothing is withdrawn
	MsgStatus        MessageID = "status"         // what runs, or ran last
	MsgHistory       MessageID = "history"        // the last deployments: Known
	MsgApprovals     MessageID = "approvals"      // what goes out is to be approved by several people: Approved, Missing, People
	MsgPending       MessageID = "pending"        // what would go out: Progress; Detail: why that is not known
	MsgPendingOnly   MessageID = "pending-only"   // the same, to who may not deploy it: Also has why
	MsgAgain         MessageID = "once-more"      // a retry is asked for where nothing went wrong
	MsgBusy          MessageID = "busy"           // another deployment of the target goes on: Known
	MsgLocked        MessageID = "locked"         // somebody has locked the target: Known
	MsgLockedSince   MessageID = "locked-since"   // while it waited for GitLab: Known
	MsgIsLocked      MessageID = "is-locked"      // a lock is asked for, and there is one: Known
	MsgCannotLock    MessageID = "cannot-lock"    // its deployments may run side by side
	MsgNotLocked     MessageID = "not-locked"     // there is no lock to be ended
	MsgUnlock        MessageID = "unlock"         // a lock of somebody else's is to be ended: Known
	MsgUnlocking     MessageID = "unlocking"      // the locks are ended: Known, Frozen
	MsgTurn          MessageID = "turn"           // what it waited for is over, and was no plain success
	MsgBusyWaiting   MessageID = "busy-waiting"   // another one waits for GitLab, and would be withdrawn: Known
	MsgTakenBack     MessageID = "taken-back"     // the newest commit is still the one that was rolled back: Progress
	MsgConfirm       MessageID = "confirm"        // what goes out is to be confirmed: Progress
	MsgConfirmUnseen MessageID = "confirm-unseen" // the same, where GitLab does not show what goes out
	MsgMustConfirm   MessageID = "must-confirm"   // it is to be confirmed or approved otherwise since, while it waited
	MsgRollback      MessageID = "rollback"       // a rollback to Progress.Before is to be confirmed
	MsgNothingBefore MessageID = "nothing-before" // there is no deployment to go back to
	MsgCannotSteer   MessageID = "cannot-steer"   // the bot's token may not run jobs again
	MsgNameOne       MessageID = "name-one"       // several targets, and none is named
	MsgNotYet        MessageID = "not-yet"        // a command that the bot does not know how to do yet
	MsgTooLong       MessageID = "too-long"       // not read to its end: too long, or in a form that cannot be read
	MsgGuest         MessageID = "guest"          // a guest of another workspace
	MsgNotAllowed    MessageID = "not-allowed"    // not in the target's "allow"
	MsgGroupUnread   MessageID = "group-unread"   // whether they are in a group of "allow" cannot be seen now
	MsgFrozen        MessageID = "frozen"         // the target is frozen, and not for People: Frozen
	MsgFreeze        MessageID = "freeze"         // the same, and the person may confirm to deploy it
	MsgTooLate       MessageID = "too-late"       // older than MENTION_MAX_AGE when its turn came
	MsgForgotten     MessageID = "forgotten"      // older than the store's memory
	MsgEditedIn      MessageID = "edited-in"      // an edit asks for a deploy
	MsgEditedLater   MessageID = "edited-later"   // an edit asks for another deploy: post it anew
	MsgEditedOut     MessageID = "edited-out"     // an edit took the request back in time
	MsgBroken        MessageID = "broken"         // a bug of the bot stopped it, before anything was started
	MsgNotRecorded   MessageID = "not-recorded"   // the store was down: nothing was started
	MsgNotStopped    MessageID = "not-stopped"    // the store was down: what waits may start all the same
	MsgDontKnow      MessageID = "dont-know"      // the store did not answer: not known whether this starts
	MsgStopping      MessageID = "stopping"       // the embedded store ends with the process: no result will be shown
)

// Why a deployment waits.
const (
	MsgWaitRate        MessageID = "wait-rate"        // GitLab's rate limit
	MsgWaitUnreachable MessageID = "wait-unreachable" // no connection to GitLab
)

// Why GitLab refused. Nothing runs, and every wording says so first.
const (
	MsgRefusedToken        MessageID = "refused-token"        // 404: the four causes that GitLab does not tell apart
	MsgRefusedRef          MessageID = "refused-ref"          // no such ref
	MsgRefusedAmbiguous    MessageID = "refused-ambiguous"    // a branch and a tag have the ref's name
	MsgRefusedUnauthorized MessageID = "refused-unauthorized" // 401: this is not a trigger token
	MsgRefusedProtected    MessageID = "refused-protected"    // protected ref
	MsgRefusedOwner        MessageID = "refused-owner"        // the token's owner lost the right, or is gone
	MsgRefusedNoJob        MessageID = "refused-no-job"       // no job matches: release_key
	MsgRefusedRules        MessageID = "refused-rules"        // workflow:rules
	MsgRefusedCommit       MessageID = "refused-commit"       // workflow:rules again: it is not the commit that was confirmed
	MsgRefusedVariables    MessageID = "refused-variables"    // pipeline variables not allowed
	MsgRefusedIdentity     MessageID = "refused-identity"     // identity verification
	MsgRefusedConfig       MessageID = "refused-config"       // no or broken .gitlab-ci.yml
	MsgRefusedDisabled     MessageID = "refused-disabled"     // CI is off, the project archived or deleted
	MsgRefusedMoved        MessageID = "refused-moved"        // 405: the project moved
	MsgRefusedRedirect     MessageID = "refused-redirect"     // 3xx: GITLAB_URL is not where GitLab is
	MsgRefusedElsewhere    MessageID = "refused-elsewhere"    // something else than GitLab's API answered; Detail has its page's title
	MsgRefusedProxy        MessageID = "refused-proxy"        // 407: a proxy wants a login
	MsgRefusedOther        MessageID = "refused-other"        // another 4xx; Detail has GitLab's words
	MsgRefusedRetry        MessageID = "refused-retry"        // this job cannot be run again
	MsgRefusedRight        MessageID = "refused-right"        // the API token may not run this job again
	MsgRefusedUnreachable  MessageID = "refused-unreachable"  // waited, and GitLab could not be reached
	MsgRefusedRate         MessageID = "refused-rate"         // waited, and the rate limit did not end
	MsgRefusedGone         MessageID = "refused-gone"         // the target left the map while it waited
)

// The status message of a deployment, one for each state, edited as it moves.
const (
	MsgStatusRunning   MessageID = "status-running"
	MsgStatusUnsure    MessageID = "status-unsure" // Detail empty; with or without an API token the bot looks or waits
	MsgStatusSilent    MessageID = "status-silent"
	MsgStatusSucceeded MessageID = "status-succeeded"
	MsgStatusFailed    MessageID = "status-failed"
	MsgStatusCanceled  MessageID = "status-canceled"
	MsgStatusPerson    MessageID = "status-person"    // running: somebody has to start a job in GitLab
	MsgStatusRunner    MessageID = "status-runner"    // running: no runner has taken it
	MsgStatusCanceling MessageID = "status-canceling" // running: By wants it canceled
	MsgStatusNothing   MessageID = "status-nothing"   // canceled: no job that deploys has run
	MsgStatusRefused   MessageID = "status-refused"   // only where it waited before
	MsgStatusAnswered  MessageID = "status-answered"  // only where it waited before and was withdrawn or refused; Known: another has its commits
	MsgStatusLocked    MessageID = "status-locked"    // it holds its target: Word, Until
	MsgStatusUnlocked  MessageID = "status-unlocked"  // it did
	MsgStatusTold      MessageID = "status-told"      // who waits for the end of a lock is asked then: Known
	MsgStatusQueued    MessageID = "status-queued"    // it is next, once what goes on has succeeded: Known
	MsgStatusRiding    MessageID = "status-riding"    // another deployment has what was asked for: Known
)

// Lines that a deployment adds to its thread.
const (
	MsgSucceeded      MessageID = "succeeded"
	MsgRolledBack     MessageID = "rolled-back" // a rollback that succeeded
	MsgFailed         MessageID = "failed"
	MsgCanceled       MessageID = "canceled"
	MsgSilent         MessageID = "silent"
	MsgNoneSeen       MessageID = "none-seen"        // unsure: GitLab shows no pipeline, a new mention starts one
	MsgRode           MessageID = "rode"             // another deployment had what was asked for, and succeeded: Known
	MsgRodeFailed     MessageID = "rode-failed"      // and did not: Known
	MsgUnlocked       MessageID = "unlocked"         // By has ended the lock
	MsgLockOver       MessageID = "lock-over"        // its time is over
	MsgLockEnds       MessageID = "lock-ends"        // it soon will be: Until
	MsgLockPassed     MessageID = "lock-passed"      // By has started a deployment all the same
	MsgSetAside       MessageID = "set-aside"        // By has started another deployment, which goes first
	MsgRecovered      MessageID = "recovered"        // succeeded after a failure: someone retried
	MsgFailedAfter    MessageID = "failed-after"     // a failure after success: the reaction stays
	MsgBrokenUnsure   MessageID = "broken-unsure"    // a bug of the bot stopped it while it may have been triggered
	MsgUnseen         MessageID = "unseen"           // succeeded by the pipeline's status, as its jobs could not be seen
	MsgNothing        MessageID = "nothing"          // the pipeline is over, and nothing was deployed; Detail names the job that waits
	MsgPerson         MessageID = "person"           // the pipeline waits for a person
	MsgStopped        MessageID = "stopped"          // canceled, as By asked for
	MsgOtherCommit    MessageID = "other-commit"     // canceled, as it is not the commit that was confirmed: Confirmed, Progress
	MsgOtherCommitOn  MessageID = "other-commit-on"  // the same, and it goes on
	MsgOtherCommitOut MessageID = "other-commit-out" // the same, and it has succeeded
	MsgCancelRefused  MessageID = "cancel-refused"   // GitLab does not let the bot cancel it
	MsgCancelNoEffect MessageID = "cancel-no-effect" // GitLab took the wish, and it goes on
	MsgOvertime       MessageID = "overtime"         // GitLab shows that it goes on past its time; Took is that time
)

// What comes of an ask.
const (
	MsgStatusStarting MessageID = "status-starting" // By pressed the button
	MsgDeclined       MessageID = "declined"        // By wants nothing
	MsgLapsed         MessageID = "lapsed"          // nobody pressed a button
	MsgAskStopped     MessageID = "ask-stopped"     // the embedded store ends with the process
	MsgWithdrawn      MessageID = "withdrawn"       // By asked to stop it; Known: another has its commits
)

// What only the person sees who pressed a button.
const (
	MsgPressedBefore  MessageID = "pressed-before"     // By has pressed a button
	MsgPressClosed    MessageID = "press-closed"       // the question is not open any more
	MsgPressGuest     MessageID = "press-guest"        // as MsgGuest
	MsgPressNotYours  MessageID = "press-not-allowed"  // as MsgNotAllowed
	MsgPressUnread    MessageID = "press-unread"       // as MsgGroupUnread
	MsgPressFrozen    MessageID = "press-frozen"       // as MsgFrozen
	MsgNotApprover    MessageID = "press-not-approver" // not in the target's "approvers": People
	MsgApproveOwn     MessageID = "approve-own"        // who wants it does not approve it
	MsgApprovedBefore MessageID = "approved-before"    // the person has approved it already: Missing
	MsgPressOver      MessageID = "press-over"         // the deployment has moved on, or is not the newest: Known
	MsgPressOld       MessageID = "press-old"          // the button is of an earlier version
	MsgPressLost      MessageID = "press-lost"         // not recorded, or not known to be: press again
)

// Message is something to be said, without its wording: what package bot turns
// into text of one language. Fields that a MessageID does not use are empty.
type Message struct {
	ID MessageID `json:"say"`
	// Also are further reasons that it names, the most severe first: each in a line of its own.
	Also    []MessageID `json:"also,omitempty"`
	User    string      `json:"user,omitempty"`    // the person to be named (and so notified); empty: nobody
	Target  string      `json:"target,omitempty"`  // the target's name in the map
	Targets []string    `json:"targets,omitempty"` // what the channel can deploy, sorted
	Project string      `json:"project,omitempty"` // GitLab's project, number or path
	Ref     string      `json:"ref,omitempty"`
	Key     string      `json:"key,omitempty"`    // the release_key, the variable that the jobs look at
	URL     string      `json:"url,omitempty"`    // the pipeline, or the project's pipelines where that is not known
	Word    string      `json:"word,omitempty"`   // what was not understood, in the person's own words
	By      string      `json:"by,omitempty"`     // the person who did it
	People  []string    `json:"people,omitempty"` // who may do it: people by their ids, groups by their handles or ids
	Detail  string      `json:"detail,omitempty"` // GitLab's own words, the redirect's goal, a job's name: short, no secret
	Until   int64       `json:"until,omitempty"`  // a time, in Unix seconds: when waiting ends
	Team    string      `json:"team,omitempty"`   // the place of a target map that has nothing for it yet
	Channel string      `json:"channel,omitempty"`
	Known   []Known     `json:"known,omitempty"`  // deployments that it tells of: what runs, or else what ran last
	Frozen  []Frozen    `json:"frozen,omitempty"` // the freezes that it tells of
	Rules   []Rules     `json:"rules,omitempty"`  // of the targets that have any
	Buttons []Button    `json:"buttons,omitempty"`
	// Progress is what a status message tells of its deployment; nil: it has none.
	Progress *Progress `json:"progress,omitempty"`
	Undone   *Success  `json:"undone,omitempty"` // what a rollback took back: without a time, it is not known whether it is the newest
	For      string    `json:"for,omitempty"`    // who asked for the deployment
	Took     int64     `json:"took,omitempty"`   // how long it took, in seconds
	// Confirmed is the commit that was confirmed to be deployed.
	Confirmed string   `json:"confirmed,omitempty"`
	Approved  []string `json:"approved,omitempty"` // who has approved it
	Missing   int      `json:"missing,omitempty"`  // how many have not
	// Withdrawn is how many requests were withdrawn.
	Withdrawn  int  `json:"withdrawn,omitempty"`
	Restricted bool `json:"restricted,omitempty"` // only certain people may deploy
	// InChannel: it is in the channel itself, where nothing else shows whom it is
	// for: User is named first, whatever the wording.
	InChannel bool   `json:"-"`
	Seed      uint32 `json:"-"` // chooses the wording: the same for the same message of a record
}

// Known is what a message tells of a deployment.
type Known struct {
	Target string `json:"target,omitempty"`
	Ref    string `json:"ref,omitempty"`
	State  State  `json:"state"`
	By     string `json:"by,omitempty"`    // who asked for it
	Since  int64  `json:"since,omitempty"` // when it was triggered, or asked for, in Unix seconds
	Ended  int64  `json:"ended,omitempty"` // when it ended, in Unix seconds; 0: it has not, or this is not known
	URL    string `json:"url,omitempty"`   // the pipeline, or the project's pipelines
	SHA    string `json:"sha,omitempty"`   // of its commit
	Back   bool   `json:"back,omitempty"`  // it is a rollback
	Usual  int64  `json:"usual,omitempty"` // how long it usually takes, in seconds
	Until  int64  `json:"until,omitempty"` // of a lock: when it ends, in Unix seconds
	Reason string `json:"reason,omitempty"`
}

// Known is what is known of the record's deployment.
func (r Record) Known() Known {
	asked, d, g := r.Asked(), r.Deployment, r.Deployment.known()
	k := Known{
		Target: cmp.Or(d.Target, asked.Intent.Target), Ref: d.Ref, State: r.State, By: asked.By.User,
		Since: cmp.Or(seconds(d.Triggered), asked.At.Unix()), URL: d.Link(), Back: d.Rollback != nil,
		SHA: g.Commit.SHA, Usual: g.Usual,
	}
	if r.State.Ended() {
		k.Ended = seconds(d.Ended)
	}
	if r.State == Locked {
		k.Until, k.Reason = seconds(r.Locks.Until), r.Locks.Reason
	}
	return k
}

// seconds is a time in Unix seconds; 0 for the zero time.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// Message is a message about the deployment.
func (r Record) Message(id MessageID) Message {
	d := r.Deployment
	m := Message{ID: id, Target: d.Target, Project: d.Project, Ref: d.Ref, Key: d.Key, URL: d.Link(), Detail: d.Detail}
	m.For = r.Request.By.User
	if by := r.Asked().By.User; by != m.For {
		m.By = by
	}
	m.Progress = d.known().brief(id == MsgFailed && r.Button(KindRetry).Do != "")
	if !d.Ended.IsZero() && !d.Triggered.IsZero() {
		m.Took = int64(d.Ended.Sub(d.Triggered) / time.Second)
	}
	switch id {
	case MsgStopped:
		if m.User, m.By = r.Request.By.User, d.Cancel.By; m.By == m.User {
			m.By = ""
		}
	case MsgRefusedCommit:
		m.Confirmed = r.Confirmed()
	case MsgOtherCommit, MsgOtherCommitOn, MsgOtherCommitOut:
		m.User, m.Confirmed = r.Request.By.User, r.Confirmed()
	case MsgFailed, MsgCanceled, MsgSilent, MsgNoneSeen, MsgBrokenUnsure, MsgFailedAfter, MsgNothing, MsgPerson:
		m.User = r.Request.By.User
	}
	return m
}

// Link is the pipeline's page, or that of the project's pipelines.
func (d Deployment) Link() string { return cmp.Or(d.URL, d.Page) }
