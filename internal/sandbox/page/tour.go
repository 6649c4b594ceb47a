package page

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/getto-systems/psycher/internal/sandbox"
	"github.com/getto-systems/psycher/internal/sandbox/fakegitlab"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

// score counts what the stand-ins have seen.
type score struct {
	Mentions   int `json:"mentions"`
	Pipelines  int `json:"pipelines"`
	Doubled    int `json:"doubled"`    // deploys beyond the first of a request
	Unanswered int `json:"unanswered"` // mentions that show neither a reaction nor a reply
	Kills      int `json:"kills"`
}

// The steps of the tour. One is done once what it leads to has happened.
const (
	stepRelease = iota
	stepKill
	stepAsk
	stepApprove
	stepRollBack
	steps
)

// open shows a deploy that runs to who comes to the page: somebody has just written.
func (p *Page) open(ctx context.Context) {
	if p.box.DeployFirst(ctx, p.Opening) == nil {
		p.box.Linger(Pace)
		ts := p.box.Slack.Say(sandbox.Second, sandbox.Channel, sandbox.Bot+" "+p.Opening)
		p.Begin()
		_ = p.box.Slack.Until(ctx, func() bool { // with its stages
			thread := p.box.Slack.Thread(sandbox.Channel, ts)
			return len(thread) > 0 && strings.Contains(string(thread[0].Blocks), "›") || p.box.HasEnded(ts)
		})
	}
	close(p.opened)
}

// Opened is closed when there is something to see.
func (p *Page) Opened() <-chan struct{} { return p.opened }

// notYet is later than any mention.
const notYet = "~"

// Begin begins the tour: what was said before does not count.
func (p *Page) Begin() {
	newest := ""
	for _, m := range p.box.Slack.Channel(sandbox.Channel) {
		newest = m.TS
	}
	p.flip(func() { p.begun = newest })
}

// mentions are what people have asked the bot, in the channel and in threads.
func (p *Page) mentions() (all []fakeslack.Message, unanswered int) {
	for _, top := range p.box.Slack.Channel(sandbox.Channel) {
		thread := p.box.Slack.Thread(sandbox.Channel, top.TS)
		for _, m := range append([]fakeslack.Message{top}, thread...) {
			if m.Bot != "" || !strings.Contains(m.Text, sandbox.Bot) {
				continue
			}
			all = append(all, m)
			replied := func(r fakeslack.Message) bool { return r.Bot != "" && r.Thread == top.TS && r.TS > m.TS }
			if len(m.Reactions) == 0 && !slices.ContainsFunc(append(p.box.Slack.Ephemerals(sandbox.Channel, m.User), thread...), replied) {
				unanswered++
			}
		}
	}
	return all, unanswered
}

// tour returns the score, and which steps are done.
func (p *Page) tour() map[string]any {
	pipelines := p.box.GitLab.Pipelines()
	asked, unanswered := p.mentions()
	s := score{Mentions: len(asked), Pipelines: len(pipelines), Unanswered: unanswered, Kills: p.bot.Kills()}
	deployed := map[string]int{}
	for _, made := range pipelines {
		if sandbox.Deploys(made) {
			deployed[made.Variables["PSYCHER_ID"]]++
		}
	}
	for _, n := range deployed {
		s.Doubled += n - 1
	}
	p.mu.Lock()
	begun, struck := p.begun, slices.Clone(p.struck)
	p.mu.Unlock()
	var done [steps]bool
	for _, made := range pipelines {
		ts := made.Variables["timestamp"]
		done[stepRelease] = done[stepRelease] || ts > begun
		done[stepKill] = done[stepKill] || slices.Contains(struck, made.ID) && p.box.HasEnded(ts)
		done[stepRollBack] = done[stepRollBack] || isRolledBack(made)
	}
	for _, r := range p.box.Store.Records() {
		if slices.ContainsFunc(asked, func(m fakeslack.Message) bool { return m.TS == r.TS && m.TS > begun }) {
			pressed, approved := answered(r)
			done[stepAsk] = done[stepAsk] || pressed && !approved
			done[stepApprove] = done[stepApprove] || approved
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range done {
		p.done[i] = p.done[i] || done[i]
	}
	return map[string]any{"score": s, "done": p.done}
}

// answered reports whether a button of a record's question was pressed, and whether
// somebody has approved what it asks for.
func answered(r sandbox.Record) (pressed, approved bool) {
	var now struct {
		Ask struct {
			Pressed  *struct{}
			Approved []struct{}
		}
	}
	_ = json.Unmarshal(r.Now, &now) // what cannot be read was not answered
	return now.Ask.Pressed != nil, len(now.Ask.Approved) > 0
}

// isRolledBack reports whether a job that had succeeded has succeeded once more.
func isRolledBack(p fakegitlab.Pipeline) bool {
	return slices.ContainsFunc(p.Jobs, func(old fakegitlab.Job) bool {
		return old.Retried && old.Status == "success" && slices.ContainsFunc(p.Jobs, func(j fakegitlab.Job) bool {
			return j.Name == old.Name && !j.Retried && j.Status == "success"
		})
	})
}
