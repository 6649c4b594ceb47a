package words

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/getto-systems/psycher/bot/markup"
)

// gap stands in a prose where something was taken out that counts for no word:
// code, or words in quotation marks.
const gap = '\uFFFC'

// linked stands for a link where it is in quotation marks; elsewhere it is no part
// of any word.
const linked = '\uFFFB'

// prose is what a person wrote, ready to be searched for words.
type prose struct {
	text   string   // NFKC, lower case; gaps in place of code and quotations
	raw    string   // the same as written
	at     []int32  // byte of text -> where its piece begins in raw
	end    []int32  // byte of text -> where its piece ends in raw
	said   []string // what the gaps stand for, in order, as written
	quotes []string // the same, folded
}

// readProse folds the words of a message.
func readProse(segments []markup.Segment) *prose {
	p := &prose{}
	p.raw = p.unquote(p.flatten(segments))
	var b strings.Builder
	var it norm.Iter
	for it.InitString(norm.NFKC, p.raw); !it.Done(); {
		from := it.Pos()
		piece := fold(string(it.Next()))
		b.WriteString(piece)
		for range len(piece) {
			p.at = append(p.at, int32(from))
			p.end = append(p.end, int32(it.Pos()))
		}
	}
	p.text = b.String()
	for _, q := range p.said {
		p.quotes = append(p.quotes, strings.TrimSpace(foldName(q)))
	}
	return p
}

// flatten writes the segments as one text. A person, a channel or a quote is no word.
func (p *prose) flatten(segments []markup.Segment) string {
	var b strings.Builder
	for _, s := range segments {
		switch s.Kind {
		case markup.Plain:
			b.WriteString(strings.ReplaceAll(s.Text, string(linked), ""))
		case markup.Code:
			b.WriteRune(gap)
			p.said = append(p.said, s.Text)
		case markup.Link:
			b.WriteString(" " + string(linked))
			if s.Text != "" {
				b.WriteString(strings.ReplaceAll(s.Text, string(linked), "") + " ")
			}
		case markup.Emoji:
			b.WriteString(" " + signs[s.Text] + " ")
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// signs are the emoji that say something about a deploy.
var signs = map[string]string{
	"question": "?", "grey_question": "?", "interrobang": "?", "thinking_face": "🤔", "thinking": "🤔",
	"octagonal_sign": "🛑", "stop_sign": "🛑", "no_entry": "⛔", "no_entry_sign": "🚫", "x": "❌",
	"negative_squared_cross_mark": "❌", "no_good": "🙅", "woman-gesturing-no": "🙅", "man-gesturing-no": "🙅",
}

// unquote leaves a gap for what is in quotation marks, and drops what is no part of
// any word.
func (p *prose) unquote(s string) string {
	code := p.said
	p.said = nil
	var out strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		inside := string(gap)
		if r != gap {
			var n int
			if inside, n = quotation(s[i:], r, before); n == 0 {
				after, _ := utf8.DecodeRuneInString(s[i+size:])
				plain(&out, r, before, after)
				i += size
				continue
			}
			size = n
		}
		for strings.ContainsRune(inside, gap) {
			inside = strings.Replace(inside, string(gap), code[0], 1)
			code = code[1:]
		}
		p.said = append(p.said, inside)
		out.WriteRune(gap)
		i += size
	}
	return out.String()
}

// closings are the quotation marks: what opens, and what closes it. Those of CJK
// may span lines.
var closings = map[rune][]string{
	'"': {"\""}, '＂': {"＂"}, '“': {"”", "“"}, '”': {"”", "“"}, '„': {"”", "“"}, '~': {"~"},
	'「': {"」"}, '『': {"』"}, '｢': {"｣"},
}

// quotation returns what is between the quotation marks that s begins with, and
// the length with them; 0 if there is nothing.
func quotation(s string, r, before rune) (inside string, n int) {
	marks := closings[r]
	if marks == nil || r == '~' && before != utf8.RuneError && !unicode.IsSpace(before) {
		return "", 0
	}
	rest := s[utf8.RuneLen(r):]
	if !strings.ContainsRune("「『｢", r) {
		rest = line(rest)
	}
	for _, closing := range marks {
		if end := strings.Index(rest, closing); end > 0 {
			return rest[:end], utf8.RuneLen(r) + end + len(closing)
		}
	}
	return "", 0
}

// plain writes a letter of no quotation.
func plain(out *strings.Builder, r, before, after rune) {
	switch {
	case r == utf8.RuneError || r != '\n' && unicode.IsControl(r) && r != '\r':
		out.WriteByte(' ')
	case r == '´':
		out.WriteByte('\'')
	case r == '*' || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r):
		// Bold, zero-width and the like: no part of any word.
	case r == '_' && (!nameByte(before) || !nameByte(after)):
		// Italics.
	default:
		out.WriteRune(r)
	}
}

func line(s string) string {
	if n := strings.IndexByte(s, '\n'); n >= 0 {
		return s[:n]
	}
	return s
}

// nameByte reports whether a rune continues an ASCII name: the bounds of words and names.
func nameByte(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_'
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

// original returns text[from:to] as the person wrote it.
func (p *prose) original(from, to int) string {
	if from >= to || to > len(p.text) {
		return ""
	}
	n := strings.Count(p.text[:from], string(gap))
	var b strings.Builder
	for _, r := range p.raw[p.at[from]:p.end[to-1]] {
		if r == gap && n < len(p.said) {
			b.WriteString(strings.ReplaceAll(p.said[n], string(linked), ""))
			n++
			continue
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}
