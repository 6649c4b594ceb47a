package phrases

import (
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/getto-systems/psycher/deploy"
)

// Voice is psycher's voice in one language. It turns a [deploy.Message] into
// Slack's mrkdwn.
type Voice struct {
	language language
}

// Text says m, in at most 3,000 characters. The same seed chooses the same wording.
func (p *Voice) Text(m deploy.Message) string {
	wordings := p.language.says[m.ID]
	if len(wordings) == 0 {
		return harmless(string(m.ID), nameLimit)
	}
	text := apart(expand(wordings[m.Seed%uint32(len(wordings))], p.language.values(m)))
	if name := user(m.User); m.InChannel && name != "" && !strings.HasPrefix(text, name) {
		return name + p.language.to + text
	}
	return text
}

// How many characters of a value are shown, counted as they are sent. Together
// with the longest wording they stay under the limit of a text.
const (
	nameLimit    = 100
	wordLimit    = 80
	detailLimit  = 300
	urlLimit     = 800
	targetsLimit = 700
)

// values gives what the placeholders stand for. All of it is ready for Slack;
// what is not known is empty.
func (l language) values(m deploy.Message) map[string]string {
	return map[string]string{
		"target":  codeSpan(m.Target, nameLimit),
		"targets": listTargets(m.Targets),
		"ref":     codeSpan(m.Ref, nameLimit),
		"branch":  codeSpan(inFull("refs/heads/", m.Ref), nameLimit),
		"tag":     codeSpan(inFull("refs/tags/", m.Ref), nameLimit),
		"what":    what(m),
		"project": codeSpan(m.Project, nameLimit),
		"key":     codeSpan(m.Key, nameLimit),
		"word":    harmless(m.Word, wordLimit),
		"detail":  codeSpan(m.Detail, detailLimit),
		"user":    user(m.User),
		"link":    address(m.URL),
		"until":   until(m.Until),
		"last":    l.last[deploy.State(m.Last)],
		"write":   l.write(m),
		"example": l.example(m),
	}
}

// write is what a person writes to deploy. The name is left out where the
// channel has no other.
func (l language) write(m deploy.Message) string {
	switch target := harmless(m.Target, nameLimit); {
	case target != "" && len(m.Targets) != 1:
		return l.release + " " + target
	case len(m.Targets) > 1:
		return l.release + " " + l.name
	}
	return l.release
}

// example shows how to name one of several targets.
func (l language) example(m deploy.Message) string {
	for _, name := range m.Targets {
		if name := harmless(name, nameLimit); name != "" {
			return l.release + " " + name
		}
	}
	return ""
}

// inFull is a ref's full name as a branch or a tag, where it is short.
func inFull(kind, ref string) string {
	if ref == "" || strings.HasPrefix(ref, "refs/") {
		return ""
	}
	return kind + ref
}

// what is the target with its ref.
func what(m deploy.Message) string {
	target, ref := codeSpan(m.Target, nameLimit), codeSpan(m.Ref, nameLimit)
	if target == "" || ref == "" {
		return target + ref
	}
	return target + " (" + ref + ")"
}

func listTargets(names []string) string {
	var shown []string
	room := targetsLimit
	for i, name := range names {
		name = codeSpan(name, nameLimit)
		if name == "" {
			continue
		}
		room -= utf8.RuneCountInString(name) + len(", ")
		if room < 0 {
			shown = append(shown, fmt.Sprintf("… (+%d)", len(names)-i))
			break
		}
		shown = append(shown, name)
	}
	return strings.Join(shown, ", ")
}

// user notifies a person, and only a person: not a channel, not a group.
func user(id string) string {
	if !deploy.IsID(id) || len(id) < 2 || id[0] != 'U' && id[0] != 'W' {
		return ""
	}
	return "<@" + id + ">"
}

// until is a time of day, in the time zone of who reads it.
func until(unix int64) string {
	if unix <= 0 {
		return ""
	}
	return fmt.Sprintf("<!date^%d^{time}|%s>", unix, time.Unix(unix, 0).UTC().Format("15:04 UTC"))
}

// address is a URL as it may stand in a link. One that holds a password, or is
// not of the web, is not shown.
func address(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return ""
	}
	var b strings.Builder
	for _, c := range []byte(raw) {
		switch {
		case c == '&':
			b.WriteString("&amp;")
		case c <= ' ' || c >= 0x7f || strings.IndexByte("|<>`\"", c) >= 0:
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	if b.Len() > urlLimit {
		return ""
	}
	return b.String()
}

// code shows a value as code, so that Slack neither links nor formats it.
func codeSpan(s string, limit int) string {
	s = harmless(s, limit)
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// harmless makes foreign text harmless: one line, nothing in it that Slack reads as
// a mention, a link or code, at most so many characters.
func harmless(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '`':
			return '\''
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError, unicode.In(r, unicode.Cc, unicode.Cf):
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")

	var b strings.Builder
	room := limit
	for i, r := range s {
		e := escape(r)
		need := utf8.RuneCountInString(e)
		end := i+utf8.RuneLen(r) == len(s)
		if need > room || (need == room && !end) {
			b.WriteString("…")
			break
		}
		room -= need
		b.WriteString(e)
	}
	return b.String()
}

func escape(r rune) string {
	switch r {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	}
	return string(r)
}

// expand fills a wording. A part in brackets is a choice, [this|that]: the first
// in which no placeholder is empty is taken, or none. A value is never looked
// into for placeholders of its own.
func expand(wording string, values map[string]string) string {
	var b strings.Builder
	for wording != "" {
		before, rest, _ := strings.Cut(wording, "[")
		text, _ := fill(before, values)
		b.WriteString(text)

		choices, after, _ := strings.Cut(rest, "]")
		for choice := range strings.SplitSeq(choices, "|") {
			if text, whole := fill(choice, values); whole {
				b.WriteString(text)
				break
			}
		}
		wording = after
	}
	return b.String()
}

// fill puts the values in their places. whole is false if one of them is empty.
func fill(part string, values map[string]string) (text string, whole bool) {
	var b strings.Builder
	whole = true
	for part != "" {
		before, rest, found := strings.Cut(part, "{")
		b.WriteString(before)
		if !found {
			break
		}
		placeholder, after, _ := strings.Cut(rest, "}")
		name, label, labelled := strings.Cut(placeholder, ":")
		value := values[name]
		switch {
		case value == "":
			whole = false
		case labelled:
			b.WriteString("<" + value + "|" + label + ">")
		default:
			b.WriteString(value)
		}
		part = after
	}
	return b.String(), whole
}

// apart puts a space between code and the words beside it, where there is none:
// Slack shows `app`を with its backticks.
func apart(text string) string {
	var b strings.Builder
	inside := false
	last := ' '
	for _, r := range text {
		switch {
		case r == '`' && !inside && !strings.ContainsRune(" \n(", last),
			r != '`' && !inside && last == '`' && !strings.ContainsRune(" \n).,:;!?", r):
			b.WriteByte(' ')
		}
		if r == '`' {
			inside = !inside
		}
		b.WriteRune(r)
		last = r
	}
	return b.String()
}
