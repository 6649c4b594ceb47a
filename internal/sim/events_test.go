package sim_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sim"
)

// event is one thing that happens in a story, after a while.
type event struct {
	After   time.Duration
	Do      string
	Process string // a or b, for events of a process
}

func (d event) String() string { return fmt.Sprintf("{%v, %q, %q}", d.After, d.Do, d.Process) }

// story is what happens in a world, with or without a token for GitLab's API,
// with scripts that send a token of their own or old ones, with a target of its own for
// each channel or one that two of them share.
type story struct {
	Token  bool
	Old    bool
	Shared bool
	Events []event
}

// stories draws stories. The group of an event is drawn first, so that each group
// is as likely as the others, however many events it has.
func stories() *rapid.Generator[story] {
	groups := eventGroups()
	names := slices.Sorted(maps.Keys(groups))
	draw := rapid.Custom(func(r *rapid.T) event {
		group := groups[rapid.SampledFrom(names).Draw(r, "group")]
		return event{
			After:   time.Duration(rapid.IntRange(0, 40).Draw(r, "tenths")) * 100 * time.Millisecond,
			Do:      rapid.SampledFrom(slices.Sorted(maps.Keys(group))).Draw(r, "do"),
			Process: rapid.SampledFrom([]string{"a", "b"}).Draw(r, "process"),
		}
	})
	return rapid.Custom(func(r *rapid.T) story {
		return story{
			Token:  rapid.IntRange(0, 3).Draw(r, "token") < 3,
			Old:    rapid.IntRange(0, 3).Draw(r, "old") == 3,
			Shared: rapid.IntRange(0, 3).Draw(r, "shared") < 3,
			Events: append([]event{{Do: rapid.SampledFrom([]string{"ask", "ask in doubt", "deploy for minutes", "two ask at once"}).Draw(r, "first")}}, rapid.SliceOfN(draw, 1, 16).Draw(r, "events")...),
		}
	})
}

// events are all that can happen, by name.
func events() map[string]func(r *storyRun, d event) {
	all := map[string]func(r *storyRun, d event){}
	for _, group := range eventGroups() {
		maps.Copy(all, group)
	}
	return all
}

func eventGroups() map[string]map[string]func(r *storyRun, d event) {
	return map[string]map[string]func(r *storyRun, d event){
		"people": {
			"ask":            func(r *storyRun, _ event) { r.say(sim.Channel, "release") },
			"ask politely":   func(r *storyRun, _ event) { r.say(sim.Channel, "リリースお願いします") },
			"ask elsewhere":  func(r *storyRun, _ event) { r.say(sim.Two, "deploy api") },
			"hold back":      func(r *storyRun, _ event) { r.say(sim.Channel, "release しないで") },
			"greet":          func(r *storyRun, _ event) { r.say(sim.Channel, "よろしく") },
			"deliver again":  func(r *storyRun, _ event) { m := r.lastMention(); r.w.Slack.Redeliver(m.channel, m.ts) },
			"edit to stop":   func(r *storyRun, _ event) { r.edit("よろしく") },
			"edit to strike": func(r *storyRun, _ event) { r.rewrite("~" + sim.Bot + " release~") },
			"edit to code":   func(r *storyRun, _ event) { r.rewrite("`" + sim.Bot + " release`") },
			"edit to ask":    func(r *storyRun, _ event) { r.edit("release, please") },
		},
		"presses": {
			"press deploy":        func(r *storyRun, _ event) { r.press("U0SECOND", 0) },
			"press no":            func(r *storyRun, _ event) { r.press("U0SECOND", -1) },
			"two press at a time": func(r *storyRun, _ event) { r.press("U0SECOND", 0); r.press("U0THIRD", -1) },
			"press again":         func(r *storyRun, _ event) { r.pressAgain() },
		},
		"steering": {
			"press cancel":            func(r *storyRun, _ event) { r.steer("U0SECOND", "cancel") },
			"press retry":             func(r *storyRun, _ event) { r.steer("U0SECOND", "retry") },
			"press roll back":         func(r *storyRun, _ event) { r.steer("U0SECOND", "rollback") },
			"two retry at a time":     func(r *storyRun, _ event) { r.steer("U0SECOND", "retry"); r.steer("U0THIRD", "retry") },
			"two roll back at once":   func(r *storyRun, _ event) { r.steer("U0SECOND", "rollback"); r.steer("U0THIRD", "rollback") },
			"ask to roll back":        func(r *storyRun, _ event) { r.say(sim.Channel, "ロールバック") },
			"ask what is pending":     func(r *storyRun, _ event) { r.say(sim.Channel, "何が出る？") },
			"ask for the history":     func(r *storyRun, _ event) { r.say(sim.Channel, "履歴") },
			"somebody pushes":         func(r *storyRun, _ event) { r.push() },
			"it is deployed and ends": func(r *storyRun, _ event) { r.say(sim.Channel, "release"); time.Sleep(40 * time.Second) },
			"cancels change nothing":  func(r *storyRun, _ event) { r.w.GitLab.IgnoreCancels(true) },
		},
		"doubts": {
			"ask in doubt":        func(r *storyRun, _ event) { r.say(sim.Channel, "release otama") },
			"ask for either":      func(r *storyRun, _ event) { r.say(sim.Two, "リリース") },
			"stop what waits":     func(r *storyRun, _ event) { r.say(sim.Channel, "ストップ") },
			"half an hour passes": func(*storyRun, event) { time.Sleep(deploy.AskFor) },
			"edit to doubt":       func(r *storyRun, _ event) { r.edit("release otama") },
		},
		"turns":     turnEvents(),
		"locks":     lockEvents(),
		"pipelines": pipelineEvents(),
		"GitLab":    gitlabEvents(),
		"Slack":     slackEvents(),
		"sockets": {
			"sockets drop":     func(r *storyRun, _ event) { r.eachSocket(r.w.Slack.Drop) },
			"sockets go mute":  func(r *storyRun, _ event) { r.eachSocket(r.w.Slack.Mute) },
			"a socket retires": func(r *storyRun, _ event) { r.w.Slack.Refresh() },
		},
		"processes": {
			"kill":    func(r *storyRun, d event) { r.kill(d.Process) },
			"stop":    func(r *storyRun, d event) { r.stop(d.Process) },
			"start":   func(r *storyRun, d event) { r.start(d.Process) },
			"suspend": func(r *storyRun, d event) { r.suspend(d.Process) },
		},
		"Redis": {
			"Redis down":            func(r *storyRun, _ event) { r.w.RedisDown(8 * time.Second) },
			"Redis loads":           func(r *storyRun, _ event) { r.redisError("LOADING Redis is loading the dataset in memory") },
			"Redis fails over":      func(r *storyRun, _ event) { r.redisError("READONLY You can't write against a read only replica.") },
			"Redis is full":         func(r *storyRun, _ event) { r.redisError("OOM command not allowed when used memory > 'maxmemory'.") },
			"Redis hangs":           func(r *storyRun, _ event) { r.hangRedis(4 * time.Second) },
			"Redis is out of reach": func(r *storyRun, d event) { r.partition(d.Process) },
			"Redis forgets":         func(r *storyRun, _ event) { r.flushRedis() },
		},
	}
}

// pipelineEvents set the plan of the next pipeline.
func pipelineEvents() map[string]func(r *storyRun, d event) {
	all := map[string]func(r *storyRun, d event){}
	for name, c := range plans() {
		all["the next "+name] = func(r *storyRun, _ event) { r.setNextPlan(c) }
	}
	return all
}

func gitlabEvents() map[string]func(r *storyRun, d event) {
	all := map[string]func(r *storyRun, d event){
		"GitLab's list lags":     func(r *storyRun, _ event) { r.w.GitLab.Lag(20 * time.Second) },
		"GitLab's look-ups fail": func(r *storyRun, _ event) { r.w.GitLab.FailLookUps(3, "", fakegitlab.Fault{Status: 502}) },
		"GitLab limits look-ups": func(r *storyRun, _ event) {
			r.w.GitLab.FailLookUps(2, "", fakegitlab.Fault{Status: 429, Header: map[string]string{"Retry-After": "20"}})
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
		all["GitLab: "+name] = func(r *storyRun, _ event) { r.w.GitLab.Answer(1, f) }
	}
	return all
}

func slackEvents() map[string]func(r *storyRun, d event) {
	all := map[string]func(r *storyRun, d event){}
	for _, method := range []string{"chat.postMessage", "chat.postEphemeral", "chat.update", "reactions.add", "reactions.remove", "conversations.replies"} {
		for name, f := range map[string]fakeslack.Fault{
			"limits": fakeslack.RateLimited(3 * time.Second), "limits by a fraction": fakeslack.RateLimitedFraction(), "limits with a 200": fakeslack.RateLimitedOK(),
			"breaks": fakeslack.Unavailable(), "cuts": fakeslack.Cut(), "loses its answer to": fakeslack.LoseAnswer(),
			"hangs at": fakeslack.Hang(), "is slow at": fakeslack.Delayed(5 * time.Second),
		} {
			all["Slack "+name+" "+method] = func(r *storyRun, _ event) { r.w.Slack.Fail(method, 1, f) }
		}
		if method != "conversations.replies" { // what cannot be looked up may be posted twice
			all["Slack refuses for now "+method] = func(r *storyRun, _ event) { r.w.Slack.Fail(method, 2, fakeslack.Fails("team_added_to_org")) }
		}
	}
	return all
}
