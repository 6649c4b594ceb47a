package markup

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is how a segment of a message is meant.
type Kind string

// The kinds of segments.
const (
	Plain   Kind = "plain"   // words, without Slack's escapes
	Code    Kind = "code"    // in one line
	Quote   Kind = "quote"   // quoted or preformatted: not the author's words
	Strike  Kind = "strike"  // taken back
	Link    Kind = "link"    // the words that it is shown with, empty if they are its address
	User    Kind = "user"    // U...
	Channel Kind = "channel" // C...
	Group   Kind = "group"   // a user group, or a broadcast such as here
	Emoji   Kind = "emoji"   // its name
)

// Segment is a part of a message. Its text never has a U+FFFC, which readers may use.
type Segment struct {
	Kind Kind
	Text string
}

// mark stands in a draft for a segment that is known already.
const mark = '\uFFFC'

// draft is a message on its way to segments. Both forms of a message become one,
// and what Slack has not marked itself is then found in its text.
type draft struct {
	text  strings.Builder
	known []known
	rich  bool // from rich text, where Slack says what is struck through: a tilde is a tilde
}

// known is a segment that Slack has marked, and what it says inside of another,
// such as code: a link says its address there.
type known struct {
	Segment
	inside string
}

func (d *draft) plain(s string) { d.text.WriteString(strings.ReplaceAll(s, string(mark), " ")) }

func (d *draft) segment(kind Kind, text string) { d.segmentWith(kind, text, text) }

func (d *draft) segmentWith(kind Kind, text, inside string) {
	d.text.WriteRune(mark)
	clean := func(s string) string { return strings.ReplaceAll(s, string(mark), " ") }
	d.known = append(d.known, known{Segment{kind, clean(text)}, clean(inside)})
}

// segments splits the draft.
func (d *draft) segments() []Segment {
	p := parser{text: d.text.String(), known: d.known, rich: d.rich}
	plainFrom, lineStart := 0, true
	flush := func(to int) {
		if plainFrom < to {
			p.out = append(p.out, Segment{Plain, p.text[plainFrom:to]})
		}
	}
	for i := 0; i < len(p.text); {
		r, size := utf8.DecodeRuneInString(p.text[i:])
		kind, from, to, end := p.markup(r, i, lineStart)
		if end == i {
			lineStart = r == '\n' || lineStart && (r == ' ' || r == '\t')
			i += size
			continue
		}
		flush(i)
		if r == mark && kind == "" {
			p.out = append(p.out, p.known[0].Segment)
			p.known = p.known[1:]
		} else {
			p.out = append(p.out, Segment{kind, p.restore(i, from, to, end)})
		}
		i, plainFrom, lineStart = end, end, false
	}
	flush(len(p.text))
	return p.out
}

// parser finds the segments in a draft's text.
type parser struct {
	text  string
	known []known // those whose marks are still to come
	out   []Segment
	rich  bool // see draft

	noStrike int // up to here nothing more is struck through: the search is not repeated
}

// markup finds a segment at i: its kind, its content and its end. An end of i
// means that there is none.
func (p *parser) markup(r rune, i int, lineStart bool) (kind Kind, from, to, end int) {
	rest := p.text[i:]
	if lineStart {
		switch quoted := strings.TrimLeft(rest, " \t"); {
		case strings.HasPrefix(quoted, ">>>"):
			return Quote, i, len(p.text), len(p.text)
		case strings.HasPrefix(quoted, ">"):
			end := i + len(line(rest))
			return Quote, i, end, end
		}
	}
	switch r {
	case mark:
		return "", i, i, i + utf8.RuneLen(mark)
	case '`':
		if fence := "```"; strings.HasPrefix(rest, fence) {
			if n := strings.Index(rest[len(fence):], fence); n >= 0 {
				return Quote, i + len(fence), i + len(fence) + n, i + 2*len(fence) + n
			}
		} else if n := codeAt(line(rest)); n > 1 {
			return Code, i + 1, i + n - 1, i + n
		}
	case '~':
		if p.rich || i < p.noStrike {
			break
		}
		if n := struckAt(line(rest), p.before(i)); n > 1 {
			return Strike, i + 1, i + n - 1, i + n
		} else if n == 0 {
			p.noStrike = i + len(line(rest))
		}
	case ':':
		if n := emojiAt(rest, p.before(i)); n > 1 {
			return Emoji, i + 1, i + n - 1, i + n
		}
	case 'h', 'H':
		if n := addressAt(rest, p.before(i)); n > 0 {
			return Link, i, i, i + n
		}
	}
	return "", i, i, i
}

// restore returns a segment's content with the texts of the segments inside it.
func (p *parser) restore(start, from, to, end int) string {
	var b strings.Builder
	for at, r := range p.text[start:end] {
		inside := start+at >= from && start+at < to
		switch {
		case r == mark:
			if inside {
				b.WriteString(p.known[0].inside)
			}
			p.known = p.known[1:]
		case inside:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func (p *parser) before(i int) rune {
	if i == 0 {
		return 0
	}
	r, _ := utf8.DecodeLastRuneInString(p.text[:i])
	return r
}

// codeAt is the length of the inline code that a line begins with; 1 if there is none.
func codeAt(line string) int {
	if n := strings.IndexByte(line[1:], '`'); n > 0 {
		return n + 2
	}
	return 1
}

// struckAt is the length of the struck-through words that a line begins with; 1 if
// they do not begin here, 0 if nothing in the line ends any. Their marks are at the
// ends of words, and not within code.
func struckAt(line string, before rune) int {
	first, _ := utf8.DecodeRuneInString(line[1:])
	if wordRune(before) || len(line) == 1 || unicode.IsSpace(first) || first == '~' {
		return 1
	}
	for at := 1; at < len(line); {
		switch line[at] {
		case '`':
			at += codeAt(line[at:])
			continue
		case '~':
			last, _ := utf8.DecodeLastRuneInString(line[:at])
			after, _ := utf8.DecodeRuneInString(line[at+1:])
			if !unicode.IsSpace(last) && !wordRune(after) {
				return at + 1
			}
		}
		at++
	}
	return 0
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// emojiAt is the length of the :emoji: that s begins with; 1 if there is none.
func emojiAt(s string, before rune) int {
	if asciiName(before) {
		return 1 // 18:00:00
	}
	for i, r := range s[1:] {
		switch {
		case r == ':' && i > 0:
			return i + 2
		case i > 80, !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_+'-ー", r):
			return 1
		}
	}
	return 1
}

// addressAt is the length of the bare web address that s begins with; 0 if there
// is none.
func addressAt(s string, before rune) int {
	head := strings.ToLower(s[:min(len(s), 8)])
	if asciiName(before) || !strings.HasPrefix(head, "http://") && head != "https://" {
		return 0
	}
	if n := strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r >= utf8.RuneSelf || strings.ContainsRune("<>\"`", r) }); n >= 0 {
		return n
	}
	return len(s)
}

func asciiName(r rune) bool { return r < utf8.RuneSelf && (wordRune(r) || r == '-' || r == '_') }

func line(s string) string {
	if n := strings.IndexByte(s, '\n'); n >= 0 {
		return s[:n]
	}
	return s
}
