package words

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/getto-systems/psycher/deploy"
)

// find looks for the rule's words in a clause. beside is for a short clause next to
// the deploy word's own: all of it counts as following the word.
func (r *rule) find(c *clause, beside bool) (span, bool) {
	if r.asked && c.asks() {
		return span{}, false
	}
	from := 0
	if r.where == own && !beside {
		from = c.follows()
	}
	for _, w := range r.ja {
		if at, ok := c.japanese(w, from); ok && !(r.done && c.done(at)) {
			return at, true
		}
	}
	for _, w := range r.en {
		if at, ok := c.phrase(w); ok && (r.say != deploy.MsgPast || r.where != own || !c.conditional(at)) {
			return at, true
		}
	}
	if r.shape != nil {
		if a, b := r.shape(c); a < b {
			return span{a, b}, true
		}
	}
	return span{}, false
}

// japanese looks for a word of the tables: % is an adjacent deploy word, # a number.
func (c *clause) japanese(w string, from int) (span, bool) {
	switch {
	case w[0] == '%':
		w = w[1:]
		for _, d := range c.deploys {
			rest := strings.TrimLeft(c.plain[d.to:], " ")
			if bare := strings.TrimPrefix(rest, "の"); strings.HasPrefix(rest, w) || strings.HasPrefix(bare, w) {
				at := strings.Index(c.plain[d.to:], w)
				return span{d.from, d.to + at + len(w)}, true
			}
		}
	case strings.HasSuffix(w, "%"):
		w = w[:len(w)-1]
		for _, d := range c.deploys {
			if strings.HasSuffix(c.plain[:d.from], w) {
				return span{d.from - len(w), d.to}, true
			}
		}
	case w[0] == '#':
		w = w[1:]
		for i := from; ; {
			n := strings.Index(c.plain[i:], w)
			if n < 0 {
				return span{}, false
			}
			i += n + len(w)
			number := strings.TrimRight(c.plain[:i-len(w)], "0123456789")
			if len(number) < i-len(w) {
				return span{len(number), i}, true
			}
		}
	case strings.HasSuffix(w, "?"):
		w = w[:len(w)-1]
		if c.end == "?" && len(c.plain) >= from && strings.HasSuffix(strings.TrimRight(c.plain[from:], " "), w) {
			at := strings.LastIndex(c.plain, w)
			return span{at, at + len(w)}, true
		}
	default:
		if n := strings.Index(c.plain[from:], w); n >= 0 {
			return span{from + n, from + n + len(w)}, true
		}
	}
	return span{}, false
}

// asks reports whether the clause asks for something.
func (c *clause) asks() bool {
	tail := c.text[c.follows():]
	for _, w := range requests.ja {
		if strings.Contains(tail, w) {
			return true
		}
	}
	if hasSuffix(strings.TrimRight(tail, " ~〜ーw"), "して", "してね", "してよ", "しといて", "おいて", "やって", "やってね") {
		return true
	}
	joined := c.join()
	for _, w := range requests.en {
		if padded(joined, w) >= 0 {
			return true
		}
	}
	return false
}

// conditional reports whether words are in a condition of the deploy: "deploy once
// QA is done" is not about a past deploy.
func (c *clause) conditional(at span) bool {
	for _, w := range conditionsEN {
		if cond, ok := c.phrase(w); ok && cond.from < at.from && cond.from >= c.follows() {
			return true
		}
	}
	return false
}

// done reports whether a time says when something other than a deploy was done:
// 昨日マージした分, さっき直したやつ.
func (c *clause) done(at span) bool {
	first := len(c.text)
	for _, d := range c.deploys {
		first = min(first, d.from)
	}
	if at.to > first {
		return false
	}
	for _, w := range [...]string{"た分", "たぶん", "たやつ", "た奴", "たもの", "たpr", "たmr", "た修正", "た変更", "たの", "た件", "た対応", "た機能", "たコード", "た内容", "た差分", "たバグ", "だ分", "だやつ", "だ修正"} {
		if strings.Contains(c.text[at.to:first], w) {
			return true
		}
	}
	return false
}

// clock finds a time of day or a date among the ASCII words.
func (c *clause) clock() (from, to int) {
	for _, w := range c.words {
		s := strings.TrimSuffix(strings.TrimSuffix(w.s, "am"), "pm")
		if !digit(w.s[0]) || strings.Trim(s, "0123456789:/-.") != "" {
			continue
		}
		date := strings.Count(s, "/") == 1 && len(s) <= 5 || strings.Count(s, "/") == 2 || strings.Count(s, "-") == 2
		if s != w.s || strings.Contains(s, ":") || date {
			return w.from, w.to
		}
	}
	return 0, 0
}

// version finds a version, a branch or a commit, also alone in quotation marks or
// code. A link in quotation marks may be to any of these.
func (c *clause) version() (from, to int) {
	for _, w := range c.words {
		if isVersion(w.s) {
			return w.from, w.to
		}
	}
	for at, q := range c.quotes() {
		if isVersion(q) || isEnvironment(q) || strings.ContainsRune(q, linked) {
			return at, at + utf8.RuneLen(gap)
		}
	}
	return 0, 0
}

func isVersion(w string) bool {
	if w == "" {
		return false
	}
	if n := strings.TrimPrefix(w, "v"); n != "" && digit(n[0]) {
		n, _, _ = strings.Cut(n, "-")
		if strings.Trim(n, "0123456789.") == "" && (w[0] == 'v' || strings.Contains(n, ".")) {
			return true
		}
	}
	if len(w) >= 7 && len(w) <= 40 && strings.Trim(w, "0123456789abcdef") == "" && strings.ContainsAny(w, "0123456789") && strings.ContainsAny(w, "abcdef") {
		return true
	}
	for i, part := range strings.FieldsFunc(w, func(r rune) bool { return r == '-' || r == '_' }) {
		if oneOf(strings.TrimRight(part, "0123456789"), serverNames...) || i > 0 && part != w && isVersion(part) {
			return true // staging-eu, app-1.2.3
		}
	}
	for part := range strings.SplitSeq(w, "/") {
		if part == w {
			return strings.HasPrefix(w, "rc") && len(w) > 2 && digit(w[2])
		}
		if part != "release" && part != "deploy" && part != "and" && part != "or" {
			return !strings.ContainsAny(w, " \n")
		}
	}
	return false
}

func isEnvironment(w string) bool {
	return oneOf(w, environmentsJA...) || oneOf(w, environmentsEN...)
}

// quotes yields what the clause's gaps stand for, with their offsets.
func (c *clause) quotes() func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		n := strings.Count(c.p.text[:c.from], string(gap))
		for at, r := range c.text {
			if r != gap {
				continue
			}
			if n < len(c.p.quotes) && !yield(at, c.p.quotes[n]) {
				return
			}
			n++
		}
	}
}

// bareQuestion finds a question that asks for nothing.
func (c *clause) bareQuestion() (from, to int) {
	tail := strings.TrimRight(c.text, " ")
	if c.end == "?" || strings.HasSuffix(tail, "か") || strings.HasSuffix(tail, "かね") {
		return c.deploys[0].from, len(tail)
	}
	return 0, 0
}

// reason finds a deploy that is only the reason for something else.
func (c *clause) reason() (from, to int) {
	if c.end == "ので" && !c.asks() {
		return c.deploys[0].from, len(c.text)
	}
	return 0, 0
}

// nounUse finds a deploy word used as a thing that nobody asks for: "the
// release surprised us", against "please do the release".
func (c *clause) nounUse() (from, to int) {
	f := strings.Fields(c.joined)
	for i := 2; i < len(f); i++ {
		if f[i] != "%" || !oneOf(f[i-1], "the", "a", "an", "this", "that", "our", "my", "your", "new", "another", "quick") {
			continue
		}
		if do := f[i-2]; i >= 3 && oneOf(do, "do", "run", "start", "make", "trigger", "perform", "begin", "launch", "execute", "need", "retry", "rerun", "redo", "restart", "repeat", "kick", "off", "with") &&
			oneOf(f[i-3], "^", "please", "pls", "plz", "you", "and", "now", "let's", "to", "i", "go", "ahead", "kick", "proceed", "just") {
			continue
		}
		if at, ok := c.phrase(f[i-1] + " %"); ok {
			return at.from, at.to
		}
	}
	return 0, 0
}

// object finds something else that is to be done about a deploy: リリースを確認して.
func (c *clause) object() (from, to int) {
	for _, d := range c.deploys {
		rest, ok := strings.CutPrefix(c.text[d.to:], "を")
		rest = strings.TrimLeft(rest, " ~〜ー")
		r, size := utf8.DecodeRuneInString(rest)
		if ok && unicode.IsLetter(r) && size > 1 && !hasPrefix(rest, object...) {
			return d.from, len(c.text)
		}
	}
	return 0, 0
}

// compound finds kanji or katakana that make a longer word of a deploy word.
func (c *clause) compound() (from, to int) {
	for _, d := range c.deploys {
		rest := strings.TrimPrefix(c.text[d.to:], "の")
		r, _ := utf8.DecodeRuneInString(rest)
		if !unicode.In(r, unicode.Han, unicode.Katakana) || hasPrefix(rest, follow...) {
			continue
		}
		n := strings.IndexFunc(rest, func(r rune) bool { return !unicode.In(r, unicode.Han, unicode.Katakana) && r != 'ー' })
		if n < 0 {
			n = len(rest)
		}
		return d.from, len(c.text) - len(rest) + n
	}
	return 0, 0
}

// foreignTarget finds the name of another channel's target: among the ASCII words,
// and in kana and kanji near the deploy word.
func (c *clause) foreignTarget() (from, to int) {
	for _, w := range asciiNames(c.text) {
		if !oneOf(w.s, notElsewhere...) && c.others(w.s) {
			return w.from, w.to
		}
	}
	for _, w := range c.words { // group/app, app.web
		if strings.ContainsAny(w.s, "./") && c.others(w.s) {
			return w.from, w.to
		}
	}
	for at, q := range c.quotes() {
		if q != "" && len(q) < 80 && !oneOf(q, notElsewhere...) && c.others(q) {
			return at, at + utf8.RuneLen(gap)
		}
	}
	if len(c.deploys) == 0 {
		return 0, 0
	}
	return c.foreignKana()
}

// How far from the deploy word a name in kana or kanji is looked for, and how long
// it may be, in letters. This bounds the calls of others.
const (
	nameReach = 40
	nameMost  = 12
)

func (c *clause) foreignKana() (from, to int) {
	whole := c.p.text[c.from:c.to]
	var at []int
	for i := range whole {
		at = append(at, i)
	}
	at = append(at, len(whole))
	near := 0
	for near < len(at)-1 && at[near] < c.deploys[0].from {
		near++
	}
	for i := max(0, near-nameReach); i < min(len(at)-1, near+nameReach); i++ {
		for n := min(nameMost, len(at)-1-i); n >= 2; n-- {
			s := whole[at[i]:at[i+n]]
			ours := strings.Trim(c.text[at[i]:at[i+n]], string(blank)) == "" // a name of this channel, or part of one
			if ours || s[0] < utf8.RuneSelf && s[len(s)-1] < utf8.RuneSelf || strings.Contains(s, " ") || strings.ContainsRune(s, gap) {
				continue
			}
			if !oneOf(s, notElsewhere...) && c.others(s) {
				return at[i], at[i+n]
			}
		}
	}
	return 0, 0
}

// asciiNames finds the runs of letters that a name is made of.
func asciiNames(s string) []word {
	var all []word
	for i := 0; i < len(s); i++ {
		j := i
		for j < len(s) && nameByte(rune(s[j])) {
			j++
		}
		if j > i {
			all = append(all, word{span{i, j}, s[i:j]})
			i = j
		}
	}
	return all
}

func oneOf(s string, list ...string) bool { return slices.Contains(list, s) }
