package deploy

// Say names something that psycher says to a person. Each has its wordings,
// one file a language, in package bot. The value is also what the log and the
// record call the reason, so it stays the same for ever.
type Say string

// What a mention is answered with when it deploys nothing.
const (
	SayGreet       Say = "greet"        // よろ
	SayUnknown     Say = "unknown"      // no word that the bot knows
	SayNoTarget    Say = "no-target"    // nothing is configured for this channel
	SayWhichTarget Say = "which-target" // several targets, none or more than one named
	SayStop        Say = "stop"         // held back: stop or undo
	SayNegated     Say = "negated"      // held back: do not
	SayPast        Say = "past"         // held back: about the past or the state
	SayHow         Say = "how"          // held back: a question how, who, whether
	SayLater       Say = "later"        // held back: a time, a plan or a condition
	SayOther       Say = "other"        // held back: another thing, version, branch, environment, target
	SayNearMiss    Say = "near-miss"    // did you mean release?
	SayTooLong     Say = "too-long"     // not read to its end: too long, or in a form that cannot be read
	SayGuest       Say = "guest"        // a guest of another workspace
	SayNotAllowed  Say = "not-allowed"  // not in the target's "allow"
	SayTooLate     Say = "too-late"     // older than MENTION_MAX_AGE when its turn came
	SayForgotten   Say = "forgotten"    // older than the store's memory
	SayEditedIn    Say = "edited-in"    // an edit asks for a deploy: post it anew
	SayEditedOut   Say = "edited-out"   // an edit took the request back in time
	SayBroken      Say = "broken"       // the bot broke on it, before anything was started
	SayNotRecorded Say = "not-recorded" // the store was away: nothing was started
	SayDontKnow    Say = "dont-know"    // the store did not answer: not known whether this starts
	SayStopping    Say = "stopping"     // the embedded store ends with the process: no result will be shown
)

// Why a deployment waits.
const (
	SayWaitRate        Say = "wait-rate"        // GitLab's rate limit
	SayWaitUnreachable Say = "wait-unreachable" // no connection to GitLab
)

// Why GitLab refused. Nothing runs, and every wording says so first.
const (
	SayRefusedToken        Say = "refused-token"        // 404: the four causes that GitLab does not tell apart
	SayRefusedRef          Say = "refused-ref"          // no such ref
	SayRefusedAmbiguous    Say = "refused-ambiguous"    // a branch and a tag have the ref's name
	SayRefusedUnauthorized Say = "refused-unauthorized" // 401: the token is none that a trigger takes
	SayRefusedProtected    Say = "refused-protected"    // protected ref
	SayRefusedOwner        Say = "refused-owner"        // the token's owner lost the right, or is gone
	SayRefusedNoJob        Say = "refused-no-job"       // no job matches: release_key
	SayRefusedRules        Say = "refused-rules"        // workflow:rules
	SayRefusedVariables    Say = "refused-variables"    // pipeline variables not allowed
	SayRefusedIdentity     Say = "refused-identity"     // identity verification
	SayRefusedConfig       Say = "refused-config"       // no or broken .gitlab-ci.yml
	SayRefusedDisabled     Say = "refused-disabled"     // CI is off, the project archived or deleted
	SayRefusedMoved        Say = "refused-moved"        // 405: the project moved
	SayRefusedRedirect     Say = "refused-redirect"     // 3xx: GITLAB_URL is not where GitLab is
	SayRefusedElsewhere    Say = "refused-elsewhere"    // something else than GitLab's API answered; Detail has its page's title
	SayRefusedProxy        Say = "refused-proxy"        // 407: a proxy wants a login
	SayRefusedOther        Say = "refused-other"        // another 4xx; Detail has GitLab's words
	SayRefusedUnreachable  Say = "refused-unreachable"  // waited, and GitLab could not be reached
	SayRefusedRate         Say = "refused-rate"         // waited, and the rate limit did not end
	SayRefusedGone         Say = "refused-gone"         // the target left the map while it waited
)

// The status message of a deployment, one for each state, edited as it moves.
const (
	SayStatusRunning   Say = "status-running"
	SayStatusUnsure    Say = "status-unsure" // Detail empty; with or without an API token the bot looks or waits
	SayStatusSilent    Say = "status-silent"
	SayStatusSucceeded Say = "status-succeeded"
	SayStatusFailed    Say = "status-failed"
	SayStatusCanceled  Say = "status-canceled"
	SayStatusPerson    Say = "status-person"   // running: somebody has to start a job in GitLab
	SayStatusRunner    Say = "status-runner"   // running: no runner has taken it
	SayStatusNothing   Say = "status-nothing"  // canceled: no job that deploys has run
	SayStatusRefused   Say = "status-refused"  // only where it waited before
	SayStatusAnswered  Say = "status-answered" // only where it waited before and an edit took it back
)

// Lines that a deployment adds to its thread.
const (
	SaySucceeded    Say = "succeeded"
	SayFailed       Say = "failed"
	SayCanceled     Say = "canceled"
	SaySilent       Say = "silent"
	SayNoneSeen     Say = "none-seen"     // unsure: GitLab shows no pipeline, a new mention starts one
	SayRecovered    Say = "recovered"     // succeeded after a failure: someone retried
	SayFailedAfter  Say = "failed-after"  // a failure word after success: the mark stays
	SayBrokenUnsure Say = "broken-unsure" // the bot broke while it may have been triggered
	SayUnseen       Say = "unseen"        // succeeded by GitLab's word, while its jobs could not be seen
	SayNothing      Say = "nothing"       // the pipeline is over, and nothing was deployed; Detail names the job that waits
	SayPerson       Say = "person"        // the pipeline waits for a person
	SayOvertime     Say = "overtime"      // past its time GitLab shows that it goes on; Detail is that time
)

// Says lists every Say, in the order of this file: what a language must have words for.
func Says() []Say {
	return []Say{
		SayGreet, SayUnknown, SayNoTarget, SayWhichTarget, SayStop, SayNegated, SayPast, SayHow, SayLater,
		SayOther, SayNearMiss, SayTooLong, SayGuest, SayNotAllowed, SayTooLate, SayForgotten, SayEditedIn, SayEditedOut,
		SayBroken, SayNotRecorded, SayDontKnow, SayStopping,
		SayWaitRate, SayWaitUnreachable,
		SayRefusedToken, SayRefusedRef, SayRefusedAmbiguous, SayRefusedUnauthorized, SayRefusedProtected, SayRefusedOwner, SayRefusedNoJob, SayRefusedRules,
		SayRefusedVariables, SayRefusedIdentity, SayRefusedConfig, SayRefusedDisabled, SayRefusedMoved,
		SayRefusedRedirect, SayRefusedElsewhere, SayRefusedProxy, SayRefusedOther, SayRefusedUnreachable, SayRefusedRate, SayRefusedGone,
		SayStatusRunning, SayStatusUnsure, SayStatusSilent, SayStatusSucceeded, SayStatusFailed, SayStatusCanceled,
		SayStatusPerson, SayStatusRunner, SayStatusNothing, SayStatusRefused, SayStatusAnswered,
		SaySucceeded, SayFailed, SayCanceled, SaySilent, SayNoneSeen, SayRecovered, SayFailedAfter, SayBrokenUnsure,
		SayUnseen, SayNothing, SayPerson, SayOvertime,
	}
}

// Message is something to be said, without its wording: what package bot turns
// into text of one language. Fields that do not matter to a Say are empty.
type Message struct {
	Say     Say      `json:"say"`
	User    string   `json:"user,omitempty"`    // the person to be named (and so notified); empty: nobody
	Target  string   `json:"target,omitempty"`  // the target's name in the map
	Targets []string `json:"targets,omitempty"` // what the channel can deploy, sorted
	Project string   `json:"project,omitempty"` // GitLab's project, number or path
	Ref     string   `json:"ref,omitempty"`
	Key     string   `json:"key,omitempty"`    // the release_key, the variable that the jobs look at
	URL     string   `json:"url,omitempty"`    // the pipeline, or the project's pipelines where that is not known
	Word    string   `json:"word,omitempty"`   // the person's own word that decided
	Detail  string   `json:"detail,omitempty"` // GitLab's own words, the redirect's goal, a job's name: short, no secret
	Until   int64    `json:"until,omitempty"`  // a time, in Unix seconds: when waiting ends
	Last    string   `json:"last,omitempty"`   // state of the last deployment of the target, a State; empty: none known
	// InChannel: it stands in the channel itself, where nothing else tells whom it
	// is for: User is named first, whatever the wording.
	InChannel bool   `json:"-"`
	Seed      uint32 `json:"-"` // chooses among wordings: the same for the same message of a record
}
