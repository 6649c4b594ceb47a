// Package doctor checks whether psycher can do its work: what Slack, GitLab,
// Redis and the settings must be like, each a small check that changes nothing.
// A check is a row of a table; what it finds is a list of [Finding]. Each fault
// comes with its fix, and what cannot be seen with the right that is missing.
package doctor

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/getto-systems/psycher/bot/web"
	"github.com/getto-systems/psycher/cmd/settings"
	"github.com/getto-systems/psycher/dedupe"
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

// String is the finding on one line.
func (f Finding) String() string {
	line := f.Check
	if f.About != "" {
		line += " " + f.About
	}
	if line += ": " + f.Seen; f.Fix != "" {
		line += "; " + f.Fix
	}
	return line
}

func ok(about, seen string) Finding { return Finding{About: about, Verdict: OK, Seen: seen} }

func fault(about, seen, fix string) Finding {
	return Finding{About: about, Verdict: Fault, Seen: seen, Fix: fix}
}

func unseen(about, why, right string) Finding {
	return Finding{About: about, Verdict: Unseen, Seen: why, Fix: right}
}

// check is a row of the table.
type check struct {
	name  string
	start bool // it is cheap, and made at each start too
	run   func(context.Context, *Doctor) []Finding
}

// checks are in the order in which they are made and printed.
func checks() []check {
	return slices.Concat(settingsChecks, slackChecks, gitlabChecks, redisChecks, notifyChecks)
}

// Doctor is what the checks look at: the bot's own clients, not started.
type Doctor struct {
	Settings     settings.Settings
	Warnings     []string // of the settings
	Slack        *web.Client
	GitLab       *gitlab.Client
	Store        *dedupe.Store
	Dial         func(ctx context.Context, network, addr string) (net.Conn, error)
	Proxy        func(*http.Request) (*url.URL, error)
	ProbeTrigger bool // also POST a trigger with a ref that cannot exist, which makes nothing

	limit    rate.Limit    // of calls to Slack and GitLab; callsPerSecond if 0
	patience time.Duration // longestInVain if 0
	pace     *rate.Limiter
	asked    map[string]any // the answers to what [ask] has asked
	inVain   time.Duration  // that GitLab was waited for

	atStart   bool
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

// Run makes all checks, in order, and reports each finding as it is made.
func (d *Doctor) Run(ctx context.Context, report func(Finding)) { d.run(ctx, false, report) }

// Start makes the checks that are cheap enough for each start.
func (d *Doctor) Start(ctx context.Context, report func(Finding)) { d.run(ctx, true, report) }

func (d *Doctor) run(ctx context.Context, start bool, report func(Finding)) {
	d.pace, d.asked = rate.NewLimiter(cmp.Or(d.limit, callsPerSecond), 1), map[string]any{}
	d.atStart, d.bot, d.slackDown, d.inVain = start, nil, false, 0
	for _, c := range checks() {
		if start && !c.start {
			continue
		}
		found := c.run(ctx, d)
		if ctx.Err() != nil {
			return
		}
		for _, f := range found {
			f.Check = c.name
			report(f)
		}
	}
}

// turn waits until another call may be made. A check calls it before each call to
// Slack or GitLab, and stops when it returns false: the doctor is ended.
func (d *Doctor) turn(ctx context.Context) bool { return d.pace.Wait(ctx) == nil }

// ask makes a call to GitLab in its turn, and only once: several checks look at one answer.
func ask[T any](ctx context.Context, d *Doctor, what string, call func(context.Context) (T, error)) (T, error) {
	type answer struct {
		got T
		err error
	}
	a, known := d.asked[what].(answer)
	if !known {
		switch {
		case d.inVain > cmp.Or(d.patience, longestInVain):
			a.err = errors.New("GitLab was waited for long enough")
		case !d.turn(ctx):
			a.err = errors.New("the doctor was ended")
		default:
			began := time.Now()
			if a.got, a.err = call(ctx); gitlab.FailureOf(a.err) == gitlab.NoAnswer {
				d.inVain += time.Since(began)
			}
		}
		d.asked[what] = a
	}
	return a.got, a.err
}
