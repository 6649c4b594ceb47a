package words

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// gap stands in a prose where something was taken out that counts for no word:
// code, a quote, what is struck through.
const gap = '\uFFFC'

// prose is what a person wrote, ready to be searched for words.
type prose struct {
	text   string   // NFKC, lower case; gaps in place of code and quotes
	raw    string   // the same as written
	at     []int32  // byte of text -> where its piece begins in raw
	end    []int32  // byte of text -> where its piece ends in raw
	said   []string // what stood in the gaps, in order, as written
	quotes []string // the same, folded
}

// readProse unwraps Slack's markup and folds what is left.
func readProse(text string) *prose {
	u := unwrapper{in: text}
	raw := u.unwrap()
	p := &prose{raw: raw, said: u.quotes}
	var b strings.Builder
	var it norm.Iter
	for it.InitString(norm.NFKC, raw); !it.Done(); {
		from := it.Pos()
		piece := fold(string(it.Next()))
		b.WriteString(piece)
		for range len(piece) {
			p.at = append(p.at, int32(from))
			p.end = append(p.end, int32(it.Pos()))
		}
	}
	p.text = b.String()
	for _, q := range u.quotes {
		p.quotes = append(p.quotes, strings.TrimSpace(foldName(q)))
	}
	return p
}

// foldName brings a name into the form in which words are compared.
func foldName(s string) string { return fold(norm.NFKC.String(s)) }

func fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '’', '‘', 'ʼ', '‛', '′':
			return '\''
		}
		return unicode.ToLower(r)
	}, s)
}

// written gives back text[from:to] as the person wrote it.
func (p *prose) written(from, to int) string {
	if from >= to || to > len(p.text) {
		return ""
	}
	n := strings.Count(p.text[:from], string(gap))
	var b strings.Builder
	for _, r := range p.raw[p.at[from]:p.end[to-1]] {
		if r == gap && n < len(p.said) {
			b.WriteString(p.said[n])
			n++
			continue
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// unwrapper takes Slack's markup out of a message's text.
type unwrapper struct {
	in     string
	out    strings.Builder
	quotes []string
}

func (u *unwrapper) unwrap() string {
	lineStart := true
	for i := 0; i < len(u.in); {
		rest := u.in[i:]
		if lineStart {
			quote := strings.ReplaceAll(strings.TrimLeft(rest[:min(len(rest), 32)], " \t"), "&gt;", ">")
			if strings.HasPrefix(quote, ">>>") {
				break
			}
			if strings.HasPrefix(quote, ">") {
				i += len(line(rest))
				lineStart = false
				continue
			}
		}
		r, size := utf8.DecodeRuneInString(rest)
		lineStart = r == '\n' || lineStart && (r == ' ' || r == '\t')
		if n := u.take(r, i); n > 0 {
			i += n
			continue
		}
		u.plain(r, i, i+size)
		i += size
	}
	return u.out.String()
}

// take takes out what begins at i and is more than a letter, and tells its length; 0 if nothing does.
func (u *unwrapper) take(r rune, i int) int {
	rest := u.in[i:]
	switch r {
	case '<':
		return u.link(line(rest))
	case '&':
		for _, e := range [...][2]string{{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}} {
			if strings.HasPrefix(rest, e[0]) {
				u.out.WriteString(e[1])
				return len(e[0])
			}
		}
	case '`':
		if strings.HasPrefix(rest, "```") {
			return u.between(rest, "```", "```")
		}
		return u.between(line(rest), "`", "`")
	case '"', '＂':
		return u.between(line(rest), string(r), string(r))
	case '“', '”', '„':
		return max(u.between(line(rest), string(r), "”"), u.between(line(rest), string(r), "“"))
	case '「':
		return u.between(rest, "「", "」")
	case '『':
		return u.between(rest, "『", "』")
	case '｢':
		return u.between(rest, "｢", "｣")
	case '~':
		if before := u.before(i); before == 0 || unicode.IsSpace(before) {
			return u.between(line(rest), "~", "~")
		}
	case ':':
		return u.emoji(rest, u.before(i))
	case 'h', 'H':
		return u.url(rest, u.before(i))
	}
	return 0
}

func (u *unwrapper) plain(r rune, from, to int) {
	switch {
	case r == gap || r == utf8.RuneError || r != '\n' && unicode.IsControl(r) && r != '\r':
		u.out.WriteByte(' ')
	case r == '´':
		u.out.WriteByte('\'')
	case r == '*' || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r):
		// Bold, zero-width and the like: no part of any word.
	case r == '_' && (!nameByte(u.before(from)) || !nameByte(u.after(to))):
		// Italics.
	default:
		u.out.WriteRune(r)
	}
}

func (u *unwrapper) before(i int) rune {
	if i == 0 {
		return 0
	}
	r, _ := utf8.DecodeLastRuneInString(u.in[:i])
	return r
}

func (u *unwrapper) after(i int) rune {
	if i >= len(u.in) {
		return 0
	}
	r, _ := utf8.DecodeRuneInString(u.in[i:])
	return r
}

// between leaves a gap for what stands between two marks.
func (u *unwrapper) between(s, opening, closing string) int {
	n := strings.Index(s[len(opening):], closing)
	if n <= 0 {
		return 0
	}
	u.quotes = append(u.quotes, s[len(opening):len(opening)+n])
	u.out.WriteRune(gap)
	return len(opening) + n + len(closing)
}

// link unwraps <...>: a link keeps the words it is shown with, unless those are
// its address. A person, a channel or a group is no word.
func (u *unwrapper) link(s string) int {
	n := strings.IndexByte(s, '>')
	if n < 0 {
		return 0
	}
	address, label, _ := strings.Cut(s[1:n], "|")
	u.out.WriteByte(' ')
	isAddress := strings.Contains(label, "://") || label != "" && strings.Contains(address, label)
	if address != "" && !strings.ContainsRune("@#!", rune(address[0])) && !isAddress {
		label = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", string(gap), " ").Replace(label)
		u.out.WriteString(label + " ")
	}
	return n + 1
}

// signs are the emoji that say something about a deploy.
var signs = map[string]string{
	"question": "?", "grey_question": "?", "interrobang": "?", "thinking_face": "🤔", "thinking": "🤔",
	"octagonal_sign": "🛑", "stop_sign": "🛑", "no_entry": "⛔", "no_entry_sign": "🚫", "x": "❌",
	"negative_squared_cross_mark": "❌", "no_good": "🙅", "woman-gesturing-no": "🙅", "man-gesturing-no": "🙅",
}

func (u *unwrapper) emoji(s string, before rune) int {
	if before < utf8.RuneSelf && nameByte(before) {
		return 0 // 18:00:00
	}
	for i, r := range s[1:] {
		if r == ':' && i > 0 {
			u.out.WriteString(" " + signs[s[1:1+i]] + " ")
			return i + 2
		}
		if i > 80 || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_+'-ー", r) {
			break
		}
	}
	return 0
}

func (u *unwrapper) url(s string, before rune) int {
	head := strings.ToLower(s[:min(len(s), 8)])
	if nameByte(before) || !strings.HasPrefix(head, "http://") && head != "https://" {
		return 0
	}
	n := strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r >= utf8.RuneSelf || strings.ContainsRune("<>\"`", r) })
	if n < 0 {
		n = len(s)
	}
	u.out.WriteByte(' ')
	return n
}

func line(s string) string {
	if n := strings.IndexByte(s, '\n'); n >= 0 {
		return s[:n]
	}
	return s
}

// nameByte tells whether a rune goes on with an ASCII name: what bounds words and names.
func nameByte(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_'
}
