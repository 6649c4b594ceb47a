// Package sandbox is everything around the bot on one machine: a stand-in Slack
// and a stand-in GitLab on free loopback ports, and pipelines that really run
// the example's scripts. The demo runs in it. The stand-ins themselves are in
// the packages below; what is shown of them is in this one.
package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

// The names of things in the sandbox.
const (
	Team    = "T0TEAM"
	Channel = "C0APP"
	User    = "U0YAMADA"
	Second  = "U0SATO"
	BotUser = "U0BOT"
	Bot     = "<@" + BotUser + ">"

	apiToken = "glpat-demo-read-api"
)

// Person is one of those who write in the channel and press buttons.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"` // "@yamada" mentions them
	Team string `json:"-"`    // their workspace
	// Guest is who comes from another workspace.
	Guest bool `json:"guest"`
}

// People are the persons of the channel. The first is who uses the demo.
func People() []Person {
	return []Person{
		{ID: User, Name: "yamada", Team: Team},
		{ID: Second, Name: "sato", Team: Team},
		{ID: "U0EMMA", Name: "emma", Team: "T0PARTNER", Guest: true},
	}
}

// target is what the channel deploys.
type target struct {
	Project   string   `json:"project_id"`
	Token     string   `json:"token"`
	Aliases   []string `json:"aliases,omitempty"`
	URL       string   `json:"url,omitempty"`
	Approvals int      `json:"approvals,omitempty"`
	Freeze    []freeze `json:"freeze,omitempty"`
	Override  []string `json:"override,omitempty"`
}

// freeze is a time without deploys.
type freeze struct {
	Cron   string `json:"cron"`
	For    string `json:"for"`
	Zone   string `json:"zone"`
	Reason string `json:"reason"`
}

var (
	app   = target{Project: "example/app", Token: "glptt-demo-0000000000000000"}
	admin = target{Project: "example/admin", Token: "glptt-demo-1111111111111111", Aliases: []string{"管理画面"}}
	prod  = target{Project: "example/prod", Token: "glptt-demo-2222222222222222", Aliases: []string{"production", "本番"}, Approvals: 1}
)

// targets are the channel's targets, by name.
func targets() map[string]target {
	return map[string]target{"app": app, "admin": admin, "prod": prod}
}

// Sandbox is the world of one demo.
type Sandbox struct {
	Slack  *fakeslack.Slack
	GitLab *fakegitlab.GitLab
	Store  *Store

	slackURL, gitlabURL string
	notify, admin       string
	scripts             *scripts
	frozen              atomic.Bool
	servers             []*http.Server
	releases            []func() // of the bot's ports
	running             sync.WaitGroup
}

// Start opens the stand-ins, with commits in a language. Close ends them.
func Start(ctx context.Context, lang string) (*Sandbox, error) {
	b := &Sandbox{}
	var err error
	if b.scripts, err = unpack(); err != nil {
		return nil, err
	}
	if b.Store, err = startStore(); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	listeners := make([]net.Listener, 2)
	addrs := make([]string, 2)
	for i := range listeners {
		if listeners[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return nil, errors.Join(fmt.Errorf("a port on this machine: %w", err), b.Close())
		}
		addrs[i] = listeners[i].Addr().String()
	}
	b.slackURL, b.gitlabURL = "http://"+addrs[0], "http://"+addrs[1]
	for _, addr := range []*string{&b.notify, &b.admin} {
		free, release, err := Reserve()
		if err != nil {
			return nil, errors.Join(err, b.Close())
		}
		*addr, b.releases = free, append(b.releases, release)
	}

	b.Slack = fakeslack.New(fakeslack.Config{URL: b.slackURL, Seed: uint64(time.Now().UnixNano())})
	b.Slack.Join(Channel)
	run := func(p fakegitlab.Pipeline) { b.scripts.run(ctx, b.GitLab, p) }
	begun, later := commits(lang)
	var pushed atomic.Int64
	project := func(id int64, t target) fakegitlab.Project {
		return fakegitlab.Project{ID: id, Path: t.Project, Token: t.Token, Name: "deploy $PSYCHER_ID", Jobs: jobs, Commits: begun}
	}
	b.GitLab = fakegitlab.New(fakegitlab.Config{
		URL: b.gitlabURL, APIToken: apiToken,
		Projects: []fakegitlab.Project{project(1, app), project(2, admin), project(3, prod)},
		OnPipeline: func(p fakegitlab.Pipeline) {
			if p.Project != admin.Project { // people go on working on the others while they are deployed
				for range 1 + pushed.Load()%3 {
					c := later[int(pushed.Add(1))%len(later)]
					b.GitLab.Push(p.Project, p.Ref, c.Title, c.Author)
				}
			}
			run(p)
		},
		OnRetry: run, OnJobRetry: func(p fakegitlab.Pipeline, _ fakegitlab.Job) { run(p) },
	})
	b.serve(listeners[0], b.Slack)
	b.serve(listeners[1], b.GitLab)
	return b, nil
}

func (b *Sandbox) serve(l net.Listener, h http.Handler) {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	b.servers = append(b.servers, s)
	b.running.Go(func() { _ = s.Serve(l) }) // it returns at Close
}

// Close ends what runs.
func (b *Sandbox) Close() error {
	if b.Slack != nil {
		b.Slack.Close()
		b.GitLab.Close()
	}
	for _, s := range b.servers {
		s.Close()
	}
	b.running.Wait()
	for _, release := range b.releases {
		release()
	}
	if b.Store != nil {
		b.Store.redis.Close()
	}
	return os.RemoveAll(b.scripts.dir)
}

// FailNext sets whether the next deploy fails.
func (b *Sandbox) FailNext(on bool) { b.scripts.failNext.Store(on) }

// FailsNext reports whether the next deploy fails.
func (b *Sandbox) FailsNext() bool { return b.scripts.failNext.Load() }

// Linger sets how long each job takes from now on.
func (b *Sandbox) Linger(d time.Duration) { b.scripts.takes.Store(int64(d)) }

// SetFrozen sets whether nothing is deployed for a time: a bot that is started later
// knows it.
func (b *Sandbox) SetFrozen(on bool) { b.frozen.Store(on) }

// IsFrozen reports whether nothing is deployed for a time.
func (b *Sandbox) IsFrozen() bool { return b.frozen.Load() }

// ends are the reactions on a mention whose deploy has ended.
var ends = []string{"white_check_mark", "x", "no_entry_sign"}

// HasEnded reports whether a mention shows the end of its deploy.
func (b *Sandbox) HasEnded(ts string) bool {
	return slices.ContainsFunc(b.Slack.Reactions(Channel, ts), func(r string) bool { return slices.Contains(ends, r) })
}

// DeployFirst has somebody deploy at once, so that the next deploy has something to
// be compared with.
func (b *Sandbox) DeployFirst(ctx context.Context, words string) error {
	b.Linger(0)
	ts := b.Slack.Say(Second, Channel, Bot+" "+words)
	return b.Slack.Until(ctx, func() bool { return b.HasEnded(ts) && len(b.Slack.Thread(Channel, ts)) == 2 })
}

// GitLabURL is where the stand-in of GitLab is reached.
func (b *Sandbox) GitLabURL() string { return b.gitlabURL }

// Environ is the bot's environment: ordinary settings, as one would set them.
func (b *Sandbox) Environ(lang string) []string {
	all := targets()
	for name, t := range all { // what is deployed can be looked at
		t.URL = fmt.Sprintf("%s/%s/-/environments", b.gitlabURL, t.Project)
		if b.IsFrozen() {
			t.Freeze, t.Override = []freeze{frozen(lang, time.Now())}, []string{Second}
		}
		all[name] = t
	}
	channels, err := json.Marshal(map[string]any{Team: map[string]any{Channel: all}})
	if err != nil {
		panic(err) // strings can be marshalled
	}
	return []string{
		"SLACK_APP_TOKEN=xapp-test", "SLACK_BOT_TOKEN=xoxb-test", "SLACK_API_URL=" + b.slackURL + "/api/",
		"GITLAB_URL=" + b.gitlabURL, "GITLAB_API_TOKEN=" + apiToken,
		"GITLAB_TRIGGER_TOKENS=" + string(channels),
		// People wait for the result of a lost answer, so GitLab counts as fast.
		"GITLAB_REQUEST_TIMEOUT=5s", "REDIS_URL=redis://" + b.Store.Addr(),
		"NOTIFY_ADDR=" + b.notify, "ADMIN_ADDR=" + b.admin, "NOTIFY_URL=http://" + b.notify + "/notify",
		"PSYCHER_LANG=" + lang, "LOG_LEVEL=error", "LOG_FORMAT=console",
	}
}

// frozen is a time without deploys that has begun within the last hour.
func frozen(lang string, now time.Time) freeze {
	zone, reason := "UTC", "month-end closing"
	if lang == "ja" {
		zone, reason = "Asia/Tokyo", "月末の締め"
	}
	in, err := time.LoadLocation(zone)
	if err != nil {
		panic(err) // the program has all zones
	}
	return freeze{Cron: fmt.Sprintf("0 %d * * *", now.In(in).Hour()), For: "12h", Zone: zone, Reason: reason}
}

// Ready waits until the bot is ready.
func (b *Sandbox) Ready(ctx context.Context) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.admin+"/readyz", nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the bot did not become ready: %w", context.Cause(ctx))
		case <-time.After(50 * time.Millisecond):
		}
	}
}
