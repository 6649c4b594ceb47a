package page

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

// How much of the past is shown.
const (
	mostMessages  = 40
	mostPipelines = 20
	mostLog       = 16 << 10
)

// settle is how long changes are collected before they are shown.
const settle = 60 * time.Millisecond

// alive is how often a silent connection is written to, to notice that the
// browser has gone.
const alive = 15 * time.Second

// part is a piece of what the page shows, and when it last changed.
type part struct {
	n    int
	text json.RawMessage
}

// message is a message of the channel. Its text is Slack's own, escaped.
type message struct {
	TS        string    `json:"ts"`
	User      string    `json:"user"`
	Bot       bool      `json:"bot"`
	Text      string    `json:"text"`
	Edited    bool      `json:"edited"`
	Reactions []string  `json:"reactions"`
	Replies   []message `json:"replies"`

	Blocks json.RawMessage `json:"blocks,omitempty"`
	Only   string          `json:"only,omitempty"` // the only person who sees it
	Press  *press          `json:"press,omitempty"`
}

// press is the newest press of a message.
type press struct {
	N      int    `json:"n"` // of all presses
	Action string `json:"action"`
	By     string `json:"by"`
	State  string `json:"state"` // sent, acked, or warned: no ack came in time
}

type pipeline struct {
	ID     int64     `json:"id"`
	Name   string    `json:"name"` // of the project
	Ref    string    `json:"ref"`
	Status string    `json:"status"`
	TS     string    `json:"ts"` // the mention that started it
	Made   time.Time `json:"made"`
	Jobs   []job     `json:"jobs"`
}

type job struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"`
	Log    string `json:"log"`
}

// watch keeps the parts up to date until ctx ends.
func (p *Page) watch(ctx context.Context) {
	p.update(map[string]any{"demo": map[string]any{
		"faults": faults(), "gitlab": p.box.GitLabURL(), "people": sandbox.People(), "bot": sandbox.BotUser,
	}})
	for {
		slack, git, store, bot, flipped := p.box.Slack.Changed(), p.box.GitLab.Changed(), p.box.Store.Changed(), p.bot.Changed(), p.flips()
		p.update(p.world())
		select {
		case <-ctx.Done():
			return
		case <-slack:
		case <-git:
		case <-store:
		case <-bot:
		case <-flipped:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(settle):
		}
	}
}

// world is everything that changes. What Slack shows was in the record before, so
// the records are read last: nobody sees an end whose record still runs.
func (p *Page) world() map[string]any {
	channel, pipelines := p.channel(), p.pipelines()
	return map[string]any{"slack": channel, "gitlab": pipelines, "records": p.records(), "switches": p.switches(), "tour": p.tour()}
}

// update replaces the parts that differ from things, and announces all of them at
// once.
func (p *Page) update(things map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.seen + 1
	for name, v := range things {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err) // what is shown can be marshalled
		}
		if bytes.Equal(p.parts[name].text, text) {
			continue
		}
		p.seen = n
		p.parts[name] = part{n, text}
	}
	if p.seen == n {
		close(p.news)
		p.news = make(chan struct{})
	}
}

// since returns the parts that are newer than number n, as JSON; empty if none is.
func (p *Page) since(n int) (text []byte, newest int, news <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	newer := map[string]json.RawMessage{}
	for name, part := range p.parts {
		if part.n > n {
			newer[name] = part.text
		}
	}
	if len(newer) > 0 {
		text, _ = json.Marshal(newer)
	}
	return text, p.seen, p.news
}

// events sends a browser the current parts, and then each part that changes.
func (p *Page) events(w http.ResponseWriter, r *http.Request) {
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	for n := 0; ; {
		text, newest, news := p.since(n)
		n = newest
		if text != nil {
			fmt.Fprintf(w, "data: %s\n\n", text)
		}
		if out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-news:
		case <-time.After(alive):
			fmt.Fprint(w, ":\n\n")
		}
	}
}

func (p *Page) channel() []message {
	private := map[string][]fakeslack.Message{} // by thread
	for _, who := range sandbox.People() {
		for _, m := range p.box.Slack.Ephemerals(sandbox.Channel, who.ID) {
			private[m.Thread] = append(private[m.Thread], m)
		}
	}
	presses := p.presses()
	tops := inOrder(p.box.Slack.Channel(sandbox.Channel), private[""])
	tops = tops[max(0, len(tops)-mostMessages):]
	all := make([]message, 0, len(tops))
	for _, m := range tops {
		top := shown(m, presses)
		for _, r := range inOrder(p.box.Slack.Thread(sandbox.Channel, m.TS), private[m.TS]) {
			top.Replies = append(top.Replies, shown(r, presses))
		}
		all = append(all, top)
	}
	return all
}

// inOrder joins messages by their time.
func inOrder(messages, others []fakeslack.Message) []fakeslack.Message {
	all := slices.Concat(messages, others)
	slices.SortFunc(all, func(a, b fakeslack.Message) int { return strings.Compare(a.TS, b.TS) })
	return all
}

func shown(m fakeslack.Message, presses map[string]*press) message {
	return message{
		TS: m.TS, User: m.User, Bot: m.Bot != "", Text: m.Text, Edited: m.Edited != "", Reactions: m.Reactions,
		Blocks: blocks(m), Only: m.Ephemeral, Press: presses[m.TS],
	}
}

// blocks are the bot's: those of people say what their text says.
func blocks(m fakeslack.Message) json.RawMessage {
	if m.Bot == "" {
		return nil
	}
	return m.Blocks
}

// presses are the newest presses, by message.
func (p *Page) presses() map[string]*press {
	all := map[string]*press{}
	for i, made := range p.box.Slack.Presses() {
		state := "sent"
		switch {
		case made.Warned:
			state = "warned"
		case !made.AckedAt.IsZero():
			state = "acked"
		}
		all[made.TS] = &press{i + 1, made.Action, made.User, state}
	}
	return all
}

func (p *Page) pipelines() []pipeline {
	all := []pipeline{}
	for _, made := range slices.Backward(p.box.GitLab.Pipelines()) {
		if len(all) == mostPipelines {
			break
		}
		shown := pipeline{ID: made.ID, Name: path.Base(made.Project), Ref: made.Ref, Status: made.Status, TS: made.Variables["timestamp"], Made: made.Created}
		for _, j := range made.Jobs {
			log := j.Log[max(0, len(j.Log)-mostLog):]
			shown.Jobs = append(shown.Jobs, job{j.ID, j.Name, j.Status, strings.ToValidUTF8(log, "")})
		}
		all = append(all, shown)
	}
	return all
}

func (p *Page) records() map[string]sandbox.Record {
	all := p.box.Store.Records()
	shown := map[string]sandbox.Record{}
	for _, r := range all[max(0, len(all)-mostMessages):] {
		shown[r.TS] = r
	}
	return shown
}
