package sim_test

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sim"
)

// storyRun is a story while it runs.
type storyRun struct {
	w        *sim.World
	token    bool
	shared   bool // two channels deploy one target
	alive    map[string]*sim.Process
	pressed  map[string]bool // mentions for which somebody pressed a deploy button
	again    map[string]bool // those of them that Redis had forgotten: a press deploys once more
	steered  map[string]int  // presses of buttons of status messages, by what they do
	last     func()          // presses the last button once more
	awakeAt  time.Time       // when the last suspended process goes on
	presses  []confirmation  // what people pressed, and below which text
	unlocks  []unlock        // who wanted a lock ended
	extended bool            // somebody made a lock longer
	pushed   []string        // the commits that were pushed, the oldest first
	met      map[string]bool // what there was in the end, see metOfTargets

	mu         sync.Mutex // of all below; what the story itself reads, it alone writes
	mentions   []mention
	flushed    time.Time // when Redis forgot everything, last
	starts     []start
	succeeded  map[int64]bool // pipelines that have succeeded, at some time
	nextPlan   plan           // of the next pipeline
	plans      map[string]plan
	unfinished int             // pipelines that have not finished
	deployed   map[string]bool // mentions that a pipeline deployed for
	problems   []string        // what went wrong so far
}

// mention is a message that somebody posted.
type mention struct {
	user, channel, ts, text string
	project                 string // of the target that it is about
	at                      time.Time
	pushed                  int           // how many commits had been pushed by then
	locks                   time.Duration // how long it wants the target locked; 0: not at all
	unaddressed             bool          // it was edited, and no longer mentions the bot
}

// plan is how a pipeline goes.
type plan struct {
	starts, mute, twice, late, forged bool
	ends                              []string      // its statuses, one after the other, each reported as it comes
	runs                              time.Duration // before the first of them; 0: a few seconds
	reaction, untold                  string        // the reaction in the end, and without calls and look-ups
}

// plans are all of them, by name.
func plans() map[string]plan {
	good := func(c plan) plan {
		c.ends, c.reaction = []string{"success"}, "white_check_mark"
		return c
	}
	return map[string]plan{
		"succeeds":             good(plan{}),
		"calls at its start":   good(plan{starts: true}),
		"calls twice":          good(plan{twice: true}),
		"calls late":           good(plan{late: true}),
		"calls nobody":         good(plan{mute: true, untold: "zzz"}),
		"is mimicked":          good(plan{starts: true, forged: true}),
		"takes minutes":        good(plan{runs: 2 * time.Minute}),
		"fails":                {ends: []string{"failed"}, reaction: "x"},
		"is run again":         {ends: []string{"failed", "success"}, reaction: "white_check_mark"},
		"fails after all":      {ends: []string{"success", "failed"}, reaction: "white_check_mark"},
		"is canceled by hand":  {ends: []string{"canceled"}, mute: true, reaction: "no_entry_sign", untold: "zzz"},
		"deploys nothing":      {ends: []string{"manual", "success"}, mute: true, reaction: "no_entry_sign", untold: "zzz"},
		"is skipped by GitLab": {ends: []string{"skipped"}, mute: true, reaction: "no_entry_sign", untold: "zzz"},
	}
}

func (r *storyRun) say(channel, words string) { r.sayAs(sim.User, channel, words) }

func (r *storyRun) sayAs(user, channel, words string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := mention{user: user, channel: channel, text: words, project: r.projectOf(channel, words), at: time.Now(), pushed: len(r.pushed)}
	switch {
	case strings.Contains(words, "ロック: "):
		m.locks = lockTime
	case strings.Contains(words, "アンロック"):
		r.wantUnlocked(m)
	}
	m.ts = r.w.Slack.Say(user, channel, sim.Bot+" "+words)
	r.mentions = append(r.mentions, m)
}

func (r *storyRun) lastMention() mention { return r.mentions[len(r.mentions)-1] }

func (r *storyRun) edit(words string) { r.rewrite(sim.Bot + " " + words) }

// rewrite replaces the whole last message.
func (r *storyRun) rewrite(text string) {
	m := &r.mentions[len(r.mentions)-1]
	m.unaddressed = m.unaddressed || !strings.HasPrefix(text, sim.Bot)
	r.w.Slack.Edit(m.channel, m.ts, text)
}

// press presses a button of the newest message that has any: the first ones deploy,
// the last one does not.
func (r *storyRun) press(user string, which int) {
	for _, m := range slices.Backward(r.mentions) {
		for _, reply := range slices.Backward(r.w.Slack.Thread(m.channel, m.ts)) {
			buttons := slices.DeleteFunc(reply.Controls(), func(c fakeslack.Control) bool { return strings.HasPrefix(c.Value, "2 ") })
			if len(buttons) == 0 {
				continue
			}
			b := buttons[(which+len(buttons))%len(buttons)]
			if which >= 0 {
				r.confirm(user, m, reply, b.Value)
			}
			r.last = func() { r.w.Slack.Press("U0SECOND", m.channel, reply.TS, b.Action, fakeslack.WithValue(b.Value)) }
			r.w.Slack.Press(user, m.channel, reply.TS, b.Action)
			return
		}
	}
}

// steer presses a button of the newest status message that has it.
func (r *storyRun) steer(user, does string) {
	for _, m := range slices.Backward(r.mentions) {
		for _, reply := range slices.Backward(r.w.Slack.Thread(m.channel, m.ts)) {
			action, value := button(reply, does)
			if action == "" {
				continue
			}
			r.steered[does]++
			if does == "deploy" {
				r.confirm(user, m, reply, value)
			}
			r.last = func() { r.w.Slack.Press("U0SECOND", m.channel, reply.TS, action, fakeslack.WithValue(value)) }
			r.w.Slack.Press(user, m.channel, reply.TS, action)
			return
		}
	}
}

// rerun is what a job does that is run again.
func (r *storyRun) rerun(p fakegitlab.Pipeline, j fakegitlab.Job) {
	r.mu.Lock()
	r.unfinished++
	r.mu.Unlock()
	defer r.finish()
	r.noteStart(p.ID, "")
	r.w.Report(p, "start")
	time.Sleep(7 * time.Second)
	r.w.GitLab.MoveJob(p.ID, j.ID, "success")
	r.finishAs(p.ID, "success")
	r.w.Report(p, "success")
}

func (r *storyRun) pressAgain() {
	if r.last != nil {
		r.last()
	}
}

func (r *storyRun) eachSocket(do func(n int)) {
	for _, n := range r.w.Slack.Sockets() {
		do(n)
	}
}

func (r *storyRun) kill(name string) {
	if p := r.alive[name]; p != nil {
		p.Kill()
		delete(r.alive, name)
	}
}

func (r *storyRun) stop(name string) {
	if p := r.alive[name]; p != nil {
		delete(r.alive, name)
		if err := p.Stop(); err != nil {
			r.addProblem(name + " ended with " + err.Error())
		}
	}
}

func (r *storyRun) start(name string) {
	if r.alive[name] == nil {
		r.w.Net.CutAll(name)
		r.alive[name] = r.w.Start(name)
	}
}

func (r *storyRun) suspend(name string) {
	if p := r.alive[name]; p != nil {
		p.Suspend(90 * time.Second)
		r.awakeAt = time.Now().Add(100 * time.Second)
	}
}

// partition cuts one process off from Redis, in the middle of whatever it does.
func (r *storyRun) partition(name string) {
	if p := r.alive[name]; p != nil {
		p.Partition(30 * time.Second)
	}
}

func (r *storyRun) redisError(what string) { r.w.RedisFails(what, 8*time.Second) }

func (r *storyRun) hangRedis(d time.Duration) { r.w.RedisHangs(d) }

func (r *storyRun) flushRedis() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.w.Redis.FlushAll()
	r.flushed = time.Now()
}

func (r *storyRun) addProblem(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, what)
}

// setNextPlan sets how the next pipeline goes.
func (r *storyRun) setNextPlan(c plan) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.nextPlan = c
}

// pipeline is what a pipeline of the story does.
func (r *storyRun) pipeline(p fakegitlab.Pipeline) {
	c := r.planFor(p)
	defer r.finish()
	r.noteStart(p.ID, p.Variables["timestamp"])
	if c.starts && !r.w.Report(p, "start") {
		r.w.GitLab.Finish(p.ID, "failed")
		return
	}
	r.mu.Lock()
	r.deployed[p.Variables["timestamp"]] = true
	r.mu.Unlock()
	if c.forged {
		r.forge(p)
	}
	time.Sleep(c.runs)
	for _, status := range c.ends {
		time.Sleep(7 * time.Second)
		r.finishAs(p.ID, status)
		if c.late {
			time.Sleep(4 * time.Minute)
		}
		if c.mute {
			continue
		}
		result := map[string]string{"success": "success", "failed": "failure"}[status]
		r.w.Report(p, result)
		if c.twice {
			r.w.Report(p, result)
		}
	}
}

// planFor returns the plan of a pipeline. If a proxy sent the trigger twice, both
// pipelines ask whether they may start: nothing else keeps the second one from
// deploying.
func (r *storyRun) planFor(p fakegitlab.Pipeline) plan {
	time.Sleep(time.Millisecond) // the other one is made at the same instant
	ts := p.Variables["timestamp"]
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unfinished++
	c, known := r.plans[ts]
	if !known {
		c, r.nextPlan = r.nextPlan, plans()["succeeds"]
	}
	for _, other := range r.w.GitLab.Pipelines() {
		c.starts = c.starts || other.ID != p.ID && other.Variables["timestamp"] == ts
	}
	r.plans[ts] = c
	return c
}

// finishAs ends a pipeline.
func (r *storyRun) finishAs(id int64, status string) {
	r.mu.Lock()
	r.succeeded[id] = r.succeeded[id] || status == "success"
	r.mu.Unlock()
	r.w.GitLab.Finish(id, status)
}

func (r *storyRun) finish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unfinished--
}

// forge calls as a pipeline that is not the deployment's: one that GitLab made
// beside it; and, once the deployment's own has proved itself, one of another
// project, which names no pipeline.
func (r *storyRun) forge(p fakegitlab.Pipeline) {
	if !r.w.OldScripts {
		other := p
		other.ID = 0
		for _, name := range []string{"a", "b"} {
			for _, token := range []string{sim.NotifyToken, deploy.NewToken().Reveal()} {
				for _, result := range []string{"failure", "success"} {
					if status, body := r.w.NotifyWithToken(name, token, result, other); status == 200 || status == 409 {
						r.addProblem("another project's call was taken: " + body)
					}
				}
			}
		}
	}
	for _, name := range []string{"a", "b"} {
		for _, result := range []string{"start", "failure", "success"} {
			status, _ := r.w.Notify(name, result, p.Variables["channel"], p.Variables["timestamp"], "id="+p.Variables["PSYCHER_ID"], "pipeline=99999")
			if result == "start" && status == 200 {
				r.addProblem("somebody else's pipeline may start")
			}
		}
	}
}
