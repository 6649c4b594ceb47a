// Package doctor checks whether psycher can do its work: what Slack, GitLab,
// Redis and the settings must be like, each a small check that changes nothing.
// A check is a row of a table; what it finds are [Finding]s, mostly the first row
// that holds of another table. Each fault comes with its fix, and what cannot be
// seen with the right that is missing.
package doctor

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/cmd/settings"
	"github.com/getto-systems/psycher/dedupe"
	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/gitlab"
)

// Verdict is what a check says of what it looked at.
type Verdict string

const (
	OK     Verdict = "ok"
	Fault  Verdict = "fault"
	Unseen Verdict = "cannot see" // a right is missing, or what is asked does not answer
)

// Finding is what a check found about one thing. No field holds a secret.
type Finding struct {
	Check   string  `json:"check"`           // the row of the table, such as "gitlab: ref"
	About   string  `json:"about,omitempty"` // the project, channel or setting; empty where there is one
	Verdict Verdict `json:"verdict"`
	Seen    string  `json:"seen"`          // what was seen; of an unseen thing, why not
	Fix     string  `json:"fix,omitempty"` // of a fault, what to do; of an unseen thing, the right to give
}

// What is what it says without the fix, on one line.
func (f Finding) What() string { return strings.TrimSpace(f.Check+" "+f.About) + ": " + f.Seen }

func ok(seen string) Finding           { return Finding{Verdict: OK, Seen: seen} }
func fault(seen, fix string) Finding   { return Finding{Verdict: Fault, Seen: seen, Fix: fix} }
func unseen(why, right string) Finding { return Finding{Verdict: Unseen, Seen: why, Fix: right} }

// when is what is found if something holds.
type when struct {
	holds bool
	is    Finding
}

// first returns what the first row that holds says.
func first(rows []when) Finding {
	return rows[slices.IndexFunc(rows, func(w when) bool { return w.holds })].is
}

// check is a row of the table.
type check struct {
	name  string
	start bool               // it is cheap, and made at each start too
	needs func(*Doctor) bool // nil: nothing
	run   func(context.Context, *Doctor, report)
}

// report takes what a check finds about something. The zero Finding is none.
type report func(about string, f Finding)

// checks are in the order in which they are made and printed.
func checks() []check {
	return slices.Concat(settingsChecks, slackChecks, gitlabChecks, redisChecks, notifyChecks)
}

var settingsChecks = []check{
	{"settings: names", false, nil, misspelt}, // at the start they are logged at once
}

// Rename is what to do about a warning of the settings.
const Rename = "rename the variable, or unset it"

// misspelt tells of variables that are not settings and nearly are.
func misspelt(_ context.Context, d *Doctor, found report) {
	for _, w := range d.Warnings {
		found("", fault(w, Rename))
	}
	if d.Warnings == nil {
		found("", ok("no name is misspelt"))
	}
}

// Doctor is what the checks look at: the bot's own clients, not started.
type Doctor struct {
	Settings     settings.Settings
	Warnings     []string // of the settings
	Slack        *web.Client
	GitLab       gitlab.Config
	Store        *dedupe.Store
	Dial         func(ctx context.Context, network, addr string) (net.Conn, error)
	Proxy        func(*http.Request) (*url.URL, error)
	ProbeTrigger bool // also POST a trigger with a ref that cannot exist, which makes nothing
	AtStart      bool // make only the checks that are cheap enough for each start

	limit    rate.Limit    // of calls to Slack and GitLab; callsPerSecond if 0
	patience time.Duration // longestInVain if 0

	pace      *rate.Limiter
	gitlab    *gitlab.Client
	bot       *web.Installation // what Slack says of it; nil until it has answered
	slackDown bool              // Slack did not answer for a channel
	redisDown bool              // Redis did not answer
}

const (
	callsPerSecond rate.Limit = 4  // to Slack and GitLab
	mostAtStart    int        = 50 // channels, projects and refs that a start looks at

	// longestInVain is how long calls may take that GitLab does not answer: with
	// hundreds of projects, each for half a minute, there would be no end.
	longestInVain = 2 * time.Minute
)

// Run makes the checks, in order, and reports each finding as it is made. The error
// says why not all were made.
func (d *Doctor) Run(ctx context.Context, report func(Finding)) (err error) {
	d.pace = rate.NewLimiter(cmp.Or(d.limit, callsPerSecond), 1)
	reads := &once{pace: d.pace, patience: cmp.Or(d.patience, longestInVain), known: map[string]answered{}}
	conf := d.GitLab
	conf.Through = func(to http.RoundTripper) http.RoundTripper {
		reads.to = to
		return reads
	}
	if d.gitlab, err = gitlab.New(conf); err != nil {
		return err
	}
	defer d.gitlab.Close()
	d.bot, d.slackDown, d.redisDown = nil, false, false
	for _, c := range checks() {
		if d.AtStart && !c.start || c.needs != nil && !c.needs(d) {
			continue
		}
		c.run(ctx, d, func(about string, f Finding) {
			if f.Verdict != "" && ctx.Err() == nil {
				f.Check, f.About = c.name, about
				report(f)
			}
		})
	}
	return ctx.Err()
}

// turn waits until another call may be made. A check calls it before each call to Slack.
// Once the doctor is ended it returns at once, and what is found then is not reported.
func (d *Doctor) turn(ctx context.Context) { _ = d.pace.Wait(ctx) }

// one makes a check that finds one thing.
func one(see func(context.Context, *Doctor) Finding) func(context.Context, *Doctor, report) {
	return func(ctx context.Context, d *Doctor, found report) { found("", see(ctx, d)) }
}

// each makes a check of one target of each kind that it can be made of.
func each(
	kind func(deploy.Target) (same, about string),
	may func(context.Context, *Doctor, deploy.Target) bool,
	see func(context.Context, *Doctor, deploy.Target) Finding,
) func(context.Context, *Doctor, report) {
	return func(ctx context.Context, d *Doctor, found report) {
		seen := map[string]bool{}
		for t := range d.Settings.Targets.All() {
			same, about := kind(t)
			switch {
			case ctx.Err() != nil:
				return
			case seen[same]:
				continue
			case d.AtStart && len(seen) == mostAtStart:
				found("", ok(fmt.Sprintf("only the first %d were looked at: psycher doctor looks at all", mostAtStart)))
				return
			}
			if seen[same] = true; may(ctx, d, t) {
				found(about, see(ctx, d, t))
			}
		}
	}
}

func byChannel(t deploy.Target) (same, about string) { return t.Team + t.Channel, t.Channel }
func byProject(t deploy.Target) (same, about string) { return t.Project, t.Project }

func byRef(t deploy.Target) (same, about string) {
	about = t.Project + " " + t.Ref
	return about, about
}

func byTarget(t deploy.Target) (same, about string) {
	same, about = byRef(t)
	return strings.Join([]string{same, t.Token.Reveal(), t.Job, t.Key}, " "), about + ", target " + t.Name + " in " + t.Channel
}

// once makes requests in their turn, and each read only once: several checks look at one
// answer.
type once struct {
	to       http.RoundTripper
	pace     *rate.Limiter
	patience time.Duration // that is left to wait for GitLab in vain
	known    map[string]answered
}

type answered struct {
	raw []byte
	err error
}

func (o *once) RoundTrip(req *http.Request) (*http.Response, error) {
	what := req.URL.String()
	a, known := o.known[what]
	if !known || req.Method != http.MethodGet {
		a.raw, a.err = o.call(req)
		o.known[what] = a
	}
	if a.err != nil {
		return nil, a.err
	}
	return http.ReadResponse(bufio.NewReader(bytes.NewReader(a.raw)), req)
}

func (o *once) call(req *http.Request) ([]byte, error) {
	if o.patience < 0 {
		return nil, errors.New("GitLab was waited for long enough")
	}
	if err := o.pace.Wait(req.Context()); err != nil {
		return nil, err
	}
	began := time.Now()
	resp, err := o.to.RoundTrip(req)
	if err != nil || resp.StatusCode >= http.StatusInternalServerError {
		o.patience -= time.Since(began)
	}
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	resp.Body = http.MaxBytesReader(nil, resp.Body, 2<<20)
	return httputil.DumpResponse(resp, true)
}
