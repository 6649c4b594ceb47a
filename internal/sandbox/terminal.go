package sandbox

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/getto-systems/psycher/internal/sandbox/fakeslack"
)

// Terminal shows the channel as it changes, one line for each thing that a
// person would see.
type Terminal struct {
	Out   io.Writer
	Slack *fakeslack.Slack
	Bot   string // the bot's name
	User  string // the person's name

	mu   sync.Mutex
	seen map[string]fakeslack.Message
}

// Narrate prints a line of the story, after everything that has happened so far.
func (t *Terminal) Narrate(line string) {
	t.print()
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.Out, "\n%s\n", line)
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
	for _, top := range t.Slack.Channel(Channel) {
		for _, m := range append([]fakeslack.Message{top}, t.replies(top)...) {
			was, known := t.seen[m.TS]
			t.seen[m.TS] = m
			name, indent := t.User, "  "
			if m.Bot != "" {
				name = t.Bot
			}
			if m.TS != top.TS {
				indent = "    ↳ "
			}
			switch {
			case !known:
				fmt.Fprintf(t.Out, "%s%s: %s\n", indent, name, t.text(m.Text))
			case was.Text != m.Text:
				fmt.Fprintf(t.Out, "%s%s ✎ %s\n", indent, name, t.text(m.Text))
			}
			for _, r := range m.Reactions {
				if !slices.Contains(was.Reactions, r) {
					fmt.Fprintf(t.Out, "      %s :%s:\n", emoji(r), r)
				}
			}
		}
	}
}

func (t *Terminal) replies(top fakeslack.Message) []fakeslack.Message {
	return slices.DeleteFunc(t.Slack.Thread(Channel, top.TS), func(m fakeslack.Message) bool { return m.TS == top.TS })
}

var (
	link   = regexp.MustCompile(`<(https?://[^|>]+)\|([^>]+)>`)
	person = regexp.MustCompile(`<@([^>|]+)[^>]*>`)
)

// text is Slack's text as a terminal can show it.
func (t *Terminal) text(s string) string {
	s = strings.ReplaceAll(s, Bot, "@"+t.Bot)
	s = person.ReplaceAllString(s, "@"+t.User)
	s = link.ReplaceAllString(s, "$2 ($1)")
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&", "\n", "\n      ").Replace(s)
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
	}
	return "·"
}
