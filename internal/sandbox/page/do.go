package page

import (
	"cmp"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/getto-systems/psycher/internal/sandbox"
	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

const (
	mostBody = 64 << 10
	mostText = 4000 // characters of a message
)

// command is what a person does on the page.
type command struct {
	Do     string `json:"do"`
	As     string `json:"as"` // the person; empty: the first
	Text   string `json:"text"`
	TS     string `json:"ts"`     // the message that is edited, replied to or pressed
	Action string `json:"action"` // the button
	ID     int64  `json:"id"`     // the pipeline
	On     bool   `json:"on"`
	Choice string `json:"choice"`
}

// commands are all commands, by name.
var commands = map[string]func(*Page, command) error{
	"say":         (*Page).say,
	"edit":        (*Page).edit,
	"press":       (*Page).press,
	"cancel":      func(p *Page, d command) error { return found(p.box.GitLab.Cancel(d.ID)) },
	"retry":       func(p *Page, d command) error { return found(p.box.GitLab.Retry(d.ID)) },
	"language":    (*Page).setLanguage,
	"fail-next":   func(p *Page, d command) error { p.box.FailNext(d.On); return nil },
	"drop":        (*Page).dropSockets,
	"kill":        (*Page).kill,
	"limit":       (*Page).limit,
	"double":      (*Page).double,
	"fault":       (*Page).fault,
	"unreachable": func(p *Page, d command) error { p.bot.SetUnreachable(p.box.GitLabURL(), d.On); return nil },
	"freeze":      (*Page).freeze,
	"redis":       func(p *Page, d command) error { p.bot.SetUnreachable(p.box.Store.Addr(), d.On); return nil },
}

func (p *Page) do(w http.ResponseWriter, r *http.Request) {
	var d command
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		http.Error(w, "this is not JSON", http.StatusUnsupportedMediaType)
		return
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostBody)).Decode(&d); err != nil {
		http.Error(w, "this cannot be read", http.StatusBadRequest)
		return
	}
	do, known := commands[d.Do]
	if !known {
		http.Error(w, "there is no command of this name", http.StatusBadRequest)
		return
	}
	if err := do(p, d); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.flip(func() {})
	w.WriteHeader(http.StatusNoContent)
}

func found(ok bool) error {
	if !ok {
		return errors.New("there is no such thing here")
	}
	return nil
}

var named = regexp.MustCompile(`@[a-z]+\b`)

// typed is what a person typed, as Slack takes it: names become mentions.
func typed(text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" || utf8.RuneCountInString(text) > mostText {
		return "", errors.New("a message has 1 to 4000 characters")
	}
	return named.ReplaceAllStringFunc(text, func(name string) string {
		if name == "@psycher" {
			return sandbox.Bot
		}
		for _, who := range sandbox.People() {
			if name == "@"+who.Name {
				return "<@" + who.ID + ">"
			}
		}
		return name
	}), nil
}

// person is who does a command.
func (d command) person() (sandbox.Person, error) {
	people := sandbox.People()
	i := slices.IndexFunc(people, func(who sandbox.Person) bool { return who.ID == cmp.Or(d.As, sandbox.User) })
	if i < 0 {
		return sandbox.Person{}, found(false)
	}
	return people[i], nil
}

func (p *Page) say(d command) error {
	who, bad := d.person()
	text, err := typed(d.Text)
	if err := cmp.Or(bad, err); err != nil {
		return err
	}
	from := fakeslack.FromTeam(who.Team)
	if d.TS == "" {
		p.box.Slack.Say(who.ID, sandbox.Channel, text, from)
		return nil
	}
	if !slices.ContainsFunc(p.box.Slack.Channel(sandbox.Channel), func(m fakeslack.Message) bool { return m.TS == d.TS }) {
		return found(false)
	}
	p.box.Slack.Say(who.ID, sandbox.Channel, text, from, fakeslack.InThread(d.TS))
	return nil
}

// edit changes the person's own message, at the top level or in a thread.
func (p *Page) edit(d command) error {
	who, bad := d.person()
	text, err := typed(d.Text)
	if err := cmp.Or(bad, err); err != nil {
		return err
	}
	for _, top := range p.box.Slack.Channel(sandbox.Channel) {
		for _, m := range append(p.box.Slack.Thread(sandbox.Channel, top.TS), top) {
			if m.TS == d.TS && m.User == who.ID && m.Bot == "" {
				return found(p.box.Slack.Edit(sandbox.Channel, d.TS, text))
			}
		}
	}
	return found(false)
}

// press presses a button, or chooses from a menu.
func (p *Page) press(d command) error {
	who, err := d.person()
	if err != nil {
		return err
	}
	return found(p.box.Slack.Press(who.ID, sandbox.Channel, d.TS, d.Action, fakeslack.Choosing(d.Choice), fakeslack.PressedFrom(who.Team)))
}

// setLanguage restarts the bot in another language, as a changed PSYCHER_LANG would.
func (p *Page) setLanguage(d command) error {
	if d.Choice != "ja" && d.Choice != "en" {
		return errors.New("the languages are ja and en")
	}
	p.restart(func(lang string) (string, bool) { return d.Choice, lang != d.Choice })
	return nil
}

// freeze restarts the bot with another target map.
func (p *Page) freeze(d command) error {
	p.restart(func(lang string) (string, bool) {
		changes := p.box.IsFrozen() != d.On
		p.box.SetFrozen(d.On)
		return lang, changes
	})
	return nil
}

// restart restarts the bot if that changes anything, in the language that it has now or
// in another one.
func (p *Page) restart(change func(lang string) (next string, changes bool)) {
	p.running.Go(func() {
		p.restarting.Lock()
		defer p.restarting.Unlock()
		lang, _ := p.bot.Runs()
		if next, changes := change(lang); changes {
			p.bot.Restart(next)
		}
	})
}

func (p *Page) dropSockets(command) error {
	for _, n := range p.box.Slack.Sockets() {
		p.box.Slack.Drop(n)
	}
	return nil
}

func (p *Page) kill(d command) error {
	lang, runs := p.bot.Runs()
	switch {
	case !d.On:
		p.bot.Start(lang)
	case runs:
		p.bot.Kill()
		p.flip(func() {
			for _, made := range p.box.GitLab.Pipelines() {
				if !made.Ended() {
					p.struck = append(p.struck, made.ID)
				}
			}
		})
	}
	return nil
}

// limits are the methods that show a person something.
var limits = []string{"chat.postMessage", "chat.update", "reactions.add", "reactions.remove", "conversations.replies"}

func (p *Page) limit(d command) error {
	p.flip(func() { p.limited = d.On })
	for _, method := range limits {
		p.box.Slack.Heal(method)
		if d.On {
			p.box.Slack.Fail(method, -1, fakeslack.RateLimited(2*time.Second))
		}
	}
	return nil
}

func (p *Page) double(d command) error {
	p.flip(func() { p.doubling = d.On })
	p.box.Slack.Broadcast(d.On)
	return nil
}

func (p *Page) fault(d command) error {
	p.box.GitLab.ForgetFaults()
	if d.Choice == "" {
		return nil
	}
	f, ok := fault(d.Choice)
	if ok {
		p.box.GitLab.Answer(1, f)
	}
	return found(ok)
}

// flip changes a switch, and has the page updated.
func (p *Page) flip(how func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	how()
	close(p.flipped)
	p.flipped = make(chan struct{})
}

func (p *Page) flips() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.flipped
}

// switches are the positions of the switches.
func (p *Page) switches() map[string]any {
	lang, runs := p.bot.Runs()
	p.mu.Lock()
	limited, doubling := p.limited, p.doubling
	p.mu.Unlock()
	return map[string]any{
		"language": lang, "kill": !runs, "sockets": p.box.Slack.Connections(), "fail-next": p.box.FailsNext(), "limit": limited, "double": doubling,
		"freeze":      p.box.IsFrozen(),
		"unreachable": p.bot.Unreachable(p.box.GitLabURL()), "redis": p.bot.Unreachable(p.box.Store.Addr()),
		"fault": strings.Join(p.box.GitLab.Ordered(), ""),
	}
}
