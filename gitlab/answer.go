package gitlab

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// answer is what GitLab, or something before it, answered.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error    // why the body was not read to its end
	asked  *url.URL // what was asked
}

// outcome tells what became of the POST. What is not surely something else is
// unsure: the pipeline may run.
func (a *answer) outcome(now time.Time) deploy.TriggerResult {
	if a.status >= 200 && a.status < 300 {
		return a.made()
	}
	said, from := words(a.body), a.origin()
	o := deploy.TriggerResult{Detail: said, Err: a.error(said)}
	switch {
	case a.status < 200 || a.status >= 500 || mayHaveWorked[a.status],
		a.status == http.StatusUnprocessableEntity && from != fromGitLab:
		o.Status, o.Detail = deploy.TriggerUnsure, ""
	case a.status < 400:
		o.Status, o.Reason, o.Detail = deploy.TriggerRefused, deploy.MsgRefusedRedirect, a.goal()
	case from == fromProxy:
		o.Status, o.Reason = deploy.TriggerRefused, deploy.MsgRefusedProxy
	case from != fromGitLab:
		o.Status, o.Reason = deploy.TriggerRefused, deploy.MsgRefusedElsewhere
	case a.status == http.StatusUnprocessableEntity:
		p, _ := a.pipeline()
		o.Status, o.Pipeline = deploy.TriggerFailed, p.failed(said)
	case a.status == http.StatusTooManyRequests || tooMany(said):
		o.Status, o.Reason, o.After = deploy.TriggerWait, deploy.MsgWaitRate, retryAfter(a.header, now)
	default:
		o.Status, o.Reason = deploy.TriggerRefused, refusal(a.status, said)
	}
	return o
}

// mayHaveWorked are the client errors that come from something between, which
// may have handed the request on: a timeout, a conflict, a client that is gone.
var mayHaveWorked = map[int]bool{
	http.StatusRequestTimeout: true, http.StatusConflict: true, http.StatusTooEarly: true, 499: true,
}

func (a *answer) made() deploy.TriggerResult {
	p, err := a.pipeline()
	switch {
	case err != nil || p.ID <= 0:
		return deploy.TriggerResult{Status: deploy.TriggerUnsure, Err: a.error("no pipeline can be read from it: " + a.title())}
	case p.Status == "failed":
		return deploy.TriggerResult{Status: deploy.TriggerFailed, Pipeline: p.failed(p.YAMLErrors), Detail: plain(p.YAMLErrors)}
	}
	return deploy.TriggerResult{Status: deploy.TriggerStarted, Pipeline: deploy.Pipeline{ID: p.ID, URL: p.WebURL}}
}

func (a *answer) pipeline() (pipeline, error) {
	if a.err != nil {
		return pipeline{}, a.err
	}
	var p pipeline
	err := json.Unmarshal(a.body, &p)
	if err != nil && p.ID > 0 && json.Valid(a.body) {
		err = nil // there is one, whatever else of it is strange
	}
	return p, err
}

func (a *answer) error(said string) error {
	err := fmt.Errorf("%s answered %d: %s", a.speaker(), a.status, said)
	if a.err != nil {
		err = errors.Join(err, a.err)
	}
	return err
}

// goal is where a redirect leads, without what may be secret in it.
func (a *answer) goal() string {
	to, err := url.Parse(a.header.Get("Location"))
	if err != nil || a.header.Get("Location") == "" {
		return ""
	}
	if a.asked != nil {
		to = a.asked.ResolveReference(to)
	}
	to.User, to.RawQuery, to.Fragment, to.RawFragment, to.ForceQuery = nil, "", "", "", false
	return plain(to.String())
}

// title is the title of a page; empty where it is none.
func (a *answer) title() string {
	if m := title.FindSubmatch(a.body); m != nil && !json.Valid(a.body) {
		return plain(string(m[1]))
	}
	return ""
}

// readInto reads a list or an object of GitLab's. Null is neither.
func (a *answer) readInto(into any) error {
	if body := bytes.TrimSpace(a.body); len(body) == 0 || body[0] != '[' && body[0] != '{' {
		return errors.New("it is neither a list nor an object")
	}
	return json.Unmarshal(a.body, into)
}

// next is the number of the page that follows; 0 where there is none.
func (a *answer) next() int {
	n, _ := strconv.Atoi(a.header.Get("X-Next-Page"))
	return n
}

// date is GitLab's clock when it answered; zero where that is not told, or the
// answer comes out of a cache and is an old one.
func (a *answer) date() time.Time {
	if age := a.header.Get("Age"); age != "" && age != "0" {
		return time.Time{}
	}
	date, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return date
}

const (
	rateWait    = time.Minute // where GitLab does not say how long
	rateWaitMin = time.Second
	rateWaitMax = 5 * time.Minute
)

// retryAfter reads how long GitLab wants to be left alone: Retry-After, else
// the end of the limit that is used up, else a minute. Times are compared with
// the answer's own, because clocks differ.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	if v := strings.TrimSpace(h.Get("Retry-After")); v != "" {
		if s, err := strconv.ParseFloat(v, 64); err == nil {
			return bounded(s)
		}
		if at, err := http.ParseTime(v); err == nil {
			return bounded(at.Sub(now).Seconds())
		}
	}
	if left := h.Get("RateLimit-Remaining"); left == "" || left == "0" {
		if s, err := strconv.ParseFloat(h.Get("RateLimit-Reset"), 64); err == nil {
			return bounded(s - float64(now.Unix()))
		}
	}
	return rateWait
}

func bounded(seconds float64) time.Duration {
	switch {
	case seconds >= rateWaitMax.Seconds():
		return rateWaitMax
	case seconds > rateWaitMin.Seconds():
		return time.Duration(seconds * float64(time.Second))
	}
	return rateWaitMin // NaN too
}
