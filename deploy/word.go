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

// Callback is what GitLab CI tells the notify port, once it is known to be well
// formed and to show something that may count: see proof.go.
type Callback struct {
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

// CallbackResult is what became of a callback.
type CallbackResult string

// The results of a callback.
const (
	CallbackTaken    CallbackResult = "taken"     // recorded, or recorded before
	CallbackNoEffect CallbackResult = "no-effect" // late, contrary, or of another pipeline: logged, nothing changes
	CallbackUnknown  CallbackResult = "unknown"   // no deployment of this bot has that channel, timestamp and id
	CallbackStop     CallbackResult = "stop"      // a start of a pipeline that must not deploy
	CallbackUnproven CallbackResult = "unproven"  // nothing that it shows proves the deployment, or that there is one
)
