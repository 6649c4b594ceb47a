package words

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// The tables are a grammar, in two files: what can be said in Japanese and in
// English. A rule is a name in a line of its own; below it, indented by a tab,
// stand its alternatives. An alternative is a row of items:
//
//	words     these words; ASCII ones stand alone, not in a longer word
//	{rule}    what the rule matches
//	{rule}?   the same, or nothing
//	{rule}*   the same, any number of times
//	[a|b]     any of these, or nothing
//	(a|b)     one of these
//
// Between two items there may be a space. A rule that both files have is one rule,
// with the alternatives of both. {target}, {ref}, {person}, {thing} and {no} match
// signs: see text.go.
//
//go:embed ja.txt
var ja string

//go:embed en.txt
var en string

// grammar is the rules by number.
type grammar struct {
	number map[string]int
	rules  []rule
}

// rule is its alternatives: those that begin with a word by its first letter.
type rule struct {
	first    [4]uint64 // the low bytes of the letters that a match begins with
	sign     rune      // it matches a sign
	byLetter map[rune][]start
	others   []row
}

// start is a word that an alternative begins with, and the rest of it.
type start struct {
	word string
	rest row
}

// row is the items of an alternative.
type row []item

// item matches one of its words, or its rule.
type item struct {
	words    []string
	rule     int
	optional bool
	repeated bool
}

// tables is the grammar, parsed at its first use, so that startup does not wait for
// it.
var tables = sync.OnceValue(func() *grammar { return mustParse(ja, en) })

func mustParse(files ...string) *grammar {
	g := &grammar{number: map[string]int{}}
	for _, file := range files {
		at := -1
		for line := range strings.SplitSeq(file, "\n") {
			switch {
			case line == "" || line[0] == '#':
			case line[0] != '\t':
				at = g.named(line)
			default:
				row := g.row(line[1:]) // it may add rules
				g.rules[at].add(row)
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for i := range g.rules {
			first := g.first(&g.rules[i])
			changed = changed || first != g.rules[i].first
			g.rules[i].first = first
		}
	}
	return g
}

// first returns what a rule's matches begin with, as far as that is known of the
// rules that its alternatives begin with.
func (g *grammar) first(r *rule) (first [4]uint64) {
	add := func(letter rune) { first[letter>>6&3] |= 1 << (letter & 63) }
	if r.sign != 0 {
		add(r.sign)
	}
	for letter := range r.byLetter {
		add(letter)
	}
	for _, alternative := range r.others {
		for _, i := range alternative {
			for _, w := range i.words {
				letter, _ := utf8.DecodeRuneInString(w)
				add(letter)
			}
			if i.words == nil {
				for n, letters := range g.rules[i.rule].first {
					first[n] |= letters
				}
			}
			if !i.optional {
				break
			}
		}
	}
	return first
}

func (g *grammar) named(name string) int {
	i, ok := g.number[name]
	if !ok {
		i = len(g.rules)
		g.number[name] = i
		g.rules = append(g.rules, rule{sign: signs[name], byLetter: map[rune][]start{}})
	}
	return i
}

// rule returns the number of a rule that there is.
func (g *grammar) rule(name string) int {
	i, ok := g.number[name]
	if !ok {
		panic("no rule " + name)
	}
	return i
}

func (r *rule) add(alternative row) {
	first := alternative[0]
	if first.words == nil || first.optional {
		r.others = append(r.others, alternative)
		return
	}
	for _, w := range first.words {
		letter, _ := utf8.DecodeRuneInString(w)
		r.byLetter[letter] = append(r.byLetter[letter], start{w, alternative[1:]})
	}
}

// literal: full-width parentheses stand for plain ones, which the form takes; 、 is a
// comma, as in a folded text.
var literal = strings.NewReplacer("（", "(", "）", ")", "、", ",")

// row reads one alternative.
func (g *grammar) row(line string) (all row) {
	for line != "" {
		words, rest := line, ""
		closing := strings.IndexByte("{[(", line[0])
		if closing >= 0 {
			words, rest, _ = strings.Cut(line[1:], "}])"[closing:closing+1])
		} else if n := strings.IndexAny(line, "{[("); n > 0 {
			words, rest = line[:n], line[n:]
		}
		i := item{optional: closing == 1}
		if closing == 0 {
			i.rule = g.named(words)
			i.repeated = strings.HasPrefix(rest, "*")
			i.optional = i.repeated || strings.HasPrefix(rest, "?")
			rest = strings.TrimLeft(rest, "*?")
		} else {
			i.words = strings.Split(words, "|")
			for n, w := range i.words {
				i.words[n] = literal.Replace(strings.TrimSpace(w))
			}
		}
		all, line = append(all, i), rest
	}
	return all
}

// match reads one text by the tables. It keeps what it found out, so that no rule
// is tried twice at the same place: its work grows with the length of the text.
type match struct {
	text  string
	known map[int][]int // by rule and place
	far   int           // where the farthest match of any rule ends
}

// ends returns where the rule's matches from a place end, each once. No rule
// matches nothing.
func (m *match) ends(rule, from int) []int {
	r := &tables().rules[rule]
	at := m.space(from)
	letter, size := utf8.DecodeRuneInString(m.text[at:])
	begins := letter
	if isTarget(letter) {
		begins = signTarget
	}
	if r.first[begins>>6&3]&(1<<(begins&63)) == 0 {
		return nil
	}
	key := rule<<16 | from
	if ends, ok := m.known[key]; ok {
		return ends
	}
	if m.known == nil {
		m.known = map[int][]int{}
	}
	m.known[key] = nil // a rule that begins with itself matches nothing
	var ends []int
	if letter == r.sign || isTarget(letter) && r.sign == signTarget {
		ends = append(ends, at+size)
	}
	for _, s := range r.byLetter[letter] {
		if to := m.word(s.word, from); to > 0 {
			ends = m.row(s.rest, to, ends)
		}
	}
	for _, alternative := range r.others {
		ends = m.row(alternative, from, ends)
	}
	ends = slices.DeleteFunc(ends, func(end int) bool { return end == from })
	for _, end := range ends {
		m.far = max(m.far, end)
	}
	m.known[key] = ends
	return ends
}

// row adds where an alternative's matches end. It goes on with all of them at once,
// item by item, as there may be many ways to the same end.
func (m *match) row(items row, from int, ends []int) []int {
	var a, b [8]int // most rows need no more
	at, next := append(a[:0], from), b[:0]
	for n := range items {
		i := &items[n]
		if next = next[:0]; i.optional {
			next = append(next, at...)
		}
		for k := 0; k < len(at); k++ {
			found := len(next)
			for _, w := range i.words {
				if to := m.word(w, at[k]); to > 0 {
					next = with(next, to)
				}
			}
			if i.words == nil {
				for _, to := range m.ends(i.rule, at[k]) {
					next = with(next, to)
				}
			}
			if i.repeated {
				for _, to := range next[found:] {
					at = with(at, to)
				}
			}
		}
		at, next = next, at
	}
	for _, end := range at {
		ends = with(ends, end)
	}
	return ends
}

func with(all []int, one int) []int {
	if slices.Contains(all, one) {
		return all
	}
	return append(all, one)
}

// word returns where a word ends that stands at a place; 0 if it does not.
func (m *match) word(w string, from int) int {
	at := m.space(from)
	if !strings.HasPrefix(m.text[at:], w) {
		return 0
	}
	end := at + len(w)
	if nameByte(w[0]) && at > 0 && nameByte(m.text[at-1]) || nameByte(w[len(w)-1]) && end < len(m.text) && nameByte(m.text[end]) {
		return 0
	}
	return end
}

func (m *match) space(from int) int {
	for from < len(m.text) && m.text[from] == ' ' {
		from++
	}
	return from
}

// whole reports whether the rule matches all of the text from a place.
func (m *match) whole(rule string, from int) bool {
	return slices.ContainsFunc(m.ends(tables().rule(rule), from), func(end int) bool { return m.space(end) == len(m.text) })
}

// find returns the first place at which the rule matches something.
func (m *match) find(rule string) (from, to int, ok bool) {
	n := tables().rule(rule)
	for i := range m.text {
		if ends := m.ends(n, i); len(ends) > 0 {
			return m.space(i), slices.Max(ends), true
		}
	}
	return 0, 0, false
}

func (m *match) has(rule string) bool {
	_, _, ok := m.find(rule)
	return ok
}

// nameByte reports whether a byte continues an ASCII name: the bounds of words and
// names.
func nameByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-' || b == '_'
}
