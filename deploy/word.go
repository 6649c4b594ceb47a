package deploy

// Result is what a pipeline tells of itself.
type Result string

// The results that the notify port takes.
const (
	ResultStart    Result = "start" // asks whether it may deploy, before it does
	ResultSuccess  Result = "success"
	ResultFailure  Result = "failure"
	ResultCanceled Result = "canceled"
)

// Word is what GitLab CI tells the notify port, once it is known to be well
// formed and to show something that may count: see proof.go.
type Word struct {
	Channel  string
	TS       string
	ID       string // PSYCHER_ID; empty from old scripts
	Result   Result
	Pipeline int64  // 0: not said
	Job      int64  // 0: not said
	JobName  string // CI_JOB_NAME; empty: not said
	JobStage string // CI_JOB_STAGE; empty: not said
	SHA      string // CI_COMMIT_SHA; empty: not said
	Token    Secret // the PSYCHER_TOKEN that the call showed; empty: none
	Shared   bool   // the call showed NOTIFY_TOKEN
}

// Verdict is what became of a word.
type Verdict string

// The verdicts.
const (
	VerdictTaken    Verdict = "taken"     // recorded, or recorded before
	VerdictNoEffect Verdict = "no-effect" // late, contrary, or of another pipeline: logged, nothing changes
	VerdictUnknown  Verdict = "unknown"   // no deployment of this bot has that channel, timestamp and id
	VerdictStop     Verdict = "stop"      // a start of a pipeline that must not deploy
	VerdictUnproven Verdict = "unproven"  // nothing that it shows proves the deployment, or that there is one
)
