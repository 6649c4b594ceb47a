package gitlab

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/getto-systems/psycher/deploy"
)

// callback is a call of the notify port, read but not believed: the names and
// values of its query and of its body, in whichever form they came.
type callback struct {
	query, body url.Values
	names       int   // how many names were given, each as often as it was
	err         error // what could not be read
}

// badField names what is wrong with a call. It never quotes what was sent.
type badField struct{ field, why string }

func (e badField) Error() string { return e.field + ": " + e.why }

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// What a call may say. Other names are passed over; one may be the secret.
var fieldNames = []string{
	"token", "source", "type", "result", "channel", "timestamp", "id", "pipeline", "job", "job_name", "job_stage", "sha",
}

// maxJobName is GitLab's own bound, in runes, on names of jobs and stages.
const maxJobName = 255

// The bounds on lengths are ours, far above what Slack gives out.
var (
	channelForm   = regexp.MustCompile(`^[A-Z0-9]{2,64}$`)
	timestampForm = regexp.MustCompile(`^[0-9]{1,20}\.[0-9]{1,20}$`)
	uuidForm      = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	shaForm       = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`) // SHA-1, or SHA-256
	numberForm    = regexp.MustCompile(`^[0-9]{1,19}$`)
)

// readCallback reads what can be read: also of a call that is not well formed,
// since whether it shows the secret is to be known first.
func readCallback(rawQuery, contentType string, body []byte) callback {
	var c callback
	var queryErr, bodyErr error
	c.query, queryErr = url.ParseQuery(rawQuery)
	c.query.Del("type") // a word of JSON bodies
	c.body, bodyErr = readBody(contentType, bytes.TrimSpace(body))
	for _, place := range []url.Values{c.query, c.body} {
		for _, values := range place {
			c.names += len(values)
		}
	}
	switch {
	case queryErr != nil:
		c.err = badField{"query", "a broken % sign or a semicolon"}
	case bodyErr != nil:
		c.err = bodyErr
	}
	return c
}

// readBody takes a form or a JSON object. A JSON object is also taken under
// a form's content type: that is what curl -d makes of it.
func readBody(contentType string, body []byte) (url.Values, error) {
	if len(body) == 0 {
		return url.Values{}, nil
	}
	if contentType == "" {
		contentType = formType
	}
	media, _, err := mime.ParseMediaType(contentType)
	isObject := body[0] == '{'
	switch {
	case err != nil:
		return url.Values{}, badField{"body", "the content type cannot be read"}
	case media == jsonType, media == formType && isObject:
		return readJSON(body)
	case media == formType:
		values, err := url.ParseQuery(string(body))
		values.Del("type")
		if err != nil {
			return values, badField{"body", "a form with a broken % sign or a semicolon"}
		}
		return values, nil
	}
	return url.Values{}, badField{"body", "the content type is none of " + jsonType + ", " + formType}
}

// readJSON reads an object by hand, since a name that stands in it twice must
// be seen twice.
func readJSON(body []byte) (url.Values, error) {
	broken := badField{"body", "not a JSON object"}
	values := url.Values{}
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return values, broken
	}
	var wrong error
	for d.More() {
		t, err := d.Token()
		name, isName := t.(string)
		var raw json.RawMessage
		if err != nil || !isName || d.Decode(&raw) != nil {
			return values, broken
		}
		text, err := jsonText(raw)
		if err != nil && wrong == nil && isField(name) {
			wrong = badField{name, "not a text or a number"}
		}
		values.Add(name, text)
	}
	if _, err := d.Token(); err != nil {
		return values, broken
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return values, broken
	}
	return values, wrong
}

// jsonText gives a string's text and a number's digits; null is nothing said.
func jsonText(raw json.RawMessage) (string, error) {
	switch raw[0] {
	case 'n':
		return "", nil
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	case '{', '[', 't', 'f':
		return "", errors.New("neither text nor number")
	}
	return string(raw), nil
}

func isField(name string) bool { return slices.Contains(fieldNames, name) }

// credentials are all places where the secret may stand: it may be the name of
// a parameter, whatever its value, or the value of token. The name of a field
// is never taken for a secret.
func (c callback) credentials() []string {
	var shown []string
	for _, place := range []url.Values{c.query, c.body} {
		shown = append(shown, place["token"]...)
		for _, name := range slices.Sorted(maps.Keys(place)) {
			if !isField(name) {
				shown = append(shown, name)
			}
		}
	}
	return shown
}

// word is what the call says. With an error comes as much of it as was found
// well formed before.
func (c callback) word() (w deploy.Callback, err error) {
	if c.err != nil {
		return w, c.err
	}
	said := make(map[string]string, len(fieldNames))
	for _, name := range fieldNames {
		if said[name], err = c.pick(name); err != nil {
			return w, err
		}
	}

	switch {
	case said["source"] == "" && said["type"] == "":
		return w, badField{"source", "missing"}
	case said["source"] != "" && said["source"] != "gitlab":
		return w, badField{"source", "unknown; it is gitlab"}
	case said["type"] != "" && said["type"] != "gitlab" && said["type"] != "deploy":
		return w, badField{"type", "unknown; it is gitlab or deploy"}
	}

	switch r := deploy.Result(said["result"]); r {
	case deploy.ResultStart, deploy.ResultSuccess, deploy.ResultFailure, deploy.ResultCanceled:
		w.Result = r
	case "":
		return w, badField{"result", "missing"}
	default:
		return w, badField{"result", "unknown; it is start, success, failure or canceled"}
	}

	id := strings.ToLower(said["id"])
	switch {
	case said["channel"] == "":
		return w, badField{"channel", "missing"}
	case !channelForm.MatchString(said["channel"]):
		return w, badField{"channel", "not a channel's id, such as C0123ABCD"}
	case said["timestamp"] == "":
		return w, badField{"timestamp", "missing"}
	case !timestampForm.MatchString(said["timestamp"]):
		return w, badField{"timestamp", "not a message's timestamp, such as 1700000000.000100"}
	case id != "" && !uuidForm.MatchString(id):
		return w, badField{"id", "not a UUID"}
	}
	w.Channel, w.TS, w.ID = said["channel"], said["timestamp"], id

	if w.Pipeline, err = number("pipeline", said["pipeline"]); err != nil {
		return w, err
	}
	if w.Job, err = number("job", said["job"]); err != nil {
		return w, err
	}
	if w.JobName, err = jobName("job_name", said["job_name"]); err != nil {
		return w, err
	}
	if w.JobStage, err = jobName("job_stage", said["job_stage"]); err != nil {
		return w, err
	}
	if w.SHA = strings.ToLower(said["sha"]); w.SHA != "" && !shaForm.MatchString(w.SHA) {
		w.SHA = ""
		return w, badField{"sha", "not a commit's whole SHA"}
	}
	if w.Result == deploy.ResultStart && w.Pipeline == 0 {
		return w, badField{"pipeline", "missing; start needs it"}
	}
	return w, nil
}

// pick gives a field's one value. Query and body may both say it, if they
// agree; one place must not say it twice.
func (c callback) pick(name string) (string, error) {
	query, body := c.query[name], c.body[name]
	switch {
	case len(query) > 1 || len(body) > 1:
		return "", badField{name, "given twice"}
	case len(query) == 1 && len(body) == 1 && query[0] != body[0]:
		return "", badField{name, "one value in the query, another in the body"}
	}
	if len(query) == 1 {
		return query[0], nil
	}
	return c.body.Get(name), nil
}

// number reads a positive integer; nothing said is 0.
func number(name, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if !numberForm.MatchString(text) || err != nil || n == 0 {
		return 0, badField{name, "not a positive whole number"}
	}
	return n, nil
}

// jobName reads the name of a job or of a stage, which may be any text of one line.
func jobName(field, text string) (string, error) {
	switch {
	case utf8.RuneCountInString(text) > maxJobName:
		return "", badField{field, "longer than 255 characters"}
	case !utf8.ValidString(text), strings.ContainsFunc(text, unicode.IsControl):
		return "", badField{field, "not a name in one line of UTF-8"}
	}
	return deploy.ScrubTokens(text), nil
}
