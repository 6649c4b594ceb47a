package sim_test

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/getto-systems/psycher/deploy"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sim"
)

// What holds for those who go along with another deployment:
//
// Each of them is told how that one ended, once; that it is out, only if a pipeline of
// the target has succeeded that has the newest commit of when they asked. None of them is
// deployed too, unasked. Where GitLab does not tell the newest commit, who asks twice
// within a minute is taken to mean the same one.

// brokenRide returns what is wrong with what somebody was told who went along.
func (r *storyRun) brokenRide(m mention, made []fakegitlab.Pipeline, said []deploy.MessageID) (broken []string) {
	ends := 0
	for i, id := range said {
		if id != deploy.MsgRode && id != deploy.MsgRodeFailed {
			continue
		}
		if ends++; id == deploy.MsgRode {
			broken = append(broken, r.wrongRide(m, r.w.Texts(m.channel, m.ts)[i])...)
		}
	}
	if slices.Contains(said, deploy.MsgStatusRiding) && ends != 1 {
		broken = append(broken, fmt.Sprintf("it went along, and was told %d times how that ended", ends))
	}
	if ends > 0 && len(made) > 0 && !r.pressed[m.ts] {
		broken = append(broken, "it went along, and was deployed too")
	}
	return broken
}

// wrongRide returns what is wrong with a text that says that a request is out.
func (r *storyRun) wrongRide(m mention, text string) (broken []string) {
	for _, link := range pipelineLink.FindAllStringSubmatch(text, -1) {
		id, _ := strconv.ParseInt(link[1], 10, 64)
		all := r.w.GitLab.Pipelines()
		i := slices.IndexFunc(all, func(p fakegitlab.Pipeline) bool { return p.ID == id && p.Project == m.project })
		if i < 0 || !r.succeeded[id] {
			return append(broken, "it is said to be out with what did not succeed: "+text)
		}
		p := all[i]
		asksTwice := slices.ContainsFunc(r.mentions, func(o mention) bool { return o.ts == p.Variables["timestamp"] && o.user == m.user }) &&
			m.at.Sub(p.Created) < time.Minute
		if has := slices.Index(r.pushed, p.SHA) + 1; p.Project == sim.Project && has < m.pushed && !asksTwice {
			broken = append(broken, fmt.Sprintf("it is said to be out with %d, which has %d of %d commits", id, has, m.pushed))
		}
	}
	return broken
}

// metOfTargets is what the story met of what is checked for a target.
func (r *storyRun) metOfTargets() map[string]bool {
	met := map[string]bool{}
	for _, record := range r.w.Records() {
		met["a queue"] = met["a queue"] || !record.Turn.Since.IsZero()
		met["a rider"] = met["a rider"] || record.Turn.With != ""
		met["a lock"] = met["a lock"] || !record.Locks.Since.IsZero()
	}
	for _, s := range r.starts {
		for _, p := range s.beside {
			met["a deploy anyway"] = met["a deploy anyway"] || r.isConfirmed(s, func(c confirmation) bool { return r.names(c, p) })
		}
		met["a deploy anyway"] = met["a deploy anyway"] || len(s.locks) > 0
	}
	return met
}

// meet counts a story, and what it met of what is checked for a target.
func (n tally) meet(r *storyRun) {
	n["stories"]++
	for what, is := range r.met {
		if is {
			n["stories with "+what]++
		}
	}
}

// ofTargets is what meet counted.
func (n tally) ofTargets() string {
	return fmt.Sprintf("%d stories, with a queue %d, a rider %d, a lock %d, a deploy anyway %d",
		n["stories"], n["stories with a queue"], n["stories with a rider"], n["stories with a lock"], n["stories with a deploy anyway"])
}
