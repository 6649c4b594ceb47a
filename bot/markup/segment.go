package markup

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Kind is how a segment of a message is meant.
type Kind string

// The kinds of segments.
const (
	Plain   Kind = "plain"   // words, without Slack's escapes
	Code    Kind = "code"    // in one line, or in quotation marks
	Quote   Kind = "quote"   // quoted or preformatted: not the author's words
	Strike  Kind = "strike"  // taken back
	Link    Kind = "link"    // the words that it is shown with, empty if they are its address
	User    Kind = "user"    // U...
	Self    Kind = "self"    // the same, and it is the one that the message is for
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
	known []Segment // those whose marks are still to come
	rich  bool      // from rich text, where Slack says what is struck through: a tilde is a tilde

	noStrike int // up to here nothing more is struck through: the search is not repeated
}

func (d *draft) plain(s string) { d.text.WriteString(clean(s)) }

func (d *draft) segment(kind Kind, text string) {
	d.text.WriteRune(mark)
	d.known = append(d.known, Segment{kind, clean(text)})
}

func clean(s string) string { return strings.ReplaceAll(s, string(mark), " ") }

// segments splits the draft.
func (d *draft) segments() (all []Segment) {
	text, plainFrom := d.text.String(), 0
	plain := func(to int) {
		if plainFrom < to {
			all = append(all, Segment{Plain, text[plainFrom:to]})
		}
	}
	for at := 0; at < len(text); {
		found, size := d.find(text, at)
		if size == 0 {
			_, size = utf8.DecodeRuneInString(text[at:])
			at += size
			continue
		}
		plain(at)
		all = append(all, found)
		at += size
		plainFrom = at
	}
	plain(len(text))
	return all
}

// forms are what mrkdwn marks in a text, and quotations, which name nobody. Their
// group is what is inside.
var forms = []struct {
	kind  Kind
	first string                 // what it may begin with
	after func(before rune) bool // may it stand here?
	form  func() *regexp.Regexp
}{
	{Quote, " \t>", newline, once(`(?s)^([ \t]*>>>.*)`)},
	{Quote, " \t>", newline, once(`^([ \t]*>[^\n]*)`)},
	{Quote, "`", anything, once("(?s)^```(.*?)```")},
	{Code, "`", anything, once("^`([^`\n]+)`")},
	{Code, `"“”„＂`, anything, once(`^["“”„＂]([^"“”„＂\n\x{FFFC}]+)["“”＂]`)},
	{Code, "'‘", unicode.IsSpace, once(`^['‘]([^'‘’\n\x{FFFC}]+)['’]`)},
	{Code, "「｢", anything, once(`^[「｢]([^「」｢｣\x{FFFC}]+)[」｣]`)},
	{Code, "『", anything, once(`^『([^『』\x{FFFC}]+)』`)},
	{Emoji, ":", noName, once(`^:([\w+'-]{1,81}|[\pL\p{Nd}_+'-]{1,27}):`)},
	{Link, "hH", noName, once("^[hH][tT]{2}[pP][sS]?://()[^\\x00- <>\"`\\x{80}-\\x{10FFFF}]*")},
}

// once compiles at the first use: most of these are in few messages.
func once(form string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(form) })
}

func newline(r rune) bool  { return r == '\n' }
func anything(rune) bool   { return true }
func noName(r rune) bool   { return r >= utf8.RuneSelf || !wordRune(r) && r != '-' && r != '_' } // not in 18:00:00
func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// find returns the segment that begins here, and its length; 0 if none does.
func (d *draft) find(text string, at int) (found Segment, size int) {
	rest, before := text[at:], '\n'
	if at > 0 {
		before, _ = utf8.DecodeLastRuneInString(text[:at])
	}
	first, _ := utf8.DecodeRuneInString(rest)
	switch {
	case strings.HasPrefix(rest, string(mark)):
		found, d.known = d.known[0], d.known[1:]
		return found, len(string(mark))
	case rest[0] == '~' && !d.rich && at >= d.noStrike:
		line, _, _ := strings.Cut(rest, "\n")
		switch size := struckAt(line, before); size {
		case 0:
			d.noStrike = at + len(line)
		case 1:
		default:
			return Segment{Strike, d.restore(line[1 : size-1])}, size
		}
	}
	for _, f := range forms {
		if !strings.ContainsRune(f.first, first) || !f.after(before) {
			continue
		}
		if m := f.form().FindStringSubmatch(rest); m != nil {
			return Segment{f.kind, d.restore(m[1])}, len(m[0])
		}
	}
	return Segment{}, 0
}

// restore returns what is inside of a segment, with the texts of the segments there.
func (d *draft) restore(inside string) string {
	parts := strings.Split(inside, string(mark))
	for i := range parts[1:] {
		parts[i] += d.known[i].Text
	}
	d.known = d.known[len(parts)-1:]
	return strings.Join(parts, "")
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
			if code := strings.IndexByte(line[at+1:], '`'); code > 0 {
				at += code + 1
			}
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

// escaped is what Slack writes for &, < and >, and for people, channels and links.
var (
	escaped  = regexp.MustCompile(`&(?:amp|lt|gt);|<[^<>\n]*>`)
	unescape = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")
)

// kinds tell people, channels and groups from links, by their first byte.
var kinds = map[string]Kind{"@": User, "#": Channel, "!": Group}

// Parse reads mrkdwn: the text of a message.
func Parse(text string) []Segment {
	var d draft
	done := 0
	for _, at := range escaped.FindAllStringIndex(text, -1) {
		d.plain(text[done:at[0]])
		done = at[1]
		inside, known := strings.CutPrefix(text[at[0]:done], "<")
		if !known {
			d.plain(unescape.Replace(inside))
			continue
		}
		address, label, _ := strings.Cut(strings.TrimSuffix(inside, ">"), "|")
		if kind, is := kinds[address[:min(1, len(address))]]; is {
			d.segment(kind, address[1:])
		} else {
			d.link(address, unescape.Replace(label))
		}
	}
	d.plain(text[done:])
	return d.segments()
}

// link adds a link, with the words that it is shown with.
func (d *draft) link(address, label string) {
	if address == "" || strings.Contains(label, "://") || strings.Contains(address, label) {
		label = ""
	}
	d.segment(Link, label)
}
