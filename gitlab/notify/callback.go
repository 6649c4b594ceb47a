package notify

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
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

// call is a call of the notify port, parsed but not trusted: the names and
// values of its query and of its body, which may be a form or JSON.
type call struct {
	query, body url.Values
	names       int   // how many names both have, repeated ones counted each time
	err         error // what could not be parsed
}

// badField says what is wrong with a call. It never quotes what was sent.
//
//docgen:messages notify
type badField struct{ field, why string }

func (e badField) Error() string { return e.field + ": " + e.why }

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// parseCall parses as much as it can, also of a malformed call: whether the call
// shows the secret must be known before its errors are told.
func parseCall(rawQuery, contentType string, body []byte) call {
	var c call
	var queryErr error
	c.query, queryErr = url.ParseQuery(rawQuery)
	c.query.Del("type") // a field of JSON bodies only
	c.body, c.err = parseBody(contentType, bytes.TrimSpace(body))
	if queryErr != nil {
		c.err = badField{"query", "a broken % sign or a semicolon"}
	}
	for _, place := range []url.Values{c.query, c.body} {
		for _, values := range place {
			c.names += len(values)
		}
	}
	return c
}

// parseBody accepts a form or a JSON object. A JSON object may also come with
// the content type of a form: curl -d sends it like that.
func parseBody(contentType string, body []byte) (url.Values, error) {
	if len(body) == 0 {
		return nil, nil
	}
	media, _, err := mime.ParseMediaType(cmp.Or(contentType, formType))
	switch {
	case err != nil:
		return nil, badField{"body", "the content type cannot be read"}
	case media == jsonType, media == formType && body[0] == '{':
		return parseJSON(body)
	case media == formType:
		values, err := url.ParseQuery(string(body))
		values.Del("type")
		if err != nil {
			return values, badField{"body", "a form with a broken % sign or a semicolon"}
		}
		return values, nil
	}
	return nil, badField{"body", "the content type is neither " + jsonType + " nor " + formType}
}

// parseJSON reads an object token by token, since a name that is in it twice
// must be noticed. Null is an empty value.
func parseJSON(body []byte) (url.Values, error) {
	broken := badField{"body", "not a JSON object"}
	values := url.Values{}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return values, broken
	}
	var wrong error
	for d.More() {
		t, err := d.Token()
		name, isName := t.(string)
		var value any
		if err != nil || !isName || d.Decode(&value) != nil {
			return values, broken
		}
		text, isText := value.(string)
		number, isNumber := value.(json.Number)
		if value != nil && !isText && !isNumber && wrong == nil && isField(name) {
			wrong = badField{name, "neither text nor a number"}
		}
		values.Add(name, text+number.String())
	}
	_, open := d.Token()
	if _, after := d.Token(); open != nil || !errors.Is(after, io.EOF) {
		return values, broken
	}
	return values, wrong
}

// callback returns what the call reports. With an error it has the fields that
// were checked before and are well formed.
func (c call) callback() (deploy.Callback, error) {
	var found deploy.Callback
	if c.err != nil {
		return found, c.err
	}
	values := make(map[string]string, len(fields))
	for _, f := range fields {
		var err error
		if values[f.name], err = c.value(f.name); err != nil {
			return found, err
		}
	}
	if values["source"] == "" && values["type"] == "" {
		return found, badField{"source", "missing"}
	}
	for _, f := range fields {
		next, value := found, values[f.name]
		switch {
		case value == "" && f.required:
			return found, badField{f.name, "missing"}
		case value != "" && f.set != nil && !f.set(&next, value):
			return found, badField{f.name, f.wrong}
		}
		found = next
	}
	if found.Result == deploy.ResultStart && found.Pipeline == 0 {
		return found, badField{"pipeline", "missing; start needs it"}
	}
	return found, nil
}

// value returns a field's one value. Query and body may both have it, if they
// agree; neither may have it twice.
func (c call) value(name string) (string, error) {
	switch query, body := c.query[name], c.body[name]; {
	case len(query) > 1 || len(body) > 1:
		return "", badField{name, "given twice"}
	case len(query) == 1 && len(body) == 1 && query[0] != body[0]:
		return "", badField{name, "one value in the query, another in the body"}
	}
	return cmp.Or(c.query.Get(name), c.body.Get(name)), nil
}

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
