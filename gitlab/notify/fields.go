package notify

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/getto-systems/psycher/deploy"
)

// field is one field of a call. set stores a value, which is not empty, and tells
// whether it is well formed; wrong says what it should be.
//
//docgen:messages notify
type field struct {
	name     string
	required bool
	wrong    string
	set      func(c *deploy.Callback, v string) bool
}

// fields are what a call may say, in the order in which they are checked. Other
// names are ignored; one of them may be the secret.
var fields = []field{
	{name: "token"},
	{name: "source", wrong: "unknown; it is gitlab", set: func(_ *deploy.Callback, v string) bool { return v == "gitlab" }},
	{name: "type", wrong: "unknown; it is gitlab or deploy", set: func(_ *deploy.Callback, v string) bool { return v == "gitlab" || v == "deploy" }},
	{name: "result", required: true, wrong: "unknown; it is start, success, failure or canceled", set: setResult},
	{
		name: "channel", required: true, wrong: "not a channel's id, such as C0123ABCD",
		set: func(c *deploy.Callback, v string) bool { c.Channel = v; return deploy.IsID(v) },
	},
	{
		name: "timestamp", required: true, wrong: "not a message's timestamp, such as 1700000000.000100",
		set: func(c *deploy.Callback, v string) bool { c.TS = v; return deploy.IsTimestamp(v) },
	},
	{
		name: "id", wrong: "not a UUID",
		set: func(c *deploy.Callback, v string) bool { c.ID = strings.ToLower(v); return uuidForm.MatchString(c.ID) },
	},
	{name: "pipeline", wrong: wrongNumber, set: func(c *deploy.Callback, v string) bool { return setNumber(&c.Pipeline, v) }},
	{name: "job", wrong: wrongNumber, set: func(c *deploy.Callback, v string) bool { return setNumber(&c.Job, v) }},
	{name: "job_name", wrong: wrongName, set: func(c *deploy.Callback, v string) bool { return setName(&c.JobName, v) }},
	{name: "job_stage", wrong: wrongName, set: func(c *deploy.Callback, v string) bool { return setName(&c.JobStage, v) }},
	{
		name: "sha", wrong: "not a commit's whole SHA",
		set: func(c *deploy.Callback, v string) bool { c.SHA = strings.ToLower(v); return shaForm.MatchString(c.SHA) },
	},
}

func isField(name string) bool {
	return slices.ContainsFunc(fields, func(f field) bool { return f.name == name })
}

var (
	uuidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	shaForm  = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`) // SHA-1, or SHA-256
)

const (
	wrongNumber = "not a positive whole number"
	wrongName   = "not one line of at most 255 characters of UTF-8"
)

func setResult(c *deploy.Callback, v string) bool {
	c.Result = deploy.Result(v)
	return slices.Contains([]deploy.Result{deploy.ResultStart, deploy.ResultSuccess, deploy.ResultFailure, deploy.ResultCanceled}, c.Result)
}

func setNumber(to *int64, text string) bool {
	n, err := strconv.ParseUint(text, 10, 63) // takes no sign
	*to = int64(n)
	return err == nil && n > 0
}

// setName takes the name of a job or stage, which may be any text of one line. Its
// bound is GitLab's own.
func setName(to *string, text string) bool {
	*to = deploy.ScrubTokens(text)
	return utf8.RuneCountInString(text) <= 255 && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}
