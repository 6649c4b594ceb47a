package sim_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	dom "github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sim"
)

// scenario is one deploy, and how it may end if something goes wrong.
type scenario struct {
	name        string
	settings    []string
	world       func(w *sim.World) // what is special about the world
	say         string
	after       func(w *sim.World, ts string) // what happens after the mention
	pipeline    func(w *sim.World, p fakegitlab.Pipeline)
	good        []string                               // the reactions that it may end with; "" is none
	limit       time.Duration                          // how long it may take after a fault; zero: 7 minutes
	withdrawn   bool                                   // a stop has said so: there is no pipeline
	doubled     bool                                   // something sends the trigger twice
	rerun       bool                                   // its pipeline is that of another mention
	held        func(w *sim.World, ts string) []string // which more promises are broken; nil: there are none
	unaddressed bool                                   // in the end the message does not mention the bot; if that comes first, it is not answered
}

func scenarios() []scenario {
	deploy := func(result string) func(w *sim.World, p fakegitlab.Pipeline) {
		return func(w *sim.World, p fakegitlab.Pipeline) {
			time.Sleep(20 * time.Second)
			w.Report(p, result)
			w.GitLab.Finish(p.ID, map[string]string{"success": "success", "failure": "failed"}[result])
		}
	}
	reported := func(w *sim.World, p fakegitlab.Pipeline) { // its end is known before the call that tells it
		time.Sleep(20 * time.Second)
		w.GitLab.Finish(p.ID, "success")
		w.Report(p, "success")
	}
	starting := func(w *sim.World, p fakegitlab.Pipeline) {
		time.Sleep(time.Second)
		if w.Report(p, "start") {
			deploy("success")(w, p)
		} else {
			w.GitLab.Finish(p.ID, "failed")
		}
	}
	named := func(name string) fakegitlab.Fault {
		f, ok := fakegitlab.Named(name)
		if !ok {
			panic("no fault " + name)
		}
		return f
	}
	return []scenario{
		{name: "success", say: "release", pipeline: deploy("success"), good: []string{"white_check_mark"}},
		{name: "failure", say: "リリース", pipeline: deploy("failure"), good: []string{"x"}},
		{name: "refused", say: "release", good: []string{"x"}, world: func(w *sim.World) {
			w.GitLab.Answer(-1, named("reference not found"))
		}},
		{name: "lost answer", say: "release", pipeline: deploy("success"), good: []string{"white_check_mark"}, world: func(w *sim.World) {
			w.GitLab.Answer(1, named("made and cut"))
		}},
		{name: "waiting", say: "release", pipeline: deploy("success"), good: []string{"white_check_mark"}, world: func(w *sim.World) {
			w.GitLab.Answer(1, named("rate limit of a proxy"))
		}},
		{name: "callback before the answer", say: "release", good: []string{"white_check_mark"}, world: func(w *sim.World) {
			w.GitLab.Answer(1, fakegitlab.Fault{Make: 1, Delay: 10 * time.Second, Status: 201})
		}, pipeline: func(w *sim.World, p fakegitlab.Pipeline) {
			time.Sleep(time.Second)
			w.Report(p, "success")
			w.GitLab.Finish(p.ID, "success")
		}},
		{name: "start call", say: "release", good: []string{"white_check_mark"}, pipeline: starting},
		{name: "made twice", say: "release", good: []string{"white_check_mark"}, pipeline: starting, doubled: true, world: func(w *sim.World) {
			w.GitLab.Answer(1, named("made twice"))
		}},
		{name: "lost answer, no API token", say: "release", pipeline: deploy("success"), good: []string{"white_check_mark"}, world: func(w *sim.World) {
			w.GitLab.Answer(1, named("made and cut"))
		}, settings: []string{"GITLAB_API_TOKEN="}},
		{name: "duplicate delivery", say: "release", pipeline: deploy("success"), good: []string{"white_check_mark"}, world: func(w *sim.World) {
			w.Slack.Broadcast(true)
		}, after: func(w *sim.World, ts string) {
			time.Sleep(500 * time.Millisecond)
			w.Slack.Redeliver(sim.Channel, ts)
		}},
		{name: "slow pipeline", say: "release", good: []string{"white_check_mark"}, pipeline: func(w *sim.World, p fakegitlab.Pipeline) {
			time.Sleep(100 * time.Second) // another process takes over before the callback
			deploy("success")(w, p)
		}},
		{name: "withdrawn while it waits", say: "release", pipeline: deploy("success"), good: []string{"", "question", "zzz", "white_check_mark"}, unaddressed: true, world: func(w *sim.World) {
			w.GitLab.Answer(1, named("rate limit of a proxy"))
		}, after: func(w *sim.World, ts string) {
			time.Sleep(500 * time.Millisecond)
			w.Slack.Edit(sim.Channel, ts, "~"+sim.Bot+" release~")
		}},
		{name: "answered", say: "よろしく", good: []string{""}},
		{name: "asked and pressed", say: "release otama", pipeline: deploy("success"), good: []string{"white_check_mark"}, after: pressing("1 ")},
		{name: "a stop withdraws what waits", say: "release", pipeline: deploy("success"), good: []string{"", "question", "zzz", "white_check_mark"}, world: func(w *sim.World) {
			w.GitLab.Answer(1, fakegitlab.Fault{Status: 429, Header: map[string]string{"Retry-After": "45"}})
		}, after: func(w *sim.World, _ string) {
			time.Sleep(500 * time.Millisecond)
			w.Ask("ストップ")
		}},
		{name: "canceled by a press", say: "release", good: []string{"no_entry_sign", "white_check_mark"}, after: pressing("2 cancel "), pipeline: func(w *sim.World, p fakegitlab.Pipeline) {
			time.Sleep(2 * time.Minute) // what is not canceled succeeds
			w.GitLab.Finish(p.ID, "success")
		}},
		{name: "retried by a press", say: "release", good: []string{"x"}, after: pressing("2 retry "), pipeline: func(w *sim.World, p fakegitlab.Pipeline) {
			time.Sleep(10 * time.Second)
			status := "success"
			if p.ID == w.GitLab.Pipelines()[0].ID {
				status = "failed"
			}
			w.GitLab.Finish(p.ID, status)
		}, held: func(w *sim.World, ts string) (broken []string) {
			said := w.Messages(sim.Channel, ts)
			if all := w.GitLab.Pipelines(); len(all) > 2 {
				broken = append(broken, fmt.Sprintf("%d pipelines for one retry", len(all)))
			} else if !slices.Contains(said, dom.MsgSucceeded) && !(len(all) < 2 && slices.Contains(said, dom.MsgNoneSeen)) {
				broken = append(broken, fmt.Sprintf("%d pipelines, and the thread says %q", len(all), said))
			}
			return broken
		}},
		{name: "rolled back", say: "ロールバック", good: []string{"white_check_mark"}, rerun: true, after: pressing("1 "), world: func(w *sim.World) {
			w.Pipeline = func(p fakegitlab.Pipeline) { w.GitLab.Finish(p.ID, "success") }
			w.Rerun = func(p fakegitlab.Pipeline, j fakegitlab.Job) {
				time.Sleep(10 * time.Second)
				w.GitLab.MoveJob(p.ID, j.ID, "success")
				w.Report(p, "success")
			}
			for range 2 {
				w.GitLab.Push(sim.Project, "master", "Change it", "ito")
				waitLong(w, sim.Channel, w.Slack.Say(second, sim.Channel, sim.Bot+" release"), "white_check_mark")
			}
		}, held: func(w *sim.World, ts string) (broken []string) {
			all, said := w.GitLab.Pipelines(), w.Messages(sim.Channel, ts)
			if n := len(all[0].Jobs); len(all) != 2 || n > 2 {
				broken = append(broken, fmt.Sprintf("%d pipelines, and the first has %d jobs", len(all), n))
			} else if hasRerun(w) && !slices.Contains(said, dom.MsgRolledBack) {
				broken = append(broken, fmt.Sprintf("the rollback has succeeded, and the thread says %q", said))
			}
			return broken
		}},
		{name: "two ask for one target", say: "release", pipeline: deploy("success"), good: []string{"white_check_mark"}, after: func(w *sim.World, _ string) {
			time.Sleep(5 * time.Millisecond)
			w.Slack.Say(second, sim.Channel, sim.Bot+" release")
		}, held: inLine},
		{name: "one is next, and one goes along", say: "release", pipeline: reported, good: []string{"white_check_mark"}, limit: 80 * time.Minute, after: func(w *sim.World, _ string) {
			for range 2 {
				time.Sleep(200 * time.Millisecond)
				w.GitLab.Push(sim.Project, "master", "Change it", "yamada")
				w.Slack.Say(second, sim.Channel, sim.Bot+" release")
			}
		}, held: inLine},
		{name: "approved by two", say: "release", pipeline: starting, good: []string{"white_check_mark"}, held: asConfirmed, after: func(w *sim.World, ts string) {
			for _, user := range []string{second, third, "U0FOURTH"} { // one may have to ask again
				pressingAs(user, "1 ")(w, ts)
			}
		}, settings: []string{"GITLAB_TRIGGER_TOKENS=" + sim.Targets(`, "approvals": 2`)}},
		{name: "confirmed, and the branch moves on", say: "release", pipeline: starting, good: []string{"no_entry_sign", "white_check_mark"}, held: asConfirmed, after: func(w *sim.World, ts string) {
			pushed := false
			w.Every(time.Second, func() {
				if !pushed && len(w.Slack.Thread(sim.Channel, ts)) > 0 {
					pushed = true
					w.GitLab.Push(sim.Project, "master", "Change it", "yamada")
				}
			})
			pressing("1 ")(w, ts)
		}, world: func(w *sim.World) { w.GitLab.Unguard(sim.Project) }, settings: []string{"GITLAB_TRIGGER_TOKENS=" + sim.Targets(`, "confirm": true`)}},
		{name: "a stop withdraws a question", say: "release otama", good: []string{"", "thinking_face"}, after: func(w *sim.World, _ string) {
			time.Sleep(500 * time.Millisecond)
			w.Ask("ストップ")
		}},
	}
}

// inLine tells of pipelines that were made while another one went on, and of requests
// that are still queued.
func inLine(w *sim.World, _ string) (broken []string) {
	for _, m := range w.Slack.Channel(sim.Channel) {
		if slices.Contains(w.Slack.Reactions(sim.Channel, m.TS), "hourglass_flowing_sand") {
			broken = append(broken, m.TS+" is queued for good")
		}
	}
	all := w.GitLab.Pipelines()
	for i := 1; i < len(all); i++ {
		if before := all[i-1]; before.Status != "success" || all[i].Created.Before(before.Updated) {
			broken = append(broken, fmt.Sprintf("%d was made beside %d", all[i].ID, before.ID))
		}
	}
	return broken
}

// asConfirmed tells of pipelines that deploy another commit than was confirmed.
func asConfirmed(w *sim.World, ts string) (broken []string) {
	for _, p := range w.GitLab.Pipelines() {
		switch of := p.Variables["PSYCHER_SHA"]; {
		case of == "":
			broken = append(broken, fmt.Sprintf("%d was made unconfirmed", p.ID))
		case of != p.SHA && w.StartsGranted(ts) > 0:
			broken = append(broken, fmt.Sprintf("%d deploys another commit than was confirmed", p.ID))
		}
	}
	return broken
}

// hasRerun reports whether a job of the first pipeline ran again.
func hasRerun(w *sim.World) bool {
	all := w.GitLab.Pipelines()
	return len(all) > 0 && len(all[0].Jobs) > 1
}

// pressing is a person who presses the buttons of a kind, again and again while
// they are there: "1 " those of questions, "2 cancel " and the like of status messages.
func pressing(kind string) func(w *sim.World, ts string) { return pressingAs(second, kind) }

func pressingAs(user, kind string) func(w *sim.World, ts string) {
	return func(w *sim.World, ts string) {
		w.Every(4*time.Second, func() {
			for _, reply := range w.Slack.Thread(sim.Channel, ts) {
				if buttons := reply.Controls(); len(buttons) > 0 && strings.HasPrefix(buttons[0].Value, kind) {
					w.Slack.Press(user, sim.Channel, reply.TS, buttons[0].Action)
				}
			}
		})
	}
}

// run runs the scenario in a world of its own, with the fault, and returns the
// promises that were broken.
func (s scenario) run(t *testing.T, fault *sim.Fault) (ops []sim.Op, broken []string) {
	w := sim.New(t, append([]string{"GITLAB_TRIGGER_TOKENS=" + sim.Targets("")}, s.settings...)...)
	w.Pipeline = func(p fakegitlab.Pipeline) { s.pipeline(w, p) }
	if s.pipeline == nil {
		w.Pipeline = nil
	}
	a := w.StartReady("a")
	time.Sleep(2 * time.Second) // both sockets
	if s.world != nil {
		s.world(w)
	}
	if fault == nil {
		w.CountRedis()
	}
	synctest.Wait()
	before := w.Arrived()
	a.Arm(fault)
	ts := w.Slack.Say(sim.User, sim.Channel, sim.Bot+" "+s.say)
	if s.after != nil {
		s.after(w, ts)
	}
	limit := 3 * time.Minute
	if fault != nil {
		for range 2400 {
			if fault.Hit() {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if !fault.Hit() {
			return a.Ops(), []string{"the operation was not reached"}
		}
		time.Sleep(2 * time.Second)
		w.Start("b")
		if fault.Kind == sim.Suspend {
			limit = time.Hour + 3*time.Minute
		} else {
			limit = cmp.Or(s.limit, 7*time.Minute)
		}
	}
	// Usually it ends early; then wait a while longer, for what should not come.
	settled := func() bool { return len(s.check(w, ts)) == 0 }
	for end := time.Now().Add(limit); time.Now().Before(end) && !settled(); {
		time.Sleep(time.Second)
	}
	extra := 30 * time.Second
	switch {
	case fault == nil:
		extra = 2 * time.Second // what happens later is not part of the deploy
	case fault.Kind == sim.Suspend:
		extra += time.Until(fault.Over())
	case s.unaddressed:
		extra = limit // what ends with nothing looks finished from the beginning
	}
	time.Sleep(extra)
	broken = s.check(w, ts)
	synctest.Wait()
	ops = a.Ops()
	if fault == nil {
		for range 20 { // what is on its way has a name, and has not arrived
			if len(miscounted(ops, before, w.Arrived())) == 0 {
				break
			}
			time.Sleep(20 * time.Millisecond)
			synctest.Wait()
			ops = a.Ops()
		}
		broken = append(broken, miscounted(ops, before, w.Arrived())...)
	}
	return ops, broken
}

// miscounted compares the operations that were named with those that arrived.
func miscounted(ops []sim.Op, before, after map[string]int) (broken []string) {
	named := map[string]int{}
	for _, op := range ops {
		named[op.Receiver()]++
	}
	for who, n := range after {
		if arrived := n - before[who]; named[who] != arrived {
			broken = append(broken, fmt.Sprintf("%d operations arrived at %s, %d have a name", arrived, who, named[who]))
		}
	}
	return broken
}

// check returns the promises that the world breaks, for the mention and for what
// was said after it.
func (s scenario) check(w *sim.World, ts string) (broken []string) {
	for _, m := range w.Slack.Channel(sim.Channel) {
		if m.User != sim.User || m.TS == ts {
			continue
		}
		broken = append(broken, scenario{good: []string{""}}.checkMention(w, m.TS)...)
		if strings.Contains(strings.Join(w.Texts(sim.Channel, m.TS), ""), "1 件") { // a stop says that it has withdrawn the mention
			s.good, s.withdrawn = []string{""}, true
		}
	}
	broken = append(broken, s.checkMention(w, ts)...)
	broken = append(broken, w.WrongPast()...)
	if s.held != nil {
		broken = append(broken, s.held(w, ts)...)
	}
	if lost := w.Slack.Lost(); len(lost) > 0 {
		broken = append(broken, fmt.Sprintf("Slack gave up delivering %v", lost))
	}
	return broken
}

func (s scenario) checkMention(w *sim.World, ts string) (broken []string) {
	bad := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	var made []fakegitlab.Pipeline
	for _, p := range w.GitLab.Pipelines() {
		if p.Variables["timestamp"] == ts {
			made = append(made, p)
		}
	}
	if len(made) > 1 && !s.doubled {
		bad("%d pipelines for one mention", len(made))
	}
	if n := w.StartsGranted(ts); n > 1 {
		bad("%d pipelines deploy", n)
	}
	if len(made) > 0 && s.withdrawn {
		bad("it was withdrawn, and there is a pipeline")
	}
	texts := w.Texts(sim.Channel, ts)
	marks := strings.Join(w.Slack.Reactions(sim.Channel, ts), " ")
	if len(made) == 0 && len(texts) == 0 && !s.unaddressed {
		bad("no pipeline, and nobody was told")
	}
	good := s.good
	if len(made) == 0 && (!s.rerun || !hasRerun(w)) {
		good = []string{"", "x", "question", "zzz"} // none was created: the person was told whichever is true
		switch {
		case s.good[0] == "":
			good = s.good
		// another one was faster, and had its commits
		case slices.Contains(w.Messages(sim.Channel, ts), dom.MsgRode):
			good = []string{"white_check_mark"}
		}
	}
	if !slices.Contains(good, marks) {
		bad("reactions %q, want one of %q", marks, good)
	}
	if due, _ := w.Redis.ZMembers("{psycher}:due"); slices.ContainsFunc(due, func(name string) bool { return strings.HasSuffix(name, ts) }) && !slices.Contains([]string{"question", "zzz", "hourglass_flowing_sand", "thumbsup", "thinking_face"}, marks) {
		bad("it has ended, and is due forever")
	}
	slots := map[string]int{}
	for _, m := range w.Slack.Thread(sim.Channel, ts) {
		slots[string(m.Metadata)]++
	}
	for slot, n := range slots {
		if n > 1 {
			bad("posted %d times: %s", n, slot)
		}
	}
	return broken
}

// TestEveryCrashPoint runs each scenario with each fault at each of its
// operations. It prints how many it covered, and fails if an operation was not
// both named by the process and counted by its receiver. CRASH_POINTS=all runs all
// of them, awake all but the suspensions of an hour, kinds those at the first
// operation of each kind. Without it the process dies after some of these, in each
// scenario after others.
func TestEveryCrashPoint(t *testing.T) {
	share := os.Getenv("CRASH_POINTS")
	var operations, crashPoints atomic.Int64
	t.Cleanup(func() { t.Logf("in all: %d operations, %d crash points", operations.Load(), crashPoints.Load()) })
	for i, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			var ops []sim.Op
			t.Run("no fault", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var broken []string
					if ops, broken = s.run(t, nil); len(broken) > 0 {
						t.Errorf("broken: %s", strings.Join(broken, "; "))
					}
				})
			})
			covered := 0
			for _, op := range points(ops, share, i) {
				for _, kind := range faultKinds(op, share) {
					covered++
					t.Run(fmt.Sprintf("%s at %s", kind, op), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							if _, broken := s.run(t, &sim.Fault{At: op, Kind: kind}); len(broken) > 0 {
								t.Errorf("broken: %s", strings.Join(broken, "; "))
							}
						})
					})
				}
			}
			t.Logf("%s: %d operations, and as many arrived at the stand-ins; %d crash points", s.name, len(ops), covered)
			operations.Add(int64(len(ops)))
			crashPoints.Add(int64(covered))
		})
	}
}

// points are the operations to break: all, the first of each kind, or every fourth
// of these.
func points(ops []sim.Op, share string, scenario int) []sim.Op {
	first := slices.DeleteFunc(slices.Clone(ops), func(op sim.Op) bool { return op.N > 1 })
	switch share {
	case "kinds":
		return first
	case "":
		var some []sim.Op
		for i := scenario % 4; i < len(first); i += 4 {
			some = append(some, first[i])
		}
		return some
	}
	return ops
}

func faultKinds(op sim.Op, share string) []sim.FaultKind {
	switch share {
	case "all":
		return op.FaultKinds()
	case "awake", "kinds":
		return slices.DeleteFunc(op.FaultKinds(), func(h sim.FaultKind) bool { return h == sim.Suspend })
	}
	return []sim.FaultKind{sim.DieAfter}
}
