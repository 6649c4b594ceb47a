package sandbox

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

// Terminal shows the channel as it changes, one line for each thing that the first
// of [People] would see. Buttons have numbers, which count on as long as one of them
// can be pressed. An edit is a further line, unless it is made in place.
type Terminal struct {
	Out     io.Writer
	Slack   *fakeslack.Slack
	Bot     string // the bot's name
	Only    string // what is said of a message that only the person sees
	InPlace bool   // Out is a terminal, on which messages are rewritten where they are

	mu     sync.Mutex
	screen screen
	seen   map[string]fakeslack.Message
	offers []offer
	last   int // the newest number
}

// offer is a button, or a choice of a menu, that can be pressed.
type offer struct {
	n                         int
	ts, action, choice, label string
}

// Press presses the button of a number; it reports false if there is none.
func (t *Terminal) Press(n int) bool {
	t.mu.Lock()
	i := slices.IndexFunc(t.offers, func(o offer) bool { return o.n == n })
	if i < 0 {
		t.mu.Unlock()
		return false
	}
	o := t.offers[i]
	t.mu.Unlock()
	return t.Slack.Press(User, Channel, o.ts, o.action, fakeslack.Choosing(o.choice))
}

// Narrate prints a line of the story, after everything that has happened so far.
func (t *Terminal) Narrate(line string) {
	t.print()
	t.mu.Lock()
	defer t.mu.Unlock()
	if lines := []string{"", line}; t.InPlace {
		t.screen.write(fmt.Sprint("story ", len(t.screen.last)), lines)
	} else {
		fmt.Fprintln(t.Out, strings.Join(lines, "\n"))
	}
}

// Skip leaves out what the channel shows so far.
func (t *Terminal) Skip() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen = map[string]fakeslack.Message{}
	for _, m := range t.messages() {
		t.seen[m.TS] = m
	}
}

// Typed notes that a person has typed a line, below everything else.
func (t *Terminal) Typed(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.screen.typed(line)
}

// Watch prints until ctx ends.
func (t *Terminal) Watch(ctx context.Context) {
	for {
		changed := t.Slack.Changed()
		t.print()
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// print shows what is new since the last time.
func (t *Terminal) print() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen == nil {
		t.seen = map[string]fakeslack.Message{}
	}
	if t.screen.last == nil {
		t.screen = screen{out: t.Out, last: map[string][]string{}}
	}
	for _, m := range t.messages() {
		if was, known := t.seen[m.TS]; !known || !reflect.DeepEqual(was, m) {
			t.show(m)
		}
	}
}

// messages are those that the person sees, in the order in which they are shown.
func (t *Terminal) messages() (all []fakeslack.Message) {
	private := t.Slack.Ephemerals(Channel, User)
	in := func(thread string) func(fakeslack.Message) bool {
		return func(m fakeslack.Message) bool { return m.Thread != thread }
	}
	for _, top := range t.Slack.Channel(Channel) {
		all = append(append(all, top), t.Slack.Thread(Channel, top.TS)...)
		all = append(all, slices.DeleteFunc(slices.Clone(private), in(top.TS))...)
	}
	return append(all, slices.DeleteFunc(private, in(""))...)
}

func (t *Terminal) show(m fakeslack.Message) {
	was, known := t.seen[m.TS]
	t.seen[m.TS] = m
	name, indent := t.nameOf(m), "  "
	if m.Ephemeral != "" {
		name += " " + t.Only
	}
	if m.Thread != "" {
		indent = "    ↳ "
	}
	offered := t.renew(m)
	sign := ":"
	if known && !t.InPlace {
		sign = " ✎"
	}
	large, small := paragraphs(m)
	lines := strings.Split(indent+name+sign+" "+t.text(strings.Join(large, "\n")), "\n")
	for _, line := range slices.Concat(small, t.buttons(m)) {
		lines = append(lines, inMessage+t.text(line))
	}
	before, _ := paragraphs(was)
	changed := !known || offered || !slices.Equal(large, before)
	if t.InPlace {
		if !changed && !t.screen.has(m.TS) {
			return
		}
		for _, r := range m.Reactions {
			lines = append(lines, inMessage+emoji(r))
		}
		t.screen.write(m.TS, lines)
		return
	}
	if changed {
		fmt.Fprintln(t.Out, strings.Join(lines, "\n"))
	}
	for _, r := range m.Reactions {
		if !slices.Contains(was.Reactions, r) {
			fmt.Fprintf(t.Out, "%s%s :%s:\n", inMessage, emoji(r), r)
		}
	}
}

// inMessage indents the further lines of a message.
const inMessage = "      "

func (t *Terminal) nameOf(m fakeslack.Message) string {
	if m.Bot != "" {
		return t.Bot
	}
	for _, who := range People() {
		if who.ID == m.User {
			return who.Name
		}
	}
	return m.User
}

// renew replaces the buttons of a message, and reports whether it has other ones
// than before.
func (t *Terminal) renew(m fakeslack.Message) bool {
	var now []offer
	for _, c := range m.Controls() {
		for _, choice := range c.Choices {
			now = append(now, offer{0, m.TS, c.Action, choice.Value, choice.Label})
		}
		if c.Choices == nil && c.URL == "" {
			now = append(now, offer{0, m.TS, c.Action, "", c.Label})
		}
	}
	same := func(a, b offer) bool {
		a.n, b.n = 0, 0
		return a == b
	}
	if slices.EqualFunc(now, t.of(m.TS), same) {
		return false
	}
	t.offers = slices.DeleteFunc(t.offers, func(o offer) bool { return o.ts == m.TS })
	if len(t.offers) == 0 {
		t.last = 0
	}
	for _, o := range now {
		t.last++
		o.n = t.last
		t.offers = append(t.offers, o)
	}
	return len(now) > 0
}

func (t *Terminal) of(ts string) []offer {
	return slices.DeleteFunc(slices.Clone(t.offers), func(o offer) bool { return o.ts != ts })
}

// buttons is the line with the buttons of a message, if it has any.
func (t *Terminal) buttons(m fakeslack.Message) []string {
	var all []string
	for _, o := range t.of(m.TS) {
		all = append(all, fmt.Sprintf("[%d] %s", o.n, o.label))
	}
	for _, c := range m.Controls() {
		switch {
		case c.URL == "":
		case t.InPlace:
			all = append(all, "<"+c.URL+"|"+c.Label+">")
		default:
			all = append(all, c.Label+" ("+c.URL+")")
		}
	}
	if all == nil {
		return nil
	}
	return []string{strings.Join(all, "  ")}
}

// paragraphs are those of a message, and those that Slack shows small and grey.
func paragraphs(m fakeslack.Message) (large, small []string) {
	for _, p := range m.Paragraphs() {
		if p.Small {
			small = append(small, "("+p.Text+")")
		} else {
			large = append(large, p.Text)
		}
	}
	return large, small
}

var (
	pipelineLink = regexp.MustCompile(`<(https?://[^|>]+/pipelines(?:/\d+)?)\|([^>]+)>`)

	link = regexp.MustCompile(`<(https?://[^|>]+)\|([^>]+)>`)
	date = regexp.MustCompile(`<!date\^(\d+)\^[^>]*>`)
	bold = regexp.MustCompile(`(^|\s)\*([^*\n]+)\*`)
)

// text is Slack's text as a terminal can show it.
func (t *Terminal) text(s string) string {
	s = strings.ReplaceAll(s, Bot, "@"+t.Bot)
	for _, who := range People() {
		s = strings.ReplaceAll(s, "<@"+who.ID+">", "@"+who.Name)
	}
	if t.InPlace {
		s = bold.ReplaceAllString(link.ReplaceAllString(s, "\x1b]8;;$1\a$2\x1b]8;;\a"), "$1\x1b[1m$2\x1b[22m")
	} else { // the addresses of commits are too long to be read
		s = bold.ReplaceAllString(link.ReplaceAllString(pipelineLink.ReplaceAllString(s, "$2 ($1)"), "$2"), "$1$2")
	}
	s = date.ReplaceAllStringFunc(s, func(d string) string {
		at, _ := strconv.ParseInt(date.FindStringSubmatch(d)[1], 10, 64) // it is digits
		when := time.Unix(at, 0)
		if time.Until(when) > 24*time.Hour { // the end of a lock
			return when.Format("01/02 15:04")
		}
		return when.Format("15:04")
	})
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&", "\n", "\n"+inMessage).Replace(s)
}

func emoji(name string) string {
	switch name {
	case "thumbsup":
		return "👍"
	case "white_check_mark":
		return "✅"
	case "x":
		return "❌"
	case "hourglass_flowing_sand":
		return "⏳"
	case "question":
		return "❓"
	case "zzz":
		return "💤"
	case "no_entry_sign":
		return "🚫"
	case "no_entry":
		return "⛔"
	case "eyes":
		return "👀"
	case "thinking_face":
		return "🤔"
	}
	return "·"
}
