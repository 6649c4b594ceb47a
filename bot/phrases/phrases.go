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

// Text returns the wording of m, at most 3,000 characters. The same seed chooses the
// same wording.
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

// How many characters of a value are shown, counted as sent. With the longest
// wording they stay below the limit of a text.
const (
	nameLimit    = 100
	wordLimit    = 80
	detailLimit  = 300
	urlLimit     = 800
	targetsLimit = 700
)

// values returns the values of the placeholders, escaped for Slack; an unknown one
// is empty.
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

// write is what a person writes to deploy, without the name if the channel has only
// one target.
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

// inFull is the full name of a short ref, as a branch or a tag.
func inFull(kind, ref string) string {
	if ref == "" || strings.HasPrefix(ref, "refs/") {
		return ""
	}
	return kind + ref
}

// what is the target and its ref.
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

// user mentions a person, and only a person: no channel, no group.
func user(id string) string {
	if !deploy.IsID(id) || len(id) < 2 || id[0] != 'U' && id[0] != 'W' {
		return ""
	}
	return "<@" + id + ">"
}

// until is a time of day, in the reader's time zone.
func until(unix int64) string {
	if unix <= 0 {
		return ""
	}
	return fmt.Sprintf("<!date^%d^{time}|%s>", unix, time.Unix(unix, 0).UTC().Format("15:04 UTC"))
}

// address is a URL escaped for a link. A URL with a password, or with a scheme
// other than http and https, is not shown.
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

// codeSpan shows a value as code, so that Slack neither links nor formats it.
func codeSpan(s string, limit int) string {
	s = harmless(s, limit)
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// harmless makes foreign text safe to show: one line of at most limit characters,
// without anything that Slack reads as a mention, a link or code.
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

// expand fills in a wording. A part in brackets is a choice, [this|that]: the first
// one without an empty placeholder is used, or none. Placeholders in a value are
// not expanded.
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

// fill replaces the placeholders. whole is false if a value is empty.
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

// apart puts a space between code and adjacent words, since Slack shows `app`を with
// its backticks.
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
