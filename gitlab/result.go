package gitlab

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getto-systems/psycher/deploy"
)

// answer is what GitLab, or something in front of it, answered.
type answer struct {
	status   int
	header   http.Header
	location *url.URL // where it leads; nil if it does not say, or not well
	body     []byte
	err      error // why the body was not read to its end
}

// made is what a POST makes: a pipeline, or another try of a job.
type made struct {
	created func(*answer) deploy.TriggerResult // of a 2xx
	refused refusals
	dies    bool // a 422 says that it was made, and has failed
}

var aPipeline = made{(*answer).created, ofPipelines, true}

// outcome says what became of the POST. Whatever is not certain counts as
// unsure: what it makes may run.
func (a *answer) outcome(now time.Time, of made) deploy.TriggerResult {
	if a.status >= 200 && a.status < 300 {
		return of.created(a)
	}
	said, from := words(a.body), a.origin()
	o := deploy.TriggerResult{Detail: said, Err: a.error(said)}
	switch {
	case a.mayHaveWorked(),
		a.status == http.StatusUnprocessableEntity && from != fromGitLab:
		o.Status, o.Detail = deploy.TriggerUnsure, ""
	case a.status < 400:
		o.Status, o.Reason, o.Detail = deploy.TriggerRefused, deploy.MsgRefusedRedirect, a.redirectsTo()
	case from == fromProxy:
		o.Status, o.Reason = deploy.TriggerRefused, deploy.MsgRefusedProxy
	case from != fromGitLab:
		o.Status, o.Reason = deploy.TriggerRefused, deploy.MsgRefusedElsewhere
	case a.status == http.StatusUnprocessableEntity && of.dies:
		p, _ := a.pipeline()
		o.Status, o.Pipeline = deploy.TriggerFailed, p.failed(said)
	case a.status == http.StatusTooManyRequests || strings.Contains(strings.ToLower(said), tooManyPipelines):
		o.Status, o.Reason, o.After = deploy.TriggerWait, deploy.MsgWaitRate, retryAfter(a.header, now)
	default:
		o.Status, o.Reason = deploy.TriggerRefused, of.refused.why(a.status, said)
	}
	return o
}

// mayHaveWorked tells whether a status leaves open what was done. Some 4xx an
// intermediary may return after forwarding the request: a timeout, a conflict, a
// client that went away.
func (a *answer) mayHaveWorked() bool {
	return a.status < 200 || a.status >= 500 ||
		slices.Contains([]int{http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, 499}, a.status)
}

// kind is what the metrics call an answer; nil: there was none.
func (a *answer) kind() string {
	switch {
	case a == nil:
		return "none"
	case a.status < 200, a.status >= 500, a.err != nil:
		return "failed"
	case a.status < 300:
		return "ok"
	case a.status < 400:
		return "redirect"
	case a.status == http.StatusTooManyRequests:
		return "limited"
	case a.origin() != fromGitLab:
		return "elsewhere"
	}
	return "refused"
}

func (a *answer) created() deploy.TriggerResult {
	p, err := a.pipeline()
	switch {
	case err != nil || p.ID <= 0:
		return deploy.TriggerResult{Status: deploy.TriggerUnsure, Err: a.error("it is not a pipeline: " + a.title())}
	case p.Status == "failed":
		return deploy.TriggerResult{Status: deploy.TriggerFailed, Pipeline: p.failed(p.YAMLErrors), Detail: plain(p.YAMLErrors)}
	}
	return deploy.TriggerResult{Status: deploy.TriggerStarted, Pipeline: deploy.Pipeline{ID: p.ID, URL: p.WebURL, SHA: wholeSHA(p.SHA), Bridges: true}}
}

func (a *answer) pipeline() (pipeline, error) {
	if a.err != nil {
		return pipeline{}, a.err
	}
	var p pipeline
	err := json.Unmarshal(a.body, &p)
	if err != nil && p.ID > 0 && json.Valid(a.body) {
		err = nil // it exists, however strange the rest is
	}
	return p, err
}

func (a *answer) error(said string) error { return errors.Join(&statusError{a, said}, a.err) }

// redirectsTo is where a redirect leads, without what may be secret in it.
func (a *answer) redirectsTo() string {
	if a.location == nil {
		return ""
	}
	return plain((&url.URL{Scheme: a.location.Scheme, Host: a.location.Host, Path: a.location.Path}).String())
}

// title is the title of an HTML page; empty if it is not one.
func (a *answer) title() string {
	if m := title.FindSubmatch(a.body); m != nil && !json.Valid(a.body) {
		return plain(string(m[1]))
	}
	return ""
}

// next is the number of the next page; 0 if this is the last one.
func (a *answer) next() int {
	n, _ := strconv.Atoi(a.header.Get("X-Next-Page"))
	return n
}

// date is what GitLab's clock showed when it answered; zero if it does not say,
// or if the answer is an old one from a cache.
func (a *answer) date() time.Time {
	if age := a.header.Get("Age"); age != "" && age != "0" {
		return time.Time{}
	}
	date, _ := http.ParseTime(a.header.Get("Date"))
	return date
}

const (
	rateWait    = time.Minute // if GitLab does not say how long
	rateWaitMin = time.Second
	rateWaitMax = 5 * time.Minute
)

// retryAfter reads how long GitLab's rate limit lasts: Retry-After, else the end
// of a limit that is used up, else a minute. Times are compared with the answer's
// own, because clocks differ.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	after, left := strings.TrimSpace(h.Get("Retry-After")), h.Get("RateLimit-Remaining")
	seconds, isNumber := strconv.ParseFloat(after, 64)
	at, isTime := http.ParseTime(after)
	reset, isReset := strconv.ParseFloat(h.Get("RateLimit-Reset"), 64)
	switch {
	case isNumber == nil:
	case isTime == nil:
		seconds = at.Sub(now).Seconds()
	case (left == "" || left == "0") && isReset == nil:
		seconds = reset - float64(now.Unix())
	default:
		return rateWait
	}
	if seconds > rateWaitMin.Seconds() { // NaN is not
		return time.Duration(min(seconds, rateWaitMax.Seconds()) * float64(time.Second))
	}
	return rateWaitMin
}
