package sim_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
	"github.com/getto-systems/psycher/internal/sim"
)

// The people of a story besides sim.User.
const (
	storySecond = "U0SECOND"
	storyThird  = "U0THIRD"
)

// lockTime is how long people of a story lock a target.
const lockTime = 10 * time.Minute

// storyTargets is the target map of a story. The web target is deployed side by side.
func storyTargets(shared bool) string {
	api := "2"
	if shared {
		api = sim.Project
	}
	const target = `{"project_id": %q, "token": %q%s}`
	return "GITLAB_TRIGGER_TOKENS=" + fmt.Sprintf(`{%q: {%q: {"app": `+target+`}, %q: {"api": `+target+`, "web": `+target+`}}}`, sim.Team,
		sim.Channel, sim.Project, sim.TriggerToken, "", sim.Two, api, sim.TriggerToken, "", "group/web", sim.TriggerToken, `, "parallel": true`)
}

// projectOf is the project of the target that a mention is about.
func (r *storyRun) projectOf(channel, words string) string {
	isWeb := strings.Contains(words, "web")
	switch {
	case channel == sim.Channel, r.shared && !isWeb:
		return sim.Project
	case isWeb:
		return "group/web"
	}
	return "group/api"
}

// push adds a commit to the branch that people deploy.
func (r *storyRun) push() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pushed = append(r.pushed, r.w.GitLab.Push(sim.Project, "master", "Change it", "ito").SHA)
}

// turnEvents are what people do who want the same target at once.
func turnEvents() map[string]func(r *storyRun, d event) {
	return map[string]func(r *storyRun, d event){
		"somebody else asks":           func(r *storyRun, _ event) { r.sayAs(storySecond, sim.Channel, "release") },
		"somebody else asks elsewhere": func(r *storyRun, _ event) { r.sayAs(storyThird, sim.Two, "deploy api") },
		"push and ask":                 func(r *storyRun, _ event) { r.push(); r.sayAs(storyThird, sim.Channel, "release") },
		"push and ask elsewhere":       func(r *storyRun, _ event) { r.push(); r.sayAs(storySecond, sim.Two, "deploy api") },
		"two ask at once": func(r *storyRun, _ event) {
			r.sayAs(storySecond, sim.Channel, "release")
			r.sayAs(storyThird, sim.Two, "deploy api")
		},
		"two deploy side by side": func(r *storyRun, _ event) {
			r.sayAs(storySecond, sim.Two, "deploy web")
			r.sayAs(storyThird, sim.Two, "deploy web")
		},
		"deploy for minutes": func(r *storyRun, _ event) {
			r.setNextPlan(plans()["takes minutes"])
			r.say(sim.Channel, "release")
		},
		"withdraw":        func(r *storyRun, _ event) { r.steer(storySecond, "withdraw") },
		"deploy anyway":   func(r *storyRun, _ event) { r.steer(storyThird, "deploy") },
		"a minute passes": func(*storyRun, event) { time.Sleep(time.Minute) },
	}
}

// lockEvents are what people do about locks. Each lock has a reason of its own.
func lockEvents() map[string]func(r *storyRun, d event) {
	return map[string]func(r *storyRun, d event){
		"lock":           func(r *storyRun, _ event) { r.say(sim.Channel, "app を10分ロック: "+r.newReason()) },
		"lock elsewhere": func(r *storyRun, _ event) { r.sayAs(storyThird, sim.Two, "api を10分ロック: "+r.newReason()) },
		"lock and ask":   func(r *storyRun, _ event) { r.lockAndAsk() },
		"lock, ask and want to be told": func(r *storyRun, _ event) {
			r.lockAndAsk()
			time.Sleep(4 * time.Second)
			r.tell(storySecond)
		},
		"unlock":                     func(r *storyRun, _ event) { r.say(sim.Channel, "アンロック") },
		"somebody unlocks elsewhere": func(r *storyRun, _ event) { r.sayAs(storySecond, sim.Two, "api アンロック") },
		"press unlock":               func(r *storyRun, _ event) { r.pressUnlock(storySecond) },
		"press extend":               func(r *storyRun, _ event) { r.extended = true; r.steer(sim.User, "extend") },
		"want to be told":            func(r *storyRun, _ event) { r.tell(storyThird) },
	}
}

// newReason is one that no other lock has.
func (r *storyRun) newReason() string { return fmt.Sprintf("移行%d番", len(r.mentions)) }

func (r *storyRun) lockAndAsk() {
	r.say(sim.Channel, "app を10分ロック: "+r.newReason())
	time.Sleep(8 * time.Second)
	r.sayAs(storySecond, sim.Channel, "release")
}

// tell presses the button of the newest question that has it, to be told once a target
// is not locked.
func (r *storyRun) tell(user string) {
	r.newest(func(m mention, reply fakeslack.Message, c fakeslack.Control) bool {
		if c.Label != "解除されたら教えて" {
			return false
		}
		r.pressed[m.ts] = true // it is asked again, and that question may be pressed
		return r.w.Slack.Press(user, m.channel, reply.TS, c.Action)
	})
}

// pressUnlock presses the button of the newest lock that is shown.
func (r *storyRun) pressUnlock(user string) {
	r.newest(func(m mention, reply fakeslack.Message, c fakeslack.Control) bool {
		if !strings.HasPrefix(c.Value, "2 unlock ") {
			return false
		}
		r.wantUnlocked(m)
		return r.w.Slack.Press(user, m.channel, reply.TS, c.Action)
	})
}

// newest calls do with the buttons, those of the newest mention first, until it returns
// true.
func (r *storyRun) newest(do func(m mention, reply fakeslack.Message, c fakeslack.Control) bool) {
	for i := len(r.mentions) - 1; i >= 0; i-- {
		m := r.mentions[i]
		for _, reply := range r.w.Slack.Thread(m.channel, m.ts) {
			for _, c := range reply.Controls() {
				if do(m, reply, c) {
					return
				}
			}
		}
	}
}
