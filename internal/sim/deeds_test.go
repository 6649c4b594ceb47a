package sim_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sim"
)

// deed is one thing that happens in a story, after a while.
type deed struct {
	After time.Duration
	Do    string
	Who   string // a or b, where it is about a process
}

func (d deed) String() string { return fmt.Sprintf("{%v, %q, %q}", d.After, d.Do, d.Who) }

// story is what happens in a world, with or without a token for GitLab's API,
// with scripts that prove themselves or old ones.
type story struct {
	Token bool
	Old   bool
	Deeds []deed
}

// stories draws them. A group of deeds is drawn first, so that each is as
// likely as the others, however many its deeds are.
func stories() *rapid.Generator[story] {
	groups := deedGroups()
	names := slices.Sorted(maps.Keys(groups))
	draw := rapid.Custom(func(r *rapid.T) deed {
		group := groups[rapid.SampledFrom(names).Draw(r, "group")]
		return deed{
			After: time.Duration(rapid.IntRange(0, 40).Draw(r, "tenths")) * 100 * time.Millisecond,
			Do:    rapid.SampledFrom(slices.Sorted(maps.Keys(group))).Draw(r, "do"),
			Who:   rapid.SampledFrom([]string{"a", "b"}).Draw(r, "who"),
		}
	})
	return rapid.Custom(func(r *rapid.T) story {
		return story{
			Token: rapid.IntRange(0, 3).Draw(r, "token") < 3,
			Old:   rapid.IntRange(0, 3).Draw(r, "old") == 3,
			Deeds: append([]deed{{Do: "ask"}}, rapid.SliceOfN(draw, 1, 16).Draw(r, "deeds")...),
		}
	})
}

// deeds are all that can happen, by name.
func deeds() map[string]func(y *play, d deed) {
	all := map[string]func(y *play, d deed){}
	for _, group := range deedGroups() {
		maps.Copy(all, group)
	}
	return all
}

func deedGroups() map[string]map[string]func(y *play, d deed) {
	return map[string]map[string]func(y *play, d deed){
		"people": {
			"ask":            func(y *play, _ deed) { y.say(sim.Channel, "release") },
			"ask politely":   func(y *play, _ deed) { y.say(sim.Channel, "リリースお願いします") },
			"ask elsewhere":  func(y *play, _ deed) { y.say(sim.Two, "deploy api") },
			"hold back":      func(y *play, _ deed) { y.say(sim.Channel, "release しないで") },
			"greet":          func(y *play, _ deed) { y.say(sim.Channel, "よろしく") },
			"deliver again":  func(y *play, _ deed) { m := y.last(); y.w.Slack.Redeliver(m.channel, m.ts) },
			"edit to stop":   func(y *play, _ deed) { y.edit("よろしく") },
			"edit to strike": func(y *play, _ deed) { y.rewrite("~" + sim.Bot + " release~") },
			"edit to code":   func(y *play, _ deed) { y.rewrite("`" + sim.Bot + " release`") },
			"edit to ask":    func(y *play, _ deed) { y.edit("release, please") },
		},
		"pipelines": pipelineDeeds(),
		"GitLab":    gitlabDeeds(),
		"Slack":     slackDeeds(),
		"sockets": {
			"sockets drop":     func(y *play, _ deed) { y.sockets(y.w.Slack.Drop) },
			"sockets go mute":  func(y *play, _ deed) { y.sockets(y.w.Slack.Mute) },
			"a socket retires": func(y *play, _ deed) { y.w.Slack.Refresh() },
		},
		"processes": {
			"kill":    func(y *play, d deed) { y.kill(d.Who) },
			"stop":    func(y *play, d deed) { y.stop(d.Who) },
			"start":   func(y *play, d deed) { y.start(d.Who) },
			"suspend": func(y *play, d deed) { y.suspend(d.Who) },
		},
		"Redis": {
			"Redis away":       func(y *play, _ deed) { y.w.RedisAway(8 * time.Second) },
			"Redis loads":      func(y *play, _ deed) { y.redisSays("LOADING Redis is loading the dataset in memory") },
			"Redis fails over": func(y *play, _ deed) { y.redisSays("READONLY You can't write against a read only replica.") },
			"Redis is full":    func(y *play, _ deed) { y.redisSays("OOM command not allowed when used memory > 'maxmemory'.") },
			"Redis hangs":      func(y *play, _ deed) { y.hangRedis(4 * time.Second) },
			"Redis is parted":  func(y *play, d deed) { y.part(d.Who) },
			"Redis forgets":    func(y *play, _ deed) { y.forget() },
		},
	}
}

// pipelineDeeds say how the next pipeline goes.
func pipelineDeeds() map[string]func(y *play, d deed) {
	all := map[string]func(y *play, d deed){}
	for name, c := range courses() {
		all["the next "+name] = func(y *play, _ deed) { y.goes(c) }
	}
	return all
}

func gitlabDeeds() map[string]func(y *play, d deed) {
	all := map[string]func(y *play, d deed){
		"GitLab's list lags":     func(y *play, _ deed) { y.w.GitLab.Lag(20 * time.Second) },
		"GitLab's look-ups fail": func(y *play, _ deed) { y.w.GitLab.FailLooks(3, "", fakegitlab.Fault{Status: 502}) },
		"GitLab limits look-ups": func(y *play, _ deed) {
			y.w.GitLab.FailLooks(2, "", fakegitlab.Fault{Status: 429, Header: map[string]string{"Retry-After": "20"}})
		},
	}
	for _, name := range []string{
		"cut", "hang", "made and cut", "made and hang", "made late and hang", "made after the cut", "made twice", "made twice and cut",
		"slow", "500", "500 but made", "201 with a page", "rate limit of a proxy", "too many pipelines", "reference not found", "failed pipeline, 201",
	} {
		f, ok := fakegitlab.Named(name)
		if !ok {
			panic("no fault " + name)
		}
		all["GitLab: "+name] = func(y *play, _ deed) { y.w.GitLab.Answer(1, f) }
	}
	return all
}

func slackDeeds() map[string]func(y *play, d deed) {
	all := map[string]func(y *play, d deed){}
	for _, method := range []string{"chat.postMessage", "chat.update", "reactions.add", "reactions.remove", "conversations.replies"} {
		for name, f := range map[string]fakeslack.Fault{
			"limits": fakeslack.RateLimited(3 * time.Second), "limits by a fraction": fakeslack.RateLimitedFraction(), "limits with a 200": fakeslack.RateLimitedOK(),
			"breaks": fakeslack.Unavailable(), "cuts": fakeslack.Cut(), "loses its answer to": fakeslack.LoseAnswer(),
			"hangs at": fakeslack.Hang(), "is slow at": fakeslack.Delayed(5 * time.Second),
		} {
			all["Slack "+name+" "+method] = func(y *play, _ deed) { y.w.Slack.Fail(method, 1, f) }
		}
		if method != "conversations.replies" { // what cannot be looked up may be posted twice
			all["Slack refuses for now "+method] = func(y *play, _ deed) { y.w.Slack.Fail(method, 2, fakeslack.Fails("team_added_to_org")) }
		}
	}
	return all
}
