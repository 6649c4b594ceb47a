package words

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// blank replaces each byte that is no part of a word, so that offsets stay the same.
const blank = '\x00'

// clause is a part of a mention that is judged by itself.
type clause struct {
	p        *prose
	from, to int    // in p.text
	end      string // what ended it: "?", "," (also 、), "ので", or "."
	text     string // p.text[from:to], names of targets blanked
	plain    string // text, with what only looks like a rule's word blanked
	words    []word // the ASCII words of text
	joined   string // words as "^ please % app", for phrases; from the plain text
	deploys  []span // the deploy words, in text
	others   func(name string) bool
	found    map[int]span // the rules found in it, from a neighbouring clause
}

type span struct{ from, to int }

// word is a run of ASCII, with what binds it: don't, v1.2.3, feature/x, 18:00.
type word struct {
	span
	s string
}

// clauses splits a prose. words is its text with the names of targets blanked.
func (p *prose) clauses(words string, elsewhere func(string) bool) []*clause {
	var all []*clause
	from := 0
	cut := func(to, next int, end string) {
		if strings.Trim(words[from:to], " \t\r\n") != "" {
			all = append(all, &clause{p: p, from: from, to: to, end: end, others: elsewhere})
		} else if end == "?" && len(all) > 0 && all[len(all)-1].to >= from-4 {
			all[len(all)-1].end = end
		}
		from = next
	}
	for i := 0; i < len(words); {
		r, size := utf8.DecodeRuneInString(words[i:])
		end, n := ending(words, i, r)
		if n > 0 {
			to := i
			if end == "ので" {
				to = i + n
			}
			cut(to, i+n, end)
			size = n
		}
		i += size
	}
	cut(len(words), len(words), ".")
	for i := 0; i < len(all); i++ {
		all[i].read(words)
		if i+1 < len(all) && all[i].leadsOn(words[all[i+1].from:]) {
			all[i].to, all[i].end = all[i+1].to, all[i+1].end
			all = append(all[:i+1], all[i+2:]...)
			all[i].read(words)
		}
	}
	return all
}

// ending reports whether a clause ends at i, how, and the length of the ending.
func ending(s string, i int, r rune) (end string, n int) {
	after := s[i+utf8.RuneLen(max(r, 0)):]
	switch r {
	case '。', '!', ';', '\n', '\r', '\u2028':
		return ".", utf8.RuneLen(r)
	case '?':
		return "?", 1
	case '、':
		return ",", utf8.RuneLen(r)
	case ',', '.':
		if i > 0 && after != "" && bindable(s[i-1]) && bindable(after[0]) {
			return "", 0 // v1.2.3, 1,000
		}
		if r == ',' {
			return ",", 1
		}
		return ".", 1
	case 'の':
		if strings.HasPrefix(after, "で") && !hasPrefix(after, "では", "でし", "です") || strings.HasPrefix(after, "ですぐ") {
			return "ので", len("ので")
		}
	case 'か':
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		if strings.HasPrefix(after, "ら") && strings.ContainsRune("ただするいうくぐつぬぶむんよね", before) {
			return "ので", len("から")
		}
	case 's':
		if strings.HasPrefix(after, "o ") && (i == 0 || !bindable(s[i-1]) && s[i-1] != '\'') {
			return ".", len("so")
		}
	}
	return "", 0
}

// leadsOn reports whether the clause only names the deploy, and its predicate is
// in the next one: 「リリース、待って」「リリースしたいのですが、お願いできますか」.
func (c *clause) leadsOn(next string) bool {
	if len(c.deploys) == 0 || c.end != "," {
		return false
	}
	tail := strings.TrimSpace(c.text[c.deploys[len(c.deploys)-1].to:])
	switch tail {
	case "", "は", "が", "を", "の件", "の程", "のほど", "の件ですが", "ですが", "なんですが", "なのですが", "ですけど", "だけど", "も", "について":
		return true
	}
	return hasSuffix(tail, "が", "けど", "けれど", "けれども", "けども") &&
		hasPrefix(strings.TrimSpace(next), "お願い", "おねがい", "よろ", "宜", "頼")
}

// read finds the words of the clause.
func (c *clause) read(words string) {
	c.text = words[c.from:c.to]
	c.words = asciiWords(c.text)
	c.deploys = nil
	for _, w := range c.words {
		at := w.from
		for part := range strings.SplitSeq(w.s, "/") {
			if part == "release" || part == "deploy" {
				c.deploys = append(c.deploys, span{at, at + len(part)})
			}
			at += len(part) + 1
		}
	}
	for _, d := range deployWords[:2] {
		for i := 0; ; {
			n := strings.Index(c.text[i:], d)
			if n < 0 {
				break
			}
			c.deploys = append(c.deploys, span{i + n, i + n + len(d)})
			i += n + len(d)
		}
	}
	c.readPlain()
}

// follows is the offset after the first deploy word.
func (c *clause) follows() int {
	if len(c.deploys) == 0 {
		return 0
	}
	first := c.deploys[0].to
	for _, d := range c.deploys {
		first = min(first, d.to)
	}
	return first
}

// readPlain blanks what only looks like a rule's word.
func (c *clause) readPlain() {
	b := []byte(c.text)
	erase := func(from int, w string) {
		w, _, _ = strings.Cut(w, "|")
		for i := range len(w) {
			b[from+i] = blank
		}
	}
	start := len(c.text) - len(strings.TrimLeft(c.text, " \t\r\n"))
	for _, w := range lookalikes.start {
		if strings.HasPrefix(c.text[start:], w) {
			erase(start, w)
		}
	}
	everywhere := func(from int, list []string) {
		for _, w := range list {
			find := strings.Replace(w, "|", "", 1)
			for i := from; ; {
				n := strings.Index(c.text[i:], find)
				if n < 0 {
					break
				}
				erase(i+n, w)
				i += n + len(find)
			}
		}
	}
	everywhere(0, lookalikes.anywhere)
	if len(c.deploys) > 0 {
		everywhere(c.follows(), lookalikes.follows)
	} else {
		everywhere(0, lookalikes.beside)
	}
	c.plain = string(b)
	c.joined = c.join()
	for _, w := range lookalikes.en {
		if padded(c.joined, w) < 0 {
			continue
		}
		c.joined = strings.ReplaceAll(c.joined, " "+w+" ", " "+strings.Repeat("| ", strings.Count(w, " ")+1))
	}
}

// join writes the ASCII words for phrases to be found in: "^ please % app ". % is a
// deploy word, # a number, and an empty field means that there are other letters
// between two words. The n-th word is the n-th field; "^" is the first.
func (c *clause) join() string {
	var b strings.Builder
	b.WriteString(" ^ ")
	last := 0
	for _, w := range c.words {
		if strings.IndexFunc(c.text[last:w.from], func(r rune) bool { return r == blank || unicode.IsLetter(r) || unicode.IsDigit(r) }) >= 0 {
			b.WriteString("  ") // an empty field: no phrase goes over it
		}
		switch {
		case w.s == "release" || w.s == "deploy":
			b.WriteByte('%')
		case strings.Trim(w.s, "0123456789") == "":
			b.WriteByte('#')
		default:
			b.WriteString(w.s)
		}
		b.WriteByte(' ')
		last = w.to
	}
	return b.String()
}

// phrase looks for a phrase of whole ASCII words.
func (c *clause) phrase(w string) (span, bool) {
	n := padded(c.joined, w)
	if n < 0 {
		return span{}, false
	}
	first := len(strings.Fields(c.joined[:n+1])) - 1 // without ^
	last := first + len(strings.Fields(w)) - 1
	if strings.HasPrefix(w, "^") {
		first = 0
	}
	if first < 0 || last >= len(c.words) {
		return span{}, false
	}
	return span{c.words[first].from, c.words[last].to}, true
}

// padded finds w between spaces, and returns the offset of the first space, or -1.
// It allocates nothing, as hundreds of phrases are looked for in each mention.
func padded(s, w string) int {
	for from := 1; ; {
		n := strings.Index(s[from:], w)
		if n < 0 {
			return -1
		}
		n += from
		if end := n + len(w); s[n-1] == ' ' && end < len(s) && s[end] == ' ' {
			return n - 1
		}
		from = n + 1
	}
}

// asciiWords finds the whole ASCII words.
func asciiWords(s string) []word {
	var all []word
	for i := 0; i < len(s); {
		if !bindable(s[i]) {
			i++
			continue
		}
		j := i
		for j < len(s) && (nameByte(rune(s[j])) || s[j] == '\'' || binds(s, j)) {
			j++
		}
		w := strings.TrimRight(s[i:j], "'-_")
		all = append(all, word{span{i, i + len(w)}, w})
		// A mark right before, as in "-release", belongs to the word.
		if i > 0 && (s[i-1] == '-' || s[i-1] == '_') || len(w) < j-i && s[i+len(w)] != '\'' {
			all[len(all)-1].s = "-" + w
		}
		i = j
	}
	return all
}

// binds reports whether the byte at i joins two parts of one word.
func binds(s string, i int) bool {
	if i == 0 || i+1 >= len(s) || !bindable(s[i-1]) || !bindable(s[i+1]) {
		return false
	}
	switch s[i] {
	case '.', '/', '+', '@':
		return true
	case ':':
		return digit(s[i-1]) && digit(s[i+1])
	}
	return false
}

func bindable(b byte) bool { return b >= 'a' && b <= 'z' || digit(b) }

func digit(b byte) bool { return b >= '0' && b <= '9' }

func hasPrefix(s string, any ...string) bool {
	return slices.ContainsFunc(any, func(p string) bool { return strings.HasPrefix(s, p) })
}

func hasSuffix(s string, any ...string) bool {
	return slices.ContainsFunc(any, func(p string) bool { return strings.HasSuffix(s, p) })
}
