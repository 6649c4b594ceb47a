package sim_test

import (
	"strings"
	"sync"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sim"
)

// play is a story as it runs.
type play struct {
	w      *sim.World
	token  bool
	alive  map[string]*sim.Process
	said   []mention
	forgot time.Time
	awake  time.Time // when the last sleeper is up

	mu      sync.Mutex // of all below
	next    course     // how the next pipeline goes
	course  map[string]course
	under   int             // pipelines that are not over
	began   map[string]bool // mentions of which a pipeline deployed
	trouble []string        // what went wrong on the way
}

// mention is what somebody said.
type mention struct {
	channel, ts, text string
	at                time.Time
	away              bool // it was edited, and no longer speaks to the bot
}

// course is how a pipeline goes.
type course struct {
	starts, mute, twice, late, forged bool
	ends                              []string // its statuses, one after the other, each told as it comes
	mark, silent                      string   // the mark in the end, and where nobody is told and nobody can ask
}

// courses are all of them, by name.
func courses() map[string]course {
	good := func(c course) course {
		c.ends, c.mark = []string{"success"}, "white_check_mark"
		return c
	}
	return map[string]course{
		"succeeds":             good(course{}),
		"calls at its start":   good(course{starts: true}),
		"calls twice":          good(course{twice: true}),
		"calls late":           good(course{late: true}),
		"calls nobody":         good(course{mute: true, silent: "zzz"}),
		"is mimicked":          good(course{starts: true, forged: true}),
		"fails":                {ends: []string{"failed"}, mark: "x"},
		"is run again":         {ends: []string{"failed", "success"}, mark: "white_check_mark"},
		"fails after all":      {ends: []string{"success", "failed"}, mark: "white_check_mark"},
		"is canceled by hand":  {ends: []string{"canceled"}, mute: true, mark: "no_entry_sign", silent: "zzz"},
		"deploys nothing":      {ends: []string{"manual", "success"}, mute: true, mark: "no_entry_sign", silent: "zzz"},
		"is skipped by GitLab": {ends: []string{"skipped"}, mute: true, mark: "no_entry_sign", silent: "zzz"},
	}
}

func (y *play) say(channel, words string) {
	ts := y.w.Slack.Say(sim.User, channel, sim.Bot+" "+words)
	y.said = append(y.said, mention{channel, ts, words, time.Now(), false})
}

func (y *play) last() mention { return y.said[len(y.said)-1] }

func (y *play) edit(words string) { y.rewrite(sim.Bot + " " + words) }

// rewrite edits all of the last message.
func (y *play) rewrite(text string) {
	m := &y.said[len(y.said)-1]
	m.away = m.away || !strings.HasPrefix(text, sim.Bot)
	y.w.Slack.Edit(m.channel, m.ts, text)
}

func (y *play) sockets(do func(n int)) {
	for _, n := range y.w.Slack.Sockets() {
		do(n)
	}
}

func (y *play) kill(who string) {
	if p := y.alive[who]; p != nil {
		p.Kill()
		delete(y.alive, who)
	}
}

func (y *play) stop(who string) {
	if p := y.alive[who]; p != nil {
		delete(y.alive, who)
		if err := p.Stop(); err != nil {
			y.wrong(who + " ended with " + err.Error())
		}
	}
}

func (y *play) start(who string) {
	if y.alive[who] == nil {
		y.w.Net.CutAll(who)
		y.alive[who] = y.w.Start(who)
	}
}

func (y *play) suspend(who string) {
	if p := y.alive[who]; p != nil {
		p.Suspend(90 * time.Second)
		y.awake = time.Now().Add(100 * time.Second)
	}
}

// part keeps one process from Redis, in the middle of whatever it does.
func (y *play) part(who string) {
	if p := y.alive[who]; p != nil {
		p.Part(30 * time.Second)
	}
}

func (y *play) redisSays(what string) { y.w.RedisSays(what, 8*time.Second) }

func (y *play) hangRedis(d time.Duration) { y.w.RedisHangs(d) }

func (y *play) forget() {
	y.w.Redis.FlushAll()
	y.forgot = time.Now()
}

func (y *play) wrong(what string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.trouble = append(y.trouble, what)
}

// goes sets how the next pipeline goes.
func (y *play) goes(c course) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.next = c
}

// pipeline is what a pipeline of the story does.
func (y *play) pipeline(p fakegitlab.Pipeline) {
	c := y.begin(p)
	defer y.over()
	if c.starts && !y.w.Report(p, "start") {
		y.w.GitLab.Finish(p.ID, "failed")
		return
	}
	y.mu.Lock()
	y.began[p.Variables["timestamp"]] = true
	y.mu.Unlock()
	if c.forged {
		y.mimic(p)
	}
	for _, status := range c.ends {
		time.Sleep(7 * time.Second)
		y.w.GitLab.Finish(p.ID, status)
		if c.late {
			time.Sleep(4 * time.Minute)
		}
		if c.mute {
			continue
		}
		result := map[string]string{"success": "success", "failed": "failure"}[status]
		y.w.Report(p, result)
		if c.twice {
			y.w.Report(p, result)
		}
	}
}

// begin gives the course of a pipeline. What something between made twice asks
// whether it may start: nothing else can keep the second from deploying.
func (y *play) begin(p fakegitlab.Pipeline) course {
	time.Sleep(time.Millisecond) // the other is made at the same instant
	ts := p.Variables["timestamp"]
	y.mu.Lock()
	defer y.mu.Unlock()
	y.under++
	c, known := y.course[ts]
	if !known {
		c, y.next = y.next, courses()["succeeds"]
	}
	for _, other := range y.w.GitLab.Pipelines() {
		c.starts = c.starts || other.ID != p.ID && other.Variables["timestamp"] == ts
	}
	y.course[ts] = c
	return c
}

func (y *play) over() {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.under--
}

// mimic calls as a pipeline that is not the deployment's: one that GitLab made
// beside it; and, once the deployment's own has proved itself, one of another
// project, which names no pipeline.
func (y *play) mimic(p fakegitlab.Pipeline) {
	if !y.w.OldScripts {
		other := p
		other.ID = 0
		for _, name := range []string{"a", "b"} {
			for _, token := range []string{sim.NotifyToken, deploy.NewToken().Reveal()} {
				for _, result := range []string{"failure", "success"} {
					if status, body := y.w.Prove(name, token, result, other); status == 200 || status == 409 {
						y.wrong("another project's call was taken: " + body)
					}
				}
			}
		}
	}
	for _, name := range []string{"a", "b"} {
		for _, result := range []string{"start", "failure", "success"} {
			status, _ := y.w.Notify(name, result, p.Variables["channel"], p.Variables["timestamp"], "id="+p.Variables["PSYCHER_ID"], "pipeline=99999")
			if result == "start" && status == 200 {
				y.wrong("a pipeline of somebody else's may start")
			}
		}
	}
}
