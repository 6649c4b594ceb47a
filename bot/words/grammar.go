package words

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/getto-systems/psycher/bot/markup"
)

// The tables are a grammar, in two files: what can be said in Japanese and in
// English. A rule is a name in a line of its own; below it, indented by a tab,
// stand its alternatives. A rule of one alternative has it behind its name. An
// alternative is a row of items:
//
//	words     these words; ASCII ones stand alone, not in a longer word
//	{rule}    what the rule matches
//	(a|b)     one of these alternatives
//	[a|b]     one of these, or nothing
//
// {rule}? and (a|b)? may be left out, {rule}* and (a|b)* be repeated too. Between
// two items there may be a space. A rule that both files have is one rule, with the
// alternatives of both. {target}, {ref}, {person}, {thing} and {no} match signs:
// see text.go.
//
//go:embed ja.txt
var ja string

//go:embed en.txt
var en string

// grammar is the rules by number.
type grammar struct {
	number  map[string]int
	rules   []rule
	clauses []int // for each of the roles
}

// rule is its alternatives, and which of them may begin with a letter.
type rule struct {
	all   []row
	begin []start // by letter, then in the order of all
	group bool    // of an alternative: it has no name
}

// start is a letter that an alternative may begin with. Few mentions come after
// another, so what is compared is kept close together: a map for each rule takes a
// fifth longer with cold caches.
type start struct {
	letter rune
	row    int32
}

// row is the items of an alternative.
type row []item

// item matches its word, or its rule.
type item struct {
	word     string
	rule     int
	optional bool
	repeated bool
}

// tables is the grammar, parsed at its first use, so that startup does not wait for
// it.
var tables = sync.OnceValue(func() *grammar { return mustParse(ja, en) })

func mustParse(files ...string) *grammar {
	g := &grammar{number: map[string]int{}}
	for name, sign := range signs {
		g.add(name, row{item{word: sign}})
	}
	for _, file := range files {
		name := ""
		for line := range strings.Lines(file) {
			before, alternative, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			if before != "" && before[0] != '#' {
				name = strings.TrimSuffix(before, ":")
			}
			if alternative != "" {
				g.add(name, g.row(alternative))
			}
		}
	}
	for _, r := range roles {
		g.clauses = append(g.clauses, g.group(strings.ReplaceAll(forms[r.place], "role", r.rule)))
	}
	for n := range g.rules {
		g.index(n)
	}
	return g
}

// named returns the number of a rule, which may be still to come.
func (g *grammar) named(name string) int {
	n, ok := g.number[name]
	if !ok {
		n = len(g.rules)
		g.number[name] = n
		g.rules = append(g.rules, rule{})
	}
	return n
}

func (g *grammar) add(name string, alternative row) {
	r := &g.rules[g.named(name)]
	r.all = append(r.all, alternative)
}

// rule returns the number of a rule that there is.
func (g *grammar) rule(name string) int {
	n, ok := g.number[name]
	if !ok {
		panic("no rule " + name)
	}
	return n
}

// index returns which alternatives of a rule may begin with a letter. No rule begins
// with itself.
func (g *grammar) index(n int) []start {
	r := &g.rules[n]
	if r.begin != nil {
		return r.begin
	}
	for k, alternative := range r.all {
		for _, i := range alternative {
			if letter, _ := utf8.DecodeRuneInString(i.word); i.word != "" {
				r.begin = append(r.begin, start{letter, int32(k)})
			} else {
				for _, s := range g.index(i.rule) {
					r.begin = append(r.begin, start{s.letter, int32(k)})
				}
			}
			if !i.optional {
				break
			}
		}
	}
	slices.SortFunc(r.begin, func(a, b start) int { return cmp.Or(cmp.Compare(a.letter, b.letter), cmp.Compare(a.row, b.row)) })
	r.begin = slices.Clip(slices.Compact(r.begin))
	return r.begin
}

// literal: full-width parentheses stand for plain ones, which the form takes; 、 is a
// comma, as in a folded text.
var literal = strings.NewReplacer("（", "(", "）", ")", "、", ",")

// row reads one alternative.
func (g *grammar) row(line string) (all row) {
	for line != "" {
		kind := strings.IndexByte("{([", line[0])
		if kind < 0 {
			word := line
			if n := strings.IndexAny(line, "{(["); n > 0 {
				word = line[:n]
			}
			line = line[len(word):]
			all = append(all, item{word: literal.Replace(strings.TrimSpace(word))})
			continue
		}
		inside, rest, _ := strings.Cut(line[1:], "})]"[kind:kind+1])
		i := item{optional: kind == 2 || strings.IndexAny(rest, "?*") == 0, repeated: strings.HasPrefix(rest, "*")}
		if kind == 0 {
			i.rule = g.named(inside)
		} else {
			i.rule = g.group(inside)
		}
		all, line = append(all, i), strings.TrimLeft(rest, "?*")
	}
	return all
}

// group returns the number of the rule that a group is. The same group is the same rule.
func (g *grammar) group(alternatives string) int {
	name := "(" + alternatives + ")"
	if _, known := g.number[name]; !known {
		for alternative := range strings.SplitSeq(alternatives, "|") {
			g.add(name, g.row(alternative))
		}
		g.rules[g.named(name)].group = true
	}
	return g.named(name)
}

// match reads one text by the tables. It keeps what it found out, so that no rule
// is tried twice at the same place: its work grows with the length of the text.
type match struct {
	text  string
	known map[int][]int // by rule and place
	far   int           // where the farthest match ends of any rule that has a name
}

// ends returns where the rule's matches from a place end, each once. No rule
// matches nothing.
func (m *match) ends(rule, from int) []int {
	from = m.space(from)
	r := &tables().rules[rule]
	letter, _ := utf8.DecodeRuneInString(m.text[from:])
	n, found := slices.BinarySearchFunc(r.begin, letter, func(s start, letter rune) int { return cmp.Compare(s.letter, letter) })
	if !found {
		return nil
	}
	key := rule<<32 | from
	if ends, ok := m.known[key]; ok && !r.group {
		return ends
	}
	var ends []int
	for ; n < len(r.begin) && r.begin[n].letter == letter; n++ {
		ends = m.row(r.all[r.begin[n].row], from, ends)
	}
	if r.group {
		return ends
	}
	ends = slices.DeleteFunc(ends, func(end int) bool { return end == from })
	for _, end := range ends {
		m.far = max(m.far, end)
	}
	if m.known == nil {
		m.known = map[int][]int{}
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
			if i.word != "" {
				if to := m.word(i.word, at[k]); to > 0 {
					next = with(next, to)
				}
				continue
			}
			for _, to := range m.ends(i.rule, at[k]) {
				next = with(next, to)
				if i.repeated {
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

func with[T comparable](all []T, one T) []T {
	if slices.Contains(all, one) {
		return all
	}
	return append(all, one)
}

// word returns where a word ends that stands at a place; 0 if it does not.
func (m *match) word(w string, from int) int {
	at := m.space(from)
	if !strings.HasPrefix(m.text[at:], w) || !markup.Alone(m.text, at, at+len(w)) {
		return 0
	}
	return at + len(w)
}

func (m *match) space(from int) int {
	return len(m.text) - len(strings.TrimLeft(m.text[from:], " "))
}

// whole reports whether the rule matches all of the text from a place, but for what
// says nothing.
func (m *match) whole(rule string, from int) bool {
	return slices.ContainsFunc(m.ends(tables().rule(rule), from), func(end int) bool { return silent(m.text[end:]) })
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
